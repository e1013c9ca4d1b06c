#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CAN interfaces of the kernel set up by recall-can-setup, judged by iproute2 and by frames; what goes wrong on them by its name.
Two emulated Kvaser cards on one bus, and the kernel's gs_usb on the adapter made of software: test-can-interface.py BUILD ADAPTER ISOTP-PEER"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "link/cansetup")]
from adapter import Adapter, ecu, run, until  # noqa: E402
from peer import Peer, pattern  # noqa: E402
from setup_bus import Bus  # noqa: E402

BUILD, ADAPTER, PEER = Path(sys.argv.pop(1)), sys.argv.pop(1), sys.argv.pop(1)
SETUP, CTL = BUILD / "src/recall-can-setup", BUILD / "src/recallctl"
PASSIVE, BUS_OFF = 2, 3
CAN_ERR_PROT, FORM = 0x8, 0x02


def link(name):
    return json.loads(run("ip", "-details", "-json", "link", "show", name))[0]


def can(name):
    return link(name)["linkinfo"]["info_data"]


def listed(uri):
    """What recallctl links says of it."""
    links = json.loads(run(str(CTL), "links", "--json").splitlines()[-1])["links"]
    return next(entry["state"] for entry in links if entry["uri"] == uri)


def identified(uri):
    done = subprocess.run([CTL, "identify", "--link", uri, "--json"], capture_output=True, text=True, timeout=120, check=False)
    return json.loads(done.stdout.splitlines()[-1])


def is_up(name):
    return "UP" in link(name)["flags"]


class Case(unittest.TestCase):
    def set(self, *arguments, code=0, says="", prefix=()):
        done = subprocess.run([*prefix, SETUP, *arguments], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, code, done)
        self.assertIn(says, done.stderr)

    def exchange(self, peer, kernel, lengths):
        for length in lengths:
            peer.start(f"send# {length} {length}")
            self.assertEqual(kernel.recv(70000), pattern(length, length))
            self.assertEqual(peer.answer(), "ok")
            kernel.send(pattern(length, length + 1))
            peer.ask(f"receive# {length} {length + 1} 30000")


class Cards(Case):
    """A real controller's driver, without CAN FD."""

    def setUp(self):
        for name in ("can0", "can1"):
            run("ip", "link", "set", name, "down")

    def test_bit_rates(self):
        for preset, bitrate in (("500k", 500000), ("250k", 250000), ("125k", 125000)):
            with self.subTest(preset):
                for name in ("can0", "can1"):
                    run("ip", "link", "set", name, "txqueuelen", "10")
                    self.set("set", name, preset)
                    found = can(name)
                    self.assertTrue(is_up(name))
                    self.assertEqual(link(name)["txqlen"], 128)
                    self.assertEqual((found["bittiming"]["bitrate"], found["restart_ms"], found["state"]), (bitrate, 100, "ERROR-ACTIVE"))
                    self.assertAlmostEqual(float(found["bittiming"]["sample_point"]), 0.875, delta=0.07)
                peer = Peer(self, PEER, "can:can0")
                peer.channel(0x7E0, 0x7E8)
                kernel = ecu(self, "can1")
                self.exchange(peer, kernel, (7, 200))
                kernel.close()
                peer.ask("close")

    def test_what_it_cannot(self):
        """It is refused, and the interface goes on as it was."""
        self.set("set", "can0", "250k")
        self.set("set", "can0", "500k/2M", code=1, says="[unsupported]")
        self.assertTrue(is_up("can0"))
        self.assertEqual(can("can0")["bittiming"]["bitrate"], 250000)
        run("ip", "link", "add", "vcan7", "type", "vcan")
        self.set("set", "vcan7", "500k", code=1, says="virtual interface; it has no bit rate [unsupported]")
        run("ip", "link", "del", "vcan7")

    def test_a_mode_that_only_listens(self):
        """What somebody left behind does not stay."""
        run("ip", "link", "set", "can0", "type", "can", "bitrate", "500000", "listen-only", "on")
        self.set("set", "can0", "500k")
        self.assertNotIn("LISTEN-ONLY", can("can0").get("ctrlmode", []))
        self.set("set", "can1", "500k")
        peer = Peer(self, PEER, "can:can0")
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, ecu(self, "can1"), (7,))

    def test_without_the_right(self):
        self.set("set", "can0", "250k", code=1, says="[not-permitted]", prefix=("setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all"))
        self.assertFalse(is_up("can0"))

    def test_down(self):
        self.assertEqual(listed("can:can0"), "down")
        peer = Peer(self, PEER)
        self.assertRegex(peer.ask("open can:can0", "error"), "link-refused .*recallctl links set can0 500k")

    def test_a_queue_that_drops(self):
        """Recognised by its name where frames get lost, and replaced when the interface is set up."""
        for name in ("can0", "can1"):
            self.set("set", name, "500k")
        peer = Peer(self, PEER, "can:can0")
        peer.channel(0x7E0, 0x7E8)
        kernel = ecu(self, "can1")
        self.exchange(peer, kernel, (5,))
        self.assertEqual(listed("can:can0"), "ready")
        run("tc", "qdisc", "replace", "dev", "can0", "root", "netem", "loss", "100%")
        self.assertEqual(listed("can:can0"), "dropping-qdisc")
        self.assertRegex(peer.ask("send 3e00", "error"), "^error link-protocol .*queue drops frames")
        peer.ask("close")
        # the same by the confined link process, which may make no socket any more
        self.assertIn("queue drops frames", identified("can:can0")["message"])
        self.set("set", "can0", "500k")
        self.assertEqual((link("can0")["qdisc"], link("can0")["txqlen"]), ("pfifo_fast", 128))
        peer.ask("open can:can0")
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (5,))


class ByTheService(Case):
    """Polkit decides, and is told what about."""

    @classmethod
    def setUpClass(cls):
        folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.bus = Bus(folder, SETUP)
        cls.addClassCleanup(cls.bus.close)

    def setUp(self):
        run("ip", "link", "set", "can0", "down")
        self.bus.polkit.asked.clear()

    def ask(self, *arguments):
        done = subprocess.run([CTL, "links", *arguments, "--json"], capture_output=True, text=True, timeout=60, check=False, env=self.bus.environment)
        return json.loads(done.stdout.splitlines()[-1])

    def test_allowed(self):
        self.bus.polkit.answer = True
        verdict = self.ask("set", "can0", "250k")
        self.assertTrue(verdict["ok"], verdict)
        self.assertTrue(is_up("can0"))
        self.assertEqual(can("can0")["bittiming"]["bitrate"], 250000)
        [(subject, action, details, flags, _)] = self.bus.polkit.asked
        self.assertEqual((subject[0], action, details, flags), ("system-bus-name", "org.recallbay.can-setup", {"interface": "can0", "preset": "250k"}, 1))
        self.assertTrue(self.ask("restart", "can0")["ok"])
        self.assertEqual(self.bus.polkit.asked[1][2], {"interface": "can0"})

    def test_not_allowed(self):
        for answer, says in ((False, "this user may not"), (None, "polkit does not answer")):
            with self.subTest(answer=answer):
                self.bus.polkit.answer = answer
                verdict = self.ask("set", "can0", "250k")
                self.assertEqual((verdict["ok"], verdict["reason"]), (False, "not-permitted"))
                self.assertIn(says, verdict["message"])
                self.assertFalse(is_up("can0"))


class GsUsb(Case):
    """A driver that knows all states, CAN FD and no restart."""

    def setUp(self):
        before = set(os.listdir("/sys/class/net"))
        if "vcan0" not in before:
            run("ip", "link", "add", "vcan0", "type", "vcan")
            run("ip", "link", "set", "vcan0", "mtu", "72", "up", "txqueuelen", "1000")
        before = set(os.listdir("/sys/class/net"))
        self.adapter = Adapter(self, ADAPTER, "vcan0")
        run("modprobe", "gs_usb")
        self.name = until(lambda: set(os.listdir("/sys/class/net")) - before).pop()

    def test_fd(self):
        self.set("set", self.name, "500k/2M")
        self.assertEqual(self.adapter.tell("bitrate 0"), "500000 2000000 plugged")
        self.assertIn("FD", can(self.name)["ctrlmode"])
        kernel = ecu(self, fd=True)
        peer = Peer(self, PEER, f"canfd:{self.name}")
        peer.channel(0x7E0, 0x7E8, fd=True)
        self.exchange(peer, kernel, (7, 300))
        peer.ask("close")
        kernel.close()
        self.set("set", self.name, "500k/5M")
        self.assertEqual(self.adapter.tell("bitrate 0"), "500000 5000000 plugged")
        self.set("set", self.name, "250k")
        self.assertTrue(self.adapter.tell("bitrate 0").startswith("250000 "))
        self.assertNotIn("FD", can(self.name).get("ctrlmode", []))

    def test_half_of_a_preset(self):
        """The bit rate it can do, the data bit rate not: the interface goes on as it was, in its own modes."""
        self.adapter.tell("unplug")
        self.adapter.tell("coarse 8")
        self.adapter.tell("plug")
        self.adapter.wait_plugged()
        until(lambda: self.name in os.listdir("/sys/class/net"))
        run("ip", "link", "set", self.name, "up", "type", "can", "bitrate", "250000", "sample-point", "0.75", "loopback", "on")
        before = can(self.name)
        self.assertEqual(before["bittiming"]["sample_point"], "0.750")
        self.set("set", self.name, "500k/5M", code=1, says="[unsupported]")
        self.assertTrue(is_up(self.name))
        after = can(self.name)
        self.assertEqual([after[member] for member in ("bittiming", "ctrlmode")], [before[member] for member in ("bittiming", "ctrlmode")])
        self.set("set", self.name, "500k/2M")
        self.set("set", self.name, "500k/5M", code=1, says="[unsupported]")
        self.assertEqual(self.adapter.tell("bitrate 0"), "500000 2000000 plugged")
        self.assertIn("FD", can(self.name)["ctrlmode"])
        self.assertNotIn("LOOPBACK", can(self.name)["ctrlmode"])

    def test_bus_off(self):
        """This driver cannot restart: it is named, and mended by the one who may."""
        self.set("set", self.name, "500k")
        kernel = ecu(self)
        peer = Peer(self, PEER, f"can:{self.name}")
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (5,))
        self.adapter.tell(f"state 0 {BUS_OFF} 255 0")
        until(lambda: can(self.name)["state"] == "BUS-OFF")
        self.assertEqual(listed(f"can:{self.name}"), "bus-off")
        self.assertRegex(peer.ask("send 3e00", "error"), "^error bus-off ")
        peer.ask("close")
        self.set("restart", self.name)
        self.assertEqual(listed(f"can:{self.name}"), "ready")
        self.assertEqual(can(self.name)["state"], "ERROR-ACTIVE")
        peer.ask(f"open can:{self.name}")
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (5,))

    def test_nobody_acknowledges(self):
        self.set("set", self.name, "500k")
        peer = Peer(self, PEER, f"can:{self.name}")
        peer.channel(0x7E0, 0x7E8)
        self.adapter.tell("unheard 0 1")
        self.adapter.tell(f"state 0 {PASSIVE} 128 0")
        until(lambda: listed(f"can:{self.name}") == "error-passive")
        self.assertRegex(peer.ask("send 3e00", "error"), "^error no-ack ")
        peer.ask("close")
        self.assertEqual(identified(f"can:{self.name}")["reason"], "no-ack")

    def test_wrong_bit_rate(self):
        self.set("set", self.name, "250k")
        peer = Peer(self, PEER, f"can:{self.name}")
        peer.channel(0x7E0, 0x7E8)
        peer.ask("send 3e00")
        for _ in range(5):
            self.adapter.tell(f"error 0 {CAN_ERR_PROT:x} {FORM} 0")
        self.assertRegex(peer.ask("receive 500", "error"), "^error wrong-bitrate ")


if __name__ == "__main__":
    unittest.main()
