# SPDX-License-Identifier: Apache-2.0
"""An OEM's folder with repositories whose keys are files: for tests of recall-oem."""

import hashlib
import json

from bench import Bench
from metadata import accepts, canonical

ROLES = {"root": 2, "targets": 1, "timestamp": 1, "snapshot": 1}
SIZES = {"root": 3, "targets": 1, "timestamp": 1, "snapshot": 1}
KINDS = ("director", "image", "service")


class Repositories(Bench):
    wmi = "9RB"

    def setUp(self):
        super().setUp()
        self.policy = self.write("policy", json.dumps({"rules": self.rules()}))
        self.run_json("oem", "init", "--name", "Demo Motors", "--wmi", self.wmi, "--policy", self.policy)
        self.draft = self.folder / "draft"

    @staticmethod
    def rules(director_days=1):
        """A small OEM's policy: fewer keys, other expiries."""
        return [{"kind": kind, "role": role, "threshold": 1, "keys": 1, "days": director_days if kind == "director" and role != "root" else 60,
                 "offline": role == "root"} for kind in KINDS for role in (*ROLES, "*")]

    def make(self, kind):
        """A repository with keys of its own, root 1 and the first targets published."""
        roles = []
        for role, threshold in ROLES.items():
            names = [f"{kind}-{role}-{n}" for n in range(SIZES[role])]
            for name in names:
                self.key(name, online=role in ("timestamp", "snapshot") or (kind == "director" and role == "targets"))
            roles += ["--role", f"{role}={threshold}:{','.join(names)}"]
        self.run_json("repo", "init", kind, *roles)
        self.publish(kind)

    def publish(self, kind, *signers):
        """Online keys, then enough of the offline keys by a draft."""
        said = self.run_json("repo", "publish", kind, "--passphrase-file", self.passphrase, "-o", self.draft)
        return self.finish(*signers) if said["draft"] else said["published"]

    def finish(self, *signers):
        for document in self.run_json("draft", "status", self.draft)["documents"]:
            names = [f"{document['kind']}-{document['role']}-{n}" for n in range(ROLES.get(document["role"], 0))]
            for name in names + list(signers):
                fingerprint = self.run_json("draft", "show", self.draft)["fingerprint"]
                self.run_json("draft", "sign", self.draft, "--key", name, "--passphrase-file", self.passphrase, "--confirm", fingerprint)
        return self.run_json("draft", "publish", self.draft, "--passphrase-file", self.passphrase)["published"]

    def add(self, path, content, *words, counter=1, hardware="brake-1", **keywords):
        file = self.folder / "image"
        file.write_bytes(content)
        return self.run_json("repo", "add", "image", path, file, "--hardware-id", hardware, "--release-counter", counter, *words, **keywords)

    def metadata(self, kind, name):
        return json.loads((self.oem / "repositories" / kind / name).read_text())

    def assert_signed(self, kind, name, role, folder=""):
        """A threshold of the root's keys, by securesystemslib."""
        root, envelope = self.metadata(kind, "root.json")["signed"], self.metadata(kind, folder + name)
        listed, message = root["roles"][role], canonical(envelope["signed"])
        good = {one["keyid"] for one in envelope["signatures"]
                if one["keyid"] in listed["keyids"] and accepts(root["keys"][one["keyid"]], one, message)}
        self.assertGreaterEqual(len(good), listed["threshold"], (kind, name))

    def assert_whole(self, kind, folder=""):
        """Every role signed; timestamp and snapshot list what is there."""
        for role in ("root", "timestamp", "snapshot", "targets"):
            self.assert_signed(kind, f"{role}.json", role, folder)
        for lists in ("timestamp", "snapshot"):
            for name, entry in self.metadata(kind, f"{folder}{lists}.json")["signed"]["meta"].items():
                data = (self.oem / "repositories" / kind / folder / name).read_bytes()
                self.assertEqual((entry["length"], entry["hashes"]["sha256"]), (len(data), hashlib.sha256(data).hexdigest()), name)

    def check(self, kind):
        said = self.run_plain("repo", "check", self.oem / "repositories" / kind, "--kind", kind, "--policy", self.policy, "--json")
        return [each for each in json.loads(said.stdout.splitlines()[-1])["findings"] if each["severity"] == "violation"]
