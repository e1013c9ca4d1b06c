#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a workshop: each fault ends with a reason, nothing is called done that is not, and the same command
finishes. Usage: test-faults.py BUILD [TEST…]"""
import base64
import json
import random
import signal
import sqlite3
import subprocess
import sys
import traceback

from bench import Bench

# authentication, download, exit, file transfer, reset: the first of each; routines: each of the first seven
LOST = ("0x29@1", "0x34@1", "0x37@1", "0x38@1", "0x11@1") + tuple(f"0x31@{count}" for count in range(1, 8))


def fresh(build, *faults, **start):
    bench = Bench(build)
    bench.start(*[word for fault in faults for word in ("--fault", fault)], **start)
    bench.trust_and_import()
    return bench


def restart(bench, *faults, **start):
    bench.stop()
    bench.start(*[word for fault in faults for word in ("--fault", fault)], **start)


def refused_before_writing(bench, reason, expect=1, **arguments):
    verdict = bench.recover(expect=expect, **arguments)
    assert verdict["reason"] == reason and not verdict["ok"], verdict
    assert verdict["writes"] == 0 and bench.wrote() == []
    assert bench.ctl("record", "list")["records"] == []


def finishes(bench):
    verdict = bench.recover()
    assert verdict["ok"] and not bench.differences(), verdict


def test_vin(build):
    bench = fresh(build)
    refused_before_writing(bench, "vin-missing", answers=bench.answers(vin=None))
    refused_before_writing(bench, "vin-invalid", answers=bench.answers(vin="1RBDM7AA2TA00000O"))
    refused_before_writing(bench, "not-in-scope", answers=bench.answers(vin="1M8GDM9AXKP042788"))
    refused_before_writing(bench, "campaign-unknown", campaign="R-1999-01")
    return bench


def test_second_person(build):
    """A campaign for two: nobody, the same person twice, somebody who is no technician, then two people."""
    bench = Bench(build, demo=("--second-person",))
    bench.start()
    bench.trust_and_import()
    refused_before_writing(bench, "second-person-missing")
    refused_before_writing(bench, "same-person", second=bench.oem / "technician.p12")
    refused_before_writing(bench, "key-usage", second=bench.oem / "workstation.pem")
    assert bench.recover(second=bench.oem / "second.p12")["ok"]
    record = bench.records()[-1]
    assert bench.verify(record, "--require", "completed")["ok"]
    assert len(json.loads(record.read_text())["signatures"]) == 3
    return bench


def test_another_car(build):
    bench = fresh(build, vin="1M8GDM9AXKP042788")
    refused_before_writing(bench, "vin-mismatch")
    return bench


def test_inspection(build):
    bench = fresh(build)
    items = json.loads((bench.oem / "answers.json").read_text())["items"]
    first = next(iter(items))
    refused_before_writing(bench, "inspection-failed", answers=bench.answers(items={**items, first: "not-ok"}))
    refused_before_writing(bench, "inspection-missing", answers=bench.answers(items={}))
    verdict = bench.ctl("inspect", "--campaign", bench.campaign, "--link", bench.link, "--answers",
                        bench.oem / "answers.json")
    assert verdict["ok"] and bench.wrote() == []
    return bench


def test_measured(build):
    bench = fresh(build, "telematics:voltage=11000")
    refused_before_writing(bench, "voltage-low")
    restart(bench, "telematics:voltage=16500")
    refused_before_writing(bench, "voltage-high")
    restart(bench, "telematics:speed=1200")
    refused_before_writing(bench, "moving")
    restart(bench, "telematics:ignition=0")
    refused_before_writing(bench, "ignition")
    restart(bench)
    finishes(bench)
    return bench


def test_identities(build):
    bench = fresh(build)
    refused_before_writing(bench, "key-usage", identity=bench.oem / "workstation.pem")
    wrong = bench.root / "wrong"
    wrong.write_text("not the passphrase\n")
    refused_before_writing(bench, "passphrase", passphrase_file=wrong)
    return bench


def test_no_link(build):
    bench = fresh(build)
    refused_before_writing(bench, "link-refused", link="doip://127.0.0.1:1")
    refused_before_writing(bench, "usage", link="smoke-signal:1", expect=None)
    return bench


def test_padded_texts(build):
    """VIN, serial number, part number and software version in fields of fixed length: of every kind of ECU, SHE and partial
    verification ones among them. Nothing is wrong-answer or ecu-unexpected, and no text is lost or longer than it is."""
    for fault, length in (("pad", 24), ("pad-spaces", 24), ("pad", 100)):
        bench = fresh(build, f"*:{fault}={length}")
        shown = bench.show()
        told = bench.ctl("identify", "--link", bench.link)
        assert told["vin"] == bench.vin, told
        assert {ecu["serial"]: ecu["hardware_id"] for ecu in told["ecus"]} == {
            serial: ecu["hardware_id"] for serial, ecu in shown.items()}, told
        assert all(ecu["software"] and ecu["software"].strip(" \0") == ecu["software"] for ecu in told["ecus"]), told
        finishes(bench)
        assert bench.verify(bench.records()[-1], "--require", "completed")["ok"]
        if length < 100:
            bench.close()
    return bench


def test_link_drops_and_comes_back(build):
    bench = fresh(build, "door:drop-link@block=7")
    finishes(bench)
    return bench


def test_power_cut(build):
    """The vehicle dies in the middle of an image: exit 3, journal intact, the same command resumes."""
    bench = fresh(build, "brake:kill@block=9")
    verdict = bench.recover(expect=3)
    assert verdict["reason"] == "link-lost" and verdict["result"] == "aborted", verdict
    assert bench.vehicle.wait(30) == 0
    [cut] = [step for step in bench.ctl("journal", "--vin", bench.vin)["steps"] if step["step"] == "image" and step["serial"] == "SN-BRAKE-0001"]
    assert cut["bytes"] > 0 and cut["reason"] != "ok", cut
    record = bench.records()[-1]
    assert bench.verify(record)["result"] == "aborted"
    bench.verify(record, "--require", "completed", expect=1)
    restart(bench)
    finishes(bench)
    return bench


def test_waits_for_a_person(build):
    """What the work waits for is told, once, and so is that it goes on: contact, then the battery."""
    bench = fresh(build, "brake:kill@block=9")
    command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments(link_timeout=60)]
    told, texts = [], []
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        for line in program.stdout:
            event = json.loads(line)
            if event.get("event") not in ("waiting", "resumed"):
                continue
            told.append(event.get("reason", "resumed"))
            texts.append(event.get("text", ""))
            if told == ["link-refused"]:
                restart(bench, "telematics:voltage=11000", doip=bench.plain)
            elif told[-1] == "voltage-low":
                restart(bench, doip=bench.plain)
        code = program.wait(60)
    assert code == 0 and event["ok"] and not bench.differences(), event
    assert any("Supply voltage: 11.00 V, allowed: 12.00 V to 15.00 V" in text for text in texts), texts
    assert told[0] == "link-refused" and "voltage-low" in told and told[-1] == "resumed", told
    assert len(told) < 10, told
    return bench


def test_cable_moved(build):
    """The link drops in the middle of an image and comes back on another car: not one byte for that one."""
    bench = fresh(build, "brake:kill@block=9")
    command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments(link_timeout=60)]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        assert bench.vehicle.wait(60) == 0
        bench.stop()
        log, state, bench.log, bench.state = bench.log, bench.state, bench.root / "other.log", bench.root / "other"
        bench.start(vin="1M8GDM9AXKP042788", doip=bench.plain)
        *_, last = program.stdout
        code, verdict = program.wait(60), json.loads(last)
    assert code == 3 and verdict["reason"] == "vin-mismatch" and verdict["result"] == "aborted", (code, verdict)
    assert bench.events() == []
    bench.log, bench.state = log, state
    restart(bench)
    finishes(bench)
    return bench


def test_killed_program(build):
    """kill -9 of recallctl at seeded moments; every time the same command goes on."""
    bench = fresh(build)
    moments = random.Random(20261123)
    for _ in range(6):
        bench.kill_recover_after(moments.randint(5, 400))
    finishes(bench)
    return bench


def test_lost_journal(build):
    """The journal cannot be read any more in the middle of the work: a vehicle that was written to is not called untouched."""
    bench = fresh(build)
    journal = bench.data / "recallbay.db"
    command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments()]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        lost = False
        for line in program.stdout:
            verdict = json.loads(line)
            if verdict.get("event") == "progress" and not lost:
                with sqlite3.connect(journal, timeout=20) as database:
                    database.execute("ALTER TABLE step RENAME TO lost")
                lost = True
        code = program.wait(60)
    assert lost and bench.wrote()
    assert code == 3 and verdict["reason"] == "database" and "Do not release" in verdict["message"], (code, verdict)
    with sqlite3.connect(journal, timeout=20) as database:
        database.execute("DROP TABLE IF EXISTS step")
        database.execute("ALTER TABLE lost RENAME TO step")
    finishes(bench)
    return bench


def test_clock_set_back(build):
    """The first run began by a clock that was ahead and was put right since: the vehicle is finished and gets its record."""
    bench = fresh(build)
    bench.kill_recover_after(60)
    with sqlite3.connect(bench.data / "recallbay.db", timeout=20) as database:
        changed = database.execute("UPDATE recovery SET started = started + 7200").rowcount
    assert changed == 1 and bench.ctl("record", "list")["records"] == []
    finishes(bench)
    record = bench.records()[-1]
    assert bench.verify(record, "--require", "completed")["ok"]
    predicate = predicate_of(record)
    assert predicate["startedAt"] <= predicate["firstWriteAt"] <= predicate["finishedAt"], predicate
    return bench


def test_killed_vehicle(build):
    bench = fresh(build)
    bench.kill_recover_after(60)
    bench.stop(signal.SIGKILL)
    bench.start()
    finishes(bench)
    return bench


def test_interrupted(build):
    """Ctrl-C while an image is written: that ECU is brought to its end, no other is begun, the same command goes on."""
    bench = fresh(build)
    code, verdict = bench.interrupt_recover_at(lambda event: event.get("event") == "progress")
    assert code == 3 and verdict["reason"] == "cancelled" and verdict["result"] == "aborted", (code, verdict)
    states = [ecu["state"] for ecu in verdict["ecus"]]
    assert "done" in states and "parked" in states, states
    begun = {step["serial"] for step in bench.ctl("journal", "--vin", bench.vin)["steps"]}
    assert begun == {ecu["serial"] for ecu in verdict["ecus"] if ecu["state"] == "done"}, (begun, verdict)
    finishes(bench)
    return bench


def predicate_of(record):
    return json.loads(base64.b64decode(json.loads(record.read_text())["payload"]))["predicate"]


def parks(build, fault, reason, serial, stage="report", nrc=None):
    """One ECU that lies or refuses holds the vehicle back, and hides no other one; mended, the same command finishes."""
    bench = fresh(build, fault)
    verdict = bench.recover(expect=3)
    states = {ecu["serial"]: (ecu["state"], ecu["reason"]) for ecu in verdict["ecus"]}
    assert states.pop(serial) == ("parked", reason), verdict
    assert set(states.values()) == {("done", "ok")}, states
    assert verdict["reason"] == "not-complete" and verdict["result"] == "incomplete"
    record = bench.records()[-1]
    assert bench.verify(record)["type"] == "partial"
    bench.verify(record, "--require", "completed", expect=1)
    failed = {ecu["ecuSerial"]: ecu["failure"] for ecu in predicate_of(record)["ecus"] if ecu["outcome"] == "failed"}
    assert list(failed) == [serial] and failed[serial]["text"], failed
    assert (failed[serial]["stage"], failed[serial].get("nrc")) == (stage, nrc), failed
    restart(bench)
    finishes(bench)
    return bench


def test_lost_metadata(build):
    return parks(build, "lamp:lose-metadata", "metadata-not-proven", "SN-LAMP-0001")


def test_no_key_update(build):
    """A symmetric key can only be replaced by what the OEM computed for that ECU: without it the part has to be replaced."""
    bench = Bench(build)
    folder = bench.root / "campaign"
    folder.mkdir()
    subprocess.run(["tar", "-xf", bench.oem / "campaign.recall", "-C", folder], check=True)
    (folder / "vins" / bench.vin / "she.json").unlink()
    bench.start()
    bench.ctl("trust", "add", bench.oem / "service-root.json", "--name", "OEM")
    bench.ctl("bundle", "import", folder)
    verdict = bench.recover(expect=3)
    states = {ecu["serial"]: (ecu["state"], ecu["reason"]) for ecu in verdict["ecus"]}
    assert states.pop("SN-SENSOR-0001") == ("parked", "hardware-needed") and set(states.values()) == {("done", "ok")}, verdict
    assert bench.verify(bench.records()[-1])["type"] == "partial"
    return bench


def test_wrong_digest(build):
    return parks(build, "brake:wrong-digest", "image-not-proven", "SN-BRAKE-0001")


def test_kept_key(build):
    return parks(build, "door:keep-key", "key-not-proven", "SN-DOOR-0001")


def test_wrong_proof(build):
    return parks(build, "lamp:wrong-proof", "key-not-proven", "SN-LAMP-0001")


def test_refused_unlock(build):
    return parks(build, "steering:refuse=0x29", "refused", "SN-STEERING-0001", "unlock", 0x22)


def test_dead_ecu(build):
    return parks(build, "lamp:no-answer", "no-answer", "SN-LAMP-0001", "look")


def test_lost_answers(build):
    """The answer to what may not be asked twice is lost: the ECU is looked at again and gone on with, in the same run."""
    names = ("steering", "brake", "door", "sensor")
    for lost in (LOST[i:i + len(names)] for i in range(0, len(LOST), len(names))):
        for turn in (0, 2):
            bench = fresh(build, *(f"{name}:lose-answer={lost[(turn + i) % len(lost)]}" for i, name in enumerate(names)))
            finishes(bench)
            bench.stop()
    return bench


def recover_events(bench, expect=0, **changes):
    """The verdict of a recovery, and its events but progress."""
    out = bench.run("recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments(**changes), expect=expect)
    *events, verdict = map(json.loads, out.strip().splitlines())
    return verdict, [event for event in events if event.get("event") != "progress"]


def test_connection_is_confirmed(build):
    """The vehicle asks for a confirmation of the connection (0x11) and grants it later on the same socket."""
    bench = fresh(build, "*:confirm=1500")
    verdict, events = recover_events(bench)
    assert verdict["ok"] and not bench.differences(), verdict
    told = [(event["event"], event.get("reason")) for event in events if event.get("event") in ("waiting", "resumed")]
    assert told == [("waiting", "link-confirmation"), ("resumed", None)], told
    assert any("at the vehicle" in event.get("text", "") for event in events)
    restart(bench, "*:confirm=0")
    verdict, events = recover_events(bench, expect=1)
    assert verdict["reason"] == "link-confirmation" and verdict["writes"] == 0, verdict
    return bench


def test_security_delay(build):
    """After power-on an ECU allows no unlocking for a time: it is waited for, and a person reads why."""
    bench = fresh(build)
    restart(bench, "door:security-delay=12000", "lamp:security-delay=12000")
    verdict, events = recover_events(bench)
    assert verdict["ok"] and not bench.differences(), verdict
    told = [(event["event"], event.get("reason")) for event in events if event.get("event") in ("waiting", "resumed")]
    assert ("waiting", "security-delay") in told and told[-1] == ("resumed", None), told
    assert any("requiredTimeDelayNotExpired" in event.get("text", "") for event in events if event.get("event") == "waiting")
    return bench


def blocks_of(bench, name):
    return [event["length"] for event in bench.events() if event["event"] == "block" and event["serial"] == f"SN-{name.upper()}-0001"]


def test_blocks_too_long(build):
    """ECU, gateway and DoIP entity take less than 0x74 offered: shorter blocks for the rest of the run, and nothing is parked."""
    limits = {"brake": ("block-limit", 1000), "door": ("block-abort", 700), "lamp": ("long-nack", 1500), "steering": ("long-nack", 602)}
    bench = fresh(build, *(f"{name}:{kind}={limit}" for name, (kind, limit) in limits.items()))
    finishes(bench)
    for name, (_, limit) in limits.items():
        assert 100 < max(blocks_of(bench, name)) <= limit, (name, blocks_of(bench, name))
    bench.stop()
    bench = fresh(build, "*:long-header=2000")
    finishes(bench)
    assert max(blocks_of(bench, "brake")) <= 2000
    return bench


def test_blocks_too_long_for_can(build):
    """FC OVFLW to the first frame."""
    bench = Bench(build, way="bus")
    bench.start("--fault", "brake:overflow=900")
    bench.trust_and_import()
    finishes(bench)
    assert 100 < max(blocks_of(bench, "brake")) <= 898
    return bench


def test_another_tester_address(build):
    """The model says as which tester the vehicle is connected to, and with which type of activation."""
    bench = Bench(build, demo=("--tester", 0x0F42))
    bench.start()
    assert bench.ctl("identify", "--link", bench.link, expect=1)["reason"] == "link-refused"
    bench.trust_and_import()
    identified = bench.ctl("identify", "--link", bench.link)
    assert identified["vin"] == bench.vin and len(identified["ecus"]) == 7, identified
    finishes(bench)
    return bench


def tears(build, fault, done):
    """The vehicle loses power in the middle of a step that the ECU stores in two writes, and the same command completes it."""
    bench = fresh(build, fault)
    assert not bench.recover(expect=3)["ok"] and bench.vehicle.wait(60) == 0
    restart(bench)
    before = len(bench.events())
    finishes(bench)
    serial = f"SN-{fault.partition(':')[0].upper()}-0001"
    again = {event["event"] for event in bench.wrote(before) if event["serial"] == serial}
    assert done in again, again
    assert bench.verify(bench.records()[-1], "--require", "completed")["ok"]
    return bench


def test_torn_install(build):
    """It reports the new metadata and does not know what they assign to it: Primary, full and partial verification Secondary, SHE."""
    for name in ("telematics", "brake", "door", "sensor"):
        tears(build, f"{name}:torn-install@1", "metadata").close()


def test_torn_key(build):
    """It has no key any more and rejects the proof of one: Primary, full and partial verification Secondary."""
    for name in ("telematics", "brake", "door"):
        tears(build, f"{name}:torn-key", "key").close()


def test_busy_and_pending(build):
    bench = fresh(build, "*:pending=20", "brake:busy@150", "door:busy@200")
    finishes(bench)
    return bench


def test_bundles(build):
    """Bad bundles leave nothing behind."""
    bench = Bench(build)
    other = Bench(build)
    bench.ctl("trust", "add", bench.oem / "service-root.json", "--name", "OEM")
    whole = (bench.oem / "campaign.recall").read_bytes()
    truncated = bench.root / "truncated.recall"
    truncated.write_bytes(whole[: len(whole) * 2 // 3])
    assert bench.ctl("bundle", "import", truncated, expect=1)["reason"] == "bundle-truncated"
    assert not bench.ctl("bundle", "import", other.oem / "campaign.recall", expect=1)["ok"]
    assert bench.ctl("bundle", "list")["campaigns"] == []
    other.close()
    return bench


def main():
    failed = []
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_") and name in (sys.argv[2:] or [name])]
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        bench = None
        try:
            bench = test(sys.argv[1])
            print(f"ok {number} {name}", flush=True)
        except Exception:  # the next fault is tested all the same
            traceback.print_exc()
            print(f"not ok {number} {name}", flush=True)
            failed.append(name)
        finally:
            if bench is not None:
                bench.close()
    sys.exit(1 if failed else 0)


main()
