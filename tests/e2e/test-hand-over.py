#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A recovery begins at one workstation and ends at another, with and without the hand-over file. Usage: test-hand-over.py BUILD"""
import base64
import json
import signal
import subprocess
import sys

from bench import Bench

LASTING = "no-foreign-devices"


def predicate_of(path):
    return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))["predicate"]


def hand_over(bench, path, *more, expect=0):
    return bench.ctl("recovery", "hand-over", "--vin", bench.vin, "-o", path, "--identity", bench.oem / "technician.p12",
                     "--workstation", bench.oem / "workstation.pem", "--passphrase-file", bench.oem / "passphrase", *more, expect=expect)


def begin(bench, meanwhile=None):
    """The first workstation is killed once four ECUs are done; returns their serials."""
    command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments()]
    done = set()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout:
            event = json.loads(line)
            if event.get("event") == "ecu" and event.get("state") == "done":
                done.add(event["serial"])
            if len(done) == 4:
                break
        program.send_signal(signal.SIGSTOP)
        if meanwhile:
            meanwhile()
        program.kill()
    assert len(done) == 4, done
    return done


def another_workstation(bench, name):
    bench.data = bench.root / name
    bench.trust_and_import()


def keys_made(bench):
    made = {}
    for event in bench.events():
        if event["event"] == "key":
            made[event["serial"]] = made.get(event["serial"], 0) + 1
    return made


def refuse_files_that_are_none(bench, file):
    changed = bench.root / "changed.json"
    envelope = json.loads(file.read_text())
    envelope["payload"] = base64.b64encode(base64.b64decode(envelope["payload"]).replace(b'"image"', b'"imag3"')).decode()
    changed.write_text(json.dumps(envelope))
    assert bench.ctl("recovery", "take-over", changed, expect=1)["reason"] == "record-signature"
    assert bench.ctl("recovery", "take-over", bench.root / "nowhere", expect=1)["reason"] == "not-found"
    another_workstation(bench, "without-campaign")
    bench.ctl("bundle", "remove", bench.campaign)
    assert bench.ctl("recovery", "take-over", file, expect=1)["reason"] == "campaign-unknown"


def check_file(bench, file, done):
    verdict = bench.verify(file)
    assert (verdict["type"], verdict["result"], verdict["reason"]) == ("partial", "handed-over", "ok"), verdict
    assert bench.verify(file, "--require", "completed", expect=1)["reason"] == "not-completed"
    predicate = predicate_of(file)
    written = {entry["ecu"] for entry in predicate["handOver"]["evidence"]}
    assert done <= written, (done, written)
    assert predicate["firstWriteAt"] and predicate["inspection"]["outcome"] == "pass"
    assert {ecu["reason"] for ecu in predicate["ecus"]} == {"handed-over"}


def finish(bench, second, answers=None):
    verdict = bench.recover(identity=bench.oem / second, answers=answers)
    assert verdict["result"] == "completed" and bench.differences() == [], verdict
    return predicate_of(next(path for path in bench.records() if verdict["record"] in path.name))


def with_the_file(bench):
    first, file, tag = bench.data, bench.root / "hand-over.json", bench.root / "tag.pdf"
    assert hand_over(bench, file, expect=1)["reason"] == "not-started"
    taken = []
    done = begin(bench, lambda: taken.append(hand_over(bench, file, expect=1)["reason"]))
    assert taken == ["in-use"], taken
    made = hand_over(bench, file, "--tag", tag)
    assert made["result"] == "handed-over" and tag.read_bytes().startswith(b"%PDF")
    check_file(bench, file, done)
    refuse_files_that_are_none(bench, file)
    another_workstation(bench, "second")
    # nothing was taken over yet: every answer is asked for
    answers = json.loads((bench.oem / "answers.json").read_text())
    del answers["items"][LASTING]
    shorter = bench.answers(items=answers["items"])
    assert bench.recover(expect=1, answers=shorter)["reason"] == "inspection-missing"
    taken = bench.ctl("recovery", "take-over", file)
    assert taken["record"] == made["record"] and taken["keys"] >= 1 and taken["images"] >= 2, taken
    assert bench.ctl("recovery", "take-over", file) == taken
    del answers["items"]["parking-brake"]
    again = bench.answers("answers-too-short.json", items=answers["items"])
    assert bench.recover(expect=3, answers=again)["reason"] == "inspection-missing"
    before = keys_made(bench)
    predicate = finish(bench, "second.p12", shorter)
    after = keys_made(bench)
    assert all(before[serial] == after[serial] for serial in done), (before, after)
    shown = {ecu["ecuSerial"]: ecu["key"].get("createdBy") for ecu in predicate["ecus"] if ecu["ecuSerial"] in done}
    assert all(by in (None, {"record": made["record"]}) for by in shown.values()) and any(shown.values()), shown
    people = {item["id"]: item["performedBy"] for item in predicate["inspection"]["items"]}
    assert people[LASTING] != people["parking-brake"], people
    audit(bench, made["record"])
    # the same file says what it is at the workstation that made it, and holds nothing there
    bench.data = first
    assert bench.ctl("recovery", "take-over", bench.records()[0])["record"] == made["record"]
    bench.ctl("bundle", "remove", bench.campaign)


def audit(bench, record):
    """Both records of the second workstation, and the chain of evidence between them."""
    records = bench.records()
    assert any(record in path.name for path in records), records
    verdict = json.loads(bench.run("recall-oem", "--json", "audit", "verify", records[0].parent, "--trust", bench.oem / "dealer-ca.pem",
                                   "--bundle", bench.oem / "campaign.recall", "--service-root", bench.oem / "service-root.json").splitlines()[-1])
    assert verdict["ok"] and verdict["key_creation_unchecked"] == [], verdict
    final = next(path for path in records if record not in path.name)
    assert bench.ctl("recovery", "take-over", final, expect=1)["reason"] == "not-handed-over"


def through_three(bench):
    """The second workstation hands over what it took over; the evidence is followed back to the first."""
    done, files = begin(bench), [bench.root / "first.json", bench.root / "second.json"]
    first = hand_over(bench, files[0])
    another_workstation(bench, "fourth")
    bench.ctl("recovery", "take-over", files[0])
    second = hand_over(bench, files[1])
    shown = {entry["shownBy"].get("record") for entry in predicate_of(files[1])["handOver"]["evidence"]}
    assert shown == {first["record"]} and predicate_of(files[1])["firstWriteAt"] == predicate_of(files[0])["firstWriteAt"], shown
    another_workstation(bench, "fifth")
    bench.ctl("recovery", "take-over", files[1])
    predicate = finish(bench, "second.p12")
    created = [ecu["key"].get("createdBy") for ecu in predicate["ecus"] if ecu["ecuSerial"] in done]
    assert {"record": second["record"]} in created, created
    final = next(path for path in bench.records() if second["record"] not in path.name)
    for given, followed in (([*files, final], True), ([files[1], final], False)):
        lines = bench.run("recallctl", "--json", "record", "verify", *given, "--trust", bench.oem / "dealer-ca.pem").splitlines()
        verdict = json.loads(lines[-1])
        assert verdict["ok"] and ("key-creation" in verdict["checked"]) == followed, verdict


def without_the_file(bench):
    coded = {serial for serial, ecu in bench.show().items() if ecu["coding"]}
    assert coded
    done = begin(bench)
    before = keys_made(bench)
    another_workstation(bench, "third")
    # the coding of an ECU that stood erased when the first workstation was killed is known only there
    erased = {serial for serial in coded if bench.show()[serial]["coding"] == {}}
    if erased:
        verdict = bench.recover(identity=bench.oem / "second.p12", expect=3)
        assert {ecu["serial"]: ecu["reason"] for ecu in verdict["ecus"] if ecu["state"] == "parked"} == dict.fromkeys(erased, "coding-lost"), verdict
        return
    predicate = finish(bench, "second.p12")
    after = keys_made(bench)
    kinds = {ecu["ecuSerial"]: ecu["key"]["kind"] for ecu in predicate["ecus"]}
    for serial in done:
        assert after[serial] == before[serial] + (kinds[serial] == "asymmetric"), (serial, before, after)


def main(build):
    for course in (with_the_file, through_three, without_the_file):
        bench = Bench(build)
        try:
            bench.start()
            bench.trust_and_import()
            course(bench)
        finally:
            bench.close()


main(sys.argv[1])
