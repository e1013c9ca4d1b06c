#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""verify-100k.py RECALLCTL STOPWATCH GENERATOR FOLDER: full verification of 100,000 targets against its floor.

The floor is one pass over the bytes of the targets file, the SHA-256 of them that the snapshot lists, and one Ed25519
verification of them, in the same run. Goal: at most 2.0 times the floor in processor time, which counts every thread and
the process start and does not depend on what else the machine does, in at most 80 MB; and of 20 delegations of 5,000
targets each, only the one that is needed is read. Elapsed time is printed beside it.
"""

import base64
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 9
MAX_RATIO = 2.0
MAX_MEGABYTES = 80


def generate(generator, folder, *arguments):
    if not (folder / "image" / "timestamp.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, generator, folder, *arguments], check=True, stdout=subprocess.DEVNULL)


def stopwatch(tool, *arguments):
    done = subprocess.run([tool, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    microseconds, kilobytes, processor = map(int, done.stdout.split())
    return microseconds / 1000, kilobytes / 1024, processor / 1000


def verify_command(recallctl, folder, state):
    shutil.rmtree(state, ignore_errors=True)
    command = [recallctl, "uptane", "verify", "--state", state, "--vin", "WVWZZZ1KZAW000001", "--time", "2026-11-23T07:00:00Z"]
    for repo in ("director", "image"):
        command += [f"--{repo}", folder / repo, f"--{repo}-root", folder / repo / "1.root.json"]
    for i in range(8):
        command += ["--primary" if i == 0 else "--secondary", f"ECU-{i}:hw-{i}"]
    return command


def floor_arguments(folder):
    path = folder / "image" / "targets.json"
    text = path.read_bytes()
    begin = text.index(b'"signed":') + len(b'"signed":')
    root = json.loads((path.parent / "1.root.json").read_bytes())["signed"]
    signature = json.loads(text[:begin] + b"0}")["signatures"][0]
    key = root["keys"][root["roles"]["targets"]["keyids"][0]]["keyval"]["public"]
    return [path, begin, len(text) - 1 - begin, key, base64.b64decode(signature["sig"]).hex()]


def main():
    recallctl, tool, generator, folder = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    large, spread, state = folder / "one-file", folder / "delegated", folder / "state"
    generate(generator, large)
    generate(generator, spread, "--targets", "5000", "--delegations", "20")
    floors, runs, spread_times = [], [], []
    arguments = floor_arguments(large)
    for _ in range(ROUNDS):
        floors.append(stopwatch(tool, "floor", *arguments))
        runs.append(stopwatch(tool, "run", *verify_command(recallctl, large, state)))
        spread_times.append(stopwatch(tool, "run", *verify_command(recallctl, spread, state))[0])
    shutil.rmtree(state)
    floor_time, _, floor = map(statistics.median, zip(*floors))
    time, _, processor = map(statistics.median, zip(*runs))
    ratio, peak = processor / floor, max(megabytes for _, megabytes, _ in runs)
    size = (large / "image" / "targets.json").stat().st_size
    print(f"targets file           {size / 1e6:8.1f} MB, 100,000 targets")
    print(f"floor                  {floor:8.1f} ms processor time (one pass, SHA-256 and one Ed25519 verification; elapsed {floor_time:.1f})")
    print(f"recallctl              {processor:8.1f} ms processor time (median of {ROUNDS}, process start included)")
    print(f"ratio                  {ratio:8.2f}    (goal: at most {MAX_RATIO})")
    print(f"elapsed                {time:8.1f} ms, {time / floor_time:.2f} of the floor's (fastest {min(run[0] for run in runs):.1f} ms)")
    print(f"peak memory            {peak:8.1f} MB (goal: at most {MAX_MEGABYTES})")
    print(f"20 delegations of 5000 {statistics.median(spread_times):8.1f} ms")
    sys.exit(ratio > MAX_RATIO or peak > MAX_MEGABYTES)


main()
