#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Another tester on the diagnostic CAN: before the first write the run ends with tester-present, whatever it asks; nothing is written.

Usage: test-tester-present.py BUILD
"""

import json
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sim/sim-ecu"))
from bench import Bench  # noqa: E402
from vehicle import Node  # noqa: E402

BUILD = sys.argv.pop(1)
TESTER_PRESENT = b"\x02\x3e\x80\0\0\0\0\0"


class Other:
    """A client of the bus that sends one frame as soon as a frame of the recovery is one that it waits for."""

    def __init__(self, path, identifier, awaited):
        self.node = Node(path)
        self.identifier, self.awaited = identifier, awaited
        self.sent = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            while True:
                got = self.node.receive(timeout=None)
                if not self.sent.is_set() and self.awaited(*got[:2]):
                    self.node.send(self.identifier, TESTER_PRESENT)
                    self.sent.set()
        except (OSError, EOFError, ValueError):
            return

    def close(self):
        self.node.close()


class TesterPresent(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD, way="bus")
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()
        model = json.loads((self.bench.oem / "vehicle.json").read_text())
        self.requests = [int(ecu["can"]["request"], 16) for ecu in model["ecus"]]
        self.responses = [int(ecu["can"]["response"], 16) for ecu in model["ecus"]]

    def other(self, identifier, awaited=None):
        requests = self.requests
        other = Other(self.bench.link.removeprefix("bus:"), identifier, awaited or (lambda sent, data: sent in requests))
        self.addCleanup(other.close)
        return other

    def is_refused(self, verdict, identifier):
        self.assertEqual((verdict["ok"], verdict["reason"]), (False, "tester-present"), verdict)
        self.assertIn(f"request of another tester on CAN id {identifier:X}", verdict["message"])
        self.assertEqual(self.bench.wrote(), [])

    def test_any_request_id(self):
        for identifier in (0x7DF, 0x18DB33F1, 0x18DA10F1, self.requests[0], self.requests[-1]):
            with self.subTest(identifier=hex(identifier)):
                other = self.other(identifier)
                verdict = self.bench.recover(expect=1)
                self.assertTrue(other.sent.is_set())
                other.close()
                self.is_refused(verdict, identifier)
                self.assertEqual(verdict["writes"], 0)
        self.assertTrue(self.bench.recover()["ok"])

    def test_inspect(self):
        arguments = ("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers", self.bench.oem / "answers.json")
        other = self.other(0x7DF)
        self.is_refused(self.bench.ctl(*arguments, expect=1), 0x7DF)
        other.close()
        self.assertTrue(self.bench.ctl(*arguments)["ok"])

    def test_other_frames_are_nobody_s_requests(self):
        for identifier in (0x123, self.responses[0], 0x18DAF110):
            other = self.other(identifier)
            verdict = self.bench.ctl("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers",
                                     self.bench.oem / "answers.json", expect=None)
            self.assertTrue(other.sent.is_set())
            other.close()
            self.assertNotEqual(verdict["reason"], "tester-present", hex(identifier))

    def test_after_the_first_write(self):
        """Then stopping would leave the vehicle worse than going on."""
        model = json.loads((self.bench.oem / "vehicle.json").read_text())
        requests = [int(ecu["can"]["request"], 16) for ecu in model["ecus"] if "extension" not in ecu["can"]]

        # Only a single frame and a first frame begin with a service; every other frame may hold any byte in its place.
        def is_download(identifier, data):
            service = {0: data[2] if data[0] == 0 else data[1], 1: data[2]}.get(data[0] >> 4)
            return identifier in requests and service == 0x34
        other = self.other(0x18DA10F1, is_download)
        self.assertTrue(self.bench.recover()["ok"])
        self.assertTrue(other.sent.is_set())
        self.assertEqual(self.bench.differences(), [])

    def test_a_started_vehicle_stays_incomplete(self):
        self.bench.stop()
        self.bench.start("--fault", "door:refuse=0x34")
        self.bench.recover(expect=3)
        wrote = len(self.bench.wrote())
        self.bench.stop()
        self.bench.start()
        self.other(0x7DF)
        verdict = self.bench.recover(expect=3)
        self.assertEqual((verdict["reason"], verdict["writes"], len(self.bench.wrote())), ("tester-present", 0, wrote))


if __name__ == "__main__":
    unittest.main()
