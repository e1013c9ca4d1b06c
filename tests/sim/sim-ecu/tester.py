# SPDX-License-Identifier: Apache-2.0
"""A diagnostic tester that this project did not write: scapy's DoIP and UDS packets on a plain socket, against recall-sim."""

import hashlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from scapy.contrib.automotive.doip import DoIP
from scapy.contrib.automotive.uds import UDS, UDS_AUTH, UDS_DSC, UDS_RC, UDS_RD, UDS_RDBI, UDS_RFT, UDS_TD
from scapy.packet import Raw

TIMEOUT = 20
TESTER = 0x0E80
ENTITY = 0x1000
FUNCTIONAL = 0xE400
ECU_AUTHENTICATION = "1.3.6.1.4.1.58270.77.4"
PROOF_NAME = b"recallbay-0x29-v2"
DEFAULT, PROGRAMMING, EXTENDED = 1, 2, 3


class Closed(Exception):
    """The far end closed the connection."""


class Demo:
    """What recall-oem demo makes, once for a test file; each vehicle gets a memory of its own."""

    def __init__(self, build, scenario="director"):
        self.bin = pathlib.Path(build) / "src"
        self.scratch = tempfile.TemporaryDirectory(prefix="recallbay-sim-")
        self.root = pathlib.Path(self.scratch.name)
        self.oem = self.root / "oem"
        self.count = 0
        subprocess.run([self.bin / "recall-oem", "demo", self.oem, "--scenario", scenario], check=True, capture_output=True,
                       timeout=120)
        self.model = json.loads((self.oem / "vehicle.json").read_text())
        self.seed = json.loads((self.oem / "vehicle" / "seed.json").read_text())
        self.vin = (self.oem / "vin.txt").read_text().strip()
        self.passphrase = (self.oem / "passphrase").read_text().splitlines()[0].encode()

    def close(self):
        self.scratch.cleanup()

    def ecu(self, name):
        return next(ecu for ecu in self.model["ecus"] if ecu["name"] == name)

    def address(self, name):
        return int(self.ecu(name)["logical"], 16)

    def seed_of(self, name):
        return next(ecu for ecu in self.seed["ecus"] if ecu["name"] == name)

    def identities(self):
        """[(certificate, key)] of workstation.pem"""
        text = (self.oem / "workstation.pem").read_bytes()
        pems = [match.group() for match in re.finditer(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n?", text, re.S)]
        keys = [serialization.load_pem_private_key(pem, self.passphrase) for pem in pems if b"PRIVATE KEY" in pem]
        certificates = [x509.load_pem_x509_certificate(pem) for pem in pems if b"BEGIN CERTIFICATE" in pem]
        return [(certificate, key) for certificate in certificates for key in keys
                if spki(certificate.public_key()) == spki(key.public_key())]

    def identity(self, purpose=ECU_AUTHENTICATION):
        for certificate, key in self.identities():
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if any(oid.dotted_string == purpose for oid in usage):
                return certificate.public_bytes(serialization.Encoding.DER), key
        raise AssertionError(f"no identity for {purpose}")

    def bundle(self):
        """The campaign's bundle as a folder."""
        folder = self.root / "bundle"
        if not folder.exists():
            folder.mkdir()
            subprocess.run(["tar", "-xf", self.oem / "campaign.recall", "-C", folder], check=True, timeout=60)
        return folder


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class Vehicle:
    """A recall-sim process on a memory of its own."""

    def __init__(self, demo, *options, state=None, timing="fast"):
        demo.count += 1
        self.demo = demo
        self.state = state or demo.root / f"state-{demo.count}"
        self.log = demo.root / f"log-{demo.count}"
        command = [demo.bin / "recall-sim", "--model", demo.oem / "vehicle.json", "--state", self.state, "--doip", "127.0.0.1:0",
                   "--timing", timing, "--log", self.log, *options]
        # a complaint of a library's ends it
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "G_DEBUG": "fatal-criticals"})
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
        assert ready, "the vehicle did not start"
        ready = json.loads(self.process.stdout.readline())
        self.where, self.secured = (self.address(ready.get(name, "none:0")) for name in ("doip", "doips"))

    @staticmethod
    def address(text):
        host, port = text.rsplit(":", 1)
        return (host, int(port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(TIMEOUT)
        self.process.stdout.close()

    def tester(self, **options):
        return Tester(self, **options)

    def ecu(self, name, **options):
        return Ecu(self.tester(**options), self.demo.address(name))

    def events(self, kind=None):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [event for event in map(json.loads, lines) if kind in (None, event["event"])]

    def folder(self, name):
        return pathlib.Path(self.state) / "ecus" / self.demo.seed_of(name)["serial"]

    def flash(self, name):
        return (self.folder(name) / "flash.bin").read_bytes()

    def copy_of_state(self):
        self.demo.count += 1
        to = self.demo.root / f"copy-{self.demo.count}"
        shutil.copytree(self.state, to)
        return to


class Tester:
    """One TCP connection, activated unless told otherwise."""

    def __init__(self, vehicle, source=TESTER, activate=True):
        self.vehicle = vehicle
        self.source = source
        self.socket = self.connect()
        if activate:
            code = self.activate().routing_activation_response
            assert code == 0x10, hex(code)

    def connect(self):
        return socket.create_connection(self.vehicle.where, TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, packet):
        try:
            self.socket.sendall(bytes(packet))
        except (ConnectionResetError, BrokenPipeError):
            raise Closed from None

    def exactly(self, length):
        data = b""
        while len(data) < length:
            try:
                more = self.socket.recv(length - len(data))
            except ConnectionResetError:
                raise Closed from None
            if not more:
                raise Closed
            data += more
        return data

    def receive(self):
        head = self.exactly(8)
        return DoIP(head + self.exactly(struct.unpack("!I", head[4:])[0]))

    def is_closed(self):
        try:
            self.receive()
        except Closed:
            return True
        return False

    def ask(self, **fields):
        self.send(DoIP(**fields))
        return self.receive()

    def activate(self, kind=0, source=None):
        return self.ask(payload_type=5, source_address=source or self.source, activation_type=kind)

    def diagnostic(self, target, uds, source=None):
        self.send(DoIP(payload_type=0x8001, source_address=source or self.source, target_address=target) / Raw(bytes(uds)))


class Ecu:
    """A UDS client of one ECU."""

    def __init__(self, tester, address):
        self.tester = tester
        self.address = address
        self.pending = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tester.close()

    def ask(self, uds, raw=False):
        """The final answer's bytes; counts what comes before it."""
        uds = bytes(uds)
        self.pending = 0
        self.tester.diagnostic(self.address, uds)
        acknowledged = self.tester.receive()
        assert acknowledged.payload_type == 0x8002, acknowledged.summary()
        while True:
            packet = self.tester.receive()
            assert (packet.payload_type, packet.source_address, packet.target_address) == (0x8001, self.address, self.tester.source)
            answer = bytes(packet.payload)
            if answer[:1] != b"\x7f" or answer[2] != 0x78:
                return answer
            assert answer[1] == uds[0]
            self.pending += 1

    def silent(self, uds):
        """Acknowledged, and nothing more: a status request after it is answered next."""
        self.tester.diagnostic(self.address, bytes(uds))
        assert self.tester.receive().payload_type == 0x8002
        return self.tester.ask(payload_type=0x4003).payload_type == 0x4004

    def session(self, session):
        return self.ask(UDS() / UDS_DSC(diagnosticSessionType=session))

    def did(self, did):
        answer = self.ask(UDS() / UDS_RDBI(identifiers=[did]))
        if answer[0] == 0x7F:
            return answer
        assert answer[:3] == struct.pack("!BH", 0x62, did), answer.hex()
        return answer[3:]

    def routine(self, routine, option=b""):
        """What follows the echo; a refusal whole."""
        answer = self.ask(UDS() / UDS_RC(routineControlType=1, routineIdentifier=routine) / Raw(option))
        if answer[0] == 0x7F:
            return answer
        assert answer[:4] == struct.pack("!BBH", 0x71, 1, routine), answer.hex()
        return answer[4:]

    def challenge(self, certificate, challenge=b"c" * 32):
        return self.ask(UDS() / UDS_AUTH(subFunction=1, communicationConfiguration=0, certificateClient=certificate,
                                         challengeClient=challenge))

    def prove(self, proof):
        return self.ask(UDS() / UDS_AUTH(subFunction=3, proofOfOwnershipClient=proof))

    def unlock(self, session=PROGRAMMING, identity=None):
        assert self.session(session)[0] == 0x50
        certificate, key = identity or self.tester.vehicle.demo.identity()
        answer = self.challenge(certificate)
        assert answer[:3] == b"\x69\x01\x11", answer.hex()
        server = answer[5:5 + struct.unpack("!H", answer[3:5])[0]]
        serial = next(ecu for ecu in self.tester.vehicle.demo.model["ecus"] if int(ecu["logical"], 16) == self.address)["name"]
        message = ownership(self.tester.vehicle.demo.vin, self.tester.vehicle.demo.seed_of(serial)["serial"], server, b"c" * 32, certificate)
        proof = key.sign(message, ec.ECDSA(hashes.SHA256()))
        answer = self.prove(proof)
        assert answer[:3] == b"\x69\x03\x12", answer.hex()

    def fingerprint(self):
        return self.ask(b"\x2e\xf1\x5a" + bytes(9))

    def erase(self, address, size):
        self.fingerprint()
        return self.routine(0xFF00, struct.pack("!BII", 0x44, address, size))

    def download(self, address, size):
        return self.ask(UDS() / UDS_RD(dataFormatIdentifier=0, memorySizeLen=4, memoryAddressLen=4, memoryAddress4=address, memorySize4=size))

    def transfer(self, counter, data):
        return self.ask(UDS() / UDS_TD(blockSequenceCounter=counter) / Raw(data))

    def exit(self):
        return self.ask(b"\x37")

    def write_segment(self, address, data, block=None):
        assert self.erase(address, len(data)) == b"\0"
        answer = self.download(address, len(data))
        assert answer[:2] == b"\x74\x20", answer.hex()
        self.send_blocks(data, block or struct.unpack("!H", answer[2:4])[0] - 2)

    def send_blocks(self, data, block):
        for number, at in enumerate(range(0, len(data), block), 1):
            answer = self.transfer(number & 0xFF, data[at:at + block])
            assert answer == bytes([0x76, number & 0xFF]), answer.hex()
        assert self.exit() == b"\x77"

    def stage(self, path, data):
        size = struct.pack("!I", len(data))
        answer = self.ask(UDS() / UDS_RFT(modeOfOperation=1, filePathAndName=path.encode(), compressionMethod=0, encryptingMethod=0,
                                          fileSizeUnCompressed=size, fileSizeCompressed=size))
        if answer[0] == 0x78:
            self.send_blocks(data, struct.unpack("!H", answer[3:5])[0] - 2)
        return answer

    def flash_image(self, container):
        """A segment container; then the bootloader's verdict."""
        at = 0
        while at < len(container):
            address, length = struct.unpack("!II", container[at:at + 8])
            self.write_segment(address, container[at + 8:at + 8 + length])
            at += 8 + length
        return self.routine(0xFF01)


def container_of(vehicle, name, segments):
    """The segment container that is in flash, read from its file."""
    base = vehicle.demo.ecu(name)["simulation"]["flash"]["address"]
    flash = vehicle.flash(name)
    return b"".join(struct.pack("!II", address, length) + flash[address - base:address - base + length]
                    for address, length in sorted(segments))


def segments_of(container):
    at, found = 0, []
    while at < len(container):
        address, length = struct.unpack("!II", container[at:at + 8])
        found.append((address, length))
        at += 8 + length
    return found


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def field(data):
    return struct.pack("!H", len(data)) + data


def ownership(vin, serial, server, client, certificate, direction="client-to-server", name=PROOF_NAME):
    """What a client signs for 0x29, as data/vectors/ecu-authentication.json has it."""
    return name + b"".join(map(field, (direction.encode(), vin.encode(), serial.encode(), server, client, sha256(certificate))))


def fields(data):
    found = []
    while data:
        length = struct.unpack("!H", data[:2])[0]
        found.append(data[2:2 + length])
        data = data[2 + length:]
    return found


def random_bytes(length):
    return os.urandom(length)
