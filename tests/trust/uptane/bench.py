# SPDX-License-Identifier: Apache-2.0
"""Runs `recallctl uptane verify` on a world and looks at what it left behind."""

import json
import shutil
import subprocess
from pathlib import Path

from writer import PARTIAL, PRIMARY, SECONDARY, VIN

NOW = "2026-06-01T12:00:00Z"
PROGRAM = None


def command(folder, state, *more, time=NOW, vin=VIN, ecus=None):
    anchors = folder.parent / "anchors"
    words = [PROGRAM, "uptane", "verify", "--json", "--director", folder / "director", "--image", folder / "image",
               "--director-root", anchors / "director.json", "--image-root", anchors / "image.json", "--state", state,
               "--vin", vin, "--time", time, *more]
    for option, (serial, hardware_id) in ecus or (("--primary", PRIMARY), ("--secondary", SECONDARY), ("--partial", PARTIAL)):
        words += [option, f"{serial}:{hardware_id}"]
    return [str(word) for word in words]


def run(folder, state, *more, full=False, **options):
    """(exit code, last line as JSON); full: no file can be written"""
    words = command(folder, state, *more, **options)
    if full:  # Python ignores SIGXFSZ, and so does what it starts
        words = ["prlimit", "--fsize=0", *words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, restore_signals=not full)
    assert done.returncode in (0, 1), (done.returncode, done.stderr)
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def tree(folder, roots=True):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(Path(folder).rglob("*"))
            if path.is_file() and (roots or not path.name.endswith("root.json"))}


class Bench:
    """A folder in which a good world of version 1 has been accepted."""

    def __init__(self, folder, make_world):
        self.folder, self.make_world = Path(folder), make_world
        world = make_world()
        good = world.write(self.folder / "good")
        (self.folder / "anchors").mkdir()
        for repo in ("director", "image"):
            root = sorted((good / repo).glob("*.root.json"))[0]
            shutil.copy(root, self.folder / "anchors" / f"{repo}.json")
        self.base = self.folder / "state"
        code, verdict = run(good, self.base)
        assert code == 0 and verdict["ok"], verdict

    def fresh(self, name):
        """(where the case's world goes, a copy of the state)"""
        folder, state = self.folder / f"{name}-world", self.folder / f"{name}-state"
        shutil.copytree(self.base, state)
        return folder, state

    def clean(self, *folders):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
