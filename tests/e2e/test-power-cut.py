#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's power is cut at every write of every file of its ECUs' state, before it, in its middle and after it; each time the same
command completes the vehicle. A part of the cuts, chosen by the commit, unless --all. Usage: test-power-cut.py BUILD [--all]"""
import hashlib
import pathlib
import shutil
import subprocess
import sys

from bench import Bench

EVERY = 10


class Cuts:
    def __init__(self, build):
        self.bench = bench = Bench(build, demo=("--ecus", 6, "--image-size", 4096))
        bench.start()
        bench.trust_and_import()
        bench.stop()
        self.fresh = {path: path.with_name(path.name + "-fresh") for path in (bench.state, bench.data)}
        for path, kept in self.fresh.items():
            shutil.copytree(path, kept)

    def restore(self):
        for path, kept in self.fresh.items():
            shutil.rmtree(path)
            shutil.copytree(kept, path)

    def cut(self, write):
        """FALSE: the vehicle was complete before so many writes."""
        bench = self.bench
        self.restore()
        bench.start("--fault", f"*:power-cut@{write}")
        verdict = bench.recover(expect=None)
        alive = bench.vehicle.poll() is None
        bench.stop()
        if alive:
            assert verdict["ok"], verdict
            return False
        assert not verdict["ok"] or verdict["result"] == "completed", verdict # at the very last write all was done
        bench.start()
        verdict = bench.recover(expect=None)
        assert verdict["ok"] and not bench.differences(), (write, verdict)
        bench.stop()
        return True


def part_of_commit(build):
    """Which of each EVERY cuts are made at this commit."""
    source = pathlib.Path(__file__).resolve().parents[2]
    commit = subprocess.run(["git", "-C", source, "rev-parse", "HEAD"], capture_output=True, check=False).stdout
    return hashlib.sha256(commit).digest()[0] % EVERY


def test_every_write(build, whole):
    cuts = Cuts(build)
    first, step = (1, 1) if whole else (1 + part_of_commit(build), EVERY)
    write, made = first, 0
    while cuts.cut(write):
        made += 1
        write += step
    cuts.bench.close()
    assert made > (60 if whole else 5), made
    print(f"# {made} of {made} cuts, up to write {write - step}")


def main():
    build, whole = sys.argv[1], "--all" in sys.argv[2:]
    print("1..1")
    test_every_write(build, whole)
    print("ok 1 every write", flush=True)


main()
