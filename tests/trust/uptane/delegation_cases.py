# SPDX-License-Identifier: Apache-2.0
"""The cases of cases.py that concern delegations (Uptane Standard 2.1, 5.4.4.7 and 5.4.4.8)"""

from cases import PAST, case, under_every_version
from writer import IMAGES, Delegation, Role, Several, key_id, make_key, target


def supplier(world):
    return world.image.delegations[0]


@case("delegation-path-mismatch", "image", "targets", "target-missing")
def _(world):
    supplier(world).paths = ["does-not-match"]


@case("delegation-star-crosses-no-slash", "image", "targets", "target-missing")
def _(world):
    supplier(world).paths = ["*"]


@case("delegation-bound-to-other-hardware", "image", "targets", "target-missing")
def _(world):
    supplier(world).hardware_ids = ["tcu-a"]


@case("delegation-empty", "image", "supplier-b", "target-missing")
def _(world):
    supplier(world).targets = {}


@case("delegation-expired", "image", "supplier-b", "target-missing")
def _(world):
    supplier(world).expires = PAST


@case("delegation-unsigned", "image", "supplier-b", "threshold-unmet")
def _(world):
    world.image.after["supplier-b"] = lambda envelope: envelope["signatures"].clear()


@case("delegation-altered", "image", "supplier-b", "bad-signature")
def _(world):
    world.image.after["supplier-b"] = lambda envelope: envelope["signed"].update(x=1)


@case("delegation-signature-twice", "image", "supplier-b", "duplicate-signature")
def _(world):
    world.image.after["supplier-b"] = lambda envelope: envelope["signatures"].append(envelope["signatures"][0])


@case("delegation-threshold-zero", "image", "supplier-b", "illegal-threshold")
def _(world):
    supplier(world).role.threshold = 0


@case("delegation-threshold-unmet", "image", "supplier-b", "threshold-unmet")
def _(world):
    supplier(world).role.keys.append(make_key(world.style, 9))
    supplier(world).role.threshold = 2
    world.image.after["supplier-b"] = lambda envelope: envelope["signatures"].pop()


@case("delegation-key-missing", "image", "supplier-b", "bad-key-id")
def _(world):
    world.image.edit["targets"] = lambda signed: signed["delegations"]["keys"].clear()


@case("delegation-bad-key-id", "image", "supplier-b", "bad-key-id")
def _(world):
    known = key_id(world.style, supplier(world).role.keys[0])

    def edit(signed):
        keys = signed["delegations"]["keys"]
        keys["e" * 64] = keys.pop(known)
    world.image.edit["targets"] = edit


@case("delegation-missing", "image", "supplier-b", "delegation-missing")
def _(world):
    world.image.final = lambda files: [files.pop(n) for n in list(files) if n.endswith("supplier-b.json")]


@case("delegation-not-in-snapshot", "image", "new-b", "version-mismatch")
def _(world):
    new = Delegation("new-b", supplier(world).role, ["brake/*"], supplier(world).targets, listed=False)
    supplier(world).targets = {}
    world.image.delegations.append(new)


@case("delegation-not-the-listed-version", "image", "supplier-b", "version-mismatch")
def _(world):
    world.image.edit["snapshot"] = lambda signed: signed["meta"]["supplier-b.json"].update(version=7)
    world.image.final = under_every_version


@case("delegation-not-the-listed-hash", "image", "supplier-b", "hash-mismatch")
def _(world):
    world.image.edit["snapshot"] = lambda signed: signed["meta"]["supplier-b.json"]["hashes"].update(sha256="0" * 64)


@case("delegation-rollback", "image", "supplier-b", "rollback")
def _(world):
    supplier(world).version = 0
    world.image.keep_root()
    world.image.roles["snapshot"] = Role(make_key(world.style, 10))


@case("delegation-of-another-type", "image", "supplier-b", "wrong-type")
def _(world):
    world.image.edit["supplier-b"] = lambda signed: signed.update(_type=world.style.type_name("snapshot"))


@case("delegation-terminates", "image", "supplier-b", "target-missing")
def _(world):
    world.image.delegations.append(Delegation("second", Role(make_key(world.style, 9)), ["brake/*"], supplier(world).targets))
    supplier(world).targets, supplier(world).terminating = {}, True


@case("delegation-first-word-counts", "image", "targets", "target-mismatch")
def _(world):
    """Who is asked first is believed, also where a later one says what would fit."""
    world.image.delegations.append(Delegation("second", Role(make_key(world.style, 9)), ["brake/*"], supplier(world).targets))
    supplier(world).targets = {"brake/app-2.bin": target(b"something else", hardwareIds=["brake-b"], releaseCounter=3)}


@case("delegation-circle", "image", "supplier-b", "target-missing")
def _(world):
    supplier(world).targets = {}
    supplier(world).delegations = [supplier(world)]


@case("delegation-by-each-parent", "image", "shared", "threshold-unmet")
def _(world):
    """Signed by the keys of one parent, reached through another that wants other keys."""
    shared = Delegation("shared", Role(make_key(world.style, 9)), ["brake/app-2.bin"], supplier(world).targets)
    other = Delegation("shared", Role(make_key(world.style, 10)), ["brake/*"])
    supplier(world).targets, supplier(world).delegations = {}, [other]
    world.image.delegations.insert(0, Delegation("first", Role(make_key(world.style, 3)), ["nothing/*"], delegations=[shared]))


@case("delegation-deeper-than-its-parent-may", "image", "supplier-b", "target-missing")
def _(world):
    """Nobody can hand on what was not given to him."""
    evil = Delegation("evil", Role(make_key(world.style, 9)), ["brake/*"], supplier(world).targets)
    supplier(world).paths, supplier(world).delegations = ["other/*"], [evil]
    world.image.delegations.append(Delegation("last", Role(make_key(world.style, 10)), ["brake/*"]))
    CASE_ROLE["delegation-deeper-than-its-parent-may"] = "last"


CASE_ROLE = {}


def two_members(world, second):
    first = supplier(world)
    other = Delegation("supplier-c", Role(make_key(world.style, 9)), first.paths, second)
    world.image.delegations = [Several(["brake/*"], [first, other], 2)]


@case("multi-role-conflict", "image", "supplier-c", "target-mismatch")
def _(world):
    two_members(world, {"brake/app-2.bin": target(b"something else", hardwareIds=["brake-b"], releaseCounter=3)})


@case("multi-role-one-is-silent", "image", "supplier-c", "target-mismatch")
def _(world):
    two_members(world, {})


@case("multi-role-other-counter", "image", "supplier-c", "target-mismatch")
def _(world):
    two_members(world, {"brake/app-2.bin": target(IMAGES["brake/app-2.bin"], hardwareIds=["brake-b"], releaseCounter=9)})


@case("multi-role-member-unsigned", "image", "supplier-c", "threshold-unmet")
def _(world):
    two_members(world, supplier(world).targets)
    world.image.after["supplier-c"] = lambda envelope: envelope["signatures"].clear()


@case("multi-role-threshold-zero", "image", "supplier-c", "illegal-threshold")
def _(world):
    two_members(world, supplier(world).targets)
    world.image.delegations[0].members[1].role.threshold = 0
