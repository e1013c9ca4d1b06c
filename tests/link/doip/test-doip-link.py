# SPDX-License-Identifier: Apache-2.0
"""The DoIP link against an entity made with scapy that does what entities in the field do, and worse: late and missing
acknowledgements, refusals, foreign addresses, garbage, endless messages, sudden ends.

Usage: test-doip-link.py LINK-TOOL
"""

import socket
import struct
import time
import unittest

from scapy.contrib.automotive.doip import DoIP
from scapy.packet import Raw

from entity import BRAKE, DOOR, TESTER, TIMEOUT, Case, Entity


class Opening(Case):
    def test_good(self):
        entity = self.entity(lambda entity: None, status=4099)
        self.assertEqual(self.open(entity.link), "open doip 1000 4099")

    def test_by_ipv6(self):
        try:
            entity = self.entity(lambda entity: None, host="[::1]")
        except OSError as problem:
            self.skipTest(f"no IPv6 here: {problem}")
        self.assertEqual(self.open(entity.link), "open doip 1000 4096")

    def test_status_is_not_told(self):
        entity = self.use(lambda entity: None, status=None)
        self.assertEqual(self.tell("max"), "ok 65535")
        self.assertTrue(entity.finished.wait(TIMEOUT))

    def test_largest_message_is_taken_over(self):
        for told, most in ((4099, 4095), (16, 12), (8, 65535), (0x00FFFFFF, 0x00FFFFFF - 4)):
            self.use(lambda entity: None, status=told)
            self.assertEqual(self.tell("max"), f"ok {most}")

    def test_every_refusal(self):
        texts = {0x00: "does not know this tester", 0x01: "in use", 0x02: "another tester address", 0x03: "another connection",
                 0x04: "authentication", 0x05: "rejected", 0x06: "not supported", 0x07: "TLS", 0x7E: "unknown code"}
        for code, text in texts.items():
            entity = self.entity(lambda entity: None, activate=code)
            line = self.open(entity.link)
            with self.subTest(code=hex(code)):
                self.assertEqual(line.split(" ")[0], "tls-required" if code == 7 else "link-refused")
                self.assertIn(text, line)
                self.assertIn(f"code {code:02x}", line)

    def confirmed(self, then):
        """The entity asks for a confirmation, and responds again on the same socket."""
        def script(entity):
            entity.enough.wait(TIMEOUT)
            entity.activated(then)
            if then == 0x10:
                entity.tell_status()
        entity = self.entity(script, activate=0x11)
        self.assertRegex(self.open(entity.link), "^wait .*confirm it at the vehicle")
        entity.enough.set()
        return self.line()

    def test_confirmed_at_the_vehicle(self):
        self.assertEqual(self.confirmed(0x10), "open doip 1000 4096")

    def test_confirmation_is_rejected(self):
        self.assertRegex(self.confirmed(0x05), r"^link-refused .*rejected \(code 05\)")

    def test_closed_instead_of_confirmed(self):
        entity = self.entity(lambda entity: (entity.enough.wait(TIMEOUT), entity.end()), activate=0x11)
        self.assertRegex(self.open(entity.link), "^wait ")
        entity.enough.set()
        self.assertRegex(self.line(), "^link-lost ")

    def test_never_confirmed(self):
        entity = self.entity(lambda entity: entity.enough.wait(3 * TIMEOUT), activate=0x11)
        self.assertRegex(self.open(entity.link), "^wait ")
        self.assertRegex(self.line(2 * TIMEOUT), r"^link-confirmation .*\(code 11\)")
        entity.enough.set()

    def test_tester_address_and_activation_type(self):
        def script(entity):
            assert entity.request() == b"\x3e\0"
            entity.answer(b"\x7e\0", target=TESTER)
            entity.answer(b"\x7e\1")
        entity = self.entity(script, tester=0x0F10, kind=0xE0)
        self.assertEqual(self.open(entity.link, "0f10", "e0"), "open doip 1000 4096")
        self.assertEqual(self.tell(f"channel {BRAKE:04x}"), f"ok {BRAKE:04x}")
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e01", "what is for another tester is not ours")

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.assertEqual(self.open(f"doip://127.0.0.1:{port}").split(" ")[0], "link-refused")

    def test_activation_is_not_answered(self):
        entity = self.entity(lambda entity: entity.receive() and entity.finished.wait(5), activate=None)
        self.assertRegex(self.open(entity.link), "^link-refused .*does not answer the routing activation")

    def test_activation_is_not_understood(self):
        for code, text in ((1, "type of message is unknown"), (4, "wrong length"), (9, "unknown code")):
            entity = self.entity(lambda entity, code=code: (entity.receive(), entity.send(payload_type=0, nack=code), entity.finished.wait(5)),
                                 activate=None)
            line = self.open(entity.link)
            self.assertEqual(line.split(" ")[0], "link-protocol", line)
            self.assertIn(text, line)

    def test_status_by_udp_where_the_connection_has_none(self):
        """Asked on the connection this entity does not understand it; by UDP, as the standard has it, it answers."""
        def script(entity):
            assert entity.receive().payload_type == 0x4001
            entity.send(payload_type=0, nack=1)
            asked, tester = entity.datagrams.recvfrom(100)
            assert DoIP(asked).payload_type == 0x4001
            entity.datagrams.sendto(bytes(DoIP(payload_type=0x4002, node_type=0, max_open_sockets=4, cur_open_sockets=1, max_data_size=999)), tester)
        class Udp(Entity):
            def activate(self):
                assert self.receive().payload_type == 5
                self.send(payload_type=6, logical_address_tester=TESTER, logical_address_doip_entity=0x1000, routing_activation_response=0x10)
        entity = Udp(script)
        self.addCleanup(entity.close)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as entity.datagrams:
            entity.datagrams.settimeout(TIMEOUT)
            entity.datagrams.bind(entity.listener.getsockname())
            self.assertEqual(self.open(entity.link), "open doip 1000 999")
        self.assertIsNone(entity.failure)

    def test_closed_at_once(self):
        for how in (Entity.end, Entity.reset):
            entity = self.entity(how, activate=None)
            # a reset may come before connect() is done
            self.assertIn(self.open(entity.link).split(" ")[0], ("link-lost", "link-refused"))

    def test_closed_after_the_request(self):
        entity = self.entity(lambda entity: (entity.receive(), entity.end()), activate=None)
        self.assertEqual(self.open(entity.link).split(" ")[0], "link-lost")

    def test_speaks_something_else(self):
        for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01\0\x10" + b"\0" * 16, b"\0" * 64, b"SSH-2.0-OpenSSH_9\r\n"):
            entity = self.entity(lambda entity, data=data: (entity.receive(), entity.raw(data)), activate=None)
            line = self.open(entity.link)
            self.assertIn(line.split(" ")[0], ("link-protocol", "link-lost"))
            self.assertIn("not DoIP", line)

    def test_no_link_at_all(self):
        for uri in ("", "doip", "http://x", "doipx://h", "DOIP://h", ":"):
            self.assertEqual(self.open(uri).split(" ")[0], "usage")


class Following(Case):
    """A message laid ready behind an answer: the link process sends it by itself, where there is none it is sent here; the vehicle
    hears and the caller gets the same."""

    def follow(self, after, message):
        line = self.tell(f"then 5000 {after} {message}")
        if line == f"ok {after} sent":
            return self.tell("receive 5000")
        self.assertEqual(line, f"ok {after}")
        self.tell("drain")
        line = self.tell("send " + message)
        return self.tell("receive 5000") if line == "ok" else line

    def asked(self, script):
        def whole(entity):
            assert entity.request() == b"\x3e\0"
            script(entity)
        self.use(whole)
        self.assertEqual(self.tell("send 3e00"), "ok")

    def test_follows(self):
        def script(entity):
            entity.answer(b"\x7e\0")
            assert entity.request() == b"\x3e\1"
            entity.answer(b"\x7e\1")
        self.asked(script)
        self.assertEqual(self.follow("7e00", "3e01"), "ok 7e01")

    def test_another_answer(self):
        def script(entity):
            entity.answer(b"\x7f\x3e\x78")
            entity.answer(b"\x7e\0")
            assert entity.request() == b"\x3e\1"
            entity.answer(b"\x7e\1")
        self.asked(script)
        self.assertEqual(self.tell("then 5000 7e00 3e01"), "ok 7f3e78")
        self.assertEqual(self.follow("7e00", "3e01"), "ok 7e01")

    def test_said_twice(self):
        def script(entity):
            entity.raw(2 * bytes(DoIP(payload_type=0x8001, source_address=BRAKE, target_address=TESTER) / Raw(b"\x7e\0")))
            assert entity.request() == b"\x3e\1"
            entity.answer(b"\x7e\1")
        self.asked(script)
        self.assertEqual(self.follow("7e00", "3e01"), "ok 7e01")

    def test_refused(self):
        for code, word in ((0x03, "ecu-missing"), (0x04, "block-too-long")):
            def script(entity, code=code):
                entity.answer(b"\x7e\0")
                entity.request(ack=False)
                entity.nack(code)
            self.asked(script)
            line = self.follow("7e00", "3e01")
            self.assertEqual(line.split(" ")[0], word)
            self.assertIn(f"code {code:02x}", line)

    def test_ended(self):
        for how in (Entity.end, Entity.reset):
            def script(entity, how=how):
                entity.answer(b"\x7e\0")
                entity.request(ack=False)
                how(entity)
            self.asked(script)
            self.assertEqual(self.follow("7e00", "3e01").split(" ")[0], "link-lost")

    def test_ended_before(self):
        def script(entity):
            entity.answer(b"\x7e\0")
            entity.end()
        self.asked(script)
        line = self.tell("then 5000 7e00 3e01")
        if line == "ok 7e00":
            line = self.tell("send 3e01")
            line = self.tell("receive 5000") if line == "ok" else line
        elif line == "ok 7e00 sent":
            line = self.tell("receive 5000")
        self.assertEqual(line.split(" ")[0], "link-lost")


class Asking(Case):
    def test_acknowledged_then_answered(self):
        def script(entity):
            assert entity.request() == b"\x3e\0"
            entity.answer(b"\x7e\0")
        self.use(script)
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_answer_before_its_acknowledgement(self):
        def script(entity):
            entity.request(ack=False)
            entity.answer(b"\x7e\0")
            entity.ack()
            entity.request()
            entity.answer(b"\x7e\1")
        self.use(script)
        for answer in ("7e00", "7e01"):
            self.assertEqual(self.tell("send 3e00"), "ok")
            self.assertEqual(self.tell("receive 5000"), "ok " + answer)

    def test_never_acknowledged(self):
        def script(entity):
            entity.request(ack=False)
            entity.answer(b"\x7e\0")
        self.use(script)
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_silence_is_a_timeout_and_no_end(self):
        def script(entity):
            entity.request()
            entity.request()
            entity.answer(b"\x7e\0")
        self.use(script)
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.reason("receive 20", "timeout")
        self.assertEqual(self.tell("alive"), "ok yes")
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_refused_messages(self):
        words = {0x02: "link-protocol", 0x03: "ecu-missing", 0x04: "block-too-long", 0x05: "link-protocol", 0x06: "ecu-missing",
                 0x07: "link-protocol", 0x08: "link-protocol", 0xFF: "link-protocol"}

        def script(entity):
            for code in words:
                for _ in range(5 if code == 0x05 else 1):
                    entity.request(ack=False)
                    entity.nack(code)
        self.use(script)
        for code, word in words.items():
            line = self.tell("send 3e00")
            self.assertEqual(line.split(" ")[0], word, hex(code))
            self.assertIn(f"code {code:02x}", line)
            self.assertIn("1004", line)

    def test_a_gateway_without_room_is_asked_again(self):
        def script(entity):
            entity.request(ack=False)
            entity.nack(0x05)
            entity.request(ack=False)
            entity.send(payload_type=0, nack=3)
            assert entity.request() == b"\x31\x01\xff\x00"
            entity.answer(b"\x71\x01\xff\x00")
        entity = self.use(script)
        self.assertEqual(self.tell("send 3101ff00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7101ff00")
        self.assertTrue(entity.finished.wait(TIMEOUT))

    def test_messages_refused_by_their_header(self):
        words = {0: "link-protocol", 1: "link-protocol", 2: "block-too-long", 3: "link-protocol", 4: "link-protocol", 5: "link-protocol"}
        texts = ["not DoIP", "unknown", "too large", "memory", "wrong length", "unknown code"]

        def script(entity):
            for code in words:
                for _ in range(5 if code == 3 else 1):
                    entity.request(ack=False)
                    entity.send(payload_type=0, nack=code)
        self.use(script)
        for (code, word), text in zip(words.items(), texts):
            line = self.tell("send 3e00")
            self.assertEqual(line.split(" ")[0], word, code)
            self.assertIn(text, line)

    def test_answers_to_others_are_not_ours(self):
        """Another ECU's, another tester's, and one without content."""
        def script(entity):
            entity.request()
            entity.answer(b"\x7e\x11", source=DOOR)
            entity.answer(b"\x7e\x22", target=0x0E81)
            entity.raw(bytes(DoIP(payload_type=0x8001, source_address=BRAKE, target_address=TESTER)))
            entity.answer(b"\x7e\x33")
        self.use(script)
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e33")

    def test_two_channels(self):
        def script(entity):
            entity.request(DOOR, ack=False)
            entity.answer(b"\x7e\x04", source=BRAKE)
            entity.ack(DOOR)
            entity.answer(b"\x7e\x05", source=DOOR)
        self.use(script)
        self.reason(f"channel {BRAKE:04x}", "in-use")
        self.assertEqual(self.tell(f"channel {DOOR:04x}"), f"ok {DOOR:04x}")
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e05")

    def test_channel_is_free_again(self):
        self.use(lambda entity: None)
        self.assertEqual(self.tell("close"), "ok")
        self.assertEqual(self.tell(f"channel {BRAKE:04x}"), f"ok {BRAKE:04x}")

    def test_drain(self):
        def script(entity):
            entity.request()
            entity.answer(b"\x7e\x01")
            entity.answer(b"\x7e\x02")
            entity.request()
            entity.answer(b"\x7e\x03")
        self.use(script)
        self.tell("send 3e00")
        self.assertEqual(self.tell("receive 5000"), "ok 7e01")
        self.assertEqual(self.tell("receive 5000"), "ok 7e02")
        self.tell("drain")
        self.tell("send 3e00")
        self.assertEqual(self.tell("receive 5000"), "ok 7e03")

    def test_alive_check_is_answered(self):
        def script(entity):
            entity.send(payload_type=7)
            packet = entity.receive()
            assert (packet.payload_type, packet.source_address) == (8, TESTER), packet.summary()
            entity.alive.set()
            entity.request()
            entity.answer(b"\x7e\0")
        entity = self.use(script)
        self.assertTrue(entity.alive.wait(TIMEOUT))
        self.tell("send 3e00")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_unknown_messages_are_passed_over(self):
        def script(entity):
            for kind in (0x0000, 0x0004, 0x0009, 0x4004, 0x8004, 0xFFFF):
                entity.raw(b"\x02\xfd" + struct.pack("!HI", kind, 3) + b"abc")
            for kind in (0x8001, 0x8002, 0x8003, 0x0006, 0x4002):
                entity.raw(b"\x02\xfd" + struct.pack("!HI", kind, 1) + b"a")
            entity.request()
            entity.answer(b"\x7e\0")
        self.use(script)
        self.tell("send 3e00")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_editions(self):
        """An entity of any edition of the standard says its own version; each of its messages is taken."""
        for version in (1, 2, 3, 4):
            class Edition(Entity):
                def send(self, version=version, **fields):
                    super().send(protocol_version=version, inverse_version=version ^ 0xFF, **fields)

            def script(entity, version=version):
                entity.request()
                entity.raw(bytes([version, version ^ 0xFF]) + struct.pack("!HIHH", 0x8001, 6, BRAKE, TESTER) + b"\x7e\0")
            self.ENTITY = Edition
            with self.subTest(version=version):
                self.use(script)
                self.assertEqual(self.tell("send 3e00"), "ok")
                self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_only_one_edition(self):
        """An entity that minds the edition refuses the message in its own and hangs up; it is spoken to in that from then on."""
        for version in (1, 3, 4):
            class Strict(Entity):
                def run(self):
                    plain, _ = self.listener.accept()
                    plain.settimeout(TIMEOUT)
                    plain.recv(100)
                    plain.sendall(bytes(DoIP(protocol_version=version, inverse_version=version ^ 0xFF, payload_type=0, nack=0)))
                    plain.close()
                    super().run()

                def receive(self):
                    packet = super().receive()
                    assert (packet.protocol_version, packet.inverse_version) == (version, version ^ 0xFF), packet.summary()
                    return packet

            def script(entity):
                entity.request()
                entity.answer(b"\x7e\0")
                entity.send(payload_type=7)
                assert entity.receive().payload_type == 8
            self.ENTITY = Strict
            with self.subTest(version=version):
                entity = self.use(script)
                self.assertEqual(self.tell("send 3e00"), "ok")
                self.assertEqual(self.tell("receive 5000"), "ok 7e00")
                self.assertTrue(entity.finished.wait(TIMEOUT))

    def test_minds_every_edition(self):
        """Once more and no oftener."""
        class Stubborn(Entity):
            def run(self):
                self.connections = 0
                try:
                    while True:
                        plain, _ = self.listener.accept()
                        self.connections += 1
                        with plain:
                            plain.settimeout(TIMEOUT)
                            version = plain.recv(100)[0] % 4 + 1
                            plain.sendall(bytes(DoIP(protocol_version=version, inverse_version=version ^ 0xFF, payload_type=0, nack=0)))
                except OSError:
                    pass
        self.ENTITY = Stubborn
        entity = self.entity(None)
        self.assertRegex(self.open(entity.link), "^link-protocol .*it is not DoIP")
        self.assertEqual(entity.connections, 2)

    def test_other_versions_are_no_doip(self):
        for version, inverse in ((2, 0xFC), (2, 2), (0, 0xFF), (5, 0xFA)):
            def script(entity, version=version, inverse=inverse):
                entity.request()
                entity.raw(bytes([version, inverse]) + struct.pack("!HIHH", 0x8001, 6, BRAKE, TESTER) + b"\x7e\0")
            self.use(script)
            self.assertEqual(self.tell("send 3e00"), "ok")
            with self.subTest(version=version, inverse=inverse):
                self.assertEqual(self.tell("receive 5000").split(" ")[0], "link-lost")

    def test_in_single_bytes(self):
        def script(entity):
            entity.request()
            for byte in bytes(DoIP(payload_type=0x8001, source_address=BRAKE, target_address=TESTER) / Raw(b"\x62\xf1\x90ABC")):
                entity.raw(bytes([byte]))
        self.use(script)
        self.tell("send 22f190")
        self.assertEqual(self.tell("receive 5000"), "ok 62f190414243")

    def test_too_long_for_the_entity(self):
        self.use(lambda entity: None, status=36)
        self.assertEqual(self.tell("max"), "ok 32")
        self.reason("send " + "00" * 33, "block-too-long")

    def test_large(self):
        body = bytes(range(256)) * 200

        def script(entity):
            assert entity.request() == body
            entity.answer(body[::-1])
        self.use(script, status=70000)
        self.assertEqual(self.tell("send " + body.hex()), "ok")
        self.assertEqual(self.tell("receive 10000"), "ok " + body[::-1].hex())


class Ending(Case):
    def test_lost_while_waiting(self):
        for how in (Entity.end, Entity.reset):
            self.use(lambda entity, how=how: (entity.request(), how(entity)))
            self.assertEqual(self.tell("send 3e00"), "ok")
            self.reason("receive 10000", "link-lost")
            self.reason("send 3e00", "link-lost")
            self.reason("receive 10", "link-lost")
            self.assertEqual(self.tell("alive"), "ok no")

    def test_what_came_before_the_end_is_still_given(self):
        self.use(lambda entity: (entity.request(), entity.answer(b"\x7e\0"), entity.end()))
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")
        self.reason("receive 5000", "link-lost")

    def test_cut_in_a_message(self):
        self.use(lambda entity: (entity.request(), entity.raw(b"\x02\xfd\x80\x01\0\0\0\x10\x10\x04"), entity.end()))
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.reason("receive 10000", "link-lost")

    def test_flood(self):
        """Answers that nobody asked for end the link instead of filling memory; what came before them is still given."""
        for body in (bytes(1000000), b"\x7e"):
            def script(entity, body=body):
                entity.request()
                message = struct.pack("!BBHIHH", 2, 0xFD, 0x8001, 4 + len(body), BRAKE, TESTER) + body
                together = message * max(1, 100000 // len(message))
                try:
                    while not entity.enough.is_set():
                        entity.raw(together)
                except OSError:
                    pass  # nobody takes it any more
            entity = self.use(script)
            self.assertEqual(self.tell("send 3e00"), "ok")
            end = time.monotonic() + TIMEOUT
            while self.tell("alive") == "ok yes":
                self.assertLess(time.monotonic(), end, "it is all taken")
            entity.enough.set()
            self.assertEqual(self.tell("receive 5000"), "ok " + body.hex())
            self.end(self.tool)

    def test_endless_message(self):
        """A length nobody sends ends the link instead of filling memory."""
        for length in (0xFFFFFFFF, 0x7FFFFFFF, 2 * 1024 * 1024 + 1):
            self.use(lambda entity, length=length: (entity.request(), entity.raw(b"\x02\xfd\x80\x01" + struct.pack("!I", length))))
            self.assertEqual(self.tell("send 3e00"), "ok")
            self.assertIn(self.tell("receive 10000").split(" ")[0], ("link-lost", "link-protocol"))

    def test_garbage_ends_it(self):
        self.use(lambda entity: (entity.request(), entity.raw(b"\x02\xfc\x80\x01\0\0\0\0")))
        self.assertEqual(self.tell("send 3e00"), "ok")
        line = self.tell("receive 10000")
        self.assertIn(line.split(" ")[0], ("link-lost", "link-protocol"))
        self.assertIn("not DoIP", line)


if __name__ == "__main__":
    unittest.main()
