# SPDX-License-Identifier: Apache-2.0
"""A DoIP entity made with scapy whose every message a test decides, and the link of the tester on it, led through link-tool."""

import select
import socket
import struct
import subprocess
import sys
import threading
import unittest

from scapy.contrib.automotive.doip import DoIP
from scapy.packet import Raw

TOOL = sys.argv.pop(1)
TIMEOUT = 20
TESTER, ENTITY, BRAKE, DOOR = 0x0E80, 0x1000, 0x1004, 0x1005


class Gone(Exception):
    pass


class Entity:
    """One connection; the test says what happens on it, in a thread of its own."""

    SCHEME = "doip"

    def __init__(self, script, status=4096, activate=0x10, host="127.0.0.1", tester=TESTER, kind=0):
        self.listener = socket.create_server((host.strip("[]"), 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.link = f"{self.SCHEME}://{host}:{self.listener.getsockname()[1]}"
        self.script, self.status, self.code, self.tester, self.kind = script, status, activate, tester, kind
        self.failure = None
        self.finished, self.alive, self.enough = (threading.Event() for _ in range(3))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            plain, _ = self.listener.accept()
            plain.settimeout(TIMEOUT)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = self.wrap(plain)
            if self.code is not None:
                self.activate()
            self.script(self)
        except Gone:
            pass
        except Exception as problem:  # shown by the test
            self.failure = problem
        finally:
            self.finished.set()

    def wrap(self, plain):
        return plain

    def activate(self):
        request = self.receive()
        assert (request.payload_type, request.source_address, request.activation_type) == (5, self.tester, self.kind), request.summary()
        self.activated(self.code)
        if self.code == 0x10:
            self.tell_status()

    def activated(self, code):
        self.send(payload_type=6, logical_address_tester=self.tester, logical_address_doip_entity=ENTITY, routing_activation_response=code)

    def tell_status(self):
        assert self.receive().payload_type == 0x4001
        if self.status:
            self.send(payload_type=0x4002, node_type=0, max_open_sockets=4, cur_open_sockets=1, max_data_size=self.status)

    def exactly(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise Gone
            data += more
        return data

    def receive(self):
        head = self.exactly(8)
        return DoIP(head + self.exactly(struct.unpack("!I", head[4:])[0]))

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, **fields):
        self.raw(bytes(DoIP(**fields)))

    def request(self, target=BRAKE, ack=True):
        """The next diagnostic message's UDS bytes."""
        packet = self.receive()
        assert (packet.payload_type, packet.source_address, packet.target_address) == (0x8001, self.tester, target), packet.summary()
        if ack:
            self.ack(target)
        return bytes(packet.payload)

    def ack(self, source=BRAKE):
        self.send(payload_type=0x8002, source_address=source, target_address=self.tester, ack_code=0)

    def nack(self, code, source=BRAKE):
        self.send(payload_type=0x8003, source_address=source, target_address=self.tester, nack_code=code)

    def answer(self, uds, source=BRAKE, target=None):
        self.raw(bytes(DoIP(payload_type=0x8001, source_address=source, target_address=target or self.tester) / Raw(uds)))

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.listener.close()
        if hasattr(self, "socket"):
            self.socket.close()


class Case(unittest.TestCase):
    ENTITY = Entity

    def entity(self, script, **options):
        entity = self.ENTITY(script, **options)
        self.addCleanup(entity.close)
        self.addCleanup(lambda: self.assertIsNone(entity.failure))
        return entity

    def open(self, link, *keys):
        tool = self.tool = subprocess.Popen([TOOL, *keys, link], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, tool)
        return self.line()

    @staticmethod
    def end(tool):
        if tool.stdout.closed:
            return
        tool.stdin.close()
        try:
            tool.wait(TIMEOUT)
        finally:
            tool.kill()
            tool.wait()
            tool.stdout.close()

    def line(self, timeout=TIMEOUT):
        ready, _, _ = select.select([self.tool.stdout], [], [], timeout)
        self.assertTrue(ready, "the link says nothing")
        return self.tool.stdout.readline().strip()

    def tell(self, command):
        self.tool.stdin.write(command + "\n")
        self.tool.stdin.flush()
        return self.line()

    def use(self, script, **options):
        """A link to that entity with a channel to the brake."""
        entity = self.entity(script, **options)
        self.assertRegex(self.open(entity.link), "^open doip 1000 ")
        self.assertEqual(self.tell(f"channel {BRAKE:04x}"), f"ok {BRAKE:04x}")
        return entity

    def reason(self, command, word):
        self.assertEqual(self.tell(command).split(" ")[0], word)
