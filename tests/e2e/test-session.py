#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A wait never costs a session, and a session that an ECU ends is entered again. Usage: test-session.py BUILD"""
import sys

from bench import Bench

DIP_MS = 8000  # longer than S3, 5 s
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


def count(events, kind):
    return sum(event["event"] == kind for event in events)


def test_waiting_holds_sessions(build, undisturbed):
    events = recover(build, f"*:voltage-dip={DIP_MS}", link_timeout=20)
    assert count(events, "unlock") == undisturbed, events
    assert not [event for event in events if event["event"] == "refusal" and event["nrc"] in GONE], events


def test_lost_session_is_entered_again(build, undisturbed):
    for fault in LOST:
        events = recover(build, fault)
        assert count(events, "session-end") > 0, fault
        print("#", fault, count(events, "unlock") - undisturbed, flush=True)


def main():
    undisturbed = count(recover(sys.argv[1]), "unlock")
    assert undisturbed > 0
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test(sys.argv[1], undisturbed)
            print("ok", name, flush=True)


main()
