#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From a recovered vehicle to an audited record, over the network and over a storage medium. Usage: test-records-home.py BUILD"""
import json
import sys
import unittest
from pathlib import Path

from bench import Bench

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oem"))
import intake

BUILD = Path(sys.argv.pop(1))


class RecordsHome(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD)
        self.addCleanup(self.bench.close)
        self.bench.start()
        self.bench.trust_and_import()
        self.done = self.bench.recover()
        self.bench.stop()

    def audit(self, database, receipts):
        out = self.bench.run("recall-oem", "--json", "audit", "verify", "--database", database, "--config", self.bench.oem / "intake.json", "--receipts", receipts)
        return json.loads(out.splitlines()[-1])

    def test_both_ways(self):
        oem, root = self.bench.oem, self.bench.root
        uploaded, carried = f"sqlite://{root}/uploaded.db", f"sqlite://{root}/carried.db"
        stick = root / "stick"
        self.bench.ctl("outbox", "export", stick)
        server = intake.Intake(BUILD / "src/recall-oem", oem, uploaded)
        self.addCleanup(lambda: (server.stop(), server.errors.close()))
        pushed = self.bench.ctl("outbox", "push", "--to", server.url, "--server-ca", oem / "intake-ca.pem", "--workstation", oem / "workstation.pem",
                                "--passphrase-file", oem / "passphrase")
        self.assertEqual((pushed["pushed"], pushed["pending"]), (1, 0))
        client, vkey = intake.Client(oem), json.loads((oem / "intake.json").read_text())["log"]["vkey"]
        while len(intake.read_log(client, server.port, vkey)[0]) < 2:
            pass  # the verdict follows
        self.assertEqual(intake.read_log(client, server.port, vkey)[0][1]["reason"], "ok")
        home = root / "home"
        self.bench.ctl("record", "export", home)
        receipt, = home.glob("*.tlog-proof")
        self.assertIn(self.done["record"], receipt.name)
        self.assertEqual(intake.open_receipt(receipt.read_bytes(), vkey)[0]["record"], self.done["record"])
        verdict = self.audit(uploaded, home)
        self.assertEqual((verdict["records"], verdict["anchors"], verdict["log"]["faults"], verdict["log"]["rewrite_excluded"], verdict["open"]), (1, "config", 0, True, []))
        self.bench.run("recall-oem", "intake", "import", stick, "--database", uploaded, "--config", oem / "intake.json")
        self.assertEqual((stick / receipt.name).read_bytes(), receipt.read_bytes())
        self.bench.run("recall-oem", "intake", "import", stick, "--database", carried, "--config", oem / "intake.json")
        self.assertEqual(self.audit(carried, stick)["log"]["faults"], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
