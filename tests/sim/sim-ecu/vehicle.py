# SPDX-License-Identifier: Apache-2.0
"""A simulated vehicle as a process, and plain sockets to its bus: nothing of this project's on the tester's side."""
import json
import pathlib
import select
import signal
import socket
import struct
import subprocess
import tempfile

TIMEOUT = 60
EXTENDED = 0x80000000
ERROR = 0x20000000
SOURCE = pathlib.Path(__file__).resolve().parents[3]
REFERENCE = SOURCE / "data/models/reference.json"


def packet(identifier, data, fd=False, flags=0):
    """struct can_frame or struct canfd_frame (linux/can.h)"""
    if identifier > 0x7FF:
        identifier |= EXTENDED
    if fd:
        return struct.pack("=IBBBB64s", identifier, len(data), flags, 0, 0, bytes(data))
    return struct.pack("=IBBBB8s", identifier, len(data), 0, 0, 0, bytes(data))


class Node:
    """A client of the virtual bus."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(str(path))

    def close(self):
        self.socket.close()

    def send(self, identifier, data, fd=False, flags=0):
        self.socket.send(packet(identifier, data, fd, flags))

    def receive(self, own=False, timeout=TIMEOUT):
        """(identifier without flags, data, packet's size), None after timeout. Frames of this node only with own."""
        while True:
            if not select.select([self.socket], [], [], timeout)[0]:
                return None
            got = self.socket.recv(73)
            if not got:
                raise EOFError("the bus is gone")
            identifier, length, _, confirmed = struct.unpack_from("=IBBB", got)
            if confirmed and not own:
                continue
            return identifier & ~EXTENDED, got[8:8 + length], len(got)

    def await_own(self):
        """Until one frame of this node was on the wire; what others sent before it."""
        seen = []
        while True:
            got = self.socket.recv(73)
            identifier, length, _, confirmed = struct.unpack_from("=IBBB", got)
            if confirmed:
                return seen
            seen.append((identifier & ~EXTENDED, got[8:8 + length]))


class Vehicle:
    def __init__(self, build, *options, model=REFERENCE, timing="fast", bus=True, doip=True):
        self.scratch = tempfile.TemporaryDirectory(prefix="recallbay-sim-")
        self.root = pathlib.Path(self.scratch.name)
        if isinstance(model, dict):
            (self.root / "model.json").write_text(json.dumps(model))
            model = self.root / "model.json"
        self.log = self.root / "log"
        self.bus = self.root / "bus"
        self.bin = pathlib.Path(build) / "src"
        self.command = [self.bin / "recall-sim", "--model", model, "--state", self.root / "state", "--timing", timing,
                        "--log", self.log, *(["--bus", self.bus] if bus else []),
                        *(["--doip", "127.0.0.1:0"] if doip else []), *options]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(list(map(str, self.command)), stdout=subprocess.PIPE, text=True)
        assert select.select([self.process.stdout], [], [], TIMEOUT)[0], "the vehicle did not start"
        self.ready = json.loads(self.process.stdout.readline())
        host, _, port = self.ready.get("doip", ":0").rpartition(":")
        self.doip = (host, int(port))

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.scratch.cleanup()

    def events(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def show(self):
        done = subprocess.run([self.bin / "recall-sim", "show", "--state", self.root / "state", "--json"],
                              capture_output=True, text=True, check=True, timeout=TIMEOUT)
        return json.loads(done.stdout)

    def flash(self, serial="SN-REFERENCE-0001"):
        return (self.root / "state/ecus" / serial / "flash.bin").read_bytes()


def reference(**simulation):
    """The reference model with parameters of its simulation changed."""
    model = json.loads(REFERENCE.read_text())
    model["ecus"][0]["simulation"].update(simulation)
    return model


def one_of_each():
    """Plain ECUs: one of each form of address, on three buses."""
    model = reference()
    model["id"] = "one-of-each"
    model["buses"] = [{"name": "body", "kind": "can", "bitrate": 250000},
                      {"name": "diagnostic", "kind": "canfd", "bitrate": 500000, "data_bitrate": 2000000},
                      {"name": "drive", "kind": "canfd", "bitrate": 500000, "data_bitrate": 5000000}]
    first = model["ecus"][0]
    for number, (name, bus, can) in enumerate([
            ("fixed", "drive", {"request": "0x18DA10F1", "response": "0x18DAF110"}),
            ("extended", "body", {"request": "0x6F1", "response": "0x612", "extension": 0x12, "response_extension": 0xF1}),
            ("mixed", "body", {"request": "0x18CE14F1", "response": "0x18CEF114", "extension": 0x77}),
            ("wide", "drive", {"request": "0x7E3", "response": "0x7EB", "fd": True}),
            ("body", "body", {"request": "0x7E2", "response": "0x7EA"})]):
        model["ecus"].append({**first, "name": name, "label": name, "hardware_id": f"hw-{name}-1", "primary": False,
                              "verification": "partial", "bus": bus, "gateway": "reference",
                              "logical": f"0x{0x1002 + number:04X}", "can": can})
    return model
