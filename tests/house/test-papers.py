#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test-papers.py SOURCE: the numbers of data/doc are those of the code and of the vectors."""

import json
import re
import sys
import unittest
from pathlib import Path

ROOT = Path(sys.argv[1])


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def rows(document, heading):
    """The cells of the table below a heading, without its head."""
    section = document.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return table[2:]


def number(text):
    """"10,000" and "16 MiB" of a document."""
    found = re.search(r"([\d,]+)(?: (KiB|MiB))?", text)
    return int(found.group(1).replace(",", "")) * {"KiB": 1024, "MiB": 1024 ** 2, None: 1}[found.group(2)]


def defined(path, name):
    value = re.search(rf"{name}(?: =)? (.+?)(?: /\*.*)?$", read(path), re.M).group(1).strip("(); ")
    value = re.sub(r"G_GINT64_CONSTANT \((\d+)\)", r"\1", value)
    return eval(value, {"__builtins__": {}})  # a product of numbers out of our own source


class Architecture(unittest.TestCase):
    document = read("data/doc/architecture.md")

    def test_threads(self):
        told = {row[0].strip("`"): row[1] for row in rows(self.document, "Threads and ownership")}
        started = {name: str(path.relative_to(ROOT)) for path in sorted((ROOT / "src").glob("*/*/*.c"))
                   for name in re.findall(r'g_thread_new \("([\w-]+)"', path.read_text(encoding="utf-8"))}
        self.assertEqual(told.keys(), started.keys() | {"main"})
        for name, path in started.items():
            self.assertIn(f"`{path}`", told[name])

    def test_folders_and_programs(self):
        folders = {row[1].strip("`/") for row in rows(self.document, "Folders") if row[0].isdigit()}
        self.assertEqual(folders, {str(path.parent.relative_to(ROOT / "src")) for path in (ROOT / "src").glob("*/*/meson.build")})
        programs = {name for path in (ROOT / "src").glob("*/*/meson.build") for name in re.findall(r"'(recall[\w-]*)': files", path.read_text())}
        self.assertEqual({row[0].strip("`") for row in rows(self.document, "Processes")}, programs)


class ThreatModel(unittest.TestCase):
    document = read("data/doc/threat-model.md")

    def test_each_control_has_code_and_test(self):
        controls = rows(self.document, "Controls")
        controls = [row for row in controls if not row[0].startswith("---") and row[0] != "control"]
        self.assertGreater(len(controls), 30)
        for row in controls:
            self.assertRegex(row[1], r"`src/[\w/.-]+`", row[0])
            self.assertRegex(row[2], r"`tests/[\w/.-]+`", row[0])


class Commands(unittest.TestCase):
    """Papers show no command and no option that a program does not have."""
    folders = {"recallctl": "workshop/ctl", "recall-oem": "oem/oem", "recall-sim": "sim/sim"}
    papers = ("README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"data/doc/{path.name}" for path in sorted((ROOT / "data/doc").glob("*.md"))))
    common = {"json", "data-dir", "config", "help", "version", "output"}

    def source(self, program):
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src" / self.folders[program]).glob("*.c")))

    def verbs(self, program):
        return set(re.findall(r'\{\s*"([a-z][a-z -]*)",\s*"[^"]*"[^"]*,\s*"[^"]*",\s*verb_', self.source(program)))

    def shown(self):
        """(paper, program, the rest of the command) of each command in code."""
        for paper in self.papers:
            document = read(paper).replace("\\\n", " ")
            code = re.findall(r"`([^`\n]+)`", document) + re.findall(r"^    (.+)$", document, re.M)
            for text in code:
                for program, rest in re.findall(r"(?<![\w/-])(recallctl|recall-oem|recall-sim) ([^|#]+)", text):
                    yield paper, program, rest

    def test_verbs(self):
        count = 0
        for paper, program, rest in self.shown():
            words = re.match(r"(?:[a-z-]+ ?)*", rest).group().split()
            if not words or words[0].startswith("--"):
                continue
            count += 1
            self.assertTrue({words[0], " ".join(words[:2])} & self.verbs(program), f"{paper}: {program} {rest}")
        self.assertGreater(count, 10)

    def test_options(self):
        for paper, program, rest in self.shown():
            known = set(re.findall(r'\{[\s\\]*"([a-z-]+)",', self.source(program))) | self.common
            for option in re.findall(r"--([a-z][a-z-]*)", rest):
                self.assertIn(option, known, f"{paper}: {program} {rest}")


class EcuProtocol(unittest.TestCase):
    document = read("data/doc/ecu-protocol.md")

    def test_data_identifiers(self):
        told = {row[0] for row in rows(self.document, "Data identifiers")}
        simulated = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src/sim").glob("*/*.c")))
        self.assertLessEqual({word.upper() for word in re.findall(r"^  case 0x(f[1d]\w\w):", simulated, re.M)}, told)
        for did in told:
            self.assertRegex(simulated, f"0x{did.lower()}\\b")

    def test_data_identifiers_of_profiles(self):
        told = {row[1].strip("`"): row[0] for row in rows(self.document, "Data identifiers")}
        for member, did in re.findall(r'"(\w+)", "(F[0-9A-F]{3})"', read("src/oem/oem/fleet.c")):
            if member in told:
                self.assertEqual(told[member], did, member)
        members = set(json.loads(read("data/schemas/profile.json"))["properties"]["identification"]["properties"])
        self.assertLessEqual(members, told.keys())

    def test_fixed_identifiers(self):
        told = {row[0] for row in rows(self.document, "Data identifiers") if row[1] == "fixed"}
        fixed = {word.upper() for word in re.findall(r"(?:DID_\w+ |client, )0x(\w{4})\b", "".join(read(f"src/workshop/vehicle/{module}.c") for module in ("ecu-client", "ecu-claims", "ecu-keys")))}
        self.assertEqual(told, fixed)

    def test_routines(self):
        told = {row[0] for row in rows(self.document, "Routines")}
        served = {word.upper() for word in re.findall(r"^  \{ 0x(\w{4}), .*, (?:UPTANE|BOTH), rb_", read("src/sim/sim-ecu/ecu.c"), re.M)}
        self.assertEqual(told, served)

    def test_routine_members(self):
        schema = json.loads(read("data/schemas/profile.json"))["properties"]
        for row in rows(self.document, "Routines"):
            group, member = row[1].strip("`").split(".")
            self.assertIn(f'"{member}"', json.dumps(schema[group]), row[0])

    def test_what_a_profile_may_vary(self):
        told = {row[0].strip("`") for row in rows(self.document, "What a profile may vary")}
        schema = set(json.loads(read("data/schemas/profile.json"))["properties"])
        self.assertEqual(told, schema - {"format", "id", "name"})

    def test_vectors(self):
        proof = json.loads(read("data/vectors/proof-of-possession.json"))
        shown = re.search(r"^    (4453\w+)…", self.document, re.M).group(1)
        self.assertTrue(proof["message"].startswith(shown))
        authentication = json.loads(read("data/vectors/ecu-authentication.json"))
        self.assertIn(bytes.fromhex(authentication["message"][:34]).decode(), self.document)


class BundleFormat(unittest.TestCase):
    document = read("data/doc/bundle-format.md")

    def bound(self, what):
        return next(row[1] for row in rows(self.document, "Bounds") if row[0] == what)

    def test_bounds(self):
        for what, path, name in (("a file of part 1 or 2", "src/recall/campaign/unpack.c", "MAX_FILE"),
                                 ("a root", "src/recall/campaign/roots.c", "MAX_ROOT"),
                                 ("a file of a VIN pack", "src/recall/campaign/unpack.c", "MAX_PACK_FILE"),
                                 ("a piece", "src/recall/model/vin-index.h", "RB_VIN_INDEX_MAX_PIECE"),
                                 ("a vehicle model", "src/recall/model/vehicle-model.c", "MAX_FILE"),
                                 ("a profile", "src/recall/model/profile.c", "MAX_FILE"),
                                 ("a campaign", "src/recall/model/campaign.c", "MAX_FILE")):
            self.assertEqual(number(self.bound(what)), defined(path, name), what)

    def test_bounds_in_text(self):
        for text, path, name in (("she.json` {} MiB", "src/recall/campaign/vin-pack.c", "MAX_SHE"), ("one VIN {} MiB", "src/recall/model/vin-index.h", "RB_VIN_INDEX_MAX_ENTRY"),
                                 ("and {} MiB more", "src/recall/campaign/unpack.c", "SPACE_TO_LEAVE")):
            self.assertIn(text.format(defined(path, name) // 1024 ** 2), self.document, name)
        for text, path, name in (("at most {} bytes", "src/recall/campaign/archive.c", "MAX_PATH_LENGTH"), ("{} folders deep", "src/recall/campaign/archive.c", "MAX_DEPTH"),
                                 ("{:,} entries", "src/recall/campaign/archive.c", "MAX_ENTRIES"), ("{} dealer CAs", "src/recall/model/trust-list.c", "MAX_DEALER_CAS"),
                                 ("{:,} revoked", "src/recall/model/trust-list.c", "MAX_REVOKED"), ("{:,} withdrawn", "src/recall/model/trust-list.c", "MAX_WITHDRAWN"),
                                 ("{} VIN prefixes", "src/recall/model/trust-list.c", "MAX_WMIS"), ("at most {} days", "src/recall/model/trust-list.c", "MAX_AGE_DAYS"),
                                 ("{:,} VINs listed", "src/recall/model/campaign.c", "MAX_VINS"), ("{} checklist items", "src/recall/model/campaign.c", "MAX_ITEMS"),
                                 ("{} buses", "src/recall/model/vehicle-model.c", "MAX_BUSES")):
            self.assertIn(text.format(defined(path, name)), self.document, name)
        limits = re.search(r"RB_SHAPE_SERVICE\] = \{ (\d+), (\d+) \* 1024 \* 1024 \}, \[RB_SHAPE_METADATA\] = \{ \1, \2 \*", read("src/recall/campaign/unpack.c"))
        self.assertEqual(self.bound("part 1, part 2"), f"{limits.group(1)} files and {limits.group(2)} MiB each")


class RecordFormat(unittest.TestCase):
    document = read("data/doc/record-format.md")

    def members(self, name):
        found = re.search(rf"^static const Member {name}\[\]\s*= \{{(.*?)\}};", read("src/recall/record/result.c"), re.M | re.S).group(1)
        return set(re.findall(r'\{ "(\w+)",', found))

    def told(self, table):
        return {word for row in table for word in re.findall(r"`(\w+)`", row[0])}

    def test_members(self):
        predicate, ecu = (re.findall(r"(?:^\|.*\n)+", part, re.M)[0].splitlines()[2:]
                          for part in (self.document.split("## Predicate")[1], self.document.split("An entry of `ecus`:")[1]))
        for name, lines in (("predicate_members", predicate), ("ecu_members", ecu)):
            told = self.told([[cell.strip() for cell in line.strip("|").split("|")] for line in lines])
            self.assertLessEqual(self.members(name), told, name)
            first = [line.split("|")[1].strip() for line in lines]
            self.assertEqual(len(first), len(set(first)), "a member is described twice")
        whole = set(re.findall(r"`(\w+)`", self.document))
        for name in ("campaign_members", "campaign_root_members", "campaign_ecu_members", "vehicle_members", "person_members", "workstation_members",
                     "preflight_members", "inspection_members", "item_members", "time_members", "manifest_members", "failure_members", "deviation_members"):
            self.assertLessEqual(self.members(name), whole, name)

    def test_results(self):
        table = dict(re.findall(r'\{ "([\w-]+)", "([\w-]+)" \}', read("src/recall/record/ending.c").split("result_of_type")[1]))
        for kind, result in table.items():
            self.assertIn(f"`{kind}`", self.document)
            self.assertIn(f"`{result}`", self.document)

    def test_reason_words_exist(self):
        words = set(re.findall(r'"([\w-]+)"\)', read("src/base/core/reason.h")))
        for paper in ("record-format.md", "bundle-format.md"):
            prose = "\n".join(line for line in read(f"data/doc/{paper}").splitlines() if not line.startswith("|"))
            for group in re.findall(r"\((`[^()]*`[^()]*)\)", prose):
                for word in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", group):
                    self.assertIn(word, words, paper)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
