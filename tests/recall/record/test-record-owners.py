#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl record export and outbox export on a workstation of two OEMs: neither gets the other's vehicles."""

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RECALLCTL, RECALL_OEM, MAKER = sys.argv[1:4]
OEMS = ("Aurora", "Borealis")


class Owners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.made)
        cls.data = cls.made / "data"
        cls.campaigns = {}
        for oem in OEMS:
            subprocess.run([RECALL_OEM, "demo", str(cls.made / oem), "--image-size", "20000"], check=True, stdout=subprocess.DEVNULL)
            (cls.made / f"records-{oem}").mkdir()
            subprocess.run([MAKER, str(cls.made / f"records-{oem}"), str(cls.made / oem)], check=True)
        shutil.copytree(cls.made / "records-Aurora" / "data", cls.data)
        with sqlite3.connect(cls.data / "recallbay.db") as database:
            database.execute("ATTACH ? AS other", (str(cls.made / "records-Borealis" / "data" / "recallbay.db"),))
            cls.numbers = {oem: database.execute(f"SELECT count(*) FROM {schema}.records").fetchone()[0]
                           for oem, schema in zip(OEMS, ("main", "other"))}
            database.execute("INSERT INTO main.records SELECT * FROM other.records")
        for oem in OEMS:
            cls.ctl("trust", "add", cls.made / oem / "service-root.json", "--name", oem, "--wmi", "1RB")
            cls.campaigns[oem] = cls.ctl("bundle", "import", cls.made / oem / "campaign.recall")["campaign_sha256"]

    @classmethod
    def ctl(cls, *arguments, code=0, data=None):
        done = subprocess.run([RECALLCTL, "--json", "--data-dir", str(data or cls.data), *map(str, arguments)], capture_output=True,
                              text=True, check=False)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    def exported(self, verb, oem):
        folder = Path(tempfile.mkdtemp(dir=self.made)) / "out"
        verdict = self.ctl(verb, "export", folder, "--oem", oem)
        payloads = [json.loads(base64.b64decode(json.loads(path.read_text())["payload"])) for path in folder.glob("*.json")]
        self.assertEqual(verdict["exported"], len(payloads))
        return payloads

    def test_each_gets_its_own(self):
        self.assertGreater(min(self.numbers.values()), 0)
        for verb in ("record", "outbox"):
            for oem in OEMS:
                payloads = self.exported(verb, oem)
                self.assertEqual(len(payloads), self.numbers[oem])
                self.assertEqual({payload["predicate"]["campaign"]["campaignSha256"] for payload in payloads}, {self.campaigns[oem]})

    def test_needed_where_there_are_several(self):
        for verb in ("record", "outbox"):
            folder = self.made / f"without-{verb}"
            verdict = self.ctl(verb, "export", folder, code=2)
            self.assertEqual(verdict["reason"], "usage")
            self.assertIn("“Aurora”, “Borealis”", verdict["message"])
            self.assertFalse(folder.exists())

    def test_unknown(self):
        verdict = self.ctl("record", "export", self.made / "unknown", "--oem", "Corona", code=1)
        self.assertEqual(verdict["reason"], "not-found")
        self.assertFalse((self.made / "unknown").exists())

    def test_removing_the_campaigns_forgets_no_owner(self):
        copy = self.made / "removed"
        shutil.copytree(self.data, copy)
        for row in self.ctl("bundle", "list", data=copy)["campaigns"]:
            self.ctl("bundle", "remove", f"{row['anchor']}/{row['campaign']}", data=copy)
        verdict = self.ctl("record", "export", self.made / "after", "--oem", "Aurora", data=copy)
        self.assertEqual(verdict["exported"], self.numbers["Aurora"])

    def test_owners_that_cannot_be_read(self):
        copy = self.made / "damaged"
        shutil.copytree(self.data, copy)
        (copy / "pins.json").write_text("{}")
        folder = self.made / "none"
        self.assertEqual(self.ctl("outbox", "export", folder, "--oem", "Aurora", data=copy, code=1)["reason"], "store-damaged")
        self.assertFalse(folder.exists())

    def test_alone(self):
        """With one OEM the option may be left out, and the name in the records will do where no anchor is known."""
        data = self.made / "records-Aurora" / "data"
        names = {self.ctl("record", "show", row["digest"], data=data)["predicate"]["campaign"]["oem"]
                 for row in self.ctl("record", "list", data=data)["records"]}
        self.assertEqual(len(names), 1)
        for number, options in enumerate(((), ("--oem", names.pop()))):
            verdict = self.ctl("record", "export", self.made / f"alone-{number}", *options, data=data)
            self.assertEqual(verdict["exported"], self.numbers["Aurora"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=1)
