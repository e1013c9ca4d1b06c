# SPDX-License-Identifier: Apache-2.0
"""Repositories that recall-oem writes, as clients see them: test-repositories.py RECALL-OEM RECALLCTL"""

import hashlib
import json
import signal
import subprocess
import sys
import unittest

from bench import Bench
from repositories import Repositories

Bench.program = sys.argv.pop(1)
RECALLCTL = sys.argv.pop(1)
VIN = "9RBTEST0000000001"
class Authoring(Repositories):
    def test_a_vehicle_takes_what_is_published(self):
        self.make("image")
        self.make("director")
        self.add("oem/brake-2.bin", b"brake 2", counter=2)
        self.publish("image")
        self.assertEqual((self.oem / "repositories/image/targets/oem/brake-2.bin").read_bytes(), b"brake 2")
        self.run_json("repo", "direct", VIN, "B-1=oem/brake-2.bin")
        self.assertEqual(self.publish("director"), [f"vins/{VIN}/targets 1", f"vins/{VIN}/snapshot 1", f"vins/{VIN}/timestamp 1"])
        self.assert_whole("image")
        self.assert_whole("director", f"vins/{VIN}/")
        self.assertEqual((self.check("image"), self.check("director")), ([], []))
        self.verify()
        (self.oem / "repositories/image/targets/oem/brake-2.bin").write_bytes(b"brake 9")
        self.verify(code=1)

    def verify(self, code=0):
        roots = {kind: self.oem / f"repositories/{kind}/1.root.json" for kind in ("director", "image")}
        done = subprocess.run([RECALLCTL, "uptane", "verify", "--director", self.oem / "repositories/director/vins" / VIN, "--image",
                               self.oem / "repositories/image", "--director-root", roots["director"], "--image-root", roots["image"], "--state",
                               self.folder / "state", "--vin", VIN, "--primary", "B-1:brake-1", "--json"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)

    def test_service(self):
        self.make("service")
        file = self.write("campaign.json", "{}")
        self.run_json("repo", "add", "service", "campaigns/R-1.json", file)
        self.assertEqual(self.publish("service")["service"][0], "targets 2")
        self.assert_whole("service")
        self.assertEqual(self.metadata("service", "root.json")["signed"]["_type"], "root")
        self.run_json("repo", "remove", "service", "campaigns/R-1.json")
        self.publish("service")
        self.assertEqual(self.metadata("service", "targets.json")["signed"]["targets"], {})
        self.assertFalse((self.oem / "repositories/service/targets/campaigns/R-1.json").exists())

    def test_versions_are_never_used_twice(self):
        self.make("image")
        self.add("oem/a.bin", b"a")
        said = self.run_json("repo", "publish", "image", "--passphrase-file", self.passphrase, "-o", self.folder / "lost")
        self.assertEqual(said["published"], [])
        before = self.metadata("image", "targets.json")
        self.add("oem/b.bin", b"b")
        self.publish("image")
        after = self.metadata("image", "targets.json")
        self.assertEqual((before["signed"]["version"], after["signed"]["version"]), (1, 3))
        self.assertEqual(self.run_json("draft", "publish", self.folder / "lost", "--passphrase-file", self.passphrase, code=1)["reason"], "draft-mismatch")

    def test_what_add_refuses(self):
        self.make("image")
        self.add("oem/a.bin", b"a", counter=5)
        file = self.write("file", "a")
        words = ("--hardware-id", "brake-1", "--release-counter", "6")
        self.refused("release-counter", "repo", "add", "image", "oem/a.bin", file, "--hardware-id", "brake-1", "--release-counter", 4)
        self.refused("path", "repo", "add", "image", "../a.bin", file, *words)
        self.refused("path", "repo", "add", "image", "/a.bin", file, *words)
        self.refused("not-found", "repo", "add", "image", "oem/b.bin", self.folder / "none", *words)
        self.refused("not-found", "repo", "add", "image", "oem/b.bin", file, *words, "--role", "none")
        self.refused("usage", "repo", "add", "image", "oem/b.bin", file, code=2)
        self.refused("not-found", "repo", "add", "director", "oem/b.bin", file, *words)
        self.refused("not-found", "repo", "remove", "image", "oem/b.bin")

    def test_what_direct_refuses(self):
        self.make("image")
        self.make("director")
        self.add("oem/a.bin", b"a")
        self.add("oem/b.bin", b"b", "--hardware-id", "brake-2")
        self.refused("vin-invalid", "repo", "direct", VIN.lower(), "B-1=oem/a.bin")
        self.refused("ecu-repeated", "repo", "direct", VIN, "B-1=oem/a.bin", "B-1:brake-1=oem/b.bin")
        self.refused("hardware-mismatch", "repo", "direct", VIN, "B-1:seat-1=oem/a.bin")
        self.refused("hardware-mismatch", "repo", "direct", VIN, "B-1=oem/b.bin")
        self.refused("not-found", "repo", "direct", VIN, "B-1=oem/c.bin")
        self.refused("usage", "repo", "direct", VIN, "B-1", code=2)
        self.run_json("repo", "direct", VIN, "B-1=oem/a.bin", "B-2=oem/a.bin", "B-3:brake-2=oem/b.bin")


class Delegations(Repositories):
    def suppliers(self):
        self.make("image")
        for name in ("s1", "s2", "s3", "s4"):
            self.key(name)
        self.run_json("delegation", "add", "supplier-a", "--role", "1:s1,s2", "--paths", "a/*", "--hardware-id", "brake-1")
        self.add("a/one.bin", b"one", "--role", "supplier-a")
        self.publish("image", "s1")
        self.assert_whole("image")

    def test_add(self):
        self.suppliers()
        delegated = self.metadata("image", "supplier-a.json")["signed"]
        self.assertEqual(list(delegated["targets"]), ["a/one.bin"])
        self.assertEqual(self.check("image"), [])
        self.refused("path", "repo", "add", "image", "b/one.bin", self.write("file", ""), "--hardware-id", "brake-1", "--release-counter", 1, "--role", "supplier-a")
        self.refused("exists", "repo", "add", "image", "a/one.bin", self.write("file", ""), "--hardware-id", "brake-1", "--release-counter", 1)
        self.refused("exists", "delegation", "add", "supplier-a", "--role", "1:s3,s4", "--paths", "a/*")
        self.refused("policy", "delegation", "add", "supplier-b", "--role", "1:s1,s3", "--paths", "b/*")
        self.refused("usage", "delegation", "add", "snapshot", "--role", "1:s3,s4", "--paths", "b/*", code=2)
        self.refused("usage", "delegation", "add", "supplier-b", "--role", "1:s3,s4", code=2)

    def test_s24_replace_and_revoke(self):
        """Timestamp and snapshot keys change in the same root."""
        self.suppliers()
        before = self.metadata("image", "root.json")["signed"]
        self.run_json("delegation", "replace", "supplier-a", "--role", "1:s3,s4", "--passphrase-file", self.passphrase, "-o", self.draft)
        documents = self.run_json("draft", "show", self.draft)["documents"]
        self.assertEqual([one["role"] for one in documents], ["root", "targets", "supplier-a"])
        self.assertTrue(any(line.startswith("delegation supplier-a: Holder of s1 ") and line.endswith("leaves.") for line in documents[1]["changes"]))
        self.finish_replacement("s3")
        after = self.metadata("image", "root.json")["signed"]
        for role in ("timestamp", "snapshot"):
            self.assertFalse(set(before["roles"][role]["keyids"]) & set(after["roles"][role]["keyids"]))
        self.assert_whole("image")
        self.assertEqual(self.check("image"), [])
        self.run_json("delegation", "revoke", "supplier-a", "--passphrase-file", self.passphrase, "-o", self.draft)
        self.finish()
        self.assertFalse((self.oem / "repositories/image/supplier-a.json").exists())
        self.assertFalse((self.oem / "repositories/image/targets/a/one.bin").exists())
        self.assert_whole("image")
        self.assertEqual(self.check("image"), [])
        self.refused("not-found", "delegation", "revoke", "supplier-a", "--passphrase-file", self.passphrase, "-o", self.draft)

    def finish_replacement(self, signer):
        said = self.run_json("draft", "sign", self.draft, "--key", "s1", "--passphrase-file", self.passphrase, "--confirm",
                             self.run_json("draft", "show", self.draft)["fingerprint"], code=1)
        self.assertEqual(said["reason"], "draft-signer")
        self.finish(signer)


class Refresh(Repositories):
    def allow(self, days):
        config = json.loads((self.oem / "oem.json").read_text())
        (self.oem / "oem.json").write_text(json.dumps({**config, "policy": {"rules": self.rules(days)}}))

    def test_s02_only_what_is_due(self):
        self.make("image")
        self.make("director")
        self.add("oem/a.bin", b"a")
        self.run_json("repo", "direct", VIN, "B-1=oem/a.bin")
        self.publish("director")
        words = ("repo", "refresh", "director", "--passphrase-file", self.passphrase)
        before = self.metadata("director", f"vins/{VIN}/timestamp.json")
        self.run_json(*words)
        self.assertEqual(self.metadata("director", f"vins/{VIN}/timestamp.json"), before)
        self.allow(30)
        self.run_json(*words)
        after = self.metadata("director", f"vins/{VIN}/timestamp.json")
        self.assertEqual(after["signed"]["version"], before["signed"]["version"] + 1)
        self.assert_whole("director", f"vins/{VIN}/")
        self.allow(300)
        self.refused("passphrase", "repo", "refresh", "director", "--passphrase-file", self.write("wrong", "wrong"))
        self.refused("usage", "repo", "refresh", "car", code=2)

    def test_every(self):
        self.make("director")
        child = subprocess.Popen([self.program, "--data-dir", self.oem, "repo", "refresh", "--every", "3600", "--passphrase-file", self.passphrase, "--json"],
                                 stdout=subprocess.PIPE, text=True)
        self.assertEqual(json.loads(child.stdout.readline())["event"], "refresh")
        child.send_signal(signal.SIGTERM)
        self.assertTrue(json.loads(child.stdout.readline())["ok"])
        self.assertEqual(child.wait(60), 0)
        child.stdout.close()


if __name__ == "__main__":
    unittest.main()
