# SPDX-License-Identifier: Apache-2.0
"""recall-oem oem init and the verbs of signing keys: test-keys.py RECALL-OEM"""

import hashlib
import json
import subprocess
import sys
import unittest

from bench import PASSPHRASE, Bench

Bench.program = sys.argv.pop(1)


def openssl(*words, **keywords):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True, **keywords).stdout


class Init(Bench):
    def test_it_makes_the_folder_once(self):
        self.run_json("oem", "init", "--name", "Demo Motors", "--wmi", "9RB", "--wmi", "9RC", "--policy", self.write("policy", '{"rules": []}'))
        config = json.loads((self.oem / "oem.json").read_text())
        self.assertEqual((config["name"], config["wmi"], config["policy"]), ("Demo Motors", ["9RB", "9RC"], {"rules": []}))
        self.assertEqual(self.oem.stat().st_mode & 0o77, 0)
        self.refused("exists", "oem", "init", "--name", "Other", "--wmi", "9RB")

    def test_what_is_no_wmi(self):
        for wmi in ("9R", "9RO", "9rb", "9RB" + "0" * 15):
            self.refused("malformed", "oem", "init", "--name", "Demo Motors", "--wmi", wmi)
        self.refused("malformed", "oem", "init", "--name", "", "--wmi", "9RB")
        self.refused("usage", "oem", "init", "--name", "Demo Motors", code=2)
        self.assertFalse(self.oem.exists())


class Files(Bench):
    def test_new_in_an_encrypted_file(self):
        for algorithm, named in (("ed25519", b"ED25519"), ("ecdsa-p256", b"prime256v1"), ("rsa-3072", b"(3072 bit")):
            card = self.key(f"ada-{algorithm}", "--algorithm", algorithm, "--organisation", "Demo Motors", "--place", "safe 4", "--until", "2030-01-01T00:00:00Z")
            private = self.oem / f"keys/ada-{algorithm}.pem"
            self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", private.read_text())
            self.assertEqual(private.stat().st_mode & 0o77, 0)
            self.assertIn(named, openssl("pkey", "-in", private, "-passin", f"pass:{PASSPHRASE}", "-noout", "-text"))
            public = openssl("pkey", "-in", private, "-passin", f"pass:{PASSPHRASE}", "-pubout")
            self.assertEqual(card["public"], public.decode())
            self.assertEqual(card["key_id"], hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", input=public)).hexdigest())
            self.assertEqual((card["organisation"], card["place"], card["until"], card["online"]), ("Demo Motors", "safe 4", "2030-01-01T00:00:00Z", False))
            self.assertEqual(len(card["fingerprint"].split("-")), 12)

    def test_what_new_refuses(self):
        self.key("ada")
        self.refused("exists", "key", "new", "ada", "--holder", "Ada", "--offline", "--passphrase-file", self.passphrase)
        self.refused("malformed", "key", "new", "../ada", "--holder", "Ada", "--offline", "--passphrase-file", self.passphrase)
        self.refused("usage", "key", "new", "bo", "--holder", "Bo", "--offline", "--online", "--passphrase-file", self.passphrase, code=2)
        self.refused("usage", "key", "new", "bo", "--offline", "--passphrase-file", self.passphrase, code=2)
        self.refused("passphrase", "key", "new", "bo", "--holder", "Bo", "--offline", "--passphrase-file", self.write("empty", ""))
        self.refused("passphrase", "key", "new", "bo", "--holder", "Bo", "--offline")
        self.assertEqual([path.name for path in sorted((self.oem / "keys").iterdir())], ["ada.json", "ada.pem"])

    def test_the_public_half_travels(self):
        there = self.folder / "ada"
        made = self.key("ada", "-o", self.folder / "ada.json", folder=there)
        self.assertEqual(self.run_json("key", "import", self.folder / "ada.json")["key"], made)
        self.assertFalse((self.oem / "keys/ada.pem").exists())
        self.refused("exists", "key", "import", self.folder / "ada.json")
        self.assertIn("public half only", self.run_plain("key", "list").stdout)
        altered = json.loads((self.folder / "ada.json").read_text())
        altered.update(name="bo", key_id="0" * 64)
        self.refused("malformed", "key", "import", self.write("bo.json", json.dumps(altered)))
        altered.update(key_id=made["key_id"], title="Dr")
        self.refused("malformed", "key", "import", self.write("bo.json", json.dumps(altered)))

    def test_import_of_pem(self):
        private = self.folder / "bo.pem"
        openssl("genpkey", "-algorithm", "ed25519", "-out", private)
        words = ("key", "import", private, "--holder", "Bo", "--online", "--passphrase-file", self.passphrase)
        card = self.run_json(*words)["key"]
        self.assertEqual(card["public"].encode(), openssl("pkey", "-in", private, "-pubout"))
        self.assertIn("ENCRYPTED", (self.oem / "keys/bo.pem").read_text())
        self.refused("exists", *words, "--name", "again")
        public = self.write("cy.pub", openssl("pkey", "-pubout", input=openssl("genpkey", "-algorithm", "ed25519")).decode())
        self.assertEqual(self.run_json("key", "import", public, "--holder", "Cy", "--offline")["key"]["name"], "cy")
        self.refused("malformed", "key", "import", self.write("noise", "noise"), "--holder", "Di", "--offline")
        self.refused("not-found", "key", "import", self.folder / "none", "--holder", "Di", "--offline")

    def test_retire_keeps_the_public_half(self):
        made = self.key("ada")
        card = self.run_json("key", "retire", "ada", "--reason", "stolen", "--since", "2026-01-01T00:00:00Z")["key"]
        self.assertEqual((card["key_id"], card["reason"], card["since"]), (made["key_id"], "stolen", "2026-01-01T00:00:00Z"))
        self.assertEqual(self.run_json("key", "list")["keys"], [card])
        self.assertIn("not to be believed since 2026-01-01T00:00:00Z: stolen", self.run_plain("key", "list").stdout)
        self.assertEqual(self.run_json("key", "retire", "ada", "--reason", "later", "--since", "2026-02-01T00:00:00Z")["key"], card)
        self.refused("usage", "key", "retire", "ada", "--reason", "stolen", "--since", "2999-01-01T00:00:00Z", code=2)
        self.refused("not-found", "key", "retire", "bo", "--reason", "stolen")

    def test_key_service(self):
        public = self.write("hsm.pub", openssl("pkey", "-pubout", input=openssl("genpkey", "-algorithm", "ed25519")).decode())
        words = ("key", "import", "exec:/bin/false", "--name", "hsm", "--holder", "Key service", "--online")
        self.refused("usage", *words, code=2)
        self.assertEqual(self.run_json(*words, "--public", public)["key"]["where"], "exec:/bin/false")


class Tokens(Bench):
    def test_keys_are_made_on_a_token(self):
        self.make_tokens("ada-1", "bo-1")
        for algorithm in ("ed25519", "ecdsa-p256", "rsa-3072"):
            card = self.token_key(f"key-{algorithm}", "ada-1", algorithm=algorithm)
            self.assertEqual(card["token"], "ada-1")
            self.assertTrue(card["where"].startswith("pkcs11:"), card)
            self.assertNotIn("pin", card["where"])
            openssl("pkey", "-pubin", "-noout", input=card["public"].encode())
        self.assertEqual([path.suffix for path in (self.oem / "keys").iterdir()], [".json"] * 3)
        self.refused("exists", "key", "new", "key-ed25519", "--holder", "Ada", "--offline", "--token", "pkcs11:token=ada-1", "--passphrase-file", self.pin)

    def test_a_key_of_the_same_name_on_the_token(self):
        self.make_tokens("ada-1")
        self.token_key("one", "ada-1")
        (self.oem / "keys/one.json").unlink()
        self.refused("exists", "key", "new", "one", "--holder", "Ada", "--offline", "--token", "pkcs11:token=ada-1", "--passphrase-file", self.pin)

    def test_import_of_a_token_key(self):
        self.make_tokens("ada-1")
        made = [self.token_key(name, "ada-1") for name in ("one", "two")]
        words = ("--name", "again", "--holder", "Ada", "--offline", "--passphrase-file", self.pin)
        self.refused("identity", "key", "import", "pkcs11:token=ada-1", *words)
        self.refused("not-found", "key", "import", "pkcs11:token=ada-1;object=three", *words)
        self.refused("not-found", "key", "import", "pkcs11:token=ada-9;object=one", *words)
        self.refused("malformed", "key", "import", "pkcs11:token", *words)
        self.refused("exists", "key", "import", "pkcs11:token=ada-1;object=one", *words)
        for card in made:
            (self.oem / f"keys/{card['name']}.json").unlink()
        self.assertEqual(self.run_json("key", "import", f"pkcs11:token=ada-1;object=two?pin-source=file:{self.pin}", *words[:-2])["key"]["key_id"],
                         made[1]["key_id"])

    def test_tries_left(self):
        self.make_tokens("ada-1")
        self.pin.write_text("4321\n")
        said = self.refused("passphrase", "key", "new", "one", "--holder", "Ada", "--offline", "--token", "pkcs11:token=ada-1", "--passphrase-file", self.pin)
        self.assertRegex(said, "tr(y|ies) (is|are) left")
        self.assertNotIn("4321", said)


if __name__ == "__main__":
    unittest.main()
