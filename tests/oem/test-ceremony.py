# SPDX-License-Identifier: Apache-2.0
"""The threshold ceremony of recall-oem, as its holders do it: test-ceremony.py RECALL-OEM"""

import base64
import json
import os
import subprocess
import sys
import unittest

from bench import Bench
from metadata import accepts, canonical

Bench.program = sys.argv.pop(1)
ROOTS = [f"r{n}" for n in range(1, 9)]
ALONE = """mount -t tmpfs none "$1" && mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" && shift 2 && exec "$@" """


def good_signers(envelope, role_keys):
    """Public keys of the signatures that securesystemslib accepts."""
    message = canonical(envelope["signed"])
    return {role_keys[entry["keyid"]]["keyval"]["public"] for entry in envelope["signatures"] if accepts(role_keys[entry["keyid"]], entry, message)}


class Ceremony(Bench):
    def setUp(self):
        super().setUp()
        self.init()
        self.draft = self.folder / "draft"

    def online(self):
        for name in ("ts1", "ts2", "sn1", "sn2"):
            self.key(name, online=True)
        for name in ("t1", "t2", "t3", "t4"):
            self.key(name)

    def roles(self, roots=",".join(ROOTS), threshold=5):
        return ("--role", f"root={threshold}:{roots}", "--role", "targets=3:t1,t2,t3,t4", "--role", "timestamp=1:ts1,ts2", "--role", "snapshot=1:sn1,sn2")

    def publish(self, *words, **keywords):
        return self.run_json("repo", "publish", "image", "--passphrase-file", self.passphrase, *words, **keywords)

    def fingerprint(self, draft=None):
        return self.run_json("draft", "show", draft or self.draft)["fingerprint"]

    def sign(self, name, draft=None, **keywords):
        return self.run_json("draft", "sign", draft or self.draft, "--key", name, "--passphrase-file", self.passphrase, "--confirm",
                             self.fingerprint(draft), **keywords)

    def install(self, code=0):
        return self.run_json("draft", "publish", self.draft, "--passphrase-file", self.passphrase, code=code)

    def metadata(self, name):
        return json.loads((self.oem / "repositories/image" / name).read_text())

    def first_root(self):
        """Eight holders with file keys, root 1 published."""
        for name in ROOTS:
            self.key(name)
        self.online()
        self.run_json("repo", "init", "image", *self.roles())
        self.publish("-o", self.draft)
        for name in ("r1", "r2", "r3", "r4", "r5", "t1", "t2", "t3"):
            self.sign(name)
        self.install()

    def counts(self, document=0):
        status = self.run_json("draft", "status", self.draft)["documents"][document]
        return {one["side"]: (one["have"], one["threshold"], len(one["missing"])) for one in status["thresholds"]}


class Tokens(Ceremony):
    def alone(self, name, token, draft, output, **keywords):
        """One holder, without network, without the OEM's folder, the draft on a medium that cannot be written."""
        wrapper = ("unshare", "--map-root-user", "--net", "--mount", "sh", "-c", ALONE, "sh", str(self.oem), str(draft.parent))
        return self.run_json("draft", "sign", draft, "--key", f"pkcs11:token={token};object={name}", "--passphrase-file", self.pin, "-o", output,
                             "--confirm", self.fingerprint(draft), wrapper=wrapper, **keywords)

    def test_s05_eight_people(self):
        self.make_tokens(*(f"{side}-{name}" for side in ("old", "new") for name in ROOTS))
        for name in ROOTS:
            self.token_key(name, f"old-{name}")
        self.online()
        self.run_json("repo", "init", "image", *self.roles())
        stick = self.folder / "stick"
        stick.mkdir()
        sent = stick / "draft"
        self.publish("-o", sent)
        for name in ("t1", "t2", "t3"):
            self.sign(name, sent)
        copies = [self.folder / f"copy-{name}" for name in ROOTS]
        for name, copy in zip(ROOTS, copies):
            said = self.alone(name, f"old-{name}", sent, copy)
            self.assertIn(f"old-{name}", said["message"])
        self.draft.write_bytes(sent.read_bytes())
        self.run_json("draft", "merge", self.draft, *copies[:4])
        said = self.install(code=1)
        self.assertEqual(said["reason"], "threshold-unmet")
        self.assertFalse((self.oem / "repositories/image").exists())
        self.run_json("draft", "merge", self.draft, copies[4])
        self.install()
        root = self.metadata("1.root.json")
        self.assertEqual(len(good_signers(root, root["signed"]["keys"])), 5)
        self.replace_all(stick)

    def replace_all(self, stick):
        """All eight leave at once: five of the old and five of the new must sign."""
        new = [f"n{name}" for name in ROOTS]
        for name in ROOTS:
            self.token_key(f"n{name}", f"new-{name}", holder=f"New holder of {name}")
        sent = stick / "next"
        said = self.run_json("root", "draft", "image", "--role", "root=5:" + ",".join(new), "-o", sent)
        changes = self.run_json("draft", "show", sent)["documents"][0]["changes"]
        self.assertEqual(len([line for line in changes if line.startswith("root: ") and line.endswith("leaves.")]), 8)
        self.assertEqual(len([line for line in changes if line.startswith("root: ") and line.endswith("comes.")]), 8)
        self.assertEqual(len(said["documents"][0]["thresholds"]), 2)
        self.draft.write_bytes(sent.read_bytes())
        for name in new[:5]:
            self.sign_copy(name, name[1:], "new", sent)
        for name in ROOTS[:4]:
            self.sign_copy(name, name, "old", sent)
        self.assertEqual({side: count[0] for side, count in self.counts().items()}, {"new": 5, "old": 4})
        self.assertEqual(self.install(code=1)["reason"], "threshold-unmet")
        self.sign_copy(ROOTS[4], ROOTS[4], "old", sent)
        self.install()
        before, after = self.metadata("1.root.json"), self.metadata("root.json")
        self.assertEqual(after, self.metadata("2.root.json"))
        self.assertEqual([len(good_signers({"signed": after["signed"], "signatures": [one for one in after["signatures"] if one["keyid"] in root["signed"]["keys"]]},
                                           root["signed"]["keys"]))
                          for root in (before, after)], [5, 5])
        self.assertEqual(self.run_json("repo", "check", self.oem / "repositories/image")["violations"], 0)

    def sign_copy(self, name, token, side, sent):
        copy = self.folder / f"signed-{name}"
        self.alone(name, f"{side}-{token}", sent, copy)
        self.run_json("draft", "merge", self.draft, copy)

    def test_a_wrong_token(self):
        self.make_tokens("one", "other")
        self.token_key("r1", "one")
        self.token_key("o1", "other")
        for name in ROOTS[1:]:
            self.key(name)
        self.online()
        self.run_json("repo", "init", "image", *self.roles())
        self.publish("-o", self.draft)
        before = self.draft.read_bytes()
        self.refused("draft-signer", "draft", "sign", self.draft, "--key", "pkcs11:token=other", "--passphrase-file", self.pin, "--confirm", self.fingerprint())
        self.refused("not-found", "draft", "sign", self.draft, "--key", "pkcs11:token=none", "--passphrase-file", self.pin, "--confirm", self.fingerprint())
        self.pin.write_text("4321\n")
        self.refused("passphrase", "draft", "sign", self.draft, "--key", "pkcs11:token=one", "--passphrase-file", self.pin, "--confirm", self.fingerprint())
        self.assertEqual(self.draft.read_bytes(), before)


class Drafts(Ceremony):
    def test_confirmation_and_base(self):
        self.first_root()
        self.run_json("root", "draft", "image", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        words = ("draft", "sign", self.draft, "--key", "r1", "--passphrase-file", self.passphrase)
        before, good = self.draft.read_bytes(), self.fingerprint()
        self.refused("draft-unconfirmed", *words)
        self.refused("draft-unconfirmed", *words, "--confirm", "0" * 64)
        self.refused("draft-unconfirmed", *words, "--confirm", "-".join(self.run_json("draft", "show", self.draft)["words"].split("-")[:4]))
        other = self.folder / "other.json"
        other.write_text((self.oem / "repositories/image/root.json").read_text() + " ")
        self.refused("draft-mismatch", *words, "--confirm", good, "--base", other)
        self.assertEqual(self.draft.read_bytes(), before)
        said = self.run_json(*words, "--confirm", self.run_json("draft", "show", self.draft)["words"].upper(), "--base",
                             self.oem / "repositories/image/root.json")
        self.assertIn("Holder of r1", said["message"])

    def sign_at_a_terminal(self, typed):
        """Exit code and what the person sees."""
        person, terminal = os.openpty()
        child = subprocess.Popen([self.program, "--data-dir", self.oem, "draft", "sign", self.draft, "--key", "r1", "--passphrase-file", self.passphrase],
                                 stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment)
        os.write(person, typed.encode() + b"\n")
        shown, _ = child.communicate(timeout=120)
        os.close(terminal)
        os.close(person)
        return child.returncode, shown

    def test_confirmation_at_a_terminal(self):
        self.first_root()
        self.run_json("root", "draft", "image", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        before, words = self.draft.read_bytes(), self.run_json("draft", "show", self.draft)["words"]
        for typed in ("", "yes", words.split("-")[0] + "x"):
            code, shown = self.sign_at_a_terminal(typed)
            self.assertEqual(code, 1, shown)
            self.assertIn(words, shown)
            self.assertIn("nothing is signed", shown)
        self.assertEqual(self.draft.read_bytes(), before)
        code, shown = self.sign_at_a_terminal(words.split("-")[-1])
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.counts(), {"new": (1, 5, 7), "old": (1, 5, 7)})

    def test_altered_bytes_have_another_fingerprint(self):
        self.first_root()
        self.run_json("root", "draft", "image", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        shown, draft = self.fingerprint(), json.loads(self.draft.read_text())
        part = json.loads(base64.b64decode(draft["documents"][0]["payload"]))
        part["roles"]["root"]["threshold"] = 1
        draft["documents"][0]["payload"] = base64.b64encode(json.dumps(part, sort_keys=True, separators=(",", ":")).encode()).decode()
        self.draft.write_text(json.dumps(draft))
        self.assertIn("root: 1 of 8 keys sign, before 5 of 8.", self.run_json("draft", "show", self.draft)["documents"][0]["changes"])
        self.refused("draft-unconfirmed", "draft", "sign", self.draft, "--key", "r1", "--passphrase-file", self.passphrase, "--confirm", shown)
        for name in ROOTS[:5]:
            self.sign(name)
        self.assertEqual(self.install(code=1)["reason"], "draft-mismatch")
        draft["documents"][0]["payload"] = base64.b64encode(json.dumps(part, sort_keys=True).encode()).decode()
        self.refused("malformed", "draft", "show", self.write("spaced", json.dumps(draft)))

    def test_copies_come_back(self):
        self.first_root()
        self.run_json("root", "draft", "image", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        copies = [self.folder / f"copy{n}" for n in range(3)]
        for copy, name in zip(copies, ROOTS):
            copy.write_bytes(self.draft.read_bytes())
            self.sign(name, copy)
        self.assertIn("already", self.sign("r1", copies[0])["message"])
        altered = json.loads(copies[2].read_text())
        altered["documents"][0]["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
        copies[2].write_text(json.dumps(altered))
        said = self.run_json("draft", "merge", self.draft, copies[0], copies[1], copies[0], copies[2])
        self.assertEqual(said["message"], "2 signatures added, 1 were there already, 1 do not verify and are left out")
        self.assertEqual(self.counts()["new"], (2, 5, 6))
        transcript = json.loads(self.draft.read_text())["transcript"]
        self.assertEqual({line["fingerprint"] for line in transcript}, {self.fingerprint()})
        other = self.folder / "other"
        self.run_json("root", "draft", "image", "--expires", "2091-01-01T00:00:00Z", "-o", other)
        self.refused("draft-mismatch", "draft", "merge", self.draft, other)

    def test_only_the_newest_draft_is_published(self):
        self.first_root()
        newer = self.folder / "newer"
        self.run_json("root", "draft", "image", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        self.run_json("root", "draft", "image", "--expires", "2091-01-01T00:00:00Z", "-o", newer)
        for name in ROOTS[:5]:
            self.sign(name)
            self.sign(name, newer)
        self.assertEqual(self.install(code=1)["reason"], "draft-mismatch")
        self.draft.write_bytes(newer.read_bytes())
        self.assertEqual(self.install()["published"]["image"][0], "root 2")
        self.assertEqual(self.install(code=1)["reason"], "draft-mismatch")

    def test_one_person_counts_once(self):
        self.first_root()
        self.run_json("root", "draft", "image", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        for name in ROOTS[:5]:
            self.sign(name)
        card = json.loads((self.oem / "keys/r2.json").read_text())
        (self.oem / "keys/r2.json").write_text(json.dumps({**card, "holder": "Holder of r1"}))
        self.assertEqual(self.install(code=1)["reason"], "same-person")
        self.refused("same-person", "root", "draft", "image", "-o", self.folder / "again")

    def test_one_key_with_two_key_ids_counts_once(self):
        self.first_root()
        self.run_json("root", "draft", "image", "--expires", "2090-01-01T00:00:00Z", "-o", self.draft)
        draft = json.loads(self.draft.read_text())
        part = json.loads(base64.b64decode(draft["documents"][0]["payload"]))
        own = json.loads((self.oem / "keys/r1.json").read_text())["key_id"]
        part["keys"]["f" * 64] = part["keys"][own]
        part["roles"]["root"]["keyids"].append("f" * 64)
        draft["documents"][0]["payload"] = base64.b64encode(json.dumps(part, sort_keys=True, separators=(",", ":")).encode()).decode()
        self.draft.write_text(json.dumps(draft))
        self.sign("r1")
        draft = json.loads(self.draft.read_text())
        signature = draft["documents"][0]["signatures"][0]
        draft["documents"][0]["signatures"].append({**signature, "keyid": "f" * 64})
        self.draft.write_text(json.dumps(draft))
        self.assertEqual(self.counts(), {"new": (1, 5, 7), "old": (1, 5, 7)})


class Rules(Ceremony):
    def test_s03_s06_policy(self):
        for name in ROOTS:
            self.key(name)
        self.online()
        weak = self.roles(threshold=1)
        said = self.refused("policy", "repo", "init", "image", *weak)
        self.assertIn("root: 1 of 8 keys, at least 5 of 8", said)
        self.refused("usage", "repo", "init", "image", *weak, "--below-policy", "pilot", "--approved-by", "r1", code=2)
        self.refused("same-person", "repo", "init", "image", *weak, "--below-policy", "pilot", "--approved-by", "r1", "--approved-by", "r1")
        self.run_json("repo", "init", "image", *weak, "--below-policy", "pilot", "--approved-by", "r1", "--approved-by", "r2")
        override = json.loads((self.oem / "authoring/image.json").read_text())["overrides"][0]
        self.assertEqual((override["reason"], override["approved_by"]), ("pilot", ["r1", "r2"]))
        self.refused("exists", "repo", "init", "image", *weak)

    def test_s01_s04_holders(self):
        for name in ROOTS:
            self.key(name)
        self.online()
        self.key("twin", holder="Holder of r1")
        self.refused("same-person", "repo", "init", "image", *self.roles("twin," + ",".join(ROOTS)))
        said = self.refused("policy", "repo", "init", "image", *self.roles(",".join(ROOTS[:7]) + ",ts1"))
        self.assertIn("key ts1: in the roles", said)
        self.refused("illegal-threshold", "repo", "init", "image", *self.roles(threshold=9))
        self.refused("not-found", "repo", "init", "image", *self.roles("none"))
        self.refused("usage", "repo", "init", "image", "--role", "root", code=2)
        self.refused("usage", "repo", "init", "car", *self.roles(), code=2)
        self.refused("usage", "repo", "init", "image", *self.roles()[2:], code=2)
        self.run_json("key", "retire", "r1", "--reason", "lost")
        self.refused("key-retired", "repo", "init", "image", *self.roles())

    def test_s13_timestamp_and_snapshot_together(self):
        self.first_root()
        for name in ("ts3", "ts4", "sn3", "sn4"):
            self.key(name, online=True)
        self.refused("policy", "root", "draft", "image", "--role", "timestamp=1:ts3,ts4", "-o", self.draft)
        self.refused("policy", "root", "draft", "image", "--role", "snapshot=1:sn3,sn4", "-o", self.draft)
        self.run_json("root", "draft", "image", "--role", "timestamp=1:ts3,ts4", "--role", "snapshot=1:sn3,sn4", "-o", self.draft)
        before = self.metadata("timestamp.json")
        for name in ROOTS[:5]:
            self.sign(name)
        self.install()
        after, root = self.metadata("timestamp.json"), self.metadata("root.json")["signed"]
        self.assertGreater(after["signed"]["version"], before["signed"]["version"])
        self.assertTrue({one["keyid"] for one in after["signatures"]} <= set(root["roles"]["timestamp"]["keyids"]))
        self.assertEqual(self.run_json("repo", "check", self.oem / "repositories/image")["violations"], 0)

    def test_s14_fewer_than_the_old_threshold_left(self):
        self.first_root()
        for name in ROOTS[:3]:
            self.run_json("key", "retire", name, "--reason", "stolen")
        self.refused("key-retired", "root", "draft", "image", "-o", self.draft)
        for name in ("n1", "n2", "n3"):
            self.key(name)
        self.run_json("root", "draft", "image", *sum((["--revoke", name] for name in ROOTS[:3]), []), *sum((["--add", f"n{n}"] for n in (1, 2, 3)), []),
                      "-o", self.draft)
        self.refused("key-retired", "draft", "sign", self.draft, "--key", "r1", "--passphrase-file", self.passphrase, "--confirm", self.fingerprint())
        self.run_json("key", "retire", "r4", "--reason", "stolen")
        said = self.refused("threshold-unmet", "root", "draft", "image", "-o", self.draft)
        self.assertIn("Service repository", said)


if __name__ == "__main__":
    unittest.main()
