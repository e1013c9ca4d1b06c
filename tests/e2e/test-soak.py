#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Undisturbed recoveries of a large vehicle in real time while every core has other work: each one completes in one run, without a
session that ends or an ECU that is unlocked again. Usage: test-soak.py BUILD [RUNS [ECUS]]"""
import collections
import json
import os
import shutil
import subprocess
import sys
import time

import bench as workshop
from bench import Bench

BURN = "while True: sum(range(100000))"


class Load:
    """A process a core that never waits."""

    def __enter__(self):
        self.burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(os.cpu_count())]
        return self

    def __exit__(self, *_):
        for burner in self.burners:
            burner.kill()
            burner.wait()


class Soak:
    def __init__(self, build, ecus):
        self.bench = bench = Bench(build, demo=("--ecus", ecus, "--image-size", 16384))
        bench.start("--timing", "real")
        bench.trust_and_import()
        bench.stop()
        self.fresh = {path: path.with_name(path.name + "-fresh") for path in (bench.state, bench.data)}
        for path, kept in self.fresh.items():
            shutil.copytree(path, kept)

    def run(self):
        """NULL: complete; else what was wrong."""
        bench = self.bench
        for path, kept in self.fresh.items():
            shutil.rmtree(path)
            shutil.copytree(kept, path)
        bench.log.unlink(missing_ok=True)
        bench.start("--timing", "real")
        verdict = bench.recover(expect=None, link_timeout=20)
        bench.stop()
        kinds = collections.Counter(event["event"] for event in bench.events())
        if not verdict["ok"] or bench.differences():
            return {"verdict": verdict, "differences": bench.differences()}
        return f"{kinds['session-end']} sessions ended" if kinds["session-end"] else None


def main():
    build = sys.argv[1]
    workshop.TIMEOUT = 1800  # a run, on a machine that has other work
    runs, ecus = (int(sys.argv[i]) if len(sys.argv) > i else usual for i, usual in ((2, 50), (3, 24)))
    soak, complete = Soak(build, ecus), 0
    print("1..1", flush=True)
    with Load():
        for number in range(1, runs + 1):
            began = time.monotonic()
            wrong = soak.run()
            complete += wrong is None
            print(f"# {number}: {'complete' if wrong is None else json.dumps(wrong)}, {time.monotonic() - began:.0f} s", flush=True)
    soak.bench.close()
    print(f"# {runs} undisturbed runs of {ecus} ECUs, {complete} complete")
    print(f"{'ok' if complete == runs else 'not ok'} 1 soak")
    sys.exit(complete != runs)


main()
