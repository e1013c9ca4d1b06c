# SPDX-License-Identifier: Apache-2.0
"""One case for each way in which verification must fail (Uptane Standard 2.1, 5.4.4.2 to 5.4.4.8 and 5.4.3.4).

A case changes one thing in a world that is good, and newer than what was accepted."""

import copy
import json

from writer import PRIMARY, SECONDARY, Delegation, Role, key_id, key_object, make_key, sign, target

PAST = "2026-01-01T00:00:00Z"
NOW = "2026-06-01T12:00:00Z"
CASES = []


def case(name, repo, role, reason, *more, **options):
    def add(change):
        CASES.append((name, repo, role, reason, change, more, options))
        return change
    return add


def each_role(director=True):
    """(repository attribute, role); the Director's root is walked like the Image repository's."""
    for repo in ("director", "image"):
        for role in ("root", "timestamp", "snapshot", "targets"):
            yield repo, role


def rotate(world, repo, role="root"):
    """Where role is root, a next root is what is wrong with it."""
    if role == "root":
        getattr(world, repo).keep_root()


def flip(text):
    """Another signature of the same length and encoding."""
    return ("1" if text[0] != "1" else "2") + text[1:]


def for_every_file():
    for repo, role in each_role():
        def unsigned(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).after[role] = lambda envelope: envelope["signatures"].clear()

        def empty_signature(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).after[role] = lambda envelope: envelope["signatures"][0].update(sig="")

        def bad_signature(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).after[role] = lambda e: e["signatures"][0].update(sig=flip(e["signatures"][0]["sig"]))

        def altered(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).after[role] = lambda envelope: envelope["signed"].update(x="altered after signing")

        def twice(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).after[role] = lambda envelope: envelope["signatures"].append(envelope["signatures"][0])

        def other_type(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).edit[role] = lambda signed: signed.update(_type="invalidrole")

        def role_of_another(world, repo=repo, role=role):
            rotate(world, repo, role)
            other = "snapshot" if role == "timestamp" else "timestamp"
            getattr(world, repo).edit[role] = lambda signed: signed.update(_type=world.style.type_name(other))

        def expired(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).expires[role] = PAST

        def expires_now(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).expires[role] = NOW

        def foreign(world, repo=repo, role=role):
            rotate(world, repo, role)
            getattr(world, repo).after[role] = lambda e: e.update(sign(world.style, e["signed"], [make_key(world.style, 11)]))

        case(f"{repo}-{role}-unsigned", repo, role, "threshold-unmet")(unsigned)
        case(f"{repo}-{role}-empty-signature", repo, role, "threshold-unmet")(empty_signature)
        case(f"{repo}-{role}-bad-signature", repo, role, "bad-signature")(bad_signature)
        case(f"{repo}-{role}-altered", repo, role, "bad-signature")(altered)
        case(f"{repo}-{role}-signature-twice", repo, role, "duplicate-signature")(twice)
        case(f"{repo}-{role}-type-unknown", repo, role, "wrong-type")(other_type)
        case(f"{repo}-{role}-type-of-another", repo, role, "wrong-type")(role_of_another)
        case(f"{repo}-{role}-expired", repo, role, "expired")(expired)
        case(f"{repo}-{role}-expires-now", repo, role, "expired")(expires_now)
        case(f"{repo}-{role}-foreign-key", repo, role, "threshold-unmet")(foreign)


def for_every_role_of_a_root():
    for repo, role in each_role():
        def zero(world, repo=repo, role=role, threshold=0):
            getattr(world, repo).keep_root()
            getattr(world, repo).roles[role].threshold = threshold

        def too_high(world, repo=repo, role=role):
            zero(world, repo, role, 1001)

        def negative(world, repo=repo, role=role):
            zero(world, repo, role, -1)

        def unmet(world, repo=repo, role=role):
            getattr(world, repo).keep_root()
            getattr(world, repo).roles[role].threshold = 2

        def one_key_twice(world, repo=repo, role=role):
            """Two key ids of one key, each with its signature, are one signer."""
            repository = getattr(world, repo)
            repository.keep_root()
            key = repository.roles[role].keys[0]

            def two_ids(root):
                root["keys"]["f" * 64] = key_object(world.style, key)
                root["roles"][role] = {"keyids": [key_id(world.style, key), "f" * 64], "threshold": 2}

            def two_signatures(envelope):
                envelope["signatures"].append(dict(envelope["signatures"][0], keyid="f" * 64))

            if role == "root":
                repository.edit["root"] = two_ids
                repository.after["root"] = lambda e: (e.update(sign(world.style, e["signed"], [key])), two_signatures(e))
            else:
                repository.edit["root"] = two_ids
                repository.after[role] = two_signatures

        def key_id_repeated(world, repo=repo, role=role):
            repository = getattr(world, repo)
            repository.keep_root()
            repository.edit["root"] = lambda root: root["roles"][role].update(keyids=root["roles"][role]["keyids"] * 2, threshold=2)

        def bad_key_id(world, repo=repo, role=role):
            """The root names a key by another id than its own table does."""
            repository = getattr(world, repo)
            repository.keep_root()
            known = key_id(world.style, repository.roles[role].keys[0])
            repository.edit["root"] = lambda root: root["keys"].update({"e" * 64: root["keys"].pop(known)})

        case(f"{repo}-{role}-threshold-zero", repo, role, "illegal-threshold")(zero)
        case(f"{repo}-{role}-threshold-negative", repo, role, "illegal-threshold")(negative)
        case(f"{repo}-{role}-threshold-1001", repo, role, "illegal-threshold")(too_high)
        case(f"{repo}-{role}-threshold-unmet", repo, role, "threshold-unmet")(unmet)
        case(f"{repo}-{role}-one-key-twice", repo, role, "threshold-unmet")(one_key_twice)
        case(f"{repo}-{role}-key-id-repeated", repo, role, "threshold-unmet")(key_id_repeated)
        case(f"{repo}-{role}-bad-key-id", repo, role, "bad-key-id")(bad_key_id)


def for_every_online_file():
    for repo, role in each_role():
        if role == "root":
            continue

        def missing(world, repo=repo, role=role):
            getattr(world, repo).final = lambda files: [files.pop(n) for n in list(files) if n.endswith(f"{role}.json")]

        def older(world, repo=repo, role=role):
            repository = getattr(world, repo)
            repository.versions[role] = 0

        def rewrite(change, repo, role):
            def altered(world):
                def final(files):
                    name = next(n for n in files if n.endswith(f"{role}.json"))
                    files[name] = change(files[name])
                getattr(world, repo).final = final
            return altered

        case(f"{repo}-{role}-missing", repo, role, "missing")(missing)
        teller = {"timestamp": "timestamp", "snapshot": "timestamp", "targets": "snapshot"}[role]
        case(f"{repo}-{role}-rollback", repo, teller, "rollback")(older)
        for name, change in MALFORMED.items():
            case(f"{repo}-{role}-{name}", repo, role, "malformed")(rewrite(change, repo, role))


def repeated_member(data):
    return b'{"signed":{},' + data.lstrip()[1:]


def with_value(member, value):
    def change(data):
        envelope = json.loads(data)
        envelope["signed"][member] = "@@"
        return json.dumps(envelope).encode().replace(b'"@@"', value)
    return change


MALFORMED = {
    "empty": lambda data: b"",
    "cut-off": lambda data: data[: len(data) // 2],
    "trailing-bytes": lambda data: data + b"{}",
    "not-utf8": with_value("x", b'"\xff\xfe"'),
    "nul": with_value("x", b'"\\u0000"'),
    "too-deep": with_value("x", b"[" * 100 + b"]" * 100),
    "member-twice": repeated_member,
    "version-text": with_value("version", b'"2"'),
    "version-real": with_value("version", b"2.0"),
    "version-negative": with_value("version", b"-2"),
    "version-beyond-2-53": with_value("version", b"9007199254740993"),
    "version-beyond-2-64": with_value("version", b"36893488147419103232"),
    "expires-nonsense": with_value("expires", b'"tomorrow"'),
    "expires-number": with_value("expires", b"1900000000"),
    "no-signatures": lambda data: json.dumps({"signed": json.loads(data)["signed"]}).encode(),
    "no-signed": lambda data: json.dumps({"signatures": json.loads(data)["signatures"]}).encode(),
    "a-list": lambda data: b"[" + data + b"]",
}

for_every_file()
for_every_role_of_a_root()
for_every_online_file()


# timestamp and snapshot: what they announce

def under_every_version(files):
    """Consistent snapshots: the file is found under whatever version is announced."""
    for name in list(files):
        if name.startswith("2."):
            for version in range(9):
                files.setdefault(f"{version}.{name[2:]}", files[name])


for _repo in ("director", "image"):
    def _announces(member, value, role, repo=_repo):
        def change(world):
            def edit(signed):
                entry = signed["meta"]["snapshot.json" if role == "timestamp" else "targets.json"]
                entry[member] = value(entry[member])
            getattr(world, repo).edit[role] = edit
            getattr(world, repo).final = under_every_version
        return change

    case(f"{_repo}-snapshot-not-the-announced-hash", _repo, "snapshot", "hash-mismatch")(
        _announces("hashes", lambda h: dict(h, sha256="0" * 64), "timestamp"))
    case(f"{_repo}-snapshot-second-hash-disagrees", _repo, "snapshot", "hash-mismatch")(
        _announces("hashes", lambda h: dict(h, sha512="0" * 128), "timestamp"))
    case(f"{_repo}-snapshot-hash-unknown", _repo, "snapshot", "hash-mismatch")(
        _announces("hashes", lambda h: {"md5": "0" * 32}, "timestamp"))
    case(f"{_repo}-snapshot-longer-than-announced", _repo, "snapshot", "length-mismatch")(
        _announces("length", lambda length: 20, "timestamp"))
    case(f"{_repo}-snapshot-not-the-announced-version", _repo, "snapshot", "version-mismatch")(
        _announces("version", lambda version: version + 1, "timestamp"))
    case(f"{_repo}-timestamp-announces-older-snapshot", _repo, "timestamp", "rollback")(
        _announces("version", lambda version: 0, "timestamp"))
    case(f"{_repo}-targets-not-the-announced-hash", _repo, "targets", "hash-mismatch")(
        _announces("hashes", lambda h: dict(h, sha256="0" * 64), "snapshot"))
    case(f"{_repo}-targets-longer-than-announced", _repo, "targets", "length-mismatch")(
        _announces("length", lambda length: 20, "snapshot"))
    case(f"{_repo}-targets-not-the-announced-version", _repo, "targets", "version-mismatch")(
        _announces("version", lambda version: version + 1, "snapshot"))
    case(f"{_repo}-snapshot-lists-older-targets", _repo, "snapshot", "rollback")(
        _announces("version", lambda version: 0, "snapshot"))

    @case(f"{_repo}-snapshot-lists-targets-no-more", _repo, "snapshot", "rollback")
    def _vanished(world, repo=_repo):
        getattr(world, repo).edit["snapshot"] = lambda signed: signed["meta"].pop("targets.json")

    @case(f"{_repo}-timestamp-announces-nothing", _repo, "timestamp", "malformed")
    def _silent(world, repo=_repo):
        getattr(world, repo).edit["timestamp"] = lambda signed: signed["meta"].clear()


@case("image-snapshot-lists-a-delegation-no-more", "image", "snapshot", "rollback")
def _(world):
    world.image.edit["snapshot"] = lambda signed: signed["meta"].pop("supplier-b.json")


@case("mix-and-match", "image", "targets", "hash-mismatch")
def _(world):
    """Genuine targets of the version before under the snapshot of now."""
    older = copy.deepcopy(world.image.targets)

    def final(files):
        name = next(n for n in files if n.endswith("targets.json"))
        signed = dict(json.loads(files[name])["signed"], targets=older, version=1)
        files[name] = world.style.write(sign(world.style, signed, world.image.roles["targets"].keys))
    world.image.final = final


# root chain (5.4.4.3)

for _repo in ("director", "image"):
    @case(f"{_repo}-root-without-the-old-threshold", _repo, "root", "threshold-unmet")
    def _(world, repo=_repo):
        repository = getattr(world, repo)
        repository.keep_root()
        repository.roles["root"] = Role(make_key(world.style, 10))

    @case(f"{_repo}-root-without-its-own-threshold", _repo, "root", "threshold-unmet")
    def _(world, repo=_repo):
        repository = getattr(world, repo)
        repository.keep_root()
        repository.root_signers = repository.roles["root"].keys
        repository.roles["root"] = Role(make_key(world.style, 10))

    @case(f"{_repo}-root-version-unchanged", _repo, "root", "root-version")
    def _(world, repo=_repo):
        getattr(world, repo).keep_root()
        getattr(world, repo).edit["root"] = lambda signed: signed.update(version=1)

    @case(f"{_repo}-root-version-skipped", _repo, "root", "root-version")
    def _(world, repo=_repo):
        getattr(world, repo).keep_root()
        getattr(world, repo).edit["root"] = lambda signed: signed.update(version=3)

    @case(f"{_repo}-root-link-missing", _repo, "root", "root-gap")
    def _(world, repo=_repo):
        getattr(world, repo).keep_root()
        getattr(world, repo).keep_root()
        getattr(world, repo).final = lambda files: files.pop("2.root.json")

    @case(f"{_repo}-root-json-beyond-the-chain", _repo, "root", "root-gap")
    def _(world, repo=_repo):
        for _ in range(3):
            getattr(world, repo).keep_root()

        def final(files):
            files["root.json"] = files.pop("4.root.json")
            files.pop("3.root.json")
        getattr(world, repo).final = final

    @case(f"{_repo}-root-names-no-targets-role", _repo, "targets", "malformed")
    def _(world, repo=_repo):
        getattr(world, repo).keep_root()
        getattr(world, repo).edit["root"] = lambda signed: signed["roles"].pop("targets")

    @case(f"{_repo}-targets-by-the-keys-of-before", _repo, "targets", "threshold-unmet")
    def _(world, repo=_repo):
        repository = getattr(world, repo)
        repository.keep_root()
        old = repository.roles["targets"].keys
        repository.roles["targets"] = Role(make_key(world.style, 10))
        repository.after["targets"] = lambda e: e.update(sign(world.style, e["signed"], old))


# what the Director says (5.4.4.6, 5.4.3.4)

APP = "tcu/app-2.bin"


def director_entry(world, path=APP):
    return world.director.targets[path]


@case("director-delegates", "director", "targets", "delegation-in-director")
def _(world):
    world.director.delegations = [Delegation("other", Role(make_key(world.style, 9)), ["*"])]


@case("director-repeats-ecu", "director", "targets", "ecu-repeated")
def _(world):
    world.director.targets["another.bin"] = target(b"x", ecuIdentifiers={PRIMARY[0]: {"hardwareId": PRIMARY[1]}})


@case("director-knows-a-foreign-ecu", "director", "targets", "ecu-unknown")
def _(world):
    director_entry(world)["custom"]["ecuIdentifiers"]["SN-99"] = {"hardwareId": "tcu-a"}


@case("director-foreign-ecu-alone", "director", "targets", "ecu-unknown")
def _(world):
    director_entry(world)["custom"]["ecuIdentifiers"] = {"SN-1-other": {"hardwareId": "tcu-a"}}


@case("director-other-hardware", "director", "targets", "hardware-mismatch")
def _(world):
    director_entry(world)["custom"]["ecuIdentifiers"][PRIMARY[0]]["hardwareId"] = "tcu-a-other"


@case("director-other-hardware-list", "director", "targets", "hardware-mismatch")
def _(world):
    director_entry(world)["custom"]["hardwareIds"] = ["brake-b"]


@case("both-other-hardware", "director", "targets", "hardware-mismatch")
def _(world):
    director_entry(world)["custom"]["ecuIdentifiers"][PRIMARY[0]]["hardwareId"] = "tcu-a-other"
    world.image.targets[APP]["custom"]["hardwareIds"] = ["tcu-a-other"]


for _member in ("vin", "device_id"):
    @case(f"director-other-{_member}", "director", "targets", "vin-mismatch")
    def _(world, member=_member):
        world.director.extra = {member: "WRB0TEST000000002"}


@case("director-other-vin-in-custom", "director", "targets", "vin-mismatch")
def _(world):
    world.director.extra = {"custom": {"vin": "WRB0TEST000000002"}}


for _member, _value in (("vin", 1), ("device_id", None), ("vin", ["WRB0TEST000000001"])):
    @case(f"director-{_member}-is-{_value!r}", "director", "targets", "malformed")
    def _(world, member=_member, value=_value):
        world.director.extra = {member: value}


@case("directs-nothing-to-no-vehicle", "director", "targets", "vin-mismatch")
def _(world):
    world.director.targets.clear()
    world.director.extra = {}


@case("directs-nothing-to-any-ecu", "director", "targets", "vin-mismatch")
def _(world):
    for entry in world.director.targets.values():
        entry["custom"]["ecuIdentifiers"] = {}
    world.director.extra = {}


@case("directs-nothing-to-another-vehicle", "director", "targets", "vin-mismatch")
def _(world):
    world.director.targets.clear()
    world.director.extra = {"device_id": "WRB0TEST000000002"}


for _name in ("../tcu/app-2.bin", "tcu/../../app", "", "tcu//app", ".", "/"):
    @case(f"director-path-{_name!r}", "director", "targets", "path")
    def _(world, name=_name):
        world.director.targets[name] = world.director.targets.pop(APP)


@case("director-target-without-hash", "director", "targets", "malformed")
def _(world):
    director_entry(world)["hashes"] = {"md5": "0" * 32}


@case("director-target-without-length", "director", "targets", "malformed")
def _(world):
    director_entry(world).pop("length")


@case("director-target-length-negative", "director", "targets", "malformed")
def _(world):
    director_entry(world)["length"] = -1


@case("director-release-counter-lower", "director", "targets", "release-counter")
def _(world):
    director_entry(world)["custom"]["releaseCounter"] = 2
    world.image.targets[APP]["custom"]["releaseCounter"] = 2


@case("release-counter-gone", "director", "targets", "release-counter")
def _(world):
    director_entry(world)["custom"].pop("releaseCounter")
    world.image.targets[APP]["custom"].pop("releaseCounter")


@case("release-counter-lower-in-image-alone", "director", "targets", "release-counter")
def _(world):
    director_entry(world)["custom"].pop("releaseCounter")
    world.image.targets[APP]["custom"]["releaseCounter"] = 1


# what both repositories must agree on (5.4.4.2 step 10)

@case("image-release-counter-differs", "image", "targets", "target-mismatch")
def _(world):
    world.image.targets[APP]["custom"]["releaseCounter"] = 4


@case("image-length-differs", "image", "targets", "target-mismatch")
def _(world):
    world.image.targets[APP]["length"] -= 1


@case("director-length-differs", "image", "targets", "target-mismatch")
def _(world):
    director_entry(world)["length"] -= 1


for _algorithm, _digits in (("sha256", 64), ("sha512", 128)):
    @case(f"image-{_algorithm}-differs", "image", "targets", "target-mismatch")
    def _(world, algorithm=_algorithm, digits=_digits):
        world.image.targets[APP]["hashes"][algorithm] = "0" * digits


@case("no-hash-in-common", "image", "targets", "target-mismatch")
def _(world):
    director_entry(world)["hashes"].pop("sha256")
    world.image.targets[APP]["hashes"].pop("sha512")


@case("image-other-hardware", "image", "targets", "target-mismatch")
def _(world):
    world.image.targets[APP]["custom"]["hardwareIds"] = ["tcu-a-other"]


@case("image-knows-no-such-target", "image", "targets", "target-missing")
def _(world):
    world.image.targets.pop(APP)
    world.image.delegations = []
    world.director.targets.pop("brake/app-2.bin")
    world.image.keep_root()
    world.image.roles["snapshot"] = Role(make_key(world.style, 10))


@case("image-name-differs-in-case", "image", "supplier-b", "target-missing")
def _(world):
    entries = world.image.delegations[0].targets
    entries["brake/APP-2.bin"] = entries.pop("brake/app-2.bin")


# the images themselves

@case("image-bytes-altered", "image", "targets", "hash-mismatch")
def _(world):
    world.images[APP] = b"x" * len(world.images[APP])


@case("image-longer", "image", "targets", "length-mismatch")
def _(world):
    world.images[APP] += b"\0"


@case("image-shorter", "image", "targets", "length-mismatch")
def _(world):
    world.images[APP] = world.images[APP][:-1]


@case("image-not-there", "image", "targets", "missing")
def _(world):
    world.images.pop(APP)


@case("no-image-there", "image", "targets", "missing")
def _(world):
    world.images = {"unrelated": b"x"}


@case("both-say-it-is-shorter", "image", "targets", "length-mismatch")
def _(world):
    director_entry(world)["length"] -= 1
    world.image.targets[APP]["length"] -= 1


# the command line's own bounds, and time

def unchanged(world):
    pass


case("director-targets-too-large", "director", "targets", "too-large", "--max-director-targets", "500")(unchanged)
case("image-targets-too-large", "image", "targets", "too-large", "--max-image-targets", "500")(unchanged)
case("director-snapshot-too-large", "director", "snapshot", "too-large", "--max-snapshot", "100")(unchanged)
case("time-before-the-last", None, None, "clock", time="2026-05-01T00:00:00Z")(unchanged)
case("ecu-not-of-this-vehicle", "director", "targets", "ecu-unknown", ecus=(("--primary", PRIMARY), ("--secondary", SECONDARY)))(unchanged)
case("vin-of-another-vehicle", "director", "targets", "vin-mismatch", vin="WRB0TEST000000009")(unchanged)
