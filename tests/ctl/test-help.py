#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What every program says of itself, and to those who mistype: test-help.py RECALLCTL RECALL-OEM RECALL-SIM"""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAMS = [sys.argv.pop(1) for _ in range(3)]
CTL, OEM, SIM = PROGRAMS
MANUALS = Path(__file__).resolve().parents[2] / "data/man"


def run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30, check=False)


class Help(unittest.TestCase):
    def test_columns(self):
        """Summaries stand under one another, however long a verb and whatever letters are in it."""
        for program in (CTL, OEM):
            lines = [line for line in run(program, "--help").stdout.splitlines() if line.startswith("  ")]
            self.assertGreater(len(lines), 2)
            for line in lines:
                if len(line) > 47 and "  " in line.strip() or line.startswith(" " * 10):
                    self.assertEqual(line[46], " ", line)
                    self.assertNotEqual(line[47], " ", line)

    def test_each_verb_has_help(self):
        seen = 0
        for program in (CTL, OEM):
            for line in run(program, "--help").stdout.splitlines():
                found = re.match(r"  ([a-z]+(?: [a-z]+)?)(?= [A-Z\[\-]|  |$)", line)
                if not found:
                    continue
                words = found.group(1).split()
                done = run(program, *words, "--help")
                self.assertEqual(done.returncode, 0, (words, done.stderr))
                self.assertTrue(done.stdout.startswith("Usage:\n  " + Path(program).name + " " + " ".join(words)), done.stdout)
                seen += 1
        self.assertGreater(seen, 20)

    def test_the_vehicle_tells_its_other_verbs(self):
        text = run(SIM, "--help").stdout
        for word in ("--doip", "--fault", "show --state DIR", "offer --state DIR"):
            self.assertIn(word, text)

    def test_no_such_verb(self):
        for arguments, says in ((["nonsense"], "nonsense is no verb; recallctl --help lists them"),
                                (["bundle"], "bundle is followed by one of verify, import, list, show, remove"),
                                (["bundle", "nonsense"], "bundle is followed by one of"),
                                (["bundle", "import"], "an argument is missing"), (["links", "more"], "too many"),
                                (["links", "--nonsense"], "--nonsense")):
            with self.subTest(arguments):
                done = run(CTL, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(says, done.stderr)
                told = run(CTL, *arguments, "--json")
                verdict = json.loads(told.stdout.splitlines()[-1])
                self.assertEqual((told.returncode, verdict["ok"], verdict["reason"]), (2, False, "usage"))
                self.assertIn(says, verdict["message"])

    def test_nothing_said(self):
        for program in (CTL, OEM):
            done = run(program)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertTrue(done.stderr.startswith("Usage: "))

    def test_version_and_manual(self):
        for program in PROGRAMS:
            name = Path(program).name
            self.assertRegex(run(program, "--version").stdout, rf"^{name} \d+\.\d+")
            manual = (MANUALS / f"{name}.1").read_text().replace("\\-", "-")
            options = set(re.findall(r"--[a-z][a-z-]+", run(program, "--help").stdout)) - {"--help"}
            for option in options:
                self.assertIn(option, manual, f"{name}.1 says nothing of {option}")


if __name__ == "__main__":
    unittest.main()
