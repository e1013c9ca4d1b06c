#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Authored metadata and reports, judged by securesystemslib and cryptography: test-author.py AUTHOR-TOOL"""

import base64
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from cryptography.hazmat.primitives import cmac, hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers import algorithms
from securesystemslib.signer import Signature, SSlibKey

from metadata import canonical, sha256

TOOL = sys.argv.pop(1)
ODD = "café \"quoted\" back\\slash\ttab\nline \x01"


def judge(key, keyid, signature, message):
    """Raises UnverifiedSignatureError where securesystemslib does not find the signature good."""
    SSlibKey(keyid, key["keytype"], key["scheme"], key["keyval"]).verify_signature(Signature(keyid, signature), message)


class Author(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.TemporaryDirectory()
        subprocess.run([TOOL, cls.top.name], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.top.cleanup()

    def load(self, name):
        return json.loads((Path(self.top.name) / name).read_bytes())

    def test_tuf(self):
        for name in ("tuf-root.json", "tuf-targets.json"):
            envelope = self.load(name)
            keys = self.load("tuf-root.json")["signed"]["keys"]
            self.assertEqual({k["keytype"] for k in keys.values()}, {"ed25519", "rsa", "ecdsa"})
            self.assertEqual(len(envelope["signatures"]), 3)
            for signature in envelope["signatures"]:
                key = keys[signature["keyid"]]
                self.assertEqual(signature["keyid"], sha256(canonical(key)))
                judge(key, signature["keyid"], signature["sig"], canonical(envelope["signed"]))
        signed = self.load("tuf-targets.json")["signed"]
        self.assertEqual((signed["_type"], signed["spec_version"][:4], signed["note"]), ("targets", "1.0.", ODD))
        self.assertEqual(signed["expires"], "2030-03-17T17:46:40Z")

    def test_uptane(self):
        keys = self.load("uptane-root.json")["signed"]["keys"]
        for name in ("uptane-root.json", "uptane-targets.json"):
            envelope = self.load(name)
            # form A: what aktualizr's server signs, JSON escapes and raw UTF-8
            message = json.dumps(envelope["signed"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            self.assertEqual(sorted(s["method"] for s in envelope["signatures"]), ["ed25519", "rsassa-pss-sha256"])
            for signature in envelope["signatures"]:
                self.verify_uptane(keys[signature["keyid"]], signature, message)
        self.assertEqual(self.load("uptane-targets.json")["signed"]["_type"], "Targets")

    def verify_uptane(self, key, signature, message):
        data = base64.b64decode(signature["sig"], validate=True)
        if key["keytype"] == "ED25519":
            self.assertEqual(len(data), 64)
            judge({"keytype": "ed25519", "scheme": "ed25519", "keyval": key["keyval"]}, signature["keyid"], data.hex(), message)
            return
        public = serialization.load_pem_public_key(key["keyval"]["public"].encode())
        public.verify(data, message, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), hashes.SHA256())
        spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.assertEqual(signature["keyid"], sha256(spki))

    def test_delegation(self):
        for dialect in ("tuf", "uptane"):
            delegations = self.load(f"{dialect}-targets.json")["signed"]["delegations"]
            role, = delegations["roles"]
            self.assertEqual((role["name"], role["paths"], role["threshold"], role["terminating"]), ("a", ["a/*"], 1, True))
            self.assertEqual(set(role["keyids"]), set(delegations["keys"]))

    def test_reports(self):
        for name, method in (("ed25519", "ed25519"), ("ecdsa", "ecdsa-p256")):
            envelope = self.load(f"report-{name}.json")
            key = serialization.load_pem_public_key((Path(self.top.name) / f"report-{name}.json.pem").read_bytes())
            entry, = envelope["signatures"]
            data, message = base64.b64decode(entry["sig"]), json.dumps(envelope["signed"], sort_keys=True,
                                                                       separators=(",", ":"), ensure_ascii=False).encode()
            key.verify(data, message, *([ec.ECDSA(hashes.SHA256())] if name == "ecdsa" else []))
            spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            self.assertEqual((entry["keyid"], entry["method"]), (sha256(spki), method))

    def test_mac(self):
        envelope = self.load("report-cmac.json")
        entry, = envelope["signatures"]
        made = cmac.CMAC(algorithms.AES(bytes.fromhex("2b7e1516") + bytes(12)))
        made.update(json.dumps(envelope["signed"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
        made.verify(base64.b64decode(entry["sig"]))
        self.assertEqual((entry["keyid"], entry["method"]), ("she:4:2", "aes-cmac"))


if __name__ == "__main__":
    unittest.main()
