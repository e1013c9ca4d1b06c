#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""import-100k.py RECALLCTL RECALL-OEM STOPWATCH FOLDER [VEHICLES]: import of a region's VIN packs, and one VIN looked up among them.

The floors, in the same run: of the import, one copy of the bundle onto the same disk with its SHA-256 and a sync; of the look-up, a process that
starts and ends, and the SHA-256 of the tables and pieces that it has to read. The same for VIN packs that are files, as many as a list of VINs may have.
"""

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 9
FEW = 1000


def timed(function):
    begin = time.monotonic()
    function()
    return time.monotonic() - begin


def made(recall_oem, folder, vehicles):
    shutil.rmtree(folder, ignore_errors=True)
    return timed(lambda: subprocess.run([recall_oem, "demo", folder, "--vehicles", str(vehicles), "--image-size", "16384"], check=True,
                                        stdout=subprocess.DEVNULL))


def imported(recallctl, oem, data):
    shutil.rmtree(data, ignore_errors=True)
    subprocess.run([recallctl, "--data-dir", data, "trust", "add", oem / "service-root.json", "--name", "OEM"], check=True, stdout=subprocess.DEVNULL)
    return timed(lambda: subprocess.run([recallctl, "--data-dir", data, "bundle", "import", oem / "campaign.recall"], check=True,
                                        stdout=subprocess.DEVNULL))


def copied(bundle, to):
    """one pass: read, hash, write, sync"""
    digest = hashlib.sha256()
    with open(bundle, "rb") as source, open(to, "wb") as target:
        while block := source.read(1 << 20):
            digest.update(block)
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    to.unlink()


def stopwatch(tool, *arguments):
    done = subprocess.run([tool, "run", *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    microseconds, kilobytes, _ = done.stdout.split()
    return int(microseconds) / 1000, int(kilobytes) / 1024


def look_up(recallctl, tool, data, vins):
    runs = [stopwatch(tool, recallctl, "--data-dir", data, "campaign", "check", vin) for vin in vins]
    return statistics.median(run[0] for run in runs), max(run[1] for run in runs)


def hash_tables(data):
    for path in data.glob("library/OEM/*/service/targets/*/*.table"):
        hashlib.sha256(path.read_bytes()).digest()


def stored(data):
    files = [path for path in (data / "library").rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


def main():
    recallctl, recall_oem, tool, folder = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    vehicles = int(sys.argv[5]) if len(sys.argv) > 5 else 100000
    oem, data = folder / "oem", folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    making = made(recall_oem, oem, vehicles)
    bundle = oem / "campaign.recall"
    seconds = imported(recallctl, oem, data)
    floor = timed(lambda: copied(bundle, folder / "copy"))
    files, size = stored(data)
    vins = json.loads((oem / "vehicles.json").read_text())["in_scope"]
    milliseconds, megabytes = look_up(recallctl, tool, data, [vins[i * (len(vins) - 1) // ROUNDS] for i in range(ROUNDS)])
    start = statistics.median(stopwatch(tool, recallctl, "--version")[0] for _ in range(ROUNDS))
    hashing = statistics.median(timed(lambda: hash_tables(data)) for _ in range(ROUNDS)) * 1000
    few = folder / "few"
    made(recall_oem, few, FEW)
    few_seconds = imported(recallctl, few, data)
    few_files, _ = stored(data)
    print(f"VIN packs              {vehicles:10,}   (made in {making:.1f} s)")
    print(f"bundle                 {bundle.stat().st_size / 1e6:10.1f} MB")
    print(f"import                 {seconds:10.2f} s, {files} files, {size / 1e6:.1f} MB")
    print(f"floor                  {floor:10.2f} s (read, SHA-256, write, sync)")
    print(f"ratio                  {seconds / floor:10.2f}")
    print(f"campaign check         {milliseconds:10.1f} ms (median of {ROUNDS} VINs, process start included; peak {megabytes:.1f} MB)")
    print(f"floor                  {start + hashing:10.1f} ms (process start {start:.1f}, SHA-256 of the tables {hashing:.1f})")
    print(f"ratio                  {milliseconds / (start + hashing):10.2f}")
    print(f"{FEW} packs as files     {few_seconds:10.2f} s, {few_files} files")
    shutil.rmtree(folder)


main()
