# SPDX-License-Identifier: Apache-2.0
"""An OEM's folder, keys and tokens for tests of recall-oem."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

PASSPHRASE, PIN = "a passphrase", "1234"


class Bench(unittest.TestCase):
    program = ""  # recall-oem

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.oem = self.folder / "oem"
        self.passphrase = self.write("passphrase", PASSPHRASE + "\n")
        self.pin = self.write("pin", PIN + "\n")
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def run_plain(self, *words, folder=None, wrapper=(), text=""):
        return subprocess.run([*wrapper, self.program, "--data-dir", folder or self.oem, *map(str, words)], input=text, capture_output=True, text=True,
                              env=self.environment, timeout=120, check=False)

    def run_json(self, *words, code=0, **keywords):
        """The last line; exit code asserted."""
        done = self.run_plain(*words, "--json", **keywords)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def refused(self, reason, *words, code=1, **keywords):
        """Its message."""
        said = self.run_json(*words, code=code, **keywords)
        self.assertEqual((said["ok"], said["reason"]), (False, reason), said)
        return said["message"]

    def init(self):
        self.run_json("oem", "init", "--name", "Demo Motors", "--wmi", "9RB")

    def key(self, name, *words, holder=None, online=False, folder=None):
        return self.run_json("key", "new", name, "--holder", holder or f"Holder of {name}", "--online" if online else "--offline",
                             "--passphrase-file", self.passphrase, *words, folder=folder)["key"]

    def make_tokens(self, *labels):
        """SoftHSM tokens in a folder of their own."""
        tokens = self.folder / "tokens"
        tokens.mkdir()
        self.environment["SOFTHSM2_CONF"] = str(self.write("softhsm.conf", f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"))
        for label in labels:
            subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "9999", "--pin", PIN], env=self.environment,
                           capture_output=True, check=True)

    def token_key(self, name, token, *words, holder=None, pin=None, algorithm="ed25519"):
        return self.run_json("key", "new", name, "--holder", holder or f"Holder of {token}", "--offline", "--token", f"pkcs11:token={token}",
                             "--passphrase-file", pin or self.pin, "--algorithm", algorithm, *words)["key"]
