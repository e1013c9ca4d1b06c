#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl bundle against Service repositories that this project did not write: signed with python3-securesystemslib, with and
without consistent snapshots, older than what was imported before, rotated, delegated"""

import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

RECALLCTL, RECALL_OEM = sys.argv[1:3]
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "trust/uptane/tuf"))
import simulator  # noqa: E402

FAR = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
SOON = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
simulator.LATER = FAR


def run(*arguments, data):
    done = subprocess.run([RECALLCTL, "--json", "--data-dir", str(data), *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def stored(data):
    """every file, by digest"""
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(Path(data).rglob("*")) if path.is_file()}


class Service(simulator.Repository):
    """A Service repository with the demo's campaign, model and profiles in it."""

    def __init__(self, targets, consistent):
        super().__init__(consistent=consistent)
        for path, content in targets.items():
            self.add_artifact(path, content)
        self.publish()

    def at(self, version):
        """Every role under that version."""
        for part in (self.timestamp, self.snapshot, *self.targets.values()):
            part["version"] = version
        self.publish()
        return self

    def campaign(self, **members):
        path = next(path for path in self.artifacts if path.startswith("campaigns/"))
        self.add_artifact(path, json.dumps({**json.loads(self.artifacts[path]), **members}).encode())
        return self

    def write_to(self, folder):
        shutil.rmtree(folder / "service", ignore_errors=True)
        (folder / "service" / "metadata").mkdir(parents=True)
        for name, content in self.files.items():
            (folder / "service" / "metadata" / name).write_bytes(content)
        for path, content in self.artifacts.items():
            group, name = path.split("/")
            hashed = f"{hashlib.sha256(content).hexdigest()}.{name}" if self.consistent else name
            place = folder / "service" / "targets" / group / hashed
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


class Case(unittest.TestCase):
    consistent = False

    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.made)
        cls.oem = cls.made / "oem"
        subprocess.run([RECALL_OEM, "demo", str(cls.oem), "--image-size", "20000"], check=True, stdout=subprocess.DEVNULL)
        cls.campaign = (cls.oem / "campaign.txt").read_text().strip()
        cls.vin = (cls.oem / "vin.txt").read_text().strip()
        cls.plain = cls.made / "plain"
        cls.plain.mkdir()
        subprocess.run(["tar", "-xf", str(cls.oem / "campaign.recall"), "-C", str(cls.plain)], check=True)
        targets = cls.plain / "service" / "targets"
        cls.targets = {str(path.relative_to(targets)): path.read_bytes() for path in targets.rglob("*.json")}

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=self.made))
        self.data = self.folder / "data"
        self.bundle = self.folder / "bundle"
        shutil.copytree(self.plain, self.bundle)
        self.service = Service(self.targets, self.consistent)
        root = self.folder / "root.json"
        root.write_bytes(self.service.files["1.root.json"])
        self.assertEqual(run("trust", "add", root, "--name", "Borealis", data=self.data)[0], 0)

    def write(self):
        self.service.write_to(self.bundle)

    def imported(self):
        self.write()
        code, verdict = run("bundle", "import", self.bundle, data=self.data)
        self.assertEqual((code, verdict["campaign"]), (0, self.campaign), verdict)
        return verdict

    def refused(self, *reasons, write=True):
        """import and verify refuse it for one of the reasons, and nothing is stored"""
        if write:
            self.write()
        before = stored(self.data)
        code, verdict = run("bundle", "import", self.bundle, data=self.data)
        self.assertEqual(code, 1, verdict)
        self.assertIn(verdict["reason"], reasons, verdict)
        self.assertEqual(stored(self.data), before)
        code, same = run("bundle", "verify", self.bundle, data=self.data)
        self.assertEqual((code, same["reason"]), (1, verdict["reason"]), same)
        return verdict["message"]


class ServiceRepository(Case):
    def test_read(self):
        self.imported()
        code, shown = run("bundle", "show", self.campaign, data=self.data)
        self.assertEqual((code, shown["anchor"]), (0, "Borealis"), shown)
        code, found = run("campaign", "check", self.vin, data=self.data)
        self.assertEqual((code, [row["campaign"] for row in found["campaigns"]]), (0, [self.campaign]), found)
        code, listed = run("bundle", "list", data=self.data)
        self.assertEqual([row["damaged"] for row in listed["campaigns"]], [False])
        self.assertEqual(run("bundle", "remove", self.campaign, data=self.data)[0], 0)

    def test_a_delegated_role_is_read(self):
        self.service.delegate("profiles", paths=["profiles/*.json"])
        for path in [path for path in self.service.artifacts if path.startswith("profiles/")]:
            del self.service.targets["targets"]["targets"][path]
            self.service.add_artifact(path, self.service.artifacts[path], role="profiles")
        self.service.at(5)
        self.imported()
        state = self.data / "trust" / "Borealis" / "state"
        self.assertEqual(sorted(os.listdir(state)), ["profiles.json", "root.json", "snapshot.json", "targets.json", "timestamp.json"])
        self.service.targets["profiles"]["version"] = 4
        self.service.publish(bump=("timestamp", "snapshot"))
        self.refused("rollback")

    def test_older_metadata_is_rollback(self):
        self.service.at(5)
        self.imported()
        self.imported()
        self.service.at(4)
        self.assertIn("version is 4, accepted before was 5", self.refused("rollback"))
        self.service.at(6)
        self.imported()
        self.service.at(5)
        self.refused("rollback")

    def test_remove_forgets_nothing(self):
        self.service.at(5)
        self.imported()
        self.assertEqual(run("bundle", "remove", self.campaign, data=self.data)[0], 0)
        self.service.at(4)
        self.refused("rollback")
        self.service.at(5)
        self.service.timestamp["expires"] = SOON
        self.service.publish()
        self.refused("rollback")

    def test_one_version_is_one_file(self):
        self.service.at(5)
        self.imported()
        for part in (self.service.timestamp, self.service.snapshot, self.service.targets["targets"]):
            with self.subTest(role=part["_type"]):
                self.service.at(5)
                if part is not self.service.timestamp:
                    self.service.timestamp["version"] = 7
                if part is self.service.targets["targets"]:
                    self.service.snapshot["version"] = 7
                part["expires"] = SOON
                self.service.publish()
                self.assertIn("same version 5", self.refused("rollback"))
                part["expires"] = FAR
        self.service.at(5)
        self.imported()

    def test_older_under_a_newer_timestamp(self):
        self.service.at(5)
        self.imported()
        for part in (self.service.snapshot, self.service.targets["targets"]):
            self.service.at(6)
            part["version"] = 4
            self.service.publish()
            self.refused("rollback")

    def test_changed_keys_drop_what_they_signed(self):
        for number, role in enumerate(("timestamp", "snapshot"), start=2):
            with self.subTest(role=role):
                self.service.at(50)
                self.imported()
                self.service.rotate(role)
                self.service.timestamp["version"] = self.service.snapshot["version"] = number
                self.service.publish()
                self.imported()
                anchors = run("trust", "list", data=self.data)[1]["anchors"]
                self.assertEqual([(row["name"], row["version"]) for row in anchors], [("Borealis", number)])
                self.service.timestamp["version"] = number - 1
                self.service.publish()
                self.refused("rollback")

    def test_unchanged_keys_drop_nothing(self):
        self.service.at(5)
        self.imported()
        self.service.rotate("root")
        self.service.at(4)
        self.refused("rollback")
        self.service.rotate("timestamp")
        self.service.publish()
        self.refused("rollback")  # the targets' keys are what they were

    def test_a_root_that_came_by_trust_update(self):
        """The chain was walked without a bundle: what the keys had signed falls at the next import."""
        self.service.at(50)
        self.imported()
        self.service.rotate("timestamp")
        roots = self.folder / "roots"
        roots.mkdir()
        for name in ("1.root.json", "2.root.json"):
            (roots / name).write_bytes(self.service.files[name])
        code, verdict = run("trust", "update", roots, data=self.data)
        self.assertEqual((code, verdict["anchors"][0]["version"]), (0, 2), verdict)
        self.service.timestamp["version"] = 1
        self.service.snapshot["version"] = 1
        self.service.publish()
        self.imported()

    def test_a_campaign_that_goes_back(self):
        self.service.campaign(version=7).at(5)
        self.imported()
        self.service.campaign(version=6).at(6)
        self.refused("campaign-rollback")
        self.service.at(4)
        self.refused("campaign-rollback")
        self.service.campaign(version=7, title="Another").at(6)
        self.refused("campaign-rollback")

    def test_memory_that_cannot_be_read(self):
        self.service.at(5)
        self.imported()
        state = self.data / "trust" / "Borealis" / "state"
        self.service.at(6)
        for role in ("root", "timestamp", "snapshot", "targets"):
            path = state / f"{role}.json"
            good = path.read_bytes()
            for bad in (b"{}", b"", b"[]", good[:-20], good.replace(b'"version": 5', b'"version": 1')):
                if bad == good:
                    continue
                with self.subTest(role=role, bad=bad[:20]):
                    path.write_bytes(bad)
                    self.refused("store-damaged", "bad-signature", "threshold-unmet") if role == "root" else self.refused("store-damaged")
            path.write_bytes(good)
        self.imported()

    def test_files_that_no_role_names(self):
        self.service.at(5)
        self.write()
        profile = next((self.bundle / "service" / "targets" / "profiles").iterdir())
        good = profile.read_bytes()
        for name in ("extra.json", f"{'a' * 64}.{profile.name[-9:]}", f"{'a' * 64}.{profile.name}"):
            extra = profile.with_name(name)
            extra.write_bytes(good)
            self.refused("target-missing", write=False)
            extra.unlink()
        profile.rename(profile.with_name(profile.name[65:] if self.consistent else f"{hashlib.sha256(good).hexdigest()}.{profile.name}"))
        self.refused("target-missing", "missing", write=False)

    def test_advice_is_about_the_file(self):
        self.write()
        extra = self.bundle / "service" / "targets" / "profiles" / "extra.json"
        extra.write_bytes(b"{}")
        done = subprocess.run([RECALLCTL, "--data-dir", str(self.data), "bundle", "verify", str(self.bundle)], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("extra.json", done.stderr)
        self.assertIn("No signed metadata names this file", done.stderr)


class CampaignCheck(Case):
    """A recall that cannot be judged is not "none"."""

    OTHER = "1RBDM7AA2TA999999"

    def check(self, vin=None):
        return run("campaign", "check", vin or self.vin, data=self.data)

    def library(self):
        return self.data / "library" / "Borealis" / self.campaign

    def not_none(self, vin, *reasons):
        code, verdict = self.check(vin)
        self.assertEqual((code, verdict["ok"], verdict["campaigns"]), (1, False, []), verdict)
        self.assertIn(verdict["reason"], reasons, verdict)
        self.assertEqual([row["reason"] for row in verdict["unusable"]], [verdict["reason"]])
        done = subprocess.run([RECALLCTL, "--data-dir", str(self.data), "campaign", "check", vin], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("No open campaign", done.stdout + done.stderr)

    def none(self, vin):
        code, verdict = self.check(vin)
        self.assertEqual((code, verdict["campaigns"], verdict["unusable"]), (0, [], []), verdict)

    def test_none(self):
        self.none(self.vin)
        self.imported()
        self.none(self.OTHER)

    def test_each_damaged_file(self):
        self.imported()
        for path in sorted(self.library().rglob("*.json")):
            inner = str(path.relative_to(self.library()))
            if inner.endswith("she.json"):
                continue
            good = path.read_bytes()
            for bad in (b"{}", b""):
                with self.subTest(file=inner, bad=bad):
                    path.write_bytes(bad)
                    if inner.startswith("vins/") or (inner.startswith("image/") and not inner.endswith(".root.json")):
                        code, verdict = self.check()  # the recall is open, its pack cannot be used
                        self.assertEqual((code, len(verdict["campaigns"])), (0, 1), verdict)
                        self.assertFalse(verdict["campaigns"][0]["pack"])
                        self.assertNotEqual(verdict["campaigns"][0]["pack_reason"], "internal")
                        continue
                    reasons = ("malformed", "missing", "hash-mismatch", "length-mismatch", "version-mismatch", "bad-signature", "too-large",
                               "wrong-oem", "pin-mismatch", "threshold-unmet", "root-version", "wrong-type")
                    self.not_none(self.vin, *reasons)
                    if inner.startswith(("service/metadata", "director", "image")):
                        self.none(self.OTHER)  # what was imported says whom it is for
                    if inner.startswith("service/targets/campaigns"):
                        self.not_none(self.OTHER, *reasons)  # who knows whom it was for
            path.write_bytes(good)
        self.assertEqual(self.check()[0], 0)

    def test_a_damaged_scope_is_not_believed(self):
        """The campaign says now that it is for another vehicle."""
        self.imported()
        path = next((self.library() / "service" / "targets" / "campaigns").iterdir())
        campaign = json.loads(path.read_bytes())
        path.write_bytes(json.dumps({**campaign, "scope": {"vins": [self.OTHER]}}).encode())
        self.not_none(self.vin, "hash-mismatch", "length-mismatch", "too-large")

    def test_expired(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
        self.service.timestamp["expires"] = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.service.at(5)
        self.imported()
        deadline = time.monotonic() + 30
        while self.check()[0] == 0 and time.monotonic() < deadline:
            pass
        self.not_none(self.vin, "expired")
        self.none(self.OTHER)
        self.service.timestamp["expires"] = FAR
        self.service.at(6)
        self.imported()
        self.assertEqual([row["campaign"] for row in self.check()[1]["campaigns"]], [self.campaign])

    def test_newer_metadata_that_names_it_no_longer(self):
        """The OEM has ended the campaign: that it cannot be judged matters no more."""
        self.service.at(5)
        self.imported()
        timestamp = self.library() / "service" / "metadata" / "timestamp.json"
        path = next(path for path in self.service.artifacts if path.startswith("campaigns/"))
        content = json.loads(self.service.artifacts.pop(path))
        del self.service.targets["targets"]["targets"][path]
        self.service.add_artifact("campaigns/R-2.json", json.dumps({**content, "id": "R-2", "scope": {"vins": [self.OTHER]}}).encode())
        shutil.rmtree(self.bundle / "vins")
        self.service.at(6).write_to(self.bundle)
        self.assertEqual(run("bundle", "import", self.bundle, data=self.data)[0], 0)
        self.assertEqual([row["campaign"] for row in self.check()[1]["campaigns"]], [self.campaign])
        timestamp.write_bytes(b"{}")
        self.none(self.vin)

    def test_what_cannot_be_listed(self):
        self.imported()
        pins = self.data / "pins.json"
        good = pins.read_bytes()
        pins.write_bytes(b"{}")
        self.assertEqual((self.check()[0], self.check()[1]["reason"]), (1, "store-damaged"))
        pins.write_bytes(good)
        shutil.move(self.data / "library", self.folder / "away")
        (self.data / "library").write_bytes(b"")
        code, verdict = self.check()
        self.assertEqual((code, verdict["reason"]), (1, "io"), verdict)

    def test_no_anchor(self):
        self.imported()
        shutil.rmtree(self.data / "trust")
        self.not_none(self.vin, "no-trust-anchor")


class TwoOems(unittest.TestCase):
    """Campaigns belong to their trust anchor."""

    def setUp(self):
        self.made = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.made)
        self.data = self.made / "data"
        for name in ("Aurora", "Borealis"):
            subprocess.run([RECALL_OEM, "demo", str(self.made / name), "--image-size", "20000"], check=True, stdout=subprocess.DEVNULL)
            self.assertEqual(self.run_good("trust", "add", self.made / name / "service-root.json", "--name", name, "--wmi", "1RB")["ok"], True)
        self.campaign = (self.made / "Aurora" / "campaign.txt").read_text().strip()

    def run_good(self, *arguments):
        code, verdict = run(*arguments, data=self.data)
        self.assertEqual(code, 0, verdict)
        return verdict

    def test_one_id(self):
        for name in ("Aurora", "Borealis"):
            self.assertEqual(self.run_good("bundle", "import", self.made / name / "campaign.recall")["anchor"], name)
        listed = self.run_good("bundle", "list")["campaigns"]
        self.assertEqual([(row["campaign"], row["name"], row["anchor"]) for row in listed],
                         [(self.campaign, f"{name}/{self.campaign}", name) for name in ("Aurora", "Borealis")])
        for verb in ("show", "remove"):
            code, verdict = run("bundle", verb, self.campaign, data=self.data)
            self.assertEqual((code, verdict["reason"]), (1, "campaign-ambiguous"), verdict)
            self.assertIn("“Aurora”, “Borealis”", verdict["message"])
        code, verdict = run("bundle", "show", f"Corona/{self.campaign}", data=self.data)
        self.assertEqual((code, verdict["reason"]), (1, "campaign-unknown"), verdict)
        for name in ("Aurora", "Borealis"):
            self.assertEqual(self.run_good("bundle", "show", f"{name}/{self.campaign}")["anchor"], name)
        images = self.data / "store" / "sha256"
        self.run_good("bundle", "remove", f"Aurora/{self.campaign}")
        self.assertEqual(self.run_good("bundle", "show", self.campaign)["anchor"], "Borealis")
        self.assertTrue(any(images.iterdir()))
        self.run_good("bundle", "remove", self.campaign)
        self.assertEqual(self.run_good("bundle", "list")["campaigns"], [])
        self.assertFalse(any(images.iterdir()))

    def test_recover_names_the_oem(self):
        for name in ("Aurora", "Borealis"):
            self.run_good("bundle", "import", self.made / name / "campaign.recall")
        oem = self.made / "Aurora"
        options = ["--link", f"bus:{self.made}/none", "--answers", oem / "answers.json", "--identity", oem / "technician.p12", "--second",
                   oem / "second.p12", "--workstation", oem / "workstation.pem", "--passphrase-file", oem / "passphrase"]
        code, verdict = run("recover", "--campaign", self.campaign, *options, data=self.data)
        self.assertEqual((code, verdict["reason"]), (1, "campaign-ambiguous"), verdict)
        code, verdict = run("recover", "--campaign", f"Aurora/{self.campaign}", "--link-timeout", "0", *options, data=self.data)
        self.assertEqual(code, 1, verdict)
        self.assertNotIn(verdict["reason"], ("campaign-ambiguous", "campaign-unknown"), verdict)

    def test_one_does_not_stand_for_the_other(self):
        """A campaign that lies in another anchor's place is not opened."""
        self.run_good("bundle", "import", self.made / "Aurora" / "campaign.recall")
        (self.data / "library" / "Borealis").mkdir()
        shutil.move(self.data / "library" / "Aurora" / self.campaign, self.data / "library" / "Borealis" / self.campaign)
        self.assertEqual(run("bundle", "show", self.campaign, data=self.data)[1]["reason"], "malformed")
        importing = self.data / "library" / "Borealis" / self.campaign / "import.json"
        importing.write_text(importing.read_text().replace("Aurora", "Borealis"))
        self.assertEqual(run("bundle", "show", self.campaign, data=self.data)[1]["reason"], "wrong-oem")

    def test_a_library_of_an_earlier_build(self):
        """library/CAMPAIGN is read, and moves when it is imported again."""
        library = self.data / "library"
        self.run_good("bundle", "import", self.made / "Aurora" / "campaign.recall")
        shutil.move(library / "Aurora" / self.campaign, library / self.campaign)
        (library / "Aurora").rmdir()
        self.assertEqual(self.run_good("bundle", "show", self.campaign)["anchor"], "Aurora")
        vin = (self.made / "Aurora" / "vin.txt").read_text().strip()
        self.assertEqual(len(self.run_good("campaign", "check", vin)["campaigns"]), 1)
        self.run_good("bundle", "import", self.made / "Borealis" / "campaign.recall")
        self.assertEqual([row["anchor"] for row in self.run_good("bundle", "list")["campaigns"]], ["Aurora", "Borealis"])
        self.run_good("bundle", "import", self.made / "Aurora" / "campaign.recall")
        self.assertEqual(sorted(os.listdir(library)), ["Aurora", "Borealis"])
        self.run_good("bundle", "show", f"Aurora/{self.campaign}")


class ConsistentSnapshots(ServiceRepository):
    """The same with VERSION.ROLE.json and HASH.NAME, as tuf-on-ci, tuftool and sigstore write them."""

    consistent = True

    def test_names_are_those_of_consistent_snapshots(self):
        self.service.at(5)
        self.write()
        self.assertIn("5.targets.json", os.listdir(self.bundle / "service" / "metadata"))
        name = os.listdir(self.bundle / "service" / "targets" / "campaigns")[0]
        self.assertRegex(name, rf"^[0-9a-f]{{64}}\.{self.campaign}\.json$")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=1)
