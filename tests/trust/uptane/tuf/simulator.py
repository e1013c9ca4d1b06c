# SPDX-License-Identifier: Apache-2.0
"""A TUF repository in memory behind a web server that remembers every request. It is written and signed with
python3-securesystemslib and python3-cryptography, not with this project's code."""

import copy
import hashlib
import http.server
import json
import threading
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from securesystemslib.formats import encode_canonical

NOW = "2026-06-01T00:00:00Z"
LATER = "2126-12-01T00:00:00Z"  # some cases ask a program that has no --time: never passes in the life of this test
EARLIER = "2026-05-01T00:00:00Z"
TOP = ("root", "timestamp", "snapshot", "targets")


class Key:
    """A private key and how TUF writes its public half."""

    def __init__(self, kind="ed25519"):
        self.kind = kind
        if kind == "ed25519":
            self.private = ed25519.Ed25519PrivateKey.generate()
            raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.public = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": raw.hex()}}
        else:
            self.private = ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa" else rsa.generate_private_key(65537, 2048)
            pem = self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            scheme = "ecdsa-sha2-nistp256" if kind == "ecdsa" else "rsassa-pss-sha256"
            self.public = {"keytype": kind, "scheme": scheme, "keyval": {"public": pem.decode()}}
        self.id = hashlib.sha256(encode_canonical(self.public).encode()).hexdigest()

    def sign(self, data):
        if self.kind == "ed25519":
            return self.private.sign(data).hex()
        if self.kind == "ecdsa":
            return self.private.sign(data, ec.ECDSA(hashes.SHA256())).hex()
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return self.private.sign(data, pss, hashes.SHA256()).hex()


def envelope(signed, keys):
    data = encode_canonical(signed).encode()
    return {"signatures": [{"keyid": key.id, "sig": key.sign(data)} for key in keys], "signed": signed}


class Repository:
    """Metadata as Python objects; publish() makes the files that are served."""

    def __init__(self, kind="ed25519", consistent=True, announce=False):
        self.consistent, self.announce = consistent, announce
        self.signers = {role: [Key(kind)] for role in TOP}
        self.root = {"_type": "root", "spec_version": "1.0.31", "version": 1, "expires": LATER, "consistent_snapshot": consistent,
                     "keys": {}, "roles": {}}
        self.timestamp = self._fresh("timestamp", meta={"snapshot.json": {"version": 1}})
        self.snapshot = self._fresh("snapshot", meta={"targets.json": {"version": 1}})
        self.targets = {"targets": self._fresh("targets", targets={})}
        self.artifacts = {}
        self.files = {}      # name as asked for, percent-encoded → bytes
        self.requests = []
        self.set_roles()
        self.publish_root()

    @staticmethod
    def _fresh(role, **members):
        return {"_type": role, "spec_version": "1.0.31", "version": 1, "expires": LATER, **members}

    def set_roles(self, thresholds=None):
        self.root["keys"] = {key.id: key.public for keys in self.signers.values() for key in keys}
        self.root["roles"] = {role: {"keyids": [key.id for key in self.signers[role]], "threshold": (thresholds or {}).get(role, 1)}
                              for role in TOP}

    def publish_root(self, signers=None):
        self.files[f"{self.root['version']}.root.json"] = json.dumps(envelope(self.root, signers or self.signers["root"])).encode()

    def rotate(self, role, kind="ed25519"):
        """New keys for a role, in a new root signed by the old and the new root keys."""
        old = list(self.signers["root"])
        self.signers[role] = [Key(kind)]
        self.root["version"] += 1
        self.set_roles()
        new = [key for key in self.signers["root"] if key not in old]
        self.publish_root(old + new)

    def next_root(self):
        self.root["version"] += 1
        self.publish_root()

    def delegate(self, name, parent="targets", paths=("*",), key=None, listed=True, **members):
        key = key or Key()
        self.signers[name] = [key]
        delegations = self.targets[parent].setdefault("delegations", {"keys": {}, "roles": []})
        delegations["keys"][key.id] = key.public
        delegations["roles"].append({"name": name, "keyids": [key.id], "threshold": 1, "terminating": False, "paths": list(paths),
                                     **members})
        self.targets.setdefault(name, self._fresh("targets", targets={}))
        if listed:
            self.snapshot["meta"][f"{name}.json"] = {"version": 1}

    def add_artifact(self, path, content, role="targets"):
        self.artifacts[path] = content
        self.targets[role]["targets"][path] = {"length": len(content), "hashes": {"sha256": hashlib.sha256(content).hexdigest()}}

    def write(self, role, signed, signers=None):
        name = urllib.parse.quote(role, "") + ".json"
        if self.consistent and role != "timestamp":
            name = f"{signed['version']}.{name}"
        self.files[name] = json.dumps(envelope(signed, signers or self.signers[role]), indent=1).encode()
        return self.files[name]

    def _tell(self, meta, content):
        if self.announce:
            meta.update(length=len(content), hashes={"sha256": hashlib.sha256(content).hexdigest()})

    def publish(self, bump=()):
        """Writes everything anew. bump: roles whose version grows; snapshot and timestamp follow what they list."""
        for role in bump:
            part = {"timestamp": self.timestamp, "snapshot": self.snapshot}.get(role) or self.targets[role]
            part["version"] += 1
        for role, signed in self.targets.items():
            content = self.write(role, signed)
            meta = self.snapshot["meta"].get(f"{role}.json")
            if meta is not None:
                meta["version"] = signed["version"]
                self._tell(meta, content)
        content = self.write("snapshot", self.snapshot)
        self.timestamp["meta"]["snapshot.json"]["version"] = self.snapshot["version"]
        self._tell(self.timestamp["meta"]["snapshot.json"], content)
        self.write("timestamp", self.timestamp)

    def news(self):
        """A new version of everything but the root."""
        self.publish(bump=("targets", "snapshot", "timestamp"))

    def alter(self, name, change):
        """Changes a served file after it was signed."""
        parsed = json.loads(self.files[name])
        change(parsed)
        self.files[name] = json.dumps(parsed).encode()

    def resign(self, name, role, change):
        """Changes what is served and signs it again, without anybody announcing it."""
        signed = copy.deepcopy(json.loads(self.files[name])["signed"])
        change(signed)
        self.files[name] = json.dumps(envelope(signed, self.signers[role])).encode()


class Server:
    """Serves repositories on loopback: /metadata/NAME and /targets/PATH."""

    def __init__(self):
        self.repository = None
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: no waiting for an acknowledgement
            disable_nagle_algorithm = True

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                owner.answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler):
        repository = self.repository
        kind, _, name = handler.path.lstrip("/").partition("/")
        repository.requests.append(name)
        content = repository.files.get(name) if kind == "metadata" else self.artifact(name)
        status = 200 if content is not None else getattr(repository, "absent", 404)
        content = content or b"not there"
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        try:
            handler.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has seen enough

    def artifact(self, name):
        path = urllib.parse.unquote(name)
        if self.repository.consistent:
            folder, _, base = path.rpartition("/")
            digest, _, base = base.partition(".")
            path = f"{folder}/{base}" if folder else base
            content = self.repository.artifacts.get(path)
            return content if content is not None and hashlib.sha256(content).hexdigest() == digest else None
        return self.repository.artifacts.get(path)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
