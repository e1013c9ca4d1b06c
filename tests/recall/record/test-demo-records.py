#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records of the demonstration's campaigns, judged against their bundles as an auditor would."""

import base64
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

RECALLCTL, RECALL_OEM, MAKER = sys.argv[1:4]
SCENARIOS = ("director", "image-supplier", "image-oem", "ecu-keys")


def run(*arguments, code=0):
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class DemoRecords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.top)
        for scenario in SCENARIOS:
            demo, made = cls.top / scenario, cls.top / f"{scenario}-made"
            run(RECALL_OEM, "demo", demo, "--scenario", scenario)
            run(MAKER, made, demo)
            run(RECALLCTL, "--data-dir", made / "data", "record", "export", made / "records")

    def files(self, scenario):
        return sorted((self.top / f"{scenario}-made/records").glob("*.json"))

    def verify(self, scenario, *arguments, code=0, files=None):
        trust = self.top / scenario / "dealer-ca.pem"
        return run(RECALLCTL, "--json", "record", "verify", *(files or self.files(scenario)), "--trust", trust, *arguments, code=code)

    def test_against_its_bundle(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario):
                demo = self.top / scenario
                answers = self.verify(scenario, "--bundle", demo / "campaign.recall", "--service-root", demo / "service-root.json")
                for answer in answers:
                    self.assertEqual(answer["checked"], ["signatures", "certificates", "result", "sequence", "campaign", "key-creation"])
                    self.assertEqual(answer["bundle_anchor"], "service-root")
                self.assertEqual([answer["result"] for answer in answers], ["completed", "incomplete", "completed"])
                answers = self.verify(scenario, "--bundle", demo / "campaign.recall", "--require", "completed", files=self.files(scenario)[:1])
                self.assertEqual(answers[0]["bundle_anchor"], "none")

    def test_against_another_bundle(self):
        other = self.top / "image-oem" / "campaign.recall"
        for answer in self.verify("director", "--bundle", other, code=1):
            self.assertEqual(answer["reason"], "record-campaign")

    def test_under_another_service_root(self):
        demo = self.top / "director"
        answer, = self.verify("director", "--bundle", demo / "campaign.recall", "--service-root",
                              self.top / "ecu-keys" / "service-root.json", code=1)
        self.assertEqual(answer["reason"], "wrong-oem")

    def test_another_dealer_authority(self):
        answers = run(RECALLCTL, "--json", "record", "verify", *self.files("director"), "--trust",
                      self.top / "ecu-keys" / "dealer-ca.pem", code=1)
        self.assertEqual({answer["reason"] for answer in answers}, {"record-certificate"})

    def test_an_image_exchanged_in_the_bundle(self):
        bundle, bent = self.top / "director/campaign.recall", self.top / "bent.recall"
        with tarfile.open(bundle) as old, tarfile.open(bent, "w", format=tarfile.USTAR_FORMAT) as new:
            for member in old.getmembers():
                data = bytearray(old.extractfile(member).read()) if member.isfile() else None
                if data and member.name.startswith("image/targets/"):
                    data[-1] ^= 1
                new.addfile(member, io.BytesIO(data) if data is not None else None)
        answers = self.verify("director", "--bundle", bent, code=1)
        self.assertIn(answers[0]["reason"], ("record-image", "hash-mismatch"))

    def test_audit_by_the_intake_configuration(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario):
                *records, verdict = run(RECALL_OEM, "--json", "audit", "verify", self.top / f"{scenario}-made/records",
                                        "--config", self.top / scenario / "intake.json")
                self.assertEqual((verdict["anchors"], verdict["bundle_anchor"]), ("config", "service-root"))
                self.assertEqual(verdict["campaign_unchecked"], [])
                self.assertEqual(len(records), 3)

    def names(self, scenario):
        """The names in the OEM's register, whole and family names (a given name of two letters stands in any base64)."""
        people = json.loads((self.top / scenario / "oem/people.json").read_text())["people"]
        self.assertEqual(len(people), 2)
        return {word.encode() for person in people for word in (person["name"], person["name"].split()[-1])}, people

    def assert_nameless(self, names, what, data):
        for name in names:
            self.assertFalse(name in data, f"{what} names {name.decode()}")

    def test_nothing_that_travels_names_a_person(self):
        """Payload, certificate chains, PDF, bundle, database, identities: who a pseudonym is stands in the OEM's register alone."""
        demo, made = self.top / "director", self.top / "director-made"
        names, people = self.names("director")
        register = (demo / "oem/people.json").read_bytes()
        self.assertTrue(all(name in register for name in names))
        self.assertEqual((demo / "oem/people.json").stat().st_mode & 0o077, 0)
        for file in self.files("director"):
            envelope = json.loads(file.read_text())
            payload = base64.b64decode(envelope["payload"])
            self.assertIn(json.loads(payload)["predicate"]["technician"]["name"], {person["pseudonym"] for person in people})
            self.assert_nameless(names, "payload", payload)
            for chain in envelope["verification"]["x5c"]:
                for der in map(base64.b64decode, chain):
                    self.assert_nameless(names, "certificate", der)
                    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-text"], input=der, capture_output=True, check=True).stdout
                    self.assert_nameless(names, "certificate", text)
            page = made / "page.pdf"
            run(RECALLCTL, "--data-dir", made / "data", "record", "print", file.stem.split("-")[1], "-o", page)
            text = subprocess.run(["pdftotext", page, "-"], capture_output=True, check=True).stdout
            self.assertIn(json.loads(payload)["predicate"]["technician"]["name"].encode(), text)
            self.assert_nameless(names, "PDF", text + page.read_bytes())
        for identity in ("technician.p12", "second.p12"):
            text = subprocess.run(["openssl", "pkcs12", "-in", demo / identity, "-nokeys", "-passin", f"file:{demo / 'passphrase'}"],
                                  capture_output=True, check=True).stdout
            self.assert_nameless(names, identity, text)
        for file in [*demo.rglob("*"), made / "data/recallbay.db"]:
            if file.is_file() and "oem" not in file.relative_to(self.top).parts:
                self.assert_nameless(names, file.name, file.read_bytes())

    def test_pseudonyms_say_nothing(self):
        """Each demonstration draws its own: nothing follows from a name."""
        drawn = [person["pseudonym"] for scenario in SCENARIOS for person in self.names(scenario)[1]]
        self.assertEqual(len(set(drawn)), len(drawn))

    def test_a_claim_can_be_joined(self):
        """Dealer, country, labour operation and both campaign numbers stand in the record, in the PDF too."""
        envelope = json.loads(self.files("director")[0].read_text())
        predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
        campaign, dealer = predicate["campaign"], predicate["dealer"]
        workstation = subprocess.run(["openssl", "x509", "-in", self.top / "director/workstation.pem", "-noout", "-subject"],
                                     capture_output=True, text=True, check=True).stdout
        self.assertRegex(workstation, f"OU ?= ?{dealer['code']}")  # openssl 3.2 writes no spaces
        self.assertRegex(workstation, f"C ?= ?{dealer['country']}")
        page = self.top / "claim.pdf"
        digest = self.files("director")[0].stem.split("-")[1]
        run(RECALLCTL, "--data-dir", self.top / "director-made/data", "record", "print", digest, "-o", page)
        text = subprocess.run(["pdftotext", "-layout", page, "-"], capture_output=True, text=True, check=True).stdout
        for part in (campaign["oemNumber"], campaign["nhtsaNumber"], campaign["labourOperation"], dealer["code"]):
            self.assertIn(part, text)

    def test_the_record_holds_what_auditors_ask(self):
        envelope = json.loads(self.files("image-oem")[0].read_text())
        predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
        self.assertEqual(predicate["campaign"]["pinnedRoots"], ["image"])
        self.assertEqual(predicate["campaign"]["scenario"], "image-oem")
        self.assertEqual(len(predicate["ecus"]), len(json.loads((self.top / "image-oem/expected.json").read_text())))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
