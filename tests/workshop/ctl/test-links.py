# SPDX-License-Identifier: Apache-2.0
"""recallctl links on networks with vehicles made of scapy: who answers, who announces itself unasked, who is not ready, and who
talks nonsense. The networks are of this test alone: it goes into a network namespace, and the vehicles into another.

Usage: test-links.py BUILD
"""

import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from scapy.contrib.automotive.doip import DoIP

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "link/doip"))
from networks import TIMEOUT, FarSide, ip, own_network

PORT = 13400
EID = bytes.fromhex("02aabbcc0000")


class Entity:
    """What one vehicle says of itself, and how."""

    def __init__(self, address, number, answers=True, announces=False, power=1, status=(8, 1), vin=None, nonsense=(), times=1, edition=2, hears=None):
        self.address, self.answers, self.announces, self.power, self.status, self.nonsense, self.times = (
            address, answers, announces, power, status, nonsense, times)
        self.edition, self.hears = edition, hears or {1, 2, 3, 4, 0xFF}
        self.logical = 0x1000 + number
        self.eid = EID[:5] + bytes([number])
        self.vin = vin or b"1RBDM7AA2TA0000%02d" % number

    def say(self, payload_type, **fields):
        return bytes(DoIP(protocol_version=self.edition, inverse_version=self.edition ^ 0xFF, payload_type=payload_type, **fields))

    def announcement(self):
        return self.say(4, vin=self.vin, logical_address=self.logical, eid=self.eid, gid=self.eid, further_action=0, vin_gid_status=0)

    def answer(self, request):
        if request.protocol_version not in self.hears:
            return self.say(0, nack=0)
        if request.payload_type == 0x4003 and self.power is not None:
            return self.say(0x4004, diagnostic_power_mode=self.power)
        if request.payload_type == 0x4001 and self.status is not None:
            most, now = self.status
            return self.say(0x4002, node_type=0, max_open_sockets=most, cur_open_sockets=now, max_data_size=4096)
        return None


GOOD = DoIP(payload_type=4, vin=b"1RBDM7AA2TA000099", logical_address=0x1099, eid=EID, gid=EID, further_action=0, vin_gid_status=0)
NONSENSE = (b"", b"\2", b"\2\xfd\0\4\0\0\0\0", bytes(GOOD)[:-1], bytes(GOOD) + b"\0", b"\2\xfc" + bytes(GOOD)[2:], b"\5\xfa" + bytes(GOOD)[2:],
            bytes(DoIP(payload_type=0, nack=1)), bytes(DoIP(payload_type=0x4002, node_type=0, max_open_sockets=0, cur_open_sockets=0)),
            bytes(DoIP(payload_type=0x4004, diagnostic_power_mode=0)), b"\2\xfd\0\4\xff\xff\xff\xff" + bytes(GOOD)[8:], os.urandom(400))

VEHICLES = {
    "v": ("10.9.0", 24, [Entity("10.9.0.2", 2), Entity("10.9.0.3", 3, power=0), Entity("10.9.0.4", 4, status=(4, 4)),
                         Entity("10.9.0.5", 5, answers=False, announces=True), Entity("10.9.0.6", 6, vin=b"\x1b[31m\0\xff%s%n<b>&;\n\\"),
                         Entity("10.9.0.7", 7, answers=False, nonsense=NONSENSE), Entity("10.9.0.8", 8, times=5),
                         Entity("10.9.0.9", 9, power=None, status=None), Entity("10.9.0.10", 10, power=2, status=(1, 0)),
                         Entity("10.9.0.11", 11, power=0, edition=3, hears={3, 0xFF}), Entity("10.9.0.12", 12, power=0, hears={2})]),
    "w": ("169.254.7", 16, [Entity("169.254.9.11", 11)]),
}
# on the first network too, by IPv6 alone: one that answers, one that announces itself, one that is not ready, one that talks nonsense;
# and two that are also there by IPv4
NEW = [Entity("fe80::13", 13), Entity("fe80::14", 14, answers=False, announces=True), Entity("fe80::15", 15, power=0),
       Entity("fe80::16", 16, answers=False, nonsense=NONSENSE), Entity("fe80::2", 2), Entity("fe80::5", 5)]
HAS_IPV6 = pathlib.Path("/proc/sys/net/ipv6").is_dir()
ALL_NODES = "ff02::1"


class World(FarSide):
    """The vehicles' side."""

    def work(self):
        hearing, own = self.build()
        self.ready.set()
        self.serve(hearing, own)

    def build(self):
        """Sockets that hear broadcasts, one a network; and an own one for each vehicle."""
        hearing, own = {}, {}
        for device, (_, bits, entities) in VEHICLES.items():
            ip("link", "set", device + "1", "up")
            for entity in entities:
                ip("address", "add", f"{entity.address}/{bits}", "broadcast", "+", "dev", device + "1")
            everybody = self.bound("0.0.0.0", device + "1")
            hearing[everybody] = entities
            for entity in entities:
                own[self.bound(entity.address)] = entity
        for entity in NEW if HAS_IPV6 else []:
            ip("address", "add", f"{entity.address}/64", "dev", "v1", "nodad")
            own[self.bound_new(entity.address, socket.if_nametoindex("v1"))] = entity
        if HAS_IPV6:
            hearing[self.bound_new("::", 0, "v1")] = NEW
        return hearing, own

    @staticmethod
    def bound_new(address, scope, device=None):
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        made.bind((address, PORT, 0, scope))
        return made

    @staticmethod
    def bound(address, device=None):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        made.bind((address, PORT))
        return made

    def serve(self, hearing, own):
        socket_of = {entity: one for one, entity in own.items()}
        while not self.ended.is_set():
            for one in select.select([*hearing, *own], [], [], 0.1)[0]:
                data, tester = one.recvfrom(1000)
                request = DoIP(data)
                if one in own:
                    answer = own[one].answer(request)
                    if answer:
                        one.sendto(answer, tester)
                    continue
                for entity in hearing[one] if request.payload_type == 1 else []:
                    if request.protocol_version not in entity.hears:
                        continue
                    self.speak(entity, socket_of[entity], tester)
        for one in [*hearing, *own]:
            one.close()

    def speak(self, entity, one, tester):
        for _ in range(entity.times if entity.answers else 0):
            one.sendto(entity.announcement(), tester)
        for text in entity.nonsense:
            one.sendto(text, tester)
        if entity.announces and entity in NEW:
            one.sendto(entity.announcement(), (ALL_NODES, PORT, 0, socket.if_nametoindex("v1")))
        elif entity.announces:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:  # any port of its own
                other.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                other.bind((entity.address, 0))
                other.sendto(entity.announcement(), (entity.address.rsplit(".", 1)[0] + ".255", PORT))


class Networks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="recallbay-links-")
        cls.addClassCleanup(scratch.cleanup)
        cls.data = pathlib.Path(scratch.name)
        cls.world = World()
        cls.world.plug(*((device, f"{net}.1/{bits}") for device, (net, bits, _) in VEHICLES.items()))
        if HAS_IPV6:
            ip("address", "add", "fe80::1/64", "dev", "v0", "nodad")

    @classmethod
    def tearDownClass(cls):
        cls.world.ended.set()
        cls.world.join(TIMEOUT)

    def ctl(self, *arguments, text=False):
        words = [BUILD / "src/recallctl", *([] if text else ["--json"]), "--data-dir", self.data, *arguments]
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("CRITICAL", done.stderr)
        return done.stdout if text else json.loads(done.stdout.splitlines()[-1])

    def links(self):
        """Every DoIP entity found: address → entry."""
        found = [entry for entry in self.ctl("links")["links"] if entry["kind"] == "doip"]
        uris = [entry["uri"] for entry in found]
        self.assertEqual(len(uris), len(set(uris)), "one vehicle, one line")
        return {entry["uri"].removeprefix("doip://"): entry for entry in found}

    def test_everybody(self):
        found = self.links()
        self.assertIsNone(self.world.failure)
        expected = {f"10.9.0.{number}:{PORT}": state for number, state in
                    ((2, "ready"), (3, "not-ready"), (4, "in-use"), (5, "ready"), (6, "ready"), (8, "ready"), (9, "ready"), (10, "ready"),
                     (11, "not-ready"), (12, "not-ready"))}
        expected[f"169.254.9.11:{PORT}"] = "ready"
        link = socket.if_nametoindex("v0")
        if HAS_IPV6:
            expected |= {f"[fe80::{number}%{link}]:{PORT}": state for number, state in ((13, "ready"), (14, "ready"), (15, "not-ready"))}
        self.assertEqual({address: entry["state"] for address, entry in found.items()}, expected)
        good = found[f"10.9.0.2:{PORT}"]
        self.assertEqual((good["serial"], good["vin"], good["name"]), ("02aabbcc0002", "1RBDM7AA2TA000002", "DoIP entity 1002"))
        self.assertEqual(found[f"10.9.0.6:{PORT}"]["vin"], "", "what is no VIN is not shown")

    @unittest.skipUnless(HAS_IPV6, "no IPv6 here")
    def test_the_simulated_vehicle_by_ipv6(self):
        """On a link of its own it announces itself to all nodes, is found by who asks them, and identified by the address that is shown."""
        ip("link", "add", "x0", "type", "veth", "peer", "name", "x1")
        for device, address in (("x0", "fe80::a"), ("x1", "fe80::b")):
            ip("address", "add", f"{address}/64", "dev", device, "nodad")
            ip("link", "set", device, "up")
        where = f"[fe80::b%{socket.if_nametoindex('x1')}]:{PORT}"
        model = pathlib.Path(__file__).resolve().parents[3] / "data/models/reference.json"
        with World.bound_new("::", 0, "x0") as listening, subprocess.Popen(
                [BUILD / "src/recall-sim", "--model", model, "--state", self.data / "state6", "--timing", "fast", "--doip", where],
                stdout=subprocess.PIPE) as vehicle:
            listening.settimeout(TIMEOUT)
            self.assertEqual(json.loads(vehicle.stdout.readline())["doip"], where)
            for _ in range(3):
                announcement = DoIP(listening.recv(1000))
                self.assertEqual((announcement.payload_type, announcement.vin), (4, b"SIMVEH00000014229"))
            self.assertEqual(self.ctl("identify", "--link", "doip://" + where)["vin"], "SIMVEH00000014229")
            vehicle.send_signal(signal.SIGTERM)
        ip("link", "del", "x0")

    def test_for_people(self):
        text = self.ctl("links", text=True)
        self.assertIn(f"doip://10.9.0.5:{PORT}", text)
        self.assertIn("1RBDM7AA2TA000005", text)
        self.assertNotIn("\x1b", text)

    def test_the_simulated_vehicle(self):
        subprocess.run([BUILD / "src/recall-oem", "demo", self.data / "oem"], check=True, capture_output=True, timeout=120)
        with subprocess.Popen([BUILD / "src/recall-sim", "--model", self.data / "oem/vehicle.json", "--state", self.data / "state", "--timing", "fast",
                               "--doip", f"127.0.0.1:{PORT}"], stdout=subprocess.PIPE) as vehicle:
            self.assertTrue(select.select([vehicle.stdout], [], [], TIMEOUT)[0])
            vin = (self.data / "oem/vin.txt").read_text().strip()
            entry = self.links()[f"127.0.0.1:{PORT}"]
            self.assertEqual((entry["vin"], entry["state"]), (vin, "ready"))
            self.assertEqual(self.ctl("identify", "--link", entry["uri"])["vin"], vin)
            vehicle.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    own_network(__file__, BUILD, *sys.argv[1:])
    unittest.main()
