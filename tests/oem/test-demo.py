#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recall-oem demo, judged from outside: test-demo.py RECALL-OEM"""

import base64
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import cmac, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from metadata import Repository, is_signed_for, publics, sha256

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "recall-oem"
SCENARIOS = ("director", "image-supplier", "image-oem", "ecu-keys")
OID = "1.3.6.1.4.1.58270.77."
STRUCK = {"director": {"brake", "door"}, "ecu-keys": {"brake", "door"},
          "image-supplier": {"brake", "steering"}, "image-oem": {"brake", "steering"}}
FILES = {"campaign.recall", "service-root.json", "vehicle.json", "technician.p12", "second.p12", "workstation.pem",
         "passphrase", "dealer-ca.pem", "answers.json", "campaign.txt", "vin.txt", "intake.json", "intake-ca.pem",
         "vehicle-ca.pem", "expected.json", "vehicles.json"}
FOLDERS = {"oem", "vehicle", "attack", "repositories"}


def run(*arguments, code=0, **options):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, check=False, **options)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def verdict(*arguments, code=0):
    return json.loads(run(PROGRAM, *arguments, "--json", code=code).splitlines()[-1])


class Demo:
    """One made-up OEM and its bundle unpacked by tar."""

    made = {}

    def __init__(self, scenario, *options):
        self.scenario = scenario
        self.top = Path(tempfile.mkdtemp())
        self.folder = self.top / "demo"
        self.said = verdict("demo", self.folder, "--scenario", scenario, *options)
        self.bundle = self.top / "bundle"
        self.bundle.mkdir()
        self.names = run("tar", "tf", self.folder / "campaign.recall").decode().split()
        run("tar", "xf", self.folder / "campaign.recall", "-C", self.bundle)
        self.vin = self.text("vin.txt")
        self.campaign = json.loads((self.bundle / f"service/targets/campaigns/{self.text('campaign.txt')}.json").read_bytes())
        self.seed = self.json("vehicle/seed.json")

    @classmethod
    def of(cls, scenario):
        if scenario not in cls.made:
            cls.made[scenario] = cls(scenario)
        return cls.made[scenario]

    def text(self, name):
        return (self.folder / name).read_text().strip()

    def json(self, name):
        return json.loads((self.folder / name).read_bytes())

    def repository(self, kind, vin=None):
        chained = not (kind == "image" and self.scenario == "image-oem")
        folder = self.bundle / f"{kind}/metadata"
        roots = {p.name: p.read_bytes() for p in folder.glob("*.root.json")}
        return Repository(self.bundle / f"vins/{vin or self.vin}/director" if kind == "director" else folder, chained, roots)

    def attack(self, kind):
        return Repository(self.folder / "attack" / kind)

    def ecu(self, name):
        return next(e for e in self.seed["ecus"] if e["name"] == name)


def tearDownModule():
    for demo in Demo.made.values():
        shutil.rmtree(demo.top)


def each(test):
    """Runs test (self, demo) for every scenario."""
    def loop(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario):
                test(self, Demo.of(scenario))
    return loop


class Each(unittest.TestCase):
    """What holds for every scenario."""

    @each
    def test_files(self, demo):
        there = {p.name for p in demo.folder.iterdir()}
        folders = FOLDERS - ({"attack"} if demo.scenario == "ecu-keys" else set())
        self.assertEqual(there, FILES | folders)
        self.assertEqual({p.name for p in (demo.folder / "oem").iterdir()},
                         {"campaigns", "key-agreement.pem", "keys", "oem.json", "parts.jsonl", "people.json", "vehicles.jsonl"})
        for path in (demo.folder / "oem" / "keys").iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
            self.assertIn("ENCRYPTED", path.read_text())
        self.assertEqual(demo.said["vin"], demo.vin)
        self.assertEqual(demo.said["campaign"], demo.campaign["id"])
        self.assertEqual(demo.campaign["scenario"], demo.scenario)
        for name in ("passphrase", "workstation.pem", "technician.p12", "second.p12", "intake.json", "vehicle/doip/vehicle.pem"):
            self.assertEqual((demo.folder / name).stat().st_mode & 0o077, 0, name)

    @each
    def test_vehicle_link(self, demo):
        """openssl on what DoIP over TLS needs: the vehicle's certificate is for its VIN, and its testers are the dealers."""
        edge = demo.folder / "vehicle" / "doip"
        run("openssl", "verify", "-CAfile", demo.folder / "vehicle-ca.pem", "-purpose", "sslserver", edge / "vehicle.pem")
        self.assertRegex(run("openssl", "x509", "-in", edge / "vehicle.pem", "-noout", "-subject"), f"CN ?= ?{demo.vin}".encode())
        run("openssl", "pkey", "-in", edge / "vehicle.pem", "-check", "-noout")
        self.assertEqual((edge / "testers.pem").read_text(), (demo.folder / "dealer-ca.pem").read_text())
        run("openssl", "verify", "-CAfile", demo.folder / "dealer-ca.pem", edge / "vehicle.pem", code=2)

    @each
    def test_bundle_order(self, demo):
        order = [n.split("/")[0] for n in demo.names]
        self.assertEqual(sorted(set(order), key=order.index), ["service", "director", "image", "vins"])
        images = [n for n in demo.names if n.startswith("image/targets/")]
        self.assertEqual(demo.names[-len(images):], images)

    @each
    def test_repositories(self, demo):
        thresholds = {"director": {"root": (5, 8), "timestamp": (1, 1), "snapshot": (1, 1), "targets": (1, 1)},
                      "image": {"root": (5, 8), "timestamp": (1, 2), "snapshot": (1, 2), "targets": (3, 4)},
                      "service": {"root": (5, 8), "targets": (3, 5)}}
        for kind, roles in thresholds.items():
            repository = demo.repository(kind)
            repository.check_published()
            for role, (threshold, keys) in roles.items():
                entry = repository.root["roles"][role]
                self.assertEqual((entry["threshold"], len(set(entry["keyids"]))), (threshold, keys), (kind, role))
            used = [public for role in repository.root["roles"] for public in publics(repository.root, role)]
            self.assertEqual(len(used), len(set(used)), f"{kind}: a key in two roles")
        for role in demo.repository("image").signed("targets.json")["delegations"]["roles"]:
            self.assertEqual((role["threshold"], len(role["keyids"])), (1, 2))
        self.assertEqual((demo.folder / "service-root.json").read_bytes(),
                         (demo.bundle / "service/metadata/1.root.json").read_bytes())

    @each
    def test_service_targets(self, demo):
        entries = demo.repository("service").entries()
        top = demo.bundle / "service/targets"
        self.assertEqual(set(entries), {str(p.relative_to(top)) for p in top.rglob("*.json")})
        for path, entry in entries.items():
            self.assertEqual(entry["hashes"]["sha256"], sha256((top / path).read_bytes()))
        self.assertEqual((demo.folder / "vehicle.json").read_bytes(), (top / demo.campaign["vehicle_model"]).read_bytes())

    @each
    def test_directed_images(self, demo):
        image, director = demo.repository("image").entries(), demo.repository("director")
        directed = director.entries()
        self.assertEqual(director.signed("targets.json")["vin"], demo.vin)
        self.assertNotIn("delegations", director.signed("targets.json"))
        self.assertEqual(len(directed), 7)
        for path, entry in directed.items():
            data = (demo.bundle / "image/targets" / path).read_bytes()
            (serial, identity), = entry["custom"]["ecuIdentifiers"].items()
            self.assertEqual(entry["hashes"]["sha256"], sha256(data))
            self.assertEqual((entry["length"], image[path]["length"]), (len(data), len(data)))
            self.assertEqual(image[path]["hashes"], entry["hashes"])
            self.assertEqual(image[path]["custom"]["hardwareIds"], [identity["hardwareId"]])
            self.assertEqual(image[path]["custom"]["releaseCounter"], entry["custom"]["releaseCounter"])
            self.assertEqual(demo.json("expected.json")[serial]["image_sha256"], sha256(data))
            self.assertEqual(len(data), sum(8 + struct.unpack(">II", data[at:at + 8])[1] for at in segments(data)))

    @each
    def test_expiry(self, demo):
        now = datetime.now(timezone.utc)
        most = {"director": {"timestamp.json": 60, "snapshot.json": 60, "targets.json": 60},
                "service": {"timestamp.json": 30}, "image": {}}
        for kind, files in most.items():
            repository = demo.repository(kind)
            for name, envelope in repository.envelopes.items():
                expires = datetime.strptime(envelope["signed"]["expires"], "%Y-%m-%dT%H:%M:%S%z")
                self.assertLess((now - expires).total_seconds(), 0)
                self.assertLessEqual((expires - now).days, files.get(name, 366), (kind, name))
                if kind == "director" and name in files:
                    self.assertEqual(envelope["signed"]["expires"], demo.campaign["expires"])

    @each
    def test_expected(self, demo):
        expected = demo.json("expected.json")
        full = {"telematics", "gateway", "steering"}
        digests = {kind: sha256((demo.bundle / f"{kind}/metadata/{demo.campaign['roots'][kind]['version']}.root.json").read_bytes())
                   for kind in ("director", "image")}
        self.assertEqual(set(expected), {e["serial"] for e in demo.seed["ecus"]})
        for ecu in demo.seed["ecus"]:
            want = expected[ecu["serial"]]
            self.assertEqual(set(want), {"image_sha256", "director_root", "director_root_sha256", "image_root",
                                         "image_root_sha256", "new_key"})
            self.assertIs(want["new_key"], True)
            self.assertEqual((want["director_root"], want["director_root_sha256"]),
                             (demo.campaign["roots"]["director"]["version"], digests["director"]))
            self.assertEqual((want["image_root"], want["image_root_sha256"]),
                             (demo.campaign["roots"]["image"]["version"], digests["image"]) if ecu["name"] in full else (None, None))
        for kind, digest in digests.items():
            self.assertEqual(demo.campaign["roots"][kind]["sha256"], digest)

    @each
    def test_seed(self, demo):
        expected = demo.json("expected.json")
        stolen = set()
        for ecu in demo.seed["ecus"]:
            data = (demo.folder / "vehicle" / ecu["image"]).read_bytes()
            self.assertNotEqual(sha256(data), expected[ecu["serial"]]["image_sha256"])
            stolen |= {ecu["name"]} if "-1.9." in ecu["image_path"] else set()
            if ecu["key"]:
                serialization.load_pem_private_key((demo.folder / "vehicle" / ecu["key"]).read_bytes(), None)
            self.assertEqual(ecu["she"] is None, ecu["name"] != "sensor")
            self.assertEqual(ecu["image_store"] is None, ecu["name"] not in {"telematics", "gateway", "steering"})
            for store in (ecu["director"], ecu["image_store"]):
                self.assertTrue(store is None or (demo.folder / "vehicle" / store / "1.root.json").exists())
        self.assertEqual(stolen, STRUCK[demo.scenario])

    @each
    def test_vin_and_answers(self, demo):
        letters = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9]))
        weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
        total = sum(w * (letters[c] if c in letters else int(c)) for c, w in zip(demo.vin, weights))
        self.assertEqual(demo.vin[8], "0123456789X"[total % 11])
        answers = demo.json("answers.json")
        self.assertEqual(answers["vin"], demo.vin)
        self.assertTrue(answers["repair_order"] and answers["odometer_km"] > 0)
        manual = {i["id"] for i in demo.campaign["checklist"]["items"] if i["kind"] == "manual"}
        self.assertEqual(answers["items"], {i: "ok" for i in manual})
        self.assertFalse(any(i.get("wait_s") for i in demo.campaign["checklist"]["items"]))

    @each
    def test_identities(self, demo):
        passphrase = f"file:{demo.folder / 'passphrase'}"
        subjects = set()
        for name in ("technician", "second"):
            pem = run("openssl", "pkcs12", "-in", demo.folder / f"{name}.p12", "-passin", passphrase, "-nokeys", "-clcerts")
            certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN"):])
            self.assertIn(OID + "1", usages(certificate))
            subjects.add(certificate.subject.rfc4514_string())
            (demo.top / "one.pem").write_bytes(pem)
            run("openssl", "verify", "-CAfile", demo.folder / "dealer-ca.pem", demo.top / "one.pem")
        self.assertEqual(len(subjects), 2)
        certificates, keys = workstation(demo)
        purposes = [usages(c) for c in certificates if usages(c)]
        self.assertEqual(sorted(map(tuple, purposes)),
                         sorted([(OID + "2",), ("1.3.6.1.5.5.7.3.2",), (OID + "3",), (OID + "4",), (OID + "5",)]))
        self.assertEqual(len({k.public_key().public_numbers() for k in keys}), 5)

    @each
    def test_intake(self, demo):
        intake = demo.json("intake.json")
        (demo.top / "server.pem").write_text(intake["tls"]["certificate"])
        run("openssl", "verify", "-CAfile", demo.folder / "intake-ca.pem", "-verify_hostname", "localhost", "-verify_ip",
            "127.0.0.1", "-purpose", "sslserver", demo.top / "server.pem")
        server = x509.load_pem_x509_certificate(intake["tls"]["certificate"].encode())
        key = serialization.load_pem_private_key(intake["tls"]["key"].encode(), None)
        self.assertEqual(key.public_key().public_numbers(), server.public_key().public_numbers())
        self.assertEqual(intake["dealer_ca"], (demo.folder / "dealer-ca.pem").read_text())
        name, digest, typed = intake["log"]["vkey"].split("+", 2)
        self.assertEqual(digest, sha256(name.encode() + b"\n" + base64.b64decode(typed))[:8])
        for member in ("service_root", "bundle"):
            self.assertTrue((demo.folder / intake[member]).exists())

    @each
    def test_she(self, demo):
        update = she_file(demo)["updates"][0]
        secret = next(k for k in demo.json("intake.json")["she_keys"] if k["serial"] == update["serial"])
        self.assertEqual(update["serial"], demo.ecu("sensor")["serial"])
        judge_she(self, demo.ecu("sensor")["she"], update, bytes.fromhex(secret["key"]))

    @each
    def test_check(self, demo):
        for kind in ("director", "image", "service"):
            said = verdict("repo", "check", demo.folder / "repositories" / kind)
            exceptions = {f["role"] for f in said["findings"] if f["severity"] == "exception"}
            self.assertEqual(exceptions, {"director": {"timestamp", "snapshot", "targets"},
                                          "image": {"root"} if demo.scenario == "image-oem" else set()}.get(kind, set()))


    @each
    def test_check_of_a_bundle(self, demo):
        for folder in ("service/metadata", "image/metadata", "director/metadata", f"vins/{demo.vin}/director"):
            if folder.startswith("vins"):
                self.assertEqual(verdict("repo", "check", demo.bundle / folder, code=1)["reason"], "missing")
            else:
                self.assertEqual(verdict("repo", "check", demo.bundle / folder)["violations"], 0)


class Attack(unittest.TestCase):
    """Stolen keys signed what the vehicle may believe, and nothing that the answer leaves standing."""

    def thief(self, demo, kind="director"):
        return {path: e for path, e in demo.attack(kind).entries().items() if "-1.9." in path}

    def test_attacks_are_published(self):
        for scenario in SCENARIOS[:3]:
            demo = Demo.of(scenario)
            with self.subTest(scenario):
                for kind in ("director", "image"):
                    demo.attack(kind).check_published()
                serials = {s for e in self.thief(demo).values() for s in e["custom"]["ecuIdentifiers"]}
                self.assertTrue({demo.ecu(name)["serial"] for name in STRUCK[scenario]} <= serials)
                counters = [e["custom"]["releaseCounter"] for e in self.thief(demo).values()]
                good = [e["custom"]["releaseCounter"] for e in demo.repository("director").entries().values()]
                self.assertLess(max(counters), min(good))
                for kind in ("director", "image"):
                    for role in ("timestamp", "snapshot", "targets"):
                        self.assertLess(demo.attack(kind).signed(f"{role}.json")["version"],
                                        demo.repository(kind).signed(f"{role}.json")["version"])

    def test_nothing_of_the_thief_is_left(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario):
                demo = Demo.of(scenario)
                for kind in ("director", "image"):
                    self.assertFalse([p for p in demo.repository(kind).entries() if "-1.9." in p])

    def test_director(self):
        demo = Demo.of("director")
        old, new = demo.repository("director").roots
        self.assertEqual(publics(old, "root"), publics(new, "root"))
        for role in ("timestamp", "snapshot", "targets"):
            self.assertFalse(publics(old, role) & publics(new, role))
            self.assertFalse(is_signed_for(demo.attack("director").envelopes[f"{role}.json"], new, role))
        self.assertEqual(len(demo.repository("image").roots), 1)
        self.assertFalse(self.thief(demo, "image"), "he has no key of the Image repository")

    def test_supplier(self):
        demo = Demo.of("image-supplier")
        old, new = demo.repository("image").roots
        self.assertEqual((publics(old, "root"), publics(old, "targets")), (publics(new, "root"), publics(new, "targets")))
        for role in ("timestamp", "snapshot"):
            self.assertFalse(publics(old, role) & publics(new, role))
        self.assertEqual(set(self.thief(demo, "image")), set(demo.attack("image").signed("supplier-a.json")["targets"])
                         & set(self.thief(demo)))
        keys = [set(k["keyval"]["public"] for i, k in r.signed("targets.json")["delegations"]["keys"].items()
                    if i in r.signed("targets.json")["delegations"]["roles"][0]["keyids"])
                for r in (demo.attack("image"), demo.repository("image"))]
        self.assertFalse(keys[0] & keys[1])
        self.assertEqual(len(demo.repository("director").roots), 1)

    def test_oem(self):
        demo = Demo.of("image-oem")
        first, new = demo.repository("image").roots
        his = demo.attack("image").root
        self.assertEqual(his["version"], 2)
        for role in ("root", "timestamp", "snapshot", "targets"):
            self.assertFalse((publics(first, role) | publics(his, role)) & publics(new, role))
        self.assertTrue(demo.campaign["roots"]["image"]["pinned"])
        self.assertGreaterEqual(len(set(demo.campaign["organisations"])), 2)
        service = demo.repository("service")
        keys = {k["id"]: k for k in demo.json("repositories/service/keys.json")["keys"]}
        signed_by = {keys[s["keyid"]]["organisation"] for s in service.envelopes["targets.json"]["signatures"]}
        self.assertEqual(signed_by, set(demo.campaign["organisations"]))

    def test_ecu_keys(self):
        demo = Demo.of("ecu-keys")
        self.assertFalse((demo.folder / "attack").exists())
        self.assertEqual([len(demo.repository(k).roots) for k in ("director", "image")], [1, 1])


class Options(unittest.TestCase):
    def made(self, *arguments):
        demo = Demo(*arguments)
        self.addCleanup(shutil.rmtree, demo.top)
        return demo

    def test_more_vehicles(self):
        demo = self.made("image-supplier", "--vehicles", "3")
        vehicles = demo.json("vehicles.json")
        self.assertEqual((len(vehicles["in_scope"]), len(vehicles["out_of_scope"])), (2, 1))
        self.assertEqual(demo.campaign["scope"], {"vins": vehicles["in_scope"]})
        self.assertEqual({p.name for p in (demo.bundle / "vins").iterdir()}, set(vehicles["in_scope"]))
        for vin in vehicles["in_scope"]:
            demo.repository("director", vin).check_published()
            self.assertTrue(she_file(demo, vin)["updates"])

    def test_more_ecus_and_bigger_images(self):
        demo = self.made("director", "--ecus", "12", "--image-size", "300001")
        self.assertEqual(len(demo.json("expected.json")), 12)
        for path in (demo.bundle / "image/targets").rglob("*.bin"):
            self.assertEqual(path.stat().st_size, 300001 + 16)

    def test_six_ecus(self):
        self.assertEqual(len(self.made("director", "--ecus", "6").json("expected.json")), 6)

    def test_refusals(self):
        demo = Demo.of("director")
        self.assertEqual(verdict("demo", demo.folder, code=1)["reason"], "exists")
        for wrong in (["--scenario", "none"], ["--ecus", "5"], ["--image-size", "0"], ["--vehicles", "0"], []):
            target = [demo.top / "other"] if wrong else []
            self.assertEqual(verdict("demo", *target, *wrong, code=2)["reason"], "usage")
        self.assertFalse((demo.top / "other").exists())

    def violated(self, demo, kind, change):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(demo.folder / "repositories" / kind, folder, dirs_exist_ok=True)
            change(Path(folder))
            said = verdict("repo", "check", folder, code=1)
        self.assertEqual(said["reason"], "policy")
        return {(f["rule"], f["role"]) for f in said["findings"] if f["severity"] == "violation"}

    def test_check_finds(self):
        demo = Demo.of("image-supplier")

        def change_root(edit):
            def change(folder):
                path = max(folder.glob("*.root.json"))
                envelope = json.loads(path.read_bytes())
                edit(envelope["signed"])
                path.write_text(json.dumps(envelope))
            return change

        def change_keys(folder):
            keys = json.loads((folder / "keys.json").read_bytes())
            next(k for k in keys["keys"] if k["role"] == "root")["online"] = True
            (folder / "keys.json").write_text(json.dumps(keys))

        found = self.violated(demo, "image", change_root(lambda s: s["roles"]["root"].update(threshold=4)))
        self.assertTrue({("threshold", "root"), ("signed", "root")} <= found)
        found = self.violated(demo, "service", change_root(
            lambda s: s["roles"]["targets"]["keyids"].append(s["roles"]["root"]["keyids"][0])))
        self.assertIn(("one-role", "targets"), found)
        found = self.violated(demo, "director", change_root(lambda s: s.update(expires="2020-01-01T00:00:00Z")))
        self.assertIn(("expiry", "root"), found)
        self.assertIn(("offline", "root"), self.violated(demo, "image", change_keys))


def segments(data):
    at = 0
    while at < len(data):
        yield at
        at += 8 + struct.unpack(">II", data[at:at + 8])[1]


def usages(certificate):
    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return []
    return [usage.dotted_string for usage in extension.value]


def workstation(demo):
    blocks = {"CERTIFICATE": [], "ENCRYPTED PRIVATE KEY": []}
    for part in (demo.folder / "workstation.pem").read_text().split("-----BEGIN ")[1:]:
        blocks[part.split("-----")[0]].append(("-----BEGIN " + part).encode())
    keys = [serialization.load_pem_private_key(b, demo.text("passphrase").encode()) for b in blocks["ENCRYPTED PRIVATE KEY"]]
    return [x509.load_pem_x509_certificate(b) for b in blocks["CERTIFICATE"]], keys


def she_file(demo, vin=None):
    return json.loads((demo.bundle / f"vins/{vin or demo.vin}/she.json").read_text())


def kdf(key, constant):
    """Miyaguchi–Preneel over key ‖ constant (SHE specification 4.3)."""
    out = bytes(16)
    for block in (key, constant):
        encrypted = ecb(out, block)
        out = bytes(a ^ b ^ c for a, b, c in zip(encrypted, block, out))
    return out


def ecb(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def mac(key, data):
    made = cmac.CMAC(algorithms.AES(key))
    made.update(data)
    return made.finalize()


def judge_she(test, stored, update, new_key):
    m1, m2, m3 = (bytes.fromhex(update[m]) for m in ("m1", "m2", "m3"))
    enc, mac_of = bytes.fromhex("010153484500800000000000000000b0"), bytes.fromhex("010253484500800000000000000000b0")
    master, uid = bytes.fromhex(stored["master"]), bytes.fromhex(stored["uid"])
    test.assertEqual(m1, uid + bytes([update["slot"] << 4 | 1]))
    test.assertEqual(m3, mac(kdf(master, mac_of), m1 + m2))
    plain = Cipher(algorithms.AES(kdf(master, enc)), modes.CBC(bytes(16))).decryptor().update(m2)
    test.assertEqual(int.from_bytes(plain[:4], "big") >> 4, update["counter"])
    test.assertEqual(plain[16:], new_key)
    test.assertGreater(update["counter"], stored["counter"])
    k3 = ecb(kdf(new_key, enc), ((update["counter"] << 4 | 8) << 96).to_bytes(16, "big"))
    m4 = m1 + k3
    test.assertEqual(update["answer_sha256"], sha256(m4 + mac(kdf(new_key, mac_of), m4)))


if __name__ == "__main__":
    unittest.main()
