#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a data directory keeps (library, pins, trust anchors, outbox, journal) has one writer at a time; who holds it is named.

Usage: test-one-at-a-time.py BUILD
"""

import fcntl
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from bench import TIMEOUT, Bench  # noqa: E402

BUILD = sys.argv.pop(1)


class Held:
    """A folder locked by this process."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *_):
        os.close(self.fd)


class Written:
    """The database with a write transaction of this process."""

    def __init__(self, data):
        self.database = sqlite3.connect(data / "recallbay.db", isolation_level=None)

    def __enter__(self):
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_):
        self.database.execute("ROLLBACK")
        self.database.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)
        self.data = self.bench.data

    def stored(self):
        return {str(path.relative_to(self.data)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.data.rglob("*")) if path.is_file() and not path.name.startswith("recallbay.db")}

    def in_use(self, hold, subject, *arguments):
        before = self.stored()
        with hold:
            verdict = self.bench.ctl(*arguments, expect=1)
        self.assertEqual((verdict["ok"], verdict["reason"]), (False, "in-use"), verdict)
        self.assertIn(f"{subject}: in use by “python3” (process {os.getpid()}, user ", verdict["message"])
        self.assertEqual(self.stored(), before)

    def together(self, *commands):
        programs = [subprocess.Popen([str(word) for word in (self.bench.bin / "recallctl", "--json", "--data-dir", self.data, *command)],
                                     stdout=subprocess.PIPE, text=True) for command in commands]
        results = []
        for program in programs:
            out, _ = program.communicate(timeout=TIMEOUT)
            results.append((program.returncode, json.loads(out.splitlines()[-1])))
        return results


class Stores(Case):
    def test_trust(self):
        root = self.bench.oem / "service-root.json"
        trust = self.data / "trust"
        self.in_use(Held(trust), "the trust anchors", "trust", "add", root, "--name", "OEM")
        self.bench.ctl("trust", "add", root, "--name", "OEM")
        self.in_use(Held(trust), "the trust anchors", "trust", "add", root, "--name", "OEM")

    def test_library(self):
        campaign = self.bench.oem / "campaign.recall"
        self.bench.ctl("trust", "add", self.bench.oem / "service-root.json", "--name", "OEM")
        self.in_use(Held(self.data / "library"), "the library", "bundle", "import", campaign)
        self.in_use(Held(self.data / "trust"), "the trust anchors", "bundle", "import", campaign)
        self.bench.ctl("bundle", "import", campaign)
        self.in_use(Held(self.data / "library"), "the library", "bundle", "remove", self.bench.campaign)
        self.assertTrue(self.bench.ctl("bundle", "remove", self.bench.campaign)["ok"])

    def test_database(self):
        """A recovery that cannot note what it does has not begun."""
        self.bench.start()
        self.bench.trust_and_import()
        self.bench.ctl("journal")
        self.in_use(Written(self.data), "journal", *self.bench.recover_arguments())
        self.assertEqual(self.bench.wrote(), [])
        self.assertTrue(self.bench.recover()["ok"])

    def test_imports_at_a_time(self):
        """Four imports of one campaign: one library, whoever was first."""
        self.bench.ctl("trust", "add", self.bench.oem / "service-root.json", "--name", "one")
        for code, verdict in self.together(*[("bundle", "import", self.bench.oem / "campaign.recall")] * 4):
            self.assertEqual((code, verdict["ok"]), (0, True), verdict)
        pins = json.loads((self.data / "pins.json").read_text())
        self.assertEqual(list(pins["campaigns"]["one"]), [self.bench.campaign])
        self.assertEqual([entry["campaign"] for entry in self.bench.ctl("bundle", "list")["campaigns"]], [self.bench.campaign])

    def test_anchors_at_a_time(self):
        """One root has one name, also when two programs give it one."""
        root = self.bench.oem / "service-root.json"
        for count in range(5):
            self.data = self.bench.root / f"data-{count}"
            results = self.together(*(("trust", "add", root, "--name", name) for name in ("one", "two", "three")))
            self.assertEqual(sorted(verdict["reason"] for _, verdict in results), ["exists", "exists", "ok"])
            self.assertEqual(len([path for path in (self.data / "trust").iterdir() if not path.name.startswith(".")]), 1)


if __name__ == "__main__":
    unittest.main()
