# SPDX-License-Identifier: Apache-2.0
"""The reference ECU as a tester of other people's meets it: each of its promises byte by byte, by scapy's UDS over scapy's DoIP and
over scapy's ISO-TP on the bus; then everything that a careless tester does to it.

Usage: test-reference.py BUILD
"""
import random
import select
import socket
import struct
import sys
import time
import unittest
import zlib

from scapybus import Tester  # before all else of scapy: it says how
from scapy.contrib.automotive.doip import DoIP, UDS_DoIPSocket
from scapy.config import conf
from scapy.contrib.automotive.uds import (
    UDS, UDS_DSC, UDS_ER, UDS_RC, UDS_RD, UDS_RDBI, UDS_RTE, UDS_SA, UDS_TD, UDS_TP, UDS_WDBI)

from vehicle import REFERENCE, TIMEOUT, Node, Vehicle

conf.debug_dissector = False  # which scapy 2.6 sets for UDS: what it cannot parse is to be sent all the same
BUILD = sys.argv.pop(1)
VIN = b"SIMVEH00000014229"
MASK = 0xA5A5A5A5
QUIET = 0.3


class OverDoip:
    """scapy's DoIP; the ECU's answers alone are given. Its socket takes two messages in one segment for one, so they are cut here."""

    block = 4096

    def __init__(self, vehicle, source=0x0E80):
        host, port = vehicle.doip
        self.socket = UDS_DoIPSocket(host, port, source_address=source)
        assert self.socket.target_address == 0x1001

    def close(self):
        self.socket.close()

    def send(self, request):
        self.socket.send(UDS(bytes(request)))

    def exactly(self, length):
        got = b""
        while len(got) < length:
            more = self.socket.ins.recv(length - len(got))
            assert more, "the connection is closed"
            got += more
        return got

    def answer(self, timeout=TIMEOUT):
        """None when nothing comes. An acknowledgement is no answer."""
        end = time.monotonic() + timeout
        while select.select([self.socket.ins], [], [], max(0, end - time.monotonic()))[0]:
            header = self.exactly(8)
            packet = DoIP(header + self.exactly(int.from_bytes(header[4:], "big")))
            if packet.payload_type == 0x8001:
                assert packet.source_address == 0x1001 and packet.target_address == self.socket.source_address
                return bytes(packet.payload)
            assert packet.payload_type == 0x8002, packet
        return None


class OverBus:
    block = 64

    def __init__(self, vehicle):
        self.tester = Tester(vehicle.bus, 0x7E0, 0x7E8)

    def close(self):
        self.tester.close()

    def send(self, request):
        self.tester.send(request)

    def answer(self, timeout=TIMEOUT):
        return self.tester.receive(timeout)


class Case(unittest.TestCase):
    def vehicle_and_tester(self, way, *options, **more):
        vehicle = Vehicle(BUILD, *options, **more)
        self.addCleanup(vehicle.__exit__)
        return vehicle, self.connect(way, vehicle)

    def connect(self, way, vehicle):
        tester = way(vehicle)
        self.addCleanup(tester.close)
        return tester

    def says(self, tester, request, expected):
        """The answer is these bytes, all of them."""
        tester.send(request)
        answer = tester.answer()
        expected = bytes.fromhex(expected) if isinstance(expected, str) else expected
        self.assertIsNotNone(answer, bytes(request).hex())
        self.assertEqual(answer.hex(" "), expected.hex(" "), bytes(request)[:20].hex(" "))

    def unlock(self, tester, session=2):
        self.says(tester, UDS() / UDS_DSC(diagnosticSessionType=session), f"50 0{session} 00 32 01 f4")
        tester.send(UDS() / UDS_SA(securityAccessType=1))
        seed = tester.answer()
        self.assertEqual((seed[:2], len(seed)), (b"\x67\x01", 6))
        key = int.from_bytes(seed[2:], "big") ^ MASK
        self.says(tester, UDS() / UDS_SA(securityAccessType=2, securityKey=key.to_bytes(4, "big")), "67 02")

    def download(self, tester, image, address):
        largest = tester.block + 2
        self.says(tester, UDS() / UDS_RD(dataFormatIdentifier=0, memorySizeLen=4, memoryAddressLen=4, memoryAddress4=address,
                                         memorySize4=len(image)), b"\x74\x20" + struct.pack(">H", largest))
        for number, at in enumerate(range(0, len(image), tester.block), 1):
            self.says(tester, UDS() / UDS_TD(blockSequenceCounter=number & 0xFF) / image[at:at + tester.block], bytes([0x76, number & 0xFF]))
        self.says(tester, UDS() / UDS_RTE(), "77")


class Promises(Case):
    def promises(self, way):
        image, second = random.Random(1).randbytes(20000), random.Random(2).randbytes(777)
        vehicle, tester = self.vehicle_and_tester(way)
        self.says(tester, UDS() / UDS_RDBI(identifiers=[0xF190]), b"\x62\xf1\x90" + VIN)
        self.says(tester, UDS() / UDS_RDBI(identifiers=[0xF18C]), b"\x62\xf1\x8cSN-REFERENCE-0001")
        self.says(tester, UDS() / UDS_RDBI(identifiers=[0xF15A]), b"\x62\xf1\x5a" + bytes(9))
        self.says(tester, UDS() / UDS_RDBI(identifiers=[0xF186, 0xF190]), b"\x62\xf1\x86\x01\xf1\x90" + VIN)
        self.says(tester, UDS() / UDS_DSC(diagnosticSessionType=3), "50 03 00 32 01 f4")
        self.unlock(tester)
        self.says(tester, UDS() / UDS_SA(securityAccessType=1), "67 01 00 00 00 00")
        self.says(tester, UDS() / UDS_WDBI(dataIdentifier=0xF15A) / (b"\x26\x11\x23" + b"SHOP99"), "6e f1 5a")
        for part, address in ((image, 0), (second, 0x8000)):
            where = b"\x44" + struct.pack(">II", address, len(part))
            self.says(tester, UDS() / UDS_RC(routineControlType=1, routineIdentifier=0xFF00) / where, "71 01 ff 00 00")
            self.download(tester, part, address)
            wrong, right = struct.pack(">I", zlib.crc32(part) ^ 1), struct.pack(">I", zlib.crc32(part))
            self.says(tester, UDS() / UDS_RC(routineControlType=1, routineIdentifier=0x0202) / wrong, "71 01 02 02 01")
            self.says(tester, UDS() / UDS_RC(routineControlType=1, routineIdentifier=0xFF01), "71 01 ff 01 01")
            self.says(tester, UDS() / UDS_RC(routineControlType=1, routineIdentifier=0x0202) / right, "71 01 02 02 00")
        self.says(tester, UDS() / UDS_RC(routineControlType=1, routineIdentifier=0xFF01), "71 01 ff 01 00")
        self.says(tester, UDS() / UDS_ER(resetType=1), "51 01")
        self.says(tester, UDS() / UDS_RDBI(identifiers=[0xF186]), "62 f1 86 01")
        self.says(tester, UDS() / UDS_RDBI(identifiers=[0xF15A]), b"\x62\xf1\x5a\x26\x11\x23SHOP99")
        self.says(tester, UDS() / UDS_RDBI(identifiers=[0xF195]), b"\x62\xf1\x95reference %08X" % zlib.crc32(second))
        flash = vehicle.flash()
        self.assertEqual(flash[:len(image)], image)
        self.assertEqual(flash[0x8000:0x8000 + len(second)], second)

    def test_over_doip(self):
        self.promises(OverDoip)

    def test_over_the_bus(self):
        self.promises(OverBus)

    def test_the_model_says_so(self):
        """What outsiders read in the file, and nothing else, gets them to the ECU."""
        text = REFERENCE.read_text()
        for word in ('"logical": "0x1001"', '"request": "0x7E0"', '"response": "0x7E8"', '"address": 0'):
            self.assertIn(word, text)


class Rules(Case):
    """Which refusal comes first where several are due, as ISO 14229-1 has it; by request and answer."""

    ALWAYS = [("19 01", "7f 19 12"), ("19 0a", "7f 19 12"), ("19 06 ff", "7f 19 12"), ("19", "7f 19 13"), ("19 02", "7f 19 13"),
              ("19 02 ff 00", "7f 19 13"), ("14 12 34 56", "7f 14 31"), ("14 ff ff", "7f 14 13"), ("14 ff ff ff 00", "7f 14 13"),
              ("14 ff ff ff", "54"), ("3e 02", "7f 3e 12"), ("3e 00 00", "7f 3e 13"), ("11 00", "7f 11 12"), ("22 f1 90 f1", "7f 22 13")]
    DEFAULT = [(service, f"7f {service[:2]} 7f") for service in
               ("27 01", "27", "28 00 01", "2e f1 5a", "31 01 ff 00", "31 01 ff ff", "31", "34", "36 01", "37", "85 01")]
    EXTENDED = [("31 01 ff 00", "7f 31 7f"), ("34 00 44", "7f 34 7f"), ("36 01", "7f 36 7f"), ("37", "7f 37 7f"), ("28", "7f 28 13"),
                ("28 05", "7f 28 12"), ("28 05 00 01", "7f 28 12"), ("28 00", "7f 28 13"), ("28 00 00", "68 00"), ("28 03 03", "68 03"),
                ("28 00 03", "68 00"), ("85 03", "7f 85 12"), ("85", "7f 85 13"), ("27 03", "7f 27 12"), ("27", "7f 27 13"),
                ("27 01 00", "7f 27 13"), ("2e f1 90 00", "7f 2e 31"), ("2e f1 5a", "7f 2e 13"), ("2e f1 5a 00 00 00", "7f 2e 33")]
    LOCKED = [("31", "7f 31 13"), ("31 01 ff", "7f 31 13"), ("31 01 ff ff", "7f 31 31"), ("31 02 ff 00", "7f 31 12"), ("31 01 ff 00", "7f 31 33"),
              ("31 01 02 02", "7f 31 33"), ("34 00 44", "7f 34 33"), ("36 01 00", "7f 36 33"), ("37", "7f 37 33"), ("27 02", "7f 27 13"),
              ("27 02 00 00 00 00", "7f 27 24")]
    PLACES = [("34", "7f 34 13"), ("34 00", "7f 34 13"), ("34 00 44 00 00 00 00 00 00 10", "7f 34 13"),
              ("34 00 44 00 00 00 00 00 00 10 00 00", "7f 34 13"), ("34 00 00", "7f 34 31"), ("34 00 40 00 00 10 00", "7f 34 31"),
              ("34 00 55 00 00 00 00 00 00 00 00 10 00", "7f 34 31"), ("34 10 44 00 00 00 00 00 00 10 00", "7f 34 31"),
              ("34 00 44 00 00 00 00 00 00 00 00", "7f 34 31"), ("34 00 44 01 ff ff ff 00 00 00 02", "7f 34 31"),
              ("31 01 ff 00 00", "7f 31 31"), ("31 01 ff 00 33 00 00 00 00 10 00", "71 01 ff 00 00"),
              ("31 01 ff 00 33 00 00 00 00 10", "7f 31 13"), ("31 01 02 02", "7f 31 13"), ("31 01 02 02 00 00 00 00", "7f 31 24"),
              ("36 01 00", "7f 36 24"), ("37", "7f 37 24"), ("36", "7f 36 13")]

    def rules(self, way):
        _, tester = self.vehicle_and_tester(way)
        for first, table in (("50 01", self.ALWAYS + self.DEFAULT), ("50 03", self.ALWAYS + self.EXTENDED),
                             ("50 02", self.ALWAYS + self.LOCKED)):
            self.says(tester, b"\x10" + bytes.fromhex(first)[1:], f"{first} 00 32 01 f4")
            for request, answer in table:
                self.says(tester, bytes.fromhex(request), answer)
        self.unlock(tester)
        for request, answer in self.PLACES:
            self.says(tester, bytes.fromhex(request), answer)

    def test_over_doip(self):
        self.rules(OverDoip)

    def test_over_the_bus(self):
        self.rules(OverBus)

    def test_short_places(self):
        """A place may be named in fewer bytes, and the sum be of a place that is named."""
        vehicle, tester = self.vehicle_and_tester(OverDoip)
        image = random.Random(4).randbytes(300)
        self.unlock(tester)
        self.says(tester, bytes.fromhex("31 01 ff 00 23 01 00 00 01 2c"), "71 01 ff 00 00")
        self.says(tester, bytes.fromhex("34 00 23 01 00 00 01 2c"), "74 20 10 02")
        self.says(tester, b"\x36\x01" + image, "76 01")
        self.says(tester, b"\x37", "77")
        for place, part in (("23 01 00 00 01 2c", image), ("44 00 01 00 0a 00 00 00 14", image[10:30])):
            for wrong in (1, 0):
                check = struct.pack(">I", zlib.crc32(part) ^ wrong)
                self.says(tester, bytes.fromhex("31 01 02 02" + place) + check, f"71 01 02 02 0{wrong}")
        self.says(tester, bytes.fromhex("31 01 02 02 44 02 00 00 00 00 00 00 14") + bytes(4), "7f 31 31")
        self.assertEqual(vehicle.flash()[0x10000:0x10000 + len(image)], image)


class Careless(Case):
    """No request may end the ECU, change what it must not, or leave a tester without an answer that is due."""

    KNOWN = [0x10, 0x11, 0x14, 0x19, 0x22, 0x27, 0x28, 0x2E, 0x31, 0x34, 0x36, 0x37, 0x3E, 0x85]
    CODES = {0x10, 0x11, 0x12, 0x13, 0x22, 0x24, 0x31, 0x33, 0x35, 0x36, 0x37, 0x70, 0x71, 0x72, 0x73, 0x7E, 0x7F}
    SUPPRESSIBLE = {0x10, 0x11, 0x19, 0x27, 0x28, 0x31, 0x3E, 0x85}

    def request(self, rand):
        kind = rand.randrange(4)
        if kind == 0:
            return bytes([rand.randrange(256)]) + rand.randbytes(rand.randrange(12))
        if kind == 1:
            return bytes([rand.choice(self.KNOWN)])
        good = rand.choice(["10 01", "10 02", "10 03", "22 f1 90", "22 f1 5a f1 86", "27 01", "27 02 00 00 00 00", "31 01 ff 00 44 00 00 00 00 00 00 10 00",
                            "31 01 02 02 00 00 00 00", "31 01 ff 01", "34 00 44 00 00 00 00 00 00 00 40", "36 01 11 22 33", "37", "3e 00", "3e 80",
                            "2e f1 5a 26 11 23 41 42 43 44 45 46", "28 00 01", "85 01", "19 02 ff", "14 ff ff ff", "11 01"])
        good = bytearray.fromhex(good)
        if kind == 2:
            return bytes(good[:rand.randrange(1, len(good) + 1)]) + rand.randbytes(rand.randrange(3))
        good[rand.randrange(len(good))] = rand.randrange(256)
        return bytes(good)

    def check(self, request, answer):
        may_be_silent = request[0] in self.SUPPRESSIBLE and len(request) > 1 and request[1] & 0x80
        if answer is None:
            self.assertTrue(may_be_silent, request.hex(" "))
            return
        if answer[0] == 0x7F:
            self.assertEqual((len(answer), answer[1]), (3, request[0]), request.hex(" "))
            self.assertIn(answer[2], self.CODES, request.hex(" "))
        else:
            self.assertEqual(answer[0], request[0] | 0x40, request.hex(" "))

    def careless(self, way, seed):
        vehicle, tester = self.vehicle_and_tester(way)
        before = vehicle.show()
        rand = random.Random(seed)
        for _ in range(400):
            request = self.request(rand)
            tester.send(request)
            silent = request[0] in self.SUPPRESSIBLE and len(request) > 1 and request[1] & 0x80
            if silent:
                # whatever comes before the answer of a request that is always answered belongs to this one
                tester.send(b"\x22\xf1\x90")
                first = tester.answer()
                if first != b"\x62\xf1\x90" + VIN:
                    self.check(request, first)
                    self.assertEqual(tester.answer(), b"\x62\xf1\x90" + VIN)
            else:
                self.check(request, tester.answer())
        self.says(tester, b"\x10\x01", "50 01 00 32 01 f4")
        self.says(tester, b"\x3e\x00", "7e 00")
        self.assertEqual([event for event in vehicle.events() if event["event"] in ("erase", "block", "unlock")], [])
        self.assertEqual({**before["ecus"][0]}, {**vehicle.show()["ecus"][0]})

    def test_over_doip(self):
        self.careless(OverDoip, 1)

    def test_over_the_bus(self):
        self.careless(OverBus, 2)

    def silence(self, way):
        """suppressPosRspMsgIndicationBit: no positive answer, and the request is obeyed; a refusal is said."""
        _, tester = self.vehicle_and_tester(way)
        for request, then, expected in (("3e 80", "3e 00", "7e 00"), ("10 83", "22 f1 86", "62 f1 86 03"), ("85 82", "22 f1 86", "62 f1 86 03"),
                                        ("28 81 01", "28 00 01", "68 00"), ("11 81", "22 f1 86", "62 f1 86 01"),
                                        ("10 82", "22 f1 86", "62 f1 86 02")):
            tester.send(bytes.fromhex(request))
            self.says(tester, bytes.fromhex(then), expected)
        for request, code in (("3e 81", 0x12), ("3e 80 00", 0x13), ("10 ff", 0x12), ("b1 01", 0x11), ("31 81 ff 00", 0x33)):
            self.says(tester, bytes.fromhex(request), bytes([0x7F, int(request[:2], 16), code]))

    def test_silence_over_doip(self):
        self.silence(OverDoip)

    def test_silence_over_the_bus(self):
        self.silence(OverBus)

    def test_two_testers(self):
        """By cable and by bus at once: each gets its own answers, and it is one ECU that both speak to."""
        vehicle, cable = self.vehicle_and_tester(OverDoip)
        bus = self.connect(OverBus, vehicle)
        self.unlock(cable)
        self.says(bus, b"\x22\xf1\x86", "62 f1 86 02")
        for number in range(30):
            cable.send(b"\x22\xf1\x90")
            bus.send(b"\x22\xf1\x86")
            self.assertEqual(bus.answer(), b"\x62\xf1\x86\x02", number)
            self.assertEqual(cable.answer(), b"\x62\xf1\x90" + VIN, number)
        self.says(bus, b"\x10\x03", "50 03 00 32 01 f4")
        self.says(cable, b"\x31\x01\xff\x00\x44" + bytes(8), "7f 31 7f")
        self.says(cable, b"\x10\x02", "50 02 00 32 01 f4")
        self.says(cable, b"\x31\x01\xff\x00\x44" + bytes(8), "7f 31 33")
        other = OverDoip(vehicle, source=0x0E81)
        self.addCleanup(other.close)
        self.says(other, b"\x22\xf1\x86", "62 f1 86 02")
        self.says(cable, b"\x3e\x00", "7e 00")
        self.assertIsNone(other.answer(QUIET))

    def test_the_cable_is_pulled(self):
        """In the middle of a DoIP message, then between two blocks; who comes next begins the transfer anew."""
        vehicle, tester = self.vehicle_and_tester(OverDoip)
        image = random.Random(3).randbytes(9000)
        where = struct.pack(">II", 0, len(image))
        self.unlock(tester)
        self.says(tester, b"\x31\x01\xff\x00\x44" + where, "71 01 ff 00 00")
        self.says(tester, b"\x34\x00\x44" + where, "74 20 10 02")
        self.says(tester, b"\x36\x01" + image[:4096], "76 01")
        tester.socket.ins.send(bytes.fromhex("02fd8001 00001006 0e80 1001 3602".replace(" ", "")) + image[4096:5000])
        tester.close()
        again = self.connect(OverDoip, vehicle)
        self.unlock(again)
        self.says(again, b"\x31\x01\xff\x00\x44" + where, "71 01 ff 00 00")
        self.download(again, image, 0)
        self.says(again, b"\x31\x01\x02\x02" + struct.pack(">I", zlib.crc32(image)), "71 01 02 02 00")
        self.assertEqual(vehicle.flash()[:len(image)], image)

    def test_the_bus_is_left(self):
        """A tester ends in the middle of its message, and one while it owes a flow control; the next is served at once."""
        vehicle = Vehicle(BUILD, doip=False)
        self.addCleanup(vehicle.__exit__)
        for frames in ([b"\x10\x40\x36\x01\x00\x00\x00\x00"], [b"\x10\x40\x36\x01\x00\x00\x00\x00", b"\x21" + bytes(7)],
                       [b"\x03\x22\xf1\x90\xcc\xcc\xcc\xcc"]):
            node = Node(vehicle.bus)
            for frame in frames:
                node.send(0x7E0, frame)
                node.await_own()
            node.close()
            tester = OverBus(vehicle)
            self.says(tester, b"\x3e\x00", "7e 00")
            tester.close()

    def test_many_come_and_go(self):
        vehicle = Vehicle(BUILD)
        self.addCleanup(vehicle.__exit__)
        for number in range(60):
            with socket.create_connection(vehicle.doip, timeout=TIMEOUT) as link:
                if number % 3 == 0:
                    link.send(b"\x02\xfd\x00\x05")
                elif number % 3 == 1:
                    link.send(bytes.fromhex("02fd0005000000070e800000000000"))
            Node(vehicle.bus).close()
        self.says(self.connect(OverDoip, vehicle), b"\x3e\x00", "7e 00")
        self.says(self.connect(OverBus, vehicle), UDS() / UDS_TP(), "7e 00")

    def test_everybody_is_asked(self):
        vehicle = Vehicle(BUILD)
        self.addCleanup(vehicle.__exit__)
        cable, node = self.connect(OverDoip, vehicle), Node(vehicle.bus)
        self.addCleanup(node.close)
        cable.socket.target_address = 0xE400
        self.says(cable, b"\x22\xf1\x86", "62 f1 86 01")
        for unsaid in ("3e 80", "ba", "22 ff ff", "10 55", "31 01 ff 00"):
            cable.send(bytes.fromhex(unsaid))
        self.says(cable, b"\x3e\x00", "7e 00")
        node.send(0x7DF, b"\x02\x3e\x80\xcc\xcc\xcc\xcc\xcc")
        node.send(0x7DF, b"\x02\x3e\x00\xcc\xcc\xcc\xcc\xcc")
        self.assertEqual(node.receive()[:2], (0x7E8, b"\x02\x7e\x00\xcc\xcc\xcc\xcc\xcc"))
        self.assertIsNone(node.receive(timeout=QUIET))


if __name__ == "__main__":
    unittest.main()
