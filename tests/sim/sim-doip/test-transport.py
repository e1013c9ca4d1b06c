# SPDX-License-Identifier: Apache-2.0
"""recall-sim as a DoIP entity, asked by scapy: announcement, routing activation, alive check, acknowledgements, refusals.

Usage: test-transport.py BUILD
"""

import hashlib
import socket
import struct
import sys
import time
import unittest

from scapy.contrib.automotive.doip import DoIP
from scapy.packet import Raw

import tester
from tester import Closed, Demo, ENTITY, FUNCTIONAL, TESTER, Vehicle

BUILD = sys.argv.pop(1)


def setUpModule():
    global DEMO, CAR
    DEMO = Demo(BUILD)
    CAR = Vehicle(DEMO)


def tearDownModule():
    CAR.stop()
    DEMO.close()


class Announcement(unittest.TestCase):
    def setUp(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(tester.TIMEOUT)
        self.udp.connect(CAR.where)
        self.addCleanup(self.udp.close)

    def ask(self, **fields):
        self.udp.send(bytes(DoIP(**fields)))

    def answer(self):
        return DoIP(self.udp.recv(2048))

    def silent(self, data):
        """Not answered: the answer to a good request comes next."""
        self.udp.send(data)
        self.ask(payload_type=3, vin=DEMO.vin.encode())
        self.assertEqual(self.answer().payload_type, 4)
        self.udp.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.udp.recv(2048)
        self.udp.settimeout(tester.TIMEOUT)

    def test_fields(self):
        self.ask(payload_type=1)
        packet = self.answer()
        self.assertEqual(packet.payload_type, 4)
        self.assertEqual(packet.vin, DEMO.vin.encode())
        self.assertEqual(packet.logical_address, ENTITY)
        self.assertEqual(packet.payload_length, 33)
        self.assertEqual(packet.eid[0] & 3, 2, "a locally administered unicast address")
        self.assertEqual(packet.eid[1:], hashlib.sha256(DEMO.vin.encode()).digest()[1:6])

    def test_any_version_may_ask(self):
        for version in (0xFF, 1, 2, 3):
            self.ask(payload_type=1, protocol_version=version, inverse_version=version ^ 0xFF)
            self.assertEqual(self.answer().payload_type, 4)

    def test_by_vin_and_eid(self):
        self.ask(payload_type=3, vin=DEMO.vin.encode())
        eid = self.answer().eid
        self.ask(payload_type=2, eid=eid)
        self.assertEqual(self.answer().vin, DEMO.vin.encode())

    def test_not_ours(self):
        for data in (bytes(DoIP(payload_type=3, vin=b"RBY1DEM0XRA999999")), bytes(DoIP(payload_type=2, eid=b"\0" * 6)),
                     bytes(DoIP(payload_type=0, nack=1)), bytes(DoIP(payload_type=4, vin=DEMO.vin.encode())), b"", b"\x02\xfd"):
            with self.subTest(data=data[:12].hex()):
                self.silent(data)

    def test_not_understood(self):
        for data, code in ((bytes(DoIP(payload_type=1, payload_length=4)), 4), (bytes.fromhex("02fd000300000005") + b"SHORT", 4),
                           (bytes(DoIP(payload_type=1, inverse_version=0)), 0), (b"\0" * 64, 0), (b"\xff" * 300, 0),
                           (bytes(DoIP(payload_type=5, source_address=TESTER)), 1), (bytes(DoIP(payload_type=0x8001)), 1)):
            with self.subTest(data=data[:12].hex()):
                self.udp.send(data)
                refusal = self.answer()
                self.assertEqual((refusal.payload_type, refusal.nack), (0, code))

    def test_status_and_power(self):
        self.ask(payload_type=0x4001)
        status = self.answer()
        self.assertEqual((status.payload_type, status.node_type), (0x4002, 0))
        self.assertGreaterEqual(status.max_open_sockets, 1)
        self.assertGreaterEqual(status.max_data_size, 4095)
        self.ask(payload_type=0x4003)
        power = self.answer()
        self.assertEqual((power.payload_type, power.diagnostic_power_mode), (0x4004, 1))

    def test_three_announcements(self):
        """Unasked, to port 13400 of everybody near."""
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(ear.close)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind(("127.255.255.255", 13400))
        ear.settimeout(tester.TIMEOUT)
        vin = "SIMVEH000TESTANN3"
        other = Vehicle(DEMO, "--vin", vin)
        self.addCleanup(other.stop)
        heard = []
        while len(heard) < 3:
            packet, where = ear.recvfrom(2048)
            announcement = DoIP(packet)
            if announcement.payload_type == 4 and announcement.vin == vin.encode():
                heard.append(announcement)
                self.assertEqual(where, other.where)
        self.assertEqual({(packet.logical_address, packet.payload_length) for packet in heard}, {(ENTITY, 33)})


class Activation(unittest.TestCase):
    def connect(self, **options):
        connection = CAR.tester(**options)
        self.addCleanup(connection.close)
        return connection

    def test_good(self):
        for kind in (0, 1):
            with CAR.tester(activate=False) as connection:
                packet = connection.activate(kind)
                self.assertEqual(packet.payload_type, 6)
                self.assertEqual(packet.logical_address_tester, TESTER)
                self.assertEqual(packet.logical_address_doip_entity, ENTITY)
                self.assertEqual(packet.routing_activation_response, 0x10)
                self.assertEqual(connection.activate(kind).routing_activation_response, 0x10, "again")

    def test_refused_and_closed(self):
        for source, kind, code in ((0x0001, 0, 0x00), (0x1000, 0, 0x00), (0xE80, 2, 0x06), (0xE80, 0xE0, 0x06), (0xDFF, 0, 0), (0xFFFF, 0, 0)):
            with self.subTest(source=hex(source), kind=kind):
                connection = self.connect(activate=False)
                self.assertEqual(connection.activate(kind, source).routing_activation_response, code)
                self.assertTrue(connection.is_closed())

    def test_other_address_on_the_same_connection(self):
        connection = self.connect()
        self.assertEqual(connection.activate(source=0xE81).routing_activation_response, 0x02)
        self.assertTrue(connection.is_closed())

    def test_address_in_use(self):
        first = self.connect(source=0xE90)
        second = self.connect(source=0xE90, activate=False)
        second.send(DoIP(payload_type=5, source_address=0xE90))
        self.assertEqual(first.receive().payload_type, 7, "is it alive?")
        third = self.connect(source=0xE90, activate=False)
        self.assertEqual(third.activate().routing_activation_response, 0x03, "one question at a time")
        first.send(DoIP(payload_type=8, source_address=0xE90))
        self.assertEqual(second.receive().routing_activation_response, 0x03)
        self.assertTrue(second.is_closed())
        self.assertEqual(first.ask(payload_type=0x4003).payload_type, 0x4004, "the first one is not disturbed")

    def test_address_of_one_who_is_silent(self):
        """A tester that does not say that it is alive loses its address to who asks for it, once."""
        first = self.connect(source=0xE92)
        second = self.connect(source=0xE92, activate=False)
        self.assertEqual(second.activate().routing_activation_response, 0x10)
        self.assertEqual(first.receive().payload_type, 7)
        self.assertTrue(first.is_closed())
        self.assertEqual(second.ask(payload_type=0x4003).payload_type, 0x4004)
        second.diagnostic(DEMO.address("brake"), b"\x3e\0")
        self.assertEqual([second.receive().payload_type for _ in range(2)], [0x8002, 0x8001])

    def test_address_of_one_who_leaves_when_asked(self):
        first = self.connect(source=0xE93)
        second = self.connect(source=0xE93, activate=False)
        second.send(DoIP(payload_type=5, source_address=0xE93))
        self.assertEqual(first.receive().payload_type, 7)
        first.close()
        self.assertEqual(second.receive().routing_activation_response, 0x10)

    def test_who_asks_leaves_first(self):
        first = self.connect(source=0xE94)
        second = self.connect(source=0xE94, activate=False)
        second.send(DoIP(payload_type=5, source_address=0xE94))
        self.assertEqual(first.receive().payload_type, 7)
        second.close()
        self.assertEqual(first.ask(payload_type=0x4003).payload_type, 0x4004)
        first.send(DoIP(payload_type=8, source_address=0xE94))
        self.assertEqual(first.ask(payload_type=0x4003).payload_type, 0x4004)

    def test_address_is_free_again(self):
        with CAR.tester(source=0xE91):
            pass
        for _ in range(50):  # the entity sees the end of the first when it gets to it
            with CAR.tester(source=0xE91, activate=False) as again:
                if again.activate().routing_activation_response == 0x10:
                    return
        self.fail("the address of a tester that left stays in use")

    def test_wrong_length(self):
        for payload in (b"", b"\x0e\x80", b"\x0e\x80\0\0\0\0", b"\x0e\x80\0\0\0\0\0\0", b"\x0e\x80" + b"\0" * 30):
            connection = self.connect(activate=False)
            connection.send(DoIP(payload_type=5, payload_length=len(payload)).build()[:8] + payload)
            packet = connection.receive()
            self.assertEqual((packet.payload_type, packet.nack), (0, 4))
            self.assertTrue(connection.is_closed())

    def test_who_says_nothing_is_hung_up(self):
        """T_TCP_Initial_Inactivity: 2 s; who has been let in may be silent for longer."""
        patient = self.connect(source=0xE95)
        connection = self.connect(activate=False)
        begun = time.monotonic()
        self.assertTrue(connection.is_closed())
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertEqual(patient.ask(payload_type=0x4003).payload_type, 0x4004)


class Full(unittest.TestCase):
    """As many testers as there are places; one more makes the entity ask who of them is alive."""

    def setUp(self):
        self.car = Vehicle(DEMO)
        self.addCleanup(self.car.stop)
        status = self.connect(0xE00).ask(payload_type=0x4001)
        self.others = [self.connect(0xE01 + number) for number in range(status.max_open_sockets - 1)]
        self.late = self.car.tester(source=0xF00, activate=False)
        self.addCleanup(self.late.close)
        self.late.send(DoIP(payload_type=5, source_address=0xF00))

    def connect(self, source):
        tester = self.car.tester(source=source)
        self.addCleanup(tester.close)
        if source == 0xE00:
            self.first = tester
        return tester

    def test_all_are_alive(self):
        for tester in (self.first, *self.others):
            self.assertEqual(tester.receive().payload_type, 7)
            tester.send(DoIP(payload_type=8, source_address=tester.source))
        self.assertEqual(self.late.receive().routing_activation_response, 0x01)
        self.assertTrue(self.late.is_closed())
        for tester in (self.first, *self.others):
            self.assertEqual(tester.ask(payload_type=0x4003).payload_type, 0x4004)

    def test_one_is_not(self):
        for tester in self.others:
            self.assertEqual(tester.receive().payload_type, 7)
            tester.send(DoIP(payload_type=8, source_address=tester.source))
        self.assertEqual(self.late.receive().routing_activation_response, 0x10)
        self.assertEqual(self.first.receive().payload_type, 7)
        self.assertTrue(self.first.is_closed())
        self.late.diagnostic(0x1001, b"\x3e\0")
        self.assertEqual([self.late.receive().payload_type for _ in range(2)], [0x8002, 0x8001])

    def test_one_leaves(self):
        self.assertEqual(self.first.receive().payload_type, 7)
        self.first.close()
        self.assertEqual(self.late.receive().routing_activation_response, 0x10)

    def test_who_asked_leaves(self):
        self.assertEqual(self.first.receive().payload_type, 7)
        self.late.close()
        for tester in (self.first, *self.others):
            tester.send(DoIP(payload_type=8, source_address=tester.source))
        self.assertEqual(self.first.ask(payload_type=0x4003).payload_type, 0x4004)


class Messages(unittest.TestCase):
    def setUp(self):
        self.connection = CAR.tester(source=0xEA0)
        self.addCleanup(self.connection.close)

    def nack(self, data):
        self.connection.send(data)
        packet = self.connection.receive()
        self.assertEqual(packet.payload_type, 0)
        return packet.nack

    def test_alive_check_answer_of_another(self):
        self.connection.send(DoIP(payload_type=8, source_address=0xEA1))
        self.assertTrue(self.connection.is_closed())

    def test_a_refusal_is_not_refused(self):
        """Two that refuse each other's refusals would never end."""
        for code in range(6):
            self.connection.send(b"\x02\xfd\0\0\0\0\0\1" + bytes([code]))
        self.assertEqual(self.connection.ask(payload_type=0x4003).payload_type, 0x4004)

    def test_edition_of_the_search_alone(self):
        """FF is for those who ask who is there."""
        self.assertEqual(self.nack(b"\xff\x00\x40\x03\0\0\0\0"), 0)
        self.assertTrue(self.connection.is_closed())

    def test_alive_check_answer_is_taken(self):
        self.connection.send(DoIP(payload_type=8, source_address=0xEA0))
        self.assertEqual(self.connection.ask(payload_type=0x4003).diagnostic_power_mode, 1)

    def test_status(self):
        packet = self.connection.ask(payload_type=0x4001)
        self.assertEqual(packet.payload_type, 0x4002)
        self.assertEqual(packet.node_type, 0)
        self.assertGreaterEqual(packet.max_open_sockets, packet.cur_open_sockets)
        self.assertGreaterEqual(packet.cur_open_sockets, 1)
        self.assertGreater(packet.max_data_size, 4095)

    def test_unknown_types(self):
        for kind in (0x0009, 0x00FF, 0x4005, 0x8004, 0xF000, 0xFFFF):
            self.assertEqual(self.nack(DoIP(payload_type=kind)), 1, hex(kind))
        self.assertEqual(self.connection.ask(payload_type=0x4003).payload_type, 0x4004, "the connection stays")

    def test_bad_pattern_closes(self):
        self.assertEqual(self.nack(b"\x02\xfc\x80\x01\0\0\0\0"), 0)
        self.assertTrue(self.connection.is_closed())

    def test_http_closes(self):
        self.assertEqual(self.nack(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0)
        self.assertTrue(self.connection.is_closed())

    def test_too_large_is_passed_over(self):
        """The type is looked at before the length, and what is refused for them leaves the connection as it is."""
        for kind, length, code in ((0x8001, 0x7FFFFFFF, 2), (5, 0xFFFFFFFF, 2), (0x8001, 1 << 24, 2), (0x1234, 0xFFFFFFFF, 1)):
            with CAR.tester(source=0xEA1) as connection:
                connection.send(b"\x02\xfd" + struct.pack("!HI", kind, length))
                self.assertEqual(connection.receive().nack, code, hex(kind))
        rest = bytes(1 << 20)
        self.assertEqual(self.nack(b"\x02\xfd\x80\x01" + struct.pack("!I", len(rest))), 2)
        self.connection.send(rest[1:])
        self.connection.send(rest[:1] + bytes(DoIP(payload_type=0x4003)))
        self.assertEqual(self.connection.receive().payload_type, 0x4004)
        self.assertEqual(self.nack(b"\x02\xfd\x12\x34\0\0\0\3abc"), 1)
        self.assertEqual(self.connection.ask(payload_type=0x4003).payload_type, 0x4004)

    def test_wrong_lengths(self):
        for kind, payload in ((0x8001, b""), (0x8001, b"\x0e\xa1"), (0x8001, b"\x0e\xa1\x10\x01"), (8, b""), (8, b"\x0e\xa1\0"),
                              (0x4001, b"\0"), (0x4003, b"\0"), (0, b"\0\0")):
            with self.subTest(kind=hex(kind), payload=payload.hex()), CAR.tester(source=0xEA1) as connection:
                connection.send(b"\x02\xfd" + struct.pack("!HI", kind, len(payload)) + payload)
                self.assertEqual(connection.receive().nack, 4)
                self.assertTrue(connection.is_closed())

    def test_acknowledged_then_answered(self):
        self.connection.diagnostic(0x1001, b"\x3e\0")
        ack, answer = self.connection.receive(), self.connection.receive()
        self.assertEqual((ack.payload_type, ack.source_address, ack.target_address, ack.ack_code), (0x8002, 0x1001, 0xEA0, 0))
        self.assertEqual((answer.payload_type, answer.source_address, answer.target_address), (0x8001, 0x1001, 0xEA0))
        self.assertEqual(bytes(answer.payload), b"\x7e\0")

    def test_unknown_target(self):
        for target in (0x1000, 0x2000, 0x0000, 0xEA0):
            self.connection.diagnostic(target, b"\x3e\0")
            packet = self.connection.receive()
            self.assertEqual((packet.payload_type, packet.nack_code), (0x8003, 3), hex(target))

    def test_wrong_source(self):
        self.connection.diagnostic(0x1001, b"\x3e\0", source=0xEA5)
        packet = self.connection.receive()
        self.assertEqual((packet.payload_type, packet.nack_code), (0x8003, 2))

    def test_before_activation(self):
        with CAR.tester(source=0xEA2, activate=False) as connection:
            connection.diagnostic(0x1001, b"\x3e\0")
            packet = connection.receive()
            self.assertEqual((packet.payload_type, packet.nack_code), (0x8003, 2))

    def test_functional(self):
        """Everybody is asked: each ECU answers for itself, and those that cannot stay silent."""
        self.connection.diagnostic(FUNCTIONAL, b"\x3e\0")
        self.assertEqual(self.connection.receive().payload_type, 0x8002)
        answers = [self.connection.receive() for _ in DEMO.model["ecus"]]
        self.assertEqual({answer.source_address for answer in answers}, {int(ecu["logical"], 16) for ecu in DEMO.model["ecus"]})
        self.assertEqual({bytes(answer.payload) for answer in answers}, {b"\x7e\0"})
        self.connection.diagnostic(FUNCTIONAL, b"\xba\0")
        self.assertEqual(self.connection.receive().payload_type, 0x8002)
        self.assertEqual(self.connection.ask(payload_type=0x4003).payload_type, 0x4004)

    def test_in_pieces_and_at_once(self):
        message = bytes(DoIP(payload_type=0x8001, source_address=0xEA0, target_address=0x1001) / Raw(b"\x3e\0"))
        for byte in message:
            self.connection.send(bytes([byte]))
        self.assertEqual(self.connection.receive().payload_type, 0x8002)
        self.assertEqual(bytes(self.connection.receive().payload), b"\x7e\0")
        self.connection.send(message * 5)
        kinds = [self.connection.receive().payload_type for _ in range(10)]
        self.assertEqual(kinds, [0x8002, 0x8001] * 5)

    def test_too_many_connections(self):
        """The entity stays alive for those it has."""
        others = [CAR.tester(activate=False) for _ in range(12)]
        self.assertEqual(self.connection.ask(payload_type=0x4003).payload_type, 0x4004)
        for other in others:
            other.close()

    def test_two_testers(self):
        with CAR.tester(source=0xEA3) as other:
            self.connection.diagnostic(0x1001, b"\x22\xf1\x8c")
            other.diagnostic(0x1002, b"\x22\xf1\x8c")
            mine = [self.connection.receive() for _ in range(2)][1]
            theirs = [other.receive() for _ in range(2)][1]
            self.assertEqual(bytes(mine.payload)[3:], DEMO.seed_of("telematics")["serial"].encode())
            self.assertEqual(bytes(theirs.payload)[3:], DEMO.seed_of("gateway")["serial"].encode())


class Faults(unittest.TestCase):
    def test_dead_ecu(self):
        with Vehicle(DEMO, "--fault", "brake:no-answer") as car, car.ecu("brake") as brake:
            self.assertTrue(brake.silent(b"\x3e\0"))
            with car.ecu("door", source=0xE81) as door:
                self.assertEqual(door.ask(b"\x3e\0"), b"\x7e\0")

    def test_busy_once(self):
        with Vehicle(DEMO, "--fault", "brake:busy@2") as car, car.ecu("brake") as brake:
            self.assertEqual([brake.ask(b"\x3e\0") for _ in range(3)], [b"\x7e\0", b"\x7f\x3e\x21", b"\x7e\0"])

    def test_first_pending_within_p2_of_slow_work(self):
        """0x78 is on the wire before the work begins that keeps the whole vehicle busy; then comes its response."""
        with Vehicle(DEMO, "--fault", "brake:slow=2000") as car, car.ecu("brake") as brake:
            brake.session(2)
            brake.tester.diagnostic(brake.address, b"\x31\1\2\x10" + b"n" * 16)
            self.assertEqual(brake.tester.receive().payload_type, 0x8002)
            brake.tester.socket.settimeout(1)
            self.assertEqual(bytes(brake.tester.receive().payload), b"\x7f\x31\x78")
            brake.tester.socket.settimeout(20)
            self.assertEqual(bytes(brake.tester.receive().payload)[:4], b"\x71\1\2\x10")

    def test_work_is_done_without_its_tester(self):
        """The tester hangs up after 0x78: the ECU erases all the same."""
        with Vehicle(DEMO, "--fault", "brake:slow=300") as car:
            before = car.flash("brake")
            with car.ecu("brake") as brake:
                brake.unlock()
                brake.fingerprint()
                flash = DEMO.ecu("brake")["simulation"]["flash"]
                brake.tester.diagnostic(brake.address, b"\x31\1\xff\0\x44" + struct.pack("!II", flash["address"], 64))
                while bytes(brake.tester.receive().payload) != b"\x7f\x31\x78":
                    pass
            with car.ecu("brake", source=0xE81) as brake:
                self.assertEqual(brake.ask(b"\x3e\0"), b"\x7e\0")
            self.assertNotEqual(before[:64], b"\xff" * 64)
            self.assertEqual(car.flash("brake")[:64], b"\xff" * 64)

    def test_security_delay_after_power_on(self):
        certificate, _ = DEMO.identity()
        with Vehicle(DEMO, "--fault", "brake:security-delay=700") as car, car.ecu("brake") as brake:
            brake.session(2)
            answers = [brake.challenge(certificate)]
            while answers[-1] == b"\x7f\x29\x37":
                answers.append(brake.challenge(certificate))
            self.assertEqual(answers[0], b"\x7f\x29\x37")
            self.assertEqual(answers[-1][:3], b"\x69\1\x11")

    def test_refused_service(self):
        with Vehicle(DEMO, "--fault", "*:refuse=0x22") as car, car.ecu("lamp") as lamp:
            self.assertEqual(lamp.did(0xF190), b"\x7f\x22\x22")
            self.assertEqual(lamp.ask(b"\x3e\0"), b"\x7e\0")

    def test_supply(self):
        with Vehicle(DEMO, "--fault", "telematics:voltage=11500", "--fault", "telematics:ignition=1", "--fault",
                     "telematics:speed=1234") as car, car.ecu("telematics") as primary:
            self.assertEqual([primary.did(did).hex() for did in (0xFD10, 0xFD11, 0xFD12)], ["2cec", "01", "04d2"])

    def test_link_is_dropped(self):
        with Vehicle(DEMO, "--fault", "brake:drop-link@1") as car, car.ecu("brake") as brake:
            brake.unlock()
            base = DEMO.ecu("brake")["simulation"]["flash"]["address"]
            brake.erase(base, 64)
            brake.download(base, 64)
            with self.assertRaises(Closed):
                brake.transfer(1, b"x" * 64)
                brake.exit()
            with car.ecu("brake", source=0xE81) as again:
                self.assertEqual(again.ask(b"\x3e\0"), b"\x7e\0")


if __name__ == "__main__":
    unittest.main()
