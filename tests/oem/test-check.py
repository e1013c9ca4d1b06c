# SPDX-License-Identifier: Apache-2.0
"""recall-oem repo check verifies as a client before it judges the policy: test-check.py RECALL-OEM FOLDER-OF-WRITER"""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

OEM = sys.argv.pop(1)
sys.path.insert(0, sys.argv.pop(1))
from writer import Delegation, Role, Style, World, form_c, key_id, make_key, use_hashed_bins  # noqa: E402


class Check(unittest.TestCase):
    style = Style()

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def check(self, world, kind):
        """[(rule, role, reason word or text)] of violations"""
        shutil.rmtree(self.folder / "world", ignore_errors=True)
        world.write(self.folder / "world")
        done = subprocess.run([OEM, "repo", "check", self.folder / "world" / kind, "--kind", kind, "--json"], capture_output=True, text=True,
                              timeout=60, check=False)
        said = json.loads(done.stdout.splitlines()[-1])
        return [(each["rule"], each["role"], each["text"].split(":")[0]) for each in said["findings"] if each["severity"] == "violation"]

    def client(self, *arguments):
        return [each[1:] for each in self.check(*arguments) if each[0] == "client"]

    def test_good(self):
        for style in (Style(), Style("tuf", canonical=form_c, keyid="object", pretty=True, consistent=True)):
            for kind in ("director", "image"):
                self.assertEqual(self.client(World(style), kind), [], (str(style), kind))

    def test_snapshot_lists_another_version(self):
        for kind in ("director", "image"):
            world = World(self.style)
            getattr(world, kind).edit["snapshot"] = lambda signed: signed["meta"]["targets.json"].update(version=7)
            self.assertEqual(self.client(world, kind), [("targets", "version-mismatch")])
        world = World(self.style)
        world.image.edit["snapshot"] = lambda signed: signed["meta"]["supplier-b.json"].update(version=7)
        self.assertEqual(self.client(world, "image"), [("supplier-b", "version-mismatch")])

    def test_timestamp_lists_another_hash(self):
        for kind in ("director", "image"):
            world = World(self.style)
            getattr(world, kind).edit["timestamp"] = lambda signed: signed["meta"]["snapshot.json"].update(hashes={"sha256": "0" * 64})
            self.assertEqual(self.client(world, kind), [("snapshot", "hash-mismatch")])

    def test_images(self):
        world = World(self.style)
        world.images["tcu/app-2.bin"] = b"x" * len(world.images["tcu/app-2.bin"])
        world.images["brake/app-2.bin"] += b"x"
        world.images.pop("seat/app-2.bin")
        self.assertEqual(sorted(self.client(world, "image")),
                         [("supplier-b", "length-mismatch"), ("targets", "hash-mismatch"), ("targets", "missing")])

    def test_images_of_a_bundle(self):
        """metadata/ and targets/ stand side by side; only the images of the campaign are there."""
        def as_bundle(folder):
            (folder / "metadata").mkdir()
            for path in list(folder.iterdir()):
                if path.name not in ("metadata", "targets"):
                    path.rename(folder / "metadata" / path.name)
            (folder / "targets/seat/app-2.bin").unlink()
            (folder / "targets/tcu/app-2.bin").write_bytes(b"another")
        world = World(self.style)
        world.write(self.folder / "world")
        as_bundle(self.folder / "world/image")
        done = subprocess.run([OEM, "repo", "check", self.folder / "world/image/metadata", "--kind", "image", "--json"], capture_output=True, text=True,
                              timeout=60, check=False)
        found = [each for each in json.loads(done.stdout.splitlines()[-1])["findings"] if each["rule"] == "client"]
        self.assertEqual([(each["role"], each["text"].split(":")[0]) for each in found], [("targets", "length-mismatch")])

    def test_delegations(self):
        world = World(self.style)
        world.image.after["supplier-b"] = lambda envelope: envelope["signatures"].clear()
        self.assertEqual(self.client(world, "image"), [("supplier-b", "threshold-unmet")])
        world = World(self.style)
        world.image.delegations[0].paths = ["other/*"]
        self.assertEqual(self.client(world, "image"), [("supplier-b", "target-missing")])
        world = World(self.style)
        inner = Delegation("inner", Role(make_key(self.style, 9)), ["brake/*"], listed=False)
        world.image.delegations[0].delegations = [inner]
        self.assertEqual(self.client(world, "image"), [("inner", "version-mismatch")])

    @staticmethod
    def service(style):
        """A TUF repository with a delegated role, and that role."""
        world = World(style)
        return world, world.image.delegations[0]

    def as_service(self, world):
        """[(role, reason word)] of `repo check --kind service` on the Image repository of world."""
        shutil.rmtree(self.folder / "world", ignore_errors=True)
        world.write(self.folder / "world")
        done = subprocess.run([OEM, "repo", "check", self.folder / "world/image", "--kind", "service", "--json"], capture_output=True, text=True,
                              timeout=60, check=False)
        said = json.loads(done.stdout.splitlines()[-1])
        return [(each["role"], each["text"].split(":")[0]) for each in said["findings"] if each["rule"] == "client"]

    def test_delegations_of_the_service_repository(self):
        """A workstation finds a target by its delegation, so a delegated role that it would reject is a finding."""
        style = Style("tuf", canonical=form_c, keyid="object", pretty=True, consistent=True)
        self.assertEqual(self.as_service(self.service(style)[0]), [])
        world, _ = self.service(style)
        world.image.after["supplier-b"] = lambda envelope: envelope["signatures"].clear()
        self.assertEqual(self.as_service(world), [("supplier-b", "threshold-unmet")])
        world, _ = self.service(style)
        world.image.edit["snapshot"] = lambda signed: signed["meta"]["supplier-b.json"].update(version=7)
        self.assertEqual(self.as_service(world), [("supplier-b", "missing")])
        world, supplier = self.service(style)
        supplier.paths = ["other/*"]
        self.assertEqual(self.as_service(world), [("supplier-b", "target-missing")])
        world, supplier = self.service(style)
        supplier.delegations = [Delegation("inner", Role(make_key(style, 9)), ["brake/*"], listed=False)]
        self.assertEqual(self.as_service(world), [("inner", "delegation-missing")])
        world, _ = self.service(style)
        world.images["brake/app-2.bin"] += b"x"
        self.assertEqual(self.as_service(world), [("supplier-b", "length-mismatch")])

    @staticmethod
    def hashed_bins():
        world = World(Style("tuf", canonical=form_c, keyid="object", pretty=True, consistent=True))
        use_hashed_bins(world.image)
        return world

    def test_hashed_bins(self):
        """Each bin that succinct_roles names is verified."""
        self.assertEqual(self.as_service(self.hashed_bins()), [])
        for number in range(2):
            world = self.hashed_bins()
            world.image.after[f"bin-{number}"] = lambda envelope: envelope["signatures"].clear()
            self.assertEqual(self.as_service(world), [(f"bin-{number}", "threshold-unmet")])
        world = self.hashed_bins()
        world.image.delegations[1].listed = False
        self.assertEqual(self.as_service(world), [("bin-1", "delegation-missing")])

    def test_roots(self):
        world = World(self.style)
        for _ in range(3):
            world.image.keep_root()
        world.image.final = lambda files: files.pop("3.root.json")
        self.assertIn(("client", "root", "root-gap"), self.check(world, "image"))

    def test_expired(self):
        """Told once, by the policy."""
        world = World(self.style)
        world.image.expires["targets"] = "2020-01-01T00:00:00Z"
        self.assertEqual(self.client(world, "image"), [])
        self.assertIn(("expiry", "targets", "it expired at 2020-01-01T00"), self.check(world, "image"))

    def test_every_role_of_the_root(self):
        world = World(self.style)
        shared = key_id(self.style, world.director.roles["targets"].keys[0])
        world.director.edit["root"] = lambda signed: signed["roles"].update({
            "offline-updates": {"keyids": [shared], "threshold": 1}, "offline-snapshot": {"keyids": ["e" * 64], "threshold": 0}})
        found = {each[:2] for each in self.check(world, "director")}
        self.assertLessEqual({("one-role", "offline-updates"), ("threshold", "offline-snapshot"), ("key-listed", "offline-snapshot")}, found)
        self.assertEqual(self.client(world, "director"), [])


if __name__ == "__main__":
    unittest.main()
