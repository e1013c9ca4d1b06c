#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl outbox push, export, import-receipts with a real intake: test-push.py RECALLCTL RECALL-OEM MAKE-RECORDS"""

import http.server
import json
import shutil
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "oem"))
import intake

RECALLCTL, RECALL_OEM, MAKER = sys.argv[1:4]


class Busy(http.server.BaseHTTPRequestHandler):
    """An intake that is too busy and says when to come again, then refuses."""
    answers, seen = [], []

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Busy.seen.append(time.monotonic())
        status, after, body = Busy.answers.pop(0) if Busy.answers else (403, None, {"reason": "signer-not-trusted", "detail": "unknown"})
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if after is not None:
            self.send_header("Retry-After", str(after))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


def setUpModule():
    Outbox.scratch = Path(tempfile.mkdtemp())
    unittest.addModuleCleanup(shutil.rmtree, Outbox.scratch)
    Outbox.demo = Outbox.scratch / "oem"
    subprocess.run([RECALL_OEM, "demo", Outbox.demo], check=True, stdout=subprocess.DEVNULL, timeout=intake.TIMEOUT)
    subprocess.run([MAKER, Outbox.scratch / "made", Outbox.demo], check=True, timeout=intake.TIMEOUT)
    Outbox.vkey = json.loads((Outbox.demo / "intake.json").read_text())["log"]["vkey"]
    data = Outbox.scratch / "made/data"
    for arguments in (["trust", "add", Outbox.demo / "service-root.json", "--name", "aurora"], ["bundle", "import", Outbox.demo / "campaign.recall", "--in-place"]):
        subprocess.run([RECALLCTL, "--data-dir", data, *arguments], check=True, stdout=subprocess.DEVNULL, timeout=intake.TIMEOUT)


class Outbox(unittest.TestCase):
    count = 0

    def setUp(self):
        Outbox.count += 1
        self.folder = self.scratch / f"case-{Outbox.count}"
        self.folder.mkdir()
        self.data = self.folder / "data"
        shutil.copytree(self.scratch / "made/data", self.data)
        self.digests = [digest for digest, _ in intake.records_of(self.data)]

    def serve(self, name="intake.db"):
        server = intake.Intake(RECALL_OEM, self.demo, f"sqlite://{self.folder}/{name}")
        self.addCleanup(lambda: (server.stop(), server.errors.close()))
        return server

    def run_program(self, *command, expect=0):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=intake.TIMEOUT, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ctl(self, *arguments, expect=0, data=None):
        return self.run_program(RECALLCTL, "--json", "--data-dir", data or self.data, *arguments, expect=expect)

    def push(self, url, *more, expect=0, data=None, ca=None):
        return self.ctl("outbox", "push", "--to", url, "--server-ca", ca or self.demo / "intake-ca.pem", "--workstation", self.demo / "workstation.pem",
                        "--passphrase-file", self.demo / "passphrase", *more, expect=expect, data=data)

    def pending(self, data=None):
        return [row["digest"] for row in self.ctl("outbox", data=data)[-1]["pending"]]

    def receipts(self, data=None):
        folder = self.folder / f"export-{len(list(self.folder.iterdir()))}"
        self.ctl("record", "export", folder, data=data)
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tlog-proof"))}

    def test_push(self):
        """The oldest first; each receipt proves its record, and nothing is left."""
        server = self.serve()
        *events, verdict = self.push(server.url)
        self.assertEqual([event["digest"] for event in events], self.digests)
        self.assertEqual((verdict["pushed"], verdict["pending"], self.pending()), (len(self.digests), 0, []))
        receipts = self.receipts()
        found = [intake.open_receipt(receipt, self.vkey) for receipt in receipts.values()]
        self.assertEqual([entry["record"] for entry, *_ in found], self.digests)
        indexes = [index for _, index, *_ in found]
        self.assertEqual(indexes, sorted(indexes))
        self.assertEqual(self.push(server.url)[-1]["pushed"], 0)

    def test_stick(self):
        """Over a storage medium: the receipts are the bytes that an upload of the same records gets."""
        copy = self.folder / "copy"
        shutil.copytree(self.data, copy)
        stick = self.folder / "stick"
        self.ctl("outbox", "export", stick)
        taken, = self.run_program(RECALL_OEM, "--json", "intake", "import", stick, "--database", f"sqlite://{self.folder}/intake.db", "--config", self.demo / "intake.json")
        self.assertEqual((taken["records"], taken["new"]), (len(self.digests), len(self.digests)))
        self.assertEqual(len(self.pending()), len(self.digests))
        for _ in range(2):  # again changes nothing
            verdict, = self.ctl("outbox", "import-receipts", stick)
            self.assertEqual((verdict["receipts"], self.pending()), (len(self.digests), []))
        self.push(self.serve().url, data=copy)
        self.assertEqual(self.receipts(), self.receipts(data=copy))
        self.assertEqual(len(self.receipts()), len(self.digests))

    def test_one_receipt_file(self):
        stick = self.folder / "stick"
        self.ctl("outbox", "export", stick)
        self.run_program(RECALL_OEM, "--json", "intake", "import", stick, "--database", f"sqlite://{self.folder}/intake.db", "--config", self.demo / "intake.json")
        first, *_ = sorted(stick.glob("*.tlog-proof"))
        self.assertEqual(self.ctl("outbox", "import-receipts", first)[-1]["receipts"], 1)
        self.assertEqual(self.pending(), self.digests[1:])

    def test_offline(self):
        """Nothing is lost while the intake cannot be reached, and the next call resumes."""
        server = self.serve()
        server.stop()
        verdict = self.push(server.url, "--retry-for", "0", expect=1)[-1]
        self.assertEqual((verdict["reason"], verdict["pushed"], self.pending()), ("io", 0, self.digests))
        server.start()
        self.assertEqual(self.push(server.url)[-1]["pushed"], len(self.digests))

    def test_back_in_time(self):
        """A record is tried again until the intake is there."""
        server = self.serve()
        port = server.port
        server.stop()
        later = []

        def begin():
            later.append(subprocess.Popen([RECALL_OEM, "intake", "serve", "--listen", f"127.0.0.1:{port}", "--database", f"sqlite://{self.folder}/intake.db", "--config",
                                           self.demo / "intake.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

        timer = threading.Timer(1, begin)
        timer.start()
        verdict = self.push(server.url, "--retry-for", str(intake.TIMEOUT // 2), "--seed", "7")[-1]
        timer.join()
        later[0].terminate()
        later[0].wait(intake.TIMEOUT)
        self.assertEqual((verdict["pushed"], self.pending()), (len(self.digests), []))

    def test_another_server(self):
        """A server whose certificate is under another authority gets nothing."""
        server = self.serve()
        verdict = self.push(server.url, expect=1, ca=self.demo / "dealer-ca.pem")[-1]
        self.assertEqual((verdict["reason"], self.pending()), ("certificate", self.digests))

    def busy(self):
        config = json.loads((self.demo / "intake.json").read_text())["tls"]
        (self.folder / "server.pem").write_text(config["certificate"] + config["key"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), thread.join(), server.server_close()))
        Busy.seen.clear()
        return f"https://127.0.0.1:{server.server_port}"

    def test_busy(self):
        """429 and 503 are tried again, after the time that the intake asks for; a refusal is not, and the others follow."""
        url = self.busy()
        Busy.answers[:] = [(503, 2, {"reason": "database", "detail": "full"}), (429, None, {})]
        *events, verdict = self.push(url, "--retry-for", "60", "--seed", "1", expect=1)
        self.assertEqual([event["reason"] for event in events], ["signer-not-trusted"] * len(self.digests))
        self.assertEqual((verdict["reason"], len(Busy.seen)), ("signer-not-trusted", len(self.digests) + 2))
        self.assertGreaterEqual(Busy.seen[1] - Busy.seen[0], 2)
        self.assertGreater(Busy.seen[2] - Busy.seen[1], 1)

    def test_what_is_no_receipt(self):
        """An intake that answers with anything else has acknowledged nothing."""
        url = self.busy()
        Busy.answers[:] = [(201, None, {"ok": True})] * len(self.digests)
        self.assertEqual(self.push(url, expect=1)[-1]["reason"], "malformed")
        self.assertEqual(self.pending(), self.digests)

    def imported(self, name, demo=None):
        """Receipts of another log, in a folder."""
        stick = self.folder / name
        self.ctl("outbox", "export", stick)
        self.run_program(RECALL_OEM, "--json", "intake", "import", stick, "--database", f"sqlite://{self.folder}/{name}.db", "--config", (demo or self.demo) / "intake.json")
        return stick

    def test_altered_receipts(self):
        stick = self.imported("stick")
        first, second, *_ = sorted(stick.glob("*.tlog-proof"))
        text = second.read_text()
        bad = self.folder / "bad.tlog-proof"
        hashed = text.splitlines()[3]
        for altered, reason in ((text.replace("index 1", "index 0"), "log-proof"), (text.replace(hashed, hashed[:-3] + "AA="), "log-proof"),
                                (text.replace(text.splitlines()[1], first.read_text().splitlines()[1]), "log-proof"), (text.replace("\n3\n", "\n4\n"), "log-signature"),
                                (text.replace("extra ", "other "), "malformed"), ("", "malformed"), (text.replace("log ", "log2 "), "log-signature")):
            self.assertNotEqual(altered, text)
            bad.write_text(altered)
            self.assertEqual(self.ctl("outbox", "import-receipts", bad, expect=1)[-1]["reason"], reason, altered)
        self.assertEqual(self.pending(), self.digests)

    def test_another_log(self):
        """A receipt by another key, and one of a record that is not here."""
        other = self.folder / "other-oem"
        subprocess.run([RECALL_OEM, "demo", other], check=True, stdout=subprocess.DEVNULL, timeout=intake.TIMEOUT)
        config = json.loads((self.demo / "intake.json").read_text())
        config["log"] = json.loads((other / "intake.json").read_text())["log"]
        mixed = self.scratch / "mixed"
        shutil.copytree(self.demo, mixed)
        (mixed / "intake.json").write_text(json.dumps(config))
        stick = self.imported("elsewhere", mixed)
        self.assertEqual(self.ctl("outbox", "import-receipts", stick, expect=1)[-1]["reason"], "log-signature")
        stick = self.imported("stick")
        empty = self.folder / "empty"
        shutil.copytree(self.data, empty, ignore=shutil.ignore_patterns("recallbay.db*"))
        self.assertEqual(self.ctl("outbox", "import-receipts", stick, expect=1, data=empty)[-1]["reason"], "not-found")

    def test_fork(self):
        """The same key signs a second log: an alarm, by the receipts of a storage medium and by an upload."""
        first, second = self.imported("one"), self.folder / "two"
        receipts = sorted(first.glob("*.tlog-proof"))
        self.ctl("outbox", "import-receipts", receipts[0])
        self.ctl("outbox", "export", second)
        self.run_program(RECALL_OEM, "--json", "intake", "import", second, "--database", f"sqlite://{self.folder}/two.db", "--config", self.demo / "intake.json")
        last = sorted(second.glob("*.tlog-proof"))[-1]
        verdict = self.push(self.serve("two.db").url, expect=1)[-1]
        self.assertEqual((verdict["reason"], verdict["pushed"]), ("log-fork", 0))
        self.assertEqual(self.pending(), self.digests[1:])
        self.assertTrue(last.exists())

    def test_a_log_that_goes_back(self):
        """An intake whose database was replaced by an older one no longer has what it signed."""
        database = self.folder / "intake.db"
        server = self.serve()
        server.stop()
        shutil.copy(database, self.folder / "old.db")
        server.start()
        self.push(server.url)
        self.assertEqual(self.pending(), [])
        server.stop()
        for path in self.folder.glob("intake.db*"):
            path.unlink()
        shutil.copy(self.folder / "old.db", database)
        with sqlite3.connect(self.data / "recallbay.db") as db:
            db.execute("DELETE FROM receipts WHERE digest = ?", (self.digests[-1],))
        server.start()
        self.assertEqual(self.push(server.url, expect=1)[-1]["reason"], "log-fork")

    def test_no_log_key(self):
        """Without a trust anchor there is no key to verify receipts with, so nothing is sent."""
        server = self.serve()
        bare = self.folder / "bare"
        bare.mkdir()
        shutil.copy(self.data / "recallbay.db", bare)
        self.assertEqual(self.push(server.url, expect=1, data=bare)[-1]["reason"], "no-trust-anchor")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
