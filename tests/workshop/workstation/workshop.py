# SPDX-License-Identifier: Apache-2.0
"""A made-up OEM, its vehicle and a technician at the window, for tests of the window."""

import json
import subprocess

from screen import ROLE, Screen, wait_for


class Bay:
    """A made-up OEM, one simulated vehicle, a workstation that trusts the OEM."""

    def __init__(self, binaries, folder, scenario="director", demo=(), faults=(), timing="fast", secured=False, port=0, installed=True):
        self.bin, self.folder, self.timing, self.port, self.secured = binaries, folder, timing, port, secured
        self.oem, self.data, self.state = folder / "oem", folder / "data", folder / "vehicle"
        self.run("recall-oem", "demo", self.oem, "--scenario", scenario, "--image-size", "40000", *demo)
        self.vin = (self.oem / "vin.txt").read_text().strip()
        self.log = folder / "vehicle.log"
        self.power_on(faults)
        if installed:
            self.trust()
            self.import_bundle()

    def trust(self):
        self.ctl("trust", "add", self.oem / "service-root.json", "--name", "Demo OEM")

    def import_bundle(self):
        self.ctl("bundle", "import", self.oem / "campaign.recall")

    def power_on(self, faults=()):
        command = [self.bin / "recall-sim", "--model", self.oem / "vehicle.json", "--state", self.state, "--doip", f"127.0.0.1:{self.port}",
                   "--timing", self.timing, "--log", self.log]
        for fault in faults:
            command += ["--fault", fault]
        if self.secured:
            command += ["--doips", "127.0.0.1:0"]
        self.simulator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.simulator.stdout.readline())
        self.port = int(ready["doip"].rpartition(":")[2])
        self.link = "doips://" + ready["doips"] if self.secured else "doip://" + ready["doip"]

    def run(self, program, *arguments):
        return subprocess.run([self.bin / program, *arguments], check=True, capture_output=True, text=True).stdout

    def ctl(self, *arguments):
        return self.run("recallctl", "--data-dir", self.data, *arguments)

    def show(self):
        return json.loads(self.run("recall-sim", "show", "--state", self.state, "--json").splitlines()[-1])

    def window(self, link=True, answers=True):
        """A window; without a link, or without the answers file, where a person enters them."""
        return Screen([self.bin / "recallbay", "--data-dir", self.data, *(["--link", self.link] if link else []),
                       *(["--answers", self.oem / "answers.json"] if answers else []), "--identity", self.oem / "technician.p12", "--workstation", self.oem / "workstation.pem",
                       "--passphrase-file", self.oem / "passphrase"])

    def close(self):
        if self.simulator.poll() is None:
            self.simulator.terminate()
        self.simulator.wait(timeout=20)


class Technician:
    def __init__(self, bay, screen, pictures):
        self.bay, self.screen, self.pictures, self.n = bay, screen, pictures, 0

    def picture(self, name):
        self.n += 1
        if self.pictures:
            self.screen.picture(self.pictures / f"{self.n:02}-{name}.png")

    def identify(self):
        screen = self.screen
        screen.wait_label("In campaign ")
        self.picture("vehicle")
        screen.type("VIN", "1RBDM7AA2TA99999")
        screen.wait_label("16 of 17 characters")
        assert not screen.is_sensitive("Connect to the vehicle"), "a VIN of 16 characters is taken"
        screen.type("VIN", "1RBDM7AA2TA999999")
        screen.wait_label("No open campaign for this vehicle")
        assert not screen.is_sensitive("Connect to the vehicle"), "a VIN that no campaign names is taken"
        self.picture("vehicle-unknown")
        screen.type("VIN", self.bay.vin.lower())
        screen.wait_label("In campaign ")
        screen.click("Connect to the vehicle")

    def connect(self):
        self.screen.wait_label("The VIN read from the vehicle equals the VIN on the plate")
        self.picture("connect")
        self.screen.click("Start the inspection")

    def inspect(self, fail):
        screen = self.screen
        screen.wait_label("13.40 V")
        assert not screen.is_sensitive("Finish the inspection"), "the inspection can be finished without an answer"
        self.picture("inspect")
        answers = [node.get_name() for node in screen.nodes(ROLE.PUSH_BUTTON) if "?: " in node.get_name()]
        questions = sorted({name.split("?")[0] for name in answers})
        assert len(questions) == 3, answers
        for i, question in enumerate(questions):
            screen.click(f"{question}?: {'Not OK' if fail and i == 0 else 'OK'}")
        screen.click("Finish the inspection")

    def authorise(self):
        screen = self.screen
        screen.wait_label("Software: ")
        assert not screen.is_sensitive("Authorise and start"), "the work can be started without the end of the VIN"
        screen.type("Last four characters of the VIN", self.bay.vin[-4:])
        wait_for("the start button", lambda: screen.is_sensitive("Authorise and start"))
        self.picture("plan")
        screen.click("Authorise and start")

    def work(self):
        screen = self.screen
        screen.wait_label("Step 5 of 9")
        self.picture("work")
        wait_for("the end of the work", lambda: screen.is_sensitive("See the result"), 120)
        self.picture("work-done")
        screen.click("See the result")

    def sign(self):
        screen = self.screen
        screen.wait_label("The vehicle is complete")
        screen.wait_label("DTCs before: 911A13; after: none")
        self.picture("verify")
        screen.click("Go to the signature")
        screen.wait_label("What you sign")
        self.picture("sign")
        screen.click("Sign the record")
        screen.wait_label("completed")
        self.picture("record")
        screen.click("Show the outbox")
        screen.wait_label("waiting")
        self.picture("outbox")


def check_vehicle(bay):
    expected = json.loads((bay.oem / "expected.json").read_text())
    shown = bay.show()
    found = {ecu["serial"]: ecu for ecu in shown["ecus"]}
    for serial, wanted in expected.items():
        for member, value in wanted.items():
            if member != "new_key" and value is not None:
                assert found[serial][member] == value, (serial, member, value, found[serial][member])


def check_record(bay):
    records = bay.folder / "records"
    bay.ctl("record", "export", records)
    files = sorted(records.glob("*.json"))
    assert len(files) == 1, files
    bay.ctl("record", "verify", files[0], "--trust", bay.oem / "dealer-ca.pem", "--bundle", bay.oem / "campaign.recall", "--service-root",
            bay.oem / "service-root.json", "--require", "completed")
