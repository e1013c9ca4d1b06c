#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A vehicle that cannot be finished today is closed with exception by two people. Usage: test-close.py BUILD"""
import base64
import hashlib
import json
import subprocess
import sys

from bench import Bench


def close(bench, *more, expect=0, word="towed", second="second.p12"):
    people = ["--identity", bench.oem / "technician.p12", "--workstation", bench.oem / "workstation.pem", "--passphrase-file", bench.oem / "passphrase"]
    if second:
        people += ["--second", bench.oem / second]
    return bench.ctl("recovery", "close", "--vin", bench.vin, "--as", word, *people, *more, expect=expect)


def pending(bench):
    return [(row["type"], row["digest"]) for row in bench.ctl("outbox")["pending"]]


def audit(bench):
    folder = bench.records()[0].parent
    out = bench.run("recall-oem", "--json", "audit", "verify", folder, "--trust", bench.oem / "dealer-ca.pem",
                    "--bundle", bench.oem / "campaign.recall", "--service-root", bench.oem / "service-root.json")
    verdict = json.loads(out.splitlines()[-1])
    return verdict["open"], verdict["hazardous"]


def refusals(bench):
    assert close(bench, second=None, expect=1)["reason"] == "second-person-missing"
    assert close(bench, second="technician.p12", expect=1)["reason"] == "same-person"
    assert close(bench, "--photo", bench.root / "nowhere.jpg", expect=1)["reason"] == "not-found"
    assert close(bench, "--note", "x" * 501, expect=2)["reason"] == "usage"
    bench.run("recallctl", "--data-dir", bench.data, "recovery", "close", "--vin", bench.vin, "--as", "scrapped", expect=2)
    assert bench.ctl("recovery", "close", "--vin", bench.vin, "--as", "towed", "--second", bench.oem / "second.p12", "--passphrase-file",
                     bench.oem / "passphrase", expect=1)["reason"] == "identity"
    assert pending(bench) == []


def never_begun(bench):
    made = close(bench, word="waiting-for-part")
    assert (made["result"], made["vin"]) == ("exception", bench.vin), made
    record, = bench.records()
    assert bench.verify(record)["type"] == "exception"
    vehicle = [{"vin": bench.vin, "campaign": bench.campaign, "result": "exception"}]
    assert audit(bench) == (vehicle, vehicle)


def begun(bench):
    """An interrupted run leaves its own record; the exception is sent before it."""
    code, _ = bench.interrupt_recover_at(lambda event: event.get("event") == "ecu" and event.get("state") == "done")
    assert code == 3
    photo, tag = bench.root / "photo.jpg", bench.root / "tag.pdf"
    photo.write_bytes(b"\xff\xd8 a dented door")
    digest = hashlib.sha256(photo.read_bytes()).hexdigest()
    made = close(bench, "--photo", photo, "--note", "No transport today", "--tag", tag, word="left-against-advice")
    record = next(path for path in bench.records() if made["record"] in path.name)
    predicate = json.loads(base64.b64decode(json.loads(record.read_text())["payload"]))["predicate"]
    assert predicate["exception"] == {"as": "left-against-advice", "text": "No transport today",
                                      "photos": [{"sha256": digest, "length": photo.stat().st_size}]}, predicate["exception"]
    assert predicate["secondPerson"]["name"] != predicate["technician"]["name"] and predicate["firstWriteAt"]
    assert hashlib.sha256((bench.data / "photos" / digest).read_bytes()).hexdigest() == digest
    text = subprocess.run(["pdftotext", "-layout", tag, "-"], capture_output=True, text=True, check=True).stdout
    assert "DO NOT DRIVE THIS VEHICLE" in text and "left-against-advice" in text and bench.vin in text and digest[:20] in text, text
    assert bench.verify(record)["result"] == "exception"
    kinds = [kind for kind, _ in pending(bench)]
    assert kinds == ["exception", "exception", "aborted"], kinds
    opened, hazardous = audit(bench)
    assert len(opened) == len(hazardous) == 1
    # a run that is refused before its first write knows that the vehicle is not to be released
    assert bench.recover(expect=3, answers=bench.answers(items={}))["reason"] == "inspection-missing"


def back(bench):
    assert bench.recover()["result"] == "completed"
    assert audit(bench) == ([], [])
    assert close(bench, expect=1)["reason"] == "no-work-needed"


def main(build):
    bench = Bench(build)
    try:
        bench.start()
        bench.trust_and_import()
        refusals(bench)
        never_begun(bench)
        begun(bench)
        back(bench)
    finally:
        bench.close()


main(sys.argv[1])
