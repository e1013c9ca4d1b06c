#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The first page of the window: what a workstation lacks, the links that are found, recoveries in progress, languages

gui-run.sh drive-first.py BINDIR CASE [--pictures DIR]
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from screen import ROLE, wait_for  # noqa: E402
from workshop import Bay, Technician, check_record, check_vehicle  # noqa: E402

CONNECT = "Connect to the vehicle"
DOIP_PORT = 13400  # where a search finds a vehicle of this computer


def lacks(bay, technician):
    """Nothing is installed: the page names what is missing, how to provide it, and why the vehicle cannot be connected."""
    screen = technician.screen
    screen.wait_label("No OEM is trusted on this workstation")
    screen.wait_label("recallctl trust add FILE --name OEM")
    assert not screen.is_sensitive(CONNECT)
    technician.picture("no-trust")
    bay.trust()
    screen.click("Search again")
    screen.wait_label("No campaign is imported")
    screen.wait_label("recallctl bundle import FILE")
    assert "No OEM is trusted on this workstation" not in screen.labels()
    assert not screen.is_sensitive(CONNECT)
    technician.picture("no-campaign")
    bay.import_bundle()
    screen.click("Search again")
    screen.wait_label("In campaign ")
    wait_for("the page without what was missing", lambda: "No campaign is imported" not in screen.labels())
    wait_for("the button", lambda: screen.is_sensitive(CONNECT))
    technician.picture("ready")


def says_why(bay, technician):
    """The reason why the vehicle cannot be connected is on the page, and goes when it is met."""
    screen = technician.screen
    screen.wait_label("In campaign ")
    wait_for("the button", lambda: screen.is_sensitive(CONNECT))
    for field, wrong, right, reason in (("VIN", bay.vin[:-1], bay.vin, "Enter the VIN: 17 letters and digits"),
                                        ("Odometer in km", "12x", "12", "Enter the odometer in digits"),
                                        ("Link, for example doip://192.168.0.10", "", bay.link, "Select a link, or enter its address")):
        screen.type(field, wrong)
        screen.wait_label(reason)
        assert not screen.is_sensitive(CONNECT), reason
        screen.type(field, right)
        wait_for(f"the button after {reason!r}", lambda: screen.is_sensitive(CONNECT))
        assert reason not in screen.labels()
    screen.click(CONNECT)
    technician.connect()
    screen.wait_label("3 items are open")
    technician.inspect(False)
    screen.wait_label("Enter the last four characters of the VIN")
    technician.picture("plan-says-why")


def links(bay, technician):
    """A vehicle that is found is chosen from the list; the next window has its link entered already."""
    screen = technician.screen
    screen.wait_label("Select a link, or enter its address")
    screen.wait_label(bay.vin, 30)
    technician.picture("links")
    name = wait_for("the link of the vehicle", lambda: next((node.get_name() for node in screen.nodes(ROLE.PUSH_BUTTON) if node.get_name().startswith("Use DoIP")), None))
    screen.click(name)
    wait_for("the button", lambda: screen.is_sensitive(CONNECT))
    screen.wait_label("· selected")
    technician.picture("link-chosen")
    screen.click(CONNECT)
    screen.wait_label("The VIN read from the vehicle equals the VIN on the plate")
    wait_for("the inspection", lambda: screen.is_sensitive("Start the inspection"))
    screen.close()
    bay.close()
    technician.screen = screen = bay.window(link=None)
    screen.wait_label("Link used last")
    wait_for("the button, with the link used last", lambda: screen.is_sensitive(CONNECT))
    technician.picture("last-link")


def age(bay, technician):
    """The vehicle is gone during the inspection: its values grow old, are not good any more, and the inspection does not end."""
    screen = technician.screen
    screen.wait_label("In campaign ")
    screen.click(CONNECT)
    technician.connect()
    screen.wait_label("13.40 V")
    for question in sorted({node.get_name().split("?")[0] for node in screen.nodes(ROLE.PUSH_BUTTON) if "?: " in node.get_name()}):
        screen.click(f"{question}?: OK")
    wait_for("a good inspection", lambda: screen.is_sensitive("Finish the inspection"))
    bay.close()
    screen.wait_label("13.40 V, ", 60)
    screen.wait_label(": no current value", 60)
    assert not screen.is_sensitive("Finish the inspection")
    technician.picture("outdated")


def silent_ecu(bay, technician):
    """An ECU does not respond: the summary of the ECUs counts it, as its row does."""
    screen = technician.screen
    screen.wait_label("In campaign ")
    screen.click(CONNECT)
    screen.wait_label("6 of 7 ECUs read", 90)
    wait_for("the inspection", lambda: screen.is_sensitive("Start the inspection"), 90)
    assert not any("7 of 7 ECUs" in label for label in screen.labels())
    technician.picture("silent-ecu")


def resumed(bay, technician):
    """The program is killed in mid-write: the next one shows the vehicle that is not to be released, and finishes it."""
    screen = technician.screen
    screen.wait_label("In campaign ")
    screen.click(CONNECT)
    technician.connect()
    technician.inspect(False)
    technician.authorise()
    screen.wait_label("Step 5 of 9")
    assert bay.simulator.wait(60) == 0
    screen.wait_label("link-lost", 90)
    screen.process.send_signal(signal.SIGKILL)
    screen.process.wait(60)
    bay.power_on()
    technician.screen = screen = bay.window(link=None, answers=None)
    screen.wait_label("Recoveries in progress")
    screen.wait_label("Do not release this vehicle")
    assert screen.find(ROLE.PUSH_BUTTON, f"Resume {bay.vin}")
    technician.picture("in-progress")
    screen.click(f"Resume {bay.vin}")
    screen.wait_label("In campaign ")
    wait_for("the button", lambda: screen.is_sensitive(CONNECT))
    screen.click(CONNECT)
    technician.connect()
    technician.inspect(False)
    technician.authorise()
    technician.work()
    technician.sign()
    check_vehicle(bay)
    check_record(bay)
    screen.click("Next vehicle")
    wait_for("the page without a recovery", lambda: screen.is_there(CONNECT) and "Recoveries in progress" not in screen.labels())


def german(bay, technician):
    """In a German locale every text of the first page is German."""
    screen = technician.screen
    screen.wait_label("In Kampagne ")
    screen.wait_label("Schritt 1 von 9")
    screen.wait_label("Das Fahrzeug am Arbeitsplatz bestimmen und seine Verbindung wählen.")
    wait_for("the button", lambda: screen.is_sensitive("Mit dem Fahrzeug verbinden"))
    assert screen.is_there("Erneut suchen")
    technician.picture("german")
    screen.click("Mit dem Fahrzeug verbinden")
    screen.wait_label("Die gelesene FIN stimmt mit der FIN auf dem Typenschild überein")
    technician.picture("german-connection")
    screen.click("Prüfung beginnen")
    screen.wait_label("13.40 V")
    technician.picture("german-inspection")


CASES = {
    "lacks": (lacks, {"installed": False}, {}),
    "says-why": (says_why, {}, {}),
    "links": (links, {"port": DOIP_PORT}, {"link": None}),
    "age": (age, {}, {}),
    "silent-ecu": (silent_ecu, {"faults": ["brake:no-answer"]}, {}),
    "resumed": (resumed, {"faults": ["brake:kill@block=9"]}, {}),
    "german": (german, {}, {}),
}


def speak_german(folder):
    """A German locale with the contents of C.UTF-8; under C.UTF-8 itself gettext translates nothing."""
    (folder / "locale").mkdir()
    (folder / "locale/de_DE.utf8").symlink_to("/usr/lib/locale/C.utf8")
    os.environ.update({"LOCPATH": str(folder / "locale"), "LC_ALL": "de_DE.UTF-8", "LANGUAGE": ""})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=Path)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    play, bench, window = CASES[options.case]
    folder = Path(tempfile.mkdtemp())
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    bay = Bay(options.bin, folder, **bench)
    if options.case == "german":
        speak_german(folder)
    technician = Technician(bay, bay.window(**window), options.pictures)
    try:
        play(bay, technician)
    except Exception:
        print("on screen:", technician.screen.labels(), file=sys.stderr)
        if options.pictures:
            technician.screen.picture(options.pictures / "failure.png")
        raise
    finally:
        technician.screen.close()
        bay.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
