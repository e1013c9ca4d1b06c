#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl tuf against repositories of python3-securesystemslib: requests, stored files byte for byte, refusals.
Usage: test-client.py RECALLCTL"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from simulator import EARLIER, LATER, NOW, Key, Repository, Server  # noqa: E402


class Client:
    """recallctl tuf with folders of its own."""

    def __init__(self, program, server, repository, initialise=True):
        self.program, self.server = program, server
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="recallbay-tuf-"))
        self.metadata, self.targets = self.root / "metadata", self.root / "targets"
        self.serve(repository)
        if initialise:
            (self.root / "root.json").write_bytes(repository.files["1.root.json"])
            self.run("init", self.root / "root.json")

    def serve(self, repository):
        self.repository = self.server.repository = repository

    def run(self, *arguments, expect=0, time=NOW):
        done = subprocess.run([self.program, "--json", "tuf", "--metadata-dir", self.metadata, "--metadata-url", self.server.url + "/metadata",
                               "--target-base-url", self.server.url + "/targets", "--target-dir", self.targets, "--time", time,
                               *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, f"exit {done.returncode}: {done.stdout} {done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    def refresh(self, reason=None, role=None, **more):
        """Refreshes; with a reason it must be refused for that reason in that role."""
        self.repository.requests.clear()
        verdict = self.run("refresh", expect=1 if reason else 0, **more)
        if reason:
            assert verdict["reason"] == reason, verdict
            assert role is None or verdict["role"] == role, verdict
        return verdict

    def download(self, *paths, reason=None, **more):
        self.repository.requests.clear()
        verdict = self.run("download", *[word for path in paths for word in ("--target-name", path)], expect=1 if reason else 0, **more)
        assert not reason or verdict["reason"] == reason, verdict
        return verdict

    def stored(self, role):
        path = self.metadata / (urllib.parse.quote(role, "") + ".json")
        return path.read_bytes() if path.exists() else None

    def version(self, role):
        content = self.stored(role)
        return None if content is None else json.loads(content)["signed"]["version"]

    def versions(self):
        return [self.version(role) for role in ("root", "timestamp", "snapshot", "targets")]

    def asked(self):
        return list(self.repository.requests)

    def close(self):
        shutil.rmtree(self.root)


CASES = []


def case(function):
    CASES.append(function)
    return function


def published(**options):
    repository = Repository(**options)
    repository.publish()
    return repository


# What is asked for, in which order, and what is kept


@case
def first_refresh(start):
    client = start(published())
    client.refresh()
    assert client.asked() == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"], client.asked()
    for role, name in (("root", "1.root.json"), ("timestamp", "timestamp.json"), ("snapshot", "1.snapshot.json"), ("targets", "1.targets.json")):
        assert client.stored(role) == client.repository.files[name], f"{role} is not what was served, byte for byte"
    assert sorted(path.name for path in client.metadata.iterdir()) == ["root.json", "snapshot.json", "targets.json", "timestamp.json"]


@case
def without_consistent_snapshots(start):
    client = start(published(consistent=False))
    client.refresh()
    assert client.asked() == ["2.root.json", "timestamp.json", "snapshot.json", "targets.json"], client.asked()


@case
def nothing_twice(start):
    client = start(published())
    client.refresh()
    client.refresh()
    assert client.asked() == ["2.root.json", "timestamp.json"], client.asked()
    client.repository.publish(bump=("timestamp",))
    client.refresh()
    assert client.asked() == ["2.root.json", "timestamp.json"], client.asked()
    assert client.versions() == [1, 2, 1, 1]
    client.repository.publish(bump=("snapshot", "timestamp"))
    client.refresh()
    assert client.asked() == ["2.root.json", "timestamp.json", "2.snapshot.json"], client.asked()
    client.repository.news()
    client.refresh()
    assert client.asked() == ["2.root.json", "timestamp.json", "3.snapshot.json", "2.targets.json"], client.asked()
    assert client.versions() == [1, 4, 3, 2]


@case
def same_timestamp_version_is_no_news(start):
    client = start(published())
    client.refresh()
    before = client.stored("timestamp")
    client.repository.snapshot["version"] += 1
    client.repository.publish()
    client.refresh()
    assert client.stored("timestamp") == before and client.versions() == [1, 1, 1, 1]


@case
def roots_in_a_row(start):
    client = start(published())
    for _ in range(4):
        client.repository.next_root()
    client.refresh()
    assert client.asked()[:6] == ["2.root.json", "3.root.json", "4.root.json", "5.root.json", "6.root.json", "timestamp.json"]
    assert client.stored("root") == client.repository.files["5.root.json"]


@case
def forbidden_ends_the_chain_too(start):
    client = start(published())
    client.repository.absent = 403
    client.refresh()


@case
def a_server_error_does_not_end_the_chain(start):
    client = start(published())
    client.repository.absent = 500
    client.refresh("io", "root")


@case
def every_root_key_changes(start):
    client = start(published())
    for role in ("root", "timestamp", "snapshot", "targets", "root"):
        client.repository.rotate(role)
    client.repository.publish()
    client.refresh()
    assert client.version("root") == 6


@case
def announced_lengths_and_hashes(start):
    client = start(published(announce=True))
    client.refresh()
    client.repository.news()
    client.refresh()
    assert client.versions() == [1, 2, 2, 2]


@case
def unknown_members_are_kept(start):
    repository = Repository()
    for part in (repository.root, repository.timestamp, repository.snapshot, repository.targets["targets"]):
        part["x-unknown"] = {"nested": [1, "ü", None, True]}
    repository.root["keys"]["ab" * 32] = {"keytype": "rot13", "scheme": "rot13", "keyval": {"public": "nothing"}}
    repository.root["roles"]["unknown"] = {"keyids": ["ab" * 32], "threshold": 1}
    repository.publish_root()
    repository.publish()
    client = start(repository)
    client.refresh()
    assert b"x-unknown" in client.stored("targets")


# Keys and signatures


def _keys(kind):
    def run(start):
        client = start(published(kind=kind))
        client.refresh()
    run.__name__ = f"signed_with_{kind}"
    return run


for _kind in ("ecdsa", "rsa"):
    case(_keys(_kind))


@case
def a_threshold_of_two(start):
    repository = Repository()
    repository.signers["timestamp"].append(Key())
    repository.set_roles({"timestamp": 2})
    repository.publish_root()
    repository.publish()
    client = start(repository)
    client.refresh()
    repository.write("timestamp", repository.timestamp, repository.signers["timestamp"][:1])
    repository.timestamp["version"] = 2
    repository.write("timestamp", repository.timestamp, repository.signers["timestamp"][:1])
    client.refresh("threshold-unmet", "timestamp")
    assert client.version("timestamp") == 1


@case
def one_key_under_two_ids_counts_once(start):
    repository = Repository()
    key = repository.signers["timestamp"][0]
    twin = "cd" * 32
    repository.root["keys"][twin] = key.public
    repository.root["roles"]["timestamp"] = {"keyids": [key.id, twin], "threshold": 2}
    repository.publish_root()
    repository.publish()
    repository.alter("timestamp.json", lambda file: file["signatures"].append({"keyid": twin, "sig": file["signatures"][0]["sig"]}))
    client = start(repository)
    client.refresh(reason="threshold-unmet", role="timestamp")


@case
def one_signature_twice_counts_not(start):
    client = start(published())
    client.repository.alter("timestamp.json", lambda file: file["signatures"].append(file["signatures"][0]))
    client.refresh("duplicate-signature", "timestamp")


@case
def unsigned(start):
    for name, role in (("timestamp.json", "timestamp"), ("1.snapshot.json", "snapshot"), ("1.targets.json", "targets")):
        client = start(published())
        client.repository.alter(name, lambda file: file.update(signatures=[]))
        client.refresh("threshold-unmet", role)
        assert client.stored(role) is None


@case
def altered(start):
    for name, role in (("timestamp.json", "timestamp"), ("1.snapshot.json", "snapshot"), ("1.targets.json", "targets")):
        client = start(published())
        client.repository.alter(name, lambda file: file["signed"].update(expires="2026-12-02T00:00:00Z"))
        verdict = client.run("refresh", expect=1)
        assert verdict["role"] == role and verdict["reason"] in ("bad-signature", "threshold-unmet"), verdict


@case
def a_strangers_extra_signature_is_skipped(start):
    client = start(published())
    client.repository.alter("timestamp.json", lambda file: file["signatures"].append({"keyid": "ef" * 32, "sig": "00" * 64}))
    client.refresh()


@case
def an_empty_extra_signature_is_skipped(start):
    client = start(published())
    client.repository.alter("timestamp.json", lambda file: file["signatures"].append({"keyid": "ef" * 32, "sig": ""}))
    client.refresh()


@case
def a_root_must_be_signed_by_the_one_before(start):
    repository = published()
    stranger = [Key()]
    repository.signers["root"] = stranger
    repository.root["version"] = 2
    repository.set_roles()
    repository.publish_root(stranger)
    client = start(repository)
    verdict = client.run("refresh", expect=1)
    assert verdict["role"] == "root" and verdict["reason"] in ("threshold-unmet", "bad-signature"), verdict
    assert client.version("root") == 1


@case
def a_root_must_be_signed_by_itself(start):
    repository = published()
    old = list(repository.signers["root"])
    repository.signers["root"] = [Key()]
    repository.root["version"] = 2
    repository.set_roles()
    repository.publish_root(old)
    client = start(repository)
    verdict = client.run("refresh", expect=1)
    assert verdict["role"] == "root" and client.version("root") == 1, verdict


@case
def roots_accepted_before_a_refusal_stay(start):
    repository = published()
    repository.next_root()
    repository.next_root()
    repository.alter("3.root.json", lambda file: file.update(signatures=[]))
    client = start(repository)
    client.refresh("threshold-unmet", "root")
    assert client.version("root") == 2 and client.stored("timestamp") is None


# Versions


@case
def a_root_that_skips_a_version(start):
    repository = published()
    repository.root["version"] = 3
    repository.publish_root()
    repository.files["2.root.json"] = repository.files.pop("3.root.json")
    client = start(repository)
    client.refresh("root-version", "root")


@case
def rollback(start):
    client = start(published())
    client.repository.news()
    client.refresh()
    kept = client.versions()

    def back(part, version, role):
        before = part["version"]
        part["version"] = version
        client.repository.timestamp["version"] += 1 if role != "timestamp" else 0
        client.repository.publish()
        client.refresh("rollback", "snapshot" if role == "targets" else "timestamp")
        part["version"] = before
    back(client.repository.timestamp, 1, "timestamp")
    back(client.repository.snapshot, 1, "snapshot")
    client.repository.snapshot["version"] = 3
    client.repository.timestamp["version"] = 9
    back(client.repository.targets["targets"], 1, "targets")
    assert client.versions()[0] == kept[0] and client.version("snapshot") == 2 and client.version("targets") == 2


@case
def a_listed_file_may_not_vanish(start):
    repository = Repository()
    repository.delegate("one")
    repository.publish()
    client = start(repository)
    client.refresh()
    del repository.snapshot["meta"]["one.json"]
    repository.publish(bump=("snapshot", "timestamp"))
    client.refresh("rollback", "snapshot")


@case
def only_the_name_that_consistent_snapshots_have(start):
    repository = published()
    client = start(repository)
    repository.files["targets.json"] = repository.files.pop("1.targets.json")
    client.refresh("missing", "targets")
    assert client.asked()[-1] == "1.targets.json", client.asked()


@case
def another_version_than_announced(start):
    for name, role in (("1.snapshot.json", "snapshot"), ("1.targets.json", "targets")):
        client = start(published())
        client.repository.resign(name, role, lambda signed: signed.update(version=2))
        client.refresh("version-mismatch", role)


@case
def another_content_than_announced(start):
    for name, role in (("1.snapshot.json", "snapshot"), ("1.targets.json", "targets")):
        client = start(published(announce=True))
        client.repository.resign(name, role, lambda signed: signed.update(spec_version="1.0.30"))
        verdict = client.run("refresh", expect=1)
        assert verdict["role"] == role and verdict["reason"] in ("hash-mismatch", "length-mismatch", "too-large"), verdict


def _fast_forward(rotated, part_of, role):
    def run(start):
        client = start(published())
        part = part_of(client.repository)
        part["version"] = 1000
        client.repository.publish(bump=() if role == "timestamp" else ("timestamp",) if role == "snapshot" else ("snapshot", "timestamp"))
        client.refresh()
        assert client.version(role) == 1000
        client.repository.rotate(rotated)
        part["version"] = 2
        client.repository.publish(bump=() if role == "timestamp" else ("timestamp",) if role == "snapshot" else ("snapshot", "timestamp"))
        client.refresh()
        assert client.version(role) == 2
    run.__name__ = f"fast_forward_of_{role}_is_undone_by_new_{rotated}_keys"
    return run


for _rotated, _part, _role in (("timestamp", lambda r: r.timestamp, "timestamp"), ("snapshot", lambda r: r.timestamp, "timestamp"),
                               ("snapshot", lambda r: r.snapshot, "snapshot"), ("timestamp", lambda r: r.snapshot, "snapshot"),
                               ("snapshot", lambda r: r.targets["targets"], "targets")):
    case(_fast_forward(_rotated, _part, _role))


# Time


@case
def expired(start):
    for change, role, kept in ((lambda r: r.timestamp, "timestamp", [1, None, None, None]), (lambda r: r.snapshot, "snapshot", [1, 1, None, None]),
                               (lambda r: r.targets["targets"], "targets", [1, 1, 1, None])):
        repository = Repository()
        change(repository)["expires"] = EARLIER
        repository.publish()
        client = start(repository)
        client.refresh("expired", role)
        assert client.versions() == kept, client.versions()


@case
def only_the_last_root_must_be_fresh(start):
    repository = Repository()
    repository.root["expires"] = EARLIER
    repository.publish_root()
    repository.publish()
    client = start(repository)
    client.refresh("expired", "root")
    repository.root["expires"] = LATER
    repository.next_root()
    client.refresh()
    assert client.version("root") == 2


@case
def what_is_stored_expires_too(start):
    client = start(published())
    client.refresh()
    client.refresh("expired", "root", time="2127-01-01T00:00:00Z")


@case
def an_expired_local_timestamp_still_counts_for_rollback(start):
    repository = Repository()
    repository.timestamp["version"] = 5
    repository.timestamp["expires"] = "2026-06-10T00:00:00Z"
    repository.publish()
    client = start(repository)
    client.refresh()
    repository.timestamp.update(version=4, expires=LATER)
    repository.publish()
    client.refresh("rollback", "timestamp", time="2026-07-01T00:00:00Z")


# Form


@case
def wrong_type(start):
    for name, role in (("timestamp.json", "timestamp"), ("1.snapshot.json", "snapshot"), ("1.targets.json", "targets")):
        client = start(published())
        client.repository.resign(name, role, lambda signed: signed.update(_type="root"))
        client.refresh("wrong-type", role)


@case
def malformed(start):
    for content in (b"", b"{", b"[]", b"{}", b'{"signatures":[],"signed":{}}', b"\xff\xfe", b'{"signed":1,"signatures":[]}',
                    b'{"signed":{},"signed":{},"signatures":[]}', b"[" * 5000):
        client = start(published())
        client.repository.files["timestamp.json"] = content
        verdict = client.run("refresh", expect=1)
        assert verdict["role"] == "timestamp" and verdict["reason"] in ("malformed", "wrong-type"), (content[:20], verdict)
        client.close()


@case
def too_large(start):
    client = start(published())
    client.repository.files["timestamp.json"] = b"{" + b" " * 20000
    client.refresh("too-large", "timestamp")
    client = start(published())
    client.repository.files["2.root.json"] = b"{" + b" " * 600000
    client.refresh("too-large", "root")


@case
def missing(start):
    for name, role in (("timestamp.json", "timestamp"), ("1.snapshot.json", "snapshot"), ("1.targets.json", "targets")):
        client = start(published())
        del client.repository.files[name]
        client.refresh("missing", role)


@case
def init_takes_only_a_root_that_signed_itself(start):
    client = start(published(), initialise=False)
    path = client.root / "bad.json"
    path.write_bytes(client.repository.files["timestamp.json"])
    assert client.run("init", path, expect=1)["reason"] == "wrong-type"
    client.repository.alter("1.root.json", lambda file: file.update(signatures=[]))
    path.write_bytes(client.repository.files["1.root.json"])
    assert client.run("init", path, expect=1)["reason"] == "threshold-unmet"
    assert not client.metadata.exists()
    assert client.run("refresh", expect=1)["reason"] == "no-trust-anchor"


@case
def a_stored_file_that_was_altered_is_fetched_again(start):
    client = start(published())
    client.refresh()
    for role in ("timestamp", "snapshot", "targets"):
        (client.metadata / f"{role}.json").write_text("{}")
    client.refresh()
    assert client.asked() == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]
    assert client.versions() == [1, 1, 1, 1]


# Targets and delegations


@case
def a_target(start):
    repository = Repository()
    repository.add_artifact("folder/some file.bin", b"content")
    repository.publish()
    client = start(repository)
    verdict = client.download("folder/some file.bin")
    assert verdict["targets_fetched"] == [{"target": "folder/some file.bin", "fetched": True}]
    assert [path.name for path in client.targets.iterdir()] == ["folder%2Fsome%20file.bin"]
    assert (client.targets / "folder%2Fsome%20file.bin").read_bytes() == b"content"
    client.download("folder/some file.bin")
    assert client.asked() == ["2.root.json", "timestamp.json"], "fetched twice"
    repository.add_artifact("folder/some file.bin", b"other content")
    repository.news()
    client.download("folder/some file.bin")
    assert (client.targets / "folder%2Fsome%20file.bin").read_bytes() == b"other content"
    client.download("folder/nothing", reason="target-missing")


@case
def a_target_without_hash_prefix(start):
    repository = Repository(consistent=False)
    repository.add_artifact("a/b", b"content")
    repository.publish()
    client = start(repository)
    client.download("a/b")
    assert client.asked()[-1] == "a/b"


@case
def a_target_that_is_not_what_was_signed(start):
    repository = Repository(consistent=False)
    repository.add_artifact("file", b"content")
    repository.publish()
    client = start(repository)
    repository.artifacts["file"] = b"cOntent"
    client.download("file", reason="hash-mismatch")
    repository.artifacts["file"] = b"conten"
    client.download("file", reason="length-mismatch")
    repository.artifacts["file"] = b"content and more of it"
    client.download("file", reason="too-large")
    assert not client.targets.exists() or list(client.targets.iterdir()) == []


@case
def role_names_are_encoded(start):
    for name in ("a/b", "../a", ".", "..", "ü", "a b", "%2e", "Ab.-_~9"):
        repository = Repository()
        repository.delegate(name)
        repository.add_artifact("file", b"content", name)
        repository.publish()
        client = start(repository)
        client.download("file")
        quoted = urllib.parse.quote(name, "")
        assert client.asked()[4] == f"1.{quoted}.json", client.asked()
        assert client.stored(name) == repository.files[f"1.{quoted}.json"]
        assert len(list(client.root.iterdir())) == 3, "something was written outside"
        client.close()


def _graph(name, edges, visited, target="file", holder=None):
    """edges: (parent, role, paths, terminating); visited: the delegated roles asked for, in order."""
    def run(start):
        repository = Repository()
        keys = {}
        for parent, role, paths, terminating in edges:
            key = keys.setdefault(role, Key())
            repository.delegate(role, parent, paths, key=key, terminating=terminating)
        if holder:
            repository.add_artifact(target, b"content", holder)
        repository.publish()
        client = start(repository)
        client.download(target, reason=None if holder else "target-missing")
        asked = [name[2:-5] for name in client.asked()[4:] if name.endswith(".json")]
        assert asked == visited, (asked, visited)
        client.download(target, reason=None if holder else "target-missing")
        assert client.asked() == ["2.root.json", "timestamp.json"] , client.asked()
    run.__name__ = f"delegations_{name}"
    return run


for _case in (
        ("none_match", [("targets", "a", ["other"], False)], []),
        ("in_pre_order", [("targets", "a", ["*"], False), ("targets", "b", ["*"], False), ("a", "c", ["*"], False)], ["a", "c", "b"]),
        ("to_a_holder", [("targets", "a", ["*"], False), ("targets", "b", ["*"], False), ("a", "c", ["*"], False)], ["a", "c"], "file", "c"),
        ("end_at_terminating", [("targets", "a", ["*"], True), ("targets", "b", ["*"], False)], ["a"]),
        ("terminating_deeper", [("targets", "a", ["*"], False), ("targets", "b", ["*"], False), ("a", "c", ["*"], True)], ["a", "c"]),
        ("in_a_circle", [("targets", "a", ["*"], False), ("a", "b", ["*"], False), ("b", "a", ["*"], False)], ["a", "b"]),
        ("to_itself", [("targets", "a", ["*"], False), ("a", "a", ["*"], False)], ["a"]),
        ("star_stops_at_a_slash", [("targets", "a", ["*"], False), ("targets", "b", ["*/*"], False)], ["b"], "x/y"),
        ("question_mark", [("targets", "a", ["fil?"], False), ("targets", "b", ["fi?"], False)], ["a"]),
        ("folder_pattern", [("targets", "a", ["x/*.bin"], False), ("targets", "b", ["y/*.bin"], False)], ["a"], "x/y.bin"),
):
    case(_graph(*_case))


@case
def only_so_many_delegations(start):
    repository = Repository()
    for number in range(40):
        repository.delegate(f"r{number}")
    repository.publish()
    client = start(repository)
    client.download("file", reason="target-missing")
    assert len(client.asked()) - 4 == 32, client.asked()


@case
def hash_prefixes(start):
    import hashlib
    digest = hashlib.sha256(b"file").hexdigest()
    repository = Repository()
    repository.delegate("wrong", paths=())
    repository.targets["targets"]["delegations"]["roles"][0].pop("paths")
    repository.targets["targets"]["delegations"]["roles"][0]["path_hash_prefixes"] = ["%x" % (int(digest[0], 16) ^ 1)]
    repository.delegate("right", paths=())
    repository.targets["targets"]["delegations"]["roles"][1].pop("paths")
    repository.targets["targets"]["delegations"]["roles"][1]["path_hash_prefixes"] = [digest[:4]]
    repository.add_artifact("file", b"content", "right")
    repository.publish()
    client = start(repository)
    client.download("file")
    assert client.asked()[4] == "1.right.json" and len(client.asked()) == 6


@case
def succinct_roles(start):
    import hashlib
    for bits, digits in ((1, 1), (4, 1), (5, 2), (8, 2), (13, 4)):
        number = int(hashlib.sha256(b"file").hexdigest()[:8], 16) >> (32 - bits)
        role = f"bin-{number:0{digits}x}"
        repository = Repository()
        key = Key()
        repository.delegate(role, key=key)
        repository.targets["targets"]["delegations"] = {
            "keys": {key.id: key.public},
            "succinct_roles": {"keyids": [key.id], "threshold": 1, "bit_length": bits, "name_prefix": "bin"}}
        repository.add_artifact("file", b"content", role)
        repository.publish()
        client = start(repository)
        client.download("file")
        assert client.asked()[4] == f"1.{role}.json", client.asked()
        client.close()


@case
def a_delegated_file_is_judged_as_any_other(start):
    def delegated():
        repository = Repository()
        repository.delegate("one")
        repository.add_artifact("file", b"content", "one")
        return repository

    def attempt(repository, reason, change=None):
        repository.publish()
        if change:
            change(repository)
        client = start(repository)
        verdict = client.download("file", reason=reason)
        assert verdict["role"] == "one" and client.stored("one") is None, verdict
        client.close()
    old = delegated()
    old.targets["one"]["expires"] = EARLIER
    attempt(old, "expired")
    attempt(delegated(), "version-mismatch", lambda r: r.resign("1.one.json", "one", lambda signed: signed.update(version=2)))
    attempt(delegated(), "threshold-unmet", lambda r: r.alter("1.one.json", lambda file: file.update(signatures=[])))
    attempt(delegated(), "missing", lambda r: r.files.pop("1.one.json"))
    unlisted = delegated()
    del unlisted.snapshot["meta"]["one.json"]
    attempt(unlisted, "delegation-missing")


@case
def a_delegation_cannot_be_called_like_a_top_level_role(start):
    repository = Repository()
    repository.delegate("one")
    repository.targets["targets"]["delegations"]["roles"][0]["name"] = "snapshot"
    repository.publish()
    client = start(repository)
    client.download("file", reason="malformed")


@case
def one_name_by_two_parents_is_verified_against_each(start):
    """Both parents delegate to "shared" with keys of their own; the file is signed by the first's."""
    for order in (["x/file", "y/file"], ["y/file"], ["x/file"]):
        repository = Repository()
        repository.delegate("first", paths=("x/*",))
        repository.delegate("second", paths=("y/*",))
        repository.delegate("shared", "first", paths=("x/*",), key=Key())
        genuine = list(repository.signers["shared"])
        repository.delegate("shared", "second", paths=("y/*",), key=Key())
        repository.signers["shared"] = genuine
        for path in ("x/file", "y/file"):
            repository.add_artifact(path, b"content", "shared")
        repository.publish()
        client = start(repository)
        verdict = client.download(*order, reason=None if order == ["x/file"] else "threshold-unmet")
        if "y/file" in order:
            assert verdict["role"] == "shared", verdict
            assert not (client.targets / "y%2Ffile").exists()
            client.download("x/file")
            client.download("y/file", reason="threshold-unmet")
        client.close()


@case
def a_member_that_restricts_is_right_or_the_file_is_rejected(start):
    def attempt(role, change, at="targets"):
        repository = Repository()
        repository.delegate("one")
        repository.add_artifact("file", b"content", "one")
        change(repository)
        repository.publish()
        client = start(repository)
        verdict = client.download("file", reason="malformed")
        assert verdict["role"] == role, (role, verdict)
        client.close()

    def in_delegation(**members):
        return lambda r: r.targets["targets"]["delegations"]["roles"][0].update(members)
    for members in ({"hardwareIds": "x"}, {"terminating": "true"}, {"paths": "*"}, {"paths": [1]}, {"path_hash_prefixes": ["00"]}, {"keyids": "x"},
                    {"name": "root"}, {"name": "timestamp"}, {"name": ""}, {"name": 3}):
        attempt("targets", in_delegation(**members))
    attempt("targets", lambda r: r.targets["targets"]["delegations"]["roles"].append(r.targets["targets"]["delegations"]["roles"][0]))
    attempt("targets", lambda r: r.targets["targets"]["delegations"].update(roles={}))
    attempt("targets", lambda r: r.targets["targets"].update(delegations=[]))
    attempt("one", lambda r: r.targets["one"]["targets"]["file"]["hashes"].update(sha512="00"))
    attempt("one", lambda r: r.targets["one"]["targets"]["file"].update(custom={"releaseCounter": "1"}))
    attempt("one", lambda r: r.targets["one"]["targets"]["file"].update(length="7"))
    attempt("snapshot", lambda r: r.snapshot["meta"]["one.json"].update(length="7"))
    attempt("snapshot", lambda r: r.snapshot["meta"]["one.json"].update(hashes={"sha256": "00"}))
    attempt("timestamp", lambda r: r.timestamp["meta"]["snapshot.json"].update(length="7"))

    def of_root(r):
        r.root["consistent_snapshot"] = "true"
        r.next_root()
    attempt("root", of_root)


@case
def a_role_of_the_root_that_is_unknown_needs_no_threshold(start):
    repository = Repository()
    repository.root["roles"]["offline-updates"] = {"keyids": []}
    repository.root["roles"]["remote-sessions"] = {}
    repository.publish_root()
    repository.publish()
    client = start(repository)
    client.refresh()


@case
def no_attack_is_claimed_of_a_failure(start):
    client = start(published())
    for status in (302, 500, 503):
        client.repository.absent = status
        verdict = client.refresh("io")
        assert verdict["attack"] is None, verdict
    client.repository.absent = 404
    client.refresh()
    done = subprocess.run([client.program, "--json", "tuf", "--metadata-dir", client.metadata, "--metadata-url", "http://127.0.0.1:1/", "--time", NOW,
                           "refresh"], capture_output=True, text=True, timeout=60, check=False)
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1 and verdict["attack"] is None, verdict
    client.repository.alter("timestamp.json", lambda file: file.update(signatures=[]))
    assert client.refresh("threshold-unmet")["attack"] == "arbitrary software"


@case
def a_folder_that_lacks_a_root(start):
    """A newer root that cannot be reached is named; a server cannot be asked for what it has."""
    repository = published()
    client = start(repository)
    for _ in range(5):
        repository.next_root()
    folder = client.root / "mirror"
    folder.mkdir()
    for name, content in repository.files.items():
        if name not in ("3.root.json", "4.root.json"):
            (folder / name).write_bytes(content)

    def refresh(expect):
        done = subprocess.run([client.program, "--json", "tuf", "--metadata-dir", client.metadata, "--metadata-url", folder, "--time", NOW, "refresh"],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, done
        return json.loads(done.stdout.splitlines()[-1])
    verdict = refresh(1)
    assert verdict["reason"] == "root-gap" and "version 3 is missing, version 6 is there" in verdict["message"], verdict
    for version in (3, 4):
        (folder / f"{version}.root.json").write_bytes(repository.files[f"{version}.root.json"])
    refresh(0)
    assert client.version("root") == 6


@case
def trust_update_names_a_gap(start):
    repository = published()
    client = start(repository, initialise=False)
    for _ in range(5):
        repository.next_root()
    folder = client.root / "roots"
    folder.mkdir()
    for version in (1, 2, 4, 5, 6):
        (folder / f"{version}.root.json").write_bytes(repository.files[f"{version}.root.json"])

    def trust(*arguments, expect=0):
        done = subprocess.run([client.program, "--json", "--data-dir", client.root / "data", "trust", *map(str, arguments)], capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.returncode == expect, done
        return json.loads(done.stdout.splitlines()[-1])
    trust("add", folder / "1.root.json", "--name", "OEM")
    verdict = trust("update", folder, expect=1)
    assert verdict["reason"] == "root-gap" and "version 3 is missing, version 6 is there" in verdict["message"], verdict
    (folder / "3.root.json").write_bytes(repository.files["3.root.json"])
    trust("update", folder)
    assert trust("list")["anchors"][0]["version"] == 6


@case
def from_a_folder_without_a_server(start):
    repository = Repository()
    repository.add_artifact("file", b"content")
    repository.publish()
    client = start(repository)
    folder = client.root / "mirror"
    folder.mkdir()
    for name, content in repository.files.items():
        (folder / name).write_bytes(content)
    for where in (str(folder), folder.as_uri()):
        shutil.rmtree(client.targets, ignore_errors=True)
        done = subprocess.run([client.program, "tuf", "--metadata-dir", client.metadata, "--metadata-url", where, "--time", NOW, "refresh"],
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    assert client.versions() == [1, 1, 1, 1]


@case
def trust_update_from_a_server(start):
    repository = published()
    client = start(repository, initialise=False)
    (client.root / "root.json").write_bytes(repository.files["1.root.json"])

    def trust(*arguments, expect=0):
        done = subprocess.run([client.program, "--json", "--data-dir", client.root / "data", "trust", *map(str, arguments)], capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.returncode == expect, done
        return json.loads(done.stdout.splitlines()[-1])
    server = client.server.url + "/metadata"
    assert trust("update", server, expect=2)["reason"] == "usage"
    trust("add", client.root / "root.json", "--name", "OEM")
    repository.next_root()
    repository.next_root()
    assert trust("update", server)["ok"]
    assert client.asked() == ["2.root.json", "3.root.json", "4.root.json"]
    assert trust("list")["anchors"][0]["version"] == 3
    repository.requests.clear()
    assert trust("update", server, "--name", "OEM")["ok"] and client.asked() == ["4.root.json"]
    repository.root["version"] = 4
    repository.publish_root([Key()])
    assert not trust("update", server, expect=1)["ok"] and trust("list")["anchors"][0]["version"] == 3
    assert trust("update", server, "--name", "nobody", expect=1)["reason"] == "not-found"
    repository.absent = 500
    repository.files.clear()
    assert trust("update", server, expect=1)["reason"] == "io"


@case
def wrong_usage(start):
    client = start(published())
    for arguments in (["tuf", "refresh"], ["tuf", "--metadata-dir", "x", "refresh"], ["tuf", "--metadata-dir", "x", "init"], ["tuf"],
                      ["tuf", "--metadata-dir", "x", "--metadata-url", "y", "download"], ["tuf", "--metadata-dir", "x", "walk"],
                      ["tuf", "--metadata-dir", "x", "--metadata-url", "y", "--time", "soon", "refresh"]):
        done = subprocess.run([client.program, *arguments], capture_output=True, timeout=60, check=False)
        assert done.returncode == 2, (arguments, done)


def main():
    server = Server()
    failed = 0
    print(f"1..{len(CASES)}")
    for number, run in enumerate(CASES, 1):
        clients = []

        def start(repository, initialise=True):
            clients.append(Client(sys.argv[1], server, repository, initialise))
            return clients[-1]
        try:
            run(start)
            print(f"ok {number} {run.__name__}", flush=True)
        except Exception:  # the next case is tested all the same
            traceback.print_exc()
            print(f"not ok {number} {run.__name__}", flush=True)
            failed += 1
        for client in clients:
            shutil.rmtree(client.root, ignore_errors=True)
    server.close()
    sys.exit(1 if failed else 0)


main()
