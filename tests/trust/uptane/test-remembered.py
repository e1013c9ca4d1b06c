# SPDX-License-Identifier: Apache-2.0
"""What a store remembers of what was accepted: no room, changed keys, damage, a power cut."""

import json
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from accepted import HIGH, PAST, Case
import bench
from writer import Role, World, make_key


class NoRoom(Case):
    """What cannot be remembered is not accepted: a later run would believe what this one has refused."""

    def test_the_anchor(self):
        self.refuses(World(self.style), "director", "root", "io", full=True)
        self.assertFalse(any(path.is_file() for path in self.state.rglob("*")))
        self.accepts(World(self.style))

    def test_the_next_root(self):
        for repo in ("director", "image"):
            with self.subTest(repo):
                self.tearDown()
                self.setUp()
                self.accepts(World(self.style))
                before = bench.tree(self.state)
                world = World(self.style).newer()
                getattr(world, repo).keep_root()
                _, verdict = self.offer(world, full=True)
                self.assertEqual((verdict["repo"], verdict["role"], verdict["reason"]), (repo, "root", "io"), verdict)
                self.assertEqual(bench.tree(self.state), before)
                self.assertEqual(self.accepts(world)[repo]["root"], 2)

    def test_the_rest(self):
        self.accepts(World(self.style))
        before = bench.tree(self.state)
        code, verdict = self.offer(World(self.style).newer(), full=True)
        self.assertEqual((code, verdict["reason"]), (1, "io"), verdict)
        self.assertEqual(bench.tree(self.state), before)


class Recovery(Case):
    """Fast-forward attacks are undone by changing keys, not by counting past them."""

    def fast_forward(self, repo, *roles):
        world = World(self.style)
        for role in roles:
            getattr(world, repo).versions[role] = HIGH
        self.accepts(world)

    def rotated(self, repo, *roles):
        world = World(self.style).newer()
        repository = getattr(world, repo)
        repository.keep_root()
        before = repository.roles["root"].keys
        for number, role in enumerate(roles):
            repository.roles[role] = Role(make_key(self.style, 9 + number))
        repository.root_signers = list(dict.fromkeys(before + repository.roles["root"].keys))
        return world

    def test_every_role(self):
        for repo in ("director", "image"):
            for role, teller in (("timestamp", "timestamp"), ("snapshot", "timestamp"), ("targets", "snapshot")):
                with self.subTest(f"{repo} {role}"):
                    self.tearDown()
                    self.setUp()
                    self.fast_forward(repo, role)
                    self.refuses(World(self.style).newer(), repo, teller, "rollback")
                    self.accepts(self.rotated(repo, role))

    def test_timestamp_and_snapshot_fall_together(self):
        self.fast_forward("image", "timestamp", "snapshot")
        self.accepts(self.rotated("image", "timestamp"))

    def test_other_keys_drop_nothing(self):
        self.fast_forward("image", "targets")
        self.refuses(self.rotated("image", "root"), "image", "snapshot", "rollback")

    def test_drop_stays_where_the_run_is_refused_later(self):
        """The root was accepted, and with it falls what its key change drops, whatever comes after."""
        self.fast_forward("image", "timestamp")
        world = self.rotated("image", "timestamp")
        world.image.expires["targets"] = PAST
        self.refuses(world, "image", "targets", "expired")
        self.assertFalse((self.state / "image/timestamp.json").exists())
        self.assertTrue((self.state / "director/timestamp.json").exists())

    def test_delegation_of_changed_keys(self):
        world = World(self.style)
        self.supplier(world).version = HIGH
        self.accepts(world)
        world = self.rotated("image", "snapshot", "timestamp")
        self.refuses(world, "image", "supplier-b", "rollback")
        self.supplier(world).role = Role(make_key(self.style, 3))
        self.accepts(world)
        again = self.rotated("image", "snapshot", "timestamp").newer()
        self.supplier(again).role, self.supplier(again).version = Role(make_key(self.style, 3)), 1
        self.refuses(again, "image", "snapshot", "rollback")

    def counted(self, director=None, image=None, rotated=False):
        """A world of the next versions with a counter in each repository, None: without; rotated: the Director's targets key changes."""
        self.count = getattr(self, "count", 0) + 1
        world = World(self.style)
        for _ in range(self.count):
            world.newer()
        if rotated:
            world.director.keep_root()
            world.director.roles["targets"] = Role(make_key(self.style, 9))
        for repository, counter in ((world.director, director), (world.image, image)):
            for targets in (repository.targets, *(delegation.targets for delegation in repository.delegations)):
                for entry in targets.values():
                    entry["custom"].pop("releaseCounter", None)
                    if counter is not None:
                        entry["custom"]["releaseCounter"] = counter
        return world

    def test_release_counters_fall_with_the_targets_that_carried_them(self):
        self.accepts(self.counted(director=1000))
        self.refuses(self.counted(director=5), "director", "targets", "release-counter")
        self.accepts(self.counted(director=5, rotated=True))
        self.refuses(self.counted(director=4, rotated=True), "director", "targets", "release-counter")

    def test_release_counters_of_the_image_repository_still_bind(self):
        """The Director's keys are new, the Image repository's are those that signed the counter."""
        self.accepts(self.counted(director=1000, image=1000))
        self.refuses(self.counted(director=5, image=5, rotated=True), "image", "targets", "release-counter")
        self.refuses(self.counted(director=5, rotated=True), "image", "targets", "release-counter")
        self.accepts(self.counted(director=1000, image=1000, rotated=True))

    def test_release_counters_stay_where_the_run_is_rejected(self):
        self.accepts(self.counted(director=1000))
        counters = json.loads(self.stored("director", "versions.json"))["counters"]
        self.assertEqual({each["counter"] for each in counters.values()}, {1000})
        world = self.counted(director=5, rotated=True)
        world.director.expires["targets"] = PAST
        self.refuses(world, "director", "targets", "expired")
        self.assertEqual(json.loads(self.stored("director", "versions.json"))["counters"], counters)

    def test_release_counters_of_a_delegation_fall_with_its_keys(self):
        self.accepts(self.counted(image=1000))
        self.refuses(self.counted(image=5), "image", "targets", "release-counter")
        world = self.counted(image=5)
        self.supplier(world).role = Role(make_key(self.style, 3))
        self.refuses(world, "image", "targets", "release-counter")  # SN-1 and SN-3, which the top-level targets list
        for path in ("tcu/app-2.bin", "seat/app-2.bin"):
            world.image.targets[path]["custom"]["releaseCounter"] = 1000
        self.accepts(world)


class Store(Case):
    """The store is checked when it is opened; what is damaged is mended, and no version forgotten."""

    FILES = ("timestamp.json", "snapshot.json", "versions.json", "1.root.json")
    DAMAGES = {"empty": lambda data: b"", "cut": lambda data: data[: len(data) // 2], "another": lambda data: b'{"a":1}', "gone": lambda data: None}

    def setUp(self):
        super().setUp()
        self.accepts(World(self.style).newer())

    def damage(self, path, change):
        data = change(path.read_bytes())
        path.unlink()
        if data is not None:
            path.write_bytes(data)

    def again(self):
        self.tearDown()
        self.doCleanups()
        self.setUp()

    def test_one_file(self):
        for repo in ("director", "image"):
            for name in self.FILES:
                for what, change in self.DAMAGES.items():
                    with self.subTest(f"{repo} {name} {what}"):
                        self.again()
                        whole = bench.tree(self.state)
                        self.damage(self.state / repo / name, change)
                        verdict = self.refuses(World(self.style), "director", "timestamp", "rollback")
                        self.assertEqual(verdict["store_damaged"], [f"{repo}/{name}"])
                        self.accepts(World(self.style).newer())
                        after = bench.tree(self.state)
                        self.assertEqual({path: data for path, data in after.items() if "versions" not in path},
                                         {path: data for path, data in whole.items() if "versions" not in path})
                        self.assertNotIn("store_damaged", self.accepts(World(self.style).newer()))

    def test_a_file_and_its_copy(self):
        """Timestamp and snapshot are fetched again, and their versions are known all the same."""
        for repo in ("director", "image"):
            for name in ("timestamp.json", "snapshot.json"):
                with self.subTest(f"{repo} {name}"):
                    self.again()
                    before = self.stored(repo, name)
                    for path in (self.state / repo / name, self.state / repo / "copy" / name):
                        self.damage(path, self.DAMAGES["cut"])
                    old = World(self.style)
                    if repo == "image":
                        old.director = World(self.style).newer().director
                    role = "timestamp"
                    self.refuses(old, repo, role, "rollback")
                    older = World(self.style).newer().newer()
                    getattr(older, repo).versions["targets"] = 1
                    self.refuses(older, repo, "snapshot", "rollback")
                    self.accepts(World(self.style).newer())
                    self.assertEqual(self.stored(repo, name), before)

    def test_versions_and_their_copy(self):
        for what in ("empty", "cut", "another"):
            with self.subTest(what):
                self.again()
                for path in (self.state / "image/versions.json", self.state / "image/copy/versions.json"):
                    self.damage(path, self.DAMAGES[what])
                for world in (World(self.style), World(self.style).newer()):
                    verdict = self.refuses(world, "image", "root", "store-damaged")
                    self.assertIsNone(verdict["attack"])

    def test_root_and_its_copy(self):
        for path in (self.state / "image/1.root.json", self.state / "image/copy/root.json"):
            self.damage(path, self.DAMAGES["empty"])
        self.refuses(World(self.style).newer(), "image", "root", "store-damaged")

    def test_power_cut_at_every_write(self):
        """A folder of before in which the first N writes of a run have been made, in their order: whole, or as it was."""
        folder = World(self.style).newer().newer().write(self.folder / "next")
        before = bench.tree(self.state)
        log = subprocess.run(["strace", "-f", "-s", "4096", "-e", "trace=rename", "-o", "/dev/stdout", *bench.command(folder, self.state)],
                             capture_output=True, text=True, timeout=60, check=True).stdout
        after = bench.tree(self.state)
        written = [path for path in re.findall(r'rename\("[^"]*", "([^"]*)"\)', log) if path.startswith(f"{self.state}/")]
        self.assertGreater(len(written), 8)
        for count in range(len(written) + 1):
            shutil.rmtree(self.state)
            made = {str(Path(path).relative_to(self.state)) for path in written[:count]}
            for name, data in before.items():
                path = self.state / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(after[name] if name in made else data)
            with self.subTest(count):
                self.refuses(World(self.style), "director", "timestamp", "rollback")
                code, verdict = bench.run(folder, self.state)
                self.assertEqual((code, verdict["reason"]), (0, "ok"), verdict)

    def test_what_a_power_cut_left_is_swept(self):
        left = [self.state / "image" / name for name in ("7.root.json", "timestamp.json.AbCd12", "versions.json.AbCd12", "1.root.json.AbCd12")]
        for path in left:
            path.write_text("cut off")
        self.accepts(World(self.style).newer().newer())
        self.assertEqual([path for path in left if path.exists()], [])

    def test_delegated_state_stands_apart(self):
        """A supplier's role is no top-level role, whatever its version."""
        world = World(self.style).newer().newer()
        self.supplier(world).version = HIGH
        self.accepts(world)
        state = json.loads(self.stored("image", "versions.json"))
        self.assertEqual(set(state["roles"]), {"timestamp", "snapshot", "targets"})
        self.assertEqual({name: entry["version"] for name, entry in state["delegated"].items()}, {"targets\nsupplier-b": HIGH})


if __name__ == "__main__":
    bench.PROGRAM = sys.argv.pop(1)
    unittest.main()
