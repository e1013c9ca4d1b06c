#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two programs at one vehicle or link, whatever their data directory and user: the second one is refused with in-use before it reads anything.

Usage: test-one-at-a-time.py BUILD
"""

import copy
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import unittest

from bench import TIMEOUT, Bench

BUILD = sys.argv.pop(1)


class Blocked:
    """A recovery in the middle of its work: the vehicle lost its power at the first event of a kind, and the recovery waits for it."""

    def __init__(self, bench, kind="step"):
        self.bench = bench
        command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments(link_timeout=TIMEOUT)]
        self.program = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.last = None
        self.wait_for(kind)
        bench.stop(signal.SIGKILL)
        self.wait_for("waiting")

    def wait_for(self, kind):
        for line in self.program.stdout:
            self.last = json.loads(line)
            if self.last.get("event") == kind:
                return
        raise AssertionError(f"no event {kind}; the last is {self.last}")

    def power_on(self):
        self.bench.start(doip=self.bench.plain)

    def finish(self):
        self.power_on()
        for line in self.program.stdout:
            self.last = json.loads(line)
        return self.program.wait(TIMEOUT), self.last

    def kill(self):
        self.program.kill()
        self.program.wait(TIMEOUT)
        self.program.stdout.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()
        self.other = copy.copy(self.bench)  # with the same vehicle
        self.other.data = self.bench.root / "another-workstation"
        self.other.trust_and_import()

    def blocked(self, bench, kind="step"):
        first = Blocked(bench, kind)
        self.addCleanup(first.kill)
        return first

    def in_use(self, verdict, subject, holder, user=None):
        self.assertEqual((verdict["ok"], verdict["reason"]), (False, "in-use"), verdict)
        user = user or pwd.getpwuid(os.getuid()).pw_name
        self.assertIn(f"{subject}: in use by “recallctl” (process {holder.program.pid}, user {user})", verdict["message"])

    def journal(self, bench):
        return bench.ctl("journal")["steps"]


class Vehicle(Case):
    """The second one has the vehicle's link too, or another one to it."""

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
        dead = self.blocked(self.other)
        dead.kill()
        self.assertNotEqual(self.journal(self.other), [])
        dead.power_on()
        self.bench.vehicle = self.other.vehicle
        first = self.blocked(self.bench)
        self.in_use(self.other.recover(expect=1), f"vehicle {self.bench.vin}", first)
        self.assertEqual(first.finish()[0], 0)

    def test_a_killed_holder_holds_nothing(self):
        first = self.blocked(self.bench)
        first.kill()
        first.power_on()
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


class Campaign(Case):
    def test_it_is_removed_between_the_inspection_and_the_first_write(self):
        """The recovery has no campaign then: it does not begin."""
        first = self.blocked(self.bench, "ecu")
        self.assertTrue(self.bench.ctl("bundle", "remove", self.bench.campaign)["ok"])
        code, verdict = first.finish()
        self.assertEqual((code, verdict["reason"], verdict["writes"]), (1, "image-missing", 0), verdict)
        self.assertEqual((self.bench.wrote(), self.journal(self.bench)), ([], []))

    def test_it_stays_while_a_recovery_is_open(self):
        first = self.blocked(self.bench)
        self.assertEqual(self.bench.ctl("bundle", "remove", self.bench.campaign, expect=1)["reason"], "recovery-open")
        code, verdict = first.finish()
        self.assertEqual((code, verdict["ok"]), (0, True), verdict)


class Link(Case):
    """The second one has the same link, under another name of it."""

    def identify(self, first, link):
        self.in_use(self.other.ctl("identify", "--link", link, expect=1), f"link {link}", first)

    def test_identify(self):
        first = self.blocked(self.bench)
        port = self.bench.link.rsplit(":", 1)[1]
        self.identify(first, self.bench.link)
        self.identify(first, f"doip://localhost:{port}")
        self.identify(first, f"doips://127.0.0.1:{port}")
        self.assertEqual(first.finish()[0], 0)
        self.assertEqual(self.other.ctl("identify", "--link", self.bench.link)["vin"], self.bench.vin)

    def test_recover_of_another_vehicle(self):
        """It has the wrong link: what it reads there is another vehicle's."""
        first = self.blocked(self.bench)
        verdict = self.other.recover(expect=1, vin="1RBDM7AA2TA000002", link=self.bench.link)
        self.in_use(verdict, f"link {self.bench.link}", first)
        self.assertEqual(first.finish()[0], 0)


if __name__ == "__main__":
    unittest.main()
