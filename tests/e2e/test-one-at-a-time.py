#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two programs at one vehicle or link, whatever their data directory and user: the second one is refused with in-use before it reads anything.

Usage: test-one-at-a-time.py BUILD
"""

import copy
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "recovery"))
from bench import TIMEOUT, Bench  # noqa: E402
from proxy import Proxy  # noqa: E402

BUILD = sys.argv.pop(1)
DOOR = 0x1005


class Blocked:
    """A recovery that stands in the middle of its work: the vehicle's answer to the door's first download is kept back."""

    def __init__(self, bench):
        self.reached, self.release = threading.Event(), threading.Event()
        self.proxy = Proxy(bench.link, self.hold)
        command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments(link=self.proxy.link)]
        self.program = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.program.stdout), daemon=True)
        self.reader.start()
        assert self.reached.wait(TIMEOUT), "the recovery never wrote"

    def hold(self, source, request, answer):
        if source == DOOR and answer[:1] == b"\x74":
            self.reached.set()
            assert self.release.wait(TIMEOUT)
        return answer

    def finish(self):
        self.release.set()
        code = self.program.wait(TIMEOUT)
        self.reader.join(TIMEOUT)
        self.close()
        return code, json.loads(self.lines[-1])

    def kill(self):
        self.program.kill()
        self.program.wait(TIMEOUT)
        self.release.set()
        self.reader.join(TIMEOUT)
        self.close()

    def close(self):
        self.program.stdout.close()
        self.proxy.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()
        self.other = copy.copy(self.bench)
        self.other.data = self.bench.root / "another-workstation"
        self.other.trust_and_import()

    def blocked(self, bench):
        first = Blocked(bench)
        self.addCleanup(first.kill)
        return first

    def in_use(self, verdict, subject, holder, user=None):
        self.assertEqual((verdict["ok"], verdict["reason"]), (False, "in-use"), verdict)
        user = user or pwd.getpwuid(os.getuid()).pw_name
        self.assertIn(f"{subject}: in use by “recallctl” (process {holder.program.pid}, user {user})", verdict["message"])

    def journal(self, bench):
        return bench.ctl("journal")["steps"]


class Vehicle(Case):
    """The second one has another link to the same vehicle."""

    def test_recover_from_another_data_directory(self):
        first = self.blocked(self.bench)
        verdict = self.other.recover(expect=1)
        self.in_use(verdict, f"vehicle {self.bench.vin}", first)
        self.assertEqual((verdict["writes"], self.journal(self.other)), (0, []))
        code, end = first.finish()
        self.assertEqual((code, end["ok"]), (0, True), end)
        self.assertEqual(self.bench.differences(), [])

    def test_recover_from_the_same_data_directory(self):
        first = self.blocked(self.bench)
        self.in_use(self.bench.recover(expect=1), f"vehicle {self.bench.vin}", first)
        self.assertEqual(first.finish()[0], 0)

    def test_inspect(self):
        first = self.blocked(self.bench)
        arguments = ("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers", self.bench.oem / "answers.json")
        self.in_use(self.other.ctl(*arguments, expect=1), f"vehicle {self.bench.vin}", first)
        self.assertEqual(first.finish()[0], 0)
        self.assertTrue(self.other.ctl(*arguments)["ok"])

    def test_a_started_vehicle_is_not_called_incomplete_by_who_touched_nothing(self):
        """Its own earlier run wrote; this call did not: exit 1, not 3."""
        self.blocked(self.other).kill()
        self.assertNotEqual(self.journal(self.other), [])
        first = self.blocked(self.bench)
        self.in_use(self.other.recover(expect=1), f"vehicle {self.bench.vin}", first)
        self.assertEqual(first.finish()[0], 0)

    def test_a_killed_holder_holds_nothing(self):
        self.blocked(self.bench).kill()
        self.assertTrue(self.other.recover()["ok"])

    def test_another_user(self):
        if os.getuid() != 0:
            return self.assertNotEqual(os.getuid(), 0)
        first = self.blocked(self.bench)
        home = self.bench.root / "of-nobody"
        home.mkdir()
        for path in (self.bench.oem, self.other.data):
            shutil.copytree(path, home / path.name)
        for path in (home, *home.rglob("*")):
            shutil.chown(path, 65534, 65534)
        os.chmod(self.bench.root, 0o755)
        nobody = copy.copy(self.other)
        nobody.oem, nobody.data = home / "oem", home / self.other.data.name
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *map(str, (
            self.bench.bin / "recallctl", "--json", "--data-dir", nobody.data, *nobody.recover_arguments()))],
            capture_output=True, text=True, timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.in_use(json.loads(done.stdout.splitlines()[-1]), f"vehicle {self.bench.vin}", first, "root")
        self.assertEqual(first.finish()[0], 0)


class Link(Case):
    """The second one has the same link, under another name of it."""

    def identify(self, first, link):
        self.in_use(self.other.ctl("identify", "--link", link, expect=1), f"link {link}", first)

    def test_identify(self):
        first = self.blocked(self.bench)
        port = first.proxy.link.rsplit(":", 1)[1]
        self.identify(first, first.proxy.link)
        self.identify(first, f"doip://localhost:{port}")
        self.identify(first, f"doips://127.0.0.1:{port}")
        self.assertEqual(first.finish()[0], 0)
        self.assertEqual(self.other.ctl("identify", "--link", self.bench.link)["vin"], self.bench.vin)

    def test_recover_of_another_vehicle(self):
        """It has the wrong link: what it reads there is another vehicle's."""
        first = self.blocked(self.bench)
        verdict = self.other.recover(expect=1, vin="1RBDM7AA2TA000002", link=first.proxy.link)
        self.in_use(verdict, f"link {first.proxy.link}", first)
        self.assertEqual(first.finish()[0], 0)


if __name__ == "__main__":
    unittest.main()
