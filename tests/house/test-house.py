#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the house fails on a tree that breaks it, and only on that."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import graph
import house
import wording

LICENCE = "/* " + house.SPDX + " */\n"
REASON_H = '#define RB_REASONS(X) \\\n  X (NO_SPACE, "no-space") \\\n  X (PATH, "path")\n'


class Rules(unittest.TestCase):
    graph_is_fresh = True

    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        for folder, sees in house.SEES.items():
            listed = ", ".join(f"'{name}'" for name in sorted(sees))
            self.write(f"{house.place(folder)}/meson.build", f"# {house.SPDX}\nsees = [{listed}]\n")
        self.write("src/base/core/reason.h", LICENCE + REASON_H)
        told = {"means": "a", "next": "b"}
        self.write("data/reasons.json", json.dumps({"group": {"no-space": told, "path": told}}))
        self.write("src/trust/crypto/key.c", LICENCE + '#include "core/reason.h"\n\nint\nrb_key_sign (void)\n{\n  return 0;\n}\n')
        called = ("rb_key_sign", "rb_jump_far", "rb_byte_one", "rb_two_words_one", "rb_long_one")
        self.write("src/base/core/user.c", LICENCE + "static void\nuse_all (void)\n{\n" + "".join(f"  {name} ();\n" for name in called) + "}\n")
        self.write("tests/crypto/test-key.c", LICENCE + 'expect ("no-space");\nexpect (RB_REASON_PATH);\n' + "line\n" * 12)

        self.write(graph.PAPER, graph.BEGIN + graph.END)
        self.write("data/meson.build", f"# {house.SPDX}\ninstall_data('doc/{graph.PAPER.name}')\n")
        graph.write(self.root)

    def write(self, path, content):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(content)

    def broken(self):
        if self.graph_is_fresh:
            graph.write(self.root)
        return {rule.__name__ for rule in house.RULES if list(rule(self.root))}

    def breaks(self, *rules):
        self.assertEqual(self.broken(), set(rules))

    def test_a_clean_tree_passes(self):
        self.breaks()

    def test_a_file_for_everyone(self):
        self.write("src/workshop/ctl/a.c", LICENCE + "static int\na (void)\n{\n  return rb_files_write_text (path, text, error);\n}\n")
        self.write("tests/ctl/a.py", LICENCE + "line\n" * 8)
        self.breaks("check_outputs")

    def test_words(self):
        planted = {"nobody": "nobody listens", "attacker": "a thief has it", "ecu": "the control unit", "not-one": "the time is not one",
                   "is-no": "this is no frame", "metaphor": "the link is mended", "tells": "the file tells it", "judges": "it judges the file",
                   "on-its-way": "it is in work", "goes-on": "it goes on by itself", "oem": "the carmaker", "headless": "/* What is kept. */"}
        self.assertEqual(set(planted), {name for name, _, _, _ in wording.ROWS})
        for name, words in planted.items():
            comment = words if words.startswith("/*") else f"/* {words} */"
            most = next(row[3] for row in wording.ROWS if row[0] == name)
            for text, broken in ((f"{comment}\n" * (most + 1), True), (f"{comment}\n" * most, False), (f'static const char t[] = "{words}";\n', True)):
                self.write("src/trust/crypto/key.c", LICENCE + text)
                self.write("tests/crypto/test-key.c", LICENCE + 'expect ("no-space");\nexpect (RB_REASON_PATH);\n' + "line\n" * (len(text.splitlines()) + 9))
                self.breaks(*["check_wording"] * broken)
        self.write("src/trust/crypto/key.c", LICENCE)
        self.write("README.md", "An ECU of a carmaker (OEM).\n")
        self.breaks()
        self.write("README.md", "Nobody mends it.\n")
        self.breaks("check_wording")

    def test_stray_folder(self):
        self.write("--help/data/recallbay.db", "left by a test")
        self.breaks("check_top")

    def test_sees_other_than_the_table(self):
        self.write("src/link/frame/meson.build", f"# {house.SPDX}\nsees = []\n")
        self.breaks("check_sees")

    def test_unknown_folder(self):
        self.write("src/base/extra/meson.build", f"# {house.SPDX}\nsees = []\n")
        self.breaks("check_sees")

    def test_folder_missing(self):
        shutil.rmtree(self.root / "src/workshop/uds")
        self.breaks("check_sees")

    def test_group_that_sees_keys(self):
        self.write("src/link/can/meson.build", f"# {house.SPDX}\nsees = ['crypto', 'link', 'frame', 'core']\n")
        self.breaks("check_sees", "check_groups")

    def test_folder_in_another_group(self):
        shutil.move(self.root / "src/trust/keymaker", self.root / "src/workshop/keymaker")
        self.breaks("check_groups")

    def test_sees_what_it_does_not_include(self):
        self.write("src/trust/keymaker/keygen.c", LICENCE + '#include "core/reason.h"\n')
        self.breaks("check_minimal")
        self.write("src/trust/crypto/key.h", LICENCE + '#include "core/reason.h"\n')
        self.write("src/trust/keymaker/keygen.c", LICENCE + '#include "crypto/key.h"\n')
        self.breaks()

    def test_include_upward(self):
        self.write("src/trust/crypto/up.c", LICENCE + '#include "record/outbox.h"\n')
        self.breaks("check_includes")

    def test_include_sideways(self):
        self.write("src/link/frame/side.h", LICENCE + '#include "net/client.h"\n')
        self.breaks("check_includes")

    def test_library_outside_its_folder(self):
        for header in ("sqlite3.h", "openssl/evp.h", "libusb-1.0/libusb.h"):
            self.write("src/link/frame/use.c", LICENCE + f"#include <{header}>\n")
            self.breaks("check_libraries")
        for folder, header in (("base/db", "sqlite3.h"), ("trust/crypto", "openssl/evp.h"), ("link/can", "libusb.h")):
            self.write(f"src/{folder}/use.c", LICENCE + f"#include <{header}>\n")
        (self.root / "src/link/frame/use.c").unlink()
        self.breaks()

    def test_folders_in_a_circle(self):
        self.write("src/base/core/meson.build", f"# {house.SPDX}\nsees = ['crypto']\n")
        self.breaks("check_sees", "check_groups", "check_cycles")

    def test_headers_in_a_circle(self):
        self.write("src/base/core/a.h", LICENCE + '#include "core/b.h"\n')
        self.write("src/base/core/b.h", LICENCE + '#include "core/a.h"\n')
        self.breaks("check_cycles", "check_module_cycles")

    def test_modules_in_a_circle(self):
        self.write("src/base/core/a.h", LICENCE)
        self.write("src/base/core/b.h", LICENCE)
        self.write("src/base/core/a.c", LICENCE + '#include "core/b.h"\n')
        self.breaks()
        self.write("src/base/core/b.c", LICENCE + '#include "core/a.h"\n')
        self.breaks("check_module_cycles")

    def test_modules_in_a_circle_by_their_second_header(self):
        self.write("src/base/core/a.h", LICENCE)
        self.write("src/base/core/a-inside.h", LICENCE + '#include "core/a.h"\n')
        self.write("src/base/core/a.c", LICENCE + '#include "core/a-inside.h"\n#include "core/b.h"\n')
        self.write("src/base/core/b.h", LICENCE)
        self.breaks()
        self.write("src/base/core/b.c", LICENCE + '#include "core/a-inside.h"\n')
        self.breaks("check_module_cycles")

    def test_goto(self):
        self.write("src/base/core/jump.c", LICENCE + "void\nrb_jump_far (void)\n{\n  goto out;\n}\n")
        self.breaks("check_goto")

    def test_goto_in_words_is_none(self):
        self.write("src/base/core/jump.c", LICENCE + '/* no goto here */\nconst char *x = "goto";\n')
        self.breaks()

    def test_licence_line_missing(self):
        self.write("src/base/core/bare.h", "#pragma once\n")
        self.breaks("check_spdx")

    def test_prefix_of_another_file(self):
        self.write("src/base/core/bytes.c", LICENCE + "int\nrb_byte_one (void)\n{\n  return 1;\n}\n")
        self.breaks("check_prefix")

    def test_static_needs_no_prefix(self):
        self.write("src/base/core/bytes.c", LICENCE + "static int\none (void)\n{\n  return 1;\n}\n")
        self.breaks()

    def test_dash_in_a_file_name(self):
        self.write("src/base/core/two-words.c", LICENCE + "int\nrb_two_words_one (int a,\n    int b)\n{\n  return 1;\n}\n")
        self.breaks()

    def test_public_without_a_caller(self):
        self.write("src/base/core/bytes.h", LICENCE + "int rb_bytes_one (void);\n")
        self.write("src/base/core/bytes.c", LICENCE + "int\nrb_bytes_one (void)\n{\n  return rb_bytes_one ();\n}\n")
        self.write("tests/core/test-bytes.c", LICENCE + "rb_bytes_one ();\n" * 9)
        self.breaks("check_callers")
        self.write("src/base/core/bytes.h", LICENCE + "int rb_bytes_one (void);\n#define ONE() rb_bytes_one ()\n")
        self.breaks()

    def test_a_door_of_tests(self):
        hook = "int\nrb_can_bits (void)\n{\n  return 1;\n}\n"
        with unittest.mock.patch.dict(house.HOOKS, {"rb_can_bits": "a test"}, clear=True):
            self.write("src/link/frame/can.c", LICENCE + '#include "core/reason.h"\n' + hook)
            self.write("tests/frame/test-can.c", LICENCE + "line\n" * 9)
            self.breaks()
            self.write("src/link/frame/user.c", LICENCE + "static int one = rb_can_bits ();\n")
            self.breaks("check_callers")
            (self.root / "src/link/frame/user.c").unlink()
            house.HOOKS["rb_can_gone"] = "a test"
            self.breaks("check_callers")

    def test_long_function(self):
        self.write("src/base/core/long.c", LICENCE + "int\nrb_long_one (void)\n{\n" + "  a ();\n" * 97 + "}\n")
        self.write("tests/core/test-long.c", LICENCE + "line\n" * 99)
        self.breaks("check_lengths")

    def test_long_file(self):
        self.write("src/base/core/long.c", LICENCE + "int a;\n" * 700)
        self.write("tests/base/core/test-long.c", LICENCE + "line\n" * 700)
        self.breaks("check_lengths")

    def test_long_python(self):
        self.write("tests/base/core/test-long.py", LICENCE.replace("/*", "#").replace(" */", "") + "a = 1\n" * 700)
        self.breaks("check_lengths")

    def test_sleep(self):
        for suffix, line in (("c", "  g_usleep (5);"), ("py", "time.sleep(1)"), ("sh", "sleep 1")):
            self.write(f"tests/core/test-slow.{suffix}", LICENCE + line + "\n")
            self.breaks("check_sleep")
            (self.root / f"tests/core/test-slow.{suffix}").unlink()

    def test_wrappers(self):
        for number, body in enumerate(("  return rb_reason_deny (error, RB_CORE_ERROR, reason, \"core: %s\", text);\n",
                                       "  g_set_error_literal (error, RB_CORE_ERROR, (int) reason, text);\n  return FALSE;\n")):
            function = ("refuse", "core_error")[number]
            self.write("src/base/core/wrap.c", LICENCE + f"static gboolean\n{function} (GError **error, RbReason reason, const char *text)\n{{\n{body}}}\n")
            self.breaks("check_wrappers")

    def test_unfinished(self):
        self.write("src/base/core/later.h", LICENCE + "/* TODO: all of it */\n")
        self.breaks("check_unfinished")

    def test_reason_not_told(self):
        self.write("data/reasons.json", json.dumps({"group": {"path": {"means": "a", "next": "b"}}}))
        self.breaks("check_reasons")

    def test_told_but_no_reason(self):
        told = {"means": "a", "next": "b"}
        self.write("data/reasons.json", json.dumps({"group": {"no-space": told, "path": told, "gone": told}}))
        self.breaks("check_reasons")

    def test_reason_told_with_nothing(self):
        told = {"means": "a", "next": "b"}
        self.write("data/reasons.json", json.dumps({"group": {"no-space": told, "path": {"means": "a", "next": " "}}}))
        self.breaks("check_reasons")

    def test_reason_without_a_test(self):
        self.write("tests/crypto/test-key.c", LICENCE + 'expect ("no-space");\n/* the path is long */\n' + "line\n" * 12)
        self.breaks("check_reasons_are_tested")

    def test_too_few_tests(self):
        self.write("src/base/core/much.c", LICENCE + "int a;\n" * 60)
        self.breaks("check_ratio")

    def test_too_few_tests_of_a_folder(self):
        self.write("src/base/core/much.c", LICENCE + "int a;\n" * 300)
        self.write("tests/e2e/much.py", LICENCE + "line\n" * 400)
        self.breaks("check_folder_ratio")
        self.write("tests/base/core/test-much.c", LICENCE + "line\n" * 300)
        self.breaks()

    def test_large_folder(self):
        for number in range(35):
            self.write(f"src/base/net/part{number}.h", LICENCE)
        self.breaks("check_folder_size")

    def test_prototype_outside_headers(self):
        for line in ("int rb_key_other (int a);", "extern int other;", "RbKey *rb_key_other (int a,\n  int b);"):
            self.write("src/base/core/near.c", LICENCE + line + "\n")
            self.breaks("check_prototypes")
        self.write("src/base/core/near.c", LICENCE + "static int rb_near_one (int a);\nint\nrb_key_sign (int a)\n{\n  return rb_key_other (a);\n}\n")
        self.write("src/base/core/near.h", LICENCE + "int rb_key_other (int a);\n")
        self.assertNotIn("check_prototypes", self.broken())

    def test_include_that_the_graph_lacks(self):
        self.graph_is_fresh = False
        self.write("src/trust/crypto/more.h", LICENCE + '#include "core/reason.h"\n')
        self.breaks("check_graph")

    def test_paper_not_installed(self):
        self.write("data/doc/more.md", "Text.\n")
        self.breaks("check_papers")

    def test_paper_installed_but_not_there(self):
        self.write("data/meson.build", f"# {house.SPDX}\ninstall_data('doc/{graph.PAPER.name}', 'doc/gone.md')\n")
        self.breaks("check_papers")

    def test_cites_what_is(self):
        self.write("src/base/core/near.h", LICENCE + "/* As rb_key_sign() and RB_REASON_PATH: crypto/key.c, tests/crypto, RB_REASON_…, linux/can.h. */\n"
                   "/* A word that only looks so: Rbitrary, its own code, a.b. */\n")
        self.write("README.md", "`src/base/core/` and `src/base/core/reason.h`, docs.md of another project is at https://example.org/docs.md\n"
                   .replace("docs.md of another project is at ", ""))
        self.breaks()

    def test_cites_what_is_not(self):
        for comment in ("rb_key_gone() signs", "as RB_ERROR_DOMAIN says", "an RbGone", "see gone ()", "filled by crypto/gone.h",
                        "as src/base/core/gone.c", "by the rules of DESIGN §4", "RB_REASON_GONE"):
            self.write("src/base/core/near.h", LICENCE + f"/* {comment} */\n")
            self.breaks("check_names")
        (self.root / "src/base/core/near.h").unlink()
        self.write("tests/core/near.py", f"# {house.SPDX}\n# as tests/core/gone.py does\n")
        self.breaks("check_names")
        (self.root / "tests/core/near.py").unlink()
        for paper in ("README.md", "CONTRIBUTING.md", "data/man/recallctl.1"):
            self.write(paper, "What `src/base/core/gone.c` does.\n")
            self.breaks("check_names")
            (self.root / paper).unlink()

    def test_a_string_cites_nothing(self):
        self.write("src/base/core/near.c", LICENCE + 'static const char text[] = "/* rb_key_gone */";\n')
        self.breaks()


class Keys(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def build(self, source):
        program = self.folder / "recallctl"
        (self.folder / "main.c").write_text(source)
        subprocess.run(["cc", "-o", str(program), str(self.folder / "main.c"), "-lcrypto"], check=True)
        return list(house.check_keyless(program))

    def test_a_program_without_keys(self):
        self.assertEqual(self.build("int main (void) { return 0; }"), [])

    def test_every_program_but_the_makers(self):
        (self.folder / "src").mkdir()
        for name in ("recallctl", "recallbay", "recallbay-link", "recall-oem", "recall-sim", "recall.txt"):
            (self.folder / "src" / name).write_text("")
            (self.folder / "src" / name).chmod(0o644 if name.endswith("txt") else 0o755)
        self.assertEqual([path.name for path in house.programs(self.folder)], ["recallbay", "recallbay-link", "recallctl"])

    def test_calls_the_library(self):
        for call in sorted(house.FORBIDDEN_IMPORTED):
            self.assertEqual(len(self.build(f"extern int {call} (void); int main (void) {{ return {call} (); }}")), 1, call)

    def test_own_keys_of_a_workstation(self):
        """recallctl makes them by one function, and only with that."""
        own = "int rb_identity_key_make (void) { return 0; } "
        for call, found in (("EVP_PKEY_Q_keygen", 0), ("EVP_PKEY_generate", 1)):
            source = f"extern int {call} (void); {own} int main (void) {{ return {call} () + rb_identity_key_make (); }}"
            self.assertEqual(len(self.build(source)), found, call)

    def test_links_our_maker(self):
        for maker in ("rb_keygen_new", "rb_issue_certificate", "rb_she_update"):
            self.assertEqual(len(self.build(f"int {maker} (void) {{ return 0; }} int main (void) {{ return {maker} (); }}")), 1, maker)

    def keep_apart(self, name, source, *options):
        program = self.folder / name
        (self.folder / "main.c").write_text(source)
        subprocess.run(["cc", "-o", str(program), str(self.folder / "main.c"), "-Wl,--no-as-needed", *options], check=True)
        return list(house.check_link_process(program))

    def test_link_process_links_little(self):
        empty = "int main (void) { return 0; }"
        self.assertEqual(self.keep_apart("recall-link", empty, "-lglib-2.0", "-lseccomp"), [])
        self.assertEqual(len(self.keep_apart("recall-link", empty, "-lsoup-3.0")), 1)
        self.assertEqual(len(self.keep_apart("recall-link", empty, "-lcrypto", "-lssl", "-lsqlite3")), 2)
        self.assertEqual(self.keep_apart("recallctl", empty, "-lcrypto", "-lsqlite3"), [])

    def test_link_process_holds_no_keys(self):
        for symbol in ("rb_key_sign", "rb_journal_open", "rb_http_new", "rb_identity_load"):
            source = f"int {symbol} (void) {{ return 0; }} int main (void) {{ return {symbol} (); }}"
            self.assertEqual(len(self.keep_apart("recall-link", source)), 1, symbol)
            self.assertEqual(self.keep_apart("recallctl", source), [], symbol)

    def test_link_process_signs_nothing(self):
        for call in ("EVP_DigestSign", "EVP_PKEY_sign", "EVP_PKEY_decrypt", "X509_sign", "PEM_read_bio_PrivateKey", "PKCS12_parse", "OSSL_STORE_open"):
            source = f"extern int {call} (void); int main (void) {{ return {call} (); }}"
            self.assertEqual(len(self.keep_apart("recall-link", source, "-lcrypto")), 1, call)
        verifies = "extern int X509_verify_cert (void *); int main (void) { return X509_verify_cert (0); }"
        self.assertEqual(self.keep_apart("recall-link", verifies, "-lcrypto"), [])

    def test_framing_is_in_the_link_process_alone(self):
        for symbol in ("rb_isotp_new", "rb_doip_link_backend", "rb_can_io_new", "rb_backends_open"):
            source = f"int {symbol} (void) {{ return 0; }} int main (void) {{ return {symbol} (); }}"
            self.assertEqual(len(self.keep_apart("recallbay", source)), 1, symbol)
            self.assertEqual(self.keep_apart("recall-link", source), [], symbol)

    def test_framing_has_the_names_of_today(self):
        defined = " ".join(f"int {prefix}x;" for prefix in house.FRAMING)
        for source, missing in ((defined, 0), (defined.replace("rb_virtual_bus_x", "rb_bus_x"), 1)):
            self.keep_apart("recall-link", f"{source} int main (void) {{ return 0; }}")
            self.assertEqual(len(list(house.check_framing(self.folder / "recall-link"))), missing)


if __name__ == "__main__":
    sys.argv[1:] = []
    unittest.main()
