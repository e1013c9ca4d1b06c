#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recall-oem audit verify over a folder of records"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RECALL_OEM, MAKER = sys.argv[1:3]


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.made)
        subprocess.run([MAKER, str(cls.made)], check=True)

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.put("data")

    def put(self, data, only=None):
        with sqlite3.connect(self.made / data / "recallbay.db") as db:
            for sequence, digest, envelope in db.execute("SELECT sequence, digest, envelope FROM records"):
                if only in (None, sequence):
                    (self.folder / f"{sequence}-{digest}.json").write_bytes(envelope)

    def audit(self, *arguments, code, anchored=True):
        anchors = ["--trust", str(self.made / "dealer-ca.pem")] if anchored else []
        done = subprocess.run([RECALL_OEM, "--json", "audit", "verify", str(self.folder), *anchors, *map(str, arguments)],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def record(self, sequence):
        path, = self.folder.glob(f"{sequence}-*.json")
        return path

    def test_good(self):
        *records, verdict = self.audit(code=0)
        self.assertEqual(verdict["anchors"], "trust")
        self.assertEqual(verdict["records"], 3)
        self.assertEqual(verdict["gaps"], [])
        self.assertEqual(len(verdict["without_receipt"]), 3)
        self.assertEqual([record["result"] for record in records], ["completed", "incomplete", "completed"])
        self.assertTrue(all("sequence" in record["checked"] for record in records))

    def test_without_anchors_it_says_so(self):
        *records, verdict = self.audit(code=0, anchored=False)
        self.assertEqual(verdict["anchors"], "none")
        self.assertFalse(any("certificates" in record["checked"] for record in records))

    def test_config(self):
        config = self.made / "intake.json"
        config.write_text(json.dumps({"format": "recallbay-intake-1", "dealer_ca": (self.made / "dealer-ca.pem").read_text()}))
        verdict = self.audit("--config", config, code=0, anchored=False)[-1]
        self.assertEqual(verdict["anchors"], "config")
        config.write_text(json.dumps({"dealer_ca": (self.made / "other-ca.pem").read_text()}))
        self.assertEqual(self.audit("--config", config, code=1, anchored=False)[-1]["reason"], "record-certificate")

    def test_a_record_taken_away(self):
        self.record(2).unlink()
        verdict = self.audit(code=1)[-1]
        self.assertEqual(verdict["reason"], "record-sequence")
        self.assertIn("between records 1 and 3", verdict["gaps"][0])

    def test_a_chain_that_begins_late_is_told(self):
        self.record(1).unlink()
        verdict = self.audit(code=0)[-1]
        self.assertIn("begins with record 2", verdict["gaps"][0])

    def test_a_fork(self):
        self.put("forked", only=3)
        verdict = self.audit(code=1)[-1]
        self.assertEqual(verdict["reason"], "record-sequence")
        self.assertIn("fork", verdict["message"])

    def test_a_lie_among_them(self):
        shutil.copy(self.made / "forged/2-forged.json", self.record(2))
        self.assertEqual(self.audit(code=1)[-1]["reason"], "record-result")

    def test_a_flipped_byte(self):
        envelope = bytearray(self.record(3).read_bytes())
        envelope[envelope.index(b'"payload":"') + 900] ^= 1
        self.record(3).write_bytes(envelope)
        self.assertIn(self.audit(code=1)[-1]["reason"], ("record-signature", "record-malformed"))

    def test_another_authority(self):
        verdict = self.audit("--trust", self.made / "other-ca.pem", code=1, anchored=False)[-1]
        self.assertEqual(verdict["reason"], "record-certificate")

    def test_a_receipt_is_seen(self):
        self.record(1).with_suffix(".tlog-proof").write_text("proof")
        self.assertEqual(len(self.audit(code=0)[-1]["without_receipt"]), 2)

    def test_names_of_any_bytes(self):
        """A name that is not UTF-8 hides no record from a list."""
        os.rename(os.fsencode(self.record(2)), os.fsencode(self.folder) + b"/2-\xff\xfe.json")
        verdict = self.audit(code=0)[-1]
        self.assertEqual(verdict["records"], 3)
        self.assertEqual(len(verdict["without_receipt"]), 3)
        self.assertEqual(len(verdict["campaign_unchecked"]), 3)
        self.assertIn("2-\ufffd\ufffd.json", verdict["without_receipt"])

    def test_name_of_two_lines(self):
        """A file's name does not tell of a record that is not there."""
        forged = self.folder / "9-x.json: vehicle 1RBDM7AA2TA000001, completion, completed\n.json"
        forged.write_text("{}")
        done = subprocess.run([RECALL_OEM, "audit", "verify", self.folder, "--trust", self.made / "dealer-ca.pem"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len([line for line in done.stdout.splitlines() if line.endswith(", completed")]), 2, done.stdout)

    def test_what_is_no_record(self):
        """Each .json that cannot be read as a record is told and fails the audit, without waiting for it."""
        strange = self.folder / "9-strange.json"
        cases = {"not-found": lambda: strange.symlink_to(self.folder / "nowhere"), "io": lambda: os.mkfifo(strange),
                 "too-large": lambda: (strange.touch(), os.truncate(strange, 1 << 40)),
                 "record-malformed": strange.touch}
        for reason, make in cases.items():
            make()
            *records, verdict = self.audit(code=1)
            self.assertEqual((verdict["reason"], verdict["records"]), (reason, 4))
            self.assertEqual([record["ok"] for record in records], [True, True, True, False])
            strange.unlink()

    def test_the_same_record_twice(self):
        """A copy, a copy with other white space, and a link to one: no fork, counted once, and refused."""
        text = self.record(2).read_text()
        (self.folder / "copy.json").write_text(text)
        (self.folder / "indented.json").write_text(json.dumps(json.loads(text), indent=1))
        (self.folder / "link.json").symlink_to(self.record(2))
        *records, verdict = self.audit(code=1)
        self.assertEqual((verdict["reason"], verdict["records"], verdict["gaps"]), ("record-duplicate", 3, []))
        self.assertEqual([record["reason"] for record in records].count("ok"), 3)

    def test_no_records(self):
        for path in self.folder.iterdir():
            path.unlink()
        self.assertEqual(self.audit(code=1)[-1]["reason"], "not-found")

    def test_no_folder(self):
        shutil.rmtree(self.folder)
        self.audit(code=1)
        self.folder.mkdir()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
