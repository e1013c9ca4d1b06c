# SPDX-License-Identifier: Apache-2.0
"""Traces that two programs of other people made (can-isotp with udsoncan against isotp-c with iso14229), played to the
reference ECU frame by frame; what the trace determines must come back, byte for byte.

Usage: test-golden.py BUILD
"""
import random
import socket
import sys
import unittest
import zlib

from vehicle import Node, Vehicle

BUILD = sys.argv.pop(1)
MASK = 0xA5A5A5A5
# the trace's image is known by its first and last bytes and its CRC; here is one of that length
IMAGE = random.Random(14229).randbytes(100)


def padded(text):
    return bytes.fromhex(text).ljust(8, b"\xcc")


class Can(unittest.TestCase):
    def setUp(self):
        self.vehicle = Vehicle(BUILD)
        self.node = Node(self.vehicle.bus)
        self.addCleanup(self.vehicle.__exit__)
        self.addCleanup(self.node.close)

    def say(self, *frames):
        for frame in frames:
            self.node.send(0x7E0, padded(frame) if isinstance(frame, str) else frame)

    def hear(self, *frames):
        for frame in frames:
            identifier, data, size = self.node.receive()
            self.assertEqual((hex(identifier), data.hex(" "), size), (hex(0x7E8), padded(frame).hex(" "), 16))

    def block(self, counter, data):
        """TransferData in frames, each heard flow control asked for as the trace has it."""
        message = bytes([0x36, counter]) + data
        self.say(bytes([0x10 | len(message) >> 8, len(message) & 0xFF]) + message[:6])
        rest = [message[6 + at:13 + at] for at in range(0, len(message) - 6, 7)]
        for number, part in enumerate(rest):
            if number % 8 == 0:
                self.hear("30 08 00")
            self.say((bytes([0x20 | (number + 1) & 15]) + part).ljust(8, b"\xcc"))
        self.hear(f"02 76 {counter:02x}")

    def unlock(self):
        self.say("02 27 01")
        _, data, _ = self.node.receive()
        self.assertEqual(data[:3], bytes.fromhex("06 67 01"))
        self.assertEqual(data[7], 0xCC)
        key = int.from_bytes(data[3:7], "big") ^ MASK
        self.say(f"06 27 02 {key:08x}")
        self.hear("02 67 02")

    def test_the_whole_trace(self):
        self.say("03 22 F1 90")
        self.hear("10 14 62 F1 90 53 49 4D")
        self.say("30 00 00")
        self.hear("21 56 45 48 30 30 30 30", "22 30 30 31 34 32 32 39")
        self.say("02 10 03")
        self.hear("06 50 03 00 32 01 F4")
        self.say("02 10 02")
        self.hear("06 50 02 00 32 01 F4")
        self.unlock()
        self.say("10 0D 31 01 FF 00 44 00")
        self.hear("30 08 00")
        self.say("21 00 00 00 00 00 00 64")
        self.hear("05 71 01 FF 00 00")
        self.say("10 0B 34 00 44 00 00 00")
        self.hear("30 08 00")
        self.say("21 00 00 00 00 64")
        self.hear("04 74 20 00 42")
        self.block(1, IMAGE[:64])
        self.block(2, IMAGE[64:])
        self.say("01 37")
        self.hear("01 77")
        crc = zlib.crc32(IMAGE)
        first, last = crc >> 16, crc & 0xFFFF
        self.say(f"10 08 31 01 02 02 {first:04x}")
        self.hear("30 08 00")
        self.say(f"21 {last:04x}")
        self.hear("05 71 01 02 02 00")
        self.say("02 11 01")
        self.hear("02 51 01")
        self.assertEqual(self.vehicle.flash()[:100], IMAGE)

    def test_the_seed_is_another_each_time(self):
        seeds = set()
        self.say("02 10 03")
        self.hear("06 50 03 00 32 01 F4")
        for _ in range(5):
            self.say("02 27 01")
            seeds.add(self.node.receive()[1][3:7])
        self.assertEqual(len(seeds), 5)
        self.unlock()
        self.say("02 27 01")
        self.hear("06 67 01 00 00 00 00")

    def test_a_wrong_checksum_is_said(self):
        self.say("02 10 02")
        self.hear("06 50 02 00 32 01 F4")
        self.unlock()
        self.say("10 0B 34 00 44 00 00 00")
        self.hear("30 08 00")
        self.say("21 00 00 00 00 64")
        self.hear("04 74 20 00 42")
        self.block(1, IMAGE[:64])
        self.block(2, IMAGE[64:])
        self.say("01 37")
        self.hear("01 77")
        self.say("10 08 31 01 02 02 12 34")
        self.hear("30 08 00")
        self.say("21 56 78")
        self.hear("05 71 01 02 02 01")


class DoIP(unittest.TestCase):
    TRACE = [
        ("02fd0005 00000007 0e80 00 00000000", "02fd0006 00000009 0e80 1001 10 00000000"),
        ("02fd8001 00000006 0e80 1001 1003", "02fd8002 00000005 1001 0e80 00 02fd8001 0000000a 1001 0e80 5003003201f4"),
        ("02fd8001 00000006 0e80 7abc 3e00", "02fd8003 00000005 7abc 0e80 03"),
    ]

    def exchange(self, pieces):
        with Vehicle(BUILD, bus=False) as vehicle, socket.create_connection(vehicle.doip, timeout=60) as link:
            self.assertNotIn("bus", vehicle.ready)
            for sent, expected in self.TRACE:
                sent, expected = bytes.fromhex(sent), bytes.fromhex(expected)
                for at in range(0, len(sent), pieces):
                    link.sendall(sent[at:at + pieces])
                got = b""
                while len(got) < len(expected):
                    got += link.recv(len(expected) - len(got))
                self.assertEqual(got.hex(), expected.hex())

    def test_whole_messages(self):
        self.exchange(64)

    def test_byte_by_byte(self):
        self.exchange(1)


if __name__ == "__main__":
    unittest.main()
