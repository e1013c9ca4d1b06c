# SPDX-License-Identifier: Apache-2.0
"""Every failure condition of full verification fails for its own reason, and a rejected run leaves no trace."""

import sys
import tempfile

import bench
from delegation_cases import CASE_ROLE
from forms import CASES, FORMS
from writer import Style, World, form_c

PROGRAM, DIALECT = sys.argv[1:3]
STYLES = {"uptane": Style(), "tuf": Style(dialect="tuf", canonical=form_c, keyid="object", pretty=True, consistent=True)}

def judge(place, name, repo, role, reason, change, more, options):
    folder, state = place.fresh(str(CASES.index((name, repo, role, reason, change, more, options))))
    world = place.make_world().newer()
    change(world)
    world.write(folder)
    before = bench.tree(state, roots=False)
    code, verdict = bench.run(folder, state, *more, **options)
    told = (code, verdict["ok"], verdict.get("repo"), verdict.get("role"), verdict["reason"])
    assert told == (1, False, repo, CASE_ROLE.get(name, role), reason), (name, told, verdict.get("message"))
    assert verdict["attack"] and verdict["attack_means"] and verdict["message"], verdict
    dropped = changed_keys(world)
    after = bench.tree(state, roots=False)
    kept = {path: data for path, data in before.items() if path.split("/")[0] not in dropped}
    assert {path: after.get(path) for path in kept} == kept, (name, "the state has changed")
    if not chained(world) and name not in FORMS:
        accepted_afterwards(place, folder, state, name)
    place.clean(folder, state)

def chained(world):
    """Did the case publish further roots? Then the good world of before is not its successor."""
    return world.director.roots or world.image.roots

def changed_keys(world):
    return {repo for repo in ("director", "image") if getattr(world, repo).roots}

def accepted_afterwards(place, folder, state, name):
    place.clean(folder)
    place.make_world().newer().write(folder)
    code, verdict = bench.run(folder, state)
    assert (code, verdict["reason"], len(verdict["ecus"])) == (0, "ok", 3), (name, verdict)

def main():
    bench.PROGRAM = PROGRAM
    failures = []
    with tempfile.TemporaryDirectory() as scratch:
        place = bench.Bench(scratch, lambda: World(STYLES[DIALECT]))
        print(f"1..{len(CASES)}")
        for number, case in enumerate(CASES, 1):
            try:
                judge(place, *case)
                print(f"ok {number} {case[0]}", flush=True)
            except AssertionError as problem:
                failures.append(case[0])
                print(f"not ok {number} {case[0]}\n# {problem}", flush=True)
    return 1 if failures else 0

sys.exit(main())
