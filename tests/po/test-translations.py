#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""catalogues are well-formed, name their sources, and reach a person: test-translations.py SOURCE BUILD RECALLCTL"""

import gettext
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import untranslated

SOURCE, BUILD, RECALLCTL = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
BUILT = {"src/base/core/advice-table.h"}
MARKED = re.compile(r'\b(?:NC?|C)?_ \("|\bngettext \("|translatable="yes"')
SCREENS = ("src/workshop/pages", "src/workshop/workstation", "src/workshop/session")
# the command line of the program: its help and its errors are English, as those of every other program here
PROGRAM = {"src/workshop/workstation/main.c", "src/workshop/workstation/instance.c"}


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

    def test_german_is_complete(self):
        with tempfile.TemporaryDirectory() as folder:
            template, merged = Path(folder) / "all.pot", Path(folder) / "de.po"
            subprocess.run(["xgettext", "--from-code=UTF-8", "--keyword=_", "--keyword=N_", "--keyword=C_:1c,2", "--keyword=NC_:1c,2",
                            f"--directory={SOURCE}", f"--directory={BUILD}", "-o", template, *lines(SOURCE / "po" / "POTFILES.in")], check=True)
            texts = template.read_text()
            for sentence in sentences():  # the table made of data/reasons.json is among the sources
                self.assertIn(sentence.split()[0], texts)
            subprocess.run(["msgmerge", "--quiet", "--no-fuzzy-matching", "-o", merged, SOURCE / "po" / "de.po", template], check=True)
            for kind in ("untranslated", "only-fuzzy", "only-obsolete"):
                left = subprocess.run(["msgattrib", f"--{kind}", "--no-wrap", merged], check=True, capture_output=True, text=True).stdout
                found = [line for line in left.splitlines() if line.lstrip("#~ ").startswith("msgid ") and not line.endswith('msgid ""')]
                self.assertEqual(found, [], f"{kind} in de.po")

    def test_german_says_what_to_do(self):
        german = self.catalogue("de")
        self.assertEqual([sentence for sentence in sentences() if german.gettext(sentence) == sentence], [])

    def test_sources_are_those_that_are_marked(self):
        listed = lines(SOURCE / "po" / "POTFILES.in")
        marked = {str(path.relative_to(SOURCE)) for top in ("src", "ui")
                  for path in (SOURCE / top).rglob("*") if path.suffix in (".c", ".h", ".ui", ".blp") and MARKED.search(path.read_text())}
        self.assertEqual(sorted(set(listed) - BUILT), sorted(marked))
        self.assertEqual(len(listed), len(set(listed)))

    def test_templates_are_translatable(self):
        left = {path.name: found for path in (SOURCE / "ui").rglob("*.ui") if (found := list(untranslated.of_template(path.read_text())))}
        self.assertEqual(left, {})

    def test_screens_are_translatable(self):
        left = {}
        for folder in SCREENS:
            for path in (SOURCE / folder).glob("*.c"):
                found = list(untranslated.of_source(path.read_text()))
                if found and str(path.relative_to(SOURCE)) not in PROGRAM:
                    left[path.name] = found
        self.assertEqual(left, {})

    def test_commands_are_translatable(self):
        left = {path.name: found for path in (SOURCE / "src/workshop/ctl").glob("*.c")
                if (found := list(untranslated.of_source(path.read_text(), untranslated.COMMANDS)))}
        self.assertEqual(left, {})
        source = 'rb_cli_say (cli, "%s: %s", rb_json_string_or (row, "name", ""), good ? "fetched" : _ ("left"));'
        self.assertEqual(list(untranslated.of_source(source, untranslated.COMMANDS)), ["fetched"])

    def test_what_is_not_translatable_is_found(self):
        template = '<interface><property name="label"{}>Go ahead</property><property name="icon-name">go-next</property></interface>'
        self.assertEqual(list(untranslated.of_template(template.format(""))), ["Go ahead"])
        self.assertEqual(list(untranslated.of_template(template.format(' translatable="yes"'))), [])
        for source, wanted in (('gtk_label_new ("Go (ahead)");', ["Go (ahead)"]), ('gtk_label_new (_ ("Go (ahead)"));', []),
                               ('gtk_label_set_text (label, good ? _ ("yes it is") : "no it is not");', ["no it is not"]),
                               ('g_strdup_printf ("%s · %u %s", a, b, c);', []), ('g_strdup_printf ("%u ECUs", n);', ["%u ECUs"]),
                               ('g_strdup_printf (ngettext ("%u ECU", "%u ECUs", n), n);', []),
                               ('adw_message_dialog_add_responses (dialog, "keep", "Keep working", NULL);', ["Keep working"]),
                               ('/* gtk_label_new ("of a comment") */', []), ('rb_row_name (icon, C_ ("record", "waiting"));', [])):
            self.assertEqual(list(untranslated.of_source(source)), wanted, source)

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
