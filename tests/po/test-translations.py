#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""catalogues are well-formed, name their sources, and reach a person: test-translations.py SOURCE RECALLCTL"""

import gettext
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE, RECALLCTL = Path(sys.argv[1]), sys.argv[2]
BUILT = {"src/base/core/advice-table.h"}
MARKED = re.compile(r'\b[NQC]?_ ?\("|translatable="yes"')


def lines(path):
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def sentences():
    for words in json.loads((SOURCE / "data" / "reasons.json").read_text()).values():
        for texts in words.values():
            yield from (texts["means"], texts["next"])


class Translations(unittest.TestCase):
    def catalogue(self, language):
        with tempfile.NamedTemporaryFile(suffix=".mo") as compiled:
            done = subprocess.run(["msgfmt", "--check", "-o", compiled.name, str(SOURCE / "po" / f"{language}.po")],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(compiled.name, "rb") as file:
                return gettext.GNUTranslations(file)

    def test_well_formed(self):
        languages = lines(SOURCE / "po" / "LINGUAS")
        self.assertIn("de", languages)
        self.assertEqual(sorted(languages), sorted(path.stem for path in (SOURCE / "po").glob("*.po")))
        for language in languages:
            self.catalogue(language)

    def test_german_says_what_to_do(self):
        german = self.catalogue("de")
        wanted = list(sentences())
        missing = [sentence for sentence in wanted if german.gettext(sentence) == sentence]
        for sentence in missing:
            print("# not in de.po:", sentence)
        self.assertLess(len(missing), len(wanted) / 20)

    def test_every_marked_source_is_listed(self):
        listed = set(lines(SOURCE / "po" / "POTFILES.in"))
        for name in listed - BUILT:
            self.assertTrue((SOURCE / name).is_file(), name)
        marked = {str(path.relative_to(SOURCE)) for top in ("src", "ui") if (SOURCE / top).is_dir()
                  for path in (SOURCE / top).rglob("*") if path.suffix in (".c", ".h", ".ui", ".blp") and MARKED.search(path.read_text())}
        self.assertEqual(marked - listed, set())

    def test_it_reaches_a_person(self):
        def said(language):
            # a locale of that language, with the contents of C.UTF-8: under C.UTF-8 itself gettext translates nothing
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / f"{language}.utf8").symlink_to("/usr/lib/locale/C.utf8")
                done = subprocess.run([RECALLCTL, "--data-dir", folder + "/data", "bundle", "show", "R-1"], capture_output=True, text=True,
                                      env={**os.environ, "LOCPATH": folder, "LC_ALL": f"{language}.UTF-8", "LANGUAGE": ""}, check=False)
            self.assertEqual(done.returncode, 1)
            return done.stderr
        texts = json.loads((SOURCE / "data" / "reasons.json").read_text())["trust, bundle and campaign"]["campaign-unknown"]
        self.assertIn(texts["next"], said("en_US"))
        self.assertIn(self.catalogue("de").gettext(texts["next"]), said("de_DE"))
        self.assertIn("[campaign-unknown]", said("de_DE"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
