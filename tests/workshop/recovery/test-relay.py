#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A hostile ECU relays the gateway's 0x29 challenge to the workstation as its own: the gateway rejects what the workstation signs.

Usage: test-relay.py BUILD
"""

import json
import socket
import struct
import sys
import unittest

from proxy import DIAGNOSTIC, Proxy, exactly

from bench import Bench

BUILD = sys.argv.pop(1)
GATEWAY, DOOR, ATTACKER = 0x1002, 0x1005, 0x0E81
PROGRAMMING = b"\x10\x02"
ERASE = b"\x31\x01\xff\x00\x44" + struct.pack("!II", 0x08000000, 16)


class Attacker:
    """A second connection to the vehicle."""

    def __init__(self, where):
        self.socket = socket.create_connection(where, 20)
        self.send(0x0005, struct.pack("!HBI", ATTACKER, 0, 0))
        kind, payload = self.receive()
        assert (kind, payload[4]) == (0x0006, 0x10), payload.hex()

    def close(self):
        self.socket.close()

    def send(self, kind, payload):
        self.socket.sendall(struct.pack("!BBHI", 2, 0xFD, kind, len(payload)) + payload)

    def receive(self):
        head = exactly(self.socket, 8)
        return struct.unpack("!H", head[2:4])[0], exactly(self.socket, struct.unpack("!I", head[4:])[0])

    def ask(self, address, request):
        """The final response of an ECU."""
        self.send(DIAGNOSTIC, struct.pack("!HH", ATTACKER, address) + request)
        while True:
            kind, payload = self.receive()
            if kind == DIAGNOSTIC and payload[4:] != bytes([0x7F, request[0], 0x78]):
                return payload[4:]


class Relay:
    """The door ECU presents the victim's challenge, and its connection presents what was signed to the victim."""

    def __init__(self, where, victim):
        self.attacker = Attacker(where)
        self.victim = victim
        self.verdicts, self.erasures = [], []

    def __call__(self, source, request, answer):
        if source != DOOR or request[:1] != b"\x29" or answer[1:3] == b"\x29\x78":
            return answer
        if request[1] == 1:
            if self.victim != DOOR:
                assert self.attacker.ask(self.victim, PROGRAMMING)[:1] == b"\x50"
            return self.attacker.ask(self.victim, request)
        self.verdicts.append(self.attacker.ask(self.victim, request))
        if self.victim != DOOR:
            self.erasures.append(self.attacker.ask(self.victim, ERASE))
        return answer


class Relayed(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()
        model = json.loads((self.bench.oem / "vehicle.json").read_text())["ecus"]
        seed = json.loads((self.bench.oem / "vehicle" / "seed.json").read_text())["ecus"]
        self.serials = {int(ecu["logical"], 16): entry["serial"] for ecu, entry in zip(model, seed)}

    def recover(self, lie, expect):
        proxy = Proxy(self.bench.link, lie)
        self.addCleanup(proxy.close)
        verdict = self.bench.recover(expect=expect, link=proxy.link)
        self.assertGreater(proxy.told, 0)
        return verdict

    def test_the_gateway_rejects_what_was_signed_for_the_door(self):
        # the door is the last ECU to do, so that the workstation itself does not unlock the gateway meanwhile
        self.recover(lambda source, request, answer: b"\x7f\x29\x52" if source == DOOR and request[:1] == b"\x29" else answer, 3)
        relay = Relay(Proxy(self.bench.link, None).far, GATEWAY)
        self.addCleanup(relay.attacker.close)
        verdict = self.recover(relay, 3)
        self.assertEqual((verdict["ok"], verdict["reason"]), (False, "not-complete"))
        self.assertEqual(set(relay.verdicts), {b"\x7f\x29\x58"}, "proof of ownership is wrong")
        self.assertEqual(set(relay.erasures), {b"\x7f\x31\x34"}, "authentication is required")
        reasons = {ecu["serial"]: ecu["reason"] for ecu in verdict["ecus"] if ecu["state"] == "parked"}
        self.assertEqual(reasons, {self.serials[DOOR]: "ecu-locked"})
        self.assertTrue(self.bench.recover()["ok"])

    def test_the_same_relay_to_the_door_itself_unlocks_it(self):
        """The test's relay works: a challenge that the attacker obtained from the door is answered, and the door accepts that."""
        relay = Relay(Proxy(self.bench.link, None).far, DOOR)
        self.addCleanup(relay.attacker.close)
        self.assertTrue(self.recover(relay, 0)["ok"])
        self.assertGreater(len(relay.verdicts), 0)


if __name__ == "__main__":
    unittest.main()
