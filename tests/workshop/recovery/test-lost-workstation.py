#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A workstation is lost in the middle of a recovery and hands nothing over: another one takes its partial record and completes the vehicle,
with the coding of ECUs that were erased. Usage: test-lost-workstation.py BUILD
"""
import base64
import json
import shutil
import subprocess
import sys
import unittest

from proxy import Proxy

from bench import Bench

BUILD = sys.argv.pop(1)
LAMP, LAMP_ADDRESS, CODING = "SN-LAMP-0001", 0x1007, (b"\x22\x06\x00", b"\x22\x06\x01")


def predicate_of(path):
    return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))["predicate"]


class LostWorkstation(unittest.TestCase):
    def begin(self, *options):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)
        self.bench.start(*options)
        self.bench.trust_and_import()
        self.outside = self.bench.root / "stick"
        self.seeded = {serial: ecu["coding"] for serial, ecu in self.bench.show().items()}

    def another_workstation(self, name="another"):
        self.bench.data = self.bench.root / name
        self.bench.trust_and_import()

    def left(self):
        return sorted(self.outside.glob("*.json"), key=lambda path: int(path.name.split("-")[0]))

    def killed_in_an_image(self):
        """kill -9 of recallctl once the lamp acknowledged a part of its image; the data folder is lost too."""
        command = [self.bench.bin / "recallctl", "--json", "--data-dir", self.bench.data, *self.bench.recover_arguments(evidence=self.outside)]
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as program:
            for line in program.stdout:
                event = json.loads(line)
                if event.get("event") == "progress" and event.get("serial") == LAMP:
                    break
            program.kill()
        self.assertEqual(self.bench.show()[LAMP]["coding"], {}, "the lamp is erased")
        shutil.rmtree(self.bench.data)

    def audit(self):
        return json.loads(self.bench.run("recall-oem", "--json", "audit", "verify", self.bench.records()[0].parent, "--trust",
                                         self.bench.oem / "dealer-ca.pem", "--bundle", self.bench.oem / "campaign.recall", "--service-root",
                                         self.bench.oem / "service-root.json").splitlines()[-1])

    def completes(self):
        finished = self.bench.recover()
        self.assertTrue(finished["ok"])
        self.assertEqual(self.bench.differences(), [])
        shown = self.bench.show()
        self.assertEqual(shown[LAMP]["coding"], self.seeded[LAMP])
        self.assertEqual({serial: ecu["coding"]["0600"] for serial, ecu in shown.items()},
                         {serial: coding["0600"] for serial, coding in self.seeded.items()})
        record, = (path for path in self.bench.records() if finished["record"] in path.name)
        self.bench.verify(record, "--require", "completed")
        verdict = self.audit()
        self.assertTrue(verdict["ok"], verdict)
        self.assertEqual(verdict["key_creation_unchecked"], [])
        return record

    def refuses_what_is_none(self, record):
        """The rules of a hand-over: the campaign is in the library, and the signatures are right."""
        self.bench.ctl("bundle", "remove", self.bench.campaign)
        self.assertEqual(self.bench.ctl("recovery", "take-over", record, expect=1)["reason"], "campaign-unknown")
        self.bench.ctl("bundle", "import", self.bench.oem / "campaign.recall")
        changed, envelope = self.bench.root / "changed.json", json.loads(record.read_text())
        payload = base64.b64decode(envelope["payload"]).replace(self.seeded[LAMP]["0600"].encode(), b"00" * 6)
        changed.write_text(json.dumps(envelope | {"payload": base64.b64encode(payload).decode()}))
        self.assertEqual(self.bench.ctl("recovery", "take-over", changed, expect=1)["reason"], "record-signature")

    def test_killed_after_an_erasure(self):
        self.begin()
        self.killed_in_an_image()
        record, = self.left()
        verdict = self.bench.verify(record)
        self.assertEqual((verdict["type"], verdict["result"]), ("partial", "incomplete"))
        lamp, = (ecu for ecu in predicate_of(record)["ecus"] if ecu["ecuSerial"] == LAMP)
        self.assertEqual({value["did"]: value["value"] for value in lamp["coding"]}, self.seeded[LAMP])
        self.assertEqual((lamp["outcome"], lamp["writes"]), ("failed", 0))
        self.another_workstation()
        self.refuses_what_is_none(record)
        taken = self.bench.ctl("recovery", "take-over", record)
        self.assertEqual((taken["result"], taken["record"], taken["keys"], taken["images"]), ("incomplete", verdict["digest"], 0, 0))
        self.assertGreaterEqual(taken["coding"], len(self.seeded[LAMP]))
        self.assertEqual(self.bench.ctl("recovery", "take-over", self.completes(), expect=1)["reason"], "not-handed-over")

    def test_record_of_an_interrupted_run(self):
        """The vehicle lost its power in the lamp's image; the run's own record says which keys were made."""
        self.begin("--fault", "lamp:kill@2")
        self.assertEqual(self.bench.recover(expect=3)["reason"], "link-lost")
        record = self.bench.records()[-1]
        done = {ecu["ecuSerial"]: ecu["key"]["newKeyId"] for ecu in predicate_of(record)["ecus"]
                if ecu["outcome"] == "replaced" and ecu["key"]["kind"] == "asymmetric"}
        self.assertTrue(done)
        self.bench.stop()
        self.bench.start()
        self.another_workstation()
        taken = self.bench.ctl("recovery", "take-over", record)
        self.assertEqual((taken["result"], taken["keys"]), ("aborted", len(done)))
        self.completes()
        shown = self.bench.show()
        self.assertEqual({serial: shown[serial]["key_id"] for serial in done}, done, "keys are not made again")

    def test_no_record_no_erasure(self):
        self.begin()
        self.outside.write_text("not a folder")
        verdict = self.bench.recover(expect=1, evidence=self.outside)
        self.assertIn(self.outside.name, verdict["message"])
        self.assertEqual((self.bench.wrote(), self.bench.ctl("record", "list")["records"]), ([], []))

    def test_coding_that_is_told_late(self):
        """An ECU that tells its coding only once the run has begun: its erasure waits for a record of its own."""
        self.begin()

        def silent_at_first(source, request, answer):
            return bytes([0x7F, 0x22, 0x22]) if source == LAMP_ADDRESS and request[:3] in CODING and not self.left() else answer
        proxy = Proxy(self.bench.link, silent_at_first)
        self.addCleanup(proxy.close)
        self.assertTrue(self.bench.recover(evidence=self.outside, link=proxy.link)["ok"])
        told = [{value["did"]: value["value"] for ecu in predicate_of(path)["ecus"] if ecu["ecuSerial"] == LAMP for value in ecu["coding"]}
                for path in self.left()]
        self.assertEqual(told, [{"0600": None, "0601": None}, self.seeded[LAMP]])
        self.assertEqual(self.bench.show()[LAMP]["coding"], self.seeded[LAMP])
        self.bench.verify(self.bench.records()[-1], "--require", "completed")
        nothing = self.bench.root / "nothing"
        self.assertEqual(self.bench.recover(evidence=nothing)["writes"], 0)
        self.assertFalse(nothing.exists(), "nothing is erased, so nothing is left")


if __name__ == "__main__":
    unittest.main()
