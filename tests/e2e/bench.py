# SPDX-License-Identifier: Apache-2.0
"""A workshop for tests: a demo OEM, its simulated vehicle as a process, recallctl on it."""
import atexit
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile

TIMEOUT = 120


class Bench:
    def __init__(self, build, scenario="director", demo=(), way="doip", altered=None):
        self.way = way
        self.bin = pathlib.Path(build) / "src"
        self.scratch = tempfile.TemporaryDirectory(prefix="recallbay-e2e-")
        self.root = pathlib.Path(self.scratch.name)
        self.oem = self.root / "oem"
        self.state = self.root / "vehicle"
        self.log = self.root / "vehicle.log"
        self.data = self.root / "workstation"
        self.vehicle = None
        self.link = None
        atexit.register(self.close)  # a test that fails leaves no vehicle behind; who reads its output would wait for that
        if altered is None:
            self.run("recall-oem", "demo", self.oem, "--scenario", scenario, *demo)
        else:  # an OEM that makes mistakes: see tests/oem/altered-demo.c
            subprocess.run([pathlib.Path(build) / "tests" / "oem" / "altered-demo", self.oem, *altered], check=True, timeout=TIMEOUT)
        self.campaign = (self.oem / "campaign.txt").read_text().strip()
        self.vin = (self.oem / "vin.txt").read_text().strip()

    def close(self):
        atexit.unregister(self.close)
        self.stop()
        self.scratch.cleanup()

    def run(self, program, *arguments, expect=0):
        """Runs a program to its end; returns what it printed on standard output."""
        done = subprocess.run([self.bin / program, *map(str, arguments)], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"{program} {arguments}: exit {done.returncode}, expected {expect}\n"
                                 f"{done.stdout}\n{done.stderr}")
        return done.stdout

    def ctl(self, *arguments, expect=0):
        """recallctl --json; returns its last line."""
        out = self.run("recallctl", "--json", "--data-dir", self.data, *arguments, expect=expect)
        return json.loads(out.strip().splitlines()[-1])

    def start(self, *options, vin=None, doip="127.0.0.1:0"):
        """Power on."""
        command = [self.bin / "recall-sim", "--model", self.oem / "vehicle.json", "--state", self.state,
                   "--timing", "fast", "--log", self.log, *options]
        way, _, interface = self.way.partition(":")
        command += {"doip": ["--doip", doip], "doips": ["--doip", "127.0.0.1:0", "--doips", "127.0.0.1:0"], "bus": ["--bus", self.root / "bus"], "can": ["--can", interface],
                    "canfd": ["--can", interface]}[way]
        if vin:
            command += ["--vin", vin]
        self.vehicle = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.vehicle.stdout], [], [], TIMEOUT)
        assert ready, "the vehicle did not start"
        where = json.loads(self.vehicle.stdout.readline())
        self.plain = where.get("doip")
        self.link = {"doip": "doip://" + where.get("doip", ""), "doips": "doips://" + where.get("doips", ""), "bus": "bus:" + where.get("bus", "")}.get(way, self.way)

    def stop(self, how=signal.SIGTERM):
        """Power off."""
        if self.vehicle is None:
            return
        if self.vehicle.poll() is None:
            self.vehicle.send_signal(how)
        self.vehicle.wait(TIMEOUT)
        self.vehicle.stdout.close()
        self.vehicle = None

    def trust_and_import(self):
        self.ctl("trust", "add", self.oem / "service-root.json", "--name", "OEM")
        self.ctl("bundle", "import", self.oem / "campaign.recall")

    def secured(self):
        """What a link with TLS needs besides."""
        if self.way != "doips":
            return []
        return ["--vehicle-ca", self.oem / "vehicle-ca.pem", "--workstation", self.oem / "workstation.pem", "--passphrase-file", self.oem / "passphrase"]

    def recover_arguments(self, answers=None, **changes):
        options = {"campaign": self.campaign, "link": self.link, "answers": answers or self.oem / "answers.json",
                   "identity": self.oem / "technician.p12", "workstation": self.oem / "workstation.pem",
                   "passphrase-file": self.oem / "passphrase", "link-timeout": 1,
                   "vehicle-ca": self.oem / "vehicle-ca.pem" if self.way == "doips" else None}
        options.update({name.replace("_", "-"): value for name, value in changes.items()})
        arguments = ["recover"]
        for name, value in options.items():
            if value is not None:
                arguments += [f"--{name}", value]
        return arguments

    def recover(self, expect=0, answers=None, **changes):
        return self.ctl(*self.recover_arguments(answers, **changes), expect=expect)

    def kill_recover_after(self, lines):
        """Starts a recovery and kills recallctl without warning after so many lines of events."""
        command = [self.bin / "recallctl", "--json", "--data-dir", self.data, *self.recover_arguments()]
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as program:
            for _ in range(lines):
                if not program.stdout.readline():
                    break
            program.kill()

    def interrupt_recover_at(self, is_moment):
        """Sends SIGINT once an event of a recovery is the moment; returns exit code and verdict."""
        command = [self.bin / "recallctl", "--json", "--data-dir", self.data, *self.recover_arguments()]
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
            interrupted, last = False, None
            for line in program.stdout:
                last = json.loads(line)
                if not interrupted and is_moment(last):
                    program.send_signal(signal.SIGINT)
                    interrupted = True
            assert interrupted, "the moment never came"
            return program.wait(TIMEOUT), last

    def answers(self, name="answers-changed.json", **changes):
        """A copy of the answers with members changed (None: removed)."""
        sheet = json.loads((self.oem / "answers.json").read_text())
        for member, value in changes.items():
            if value is None:
                sheet.pop(member, None)
            else:
                sheet[member] = value
        path = self.root / name
        path.write_text(json.dumps(sheet))
        return path

    def show(self):
        """What is really on each ECU: serial → facts."""
        facts = json.loads(self.run("recall-sim", "show", "--state", self.state, "--json"))
        return {ecu["serial"]: ecu for ecu in facts["ecus"]}

    def offers(self, director, image):
        """What each ECU does with metadata of an over-the-air update. The vehicle must be off."""
        return json.loads(self.run("recall-sim", "offer", "--state", self.state, "--director", director, "--image", image, "--json"))["ecus"]

    def offer(self):
        """Is the attacker's metadata accepted? serial → bool. The vehicle must be off."""
        attack = self.oem / "attack"
        return {ecu["serial"]: ecu["accepted"] for ecu in self.offers(attack / "director", attack / "image")}

    def differences(self):
        """(serial, member) where the vehicle is not as the campaign wants it."""
        expected = json.loads((self.oem / "expected.json").read_text())
        shown = self.show()
        return [(serial, member) for serial, wanted in expected.items() for member, value in wanted.items()
                if member != "new_key" and shown[serial][member] != value]

    def events(self):
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wrote(self, since=0):
        """Events of the vehicle's own log that are writes."""
        return [event for event in self.events()[since:] if event["event"] in ("erase", "block", "metadata", "root", "key")]

    def records(self):
        folder = self.root / f"records-{len(os.listdir(self.root))}"
        self.ctl("record", "export", folder)
        return sorted(folder.glob("*.json"), key=lambda path: int(path.name.split("-")[0]))

    def verify(self, record, *more, expect=0):
        return self.ctl("record", "verify", record, "--trust", self.oem / "dealer-ca.pem", "--bundle",
                        self.oem / "campaign.recall", "--service-root", self.oem / "service-root.json", *more, expect=expect)
