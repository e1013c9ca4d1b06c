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
import unittest
from pathlib import Path

RECALLCTL, RECALL_OEM = sys.argv[1:3]
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tuf"))
import simulator  # noqa: E402

FAR = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
SOON = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
simulator.LATER = FAR


def run(*arguments, data):
    done = subprocess.run([RECALLCTL, "--json", "--data-dir", str(data), *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def stored(data):
    """every file but the lock, by digest"""
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(Path(data).rglob("*")) if path.is_file() and path.name != ".lock"}


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


class ServiceRepository(unittest.TestCase):
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
