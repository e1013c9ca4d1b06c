#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recall-oem's repositories judged by securesystemslib, and repositories that Python wrote judged by recallctl and by the
simulated ECUs alike: test-both-ways.py RECALLCTL RECALL-OEM RECALL-SIM"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Signature, SSlibKey

import bench
from forms import CASES
from writer import PARTIAL, PRIMARY, SECONDARY, VIN, Style, World

CTL, OEM, SIM = sys.argv[1:4]
SCENARIOS = ("director", "image-supplier", "image-oem", "ecu-keys")
# cases that are about this command line, about folders, or about a moment that is not now
NOT_FOR_ECUS = ("expires-now", "root-link-missing", "root-json-beyond")


def call(*words, code=0):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=100)
    assert code is None or done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None


class Outside:
    """One folder of metadata, read and judged without anything of Recallbay's."""

    def __init__(self, folder):
        self.files = {path.name: json.loads(path.read_bytes()) for path in folder.glob("*.json") if path.name != "keys.json"}
        self.roots = []
        while f"{len(self.roots) + 1}.root.json" in self.files:
            self.roots.append(self.files[f"{len(self.roots) + 1}.root.json"])

    def signers(self, envelope, keys, keyids):
        message = encode_canonical(envelope["signed"]).encode()
        good = set()
        for entry in envelope["signatures"]:
            if entry["keyid"] not in keyids or entry["keyid"] not in keys:
                continue
            value = keys[entry["keyid"]]
            kind = value["keytype"].lower()
            key = SSlibKey(entry["keyid"], kind, value.get("scheme", kind), value["keyval"])
            text = entry["sig"] if "scheme" in value else base64.b64decode(entry["sig"]).hex()
            try:
                key.verify_signature(Signature(entry["keyid"], text), message)
                good.add(value["keyval"]["public"])
            except UnverifiedSignatureError:
                pass
        return good

    def holds(self, envelope, delegator, role):
        return len(self.signers(envelope, delegator["keys"], role["keyids"])) >= role["threshold"]

    def by_root(self, envelope, root, name):
        return self.holds(envelope, root["signed"], root["signed"]["roles"][name])

    def check_roots(self, test, chained=True):
        for number, root in enumerate(self.roots):
            test.assertTrue(self.by_root(root, root, "root"), number + 1)
            if number > 0 and chained:
                test.assertTrue(self.by_root(root, self.roots[number - 1], "root"), number + 1)

    def check_roles(self, test):
        for name in ("timestamp", "snapshot", "targets"):
            test.assertTrue(self.by_root(self.files[f"{name}.json"], self.roots[-1], name), name)
        delegations = self.files["targets.json"]["signed"].get("delegations", {"roles": []})
        for role in delegations["roles"]:
            test.assertTrue(self.holds(self.files[role["name"] + ".json"], delegations, role), role["name"])
        return 3 + len(delegations["roles"])


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.scratch.name)
        for scenario in SCENARIOS:
            call(OEM, "demo", cls.folder / scenario, "--scenario", scenario, "--json")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def repositories(self):
        for scenario in SCENARIOS:
            for kind in ("repositories", "attack"):
                for folder in sorted((self.folder / scenario / kind).glob("*")):
                    yield scenario, kind, folder

    def test_every_signature_and_threshold(self):
        files = 0
        for scenario, kind, folder in self.repositories():
            with self.subTest(f"{scenario} {kind} {folder.name}"):
                outside = Outside(folder)
                # the Root keys themselves were lost: no chain leads to the new root
                lost = scenario == "image-oem" and folder.name == "image"
                outside.check_roots(self, chained=not lost)
                files += len(outside.roots) + outside.check_roles(self)
        self.assertGreater(files, 70)

    def ecus(self, scenario):
        targets = json.loads((self.folder / scenario / "repositories/director/targets.json").read_bytes())["signed"]["targets"]
        found = {}
        for entry in targets.values():
            for serial, ecu in entry["custom"]["ecuIdentifiers"].items():
                found[serial] = ecu["hardwareId"]
        (first, *rest) = sorted(found.items())
        return [f"--primary={first[0]}:{first[1]}", *(f"--secondary={serial}:{hardware_id}" for serial, hardware_id in rest)]

    def verify(self, scenario, kind, state, root, code=0):
        folder = self.folder / scenario
        return call(CTL, "uptane", "verify", "--json", "--director", folder / kind / "director", "--image", folder / kind / "image",
                    "--director-root", folder / f"repositories/director/{root}.root.json", "--image-root",
                    folder / f"repositories/image/{self.newest(folder, 'image', root)}.root.json", "--state", state, "--vin",
                    (folder / "vin.txt").read_text().strip(), *self.ecus(scenario), code=code)

    def newest(self, folder, repo, root):
        there = len(list((folder / f"repositories/{repo}").glob("*.root.json")))
        return there if root > 1 or folder.name == "image-oem" else 1

    def test_recallctl_agrees(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario):
                verdict = self.verify(scenario, "repositories", self.folder / f"state-{scenario}", 1)
                self.assertEqual(len(verdict["ecus"]), 7)

    def test_stolen_keys_are_believed_before_and_not_after(self):
        """The Director's keys alone have nothing in the Image repository; the supplier's lead the honest Director astray, once."""
        for scenario, before, after in (("director", "target-missing", "threshold-unmet"), ("image-supplier", "ok", "rollback"),
                                        ("image-oem", "threshold-unmet", "rollback")):
            with self.subTest(scenario):
                state = self.folder / f"state-stolen-{scenario}"
                self.assertEqual(self.verify(scenario, "attack", state, 1, code=None)["reason"], before)
                self.assertEqual(self.verify(scenario, "repositories", state, 1)["reason"], "ok")
                self.assertEqual(self.verify(scenario, "attack", state, 1, code=1)["reason"], after)


class Ecus(unittest.TestCase):
    """A simulated vehicle of three ECUs whose stores hold what recallctl accepted."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.scratch.name)
        bench.PROGRAM = CTL
        cls.style = Style()
        cls.place = bench.Bench(cls.folder, lambda: World(cls.style))
        cls.vehicle = cls.folder / "vehicle"
        cls.make_vehicle()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def make_vehicle(cls):
        demo, whole = cls.folder / "demo", cls.folder / "whole"
        call(OEM, "demo", demo, "--json")
        process = subprocess.Popen([SIM, "--model", demo / "vehicle.json", "--state", whole, "--vin",
                                    (demo / "vin.txt").read_text().strip(), "--doip", "127.0.0.1:0", "--timing", "fast"],
                                   stdout=subprocess.PIPE)
        assert json.loads(process.stdout.readline())["ready"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.stdout.close()
        names = ("SN-TELEMATICS-0001", "SN-STEERING-0001", "SN-DOOR-0001")
        for name, (serial, hardware_id) in zip(names, (PRIMARY, SECONDARY, PARTIAL)):
            cls.make_ecu(whole / "ecus" / name, cls.vehicle / "ecus" / serial, serial, hardware_id)
        (cls.vehicle / "vin").write_text(VIN)
        (cls.vehicle / "primary").write_text(PRIMARY[0])

    @classmethod
    def make_ecu(cls, source, folder, serial, hardware_id):
        """A memory without stores takes those that lie in folders beside it."""
        shutil.copytree(source, folder)
        state = json.loads((folder / "state.json").read_bytes())
        stores = state.pop("stores")
        state.update(serial=serial, hardware_id=hardware_id)
        (folder / "state.json").write_text(json.dumps(state))
        for repo in ("director", "image"):
            if repo in stores:
                shutil.copytree(cls.place.base / repo, folder / repo)

    def offer(self, world, name):
        """serial → reason, "ok" where it is accepted"""
        folder, vehicle = self.folder / f"{name}-offer", self.folder / f"{name}-vehicle"
        shutil.copytree(self.vehicle, vehicle, copy_function=os.link)
        world.write(folder)
        said = call(SIM, "offer", "--state", vehicle, "--director", folder / "director", "--image", folder / "image", "--json")
        shutil.rmtree(folder)
        shutil.rmtree(vehicle)
        return {ecu["serial"]: ecu["reason"] if not ecu["accepted"] else "ok" for ecu in said["ecus"]}

    def test_good(self):
        self.assertEqual(set(self.offer(World(self.style).newer(), "good").values()), {"ok"})

    def is_for_ecus(self, name, change, more, options):
        is_folder_case = any(word in name for word in NOT_FOR_ECUS)
        images_alone = name.startswith(("image-bytes", "image-longer", "image-shorter", "image-not-there", "no-image", "both-say"))
        return not (is_folder_case or images_alone or more or options)

    def test_every_case_as_recallctl_judges_it(self):
        """The Primary refuses for the same reason; expiry is judged now, so the cases must have expired by now."""
        self.assertGreater(datetime.now(timezone.utc), datetime(2026, 1, 2, tzinfo=timezone.utc))
        judged = 0
        for number, (name, repo, role, reason, change, more, options) in enumerate(CASES):
            if not self.is_for_ecus(name, change, more, options):
                continue
            world = World(self.style).newer()
            change(world)
            with self.subTest(name):
                told = self.offer(world, str(number))
                self.assertEqual(told[PRIMARY[0]], reason, told)
                self.check_partial(told[PARTIAL[0]], name, repo, role, reason)
                judged += 1
        self.assertGreater(judged, 280)

    def check_partial(self, told, name, repo, role, reason):
        """Partial verification sees the Director's targets alone: never what is wrong elsewhere, always what is wrong there."""
        if repo == "image":
            self.assertEqual(told, "ok")
        elif role == "targets" and name.startswith("director-targets-") and reason in ("bad-signature", "duplicate-signature", "wrong-type",
                                                                                      "expired", "malformed", "missing"):
            self.assertEqual(told, reason)
        elif reason in ("delegation-in-director", "ecu-repeated", "vin-mismatch", "path"):
            self.assertEqual(told, reason)


if __name__ == "__main__":
    del sys.argv[1:4]
    unittest.main()
