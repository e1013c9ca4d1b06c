# SPDX-License-Identifier: Apache-2.0
"""Keys, reports, roots and SHE updates of the simulated ECUs, judged by python's cryptography.

Usage: test-keys.py BUILD
"""

import base64
import json
import struct
import sys
import unittest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import cmac, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tester import DEFAULT, EXTENDED, PROGRAMMING, Demo, Vehicle, field, fields, random_bytes, sha256

BUILD = sys.argv.pop(1)
NONCE, CHALLENGE = bytes(range(32)), bytes(range(100, 116))


def setUpModule():
    global DEMO, CAMPAIGN
    DEMO = Demo(BUILD)
    CAMPAIGN = (DEMO.oem / "campaign.txt").read_text().strip()


def tearDownModule():
    DEMO.close()


def refusal(service, nrc):
    return bytes([0x7F, service, nrc])


def pae(kind, payload):
    """DSSE's pre-authentication encoding"""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def possession(vin, serial, spki, campaign, nonce, challenge):
    return pae(b"recallbay-pop-v1", b"".join(map(field, (vin.encode(), serial.encode(), sha256(spki), campaign.encode(), nonce, challenge))))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Case(unittest.TestCase):
    def setUp(self):
        self.car = Vehicle(DEMO)
        self.addCleanup(self.car.stop)

    def ecu(self, name, source=0xE80):
        ecu = self.car.ecu(name, source=source)
        self.addCleanup(ecu.tester.close)
        return ecu

    def prove(self, ecu, campaign=None, nonce=NONCE, challenge=CHALLENGE):
        option = field((campaign or CAMPAIGN).encode()) + field(nonce) + field(challenge)
        return ecu.routine(0x0231, option)


class Asymmetric(Case):
    def make(self, ecu):
        ecu.unlock(EXTENDED)
        answer = ecu.routine(0x0230)
        self.assertEqual(answer[:1], b"\0")
        spki, = fields(answer[1:])
        return spki

    def test_a_key_is_made_inside(self):
        brake = self.ecu("brake")
        old = brake.did(0xFD07)
        spki = self.make(brake)
        self.assertNotEqual(spki, old)
        self.assertEqual(brake.did(0xFD07), spki)
        self.assertEqual(brake.did(0xFD03).decode(), sha256(spki).hex())
        self.assertEqual(len({old, spki, *(self.make(brake) for _ in range(4))}), 6, "each time another")
        self.assertEqual(len(self.car.events("key")), 5)

    def test_it_outlives_power(self):
        brake = self.ecu("brake")
        spki = self.make(brake)
        self.car.stop()
        with Vehicle(DEMO, state=self.car.state) as car, car.ecu("brake") as again:
            self.assertEqual(again.did(0xFD07), spki)

    def test_only_unlocked_application_in_extended_session(self):
        brake = self.ecu("brake")
        self.assertEqual(brake.routine(0x0230), refusal(0x31, 0x7F))
        brake.session(EXTENDED)
        self.assertEqual(brake.routine(0x0230), refusal(0x31, 0x34))
        brake.unlock(PROGRAMMING)
        self.assertEqual(brake.routine(0x0230), refusal(0x31, 0x7F))
        brake.unlock(EXTENDED)
        self.assertEqual(brake.routine(0x0230, b"\0"), refusal(0x31, 0x13))
        self.assertEqual(self.car.events("key"), [])

    def test_proof_of_possession(self):
        brake = self.ecu("brake")
        serial = DEMO.seed_of("brake")["serial"]
        spki = self.make(brake)
        brake.session(DEFAULT)
        for challenge in (CHALLENGE, random_bytes(16), random_bytes(32)):
            answer = self.prove(brake, challenge=challenge)
            proven, signature = fields(answer[1:])
            key = serialization.load_der_public_key(proven)
            self.assertEqual((answer[0], proven), (0, spki))
            key.verify(signature, possession(DEMO.vin, serial, spki, CAMPAIGN, NONCE, challenge))
            for other in (possession(DEMO.vin, "SN-DOOR-0001", spki, CAMPAIGN, NONCE, challenge),
                          possession("1RBDM7AA2TA000002", serial, spki, CAMPAIGN, NONCE, challenge),
                          possession(DEMO.vin, serial, spki, "R-0000-00", NONCE, challenge),
                          possession(DEMO.vin, serial, spki, CAMPAIGN, challenge, NONCE)):
                with self.assertRaises(InvalidSignature):
                    key.verify(signature, other)

    def test_proof_refused(self):
        brake = self.ecu("brake")
        for option in (b"", field(b"c"), field(b"c") + field(NONCE), field(b"c") + field(NONCE) + field(b"short"),
                       field(b"c") + field(NONCE) + field(CHALLENGE) + b"\0", b"\xff\xff"):
            self.assertEqual(brake.routine(0x0231, option), refusal(0x31, 0x13))
        brake.session(PROGRAMMING)
        self.assertEqual(self.prove(brake), refusal(0x31, 0x7F))

    def test_she_ecu_makes_none(self):
        sensor = self.ecu("sensor")
        sensor.unlock(EXTENDED)
        self.assertEqual(sensor.routine(0x0230), refusal(0x31, 0x22))
        self.assertEqual(self.prove(sensor), refusal(0x31, 0x22))

    def test_faults_are_seen_by_who_looks(self):
        with Vehicle(DEMO, "--fault", "brake:keep-key", "--fault", "door:wrong-proof") as car:
            with car.ecu("brake") as brake:
                old = brake.did(0xFD07)
                said = self.make(brake)
                self.assertNotEqual(said, old)
                self.assertEqual(brake.did(0xFD07), old)
            with car.ecu("door", source=0xE81) as door:
                spki, signature = fields(self.prove(door)[1:])
                message = possession(DEMO.vin, DEMO.seed_of("door")["serial"], spki, CAMPAIGN, NONCE, CHALLENGE)
                with self.assertRaises(InvalidSignature):
                    serialization.load_der_public_key(spki).verify(signature, message)


class Reports(Case):
    def report(self, ecu, routine=0x0240, nonce=NONCE, challenge=CHALLENGE):
        answer = ecu.routine(routine, field(nonce) + field(challenge))
        self.assertEqual(answer[:1], b"\0", answer[:3].hex())
        return json.loads(answer[1:])

    def check(self, envelope, spki):
        signature, = envelope["signatures"]
        self.assertEqual(signature["keyid"], sha256(spki).hex())
        self.assertEqual(signature["method"], "ed25519")
        serialization.load_der_public_key(spki).verify(base64.b64decode(signature["sig"]), canonical(envelope["signed"]))

    def test_signed_by_the_ecus_key(self):
        for name in ("telematics", "brake"):
            ecu = self.ecu(name)
            envelope = self.report(ecu)
            self.check(envelope, ecu.did(0xFD07))
            envelope["signed"]["installed_image"]["filepath"] = "x"
            with self.assertRaises(InvalidSignature):
                self.check(envelope, ecu.did(0xFD07))
            ecu.tester.close()

    def test_says_what_is_there(self):
        brake = self.ecu("brake")
        signed = self.report(brake)["signed"]
        self.assertEqual(signed["ecu_serial"], DEMO.seed_of("brake")["serial"])
        self.assertEqual(signed["vin"], DEMO.vin)
        self.assertEqual((signed["nonce"], signed["challenge"]), (NONCE.hex(), CHALLENGE.hex()))
        self.assertEqual(signed["installed_image"]["fileinfo"]["hashes"]["sha256"], brake.did(0xFD20).hex())
        self.assertEqual(signed["installed_image"]["filepath"], DEMO.seed_of("brake")["image_path"])
        self.assertEqual(struct.pack("!I", signed["director_root"]["version"]) + bytes.fromhex(signed["director_root"]["sha256"]), brake.did(0xFD01))
        self.assertIsNone(signed["image_root"])

    def test_counter_grows_over_power(self):
        brake = self.ecu("brake")
        counters = [int(self.report(brake)["signed"]["report_counter"]) for _ in range(3)]
        self.car.stop()
        with Vehicle(DEMO, state=self.car.state) as car, car.ecu("brake") as again:
            counters.append(int(self.report(again)["signed"]["report_counter"]))
        self.assertEqual(counters, sorted(set(counters)))

    def test_manifest(self):
        primary = self.ecu("telematics")
        envelope = self.report(primary, 0x0241)
        signed = envelope["signed"]
        self.check(envelope, primary.did(0xFD07))
        self.assertEqual(signed["primary_ecu_serial"], DEMO.seed_of("telematics")["serial"])
        self.assertEqual(set(signed["ecu_version_manifests"]), {ecu["serial"] for ecu in DEMO.seed["ecus"]})
        for number, entry in enumerate(DEMO.seed["ecus"]):
            report = signed["ecu_version_manifests"][entry["serial"]]
            self.assertEqual(report["signed"]["nonce"], NONCE.hex())
            if entry["she"] is None:
                with self.car.ecu(entry["name"], source=0xE90 + number) as ecu:
                    self.check(report, ecu.did(0xFD07))

    def test_secondary_has_no_manifest(self):
        self.assertEqual(self.ecu("brake").routine(0x0241, field(NONCE) + field(CHALLENGE)), refusal(0x31, 0x22))

    def test_refused(self):
        brake = self.ecu("brake")
        for option in (b"", field(NONCE), field(NONCE) + b"\0\x20", field(NONCE) + field(CHALLENGE) + b"\0"):
            self.assertEqual(brake.routine(0x0240, option), refusal(0x31, 0x13))
        brake.session(PROGRAMMING)
        self.assertEqual(brake.routine(0x0240, field(NONCE) + field(CHALLENGE)), refusal(0x31, 0x7F))


# SHE memory update protocol (AUTOSAR SHE 4.7), from its text and not from the simulator's code
KEY_UPDATE_ENC = bytes.fromhex("010153484500800000000000000000b0")
KEY_UPDATE_MAC = bytes.fromhex("010253484500800000000000000000b0")


def encrypt(key, mode, data):
    encryptor = Cipher(algorithms.AES(key), mode).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def mac(key, data):
    made = cmac.CMAC(algorithms.AES(key))
    made.update(data)
    return made.finalize()


def compress(data):
    """Miyaguchi–Preneel with AES-128"""
    state = b"\0" * 16
    for at in range(0, len(data), 16):
        block = data[at:at + 16]
        state = bytes(a ^ b ^ c for a, b, c in zip(encrypt(state, modes.ECB(), block), block, state))
    return state


def she_update(uid, slot, auth_slot, auth_key, new_key, counter, flags=0):
    k1, k2 = compress(auth_key + KEY_UPDATE_ENC), compress(auth_key + KEY_UPDATE_MAC)
    m1 = uid + bytes([slot << 4 | auth_slot])
    m2 = encrypt(k1, modes.CBC(b"\0" * 16), (counter << 100 | flags << 95).to_bytes(16, "big") + new_key)
    m3 = mac(k2, m1 + m2)
    k3, k4 = compress(new_key + KEY_UPDATE_ENC), compress(new_key + KEY_UPDATE_MAC)
    m4 = m1 + encrypt(k3, modes.ECB(), (counter << 100 | 1 << 99).to_bytes(16, "big"))
    return m1, m2, m3, m4, mac(k4, m4)


class She(Case):
    NEW = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")

    def setUp(self):
        super().setUp()
        self.she = DEMO.seed_of("sensor")["she"]
        self.uid, self.master = bytes.fromhex(self.she["uid"]), bytes.fromhex(self.she["master"])
        self.sensor = self.ecu("sensor")
        self.sensor.unlock(EXTENDED)

    def update(self, counter=None, uid=None, slot=None, master=None):
        return she_update(uid or self.uid, slot or self.she["slot"], 1, master or self.master, self.NEW, counter or self.she["counter"] + 1)

    def load(self, messages):
        return self.sensor.routine(0x0250, b"".join(messages[:3]))

    def test_published_vector(self):
        """AUTOSAR SHE 13.7: this file's own arithmetic is right."""
        made = she_update(b"\0" * 14 + b"\1", 4, 1, bytes(range(16)), bytes(range(15, -1, -1)), 1)
        self.assertEqual([part.hex() for part in made],
                         ["00000000000000000000000000000141", "2b111e2d93f486566bcbba1d7f7a9797c94643b050fc5d4d7de14cff682203c3",
                          "b9d745e5ace7d41860bc63c2b9f5bb46", "00000000000000000000000000000141b472e8d8727d70d57295e74849a27917",
                          "820d8d95dc11b4668878160cb2a4e23e"])

    def test_loaded(self):
        messages = self.update()
        self.assertEqual(self.load(messages), b"\0" + messages[3] + messages[4])
        self.assertEqual(self.sensor.did(0xFD06), messages[3] + messages[4])
        self.assertEqual(self.sensor.did(0xFD05), struct.pack("!BI", self.she["slot"], self.she["counter"] + 1) + self.uid)
        self.assertEqual(self.sensor.did(0xFD03).decode(), f"she:{self.she['slot']}:{self.she['counter'] + 1}")
        self.assertEqual(len(self.car.events("key")), 1)

    def test_reports_are_macced_with_the_new_key(self):
        self.sensor.session(DEFAULT)
        for key in (bytes.fromhex(self.she["key"]), self.NEW):
            answer = self.sensor.routine(0x0240, field(NONCE) + field(CHALLENGE))
            envelope = json.loads(answer[1:])
            signature, = envelope["signatures"]
            self.assertEqual(signature["method"], "aes-cmac")
            self.assertEqual(signature["keyid"], self.sensor.did(0xFD03).decode())
            self.assertEqual(base64.b64decode(signature["sig"]), mac(key, canonical(envelope["signed"])))
            self.sensor.unlock(EXTENDED)
            self.load(self.update())

    def test_refused(self):
        good = self.update()
        flipped = [bytes([part[0] ^ 1]) + part[1:] for part in good]
        table = {"uid": self.update(uid=b"\7" * 15), "counter": self.update(counter=self.she["counter"]),
                 "slot": self.update(slot=self.she["slot"] ^ 1), "master": self.update(master=b"m" * 16),
                 "by the key being replaced": self.update(master=bytes.fromhex(self.she["key"])), "m1": [flipped[0], *good[1:]],
                 "m2": [good[0], flipped[1], good[2]], "m3": [good[0], good[1], flipped[2]]}
        for name, messages in table.items():
            with self.subTest(wrong=name):
                self.assertEqual(self.load(messages), refusal(0x31, 0x31))
        self.assertEqual(self.sensor.did(0xFD05)[1:5], struct.pack("!I", self.she["counter"]))
        self.assertEqual(self.load(good)[:1], b"\0")
        self.assertEqual(self.load(good), refusal(0x31, 0x31), "not twice")

    def test_lengths(self):
        for length in (0, 63, 65):
            self.assertEqual(self.sensor.routine(0x0250, b"x" * length), refusal(0x31, 0x13))

    def test_other_ecus_have_no_slot(self):
        door = self.ecu("door", source=0xE81)
        door.unlock(EXTENDED)
        self.assertEqual(door.routine(0x0250, b"".join(self.update()[:3])), refusal(0x31, 0x22))

    def test_locked(self):
        self.sensor.session(EXTENDED)
        self.assertEqual(self.load(self.update()), refusal(0x31, 0x34))

    def test_kept_over_power(self):
        messages = self.update(counter=0x0FFFFFFE)
        self.load(messages)
        self.car.stop()
        with Vehicle(DEMO, state=self.car.state) as car, car.ecu("sensor") as again:
            self.assertEqual(again.did(0xFD06), messages[3] + messages[4])
            self.assertEqual(again.did(0xFD03).decode(), f"she:{self.she['slot']}:{0x0FFFFFFE}")


class Roots(Case):
    """New roots and metadata, as the campaign's bundle carries them."""

    def stage(self, ecu, *names):
        for name, to in names:
            self.assertEqual(ecu.stage(to, (DEMO.bundle() / name).read_bytes())[0], 0x78)

    def service(self):
        targets = DEMO.bundle() / "service" / "targets" / "campaigns" / f"{CAMPAIGN}.json"
        return [("service/metadata/1.root.json", "service/1.root.json"), ("service/metadata/targets.json", "service/targets.json"),
                (str(targets.relative_to(DEMO.bundle())), "campaign.json")]

    def assert_root(self, ecu, version):
        root = (DEMO.bundle() / "director" / "metadata" / f"{version}.root.json").read_bytes()
        self.assertEqual(ecu.did(0xFD01), struct.pack("!I", version) + sha256(root))

    def test_full_ecu_walks_the_chain(self):
        gateway = self.ecu("gateway")
        gateway.unlock(EXTENDED)
        self.assert_root(gateway, 1)
        self.stage(gateway, ("director/metadata/2.root.json", "director/2.root.json"))
        self.assertEqual(gateway.routine(0x0220, b"\1"), b"\0")
        self.assert_root(gateway, 2)
        self.assertEqual(len(self.car.events("root")), 1)

    def test_root_signed_by_nobody(self):
        gateway = self.ecu("gateway")
        gateway.unlock(EXTENDED)
        root = json.loads((DEMO.bundle() / "director/metadata/2.root.json").read_text())
        root["signatures"] = []
        gateway.stage("director/2.root.json", json.dumps(root).encode())
        self.assertEqual(gateway.routine(0x0220, b"\1"), b"\1threshold-unmet")
        self.assert_root(gateway, 1)

    def test_anchored_by_the_campaign(self):
        brake = self.ecu("brake")
        brake.unlock(EXTENDED)
        self.stage(brake, *self.service(), ("director/metadata/2.root.json", "anchor/director.root.json"))
        self.assertEqual(brake.routine(0x0221, b"\0"), b"\0")
        self.assert_root(brake, 2)
        self.assertEqual(brake.did(0xFD04), b"\0", "what was stored under the old keys is dropped")

    def test_anchor_needs_everything(self):
        """Each part left out or replaced: nothing is anchored, and the word says why."""
        brake = self.ecu("brake")
        root = ("director/metadata/2.root.json", "anchor/director.root.json")
        table = [([root], None), (self.service(), b"\1missing"), (self.service()[:2] + [root], b"\1missing"),
                 ([self.service()[0], self.service()[2], root], b"\1missing"),
                 (self.service() + [("director/metadata/1.root.json", "anchor/director.root.json")], b"\1pin-mismatch"),
                 (self.service() + [("image/metadata/1.root.json", "anchor/director.root.json")], b"\1pin-mismatch")]
        for parts, word in table:
            brake.unlock(EXTENDED)
            self.stage(brake, *parts)
            answer = brake.routine(0x0221, b"\0")
            self.assertEqual(answer[:1], b"\1")
            if word is not None:
                self.assertEqual(answer, word)
        self.assert_root(brake, 1)
        self.assertEqual(brake.routine(0x0221, b"\1"), refusal(0x31, 0x31))
        self.assertEqual(brake.routine(0x0221, b""), refusal(0x31, 0x13))

    def test_changed_campaign_is_not_the_authoritys(self):
        brake = self.ecu("brake")
        brake.unlock(EXTENDED)
        self.stage(brake, *self.service()[:2], ("director/metadata/1.root.json", "anchor/director.root.json"))
        campaign = json.loads((DEMO.bundle() / self.service()[2][0]).read_text())
        campaign["roots"]["director"]["sha256"] = sha256((DEMO.bundle() / "director/metadata/1.root.json").read_bytes()).hex()
        brake.stage("campaign.json", json.dumps(campaign).encode())
        self.assertIn(brake.routine(0x0221, b"\0"), (b"\1hash-mismatch", b"\1length-mismatch"))
        campaign["id"] = "R-0000-00"
        self.stage(brake, *self.service()[:2], ("director/metadata/1.root.json", "anchor/director.root.json"))
        brake.stage("campaign.json", json.dumps(campaign).encode())
        self.assertEqual(brake.routine(0x0221, b"\0"), b"\1target-missing")

    def test_drop(self):
        brake = self.ecu("brake")
        brake.unlock(EXTENDED)
        self.assertIn(b"targets", brake.did(0xFD04))
        self.assertEqual(brake.routine(0x0222, b"\0targets"), b"\0")
        self.assertNotIn(b"targets", brake.did(0xFD04))
        for option, nrc in ((b"\0", 0x13), (b"", 0x13), (b"\0" + b"r" * 65, 0x13), (b"\1targets", 0x31), (b"\2targets", 0x31),
                            (b"\0../../x", 0x31), (b"\0a/b", 0x31)):
            self.assertEqual(brake.routine(0x0222, option), refusal(0x31, nrc), option)


if __name__ == "__main__":
    unittest.main()
