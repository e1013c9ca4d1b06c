#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test-count-results.py SOURCE: what packaging/count-results makes of the log of a run"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop())
PASSED = {"name": "recallbay:quick / core-json", "result": "OK", "stdout": "ok 1 /core/json\n"}


def entry(name, result, **streams):
    return {"name": f"recallbay:slow+link / {name}", "result": result, **streams}


class CountResults(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def count(self, skips, *entries):
        (self.folder / "skips").write_text(skips)
        (self.folder / "log").write_text("".join(json.dumps(one) + "\n" for one in entries))
        done = subprocess.run([SOURCE / "packaging/count-results", self.folder / "skips", self.folder / "log"], timeout=60, check=False,
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_all_passed(self):
        self.assertEqual(self.count("", PASSED), (0, "1 passed, 0 failed, 0 skipped\n"))

    def test_none_ran(self):
        self.assertEqual(self.count(""), (1, "0 passed, 0 failed, 0 skipped\n"))

    def test_failed(self):
        for result in ("FAIL", "TIMEOUT", "ERROR", "UNEXPECTEDPASS", "INTERRUPT"):
            self.assertEqual(self.count("", PASSED, entry("link-bus", result)), (1, "1 passed, 1 failed, 0 skipped\n"))

    def test_skipped_and_listed(self):
        code, text = self.count("# why\nlink-cable  no namespace\n", PASSED, entry("link-cable", "SKIP"))
        self.assertEqual((code, text), (0, "link-cable: skipped: no namespace\n1 passed, 0 failed, 1 skipped\n"))

    def test_skipped_and_not_listed(self):
        code, text = self.count("link-cable no namespace\n", PASSED, entry("link-cable", "OK"), entry("kernel-isotp", "SKIP"))
        self.assertEqual(code, 1)
        self.assertRegex(text, "kernel-isotp: skipped, which .*skips does not allow")

    def test_skipped_in_part(self):
        for streams in ({"stdout": "ok 1 /a\nok 2 /b # SKIP no kernel\n"}, {"stderr": "..s\nRan 3 tests in 1.2s\n\nOK (skipped=1)\n"},
                        {"stderr": "OK (expected failures=1, skipped=2)\n"}):
            code, text = self.count("", PASSED, entry("link-doip", "OK", **streams))
            self.assertEqual(code, 1, streams)
            self.assertIn("link-doip: skipped in part", text)
            self.assertEqual(self.count("link-doip no IPv6\n", PASSED, entry("link-doip", "OK", **streams))[0], 0, streams)

    def test_listed_and_unknown(self):
        code, text = self.count("link-cabel no namespace\n", PASSED)
        self.assertEqual((code, text.splitlines()[0]), (1, "link-cabel: no such test in this run"))

    def test_list_without_reason(self):
        for skips in ("link-cable\n", "link-cable a\nlink-cable b\n"):
            code, text = self.count(skips, PASSED, entry("link-cable", "OK"))
            self.assertEqual(code, 1)
            self.assertRegex(text, "skips:[12]: expected a test's name, once, and a reason")


unittest.main()
