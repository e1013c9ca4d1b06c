# SPDX-License-Identifier: Apache-2.0
"""Traces that programs of other people made (can-isotp with udsoncan against isotp-c with iso14229; doipclient against an own sink),
played to the tester: it says the UDS messages, and what comes out on the wire must be the tester's side of the trace, byte for byte,
while the ECU's side is said to it.

Usage: test-golden.py LINK-TOOL
"""

import pathlib
import random
import socket
import struct
import tempfile
import threading
import unittest
import zlib

from entity import TIMEOUT, Case

# the trace's image is known by its first and last bytes and its CRC; here is one of that length
IMAGE = random.Random(14229).randbytes(100)


def padded(text):
    return bytes.fromhex(text.replace(" ", "")).ljust(8, b"\xcc")


class Bus(threading.Thread):
    """A virtual CAN bus with one ECU on it that reads a script: lines for frames that must come and frames to be said."""

    def __init__(self, path, script):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.script, self.failure, self.done = script, None, threading.Event()
        self.start()

    def run(self):
        try:
            self.tester, _ = self.listener.accept()
            self.tester.settimeout(TIMEOUT)
            for number, (identifier, data) in enumerate(self.script):
                self.step(number, identifier, data)
        except Exception as problem:  # shown by the test
            self.failure = problem
        self.done.set()

    def step(self, number, identifier, data):
        if identifier == 0x7E8:
            self.tester.send(struct.pack("=IBBBB8s", identifier, 8, 0, 0, 0, data))
            return
        packet = self.tester.recv(100)
        self.tester.send(packet[:6] + b"\1" + packet[7:])  # it was on the wire
        got, length = struct.unpack_from("=IB", packet)
        said = (hex(got), packet[8:8 + length].hex(" "), len(packet))
        assert said == (hex(identifier), data.hex(" "), 16), f"frame {number}: {said}, expected {identifier:x} {data.hex(' ')}"

    def close(self):
        self.listener.close()
        if hasattr(self, "tester"):
            self.tester.close()


def block(counter, data):
    """TransferData of the trace in frames: the ECU lets 8 pass at a time."""
    message = bytes([0x36, counter]) + data
    frames = [(0x7E0, bytes([0x10 | len(message) >> 8, len(message) & 0xFF]) + message[:6])]
    for number, at in enumerate(range(6, len(message), 7)):
        if number % 8 == 0:
            frames.append((0x7E8, padded("30 08 00")))
        frames.append((0x7E0, (bytes([0x20 | (number + 1) & 15]) + message[at:at + 7]).ljust(8, b"\xcc")))
    return frames + [(0x7E8, padded(f"02 76 {counter:02x}"))]


def frames(*lines):
    """"7E0 03 22 F1 90" … """
    return [(int(line[:3], 16), padded(line[4:])) for line in lines]


CRC = zlib.crc32(IMAGE)
# what is sent, the frames, the answer
CAN = [
    ("22f190", frames("7E0 03 22 F1 90", "7E8 10 14 62 F1 90 53 49 4D", "7E0 30 00 00", "7E8 21 56 45 48 30 30 30 30",
                      "7E8 22 30 30 31 34 32 32 39"), "62f190" + b"SIMVEH00000014229".hex()),
    ("1003", frames("7E0 02 10 03", "7E8 06 50 03 00 32 01 F4"), "5003003201f4"),
    ("1002", frames("7E0 02 10 02", "7E8 06 50 02 00 32 01 F4"), "5002003201f4"),
    ("2701", frames("7E0 02 27 01", "7E8 06 67 01 6B 8B 45 67"), "67016b8b4567"),
    ("2702ce2ee0c2", frames("7E0 06 27 02 CE 2E E0 C2", "7E8 02 67 02"), "6702"),
    ("3101ff00440000000000000064", frames("7E0 10 0D 31 01 FF 00 44 00", "7E8 30 08 00", "7E0 21 00 00 00 00 00 00 64", "7E8 05 71 01 FF 00 00"),
     "7101ff0000"),
    ("3400440000000000000064", frames("7E0 10 0B 34 00 44 00 00 00", "7E8 30 08 00", "7E0 21 00 00 00 00 64", "7E8 04 74 20 00 42"), "74200042"),
    ("3601" + IMAGE[:64].hex(), block(1, IMAGE[:64]), "7601"),
    ("3602" + IMAGE[64:].hex(), block(2, IMAGE[64:]), "7602"),
    ("37", frames("7E0 01 37", "7E8 01 77"), "77"),
    (f"31010202{CRC:08x}", frames(f"7E0 10 08 31 01 02 02 {CRC >> 16:04x}", "7E8 30 08 00", f"7E0 21 {CRC & 0xFFFF:04x}", "7E8 05 71 01 02 02 00"),
     "7101020200"),
    ("1101", frames("7E0 02 11 01", "7E8 02 51 01"), "5101"),
]


class OnCan(Case):
    def test_the_whole_trace(self):
        with tempfile.TemporaryDirectory(prefix="recallbay-golden-") as folder:
            path = pathlib.Path(folder) / "bus"
            bus = Bus(path, [frame for _, part, _ in CAN for frame in part])
            self.addCleanup(bus.close)
            self.assertRegex(self.open(f"bus:{path}"), "^open bus ")
            self.assertEqual(self.tell("channel 7e0/7e8"), "ok 7e0/7e8")
            for request, _, answer in CAN:
                with self.subTest(request=request[:20]):
                    self.assertEqual(self.tell("send " + request), "ok", bus.failure)
                    self.assertEqual(self.tell("receive 5000"), "ok " + answer, bus.failure)
            self.assertTrue(bus.done.wait(TIMEOUT))
            self.assertIsNone(bus.failure)

    def test_the_trace_is_the_traces(self):
        """A full block takes nine frames, so that the ECU's 8 at a time make it say 30 08 00 twice."""
        lengths = [len([1 for identifier, data in block(1, IMAGE[:64]) if identifier == 0x7E8 and data[0] == 0x30]), len(block(2, IMAGE[64:]))]
        self.assertEqual(lengths, [2, 8])


class OnDoip(Case):
    """The trace's entity is the ECU itself."""
    ACTIVATION = ("02fd0005 00000007 0e80 00 00000000", "02fd0006 00000009 0e80 1001 10 00000000")
    SESSION = ("02fd8001 00000006 0e80 1001 1003", "02fd8002 00000005 1001 0e80 00", "02fd8001 0000000a 1001 0e80 5003003201f4")
    UNKNOWN = ("02fd8001 00000006 0e80 7abc 3e00", "02fd8003 00000005 7abc 0e80 03")
    STATUS = "02fd4001 00000000"

    def play(self, pieces):
        def say(entity, *messages):
            data = b"".join(map(bytes.fromhex, messages))
            for at in range(0, len(data), pieces):
                entity.raw(data[at:at + pieces])

        def hear(entity, message):
            wanted = bytes.fromhex(message)
            got = entity.exactly(len(wanted))
            assert got == wanted, f"{got.hex(' ')}, expected {wanted.hex(' ')}"

        def script(entity):
            hear(entity, self.ACTIVATION[0])
            say(entity, self.ACTIVATION[1])
            hear(entity, self.STATUS)  # our tester asks this beside the trace; that entity does not answer
            for request, *answers in (self.SESSION, self.UNKNOWN):
                hear(entity, request)
                say(entity, *answers)
        entity = self.entity(script, activate=None)
        self.assertRegex(self.open(entity.link), "^open doip 1001 ")
        self.assertEqual(self.tell("channel 1001"), "ok 1001")
        self.assertEqual(self.tell("send 1003"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 5003003201f4")
        self.assertEqual(self.tell("channel 7abc"), "ok 7abc")
        self.assertEqual(self.tell("send 3e00").split(" ")[0], "ecu-missing")
        self.assertTrue(entity.finished.wait(TIMEOUT))

    def test_whole_messages(self):
        self.play(64)

    def test_byte_by_byte(self):
        self.play(1)


if __name__ == "__main__":
    unittest.main()
