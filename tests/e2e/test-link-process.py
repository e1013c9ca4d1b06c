#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A link process that dies or hangs in the middle of a recovery: the program lives, a new one takes over, and the vehicle ends as
the campaign wants it. Usage: test-link-process.py BUILD, as TAP."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import traceback

from bench import TIMEOUT, Bench

PROGRESS = 7
benches = []


def link_processes(program):
    """What any thread of a program has started and is not dead."""
    found = []
    for path in pathlib.Path(f"/proc/{program}/task").glob("*/children"):
        try:
            found += [int(pid) for pid in path.read_text().split()]
        except OSError:  # the thread ended
            pass
    return [pid for pid in found if is_link_process(pid)]


def is_link_process(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "recall-link" and ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def fresh(build, way="doip"):
    bench = Bench(build, way=way)
    benches.append(bench)
    bench.start()
    bench.trust_and_import()
    return bench


class Run:
    """A recovery whose link process is struck at some of its events. It completes, or the vehicle is not complete and the same command
    finishes: what an ECU made of a request whose answer was lost is its own."""

    def __init__(self, bench, strike_at, how, link_timeout=20, event="progress"):
        self.bench, self.struck = bench, []
        command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments(link_timeout=link_timeout)]
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
            progress = 0
            for line in program.stdout:
                self.verdict = json.loads(line)
                if self.verdict.get("event") != event:
                    continue
                progress += 1
                if progress in strike_at:
                    self.strike(program.pid, how)
            self.code = program.wait(TIMEOUT)

    def strike(self, program, how):
        for pid in set(link_processes(program)) - set(self.struck):
            try:
                os.kill(pid, getattr(signal, f"SIG{how}"))
            except ProcessLookupError:  # it ended by itself meanwhile
                continue
            self.struck.append(pid)

    def check(self):
        assert self.struck, "there was no link process to strike"
        assert not any(is_link_process(pid) for pid in self.struck), "one of them is left"
        if self.code == 0:
            assert self.verdict["ok"] and self.verdict["result"] == "completed", (self.code, self.verdict)
        else:
            assert self.code == 3 and self.verdict["reason"] in ("link-lost", "not-complete"), (self.code, self.verdict)
            self.finish()
        assert not self.bench.differences()

    def finish(self):
        """Wherever it was cut off: the same command, once."""
        verdict = self.bench.recover(expect=None)
        assert verdict["ok"], verdict


def test_killed_while_writing(build):
    bench = fresh(build)
    Run(bench, {PROGRESS}, "KILL").check()


def test_crashes_while_writing(build):
    bench = fresh(build)
    Run(bench, {PROGRESS}, "SEGV").check()


def test_hangs_while_writing(build):
    bench = fresh(build)
    Run(bench, {PROGRESS}, "STOP").check()


def test_killed_while_looking(build):
    """Before anything is written: what was being read is read again over a new one, and the same run goes on to its end."""
    for event, strike_at, how, way in (("ecu", {1, 3}, "KILL", "doip"), ("measurement", {1}, "SEGV", "doip"), ("ecu", {2}, "STOP", "bus")):
        bench = fresh(build, way)
        run = Run(bench, strike_at, how, event=event)
        run.check()
        assert run.code == 0, run.verdict


def test_killed_on_the_bus(build):
    bench = fresh(build, "bus")
    Run(bench, {2}, "KILL").check()


def test_killed_again_and_again(build):
    """With the first seed one dies after the last block of an image, before the ECU was told to check it."""
    for seed in (4711, 4712, 4713):
        bench = fresh(build)
        run = Run(bench, set(random.Random(seed).sample(range(2, 60), 4)), "KILL")
        run.check()


def test_no_time_to_find_it_again(build):
    """Without time for another try the run ends with the vehicle not complete, and the same command finishes."""
    bench = fresh(build)
    run = Run(bench, {PROGRESS}, "KILL", link_timeout=0)
    run.check()


def test_missing_program(build):
    """A recallctl without its link process says what is missing."""
    bench = fresh(build)
    alone = bench.root / "alone"
    alone.mkdir()
    shutil.copy(bench.bin / "recallctl", alone)
    done = subprocess.run([alone / "recallctl", "--json", "identify", "--link", bench.link], capture_output=True, text=True, timeout=TIMEOUT,
                          check=False, env={"PATH": str(alone)})
    verdict = json.loads(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 1 and verdict["reason"] == "link-none" and "recall-link" in verdict["message"], verdict


def test_started_by_hand(build):
    """It says what it is, and does not begin without a program that started it."""
    program = pathlib.Path(build) / "src/recall-link"
    for arguments, code, words in (([], 2, "Usage"), (["--help"], 0, "Usage"), (["--version"], 0, "recall-link "), (["bus:x"], 2, "Usage")):
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert done.returncode == code and words in done.stdout + done.stderr, (arguments, done)


def main():
    build = sys.argv[1]
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        try:
            test(build)
        except Exception:  # the next test runs all the same
            print(f"not ok {number} - {name}")
            print("# " + traceback.format_exc().replace("\n", "\n# "))
        else:
            print(f"ok {number} - {name}", flush=True)
        while benches:
            benches.pop().close()


main()
