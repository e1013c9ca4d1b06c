#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check-house.py SOURCE BUILD: the rules of the house on this tree, as TAP"""

import sys

import house


def report(title, problems):
    problems = list(problems)
    report.count += 1
    print(f"{'not ok' if problems else 'ok'} {report.count} - {title}")
    for problem in problems:
        print(f"# {problem}")


report.count = 0


def main():
    root, build = house.as_path(sys.argv[1]), house.as_path(sys.argv[2])
    for rule in house.RULES:
        report(rule.__name__.removeprefix("check_").replace("_", " "), rule(root))
    print(f"# tests to src: {house.ratio(root):.2f} lines a line")
    report("keys are made in two folders", house.check_key_makers(build))
    for program in house.programs(build):
        report(f"{program.name} makes no keys", house.check_keyless(program))
        report(f"{program.name} and the link process keep apart", house.check_link_process(program))
        if program.name == house.LINK_PROCESS:
            report("the names of framing are those of the link process", house.check_framing(program))
    print(f"1..{report.count}")


main()
