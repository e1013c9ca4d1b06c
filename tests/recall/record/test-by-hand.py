#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A record is verified by the lines of the README and of record-format.md, which know nothing of this project but openssl and jq."""

import base64
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

README, FORMAT, MAKER = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]


def lines_of(paper, heading, least):
    section = paper.read_text().split(heading, 1)[1].split("\n## ", 1)[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    assert len(lines) >= least, f"the recipe of {paper} is gone"
    return "\n".join(lines)


def recipe():
    return lines_of(README, "## Verifying a record", 8)


def whole_recipe():
    return lines_of(FORMAT, "## Verify a record by hand", 30)


class ByHand(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.made)
        subprocess.run([MAKER, str(cls.made)], check=True)
        with sqlite3.connect(cls.made / "data/recallbay.db") as db:
            cls.records = list(db.execute("SELECT digest, result, envelope FROM records ORDER BY sequence"))

    def run_recipe(self, envelope, signer=0, authority="dealer-ca.pem"):
        script = recipe().replace("signatures[0]", f"signatures[{signer}]").replace("x5c[0]", f"x5c[{signer}]")
        return self.run_script(script, envelope, authority)

    def run_script(self, script, envelope, authority="dealer-ca.pem"):
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "record.json").write_bytes(envelope)
        shutil.copy(self.made / authority, folder / "dealer-ca.pem")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True)
        digest = subprocess.run(["sha256sum", "signed"], cwd=folder, capture_output=True, text=True).stdout[:64]
        return done, digest

    def test_every_record_and_signature(self):
        for digest, result, envelope in self.records:
            for signer in (0, 1):
                done, found = self.run_recipe(envelope, signer)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("Verified OK", done.stdout)
                self.assertIn("signer.pem: OK", done.stdout)
                self.assertIn(f'"{result}"', done.stdout)
                self.assertEqual(found, digest)

    def test_at_the_time_of_the_record(self):
        """The certificates may have expired since: it is the record's time that counts."""
        self.assertIn("-attime $at", recipe())
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "record.json").write_bytes(self.records[0][2])
        shutil.copy(self.made / "dealer-ca.pem", folder / "dealer-ca.pem")
        later = recipe().replace("-attime $at", "-attime $((at + 40 * 365 * 86400))")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", later], cwd=folder, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("certificate has expired", done.stdout + done.stderr)

    def test_a_flipped_byte(self):
        envelope = json.loads(self.records[0][2])
        payload = bytearray(base64.b64decode(envelope["payload"]))
        payload[100] ^= 1
        envelope["payload"] = base64.b64encode(payload).decode()
        done, _ = self.run_recipe(json.dumps(envelope).encode())
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Verification failure", done.stdout + done.stderr)

    def test_another_authority(self):
        done, _ = self.run_recipe(self.records[0][2], authority="other-ca.pem")
        self.assertNotEqual(done.returncode, 0)

    def test_the_whole_format(self):
        for digest, result, envelope in self.records:
            done, found = self.run_script(whole_recipe(), envelope)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            predicate = json.loads(base64.b64decode(json.loads(envelope)["payload"]))["predicate"]
            proven = [ecu for ecu in predicate["ecus"] if ecu["key"].get("kind") == "asymmetric" and ecu["key"].get("verified") == "yes"]
            self.assertEqual(done.stdout.count("Verified OK"), len(json.loads(envelope)["signatures"]))
            self.assertEqual(done.stdout.count("Signature Verified Successfully"), 2 * len(proven))
            self.assertGreater(len(proven), 0)
            for ecu in predicate["ecus"]:
                self.assertIn(f'{ecu["ecuSerial"]} {ecu["outcome"]}', done.stdout)
            self.assertIn(predicate["technician"]["certSha256"], done.stdout)
            self.assertIn(f"\n{result}\n", done.stdout)
            self.assertEqual(found, digest)
        previous = [json.loads(base64.b64decode(json.loads(envelope)["payload"]))["predicate"]["previousRecord"]
                    for _, _, envelope in self.records]
        self.assertEqual(previous, ["0" * 64] + [digest for digest, _, _ in self.records][:-1])

    def test_a_proof_of_another_vehicle(self):
        """The proof of possession and the report are by the commands' own message, so that another VIN does not verify."""
        other = whole_recipe().replace(".predicate.vehicle.vin payload", "-n '\"1M8GDM9AXKP042788\"'")
        self.assertNotEqual(other, whole_recipe())
        done, _ = self.run_script(other, self.records[0][2])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Signature Verification Failure", done.stdout + done.stderr)

    def test_the_shape_that_auditors_rely_on(self):
        for _, _, envelope in self.records:
            outer = json.loads(envelope)
            self.assertEqual(set(outer), {"payloadType", "payload", "signatures", "verification"})
            self.assertEqual(outer["payloadType"], "application/vnd.in-toto+json")
            self.assertEqual(len(outer["verification"]["x5c"]), len(outer["signatures"]))
            statement = json.loads(base64.b64decode(outer["payload"]))
            self.assertEqual(set(statement), {"_type", "subject", "predicateType", "predicate"})
            self.assertIsNone(re.search(r"[:\[,]-?\d+[.eE]", base64.b64decode(outer["payload"]).decode()))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
