# SPDX-License-Identifier: Apache-2.0
"""vhci-adapter, a candleLight made of software that the guest's kernel takes for one, led from Python."""

import socket
import struct
import subprocess
import time
from pathlib import Path

SERIAL = "REC0001"
LEVEL, OPTIONS, LL_OPTIONS, PADDING, WAIT_DONE = 106, 1, 5, 0x004, 0x400  # SOL_CAN_ISOTP


def run(*command, check=True):
    return subprocess.run(command, check=check, timeout=60, capture_output=True, text=True).stdout


def until(what, seconds=30):
    """Waits for the kernel, which says nothing when it is done."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        try:  # a wait that ends with its time
            subprocess.run(["udevadm", "settle", "--timeout=0"], timeout=0.05, check=False, capture_output=True)
        except subprocess.TimeoutExpired:
            pass
    return found


def interface_of(name):
    return Path("/sys/class/net", name).exists()


class Adapter:
    def __init__(self, test, program, *interfaces, fd=True):
        self.process = subprocess.Popen([program, *(["--fd"] if fd else []), SERIAL, *interfaces], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        test.addCleanup(self.close)
        assert self.process.stdout.readline() == "plugged\n"
        self.wait_plugged()

    def wait_plugged(self):
        until(lambda: "1d50:606f" in run("lsusb", check=False))

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        until(lambda: "1d50:606f" not in run("lsusb", check=False))


def ecu(test, interface="vcan0", fd=False):
    """The kernel's ISO-TP as the ECU."""
    link = socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_ISOTP)
    test.addCleanup(link.close)
    link.setsockopt(LEVEL, OPTIONS, struct.pack("=IIBBBB", PADDING | WAIT_DONE, 0, 0, 0xCC, 0xCC, 0))
    if fd:
        link.setsockopt(LEVEL, LL_OPTIONS, struct.pack("=BBB", 72, 64, 1))
    link.bind((interface, 0x7E0, 0x7E8))
    link.settimeout(30)
    return link
