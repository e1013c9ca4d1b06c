#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ECUs that were exchanged for a part: known before anything is written, requested from the OEM, and finished by the same command.
Usage: test-parts.py BUILD"""
import base64
import json
import pathlib
import shutil
import sys
import tarfile
import tempfile
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


class Requested(Case):
    def request(self):
        path = self.bench.root / "request.json"
        self.bench.ctl("campaign", "request", self.bench.vin, "-o", path)
        return json.loads(path.read_text())

    def test_for_parts(self):
        """What was read is named, by recover, by inspect and by identify alike."""
        self.workshop("door")
        verbs = (["identify", "--link", self.bench.link], 0), (
            ["inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers", self.bench.oem / "answers.json"], 1), (
            self.bench.recover_arguments(), 1)
        for verb, code in verbs:
            with self.subTest(verb=verb[0]):
                verdict = self.bench.ctl(*verb, expect=code)
                self.assertEqual([(row["old"], row["new"], row["part_number"]) for row in verdict["replaced"]],
                                 [(built("door"), part("door"), "AM-4104-01")], verdict)
                self.assertEqual(verdict["reason"], "ok" if code == 0 else "ecu-replaced")
                request = self.request()
                (campaign,) = request["campaigns"]
                self.assertEqual((request["vin"], campaign["id"], campaign["reason"]), (self.bench.vin, self.bench.campaign, "ecu-replaced"))
                self.assertEqual([(row["old"], row["new"]) for row in campaign["replaced"]], [(built("door"), part("door"))])
                self.assertIn(part("door"), [ecu["serial"] for ecu in request["ecus"]])
                (self.bench.data / "found" / f"{self.bench.vin}.json").unlink()

    def test_of_a_walk_in(self):
        """No pack for it in the bundle: what identify read goes to the OEM, whose pack lets the recovery begin."""
        self.workshop()
        self.bench.ctl("bundle", "remove", self.bench.campaign)
        bundle = self.bench.root / "bundle"
        bundle.mkdir()
        with tarfile.open(self.bench.oem / "campaign.recall") as tar:
            tar.extractall(bundle, [entry for entry in tar if not entry.name.startswith("vins/")])
        self.bench.ctl("bundle", "import", bundle)
        self.assertEqual(self.bench.recover(expect=1)["reason"], "vin-pack-missing")
        self.bench.ctl("identify", "--link", self.bench.link)
        request = self.request()
        self.assertEqual([campaign["reason"] for campaign in request["campaigns"]], ["vin-pack-missing"])
        self.assertEqual({ecu["serial"] for ecu in request["ecus"]}, set(self.bench.show()))
        pack = Finished.pack(self, more=("--request", self.bench.root / "request.json"))
        self.bench.ctl("bundle", "import", pack)
        self.assertEqual(self.bench.recover()["result"], "completed")
        self.assertEqual(self.bench.differences(), [])


class Finished(Case):
    def pack(self, *names, expect=0, vin=None, more=()):
        replaced = [option for name in names for option in ("--replace", f"{built(name)}={part(name)}")]
        approved = ["--approved-by", "approver-1"] if names else []
        path = self.bench.root / "pack"
        self.bench.run("recall-oem", "--data-dir", self.bench.oem / "oem", "campaign", "pack", self.bench.campaign, vin or self.bench.vin,
                       *replaced, *approved, *more, "-o", path, expect=expect)
        return path

    def record(self):
        path = self.bench.records()[-1]
        self.bench.verify(path, "--require", "completed")
        return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))["predicate"]

    def finishes(self, *names):
        self.assertEqual(self.bench.recover()["result"], "completed")
        entries = {ecu["ecuSerial"]: ecu for ecu in self.record()["ecus"]}
        for serial, entry in entries.items():
            expected = {part(name): built(name) for name in names}.get(serial)
            self.assertEqual((entry.get("replaces"), entry["outcome"]), (expected, "hardware-replaced" if expected else "replaced"), serial)
        self.assertEqual({part(name) for name in names} - set(entries), set())
        self.assertEqual({built(name) for name in names} & set(entries), set())

    def test_by_the_same_command(self):
        for names in (("door",), ("telematics",), ("steering", "sensor")):
            with self.subTest(names=names):
                self.workshop(*names)
                self.is_held_back(*names)
                request = self.bench.root / "request.json"
                self.bench.ctl("campaign", "request", self.bench.vin, "-o", request)
                self.bench.ctl("bundle", "import", self.pack(*names, more=("--request", request)))
                self.finishes(*names)


    def test_audit_recomputes_it(self):
        self.workshop("lamp")
        self.bench.ctl("bundle", "import", self.pack("lamp"))
        self.finishes("lamp")
        self.assertEqual(self.bench.recover()["writes"], 0)
        self.finishes_again("lamp")
        folder = self.bench.records()[0].parent
        audit = json.loads(self.bench.run("recall-oem", "--json", "audit", "verify", folder, "--config", self.bench.oem / "intake.json").splitlines()[-1])
        self.assertTrue(audit["ok"], audit)
        self.assertEqual((audit["records"], audit["campaign_unchecked"]), (2, []), audit)

    def finishes_again(self, name):
        entry = {ecu["ecuSerial"]: ecu for ecu in self.record()["ecus"]}[part(name)]
        self.assertEqual((entry["outcome"], entry["replaces"], entry["writes"]), ("hardware-replaced", built(name), 0))

    def test_on_a_vehicle_that_was_started(self):
        """Its ECU is exchanged between two runs: do not release it, and it is finished by the same command."""
        self.workshop()
        self.bench.kill_recover_after(60)
        self.bench.stop()
        self.assertNotEqual(self.bench.wrote(), [])
        since = len(self.bench.events())
        self.exchange("lamp")
        self.bench.start()
        verdict = self.bench.recover(expect=3)
        self.assertEqual((verdict["reason"], verdict["writes"]), ("ecu-replaced", 0), verdict)
        self.assertEqual(self.bench.wrote(since), [])
        self.bench.ctl("bundle", "import", self.pack("lamp"))
        self.assertEqual(self.bench.recover()["result"], "completed")
        self.assertEqual({ecu["ecuSerial"]: ecu for ecu in self.record()["ecus"]}[part("lamp")]["replaces"], built("lamp"))

    def exchange(self, name):
        """Another ECU of that kind in a vehicle that has lived already, as it came from the factory."""
        lived, self.bench.state = self.bench.state, self.bench.root / "factory"
        self.bench.start()
        self.bench.stop()
        factory, self.bench.state = self.bench.state, lived
        shutil.rmtree(lived / "ecus" / built(name))
        shutil.copytree(factory / "ecus" / built(name), lived / "ecus" / part(name))
        path = lived / "ecus" / part(name) / "state.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "serial": part(name)}))


class Refused(Finished):
    """The OEM makes no pack that it cannot answer for, and a workstation takes none but the newest."""
    test_by_the_same_command = test_audit_recomputes_it = test_on_a_vehicle_that_was_started = None

    def oem(self, *arguments, expect=1):
        out = self.bench.run("recall-oem", "--json", "--data-dir", self.bench.oem / "oem", "campaign", "pack", *arguments,
                             "-o", self.bench.root / "refused", expect=expect)
        return json.loads(out.splitlines()[-1])["reason"]

    def test_by_the_oem(self):
        self.workshop("door")
        here = (self.bench.campaign, self.bench.vin)
        fits = ("--replace", f"{built('door')}={part('door')}")
        approved = ("--approved-by", "approver-1")
        request = self.bench.root / "request.json"
        request.write_text(json.dumps({"vin": self.bench.vin, "ecus": []}))
        for arguments, reason in (
                ((*here, "--replace", f"SN-X={part('door')}", *approved), "ecu-unknown"),
                ((*here, "--replace", f"{built('door')}={built('lamp')}", *approved), "ecu-repeated"),
                ((*here, "--replace", f"{built('door')}=SN-LAMP-9001", *approved), "hardware-mismatch"),
                ((*here, *fits, "--approved-by", "director-targets-1"), "signer-not-trusted"),
                ((*here, *fits, "--approved-by", "nobody"), "not-found"),
                ((*here, *fits, *approved, "--request", request), "ecu-unknown"),
                (("R-0", self.bench.vin), "campaign-unknown"),
                (("../R-0", self.bench.vin), "campaign-unknown"),
                ((self.bench.campaign, "1RBDM7AA0TA000099"), "not-in-scope"),
                ((self.bench.campaign, "door"), "vin-invalid")):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.oem(*arguments), reason)
        for arguments in ((*here, *fits), (*here, *approved), (*here, "--replace", "SN-1", *approved), (*here, "--replace", "=SN-1", *approved)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.oem(*arguments, expect=2), "usage")
        self.assertFalse((self.bench.root / "refused").exists())

    def imported(self, pack, expect=1):
        return self.bench.ctl("bundle", "import", pack, expect=expect)["reason"]

    def altered(self, pack, change):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.bench.root))
        with tarfile.open(pack) as tar:
            tar.extractall(folder)
        change(folder)
        return folder

    def test_by_the_workstation(self):
        self.workshop("door")
        old = self.pack("door").rename(self.bench.root / "old")
        newer = self.pack()
        targets = f"vins/{self.bench.vin}/director/targets.json"

        def rewrite(name, before, after):
            return lambda folder: (folder / name).write_text((folder / name).read_text().replace(before, after))

        for change, reason in (
                (rewrite("pack.json", self.bench.campaign, "R-0"), "campaign-unknown"),
                (rewrite("pack.json", self.bench.vin, "1RBDM7AA0TA000002"), "path"),
                (rewrite("pack.json", "recallbay-vin-pack-1", "recallbay-vin-pack-2"), "malformed"),
                (rewrite(targets, part("door"), part("lamp")), "hash-mismatch"),
                (lambda folder: shutil.copytree(folder / "vins" / self.bench.vin / "director", folder / "service" / "metadata"), "path"),
                (lambda folder: (folder / targets).unlink(), "missing")):
            self.assertEqual(self.imported(self.altered(newer, change)), reason)
        self.is_held_back("door")
        self.assertEqual(self.imported(newer, expect=0), "ok")
        self.assertEqual(self.imported(old), "rollback")
        self.assertEqual(self.imported(self.bench.oem / "campaign.recall", expect=0), "ok")
        self.assertEqual(self.bench.ctl("bundle", "verify", newer, expect=1)["reason"], "path")
        self.finishes("door")


if __name__ == "__main__":
    unittest.main()
