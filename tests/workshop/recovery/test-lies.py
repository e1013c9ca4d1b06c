#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A vehicle that lies: between recallctl and the simulated vehicle somebody changes answers. Nothing is called done that is
not, each lie has its reason, and once it stops the same command finishes.

Usage: test-lies.py BUILD
"""

import json
import os
import struct
import subprocess
import sys
import time
import unittest

from proxy import Proxy

from bench import Bench

BUILD = sys.argv.pop(1)
VIN, SERIAL, HARDWARE, BOOT, DIRECTOR, KEY, STORED, VOLTAGE, IGNITION, SPEED = (
    0xF190, 0xF18C, 0xF191, 0xFD00, 0xFD01, 0xFD03, 0xFD04, 0xFD10, 0xFD11, 0xFD12)
TELEMATICS, GATEWAY, DOOR, SENSOR = 0x1001, 0x1002, 0x1005, 0x1006


def did(address, number, value):
    """That ECU (None: each) says value for that identifier; a function is given the true one."""
    echo = struct.pack("!BH", 0x62, number)

    def lie(source, request, answer):
        if address not in (None, source) or request[:3] != b"\x22" + echo[1:] or answer[:3] != echo:
            return answer
        return echo + (value(answer[3:]) if callable(value) else value)
    return lie


def routine(address, number, change):
    echo = struct.pack("!BBH", 0x71, 1, number)

    def lie(source, request, answer):
        if source != address or answer[:4] != echo:
            return answer
        return echo + change(answer[4:])
    return lie


def refuse(address, service, nrc):
    def lie(source, request, answer):
        return bytes([0x7F, service, nrc]) if source == address and request[:1] == bytes([service]) and answer[:1] == bytes([service | 0x40]) else answer
    return lie


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def signed_value(member, value):
    """A report whose signed part was changed afterwards."""
    def change(rest):
        envelope = json.loads(rest[1:])
        envelope["signed"][member] = value
        return rest[:1] + json.dumps(envelope).encode()
    return change


class Later:
    """A request of that service is rejected for a time, then served."""

    def __init__(self, address, service, nrc, seconds):
        self.address, self.service, self.nrc, self.seconds, self.since = address, service, nrc, seconds, None

    def __call__(self, source, request, answer):
        if source != self.address or request[:1] != bytes([self.service]) or answer[:1] != bytes([self.service | 0x40]):
            return answer
        self.since = self.since or time.monotonic()
        return bytes([0x7F, self.service, self.nrc]) if time.monotonic() < self.since + self.seconds else answer


class LosesEach:
    """The first response to each routine is lost; what was requested is done."""

    def __init__(self, *addresses):
        self.addresses, self.lost = addresses, set()

    def __call__(self, source, request, answer):
        what = (source, request[:4])
        if source not in self.addresses or answer[:1] != b"\x71" or what in self.lost:
            return answer
        self.lost.add(what)
        return None


class NeverStarts:
    """After a download the ECU says that its bootloader runs and that its application is not valid."""

    def __init__(self, address):
        self.address, self.loaded = address, False

    def __call__(self, source, request, answer):
        if source != self.address:
            return answer
        self.loaded = self.loaded or answer[:1] == b"\x74"
        told = struct.pack("!BH", 0x62, BOOT)
        return told + b"\1\0" if self.loaded and answer[:3] == told else answer


class Endless:
    """The ECU announces a P2* of 655 s, asks for more time once, and falls silent."""

    def __init__(self, address):
        self.address, self.asked = address, False

    def __call__(self, source, request, answer):
        if source != self.address:
            return answer
        if answer[:1] == b"\x50":
            return answer[:2] + b"\xff\xff\xff\xff"
        if request[:4] != b"\x31\1\2\x20" or answer[:2] not in (b"\x71\1", b"\x7f\x31"):
            return answer
        return b"\x7f\x31\x78" if answer == b"\x7f\x31\x78" else None


class OldAnswers:
    """The first answer to a routine is said again for ever."""

    def __init__(self, address, number):
        self.address, self.echo, self.first = address, struct.pack("!BBH", 0x71, 1, number), None

    def __call__(self, source, request, answer):
        if source != self.address or answer[:4] != self.echo:
            return answer
        self.first = self.first or answer
        return self.first


def together(*lies):
    def lie(source, request, answer):
        for one in lies:
            answer = one(source, request, answer)
        return answer
    return lie


# name, lie, reason of the verdict when nothing may have been written
BEFORE_WRITING = [
    ("another-vin", did(None, VIN, b"1RBDM7AA2TA000002"), "vin-mismatch"),
    ("two-vins", did(GATEWAY, VIN, b"1RBDM7AA2TA000002"), "vin-mismatch"),
    ("no-vin", did(None, VIN, b"\xff" * 17), "wrong-answer"),
    ("voltage-low", did(TELEMATICS, VOLTAGE, struct.pack("!H", 11000)), "voltage-low"),
    ("voltage-high", did(TELEMATICS, VOLTAGE, struct.pack("!H", 16000)), "voltage-high"),
    ("voltage-of-nothing", did(TELEMATICS, VOLTAGE, b""), "wrong-answer"),
    ("voltage-of-five-bytes", did(TELEMATICS, VOLTAGE, b"\0\0\0\0\x34"), "wrong-answer"),
    ("ignition-off", did(TELEMATICS, IGNITION, b"\0"), "ignition"),
    ("moving", did(TELEMATICS, SPEED, b"\0\1"), "moving"),
]

# name, lie, the ECU it is about, its reason
PARKED = [
    ("stored-metadata-stays-old", did(DOOR, STORED, b"\0"), DOOR, "metadata-not-proven"),
    ("root-stays-old", did(DOOR, DIRECTOR, flipped), DOOR, "root-not-proven"),
    ("stays-in-its-bootloader", NeverStarts(DOOR), DOOR, "bootloader"),
    ("digest-of-another-image", routine(DOOR, 0x0210, flipped), DOOR, "image-not-proven"),
    ("digest-said-again", OldAnswers(DOOR, 0x0210), DOOR, "image-not-proven"),
    ("proof-by-nobody", routine(DOOR, 0x0231, flipped), DOOR, "key-not-proven"),
    ("report-changed", routine(DOOR, 0x0240, signed_value("installed_image", {})), DOOR, "report-not-proven"),
    ("report-of-another-vehicle", routine(DOOR, 0x0240, signed_value("vin", "1RBDM7AA2TA000002")), DOOR, "report-not-proven"),
    ("locked", refuse(DOOR, 0x29, 0x52), DOOR, "ecu-locked"),
    ("too-many-wrong-keys", refuse(DOOR, 0x29, 0x36), DOOR, "ecu-locked-out"),
    ("security-delay-for-ever", refuse(DOOR, 0x29, 0x37), DOOR, "security-delay"),
    ("download-refused", refuse(DOOR, 0x34, 0x70), DOOR, "refused"),
    ("voltage-drops-in-download", refuse(DOOR, 0x34, 0x93), DOOR, "voltage-low"),
    ("blocks-of-nothing", lambda source, request, answer: b"\x74\x10\x02" if source == DOOR and answer[:1] == b"\x74" else answer, DOOR,
     "wrong-answer"),
    ("another-counter", lambda source, request, answer: b"\x76\xee" if source == DOOR and answer[:1] == b"\x76" else answer, DOOR, "wrong-answer"),
    ("busy-for-ever", refuse(DOOR, 0x31, 0x21), DOOR, "ecu-busy"),
    # a word of the link or of the workstation from an ECU does not end the run for the others
    ("says-that-the-link-is-lost", routine(DOOR, 0x0220, lambda rest: b"\1link-lost"), DOOR, "refused"),
    ("says-that-the-disk-is-full", routine(DOOR, 0x0220, lambda rest: b"\1no-space"), DOOR, "refused"),
    ("says-that-it-was-cancelled", routine(DOOR, 0x0220, lambda rest: b"\1cancelled"), DOOR, "refused"),
    ("she-counter-stays-old", did(SENSOR, 0xFD05, lambda value: value[:1] + b"\0\0\0\0" + value[5:]), SENSOR, "key-not-proven"),
    ("she-answer-of-another-key", routine(SENSOR, 0x0250, flipped), SENSOR, "key-not-proven"),
]


class Case(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()
        self.serials = {int(ecu["logical"], 16): seed["serial"] for ecu, seed in
                        zip(json.loads((self.bench.oem / "vehicle.json").read_text())["ecus"],
                            json.loads((self.bench.oem / "vehicle" / "seed.json").read_text())["ecus"])}

    def recover_through(self, lie, expect):
        """Verdict, and reason by ECU of the last record or events."""
        proxy = Proxy(self.bench.link, lie)
        self.addCleanup(proxy.close)
        verdict = self.bench.recover(expect=expect, link=proxy.link)
        self.assertGreater(proxy.told, 0, "the lie was never told")
        return verdict

    def parked(self):
        """Reason by serial, from the newest record."""
        record = json.loads(self.bench.records()[-1].read_text())
        import base64
        predicate = json.loads(base64.b64decode(record["payload"]))["predicate"]
        return predicate, {ecu["ecuSerial"]: ecu.get("reason") for ecu in predicate["ecus"] if ecu["outcome"] == "failed"}

    def finishes(self):
        self.assertTrue(self.bench.recover()["ok"])
        self.assertEqual(self.bench.differences(), [])


def before_writing(name, lie, reason):
    def test(self):
        verdict = self.recover_through(lie, 1)
        if reason is not None:
            self.assertEqual(verdict["reason"], reason, verdict)
        self.assertFalse(verdict["ok"])
        self.assertEqual(self.bench.wrote(), [], "nothing was written")
    test.__name__ = "test_" + name.replace("-", "_")
    return test


def parks(name, lie, address, reason):
    def test(self):
        verdict = self.recover_through(lie, 3)
        self.assertEqual((verdict["ok"], verdict["reason"]), (False, "not-complete"), verdict)
        predicate, parked = self.parked()
        self.assertNotEqual(predicate["result"], "completed")
        self.assertIn(self.serials[address], parked, "an ECU that lies is not done")
        if reason is not None:
            self.assertEqual(parked[self.serials[address]], reason)
        self.finishes()
    test.__name__ = "test_" + name.replace("-", "_")
    return test


class BeforeWriting(Case):
    pass


class Waited(Case):
    """What an ECU cannot do yet is waited for, in the same run."""

    def completes(self, lie):
        self.assertTrue(self.recover_through(lie, 0)["ok"])
        self.assertEqual(self.bench.differences(), [])

    def test_busy_for_a_second(self):
        self.completes(together(Later(DOOR, 0x31, 0x21, 1), Later(GATEWAY, 0x31, 0x94, 1)))

    def test_lost_responses_are_counted_between_successes(self):
        lossy = LosesEach(DOOR, SENSOR)
        self.completes(lossy)
        self.assertGreaterEqual(len(lossy.lost), 14)

    def test_wrong_response_is_observed_again(self):
        """One wrong digest and one wrong proof of possession: the ECU is observed again like after silence."""
        told = set()

        def once(source, request, answer):
            if source != DOOR or answer[:4] not in (b"\x71\1\2\x10", b"\x71\1\2\x31") or answer[:4] in told:
                return answer
            told.add(answer[:4])
            return answer[:5]
        self.completes(once)

    def test_late_routine_responses(self):
        """Each response to a routine comes once more after the next routine's request."""
        late = {}

        def twice(source, request, answer):
            if answer[:1] != b"\x71":
                return answer
            before, late[source] = late.get(source), answer
            return [before, answer] if before and before != answer else answer
        self.completes(twice)

    def test_coding_where_only_metadata_are_missing(self):
        """The image holds, the coding was not written yet, and metadata are written by the bootloader."""
        def no_coding(source, request, answer):
            return b"\x7f\x2e\x72" if source == DOOR and request[:2] == b"\x2e\x06" and answer[:1] == b"\x6e" else answer
        self.recover_through(no_coding, 3)
        installed = []

        def forgets(source, request, answer):
            if source == DOOR and request.startswith(INSTALL):
                installed.append(request)
            return did(DOOR, STORED, lambda value: value if installed else b"\0")(source, request, answer)
        self.completes(forgets)
        self.assertGreater(len(installed), 0)

    def test_lost_digest_loses_no_coding(self):
        """An ECU is left in its programming session with a valid application: that is started and tells its coding before the erasure."""
        lost = []

        def once(source, request, answer):
            if source not in (DOOR, SENSOR, TELEMATICS) or answer[:4] != b"\x71\1\2\x10" or source in lost:
                return answer
            lost.append(source)
            return None
        self.completes(once)
        self.assertEqual(len(lost), 3)

    def test_late_response_names_the_key_before(self):
        """The response to a lost request comes to its repetition: the ECU has made another key meanwhile."""
        made = []

        def late(source, request, answer):
            if source != DOOR or answer[:4] != b"\x71\1\2\x30":
                return answer
            made.append(answer)
            return None if len(made) == 1 else made[-2] if len(made) == 2 else answer
        self.completes(late)
        self.assertEqual(len(made), 3)

    def test_p2_star_of_655_seconds(self):
        """The wait has a cap of ours; then the ECU is observed, and what it did holds."""
        self.completes(Endless(DOOR))

    def test_security_delay_after_power_on(self):
        self.completes(Later(DOOR, 0x29, 0x37, 3))


class Until:
    """The ECU rejects a request although it reports that what the request builds on holds, until that was made again."""

    def __init__(self, address, request, response, made):
        self.address, self.request, self.response, self.made, self.done = address, request, response, made, False

    def __call__(self, source, request, answer):
        if source != self.address or answer[:1] == b"\x7f":
            return answer
        self.done = self.done or request.startswith(self.made)
        return self.response if not self.done and request.startswith(self.request) else answer


INSTALL, ANCHOR, ERASE, MAKE, PROVE, REPORT, DIGEST = (b"\x31\1" + struct.pack("!H", number) for number in (
    0x0220, 0x0221, 0xFF00, 0x0230, 0x0231, 0x0240, 0x0210))
CONDITIONS = b"\x7f\x31\x22"

# what an ECU of a complete vehicle rejects, its response, what has to be made again
SECOND_WAY = [
    ("report", REPORT, CONDITIONS, MAKE),
    ("report-of-an-older-image", REPORT, b"\x71\1" + REPORT[2:] + b"\0{}", ERASE),
    ("proof-of-the-key", PROVE, CONDITIONS, MAKE),
    ("digest-of-the-image", DIGEST, CONDITIONS, ERASE),
]


class SecondWay(Case):
    """Whatever an ECU lost although it reports it: the same command completes the vehicle."""

    def made_again(self, address, *lie, also=lambda until: lambda source, request, answer: answer):
        until = Until(address, *lie)
        before = len(self.bench.events())
        self.assertTrue(self.recover_through(together(until, also(until)), 0)["ok"])
        self.assertTrue(until.done)
        self.assertEqual({event["serial"] for event in self.bench.wrote(before)}, {self.serials[address]}, "the others hold")
        self.assertEqual(self.bench.differences(), [])

    def of_complete_vehicle(self, *lie):
        self.finishes()
        for address in (TELEMATICS, GATEWAY, DOOR):
            self.made_again(address, *lie)

    def test_root(self):
        """Metadata are rejected as of unknown keys under the campaign's root, until the root is written again."""
        self.finishes()
        self.made_again(DOOR, INSTALL, b"\x71\1\2\x20\1threshold-unmet", ANCHOR,
                        also=lambda until: did(DOOR, STORED, lambda value: value if until.done else b"\0"))

    def test_image_under_a_key(self):
        """No key is made on an image that the bootloader proves, until that is written again."""
        lost = refuse_routine(DOOR, MAKE)
        self.recover_through(lost, 3)
        self.made_again(DOOR, MAKE, CONDITIONS, ERASE)

    def test_once(self):
        """What is rejected for ever is parked, and each step was made again at most once."""
        self.finishes()
        before = len(self.bench.events())
        self.recover_through(refuse_routine(DOOR, REPORT), 3)
        self.assertEqual(self.parked()[1][self.serials[DOOR]], "refused")
        wrote = [(event["event"], event.get("address")) for event in self.bench.wrote(before) if event["serial"] == self.serials[DOOR]]
        for what in set(wrote):  # a key goes with its image, metadata go with their root
            self.assertLessEqual(wrote.count(what), 2 if what[0] in ("key", "metadata") else 1, what)
        self.finishes()


def refuse_routine(address, start):
    return lambda source, request, answer: CONDITIONS if source == address and request.startswith(start) and answer[:1] == b"\x71" else answer


for entry in SECOND_WAY:
    setattr(SecondWay, "test_" + entry[0].replace("-", "_"), lambda self, entry=entry: self.of_complete_vehicle(*entry[1:]))


class Parked(Case):
    def of_another_day(self, number, word):
        """What was true in the first run is said again in the second."""
        old = OldAnswers(DOOR, number)
        self.recover_through(together(old, routine(DOOR, 0x0240, flipped)), 3)
        self.assertIsNotNone(old.first)
        self.recover_through(old, 3)
        self.assertEqual(self.parked()[1][self.serials[DOOR]], word)
        self.finishes()

    def test_proof_of_another_day(self):
        self.of_another_day(0x0231, "key-not-proven")

    def test_report_of_another_day(self):
        self.of_another_day(0x0240, "report-not-proven")

    def test_code_is_of_the_rejection_that_parked(self):
        """An ECU of other hardware that rejects a DID before: no NRC stands beside hardware-mismatch."""
        def lie(source, request, answer):
            return b"\x7f\x22\x31" if source == DOOR and request == b"\x22\xfd\x20" else answer
        self.recover_through(together(did(DOOR, HARDWARE, b"other"), lie), 3)
        predicate, parked = self.parked()
        self.assertEqual(parked[self.serials[DOOR]], "hardware-mismatch")
        failures = {ecu["ecuSerial"]: ecu["failure"] for ecu in predicate["ecus"] if ecu["outcome"] == "failed"}
        self.assertNotIn("nrc", failures[self.serials[DOOR]])
        self.recover_through(refuse(DOOR, 0x34, 0x70), 3)
        predicate, _ = self.parked()
        failures = {ecu["ecuSerial"]: ecu["failure"] for ecu in predicate["ecus"] if ecu["outcome"] == "failed"}
        self.assertEqual(failures[self.serials[DOOR]]["nrc"], 0x70)
        self.finishes()

    def test_answer_to_a_key_update_is_lost(self):
        """It cannot be had again; that the key is there is read when the ECU is looked at again."""
        self.recover_through(lambda source, request, answer: None if source == SENSOR and answer[:4] == b"\x71\1\2\x50" else answer, 0)
        self.assertEqual(self.bench.differences(), [])

    def test_no_key_update_in_the_campaign(self):
        """The OEM made none for the SHE ECU: only new hardware helps."""
        folder = self.bench.root / "bundle"
        folder.mkdir()
        subprocess.run(["tar", "-xf", self.bench.oem / "campaign.recall", "-C", folder], check=True, timeout=60)
        (folder / "vins" / self.bench.vin / "she.json").unlink()
        self.bench.ctl("bundle", "remove", self.bench.campaign)
        self.bench.ctl("bundle", "import", folder)
        verdict = self.bench.recover(expect=3)
        self.assertEqual(verdict["reason"], "not-complete", verdict)
        self.assertEqual(self.parked()[1][self.serials[SENSOR]], "hardware-needed")


for entry in BEFORE_WRITING:
    setattr(BeforeWriting, "test_" + entry[0].replace("-", "_"), before_writing(*entry))
for entry in PARKED:
    setattr(Parked, "test_" + entry[0].replace("-", "_"), parks(*entry))

if __name__ == "__main__":
    if len(sys.argv) == 1:  # no case is named: the classes of this part
        sys.argv += os.environ.get("RB_CLASSES", "").split()
    unittest.main()
