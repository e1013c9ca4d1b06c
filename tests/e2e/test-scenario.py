#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One scenario from the demo OEM to the audited record, by command line alone.
Usage: test-scenario.py BUILD SCENARIO [doip|doips|bus]"""
import base64
import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
from collections import Counter

from bench import Bench


class Opened:
    """How often each file of a folder is opened, by inotify."""

    IN_CLOSE_NOWRITE, IN_OPEN, NONBLOCK = 0x10, 0x20, 0o4000

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self.events = libc.inotify_init1(self.NONBLOCK)
        # with the closing between them, two openings are two events
        assert libc.inotify_add_watch(self.events, bytes(folder), self.IN_OPEN | self.IN_CLOSE_NOWRITE) >= 0, folder
        self.counts = Counter()

    def count(self):
        try:
            data = os.read(self.events, 1 << 20)
        except BlockingIOError:
            data = b""
        while data:
            _, mask, _, length = struct.unpack_from("iIII", data)
            name = data[16:16 + length].rstrip(b"\0").decode()
            if name and mask & self.IN_OPEN:
                self.counts[name] += 1
            data = data[16 + length:]
        return self.counts


def compromised(bench, scenario):
    """Before: not as wanted, and an ECU trusts the attacker."""
    bench.start()
    bench.stop()
    assert bench.differences(), "the vehicle is not compromised"
    if scenario != "ecu-keys":
        assert any(bench.offer().values()), "no ECU trusts the attacker"
    return {serial: ecu["key_id"] for serial, ecu in bench.show().items()}


def recovered(bench, old_keys):
    bench.start()
    bench.trust_and_import()
    assert bench.ctl("campaign", "check", bench.vin)["ok"]
    identified = bench.ctl("identify", "--link", bench.link, *bench.secured())
    assert identified["vin"] == bench.vin and len(identified["ecus"]) == len(old_keys)
    images = Opened(bench.data / "store/sha256")
    verdict = bench.recover()
    assert verdict["ok"] and verdict["result"] == "completed" and verdict["writes"] > 0, verdict
    assert set(images.count().values()) == {1}, images.count()
    assert {ecu["state"] for ecu in verdict["ecus"]} == {"done"}
    assert not bench.differences(), bench.differences()
    expected = json.loads((bench.oem / "expected.json").read_text())
    for serial, ecu in bench.show().items():
        assert ecu["boot"] == "application"
        assert (ecu["key_id"] != old_keys[serial]) == expected[serial]["new_key"], serial
    return verdict


def write_order_is_safe(bench):
    """Keys are made on known-good images, and the Primary comes last."""
    events = bench.wrote()
    serials = [event["serial"] for event in events]
    primary = [index for index, serial in enumerate(serials) if "TELEMATICS" in serial]
    assert primary and min(primary) > max(i for i, serial in enumerate(serials) if "TELEMATICS" not in serial)
    for serial in set(serials):
        kinds = [event["event"] for event in events if event["serial"] == serial]
        assert kinds.count("key") == 1
        assert "block" not in kinds[kinds.index("key"):], f"{serial}: an image was written after its key was made"


def again(bench, first):
    """A second run writes nothing, by the tool's word and by the vehicle's log."""
    before = len(bench.events())
    verdict = bench.recover()
    assert bench.wrote(since=before) == [], bench.events()[before:]
    assert verdict["ok"] and verdict["writes"] == 0 and verdict["result"] == "completed", verdict
    record = json.loads(base64.b64decode(json.loads(bench.records()[-1].read_text())["payload"]))
    ecus = record["predicate"]["ecus"]
    assert {ecu["outcome"] for ecu in ecus} == {"already-good"}
    assert {ecu["key"]["createdBy"].get("record") for ecu in ecus} == {first["record"]}


def records_hold(bench, other):
    paths = bench.records()
    assert len(paths) == 2
    for path in paths:
        verdict = bench.verify(path, "--require", "completed")
        assert verdict["ok"] and "campaign" in verdict["checked"], verdict
    envelope = json.loads(paths[0].read_text())
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[len(payload) // 2] ^= 1
    envelope["payload"] = base64.b64encode(payload).decode()
    flipped = bench.root / "flipped.json"
    flipped.write_text(json.dumps(envelope))
    assert not bench.verify(flipped, expect=1)["ok"]
    stranger = bench.ctl("record", "verify", paths[0], "--trust", other.oem / "dealer-ca.pem", expect=1)
    assert not stranger["ok"]
    folder = paths[0].parent
    bench.run("recall-oem", "audit", "verify", folder, "--trust", bench.oem / "dealer-ca.pem")
    bench.run("recall-oem", "audit", "verify", folder, "--trust", other.oem / "dealer-ca.pem", expect=1)


def judged_by_openssl(bench):
    """The first signature of a record, checked by openssl over bytes that Python put together."""
    envelope = json.loads(bench.records()[0].read_text())
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    (bench.root / "signed").write_bytes(signed)
    (bench.root / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    der = base64.b64decode(envelope["verification"]["x5c"][0][0])
    pem = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-pubkey"], input=der, capture_output=True, check=True)
    (bench.root / "signer.pub").write_bytes(pem.stdout)
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", bench.root / "signer.pub", "-signature",
                    bench.root / "signature", bench.root / "signed"], check=True, capture_output=True)


def unpacked(bench):
    """The campaign's Director metadata of this VIN, and its Image metadata, each in a folder as a repository has it."""
    with tarfile.open(bench.oem / "campaign.recall") as bundle:
        bundle.extractall(bench.root / "bundle")
    director = bench.root / "campaign-director"
    shutil.copytree(bench.root / "bundle/director/metadata", director)
    for path in (bench.root / "bundle/vins" / bench.vin / "director").iterdir():
        shutil.copy(path, director)
    return director, bench.root / "bundle/image/metadata"


def image_keys_decide(bench):
    """The stolen Image keys under the campaign's own Director: each full verification ECU rejects the Image repository's signatures."""
    director, image = unpacked(bench)
    model = json.loads((bench.oem / "vehicle.json").read_text())
    full = {ecu["hardware_id"] for ecu in model["ecus"] if ecu["verification"] == "full"}
    hardware = {serial: ecu["hardware_id"] for serial, ecu in bench.show().items()}
    genuine = bench.offers(director, image)
    assert all(ecu["accepted"] for ecu in genuine), genuine
    stolen = bench.offers(director, bench.oem / "attack/image")
    assert len(full) > 1 and {ecu["serial"] for ecu in stolen if not ecu["accepted"]} == {s for s, h in hardware.items() if h in full}, stolen
    assert {ecu["reason"] for ecu in stolen if not ecu["accepted"]} == {"threshold-unmet"}, stolen
    assert not bench.differences(), "the offer changed something"


def main():
    build, scenario = sys.argv[1:3]
    bench = Bench(build, scenario, way="".join(sys.argv[3:]) or "doip")
    other = Bench(build, "director")
    try:
        old_keys = compromised(bench, scenario)
        first = recovered(bench, old_keys)
        write_order_is_safe(bench)
        again(bench, first)
        bench.stop()
        if scenario != "ecu-keys":
            assert not any(bench.offer().values()), "an ECU still trusts the attacker"
            assert not bench.differences(), "the offer changed something"
        if scenario.startswith("image-"):
            image_keys_decide(bench)
        records_hold(bench, other)
        judged_by_openssl(bench)
    finally:
        bench.close()
        other.close()


main()
