#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two open campaigns that change the same ECUs: refused without an order, done in one visit with one.
Usage: test-visit.py BUILD"""
import base64
import json
import sys
import unittest

from bench import Bench

BUILD = sys.argv.pop(1)
FIRST, SECOND = "R-2026-07", "R-2026-11"


class Case(unittest.TestCase):
    def workshop(self, relation):
        self.bench = Bench(BUILD, demo=("--image-size", "4096", "--second-campaign", relation))
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()
        self.bench.ctl("bundle", "import", self.bench.oem / "second.recall")

    def check(self, expect=0):
        return self.bench.ctl("campaign", "check", self.bench.vin, expect=expect)

    def recover(self, campaign=None, expect=0):
        return self.bench.recover(expect=expect, campaign=campaign)

    def is_refused(self, campaign, reason, *texts):
        verdict = self.recover(campaign, expect=1)
        self.assertEqual((verdict["reason"], verdict["writes"]), (reason, 0), verdict)
        for text in texts:
            self.assertIn(text, verdict["message"])
        self.assertEqual(self.bench.wrote(), [])

    def records(self):
        """(digest, predicate) of each record, which every verifier accepts by the bundle of its campaign."""
        found = []
        for path in self.bench.records():
            predicate = json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))["predicate"]
            bundle = {FIRST: "campaign.recall", SECOND: "second.recall"}[predicate["campaign"]["id"]]
            self.bench.ctl("record", "verify", path, "--trust", self.bench.oem / "dealer-ca.pem", "--bundle", self.bench.oem / bundle,
                           "--service-root", self.bench.oem / "service-root.json", "--require", "completed")
            found.append((path.stem.split("-")[1], predicate))
        return found

    def is_as_the_second_wants(self):
        expected, shown = json.loads((self.bench.oem / "second-expected.json").read_text()), self.bench.show()
        for serial, wanted in expected.items():
            for member, value in wanted.items():
                if member != "new_key":
                    self.assertEqual(shown[serial][member], value, (serial, member))


class Unordered(Case):
    def test_both_are_named_and_nothing_is_written(self):
        self.workshop("unordered")
        verdict = self.check(expect=1)
        self.assertEqual(verdict["reason"], "campaigns-conflict")
        self.assertIn(FIRST, verdict["message"])
        self.assertIn(SECOND, verdict["message"])
        self.assertEqual(len(verdict["campaigns"]), 2)
        for campaign in (None, FIRST, SECOND):
            self.is_refused(campaign, "campaigns-conflict", FIRST, SECOND)

    def test_a_vehicle_that_was_started_is_finished(self):
        self.workshop("unordered")
        self.bench.ctl("bundle", "remove", SECOND)
        self.bench.kill_recover_after(60)
        self.assertNotEqual(self.bench.wrote(), [])
        self.bench.ctl("bundle", "import", self.bench.oem / "second.recall")
        self.assertTrue(self.recover(FIRST)["ok"])


class After(Case):
    def one_visit(self, campaign):
        verdict = self.recover(campaign)
        self.assertEqual([(row["campaign"], row["result"]) for row in verdict["campaigns"]], [(FIRST, "completed"), (SECOND, "completed")])
        self.is_as_the_second_wants()
        (first_digest, first), (second_digest, second) = self.records()
        self.assertEqual([row["record"] for row in verdict["campaigns"]], [first_digest, second_digest])
        self.assertEqual([(row["id"], row["record"]) for row in first["visit"]["campaigns"]], [(FIRST, None), (SECOND, None)])
        self.assertEqual([(row["id"], row["record"]) for row in second["visit"]["campaigns"]], [(FIRST, first_digest), (SECOND, None)])
        answers = [[(item["id"], item["at"]) for item in record["inspection"]["items"] if item["by"] == "technician"] for record in (first, second)]
        self.assertEqual(answers[0], answers[1], "one inspection")
        return verdict

    def test_one_visit(self):
        self.workshop("after")
        self.assertEqual({row["campaign"]: row["order"] for row in self.check()["campaigns"]}, {FIRST: 1, SECOND: 2})
        verdict = self.one_visit(None)
        self.assertGreater(verdict["writes"], 0)
        folder = self.bench.records()[0].parent
        audit = json.loads(self.bench.run("recall-oem", "--json", "audit", "verify", folder, "--trust", self.bench.oem / "dealer-ca.pem", "--bundle",
                                          self.bench.oem / "campaign.recall", "--bundle", self.bench.oem / "second.recall").splitlines()[-1])
        self.assertEqual((audit["ok"], audit["campaign_unchecked"]), (True, []), audit)
        again = self.recover(None)
        self.assertEqual((again["writes"], [row["campaign"] for row in again["campaigns"]]), (0, [SECOND]), again)
        past = self.recover(FIRST, expect=1)
        self.assertEqual((past["reason"], past["writes"]), ("campaign-superseded", 0), past)
        self.is_as_the_second_wants()

    def test_what_comes_before_is_done_first(self):
        self.workshop("after")
        inspected = self.bench.ctl("inspect", "--campaign", SECOND, "--link", self.bench.link, "--answers", self.bench.oem / "answers.json", expect=1)
        self.assertEqual(inspected["reason"], "campaign-after", inspected)
        self.assertIn(FIRST, inspected["message"])
        self.one_visit(SECOND)

    def test_an_interrupted_visit_goes_on(self):
        """The first one alone, then a kill in the second: the same command finishes, and the record names the first one's."""
        self.workshop("after")
        alone = self.recover(FIRST)
        self.assertEqual([row["campaign"] for row in alone["campaigns"]], [FIRST])
        self.bench.kill_recover_after(60)
        self.assertTrue(self.recover(None)["ok"])
        self.is_as_the_second_wants()
        (first_digest, _), (_, second) = self.records()
        self.assertEqual([(row["id"], row["record"]) for row in second["visit"]["campaigns"]], [(FIRST, first_digest), (SECOND, None)])


class Supersedes(Case):
    def test_only_the_second_is_done(self):
        self.workshop("supersedes")
        rows = {row["campaign"]: row for row in self.check()["campaigns"]}
        self.assertEqual((rows[FIRST]["superseded_by"], rows[SECOND]["order"]), (SECOND, 1))
        self.is_refused(FIRST, "campaign-superseded", FIRST, SECOND)
        verdict = self.recover(None)
        self.assertEqual([row["campaign"] for row in verdict["campaigns"]], [SECOND])
        self.is_as_the_second_wants()
        ((_, only),) = self.records()
        self.assertNotIn("visit", only)


if __name__ == "__main__":
    unittest.main()
