#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records that the right people signed and that contradict themselves or their bundle: each is refused by its own word.
test-altered-records.py RECALLCTL RECALL_OEM MAKER"""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RECALLCTL, RECALL_OEM, MAKER = sys.argv[1:4]
WORDS = {"record-key-kind", "record-time", "record-vin", "record-inspection", "record-method", "record-preflight", "record-failures",
         "record-certificate-bytes", "record-report", "record-manifest", "record-nonce", "record-result",
         "record-certificate", "key-not-proven"}


def run(*arguments, code):
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}, expected {code}\n{done.stdout}{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Altered(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.demo, cls.made = cls.top / "demo", cls.top / "made"
        run(RECALL_OEM, "demo", cls.demo, "--scenario", "director", code=0)
        run(MAKER, cls.made, cls.demo, code=0)
        cls.against = ("--trust", cls.demo / "dealer-ca.pem", "--bundle", cls.demo / "campaign.recall",
                       "--service-root", cls.demo / "service-root.json")
        cls.altered = sorted((cls.made / "altered").glob("*.json"))

    def verify(self, *files, code, require=True):
        return run(RECALLCTL, "--json", "record", "verify", *files, *self.against, *(("--require", "completed") if require else ()), code=code)

    def audit(self, *files, code):
        with tempfile.TemporaryDirectory(dir=self.top) as folder:
            for number, file in enumerate(files):
                shutil.copy(file, Path(folder) / f"{number}-{file.name}")
            return run(RECALL_OEM, "--json", "audit", "verify", folder, *self.against, code=code)

    def test_unchanged(self):
        answer, = self.verify(self.made / "whole.json", code=0)
        self.assertEqual(answer["checked"], ["signatures", "certificates", "result", "campaign", "key-creation"])
        self.audit(self.made / "whole.json", code=0)

    def test_every_word_has_an_alteration(self):
        self.assertEqual({file.name.split(".")[0] for file in self.altered}, WORDS)

    def test_verify(self):
        for file in self.altered:
            with self.subTest(file.stem):
                answer, = self.verify(file, code=1)
                self.assertEqual((answer["ok"], answer["reason"]), (False, file.name.split(".")[0]), answer["message"])

    def test_audit(self):
        for file in self.altered:
            with self.subTest(file.stem):
                record, verdict = self.audit(file, code=1)
                self.assertEqual((record["reason"], verdict["reason"]), (file.name.split(".")[0],) * 2, verdict["message"])

    def creation(self, name):
        return self.made / "creation" / f"{name}.json"

    def test_created_by_a_record_that_is_given(self):
        answers = self.verify(self.creation("good"), self.creation("first"), code=0)
        self.assertTrue(all("key-creation" in answer["checked"] for answer in answers))
        self.assertEqual(self.audit(self.creation("first"), self.creation("good"), code=0)[-1]["key_creation_unchecked"], [])

    def test_created_by_a_record_that_is_not_given(self):
        answer, = self.verify(self.creation("good"), code=0)
        self.assertNotIn("key-creation", answer["checked"])
        self.assertEqual(self.audit(self.creation("good"), code=0)[-1]["key_creation_unchecked"], ["0-good.json"])

    def test_created_by_a_record_that_does_not_show_it(self):
        first, answer = self.verify(self.creation("first"), self.creation("another-key"), code=1)
        self.assertEqual((first["reason"], answer["reason"]), ("ok", "record-created-by"))
        verdict = self.audit(self.creation("another-key"), self.creation("first"), self.creation("good"), code=1)[-1]
        self.assertEqual(verdict["reason"], "record-created-by")

    def test_written_by_a_record_that_does_not_show_it(self):
        verdict = self.audit(self.creation("another-image"), self.creation("first"), self.creation("good"), code=1)[-1]
        self.assertEqual((verdict["reason"], "its image was written" in verdict["message"]), ("record-created-by", True))

    def test_created_by_a_record_that_is_refused(self):
        """A record that is itself no evidence shows nothing."""
        envelope = json.loads(self.creation("first").read_text())
        envelope["signatures"][0]["sig"] = envelope["signatures"][1]["sig"]
        bent = self.top / "bent.json"
        bent.write_text(json.dumps(envelope))
        answers = self.verify(bent, self.creation("good"), code=1)
        self.assertEqual([answer["reason"] for answer in answers], ["record-signature", "record-created-by"])

    def test_twice(self):
        whole = self.made / "whole.json"
        self.assertEqual([answer["reason"] for answer in self.verify(whole, whole, code=1)], ["ok", "record-duplicate"])
        verdict = self.audit(whole, whole, code=1)[-1]
        self.assertEqual((verdict["reason"], verdict["records"]), ("record-duplicate", 1))

    def test_twice_with_other_white_space(self):
        copy = self.top / "copy.json"
        copy.write_text(json.dumps(json.loads((self.made / "whole.json").read_text()), indent=1))
        verdict = self.audit(self.made / "whole.json", copy, code=1)[-1]
        self.assertEqual((verdict["reason"], verdict["records"]), ("record-duplicate", 1))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
