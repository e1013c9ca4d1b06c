# SPDX-License-Identifier: Apache-2.0
"""A virtual bus beside the vehicle's: passes frames on both ways without echoing them to their sender, and loses some."""
import os
import pathlib
import random
import select
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

OWN = 6  # byte of a packet: the sender's own frame, given back


class BusProxy:
    """loss: of each frame, both ways, from a seeded sequence."""

    def __init__(self, far, near, loss=0.0, seed=1):
        self.far, self.near, self.loss, self.random = str(far), str(near), loss, random.Random(seed)
        self.lost = self.passed = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.near)
        self.listener.listen()
        self.link = f"bus:{near}"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                far.connect(self.far)
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near, far), daemon=True).start()

    def serve(self, near, far):
        ends = {near: far, far: near}
        try:
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    packet = end.recv(73)
                    if not packet:
                        return
                    if not packet[OWN]:
                        self.carry(packet, ends[end])
        except OSError:
            pass
        finally:
            for end in ends:
                end.close()

    def carry(self, packet, to):
        if self.random.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        to.send(packet)
