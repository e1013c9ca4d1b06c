#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recall-can-setup on a system bus of its own, with a polkit that the test plays, and the files that install it:
test-can-setup.py RECALL-CAN-SETUP RECALLCTL SOURCE BUILD"""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

from gi.repository import Gio, GLib

from setup_bus import NAME, PATH, Bus

SETUP, CTL, SOURCE, BUILD = [sys.argv.pop(1) for _ in range(4)]
DATA = Path(SOURCE, "data/setup")
ACTION = "org.recallbay.can-setup"
class Service(unittest.TestCase):
    """The bus starts the service by itself, from the file that is installed."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.bus = Bus(cls.folder, SETUP)
        cls.addClassCleanup(cls.bus.close)
        cls.address, cls.polkit = cls.bus.address, cls.bus.polkit

    def setUp(self):
        self.polkit.answer = True
        self.polkit.asked.clear()

    def ask(self, *arguments):
        done = subprocess.run([CTL, "links", *arguments, "--json"], capture_output=True, text=True, timeout=60, check=False,
                              env=self.bus.environment)
        verdict = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(done.returncode, 0 if verdict["ok"] else 2 if verdict["reason"] == "usage" else 1, done)
        return verdict

    def test_nobody_is_asked_about_nonsense(self):
        for arguments, reason, says in ((("set", "can0", "501k"), "usage", "500k, 250k"), (("set", "../lo", "500k"), "usage", "name of an interface"),
                                        (("set", "", "500k"), "usage", "name of an interface"), (("set", "x" * 16, "500k"), "usage", "name of an interface"),
                                        (("set", "lo", "500k"), "link-none", "lo is not a CAN interface"),
                                        (("set", "can99", "500k"), "link-none", "can99"), (("restart", "can99"), "link-none", "can99")):
            with self.subTest(arguments):
                verdict = self.ask(*arguments)
                self.assertEqual(verdict["reason"], reason, verdict)
                self.assertIn(says, verdict["message"])
        self.assertEqual(self.polkit.asked, [])

    def test_other_methods(self):
        bus = Gio.DBusConnection.new_for_address_sync(self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
                                                      None, None)
        for method, arguments in (("SetUp", GLib.Variant("(s)", ("can0",))), ("SetUp", GLib.Variant("(su)", ("can0", 500000))),
                                  ("Delete", GLib.Variant("(s)", ("can0",)))):
            with self.assertRaises(GLib.Error) as caught:
                bus.call_sync(NAME, PATH, NAME, method, arguments, None, 0, 20000, None)
            self.assertRegex(caught.exception.message, "InvalidArgs|UnknownMethod")
        text = bus.call_sync(NAME, PATH, "org.freedesktop.DBus.Introspectable", "Introspect", None, None, 0, 20000, None).unpack()[0]
        self.assertEqual(sorted(re.findall(r'<method name="(\w+)"', text.split(f'"{NAME}"')[1])), ["Restart", "SetUp"])
        bus.close_sync(None)

    def test_no_such_service(self):
        done = subprocess.run([CTL, "links", "set", "can0", "500k", "--json"], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/nothing"})
        verdict = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((done.returncode, verdict["reason"]), (1, "not-found"))


class ByHand(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run([SETUP, *arguments], capture_output=True, text=True, timeout=20, check=False)

    def test_usage(self):
        self.assertEqual(self.run_it("--help").returncode, 0)
        for arguments in (["set"], ["set", "can0"], ["set", "can0", "500k", "more"], ["restart"], ["nonsense"], ["set", "can0", "501k"]):
            self.assertEqual(self.run_it(*arguments).returncode, 2, arguments)
        done = self.run_it("set", "lo", "500k")
        self.assertEqual((done.returncode, done.stderr.splitlines()[0]), (1, "lo is not a CAN interface [link-none]"))


class Installed(unittest.TestCase):
    """The files that start, guard and confine it."""

    def unit(self):
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str
        parser.read_string(Path(BUILD, "data/recall-can-setup.service").read_text())
        return parser["Service"]

    def test_one_right_alone(self):
        service = self.unit()
        self.assertEqual(service["CapabilityBoundingSet"], "CAP_NET_ADMIN")
        self.assertEqual(service["RestrictAddressFamilies"].split(), ["AF_UNIX", "AF_NETLINK"])
        self.assertEqual(service["BusName"], NAME)
        self.assertTrue(service["ExecStart"].endswith("/bin/recall-can-setup"))

    def test_systemd_reads_it(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=25", str(Path(BUILD, "data/recall-can-setup.service"))],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-600:] + done.stderr)

    def test_polkit_asks_for_an_administrator(self):
        action = xml.parse(DATA / "org.recallbay.policy").getroot().find("action")
        self.assertEqual(action.get("id"), ACTION)
        defaults = {entry.tag: entry.text for entry in action.find("defaults")}
        self.assertEqual(defaults, {"allow_any": "no", "allow_inactive": "auth_admin", "allow_active": "auth_admin_keep"})

    def test_the_bus_gives_the_name_to_root_alone(self):
        policies = xml.parse(DATA / f"{NAME}.conf").getroot().findall("policy")
        owners = [policy.attrib for policy in policies for allow in policy if allow.get("own")]
        self.assertEqual(owners, [{"user": "root"}])

    def test_started_from_the_file(self):
        service = Path(BUILD, f"data/{NAME}.service").read_text()
        self.assertIn("SystemdService=recall-can-setup.service", service)
        self.assertRegex(service, r"Exec=/\S+/recall-can-setup\n")


if __name__ == "__main__":
    unittest.main()
