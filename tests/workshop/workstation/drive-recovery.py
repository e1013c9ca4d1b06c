#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A whole recovery through the window: every screen, by what assistive technology can do

gui-run.sh drive-recovery.py BINDIR [--scenario NAME] [--fail-inspection] [--doips] [--pictures DIR]
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from workshop import Bay, Technician, check_record, check_vehicle  # noqa: E402


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=Path)
    parser.add_argument("--scenario", default="director")
    parser.add_argument("--fail-inspection", action="store_true")
    parser.add_argument("--doips", action="store_true", help="the vehicle takes TLS only")
    parser.add_argument("--pictures", type=Path)
    return parser.parse_args()


def drive(bay, technician, fail):
    before = bay.show()
    technician.identify()
    technician.connect()
    technician.inspect(fail)
    if fail:
        technician.screen.wait_label("inspection-failed")
        technician.picture("inspection-failed")
        assert bay.show() == before, "something was written after a failed inspection"
        return
    technician.authorise()
    technician.work()
    technician.sign()
    check_vehicle(bay)
    check_record(bay)


def main():
    options = parse()
    folder = Path(tempfile.mkdtemp())
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    bay = Bay(options.bin, folder, options.scenario, secured=options.doips)
    if options.doips:
        shutil.copy(bay.oem / "vehicle-ca.pem", bay.data)
    try:
        screen = bay.window()
        try:
            drive(bay, Technician(bay, screen, options.pictures), options.fail_inspection)
        except Exception:
            print("on screen:", screen.labels(), file=sys.stderr)
            if options.pictures:
                screen.picture(options.pictures / "failure.png")
            raise
        finally:
            screen.close()
    finally:
        bay.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
