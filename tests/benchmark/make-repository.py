#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make-repository.py DIR [--targets N] [--delegations N]: a seeded pair of Uptane repositories, signed by cryptography.

DIR/director directs eight images of DIR/image, which offers N targets: all of them in targets.json, or with
--delegations spread over that many delegated roles, whose files hold N each. Prints the targets files' total size.
"""

import argparse
import base64
import hashlib
import json
import random
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EXPIRES = "2040-01-01T00:00:00Z"
N_IMAGES = 8


def canonical(value):
    """Forms A, B and C alike: there is only printable ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Key:
    def __init__(self, name):
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        public = self.private.public_key()
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.id = hashlib.sha256(der).hexdigest()
        self.value = {"keytype": "ED25519", "keyval": {"public": raw.hex()}}

    def sign(self, signed):
        signature = {"keyid": self.id, "method": "ed25519",
                     "sig": base64.b64encode(self.private.sign(canonical(signed))).decode()}
        return canonical({"signatures": [signature], "signed": signed})


def listed(content, version=1):
    return {"version": version, "length": len(content), "hashes": {"sha256": hashlib.sha256(content).hexdigest()}}


class Repository:
    def __init__(self, folder, name):
        self.folder = folder
        self.keys = {role: Key(f"{name} {role}") for role in ("root", "timestamp", "snapshot", "targets")}
        self.files = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.write("root", self.keys["root"], {
            "_type": "Root", "consistent_snapshot": False,
            "keys": {key.id: key.value for key in self.keys.values()},
            "roles": {role: {"keyids": [key.id], "threshold": 1} for role, key in self.keys.items()}})
        (folder / "1.root.json").write_bytes(self.files["root"])

    def write(self, name, key, signed):
        self.files[name] = key.sign({"expires": EXPIRES, "version": 1} | signed)
        (self.folder / f"{name}.json").write_bytes(self.files[name])

    def publish(self):
        meta = {f"{name}.json": listed(content) for name, content in self.files.items() if name != "root"}
        self.write("snapshot", self.keys["snapshot"], {"_type": "Snapshot", "meta": meta})
        meta = {"snapshot.json": listed(self.files["snapshot"])}
        self.write("timestamp", self.keys["timestamp"], {"_type": "Timestamp", "meta": meta})


def entry(number, sha256, length, custom):
    hardware = f"hw-{number % N_IMAGES}"
    return {"custom": {"hardwareIds": [hardware], "name": f"brake unit {number % 997:03d}", "releaseCounter": number % 50,
                       "targetFormat": "BINARY", "version": f"{number % 13}.{number % 7}"} | custom,
            "hashes": {"sha256": sha256}, "length": length}


def path_of(folder, number):
    return f"{folder}/unit-{number % 997:03d}-{number:06d}.bin"


def make_targets(generator, folder, count, images):
    targets = {path_of(folder, i): entry(i, f"{generator.getrandbits(256):064x}", 4096 + i, {}) for i in range(count)}
    for i, image in images.items():
        targets[path_of(folder, i)] = entry(i, hashlib.sha256(image).hexdigest(), len(image), {})
    return targets


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--targets", type=int, default=100000)
    parser.add_argument("--delegations", type=int, default=0)
    options = parser.parse_args()
    generator = random.Random(20261123)
    image_repository = Repository(options.folder / "image", "image")
    director = Repository(options.folder / "director", "director")
    # all eight in one role: N_IMAGES numbers over the whole range whose hardware ids differ
    numbers = [options.targets * i // N_IMAGES // N_IMAGES * N_IMAGES + i for i in range(N_IMAGES)]
    images = {number: generator.randbytes(4096) for number in numbers}
    home = "supplier-00" if options.delegations else "brake"
    delegated = [f"supplier-{i:02d}" for i in range(options.delegations)]
    roles = []
    for name in delegated:
        key = Key(name)
        roles.append({"name": name, "keyids": [key.id], "paths": [f"{name}/*"], "terminating": False, "threshold": 1})
        targets = make_targets(generator, name, options.targets, images if name == home else {})
        image_repository.write(name, key, {"_type": "Targets", "targets": targets})
    signed = {"_type": "Targets", "targets": {} if delegated else make_targets(generator, home, options.targets, images)}
    if delegated:
        signed["delegations"] = {"keys": {Key(name).id: Key(name).value for name in delegated}, "roles": roles}
    image_repository.write("targets", image_repository.keys["targets"], signed)
    directed = {}
    for i, (number, image) in enumerate(images.items()):
        path = options.folder / "image" / "targets" / path_of(home, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
        directed[path_of(home, number)] = entry(number, hashlib.sha256(image).hexdigest(), len(image),
                                                {"ecuIdentifiers": {f"ECU-{i}": {"hardwareId": f"hw-{number % N_IMAGES}"}}})
    director.write("targets", director.keys["targets"], {"_type": "Targets", "targets": directed})
    for repository in (image_repository, director):
        repository.publish()
    print(sum(len(content) for name, content in image_repository.files.items() if name not in ("root", "timestamp", "snapshot")))


main()
