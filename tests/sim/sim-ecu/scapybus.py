# SPDX-License-Identifier: Apache-2.0
"""scapy's ISO-TP on the virtual bus."""
import select
import struct

from scapy.config import conf

conf.contribs["ISOTP"] = {"use-can-isotp-kernel-module": False}
conf.contribs["CANSocket"] = {"use-python-can": False}

from scapy.contrib.automotive.uds import UDS  # noqa: E402
from scapy.contrib.isotp import ISOTP, ISOTPSoftSocket  # noqa: E402
from scapy.layers.can import CAN  # noqa: E402
from scapy.supersocket import SuperSocket  # noqa: E402

from vehicle import TIMEOUT, Node, packet  # noqa: E402


class ScapyBus(SuperSocket):
    """A CAN socket of scapy's on the virtual bus."""

    def __init__(self, path):
        self.node = Node(path)
        self.ins = self.outs = self.node.socket

    def send(self, frame):
        return self.ins.send(packet(frame.identifier, frame.data))

    def recv(self, x=72):
        got = self.ins.recv(73)
        if not got:
            self.close()
            return None
        identifier, length, _, own = struct.unpack_from("=IBBB", got)
        if own or len(got) != 16:
            return None
        flags = "extended" if identifier >> 31 else 0
        return CAN(identifier=identifier & 0x1FFFFFFF, flags=flags, length=length, data=got[8:8 + length])

    @staticmethod
    def select(sockets, remain=conf.recv_poll_rate):
        return select.select(sockets, [], [], remain)[0]


class Tester:
    def __init__(self, path, request, response, **options):
        self.bus = ScapyBus(path)
        self.link = ISOTPSoftSocket(self.bus, tx_id=request, rx_id=response, padding=True, basecls=ISOTP, **options)

    def close(self):
        self.link.close()
        self.bus.node.close()

    def send(self, request):
        self.link.send(ISOTP(bytes(request)))

    def receive(self, timeout=TIMEOUT):
        """None when nothing comes."""
        if not select.select([self.link.impl.rx_queue], [], [], timeout)[0]:
            return None
        return bytes(self.link.recv().data)

    def ask(self, request):
        self.send(request)
        while True:
            message = self.receive()
            assert message is not None, "no answer"
            answer = UDS(message)
            if answer.service == 0x7F and answer.negativeResponseCode == 0x78:
                continue
            return answer
