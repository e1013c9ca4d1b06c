# SPDX-License-Identifier: Apache-2.0
"""An intake as a process for tests, and a client and a reader of its log that share nothing with it."""

import base64
import gzip
import hashlib
import http.client
import json
import re
import select
import signal
import sqlite3
import ssl
import subprocess
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TIMEOUT = 120


class Intake:
    def __init__(self, program, demo, database, **process):
        self.program, self.demo, self.database = program, Path(demo), database
        self.process, self.how, self.errors = None, process, tempfile.TemporaryFile()
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, "intake", "serve", "--listen", "127.0.0.1:0", "--database", self.database, "--config", self.demo / "intake.json"],
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True, **self.how)
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise AssertionError(f"the intake did not start: {self.log()}")
        self.ready = json.loads(line)
        self.url = self.ready["url"]
        self.port = int(self.url.rpartition(":")[2])

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        return code


def client_files(demo, folder):
    """The workstation's TLS client certificate with its chain, and its key, as openssl and Python take them."""
    blocks = re.findall(r"-----BEGIN [^-]+-----.*?-----END [^-]+-----\n", (demo / "workstation.pem").read_text(), re.S)
    (folder / "encrypted.pem").write_text(blocks[2])
    subprocess.run(["openssl", "pkey", "-in", folder / "encrypted.pem", "-passin", f"file:{demo}/passphrase", "-out", folder / "client.key"], check=True, timeout=TIMEOUT)
    (folder / "client.pem").write_text(blocks[3] + blocks[-1])
    return folder / "client.pem", folder / "client.key"


class Client:
    def __init__(self, demo, certificate=None, key=None):
        self.context = ssl.create_default_context(cafile=demo / "intake-ca.pem")
        if certificate:
            self.context.load_cert_chain(certificate, key)

    def ask(self, port, method, path, body=None, headers=None):
        """(status, headers, body)"""
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=self.context, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def put(self, port, digest, envelope, zipped=False):
        headers = {"Content-Encoding": "gzip"} if zipped else {}
        return self.ask(port, "PUT", f"/v1/records/{digest}", gzip.compress(envelope) if zipped else envelope, headers)


def records_of(data):
    """[(digest, envelope)] of a workstation's data dir, oldest first"""
    with sqlite3.connect(data / "recallbay.db") as db:
        return list(db.execute("SELECT digest, envelope FROM records ORDER BY rowid"))


# RFC 9162 section 2.1 and C2SP signed-note, tlog-checkpoint, tlog-proof, tlog-tiles as they are written

def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves):
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node(root(leaves[:k]), root(leaves[k:]))


def open_checkpoint(note, vkey):
    """(origin, size, root) of a note that this key signed"""
    name, number, key = vkey.split("+", 2)
    raw = base64.b64decode(key)
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != number or raw[0] != 1:
        raise ValueError("verifier key")
    text, _, lines = note.rpartition("\n\n")
    for line in lines.splitlines():
        mark, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if mark == "—" and signer == name and signature[:4].hex() == number:
            try:
                Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[4:], (text + "\n").encode())
            except InvalidSignature:
                continue
            origin, size, digest = text.split("\n")[:3]
            return origin, int(size), base64.b64decode(digest)
    raise ValueError("no signature of this key")


def open_receipt(receipt, vkey):
    """(entry as JSON, index, size, root): the entry is in the log of that key"""
    head, _, note = receipt.decode().partition("\n\n")
    first, extra, index, *hashes = head.split("\n")
    if first != "c2sp.org/tlog-proof@v1":
        raise ValueError("not a receipt")
    entry, at = base64.b64decode(extra.removeprefix("extra ")), int(index.removeprefix("index "))
    _, size, digest = open_checkpoint(note, vkey)
    number, last, value = at, size - 1, leaf(entry)
    for step in map(base64.b64decode, hashes):
        if number % 2 or number == last:
            value = node(step, value)
            while number % 2 == 0 and number:
                number, last = number // 2, last // 2
        else:
            value = node(value, step)
        number, last = number // 2, last // 2
    if last or value != digest:
        raise ValueError("proof")
    return json.loads(entry), at, size, digest


def read_log(client, port, vkey):
    """The entries by the tiles, with the hash tiles compared: (entries, size, root)"""
    status, _, note = client.ask(port, "GET", "/v1/checkpoint")
    if status == 404:
        return [], 0, root([])
    _, size, digest = open_checkpoint(note.decode(), vkey)
    entries, leaves = [], []
    for number in range((size + 255) // 256):
        width = min(256, size - 256 * number)
        path = f"{number:03}" + (f".p/{width}" if width < 256 else "")
        bundle = client.ask(port, "GET", f"/v1/tile/entries/{path}")[2]
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2:2 + length])
            bundle = bundle[2 + length:]
        tile = client.ask(port, "GET", f"/v1/tile/0/{path}")[2]
        leaves += [tile[i:i + 32] for i in range(0, len(tile), 32)]
    if leaves != [leaf(entry) for entry in entries] or root(leaves) != digest or len(entries) != size:
        raise ValueError("the tiles are not the checkpoint's")
    return [json.loads(entry) for entry in entries], size, digest
