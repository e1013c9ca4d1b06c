#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ECUs that were exchanged for a part: known before anything is written, requested from the OEM, and finished by the same command.
Usage: test-parts.py BUILD"""
import json
import sys
import unittest

from bench import Bench

BUILD = sys.argv.pop(1)


def part(name):
    return f"SN-{name.upper()}-7001"


def built(name):
    return f"SN-{name.upper()}-0001"


class Case(unittest.TestCase):
    def workshop(self, *names, demo=()):
        """A vehicle in which the named ECUs were exchanged for parts."""
        self.bench = Bench(BUILD, demo=("--image-size", "4096", *demo))
        self.addCleanup(self.bench.close)
        self.fit(*names)
        self.bench.start()
        self.bench.trust_and_import()

    def fit(self, *names):
        path = self.bench.oem / "vehicle" / "seed.json"
        seed = json.loads(path.read_text())
        for ecu in seed["ecus"]:
            if ecu["name"] in names:
                ecu["serial"] = part(ecu["name"])
        path.write_text(json.dumps(seed))

    def is_held_back(self, *names):
        verdict = self.bench.recover(expect=1)
        self.assertEqual((verdict["reason"], verdict["writes"]), ("ecu-replaced", 0), verdict)
        self.assertEqual([(row["old"], row["new"]) for row in verdict["replaced"]], [(built(name), part(name)) for name in names])
        self.assertTrue(all(row["part_number"].startswith("AM-") for row in verdict["replaced"]), verdict)
        for row in verdict["replaced"]:
            for member in ("old", "new", "part_number"):
                self.assertIn(row[member], verdict["message"])
        self.assertEqual(self.bench.wrote(), [])
        return verdict


class Known(Case):
    def test_before_anything_is_written(self):
        for names in (("door",), ("telematics",), ("steering", "sensor")):
            with self.subTest(names=names):
                self.workshop(*names)
                self.is_held_back(*names)


if __name__ == "__main__":
    unittest.main()
