#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A vehicle is called complete when every ECU in it is directed and done, and never otherwise: by exit code, verdict and record
alike, on this workstation and on another one.

Usage: test-complete.py BUILD
"""

import base64
import hashlib
import json
import struct
import subprocess
import sys
import unittest

from proxy import Proxy

from bench import Bench

BUILD = sys.argv.pop(1)
TELEMATICS, DOOR, SENSOR = 0x1001, 0x1005, 0x1006
SERIAL, HARDWARE, DIRECTOR, KEY = 0xF18C, 0xF191, 0xFD01, 0xFD03


def did(address, number, value):
    echo = struct.pack("!BH", 0x62, number)

    def lie(source, request, answer):
        if source != address or request[:3] != b"\x22" + echo[1:] or answer[:3] != echo:
            return answer
        return echo + (value(answer[3:]) if callable(value) else value)
    return lie


def refused_routine(address, number, nrc=0x31):
    def lie(source, request, answer):
        return bytes([0x7F, 0x31, nrc]) if source == address and request[:4] == struct.pack("!BBH", 0x31, 1, number) else answer
    return lie


class Case(unittest.TestCase):
    def workshop(self, *altered, without=()):
        """A vehicle, and a workstation that has its campaign. without: ECUs that the vehicle does not have."""
        self.bench = Bench(BUILD, altered=altered)
        self.addCleanup(self.bench.close)
        self.serials = {int(ecu["logical"], 16): f"SN-{ecu['name'].upper()}-0001" for ecu in self.model()["ecus"]}
        if without:
            self.take_out(without)
        self.bench.start()
        self.bench.trust_and_import()

    def model(self):
        return json.loads((self.bench.oem / "vehicle.json").read_text())

    def take_out(self, names):
        model = self.model()
        gone = {ecu["hardware_id"] for ecu in model["ecus"] if ecu["name"] in names}
        model["ecus"] = [ecu for ecu in model["ecus"] if ecu["name"] not in names]
        (self.bench.oem / "vehicle.json").write_text(json.dumps(model))
        seed = self.bench.oem / "vehicle" / "seed.json"
        values = json.loads(seed.read_text())
        values["ecus"] = [ecu for ecu in values["ecus"] if ecu.get("hardware_id") not in gone and ecu.get("name") not in names]
        seed.write_text(json.dumps(values))

    def recover_through(self, lie, expect, data=None):
        proxy = Proxy(self.bench.link, lie)
        self.addCleanup(proxy.close)
        verdict = self.bench.recover(expect=expect, link=proxy.link)
        self.assertGreater(proxy.told, 0, "the lie was never told")
        return verdict

    def other_workstation(self):
        self.bench.data = self.bench.root / "other-workstation"
        self.bench.trust_and_import()

    def record(self):
        """Statement of the newest record, which every verifier accepts as authentic."""
        path = self.bench.records()[-1]
        self.bench.verify(path)
        return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))

    def entries(self):
        return {ecu["ecuSerial"]: ecu for ecu in self.record()["predicate"]["ecus"]}

    def wrote_to(self, address, since=0):
        return [event for event in self.bench.wrote(since) if event["serial"] == self.serials[address]]

    def is_held_back(self, text):
        verdict = self.bench.recover(expect=1)
        self.assertEqual(verdict["reason"], "ecu-not-directed", verdict)
        self.assertIn(text, verdict["message"])
        self.assertEqual(self.bench.wrote(), [], "nothing was written")
        self.assertEqual(self.bench.ctl("record", "list").get("records", []), [])

    def says_the_same(self, verdict):
        """Verdict and record: the same ECUs done, the others for the same reasons."""
        entries = self.entries()
        for row in verdict["ecus"]:
            entry = entries[row["serial"]]
            self.assertEqual(row["state"] == "done", entry["outcome"] in ("replaced", "already-good"), (row, entry["outcome"]))
            if row["state"] != "done":
                self.assertEqual(row["reason"], entry["reason"])

    def finishes(self):
        self.assertTrue(self.bench.recover()["ok"])
        self.bench.verify(self.bench.records()[-1], "--require", "completed")
        self.assertEqual(self.bench.differences(), [])


class EcuNotDirected(Case):
    """An ECU of the vehicle is left out by what the campaign directs in it."""

    def test_ecu_of_the_vehicle_as_built_is_not_directed(self):
        self.workshop("undirected=door")
        self.is_held_back("Door control")
        self.assertIn((self.serials[DOOR], "image_sha256"), self.bench.differences(), "its flash is still the attacker's")

    def test_ecu_that_is_not_optional_is_not_directed(self):
        self.workshop("unlisted", "undirected=door")
        self.is_held_back("Door control")

    def test_optional_ecu_is_found_and_not_directed(self):
        self.workshop("unlisted", "optional=lamp", "undirected=lamp")
        self.is_held_back("Lamp control")

    def test_ecu_is_found_that_the_vehicle_was_built_without(self):
        self.workshop("unbuilt=lamp", "undirected=lamp")
        self.is_held_back("Lamp control")

    def test_inspection_says_so_too(self):
        self.workshop("undirected=door")
        verdict = self.bench.ctl("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers",
                                 self.bench.oem / "answers.json", expect=1)
        self.assertEqual(verdict["reason"], "ecu-not-directed")

    def not_fitted(self, *altered):
        self.workshop(*altered, "undirected=lamp", without=["lamp"])
        self.assertTrue(self.bench.recover()["ok"])
        self.bench.verify(self.bench.records()[-1], "--require", "completed")
        absent = self.entries()[""]
        self.assertEqual((absent["hardwareId"], absent["outcome"], absent["writes"]), ("hw-lamp-1", "not-fitted", 0))
        audited = json.loads(self.bench.run("recall-oem", "audit", "verify", self.bench.records()[-1].parent, "--trust",
                                            self.bench.oem / "dealer-ca.pem", "--bundle", self.bench.oem / "campaign.recall",
                                            "--service-root", self.bench.oem / "service-root.json", "--json").splitlines()[-1])
        self.assertTrue(audited["ok"], audited)

    def test_optional_ecu_is_not_fitted(self):
        self.not_fitted("unlisted", "optional=lamp")

    def test_vehicle_was_built_without_it(self):
        self.not_fitted("unbuilt=lamp")

    def test_without_list_all_of_the_model_are_directed(self):
        self.workshop("unlisted")
        self.finishes()


class ApplicationDigest(Case):
    """The ECU's bootloader computes no digest."""

    def image(self):
        image = subprocess.run(["tar", "-xOf", self.bench.oem / "campaign.recall", "image/targets/supplier-b/door-2.0.bin"],
                               capture_output=True, check=True, timeout=60)
        return image.stdout

    def public_digest(self):
        image, head = self.image(), struct.pack("!BBH", 0x31, 1, 0x0210)

        def lie(source, request, answer):
            if source != DOOR or request[:4] != head or answer[:4] != b"\x71" + head[1:]:
                return answer
            return answer[:-32] + hashlib.sha256(request[4:] + image).digest()
        return lie

    def test_attackers_application_knows_the_public_image(self):
        self.workshop("application=door")
        self.recover_through(self.public_digest(), 0)
        self.assertIn("block", {event["event"] for event in self.wrote_to(DOOR)}, "its image is written all the same")
        self.assertEqual(self.bench.differences(), [])
        image = self.entries()[self.serials[DOOR]]["image"]
        self.assertEqual((image["method"], image["writtenBy"]), ("application-digest", {"journal": True}))

    def test_what_this_campaign_wrote_is_not_written_again(self):
        self.workshop("application=door")
        self.finishes()
        first = self.record()["predicate"]
        verdict = self.bench.recover()
        self.assertEqual(verdict["writes"], 0, verdict)
        entry = self.entries()[self.serials[DOOR]]
        self.assertEqual(entry["outcome"], "already-good")
        self.assertEqual(list(entry["image"]["writtenBy"]), ["record"], first["recordId"])

    def test_another_workstation_writes_it_again(self):
        self.workshop("application=door")
        self.finishes()
        since = len(self.bench.events())
        self.other_workstation()
        self.finishes()
        self.assertIn("block", {event["event"] for event in self.wrote_to(DOOR, since)})


class VehicleManifest(Case):
    def test_primary_refuses_the_vehicle_manifest(self):
        self.workshop()
        verdict = self.recover_through(refused_routine(TELEMATICS, 0x0241), 3)
        self.assertEqual(verdict["reason"], "not-complete", verdict)
        statement = self.record()
        self.assertEqual((statement["predicate"]["result"], statement["subject"]), ("incomplete", []))
        self.assertEqual(self.entries()[self.serials[TELEMATICS]]["reason"], "refused")
        self.says_the_same(verdict)
        self.finishes()
        self.assertIn("vvm-after", [subject["name"] for subject in self.record()["subject"]])

    def test_vehicle_manifest_is_asked_for_again(self):
        """As it came in and as it leaves: three responses in a row, as many as one request is repeated, are of another routine."""
        self.workshop()
        responses = []

        def lie(source, request, answer):
            if source != TELEMATICS or answer[:4] != b"\x71\x01\x02\x41":
                return answer
            responses.append(answer)
            return answer if len(responses) % 4 == 0 else answer[:3] + b"\x42" + answer[4:]
        self.assertEqual(self.recover_through(lie, 0)["result"], "completed")
        self.assertEqual(len(responses), 8)
        self.assertEqual({subject["name"] for subject in self.record()["subject"]} & {"vvm-before", "vvm-after"}, {"vvm-before", "vvm-after"})

    def test_primary_gives_another_vehicles_manifest(self):
        self.workshop()

        def lie(source, request, answer):
            if source != TELEMATICS or answer[:4] != b"\x71\x01\x02\x41":
                return answer
            envelope = json.loads(answer[5:])
            envelope["signed"]["vin"] = "1RBDM7AA2TA000002"
            return answer[:5] + json.dumps(envelope).encode()
        verdict = self.recover_through(lie, 3)
        self.assertEqual(self.entries()[self.serials[TELEMATICS]]["reason"], "report-not-proven")
        self.says_the_same(verdict)
        self.finishes()


class OneTruth(Case):
    """What the ECU shows of itself contradicts what it proves."""

    def lies(self, lie, reason):
        self.workshop()
        verdict = self.recover_through(lie, 3)
        self.assertEqual(verdict["reason"], "not-complete", verdict)
        self.assertEqual({row["serial"]: row["reason"] for row in verdict["ecus"] if row["state"] != "done"}, {self.serials[DOOR]: reason})
        self.says_the_same(verdict)
        self.finishes()

    def test_ecu_lies_about_its_key_id(self):
        self.lies(did(DOOR, KEY, b"0" * 64), "key-not-proven")

    def test_ecu_shows_another_root_number_with_the_digest(self):
        self.lies(did(DOOR, DIRECTOR, lambda value: struct.pack("!I", 77) + value[4:]), "report-not-proven")

    def test_ecu_shows_the_root_number_without_its_digest(self):
        self.lies(did(DOOR, DIRECTOR, lambda value: value[:4] + bytes(len(value) - 4)), "root-not-proven")


class AnotherEcu(Case):
    """At the door's address answers an ECU that the campaign does not mean."""

    def is_not_touched(self, lie, reason):
        self.workshop()
        verdict = self.recover_through(lie, 3)
        self.assertEqual({row["serial"]: row["reason"] for row in verdict["ecus"] if row["state"] != "done"}, {self.serials[DOOR]: reason})
        self.assertEqual(self.wrote_to(DOOR), [])
        self.says_the_same(verdict)
        self.finishes()

    def test_ecu_of_another_serial_answers(self):
        """A part in its place, which the VIN pack does not name: known before the first write to any ECU."""
        self.workshop()
        verdict = self.recover_through(did(DOOR, SERIAL, b"SN-DOOR-0002"), 1)
        self.assertEqual((verdict["reason"], verdict["writes"]), ("ecu-replaced", 0), verdict)
        self.assertEqual(self.bench.wrote(), [])
        self.finishes()

    def test_ecu_with_the_serial_of_another_one_answers(self):
        self.is_not_touched(did(DOOR, SERIAL, b"SN-LAMP-0001"), "ecu-unexpected")

    def test_ecu_of_other_hardware_answers(self):
        self.is_not_touched(did(DOOR, HARDWARE, b"hw-door-2"), "hardware-mismatch")


class AnotherWorkstation(Case):
    def test_finished_vehicle(self):
        """Keys whose making it cannot show are made again; a symmetric one shows itself and cannot be loaded twice."""
        self.workshop()
        self.finishes()
        since = len(self.bench.events())
        self.other_workstation()
        self.finishes()
        entries = self.entries()
        sensor = entries.pop(self.serials[SENSOR])
        self.assertEqual((sensor["outcome"], sensor["writes"], sensor["key"]["createdBy"]), ("already-good", 0, {"update": True}))
        self.assertEqual(self.wrote_to(SENSOR, since), [])
        for serial, entry in entries.items():
            self.assertEqual((entry["outcome"], entry["key"]["createdBy"]), ("replaced", {"journal": True}), serial)
            self.assertNotEqual(entry["key"]["oldKeyId"], entry["key"]["newKeyId"], serial)
        self.assertEqual(self.bench.recover()["writes"], 0)

    def test_refused_key_load_shows_nothing(self):
        self.workshop()
        self.recover_through(refused_routine(SENSOR, 0x0250), 3)
        entry = self.entries()[self.serials[SENSOR]]
        self.assertEqual(entry["outcome"], "failed")
        self.assertNotIn("newKeyId", entry["key"])
        self.finishes()


if __name__ == "__main__":
    unittest.main()
