#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What runs unattended at the OEM is confined: test-units.py BUILD. systemd judges its own units."""

import configparser
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path()
EXPOSED_MOST = 20  # ten times the exposure that systemd-analyze names, at most 100


class Units(unittest.TestCase):
    NAMES = ("recallbay-intake", "recallbay-refresh", "recall-can-setup")

    def unit(self, name):
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str
        parser.read_string((BUILD / f"data/{name}.service").read_text())
        return parser["Service"]

    def judge(self, path):
        return subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED_MOST}", str(path)],
                              capture_output=True, text=True, timeout=60, check=False)

    def test_systemd_calls_them_confined(self):
        for name in self.NAMES[:2]:
            done = self.judge(BUILD / f"data/{name}.service")
            self.assertEqual(done.returncode, 0, done.stdout[-600:] + done.stderr)

    def test_systemd_would_say_so_otherwise(self):
        with tempfile.TemporaryDirectory() as folder:
            for member in ("CapabilityBoundingSet=", "SystemCallFilter=@system-service", "ProtectSystem=strict"):
                text = (BUILD / "data/recallbay-intake.service").read_text()
                self.assertIn(member + "\n", text)
                for line in (member, "PrivateUsers=yes", "NoNewPrivileges=yes", "RestrictNamespaces=yes"):
                    text = text.replace(line + "\n", "")
                path = Path(folder, "recallbay-intake.service")
                path.write_text(text)
                self.assertNotEqual(self.judge(path).returncode, 0, member)

    def test_the_command_is_one_that_the_program_knows(self):
        for name, verb in (("recallbay-intake", ("intake", "serve")), ("recallbay-refresh", ("repo", "refresh"))):
            words = self.unit(name)["ExecStart"].split()
            self.assertTrue(words[0].endswith("/bin/recall-oem"), words)
            options = [word for word in words[1:] if word.startswith("--")]
            told = subprocess.run([BUILD / "src/recall-oem", *verb, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
            for option in options:
                self.assertIn(f"  {option} ", told)
            self.assertEqual([word for word in words if word in verb], list(verb))

    def test_refresh_has_no_network(self):
        service = self.unit("recallbay-refresh")
        self.assertEqual((service["PrivateNetwork"], service["RestrictAddressFamilies"]), ("yes", "none"))

    def test_their_user_is_made(self):
        line = next(line for line in Path(__file__).parents[2].joinpath("data/setup/recallbay.sysusers").read_text().splitlines()
                    if line.startswith("u "))
        for name in self.NAMES[:2]:
            self.assertEqual(self.unit(name)["User"], line.split()[1])


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1))
    unittest.main()
