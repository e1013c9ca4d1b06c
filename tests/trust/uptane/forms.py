# SPDX-License-Identifier: Apache-2.0
"""Members that restrict and have another type or value than they may have: the file is rejected, validly signed as it is.

Imported for CASES, to which it adds; each case changes one thing in a world that is good."""

from cases import APP, CASES, case, director_entry, under_every_version
from delegation_cases import supplier
from writer import PRIMARY, Delegation, Role, Several, make_key

__all__ = ["CASES", "FORMS"]
BEFORE = len(CASES)

NOT_STRINGS = {"a-string": "brake-b", "an-object": {"brake-b": True}, "null": None, "of-numbers": [1]}
NOT_COUNTERS = {"a-string": "3", "a-float": 3.0, "negative": -1, "two-to-53": 2 ** 53, "null": None}


def image_entry(world):
    return world.image.targets[APP]


def add_for_targets():
    for name, value in NOT_STRINGS.items():
        @case(f"image-hardware-ids-{name}", "image", "targets", "malformed")
        def _(world, value=value):
            image_entry(world)["custom"]["hardwareIds"] = value

        @case(f"director-hardware-ids-{name}", "director", "targets", "malformed")
        def _(world, value=value):
            director_entry(world)["custom"]["hardwareIds"] = value

        @case(f"delegation-hardware-ids-{name}", "image", "targets", "malformed")
        def _(world, value=value):
            supplier(world).hardware_ids = value if value is not None else "null"
            if value is None:
                world.image.edit["targets"] = lambda signed: signed["delegations"]["roles"][0].update(hardwareIds=None)

        for member in ("paths", "path_hash_prefixes"):
            @case(f"delegation-{member}-{name}", "image", "targets", "malformed")
            def _(world, value=value, member=member):
                def edit(signed):
                    role = signed["delegations"]["roles"][0]
                    role.pop("paths")
                    role[member] = value
                world.image.edit["targets"] = edit

    for name, value in NOT_COUNTERS.items():
        @case(f"image-release-counter-{name}", "image", "targets", "malformed")
        def _(world, value=value):
            image_entry(world)["custom"]["releaseCounter"] = value

        @case(f"director-release-counter-{name}", "director", "targets", "malformed")
        def _(world, value=value):
            director_entry(world)["custom"]["releaseCounter"] = value

        @case(f"delegated-release-counter-{name}", "image", "supplier-b", "malformed")
        def _(world, value=value):
            supplier(world).targets["brake/app-2.bin"]["custom"]["releaseCounter"] = value

        @case(f"image-length-{name}", "image", "targets", "malformed")
        def _(world, value=value):
            image_entry(world)["length"] = value

    for name, value in {"a-string": "brake", "a-list": []}.items():
        @case(f"image-custom-{name}", "image", "targets", "malformed")
        def _(world, value=value):
            image_entry(world)["custom"] = value

        @case(f"director-custom-{name}", "director", "targets", "malformed")
        def _(world, value=value):
            director_entry(world)["custom"] = value


def add_for_hashes():
    bad = {"short": "00", "not-hex": "z" * 64, "null": None}
    for name, value in bad.items():
        @case(f"image-sha256-{name}-beside-good-sha512", "image", "targets", "malformed")
        def _(world, value=value):
            image_entry(world)["hashes"]["sha256"] = value

        @case(f"director-sha256-{name}-beside-good-sha512", "director", "targets", "malformed")
        def _(world, value=value):
            director_entry(world)["hashes"]["sha256"] = value

        @case(f"snapshot-lists-sha256-{name}", "image", "snapshot", "malformed")
        def _(world, value=value):
            world.image.edit["snapshot"] = lambda signed: signed["meta"]["targets.json"]["hashes"].update(sha256=value)
    for name, value in {"a-string": "0" * 64, "null": None, "empty": {}}.items():
        @case(f"image-hashes-{name}", "image", "targets", "malformed")
        def _(world, value=value):
            image_entry(world)["hashes"] = value

        for repo, role, file in (("director", "timestamp", "snapshot"), ("image", "timestamp", "snapshot"), ("image", "snapshot", "targets")):
            @case(f"{repo}-{role}-lists-hashes-{name}", repo, role, "malformed")
            def _(world, value=value, repo=repo, role=role, file=file):
                getattr(world, repo).edit[role] = lambda signed: signed["meta"][f"{file}.json"].update(hashes=value)


def add_for_listed_files():
    for repo in ("director", "image"):
        @case(f"{repo}-timestamp-lists-no-hashes", repo, "timestamp", "malformed")
        def _(world, repo=repo):
            """5.2.5: the hashes of the snapshot are demanded."""
            getattr(world, repo).edit["timestamp"] = lambda signed: signed["meta"]["snapshot.json"].pop("hashes")

        for member in ("length", "version"):
            for name, value in (("a-string", "700"), ("negative", -1)):
                @case(f"{repo}-timestamp-lists-{member}-{name}", repo, "timestamp", "malformed")
                def _(world, repo=repo, member=member, value=value):
                    getattr(world, repo).edit["timestamp"] = lambda signed: signed["meta"]["snapshot.json"].update({member: value})

                @case(f"{repo}-snapshot-lists-{member}-{name}", repo, "snapshot", "malformed")
                def _(world, repo=repo, member=member, value=value):
                    getattr(world, repo).edit["snapshot"] = lambda signed: signed["meta"]["targets.json"].update({member: value})
                    getattr(world, repo).final = under_every_version

        for name, value in (("a-string", "true"), ("null", None)):
            @case(f"{repo}-consistent-snapshot-{name}", repo, "root", "malformed")
            def _(world, repo=repo, value=value):
                getattr(world, repo).keep_root()
                getattr(world, repo).edit["root"] = lambda signed: signed.update(consistent_snapshot=value)

        for name, value in (("a-string", "x"), ("of-numbers", [1])):
            @case(f"{repo}-keyids-{name}", repo, "root", "malformed")
            def _(world, repo=repo, value=value):
                getattr(world, repo).keep_root()
                getattr(world, repo).edit["root"] = lambda signed: signed["roles"]["timestamp"].update(keyids=value)


def add_for_the_director():
    for name, value in {"an-array": [PRIMARY[0]], "a-string": PRIMARY[0], "null": None, "of-strings": {PRIMARY[0]: PRIMARY[1]},
                        "hardware-id-a-list": {PRIMARY[0]: {"hardwareId": [PRIMARY[1]]}}}.items():
        @case(f"director-ecu-identifiers-{name}", "director", "targets", "malformed")
        def _(world, value=value):
            director_entry(world)["custom"]["ecuIdentifiers"] = value

    @case("director-custom-missing", "director", "targets", "malformed")
    def _(world):
        director_entry(world).pop("custom")

    @case("director-names-no-ecu", "director", "targets", "malformed")
    def _(world):
        director_entry(world)["custom"].pop("ecuIdentifiers")

    @case("director-ecu-serial-a-list", "director", "targets", "malformed")
    def _(world):
        director_entry(world)["custom"] = {"ecu_serial": [PRIMARY[0]]}

    for first, second in (("vin", "device_id"), ("device_id", "vin")):
        @case(f"director-good-{first}-other-{second}", "director", "targets", "malformed")
        def _(world, first=first, second=second):
            world.director.extra = {first: "WRB0TEST000000001", second: "WRB0TEST000000002"}

    @case("director-good-vin-other-in-custom", "director", "targets", "malformed")
    def _(world):
        world.director.extra["custom"] = {"vin": "WRB0TEST000000002"}

    @case("director-top-custom-a-string", "director", "targets", "malformed")
    def _(world):
        world.director.extra["custom"] = "vin"

    for name, value in {"null": None, "an-array": ["WRB0TEST000000001"], "an-object": {}, "true": True}.items():
        @case(f"director-vin-{name}", "director", "targets", "malformed")
        def _(world, value=value):
            world.director.extra["vin"] = value

    for name, value in {"roles-an-object": {"keys": {}, "roles": {}}, "roles-a-string": {"keys": {}, "roles": "x"}, "a-list": []}.items():
        @case(f"director-delegations-{name}", "director", "targets", "malformed")
        def _(world, value=value):
            world.director.extra["delegations"] = value

    @case("director-succinct-roles", "director", "targets", "malformed")
    def _(world):
        key = Role(make_key(world.style, 9))
        entry = {**key.entry(world.style), "bit_length": 1, "name_prefix": "bin"}
        world.director.extra["delegations"] = {"keys": {}, "succinct_roles": entry}


def several_with(world, **members):
    first = supplier(world)
    other = Delegation("supplier-c", Role(make_key(world.style, 9)), first.paths, first.targets)
    world.image.delegations = [Several(["brake/*"], [first, other], 2)]
    world.image.edit["targets"] = lambda signed: signed["delegations"]["roles"][0].update(members)


def add_for_delegations():
    for value in (0, -3, 3, "2"):
        @case(f"multi-role-agreement-{value!r}", "image", "targets", "malformed")
        def _(world, value=value):
            several_with(world, min_roles_in_agreement=value)

    @case("multi-role-one-role-twice", "image", "targets", "malformed")
    def _(world):
        world.image.delegations = [Several(["brake/*"], [supplier(world), supplier(world)], 2)]

    @case("delegation-one-role-twice", "image", "targets", "malformed")
    def _(world):
        world.image.delegations.append(Delegation("supplier-b", Role(make_key(world.style, 9)), ["seat/*"]))

    for value in ("true", 1, None):
        @case(f"delegation-terminating-{value!r}", "image", "targets", "malformed")
        def _(world, value=value):
            world.image.edit["targets"] = lambda signed: signed["delegations"]["roles"][0].update(terminating=value)

    @case("delegation-paths-and-prefixes", "image", "targets", "malformed")
    def _(world):
        world.image.edit["targets"] = lambda signed: signed["delegations"]["roles"][0].update(path_hash_prefixes=["00"])

    @case("delegations-roles-and-succinct-roles", "image", "targets", "malformed")
    def _(world):
        world.image.edit["targets"] = lambda signed: signed["delegations"].update(succinct_roles={})

    for name in ("root", "timestamp", "snapshot", "targets", ""):
        @case(f"delegation-named-{name or 'nothing'}", "image", "targets", "malformed")
        def _(world, name=name):
            """A supplier's state must not stand where a top-level role's does."""
            def edit(signed):
                signed["delegations"]["roles"][0]["name"] = name
            world.image.edit["targets"] = edit

        if name in ("root", "targets"):
            continue  # its file would stand in the place of the genuine one, or be a root above a gap

        @case(f"deeper-delegation-named-{name or 'nothing'}", "image", "supplier-b", "malformed")
        def _(world, name=name):
            evil = Delegation(name, Role(make_key(world.style, 9)), ["brake/*"], supplier(world).targets, version=999999999, listed=False)
            supplier(world).delegations = [evil]


add_for_targets()
add_for_hashes()
add_for_listed_files()
add_for_the_director()
add_for_delegations()
FORMS = [case[0] for case in CASES[BEFORE:]]
