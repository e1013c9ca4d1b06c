#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A wait never costs a session, and a session that an ECU ends is entered again.
Usage: test-session.py BUILD [TEST…]"""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import time

from bench import Bench

DIP_MS = 8000  # longer than S3, 5 s
WAIT_MS = 6500
GONE = (0x33, 0x34, 0x7E, 0x7F)
LOST = ("brake:lose-session=0x36@9", "door:lose-session=0x34@1", "brake:lose-session=0x37@2", "door:lose-session=0x38@1",
        "lamp:lose-session=0x36@2", "telematics:lose-session=0x36@1",
        *(f"{name}:lose-session=0x31@{number}" for name in ("brake", "telematics") for number in range(1, 9)))


def recover(build, *faults, **changes):
    """Recovers a vehicle with faults; the events of its log."""
    bench = Bench(build)
    try:
        bench.start(*[word for fault in faults for word in ("--fault", fault)])
        bench.trust_and_import()
        verdict = bench.recover(**changes)
        assert verdict["ok"] and not bench.differences(), (faults, verdict)
        return bench.events()
    finally:
        bench.close()


@contextlib.contextmanager
def vehicle(build):
    bench = Bench(build)
    try:
        bench.start()
        bench.trust_and_import()
        yield bench
    finally:
        bench.close()


def holds(bench, verdict, undisturbed):
    """Complete, and no ECU left a session or was unlocked twice."""
    assert verdict["ok"] and not bench.differences(), verdict
    events = bench.events()
    assert count(events, "session-end") == 0 and count(events, "unlock") == undisturbed, [
        event for event in events if event["event"] in ("session-end", "unlock", "refusal")]


def command(bench):
    return list(map(str, [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments()]))


def count(events, kind):
    return sum(event["event"] == kind for event in events)


def test_waiting_holds_sessions(build, undisturbed):
    events = recover(build, f"*:voltage-dip={DIP_MS}", link_timeout=20)
    assert count(events, "unlock") == undisturbed, events
    assert not [event for event in events if event["event"] == "refusal" and event["nrc"] in GONE], events


def test_slow_stick_and_slow_token(build, undisturbed):
    """An image comes from a medium that takes longer than S3 the one time that it is read, and so does a signature for 0x29, in the middle
    of the unlocking of an ECU."""
    with vehicle(build) as bench:
        image = json.loads((bench.oem / "expected.json").read_text())["SN-DOOR-0001"]["image_sha256"]
        slow = {"LD_PRELOAD": str(pathlib.Path(build) / "tests" / "e2e" / "slow.so"), "SLOW_MS": str(WAIT_MS), "SLOW_SIGN": "1",
                "SLOW_FILE": image, "SLOW_FILE_FROM": "1", "SLOW_FILE_TO": "1"}
        began = time.monotonic()
        done = subprocess.run(command(bench), env={**os.environ, **slow}, stdout=subprocess.PIPE, text=True, timeout=120, check=False)
        assert time.monotonic() - began > 2 * WAIT_MS / 1000, "nothing was slow"
        holds(bench, json.loads(done.stdout.splitlines()[-1]), undisturbed)


def test_output_that_nobody_reads(build, undisturbed):
    """A pipe that is full for longer than S3, or a screen that is stopped, holds up no ECU: the vehicle is complete before a line is
    read on."""
    with vehicle(build) as bench:
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        with subprocess.Popen(command(bench), stdout=writer) as program, open(reader, encoding="utf-8") as output:
            os.close(writer)
            limit = time.monotonic() + 120
            while bench.differences() and time.monotonic() < limit:
                select.select([], [], [], 0.2)
            assert not bench.differences() and program.poll() is None
            lines = output.readlines()
        holds(bench, json.loads(lines[-1]), undisturbed)


def test_person_who_is_asked(build, undisturbed):
    """Somebody answers the checklist for longer than S3: the sessions of the inspection last."""
    with vehicle(build) as bench:
        bench.recover()
        before = len(bench.events())
        near, far = pty.openpty()
        arguments = [bench.bin / "recallctl", "--data-dir", bench.data, "inspect", "--campaign", bench.campaign, "--link", bench.link,
                     "--vin", bench.vin]
        with subprocess.Popen(list(map(str, arguments)), stdin=far, stdout=far, stderr=far, start_new_session=True) as program:
            os.close(far)
            until = time.monotonic() + WAIT_MS / 1000
            asked = b""
            while b"not-ok" not in asked:
                asked += os.read(near, 4096)
            while time.monotonic() < until:
                select.select([near], [], [], 0.1)
            assert program.poll() is None, asked
            program.terminate()
        os.close(near)
        assert count(bench.events()[before:], "session-end") == 0


def test_lost_session_is_entered_again(build, undisturbed):
    for fault in LOST:
        events = recover(build, fault)
        assert count(events, "session-end") > 0, fault
        print("#", fault, count(events, "unlock") - undisturbed, flush=True)


def main():
    undisturbed = count(recover(sys.argv[1]), "unlock")
    assert undisturbed > 0
    for name, test in list(globals().items()):
        if name.startswith("test_") and name in (sys.argv[2:] or [name]):
            test(sys.argv[1], undisturbed)
            print("ok", name, flush=True)


main()
