#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The engine itself writes nothing before the inspection is passed, whatever its caller forgets. Usage: test-gate.py BUILD"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from bench import TIMEOUT, Bench  # noqa: E402


def main():
    build = sys.argv[1]
    bench = Bench(build)
    try:
        bench.start()
        bench.trust_and_import()
        passphrase = (bench.oem / "passphrase").read_text().strip()
        done = subprocess.run([pathlib.Path(build) / "tests/workshop/recovery/no-inspection", bench.data, bench.campaign, bench.link, bench.vin,
                               bench.oem / "technician.p12", bench.oem / "workstation.pem", passphrase],
                              env=dict(os.environ, PATH=f"{bench.bin}:{os.environ['PATH']}"), capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert (done.returncode, done.stdout) == (1, "inspection-missing 0\n"), done
        assert bench.wrote() == []
    finally:
        bench.close()


main()
