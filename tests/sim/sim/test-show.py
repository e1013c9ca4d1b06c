# SPDX-License-Identifier: Apache-2.0
"""recall-sim's command line: what is really on the vehicle, and what it believes.

Usage: test-show.py BUILD
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

from tester import Demo, Vehicle, sha256

BUILD = sys.argv.pop(1)


def setUpModule():
    global DEMO
    DEMO = Demo(BUILD)


def tearDownModule():
    DEMO.close()


def sim(*arguments):
    done = subprocess.run([DEMO.bin / "recall-sim", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class Case(unittest.TestCase):
    def setUp(self):
        with Vehicle(DEMO) as car:
            self.car = car

    def show(self, state=None):
        code, out, err = sim("show", "--state", state or self.car.state, "--json")
        self.assertEqual(code, 0, err)
        facts = json.loads(out.splitlines()[0])
        return facts["vin"], {ecu["serial"]: ecu for ecu in facts["ecus"]}

    def offer(self, director, image, state=None):
        code, out, err = sim("offer", "--state", state or self.car.state, "--director", director, "--image", image, "--json")
        self.assertEqual(code, 0, err)
        return {ecu["serial"]: ecu for ecu in json.loads(out.splitlines()[0])["ecus"]}


class Running(unittest.TestCase):
    """Memory has one writer: the vehicle while it runs, else an offer."""

    def in_use(self, car, *arguments):
        before = {path: path.read_bytes() for path in sorted(car.state.rglob("*")) if path.is_file()}
        code, out, _ = sim("--json", *arguments) if arguments[0] != "offer" else sim(*arguments, "--json")
        verdict = json.loads(out.splitlines()[-1])
        self.assertEqual((code, verdict["ok"], verdict["reason"]), (1, False, "in-use"))
        self.assertIn(f"in use by “recall-sim” (process {car.process.pid}, user ", verdict["message"])
        self.assertEqual({path: path.read_bytes() for path in sorted(car.state.rglob("*")) if path.is_file()}, before)

    def test_offer_while_it_runs(self):
        with Vehicle(DEMO) as car:
            self.in_use(car, "offer", "--state", car.state, "--director", DEMO.oem / "attack" / "director", "--image", DEMO.oem / "attack" / "image")
        code, _, err = sim("offer", "--state", car.state, "--director", DEMO.oem / "attack" / "director", "--image", DEMO.oem / "attack" / "image")
        self.assertEqual(code, 0, err)

    def test_another_vehicle_on_its_memory(self):
        with Vehicle(DEMO) as car:
            self.in_use(car, "--model", DEMO.oem / "vehicle.json", "--state", car.state, "--doip", "127.0.0.1:0")

    def test_it_is_shown_while_it_runs(self):
        with Vehicle(DEMO) as car:
            self.assertEqual(sim("show", "--state", car.state, "--json")[0], 0)


class Show(Case):
    def test_seed(self):
        vin, ecus = self.show()
        self.assertEqual(vin, DEMO.vin)
        self.assertEqual(set(ecus), {entry["serial"] for entry in DEMO.seed["ecus"]})
        for entry in DEMO.seed["ecus"]:
            facts = ecus[entry["serial"]]
            image = (DEMO.oem / "vehicle" / entry["image"]).read_bytes()
            root = (DEMO.oem / "vehicle" / entry["director"] / "1.root.json").read_bytes()
            self.assertEqual(facts["image_sha256"], sha256(image).hex())
            self.assertEqual((facts["director_root"], facts["director_root_sha256"]), (1, sha256(root).hex()))
            self.assertEqual(facts["boot"], "application")
            self.assertEqual(facts["dtcs"], entry.get("dtcs", []))
            self.assertEqual((facts["coding"], facts["fingerprint"]), (entry["coding"], None))

    def test_it_is_the_flash_that_counts(self):
        serial = DEMO.seed_of("brake")["serial"]
        before = self.show()[1]
        path = self.car.folder("brake") / "flash.bin"
        data = bytearray(path.read_bytes())
        data[300] ^= 1
        path.write_bytes(data)
        after = self.show()[1]
        self.assertEqual({name for name in before if before[name] != after[name]}, {serial})

    def test_works_while_it_runs_and_from_a_copy(self):
        with Vehicle(DEMO, state=self.car.state) as car:
            running = self.show()
            copy = car.copy_of_state()
        self.assertEqual(self.show(copy), running)
        shutil.rmtree(self.car.state)
        self.assertEqual(self.show(copy), running, "no absolute path is in it")

    def test_text(self):
        code, out, _ = sim("show", "--state", self.car.state)
        self.assertEqual(code, 0)
        for entry in DEMO.seed["ecus"]:
            self.assertIn(entry["serial"], out)

    def test_nothing_there(self):
        for path in (DEMO.root / "none", DEMO.oem):
            code, out, _ = sim("show", "--state", path, "--json")
            self.assertEqual(code, 1)
            self.assertFalse(json.loads(out.splitlines()[-1])["ok"])

    def test_broken_memory(self):
        (self.car.folder("brake") / "state.json").write_text("{")
        code, out, _ = sim("show", "--state", self.car.state, "--json")
        self.assertEqual((code, json.loads(out.splitlines()[-1])["reason"]), (1, "malformed"))


class Offer(Case):
    def attack(self):
        return DEMO.oem / "attack" / "director", DEMO.oem / "attack" / "image"

    def test_the_attacker_is_trusted_by_those_the_stolen_keys_satisfy(self):
        """director: the partial ECUs see Director targets alone."""
        offered = self.offer(*self.attack())
        for model, entry in zip(DEMO.model["ecus"], DEMO.seed["ecus"]):
            with self.subTest(ecu=model["name"]):
                self.assertEqual(offered[entry["serial"]]["accepted"], model["verification"] == "partial")
                self.assertEqual(offered[entry["serial"]]["reason"] == "ok", offered[entry["serial"]]["accepted"])

    def test_what_is_accepted_is_stored(self):
        def stored():
            return json.loads((self.car.folder("brake") / "state.json").read_text())["stores"]["director"]["versions"]
        before = stored()
        self.offer(*self.attack())
        self.assertGreater(stored()["roles"]["targets"]["version"], before["roles"]["targets"]["version"])

    def test_what_is_refused_is_not(self):
        folder = self.car.folder("gateway")
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        self.assertFalse(self.offer(*self.attack())[DEMO.seed_of("gateway")["serial"]]["accepted"])
        self.assertEqual({path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}, before)

    def test_nothing_to_offer(self):
        empty = DEMO.root / "empty"
        empty.mkdir(exist_ok=True)
        self.assertEqual({ecu["accepted"] for ecu in self.offer(empty, empty).values()}, {False})
        self.assertEqual({ecu["reason"] for ecu in self.offer(DEMO.root / "none", DEMO.root / "none").values()} & {"ok"}, set())

    def test_changed_targets(self):
        folder = DEMO.root / "changed"
        shutil.copytree(self.attack()[0], folder, dirs_exist_ok=True)
        targets = json.loads((folder / "targets.json").read_text())
        targets["signed"]["version"] += 1
        (folder / "targets.json").write_text(json.dumps(targets))
        offered = self.offer(folder, self.attack()[1])
        self.assertEqual({ecu["accepted"] for ecu in offered.values()}, {False})
        self.assertEqual(offered[DEMO.seed_of("brake")["serial"]]["reason"], "bad-signature")

    def test_text(self):
        code, out, _ = sim("offer", "--state", self.car.state, "--director", self.attack()[0], "--image", self.attack()[1])
        self.assertEqual(code, 0)
        self.assertIn("accepts", out)
        self.assertIn("refuses", out)


class CommandLine(unittest.TestCase):
    def test_usage(self):
        model = DEMO.oem / "vehicle.json"
        table = [(), ("--model", model), ("--model", model, "--state", DEMO.root / "x"), ("--state", DEMO.root / "x", "--doip", "127.0.0.1:0"),
                 ("show",), ("show", "--state"), ("show", "--nonsense"), ("offer",), ("offer", "--state", DEMO.root), ("nonsense",),
                 ("offer", "--state", DEMO.root, "--director", DEMO.root), ("show", "--state", DEMO.root, "more"),
                 ("--model", model, "--state", DEMO.root / "x", "--doip", "127.0.0.1:0", "--fault", "nonsense"),
                 ("--model", model, "--state", DEMO.root / "x", "--doip", "127.0.0.1:0", "--fault", "brake:nonsense"),
                 ("--model", model, "--state", DEMO.root / "x", "--doip", "nowhere.invalid:0")]
        for arguments in table:
            with self.subTest(arguments=[str(argument).rsplit("/", 1)[-1] for argument in arguments]):
                code, _, err = sim(*arguments)
                self.assertEqual(code, 2, err)

    def test_help(self):
        for arguments in (("--help",), ("show", "--help"), ("offer", "--help")):
            code, out, _ = sim(*arguments)
            self.assertEqual(code, 0)
            self.assertIn("recall-sim", out)
        code, out, _ = sim("--help-faults")
        self.assertEqual(code, 0)
        for kind in ("drop-link", "kill", "pending", "wrong-digest", "voltage"):
            self.assertIn(kind, out)

    def test_model_that_is_none(self):
        path = DEMO.root / "model.json"
        path.write_text("{}")
        for model in (path, DEMO.root / "none.json"):
            code, out, _ = sim("--json", "--model", model, "--state", DEMO.root / "y", "--doip", "127.0.0.1:0")
            self.assertEqual(code, 1)
            self.assertFalse(json.loads(out.splitlines()[-1])["ok"])
        self.assertFalse((DEMO.root / "y" / "ecus").exists())

    def test_port_in_use(self):
        with Vehicle(DEMO) as car:
            code, out, _ = sim("--json", "--model", DEMO.oem / "vehicle.json", "--state", DEMO.root / "z", "--doip",
                               f"127.0.0.1:{car.where[1]}")
            self.assertEqual(code, 1)
            self.assertIn(str(car.where[1]), json.loads(out.splitlines()[-1])["message"])

    def test_another_vin(self):
        with Vehicle(DEMO, "--vin", "1RBDM7AA2TA000777") as car, car.ecu("brake") as brake:
            self.assertEqual(brake.did(0xF190), b"1RBDM7AA2TA000777")

    def test_pending_as_often_as_asked(self):
        with Vehicle(DEMO, "--fault", "brake:pending=5") as car, car.ecu("brake") as brake:
            brake.session(2)
            brake.routine(0x0210, b"n" * 16)
            self.assertEqual(brake.pending, 5)

    def test_wrong_digest(self):
        with Vehicle(DEMO, "--fault", "brake:wrong-digest") as car, car.ecu("brake") as brake, car.ecu("door", source=0xE81) as door:
            for ecu in (brake, door):
                ecu.session(2)
            image = {name: (DEMO.oem / "vehicle" / DEMO.seed_of(name)["image"]).read_bytes() for name in ("brake", "door")}
            self.assertNotEqual(brake.routine(0x0210, b"n" * 16), b"\0" + sha256(b"n" * 16, image["brake"]))
            self.assertEqual(door.routine(0x0210, b"n" * 16), b"\0" + sha256(b"n" * 16, image["door"]))


class Image(unittest.TestCase):
    def test_seed_may_be_the_state(self):
        folder = DEMO.root / "moved"
        shutil.copytree(DEMO.oem / "vehicle", folder / "vehicle")
        shutil.copy(DEMO.oem / "vehicle.json", folder / "vehicle.json")
        self.assertFalse(os.path.exists(folder / "vehicle" / "ecus"))
        with Vehicle(DEMO, state=folder / "vehicle") as car, car.ecu("lamp") as lamp:
            self.assertEqual(lamp.did(0xF190).decode(), DEMO.vin)


if __name__ == "__main__":
    unittest.main()
