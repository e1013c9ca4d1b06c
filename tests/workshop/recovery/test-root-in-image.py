#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An ECU with partial verification whose Director root is part of its image: no request overwrites the root, the known-good image
brings it. Usage: test-root-in-image.py BUILD
"""
import base64
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from bench import Bench  # noqa: E402

BUILD = sys.argv.pop(1)
BRAKE = "SN-BRAKE-0001"
SEGMENTS = 3  # program, parameters, root


class RootInImage(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD, altered=["image-root=brake"])
        self.addCleanup(self.bench.close)

    def begin(self, *faults):
        self.start(*faults)
        self.bench.trust_and_import()

    def start(self, *faults):
        self.bench.start(*(word for fault in faults for word in ("--fault", f"brake:{fault}")))

    def restart(self, *faults):
        self.bench.stop()
        self.start(*faults)

    def events(self, since=0):
        """Kinds of the brake's writes and resets, each once where it repeats."""
        kinds = [event["event"] for event in self.bench.events()[since:] if event["serial"] == BRAKE
                 and event["event"] in ("erase", "block", "root", "metadata", "reset", "key")]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]

    def erased(self, since):
        return sum(event["event"] == "erase" and event["serial"] == BRAKE for event in self.bench.events()[since:])

    def entry(self):
        """The brake in the newest record, which every verifier accepts."""
        path = self.bench.records()[-1]
        self.bench.verify(path)
        predicate = json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))["predicate"]
        entries = {ecu["ecuSerial"]: ecu for ecu in predicate["ecus"]}
        self.assertEqual({ecu["roots"]["method"] for serial, ecu in entries.items() if serial != BRAKE}, {"metadata-write"})
        self.assertEqual(entries[BRAKE]["roots"], {"method": "image-embedded"})
        return entries[BRAKE]

    def finishes(self):
        self.assertTrue(self.bench.recover()["ok"])
        self.assertEqual(self.bench.differences(), [])
        path = self.bench.records()[-1]
        self.bench.verify(path, "--require", "completed")
        audited = json.loads(self.bench.run("recall-oem", "audit", "verify", path.parent, "--trust", self.bench.oem / "dealer-ca.pem", "--bundle",
                                            self.bench.oem / "campaign.recall", "--service-root", self.bench.oem / "service-root.json",
                                            "--json").splitlines()[-1])
        self.assertTrue(audited["ok"], audited)

    def parks(self):
        """Root not proven: nothing was verified by the old root, and no key was made."""
        since = len(self.bench.events())
        verdict = self.bench.recover(expect=3)
        self.assertEqual({row["serial"]: row["reason"] for row in verdict["ecus"] if row["serial"] == BRAKE}, {BRAKE: "root-not-proven"})
        self.assertEqual(self.erased(since), SEGMENTS, "the image is written exactly once")
        self.assertFalse({"root", "metadata", "key"} & set(self.events(since)), self.events(since))
        entry = self.entry()
        self.assertEqual((entry["outcome"], entry["reason"], entry["failure"]["stage"]), ("failed", "root-not-proven", "reset"))
        self.assertIn("Director root", entry["failure"]["text"])
        return entry

    def test_complete(self):
        self.begin()
        before = self.bench.show()[BRAKE]
        self.finishes()
        entry = self.entry()
        self.assertEqual(entry["outcome"], "replaced")
        self.assertEqual(entry["before"]["directorRoot"], {"version": 1, "sha256": before["director_root_sha256"]})
        self.assertEqual(entry["after"]["directorRoot"]["version"], 2)
        order = self.events()
        self.assertEqual([kind for kind in order if kind not in ("erase", "block")], ["root", "reset", "metadata", "key", "reset"], order)
        self.assertEqual(self.bench.recover()["writes"], 0, "a second run writes nothing")
        self.bench.stop()
        self.assertEqual(set(self.bench.offer().values()), {False}, "the attacker's metadata is rejected")

    def test_old_root_stays(self):
        """The ECU runs the right image and keeps its root: the image is written again once a run, until the root is the campaign's."""
        self.begin("keep-root")
        old = self.bench.show()[BRAKE]["director_root_sha256"]
        self.parks()
        shown = self.bench.show()[BRAKE]
        wanted = json.loads((self.bench.oem / "expected.json").read_text())[BRAKE]
        self.assertEqual((shown["image_sha256"], shown["director_root_sha256"]), (wanted["image_sha256"], old))
        self.restart("keep-root")
        self.assertEqual(self.parks()["before"]["imageSha256"], wanted["image_sha256"])
        self.restart()
        since = len(self.bench.events())
        self.finishes()
        self.assertEqual(self.erased(since), SEGMENTS)
        self.assertEqual(self.entry()["outcome"], "replaced")

    def test_without_image_there_is_no_root(self):
        """The vehicle loses its power in the middle of the image: the bootloader has no root to tell of."""
        self.begin("kill@2")
        self.bench.recover(expect=3)
        self.restart()
        self.assertEqual(self.bench.show()[BRAKE]["boot"], "bootloader")
        self.finishes()
        self.assertIsNone(self.entry()["before"]["directorRoot"])


if __name__ == "__main__":
    unittest.main()
