#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A shift changes in the middle of a recovery: the record says who did what, by pseudonym. Usage: test-shift.py BUILD"""
import base64
import json
import signal
import subprocess
import sys

from bench import Bench


def predicate_of(path):
    return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))["predicate"]


def work_until_some_are_done(bench):
    """The first technician's program is killed once two ECUs are done; returns their serials."""
    command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments()]
    done = set()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout:
            event = json.loads(line)
            if event.get("event") == "ecu" and event.get("state") == "done":
                done.add(event["serial"])
            if len(done) == 2:
                program.send_signal(signal.SIGKILL)
                break
        program.wait()
    assert len(done) == 2, done
    return done


def no_name_travels(bench, pseudonyms, register):
    words = [word.encode() for person in register for word in (person["name"], person["name"].split()[-1])]
    travels = [*bench.records(), *bench.data.rglob("*")]
    for path in travels:
        if path.is_file():
            assert not any(word in path.read_bytes() for word in words), path
    steps = bench.run("recallctl", "--data-dir", bench.data, "journal")
    assert not any(word.decode() in steps for word in words)
    assert len(pseudonyms) == 2


def main(build):
    bench = Bench(build)
    try:
        bench.start()
        bench.trust_and_import()
        register = json.loads((bench.oem / "oem/people.json").read_text())["people"]
        first, second = (person["pseudonym"] for person in register)
        done = work_until_some_are_done(bench)
        verdict = bench.recover(identity=bench.oem / "second.p12")
        assert verdict["result"] == "completed", verdict
        record, = bench.records()
        predicate = predicate_of(record)
        assert predicate["technician"]["name"] == second
        performers = {ecu["ecuSerial"]: ecu["performedBy"] for ecu in predicate["ecus"]}
        assert all(performers[serial] == first for serial in done), (done, performers)
        assert set(performers.values()) == {first, second}, performers
        assert {item["performedBy"] for item in predicate["inspection"]["items"]} == {second}
        assert bench.verify(record, "--require", "completed")["ok"]
        model = {ecu["hardware_id"]: ecu["simulation"].get("rxswin") for ecu in json.loads((bench.oem / "vehicle.json").read_text())["ecus"]}
        assert len([rxswin for rxswin in model.values() if rxswin]) == 2
        for ecu in predicate["ecus"]:
            rxswin = model[ecu["hardwareId"]]
            assert ecu["after"].get("rxswin") == rxswin, ecu
            assert ecu["before"].get("rxswin") == (rxswin if ecu["before"]["boot"] == "application" else None), ecu
        assert bench.recover()["writes"] == 0
        third = predicate_of(bench.records()[-1])
        assert {ecu["performedBy"] for ecu in third["ecus"]} == {first}, "a closed recovery has its own record"
        no_name_travels(bench, {first, second}, register)
    finally:
        bench.close()


main(sys.argv[1])
