#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The build itself refuses an include and a call upward: tries both with the commands by which the folder is built.

Usage: test-walls.py BUILD CC
"""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

import house

BUILD, CC = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
del sys.argv[1:3]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def last_command(target):
    """The words of the command that makes target."""
    found = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "-s", target], stdout=subprocess.PIPE, text=True, check=True).stdout
    return shlex.split(found.strip().splitlines()[-1])


class Walls(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="recallbay-walls-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def run_in_build(self, words):
        return subprocess.run([word for word in words if word != "ccache"], cwd=BUILD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def compile_in(self, folder, included):
        """Compiles a file of folder that includes one header."""
        source = self.scratch / "probe.c"
        source.write_text(f'#include "{included}"\ntypedef int probe;\n', encoding="utf-8")
        some = sorted((ROOT / house.place(folder)).glob("*.c"))[0]
        words = last_command(f"src/librb-{folder}.a.p/{house.GROUP[folder]}_{folder}_{some.name}.o")
        words = [word for before, word in zip([""] + words, words) if word not in ("-MD", "-MQ", "-MF") and before not in ("-MQ", "-MF")]
        words[words.index("-o") + 1] = str(self.scratch / "probe.o")
        words[words.index("-c") + 1] = str(source)
        return self.run_in_build(words)

    def link_in(self, program, function):
        """Links program with a main that calls function."""
        source = self.scratch / "main.c"
        source.write_text(f"void {function} (void);\nint main (void) {{ {function} (); return 0; }}\n", encoding="utf-8")
        done = self.run_in_build([*shlex.split(CC), "-fPIE", "-c", source, "-o", self.scratch / "main.o"])
        self.assertEqual(done.returncode, 0, done.stdout)
        words = last_command(f"src/{program}")
        main = next(i for i, word in enumerate(words) if re.search(r"main\.c\.o$", word))
        words[main] = str(self.scratch / "main.o")
        words[words.index("-o") + 1] = str(self.scratch / program)
        return self.run_in_build(words)

    def test_every_include_that_is_not_seen(self):
        headers = {folder: sorted((ROOT / house.place(folder)).glob("*.h"))[0].name for folder in house.SEES}
        for folder in ("frame", "link", "crypto", "record", "recovery"):
            for other in sorted(house.SEES.keys() - house.SEES[folder] - {folder}):
                with self.subTest(f"{other} in {folder}"):
                    done = self.compile_in(folder, f"{other}/{headers[other]}")
                    self.assertNotEqual(done.returncode, 0)
                    self.assertRegex(done.stdout, f"{other}/{re.escape(headers[other])}.*(No such file|file not found)")

    def test_an_include_that_is_seen(self):
        for folder, included in (("frame", "core/bytes.h"), ("record", "crypto/dsse.h"), ("record", "record/chain.h")):
            done = self.compile_in(folder, included)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_call_upward(self):
        for program, function in (("recall-link", "rb_dsse_parse"), ("recall-can-setup", "rb_outbox_open"), ("recallctl", "rb_sim_vehicle_open"),
                                  ("recallctl", "rb_pki_new"), ("recall-sim", "rb_recovery_open"), ("recall-oem", "rb_uds_client_request")):
            with self.subTest(f"{function} in {program}"):
                self.assertTrue(any(f"{function} (" in house.text(path) for path in house.files(ROOT, "src", suffixes={".h"})), "there is no such function")
                done = self.link_in(program, function)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stdout, f"undefined (reference to|symbol:) [`'\"]?{function}")

    def test_call_downward(self):
        for program, function in (("recall-link", "rb_moment_now"), ("recallctl", "rb_dsse_parse"), ("recall-sim", "rb_dsse_parse")):
            done = self.link_in(program, function)
            self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
