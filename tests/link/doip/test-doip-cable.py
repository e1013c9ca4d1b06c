# SPDX-License-Identifier: Apache-2.0
"""A cable to a vehicle that is pulled, and one that is slow: the first is a lost link soon, the second is not.

Usage: test-doip-cable.py LINK-TOOL
"""

import queue
import sys
import time
import unittest

from networks import FarSide, ip, own_network
import entity
from entity import BRAKE, TIMEOUT, Case, Entity


class Vehicle(FarSide):
    """Makes the entities that tests ask for, on the far side."""

    def __init__(self):
        super().__init__()
        self.orders, self.results = queue.Queue(), queue.Queue()

    def work(self):
        ip("address", "add", "10.9.0.2/24", "dev", "v1")
        ip("link", "set", "v1", "up")
        self.ready.set()
        while (order := self.orders.get()) is not None:
            self.results.put(order())

    def do(self, what):
        """There, not here."""
        self.orders.put(what)
        return self.results.get(timeout=TIMEOUT)


class Cable(Case):
    @classmethod
    def setUpClass(cls):
        cls.vehicle = Vehicle()
        cls.vehicle.plug(("v", "10.9.0.1/24"))

    @classmethod
    def tearDownClass(cls):
        cls.vehicle.orders.put(None)

    def entity(self, script, **options):
        made = self.vehicle.do(lambda: Entity(script, host="10.9.0.2", **options))
        self.addCleanup(made.close)
        return made

    def cable(self, state):
        self.vehicle.do(lambda: ip("link", "set", "v1", state))

    def test_pulled_before_a_request(self):
        self.use(lambda made: made.finished.wait(TIMEOUT))
        self.cable("down")
        self.addCleanup(self.cable, "up")
        start = time.monotonic()
        line = self.tell("send 3e00")
        self.assertEqual(line.split(" ")[0], "link-lost", line)
        self.assertIn("cable", line)
        self.assertLess(time.monotonic() - start, TIMEOUT / 2)
        self.assertEqual(self.tell("alive"), "ok no")

    def test_pulled_while_nobody_asks(self):
        """Only the kernel's own signs of life tell; they take a few seconds."""
        self.use(lambda made: made.finished.wait(TIMEOUT))
        self.cable("down")
        self.addCleanup(self.cable, "up")
        end = time.monotonic() + 2 * TIMEOUT
        while (said := self.tell("receive 500").split(" ")[0]) == "timeout":
            self.assertLess(time.monotonic(), end, "a pulled cable is not noticed")
        self.assertEqual(said, "link-lost")
        self.assertEqual(self.tell("alive"), "ok no")

    def test_slow_is_not_gone(self):
        """A gateway that takes longer than the standard has to acknowledge is still there: its TCP takes what is sent."""
        def script(made):
            made.request(ack=False)
            made.enough.wait(TIMEOUT)
            made.answer(b"\x7e\0")
        made = self.use(script)
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("alive"), "ok yes")
        made.enough.set()
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_plugged_in_again_soon(self):
        """A loose plug: what was sent meanwhile comes by TCP's own repetition."""
        def script(made):
            made.request()
            made.answer(b"\x7e\0")
        self.use(script)
        self.cable("down")
        self.cable("up")
        self.assertEqual(self.tell("send 3e00"), "ok")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")


if __name__ == "__main__":
    own_network(__file__, entity.TOOL, *sys.argv[1:])
    unittest.main()
