# SPDX-License-Identifier: Apache-2.0
"""The simulated ECU's UDS services, asked by scapy: sessions, identification, trouble codes, and who may unlock.

Usage: test-services.py BUILD
"""

import base64
import datetime
import json
import struct
import sys
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scapy.contrib.automotive.uds import UDS, UDS_DSC, UDS_ER, UDS_RDTCI

from tester import (DEFAULT, ECU_AUTHENTICATION, EXTENDED, FUNCTIONAL, PROGRAMMING, Demo, Vehicle, field, ownership, random_bytes, sha256)

BUILD = sys.argv.pop(1)
NRC_SUB_FUNCTION, NRC_LENGTH, NRC_SEQUENCE, NRC_RANGE, NRC_LOCKED = 0x12, 0x13, 0x24, 0x31, 0x34


def setUpModule():
    global DEMO, CAR
    DEMO = Demo(BUILD)
    CAR = Vehicle(DEMO)


def tearDownModule():
    CAR.stop()
    DEMO.close()


def refusal(service, nrc):
    return bytes([0x7F, service, nrc])


class Case(unittest.TestCase):
    def setUp(self):
        self.ecu = CAR.ecu("brake")
        self.addCleanup(self.ecu.tester.close)
        self.ecu.session(DEFAULT)

    def assert_refused(self, answer, nrc):
        self.assertEqual((answer[0], answer[2], len(answer)), (0x7F, nrc, 3), answer.hex())


class Sessions(Case):
    def test_times_are_told(self):
        for session in (DEFAULT, EXTENDED, PROGRAMMING):
            answer = UDS(self.ecu.session(session))
            self.assertEqual(answer.service, 0x50)
            self.assertEqual(answer.diagnosticSessionType, session)
            self.assertEqual(struct.unpack("!HH", bytes(answer)[2:6]), (50, 500))
            self.assertEqual(self.ecu.did(0xF186), bytes([session]))

    def test_refused(self):
        for session in (0, 4, 0x40, 0x7F):
            self.assert_refused(self.ecu.session(session), NRC_SUB_FUNCTION)
        self.assert_refused(self.ecu.ask(b"\x10"), NRC_LENGTH)
        self.assert_refused(self.ecu.ask(b"\x10\x01\x01"), NRC_LENGTH)

    def test_positive_answer_may_be_suppressed(self):
        self.assertTrue(self.ecu.silent(b"\x10\x83"))
        self.assertEqual(self.ecu.did(0xF186), bytes([EXTENDED]))
        self.assertTrue(self.ecu.silent(b"\x3e\x80"))
        self.assert_refused(self.ecu.ask(b"\x10\xff"), NRC_SUB_FUNCTION)

    def test_services_of_a_session(self):
        """service, request, sessions in which it is there (unlocked or not)"""
        table = [(0x27, b"\x27\x01", ()), (0x2E, b"\x2e\xf1\x90\0", (PROGRAMMING, EXTENDED)), (0x28, b"\x28\0\1", (PROGRAMMING, EXTENDED)),
                 (0x85, b"\x85\1", (PROGRAMMING, EXTENDED)), (0x29, b"\x29\x08", (PROGRAMMING, EXTENDED)),
                 (0x34, b"\x34\0\x44" + b"\0" * 8, (PROGRAMMING,)), (0x36, b"\x36\1\1", (PROGRAMMING, EXTENDED)),
                 (0x37, b"\x37", (PROGRAMMING, EXTENDED)), (0x38, b"\x38\1", (PROGRAMMING, EXTENDED))]
        for service, request, sessions in table:
            for session in (DEFAULT, PROGRAMMING, EXTENDED):
                self.ecu.session(session)
                answer = self.ecu.ask(request)
                with self.subTest(service=hex(service), session=session):
                    if not sessions:
                        self.assertEqual(answer, refusal(service, 0x11))
                    elif session not in sessions:
                        self.assertEqual(answer, refusal(service, 0x7F))
                    else:
                        self.assertNotEqual(answer, refusal(service, 0x7F))

    def test_every_service_that_is_not_there(self):
        there = {0x10, 0x11, 0x14, 0x19, 0x22, 0x28, 0x29, 0x2E, 0x31, 0x34, 0x36, 0x37, 0x38, 0x3E, 0x85}
        for service in set(range(0x00, 0x40)) | set(range(0x80, 0xC0)):
            if service not in there:
                self.assertEqual(self.ecu.ask(bytes([service, 1])), refusal(service, 0x11))

    def test_reset(self):
        self.ecu.unlock()
        answer = UDS(self.ecu.ask(UDS() / UDS_ER(resetType=1)))
        self.assertEqual((answer.service, answer.resetType), (0x51, 1))
        self.assertEqual(self.ecu.did(0xF186), bytes([DEFAULT]))
        self.ecu.session(PROGRAMMING)
        self.assert_refused(self.ecu.erase(0, 1), NRC_LOCKED)
        for kind, nrc in ((0, NRC_SUB_FUNCTION), (4, NRC_SUB_FUNCTION), (0x7F, NRC_SUB_FUNCTION)):
            self.assert_refused(self.ecu.ask(UDS() / UDS_ER(resetType=kind)), nrc)
        self.assert_refused(self.ecu.ask(b"\x11"), NRC_LENGTH)

    def test_communication_and_dtc_setting(self):
        self.ecu.session(EXTENDED)
        self.assertEqual(self.ecu.ask(b"\x28\x01\x01"), b"\x68\x01")
        self.assertEqual(self.ecu.ask(b"\x28\x00\x01"), b"\x68\x00")
        self.assert_refused(self.ecu.ask(b"\x28\x04\x01"), NRC_SUB_FUNCTION)
        self.assert_refused(self.ecu.ask(b"\x28\x01"), NRC_LENGTH)
        self.assertEqual(self.ecu.ask(b"\x85\x02"), b"\xc5\x02")
        self.assertEqual(self.ecu.ask(b"\x85\x01"), b"\xc5\x01")
        self.assert_refused(self.ecu.ask(b"\x85\x03"), NRC_SUB_FUNCTION)
        self.assert_refused(self.ecu.ask(b"\x85"), NRC_LENGTH)

    def test_tester_present(self):
        self.assertEqual(self.ecu.ask(b"\x3e\0"), b"\x7e\0")
        self.assert_refused(self.ecu.ask(b"\x3e\1"), NRC_SUB_FUNCTION)
        self.assert_refused(self.ecu.ask(b"\x3e"), NRC_LENGTH)
        self.assert_refused(self.ecu.ask(b"\x3e\0\0"), NRC_LENGTH)


class Identification(Case):
    def test_every_ecu(self):
        shown = {ecu["serial"]: ecu for ecu in show(CAR)["ecus"]}
        for model, seed in zip(DEMO.model["ecus"], DEMO.seed["ecus"]):
            with CAR.ecu(model["name"], source=0xE82) as ecu, self.subTest(ecu=model["name"]):
                facts = shown[seed["serial"]]
                self.assertEqual(ecu.did(0xF190).decode(), DEMO.vin)
                self.assertEqual(ecu.did(0xF18C).decode(), seed["serial"])
                self.assertEqual(ecu.did(0xF191).decode(), model["hardware_id"])
                self.assertEqual(ecu.did(0xF195).decode(), seed["software"])
                self.assertEqual(ecu.did(0xFD00), b"\0\1")
                self.assertEqual(ecu.did(0xFD20).hex(), facts["image_sha256"])
                self.assertEqual(ecu.did(0xFD03).decode(), facts["key_id"])
                self.assertEqual(ecu.did(0xFD01), struct.pack("!I", facts["director_root"]) + bytes.fromhex(facts["director_root_sha256"]))
                if model["verification"] == "full":
                    self.assertEqual(ecu.did(0xFD02), struct.pack("!I", facts["image_root"]) + bytes.fromhex(facts["image_root_sha256"]))
                else:
                    self.assertEqual(ecu.did(0xFD02), refusal(0x22, NRC_RANGE))
                    self.assertIsNone(facts["image_root"])

    def test_stored_metadata(self):
        """What the ECU tells is what its stores hold: versions, digests, and where the file is kept its bytes."""
        for name in ("telematics", "brake"):
            with CAR.ecu(name, source=0xE83) as ecu:
                told = stored_entries(ecu.did(0xFD04))
            kept = {}
            stores = json.loads((CAR.folder(name) / "state.json").read_text())["stores"]
            for repo, folder in ((0, "director"), (1, "image")):
                store = stores.get(folder, {"versions": {}})
                delegated = {name.split("\n", 1)[1]: entry for name, entry in store["versions"].get("delegated", {}).items()}
                for role, entry in {**delegated, **store["versions"].get("roles", {})}.items():
                    kept[repo, role] = (entry["version"], entry["sha256"])
                    if role in store:
                        self.assertEqual(sha256(base64.b64decode(store[role])).hex(), entry["sha256"])
            self.assertEqual(told, kept, name)
            self.assertIn((0, "targets"), told)

    def test_primary_only(self):
        with CAR.ecu("telematics", source=0xE84) as primary:
            self.assertEqual(primary.did(0xFD10), struct.pack("!H", DEMO.seed["voltage_mv"]))
            self.assertEqual(primary.did(0xFD11), b"\2")
            self.assertEqual(primary.did(0xFD12), b"\0\0")
        for did in (0xFD10, 0xFD11, 0xFD12):
            self.assertEqual(self.ecu.did(did), refusal(0x22, NRC_RANGE))

    def test_she_only(self):
        for did in (0xFD05, 0xFD06):
            self.assertEqual(self.ecu.did(did), refusal(0x22, NRC_RANGE))
        with CAR.ecu("sensor", source=0xE85) as sensor:
            she = DEMO.seed_of("sensor")["she"]
            self.assertEqual(sensor.did(0xFD05), struct.pack("!BI", she["slot"], she["counter"]) + bytes.fromhex(she["uid"]))
            self.assertEqual(len(sensor.did(0xFD06)), 48)
            self.assertEqual(sensor.did(0xFD07), refusal(0x22, NRC_RANGE))
            self.assertEqual(sensor.did(0xFD03).decode(), f"she:{she['slot']}:{she['counter']}")

    def test_key_is_the_file(self):
        pem = (DEMO.oem / "vehicle" / DEMO.seed_of("brake")["key"]).read_bytes()
        public = serialization.load_pem_private_key(pem, None).public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.assertEqual(self.ecu.did(0xFD07), der)
        self.assertEqual(self.ecu.did(0xFD03).decode(), sha256(der).hex())

    def test_several_at_once(self):
        answer = self.ecu.ask(b"\x22\xf1\x86\xfd\x00")
        self.assertEqual(answer, b"\x62\xf1\x86\x01\xfd\x00\x00\x01")
        # ISO 14229-1: what it does not have is left out, and refused only when it has none of them
        self.assertEqual(self.ecu.ask(b"\x22\xf1\x86\xfd\x02"), b"\x62\xf1\x86\x01")
        self.assertEqual(self.ecu.ask(b"\x22\xfd\x02\xff\x00"), refusal(0x22, NRC_RANGE))

    def test_lengths(self):
        for request in (b"\x22", b"\x22\xf1", b"\x22\xf1\x90\xf1"):
            self.assert_refused(self.ecu.ask(request), NRC_LENGTH)

    def test_unknown(self):
        for did in (0x0000, 0xF180, 0xF1FF, 0xFD08, 0xFD21, 0xFFFF):
            self.assertEqual(self.ecu.did(did), refusal(0x22, NRC_RANGE))

    def test_bootloader_says_so(self):
        self.ecu.session(PROGRAMMING)
        self.assertEqual(self.ecu.did(0xFD00), b"\1\1")
        self.assertEqual(self.ecu.did(0xF195), b"bootloader")


def stored_entries(data):
    """{(repository, role): (version, digest)}"""
    found, at = {}, 1
    while at < len(data):
        repo, length = data[at], data[at + 1]
        role = data[at + 2:at + 2 + length].decode()
        at += 2 + length
        found[repo, role] = (struct.unpack("!I", data[at:at + 4])[0], data[at + 4:at + 36].hex())
        at += 36
    assert len(found) == data[0] and at == len(data)
    return found


class TroubleCodes(Case):
    def test_none(self):
        answer = UDS(self.ecu.ask(UDS() / UDS_RDTCI(reportType=2, DTCStatusMask=0xFF)))
        self.assertEqual((answer.service, answer.DTCStatusAvailabilityMask), (0x59, 0xFF))

    def test_filtered_by_the_mask(self):
        """Only a DTC that has one of the bits of the mask is there, with its whole status."""
        with Vehicle(DEMO) as car:
            state = car.copy_of_state()
        path = state / "ecus" / DEMO.seed_of("brake")["serial"] / "state.json"
        memory = json.loads(path.read_text())
        path.write_text(json.dumps({**memory, "dtcs": ["C10000", "0A0B0C"]}))
        both = b"\xc1\0\0\x09\x0a\x0b\x0c\x09"
        with Vehicle(DEMO, state=state) as car, car.ecu("brake") as brake:
            for mask, found in ((0xFF, both), (0x01, both), (0x08, both), (0x89, both), (0x00, b""), (0x02, b""), (0xF6, b"")):
                self.assertEqual(brake.ask(bytes([0x19, 0x02, mask])), b"\x59\2\xff" + found, hex(mask))

    def test_refused(self):
        self.assert_refused(self.ecu.ask(b"\x19\x01\xff"), NRC_SUB_FUNCTION)
        self.assert_refused(self.ecu.ask(b"\x19\x02"), NRC_LENGTH)
        self.assert_refused(self.ecu.ask(b"\x14\xff"), NRC_LENGTH)

    def test_cleared(self):
        self.assertEqual(self.ecu.ask(b"\x14\xff\xff\xff"), b"\x54")


class Identifiers(Case):
    """Coding and adaptation, and the fingerprint (0x2E)."""

    def test_coding(self):
        with Vehicle(DEMO) as car, car.ecu("door") as door:
            seeded = DEMO.seed_of("door")["coding"]
            self.assertEqual({did: door.did(int(did, 16)).hex() for did in seeded}, seeded)
            door.session(EXTENDED)
            self.assert_refused(door.ask(b"\x2e\x06\0\1"), NRC_LOCKED)
            door.unlock(EXTENDED)
            self.assertEqual(door.ask(b"\x2e\x06\0\1\2"), b"\x6e\x06\0")
            self.assertEqual(door.did(0x0600), b"\1\2")
            self.assert_refused(door.ask(b"\x2e\x06\x09\1"), NRC_RANGE)
            self.assert_refused(door.ask(b"\x2e\x06\0" + b"x" * 256), NRC_LENGTH)
            self.assert_refused(door.ask(b"\x2e\x06\0"), NRC_LENGTH)

    def test_an_erasure_loses_it_and_asks_for_a_fingerprint(self):
        with Vehicle(DEMO) as car, car.ecu("door") as door:
            erase = b"\x31\1\xff\0" + struct.pack("!BII", 0x44, DEMO.ecu("door")["simulation"]["flash"]["address"], 16)
            door.unlock()
            self.assert_refused(door.ask(erase), NRC_SEQUENCE)
            self.assert_refused(door.ask(b"\x2e\xf1\x5a\1\2"), NRC_LENGTH)
            self.assertEqual(door.ask(b"\x2e\xf1\x5a\x26\x11\x30abcdef"), b"\x6e\xf1\x5a")
            self.assertEqual(door.did(0xF15A), b"\x26\x11\x30abcdef")
            self.assertEqual(door.ask(erase)[0], 0x71)
            door.session(DEFAULT)
            self.assert_refused(door.did(0x0600), NRC_RANGE)
            door.unlock()  # each session needs its own
            self.assert_refused(door.ask(erase), NRC_SEQUENCE)


class Network(Case):
    """What 0x28 and 0x85 set lasts from one session to the next, and ends with the default session."""

    def dtcs(self, car, name):
        return json.loads((car.folder(name) / "state.json").read_text())["dtcs"]

    def erase_lamp(self, car):
        with car.ecu("lamp", source=0xE81) as lamp:
            lamp.unlock()
            self.assertEqual(lamp.erase(DEMO.ecu("lamp")["simulation"]["flash"]["address"], 16), b"\0")

    def missed(self, *requests):
        """Has the door, on the bus of the lamp, missed its messages after these requests?"""
        with Vehicle(DEMO) as car, car.ecu("door") as door:
            for request in requests:
                self.assertEqual(door.ask(request)[0], request[0] | 0x40)
            before = self.dtcs(car, "door")
            self.erase_lamp(car)
            return [code for code in self.dtcs(car, "door") if code not in before]

    def test_dtc_setting(self):
        self.assertEqual([code[:2] for code in self.missed()], ["C1"])
        self.assertEqual(self.missed(b"\x10\3", b"\x85\2"), [])
        self.assertEqual(self.missed(b"\x10\3", b"\x85\2", b"\x10\3"), [])
        self.assertNotEqual(self.missed(b"\x10\3", b"\x85\2", b"\x85\1"), [])
        self.assertNotEqual(self.missed(b"\x10\3", b"\x85\2", b"\x10\1"), [])
        self.assertNotEqual(self.missed(b"\x10\3", b"\x85\2", b"\x11\1"), [])


class Functional(Case):
    def test_what_not_everybody_can_is_not_refused_by_everybody(self):
        for uds in (b"\x22\xfd\x10", b"\x22\xfd\x05"):
            self.ecu.tester.diagnostic(FUNCTIONAL, uds)
            self.assertEqual(self.ecu.tester.receive().payload_type, 0x8002)
            answer = self.ecu.tester.receive()
            self.assertEqual(bytes(answer.payload)[0], 0x62)
            self.assertEqual(self.ecu.tester.ask(payload_type=0x4003).payload_type, 0x4004)

    def test_sessions_of_all(self):
        count = len(DEMO.model["ecus"])
        self.ecu.tester.diagnostic(FUNCTIONAL, UDS() / UDS_DSC(diagnosticSessionType=3))
        self.ecu.tester.receive()
        self.assertEqual({bytes(self.ecu.tester.receive().payload)[:2] for _ in range(count)}, {b"\x50\x03"})
        self.ecu.tester.diagnostic(FUNCTIONAL, b"\x10\x01")
        self.assertEqual(len([self.ecu.tester.receive() for _ in range(count + 1)]), count + 1)


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def forged(issuer, usage=ECU_AUTHENTICATION, self_signed=False):
    """A certificate that claims the dealer CA as its issuer, by a key that is not the CA's."""
    key, ca = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(issuer if self_signed else name_of("Bay 1")).issuer_name(issuer)
               .public_key(key.public_key()).serial_number(7).not_valid_before(now - datetime.timedelta(1))
               .not_valid_after(now + datetime.timedelta(30))
               .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage)]), True))
    certificate = builder.sign(key if self_signed else ca, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER), key


class Authentication(unittest.TestCase):
    """Each test has a vehicle of its own: failures are counted in its memory."""

    def setUp(self):
        self.car = Vehicle(DEMO)
        self.addCleanup(self.car.stop)
        self.ecu = self.car.ecu("brake")
        self.addCleanup(self.ecu.tester.close)
        self.ecu.session(PROGRAMMING)
        self.certificate, self.key = DEMO.identity()

    def sign(self, key, server, client=b"c" * 32, **changes):
        parts = {"vin": DEMO.vin, "serial": DEMO.seed_of("brake")["serial"], "server": server, "client": client, "certificate": self.certificate}
        return self.sign_bytes(key, ownership(**(parts | changes)))

    @staticmethod
    def sign_bytes(key, message):
        return key.sign(message, ec.ECDSA(hashes.SHA256()))

    def server(self):
        answer = self.ecu.challenge(self.certificate)
        self.assertEqual(answer[:5], b"\x69\x01\x11\x00\x20")
        self.assertEqual(answer[37:], b"\0\0")
        return answer[5:37]

    def locked(self):
        return self.ecu.erase(DEMO.ecu("brake")["simulation"]["flash"]["address"], 16) == refusal(0x31, NRC_LOCKED)

    def test_good(self):
        self.assertTrue(self.locked())
        self.assertEqual(self.ecu.ask(b"\x29\x08"), b"\x69\x08\x02")
        self.assertEqual(self.ecu.prove(self.sign(self.key, self.server())), b"\x69\x03\x12\0\0")
        self.assertFalse(self.locked())
        self.assertEqual([event["serial"] for event in self.car.events("unlock")], [DEMO.seed_of("brake")["serial"]])

    def test_challenges_are_fresh(self):
        self.assertEqual(len({self.server() for _ in range(8)}), 8)

    def test_session_change_locks(self):
        for session in (PROGRAMMING, EXTENDED, DEFAULT):
            self.ecu.unlock()
            self.ecu.session(session)
            self.ecu.session(PROGRAMMING)
            self.assertTrue(self.locked())

    def test_deauthenticate(self):
        self.ecu.unlock()
        self.assertEqual(self.ecu.ask(b"\x29\x00"), b"\x69\x00\x10")
        self.assertTrue(self.locked())

    def test_wrong_certificates(self):
        issuer = x509.load_pem_x509_certificate((DEMO.oem / "dealer-ca.pem").read_bytes()).subject
        others = {usage: DEMO.identity(usage)[0] for usage in ("1.3.6.1.4.1.58270.77.2", "1.3.6.1.4.1.58270.77.5", "1.3.6.1.5.5.7.3.2")}
        table = [(forged(issuer)[0], 0x52), (forged(name_of("Another CA"))[0], 0x52), (forged(issuer, self_signed=True)[0], 0x52),
                 (b"", 0x54), (b"\x30\x03\x02\x01\x01", 0x54), (self.certificate[:-1], 0x54), (random_bytes(300), 0x54),
                 *((der, 0x53) for der in others.values())]
        for certificate, nrc in table:
            with self.subTest(length=len(certificate), nrc=hex(nrc)):
                self.assertEqual(self.ecu.challenge(certificate), refusal(0x29, nrc))
        self.assertTrue(self.locked())

    def test_flipped_certificate(self):
        for at in (10, 60, 200, -10):
            broken = bytearray(self.certificate)
            broken[at] ^= 1
            self.assertIn(self.ecu.challenge(bytes(broken))[2], (0x50, 0x52, 0x53, 0x54))

    def test_wrong_proofs(self):
        """What is signed binds direction, vehicle, ECU, both challenges and the certificate, by the certificate's key."""
        client = b"c" * 32
        wrong = [lambda server: self.sign(ec.generate_private_key(ec.SECP256R1()), server), lambda server: self.sign(self.key, b"\0" * 32),
                 lambda server: self.sign(self.key, server, b"d" * 32), lambda server: self.sign(self.key, server, name=b""),
                 lambda server: self.sign(self.key, client, server), lambda server: b"", lambda server: random_bytes(71),
                 lambda server: self.sign(self.key, server, serial=DEMO.seed_of("gateway")["serial"]),
                 lambda server: self.sign(self.key, server, vin="1RBDM7AA2TA000002"),
                 lambda server: self.sign(self.key, server, direction="server-to-client"),
                 lambda server: self.sign(self.key, server, certificate=DEMO.identity("1.3.6.1.4.1.58270.77.2")[0]),
                 lambda server: self.sign(self.key, server, name=b"recallbay-0x29-v1"),
                 lambda server: self.sign_bytes(self.key, b"recallbay-0x29-v1" + server + client),
                 lambda server: self.sign_bytes(self.key, server), lambda server: self.sign_bytes(self.key, server + client)]
        for index, make in enumerate(wrong):
            with Vehicle(DEMO) as car, car.ecu("brake") as self.ecu, self.subTest(index=index):
                self.ecu.session(PROGRAMMING)
                self.assertEqual(self.ecu.prove(make(self.server())), refusal(0x29, 0x58))
                self.assertTrue(self.locked())

    def test_a_proof_is_used_once(self):
        proof = self.sign(self.key, self.server())
        self.assertEqual(self.ecu.prove(proof)[0], 0x69)
        self.assertEqual(self.ecu.prove(proof), refusal(0x29, NRC_SEQUENCE))
        self.server()
        self.assertEqual(self.ecu.prove(proof), refusal(0x29, 0x58))

    def test_a_wrong_proof_spends_the_challenge(self):
        server = self.server()
        self.assertEqual(self.ecu.prove(b"x"), refusal(0x29, 0x58))
        self.assertEqual(self.ecu.prove(self.sign(self.key, server)), refusal(0x29, NRC_SEQUENCE))

    def test_order_and_lengths(self):
        self.assertEqual(self.ecu.prove(b"x"), refusal(0x29, NRC_SEQUENCE))
        for kind in (0x02, 0x04, 0x05, 0x06, 0x07, 0x09, 0x7F):
            self.assertEqual(self.ecu.ask(bytes([0x29, kind])), refusal(0x29, NRC_SUB_FUNCTION))
        for rest in (b"\x01", b"\x01\0", b"\x01\0" + field(self.certificate), b"\x01\0" + field(self.certificate) + field(b"c" * 32) + b"\0",
                     b"\x01\0\xff\xff", b"\x03", b"\x03\0", b"\x03" + field(b"p"), b"\x08\0", b"\0\0"):
            self.assertEqual(self.ecu.ask(b"\x29" + rest), refusal(0x29, NRC_LENGTH), rest[:8].hex())

    def test_session_change_forgets_the_challenge(self):
        server = self.server()
        self.ecu.session(PROGRAMMING)
        self.assertEqual(self.ecu.prove(self.sign(self.key, server)), refusal(0x29, NRC_SEQUENCE))

    def test_lockout(self):
        for nrc in (0x58, 0x58, 0x36):
            self.server()
            self.assertEqual(self.ecu.prove(b"wrong"), refusal(0x29, nrc))
        self.assertEqual(self.ecu.challenge(self.certificate), refusal(0x29, 0x37))
        self.ecu.ask(b"\x11\x01")
        self.ecu.session(PROGRAMMING)
        self.assertEqual(self.ecu.challenge(self.certificate), refusal(0x29, 0x37), "a reset does not end it")
        state = self.car.state
        self.car.stop()
        with Vehicle(DEMO, state=state) as car, car.ecu("brake") as ecu:
            ecu.session(PROGRAMMING)
            self.assertEqual(ecu.challenge(self.certificate), refusal(0x29, 0x37), "nor does a loss of power")
            memory = json.loads((car.folder("brake") / "state.json").read_text())
            self.assertIs(memory["locked_out"], True, "no time of a clock that can be set")
            with car.ecu("door", source=0xE86) as door:
                door.unlock()

    def test_a_good_proof_forgives(self):
        for _ in range(3):
            for _ in range(2):
                self.server()
                self.assertEqual(self.ecu.prove(b"wrong"), refusal(0x29, 0x58))
            self.assertEqual(self.ecu.prove(self.sign(self.key, self.server()))[0], 0x69)


def show(vehicle):
    import subprocess
    out = subprocess.run([DEMO.bin / "recall-sim", "show", "--state", vehicle.state, "--json"], capture_output=True, text=True,
                         check=True, timeout=60).stdout
    return json.loads(out.splitlines()[0])


if __name__ == "__main__":
    unittest.main()
