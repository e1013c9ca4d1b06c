# SPDX-License-Identifier: Apache-2.0
"""Erasing, downloading and proving flash, asked by scapy and judged from the flash file's bytes.

Usage: test-flash.py BUILD
"""

import signal
import struct
import sys
import unittest

from tester import (DEFAULT, EXTENDED, PROGRAMMING, Closed, Demo, Vehicle, container_of, random_bytes, segments_of, sha256)

BUILD = sys.argv.pop(1)
LENGTH, SEQUENCE, RANGE, LOCKED, NOT_ACCEPTED, SUSPENDED, COUNTER = 0x13, 0x24, 0x31, 0x34, 0x70, 0x71, 0x73


def setUpModule():
    global DEMO, BASE, SIZE
    DEMO = Demo(BUILD)
    flash = DEMO.ecu("brake")["simulation"]["flash"]
    BASE, SIZE = flash["address"], flash["size"]


def tearDownModule():
    DEMO.close()


def image(name):
    """The campaign's known-good image, as the bundle carries it."""
    return next((DEMO.bundle() / "image" / "targets").glob(f"*/{name}-2.0.bin")).read_bytes()


class Case(unittest.TestCase):
    def setUp(self):
        self.car = Vehicle(DEMO)
        self.addCleanup(self.car.stop)
        self.ecu = self.car.ecu("brake")
        self.addCleanup(self.ecu.tester.close)

    def refused(self, answer, nrc):
        self.assertEqual((answer[0], answer[2]), (0x7F, nrc), answer.hex())

    def flash(self, address, length):
        return self.car.flash("brake")[address - BASE:address - BASE + length]


class Order(Case):
    def test_locked(self):
        self.ecu.session(PROGRAMMING)
        for answer in (self.ecu.erase(BASE, 16), self.ecu.download(BASE, 16), self.ecu.transfer(1, b"x"), self.ecu.exit(),
                       self.ecu.stage("campaign.json", b"{}"), self.ecu.routine(0xFF01), self.ecu.routine(0x0220, b"\0")):
            self.refused(answer, LOCKED)
        self.assertEqual(self.car.events("erase") + self.car.events("block"), [])

    def test_session(self):
        self.ecu.unlock(EXTENDED)
        for answer in (self.ecu.erase(BASE, 16), self.ecu.download(BASE, 16), self.ecu.routine(0xFF01), self.ecu.routine(0x0210, b"n" * 16)):
            self.refused(answer, 0x7F)
        self.ecu.session(DEFAULT)
        self.refused(self.ecu.routine(0x0220, b"\0"), 0x7F)

    def test_nothing_begun(self):
        self.ecu.unlock()
        self.refused(self.ecu.transfer(1, b"x"), SEQUENCE)
        self.refused(self.ecu.exit(), SEQUENCE)

    def test_not_erased(self):
        self.ecu.unlock()
        (address, length), = segments_of(container_of(self.car, "brake", self.segments()))[:1]
        self.refused(self.ecu.download(address, length), NOT_ACCEPTED)
        self.refused(self.ecu.download(address + length - 1, 1), NOT_ACCEPTED)

    def segments(self):
        import json
        return [tuple(pair) for pair in json.loads((self.car.folder("brake") / "state.json").read_text())["segments"]]

    def test_exit_too_early(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, 64)
        self.ecu.download(BASE, 64)
        self.ecu.transfer(1, b"x" * 63)
        self.refused(self.ecu.exit(), SEQUENCE)
        self.assertEqual(self.ecu.transfer(2, b"y"), b"\x76\2")
        self.assertEqual(self.ecu.exit(), b"\x77")
        self.refused(self.ecu.exit(), SEQUENCE)

    def test_erase_ends_a_download(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, 64)
        self.ecu.download(BASE, 64)
        self.ecu.erase(BASE, 64)
        self.refused(self.ecu.transfer(1, b"x"), SEQUENCE)

    def test_reset_ends_a_download(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, 64)
        self.ecu.download(BASE, 64)
        self.ecu.ask(b"\x11\x01")
        self.ecu.unlock()
        self.refused(self.ecu.transfer(1, b"x"), SEQUENCE)


class Bounds(Case):
    def test_erase(self):
        self.ecu.unlock()
        for address, size in ((BASE - 1, 16), (BASE, SIZE + 1), (BASE + SIZE, 1), (BASE + SIZE - 1, 2), (0, 16), (0xFFFFFFFF, 2),
                              (BASE, 0), (BASE, 0xFFFFFFFF), (BASE + 1, 0xFFFFFFFF)):
            with self.subTest(address=hex(address), size=size):
                self.refused(self.ecu.erase(address, size), RANGE)
        for option in (b"", b"\x44", b"\x44" + b"\0" * 7, b"\x44" + b"\0" * 9, b"\x33" + b"\0" * 8, b"\x24" + b"\0" * 8):
            self.refused(self.ecu.routine(0xFF00, option), LENGTH)
        self.assertEqual(self.car.events("erase"), [])
        self.assertEqual(self.ecu.erase(BASE + SIZE - 1, 1), b"\0")

    def test_download(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, SIZE)
        for address, size in ((BASE - 1, 16), (BASE, SIZE + 1), (BASE + SIZE, 1), (0, 4), (BASE, 0)):
            self.refused(self.ecu.download(address, size), RANGE)
        for request, nrc in ((b"\x34", LENGTH), (b"\x34\0\x44", LENGTH), (b"\x34\0\x44" + b"\0" * 9, LENGTH),
                             (b"\x34\x10\x44" + struct.pack("!II", BASE, 16), RANGE), (b"\x34\0\x45" + struct.pack("!II", BASE, 16), RANGE)):
            self.refused(self.ecu.ask(request), nrc)
        answer = self.ecu.download(BASE, SIZE)
        self.assertEqual(answer, struct.pack("!BBH", 0x74, 0x20, DEMO.ecu("brake")["simulation"]["block"]))

    def test_blocks(self):
        block = DEMO.ecu("brake")["simulation"]["block"]
        self.ecu.unlock()
        self.ecu.erase(BASE, SIZE)
        self.ecu.download(BASE, block)
        self.refused(self.ecu.transfer(1, b""), LENGTH)
        self.refused(self.ecu.transfer(1, b"x" * (block - 1)), LENGTH)
        self.refused(self.ecu.ask(b"\x36"), LENGTH)
        self.assertEqual(self.ecu.transfer(1, b"x" * (block - 2)), b"\x76\1")
        self.refused(self.ecu.transfer(2, b"x" * 3), SUSPENDED)
        self.assertEqual(self.ecu.transfer(2, b"x" * 2), b"\x76\2")
        self.refused(self.ecu.transfer(3, b"x"), SUSPENDED)

    def test_counter(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, 64)
        self.ecu.download(BASE, 64)
        for number in (0, 2, 255):
            self.refused(self.ecu.transfer(number, b"x" * 16), COUNTER)
        self.assertEqual(self.ecu.transfer(1, b"a" * 16), b"\x76\1")
        self.refused(self.ecu.transfer(3, b"x" * 16), COUNTER)
        self.assertEqual(self.ecu.transfer(1, b"z" * 16), b"\x76\1", "said again, not written again")
        self.assertEqual(self.ecu.transfer(2, b"b" * 16), b"\x76\2")
        self.refused(self.ecu.transfer(1, b"x" * 16), COUNTER)
        self.assertEqual(self.flash(BASE, 64), b"a" * 16 + b"b" * 16 + b"\xff" * 32)

    def test_counter_wraps(self):
        self.ecu.unlock()
        data = random_bytes(300)
        self.assertEqual(self.ecu.erase(BASE, 300), b"\0")
        self.ecu.download(BASE, 300)
        self.ecu.send_blocks(data, block=1)
        self.assertEqual(self.flash(BASE, 300), data)


class Image(Case):
    def test_written_bytes_are_there(self):
        self.ecu.unlock()
        first, second = random_bytes(5000), random_bytes(77)
        self.ecu.write_segment(BASE + 256, first)
        self.assertEqual(self.ecu.pending, 1, "an exit asks for time")
        self.ecu.write_segment(BASE + 20000, second)
        self.assertEqual(self.flash(BASE + 256, 5000), first)
        self.assertEqual(self.flash(BASE + 20000, 77), second)

    def test_erased_is_blank(self):
        self.ecu.unlock()
        self.assertEqual(self.ecu.erase(BASE, SIZE), b"\0")
        self.assertGreaterEqual(self.ecu.pending, 1)
        self.assertEqual(self.car.flash("brake"), b"\xff" * SIZE)
        self.assertEqual(self.ecu.did(0xFD00), b"\1\0\1")
        self.assertEqual(self.ecu.routine(0xFF01), b"\1")

    def test_digest_is_of_the_flash(self):
        """Over a nonce, recomputed here from the file's bytes."""
        import json
        segments = json.loads((self.car.folder("brake") / "state.json").read_text())["segments"]
        self.ecu.session(PROGRAMMING)
        for length in (16, 24, 32):
            nonce = random_bytes(length)
            self.assertEqual(self.ecu.routine(0x0210, nonce), b"\0" + sha256(nonce, container_of(self.car, "brake", segments)))
        for length in (0, 1, 15, 33, 64):
            self.refused(self.ecu.routine(0x0210, b"n" * length), LENGTH)

    def test_digest_of_what_is_written(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, SIZE)
        parts = [(BASE + 4096, random_bytes(1000)), (BASE, random_bytes(33))]
        for address, data in parts:
            self.ecu.write_segment(address, data)
        container = b"".join(struct.pack("!II", address, len(data)) + data for address, data in sorted(parts))
        nonce = random_bytes(32)
        self.assertEqual(self.ecu.routine(0x0210, nonce), b"\0" + sha256(nonce, container), "segments by address, not by time")

    def test_image_that_nobody_assigned(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, SIZE)
        self.ecu.write_segment(BASE, b"malware!" * 16)
        self.assertEqual(self.ecu.routine(0xFF01), b"\2")
        self.ecu.ask(b"\x11\1")
        self.assertEqual(self.ecu.did(0xFD00), b"\1\0\1", "the bootloader keeps it from running")
        self.refused(self.ecu.session(EXTENDED), 0x7E)
        self.refused(self.ecu.routine(0x0231, b"\0\1a\0\1b\0\x10" + b"c" * 16), 0x22)
        self.assertEqual(self.car.demo.ecu("brake")["name"], "brake")

    def test_known_good_image_without_its_metadata(self):
        """The right image is not taken either while the ECU's Director targets do not name it."""
        self.ecu.unlock()
        self.ecu.erase(BASE, SIZE)
        self.assertEqual(self.ecu.flash_image(image("brake")), b"\2")

    def test_reading_does_not_write(self):
        before = self.car.flash("brake")
        self.ecu.session(PROGRAMMING)
        self.ecu.routine(0x0210, b"n" * 32)
        self.ecu.did(0xFD20)
        self.assertEqual(self.car.flash("brake"), before)
        self.assertEqual([event["event"] for event in self.car.events()], ["session"])

    def test_each_block_is_logged(self):
        self.ecu.unlock()
        self.ecu.write_segment(BASE, b"x" * 100, block=40)
        self.assertEqual([(event["address"], event["length"]) for event in self.car.events("block")],
                         [(BASE, 40), (BASE + 40, 40), (BASE + 80, 20)])
        self.assertEqual([(event["address"], event["length"]) for event in self.car.events("erase")], [(BASE, 100)])


class Power(Case):
    def half_written(self):
        self.ecu.unlock()
        self.ecu.erase(BASE, SIZE)
        self.ecu.download(BASE, 4096)
        self.data = random_bytes(4096)
        for number in range(4):
            self.assertEqual(self.ecu.transfer(number + 1, self.data[number * 512:number * 512 + 512]), bytes([0x76, number + 1]))

    def test_sigkill_keeps_exactly_what_was_written(self):
        self.half_written()
        self.car.stop(signal.SIGKILL)
        self.assertEqual(self.car.flash("brake"), self.data[:2048] + b"\xff" * (SIZE - 2048))
        with Vehicle(DEMO, state=self.car.state) as again, again.ecu("brake") as ecu:
            self.assertEqual(ecu.did(0xFD00), b"\1\0\1")
            self.assertEqual(ecu.did(0xFD20), b"\x7f\x22\x22", "no segment was finished")
            self.assertEqual(again.flash("brake"), self.car.flash("brake"))
            ecu.unlock()
            self.refused(ecu.transfer(5, b"x" * 512), SEQUENCE)
            ecu.write_segment(BASE, self.data)
            self.assertEqual(again.flash("brake")[:4096], self.data)

    def test_lost_connection_does_not_end_a_download(self):
        """The ECU does not know of the tester's cable; the same tester goes on."""
        self.half_written()
        self.ecu.tester.close()
        with self.car.ecu("brake", source=0xE81) as again:
            self.assertEqual(again.transfer(5, self.data[2048:2560]), b"\x76\5")

    def test_power_lost_in_a_block(self):
        state = self.car.state
        self.car.stop()
        with Vehicle(DEMO, "--fault", "brake:kill@2", state=state) as car, car.ecu("brake") as ecu:
            ecu.unlock()
            ecu.erase(BASE, SIZE)
            ecu.download(BASE, 1024)
            with self.assertRaises(Closed):
                for number in range(1, 5):
                    ecu.transfer(number, bytes([number]) * 256)
            self.assertEqual(car.process.wait(20), 0)
            self.assertEqual(car.flash("brake")[:1024], b"\1" * 256 + b"\2" * 256 + b"\xff" * 512)


class Staging(Case):
    def test_lost_by_reset_and_session(self):
        for end in (b"\x11\1", b"\x10\2"):
            self.ecu.unlock()
            self.assertEqual(self.ecu.stage("campaign.json", b"{}")[0], 0x78)
            self.ecu.ask(end)
            self.ecu.unlock()
            self.assertEqual(self.ecu.routine(0x0221, b"\0")[0], 1)

    def test_refused(self):
        self.ecu.unlock()
        for request, nrc in ((b"\x38\1\0\1a\0\4" + b"\0\0\0\1" * 2, None), (b"\x38\2\0\1a\0\4" + b"\0\0\0\1" * 2, RANGE),
                             (b"\x38\1\0\0\0\4" + b"\0\0\0\1" * 2, RANGE), (b"\x38\1\0\1a\x11\4" + b"\0\0\0\1" * 2, RANGE),
                             (b"\x38\1\0\1a\0\4\0\0\0\1\0\0\0\2", RANGE), (b"\x38\1\0\1a\0\4\xff\0\0\0\xff\0\0\0", RANGE),
                             (b"\x38\1\0\xc9" + b"a" * 201 + b"\0\4" + b"\0\0\0\1" * 2, RANGE), (b"\x38\1\0\2a\0\4" + b"\0\0\0\1" * 2, LENGTH),
                             (b"\x38\1\0\1a\0\4\0\0\0\1", LENGTH), (b"\x38", LENGTH)):
            answer = self.ecu.ask(request)
            with self.subTest(request=request[:16].hex()):
                if nrc is None:
                    self.assertEqual(answer, struct.pack("!BBBHB", 0x78, 1, 2, DEMO.ecu("brake")["simulation"]["block"], 0))
                else:
                    self.refused(answer, nrc)

    def test_number_is_bounded(self):
        self.ecu.unlock()
        answers = [self.ecu.stage(f"director/{number}.root.json", b"{}")[0] for number in range(70)]
        self.assertEqual(answers[:64], [0x78] * 64)
        self.assertEqual(answers[64:], [0x7F] * 6)

    def test_garbage_is_refused_with_a_word(self):
        self.ecu.unlock()
        root = self.ecu.did(0xFD01)
        for name, data in (("director/2.root.json", b"{"), ("director/2.root.json", b"{}"), ("director/2.root.json", random_bytes(3000))):
            self.ecu.stage(name, data)
            answer = self.ecu.routine(0x0220, b"\1")
            self.assertEqual(answer[0], 1)
            self.assertRegex(answer[1:].decode(), "^[a-z]+(-[a-z]+)*$")
        self.ecu.stage("director/targets.json", b"{}")
        self.assertEqual(self.ecu.routine(0x0220, b"\0")[0], 1)
        self.assertEqual(self.ecu.did(0xFD01), root)
        self.refused(self.ecu.routine(0x0220, b"\2"), RANGE)
        self.refused(self.ecu.routine(0x0220, b"\3"), RANGE)
        self.refused(self.ecu.routine(0x0220, b""), LENGTH)
        self.refused(self.ecu.routine(0x0220, b"\0\0"), LENGTH)


if __name__ == "__main__":
    unittest.main()
