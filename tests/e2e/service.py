# SPDX-License-Identifier: Apache-2.0
"""The demo's Service repository under a key of the test: what it carries can be changed and is signed again.

The vehicle and the workstation are given its root instead of the demo's, so that a whole recovery still works.
"""
import base64
import copy
import datetime
import hashlib
import io
import json
import tarfile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.formats import encode_canonical

LIST = "trust/trust-list.json"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def moment(days=0):
    """RFC 3339, so many days from now."""
    return (datetime.datetime.utcnow() + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def revocation_id(certificate, issuer):
    """SHA-256 (issuer's SubjectPublicKeyInfo ‖ contents octets of the serial number)"""
    key = issuer.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    serial = certificate.serial_number
    return sha256(key + serial.to_bytes(serial.bit_length() // 8 + 1, "big"))


class Service:
    def __init__(self, oem):
        self.oem = oem
        self.key = Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
        key = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}}
        self.keyid = sha256(encode_canonical(key).encode())
        role = {"keyids": [self.keyid], "threshold": 1}
        self.version = 0
        self.root = self.sign("root", 365, version=1, consistent_snapshot=False, keys={self.keyid: key},
                              roles={name: role for name in ("root", "timestamp", "snapshot", "targets")})
        with tarfile.open(oem / "campaign.recall") as tar:
            self.files = {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()}
        self.targets = {name.removeprefix("service/targets/"): data for name, data in self.files.items() if name.startswith("service/targets/")}
        self.files = {name: data for name, data in self.files.items() if not name.startswith("service/")}
        self.list = json.loads(self.targets[LIST])
        (oem / "service-root.json").write_bytes(self.root)
        (oem / "vehicle" / "service-root.json").write_bytes(self.root)

    def sign(self, kind, days, **members):
        signed = {"_type": kind, "spec_version": "1.0.31", "expires": moment(days), **members}
        signature = self.key.sign(encode_canonical(signed).encode()).hex()
        return json.dumps({"signatures": [{"keyid": self.keyid, "sig": signature}], "signed": signed}).encode()

    def publish(self, name="campaign.recall", campaign=None, without=(), **changes):
        """The next version as a bundle: members of trust list and campaign changed, targets left out. The list's version rises."""
        targets = copy.copy(self.targets)
        self.version += 1
        self.list.update({"version": self.version, **changes})
        targets[LIST] = json.dumps(self.list).encode()
        path = next(path for path in targets if path.startswith("campaigns/"))
        if campaign:
            targets[path] = json.dumps({**json.loads(targets[path]), **campaign}).encode()
        targets = {path: data for path, data in targets.items() if path not in without}
        entries = {path: {"length": len(data), "hashes": {"sha256": sha256(data)}} for path, data in targets.items()}
        role_targets = self.sign("targets", 20, version=self.version, targets=entries)
        snapshot = self.sign("snapshot", 20, version=self.version, meta={"targets.json": {"version": self.version}})
        timestamp = self.sign("timestamp", 20, version=self.version, meta={"snapshot.json": {"version": self.version}})
        metadata = {"1.root.json": self.root, "timestamp.json": timestamp, "snapshot.json": snapshot, "targets.json": role_targets}
        files = {f"service/metadata/{file}": data for file, data in metadata.items()}
        files.update({f"service/targets/{path}": data for path, data in targets.items()})
        files.update(self.files)
        place = self.oem / name
        with tarfile.open(place, "w", format=tarfile.USTAR_FORMAT) as tar:
            for file, data in files.items():
                member = tarfile.TarInfo(file)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return place

    def add_dealer_ca(self, holder):
        """A dealer CA whose key the test has, beside the demo's. Takes effect with the next publish()."""
        self.list["dealer_cas"].append(base64.b64encode(holder.certificate.public_bytes(serialization.Encoding.DER)).decode())

    def revoked(self, certificate, issuer, since=-1, reason="key-compromise"):
        return {"sha256": revocation_id(certificate, issuer), "since": moment(since), "reason": reason}
