#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The command lines of recallctl outbox: usage, text, and what is not there: test-outbox.py RECALLCTL MAKE-RECORDS"""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RECALLCTL, MAKER = sys.argv[1:3]
TIMEOUT = 120


class Outbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.made)
        subprocess.run([MAKER, cls.made], check=True, timeout=TIMEOUT)

    def run_program(self, *arguments, code, data=None):
        done = subprocess.run([RECALLCTL, "--data-dir", data or self.made / "data", *map(str, arguments)], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def reason(self, *arguments, code, data=None):
        return json.loads(self.run_program("--json", *arguments, code=code, data=data).stdout.splitlines()[-1])["reason"]

    def test_needed_options(self):
        """Each of the three that name intake, authority and workstation is needed."""
        whole = {"--to": "https://127.0.0.1:1", "--server-ca": self.made / "dealer-ca.pem", "--workstation": self.made / "nothing.pem"}
        for missing in whole:
            words = [word for name, value in whole.items() if name != missing for word in (name, value)]
            self.assertEqual(self.reason("outbox", "push", *words, code=2), "usage")

    def test_ranges(self):
        for option, value in (("--retry-for", "-1"), ("--retry-for", "86401"), ("--retry-for", "soon"), ("--seed", "-1")):
            self.assertEqual(self.reason("outbox", "push", option, value, code=2), "usage")

    def test_a_workstation_that_is_not_there(self):
        words = ["--to", "https://127.0.0.1:1", "--server-ca", self.made / "dealer-ca.pem", "--workstation", self.made / "nothing.pem"]
        self.assertEqual(self.reason("outbox", "push", *words, code=1), "not-found")

    def test_nothing_pending(self):
        """Without records nothing is asked for: neither a passphrase nor a trust anchor."""
        empty = self.made / "empty"
        words = ["--to", "https://127.0.0.1:1", "--server-ca", "/nowhere", "--workstation", "/nowhere"]
        self.assertEqual(self.reason("outbox", "push", *words, code=0, data=empty), "ok")
        self.assertIn("nothing is pending", self.run_program("outbox", "push", *words, code=0, data=empty).stdout)

    def test_receipts_need_a_trust_anchor(self):
        self.assertEqual(self.reason("outbox", "import-receipts", self.made, code=1), "no-trust-anchor")
        self.assertEqual(self.reason("outbox", "import-receipts", code=2), "usage")

    def test_two_trust_anchors(self):
        """An OEM that is not here is named, and nothing is sent."""
        words = ["--to", "https://127.0.0.1:1", "--server-ca", self.made / "dealer-ca.pem", "--workstation", self.made / "nothing.pem"]
        self.assertEqual(self.reason("outbox", "push", *words, "--oem", "Nowhere Motors", code=1), "not-found")
        self.assertEqual(self.reason("outbox", "export", self.made / "export", "--oem", "Nowhere Motors", code=1), "not-found")
        self.assertFalse((self.made / "export").exists())

    def test_export_without_receipts(self):
        """A record that is not acknowledged is exported without a receipt beside it."""
        folder = self.made / "out"
        self.assertEqual(self.reason("outbox", "export", folder, code=0), "ok")
        self.assertEqual({path.suffix for path in folder.iterdir()}, {".json"})
        again = self.made / "all"
        self.assertEqual(self.reason("record", "export", again, code=0), "ok")
        self.assertEqual(sorted(path.name for path in folder.iterdir()), sorted(path.name for path in again.iterdir()))

    def test_help(self):
        """Each verb of the outbox says what it does, and push names its options."""
        for verb in ("push", "export", "import-receipts"):
            self.assertIn(f"outbox {verb}", self.run_program("outbox", verb, "--help", code=0).stdout)
        text = self.run_program("outbox", "push", "--help", code=0).stdout
        for option in ("--to", "--server-ca", "--workstation", "--passphrase-file", "--oem", "--retry-for", "--seed"):
            self.assertIn(option, text)

    def test_json_list(self):
        """Every pending record with what its signed bytes say, in the order of its chain."""
        rows = json.loads(self.run_program("--json", "outbox", code=0).stdout)["pending"]
        self.assertEqual([row["sequence"] for row in rows], sorted(row["sequence"] for row in rows))
        self.assertEqual({row["acknowledged"] for row in rows}, {False})
        for row in rows:
            self.assertRegex(row["digest"], "^[0-9a-f]{64}$")
            self.assertEqual(len(row["vin"]), 17)

    def test_unreadable_receipts(self):
        """A path that is not there is named before the trust anchor is missed, or after: never accepted."""
        for path in (self.made / "nothing.tlog-proof", self.made / "nowhere"):
            self.assertEqual(self.run_program("outbox", "import-receipts", path, code=1).stdout, "")

    def test_list(self):
        """In text a line for each record, and how many are pending."""
        lines = self.run_program("outbox", code=0).stdout.splitlines()
        self.assertEqual(lines[-1], f"{len(lines) - 1} pending")
        self.assertGreater(len(lines), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
