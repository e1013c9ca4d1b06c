#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks one safety rule at a time and runs the test that is named for it: the test must fail.

A mutant is found by the function it changes and the words in it, so that it outlives moves of files and other line breaks. Work
is done in a copy of the committed tree; the source tree is never touched."""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "house"))

import house  # noqa: E402
from mutants import MUTANTS  # noqa: E402

BUILD_TIMEOUT = 900
TEST_TIMEOUT = 600


def pattern(words):
    """The same words of C, whatever is between them."""
    return re.compile(r"\s*".join(re.escape(word) for word in re.findall(r'"(?:[^"\\]|\\.)*"|\w+|[^\w\s]', words)))


def places(root, mutant):
    """(path, first line, last line) of each function that the mutant can be applied to."""
    for path in house.files(root, "src", suffixes={".c"}):
        source = house.text(path)
        if mutant.symbol not in source:
            continue
        lines = source.splitlines(keepends=True)
        for line, head, length in house.functions(path):
            if house.function_name(head) != mutant.symbol:
                continue
            found = pattern(mutant.before).findall("".join(lines[line - 1:line - 1 + length]))
            if found:
                yield path, line - 1, line - 1 + length, len(found)


def problems(root):
    """What is wrong with the list, as text."""
    names = [mutant.name for mutant in MUTANTS]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: this name is used twice"
    for mutant in MUTANTS:
        found = list(places(root, mutant))
        if len(found) != 1 or found[0][3] != 1:
            yield f"{mutant.name}: {mutant.symbol}() contains the text {sum(place[3] for place in found)} times, expected 1"
        if mutant.before == mutant.after:
            yield f"{mutant.name}: changes nothing"


def apply(root, mutant):
    """Writes the mutant; returns the path and its former text."""
    (path, first, last, _), = places(root, mutant)
    source = house.text(path)
    lines = source.splitlines(keepends=True)
    body = pattern(mutant.before).sub(lambda _: mutant.after, "".join(lines[first:last]))
    path.write_text("".join(lines[:first]) + body + "".join(lines[last:]), encoding="utf-8")
    return path, source


def tenth():
    """A tenth of the mutants, at least four, in an order that the digest of the commit gives."""
    digest = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    order = sorted(MUTANTS, key=lambda mutant: hashlib.sha256(f"{digest} {mutant.name}".encode()).digest())
    return order[:max(4, len(MUTANTS) // 10)]


def call(*command, timeout=BUILD_TIMEOUT):
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
                          env=environment, check=False)


def copy_of(root, folder):
    """The committed tree of root in folder, configured for quick builds."""
    folder.mkdir()
    with subprocess.Popen(["git", "-C", root, "archive", "HEAD"], stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
    done = call("meson", "setup", folder / "build", folder, "-Doptimization=0", "-Ddebug=false", "-Dtests=enabled")
    if done.returncode != 0:
        sys.exit(f"mutants: meson setup failed\n{done.stdout}")


class Bench:
    """Builds and runs single tests of the copy."""

    def __init__(self, folder):
        self.folder = folder
        self.build = folder / "build"
        self.targets = {}
        files = {target["id"]: target["filename"] for target in self.introspect("--targets")}
        for test in self.introspect("--tests"):
            needed = [name for target in test["depends"] for name in files.get(target, [])]
            needed += [word for word in test["cmd"] if word.startswith(str(self.build)) and word in {n for f in files.values() for n in f}]
            self.targets[test["name"]] = sorted({str(Path(name).relative_to(self.build)) for name in needed})

    def introspect(self, what):
        return json.loads(subprocess.run(["meson", "introspect", self.build, what], stdout=subprocess.PIPE, check=True).stdout)

    def make(self, tests):
        targets = sorted({target for test in tests for target in self.targets[test]})
        return call("ninja", "-C", self.build, *targets)

    def fails(self, test, case):
        """TRUE if the test, or that case of it, is red, with what it printed."""
        arguments = ["--test-args", case] if case else []
        try:
            done = call("meson", "test", "-C", self.build, "--no-rebuild", "--print-errorlogs", "-t", "10", *arguments, test, timeout=TEST_TIMEOUT)
        except subprocess.TimeoutExpired:
            return True, f"{test}: no end within {TEST_TIMEOUT} s"
        return done.returncode != 0, done.stdout


def green_before(bench, drawn):
    """A test that is red without a mutant proves nothing."""
    tests = sorted({mutant.test for mutant in drawn})
    unknown = [test for test in tests if test not in bench.targets]
    if unknown:
        sys.exit(f"mutants: no such test: {', '.join(unknown)}")
    done = bench.make(tests)
    if done.returncode != 0:
        sys.exit(f"mutants: the tree does not build\n{done.stdout}")
    for test, case in sorted({(mutant.test, mutant.case) for mutant in drawn}):
        red, output = bench.fails(test, case)
        if red:
            sys.exit(f"mutants: {test} fails without a mutant\n{output}")


def strike(bench, mutant):
    """One word for what became of the mutant."""
    path, source = apply(bench.folder, mutant)
    done = bench.make([mutant.test])
    if done.returncode != 0:
        print(done.stdout)
        verdict = "does not compile"
    else:
        verdict = "killed" if bench.fails(mutant.test, mutant.case)[0] else "SURVIVED"
    path.write_text(source, encoding="utf-8")
    return verdict


def run(drawn):
    with tempfile.TemporaryDirectory(prefix="recallbay-mutants-") as scratch:
        folder = Path(scratch) / "tree"
        copy_of(ROOT, folder)
        bench = Bench(folder)
        green_before(bench, drawn)
        killed = 0
        for mutant in drawn:
            verdict = strike(bench, mutant)
            killed += verdict == "killed"
            print(f"{verdict}: {mutant.name}: {mutant.rule} ({mutant.test})", flush=True)
    print(f"mutants: {killed} / {len(drawn)}")
    return 0 if killed == len(drawn) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="does each mutant apply exactly once?")
    choice.add_argument("--list", action="store_true", help="name, function, test and rule of each")
    choice.add_argument("--all", action="store_true", help="run all")
    choice.add_argument("--only", metavar="NAME", help="run one")
    choice.add_argument("--tenth", action="store_true", help="run a tenth, drawn by the commit's digest")
    options = parser.parse_args()
    wrong = list(problems(ROOT))
    if wrong:
        print("\n".join(wrong))
        return 1
    if options.check:
        print(f"mutants: {len(MUTANTS)} apply exactly once")
        return 0
    if options.list:
        for mutant in MUTANTS:
            print(f"{mutant.name}\t{mutant.symbol}\t{mutant.test}\t{mutant.rule}")
        return 0
    drawn = MUTANTS if options.all else tenth() if options.tenth else [m for m in MUTANTS if m.name == options.only]
    return run(drawn) if drawn else parser.error(f"no mutant is called {options.only}")


sys.exit(main())
