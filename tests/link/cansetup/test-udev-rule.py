#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The udev rule lets people use exactly the adapters that src/link/link knows, and no other device."""

import re
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
RULE = (TOP / "data/70-recallbay.rules").read_text()
LINES = [line for line in RULE.splitlines() if line and not line.startswith("#")]


class Rule(unittest.TestCase):
    def test_the_same_adapters(self):
        source = (TOP / "src/link/can/gs-usb-protocol.c").read_text()
        known = {(int(v, 16), int(p, 16)) for v, p in re.findall(r"\{ (0x[0-9a-f]{4}), (0x[0-9a-f]{4}) \}", source)}
        allowed = {(int(v, 16), int(p, 16)) for v, p in
                   re.findall(r'^ATTR\{idVendor\}=="([0-9a-f]{4})", ATTR\{idProduct\}=="([0-9a-f]{4})", TAG\+="uaccess"$', RULE, re.M)}
        self.assertEqual(len(known), 6)
        self.assertEqual(allowed, known)

    def test_nothing_else(self):
        """No line that tags without naming vendor and product, no MODE for everybody, each jump has its label."""
        for line in LINES:
            self.assertNotRegex(line, r"\bMODE\b|\bGROUP\b|\bRUN\b|\bOWNER\b")
            if "TAG" in line:
                self.assertRegex(line, r'^ATTR\{idVendor\}=="....", ATTR\{idProduct\}=="....", ')
        self.assertEqual(set(re.findall(r'GOTO="(\w+)"', RULE)), set(re.findall(r'LABEL="(\w+)"', RULE)))
        self.assertTrue(LINES[-1].startswith("LABEL"))

    def test_in_time(self):
        """systemd's 73-seat-late.rules acts on uaccess: ours must have run before."""
        self.assertTrue((TOP / "data/70-recallbay.rules").exists())
        self.assertIn("'70-recallbay.rules'", (TOP / "data/meson.build").read_text())


if __name__ == "__main__":
    unittest.main()
