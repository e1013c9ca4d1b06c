# SPDX-License-Identifier: Apache-2.0
"""Metadata judged by what this project did not write: securesystemslib's canonical form, cryptography's Ed25519."""

import base64
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Signature, SSlibKey


def canonical(value):
    return encode_canonical(value).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def ed25519(key):
    assert key["keytype"].lower() == "ed25519", key
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["keyval"]["public"]))


def key_id(key):
    if "scheme" in key:
        return sha256(canonical(key))
    return sha256(ed25519(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def accepts(key, entry, message):
    """securesystemslib's verdict on an Ed25519 signature in hex or base64, by a class that it has in every version met."""
    text = entry["sig"] if len(entry["sig"]) == 128 else base64.b64decode(entry["sig"], validate=True).hex()
    try:
        SSlibKey(entry["keyid"], "ed25519", "ed25519", {"public": key["keyval"]["public"]}).verify_signature(Signature(entry["keyid"], text), message)
    except UnverifiedSignatureError:
        return False
    return True


def signature_bytes(entry, tuf):
    return bytes.fromhex(entry["sig"]) if tuf else base64.b64decode(entry["sig"], validate=True)


def signers(envelope, keys, keyids):
    """Distinct public keys of keyids whose signature of the envelope holds."""
    tuf = envelope["signed"]["_type"].islower()
    message = canonical(envelope["signed"])
    good = set()
    for entry in envelope["signatures"]:
        if entry["keyid"] not in keyids:
            continue
        key = keys[entry["keyid"]]
        assert tuf or entry["method"] == "ed25519"
        try:
            ed25519(key).verify(signature_bytes(entry, tuf), message)
            good.add(key["keyval"]["public"])
        except InvalidSignature:
            pass
    return good


def is_signed_for(envelope, root, role):
    entry = root["roles"][role]
    return len(signers(envelope, root["keys"], entry["keyids"])) >= entry["threshold"]


def publics(root, role):
    return {root["keys"][i]["keyval"]["public"] for i in root["roles"][role]["keyids"]}


class Repository:
    """A folder of metadata, every signature, hash and version of which is checked while it is read."""

    def __init__(self, folder, roots_chained=True, roots_from=None):
        self.folder = folder
        self.bytes = {p.name: p.read_bytes() for p in folder.glob("*.json")}
        for name in (roots_from or {}):
            self.bytes.setdefault(name, roots_from[name])
        self.envelopes = {name: json.loads(data) for name, data in self.bytes.items() if name != "keys.json"}
        self.roots = []
        while f"{len(self.roots) + 1}.root.json" in self.envelopes:
            self.add_root(self.envelopes[f"{len(self.roots) + 1}.root.json"], roots_chained)
        self.root = self.roots[-1]

    def add_root(self, envelope, chained):
        signed = envelope["signed"]
        assert signed["version"] == len(self.roots) + 1
        assert is_signed_for(envelope, signed, "root")
        assert all(key_id(key) == i for i, key in signed["keys"].items())
        if self.roots:
            assert is_signed_for(envelope, self.roots[-1], "root") == chained
        self.roots.append(signed)

    def signed(self, name):
        return self.envelopes[name]["signed"]

    def check_published(self):
        for role in ("timestamp", "snapshot", "targets"):
            assert is_signed_for(self.envelopes[f"{role}.json"], self.root, role), role
        self.check_meta(self.signed("timestamp.json")["meta"], {"snapshot.json"})
        self.check_meta(self.signed("snapshot.json")["meta"], {"targets.json"} | self.check_delegated())

    def check_meta(self, meta, names):
        assert set(meta) == names, meta
        for name, entry in meta.items():
            assert entry["version"] == self.signed(name)["version"]
            assert entry["length"] == len(self.bytes[name])
            assert entry["hashes"] == {"sha256": sha256(self.bytes[name])}

    def check_delegated(self):
        delegations = self.signed("targets.json").get("delegations", {"keys": {}, "roles": []})
        for role in delegations["roles"]:
            found = signers(self.envelopes[role["name"] + ".json"], delegations["keys"], role["keyids"])
            assert len(found) >= role["threshold"] and not role["terminating"]
        return {role["name"] + ".json" for role in delegations["roles"]}

    def entries(self):
        merged = dict(self.signed("targets.json")["targets"])
        for name in self.check_delegated():
            for path, entry in self.signed(name)["targets"].items():
                merged.setdefault(path, entry)
        return merged
