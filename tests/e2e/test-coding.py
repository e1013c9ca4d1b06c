#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an erasure loses and no image holds: coding and adaptation are stored before it, written back after it and proven; fingerprint, DTCs
and the campaign's conditions around it, in the vehicle and in the record.

Usage: test-coding.py BUILD
"""
import base64
import json
import subprocess
import sys
import unittest

from bench import Bench

BUILD = sys.argv.pop(1)
BRAKE, DOOR, LAMP = "SN-BRAKE-0001", "SN-DOOR-0001", "SN-LAMP-0001"
CAMPAIGN_VALUE = "0142"  # of the brake's adaptation, 0601


class Coding(unittest.TestCase):
    def bench(self, *options, altered=None):
        bench = Bench(BUILD, altered=altered)
        self.addCleanup(bench.close)
        bench.start(*options)
        bench.trust_and_import()
        return bench

    @staticmethod
    def seeded(bench):
        seed = json.loads((bench.oem / "vehicle" / "seed.json").read_text())
        return {ecu["serial"]: ecu["coding"] for ecu in seed["ecus"]}

    @staticmethod
    def entries(bench, digest):
        payload = None
        folder = bench.root / "records"
        bench.ctl("record", "export", folder)
        for path in folder.glob("*.json"):
            if digest in path.name:
                payload = json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))
        return {ecu["ecuSerial"]: ecu for ecu in payload["predicate"]["ecus"]}, payload["predicate"]

    def expected(self, bench):
        wanted = self.seeded(bench)
        wanted[BRAKE] = {**wanted[BRAKE], "0601": CAMPAIGN_VALUE}
        return wanted

    def test_whole(self):
        bench = self.bench()
        verdict = bench.recover()
        shown = bench.show()
        self.assertEqual({serial: ecu["coding"] for serial, ecu in shown.items()}, self.expected(bench))
        entries, predicate = self.entries(bench, verdict["record"])
        for serial, entry in entries.items():
            with self.subTest(serial):
                coding = {value["did"]: value for value in entry["coding"]}
                self.assertEqual({did: value["readBack"] for did, value in coding.items()}, shown[serial]["coding"])
                self.assertEqual({did: value["value"] for did, value in coding.items()}, shown[serial]["coding"])
                origins = {did: value["origin"] for did, value in coding.items()}
                self.assertEqual(origins, {"0600": "from-vehicle", "0601": "campaign" if serial == BRAKE else "from-vehicle"})
                self.assertEqual(entry["dtcBefore"], [{"code": "911A13", "status": 9}] if serial == DOOR else [])
                self.assertEqual(entry["dtcAfter"], [])
                self.assertEqual(entry["conditions"], [{"kind": "hardware-version", "did": "F193", "value": "1.1"}])
                # date, and whose workstation it was
                self.assertEqual(entry["fingerprint"]["value"], shown[serial]["fingerprint"])
                self.assertEqual(shown[serial]["fingerprint"][6:], predicate["workstation"]["certSha256"][:12])
                self.assertEqual(shown[serial]["fingerprint"][:6], predicate["finishedAt"][2:10].replace("-", ""))
        verified = bench.ctl("record", "verify", *(bench.root / "records").glob("*.json"), "--trust", bench.oem / "dealer-ca.pem",
                             "--bundle", bench.oem / "campaign.recall", "--service-root", bench.oem / "service-root.json")
        self.assertTrue(verified["ok"])
        # a second run finds everything as it has to be
        again = bench.recover()
        self.assertEqual((again["ok"], again["writes"]), (True, 0))

    def test_shown_where_they_differ(self):
        bench = self.bench()
        lines = [json.loads(line) for line in bench.run("recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments()).splitlines()]
        self.assertEqual([(line["serial"], line["text"]) for line in lines if line.get("event") == "dtcs"],
                         [(DOOR, "DTCs before: 911A13; after: none")])
        page = bench.root / "page.pdf"
        bench.ctl("record", "print", lines[-1]["record"], "-o", page)
        text = subprocess.run(["pdftotext", "-layout", page, "-"], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line.strip() for line in text.splitlines() if "DTCs" in line], [f"{DOOR}: DTCs before: 911A13; after: none"])

    def test_interrupted_after_the_erasure(self):
        bench = self.bench("--fault", "brake:kill@2")
        self.assertEqual(bench.recover(expect=3)["reason"], "link-lost")
        self.assertEqual(bench.show()[BRAKE]["coding"], {})
        bench.stop()
        bench.start()
        bench.recover()
        self.assertEqual({serial: ecu["coding"] for serial, ecu in bench.show().items()}, self.expected(bench))

    def test_lost_for_another_workstation(self):
        bench = self.bench("--fault", "lamp:kill@2")
        self.assertEqual(bench.recover(expect=3)["reason"], "link-lost")
        first, bench.data = bench.data, bench.root / "other"
        bench.trust_and_import()
        bench.stop()
        # the lamp, and what was erased on another bus when it went
        erased = {serial for serial, ecu in bench.show().items() if serial in self.expected(bench) and ecu["coding"] == {}}
        self.assertIn(LAMP, erased)
        bench.start()
        verdict = bench.recover(expect=3)
        reasons = {ecu["serial"]: ecu["reason"] for ecu in verdict["ecus"] if ecu["state"] == "parked"}
        self.assertEqual(reasons, {serial: "coding-lost" for serial in erased})
        self.assertEqual(bench.show()[LAMP]["boot"], "application")
        # the first one knows the values: its evidence travels, and the same command finishes
        handed = bench.root / "hand-over.json"
        there, bench.data = bench.data, first
        bench.ctl("recovery", "hand-over", "--vin", bench.vin, "-o", handed, "--identity", bench.oem / "technician.p12", "--workstation",
                  bench.oem / "workstation.pem", "--passphrase-file", bench.oem / "passphrase")
        bench.data = there
        bench.ctl("recovery", "take-over", handed)
        self.assertTrue(bench.recover()["ok"])
        self.assertEqual(bench.show()[LAMP]["coding"], self.seeded(bench)[LAMP])

    def test_an_ecu_that_keeps_its_coding(self):
        bench = self.bench("--fault", "lamp:keep-coding")
        verdict = bench.recover(expect=3)
        self.assertEqual({ecu["serial"]: ecu["reason"] for ecu in verdict["ecus"] if ecu["state"] == "parked"}, {LAMP: "coding-not-proven"})

    def test_not_compatible(self):
        bench = Bench(BUILD)
        self.addCleanup(bench.close)
        path = bench.oem / "vehicle.json"
        model = json.loads(path.read_text())
        next(ecu for ecu in model["ecus"] if ecu["name"] == "door")["simulation"]["hardware_version"] = "2.0"
        path.write_text(json.dumps(model))
        bench.start()
        bench.trust_and_import()
        verdict = bench.recover(expect=1)
        self.assertEqual(verdict["reason"], "not-compatible")
        self.assertIn("expected 1.0, 1.1, actual 2.0", verdict["message"])
        self.assertEqual([line for line in bench.log.read_text().splitlines() if '"erase"' in line or '"unlock"' in line], [])


if __name__ == "__main__":
    unittest.main()
