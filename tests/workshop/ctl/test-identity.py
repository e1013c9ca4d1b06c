#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl identity, with certificates by recall-oem and by openssl: test-identity.py BUILD"""

import json
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path()
PASSPHRASE = "correct horse"
PURPOSES = ("1.3.6.1.4.1.58270.77.2", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.58270.77.3", "1.3.6.1.4.1.58270.77.4", "1.3.6.1.4.1.58270.77.5")


def openssl(*words, **keywords):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True, timeout=60, **keywords).stdout


def blocks(path, title):
    return [f"-----BEGIN {title}{part.split('-----END')[0]}-----END {title}-----\n"
            for part in path.read_text().split(f"-----BEGIN {title}")[1:]]


class Identity(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="recallbay-identity-")
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.data, self.oem = self.root / "data", self.root / "oem"
        self.secret = self.root / "passphrase"
        self.secret.write_text(PASSPHRASE + "\n")
        self.file, self.certificates = self.root / "jo.pem", self.root / "jo.crt"

    def run_json(self, program, folder, *words, expect=0):
        done = subprocess.run([BUILD / "src" / program, "--json", "--data-dir", folder, *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def ctl(self, *words, **keywords):
        return self.run_json("recallctl", self.data, *words, **keywords)

    def new(self, kind="technician", name="Jo Weber", file=None, **keywords):
        return self.ctl("identity", "new", "--kind", kind, "--name", name, "-o", file or self.file, "--passphrase-file", self.secret, **keywords)

    def install(self, certificates=None, **keywords):
        return self.ctl("identity", "install", self.file, certificates or self.certificates, "--passphrase-file", self.secret, **keywords)

    def issue(self, kind="technician", csr=None):
        """By the OEM's own office."""
        if not self.oem.exists():
            self.run_json("recall-oem", self.oem, "oem", "init", "--name", "Example Motors", "--wmi", "9RB")
            self.run_json("recall-oem", self.oem, "pki", "ca", "new", "--passphrase-file", self.secret)
        self.run_json("recall-oem", self.oem, "pki", "issue", "--kind", kind, csr or f"{self.file}.csr", "--dealer", "Riverside Garage",
                      "--dealer-code", "US-20417", "--country", "US", "-o", self.certificates, "--passphrase-file", self.secret)

    def refused(self, word, verdict):
        self.assertFalse(verdict["ok"])
        self.assertEqual(verdict["reason"], word, verdict)

    def test_technician(self):
        verdict = self.new()
        self.assertEqual(verdict["request"], f"{self.file}.csr")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        key, = blocks(self.file, "ENCRYPTED PRIVATE KEY")
        public = openssl("pkey", "-passin", f"pass:{PASSPHRASE}", "-pubout", input=key.encode())
        request = openssl("req", "-in", f"{self.file}.csr", "-verify", "-noout", "-pubkey", "-text")
        self.assertRegex(request, b"CN ?= ?Jo Weber")  # OpenSSL 3.5 writes no spaces
        self.assertIn(b"1.3.6.1.4.1.58270.77.1", request)
        self.assertIn(public, request)
        self.assertEqual(self.ctl("identity", "list")["identities"], [{"file": str(self.file), "purposes": [], "state": "no-certificate"}])
        self.issue()
        self.install()
        self.assertEqual(blocks(self.file, "ENCRYPTED PRIVATE KEY"), [key])
        row, = self.ctl("identity", "list")["identities"]
        self.assertEqual((row["purposes"], row["state"]), (["technician"], "valid"))
        self.assertRegex(row["name"], "^T-[0-9A-Z]{10}$")
        openssl("verify", "-CAfile", self.oem / "pki/dealer.pem", self.file)

    def test_workstation(self):
        self.new("workstation", "bay 3")
        keys = blocks(self.file, "ENCRYPTED PRIVATE KEY")
        requests = blocks(Path(f"{self.file}.csr"), "CERTIFICATE REQUEST")
        self.assertEqual((len(keys), len(requests)), (5, 5))
        for key, request, purpose in zip(keys, requests, PURPOSES):
            text = openssl("req", "-verify", "-noout", "-pubkey", "-text", "-nameopt", "oneline", input=request.encode()).decode()
            self.assertIn(openssl("pkey", "-passin", f"pass:{PASSPHRASE}", "-pubout", input=key.encode()).decode(), text)
            self.assertTrue(purpose in text or purpose == PURPOSES[1] and "TLS Web Client Authentication" in text, text)
        self.issue("workstation")
        row = self.install()["identity"]
        self.assertEqual(row["purposes"], ["workstation", "tls", "vehicle-link", "ecu-authentication", "key-agreement"])

    def test_recover_reads_it(self):
        """It is judged as every signer is: of an OEM that the campaign does not know, before anything is written."""
        demo = self.root / "demo"
        subprocess.run([BUILD / "src/recall-oem", "demo", demo], capture_output=True, timeout=120, check=True)
        self.new()
        self.issue()
        self.install()
        self.ctl("trust", "add", demo / "service-root.json", "--name", "OEM")
        self.ctl("bundle", "import", demo / "campaign.recall")
        common = self.root / "both"
        common.write_text(PASSPHRASE + "\n")
        workstation = self.root / "bay.pem"
        self.new("workstation", "bay 3", file=workstation)
        self.issue("workstation", csr=f"{workstation}.csr")
        self.ctl("identity", "install", workstation, self.certificates, "--passphrase-file", self.secret)
        verdict = self.ctl("recover", "--campaign", (demo / "campaign.txt").read_text().strip(), "--link", "doip://127.0.0.1:9",
                           "--answers", demo / "answers.json", "--identity", self.file, "--workstation", workstation,
                           "--passphrase-file", common, "--link-timeout", 0, expect=1)
        self.refused("signer-not-trusted", verdict)

    def test_nothing_is_written_over(self):
        for there in (self.file, Path(f"{self.file}.csr")):
            there.write_text("mine")
            self.refused("exists", self.new(expect=1))
            self.assertEqual(there.read_text(), "mine")
            there.unlink()
        self.assertEqual([path.name for path in self.root.iterdir() if path.name.startswith("jo")], [])

    def test_no_key_without_a_passphrase(self):
        self.secret.write_text("\n")
        self.refused("passphrase", self.new(expect=1))
        self.refused("passphrase", self.ctl("identity", "new", "--kind", "technician", "--name", "Jo", "-o", self.file, expect=1))
        self.assertFalse(self.file.exists())

    def test_a_name_that_no_certificate_can_bear(self):
        for name in ("", "x" * 65):
            self.refused("malformed", self.new(name=name, expect=1))
        self.new(name="ü" * 64)

    def test_kinds(self):
        self.refused("usage", self.new(kind="auditor", expect=2))

    def test_certificates_of_another_key(self):
        self.new(file=self.root / "ann.pem")
        self.new()
        self.issue(csr=self.root / "ann.pem.csr")
        before = self.file.read_text()
        self.refused("identity", self.install(expect=1))
        self.assertEqual(self.file.read_text(), before)

    def test_four_certificates_for_five_keys(self):
        self.new("workstation", "bay 3")
        self.issue("workstation")
        every = blocks(self.certificates, "CERTIFICATE")
        self.certificates.write_text("".join(every[:4] + every[5:]))
        self.refused("identity", self.install(expect=1))

    def test_without_the_ca(self):
        self.new()
        self.issue()
        self.certificates.write_text(blocks(self.certificates, "CERTIFICATE")[0])
        self.refused("certificate", self.install(expect=1))

    def own_ca(self, *more):
        """Certificates as another authority makes them."""
        self.new()
        ca, key = self.root / "ca.pem", self.root / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=CA", "-days", 2, "-addext", "keyUsage=critical,keyCertSign",
                "-keyout", key, "-out", ca)
        usage = self.root / "usage"
        usage.write_text("\n".join(more))
        own = openssl("x509", "-req", "-in", f"{self.file}.csr", "-CA", ca, "-CAkey", key, "-days", 1, "-extfile", usage)
        self.certificates.write_bytes(own + ca.read_bytes())

    def test_another_authority(self):
        self.own_ca("extendedKeyUsage=1.3.6.1.4.1.58270.77.1")
        self.install()

    def test_a_certificate_for_nothing_of_ours(self):
        for usage in ("extendedKeyUsage=emailProtection", "basicConstraints=CA:FALSE"):
            self.own_ca(usage)
            self.refused("key-usage", self.install(expect=1))
            self.file.unlink()
            Path(f"{self.file}.csr").unlink()

    def test_altered_certificate(self):
        self.own_ca("extendedKeyUsage=1.3.6.1.4.1.58270.77.1")
        other = self.root / "other.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=CA", "-days", 2, "-keyout", self.root / "o.key",
                "-out", other)
        self.certificates.write_text(blocks(self.certificates, "CERTIFICATE")[0] + other.read_text())
        self.refused("certificate", self.install(expect=1))

    def test_wrong_passphrase(self):
        self.new()
        self.issue()
        self.secret.write_text("another\n")
        self.refused("passphrase", self.install(expect=1))

    def test_renewal(self):
        """The keys stay, the certificates are others."""
        self.own_ca("extendedKeyUsage=1.3.6.1.4.1.58270.77.1")
        self.install()
        first = blocks(self.file, "CERTIFICATE")
        self.issue()
        self.install()
        self.assertFalse(set(first) & set(blocks(self.file, "CERTIFICATE")))
        self.assertEqual(len(self.ctl("identity", "list")["identities"]), 1)

    def test_list_tells_what_is_gone(self):
        self.new()
        self.file.unlink()
        self.assertEqual(self.ctl("identity", "list")["identities"][0]["state"], "not-found")

    def test_a_list_that_is_not_one(self):
        self.data.mkdir()
        for text in ("{}", '{"format":"recallbay-identities-1","files":[1]}', '{"format":"recallbay-identities-1","files":{}}'):
            (self.data / "identities.json").write_text(text)
            self.assertEqual(self.ctl("identity", "list", expect=1)["ok"], False, text)


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1))
    unittest.main()
