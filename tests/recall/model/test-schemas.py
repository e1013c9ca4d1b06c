#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""parser and JSON Schema say the same of every file, good or bad: test-schemas.py PARSER SCHEMAS"""

import copy
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import jsonschema

PARSER, SCHEMAS = sys.argv[1], Path(sys.argv[2])
GOOD = Path(__file__).parent / "good"
GONE = object()


def recipe(changes):
    """A recipe of one step that is changed."""
    step = {"id": "fuse-out", "text": "Pull the fuse."} | changes
    return {"steps": [{name: value for name, value in step.items() if value is not GONE}]}


# (where, value): what a file is changed to, and what the parser's message must then name
BAD = {
    "vehicle-model": [
        (("extra",), 1), (("format",), "recallbay-vehicle-model-2"), (("id",), "../x"), (("id",), ""), (("id",), "x" * 65), (("id",), ".x"),
        (("name",), ""), (("name",), "a\nb"), (("name",), 3), (("functional",), "E400"), (("functional",), "0x10000"),
        (("functional",), "0x0"), (("functional",), 58368), (("can_functional",), "0x20000000"), (("buses",), GONE), (("buses",), {}),
        (("link",), []), (("link",), {"vehicle_certificate": "none"}), (("link",), {"vehicle_certificate": True}),
        (("link",), {"vehicle_certificate": "any", "extra": 1}),
        (("buses", 0, "kind"), "lin"), (("buses", 0, "name"), GONE), (("buses", 1, "bitrate"), 1), (("buses", 1, "bitrate"), "500000"),
        (("buses", 1, "data_bitrate"), 20000001), (("buses", 0, "extra"), 1), (("ecus",), []), (("ecus", 1, "name"), "a b"),
        (("ecus", 1, "label"), ""), (("ecus", 1, "hardware_id"), GONE), (("ecus", 1, "supplier"), None), (("ecus", 1, "supplier"), "a/b"),
        (("ecus", 1, "profile"), "profiles/x.json"), (("ecus", 1, "primary"), "yes"), (("ecus", 1, "primary"), True),
        (("ecus", 0, "primary"), False), (("ecus", 0, "verification"), "partial"), (("ecus", 1, "verification"), "none"),
        (("ecus", 1, "optional"), "yes"), (("ecus", 1, "optional"), None), (("ecus", 0, "optional"), True),
        (("ecus", 1, "bus"), GONE), (("ecus", 1, "gateway"), ""), (("ecus", 1, "gateway"), 7), (("ecus", 1, "logical"), "1002"),
        (("ecus", 1, "logical"), "0x10002"), (("ecus", 1, "logical"), 4098), (("ecus", 1, "can", "request"), "0x20000000"),
        (("ecus", 1, "can", "request"), GONE), (("ecus", 1, "can", "extension"), 256), (("ecus", 1, "can", "extension"), -1),
        (("ecus", 1, "can", "response_extension"), 1), (("ecus", 5, "can", "response_extension"), 256),
        (("ecus", 1, "can", "fd"), 1), (("ecus", 1, "can", "extra"), 1), (("ecus", 1, "can"), []), (("ecus", 1, "simulation"), []),
        (("ecus", 1, "extra"), None), (("link",), 1), (("link",), {"tester": 0x0E80}), (("link",), {"tester": "0x0"}),
        (("link",), {"tester": "0x10000"}), (("link",), {"activation_type": "0x100"}), (("link",), {"activation_type": 224}),
        (("link",), {"extra": "0x0E80"}),
    ],
    "profile": [
        (("extra",), 1), (("format",), "recallbay-campaign-1"), (("id",), "a/b"), (("name",), None), (("timing", "p2_ms"), 0),
        (("timing", "p2_ms"), 10001),
        (("timing", "p2_star_ms"), 60001), (("timing", "p2_max_ms"), 10001), (("timing", "p2_max_ms"), "50"), (("timing", "p2_star_max_ms"), 60001),
        (("timing", "p2_star_max_ms"), 0), (("timing", "busy_ms"), 60001), (("timing", "busy_ms"), None), (("timing", "security_delay_ms"), 600001),
        (("timing", "security_delay_ms"), 1.5), (("timing", "lost_responses"), 0), (("timing", "lost_responses"), 101), (("timing", "s3_ms"), GONE), (("timing", "max_pending"), -1),
        (("timing", "erase_ms"), 600001), (("timing", "boot_ms"), "10"), (("timing", "p2_star_ms"), 0), (("timing", "extra"), 1),
        (("communication_control",), "01"), (("communication_control",), None), (("communication_control",), True), (("communication_control",), []),
        (("flash", "fingerprint"), "F15"), (("flash", "fingerprint"), 0xF15A), (("coding",), {}), (("coding",), []), (("coding",), [{"did": "0600"}]),
        (("coding",), [{"did": "0x600", "name": "Coding"}]), (("coding",), [{"did": "0600", "name": "Coding", "empty": ""}]),
        (("coding",), [{"did": "0600", "name": "Coding", "empty": "F"}]), (("coding",), [{"did": "0600", "name": "Coding", "extra": 1}]),
        (("unlock", "method"), "password"), (("unlock", "level"), 1), (("unlock",), {"method": "security-access"}),
        (("unlock",), {"method": "security-access", "level": 2, "algorithm": "xor"}),
        (("unlock",), {"method": "security-access", "level": 1, "algorithm": "a b"}),
        (("unlock",), {"method": "security-access", "level": 127, "algorithm": "xor"}),
        (("unlock",), {"method": "security-access", "level": 1, "algorithm": "xor", "proof": "recallbay-0x29-v2"}),
        (("unlock",), {"method": "none", "proof": "bare-challenge"}), (("unlock", "proof"), "recallbay-0x29-v1"), (("unlock", "proof"), True),
        (("unlock", "proof"), None), (("unlock", "proof"), ""),
        (("identification", "vin"), GONE), (("identification", "vin"), "F19"), (("identification", "vin"), "0000"),
        (("identification", "vin"), "0xF190"), (("identification", "vin"), 61840), (("identification", "speed"), "G000"),
        (("identification", "extra"), "F1F1"), (("identification", "rxswin"), 0xF1EF), (("identification", "rxswin"), None), (("identification", "part_number"), 0xF187), (("identification", "part_number"), None), (("identification", "she_counter"), GONE), (("flash", "erase"), GONE),
        (("flash", "digest_by"), "tester"), (("flash", "max_block"), -1), (("flash", "max_block"), 1048577), (("flash", "extra"), 1),
        (("metadata", "install"), GONE), (("metadata", "root_in_image"), GONE), (("metadata", "root_in_image"), 0),
        (("metadata", "drop"), "222"), (("key", "kind"), "rsa"), (("key", "kind"), "none"), (("key", "kind"), "asymmetric"),
        (("key", "she_slot"), 0), (("key", "she_slot"), 15), (("key", "she_load"), GONE), (("report", "routine"), GONE),
        (("report", "manifest"), ""), (("order",), []), (("order",), ["unlock", "wash", "image", "reset", "key", "report"]),
        (("order",), "unlock"), (("order", 4), "reset"), (("order", 8), "reset"), (("abort_recoverable",), GONE),
        (("recipe",), None), (("recipe",), []), (("recipe",), {}), (("recipe",), {"steps": []}), (("recipe",), {"steps": {}}),
        (("recipe",), recipe({}) | {"extra": 1}), (("recipe",), recipe({}) | {"part": ""}), (("recipe",), recipe({}) | {"part": "x" * 65}),
        (("recipe",), recipe({}) | {"part": 4711}), (("recipe",), recipe({"id": "a b"})), (("recipe",), recipe({"id": GONE})),
        (("recipe",), recipe({"text": GONE})), (("recipe",), recipe({"text": ""})), (("recipe",), recipe({"text": "x" * 501})),
        (("recipe",), recipe({"check": "smell"})), (("recipe",), recipe({"check": None})), (("recipe",), recipe({"check": "none"})),
        (("recipe",), recipe({"check": "ignition"})), (("recipe",), recipe({"check": "ignition", "position": 16})),
        (("recipe",), recipe({"check": "ignition", "position": "on"})), (("recipe",), recipe({"check": "silent", "position": 2})),
        (("recipe",), recipe({"position": 2})), (("recipe",), recipe({"within_s": 5})), (("recipe",), recipe({"check": "silent", "within_s": 601})),
        (("recipe",), recipe({"wait_s": 601})), (("recipe",), recipe({"wait_s": -1})), (("recipe",), recipe({"wait_s": True})),
        (("recipe",), recipe({"extra": 1})), (("recipe",), {"steps": recipe({})["steps"] * 33}),
    ],
    "campaign": [
        (("extra",), 1), (("format",), "recallbay-profile-1"), (("id",), "R 1"), (("version",), 0), (("version",), 2147483647),
        (("version",), "1"), (("title",), ""), (("title",), "x" * 201), (("oem",), GONE), (("oem_number",), 7),
        (("nhtsa_number",), ""), (("scenario",), "other"), (("issued",), "2026-11-23"), (("issued",), "2026-11-23T15:31:07+01:00"),
        (("expires",), GONE), (("market",), ""), (("nonce",), "00" * 31), (("nonce",), "AB" * 32), (("scope",), {}),
        (("scope",), {"all": False}), (("scope",), {"all": True, "vins": ["1RBDM7AA2TA000001"]}), (("scope",), {"vins": []}),
        (("scope",), {"vins": ["1RBDM7AA2TA00000"]}), (("scope",), {"vins": ["1RBDM7AA2TA00000I"]}),
        (("scope",), {"vins": ["1rbdm7aa2ta000001"]}), (("scope",), {"vins": ["1RBDM7AA2TA000001", "1RBDM7AA2TA000001"]}),
        (("scope",), {"table": "scopes/R-1.table"}), (("scope",), {"table": "scopes/R-1.table", "sha256": "AB" * 32}),
        (("scope",), {"table": "scopes/R-1.json", "sha256": "ab" * 32}), (("scope",), {"table": "regions/R-1.table", "sha256": "ab" * 32}),
        (("scope",), {"table": "scopes/a/R-1.table", "sha256": "ab" * 32}), (("scope",), {"table": "scopes/.table", "sha256": "ab" * 32}),
        (("scope",), {"table": ["scopes/R-1.table"], "sha256": "ab" * 32}), (("scope",), {"table": None, "sha256": "ab" * 32}),
        (("scope",), {"table": "scopes/R-1.table", "sha256": "ab" * 32, "all": True}),
        (("scope",), {"vins": [f"1RBDM7AA2TA{number:06}" for number in range(10001)]}),
        (("scope", "extra"), 1), (("vehicle_model",), "aurora.json"), (("vehicle_model",), "models/../x.json"),
        (("vehicle_model",), "models/a/b.json"), (("roots", "image"), GONE), (("roots", "extra"), {}), (("roots", "image", "version"), 0),
        (("roots", "image", "sha256"), "00"), (("roots", "image", "pinned"), "no"), (("roots", "director", "extra"), 1),
        (("ecus",), []), (("ecus", 0, "coding"), {}), (("ecus", 0, "coding"), []), (("ecus", 0, "coding"), [{"did": "0600"}]),
        (("ecus", 0, "coding"), [{"did": "600", "value": "00"}]), (("ecus", 0, "coding"), [{"did": "0600", "value": "0"}]),
        (("ecus", 0, "coding"), [{"did": "0600", "value": ""}]), (("ecus", 0, "coding"), [{"did": "0600", "value": "00" * 256}]),
        (("ecus", 0, "coding"), [{"did": "0600", "value": "00", "extra": 1}]), (("ecus", 0, "conditions"), True), (("ecus", 0, "conditions"), []),
        (("ecus", 0, "conditions"), [{"kind": "hardware-version", "did": "F193"}]),
        (("ecus", 0, "conditions"), [{"kind": "hardware", "did": "F193", "values": ["1"]}]),
        (("ecus", 0, "conditions"), [{"kind": "software", "did": "F195", "values": []}]),
        (("ecus", 0, "conditions"), [{"kind": "software", "did": "F195", "values": [""]}]),
        (("ecus", 0, "conditions"), [{"kind": "software", "did": "F195", "values": [1]}]),
        (("ecus", 0, "conditions"), [{"kind": "software", "did": "F195", "values": "2.0"}]),
        (("ecus", 0, "conditions"), [{"kind": "coding-class", "did": "0600", "values": ["0x"]}]),
        (("ecus", 0, "hardware_id"), ""), (("ecus", 0, "profile"), "profiles/x"), (("ecus", 0, "image"), "/etc/passwd"),
        (("ecus", 0, "image"), "a/../b"), (("ecus", 0, "image"), "a//b"), (("ecus", 0, "image"), "./a"), (("ecus", 0, "image"), "a\tb"),
        (("ecus", 0, "image"), ""), (("ecus", 0, "image"), "x" * 513), (("ecus", 0, "image_sha256"), "Z" * 64),
        (("ecus", 0, "new_key"), GONE), (("ecus", 0, "extra"), 1), (("checklist", "items"), []), (("checklist", "version"), 0),
        (("checklist", "items", 0, "kind"), "guessed"), (("checklist", "items", 0, "low"), 1), (("checklist", "items", 0, "text"), ""),
        (("checklist", "items", 0, "help"), 3), (("checklist", "items", 0, "may_be_na"), "yes"), (("checklist", "items", 0, "may_be_na"), None), (("checklist", "items", 0, "lasting"), 1), (("checklist", "items", 3, "lasting"), True),
        (("checklist", "items", 3, "may_be_na"), True), (("checklist", "items", 3, "measure"), "smell"), (("checklist", "items", 3, "low"), GONE),
        (("checklist", "items", 3, "low"), -1), (("checklist", "items", 3, "high"), 1000001), (("checklist", "items", 3, "unit"), GONE),
        (("checklist", "items", 3, "wait_s"), 3601), (("checklist", "items", 3, "extra"), 1), (("checklist", "extra"), 1),
        (("after",), []), (("after",), "R-1"), (("after",), None), (("after",), ["R-1", "R-1"]), (("after",), ["R 1"]), (("after",), [1]),
        (("supersedes",), []), (("supersedes",), {"R-1": True}), (("supersedes",), [""]), (("supersedes",), ["R-%d" % i for i in range(17)]),
        (("second_person",), GONE), (("organisations",), GONE), (("organisations",), ["One"]), (("organisations",), ["One", "One"]),
        (("organisations",), "One"), (("organisations",), ["One", ""]), (("remedy",), ""), (("labour_operation",), "x" * 65),
    ],
}
BAD["trust-list"] = [
    (("log_key",), ""), (("log_key",), 1), (("log_key",), None), (("log_key",), "a\nb"), (("log_key",), "k" * 301),
    (("extra",), 1), (("format",), "recallbay-trust-list-2"), (("version",), 0), (("version",), 2147483647), (("version",), "1"), (("oem",), ""),
    (("oem",), "x" * 101), (("oem",), "a\nb"), (("issued",), "2026-11-23"), (("issued",), 1795966267), (("max_age_days",), 0), (("max_age_days",), 31),
    (("max_age_days",), "30"), (("minimum_version",), "1"), (("minimum_version",), "1.2.x"), (("minimum_version",), "01.2.3"),
    (("minimum_version",), "1.2.3.4"), (("minimum_version",), 1), (("wmis",), "1RB"), (("wmis", 0), ""), (("wmis", 0), "1rb"), (("wmis", 0), "1OB"),
    (("wmis", 0), "1RBDM7AA2"), (("wmis", 0), 1), (("dealer_cas",), {}), (("dealer_cas", 0), ""), (("dealer_cas", 0), "-----BEGIN CERTIFICATE-----"),
    (("dealer_cas", 0), None), (("revoked",), None), (("revoked", 0), "ab" * 32), (("revoked", 0, "sha256"), "AB" * 32),
    (("revoked", 0, "sha256"), "ab" * 31), (("revoked", 0, "sha256"), GONE), (("revoked", 0, "since"), "yesterday"), (("revoked", 0, "since"), GONE),
    (("revoked", 0, "reason"), "lost"), (("revoked", 0, "reason"), GONE), (("revoked", 0, "extra"), 1), (("withdrawn",), {}), (("withdrawn", 0), 7),
    (("withdrawn", 0, "campaign"), "../x"), (("withdrawn", 0, "campaign"), GONE), (("withdrawn", 0, "since"), 0), (("withdrawn", 0, "reason"), ""),
    (("withdrawn", 0, "reason"), GONE), (("withdrawn", 0, "extra"), 1),
]
# what only the parser can see: relations between members
ONLY_PARSER = {
    "vehicle-model": [
        (("ecus", 1, "name"), "brake"), (("ecus", 1, "hardware_id"), "hw-brake-1"), (("ecus", 1, "logical"), "0x1004"),
        (("ecus", 1, "logical"), "0xE400"), (("ecus", 1, "can"), {"request": "0x603", "response": "0x690"}),
        (("ecus", 1, "can"), {"request": "0x690", "response": "0x690"}), (("ecus", 1, "gateway"), "nobody"),
        (("ecus", 1, "gateway"), "gateway"), (("ecus", 1, "gateway"), "brake"), (("ecus", 1, "bus"), "can-nowhere"),
        (("buses", 1, "name"), "can-body"),
    ],
    "profile": [
        (("timing", "p2_ms"), 50.0),
        (("coding",), [{"did": "0600", "name": "Coding"}]), # and no step
        (("order",), ["unlock", "roots", "drop", "metadata", "image", "reset", "coding", "key", "report"]), # and no member
        (("order",), ["roots", "unlock", "drop", "metadata", "image", "reset", "key", "reset", "report"]),
        (("order",), ["unlock", "roots", "drop", "metadata", "key", "image", "reset", "report"]),
        (("order",), ["unlock", "roots", "drop", "metadata", "image", "key", "reset", "report"]),
        (("order",), ["unlock", "roots", "drop", "metadata", "image", "reset", "key", "report", "reset"]),
        (("order",), ["unlock", "roots", "roots", "metadata", "image", "reset", "key", "report"]),
        (("order",), ["unlock", "metadata", "image", "reset", "key", "report"]),
        (("order",), ["roots", "metadata", "image", "reset", "key", "report"]),
        (("order",), ["unlock", "roots", "metadata", "image", "reset", "report"]),
        (("order",), ["unlock", "roots", "metadata", "reset", "image", "report"]),
    ],
    "campaign": [
        (("ecus", 0, "coding"), [{"did": "0600", "value": "00"}, {"did": "0600", "value": "01"}]),
        (("version",), 1.0), (("expires",), "2026-11-23T15:31:07Z"), (("issued",), "2026-13-01T00:00:00Z"), (("ecus", 0, "hardware_id"), "hw-brake-1"),
        (("checklist", "items", 0, "id"), "standing"), (("checklist", "items", 3, "low"), 16000),
    ],
}
ONLY_PARSER["trust-list"] = [
    (("dealer_cas", 0), "AAAA"), (("dealer_cas", 0), "A"), (("revoked", 1, "sha256"), "ab" * 32), (("issued",), "2026-13-01T00:00:00Z"),
    (("withdrawn",), [{"campaign": "R-1", "since": "2026-11-20T00:00:00Z", "reason": "a"}, {"campaign": "R-1", "since": "2026-11-21T00:00:00Z", "reason": "b"}]),
]
ALSO_GOOD = {
    "vehicle-model": [
        (("functional",), GONE), (("can_functional",), "0x18DB33F1"), (("buses", 1, "data_bitrate"), 2000000), (("ecus", 1, "can"), GONE),
        (("ecus", 1, "gateway"), GONE), (("ecus", 1, "bus"), "ethernet"), (("ecus", 1, "can", "request"), "0x18DA01F1"),
        (("ecus", 1, "can", "extension"), 0), (("ecus", 1, "can", "fd"), True), (("ecus", 1, "simulation"), GONE),
        (("ecus", 1, "optional"), True), (("ecus", 0, "optional"), False), (("ecus", 1, "simulation"), {"anything": [1, None]}), (("name",), "Öffentlicher Bus №1"),
        (("link",), {"vehicle_certificate": "vin"}), (("link",), {"vehicle_certificate": "any"}),
    ],
    "profile": [
        (("unlock",), {"method": "security-access", "level": 1, "algorithm": "xor-a5a5a5a5"}), (("flash", "max_block"), 4093),
        (("unlock", "proof"), "recallbay-0x29-v2"), (("unlock", "proof"), "bare-challenge"),
        (("flash", "digest_by"), "application"), (("identification", "image_root"), "fd02"), (("report", "manifest"), "0241"),
        (("recipe",), recipe({})), (("recipe",), recipe({"wait_s": 600}) | {"part": "8W0 907 115"}),
        (("recipe",), recipe({"check": "silent", "within_s": 0})), (("recipe",), recipe({"check": "ignition", "position": 0, "wait_s": 0})),
        (("recipe",), {"steps": [recipe({"id": f"step-{number}"})["steps"][0] for number in range(32)]}),
        (("identification", "rxswin"), "F1A0"), (("identification", "part_number"), "F1A1"),
        (("communication_control",), "disable-rx-tx"), (("communication_control",), "enable-rx-disable-tx"),
        (("flash", "fingerprint"), "F15A"),
    ],
    "campaign": [
        (("ecus", 0, "coding"), [{"did": "0600", "value": "00ff"}, {"did": "0601", "value": "AB"}]),
        (("ecus", 0, "conditions"), [{"kind": "software", "did": "F195", "values": ["1.9", "2.0"]}, {"kind": "coding-class", "did": "0600", "values": ["0a"]}]),
        (("nhtsa_number",), "26V-123"), (("scope",), {"all": True}), (("scope",), {"table": "scopes/R-1.table", "sha256": "ab" * 32}), (("remedy",), GONE), (("labour_operation",), GONE),
        (("second_person",), True), (("version",), 2147483646), (("issued",), "2026-11-23T15:31:06.5Z"), (("checklist", "items", 3, "wait_s"), GONE),
        (("checklist", "items", 0, "may_be_na"), True), (("checklist", "items", 0, "may_be_na"), False), (("checklist", "items", 0, "lasting"), True), (("checklist", "items", 0, "lasting"), False),
        (("checklist", "items", 0, "help"), GONE), (("organisations",), ["One", "Two", "Three"]),
        (("after",), ["R-1"]), (("supersedes",), ["R-1", "R-2"]),
    ],
}
ALSO_GOOD["trust-list"] = [
    (("wmis",), []), (("dealer_cas",), []), (("revoked",), []), (("withdrawn",), []), (("minimum_version",), "10.0.999999"), (("wmis", 0), "1"),
    (("wmis", 0), "1RBDM7AA"), (("max_age_days",), 1), (("version",), 2147483646), (("revoked", 0, "since"), "2026-11-23T15:31:06.5Z"),
]


def changed(value, where, to):
    value = copy.deepcopy(value)
    at = value
    for step in where[:-1]:
        at = at[step]
    if to is GONE:
        del at[where[-1]]
    else:
        at[where[-1]] = to
    return value


def base(kind):
    return json.loads(next(GOOD.glob(f"{kind}*-she.json" if kind == "profile" else f"{kind}.json")).read_text())


class Agreement(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.validators = {}
        for kind in BAD:
            schema = json.loads((SCHEMAS / f"{kind}.json").read_text())
            jsonschema.Draft202012Validator.check_schema(schema)
            cls.validators[kind] = jsonschema.Draft202012Validator(schema)

    def parse(self, kind, values):
        with tempfile.TemporaryDirectory() as folder:
            lines = []
            for number, value in enumerate(values):
                path = Path(folder) / f"{number}.json"
                path.write_text(value if isinstance(value, str) else json.dumps(value))
                lines.append(f"{kind} {path}\n")
            done = subprocess.run([PARSER], input="".join(lines), capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def judge(self, table, parser_takes, schema_takes):
        for kind, changes in table.items():
            values = [changed(base(kind), where, to) for where, to in changes]
            for (where, to), value, said in zip(changes, values, self.parse(kind, values), strict=True):
                with self.subTest(kind=kind, where=where, to=to):
                    self.assertEqual(said == "ok", parser_takes, said)
                    self.assertEqual(self.validators[kind].is_valid(value), schema_takes)
                    if not parser_takes:
                        self.assertTrue(said.startswith("malformed "), said)
                        names = [step for step in where if isinstance(step, str)] + list(to if isinstance(to, dict) else ())
                        self.assertTrue(schema_takes or any(f"“{name}”" in said or name in said.split(":")[0] for name in names), said)

    def test_good(self):
        for path in sorted(GOOD.glob("*.json")):
            kind = next(kind for kind in BAD if path.name.startswith(kind))
            value = json.loads(path.read_text())
            with self.subTest(path=path.name):
                self.assertEqual(self.parse(kind, [value]), ["ok"])
                self.validators[kind].validate(value)

    def test_also_good(self):
        self.judge(ALSO_GOOD, True, True)

    def test_bad(self):
        self.judge(BAD, False, False)

    def test_only_the_parser_sees(self):
        self.judge(ONLY_PARSER, False, True)

    def test_every_member_of_a_good_file_counts(self):
        """dropping any required member is seen by both"""
        for kind, validator in self.validators.items():
            good = base(kind)
            values = [changed(good, (name,), GONE) for name in good]
            for name, value, said in zip(good, values, self.parse(kind, values), strict=True):
                with self.subTest(kind=kind, name=name):
                    self.assertEqual(said == "ok", validator.is_valid(value), said)

    def test_root_in_image(self):
        value = base("profile")
        value["metadata"] = {"root_in_image": True}
        value["order"] = ["unlock", "image", "reset", "key", "report"]
        self.assertEqual(self.parse("profile", [value]), ["ok"])
        self.validators["profile"].validate(value)

    def test_order_of_root_in_image(self):
        """Metadata are verified by the root of the image that runs; no routine overwrites that root."""
        every = {"root_in_image": True, "install": "0220", "anchor": "0221", "drop": "0222"}
        good = ["unlock image reset metadata key report", "unlock image reset drop metadata key reset report", "unlock image reset key metadata reset report"]
        bad = {"roots": ["unlock roots image reset metadata key report", "unlock image reset roots metadata key report"],
               "metadata": ["unlock metadata image reset key report", "unlock image metadata reset key report", "unlock reset metadata image reset key report"],
               "drop": ["unlock drop image reset metadata key report", "unlock image drop reset metadata key report"]}
        values = [base("profile") | {"metadata": every, "order": order.split()} for order in good]
        self.assertEqual(self.parse("profile", values), ["ok"] * len(good))
        for step, orders in bad.items():
            values = [base("profile") | {"metadata": every, "order": order.split()} for order in orders]
            for order, said in zip(orders, self.parse("profile", values), strict=True):
                self.assertRegex(said, f"^malformed .*“{step}”.*root comes with the image", order)

    def test_root_in_image_has_the_routines_of_its_steps(self):
        for step, routine in (("metadata", "install"), ("drop", "drop")):
            value = base("profile") | {"metadata": {"root_in_image": True}, "order": ["unlock", "image", "reset", step, "key", "report"]}
            said, = self.parse("profile", [value])
            self.assertRegex(said, f"^malformed .*“{step}”.*“{routine}”")

    def test_not_json(self):
        bad = ["", "{", "[]", "null", "\"x\"", "{\"id\":1,\"id\":2}", "[" * 100 + "]" * 100, "{}x", "{\"id\":\"\\u0000\"}"]
        for kind in BAD:
            for text, said in zip(bad, self.parse(kind, bad), strict=True):
                self.assertTrue(said.startswith("malformed "), (text, said))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
