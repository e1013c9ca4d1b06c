#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recall-oem audit verify over an intake's database, altered behind its back: test-log-audit.py RECALL-OEM MAKE-RECORDS"""

import base64
import contextlib
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import intake

RECALL_OEM, MAKER = sys.argv[1:3]


def run(*command, expect=0):
    done = subprocess.run([RECALL_OEM, "--json", *map(str, command)], capture_output=True, text=True, timeout=intake.TIMEOUT, check=False)
    if done.returncode != expect:
        raise AssertionError(f"{command}: exit {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


@contextlib.contextmanager
def opened(path):
    """Closed at the end, so that no file of the log beside it is left for the next copy."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        yield db


def export(data, folder):
    folder.mkdir()
    for number, (digest, envelope) in enumerate(intake.records_of(data)):
        (folder / f"{number + 1}-{digest}.json").write_bytes(envelope)


def setUpModule():
    """An intake's database of the records of one workstation, with verdicts; the receipts; the checkpoint."""
    scratch = Path(tempfile.mkdtemp())
    unittest.addModuleCleanup(shutil.rmtree, scratch)
    Audit.scratch, Audit.demo, Audit.records = scratch, scratch / "oem", scratch / "records"
    run("demo", Audit.demo)
    subprocess.run([MAKER, scratch / "made", Audit.demo], check=True, timeout=intake.TIMEOUT)
    export(scratch / "made/data", Audit.records)
    Audit.config = Audit.demo / "intake.json"
    Audit.vkey = json.loads(Audit.config.read_text())["log"]["vkey"]
    Audit.pristine = scratch / "pristine.db"
    run("intake", "import", Audit.records, "--database", f"sqlite://{Audit.pristine}", "--config", Audit.config)
    server = intake.Intake(RECALL_OEM, Audit.demo, f"sqlite://{Audit.pristine}")
    client = intake.Client(Audit.demo)
    while len(intake.read_log(client, server.port, Audit.vkey)[0]) < 2 * len(list(Audit.records.glob("*.json"))):
        pass
    (scratch / "checkpoint").write_bytes(client.ask(server.port, "GET", "/v1/checkpoint")[2])
    server.stop()
    server.errors.close()
    Audit.receipts = scratch / "receipts"
    Audit.receipts.mkdir()
    for path in Audit.records.glob("*.tlog-proof"):
        shutil.copy(path, Audit.receipts)
    with opened(Audit.pristine) as db:
        db.execute("PRAGMA wal_checkpoint (TRUNCATE)")


class Audit(unittest.TestCase):
    count = 0

    def setUp(self):
        Audit.count += 1
        self.file = self.scratch / f"case-{Audit.count}.db"
        shutil.copy(self.pristine, self.file)

    def sql(self, *statements):
        with opened(self.file) as db:
            for statement in statements:
                db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)

    def audit(self, *more, expect=0, config=True, file=None):
        anchors = ["--config", self.config] if config else []
        return run("audit", "verify", "--database", f"sqlite://{file or self.file}", *anchors, *more, expect=expect)

    def faults(self, *more, **how):
        """(reason of the verdict, the rows that are named)"""
        *events, verdict = self.audit(*more, expect=1, **how)
        rows = [event["row"] for event in events if event["event"] == "fault"]
        self.assertEqual(verdict["log"]["faults"], len(rows))
        self.assertNotEqual(rows, [])
        return verdict["reason"], rows

    def test_good(self):
        *_, verdict = self.audit("--receipts", self.receipts, "--checkpoint", self.scratch / "checkpoint")
        self.assertEqual((verdict["ok"], verdict["anchors"], verdict["records"]), (True, "config", 3))
        self.assertEqual(verdict["log"], {"anchor": "recall.aurora-motors.example/log", "faults": 0, "size": 6, "rewrite_excluded": True, "receipts_after_checkpoint": []})
        self.assertEqual((verdict["without_verdict"], verdict["refused"], verdict["without_receipt"]), (0, [], []))

    def test_without_anchors(self):
        """It says that it has none, and that a rewritten database cannot be excluded."""
        *_, verdict = self.audit(config=False)
        self.assertEqual((verdict["anchors"], verdict["log"]["anchor"], verdict["log"]["rewrite_excluded"]), ("none", "none", False))
        *_, verdict = self.audit()
        self.assertFalse(verdict["log"]["rewrite_excluded"])
        self.assertIn("cannot be excluded", verdict["message"])
        self.assertEqual(self.audit("--receipts", self.receipts, expect=1, config=False)[-1]["reason"], "no-trust-anchor")
        self.audit("--log-key", self.vkey, "--receipts", self.receipts, config=False)

    def test_each_value_changed(self):
        """Whatever value of whatever row is changed, the row is named."""
        with opened(self.file) as db:
            cells = [(table, column, row) for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
                     for _, column, *_ in db.execute(f"PRAGMA table_info ({table})").fetchall()
                     for (row,) in db.execute(f"SELECT rowid FROM {table}").fetchall()]
        self.assertGreater(len(cells), 40)
        for table, column, row in cells:
            shutil.copy(self.pristine, self.file)
            with opened(self.file) as db:
                (value,) = db.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (row,)).fetchone()
                if isinstance(value, bytes):
                    value = value[:-2] + bytes([value[-2] ^ 1]) + value[-1:]
                elif isinstance(value, str):
                    value = value[:-2] + ("0" if value[-2] != "0" else "1") + value[-1:]
                else:
                    value += 1000
                db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
            with self.subTest(table=table, column=column, row=row):
                self.faults()

    def test_each_row_deleted(self):
        with opened(self.file) as db:
            rows = [(table, row) for table in ("entries", "records", "receipts", "verdicts", "tiles", "head", "ledger_schema") for (row,) in db.execute(f"SELECT rowid FROM {table}").fetchall()]
        for table, row in rows:
            shutil.copy(self.pristine, self.file)
            self.sql((f"DELETE FROM {table} WHERE rowid = ?", (row,)))
            with self.subTest(table=table, row=row):
                self.faults()

    def test_rows_inserted(self):
        for statement in ("INSERT INTO entries SELECT 6, entry FROM entries WHERE idx = 0", "INSERT INTO records SELECT 'x', digest, 5, envelope FROM records WHERE idx = 0",
                          "INSERT INTO receipts SELECT 5, receipt FROM receipts WHERE idx = 0", "INSERT INTO verdicts VALUES (77, 77)",
                          "INSERT INTO tiles SELECT 1, 0, hashes FROM tiles WHERE level = 0", "INSERT INTO tiles SELECT 0, 9, hashes FROM tiles WHERE number = 0",
                          "INSERT INTO head SELECT 2, size, note FROM head", "INSERT INTO head SELECT NULL, size, note FROM head", "INSERT INTO ledger_schema VALUES (2, 1)",
                          *(f"INSERT INTO entries SELECT {key}, entry FROM entries WHERE idx = 0" for key in (1006, -1, "NULL", "'x'")),
                          *(f"INSERT INTO receipts SELECT {key}, receipt FROM receipts WHERE idx = 0" for key in (1006, -1, "NULL", "'x'")),
                          *(f"INSERT INTO verdicts VALUES ({key}, 77)" for key in (1006, -1, "NULL", "'x'"))):
            shutil.copy(self.pristine, self.file)
            self.sql(statement)
            with self.subTest(statement):
                self.faults()

    def test_a_record_that_is_gone(self):
        """The entry, and the receipt from outside, say which it was."""
        digest = sorted(self.records.glob("2-*.json"))[0].stem[2:]
        self.sql(("DELETE FROM records WHERE digest = ?", (digest,)), ("DELETE FROM receipts WHERE idx NOT IN (SELECT idx FROM records)",))
        reason, rows = self.faults()
        self.assertEqual((reason, rows), ("missing", ["entry 1"]))
        self.assertIn(f"2-{digest}.tlog-proof", self.faults("--receipts", self.receipts)[1])

    def rewritten(self, numbers, name, demo=None):
        """A database made anew of some of the records."""
        folder, file = self.scratch / f"folder-{name}", self.scratch / f"{name}.db"
        folder.mkdir()
        for number in numbers:
            path, = self.records.glob(f"{number}-*.json")
            shutil.copy(path, folder)
        run("intake", "import", folder, "--database", f"sqlite://{file}", "--config", demo or self.config)
        return file

    def test_rewritten_by_another_key(self):
        other = self.scratch / "other-oem"
        run("demo", other)
        mixed = json.loads(self.config.read_text())
        mixed["log"] = json.loads((other / "intake.json").read_text())["log"]
        (self.demo / "mixed.json").write_text(json.dumps(mixed))
        file = self.rewritten((1, 2, 3), "another-key", self.demo / "mixed.json")
        self.assertEqual(self.faults(file=file)[0], "log-signature")

    def test_rewritten_by_the_right_key(self):
        """With the last record dropped, or with none: the log is a good one, and not the one that was shown."""
        for numbers in ((1, 2), (1, 2, 3)):
            file = self.rewritten(numbers, f"right-key-{len(numbers)}")
            *_, verdict = self.audit(file=file)
            self.assertFalse(verdict["log"]["rewrite_excluded"])
            self.assertEqual(self.faults("--checkpoint", self.scratch / "checkpoint", file=file)[0], "log-fork")
            reason, rows = self.faults("--receipts", self.receipts, file=file)
            self.assertIn(reason, ("missing", "log-fork"))
            self.assertIn(sorted(self.receipts.iterdir())[-1].name, rows)

    def test_rewritten_with_a_record_dropped(self):
        """By the right key, an earlier record dropped: each anchor alone names it."""
        file = self.rewritten((1, 3), "dropped")
        for anchor in (self.scratch / "checkpoint", self.cosigned("witnessed")):
            self.assertEqual(self.faults("--checkpoint", anchor, file=file)[0], "log-fork")
        self.assertIn(self.faults("--receipts", self.receipts, file=file)[0], ("missing", "log-fork"))

    def cosigned(self, name):
        """The checkpoint as a witness gives it: its timestamped Ed25519 cosignature, by C2SP tlog-cosignature, is one line more."""
        note = (self.scratch / "checkpoint").read_text()
        key, witness, time = Ed25519PrivateKey.generate(), "witness.example/w1", 1796083200
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        ident = hashlib.sha256(witness.encode() + b"\n\x04" + public).digest()[:4]
        signature = key.sign(f"cosignature/v1\ntime {time}\n{note.partition(chr(10) * 2)[0]}\n".encode())
        line = base64.b64encode(ident + time.to_bytes(8, "big") + signature).decode()
        path = self.scratch / name
        path.write_text(f"{note}\u2014 {witness} {line}\n")
        return path

    def test_a_witness_s_checkpoint(self):
        """A cosigned checkpoint is an anchor: the signature line of a key that is not the log's is skipped."""
        *_, verdict = self.audit("--checkpoint", self.cosigned("cosigned"))
        self.assertEqual((verdict["ok"], verdict["log"]["rewrite_excluded"]), (True, True))

    def test_an_older_checkpoint(self):
        """A checkpoint that is older than a receipt does not cover it: named, and no fault."""
        old = self.scratch / "old-checkpoint"
        receipts = sorted(self.receipts.iterdir())
        old.write_text(receipts[0].read_text().partition("\n\n")[2])
        size = int(old.read_text().split("\n")[1])
        later = [path.name for path in receipts if int(path.read_text().split("\nindex ")[1].split("\n")[0]) >= size]
        *_, verdict = self.audit("--receipts", self.receipts, "--checkpoint", old)
        self.assertEqual(verdict["log"]["receipts_after_checkpoint"], later)

    def test_a_folder(self):
        """Receipts beside records are verified where the log's key is known; one without its record is named."""
        folder = self.scratch / "folder"
        shutil.copytree(self.records, folder)
        verify = lambda *more, expect=0: run("audit", "verify", folder, "--config", self.config, *more, expect=expect)[-1]
        self.assertEqual((verify()["without_receipt"], verify()["log"]["faults"]), ([], 0))
        receipt = sorted(folder.glob("2-*.tlog-proof"))[0]
        text = receipt.read_text()
        receipt.write_text(text.replace("index 1", "index 0"))
        self.assertEqual(verify(expect=1)["reason"], "log-proof")
        receipt.unlink()
        self.assertEqual(len(verify()["without_receipt"]), 1)
        last = sorted(folder.glob("3-*.json"))[0]
        last.unlink()
        self.assertEqual(verify(expect=1)["reason"], "missing")
        self.assertEqual(verify("--receipts", self.receipts, expect=1)["reason"], "missing")

    def by_hand(self, record, receipt, vkey=None):
        """The lines of record-format.md, with openssl and the standard library of python3."""
        section = (Path(__file__).resolve().parents[2] / "data/doc/record-format.md").read_text().split("## Verify a receipt by hand", 1)[1]
        lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
        self.assertLessEqual(len(lines), 60)
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        (folder / "record.json").write_bytes(record)
        (folder / "record.tlog-proof").write_text(receipt)
        (folder / "log.vkey").write_text(vkey or self.vkey)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], cwd=folder, capture_output=True, text=True, timeout=intake.TIMEOUT, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_by_hand(self):
        """Every receipt verifies; with one thing changed, none does."""
        pairs = [(path.read_bytes(), path.with_suffix(".tlog-proof").read_text()) for path in sorted(self.records.glob("*.json"))]
        for record, receipt in pairs:
            code, text = self.by_hand(record, receipt)
            self.assertEqual(code, 0, text)
            self.assertIn("received 20", text)
        record, receipt = pairs[1]
        for altered in (pairs[0][0], record + b" "):
            self.assertNotEqual(self.by_hand(altered, receipt)[0], 0)
        step = receipt.splitlines()[3]
        for altered in (receipt.replace("index 1", "index 0"), receipt.replace(step, base64.b64encode(bytes(32)).decode()), receipt.replace("\n3\n", "\n4\n"), pairs[0][1]):
            self.assertNotEqual(altered, receipt)
            self.assertNotEqual(self.by_hand(record, altered)[0], 0)
        self.assertNotEqual(self.by_hand(record, receipt, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[0], 0)

    def test_usage(self):
        self.assertEqual(run("audit", "verify", expect=2)[-1]["reason"], "usage")
        self.assertEqual(run("audit", "verify", self.records, "--database", f"sqlite://{self.file}", expect=2)[-1]["reason"], "usage")
        self.assertEqual(run("audit", "verify", "--database", "file.db", expect=1)[-1]["reason"], "config")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
