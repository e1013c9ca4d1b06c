#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl record and outbox, as an auditor's script sees them."""

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RECALLCTL, MAKER = sys.argv[1:3]


class Verbs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.made)
        subprocess.run([MAKER, str(cls.made)], check=True)
        cls.trust = str(cls.made / "dealer-ca.pem")
        cls.exported = cls.made / "exported"
        cls.ctl("record", "export", str(cls.exported), code=0)
        cls.files = sorted(cls.exported.glob("*.json"))

    @classmethod
    def ctl(cls, *arguments, code, data="data"):
        done = subprocess.run([RECALLCTL, "--json", "--data-dir", str(cls.made / data), *arguments], capture_output=True, text=True)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def verify(self, *arguments, code=0):
        return self.ctl("record", "verify", *map(str, arguments), code=code)

    def test_list(self):
        answer = self.ctl("record", "list", code=0)[-1]
        self.assertTrue(answer["ok"])
        self.assertEqual([row["sequence"] for row in answer["records"]], [1, 2, 3])
        self.assertEqual([row["result"] for row in answer["records"]], ["completed", "incomplete", "completed"])
        self.assertEqual([row["type"] for row in answer["records"]], ["completion", "partial", "completion"])

    def test_show(self):
        digest = self.ctl("record", "list", code=0)[-1]["records"][1]["digest"]
        answer = self.ctl("record", "show", digest, code=0)[-1]
        self.assertEqual(answer["predicate"]["result"], "incomplete")
        self.assertEqual(answer["digest"], digest)
        self.assertEqual(self.ctl("record", "show", digest[:12], code=0)[-1]["digest"], digest)
        self.assertEqual(self.ctl("record", "show", "0" * 64, code=1)[-1]["reason"], "not-found")

    def test_export(self):
        rows = self.ctl("record", "list", code=0)[-1]["records"]
        self.assertEqual({path.name for path in self.exported.iterdir()}, {f"{row['sequence']}-{row['digest']}.json" for row in rows})
        with sqlite3.connect(self.made / "data/recallbay.db") as db:
            kept = {digest: bytes(envelope) for digest, envelope in db.execute("SELECT digest, envelope FROM records")}
        for path in self.files:
            self.assertEqual(path.read_bytes(), kept[path.stem.split("-")[1]])
        self.ctl("record", "export", str(self.exported), code=0)

    def test_export_beside_other_files(self):
        folder = self.made / "mixed"
        folder.mkdir()
        (folder / "notes.json").write_text("{}")
        self.assertEqual(self.ctl("record", "export", str(folder), code=1)[-1]["reason"], "exists")
        self.assertEqual(len(list(folder.iterdir())), 1)

    def test_outbox(self):
        self.assertEqual(len(self.ctl("outbox", code=0)[-1]["pending"]), 3)
        self.assertEqual(self.ctl("outbox", "export", str(self.made / "stick"), code=0)[-1]["exported"], 3)
        self.assertEqual(len(list((self.made / "stick").glob("*.json"))), 3)

    def print_record(self, row):
        path = self.made / f"{row['sequence']}.pdf"
        self.ctl("record", "print", row["digest"], "-o", str(path), code=0)
        info = subprocess.run(["pdfinfo", str(path)], capture_output=True, text=True, check=True).stdout
        text = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
        self.assertRegex(info, r"Pages: +1\n")
        self.assertRegex(info, r"Page size:.*A4")
        self.assertIn(row["digest"], info)
        self.assertIn(row["digest"], text)
        self.assertIn(row["vin"], text)
        return text

    def test_print(self):
        done, failed, _ = self.ctl("record", "list", code=0)[-1]["records"]
        page = self.print_record(done)
        self.assertIn("COMPLETED", page)
        self.assertNotIn("NOT COMPLETE", page)
        self.assertIn("Ada Fitter", page)
        page = self.print_record(failed)
        self.assertIn("NOT COMPLETE: DO NOT RELEASE", page)
        self.assertNotIn("COMPLETED", page)
        self.assertLess(page.index("SN-BRAKE-0001"), page.index("SN-TELEMATICS-0001"), "what is not done comes first")
        self.ctl("record", "print", done["digest"], code=2)
        self.ctl("record", "print", "0" * 64, "-o", str(self.made / "none.pdf"), code=1)
        self.assertFalse((self.made / "none.pdf").exists())

    def edited(self, name, sql):
        """A copy of the data dir whose owner edits the database."""
        shutil.copytree(self.made / "data", self.made / name)
        with sqlite3.connect(self.made / name / "recallbay.db") as db:
            db.executescript("DROP TRIGGER records_stay; DROP TRIGGER records_keep;" + sql)
        return name

    COLUMNS = "UPDATE records SET result='completed', type='completion', vin='WAURAB0RA1LL00022', campaign='R-0', sequence=sequence+40, finished=0, digest=substr(digest,1,20)||'f'||substr(digest,22)"

    def test_edited_columns(self):
        """What is listed, shown and exported comes from the signed bytes."""
        before, data = self.ctl("record", "list", code=0)[-1]["records"], self.edited("columns", self.COLUMNS)
        self.assertEqual(self.ctl("record", "list", code=0, data=data)[-1]["records"], before)
        self.assertEqual(self.ctl("outbox", code=0, data=data)[-1]["pending"], before)
        self.assertEqual(self.ctl("record", "list", "--vin", "WAURAB0RA1LL00022", code=0, data=data)[-1]["records"], [])
        shown = self.ctl("record", "show", before[1]["digest"], code=0, data=data)[-1]
        self.assertEqual({name: shown[name] for name in before[1]}, before[1])
        self.assertEqual(shown["predicate"]["result"], "incomplete")
        for verb in ("record", "outbox"):
            self.assertEqual(self.ctl(verb, "export", str(self.made / f"columns-{verb}"), code=0, data=data)[-1]["exported"], 3)
            self.assertEqual({path.name for path in (self.made / f"columns-{verb}").iterdir()}, {path.name for path in self.files})
        self.ctl("record", "print", before[1]["digest"], "-o", str(self.made / "columns.pdf"), code=0, data=data)

    def test_an_envelope_of_nothing(self):
        """An envelope {} is no record: it is told, never exported, and the verdict is not good; the others are not held back."""
        data = self.edited("nothing", "UPDATE records SET envelope=x'7b7d' WHERE sequence=2")
        digest = self.ctl("record", "list", code=0)[-1]["records"][1]["digest"]
        for verb in (("record", "list"), ("outbox",)):
            answer = self.ctl(*verb, code=1, data=data)[-1]
            self.assertEqual((answer["ok"], answer["reason"]), (False, "record-malformed"))
            rows = answer["records" if verb[0] == "record" else "pending"]
            self.assertEqual(rows[1], {"fault": "record-malformed", "stored_as": digest})
            self.assertEqual([row.get("sequence") for row in rows], [1, None, 3])
        for verb in ("record", "outbox"):
            answer = self.ctl(verb, "export", str(self.made / f"nothing-{verb}"), code=1, data=data)[-1]
            self.assertEqual((answer["reason"], answer["exported"]), ("record-malformed", 2))
            self.assertEqual(len(list((self.made / f"nothing-{verb}").iterdir())), 2)
        for verb in (("show", digest), ("print", digest, "-o", str(self.made / "nothing.pdf"))):
            self.assertEqual(self.ctl("record", *verb, code=1, data=data)[-1]["reason"], "record-malformed")
        self.assertFalse((self.made / "nothing.pdf").exists())

    def test_an_envelope_of_another_record(self):
        data = self.edited("twice", "UPDATE records SET envelope=(SELECT envelope FROM records WHERE sequence=1) WHERE sequence=2")
        answer = self.ctl("record", "list", code=1, data=data)[-1]
        self.assertEqual(answer["reason"], "record-duplicate")
        self.assertEqual([row.get("fault") for row in answer["records"]], [None, "record-duplicate", None])
        self.assertIn("between records 1 and 3", answer["gaps"][0])

    def test_a_record_deleted(self):
        data = self.edited("deleted", "DELETE FROM records WHERE sequence=2")
        self.assertIn("between records 1 and 3", self.ctl("record", "list", code=0, data=data)[-1]["gaps"][0])

    def test_a_damaged_payload(self):
        data = self.edited("bent", "UPDATE records SET envelope=CAST(replace(CAST(envelope AS TEXT), '\"sig\":\"ME', '\"sig\":\"MA') AS BLOB) WHERE sequence=1")
        answer = self.ctl("record", "list", code=1, data=data)[-1]
        self.assertEqual((answer["reason"], answer["records"][0]["fault"]), ("record-signature", "record-signature"))
        self.assertNotIn("result", answer["records"][0])

    def test_empty_data_dir(self):
        self.assertEqual(self.ctl("record", "list", code=0, data="empty")[-1]["records"], [])
        self.assertEqual(self.ctl("outbox", code=0, data="empty")[-1]["pending"], [])

    def test_verify_one(self):
        answer, = self.verify(self.files[0], "--trust", self.trust)
        self.assertTrue(answer["ok"])
        self.assertEqual((answer["type"], answer["result"], answer["vin"]), ("completion", "completed", "WAURAB0RA1LL00011"))
        self.assertEqual(answer["checked"], ["signatures", "certificates", "result", "key-creation"])
        self.assertEqual(answer["digest"], self.files[0].stem.split("-")[1])

    def test_verify_all_in_any_order(self):
        answers = self.verify(self.files[2], self.files[0], self.files[1], "--trust", self.trust)
        self.assertEqual(len(answers), 3)
        self.assertTrue(all("sequence" in answer["checked"] for answer in answers))

    def test_a_missing_predecessor_is_no_error(self):
        answers = self.verify(self.files[0], self.files[2], "--trust", self.trust)
        self.assertFalse(any("sequence" in answer["checked"] for answer in answers))

    def test_require_completed(self):
        answers = self.verify(*self.files, "--trust", self.trust, "--require", "completed", code=1)
        self.assertEqual([answer["reason"] for answer in answers], ["ok", "not-completed", "ok"])
        self.verify(self.files[0], "--trust", self.trust, "--require", "completed")
        self.verify(self.files[0], "--trust", self.trust, "--require", "aborted", code=2)

    def test_no_anchor(self):
        self.assertEqual(self.verify(self.files[0], code=1)[-1]["reason"], "no-trust-anchor")

    def test_another_authority(self):
        answer, = self.verify(self.files[0], "--trust", self.made / "other-ca.pem", code=1)
        self.assertEqual(answer["reason"], "record-certificate")
        self.assertEqual(answer["checked"], ["signatures"])

    def test_a_flipped_byte(self):
        envelope = bytearray(self.files[0].read_bytes())
        envelope[envelope.index(b'"payload":"') + 400] ^= 1
        flipped = self.made / "flipped.json"
        flipped.write_bytes(envelope)
        answer, = self.verify(flipped, "--trust", self.trust, code=1)
        self.assertIn(answer["reason"], ("record-signature", "record-malformed"))
        self.assertEqual(answer["checked"], [])

    def test_a_lie_signed_with_the_real_keys(self):
        answer, = self.verify(self.made / "forged/2-forged.json", "--trust", self.trust, code=1)
        self.assertEqual(answer["reason"], "record-result")

    def test_a_fork(self):
        self.ctl("record", "export", str(self.made / "other"), code=0, data="forked")
        other, = [path for path in (self.made / "other").glob("3-*.json")]
        answers = self.verify(*self.files, other, "--trust", self.trust, code=1)
        self.assertEqual([answer["reason"] for answer in answers], ["ok", "ok", "record-sequence", "record-sequence"])

    def test_not_there(self):
        answers = self.verify(self.files[0], self.made / "nowhere.json", "--trust", self.trust, code=1)
        self.assertEqual([answer["reason"] for answer in answers], ["ok", "not-found"])

    def test_not_a_bundle(self):
        (self.made / "no.recall").write_bytes(b"no bundle at all")
        answer, = self.verify(self.files[0], "--trust", self.trust, "--bundle", self.made / "no.recall", code=1)
        self.assertFalse(answer["ok"])

    def test_usage(self):
        self.verify("--trust", self.trust, code=2)
        self.verify(self.files[0], "--service-root", self.trust, "--trust", self.trust, code=2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
