#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A region's file of VIN packs and a scope in a table: the format as another program reads it, changed bytes, a vehicle recovered by it.
Usage: test-region.py BUILD"""
import hashlib
import io
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

from bench import Bench

PIECES = 65536


class Table:
    """model/vin-index.h, written from its description"""

    def __init__(self, data):
        assert data[:16] == b"recallbay-vins-1" and len(data) == 64 + PIECES * 36
        self.salt = data[16:48]
        self.vins, self.size = struct.unpack(">QQ", data[48:64])
        self.rows = [(data[at:at + 32], struct.unpack(">I", data[at + 32:at + 36])[0]) for at in range(64, len(data), 36)]

    def entries(self, pieces):
        """digest → contents, everything checked"""
        found, at = {}, 0
        for number, (digest, length) in enumerate(self.rows):
            piece = pieces[at:at + length]
            assert hashlib.sha256(piece).digest() == digest
            at += length
            while piece:
                key, size = piece[:32], struct.unpack(">I", piece[32:36])[0]
                assert int.from_bytes(key[:2], "big") == number and (not found or key > max(list(found)[-1:])), number
                found[key] = piece[36:36 + size]
                piece = piece[36 + size:]
        assert at == len(pieces) == self.size and len(found) == self.vins
        return found

    def digest(self, vin):
        return hashlib.sha256(self.salt + vin.encode()).digest()

    def place(self, vin):
        """offset and length of the VIN's piece"""
        number = int.from_bytes(self.digest(vin)[:2], "big")
        return sum(length for _, length in self.rows[:number]), self.rows[number][1]


def pack_of(entry):
    lengths = struct.unpack(">4I", entry[:16])
    files, at = [], 16
    for length in lengths:
        files.append(entry[at:at + length])
        at += length
    assert at == len(entry)
    return dict(zip(("timestamp", "snapshot", "targets", "she"), files))


def read_tar(path):
    with tarfile.open(path) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar.getmembers() if member.isfile()]


def write_tar(path, files):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


class Region(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = Bench(BUILD, scenario="image-supplier", demo=("--vehicles", "6", "--region", "north", "--image-size", "4096"))
        cls.addClassCleanup(cls.bench.close)
        cls.files = dict(read_tar(cls.bench.oem / "campaign.recall"))
        cls.vehicles = json.loads((cls.bench.oem / "vehicles.json").read_text())
        cls.scope_name, = (name for name in cls.files if name.startswith("scopes/"))
        cls.scope = Table(cls.files[f"service/targets/{cls.scope_name[:-len('.pieces')]}.table"])
        cls.region = Table(cls.files["service/targets/regions/north.table"])
        cls.bench.ctl("trust", "add", cls.bench.oem / "service-root.json", "--name", "OEM")

    def setUp(self):
        shutil.rmtree(self.bench.data / "library", ignore_errors=True)
        self.file = self.bench.root / "changed.recall"

    def imported(self):
        return self.bench.ctl("bundle", "import", self.bench.oem / "campaign.recall")

    def refused(self, files):
        write_tar(self.file, list(files.items()) if isinstance(files, dict) else files)
        return self.bench.ctl("bundle", "import", self.file, expect=1)["reason"]

    def place(self):
        return self.bench.data / "library" / "OEM" / self.bench.campaign

    def test_format(self):
        scope = self.scope.entries(self.files[self.scope_name])
        self.assertEqual(set(scope), {self.scope.digest(vin) for vin in self.vehicles["in_scope"]})
        self.assertEqual(set(scope.values()), {b""})
        region = self.region.entries(self.files["vins/regions/north.pieces"])
        self.assertNotEqual(self.region.salt, self.scope.salt)
        for vin in self.vehicles["in_scope"]:
            pack = pack_of(region[self.region.digest(vin)])
            self.assertIn(vin.encode(), pack["targets"])
            self.assertEqual(json.loads(pack["timestamp"])["signed"]["version"], json.loads(pack["snapshot"])["signed"]["version"])
        campaign = json.loads(self.files[f"service/targets/campaigns/{self.bench.campaign}.json"])
        table = self.files["service/targets/" + campaign["scope"]["table"]]
        self.assertEqual(campaign["scope"]["sha256"], hashlib.sha256(table).hexdigest())

    def test_import_and_check(self):
        self.assertEqual(self.imported()["vin_packs"], len(self.vehicles["in_scope"]))
        self.assertLess(sum(path.is_file() for path in self.place().rglob("*")), 30)
        for vin in self.vehicles["in_scope"]:
            self.assertEqual([row["campaign"] for row in self.bench.ctl("campaign", "check", vin)["campaigns"]], [self.bench.campaign])
        outside, = self.vehicles["out_of_scope"]
        self.assertEqual(self.bench.ctl("campaign", "check", outside)["campaigns"], [])
        listed, = self.bench.ctl("bundle", "list")["campaigns"]
        self.assertEqual(listed["vin_packs"], len(self.vehicles["in_scope"]))

    def test_changed_on_the_way(self):
        region, table = "vins/regions/north.pieces", "service/targets/regions/north.table"
        for name in (self.scope_name, region):
            data = self.files[name]
            for at in (0, len(data) // 2, len(data) - 1):
                self.assertEqual(self.refused({**self.files, name: flipped(data, at)}), "hash-mismatch")
            for wrong in (data[:-1], data + b"\0", b""):
                self.assertEqual(self.refused({**self.files, name: wrong}), "length-mismatch")
            self.assertEqual(self.refused({key: value for key, value in self.files.items() if key != name}), "missing")
        for name in (table, f"service/targets/{self.scope_name[:-len('.pieces')]}.table"):
            self.assertEqual(self.refused({**self.files, name: flipped(self.files[name], 100)}), "hash-mismatch")
            self.assertIn(self.refused({**self.files, name: self.files[name][:-36]}), ("length-mismatch", "hash-mismatch"))
        self.assertEqual(self.refused({key: value for key, value in self.files.items() if key != table}), "target-missing")
        renamed = [("vins/regions/south.pieces" if name == region else name, data) for name, data in self.files.items()]
        self.assertEqual(self.refused(renamed), "target-missing")
        for name in ("vins/regions/../x.pieces", "vins/regions/a/b.pieces", "vins/regions/.pieces", "scopes/x.table", "service/targets/regions/x.json"):
            self.assertEqual(self.refused(list(self.files.items())[:3] + [(name, b"")]), "path")
        self.assertFalse((self.bench.data / "library" / "OEM").exists())

    def test_scope_changed_in_the_library(self):
        """The VINs of one piece are not told from others any more; the rest are."""
        self.imported()
        path = self.place() / self.scope_name
        vin, other = self.vehicles["in_scope"][:2]
        self.assertNotEqual(self.scope.place(vin), self.scope.place(other))
        good = path.read_bytes()
        path.write_bytes(flipped(good, self.scope.place(vin)[0] + 40 % self.scope.place(vin)[1]))
        self.assertEqual(self.bench.ctl("campaign", "check", vin, expect=1)["reason"], "hash-mismatch")
        self.assertEqual(len(self.bench.ctl("campaign", "check", other)["campaigns"]), 1)
        path.write_bytes(good[:self.scope.place(vin)[0]])
        self.assertEqual(self.bench.ctl("campaign", "check", vin, expect=1)["reason"], "hash-mismatch")
        path.unlink()
        self.assertEqual(self.bench.ctl("campaign", "check", other, expect=1)["reason"], "missing")

    def pack(self, vin, output, expect=0):
        out = self.bench.run("recall-oem", "--json", "--data-dir", self.bench.oem / "oem", "campaign", "pack", self.bench.campaign, vin,
                             "-o", output, expect=expect)
        return json.loads(out.splitlines()[-1])

    def test_pack_beside_a_region(self):
        """A newer pack for one vehicle, written to a pipe; the OEM knows the scope by its table too."""
        self.imported()
        vin = self.vehicles["in_scope"][1]
        pipe, pack = self.bench.root / "pipe", self.bench.root / "one.pack"
        os.mkfifo(pipe)
        self.addCleanup(pipe.unlink)
        with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
            self.assertEqual(self.pack(vin, pipe)["vin"], vin)
            pack.write_bytes(reader.stdout.read())
        self.assertTrue(stat.S_ISFIFO(pipe.lstat().st_mode))
        self.bench.ctl("bundle", "import", pack)
        self.assertTrue((self.place() / "vins" / vin / "director" / "targets.json").exists())
        self.imported()
        self.assertTrue((self.place() / "vins" / vin / "director" / "targets.json").exists())
        self.assertEqual(len(self.bench.ctl("campaign", "check", vin)["campaigns"]), 1)
        self.assertEqual(self.pack(self.vehicles["out_of_scope"][0], pack, expect=1)["reason"], "not-in-scope")
        pieces = self.bench.oem / "oem" / "campaigns" / f"{self.bench.campaign}.pieces"
        good = pieces.read_bytes()
        self.addCleanup(pieces.write_bytes, good)
        pieces.write_bytes(flipped(good, self.scope.place(vin)[0]))
        self.assertEqual(self.pack(vin, pack, expect=1)["reason"], "hash-mismatch")

    def test_vehicle(self):
        """Recovered by its pack out of the region's file, and refused while a byte of it is another one; an auditor reads the same scope."""
        self.imported()
        self.bench.start()
        self.addCleanup(self.bench.stop)
        path = self.place() / "vins" / "regions" / "north.pieces"
        good = path.read_bytes()
        offset, length = self.region.place(self.bench.vin)
        path.write_bytes(flipped(good, offset + length - 1))
        verdict = self.bench.recover(expect=1)
        self.assertEqual(verdict["reason"], "hash-mismatch", verdict)
        self.assertNotIn('"erase"', self.bench.log.read_text() if self.bench.log.exists() else "")
        path.write_bytes(good)
        verdict = self.bench.recover()
        self.assertEqual(verdict["result"], "completed", verdict)
        expected = json.loads((self.bench.oem / "expected.json").read_text())
        shown = self.bench.show()
        self.assertEqual({serial: shown[serial]["image_sha256"] for serial in expected},
                         {serial: facts["image_sha256"] for serial, facts in expected.items()})
        out = self.bench.root / "records"
        self.bench.ctl("record", "export", out)
        record, = (file for file in out.iterdir() if re.fullmatch(r"\d+-[0-9a-f]{64}\.json", file.name))
        judged = self.bench.ctl("record", "verify", record, "--trust", self.bench.oem / "dealer-ca.pem", "--bundle", self.bench.oem / "campaign.recall",
                                "--service-root", self.bench.oem / "service-root.json")
        self.assertIn("campaign", judged["checked"])


BUILD = Path(sys.argv[1])

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=1)
