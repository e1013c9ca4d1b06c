#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Our ISO-TP engine on SocketCAN against the kernel's CAN_ISOTP and can-utils, in the guest: test-isotp.py ISOTP-PEER"""

import errno
import re
import socket
import struct
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
from peer import Peer, pattern  # noqa: E402

PEER = sys.argv.pop(1)
LEVEL = 106  # SOL_CAN_ISOTP
OPTIONS, RECEIVE_FC, LL_OPTIONS = 1, 2, 5
EXTENDED, PADDING, RX_EXTENDED, WAIT_DONE = 0x002, 0x004, 0x200, 0x400
EFF = 0x80000000


class Kernel:
    """The kernel's side: a CAN_ISOTP socket. Its flow control offers block and gap."""

    def __init__(self, test, interface, tx, rx, extension=None, rx_extension=None, fd=False, block=0, gap=0, padding=0xCC):
        self.socket = socket.socket(socket.PF_CAN, socket.SOCK_DGRAM, socket.CAN_ISOTP)
        test.addCleanup(self.close)
        flags = PADDING | WAIT_DONE
        if extension is not None:
            flags |= EXTENDED | RX_EXTENDED
        self.socket.setsockopt(LEVEL, OPTIONS, struct.pack("=IIBBBB", flags, 0, extension or 0, padding, padding, rx_extension or 0))
        self.socket.setsockopt(LEVEL, RECEIVE_FC, struct.pack("BBB", block, gap, 0))
        if fd:
            self.socket.setsockopt(LEVEL, LL_OPTIONS, struct.pack("BBB", 72, 64, 1))
        self.socket.settimeout(20)
        self.socket.bind((interface, rx, tx))

    def close(self):
        self.socket.close()


FORMS = [
    ("normal 11", 0x7E0, 0x7E8, None, None, False),
    ("normal fixed 29", 0x18DA10F1 | EFF, 0x18DAF110 | EFF, None, None, False),
    ("extended", 0x600, 0x601, 0x12, 0xF1, False),
    ("mixed 11", 0x700, 0x701, 0x55, 0x55, False),
    ("mixed 29", 0x18CE10F1 | EFF, 0x18CEF110 | EFF, 0x77, 0x77, False),
    ("FD", 0x7E0, 0x7E8, None, None, True),
    ("FD extended", 0x600, 0x601, 0x12, 0xF1, True),
]
LENGTHS = [1, 2, 6, 7, 8, 9, 12, 13, 20, 61, 62, 63, 64, 65, 125, 126, 127, 500, 4095, 4096, 20000]


class AgainstKernel(unittest.TestCase):
    def each(self, block=0, gap=0):
        for name, request, response, extension, rx_extension, fd in FORMS:
            with self.subTest(name):
                peer = Peer(self, PEER, "canfd:vcan0" if fd else "can:vcan0")
                kernel = Kernel(self, "vcan0", response, request, rx_extension, extension, fd, block, gap)
                peer.channel(request, response, -1 if extension is None else extension, -1 if rx_extension is None else rx_extension, fd)
                yield peer, kernel.socket
                kernel.close()
                peer.close()

    def test_we_send(self):
        for peer, kernel in self.each():
            for length in LENGTHS:
                peer.start(f"send# {length} {length}")
                self.assertEqual(kernel.recv(70000), pattern(length, length))
                self.assertEqual(peer.answer(), "ok")

    def test_we_send_in_blocks(self):
        for block, gap, lengths in ((1, 0, [63, 300, 2000]), (8, 0, [300, 4095]), (3, 0xF5, [300]), (0, 1, [400]), (15, 2, [400])):
            for peer, kernel in self.each(block, gap):
                for length in lengths:
                    peer.start(f"send# {length} {length}")
                    self.assertEqual(kernel.recv(70000), pattern(length, length))
                    self.assertEqual(peer.answer(), "ok")

    def test_kernel_sends(self):
        for peer, kernel in self.each():
            for length in LENGTHS:
                peer.start(f"receive# {length} {length + 1} 10000")
                kernel.send(pattern(length, length + 1))
                self.assertEqual(peer.answer(), "ok", length)

    def test_longest_of_the_kernel(self):
        peer = Peer(self, PEER, "canfd:vcan0")
        kernel = Kernel(self, "vcan0", 0x7E8, 0x7E0, fd=True)
        peer.channel(0x7E0, 0x7E8, fd=True)
        peer.start("send# 65535 1")
        self.assertEqual(kernel.socket.recv(70000), pattern(65535, 1))
        self.assertEqual(peer.answer(), "ok")
        # more than it takes: its OVERFLOW is our block-too-long, and the next message works
        peer.ask("send# 70000 1", "error block-too-long")
        peer.start("send# 100 1")
        self.assertEqual(kernel.socket.recv(70000), pattern(100, 1))
        self.assertEqual(peer.answer(), "ok")
        kernel.close()
        peer.close()

    def test_functional(self):
        peer = Peer(self, PEER, "can:vcan0")
        ecus = [Kernel(self, "vcan0", 0x7E8 + i, 0x7DF) for i in range(3)]
        peer.channel(0x7DF, 0)
        peer.ask("send 3E80")
        for ecu in ecus:
            self.assertEqual(ecu.socket.recv(100), bytes.fromhex("3e80"))
            ecu.close()
        peer.ask("send 0102030405060708", "error block-too-long")
        peer.close()

    def test_nobody_there(self):
        peer = Peer(self, PEER, "can:vcan0")
        peer.channel(0x7E0, 0x7E8)
        start = time.monotonic()
        peer.ask("send# 100 1", "error timeout")
        self.assertGreater(time.monotonic() - start, 0.99)
        peer.ask("send 3E00")  # a single frame needs nobody
        peer.ask("receive 100", "error timeout")
        peer.close()

    def test_we_are_not_there(self):
        """The kernel waits for our flow control: none without a channel, and with one it goes on."""
        kernel = Kernel(self, "vcan0", 0x7E8, 0x7E0)
        with self.assertRaises(OSError) as caught:
            kernel.socket.send(bytes(100))
        self.assertEqual(caught.exception.errno, errno.ECOMM)
        peer = Peer(self, PEER, "can:vcan0")
        peer.channel(0x7E0, 0x7E8)
        peer.start("receive# 100 5 5000")
        kernel.socket.send(pattern(100, 5))
        self.assertEqual(peer.answer(), "ok")
        kernel.close()
        peer.close()


def hex_words(data):
    return " ".join(f"{byte:02X}" for byte in data)


class AgainstCanUtils(unittest.TestCase):
    def test_isotprecv(self):
        for options, uri, fd in (([], "can:vcan0", False), (["-b", "4", "-m", "01"], "can:vcan0", False), (["-L", "72:64:1"], "canfd:vcan0", True)):
            with self.subTest(options):
                receiver = subprocess.Popen(["isotprecv", "-s", "7E8", "-d", "7E0", "-p", "CC:CC", *options, "vcan0"], stdout=subprocess.PIPE, text=True)
                peer = Peer(self, PEER, uri)
                peer.channel(0x7E0, 0x7E8, fd=fd)
                for _ in range(20):  # until isotprecv listens
                    peer.start("send# 300 9")
                    if peer.answer() == "ok":
                        break
                self.assertEqual(receiver.communicate(timeout=20)[0].split(), hex_words(pattern(300, 9)).split())
                peer.close()

    def test_isotpsend(self):
        for options, uri, fd in (([], "can:vcan0", False), (["-L", "72:64:1"], "canfd:vcan0", True)):
            for length in (1, 7, 8, 100, 4095):
                with self.subTest((options, length)):
                    peer = Peer(self, PEER, uri)
                    peer.channel(0x7E0, 0x7E8, fd=fd)
                    peer.ask("send 3E00")  # the channel listens now
                    peer.start(f"receive# {length} 3 10000")
                    subprocess.run(["isotpsend", "-s", "7E8", "-d", "7E0", "-p", "CC:CC", *options, "vcan0"], input=hex_words(pattern(length, 3)), text=True, check=True, timeout=20)
                    self.assertEqual(peer.answer(), "ok")
                    peer.close()

    def test_isotpperf(self):
        """It counts what we send, from outside: whole messages and how fast."""
        perf = subprocess.Popen(["isotpperf", "-s", "7E0", "-d", "7E8", "vcan0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        kernel = Kernel(self, "vcan0", 0x7E8, 0x7E0)
        peer = Peer(self, PEER, "can:vcan0")
        peer.channel(0x7E0, 0x7E8)
        for _ in range(20):
            peer.start("send# 4095 1")
            self.assertEqual(kernel.socket.recv(5000), pattern(4095, 1))
            self.assertEqual(peer.answer(), "ok")
        perf.terminate()
        output = perf.communicate(timeout=10)[0]
        print("#", re.sub(r"\s+", " ", output)[-200:])
        self.assertRegex(output, r"4095 byte")
        kernel.close()
        peer.close()

    def test_cansend(self):
        """Frames made by hand: a single frame, and a message of two frames to which we say go on."""
        peer = Peer(self, PEER, "can:vcan0")
        peer.channel(0x7E0, 0x7E8)
        peer.ask("send 3E00")  # the channel listens now
        peer.start("receive 10000")
        subprocess.run(["cansend", "vcan0", "7E8#027E00CCCCCCCCCC"], check=True, timeout=20)
        self.assertEqual(peer.answer(), "ok 7e00")
        with socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as raw:
            raw.bind(("vcan0",))
            raw.settimeout(20)
            peer.start("receive 10000")
            subprocess.run(["cansend", "vcan0", "7E8#100A62F190414243"], check=True, timeout=20)
            while (flow := raw.recv(16))[0] != 0xE0:  # little-endian id 7E0
                pass
            self.assertEqual(flow[8:11], b"\x30\x00\x00")
            subprocess.run(["cansend", "vcan0", "7E8#2144454647CCCCCC"], check=True, timeout=20)
            self.assertEqual(peer.answer(), "ok 62f19041424344454647")
        peer.close()

    def test_candump(self):
        """Each frame as outsiders see it, byte by byte."""
        dump = subprocess.Popen(["candump", "-L", "-n", "4", "-T", "5000", "vcan0"], stdout=subprocess.PIPE, text=True)
        listeners = Path("/proc/net/can/rcvlist_all")
        while not re.search(r"vcan0\s+000", listeners.read_text(encoding="ascii")):
            self.assertIsNone(dump.poll())
        peer = Peer(self, PEER, "can:vcan0")
        peer.channel(0x7E0, 0x7E8)
        with socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as raw:
            raw.bind(("vcan0",))
            raw.settimeout(10)
            peer.start("send 3101FF00440000000000000064")
            raw.recv(16)
            raw.send(struct.pack("=IB3x8s", 0x7E8, 8, bytes.fromhex("300800cccccccccc")))
            self.assertEqual(peer.answer(), "ok")
            raw.send(struct.pack("=IB3x8s", 0x7E8, 8, bytes.fromhex("057101ff0000cccc")))
        peer.ask("receive 1000", "ok 7101ff0000")
        frames = [line.split()[-1] for line in dump.communicate(timeout=10)[0].splitlines()]
        self.assertEqual(frames, ["7E0#100D3101FF004400", "7E8#300800CCCCCCCCCC", "7E0#2100000000000064", "7E8#057101FF0000CCCC"])
        peer.close()


class Interfaces(unittest.TestCase):
    def test_list_and_refusals(self):
        peer = Peer(self, PEER, "can:vcan0")
        self.assertIn("canfd:vcan0=ready", peer.ask("list"))
        self.assertIn("can:vcan1=down", peer.ask("list"))
        peer.ask("open can:none0", "error link-none")
        peer.ask("open can:lo", "error link-none")
        peer.ask("open can:vcan1", "error link-refused")
        subprocess.run(["ip", "link", "set", "vcan1", "up"], check=True)
        peer.ask("open canfd:vcan1", "error link-refused")  # its MTU is that of classic CAN
        peer.ask("open can:vcan1")
        peer.start("channel 2016 2024 -1 -1 1 204")
        self.assertTrue(peer.answer().startswith("error unsupported"))
        peer.close()

    def test_two_ends_of_a_cable(self):
        """vxcan: what goes in at one end comes out at the other, and only there."""
        subprocess.run(["ip", "link", "add", "vxcan0", "type", "vxcan", "peer", "name", "vxcan1"], check=True)
        for name in ("vxcan0", "vxcan1"):
            subprocess.run(["ip", "link", "set", name, "mtu", "72", "up"], check=True)
        for uri, fd in (("can:vxcan0", False), ("canfd:vxcan0", True)):
            with self.subTest(uri):
                kernel = Kernel(self, "vxcan1", 0x7E8, 0x7E0, fd=fd)
                peer = Peer(self, PEER, uri)
                self.assertIn("canfd:vxcan0=ready", peer.ask("list"))
                peer.channel(0x7E0, 0x7E8, fd=fd)
                for length in (1, 8, 100, 1000):
                    peer.start(f"send# {length} {length}")
                    self.assertEqual(kernel.socket.recv(5000), pattern(length, length))
                    self.assertEqual(peer.answer(), "ok")
                    kernel.socket.send(pattern(length, 7))
                    peer.ask(f"receive# {length} 7 10000")
                kernel.close()
                peer.close()
        subprocess.run(["ip", "link", "delete", "vxcan0"], check=True)

    def test_interface_goes(self):
        subprocess.run(["ip", "link", "add", "dev", "vcan2", "type", "vcan"], check=True)
        subprocess.run(["ip", "link", "set", "vcan2", "up"], check=True)
        peer = Peer(self, PEER, "can:vcan2")
        peer.channel(0x7E0, 0x7E8)
        peer.start("receive 20000")
        start = time.monotonic()
        subprocess.run(["ip", "link", "set", "vcan2", "down"], check=True)
        self.assertTrue(peer.answer().startswith("error link-lost"))
        self.assertLess(time.monotonic() - start, 2)
        peer.ask("alive", "error link-lost")
        peer.close()
        subprocess.run(["ip", "link", "delete", "vcan2"], check=True)


def prepare():
    for line in ("add dev vcan0 type vcan", "set vcan0 mtu 72", "set vcan0 up", "add dev vcan1 type vcan", "set vcan1 mtu 16"):
        subprocess.run(["ip", "link", *line.split()], check=True)


if __name__ == "__main__":
    prepare()
    unittest.main(verbosity=2)
