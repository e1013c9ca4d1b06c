# SPDX-License-Identifier: Apache-2.0
"""DoIP messages against scapy, in both directions.

Usage: test-doip.py DOIP-TOOL
"""

import random
import subprocess
import sys
import unittest

from scapy.contrib.automotive.doip import DoIP
from scapy.packet import Raw

TOOL = sys.argv.pop(1)
VIN, EID, GID = b"RBY1DEM0XRA000042", bytes.fromhex("020304050607"), bytes.fromhex("0a0b0c0d0e0f")


def play(lines):
    out = subprocess.run([TOOL], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True, timeout=60).stdout
    return out.splitlines()


def scapy(**fields):
    body = fields.pop("uds", None)
    packet = DoIP(**fields)
    return bytes(packet / Raw(body) if body is not None else packet)


# our words to write it, scapy's fields
MESSAGES = [
    ("write 0001", {"payload_type": 1}),
    ("write 0007", {"payload_type": 7}),
    ("write 4001", {"payload_type": 0x4001}),
    ("write 4003", {"payload_type": 0x4003}),
    (f"write announcement {VIN.decode()} 1000 {EID.hex()} {GID.hex()} 00 00",
     {"payload_type": 4, "vin": VIN, "logical_address": 0x1000, "eid": EID, "gid": GID, "further_action": 0, "vin_gid_status": 0}),
    (f"write announcement {VIN.decode()} e400 {EID.hex()} {'ff' * 6} 10 10",
     {"payload_type": 4, "vin": VIN, "logical_address": 0xE400, "eid": EID, "gid": b"\xff" * 6, "further_action": 16, "vin_gid_status": 16}),
    ("write activation 0e80 00", {"payload_type": 5, "source_address": 0xE80, "activation_type": 0}),
    ("write activation 0ef1 e0", {"payload_type": 5, "source_address": 0xEF1, "activation_type": 0xE0}),
    ("write activated 0e80 1000 10",
     {"payload_type": 6, "logical_address_tester": 0xE80, "logical_address_doip_entity": 0x1000, "routing_activation_response": 0x10}),
    ("write activated 0e80 1000 06",
     {"payload_type": 6, "logical_address_tester": 0xE80, "logical_address_doip_entity": 0x1000, "routing_activation_response": 6}),
    ("write status 00 08 01 00001004",
     {"payload_type": 0x4002, "node_type": 0, "max_open_sockets": 8, "cur_open_sockets": 1, "max_data_size": 0x1004}),
    ("write diagnostic 0e80 1001 22f190", {"payload_type": 0x8001, "source_address": 0xE80, "target_address": 0x1001, "uds": b"\x22\xf1\x90"}),
    ("write diagnostic 1001 0e80 " + "5a" * 4000,
     {"payload_type": 0x8001, "source_address": 0x1001, "target_address": 0xE80, "uds": b"\x5a" * 4000}),
    ("write acknowledge 8002 1001 0e80 00", {"payload_type": 0x8002, "source_address": 0x1001, "target_address": 0xE80, "ack_code": 0}),
    *((f"write acknowledge 8003 1001 0e80 {code:02x}",
       {"payload_type": 0x8003, "source_address": 0x1001, "target_address": 0xE80, "nack_code": code}) for code in range(2, 9)),
]


class Written(unittest.TestCase):
    def test_bytes_are_scapys(self):
        for (line, fields), ours in zip(MESSAGES, play([line for line, _ in MESSAGES])):
            with self.subTest(line=line[:40]):
                self.assertEqual(ours, scapy(**fields).hex())

    def test_scapy_reads_every_field(self):
        for (line, fields), ours in zip(MESSAGES, play([line for line, _ in MESSAGES])):
            packet = DoIP(bytes.fromhex(ours))
            self.assertEqual(packet.payload_length, len(ours) // 2 - 8)
            for name, value in fields.items():
                with self.subTest(line=line[:40], field=name):
                    if name == "uds":
                        self.assertEqual(bytes(packet.payload), value)
                    else:
                        self.assertEqual(getattr(packet, name), value)


class Read(unittest.TestCase):
    def parse(self, *messages):
        return play(["parse " + message.hex() for message in messages])

    def test_announcement(self):
        packet = scapy(payload_type=4, vin=VIN, logical_address=0x1234, eid=EID, gid=GID, further_action=0x10, vin_gid_status=0x10)
        self.assertEqual(self.parse(packet), [f"announcement {VIN.decode()} 1234 {EID.hex()} {GID.hex()} 10 10"])

    def test_activation(self):
        request = scapy(payload_type=5, source_address=0xE80, activation_type=0xE0)
        with_oem = scapy(payload_type=5, source_address=0xE80, activation_type=1, reserved_oem=b"OEM!")
        answer = scapy(payload_type=6, logical_address_tester=0xE80, logical_address_doip_entity=0x1000, routing_activation_response=0x11)
        answer_oem = scapy(payload_type=6, logical_address_tester=0xE80, logical_address_doip_entity=0x1000,
                           routing_activation_response=0x10, reserved_oem=b"OEM!")
        self.assertEqual(self.parse(request, with_oem, answer, answer_oem),
                         ["0005 0e80 0000 e0", "0005 0e80 0000 01", "0006 0e80 1000 11", "0006 0e80 1000 10"])

    def test_activation_with_half_an_oem_field(self):
        request = scapy(payload_type=5, source_address=0xE80, activation_type=0, reserved_oem=b"OE")
        self.assertEqual(self.parse(request), ["bad"])

    def test_diagnostic(self):
        packets = [scapy(payload_type=0x8001, source_address=0x1001, target_address=0xE80, uds=body)
                   for body in (b"\x7f\x22\x31", b"\x62" * 300, b"\x01")]
        self.assertEqual(self.parse(*packets), ["8001 1001 0e80 7f2231", "8001 1001 0e80 " + "62" * 300, "8001 1001 0e80 01"])

    def test_acknowledgements_with_the_previous_message(self):
        ack = scapy(payload_type=0x8002, source_address=0x1001, target_address=0xE80, ack_code=0, previous_msg=b"\x22\xf1\x90")
        nack = scapy(payload_type=0x8003, source_address=0x1001, target_address=0xE80, nack_code=6, previous_msg=b"\x22")
        self.assertEqual(self.parse(ack, nack), ["8002 1001 0e80 0022f190", "8003 1001 0e80 0622"])

    def test_every_version_that_is_met(self):
        """Any edition, 0xFF, is for whoever asks who is there and for nothing else."""
        for version in range(256):
            for kind, asks in ((7, False), (1, True)):
                packet = scapy(payload_type=kind, protocol_version=version, inverse_version=version ^ 0xFF)
                with self.subTest(version=version, kind=kind):
                    good = version in (1, 2, 3, 4) or (version == 0xFF and asks)
                    self.assertEqual(self.parse(packet), [f"{kind:04x} 0" if good else "bad"])

    def test_length_that_lies(self):
        for told in (0, 1, 6, 8, 0x7FFFFFFF, 0xFFFFFFFF):
            packet = scapy(payload_type=0x8001, payload_length=told, source_address=1, target_address=2, uds=b"\x3e\x00\x01")
            self.assertEqual(self.parse(packet), ["bad"], told)

    def test_cut_anywhere(self):
        for _, fields in MESSAGES:
            whole = scapy(**fields)
            if len(whole) > 100 or len(whole) == 8:
                continue
            cuts = [whole[:length] for length in range(1, len(whole))]
            self.assertEqual(set(self.parse(*cuts)), {"bad"})

    def test_mutations_end_in_an_answer(self):
        """Seeded: whatever comes, the parser says something and goes on."""
        random.seed(13400)
        messages = []
        for _ in range(400):
            whole = bytearray(scapy(**random.choice(MESSAGES)[1])[:64])
            for _ in range(random.randint(1, 4)):
                whole[random.randrange(len(whole))] = random.randrange(256)
            messages.append(bytes(whole))
        self.assertEqual(len(self.parse(*messages)), len(messages))


if __name__ == "__main__":
    unittest.main()
