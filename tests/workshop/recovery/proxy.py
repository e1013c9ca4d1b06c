# SPDX-License-Identifier: Apache-2.0
"""A DoIP entity in the middle: it passes everything on between a tester and a simulated vehicle, but the answers that it
is told to change."""

import os
import pathlib
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))

DIAGNOSTIC = 0x8001
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def exactly(source, length):
    data = b""
    while len(data) < length:
        more = source.recv(length - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


class Proxy:
    """lie(address, request, answer) → the answer to pass on, None to swallow it, or several in a list."""

    def __init__(self, where, lie):
        host, port = where.removeprefix("doip://").rsplit(":", 1)
        self.far = (host, int(port))
        self.lie = lie
        self.requests = {}
        self.told = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.link = f"doip://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.far, 20)
            except OSError:
                return
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target, answers in ((near, far, False), (far, near, True)):
                threading.Thread(target=self.pump, args=(source, target, answers), daemon=True).start()

    def pump(self, source, target, answers):
        try:
            while True:
                head = exactly(source, 8)
                payload = exactly(source, struct.unpack("!I", head[4:])[0])
                for changed in self.changed(head, payload, answers):
                    target.sendall(head[:4] + struct.pack("!I", len(changed)) + changed)
        except (OSError, ConnectionError):
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def changed(self, head, payload, answers):
        if struct.unpack("!H", head[2:4])[0] != DIAGNOSTIC:
            return [payload]
        source, target = struct.unpack("!HH", payload[:4])
        if not answers:
            self.requests[target] = payload[4:]
            return [payload]
        answer = self.lie(source, self.requests.get(source, b""), payload[4:])
        if answer == payload[4:]:
            return [payload]
        self.told += 1
        return [payload[:4] + one for one in (answer if isinstance(answer, list) else [answer]) if one is not None]
