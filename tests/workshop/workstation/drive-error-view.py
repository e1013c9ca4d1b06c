#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong at the vehicle, as the technician meets it in the window

gui-run.sh drive-error-view.py BINDIR CASE [--pictures DIR]
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "link/doip"))
import certificates  # noqa: E402
from screen import ROLE, wait_for  # noqa: E402
from workshop import Bay, Technician, check_record, check_vehicle  # noqa: E402

TECHNICIAN = "1.3.6.1.4.1.58270.77.1"
HELD_BACK = "Do not release this vehicle"


def to_the_plan(technician):
    technician.screen.wait_label("In campaign ")
    technician.screen.click("Connect to the vehicle")
    technician.connect()
    technician.inspect(False)


def start(technician):
    to_the_plan(technician)
    technician.authorise()
    technician.screen.wait_label("Step 5 of 9")


def result(technician):
    screen = technician.screen
    wait_for("the end of the work", lambda: screen.is_sensitive("See the result"), 120)
    technician.picture("work-ended")
    screen.click("See the result")


def records(bay):
    bay.ctl("record", "export", bay.folder / "records")
    found = sorted((bay.folder / "records").glob("*.json"), key=lambda path: int(path.name.split("-")[0]))
    shutil.rmtree(bay.folder / "records-before", ignore_errors=True)
    (bay.folder / "records").rename(bay.folder / "records-before")
    return [json.loads(bay.ctl("record", "show", path.stem.split("-")[1], "--json").splitlines()[-1]) for path in found]


def finish(bay, technician):
    """The work goes on where the vehicle stands, and ends well."""
    screen = technician.screen
    screen.click("Resume recovery")
    # GTK presses a button for 250 ms before it acts: the end of the run before must not be taken for that of the new one.
    wait_for("the work to begin again", lambda: not screen.is_there("Resume recovery"))
    technician.work()
    technician.sign()
    check_vehicle(bay)


def lying_ecu(bay, technician):
    """An ECU that says it is done and is not: the verdict is red, the record says so, the others are named as done."""
    start(technician)
    result(technician)
    screen = technician.screen
    screen.wait_label(HELD_BACK)
    screen.wait_label("6 of 7 ECUs verified")
    technician.picture("held-back")
    assert sum(label == "done" for label in screen.labels()) == 6, screen.labels()
    screen.click("Go to the signature")
    screen.wait_label("not complete. Do not release the vehicle.")
    technician.picture("sign")
    screen.click("Sign the record")
    screen.wait_label("incomplete")
    screen.wait_label(HELD_BACK)
    technician.picture("record")
    screen.click("Show the outbox")
    screen.wait_label("waiting")


def stop_safely(bay, technician):
    """What is being written is brought to its end, nothing else is begun; afterwards the work goes on."""
    start(technician)
    screen = technician.screen
    screen.wait_label("image", 60)
    screen.click("Stop safely")
    shown = wait_for("the stop to be told", lambda: next((text for text in screen.labels() if text.startswith(("Stopping at the next safe point", "stopped;"))), None))
    if shown.startswith("Stopping"):  # a slow machine may look when it has stopped
        technician.picture("stopping")
    wait_for("the stop", lambda: screen.is_sensitive("See the result"), 120)
    screen.wait_label("cancelled")
    technician.picture("stopped")
    shown = {ecu["serial"]: ecu["boot"] for ecu in bay.show()["ecus"]}
    assert set(shown.values()) == {"application"}, f"an ECU was left unfinished: {shown}"
    finish(bay, technician)
    check_record(bay)


def power_cut(bay, technician):
    """The vehicle dies in the middle of an image: contact lost, nothing claimed; power back, the same window finishes."""
    start(technician)
    assert bay.simulator.wait(60) == 0
    screen = technician.screen
    screen.wait_label("link-lost", 90)
    technician.picture("link-lost")
    assert screen.is_sensitive("See the result")
    screen.click("See the result")
    screen.wait_label(HELD_BACK)
    screen.click("Back")
    screen.wait_label("Step 5 of 9")
    assert screen.is_there("Resume recovery"), "the work cannot be resumed after its result was seen"
    screen.click("Close")
    screen.wait_label("The work on this vehicle is not signed")
    technician.picture("not-signed")
    screen.click("Keep open")
    bay.power_on()
    finish(bay, technician)
    check_record(bay)


def waits(bay, technician):
    """Contact comes back by itself, then the battery is too weak: the window says what it waits for, and goes on."""
    start(technician)
    assert bay.simulator.wait(60) == 0
    screen = technician.screen
    screen.wait_label("link-refused")
    bay.power_on(["telematics:voltage=11000"])
    screen.wait_label("voltage-low")
    screen.wait_label("Connect a charger")
    technician.picture("waits")
    assert not screen.is_there("Resume recovery")
    bay.close()
    bay.power_on()
    technician.work()
    assert not any("voltage-low" in label for label in screen.labels())
    technician.sign()
    check_vehicle(bay)


def terminated(bay, technician):
    """SIGTERM while the vehicle is written to: the program ends by itself, at a safe point, with 3."""
    start(technician)
    screen = technician.screen
    screen.wait_label("image", 60)
    screen.process.send_signal(signal.SIGTERM)
    ended = screen.process.wait(120)
    assert ended == 3, f"ended with {ended}, although the vehicle is written to and no record is signed"
    shown = {ecu["serial"]: ecu["boot"] for ecu in bay.show()["ecus"]}
    assert set(shown.values()) == {"application"}, f"an ECU was left unfinished: {shown}"


def closed(bay, technician):
    """Closing the window while the vehicle is written to asks; keeping on is the default."""
    start(technician)
    screen = technician.screen
    screen.wait_label("image", 60)
    screen.click("Close")
    screen.wait_label("The vehicle is being written to")
    technician.picture("closing")
    screen.click("Keep working")
    technician.work()
    technician.sign()
    check_vehicle(bay)


def second_person(bay, technician):
    """The campaign asks for two people: one alone, or the same one twice, does not start the work."""
    screen = technician.screen
    before = bay.show()
    to_the_plan(technician)
    screen.wait_label("Software: ")
    screen.type("Last four characters of the VIN", bay.vin[-4:])
    screen.find(ROLE.TEXT, "Second person’s identity file")
    assert not screen.is_sensitive("Authorise and start"), "one person alone can start the work"
    passphrase = (bay.oem / "passphrase").read_text().strip()
    screen.type("Second person’s passphrase", passphrase)
    screen.type("Second person’s identity file", str(bay.oem / "technician.p12"))
    screen.click("Authorise and start")
    screen.wait_label("same-person")
    technician.picture("same-person")
    assert bay.show() == before, "something was written before a second person signed in"
    screen.type("Last four characters of the VIN", bay.vin[-4:])
    screen.type("Second person’s identity file", str(bay.oem / "second.p12"))
    screen.click("Authorise and start")
    technician.work()
    technician.sign()
    check_vehicle(bay)
    check_record(bay)


def usage(bay, technician):
    """Unknown options and arguments are wrong usage, before a window opens."""
    for arguments in (["--nonsense"], ["file", "other"]):
        ended = subprocess.run([bay.bin / "recallbay", *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 2 and "[usage]" in ended.stderr, (arguments, ended)


def untrusted_signer(bay, technician):
    """A technician of a self-made authority: the OEM knows nobody of it, and nothing is written."""
    screen = technician.screen
    before = bay.show()
    person = bay.folder / "impostor.pem"
    impostor = certificates.authority("Aurora Motors Dealer CA")
    person.write_text(certificates.Holder("Alex Kim", impostor, [TECHNICIAN]).identity_pem + impostor.pem)
    to_the_plan(technician)
    screen.wait_label("Software: ")
    screen.type("Last four characters of the VIN", bay.vin[-4:])
    screen.type("Technician’s identity file", str(person))
    screen.click("Authorise and start")
    screen.wait_label("signer-not-trusted")
    technician.picture("signer-not-trusted")
    assert bay.show() == before, "something was written by a person whom the OEM does not know"
    screen.type("Last four characters of the VIN", bay.vin[-4:])
    screen.type("Technician’s identity file", str(bay.oem / "technician.p12"))
    screen.click("Authorise and start")
    technician.work()
    technician.sign()
    check_vehicle(bay)
    check_record(bay)


def one_at_a_time(bay, technician):
    """A data directory has one window, and the vehicle at which the window works is nobody else's."""
    window = technician.screen.process.pid
    path = bay.folder / "another path"
    path.symlink_to(bay.data)
    second = subprocess.run([bay.bin / "recallbay", "--data-dir", path], capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1, second
    assert f"in use by “recallbay” (process {window}, user " in second.stdout + second.stderr, second
    to_the_plan(technician)
    other = bay.folder / "another workstation"
    shutil.copytree(bay.data, other)
    inspect = subprocess.run([bay.bin / "recallctl", "--json", "--data-dir", other, "inspect", "--campaign", (bay.oem / "campaign.txt").read_text().strip(),
                              "--link", bay.link, "--answers", bay.oem / "answers.json"], capture_output=True, text=True, timeout=60, check=False)
    verdict = json.loads(inspect.stdout.splitlines()[-1])
    assert (inspect.returncode, verdict["reason"]) == (1, "in-use"), verdict
    assert f"vehicle {bay.vin}: in use by “recallbay” (process {window}, user " in verdict["message"], verdict
    technician.authorise()
    technician.work()
    technician.sign()
    check_vehicle(bay)


CASES = {
    "usage": (usage, {}),
    "one-at-a-time": (one_at_a_time, {}),
    "untrusted-signer": (untrusted_signer, {}),
    "lying-ecu": (lying_ecu, {"faults": ["brake:wrong-digest"]}),
    "stop-safely": (stop_safely, {"timing": "real", "demo": ["--image-size", "120000"]}),  # long enough to be seen on a slow machine
    "power-cut": (power_cut, {"faults": ["brake:kill@block=9"]}),
    "waits": (waits, {"faults": ["brake:kill@block=9"]}),
    "terminated": (terminated, {"timing": "real"}),
    "closed": (closed, {"timing": "real"}),
    "second-person": (second_person, {"demo": ["--second-person"]}),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=Path)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    play, bench = CASES[options.case]
    folder = Path(tempfile.mkdtemp())
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    bay = Bay(options.bin, folder, **bench)
    screen = bay.window()
    try:
        play(bay, Technician(bay, screen, options.pictures))
    except Exception:
        print("on screen:", screen.labels(), file=sys.stderr)
        raise
    finally:
        screen.close()
        bay.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
