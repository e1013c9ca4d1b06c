#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Around every run that writes the vehicle's network is prepared (10 03, 85 02, 28 01, 3E 80) and restored (28 00, 85 01, 14), on every way
out; a run with nothing to write sends none of these.

Usage: test-network.py BUILD
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sim/sim-ecu"))
from bench import Bench  # noqa: E402
from vehicle import Node  # noqa: E402

BUILD = sys.argv.pop(1)
WRITES = ("root", "metadata", "erase", "block", "key", "coding")
KINDS = ("dtc-setting", "communication", "clear-dtcs", *WRITES)
DEFAULT = {"dtc-setting": True, "communication": 0}
PREPARE = ["1003", "8502", "280101"]
RESTORE = ["280001", "8501", "14ffffff", "1001"]


class Listener:
    """Functional requests on the bus, in their order."""

    def __init__(self, path):
        self.node = Node(path)
        self.requests = []
        self.close = self.node.close
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            while True:
                identifier, data, _ = self.node.receive(timeout=None)
                if identifier in (0x7DF, 0x18DB33F1) and data[0] <= 7:
                    self.requests.append((identifier, data[1:1 + data[0]].hex()))
        except (OSError, EOFError, ValueError):
            return

    def of(self, identifier):
        return [request for sent, request in self.requests if sent == identifier and request not in ("3e80", "3e00")]


class Network(unittest.TestCase):
    def bench(self, way="doip", *options):
        bench = Bench(BUILD, way=way)
        self.addCleanup(bench.close)
        bench.start(*options)
        bench.trust_and_import()
        return bench

    @staticmethod
    def events(bench):
        lines = [json.loads(line) for line in bench.log.read_text().splitlines()]
        return [event for event in lines if event["event"] in KINDS]

    def settings(self, bench):
        """Without the writes: a vehicle may still be at one that a killed program asked for."""
        return [event for event in self.events(bench) if event["event"] not in WRITES]

    def assert_restored(self, bench):
        """Every ECU stores DTCs and sends messages again: it was told so, or is in its default session."""
        states = {}
        for line in bench.log.read_text().splitlines():
            event = json.loads(line)
            state = states.setdefault(event["serial"], dict(DEFAULT))
            if event["event"] in ("reset", "session-end") or event.get("session") == 1:
                state.update(DEFAULT)
            elif event["event"] in DEFAULT:
                state[event["event"]] = event.get("on", event.get("control"))
        self.assertEqual(states, {serial: DEFAULT for serial in bench.show()})

    def test_around_a_run_that_writes(self):
        bench = self.bench()
        bench.recover()
        events = self.events(bench)
        writes = [i for i, event in enumerate(events) if event["event"] in WRITES]
        self.assertLess({"root", "erase", "key"}, {events[i]["event"] for i in writes})
        everyone = set(bench.show())
        for kind, member, value in (("dtc-setting", "on", False), ("communication", "control", 1)):
            told = {event["serial"] for event in events[:writes[0]] if event["event"] == kind and event[member] == value}
            self.assertEqual(told, everyone, kind)
        self.assertEqual({event["serial"] for event in events[writes[-1]:] if event["event"] == "clear-dtcs"}, everyone)
        self.assertNotIn("clear-dtcs", [event["event"] for event in events[:writes[-1]]])
        self.assert_restored(bench)
        self.assertEqual({tuple(ecu["dtcs"]) for ecu in bench.show().values()}, {()})

    def test_nothing_to_write_sends_nothing(self):
        bench = self.bench()
        bench.recover()
        before = len(self.events(bench))
        verdict = bench.recover()
        self.assertEqual(verdict["writes"], 0)
        self.assertEqual(self.events(bench)[before:], [])

    def test_a_write_that_only_the_work_finds(self):
        """The Primary lost power while it made its key: it reports one and rejects the proof of it. Nothing else is to be written."""
        bench = self.bench("doip", "--fault", "telematics:torn-key")
        bench.recover(expect=3)
        self.assertEqual(bench.vehicle.wait(60), 0)
        bench.stop()
        bench.start()
        before = len(self.events(bench))
        bench.recover()
        kinds = [event["event"] for event in self.events(bench)[before:]]
        self.assertEqual([kind for kind in kinds if kind in WRITES], ["key"])
        self.assertLess({"dtc-setting", "communication"}, set(kinds[:kinds.index("key")]) | {"key"})
        self.assert_restored(bench)

    def test_frames(self):
        bench = self.bench("bus")
        listener = Listener(bench.link.removeprefix("bus:"))
        self.addCleanup(listener.close)
        bench.recover()
        for identifier in (0x7DF, 0x18DB33F1):
            self.assertEqual(listener.of(identifier), PREPARE + RESTORE, hex(identifier))
        self.assertIn((0x7DF, "3e80"), listener.requests)
        self.assert_restored(bench)

    def test_a_rejection_stops_nothing(self):
        bench = self.bench("doip", "--fault", "*:refuse=0x28", "--fault", "*:refuse=0x85")
        self.assertTrue(bench.recover()["ok"])

    def test_interrupted(self):
        bench = self.bench()
        code, verdict = bench.interrupt_recover_at(lambda event: event["event"] == "step" and event.get("text") == "image")
        self.assertEqual((code, verdict["reason"]), (3, "cancelled"))
        self.assert_restored(bench)

    def test_parked(self):
        bench = self.bench("doip", "--fault", "brake:wrong-digest")
        self.assertEqual(bench.recover(expect=3)["reason"], "not-complete")
        self.assert_restored(bench)

    def test_after_a_kill_it_is_restored_first(self):
        bench = self.bench()
        killed = self.kill_at(bench, "image")
        before = len(self.settings(bench))
        self.assertFalse(any(event.get("control") == 0 for event in self.events(bench)), killed)
        bench.recover()
        events = self.settings(bench)[before:]
        self.assertEqual(events[0], {**events[0], "event": "communication", "control": 0})
        first = [event["event"] + str(event.get("on", "")) for event in events]
        self.assertLess(first.index("dtc-settingTrue"), first.index("dtc-settingFalse"))
        self.assert_restored(bench)

    @staticmethod
    def kill_at(bench, step):
        """recallctl ends without warning at the first step of that name."""
        command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments()]
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as program:
            for line in program.stdout:
                event = json.loads(line)
                if event["event"] == "step" and event.get("text") == step:
                    os.kill(program.pid, signal.SIGKILL)
                    break
            program.wait()
        return event


if __name__ == "__main__":
    unittest.main()
