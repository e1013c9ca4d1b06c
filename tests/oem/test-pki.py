# SPDX-License-Identifier: Apache-2.0
"""recall-oem pki, with requests and checks by openssl: test-pki.py RECALL-OEM SCHEMAS"""

import base64
import hashlib
import json
import subprocess
import sys
import unittest
from pathlib import Path

import jsonschema
from bench import PASSPHRASE, Bench

Bench.program = sys.argv.pop(1)
SCHEMAS = Path(sys.argv.pop(1))
VIN = "9RBTEST0000000001"
PURPOSES = ("1.3.6.1.4.1.58270.77.2", "clientAuth", "1.3.6.1.4.1.58270.77.3", "1.3.6.1.4.1.58270.77.4", "1.3.6.1.4.1.58270.77.5")


def openssl(*words, **keywords):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True, **keywords).stdout


class Pki(Bench):
    def setUp(self):
        super().setUp()
        self.init()
        self.secret = ("--passphrase-file", self.passphrase)

    def request(self, name, usage=None):
        """A signing request whose key stays here."""
        key, csr = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", csr, *(["-addext", f"extendedKeyUsage={usage}"] if usage else []))
        return csr

    def issue(self, kind, csr, *words, **keywords):
        return self.run_json("pki", "issue", "--kind", kind, csr, "-o", self.folder / "issued.pem", *self.secret, *words, **keywords)

    def certificates(self):
        parts = (self.folder / "issued.pem").read_text().split("-----BEGIN")[1:]
        return [("-----BEGIN" + part).encode() for part in parts]

    def verify(self, certificate, ca):
        self.assertIn(b"OK", openssl("verify", "-CAfile", self.oem / f"pki/{ca}.pem", self.write("one.pem", certificate.decode())))

    def test_technician(self):
        self.run_json("pki", "ca", "new", *self.secret)
        self.assertIn("ENCRYPTED", (self.oem / "pki/dealer.key.pem").read_text())
        csr = self.request("Jo Weber")
        line = self.issue("technician", csr, "--dealer", "Riverside Garage", "--dealer-code", "US-20417", "--country", "US")["issued"][0]
        own, ca = self.certificates()
        self.verify(own, "dealer")
        text = openssl("x509", "-noout", "-text", "-subject", "-nameopt", "RFC2253", input=own).decode()
        self.assertRegex(text, "subject=CN=T-[0-9A-Z]{10},OU=US-20417,O=Riverside Garage,C=US")
        self.assertIn("1.3.6.1.4.1.58270.77.1", text)
        self.assertNotIn("Weber", text)
        self.assertEqual(line["holder"], "Jo Weber")
        self.assertEqual(openssl("x509", "-noout", "-serial", input=own).decode().strip().lower(), f"serial={line['serial']}")
        self.assertEqual(openssl("x509", "-noout", "-pubkey", input=own), openssl("req", "-noout", "-pubkey", "-in", csr))
        self.assertEqual(ca.decode(), (self.oem / "pki/dealer.pem").read_text())
        self.assertEqual(self.issue("technician", csr, code=1)["reason"], "exists")

    def test_workstation(self):
        self.run_json("pki", "ca", "new", *self.secret)
        csrs = "".join(self.request(f"Workstation {n}", usage).read_text() for n, usage in enumerate(PURPOSES))
        self.assertEqual(len(self.issue("workstation", self.write("all.csr", csrs))["issued"]), 5)
        for certificate, name in zip(self.certificates(), ("77.2", "Client", "77.3", "77.4", "77.5")):
            self.verify(certificate, "dealer")
            self.assertIn(name, openssl("x509", "-noout", "-ext", "extendedKeyUsage", input=certificate).decode())
        self.assertEqual(self.issue("workstation", self.request("plain"), code=1)["reason"], "key-usage")
        self.assertEqual(self.issue("technician", self.request("other", PURPOSES[0]), code=1)["reason"], "key-usage")

    def test_vehicle(self):
        self.run_json("pki", "ca", "new", "--name", "vehicle", *self.secret)
        self.issue("vehicle", self.request(VIN), "--ca", "vehicle")
        self.verify(self.certificates()[0], "vehicle")
        self.assertEqual(self.issue("vehicle", self.request("car"), "--ca", "vehicle", code=1)["reason"], "vin-invalid")

    def test_what_is_refused(self):
        self.assertEqual(self.issue("technician", self.request("a"), code=1)["reason"], "not-found")
        self.run_json("pki", "ca", "new", *self.secret)
        self.refused("exists", "pki", "ca", "new", *self.secret)
        self.refused("malformed", "pki", "ca", "new", "--name", "../x", *self.secret)
        self.refused("usage", "pki", "ca", "old", *self.secret, code=2)
        self.refused("passphrase", "pki", "issue", "--kind", "technician", self.request("b"), "-o", self.folder / "none", "--passphrase-file", self.write("w", "w"))
        text = self.request("c").read_text().splitlines()
        text[2] = text[2][::-1]
        self.assertIn(self.issue("technician", self.write("bad.csr", "\n".join(text)), code=1)["reason"], ("malformed", "bad-signature"))
        self.assertFalse((self.folder / "none").exists())

    def test_import(self):
        key, certificate = self.folder / "ca.key", self.folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=Independent", "-days", "30")
        words = ("pki", "ca", "import", "--name", "independent", "--certificate", certificate, *self.secret)
        self.refused("usage", *words, code=2)
        other = self.folder / "other.key"
        openssl("genpkey", "-algorithm", "ed25519", "-out", other)
        self.refused("identity", *words, "--key", other)
        self.run_json(*words, "--key", key)
        self.assertNotIn(PASSPHRASE, (self.oem / "pki/independent.key.pem").read_text())
        self.issue("technician", self.request("d"), "--ca", "independent")
        self.verify(self.certificates()[0], "independent")

    def service(self):
        names = {"root": [f"r{n}" for n in range(8)], "targets": [f"t{n}" for n in range(5)], "timestamp": ["ts1", "ts2"], "snapshot": ["sn1", "sn2"]}
        for role, each in names.items():
            for name in each:
                self.key(name, online=role in ("timestamp", "snapshot"))
        threshold = {"root": 5, "targets": 3}
        self.run_json("repo", "init", "service", *sum((["--role", f"{role}={threshold.get(role, 1)}:{','.join(each)}"] for role, each in names.items()), []))

    def test_revocation_and_trust_list(self):
        self.service()
        self.run_json("pki", "ca", "new", *self.secret)
        self.run_json("pki", "ca", "new", "--name", "vehicle", *self.secret)
        serial = self.issue("technician", self.request("Jo Weber"))["issued"][0]["serial"]
        self.refused("not-found", "pki", "revoke", "00", "--since", "2026-01-01T00:00:00Z", "--reason", "superseded")
        self.refused("usage", "pki", "revoke", serial, "--since", "2026-01-01T00:00:00Z", "--reason", "lost", code=2)
        self.refused("usage", "pki", "revoke", serial, "--since", "2999-01-01T00:00:00Z", "--reason", "superseded", code=2)
        self.assertEqual(self.run_json("pki", "trust-list")["trust_list"]["revoked"], [])
        self.run_json("pki", "revoke", serial.upper(), "--since", "2026-01-01T00:00:00Z", "--reason", "key-compromise")
        made = self.run_json("pki", "trust-list", "--min-version", "0.2.0")["trust_list"]
        jsonschema.validate(made, json.loads((SCHEMAS / "trust-list.json").read_text()))
        ca = openssl("x509", "-in", self.oem / "pki/dealer.pem", "-outform", "DER")
        spki = openssl("pkey", "-pubin", "-outform", "DER", input=openssl("x509", "-in", self.oem / "pki/dealer.pem", "-noout", "-pubkey"))
        self.assertEqual([base64.b64decode(one) for one in made["dealer_cas"]], [ca])
        self.assertEqual(made["revoked"], [{"reason": "key-compromise", "since": "2026-01-01T00:00:00Z",
                                            "sha256": hashlib.sha256(spki + bytes.fromhex(serial)).hexdigest()}])
        self.assertEqual((made["version"], made["oem"], made["wmis"], made["minimum_version"]), (2, "Demo Motors", ["9RB"], "0.2.0"))
        self.refused("usage", "pki", "trust-list", "--expires", "2999-01-01T00:00:00Z", code=2)
        draft = self.run_json("repo", "publish", "service", *self.secret)["draft"]
        changes = self.run_json("draft", "show", draft)["documents"][1]["changes"]
        self.assertTrue(any(line.startswith("trust/trust-list.json appears") for line in changes), changes)


if __name__ == "__main__":
    unittest.main()
