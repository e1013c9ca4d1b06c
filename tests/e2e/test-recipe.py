#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ECUs that do not go on by themselves: a person does the steps of their recovery recipe. Usage: test-recipe.py BUILD [CASE…]"""
import base64
import json
import os
import pty
import select
import subprocess
import sys
import unittest

from bench import Bench

BUILD = sys.argv.pop(1)
STEPS = ["fuse-out", "discharge", "fuse-in", "ignition-on"]
DONE = {"fuse-out": "done", "fuse-in": "done", "ignition-on": "done"}
DOOR = "SN-DOOR-0001"


class Recipe(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)

    def ready(self, *faults):
        self.bench.start(*[word for fault in faults for word in ("--fault", fault)])
        self.bench.trust_and_import()

    def answers(self, recipe):
        return self.bench.answers("answers-recipe.json", recipe=recipe)

    def sim(self, *arguments):
        self.bench.run("recall-sim", arguments[0], "--state", self.bench.state, *arguments[1:])

    def act(self, serial, step):
        """What an honest person does when a step is shown."""
        if step in ("fuse-out", "fuse-in"):
            self.sim("fuse", serial, step.removeprefix("fuse-"))
        if step == "fuse-out":
            self.sim("ignition", "0")
        if step == "ignition-on":
            self.sim("ignition", "2")

    def recover(self, recipe, act=None, kill_at=None):
        """Runs a recovery with a person beside it: exit code, verdict, events."""
        command = [self.bench.bin / "recallctl", "--json", "--data-dir", self.bench.data, *self.bench.recover_arguments(self.answers(recipe))]
        events = []
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as program:
            for line in program.stdout:
                event = json.loads(line)
                events.append(event)
                confirmed = recipe.get(event.get("step"), recipe.get(f"{event.get('serial')}/{event.get('step')}")) == "done"
                if event.get("event") == "recipe" and not event["done"] and confirmed:
                    (act or self.act)(event["serial"], event["step"])
                if kill_at and kill_at(event):
                    program.kill()
            code = program.wait()
        return code, events[-1], events

    def parked(self, verdict, reason):
        self.assertEqual([(ecu["serial"], ecu["reason"]) for ecu in verdict["ecus"] if ecu["state"] == "parked"], [(DOOR, reason)], verdict)

    def entry(self, verdict):
        record = next(path for path in self.bench.records() if verdict["record"] in path.name)
        predicate = json.loads(base64.b64decode(json.loads(record.read_text())["payload"]))["predicate"]
        return next(ecu for ecu in predicate["ecus"] if ecu["ecuSerial"] == DOOR)

    def test_ecu_that_hangs_after_its_reset(self):
        self.ready("door:hang@1")
        code, verdict, events = self.recover(DONE)
        self.assertEqual((code, verdict["result"]), (0, "completed"), verdict)
        shown = [event["step"] for event in events if event.get("event") == "recipe" and not event["done"]]
        done = [event["step"] for event in events if event.get("event") == "recipe" and event["done"]]
        self.assertEqual((shown, done), (STEPS, STEPS))
        self.assertEqual(self.entry(verdict)["recipe"], STEPS)
        self.assertEqual(self.bench.differences(), [])

    def test_nobody_confirms(self):
        self.ready("door:hang@1")
        code, verdict, events = self.recover({"fuse-out": "not-possible"})
        self.assertEqual((code, verdict["result"]), (3, "incomplete"))
        text = self.entry(verdict)["failure"]["text"]
        self.assertIn("recovery recipe, step fuse-out: it is not confirmed", text)
        self.assertNotEqual(self.entry(verdict)["reason"], "hardware-needed")
        # the same command goes on when the ECU is there again
        self.act(DOOR, "fuse-out")
        self.act(DOOR, "fuse-in")
        self.act(DOOR, "ignition-on")
        code, verdict, events = self.recover({})
        self.assertEqual((code, verdict["result"]), (0, "completed"), verdict)

    def test_a_confirmed_step_that_was_not_done(self):
        self.ready("door:bad-flash")
        code, verdict, _ = self.recover({f"{DOOR}/fuse-out": "done"}, act=lambda serial, step: None)
        self.assertEqual(code, 3)
        self.parked(verdict, "refused")
        self.assertIn("step fuse-out: the ECU still responds", self.entry(verdict)["failure"]["text"])

    def test_asked_on_a_terminal(self):
        """Without an answers file the person at the terminal is asked, for the checklist and then for each step."""
        self.ready("door:bad-flash")
        arguments = self.bench.recover_arguments(vin=self.bench.vin)
        at = arguments.index("--answers")
        del arguments[at:at + 2]
        command = [self.bench.bin / "recallctl", "--data-dir", self.bench.data, *arguments]
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        with subprocess.Popen(list(map(str, command)), stdin=slave, stdout=slave, stderr=slave) as program:
            os.close(slave)
            shown, asked = "", []
            while program.poll() is None or select.select([master], [], [], 0)[0]:
                if not select.select([master], [], [], 1)[0]:
                    continue
                try:
                    shown += os.read(master, 4096).decode(errors="replace")
                except OSError:  # the other side is closed
                    break
                for prompt, answer in (("[ok / not-ok] ", b"ok\n"), ("[done / not-possible] ", b"not-possible\n")):
                    if prompt in shown:
                        asked.append(shown.rsplit(prompt, 1)[0].splitlines()[-1])
                        shown = ""
                        os.write(master, answer)
            self.assertEqual(program.wait(), 3, shown)
        self.assertEqual(len(asked), 4, asked)
        self.assertIn("Pull the fuse of this ECU.", asked[-1])
        self.assertIn(DOOR, asked[-1])

    def test_flash_that_is_broken(self):
        self.ready("door:bad-flash")
        code, verdict, _ = self.recover(DONE)
        self.assertEqual((code, verdict["result"]), (3, "incomplete"))
        self.parked(verdict, "hardware-needed")
        entry = self.entry(verdict)
        self.assertIn(f"hardware {entry['hardwareId']} has to be replaced, part number", entry["failure"]["text"])
        self.assertNotIn("not known", entry["failure"]["text"])
        self.assertEqual(entry["failure"]["nrc"], 0x72)
        self.assertEqual(entry["recipe"], STEPS)

    def interrupt(self):
        """A download to the ECU is interrupted by a workstation that dies."""
        started = lambda event: event.get("event") == "progress" and event.get("serial") == DOOR and 0 < event["done"] < event["total"]
        code, *_ = self.recover({}, kill_at=started)
        self.assertLess(code, 0)

    def test_download_that_was_interrupted(self):
        self.ready("door:stuck-download")
        self.interrupt()
        code, verdict, events = self.recover({})
        self.assertEqual((code, verdict["result"]), (0, "completed"), verdict)
        texts = [event.get("text") for event in events if event.get("serial") == DOOR]
        self.assertIn("in its bootloader: a download was interrupted", texts)
        self.assertEqual(self.entry(verdict)["before"]["bootCause"], "download-interrupted")

    def test_download_that_only_power_ends(self):
        self.ready("door:stuck-download=1")
        self.interrupt()
        code, verdict, _ = self.recover({})
        self.assertEqual(code, 3)
        self.parked(verdict, "refused")
        code, verdict, _ = self.recover(DONE)
        self.assertEqual((code, verdict["result"]), (0, "completed"), verdict)
        self.assertEqual(self.entry(verdict)["recipe"], STEPS)

    def test_both_banks_bad(self):
        """An ECU whose coding nothing has read is recognised, and is not called done."""
        self.ready("door:bad-banks")
        code, verdict, events = self.recover({})
        texts = [event.get("text") for event in events if event.get("serial") == DOOR]
        self.assertIn("in its bootloader: none of its banks holds a valid application", texts)
        self.assertEqual(self.entry(verdict)["before"]["bootCause"], "no-valid-bank")
        self.assertEqual(code, 3)
        self.parked(verdict, "coding-lost")


if __name__ == "__main__":
    unittest.main()
