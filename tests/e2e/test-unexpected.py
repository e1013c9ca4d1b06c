#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An ECU that the campaign's vehicle model does not have answers in the vehicle: the record names it, and only it.
Usage: test-unexpected.py BUILD [doip|bus]"""
import base64
import json
import sys

from bench import Bench


def add_an_ecu(bench):
    """A copy of the door's ECU under addresses of its own, in the simulated vehicle alone."""
    path = bench.oem / "vehicle.json"
    model = json.loads(path.read_text())
    ecu = json.loads(json.dumps(next(ecu for ecu in model["ecus"] if ecu["name"] == "door")))
    ecu.update(name="implant", label="Implant", hardware_id="hw-implant-1", logical="0x100F")
    ecu["can"] = {"request": "0x7E3", "response": "0x7EB"}
    model["ecus"].append(ecu)
    path.write_text(json.dumps(model))
    path = bench.oem / "vehicle/seed.json"
    seed = json.loads(path.read_text())
    entry = next(entry for entry in seed["ecus"] if entry["name"] == "door")
    seed["ecus"].append({**entry, "name": "implant", "serial": "SN-IMPLANT-0001"})
    path.write_text(json.dumps(seed))


def predicate_of(bench):
    return json.loads(base64.b64decode(json.loads(bench.records()[-1].read_text())["payload"]))["predicate"]


def recover(bench):
    bench.start()
    bench.trust_and_import()
    verdict = bench.recover()
    assert verdict["result"] == "completed", verdict
    record = bench.records()[-1]
    assert bench.verify(record, "--require", "completed")["ok"]
    return verdict, predicate_of(bench)


def main(build, way="doip"):
    for implanted, unexpected in ((False, []), (True, [{"doip": "ECU 100f", "bus": "ECU 07e3"}[way]])):
        bench = Bench(build, way=way)
        try:
            if implanted:
                add_an_ecu(bench)
            verdict, predicate = recover(bench)
            assert predicate["preflight"]["unexpected"] == unexpected, predicate["preflight"]
            assert verdict["unexpected"] == unexpected, verdict
        finally:
            bench.close()


main(*sys.argv[1:])
