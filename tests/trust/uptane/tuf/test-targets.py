#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl tuf against repositories of python3-securesystemslib: targets, delegations and what restricts them.
Usage: test-targets.py RECALLCTL"""

import urllib.parse

from client import case, main
from simulator import EARLIER, Key, Repository


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


main()
