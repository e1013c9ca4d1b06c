# SPDX-License-Identifier: Apache-2.0
"""What a strict verifier must still accept, and what it remembers of it."""

import json
import os
import subprocess
import sys
import unittest

import bench
from accepted import PAST, Case
from writer import IMAGES, Delegation, Role, Several, Style, World, form_a, form_b, form_c, make_key, sha256, target

LATER = "2026-08-01T00:00:00Z"
UNUSUAL = {"x": {"unknown": [1, None, True, "caf\u00e9 \U0001f697 \u0001\u001f\u007f / \\ \" \n\t"]}, "y": "\u00df"}
STYLES = [Style("uptane", key, form, keyid, encoding, announce=announce, pretty=pretty, extra=UNUSUAL)
          for key, form, keyid, encoding, announce, pretty in (
              ("ed25519", form_a, "der", "base64", "bytes", False), ("ed25519", form_b, "string", "base64", "canonical", True),
              ("ed25519", form_c, "untrimmed", "hex", "canonical", True), ("ed25519", form_c, "object", "hex", "bytes", True),
              ("rsa", form_a, "der", "base64", "bytes", False), ("rsa-aktualizr", form_b, "string", "base64", "canonical", True),
              ("rsa", form_c, "untrimmed", "hex", "canonical", True), ("rsa-sha512", form_c, "untrimmed", "hex", "canonical", True),
              ("ecdsa-ota-tuf", form_a, "der", "base64", "canonical", False), ("ecdsa-ota-tuf", form_c, "string", "hex", "bytes", True))]
STYLES += [Style("tuf", key, form, "object", encoding, consistent=consistent, pretty=pretty, extra=UNUSUAL)
           for key, form, encoding, consistent, pretty in (
               ("ed25519", form_c, "hex", True, True), ("ed25519", form_a, "hex", False, False), ("ed25519", form_b, "base64", True, True),
               ("rsa", form_c, "hex", True, True), ("rsa-sha512", form_c, "hex", False, True), ("ecdsa", form_c, "hex", True, True),
               ("ecdsa", form_b, "base64", False, False))]


class Styles(Case):
    def test_every_style(self):
        for style in STYLES:
            with self.subTest(str(style)):
                self.tearDown()
                self.setUp()
                world = World(style)
                verdict = self.accepts(world)
                self.assertEqual({row["serial"] for row in verdict["ecus"]}, {"SN-1", "SN-2", "SN-3"})
                self.assertTrue(all(row["image_verified"] for row in verdict["ecus"]))
                self.accepts(World(style).newer())
                self.refuses(World(style), "director", "timestamp", "rollback")

    def test_altered_in_every_style(self):
        """The unusual characters are under the signature in each form."""
        for style in STYLES:
            with self.subTest(str(style)):
                self.tearDown()
                self.setUp()
                world = World(style)
                world.director.after["targets"] = lambda envelope: envelope["signed"].update(y="\u00de")
                self.refuses(world, "director", "targets", "bad-signature")


class Orders(Case):
    """ota-tuf and JavaScript sort members by UTF-16 code unit, Python and jansson by code point."""

    UNUSUAL = {"\uff5e beside": 1, "\U0001f697 car": {"\ue000": 1, "\U0010ffff": 2, "\ud7ff": [{"\ufffd": 1, "\U00010000": 2}]}, "plain": 0}

    @staticmethod
    def form(value):
        def ordered(part):
            if isinstance(part, dict):
                return {name: ordered(part[name]) for name in sorted(part, key=lambda name: name.encode("utf-16-be"))}
            return [ordered(each) for each in part] if isinstance(part, list) else part
        return json.dumps(ordered(value), separators=(",", ":"), ensure_ascii=False).encode()

    def test_utf16(self):
        self.assertNotEqual(self.form(self.UNUSUAL), form_a(self.UNUSUAL))
        for announce in ("bytes", "canonical"):
            style = Style(canonical=self.form, announce=announce, extra=self.UNUSUAL)
            style.write = lambda value: self.form(value)
            self.tearDown()
            self.setUp()
            self.accepts(World(style))
            altered = World(style).newer()
            altered.image.after["targets"] = lambda envelope: envelope["signed"].update(plain=1)
            self.refuses(altered, "image", "targets", "bad-signature")

    def test_bytes(self):
        self.accepts(World(Style(extra=self.UNUSUAL)))


class Memory(Case):
    """Nothing becomes a tree before it is authentic: memory is bounded by the file's length."""

    JUNK = b"[" + b"{}," * 7_000_000 + b"{}]"
    # the peak of a child counts from the fork on, so a small process forks it
    MEASURE = "import os, sys; pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]); print(os.wait4(pid, 0)[2].ru_maxrss)"

    def peak(self, world, repo, name, data):
        """(verdict, megabytes of the process) with that file in the place of the genuine one"""
        folder = world.write(self.folder / f"{repo}-{name}")
        self.anchor(folder)
        (folder / repo / name).write_bytes(data)
        said = subprocess.run([sys.executable, "-c", self.MEASURE, *bench.command(folder, self.state)], capture_output=True, text=True, timeout=100,
                              check=True).stdout.splitlines()
        return json.loads(said[-2]), int(said[-1]) / 1024

    def assert_bounded(self, megabytes, limit):
        if "ASAN_OPTIONS" not in os.environ:  # its shadow and quarantine count in
            self.assertLess(megabytes, limit)

    def junk(self, kind, table, space=b""):
        return (b'{"signatures":[],"signed":{"_type":"%s","expires":"2030-01-01T00:00:00Z","%s":{},"version":1,%s"x":' % (kind, table, space)
                + self.JUNK + b"}}")

    def listing(self, repo, lister, name, data):
        world = World(self.style)
        digest = {"sha256": sha256(data)}
        getattr(world, repo).edit[lister] = lambda signed: signed["meta"][name].update(length=len(data), hashes=digest)
        return world

    def test_unsigned_targets(self):
        for space in (b"", b" "):
            data = self.junk(b"Targets", b"targets", space)
            verdict, peak = self.peak(self.listing("image", "snapshot", "targets.json", data), "image", "targets.json", data)
            self.assertEqual((verdict["role"], verdict["reason"]), ("targets", "threshold-unmet"), verdict)
            self.assert_bounded(peak, 3 * len(data) / 1e6 + 20)

    def test_longer_than_listed(self):
        data = self.junk(b"Targets", b"targets")
        verdict, peak = self.peak(World(self.style), "image", "targets.json", data)
        self.assertEqual((verdict["role"], verdict["reason"]), ("targets", "length-mismatch"), verdict)
        self.assert_bounded(peak, 30)

    def test_snapshot_of_another_hash(self):
        data = self.junk(b"Snapshot", b"meta")[:7_900_000].rsplit(b",", 1)[0] + b"]}}"
        world = self.listing("image", "timestamp", "snapshot.json", data + b" ")
        verdict, peak = self.peak(world, "image", "snapshot.json", data)
        self.assertEqual((verdict["role"], verdict["reason"]), ("snapshot", "hash-mismatch"), verdict)
        self.assert_bounded(peak, 3 * len(data) / 1e6 + 20)


class Verdict(Case):
    def test_what_it_tells(self):
        verdict = self.accepts(World(self.style))
        self.assertEqual(verdict["director"]["root"], 1)
        self.assertEqual(verdict["image"]["supplier-b"], 1)
        self.assertEqual(verdict["director"]["root_sha256"], sha256((self.folder / "anchors/director.json").read_bytes()))
        row = next(row for row in verdict["ecus"] if row["serial"] == "SN-3")
        self.assertEqual((row["verification"], row["release_counter"], row["sha256"]),
                         ("partial", 3, sha256(IMAGES["seat/app-2.bin"])))
        self.assertTrue(verdict["director_timestamp"])

    def test_the_same_again(self):
        world = World(self.style)
        self.accepts(world)
        before = bench.tree(self.state)
        self.accepts(world)
        self.assertEqual(bench.tree(self.state), before)

    def test_director_without_online_roles(self):
        """aktualizr's Director: its root lists neither timestamp nor snapshot."""
        self.assertFalse(self.accepts(World(self.style, director_online=False))["director_timestamp"])
        self.accepts(World(self.style, director_online=False).newer())
        self.refuses(World(self.style, director_online=False), "director", "targets", "rollback")
        self.assertFalse((self.state / "director/timestamp.json").exists())

    def test_nothing_is_directed(self):
        world = World(self.style)
        world.director.targets = {}
        self.assertEqual(self.accepts(world)["ecus"], [])

    def test_reference_implementation_names(self):
        """Names that begin with "/" and custom.ecu_serial."""
        world = World(self.style, counter=-1)
        data = IMAGES["tcu/app-2.bin"]
        world.director.targets = {"/tcu/app-2.bin": target(data, ecu_serial="SN-1")}
        world.image.targets = {"/tcu/app-2.bin": target(data)}
        row = self.accepts(world)["ecus"][0]
        self.assertEqual((row["serial"], row["hardware_id"], row["image_verified"]), ("SN-1", "tcu-a", True))

    def test_metadata_alone(self):
        world = World(self.style)
        world.images = {}
        self.assertFalse(any(row["image_verified"] for row in self.accepts(world)["ecus"]))

    def test_images_beside_metadata(self):
        folder = World(self.style).write(self.folder / "beside")
        self.anchor(folder)
        for path in (folder / "image/targets").iterdir():
            path.rename(folder / "image" / path.name)
        (folder / "image/targets").rmdir()
        code, verdict = bench.run(folder, self.state)
        self.assertEqual((code, all(row["image_verified"] for row in verdict["ecus"])), (0, True), verdict)
        (folder / "image/tcu/app-2.bin").write_bytes(b"another")
        self.assertEqual(bench.run(folder, self.state)[1]["reason"], "length-mismatch")

    def test_several_ecus_share_an_image(self):
        world = World(self.style)
        both = {"SN-1": {"hardwareId": "tcu-a"}, "SN-2": {"hardwareId": "brake-b"}}
        world.director.targets.pop("brake/app-2.bin")
        world.director.targets["tcu/app-2.bin"]["custom"]["ecuIdentifiers"] = both
        world.image.targets["tcu/app-2.bin"]["custom"]["hardwareIds"] = ["tcu-a", "brake-b"]
        self.assertEqual(len(self.accepts(world)["ecus"]), 3)

    def test_extra_signatures(self):
        """Of unknown keys, of unknown methods, empty, or nonsense: not counted, not fatal."""
        world = World(self.style)
        strange = [{"keyid": "1" * 64, "method": "ed25519", "sig": "AAAA"}, {"keyid": "2" * 64, "method": "sphincs", "sig": ""},
                   {"keyid": "3" * 64, "method": "ed25519", "sig": "not base64 at all"}]
        for repository in (world.director, world.image):
            for role in ("root", "timestamp", "snapshot", "targets"):
                repository.after[role] = lambda envelope: envelope["signatures"].extend(strange)
        self.accepts(world)

    def test_unusable_keys_and_unknown_roles(self):
        world = World(self.style)
        for repository in (world.director, world.image):
            def edit(root):
                root["keys"]["9" * 64] = {"keytype": "SPHINCS", "keyval": {"public": "00"}}
                root["roles"]["offline-updates"] = {"keyids": ["9" * 64], "threshold": 1}
                root["roles"]["targets"]["keyids"].append("9" * 64)
            repository.edit["root"] = edit
        self.accepts(world)

    def test_more_signers_than_needed(self):
        world = World(self.style)
        for repository in (world.director, world.image):
            for role in repository.roles.values():
                role.keys.append(make_key(self.style, 10))
        self.accepts(world)

    def test_root_names_count_only_at_first(self):
        self.accepts(World(self.style))
        for repo in ("director", "image"):
            (self.folder / f"anchors/{repo}.json").write_text("no root at all")
        self.accepts(World(self.style).newer())

    def test_no_anchor(self):
        folder = World(self.style).write(self.folder / "w")
        self.anchor(folder)
        (self.folder / "anchors/image.json").unlink()
        code, verdict = bench.run(folder, self.state)
        self.assertEqual((code, verdict["repo"], verdict["role"], verdict["reason"]), (1, "image", "root", "not-found"))


class Anchors(Case):
    """The first root is judged before it is trusted."""

    def anchor_refused(self, change, role, reason):
        world = World(self.style)
        change(world.director)
        self.refuses(world, "director", role, reason)
        self.assertFalse(list(self.state.rglob("*.root.json")))

    def test_unsigned(self):
        self.anchor_refused(lambda d: d.after.update(root=lambda e: e["signatures"].clear()), "root", "threshold-unmet")

    def test_altered(self):
        self.anchor_refused(lambda d: d.after.update(root=lambda e: e["signed"].update(x=1)), "root", "bad-signature")

    def test_signature_twice(self):
        self.anchor_refused(lambda d: d.after.update(root=lambda e: e["signatures"].append(e["signatures"][0])), "root", "duplicate-signature")

    def test_other_type(self):
        self.anchor_refused(lambda d: d.edit.update(root=lambda s: s.update(_type="invalidrole")), "root", "wrong-type")

    def test_threshold_zero(self):
        def zero(director):
            director.roles["targets"].threshold = 0
        self.anchor_refused(zero, "targets", "illegal-threshold")

    def test_bad_key_id(self):
        def rename(director):
            director.edit["root"] = lambda s: s["keys"].update({"e" * 64: s["keys"].pop(s["roles"]["root"]["keyids"][0])})
        self.anchor_refused(rename, "root", "bad-key-id")

    def test_expired_is_trusted_but_not_enough(self):
        world = World(self.style)
        world.director.expires["root"] = PAST
        self.refuses(world, "director", "root", "expired")
        world.director.keep_root()
        world.director.expires["root"] = "2030-01-01T00:00:00Z"
        self.accepts(world)


class Chains(Case):
    def test_forty_roots_of_new_keys(self):
        self.accepts(World(self.style))
        world = World(self.style).newer()
        for repository in (world.director, world.image):
            for step in range(40):
                repository.keep_root()
                before = repository.roles["root"].keys
                repository.roles["root"] = Role(make_key(self.style, step))
                repository.root_signers = list(dict.fromkeys(before + repository.roles["root"].keys))
        verdict = self.accepts(world)
        self.assertEqual((verdict["director"]["root"], verdict["image"]["root"]), (41, 41))
        for version in range(1, 42):
            self.assertEqual(self.stored("image", f"{version}.root.json"),
                             (self.folder / f"world-2/image/{version}.root.json").read_bytes())

    def test_expired_on_the_way(self):
        """Expiry counts for the last root alone, also where the trusted one has expired meanwhile."""
        self.accepts(World(self.style))
        world = World(self.style).newer()
        for repository in (world.director, world.image):
            repository.expires["root"] = PAST
            for _ in range(3):
                repository.keep_root()
            repository.expires["root"] = "2031-01-01T00:00:00Z"
        self.assertEqual(self.accepts(world)["image"]["root"], 4)

    def test_accepted_roots_stay_where_a_later_one_is_refused(self):
        self.accepts(World(self.style))
        before = bench.tree(self.state, roots=False)
        world = World(self.style).newer()
        for _ in range(3):
            world.director.keep_root()
        world.director.edit["root"] = lambda signed: signed.update(version=9)
        self.refuses(world, "director", "root", "root-version")
        self.assertEqual(sorted(path.name for path in (self.state / "director").glob("*.root.json")),
                         ["1.root.json", "2.root.json", "3.root.json"])
        after = bench.tree(self.state, roots=False)
        for name in [name for name in before if name.startswith("director") and name.endswith("versions.json")]:
            old, new = json.loads(before.pop(name)), json.loads(after.pop(name))
            self.assertEqual({member for member in new if new[member] != old[member]}, {"root", "sequence", "sha256"})
        self.assertEqual(after, before)

    def test_two_links_missing_in_a_row(self):
        """301 roots, of which two in a row are not there: the rest is unreachable, and said to be."""
        self.accepts(World(self.style))
        world = World(self.style).newer()
        for repository in (world.director, world.image):
            for _ in range(30):
                repository.keep_root()
        world.image.final = lambda files: [files.pop(f"{version}.root.json") for version in (15, 16)]
        verdict = self.refuses(world, "image", "root", "root-gap")
        self.assertIn("version 15 is missing, version 31 is there", verdict["message"])
        self.assertEqual(verdict["attack"], "drop request")
        world.image.final = None
        self.assertEqual(self.accepts(world)["image"]["root"], 31)

    def test_unknown_role_without_threshold(self):
        world = World(self.style)
        world.director.edit["root"] = lambda signed: signed["roles"].update({"offline-updates": {"keyids": []}, "remote-sessions": {}})
        self.accepts(world)

    def test_root_json_alone(self):
        """The reference implementation names every root root.json."""
        self.accepts(World(self.style))
        world = World(self.style).newer()
        world.director.keep_root()

        def final(files):
            files["root.json"] = files.pop("2.root.json")
            files.pop("1.root.json")
        world.director.final = final
        self.assertEqual(self.accepts(world)["director"]["root"], 2)

    def test_root_json_of_other_bytes(self):
        """uptane-generator writes root.json canonical and N.root.json indented."""
        world = World(Style(pretty=True))
        world.image.final = lambda files: files.update({"root.json": form_a(json.loads(files["1.root.json"]))})
        self.accepts(world)

    def test_trusted_root_is_not_replaced_by_its_version(self):
        """aktualizr's vectors: another root 1 is nobody's business once root 1 is trusted."""
        self.accepts(World(self.style))
        world = World(self.style).newer()
        world.image.roles["root"] = Role(make_key(self.style, 10))
        before = self.stored("image", "1.root.json")
        self.accepts(world)
        self.assertEqual(self.stored("image", "1.root.json"), before)


class Delegations(Case):
    PATH = "brake/app-2.bin"

    def entry(self, **custom):
        return {self.PATH: target(IMAGES[self.PATH], hardwareIds=["brake-b"], releaseCounter=3, **custom)}

    def with_delegations(self, *delegations):
        world = World(self.style)
        world.image.delegations = list(delegations)
        return world

    def role(self, number):
        return Role(make_key(self.style, number))

    def test_two_deep(self):
        inner = Delegation("inner", self.role(9), [self.PATH], self.entry())
        self.accepts(self.with_delegations(Delegation("outer", self.role(8), ["brake/*"], delegations=[inner])))

    def test_next_one_is_asked(self):
        self.accepts(self.with_delegations(Delegation("silent", self.role(8), ["brake/*"]), Delegation("knows", self.role(9), ["*/*"], self.entry())))

    def test_terminating_elsewhere(self):
        other = Delegation("other", self.role(8), ["seat/*"], terminating=True)
        self.accepts(self.with_delegations(other, Delegation("knows", self.role(9), ["brake/*"], self.entry())))

    def test_terminating_that_knows(self):
        self.accepts(self.with_delegations(Delegation("knows", self.role(8), ["brake/*"], self.entry(), terminating=True)))

    def test_bound_to_its_hardware(self):
        self.accepts(self.with_delegations(Delegation("other", self.role(9), ["brake/*"], self.wrong(), hardware_ids=["tcu-a"]),
                                           Delegation("knows", self.role(8), ["brake/*"], self.entry(), hardware_ids=["x", "brake-b"])))

    def wrong(self):
        return {self.PATH: target(b"wrong")}

    def test_unneeded_delegation_is_not_read(self):
        broken = Delegation("broken", self.role(9), ["seat/*"])
        world = self.with_delegations(Delegation("knows", self.role(8), ["brake/*"], self.entry()), broken)
        world.image.after["broken"] = lambda envelope: envelope["signatures"].clear()
        self.accepts(world)

    def test_circle_is_left(self):
        first = Delegation("first", self.role(8), ["brake/*"])
        second = Delegation("second", self.role(9), ["brake/*"], delegations=[first])
        first.delegations = [second]
        self.accepts(self.with_delegations(first, Delegation("knows", self.role(10), ["brake/*"], self.entry())))

    def test_one_file_by_two_parents(self):
        shared = Delegation("shared", self.role(9), [self.PATH], self.entry())
        self.accepts(self.with_delegations(Delegation("a", self.role(8), ["brake/*"], delegations=[
            Delegation("deeper", self.role(10), ["nothing"], delegations=[shared])]), shared))

    def test_path_hash_prefixes(self):
        delegation = Delegation("hashed", self.role(8), [], self.entry())
        world = self.with_delegations(delegation)

        def edit(signed):
            entry = signed["delegations"]["roles"][0]
            entry.pop("paths")
            entry["path_hash_prefixes"] = ["00", sha256(self.PATH.encode())[:3]]
        world.image.edit["targets"] = edit
        self.accepts(world)

    def several(self, needed, *entries):
        members = [Delegation(f"member-{i}", self.role(8 + i), ["brake/*"], entry) for i, entry in enumerate(entries)]
        return self.with_delegations(Several(["brake/*"], members, needed))

    def test_roles_that_agree(self):
        self.accepts(self.several(2, self.entry(), self.entry()))

    def test_custom_may_differ(self):
        self.accepts(self.several(2, self.entry(), self.entry(comment="seen")))

    def test_majority(self):
        self.accepts(self.several(2, self.entry(), self.wrong(), self.entry()))

    def test_majority_with_one_silent(self):
        self.accepts(self.several(2, {}, self.entry(), self.entry()))

    def test_nobody_knows_so_the_next_is_asked(self):
        world = self.several(2, {}, {})
        world.image.delegations.append(Delegation("knows", self.role(3), ["brake/*"], self.entry()))
        self.accepts(world)

    def test_earliest_agreement_wins(self):
        other = {self.PATH: target(b"other", hardwareIds=["brake-b"], releaseCounter=3)}
        self.refuses(self.several(1, other, self.entry()), "image", "targets", "target-mismatch")


class SameVersion(Case):
    """The two suites contradict each other, so the dialect decides (TUF 5.4.3.1; aktualizr's vectors)."""

    def changed(self, style):
        world = World(style)
        world.image.edit["timestamp"] = lambda signed: signed.update(expires="2029-01-01T00:00:00Z")
        return world

    def test_uptane_takes_the_new_content(self):
        self.accepts(World(self.style))
        self.accepts(self.changed(self.style))
        self.assertIn(b"2029", self.stored("image", "timestamp.json"))

    def test_tuf_keeps_the_old(self):
        style = Style("tuf", canonical=form_c, keyid="object")
        self.accepts(World(style))
        before = self.stored("image", "timestamp.json")
        self.accepts(self.changed(style))
        self.assertEqual(self.stored("image", "timestamp.json"), before)


class Time(Case):
    def test_never_back(self):
        self.accepts(World(self.style), time=LATER)
        self.refuses(World(self.style).newer(), None, None, "clock")
        self.accepts(World(self.style).newer(), time=LATER)

    def test_refused_run_moves_no_clock(self):
        self.accepts(World(self.style))
        self.refuses(World(self.style), "director", "root", "expired", time="2035-01-01T00:00:00Z")
        self.accepts(World(self.style))

    def test_freeze(self):
        world = World(self.style)
        world.image.expires["timestamp"] = LATER
        self.accepts(world)
        verdict = self.refuses(world, "image", "timestamp", "expired", time=LATER)
        self.assertEqual(verdict["attack"], "freeze")


if __name__ == "__main__":
    bench.PROGRAM = sys.argv.pop(1)
    unittest.main()
