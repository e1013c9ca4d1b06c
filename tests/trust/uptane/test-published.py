#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl uptane verify on the metadata that the reference implementation published: test-published.py RECALLCTL FOLDER"""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CTL, FOLDER = sys.argv.pop(1), Path(sys.argv.pop(1))
FIRST, UPDATE = "initial_w_no_update", "update_to_one_ecu"


class Published(unittest.TestCase):
    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.scratch)

    def verify(self, folder, *more, time="2017-09-01T00:00:00Z", vin="democar"):
        root = FOLDER / FIRST
        done = subprocess.run([CTL, "uptane", "verify", "--json", "--director", folder / "director/metadata", "--image", folder / "imagerepo/metadata",
                               "--director-root", root / "director/metadata/root.json", "--image-root", root / "imagerepo/metadata/root.json",
                               "--state", self.scratch / "state", "--vin", vin, "--time", time, *(more or ("--primary", "TCUdemocar:tcu"))],
                              capture_output=True, text=True, timeout=60, check=False)
        verdict = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(done.returncode, 0 if verdict["ok"] else 1)
        return verdict

    def copy(self, name):
        shutil.copytree(FOLDER / name, self.scratch / name)
        return self.scratch / name

    def test_update_after_the_first(self):
        """The first directs nothing and names no vehicle; the update directs an image, which only this vehicle has an ECU for."""
        first = self.verify(FOLDER / FIRST)
        self.assertEqual((first["repo"], first["role"], first["reason"]), ("director", "targets", "vin-mismatch"))
        update = self.verify(FOLDER / UPDATE)
        self.assertEqual([(ecu["serial"], ecu["path"], ecu["length"]) for ecu in update["ecus"]], [("TCUdemocar", "/TCU1.1.txt", 17)])
        self.assertEqual((update["director"]["targets"], update["image"]["targets"]), (2, 1))

    def test_played_back(self):
        self.assertEqual(self.verify(FOLDER / UPDATE)["reason"], "ok")
        verdict = self.verify(FOLDER / FIRST)
        self.assertEqual((verdict["repo"], verdict["role"], verdict["reason"]), ("director", "timestamp", "rollback"))

    def test_frozen(self):
        verdict = self.verify(FOLDER / UPDATE, time="2037-09-28T12:46:20Z")  # between the two repositories' expiries
        self.assertEqual((verdict["repo"], verdict["role"], verdict["reason"]), ("image", "root", "expired"))

    def test_for_another_vehicle(self):
        verdict = self.verify(FOLDER / UPDATE, "--primary", "TCUothercar:tcu")
        self.assertEqual((verdict["repo"], verdict["reason"]), ("director", "ecu-unknown"))

    def test_every_letter_counts(self):
        """Each signed member of the Director's targets, changed by one letter."""
        text = (FOLDER / UPDATE / "director/metadata/targets.json").read_text()
        for old, new in (("TCU1.1.txt", "TCU1.2.txt"), ('"length": 17', '"length": 18'), ('"version": 2', '"version": 3'), ("2037-09", "2038-09"),
                         ("TCUdemocar", "BCUdemocar"), ("56d7cd56", "56d7cd57")):
            with self.subTest(old):
                folder = self.copy(UPDATE)
                (folder / "director/metadata/targets.json").write_text(text.replace(old, new, 1))
                verdict = self.verify(folder)
                self.assertFalse(verdict["ok"])
                self.assertIn(verdict["reason"], ("bad-signature", "hash-mismatch", "version-mismatch"))
                shutil.rmtree(folder)

    def test_repositories_exchanged(self):
        folder = self.copy(UPDATE)
        for name in ("timestamp", "snapshot", "targets"):
            shutil.copy(folder / f"imagerepo/metadata/{name}.json", folder / f"director/metadata/{name}.json")
        verdict = self.verify(folder)
        self.assertEqual((verdict["repo"], verdict["role"], verdict["reason"]), ("director", "timestamp", "threshold-unmet"))


if __name__ == "__main__":
    unittest.main()
