#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recall-oem intake serve over HTTPS: test-intake.py RECALL-OEM MAKE-RECORDS [postgres]"""

import base64
import gzip
import hashlib
import http.client
import json

import resource
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "base/db"))
import intake
from server import Postgres

RECALL_OEM, MAKER = sys.argv[1:3]
POSTGRES = sys.argv[3:] == ["postgres"]
LIMIT = 4 * 1024 * 1024


def resign(envelope, change):
    """The envelope with its DSSE changed by a function."""
    value = json.loads(envelope)
    change(value)
    return json.dumps(value).encode()


def setUpModule():
    """One OEM and one PostgreSQL for all tests, a database for each."""
    Base.scratch = Path(tempfile.mkdtemp())
    unittest.addModuleCleanup(shutil.rmtree, Base.scratch)
    Base.demo = Base.scratch / "oem"
    subprocess.run([RECALL_OEM, "demo", Base.demo], check=True, stdout=subprocess.DEVNULL, timeout=intake.TIMEOUT)
    subprocess.run([MAKER, Base.scratch / "made", Base.demo], check=True, timeout=intake.TIMEOUT)
    Base.records = intake.records_of(Base.scratch / "made/data")
    Base.vkey = json.loads((Base.demo / "intake.json").read_text())["log"]["vkey"]
    Base.files = intake.client_files(Base.demo, Base.scratch)
    if POSTGRES:
        Base.postgres = Postgres(durable=True)
        unittest.addModuleCleanup(Base.postgres.close)


class Base(unittest.TestCase):
    count = 0

    def setUp(self):
        Base.count += 1
        self.folder = self.scratch / f"database-{Base.count}"
        self.folder.mkdir()
        if POSTGRES:
            self.postgres.sql(f"CREATE DATABASE test{Base.count}")
            self.database = self.postgres.uri(f"test{Base.count}")
        else:
            self.database = f"sqlite://{self.folder}/intake.db"
        self.client = intake.Client(self.demo, *self.files)
        self.anyone = intake.Client(self.demo)
        self.intake = None

    def tearDown(self):
        if self.intake:
            self.intake.stop()
            self.intake.errors.close()

    def start(self, **how):
        self.intake = intake.Intake(RECALL_OEM, self.demo, self.database, **how)
        return self.intake

    def put(self, number, expect, client=None, **how):
        digest, envelope = self.records[number]
        return self.put_bytes(digest, envelope, expect, client, **how)

    def put_bytes(self, digest, envelope, expect, client=None, **how):
        status, headers, body = (client or self.client).put(self.intake.port, digest, envelope, **how)
        self.assertEqual(status, expect, body)
        if status >= 400:
            self.assertEqual(headers["Content-Type"], "application/problem+json")
            problem = json.loads(body)
            self.assertEqual(problem["status"], status)
            self.assertEqual(problem["type"], f"urn:recallbay:reason:{problem['reason']}")
            return problem["reason"]
        return body

    def entries(self, kind=None):
        found, _, _ = intake.read_log(self.anyone, self.intake.port, self.vkey)
        return [entry for entry in found if kind in (None, entry["kind"])]

    def await_verdicts(self, n):
        """They come behind the receipt."""
        for _ in range(10000):
            verdicts = self.entries("verdict")
            if len(verdicts) >= n:
                return verdicts
        self.fail(f"{len(verdicts)} verdicts, expected {n}: {self.intake.log()}")


class Receive(Base):
    def test_a_record_and_again(self):
        """The receipt proves the entry, which names the record and the bytes that were sent; the same again gives the same bytes."""
        self.start()
        digest, envelope = self.records[0]
        receipt = self.put(0, 201)
        entry, index, _, _ = intake.open_receipt(receipt, self.vkey)
        self.assertEqual((index, entry["kind"], entry["record"]), (0, "record", digest))
        self.assertEqual(entry["envelope"], hashlib.sha256(envelope).hexdigest())
        self.assertNotIn(b"vin", json.dumps(entry).encode().lower())
        self.put(1, 201, zipped=True)
        self.assertEqual(self.put(0, 200), receipt)
        self.assertEqual(self.put(0, 200, zipped=True), receipt)
        self.assertEqual(len(self.entries("record")), 2)

    def test_verdicts_follow(self):
        self.start()
        for number in range(len(self.records)):
            self.put(number, 201)
        verdicts = self.await_verdicts(len(self.records))
        self.assertEqual({verdict["reason"] for verdict in verdicts}, {"ok"})
        self.assertEqual({verdict["record"] for verdict in verdicts}, {digest for digest, _ in self.records})

    def test_what_is_refused_is_logged(self):
        """A workstation's signature is enough for a receipt; what is wrong with the record is its verdict."""
        self.start()
        digest, envelope = self.records[0]

        def drop_technician(value):
            keep = [i for i, chain in enumerate(value["verification"]["x5c"]) if b"recor" in base64.b64decode(chain[0])]
            value["signatures"] = [value["signatures"][i] for i in keep]
            value["verification"]["x5c"] = [value["verification"]["x5c"][i] for i in keep]

        self.put_bytes(digest, resign(envelope, drop_technician), 201)
        verdict, = self.await_verdicts(1)
        self.assertEqual(verdict["reason"], "signer-missing")
        self.put(0, 201)  # and it displaces nothing
        self.assertEqual([verdict["reason"] for verdict in self.await_verdicts(2)], ["signer-missing", "ok"])

    def test_what_is_not_authentic(self):
        """403, and not an entry in the log."""
        self.start()
        digest, envelope = self.records[0]

        def break_signatures(value):
            for signature in value["signatures"]:
                signature["sig"] = base64.b64encode(b"no signature").decode()

        def drop_all(value):
            value["signatures"], value["verification"]["x5c"] = [], []

        self.assertEqual(self.put_bytes(digest, resign(envelope, break_signatures), 403), "record-signature")
        self.assertEqual(self.put_bytes(digest, resign(envelope, drop_all), 403), "record-signature")
        other = self.scratch / "other"
        if not other.exists():
            subprocess.run([MAKER, other], check=True, timeout=intake.TIMEOUT)
        self.assertEqual(self.put_bytes(*intake.records_of(other / "data")[0], 403), "signer-not-trusted")
        self.assertEqual(self.entries(), [])

    def test_what_is_malformed(self):
        self.start()
        digest, envelope = self.records[0]
        self.assertEqual(self.put_bytes(self.records[1][0], envelope, 400), "hash-mismatch")
        self.assertEqual(self.put_bytes(digest, b"{}", 400), "malformed")
        self.assertEqual(self.put_bytes(digest, b"", 400), "malformed")
        status, _, body = self.client.ask(self.intake.port, "PUT", f"/v1/records/{digest}", envelope, {"Content-Encoding": "br"})
        self.assertEqual((status, json.loads(body)["reason"]), (415, "unsupported"))
        for zipped in (b"not gzip", gzip.compress(envelope)[:-9], gzip.compress(envelope) + b"tail"):
            status, _, body = self.client.ask(self.intake.port, "PUT", f"/v1/records/{digest}", zipped, {"Content-Encoding": "gzip"})
            self.assertEqual((status, json.loads(body)["reason"]), (400, "malformed"))
        self.assertEqual(self.entries(), [])

    def test_what_is_too_large(self):
        """By its length, in chunks, and when it is inflated: 4 GiB of zeros fit into 4 MiB of gzip."""
        self.start()
        digest, _ = self.records[0]
        self.assertEqual(self.put_bytes(digest, bytes(LIMIT + 1), 413), "too-large")
        self.assertEqual(self.put_bytes(digest, iter([bytes(65536)] * 80), 413), "too-large")
        status, _, body = self.client.ask(self.intake.port, "PUT", f"/v1/records/{digest}", gzip.compress(bytes(64 * LIMIT)), {"Content-Encoding": "gzip"})
        self.assertEqual((status, json.loads(body)["reason"]), (413, "too-large"))
        self.assertLess(int(Path(f"/proc/{self.intake.process.pid}/status").read_text().split("VmHWM:")[1].split()[0]), 400 * 1024)

    def test_clients(self):
        """Without a certificate of the dealer CA for TLS clients records are neither taken nor given; the log is public."""
        self.start()
        self.put(0, 201)
        self.assertEqual(self.put(1, 403, client=self.anyone), "certificate")
        self.assertEqual(self.anyone.ask(self.intake.port, "GET", f"/v1/records/{self.records[0][0]}")[0], 403)
        self.assertEqual(self.anyone.ask(self.intake.port, "GET", "/v1/checkpoint")[0], 200)
        stranger = self.scratch / "stranger.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.scratch / "stranger.key", "-out", stranger,
                        "-days", "2", "-subj", "/CN=Stranger", "-addext", "extendedKeyUsage=clientAuth"], check=True, capture_output=True, timeout=intake.TIMEOUT)
        with self.assertRaises((ssl.SSLError, ConnectionError, OSError)):
            intake.Client(self.demo, stranger, self.scratch / "stranger.key").put(self.intake.port, *self.records[1])
        self.assertEqual(len(self.entries("record")), 1)

    def test_one_connection(self):
        """The certificate of a connection is that of all its requests."""
        self.start()
        connection = http.client.HTTPSConnection("127.0.0.1", self.intake.port, context=self.client.context, timeout=intake.TIMEOUT)
        for digest, envelope in self.records:
            connection.request("PUT", f"/v1/records/{digest}", envelope)
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()[:5]), (201, b"c2sp."))
        connection.close()

    def test_reading(self):
        self.start()
        receipt = self.put(0, 201)
        digest, envelope = self.records[0]
        ask = lambda path: self.client.ask(self.intake.port, "GET", path)[::2]
        self.assertEqual(ask(f"/v1/records/{digest}"), (200, envelope))
        self.assertEqual(ask(f"/v1/records/{digest}/receipt"), (200, receipt))
        for path in ("/", "/v1/records/", f"/v1/records/{'0' * 64}", f"/v1/records/{digest}/else", f"/v1/records/{digest.upper()}", "/v1/tile/0/001", "/v1/tile/0/000.p/250",
                     "/v1/tile/entries/000", "/v1/tile/9/000"):
            self.assertEqual(ask(path)[0], 404, path)
        self.assertEqual(self.client.ask(self.intake.port, "POST", f"/v1/records/{digest}", envelope)[0], 405)


class Endure(Base):
    def test_end_and_begin(self):
        """SIGTERM ends it with 0; the log goes on where it was."""
        self.start()
        receipt = self.put(0, 201)
        self.assertEqual(self.intake.stop(), 0, self.intake.log())
        self.start()
        self.assertEqual(self.put(0, 200), receipt)
        self.put(1, 201)
        self.assertEqual(len(self.entries("record")), 2)

    def test_drain(self):
        """What is under way when SIGTERM comes is answered; no new connection is taken."""
        self.start()
        digest, envelope = self.records[0]
        connection = http.client.HTTPSConnection("127.0.0.1", self.intake.port, context=self.client.context, timeout=intake.TIMEOUT)
        connection.putrequest("PUT", f"/v1/records/{digest}")
        connection.putheader("Content-Length", str(len(envelope)))
        connection.endheaders(envelope[:1000])
        self.put(1, 201)  # the first request has arrived by now
        self.intake.process.send_signal(signal.SIGTERM)
        while True:
            try:
                self.put(2, 201)
            except OSError:
                break
        connection.send(envelope[1000:])
        answer = connection.getresponse()
        self.assertEqual(answer.status, 201)
        intake.open_receipt(answer.read(), self.vkey)
        connection.close()
        self.assertEqual(self.intake.process.wait(intake.TIMEOUT), 0)

    def test_many_at_once(self):
        """Uploads at a time share commits; each receipt stands, and a record sent twice is one entry."""
        self.start()
        answers = []

        def send(number):
            answers.append(self.client.put(self.intake.port, *self.records[number % len(self.records)]))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(status for status, _, _ in answers), [200] * (24 - len(self.records)) + [201] * len(self.records))
        self.assertEqual(len({body for _, _, body in answers}), len(self.records))
        self.assertEqual(len(self.entries("record")), len(self.records))

    def test_killed(self):
        """What has a receipt is there after SIGKILL, and a record without verdict gets it."""
        self.start()
        receipts = []
        for number in range(len(self.records)):
            receipts.append(self.put(number, 201))
            self.intake.stop(signal.SIGKILL)
            self.start()
        for number, receipt in enumerate(receipts):
            self.assertEqual(self.put(number, 200), receipt)
        self.await_verdicts(len(self.records))

    def test_another_key(self):
        """A log is not continued by another key."""
        self.start()
        self.put(0, 201)
        self.intake.stop()
        config = json.loads((self.demo / "intake.json").read_text())
        other = self.scratch / "other-oem"
        subprocess.run([RECALL_OEM, "demo", other], check=True, stdout=subprocess.DEVNULL, timeout=intake.TIMEOUT)
        self.assert_refused(other, "log-signature")
        config["log"]["vkey"] = self.vkey.replace("+", "+0", 1)
        (other / "intake.json").write_text(json.dumps(config))
        self.assert_refused(other, "config")

    def assert_refused(self, demo, reason):
        done = subprocess.run([RECALL_OEM, "--json", "intake", "serve", "--listen", "127.0.0.1:0", "--database", self.database, "--config", demo / "intake.json"],
                              capture_output=True, text=True, timeout=intake.TIMEOUT, check=False)
        self.assertEqual((done.returncode, json.loads(done.stdout)["reason"]), (1, reason))


class LoseFile(Base):
    def test_full_disk(self):
        """A file that cannot grow: 503, and the same upload is taken when there is room."""
        if POSTGRES:
            return
        self.start(restore_signals=False)  # SIGXFSZ stays ignored: the write fails
        self.put(0, 201)
        size = max(path.stat().st_size for path in self.folder.iterdir())
        resource.prlimit(self.intake.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        statuses = []
        for number in range(1, len(self.records)):
            status, headers, _ = self.client.put(self.intake.port, *self.records[number])
            statuses.append(status)
            if status == 503:
                self.assertIn("Retry-After", headers)
        self.assertIn(503, statuses)
        resource.prlimit(self.intake.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for number in range(1, len(self.records)):
            self.put(number, {201: 200, 503: 201}[statuses[number - 1]])
        self.assertEqual(len(self.entries("record")), len(self.records))

    def test_removed_file(self):
        """What would be written to a removed file is not acknowledged."""
        if POSTGRES:
            return
        self.start()
        self.put(0, 201)
        for path in self.folder.iterdir():
            path.unlink()
        self.assertEqual(self.put(1, 503), "database")


class LoseServer(Base):
    def test_server_gone(self):
        """503 while PostgreSQL is away; it is connected again by itself, and nothing acknowledged is lost."""
        if not POSTGRES:
            return
        self.start()
        receipt = self.put(0, 201)
        self.postgres.stop("immediate")
        self.assertEqual(self.put(1, 503), "database")
        self.postgres.start()
        self.put(1, 201)
        self.assertEqual(self.put(0, 200), receipt)
        self.assertEqual(len(self.entries("record")), 2)

    def test_two_intakes(self):
        """Two processes behind one database make one log."""
        self.start()
        second = intake.Intake(RECALL_OEM, self.demo, self.database)
        self.addCleanup(second.stop)
        first = self.put(0, 201)
        status, _, body = self.client.put(second.port, *self.records[0])
        self.assertEqual((status, body), (200, first))
        self.assertEqual(self.client.put(second.port, *self.records[1])[0], 201)
        self.put(1, 200)
        self.put(2, 201)
        self.assertEqual(len(self.entries("record")), 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
