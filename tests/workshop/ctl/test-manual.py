#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The man pages beside the tables of verbs and options: test-manual.py BUILD"""

import json
import re
import shlex
import sys
import unittest
from pathlib import Path

BUILD = Path(sys.argv.pop(1)).resolve()
MANUALS = Path(__file__).resolve().parents[3] / "data/man"
PAGES = {"recallctl": "recallctl.1", "recall-oem": "recall-oem.1", "recall-sim": "recall-sim.1", "recallbay": "recallbay.1",
         "recall-can-setup": "recall-can-setup.8"}
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def plain(line):
    """A line of roff without its macro and fonts."""
    line = re.sub(r"\\f[A-Z]|\\&", "", line).replace("\\-", "-")
    if not line.startswith("."):
        return line
    macro, _, rest = line.partition(" ")
    words = shlex.split(rest.replace("'", "\\'"))
    return ("" if macro in (".BI", ".IB", ".BR", ".RB", ".IR", ".RI") else " ").join(words)


def entries(page):
    """(heading, text) of each .TP of the page; the last of a section ends with it. Several headings may share a text (.TQ)."""
    found, lines = [], (MANUALS / page).read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        if line in (".TP", ".TQ"):
            found.append([plain(lines[i + 1]), ""])
        elif line.startswith(".SH"):
            found.append(["", ""])
        elif found:
            found[-1][1] += plain(line) + "\n"
    return found


def table(program):
    return json.loads((BUILD / f"data/completions/{program}.json").read_text(encoding="utf-8"))


def is_of(verb, heading):
    rest = heading[len(verb):]
    return heading.startswith(verb) and (rest == "" or re.match(r" (?![a-z])", rest) is not None)


class Manual(unittest.TestCase):
    def test_every_verb_and_option(self):
        """Every verb has an entry, and the entry names every option of the verb."""
        for program, page in PAGES.items():
            whole = "\n".join(heading + "\n" + text for heading, text in entries(page))
            for verb in table(program)["verbs"]:
                text = whole
                if verb["name"] and program != "recall-can-setup":
                    texts = [heading + "\n" + body for heading, body in entries(page) if is_of(verb["name"], heading)]
                    self.assertEqual(len(texts), 1, f"{page}: entries of {verb['name']}")
                    text = texts[0]
                for option in verb["options"]:
                    self.assertIn("--" + option["name"], OPTION.findall(text), f"{page}: {verb['name']}")
                    if option["letter"]:
                        self.assertIn("-" + option["letter"], OPTION.findall(text), f"{page}: {verb['name']}")

    def test_common_options(self):
        for program, page in PAGES.items():
            whole = plain((MANUALS / page).read_text(encoding="utf-8").replace("\\-", "-"))
            for option in table(program)["common"]:
                self.assertIn("--" + option["name"], OPTION.findall(whole), page)

    def test_nothing_that_is_not(self):
        """Every option and verb that a page describes exists."""
        known = {"--no-pager"}
        for program in PAGES:
            for options in [table(program)["common"]] + [verb["options"] for verb in table(program)["verbs"]]:
                known |= {"--" + option["name"] for option in options}
        for program, page in PAGES.items():
            text = (MANUALS / page).read_text(encoding="utf-8").replace("\\-", "-")
            for option in set(OPTION.findall(text)):
                if option.startswith("--"):
                    self.assertIn(option, known, page)
            verbs = [verb["name"] for verb in table(program)["verbs"]]
            section = text.partition(".SH VERBS")[2].partition(".SH ")[0]
            for heading in re.findall(r"^\.T[PQ]\n(.*)$", section, re.M):
                self.assertTrue(any(is_of(verb, plain(heading)) for verb in verbs if verb), f"{page}: {heading}")


if __name__ == "__main__":
    unittest.main()
