# SPDX-License-Identifier: Apache-2.0
"""Stores of trusted metadata that two programs use at a time: versions never go back, and a store that is held is named with its holder.

Usage: test-one-at-a-time.py RECALLCTL
"""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import bench
from writer import Style, World

PROGRAM = bench.PROGRAM = sys.argv.pop(1)
ROUNDS = 20


class Held:
    """A folder locked by this process."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *_):
        os.close(self.fd)


def versions(state):
    return {repo: {role: entry["version"] for role, entry in json.loads((state / repo / "versions.json").read_text())["roles"].items()}
            for repo in ("director", "image")}


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.place = bench.Bench(cls.scratch.name, lambda: World(Style()))
        cls.worlds = [cls.place.make_world().newer(), cls.place.make_world().newer().newer()]
        for number, world in enumerate(cls.worlds):
            world.write(Path(cls.scratch.name) / f"world-{number}")

    def world(self, number):
        return Path(self.scratch.name) / f"world-{number}"

    def test_versions_never_go_back(self):
        """Whichever of two is first, the newer repository is what the state holds in the end."""
        _, alone = self.place.fresh("alone")
        self.assertEqual(bench.run(self.world(1), alone)[0], 0)
        for count in range(ROUNDS):
            _, state = self.place.fresh(f"round-{count}")
            results = {}
            runs = [threading.Thread(target=lambda number=number: results.update({number: bench.run(self.world(number), state)})) for number in (0, 1)]
            for run in runs:
                run.start()
            for run in runs:
                run.join()
            self.assertEqual((results[1][0], results[1][1]["reason"]), (0, "ok"))
            self.assertIn((results[0][0], results[0][1]["reason"]), [(0, "ok"), (1, "rollback")])
            self.assertEqual(versions(state), versions(alone))
            self.assertEqual(bench.run(self.world(0), state)[1]["reason"], "rollback")

    def test_held_state(self):
        _, state = self.place.fresh("held")
        before = bench.tree(state)
        with Held(state):
            code, verdict = bench.run(self.world(0), state)
        self.assertEqual((code, verdict["ok"], verdict["reason"]), (1, False, "in-use"))
        self.assertIn(f"{state}: in use by “python3” (process {os.getpid()}, user ", verdict["message"])
        self.assertNotIn("attack", verdict)
        self.assertEqual(bench.tree(state), before)
        self.assertEqual(bench.run(self.world(0), state)[0], 0)


class Client(unittest.TestCase):
    """The TUF client's folder of metadata."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = Path(self.scratch.name)
        self.place = bench.Bench(self.folder / "place", lambda: World(Style()))

    def tuf(self, metadata, *arguments):
        done = subprocess.run([PROGRAM, "tuf", "--json", "--metadata-dir", metadata, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              check=False)
        return done.returncode, json.loads(done.stdout.splitlines()[-1])

    def test_held_metadata(self):
        root, source = self.folder / "place" / "anchors" / "image.json", self.folder / "place" / "good" / "image"
        metadata = self.folder / "metadata"
        self.assertEqual(self.tuf(metadata, "init", root)[0], 0)
        before = bench.tree(metadata)
        for arguments in (["init", root], ["--metadata-url", source, "--time", bench.NOW, "refresh"],
                          ["--metadata-url", source, "--target-base-url", source, "--target-name", "x", "--target-dir", self.folder / "to", "download"]):
            with Held(metadata):
                code, verdict = self.tuf(metadata, *arguments)
            self.assertEqual((code, verdict["reason"]), (1, "in-use"), arguments)
            self.assertIn(f"process {os.getpid()}, user ", verdict["message"])
            self.assertEqual(bench.tree(metadata), before)
        code, verdict = self.tuf(metadata, "--metadata-url", source, "--time", bench.NOW, "refresh")
        self.assertEqual(code, 0, verdict)
        self.assertEqual([path.name for path in metadata.iterdir() if path.suffix != ".json"], [], "no file of the lock's own")


if __name__ == "__main__":
    unittest.main()
