# SPDX-License-Identifier: Apache-2.0
"""The virtual bus and the ECUs on it, asked by scapy's ISO-TP and UDS, and by frames written down by hand where scapy
has no words (CAN FD, arbitration).

Usage: test-bus.py BUILD
"""
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
import zlib

from scapybus import Tester  # before all else of scapy: it says how
from scapy.contrib.automotive.uds import (
    UDS, UDS_CC, UDS_CDTCI, UDS_CDTCS, UDS_DSC, UDS_ER, UDS_NR, UDS_RC, UDS_RD, UDS_RDBI, UDS_RDTCI, UDS_RTE, UDS_SA,
    UDS_TD, UDS_TP, UDS_WDBI)

from vehicle import ERROR, TIMEOUT, Node, Vehicle, one_of_each, packet, reference

BUILD = sys.argv.pop(1)
MASK = 0xA5A5A5A5
QUIET = 0.3


def vin_answer(path, request, response, **options):
    tester = Tester(path, request, response, **options)
    try:
        return bytes(tester.ask(UDS() / UDS_RDBI(identifiers=[0xF190])))
    finally:
        tester.close()


class Addresses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.vehicle = Vehicle(BUILD, model=one_of_each(), doip=False)

    @classmethod
    def tearDownClass(cls):
        cls.vehicle.__exit__()

    def setUp(self):
        self.node = Node(self.vehicle.bus)
        self.addCleanup(self.node.close)

    def test_scapy_reaches_each(self):
        expected = b"\x62\xf1\x90SIMVEH00000014229"
        self.assertEqual(vin_answer(self.vehicle.bus, 0x7E0, 0x7E8), expected)
        self.assertEqual(vin_answer(self.vehicle.bus, 0x18DA10F1, 0x18DAF110), expected)
        self.assertEqual(vin_answer(self.vehicle.bus, 0x6F1, 0x612, ext_address=0x12, rx_ext_address=0xF1), expected)
        self.assertEqual(vin_answer(self.vehicle.bus, 0x7E2, 0x7EA), expected)
        self.assertEqual(vin_answer(self.vehicle.bus, 0x18CE14F1, 0x18CEF114, ext_address=0x77, rx_ext_address=0x77), expected)

    def test_flow_control_of_the_tester_is_kept(self):
        self.assertEqual(vin_answer(self.vehicle.bus, 0x7E2, 0x7EA, bs=1, stmin=5), b"\x62\xf1\x90SIMVEH00000014229")

    def answers(self, request, identifier, expected):
        """{identifier: data} of so many answers to one frame, and that no other comes."""
        self.node.send(identifier, bytes(request).ljust(8, b"\xcc"))
        found = {}
        for _ in range(expected):
            who, data, _ = self.node.receive()
            self.assertNotIn(who, found)
            found[who] = data
        self.assertIsNone(self.node.receive(timeout=QUIET))
        return found

    def test_functional(self):
        found = self.answers(b"\x02\x3e\x00", 0x7DF, 4)
        self.assertEqual(set(found), {0x7E8, 0x612, 0x7EB, 0x7EA})
        self.assertEqual(found[0x7E8], b"\x02\x7e\x00".ljust(8, b"\xcc"))
        self.assertEqual(found[0x612], b"\xf1\x02\x7e\x00".ljust(8, b"\xcc"))
        self.assertEqual(set(self.answers(b"\x02\x3e\x00", 0x18DB33F1, 1)), {0x18DAF110})
        # mixed addressing has the address extension before all else, and it must be the ECU's
        self.assertEqual(self.answers(b"\x77\x02\x3e\x00", 0x18CD33F1, 1), {0x18CEF114: b"\x77\x02\x7e\x00\xcc\xcc\xcc\xcc"})
        for other in (b"\x78\x02\x3e\x00", b"\x02\x3e\x00", b"\x77", b"\x77\x10\x08"):
            self.assertEqual(self.answers(other, 0x18CD33F1, 0), {})

    def test_what_stays_unsaid(self):
        """ISO 14229-1: 11, 12, 31, 7E and 7F are not said to a functional request; others are."""
        unsaid = [b"\x01\xba", b"\x02\x10\x55", b"\x03\x22\xff\xff", b"\x04\x31\x01\xab\xcd", b"\x02\x27\x01", b"\x02\x3e\x80",
                  b"\x02\x10\x83", b"\x02\x10\x81"]
        for request in unsaid:
            with self.subTest(request=request.hex()):
                self.assertEqual(self.answers(request, 0x7DF, 0), {})
        for data in self.answers(b"\x01\x10", 0x7DF, 4).values():
            self.assertIn(b"\x03\x7f\x10\x13", data)
        for request, code in ((b"\x01\xba", 0x11), (b"\x02\x10\x55", 0x12), (b"\x03\x22\xff\xff", 0x31), (b"\x02\x27\x01", 0x7F)):
            (data,) = self.answers(request, 0x7E0, 1).values()
            self.assertEqual(data[:4], bytes([3, 0x7F, request[1], code]))

    def test_functional_is_one_frame(self):
        self.assertEqual(self.answers(b"\x10\x0a\x22\xf1\x90\xf1\x90\xf1", 0x7DF, 0), {})
        self.assertEqual(self.answers(b"\x08\x3e\x00", 0x7DF, 0), {})

    def test_other_extension_is_another_ecu(self):
        self.assertEqual(self.answers(b"\x13\x02\x3e\x00", 0x6F1, 0), {})
        self.assertEqual(self.answers(b"\x12\x02\x3e\x00", 0x6F1, 1), {0x612: b"\xf1\x02\x7e\x00\xcc\xcc\xcc\xcc"})

    def test_flexible_data_rate(self):
        # a single frame of up to 7 bytes stays 8 bytes long; the answer of 20 bytes fits one frame of 24 with its escape
        self.node.send(0x7E3, b"\x03\x22\xf1\x90\xcc\xcc\xcc\xcc", fd=True, flags=1)
        self.assertEqual(self.node.receive(), (0x7EB, b"\x00\x14\x62\xf1\x90SIMVEH00000014229\xcc\xcc", 72))
        # a request of three frames of 64 bytes
        message = b"\x22" + b"\xf1\x90\xf1\x86" * 40
        self.node.send(0x7E3, bytes([0x10, len(message)]) + message[:62], fd=True, flags=1)
        self.assertEqual(self.node.receive(), (0x7EB, b"\x30\x08\x00\xcc\xcc\xcc\xcc\xcc", 72))
        self.node.send(0x7E3, b"\x21" + message[62:125], fd=True, flags=1)
        self.node.send(0x7E3, (b"\x22" + message[125:]).ljust(48, b"\xcc"), fd=True, flags=1)
        answer = b"\x62" + (b"\xf1\x90SIMVEH00000014229\xf1\x86\x01") * 40
        who, data, size = self.node.receive()
        self.assertEqual((who, size, data), (0x7EB, 72, bytes([0x10 | len(answer) >> 8, len(answer) & 0xFF]) + answer[:62]))
        self.node.send(0x7E3, b"\x30\x00\x00".ljust(8, b"\xcc"), fd=True)
        got = data[2:]
        for number in range(1, 100):
            if len(got) >= len(answer):
                break
            who, data, size = self.node.receive()
            self.assertEqual((who, data[0]), (0x7EB, 0x20 | number & 15))
            got += data[1:]
        self.assertEqual(got[:len(answer)], answer)
        self.assertEqual(got[len(answer):], b"\xcc" * (len(got) - len(answer)))

    def test_foreign_frame_is_destroyed(self):
        """An FD frame to an ECU on the connector's bus passes; the gateway brings none onto a classic bus whole."""
        watcher = Node(self.vehicle.bus)
        self.addCleanup(watcher.close)
        self.node.send(0x7E2, b"\x03\x22\xf1\x90\xcc\xcc\xcc\xcc", fd=True)
        self.assertEqual(watcher.receive()[0], 0x7E2)
        self.assertIsNone(watcher.receive(timeout=QUIET))
        self.assertIn(0x7EA, self.answers(b"\x02\x3e\x00", 0x7E2, 1))

    def test_a_new_request_ends_one_that_is_arriving(self):
        self.node.send(0x7E0, b"\x10\x14\x22\xf1\x90\xf1\x90\xf1")
        self.assertEqual(self.node.receive()[1][:3], b"\x30\x08\x00")
        (data,) = self.answers(b"\x02\x3e\x00", 0x7E0, 1).values()
        self.assertEqual(data[:3], b"\x02\x7e\x00")

    def test_too_long_a_message_is_refused(self):
        self.node.send(0x7E0, b"\x10\x00\x00\x20\x00\x00\x36\x01")
        self.assertEqual(self.node.receive()[1][:3], b"\x32\x08\x00")

    def test_rubbish_is_ignored(self):
        for rubbish in (b"", b"x", b"x" * 15, b"x" * 17, b"x" * 71, packet(ERROR, b"\0" * 8), packet(0x7E0, b"")):
            if rubbish:
                self.node.socket.send(rubbish)
        for data in (b"\x00" * 8, b"\x0f" * 8, b"\x50" + b"\0" * 7, b"\x21" * 8, b"\x30\x00\x00", b"\x10\x05" + b"\0" * 6):
            self.node.send(0x7E0, data)
        (data,) = self.answers(b"\x02\x3e\x00", 0x7E0, 1).values()
        self.assertEqual(data[:3], b"\x02\x7e\x00")


class Services(unittest.TestCase):
    def setUp(self):
        self.vehicle = Vehicle(BUILD)
        self.addCleanup(self.vehicle.__exit__)
        self.tester = Tester(self.vehicle.bus, 0x7E0, 0x7E8)
        self.addCleanup(self.tester.close)

    def refused(self, request, code):
        answer = self.tester.ask(request)
        self.assertEqual((answer.service, answer.requestServiceId, answer.negativeResponseCode), (0x7F, bytes(request)[0], code),
                         bytes(request).hex())

    def agreed(self, request):
        request = bytes(request)
        answer = self.tester.ask(request)
        self.assertEqual(answer.service, request[0] | 0x40, bytes(answer).hex())
        return bytes(answer)

    def unlock(self, session=2):
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=session))
        seed = int.from_bytes(self.agreed(UDS() / UDS_SA(securityAccessType=1))[2:], "big")
        self.agreed(UDS() / UDS_SA(securityAccessType=2, securityKey=(seed ^ MASK).to_bytes(4, "big")))

    def download(self, image, address=0):
        answer = self.agreed(UDS() / UDS_RD(dataFormatIdentifier=0, memorySizeLen=4, memoryAddressLen=4, memoryAddress4=address,
                                            memorySize4=len(image)))
        self.assertEqual(answer, b"\x74\x20\x00\x42")
        for number, at in enumerate(range(0, len(image), 64)):
            counter = (number + 1) & 0xFF
            self.assertEqual(self.agreed(UDS() / UDS_TD(blockSequenceCounter=counter) / image[at:at + 64]), bytes([0x76, counter]))
        self.assertEqual(self.agreed(UDS() / UDS_RTE()), b"\x77")

    def routine(self, identifier, option=b""):
        return self.agreed(UDS() / UDS_RC(routineControlType=1, routineIdentifier=identifier) / option)[4:]

    def test_a_whole_reprogramming(self):
        image = random.Random(7).randbytes(1500)
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=3))
        self.agreed(UDS() / UDS_CDTCS(DTCSettingType=2))
        self.agreed(UDS() / UDS_CC(controlType=1, communicationType0=1))
        self.unlock()
        fingerprint = bytes.fromhex("261123") + b"SHOP01"
        self.agreed(UDS() / UDS_WDBI(dataIdentifier=0xF15A) / fingerprint)
        for part in (slice(0, 700), slice(700, 1500)):
            where = struct.pack(">II", part.start, part.stop - part.start)
            self.assertEqual(self.routine(0xFF00, b"\x44" + where), b"\0")
            self.download(image[part], part.start)
            self.assertEqual(self.routine(0x0202, struct.pack(">I", zlib.crc32(image[part]))), b"\0")
        self.assertEqual(self.routine(0xFF01), b"\0")
        self.agreed(UDS() / UDS_ER(resetType=1))
        self.vehicle.stop()
        self.assertEqual(self.vehicle.flash()[:1500], image)
        kinds = [event["event"] for event in self.vehicle.events()]
        self.assertEqual([kind for kind in kinds if kind in ("erase", "unlock", "reset")], ["unlock", "erase", "erase", "reset"])
        self.tester.close()
        self.vehicle.start()
        self.tester = Tester(self.vehicle.bus, 0x7E0, 0x7E8)
        self.assertEqual(self.agreed(UDS() / UDS_RDBI(identifiers=[0xF15A]))[3:], fingerprint)
        self.assertIn(f"{zlib.crc32(image[700:]):08X}", self.agreed(UDS() / UDS_RDBI(identifiers=[0xF195]))[3:].decode())

    def test_a_broken_download_leaves_the_boot_loader(self):
        self.unlock()
        self.assertEqual(self.routine(0xFF00, b"\x44" + struct.pack(">II", 0, 4096)), b"\0")
        self.agreed(UDS() / UDS_ER(resetType=1))
        self.assertEqual(self.agreed(UDS() / UDS_RDBI(identifiers=[0xF195]))[3:], b"bootloader")
        self.refused(UDS() / UDS_DSC(diagnosticSessionType=3), 0x7E)
        self.unlock()
        self.assertEqual(self.routine(0xFF01), b"\1")
        self.download(b"\x11" * 100)
        self.assertEqual(self.routine(0x0202, struct.pack(">I", zlib.crc32(b"\x11" * 100))), b"\0")
        self.agreed(UDS() / UDS_ER(resetType=1))
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=3))

    def test_conditions(self):
        self.refused(UDS() / UDS_SA(securityAccessType=1), 0x7F)
        self.refused(UDS() / UDS_RTE(), 0x7F)
        self.refused(b"\x29\x08", 0x11)
        self.refused(b"\x38\x01\x00\x01a\x00\x01\x01\x01", 0x11)
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=2))
        self.refused(UDS() / UDS_RD(dataFormatIdentifier=0, memorySizeLen=4, memoryAddressLen=4, memoryAddress4=0, memorySize4=64), 0x33)
        self.refused(UDS() / UDS_WDBI(dataIdentifier=0xF15A) / (b"\0" * 9), 0x33)
        self.refused(b"\x31\x01\xff\x00\x44" + b"\0" * 8, 0x33)
        self.unlock()
        self.refused(b"\x31\x01\x02\x30", 0x31)
        self.refused(b"\x31\x02\xff\x00", 0x12)
        self.refused(b"\x31\x01\xff\x00\x44\0\0\0\0\0\0\0", 0x13)
        self.refused(b"\x31\x01\xff\x00\x44" + struct.pack(">II", 0x01000000, 0x02000000), 0x31)
        self.refused(b"\x34\x11\x44" + struct.pack(">II", 0, 64), 0x31)
        self.refused(b"\x36\x01" + b"x" * 10, 0x24)
        self.refused(b"\x37", 0x24)
        self.refused(b"\x31\x01\x02\x02\0\0\0\0", 0x24)
        self.refused(UDS() / UDS_WDBI(dataIdentifier=0xF190) / b"x", 0x31)
        self.refused(b"\x2e\xf1\x5a", 0x13)

    def test_transfer_rules(self):
        self.unlock()
        self.agreed(b"\x34\x00\x44" + struct.pack(">II", 0, 150))
        self.refused(b"\x36\x02" + b"a" * 64, 0x73)
        self.refused(b"\x36\x01" + b"a" * 65, 0x13)
        self.refused(b"\x36\x01", 0x13)
        self.agreed(b"\x36\x01" + b"a" * 64)
        self.agreed(b"\x36\x01" + b"b" * 64)  # repeated: answered, not written
        self.agreed(b"\x36\x02" + b"c" * 64)
        self.refused(b"\x37", 0x24)
        self.refused(b"\x36\x03" + b"d" * 23, 0x71)
        self.agreed(b"\x36\x03" + b"d" * 22)
        self.agreed(b"\x37")
        self.assertEqual(self.vehicle.flash()[:150], b"a" * 64 + b"c" * 64 + b"d" * 22)
        self.refused(b"\x34\x00\x44" + struct.pack(">II", 0, 150), 0x70)

    def test_three_wrong_keys_and_a_reset(self):
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=3))
        self.refused(UDS() / UDS_SA(securityAccessType=2, securityKey=b"1234"), 0x24)
        for code in (0x35, 0x35, 0x36):
            self.agreed(UDS() / UDS_SA(securityAccessType=1))
            self.refused(UDS() / UDS_SA(securityAccessType=2, securityKey=b"1234"), code)
        self.refused(UDS() / UDS_SA(securityAccessType=1), 0x37)
        self.agreed(UDS() / UDS_ER(resetType=1))
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=3))
        self.refused(UDS() / UDS_SA(securityAccessType=1), 0x37)
        self.refused(UDS() / UDS_SA(securityAccessType=3), 0x12)

    def test_lockout_begins_again_with_power(self):
        """The delay counts on a clock that nobody sets: a memory from long ago is locked for the whole time after power-on."""
        self.vehicle.stop()
        path = self.vehicle.root / "state/ecus/SN-REFERENCE-0001/state.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "locked_out": True}))
        self.tester.close()
        self.vehicle.start()
        self.tester = Tester(self.vehicle.bus, 0x7E0, 0x7E8)
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=3))
        self.refused(UDS() / UDS_SA(securityAccessType=1), 0x37)

    def test_first_pending_within_p2_of_slow_work(self):
        """The frame of 0x78 is on the bus before the work that keeps the vehicle busy."""
        self.vehicle.stop()
        self.tester.close()
        self.vehicle.command += ["--fault", "*:slow=2000"]
        self.vehicle.start()
        self.tester = Tester(self.vehicle.bus, 0x7E0, 0x7E8)
        self.unlock()
        node = Node(self.vehicle.bus)
        self.addCleanup(node.close)
        node.send(0x7E0, bytes.fromhex("0431 01ff01 cccccc"))
        self.assertEqual(node.receive(timeout=1)[1][:4], b"\x03\x7f\x31\x78")
        self.assertEqual(node.receive()[1][1:5], b"\x71\x01\xff\x01")

    def test_a_session_change_locks(self):
        self.unlock()
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=2))
        self.refused(b"\x31\x01\xff\x01", 0x33)

    def test_long_work(self):
        """Longer than P2* and than S3: 0x78 comes again within P2*, asked for or not, and S3 begins with the answer."""
        self.vehicle.stop()
        slow = Vehicle(BUILD, model=reference(erase_ms=5500), timing="real")
        self.addCleanup(slow.__exit__)
        self.tester = Tester(slow.bus, 0x7E0, 0x7E8)
        self.addCleanup(self.tester.close)
        self.unlock()
        for kind in (1, 0x81):
            self.tester.send(bytes([0x31, kind]) + b"\xff\x00\x44" + struct.pack(">II", 0, 64))
            answers, times = [], [time.monotonic()]
            while not answers or answers[-1] == b"\x7f\x31\x78":
                answers.append(self.tester.receive())
                times.append(time.monotonic())
            self.assertEqual(answers, [b"\x7f\x31\x78"] * 2 + [b"\x71\x01\xff\x00\x00"])
            self.assertGreater(times[-1] - times[0], 5.4)
            self.assertEqual(self.agreed(b"\x22\xf1\x86"), b"\x62\xf1\x86\x02")

    def test_trouble_codes(self):
        self.assertEqual(self.agreed(UDS() / UDS_RDTCI(reportType=2, DTCStatusMask=0xFF)), b"\x59\x02\xff")
        self.agreed(UDS() / UDS_CDTCI(groupOfDTCHighByte=0xFF, groupOfDTCMiddleByte=0xFF, groupOfDTCLowByte=0xFF))
        self.refused(b"\x14\xff\xff", 0x13)

    def test_doip_sees_the_same_ecu(self):
        self.agreed(UDS() / UDS_DSC(diagnosticSessionType=3))
        with socket.create_connection(self.vehicle.doip, timeout=TIMEOUT) as link:
            link.sendall(bytes.fromhex("02fd0005000000070e800000000000" "02fd8001000000070e80100122f186"))
            got = b""
            while len(got) < 17 + 13 + 16:
                got += link.recv(4096)
            self.assertEqual(got[-4:], b"\x62\xf1\x86\x03")


class Hub(unittest.TestCase):
    def node(self, vehicle):
        node = Node(vehicle.bus)
        self.addCleanup(node.close)
        return node

    def test_lowest_identifier_first(self):
        """At 10 kbit/s a frame takes 12 ms: what two nodes write meanwhile passes by the one who wrote before."""
        model = reference()
        model["buses"][0]["bitrate"] = 10000
        with Vehicle(BUILD, model=model, timing="real", doip=False) as vehicle:
            flood, late, watcher = (self.node(vehicle) for _ in range(3))
            for number in range(40):
                flood.send(0x700, bytes([number]))
            late.send(0x050, b"first")
            late.send(0x100, b"then")
            seen = [watcher.receive()[0] for _ in range(42)]
            self.assertEqual(seen.index(0x100), seen.index(0x050) + 1)
            self.assertLess(seen.index(0x050), 30)
            self.assertEqual(sorted(seen), [0x050, 0x100] + [0x700] * 40)

    def test_a_sender_hears_itself_marked(self):
        with Vehicle(BUILD, doip=False) as vehicle:
            node, other = self.node(vehicle), self.node(vehicle)
            node.send(0x123, b"abc")
            self.assertEqual(node.socket.recv(73), packet(0x123, b"abc")[:6] + b"\1" + packet(0x123, b"abc")[7:])
            self.assertEqual(other.socket.recv(73), packet(0x123, b"abc"))

    def test_a_writer_is_slowed_down_to_the_bus(self):
        with Vehicle(BUILD, doip=False, timing="real") as vehicle:
            node = self.node(vehicle)
            node.socket.setblocking(False)
            sent = 0
            with self.assertRaises(BlockingIOError):
                while sent < 5000:
                    node.send(0x123, b"12345678")
                    sent += 1
            self.assertGreater(sent, 1)

    def test_nothing_is_lost_without_pacing(self):
        with Vehicle(BUILD, doip=False) as vehicle:
            writer, slow = self.node(vehicle), self.node(vehicle)

            def write():
                for number in range(3000):
                    writer.send(0x123, struct.pack(">I", number))
                    writer.await_own()

            thread = threading.Thread(target=write)
            thread.start()
            for number in range(3000):
                self.assertEqual(slow.receive()[1], struct.pack(">I", number))
            thread.join()

    def test_who_never_reads_is_hung_up(self):
        with Vehicle(BUILD, doip=False) as vehicle:
            writer, deaf = self.node(vehicle), self.node(vehicle)
            for number in range(20000):
                writer.send(0x123, struct.pack(">I", number))
                writer.await_own()
            with self.assertRaises((EOFError, ConnectionError)):
                for _ in range(20000):
                    deaf.receive()

    def test_who_never_reads_does_not_cost_the_others_their_time(self):
        """Clients come that never read, each when the one before has stopped the bus: an answer of several frames goes on within
        the times of ISO 15765-2, again and again."""
        with Vehicle(BUILD, doip=False) as vehicle:
            tester, deaf = Tester(vehicle.bus, 0x7E0, 0x7E8), []
            self.addCleanup(tester.close)
            for _ in range(4):
                deaf += [self.node(vehicle) for _ in range(3)]
                for number in range(60):
                    tester.send(b"\x22\xf1\x90\xf1\x8c")
                    answer = tester.receive(3)
                    self.assertEqual(answer and answer[:3], b"\x62\xf1\x90", number)
            for node in deaf:
                self.assertIsNotNone(node.receive(), "it may still read what was said")

    def another(self, vehicle):
        """The command line of another vehicle on the same bus."""
        command = list(map(str, vehicle.command))
        command[command.index("--state") + 1] = str(vehicle.root / "another")
        return command

    def test_two_hubs_and_what_one_left(self):
        with Vehicle(BUILD, doip=False) as vehicle:
            command = self.another(vehicle)
            again = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            self.assertNotEqual(again.returncode, 0)
            self.assertIn(str(vehicle.bus), again.stdout + again.stderr)
            vehicle.stop(9)
            self.assertTrue(os.path.exists(vehicle.bus))
            vehicle.start()
            Node(vehicle.bus).close()
            self.assertEqual(vehicle.stop(), 0)
            self.assertFalse(os.path.exists(vehicle.bus))
            vehicle.bus.write_text("not a socket")
            again = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            self.assertNotEqual(again.returncode, 0)
            self.assertEqual(vehicle.bus.read_text(), "not a socket")

    def test_usage(self):
        with Vehicle(BUILD, doip=False) as vehicle:
            command = self.another(vehicle)
            start = command[:command.index("--bus")]
            for arguments in (start, start + ["--bus", "/" + "x" * 120], command + ["--load", "91"], command + ["--load", "-1"]):
                done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)

    def test_other_traffic(self):
        with Vehicle(BUILD, "--load", "40", "--seed", "7", doip=False, timing="real") as vehicle:
            node = self.node(vehicle)
            seen = {node.receive()[0] for _ in range(50)}
            self.assertTrue(all(0x100 <= identifier <= 0x4FF for identifier in seen), seen)
            node.send(0x7E0, b"\x02\x3e\x00\xcc\xcc\xcc\xcc\xcc")
            for _ in range(500):
                if node.receive()[0] == 0x7E8:
                    return
            self.fail("no answer in the traffic")


if __name__ == "__main__":
    unittest.main()
