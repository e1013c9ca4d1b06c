#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What recallctl uptane verify reads and stores, and in which order, as the kernel saw it: test-what-is-read.py RECALLCTL GENERATOR"""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from writer import PARTIAL, PRIMARY, SECONDARY, Style, World

CTL, GENERATOR = sys.argv.pop(1), sys.argv.pop(1)
NOW = "2026-06-01T12:00:00Z"
CALL = re.compile(r'^(?:\[pid +\d+\] +|\d+ +)?(openat|rename\w*|fsync|fdatasync)\((.*)\) += (-?\d+)')


def calls(command):
    """(call, path, good) in order; of a rename the new name."""
    done = subprocess.run(["strace", "-f", "-s", "4096", "-e", "trace=openat,rename,renameat,renameat2,fsync,fdatasync", *map(str, command)],
                          capture_output=True, text=True, timeout=100, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr[-2000:])
    for line in done.stderr.splitlines():
        found = CALL.match(line)
        if found:
            paths = re.findall(r'"([^"]*)"', found.group(2))
            yield found.group(1), paths[-1] if paths else "", int(found.group(3)) >= 0


class Reading(unittest.TestCase):
    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.scratch)

    def verify(self, folder, ecus, vin="WRB0TEST000000001"):
        command = [CTL, "uptane", "verify", "--json", "--state", self.scratch / "state", "--vin", vin, "--time", NOW]
        for repo in ("director", "image"):
            command += [f"--{repo}", folder / repo, f"--{repo}-root", sorted((folder / repo).glob("1.root.json"))[0]]
        for option, name in ecus:
            command += [option, name]
        return list(calls(command))

    def opened(self, made, folder):
        return [str(Path(path).relative_to(folder)) for call, path, good in made if call == "openat" and good and path.startswith(f"{folder}/")]

    def test_of_twenty_delegations_one(self):
        folder = self.scratch / "world"
        subprocess.run([sys.executable, GENERATOR, folder, "--targets", "64", "--delegations", "20"], check=True, stdout=subprocess.DEVNULL)
        made = self.verify(folder, [("--secondary" if i else "--primary", f"ECU-{i}:hw-{i}") for i in range(8)])
        read = self.opened(made, folder / "image")
        self.assertEqual([name for name in read if name.startswith("supplier-")], ["supplier-00.json"])
        for name in ("timestamp.json", "snapshot.json", "targets.json"):
            self.assertEqual(read.count(name), 1, f"{name} was read {read.count(name)} times")
        self.assertEqual(len([name for name in read if name.startswith("targets/")]), 8)

    def test_each_root_is_kept_before_the_next_is_read(self):
        world = World(Style())
        for _ in range(5):
            world.director.keep_root()
        world.write(self.scratch / "world")
        made = self.verify(self.scratch / "world", [("--primary", ":".join(PRIMARY)), ("--secondary", ":".join(SECONDARY)), ("--partial", ":".join(PARTIAL))])
        events = []
        for call, path, good in made:
            found = re.search(r"(state|world)/director/(\d+)\.root\.json$", path)
            if found and good:
                events.append(("kept" if call.startswith("rename") else "read", found.group(1), int(found.group(2))))
        read = {number: at for at, (what, where, number) in enumerate(events) if (what, where) == ("read", "world") and number > 1}
        kept = {number: at for at, (what, where, number) in enumerate(events) if (what, where) == ("kept", "state")}
        self.assertEqual(set(read), {2, 3, 4, 5, 6})
        self.assertEqual(set(kept), {1, 2, 3, 4, 5, 6})
        for number in range(2, 6):
            self.assertLess(read[number], kept[number])
            self.assertLess(kept[number], read[number + 1])

    def test_whatever_is_kept_is_on_the_disk_first(self):
        """A file is synced before it gets its name, and its folder after."""
        World(Style()).write(self.scratch / "world")
        made = self.verify(self.scratch / "world", [("--primary", ":".join(PRIMARY)), ("--secondary", ":".join(SECONDARY)), ("--partial", ":".join(PARTIAL))])
        renames = [at for at, (call, path, good) in enumerate(made) if call.startswith("rename") and f"{self.scratch}/state" in path]
        self.assertGreater(len(renames), 5)
        for at in renames:
            self.assertIn(made[at - 1][0], ("fsync", "fdatasync"), made[at])
            after = [call for call, _, _ in made[at + 1:at + 3]]
            self.assertEqual(after, ["openat", "fsync"], made[at])


if __name__ == "__main__":
    unittest.main()
