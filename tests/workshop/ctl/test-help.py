#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What every program says of itself, and to those who mistype: test-help.py RECALLCTL RECALL-OEM RECALL-SIM"""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAMS = [sys.argv.pop(1) for _ in range(3)]
CTL, OEM, SIM = PROGRAMS
MANUALS = Path(__file__).resolve().parents[3] / "data/man"


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

    def table(self, program):
        return json.loads(run(program, "--help", "--json").stdout)

    def test_help_and_version_of_every_verb_and_group(self):
        for program in PROGRAMS:
            name = Path(program).name
            verbs = [verb["name"].split() for verb in self.table(program)["verbs"]]
            for words in verbs + [list(group) for group in {(verb[0],) for verb in verbs if verb}]:
                with self.subTest((name, *words)):
                    done = run(program, *words, "--help")
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertIn(" ".join([name, *words]), done.stdout)
                    self.assertEqual(run(program, *words, "-h").stdout, done.stdout)
                    version = run(program, *words, "--version")
                    self.assertEqual((version.returncode, version.stderr), (0, ""))
                    self.assertRegex(version.stdout, rf"^{name} \d+\.\d+")
        for program in PROGRAMS[:2]:
            self.assertEqual(run(program, "nonsense", "--help").returncode, 2)

    def test_help_of_a_verb_lists_its_options(self):
        for program in PROGRAMS:
            for verb in self.table(program)["verbs"]:
                lines = run(program, *verb["name"].split(), "--help").stdout
                for option in verb["options"]:
                    self.assertIn(f"--{option['name']}{' ' if option['value'] else ''}{option['value'] or ''}", lines)

    def test_numbers_out_of_range(self):
        """Every number has its range: what is no number or beyond it is wrong usage, never another value."""
        seen = set()
        for program in PROGRAMS:
            for verb in self.table(program)["verbs"]:
                for option in verb["options"]:
                    if option["kind"] != "number":
                        continue
                    for value in ("-1", "1x", "", "0x10", "99999999999999999999", "1.5"):
                        done = run(program, *verb["name"].split(), f"--{option['name']}={value}", "--json")
                        verdict = json.loads(done.stdout.splitlines()[-1])
                        self.assertEqual((done.returncode, verdict["reason"]), (2, "usage"), (option, value))
                        self.assertIn(f"--{option['name']}: a number from", verdict["message"])
                    seen.add(option["name"])
        self.assertLessEqual({"odometer", "link-timeout", "ecus", "image-size", "vehicles", "load", "seed", "max-snapshot"}, seen)
        self.assertEqual(run(CTL, "recover", "--odometer", "-5").returncode, 2)
        self.assertEqual(run(CTL, "recover", "--link-timeout", "-1").returncode, 2)

    def configured(self, text, *arguments, program=CTL):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "recallbay.conf").write_text(text)
            done = run(program, *arguments, "--config", f"{folder}/recallbay.conf", "--json")
            return done.returncode, json.loads(done.stdout.splitlines()[-1])

    def test_config_gives_defaults(self):
        with tempfile.TemporaryDirectory() as folder:
            config = f"[recallctl]\ndata-dir={folder}/a\n\n[recallctl tuf]\nmetadata-dir={folder}/m\ntarget-name=a;b\n\n[recallbay]\nlink=can:can0\n"
            self.assertEqual(self.configured(config, "record", "list")[0], 0)
            self.assertTrue(Path(folder, "a").is_dir())
            code, verdict = self.configured(config, "tuf", "refresh")
            self.assertEqual((code, verdict["message"]), (2, "tuf needs --metadata-url: where the repository is"))
            self.assertEqual(self.configured(config, "record", "list", "--data-dir", f"{folder}/b")[0], 0)
            self.assertTrue(Path(folder, "b").is_dir(), "the command line comes first")

    def test_config_is_refused(self):
        missing = run(CTL, "record", "list", "--config", "/nonexistent/recallbay.conf", "--json")
        self.assertEqual((missing.returncode, json.loads(missing.stdout)["reason"]), (1, "not-found"))
        for text, says in (("no key file", "Key file"), ("[recallctl]\nnonsense=1", "unknown key nonsense"), ("[nonsense]\na=1", "unknown group"),
                           ("[recallctl nonsense]\na=1", "unknown group"), ("[recallctl]\nlink=can:can0", "unknown key link"),
                           ("[recallctl]\nhelp=true", "unknown key help"), ("[recallctl]\nconfig=x", "unknown key config"),
                           ("[recallctl]\ndata-dir=", "the path is empty"), ("[recallctl record list]\ndata-dir=x", "unknown key data-dir"),
                           ("[recallctl recover]\nodometer_km=1", "unknown key odometer_km")):
            with self.subTest(text):
                code, verdict = self.configured(text, "record", "list")
                self.assertEqual((code, verdict["reason"]), (1, "malformed"), verdict)
                self.assertIn(says, verdict["message"])
        code, verdict = self.configured("[recallctl recover]\nlink-timeout=-1", "recover")
        self.assertEqual((code, verdict["reason"]), (1, "malformed"))
        self.assertIn("--link-timeout: a number from", verdict["message"])
        code, verdict = self.configured("[recall-sim]\ntiming=slow", program=SIM)
        self.assertEqual((code, verdict["reason"]), (1, "malformed"))
        self.assertIn("one of real|fast", verdict["message"])

    def test_what_is_needed_is_named(self):
        for arguments, says in ((["recover"], "recover: --link URI is missing"), (["inspect", "--campaign", "C"], "inspect: --link URI is missing"),
                                (["record", "print", "0"], "record print: --output FILE.pdf is missing"),
                                (["record", "print", "0", "-o"], "--output: the value FILE.pdf is missing"),
                                (["record", "verify", "--require", "done", "x"], "--require: one of completed"),
                                (["links", "--json=1"], "--json takes no value"), (["record", "print", "0", "-o", ""], "--output: the path is empty")):
            with self.subTest(arguments):
                done = run(CTL, *arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(says, done.stderr)

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
