# SPDX-License-Identifier: Apache-2.0
"""A vehicle that is offered one world after the other, and its store"""

import shutil
import tempfile
import unittest
from pathlib import Path

import bench
from writer import Style

PAST = "2026-01-01T00:00:00Z"
HIGH = 2147483646


class Case(unittest.TestCase):
    style = Style()

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = Path(self.scratch.name)
        self.state = self.folder / "state"
        self.number = 0

    def anchor(self, folder):
        anchors = self.folder / "anchors"
        if not anchors.exists():
            anchors.mkdir()
            for repo in ("director", "image"):
                shutil.copy(sorted((folder / repo).glob("*.root.json"))[0], anchors / f"{repo}.json")

    def offer(self, world, *more, **options):
        self.number += 1
        folder = world.write(self.folder / f"world-{self.number}")
        self.anchor(folder)
        return bench.run(folder, self.state, *more, **options)

    def accepts(self, world, *more, **options):
        code, verdict = self.offer(world, *more, **options)
        self.assertEqual((code, verdict["reason"]), (0, "ok"), verdict)
        return verdict

    def refuses(self, world, repo, role, reason, **options):
        code, verdict = self.offer(world, **options)
        self.assertEqual((code, verdict.get("repo"), verdict.get("role"), verdict["reason"]), (1, repo, role, reason), verdict)
        return verdict

    def stored(self, repo, name):
        return (self.state / repo / name).read_bytes()

    def supplier(self, world):
        return world.image.delegations[0]
