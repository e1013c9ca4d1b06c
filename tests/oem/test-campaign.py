# SPDX-License-Identifier: Apache-2.0
"""A campaign from its plan to its bundle: test-campaign.py RECALL-OEM RECALLCTL SCHEMAS"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

import jsonschema

from bench import Bench
from repositories import Repositories

Bench.program = sys.argv.pop(1)
RECALLCTL = sys.argv.pop(1)
SCHEMA = json.loads((Path(sys.argv.pop(1)) / "plan.json").read_text())
ID = "R-1"


class Campaign(Repositories):
    wmi = "1RB"

    @classmethod
    def setUpClass(cls):
        """Model, profiles and images as the demo has them: what an OEM has before there is a campaign."""
        cls.demo = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.demo, True)
        subprocess.run([cls.program, "demo", cls.demo / "demo", "--vehicles", "3", "--image-size", "2048"], check=True, capture_output=True)
        with tarfile.open(cls.demo / "demo/campaign.recall") as bundle:
            cls.files = {member.name: bundle.extractfile(member).read() for member in bundle.getmembers()}

    def setUp(self):
        super().setUp()
        campaign = json.loads(next(data for name, data in self.files.items() if name.startswith("service/targets/campaigns/")))
        self.plan = {name: campaign[name] for name in ("title", "oem_number", "market", "checklist", "second_person", "scenario", "remedy")}
        self.plan |= {"format": "recallbay-plan-1", "days": 30, "model": "aurora-compact.json", "vehicles": "vehicles.jsonl", "ecus": []}
        for ecu in campaign["ecus"]:
            del ecu["image_sha256"]
            self.plan["ecus"].append(ecu | {"profile": Path(ecu["profile"]).name})
        for name, data in self.files.items():
            if name.startswith(("service/targets/models/", "service/targets/profiles/")):
                (self.folder / Path(name).name).write_bytes(data)
        lines = [json.loads(line) for line in (self.demo / "demo/oem/vehicles.jsonl").read_text().splitlines()]
        self.vehicles = [line | {"region": region} for line, region in zip(lines, ("north", "south", "south"))]
        self.vins = [line["vin"] for line in lines]
        self.write_vehicles(self.vehicles)

    def write_vehicles(self, vehicles):
        self.write("vehicles.jsonl", "".join(json.dumps(each) + "\n" for each in vehicles))

    def repositories(self):
        for kind in ("image", "director", "service"):
            self.make(kind)
        for ecu in self.plan["ecus"]:
            self.add(ecu["image"], self.files["image/targets/" + ecu["image"]], counter=100, hardware=ecu["hardware_id"])
        self.publish("image")

    def new(self, plan, reason=None, name=ID):
        words = ("campaign", "new", name, "--plan", self.write("plan.json", json.dumps(plan)))
        return self.refused(reason, *words) if reason else self.run_json(*words)

    def publish_campaign(self, name=ID):
        self.draft.unlink(missing_ok=True)
        said = self.run_json("campaign", "publish", name, "--passphrase-file", self.passphrase, "-o", self.draft)
        self.assertEqual(said["draft"], str(self.draft))
        self.finish()

    def bundle(self, *words, reason=None):
        words = ("campaign", "bundle", ID, "-o", self.folder / "campaign.recall", *words)
        return self.refused(reason, *words) if reason else self.run_json(*words)

    def names(self):
        with tarfile.open(self.folder / "campaign.recall") as bundle:
            return bundle.getnames()

    def ctl(self, *words, code=0):
        done = subprocess.run([RECALLCTL, "--data-dir", self.folder / "workstation", *map(str, words), "--json"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def test_from_plan_to_workstation(self):
        jsonschema.validate(self.plan, SCHEMA)
        self.repositories()
        self.run_json("pki", "ca", "new", "--passphrase-file", self.passphrase)
        self.run_json("pki", "trust-list")
        self.assertEqual(self.new(self.plan)["vehicles"], 3)
        self.assertFalse(self.run_json("campaign", "check", ID)["published"])
        self.bundle(reason="campaign-unknown")
        self.publish_campaign()
        self.assertTrue(self.run_json("campaign", "check", ID)["published"])
        self.assertEqual(self.bundle()["packs"], 3)
        self.work()
        self.narrow()
        self.new(self.plan, reason="exists")

    def work(self):
        """A workstation with that OEM's anchor takes it."""
        self.ctl("trust", "add", self.oem / "repositories/service/1.root.json", "--name", "Demo Motors", "--wmi", "1RB")
        self.ctl("bundle", "verify", self.folder / "campaign.recall")
        self.ctl("bundle", "import", self.folder / "campaign.recall")
        self.assertIn(ID, json.dumps(self.ctl("campaign", "check", self.vins[0])))
        targets = self.metadata("director", f"vins/{self.vins[0]}/targets.json")["signed"]
        self.assertEqual(targets["custom"]["asBuilt"], self.vehicles[0]["ecus"])
        digests = {ecu["hardware_id"]: hashlib.sha256(self.files["image/targets/" + ecu["image"]]).hexdigest() for ecu in self.plan["ecus"]}
        for entry in targets["targets"].values():
            for ecu in entry["custom"]["ecuIdentifiers"].values():
                self.assertEqual(entry["hashes"]["sha256"], digests[ecu["hardwareId"]])
        campaign = json.loads((self.oem / f"campaigns/{ID}.json").read_text())
        for role in ("targets", "snapshot", "timestamp"):
            self.assertEqual(self.metadata("director", f"vins/{self.vins[0]}/{role}.json")["signed"]["expires"], campaign["expires"])

    def narrow(self):
        """Packs of a region, or of VINs."""
        self.assertEqual(self.bundle("--region", "south")["packs"], 2)
        self.assertFalse([name for name in self.names() if self.vins[0] in name])
        self.assertEqual(self.bundle("--vins", self.write("vins", self.vins[0] + "\n"))["packs"], 1)
        self.assertTrue([name for name in self.names() if self.vins[0] in name])
        self.bundle("--vins", self.write("vins", "1RBDM7AA000000009\n"), reason="not-in-scope")
        self.refused("campaign-unknown", "campaign", "bundle", "R-2", "-o", self.folder / "none.recall")
        self.assertEqual([each.name for each in self.folder.glob("*.unverified")], [])

    def test_renew_and_withdraw(self):
        self.repositories()
        self.run_json("pki", "ca", "new", "--passphrase-file", self.passphrase)
        self.run_json("pki", "trust-list", "--min-version", "0.1.0")
        self.new(self.plan)
        self.publish_campaign()
        self.bundle()
        self.work()
        before = json.loads((self.oem / f"campaigns/{ID}.json").read_text())
        said = self.run_json("campaign", "renew", ID, "--days", 45)
        self.assertEqual(said["version"], 2)
        self.bundle(reason="campaign-unknown")
        self.publish_campaign()
        self.bundle()
        self.assertEqual(self.ctl("bundle", "import", self.folder / "campaign.recall")["ok"], True)
        after = json.loads((self.oem / f"campaigns/{ID}.json").read_text())
        self.assertEqual((after["version"], after["nonce"], after["expires"]), (2, before["nonce"], said["expires"]))
        self.assertGreater(after["expires"], before["expires"])
        self.assertEqual(self.metadata("director", f"vins/{self.vins[2]}/targets.json")["signed"]["expires"], said["expires"])
        self.withdraw()

    def pack(self, vin, *words, reason=None):
        words = ("campaign", "pack", ID, vin, "-o", self.folder / "vin.pack", "--passphrase-file", self.passphrase, *words)
        return self.refused(reason, *words) if reason else self.run_json(*words)

    def test_pack_for_a_vehicle_in_no_pack(self):
        self.repositories()
        self.run_json("pki", "ca", "new", "--passphrase-file", self.passphrase)
        self.run_json("pki", "trust-list")
        self.new(self.plan)
        self.pack(self.vins[0], reason="campaign-unknown")
        self.publish_campaign()
        self.bundle("--region", "south")
        self.ctl("trust", "add", self.oem / "repositories/service/1.root.json", "--name", "Demo Motors", "--wmi", "1RB")
        self.ctl("bundle", "import", self.folder / "campaign.recall")
        self.pack("1RBDM7AA000000009", reason="not-in-scope")
        self.refused("passphrase", "campaign", "pack", ID, self.vins[0], "-o", self.folder / "none", "--passphrase-file", self.write("wrong", "wrong\n"))
        self.assertFalse((self.oem / "packs.jsonl").exists())
        before = self.metadata("director", f"vins/{self.vins[0]}/targets.json")["signed"]["version"]
        said = self.pack(self.vins[0])
        self.assertEqual((said["version"], said["replaced"]), (before + 1, []))
        self.ctl("bundle", "import", self.folder / "vin.pack")
        found = self.ctl("campaign", "check", self.vins[0])["campaigns"]
        self.assertEqual([each["campaign"] for each in found], [ID])
        self.replaced_part()

    def replaced_part(self):
        """An approved part takes an ECU's place: in the pack, in what is published, and in the next pack."""
        vin, old, part = self.vins[0], self.vehicles[0]["ecus"][0]["serial"], "PART-0001"
        words = ("--replace", f"{old}={part}", "--approved-by", "approver")
        key = self.key("approver")
        self.pack(vin, *words, reason="signer-not-trusted")
        config = json.loads((self.oem / "oem.json").read_text())
        config["approvers"] = [key["key_id"]]
        (self.oem / "oem.json").write_text(json.dumps(config))
        self.pack(vin, "--replace", f"none={part}", "--approved-by", "approver", reason="ecu-unknown")
        before = self.metadata("director", f"vins/{vin}/targets.json")["signed"]["version"]
        self.assertEqual([each["serial"] for each in self.pack(vin, *words)["replaced"]], [part])
        with tarfile.open(self.folder / "vin.pack") as pack:
            packed = pack.extractfile(f"vins/{vin}/director/targets.json").read()
        self.assertEqual(packed, (self.oem / f"repositories/director/vins/{vin}/targets.json").read_bytes())
        self.assert_whole("director", f"vins/{vin}/")
        targets = json.loads(packed)["signed"]
        self.assertEqual((targets["version"], targets["custom"]["replaced"][0]["old"]), (before + 1, old))
        serials = [serial for entry in targets["targets"].values() for serial in entry["custom"]["ecuIdentifiers"]]
        self.assertEqual((part in serials, old in serials), (True, False))
        self.ctl("bundle", "import", self.folder / "vin.pack")
        self.pack(vin)
        self.assertEqual(self.metadata("director", f"vins/{vin}/targets.json")["signed"]["custom"], targets["custom"])
        self.renewed_with_part(vin, targets)
        self.run_json("key", "retire", "approver", "--reason", "lost")
        self.pack(vin, "--replace", f"{part}=PART-0002", "--approved-by", "approver", reason="key-retired")
        self.run_json("campaign", "withdraw", ID, "--reason", "wrong image")
        self.pack(vin, reason="campaign-withdrawn")

    def renewed_with_part(self, vin, before):
        """The renewed campaign keeps the part: published, in the bundle, and in a pack of the new version."""
        said = self.run_json("campaign", "renew", ID, "--days", 45)
        self.pack(vin, reason="campaign-unknown")
        self.publish_campaign()
        self.bundle("--vins", self.write("vins", vin + "\n"))
        self.ctl("bundle", "import", self.folder / "campaign.recall")
        published = self.metadata("director", f"vins/{vin}/targets.json")["signed"]
        self.assertEqual((published["custom"], published["expires"]), (before["custom"], said["expires"]))
        self.assertEqual(self.pack(vin)["version"], published["version"] + 1)
        self.ctl("bundle", "import", self.folder / "vin.pack")
        self.assertEqual([each["campaign"] for each in self.ctl("campaign", "check", vin)["campaigns"]], [ID])

    def withdraw(self):
        """A workstation begins no more vehicles by it."""
        self.refused("campaign-unknown", "campaign", "withdraw", "R-2", "--reason", "wrong image")
        self.refused("usage", "campaign", "withdraw", ID, "--reason", "", code=2)
        bundle = self.folder / "campaign.recall"
        self.run_json("campaign", "withdraw", ID, "--reason", "wrong image for the brakes")
        self.refused("campaign-withdrawn", "campaign", "withdraw", ID, "--reason", "again")
        for words in (("check",), ("renew",), ("publish",), ("bundle", "-o", bundle)):
            self.refused("campaign-withdrawn", "campaign", words[0], ID, *words[1:])
        self.draft.unlink()
        self.publish("service")
        listed = json.loads((self.oem / "repositories/service/targets/trust/trust-list.json").read_text())
        self.assertEqual([(each["campaign"], each["reason"]) for each in listed["withdrawn"]], [(ID, "wrong image for the brakes")])
        self.supersede()

    def supersede(self):
        """The campaign that takes its place has higher release counters, and brings workstations the news."""
        plan = self.plan | {"supersedes": [ID], "oem_number": "AM-2"}
        self.assertIn("hw-", self.new(plan, "release-counter", name="R-2"))
        self.new(plan | {"supersedes": ["R-0"]}, "campaign-unknown", name="R-2")
        for ecu in self.plan["ecus"]:
            path = ecu["image"].replace("2.0", "2.1")
            self.add(path, self.files["image/targets/" + ecu["image"]], counter=101, hardware=ecu["hardware_id"])
            ecu["image"] = path
        self.publish("image")
        self.new(self.plan | {"supersedes": [ID]}, name="R-2")
        self.publish_campaign("R-2")
        self.run_json("campaign", "bundle", "R-2", "-o", self.folder / "second.recall")
        self.ctl("bundle", "import", self.folder / "second.recall")
        answer = self.ctl("campaign", "check", self.vins[0])
        self.assertEqual([each["campaign"] for each in answer["campaigns"]], ["R-2"])
        self.assertEqual([each["reason"] for each in answer["unusable"]], ["campaign-withdrawn"])
        self.assertIn("wrong image for the brakes", answer["unusable"][0]["message"])

    def test_what_check_refuses(self):
        self.repositories()
        self.new(self.plan)
        self.publish_campaign()
        image, pack = self.plan["ecus"][0]["image"], self.oem / f"repositories/director/vins/{self.vins[0]}/targets.json"
        published = self.oem / "repositories/image/targets" / image
        genuine, targets = published.read_bytes(), pack.read_bytes()
        published.unlink()
        published.write_bytes(b"other")
        self.refused("target-mismatch", "campaign", "check", ID)
        published.unlink()
        self.refused("target-missing", "campaign", "check", ID)
        published.write_bytes(genuine)
        self.run_json("campaign", "check", ID)
        pack.unlink()
        self.bundle(reason="vin-pack-missing")
        pack.write_bytes(targets.replace(b'"version"', b'"verSion"', 1))
        self.assertEqual(self.run_json("campaign", "bundle", ID, "-o", self.folder / "campaign.recall", code=1)["ok"], False)
        self.assertFalse((self.folder / "campaign.recall").exists())
        pack.write_bytes(targets)
        self.run_json("root", "draft", "director", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        self.finish()
        self.refused("root-version", "campaign", "check", ID)
        self.bundle(reason="root-version")

    def test_every_error_names_its_member(self):
        self.repositories()
        for member in sorted(set(SCHEMA["properties"]) - {"format"}):
            for value in (17.5, {"a": 1}):
                with self.subTest(member=member, value=value):
                    plan = self.plan | {member: value}
                    self.assertRaises(jsonschema.ValidationError, jsonschema.validate, plan, SCHEMA)
                    self.assertIn(member, self.new(plan, "malformed"))
        for member in SCHEMA["required"]:
            with self.subTest(without=member):
                self.assertIn(member, self.refuse_any({name: value for name, value in self.plan.items() if name != member}))
        self.assertIn("colour", self.new(self.plan | {"colour": "red"}, "malformed"))
        self.assertFalse((self.oem / "campaigns").exists())

    def refuse_any(self, plan):
        """The message of a refusal that is malformed or missing."""
        said = self.run_json("campaign", "new", ID, "--plan", self.write("plan.json", json.dumps(plan)), code=1)
        self.assertIn(said["reason"], ("malformed", "missing"))
        return said["message"]

    def test_what_new_refuses(self):
        self.repositories()
        ecus = self.plan["ecus"]
        self.new(self.plan | {"ecus": [ecus[0] | {"image": "oem/none.bin"}, *ecus[1:]]}, "target-missing")
        self.new(self.plan | {"ecus": ecus[1:]}, "ecu-not-directed")
        self.assertIn("pinned", self.new(self.plan | {"pinned": True}, "malformed"))
        self.assertIn("days", self.new(self.plan | {"days": 61}, "malformed"))
        pinned = {"pinned": True, "scenario": "image-oem"}
        self.new(self.plan | pinned | {"organisations": ["Demo Motors", "Nobody Known"]}, "policy")
        self.write_vehicles(self.vehicles + self.vehicles[:1])
        self.assertIn("line 4", self.new(self.plan, "exists"))
        self.write_vehicles([self.vehicles[0] | {"vin": "9RBDM7AA2TA000001"}])
        self.new(self.plan, "not-in-anchor-scope")
        self.write_vehicles([self.vehicles[0] | {"vin": "9RBDM7"}])
        self.new(self.plan, "vin-invalid")
        self.write_vehicles(self.vehicles)
        model = json.loads((self.folder / "aurora-compact.json").read_text())
        self.new(self.plan)
        self.write("aurora-compact.json", json.dumps(model | {"name": "another"}))
        self.new(self.plan, "exists", name="R-2")


if __name__ == "__main__":
    unittest.main()
