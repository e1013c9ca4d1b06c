#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl tuf against repositories of python3-securesystemslib: requests, stored files byte for byte, refusals.
Usage: test-client.py RECALLCTL"""

import json
import shutil
import subprocess

from client import case, main, published
from simulator import EARLIER, LATER, NOW, Key, Repository


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


# Failures, folders and trust anchors


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


main()
