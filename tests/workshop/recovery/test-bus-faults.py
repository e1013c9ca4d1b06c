#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A virtual bus that is not as ours: a hub that echoes nothing, and one that loses frames. Usage: test-bus-faults.py BUILD"""
import sys
import unittest

from busproxy import BusProxy

import bench
from bench import Bench

BUILD = sys.argv.pop(1)
bench.TIMEOUT = 400


class Case(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD, way="bus", demo=("--image-size", 1024))
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()

    def through(self, loss):
        proxy = BusProxy(self.bench.root / "bus", self.bench.root / "other", loss)
        self.addCleanup(proxy.close)
        return proxy

    def test_hub_without_echo(self):
        """No frame comes back to its sender: each counts as sent when it was written."""
        proxy = self.through(0)
        self.assertTrue(self.bench.recover(link=proxy.link)["ok"])
        self.assertEqual(self.bench.differences(), [])

    def test_lost_frames(self):
        """0.2 % of all frames: nothing is parked for a few losses that do not follow one another."""
        proxy = self.through(0.002)
        verdict = self.bench.recover(link=proxy.link, expect=None)
        if not verdict["ok"]:  # the chance of one ECU is small, that of a second run smaller
            verdict = self.bench.recover(link=proxy.link)
        self.assertTrue(verdict["ok"], verdict)
        self.assertGreater(proxy.lost, 20)
        self.assertEqual(self.bench.differences(), [])


if __name__ == "__main__":
    unittest.main()
