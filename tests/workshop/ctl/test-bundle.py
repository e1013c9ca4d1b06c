#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl trust, bundle and campaign against bundles that somebody has cut, bent or made up: a reason, exit 1, and nothing stored"""

import base64
import contextlib
import hashlib
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import unittest
from pathlib import Path

RECALLCTL, RECALL_OEM = sys.argv[1:3]
SEED = 20261123


def run(*arguments, data):
    done = subprocess.run([RECALLCTL, "--json", "--data-dir", str(data), *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def stored(data):
    """every file, by digest"""
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(Path(data).rglob("*")) if path.is_file()}


def read_tar(path):
    with tarfile.open(path) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar.getmembers() if member.isfile()]


def write_tar(path, files, mode="w"):
    with tarfile.open(path, mode, format=tarfile.USTAR_FORMAT) as tar:
        for file in files:
            member, data = file if isinstance(file[0], tarfile.TarInfo) else (tarfile.TarInfo(file[0]), file[1])
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


class Bundle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.made)
        cls.oem = cls.made / "oem"
        subprocess.run([RECALL_OEM, "demo", str(cls.oem), "--image-size", "20000"], check=True, stdout=subprocess.DEVNULL)
        cls.bundle = cls.oem / "campaign.recall"
        cls.campaign = (cls.oem / "campaign.txt").read_text().strip()
        cls.vin = (cls.oem / "vin.txt").read_text().strip()
        cls.files = read_tar(cls.bundle)
        cls.trusted = cls.made / "trusted"
        assert run("trust", "add", cls.oem / "service-root.json", "--name", "Aurora", data=cls.trusted)[0] == 0

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=self.made))
        self.data = self.folder / "data"
        shutil.copytree(self.trusted, self.data)
        self.file = self.folder / "bundle.recall"

    def refused(self, bundle=None, *options, data=None):
        data = data or self.data
        before = stored(data)
        code, verdict = run("bundle", "import", bundle or self.file, *options, data=data)
        self.assertEqual(code, 1, verdict)
        self.assertFalse(verdict["ok"])
        self.assertNotEqual(verdict["reason"], "internal")
        self.assertEqual(stored(data), before, verdict)
        self.assertEqual([path.name for path in (data / "library").glob(".scratch-*")], [])
        code, same = run("bundle", "verify", bundle or self.file, data=data)
        self.assertEqual((code, same["reason"]), (1, verdict["reason"]), same)
        return verdict["reason"]

    def imported(self, bundle=None, *options):
        code, verdict = run("bundle", "import", bundle or self.file, *options, data=self.data)
        self.assertEqual(code, 0, verdict)
        self.assertEqual(verdict["campaign"], self.campaign)
        return verdict

    def changed(self, name, data):
        files = [(path, data if path == name else old) for path, old in self.files]
        self.assertIn(name, [path for path, _ in files])
        write_tar(self.file, files)

    def test_trust_update_brings_the_trust_list(self):
        """From a bundle that is not imported: for which vehicles the anchor may speak is known by then."""
        anchors = run("trust", "list", data=self.data)[1]["anchors"]
        self.assertEqual(anchors[0].get("wmi", []), [], anchors)
        code, verdict = run("trust", "update", self.bundle, data=self.data)
        self.assertEqual((code, verdict["anchors"][0]["wmi"]), (0, ["1RB"]), verdict)
        self.assertEqual(run("bundle", "list", data=self.data)[1]["campaigns"], [])
        self.imported(self.bundle)
        write_tar(self.file, [(name, b"{}" if name == "service/targets/trust/trust-list.json" else data) for name, data in self.files])
        before = stored(self.data)
        self.assertEqual(run("trust", "update", self.file, data=self.data)[1]["reason"], "length-mismatch")
        self.assertEqual(stored(self.data), before)

    # what is good

    def test_import_list_show_check_remove(self):
        verdict = self.imported(self.bundle)
        self.assertEqual(verdict["anchor"], "Aurora")
        _, listed = run("bundle", "list", data=self.data)
        self.assertEqual([row["campaign"] for row in listed["campaigns"]], [self.campaign])
        self.assertFalse(listed["campaigns"][0]["damaged"])
        code, shown = run("bundle", "show", self.campaign, data=self.data)
        self.assertEqual(code, 0)
        self.assertEqual(shown["campaign_sha256"],
                         hashlib.sha256(dict(self.files)[f"service/targets/campaigns/{self.campaign}.json"]).hexdigest())
        _, found = run("campaign", "check", self.vin, data=self.data)
        self.assertEqual([row["campaign"] for row in found["campaigns"]], [self.campaign])
        self.assertTrue(found["campaigns"][0]["pack"])
        code, found = run("campaign", "check", "1RBDM7AA2TA999999", data=self.data)
        self.assertEqual((code, found["campaigns"]), (0, []))
        self.assertEqual(run("campaign", "check", "NOT-A-VIN", data=self.data)[1]["reason"], "vin-invalid")
        images = {path.name: path for path in (self.data / "store" / "sha256").iterdir()}
        self.assertEqual(set(images), {hashlib.sha256(data).hexdigest() for name, data in self.files if name.startswith("image/targets/")})
        for digest, path in images.items():
            self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), digest)

    def test_again_is_fine(self):
        self.imported(self.bundle)
        before = {name: digest for name, digest in stored(self.data).items() if not name.endswith("import.json")}
        self.imported(self.bundle)
        self.assertEqual({name: digest for name, digest in stored(self.data).items() if not name.endswith("import.json")}, before)

    def test_folder(self):
        with tarfile.open(self.bundle) as tar:
            tar.extractall(self.folder / "stick")
        self.imported(self.folder / "stick")

    def test_in_place(self):
        for source in (self.bundle, self.folder / "stick"):
            if source != self.bundle:
                with tarfile.open(self.bundle) as tar:
                    tar.extractall(source)
            self.imported(source, "--in-place")
            self.assertFalse((self.data / "store").exists() and any((self.data / "store" / "sha256").iterdir()))
            _, listed = run("bundle", "list", data=self.data)
            self.assertEqual(listed["campaigns"][0]["in_place"], str(source))

    def test_zstd_without_images(self):
        metadata = [file for file in self.files if not file[0].startswith("image/targets/")]
        self.compress(metadata)
        self.assertEqual(self.refused(), "image-missing")
        self.imported(self.bundle)
        self.imported()

    def compress(self, files):
        plain = self.folder / "plain.tar"
        write_tar(plain, files)
        subprocess.run(["bsdtar", "--zstd", "-cf", str(self.file), f"@{plain}"], check=True) if shutil.which("bsdtar") \
            else subprocess.run(["zstd", "-q", "-f", str(plain), "-o", str(self.file)], check=True)

    # who made it

    def test_no_anchor(self):
        self.assertEqual(self.refused(self.bundle, data=self.folder / "nothing"), "no-trust-anchor")

    def test_wrong_oem(self):
        self.assertEqual(self.refused(self.other_oem() / "campaign.recall"), "wrong-oem")

    def test_anchor_rules(self):
        root = self.oem / "service-root.json"
        self.assertEqual(run("trust", "add", root, "--name", "Aurora", data=self.data)[0], 0)
        self.assertEqual(run("trust", "add", root, "--name", "Other", data=self.data)[1]["reason"], "exists")
        bent = json.loads(root.read_text())
        bent["signed"]["version"] = 7
        (self.folder / "bent.json").write_text(json.dumps(bent))
        before = stored(self.data)
        code, verdict = run("trust", "add", self.folder / "bent.json", "--name", "Bent", data=self.data)
        self.assertEqual(code, 1)
        self.assertIn(verdict["reason"], ("bad-signature", "threshold-unmet"))
        code, verdict = run("trust", "add", self.folder / "bent.json", "--name", "../Bent", data=self.data)
        self.assertNotEqual(code, 0)
        self.assertEqual(stored(self.data), before)
        _, listed = run("trust", "list", data=self.data)
        self.assertEqual([row["name"] for row in listed["anchors"]], ["Aurora"])

    def replace(self, first, second, root=None, name="Aurora"):
        return run("trust", "replace", root or self.other_oem() / "service-root.json", "--name", name, "--identity", first,
                   "--second", second, "--passphrase-file", self.oem / "passphrase", data=self.data)

    def other_oem(self):
        other = self.made / "other"
        if not other.exists():
            subprocess.run([RECALL_OEM, "demo", str(other), "--image-size", "20000"], check=True, stdout=subprocess.DEVNULL)
        return other

    def test_two_people_replace_an_anchor(self):
        technician, second = self.oem / "technician.p12", self.oem / "second.p12"
        before = stored(self.data)
        for arguments, reason in (((technician, technician), "same-person"), ((self.oem / "workstation.pem", second), "key-usage"),
                                  ((technician, self.folder / "none.p12"), "not-found")):
            code, verdict = self.replace(*arguments)
            self.assertEqual((code, verdict["reason"]), (1, reason), verdict)
        code, verdict = self.replace(technician, second, root=self.bundle)
        self.assertEqual((code, verdict["reason"]), (1, "malformed"), verdict)
        code, verdict = self.replace(technician, second, name="Nobody")
        self.assertEqual((code, verdict["reason"]), (1, "not-found"), verdict)
        self.assertEqual(stored(self.data), before)
        code, verdict = self.replace(technician, second)
        self.assertEqual(code, 0, verdict)
        envelope = json.loads(next((self.data / "trust" / "Aurora").glob("replaced-*.json")).read_text())
        self.assertEqual(len(envelope["signatures"]), 2)
        statement = json.loads(base64.b64decode(envelope["payload"]))
        self.assertEqual(statement["after"], verdict["sha256"])
        self.assertEqual(self.refused(self.bundle), "wrong-oem")

    def test_update(self):
        self.assertEqual(run("trust", "update", data=self.data)[1]["anchors"][0]["version"], 1)
        self.assertEqual(run("trust", "update", self.bundle, data=self.data)[1]["anchors"][0]["name"], "Aurora")
        code, verdict = run("trust", "update", self.other_oem() / "campaign.recall", data=self.data)
        self.assertEqual((code, verdict["reason"]), (1, "wrong-oem"))
        self.assertEqual(run("trust", "update", self.bundle, data=self.folder / "nothing")[1]["reason"], "no-trust-anchor")

    def test_no_space(self):
        with open(self.file, "wb") as file:
            file.truncate(1 << 42)
        self.assertEqual(self.refused(), "no-space")

    def test_files_may_not_grow(self):
        """Writing fails in the middle of a file: a reason, nothing is stored, and with room again it goes."""
        before = stored(self.data)
        for limit in (0, 512, 1024, 4096):
            def limited(limit=limit):
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            done = subprocess.run([RECALLCTL, "--json", "--data-dir", str(self.data), "bundle", "import", str(self.bundle)],
                                  capture_output=True, text=True, check=False, timeout=60, preexec_fn=limited)
            verdict = json.loads(done.stdout.splitlines()[-1])
            self.assertEqual((done.returncode, verdict["reason"]), (1, "io"), verdict)
            self.assertEqual(stored(self.data), before)
        self.imported(self.bundle)

    def test_folders_of_a_bundle_are_not_made(self):
        """An entry for a folder is passed over, wherever it points."""
        evil = tarfile.TarInfo("../../evil")
        absolute = tarfile.TarInfo(str(self.folder / "evil"))
        evil.type = absolute.type = tarfile.DIRTYPE
        write_tar(self.file, [(evil, b""), (absolute, b""), *self.files])
        self.imported()
        self.assertEqual(list(self.made.rglob("evil")), [])

    # what is cut or bent

    def test_truncated_anywhere(self):
        whole = self.bundle.read_bytes()
        end = max(i for i, byte in enumerate(whole) if byte) + 1
        chance = random.Random(SEED)
        cuts = {0, 1, 511, 512, 513, 1024, end - 1, end // 512 * 512, end + 511 - (end + 511) % 512}
        cuts |= {chance.randrange(end) for _ in range(25)} | {chance.randrange(end // 512) * 512 for _ in range(25)}
        for cut in sorted(cuts):
            with self.subTest(cut=cut):
                self.file.write_bytes(whole[:cut])
                self.assertEqual(self.refused(), "bundle-truncated")

    def test_truncated_zstd(self):
        self.compress([file for file in self.files if not file[0].startswith("image/targets/")])
        whole = self.file.read_bytes()
        for cut in range(5, len(whole), max(1, len(whole) // 20)):
            with self.subTest(cut=cut):
                self.file.write_bytes(whole[:cut])
                self.assertIn(self.refused(), ("bundle-truncated", "malformed"))

    def test_flipped_bit_in_every_file(self):
        chance = random.Random(SEED)
        for name, data in self.files:
            for at in {0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(3))}:
                with self.subTest(name=name, at=at):
                    bent = bytearray(data)
                    bent[at] ^= 1 << chance.randrange(8)
                    if name.endswith("/she.json"):
                        continue
                    self.changed(name, bytes(bent))
                    code, verdict = run("bundle", "import", self.file, data=self.data)
                    if code == 0:
                        self.assertEqual(self.meaning(bytes(bent)), self.meaning(data), name)
                        shutil.rmtree(self.data)
                        shutil.copytree(self.trusted, self.data)
                    else:
                        self.assertEqual(stored(self.data), stored(self.trusted))

    @staticmethod
    def meaning(data):
        """of metadata: what is signed; a bent signature may be one that was not needed"""
        return json.loads(data)["signed"]

    def test_bent_headers(self):
        """many ways to write a tar: none but a refusal, or the same bundle"""
        chance = random.Random(SEED)
        whole = self.bundle.read_bytes()
        with tarfile.open(self.bundle) as tar:
            offsets = [member.offset for member in tar.getmembers()]
        sizes = (b"77777777777\0", b"00000000000\0", b"\x80" + b"\xff" * 11, b"\x80" + bytes(10) + b"\x01", b"-1         \0")
        names = (b"a" * 100, bytes(100), b"././@PaxHeader", b"GNUSparseFile.0/x", b"\xff\xfe")
        for number in range(120):
            bent = bytearray(whole)
            for at in (chance.choice(offsets) for _ in range(chance.randrange(1, 4))):
                header = bytearray(bent[at:at + 512])
                way = chance.randrange(4)
                if way == 0:
                    header[chance.randrange(512)] = chance.randrange(256)
                elif way == 1:
                    header[156] = chance.choice(b"0123456789gxLKSVMNADX")
                elif way == 2:
                    header[124:136] = chance.choice(sizes)
                else:
                    header[0:100] = chance.choice(names).ljust(100, b"\0")
                if chance.random() < 0.9:
                    header[148:156] = b"%06o\0 " % sum(header[:148] + b" " * 8 + header[156:])
                bent[at:at + 512] = header
            self.file.write_bytes(bent)
            code, verdict = run("bundle", "verify", self.file, data=self.data)
            with self.subTest(number=number):
                self.assertIn(code, (0, 1))
                self.assertNotEqual(verdict["reason"], "internal")

    def test_flipped_byte_in_an_image(self):
        for name, data in self.files:
            if name.startswith("image/targets/"):
                self.changed(name, data[:-1] + bytes([data[-1] ^ 0xFF]))
                self.assertEqual(self.refused(), "hash-mismatch")

    def test_image_longer_shorter_missing_unknown(self):
        images = [(name, data) for name, data in self.files if name.startswith("image/targets/")]
        name, data = images[0]
        self.changed(name, data + b"\0")
        self.assertEqual(self.refused(), "hash-mismatch")
        self.changed(name, data[:-1])
        self.assertEqual(self.refused(), "hash-mismatch")
        write_tar(self.file, [file for file in self.files if file[0] != name])
        self.assertEqual(self.refused(), "image-missing")
        write_tar(self.file, self.files + [("image/targets/oem/extra.bin", b"extra")])
        self.assertEqual(self.refused(), "target-missing")

    def test_each_file_missing(self):
        for name, _ in self.files:
            if name.startswith("image/targets/") or name.endswith("she.json"):
                continue
            with self.subTest(name=name):
                write_tar(self.file, [file for file in self.files if file[0] != name])
                self.assertNotEqual(self.refused(), "ok")

    def test_swapped_profile(self):
        profiles = [(name, data) for name, data in self.files if "/profiles/" in name]
        self.changed(profiles[0][0], profiles[1][1])
        self.assertIn(self.refused(), ("hash-mismatch", "length-mismatch"))

    def test_unvouched_target(self):
        extra = ("service/targets/profiles/extra.json", dict(self.files)[next(n for n, _ in self.files if "/profiles/" in n)])
        write_tar(self.file, [self.files[0], extra] + self.files[1:])
        self.assertEqual(self.refused(), "target-missing")

    def test_vin_pack_of_another_vehicle(self):
        moved = [(name.replace(self.vin, "1RBDM7AA2TA999999"), data) for name, data in self.files]
        write_tar(self.file, moved)
        self.assertEqual(self.refused(), "not-in-scope")

    # what tries to get out

    def hostile(self, member, data=b"{}", first=False):
        files = [(member, data)] + self.files if first else self.files[:3] + [(member, data)] + self.files[3:]
        write_tar(self.file, files)
        return self.refused()

    def test_names(self):
        for name in ("../escape.json", "service/../../escape.json", "/etc/escape.json", "service//metadata/x.json", "service/./x.json",
                     "service/metadata/../x.json", "vins/../x/she.json", "vins/NOTAVIN/she.json", "image/targets/../../x",
                     "escape.json", "service/metadata/x.txt", "service/metadata/a/b.json", "director/metadata/timestamp.json",
                     "image/metadata/x\x01.json", "vins/" + "1RBDM7AA2TA000001" + "/director/root.json", "a/" * 20 + "x.json",
                     "service/metadata/" + "x" * 80 + ".json" + "/" + "y" * 90):
            with self.subTest(name=name):
                self.assertEqual(self.hostile(tarfile.TarInfo(name)), "path")

    def test_names_do_not_reach_the_terminal(self):
        for name in ("service/\x1b]0;owned\x07.json", "service/\udcff\udc9b31m.json", "\udcc3"):
            self.assertEqual(self.hostile(tarfile.TarInfo(name)), "path")
            done = subprocess.run([RECALLCTL, "--data-dir", str(self.data), "bundle", "verify", str(self.file)], capture_output=True,
                                  check=False)
            self.assertEqual(done.returncode, 1)
            for code in done.stderr.decode():
                self.assertTrue(code == "\n" or not unicodedata.category(code) == "Cc", done.stderr)

    def test_kinds(self):
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            with self.subTest(kind=kind):
                member = tarfile.TarInfo("service/metadata/extra.json")
                member.type, member.linkname = kind, "/etc/passwd" if kind == tarfile.SYMTYPE else self.files[0][0]
                self.assertEqual(self.hostile(member, b""), "path")
        escape = tarfile.TarInfo("service")
        escape.type, escape.linkname = tarfile.SYMTYPE, "/tmp"
        self.assertEqual(self.hostile(escape, b"", first=True), "path")

    def test_folder_with_links(self):
        stick = self.folder / "stick"
        with tarfile.open(self.bundle) as tar:
            tar.extractall(stick)
        (stick / "service" / "metadata" / "extra.json").symlink_to("/etc/passwd")
        self.assertEqual(self.refused(stick), "path")
        (stick / "service" / "metadata" / "extra.json").unlink()
        image = next(path for path in (stick / "image" / "targets").rglob("*.bin"))
        kept = image.read_bytes()
        image.unlink()
        os.mkfifo(image)
        self.assertEqual(self.refused(stick), "path")
        image.unlink()
        image.write_bytes(kept)
        self.imported(stick)

    def test_twice(self):
        write_tar(self.file, self.files[:2] + [self.files[0]] + self.files[2:])
        self.assertEqual(self.refused(), "malformed")
        write_tar(self.file, self.files + [self.files[-1]])
        self.assertEqual(self.refused(), "malformed")

    def test_metadata_after_images(self):
        metadata = [file for file in self.files if not file[0].startswith("image/targets/")]
        images = [file for file in self.files if file[0].startswith("image/targets/")]
        late = next(file for file in metadata if file[0].endswith("/she.json"))
        write_tar(self.file, [file for file in metadata if file != late] + images + [late])
        self.assertEqual(self.refused(), "malformed")
        write_tar(self.file, images + metadata)
        self.assertEqual(self.refused(), "malformed")

    def test_order(self):
        """What verifies a file comes before it; a folder is read in that order whatever its file system gives."""
        parts = {name: [file for file in self.files if file[0].startswith(name)]
                 for name in ("service/", "director/", "image/metadata/", "vins/", "image/targets/")}
        self.assertEqual(sum(map(len, parts.values())), len(self.files))
        for order in (("director/", "service/", "image/metadata/", "vins/", "image/targets/"),
                      ("service/", "vins/", "director/", "image/metadata/", "image/targets/"),
                      ("service/", "director/", "image/metadata/", "image/targets/", "vins/")):
            write_tar(self.file, [file for part in order for file in parts[part]])
            self.assertIn(self.refused(), ("malformed", "missing"))

    def test_oversized(self):
        self.assertEqual(self.hostile(tarfile.TarInfo("service/metadata/big.json"), b" " * (17 << 20)), "too-large")

    def bounded(self, megabytes):
        """refused, with so many bytes written and so much memory at most; the reason"""
        process = subprocess.Popen([RECALLCTL, "--json", "--data-dir", str(self.data), "bundle", "verify", str(self.file)],
                                   stdout=subprocess.PIPE, text=True)
        with process.stdout:
            verdict = json.loads(process.stdout.read().splitlines()[-1])
        _, process.returncode, usage = os.wait4(process.pid, 0)
        self.assertFalse(verdict["ok"])
        self.assertLess(usage.ru_oublock * 512, megabytes << 20)
        self.assertLess(usage.ru_maxrss, 300 << 10)
        return verdict["reason"]

    def write_bomb(self, before, names, size):
        """zeros under names after the genuine files before, through zstd; about a ten-thousandth of its size"""
        packer = subprocess.Popen(["zstd", "-q", "-f", "-o", str(self.file)], stdin=subprocess.PIPE)
        with tarfile.open(fileobj=packer.stdin, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
            for name, data in before:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            for name in names:
                member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
                member.size = size
                with contextlib.suppress(BrokenPipeError), open("/dev/zero", "rb") as zeros:
                    tar.addfile(member, zeros)
        packer.stdin.close()
        self.assertEqual(packer.wait(), 0)
        self.assertLess(self.file.stat().st_size, 4 << 20)

    def test_bomb_in_a_header(self):
        """an extended header, a long name and a global header of 1 GiB"""
        for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE):
            with self.subTest(kind=kind):
                head = tarfile.TarInfo("service/metadata/1.root.json")
                head.type = kind
                self.write_bomb([], [head], 1 << 30)
                self.assertEqual(self.bounded(10), "malformed")

    def test_bomb_before_a_signature(self):
        """1 GiB and 60,000 files out of a small file: refused after a bounded part of it, whatever of it is genuine."""
        service = [file for file in self.files if file[0].startswith("service/")]
        metadata = service + [file for file in self.files if file[0].startswith(("director/", "image/metadata/"))]
        vins = [f"1RBDM7AA2TA{number:06}" for number in range(2, 6000)]
        bombs = {
            "big-service": ([], ["service/metadata/1.root.json"], 1 << 30, "too-large", 10),
            "bigger-service": (service, [f"service/targets/profiles/{number}.json" for number in range(8)], 16 << 20, "too-large", 80),
            "many-service": (service, [f"service/targets/profiles/{number}.json" for number in range(60000)], 0, "too-large", 80),
            "big-image": (service, [f"image/metadata/{number}.json" for number in range(8)], 16 << 20, "too-large", 80),
            "many-image": (service, [f"image/metadata/{number}.json" for number in range(6000)], 0, "too-large", 10),
            "many-vins": (metadata, [f"vins/{vin}/she.json" for vin in vins], 100, "not-in-scope", 10),
            "big-pack": (metadata, [f"vins/{self.vin}/she.json"], 256 << 20, "too-large", 10),
            "big-region": (metadata, ["vins/regions/north.pieces"], 256 << 20, "target-missing", 10),
            "big-scope": (metadata, [f"scopes/{self.campaign}.pieces"], 256 << 20, "target-missing", 10),
        }
        for name, (before, names, size, reason, megabytes) in bombs.items():
            with self.subTest(bomb=name):
                self.write_bomb(before, names, size)
                self.assertEqual(self.bounded(megabytes), reason)

    def test_consistent_snapshot_names(self):
        """VERSION.ROLE.json in Image metadata and VIN packs, HASH.NAME for images; not a role under two names"""
        def renamed(name, data):
            folder, base = name.rsplit("/", 1)
            if name.startswith("image/targets/"):
                return f"{folder}/{hashlib.sha256(data).hexdigest()}.{base}"
            if folder.endswith(("image/metadata", "/director")) and not base.endswith(("root.json", "timestamp.json", "she.json")):
                return f"{folder}/{json.loads(data)['signed']['version']}.{base}"
            return name
        files = [(renamed(*file), file[1]) for file in self.files]
        self.assertGreater(len(set(files) - set(self.files)), 10)
        write_tar(self.file, files)
        self.imported()
        self.assertEqual(run("campaign", "check", self.vin, data=self.data)[1]["campaigns"][0]["campaign"], self.campaign)
        self.imported(None, "--in-place")
        self.imported(self.bundle)
        image = next(index for index, file in enumerate(files) if file[0].startswith("image/metadata/") and ".targets." in file[0])
        twice = next(file for file in self.files if file[0] == "image/metadata/targets.json")
        write_tar(self.file, files[:image] + [twice] + files[image:])
        self.assertEqual(self.refused(), "malformed")
        wrong = [(name.replace("/" + name.split("/")[-1][:8], "/00000000"), data) if name.startswith("image/targets/") else (name, data)
                 for name, data in files]
        write_tar(self.file, wrong)
        self.assertEqual(self.refused(), "target-missing")

    def test_compressed_with_images(self):
        self.compress(self.files)
        self.assertEqual(self.refused(), "malformed")

    def test_other_formats(self):
        for data in (b"", b"hello", b"PK\x03\x04" + bytes(3000), b"\x1f\x8b\x08" + bytes(3000), os.urandom(4096) + bytes(1024)):
            with self.subTest(data=data[:4]):
                self.file.write_bytes(data)
                self.assertIn(self.refused(), ("bundle-truncated", "malformed"))
        with tarfile.open(self.file, "w:gz") as tar:
            tar.add(self.bundle, "service/metadata/1.root.json")
        self.assertIn(self.refused(), ("bundle-truncated", "malformed"))
        self.assertEqual(self.refused(self.folder / "missing"), "not-found")
        self.assertEqual(self.refused("/dev/zero"), "io")

    # what happens later

    def test_library_is_not_believed(self):
        self.imported(self.bundle)
        place = self.data / "library" / "Aurora" / self.campaign
        campaign = place / "service" / "targets" / "campaigns" / f"{self.campaign}.json"
        good = campaign.read_bytes()
        for bent in (good + b"\n", good.replace(b"parking-brake", b"parking-broke"), good.replace(b"true", b"null")):
            campaign.write_bytes(bent)
            code, verdict = run("bundle", "show", self.campaign, data=self.data)
            self.assertEqual(code, 1)
            self.assertIn(verdict["reason"], ("hash-mismatch", "length-mismatch", "too-large", "malformed"))
        campaign.write_bytes(good)
        self.assertEqual(run("bundle", "show", self.campaign, data=self.data)[0], 0)
        shutil.rmtree(self.data / "trust")
        self.assertEqual(run("bundle", "show", self.campaign, data=self.data)[1]["reason"], "no-trust-anchor")

    def test_a_damaged_image_is_healed_by_importing_again(self):
        self.imported(self.bundle)
        image = next((self.data / "store" / "sha256").iterdir())
        image.chmod(0o600)
        image.write_bytes(b"bent")
        self.imported(self.bundle)
        self.assertEqual(hashlib.sha256(image.read_bytes()).hexdigest(), image.name)

    def test_remove(self):
        self.imported(self.bundle)
        journal = self.data / "recallbay.db"
        self.assertEqual(run("bundle", "remove", "R-1999-01", data=self.data)[1]["reason"], "campaign-unknown")
        with contextlib.closing(sqlite3.connect(journal)) as database, database:
            database.execute("INSERT INTO recovery (vin, campaign, started) VALUES (?, ?, 1)", (self.vin, self.campaign))
        code, verdict = run("bundle", "remove", self.campaign, data=self.data)
        self.assertEqual((code, verdict["reason"]), (1, "recovery-open"))
        self.assertEqual(run("bundle", "show", self.campaign, data=self.data)[0], 0)
        with contextlib.closing(sqlite3.connect(journal)) as database, database:
            database.execute("UPDATE recovery SET finished = 2")
        self.assertEqual(run("bundle", "remove", self.campaign, data=self.data)[0], 0)
        self.assertEqual(run("bundle", "list", data=self.data)[1]["campaigns"], [])
        self.assertEqual(list((self.data / "store" / "sha256").iterdir()), [])
        self.imported(self.bundle)

    def test_a_journal_that_cannot_be_read_keeps_the_bundle(self):
        self.imported(self.bundle)
        (self.data / "recallbay.db").write_bytes(b"this is no database, but long enough to be taken for one" * 50)
        self.assertEqual(run("bundle", "remove", self.campaign, data=self.data)[1]["reason"], "database")
        self.assertEqual(run("bundle", "show", self.campaign, data=self.data)[0], 0)

    def test_unknown_campaign(self):
        for name in ("R-1999-01", "../trust", "."):
            self.assertEqual(run("bundle", "show", name, data=self.data)[1]["reason"], "campaign-unknown")

    def test_killed_in_mid_import(self):
        big = self.folder / "big"
        subprocess.run([RECALL_OEM, "demo", str(big), "--image-size", "3000000"], check=True, stdout=subprocess.DEVNULL)
        run("trust", "add", big / "service-root.json", "--name", "Big", data=self.data)
        before = stored(self.data)
        chance = random.Random(SEED)
        outcomes = set()
        for _ in range(25):
            process = subprocess.Popen([RECALLCTL, "--data-dir", str(self.data), "bundle", "import", str(big / "campaign.recall")],
                                       stdout=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0, 0.25))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            _, listed = run("bundle", "list", data=self.data)
            outcomes.add(len(listed["campaigns"]))
            if listed["campaigns"]:
                self.assertEqual(run("bundle", "show", listed["campaigns"][0]["campaign"], data=self.data)[0], 0)
                break
            kept = {name for name in stored(self.data)
                    if not name.startswith(("library/.scratch-", "store/", "trust/Big/state/")) and not re.fullmatch(r"pins\.json(\.[A-Za-z0-9]{6})?", name)}
            self.assertEqual(kept, set(before))
        self.assertEqual(run("bundle", "import", big / "campaign.recall", data=self.data)[0], 0)
        self.assertEqual(sorted(os.listdir(self.data / "library")), ["Big"])
        self.assertEqual(os.listdir(self.data / "library" / "Big"), [(big / "campaign.txt").read_text().strip()])
        self.assertEqual([name for name in stored(self.data) if name.startswith("pins.json")], ["pins.json"])

    def test_leftover_of_a_killed_import_goes(self):
        """What is between temporary file and rename when the power goes; nothing else beside it is touched."""
        for name in ("pins.json.A1b2C3", "pins.json.old", "pins.json.A1b2C", "pins.json.A1b2C3d", "pins.json.A1b2C-"):
            (self.data / name).write_text("{")
        self.imported(self.bundle)
        self.assertEqual(sorted(name for name in stored(self.data) if name.startswith("pins.json.")),
                         ["pins.json.A1b2C", "pins.json.A1b2C-", "pins.json.A1b2C3d", "pins.json.old"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=1)
