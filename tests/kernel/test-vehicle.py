#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recall-sim on a SocketCAN interface, asked through the kernel's own CAN_ISOTP and by recallctl, in the guest:
test-vehicle.py BUILD"""

import json
import pathlib
import random
import socket
import struct
import subprocess
import sys
import time
import unittest
import zlib

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "sim/sim-ecu"))
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from bench import Bench  # noqa: E402
from vehicle import Vehicle, one_of_each, reference  # noqa: E402

BUILD = sys.argv.pop(1)
LEVEL = 106  # SOL_CAN_ISOTP
OPTIONS, LL_OPTIONS = 1, 5
EXTEND, PADDING, RX_EXTEND, WAIT_DONE, BROADCAST = 0x002, 0x004, 0x200, 0x400, 0x800
EFF = 0x80000000
VIN = b"SIMVEH00000014229"


def run(*command):
    subprocess.run(command, check=True, timeout=60)


def pdu_socket(test, request, response, extension=None, response_extension=None, fd=False, flags=PADDING | WAIT_DONE):
    link = socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_ISOTP)
    test.addCleanup(link.close)
    if extension is not None:
        flags |= EXTEND | RX_EXTEND
    link.setsockopt(LEVEL, OPTIONS, struct.pack("=IIBBBB", flags, 0, extension or 0, 0xCC, 0xCC, response_extension or 0))
    if fd:
        link.setsockopt(LEVEL, LL_OPTIONS, struct.pack("=BBB", 72, 64, 1))
    wide = EFF if request > 0x7FF else 0
    link.bind(("vcan0", response | wide if response else 0, request | wide))
    link.settimeout(20)
    return link


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("ip", "link", "add", "vcan0", "type", "vcan")
        run("ip", "link", "set", "vcan0", "mtu", "72", "up", "txqueuelen", "1000")

    def vehicle(self, model):
        vehicle = Vehicle(BUILD, "--can", "vcan0", model=model, bus=False, doip=False)
        self.addCleanup(vehicle.__exit__)
        self.assertEqual(vehicle.ready, {"ready": True, "can": "vcan0"})
        return vehicle

    def ask(self, link, request):
        link.send(request)
        return link.recv(70000)

    def test_each_address(self):
        self.vehicle(one_of_each())
        for arguments in ({"request": 0x7E0, "response": 0x7E8}, {"request": 0x18DA10F1, "response": 0x18DAF110},
                          {"request": 0x6F1, "response": 0x612, "extension": 0x12, "response_extension": 0xF1},
                          {"request": 0x18CE14F1, "response": 0x18CEF114, "extension": 0x77, "response_extension": 0x77},
                          {"request": 0x7E3, "response": 0x7EB, "fd": True}, {"request": 0x7E2, "response": 0x7EA}):
            with self.subTest(**arguments):
                link = pdu_socket(self, **arguments)
                self.assertEqual(self.ask(link, b"\x22\xf1\x90"), b"\x62\xf1\x90" + VIN)
                many = self.ask(link, b"\x22" + b"\xf1\x90" * 100)
                self.assertEqual(many, b"\x62" + (b"\xf1\x90" + VIN) * 100)

    def test_functional(self):
        self.vehicle(one_of_each())
        links = [pdu_socket(self, request, response) for request, response in ((0x7E0, 0x7E8), (0x7E2, 0x7EA))]
        everybody = pdu_socket(self, 0x7DF, 0, flags=PADDING | BROADCAST)
        everybody.send(b"\x3e\x00")
        for link in links:
            self.assertEqual(link.recv(100), b"\x7e\x00")

    def test_reprogramming(self):
        image = random.Random(5).randbytes(40000)
        vehicle = self.vehicle(reference(block=4095, block_size=0))
        link = pdu_socket(self, 0x7E0, 0x7E8)
        self.assertEqual(self.ask(link, b"\x10\x02")[:2], b"\x50\x02")
        seed = int.from_bytes(self.ask(link, b"\x27\x01")[2:], "big")
        self.assertEqual(self.ask(link, b"\x27\x02" + struct.pack(">I", seed ^ 0xA5A5A5A5)), b"\x67\x02")
        where = b"\x44" + struct.pack(">II", 0, len(image))
        self.assertEqual(self.ask(link, b"\x31\x01\xff\x00" + where), b"\x71\x01\xff\x00\x00")
        self.assertEqual(self.ask(link, b"\x34\x00" + where), b"\x74\x20\x0f\xff")
        for number, at in enumerate(range(0, len(image), 4093), 1):
            self.assertEqual(self.ask(link, bytes([0x36, number]) + image[at:at + 4093]), bytes([0x76, number]))
        self.assertEqual(self.ask(link, b"\x37"), b"\x77")
        self.assertEqual(self.ask(link, b"\x31\x01\x02\x02" + struct.pack(">I", zlib.crc32(image))), b"\x71\x01\x02\x02\x00")
        self.assertEqual(vehicle.flash()[:len(image)], image)

    def test_no_such_interface(self):
        for name in ("vcan9", "lo"):
            vehicle = self.vehicle(reference())
            command = [word if word != "vcan0" else name for word in map(str, vehicle.command)]
            command[command.index("--state") + 1] += "-" + name  # the vehicle's own state is in use
            done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(json.loads(done.stdout.splitlines()[-1])["reason"], "link-none", done.stdout)

    def test_a_whole_recovery(self):
        """recallctl and the vehicle meet in the kernel alone."""
        bench = Bench(BUILD, "director", demo=("--image-size", "4096"), way="canfd:vcan0")
        self.addCleanup(bench.close)
        bench.start()
        links = {link["uri"]: link["kind"] for link in bench.ctl("links")["links"]}
        self.assertEqual(links, {"canfd:vcan0": "canfd"})  # it can more than classic frames
        # without a model: those that 7DF and 18DB33F1 find
        self.assertEqual({ecu["serial"] for ecu in bench.ctl("identify", "--link", "can:vcan0")["ecus"]},
                         {"SN-TELEMATICS-0001", "SN-BRAKE-0001"})
        bench.trust_and_import()
        classic = bench.ctl("identify", "--link", "can:vcan0", expect=1)  # two ECUs speak CAN FD only
        self.assertEqual((classic["vin"], classic["ok"], classic["reason"], len(classic["ecus"])), (bench.vin, False, "unsupported", 7))
        self.assertEqual(len(bench.ctl("identify", "--link", "canfd:vcan0")["ecus"]), 7)
        started = time.monotonic()
        verdict = bench.recover()
        self.assertEqual((verdict["ok"], verdict["result"]), (True, "completed"))
        self.assertEqual(bench.differences(), [])
        print(f"recovered over vcan in {time.monotonic() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
