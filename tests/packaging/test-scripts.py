#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test-scripts.py SOURCE: the scripts of packaging/ show why they failed"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop())
TOOLS = r"\b(meson|ninja|apt-get (-q*|update|install)|debootstrap|cppcheck)\b"


class Scripts(unittest.TestCase):
    """In a tree of packaging/ alone, on a machine whose tools are these here."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.tree = Path(scratch.name) / "tree"
        shutil.copytree(SOURCE / "packaging", self.tree / "packaging")
        self.bin = Path(scratch.name) / "bin"
        self.bin.mkdir()
        self.tool("dpkg-query", "printf installed")

    def tool(self, name, body):
        (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.bin / name).chmod(0o755)

    def run_script(self, *command):
        return subprocess.run(command, cwd=self.tree, env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)

    def assert_shown(self, status, text, *command):
        done = self.run_script(*command)
        self.assertEqual(done.returncode, status, done.stdout)
        self.assertIn(text, done.stdout)

    def test_configuring_fails(self):
        for stream in (1, 2):
            self.tool("meson", f"echo 'meson: Dependency gtk4 not found' >&{stream}; exit 1")
            self.assert_shown(1, "Dependency gtk4 not found", "packaging/demo", "--terminal")
            self.assert_shown(1, "Dependency gtk4 not found", "packaging/check")

    def test_configuring_again_fails(self):
        (self.tree / "build-check").mkdir()
        (self.tree / "build-check/build.ninja").touch()
        self.tool("meson", "echo 'meson: Unknown options'; exit 1")
        self.assert_shown(1, "Unknown options", "packaging/check")

    def test_building_fails(self):
        self.tool("meson", "mkdir -p build build-check")
        self.tool("ninja", "echo 'ninja: main.c:1: error'; exit 1")
        self.assert_shown(1, "main.c:1: error", "packaging/demo", "--terminal")
        self.assert_shown(1, "main.c:1: error", "packaging/check")

    def test_demo_builds_no_test(self):
        self.tool("meson", "mkdir -p build")
        self.tool("ninja", 'echo "ninja $*"; exit 1')
        self.assert_shown(1, "ninja -C build --quiet programs\n", "packaging/demo", "--terminal")

    def test_installing_fails(self):
        self.tool("dpkg-query", "exit 1")
        self.tool("sudo", 'exec "$@"')
        self.tool("apt-get", "echo 'E: Unable to locate package meson'; exit 100")
        self.assert_shown(100, "Unable to locate package meson", "packaging/install", "build")
        self.tool("apt-get", 'case "$*" in *install*) echo "dpkg: error: no space"; exit 100;; esac')
        self.assert_shown(100, "dpkg: error: no space", "packaging/install", "build")

    def test_check_needs_the_tests(self):
        self.tool("meson", 'echo "meson $*"; exit 1')
        self.assert_shown(1, "-Dtests=enabled", "packaging/check")

    def test_root_works_as_the_owner(self):
        """Here root is who id says, and 54321 has the tree; what root built before goes to 54321."""
        (self.tree / "build").mkdir()
        self.tool("id", "echo 0")
        self.tool("stat", "echo 54321")
        self.tool("find", 'echo "find $*"')
        self.tool("setpriv", 'echo "setpriv $*"')
        given = f"find -P {self.tree}/build -user 0 -exec chown --no-dereference 54321:54321 {{}} +\n"
        self.assert_shown(0, given + "setpriv --reuid 54321 --regid 54321 --clear-groups packaging/demo --scenario image-oem --terminal\n",
                          "packaging/demo", "--scenario", "image-oem", "--terminal")
        self.assert_shown(0, given + "setpriv --reuid 54321 --regid 54321 --clear-groups true\n", "packaging/as-owner", "true")
        self.tool("stat", "echo 0")
        self.assert_shown(0, "as root", "packaging/as-owner", "echo", "as root")

    def test_quietly(self):
        done = self.run_script("packaging/quietly", "sh", "-c", "echo heard; echo so >&2")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        done = self.run_script("packaging/quietly", "sh", "-c", "echo heard; echo so >&2; exit 7")
        self.assertEqual(done.returncode, 7)
        self.assertRegex(done.stdout, "heard\nso\nfailed with exit 7: sh -c")

    def test_no_tool_is_silenced(self):
        for script in [*(SOURCE / "packaging").iterdir(), SOURCE / "tests/fuzz/run"]:
            for number, line in enumerate(script.read_text().splitlines(), 1):
                silenced = re.search(TOOLS, line) and re.search(r"/dev/null|[^|]\|[^|]", line) and "command -v" not in line
                self.assertFalse(silenced, f"{script.name}:{number}: {line}")

    def test_help_and_wrong_usage(self):
        for script in ("demo", "check", "fresh"):
            if (self.tree / "packaging" / script).exists():
                self.assert_shown(0, f"Usage: packaging/{script}", f"packaging/{script}", "--help")
                self.assert_shown(2, f"Usage: packaging/{script}", f"packaging/{script}", "--nonsense")

    def test_packages_are_named_once(self):
        words = [line.split() for line in (SOURCE / "packaging/packages").read_text().splitlines() if not line.startswith("#")]
        self.assertEqual({len(line) for line in words}, {2})
        self.assertEqual({kind for kind, _ in words}, {"build", "test", "full"})
        self.assertEqual(len({package for _, package in words}), len(words))


unittest.main()
