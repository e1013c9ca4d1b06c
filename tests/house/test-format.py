#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test-format.py SOURCE [--write]: every C file has the layout that .clang-format decides.

Only by clang-format 14: other versions decide a few lines otherwise. Exit 77 where there is none. --write gives the files that layout; again
until nothing changes, for a second run may move what the first one broke."""

import concurrent.futures
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = 14
ROUNDS = 5


def program():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        if shutil.which(name):
            told = subprocess.run([name, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
            if f"version {VERSION}." in told:
                return name
    print(f"there is no clang-format {VERSION}")
    sys.exit(77)


def laid_out(command, path):
    return subprocess.run([command, "--style=file", path], stdout=subprocess.PIPE, check=True).stdout


def others(command, paths):
    """(path, its layout) of each file that has another one."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for path, layout in zip(paths, pool.map(lambda path: laid_out(command, path), paths)):
            if layout != path.read_bytes():
                yield path, layout


def main():
    root, write = Path(sys.argv[1]), "--write" in sys.argv
    command = program()
    paths = sorted(path for top in ("src", "tests") for path in (root / top).rglob("*.[ch]"))
    for _ in range(ROUNDS if write else 1):
        found = list(others(command, paths))
        for path, layout in found if write else ():
            path.write_bytes(layout)
        if not found:
            return 0
    for path, _ in found:
        print(f"{path.relative_to(root)}: not as clang-format lays it out; tests/house/test-format.py . --write does")
    return 1


sys.exit(main())
