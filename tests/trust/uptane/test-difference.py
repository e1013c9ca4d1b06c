# SPDX-License-Identifier: Apache-2.0
"""One repository through both doors: `uptane verify` (a folder, Uptane policy) and `tuf` (requests, TUF policy) give the same verdict
and the same reason word, or the difference is explained here.

Usage: test-difference.py RECALLCTL DATA [--all]: without --all every fourth case, and each that is explained.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import bench
from forms import CASES
from writer import Style, World, form_c, use_hashed_bins

PROGRAM = bench.PROGRAM = sys.argv.pop(1)
DATA = Path(sys.argv.pop(1))
STEP = 1 if "--all" in sys.argv[1:2] and sys.argv.pop(1) else 4

BEFORE = "Director and Image repository are compared before the image is fetched"
BEYOND = "a TUF client reads no further than the listed length, so it does not see the form"
# beginning of a case's name: (reason of `uptane verify`, None: any; reason of `tuf`; why)
EXPLAINED = {
    "image-timestamp-lists-no-hashes": ("malformed", "ok", "hashes of the snapshot: the Uptane Standard 5.2.5 demands them, TUF does not"),
    "image-snapshot-trailing-bytes": ("malformed", "length-mismatch", BEYOND),
    "image-snapshot-too-deep": ("malformed", "length-mismatch", BEYOND),
    "image-snapshot-member-twice": ("malformed", "length-mismatch", BEYOND),
    "image-snapshot-a-list": ("malformed", "length-mismatch", BEYOND),
    "image-targets-trailing-bytes": ("malformed", "length-mismatch", BEYOND),
    "image-targets-member-twice": ("malformed", "length-mismatch", BEYOND),
    "image-targets-a-list": ("malformed", "length-mismatch", BEYOND),
    "image-root-json-beyond-the-chain": ("root-gap", "ok", "root.json without a number is no name that a TUF client asks for"),
    "image-release-counter-differs": ("target-mismatch", "ok", "what the Director assigns is no matter of one repository"),
    "director-length-differs": ("target-mismatch", "ok", "what the Director assigns is no matter of one repository"),
    "image-length-differs": ("target-mismatch", "too-large", BEFORE),
    "image-sha256-differs": ("target-mismatch", "hash-mismatch", BEFORE),
    "image-sha512-differs": ("target-mismatch", "hash-mismatch", BEFORE),
    "delegation-first-word-counts": ("target-mismatch", "too-large", BEFORE),
    "image-other-hardware": ("target-mismatch", "ok", "the Director assigns to hardware, a TUF client does not"),
    "image-longer": ("length-mismatch", "too-large", "a download is not read beyond the listed length"),
    "delegation-bound-to-other-hardware": ("target-missing", "ok", "hardware of a delegation: Uptane 5.4.4.7"),
    "delegation-expired": ("target-missing", "expired", "aktualizr's vectors: what has expired lists nothing"),
    "delegation-missing": ("delegation-missing", "missing", "TUF knows only files that are missing"),
    "delegation-not-in-snapshot": ("version-mismatch", "delegation-missing", "not listed is another version to aktualizr"),
    "delegation-rollback": ("rollback", "ok", "TUF 5.6 binds versions of targets by the snapshot only, whose keys are new here"),
    "multi-role": (None, "malformed", "multi-role delegations are TAP 3, which TUF 1.0 does not have"),
}


def explained(name):
    return next(((uptane, tuf) for prefix, (uptane, tuf, _) in EXPLAINED.items() if name.startswith(prefix)), None)


class Difference(unittest.TestCase):
    style = Style("tuf", canonical=form_c, keyid="object", pretty=True, consistent=True)

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = Path(cls.scratch.name)
        cls.place = bench.Bench(cls.folder, lambda: World(cls.style))
        cls.good = cls.folder / "good"
        cls.client = cls.folder / "client"
        code, verdict = cls.tuf(cls.client, cls.good / "image", "init", cls.folder / "anchors/image.json")
        assert code == 0, verdict
        code, verdict = cls.tuf(cls.client, cls.good / "image", "download", *cls.downloads(World(cls.style), cls.folder / "targets"))
        assert code == 0, verdict

    @classmethod
    def tuf(cls, client, source, *words):
        done = subprocess.run([PROGRAM, "--json", "tuf", "--metadata-dir", client, "--metadata-url", source, "--target-base-url", source / "targets",
                               "--time", bench.NOW, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout.splitlines()[-1])

    @staticmethod
    def downloads(world, folder):
        words = ["--target-dir", folder]
        for path in world.director.targets:
            words += ["--target-name", path]
        return words

    def both(self, change, name):
        """(reason of uptane verify, reason of tuf)"""
        folder, state = self.place.fresh(name)
        world = self.place.make_world().newer()
        change(world)
        world.write(folder)
        first = bench.run(folder, state)[1]["reason"]
        client, targets = self.folder / f"{name}-client", self.folder / f"{name}-targets"
        shutil.copytree(self.client, client)
        second = self.tuf(client, folder / "image", "download", *self.downloads(world, targets))[1]["reason"]
        self.place.clean(folder, state, client, targets)
        return first, second

    def test_every_case_of_the_image_repository(self):
        equal, different, unexplained = 0, [], []
        for number, (name, repo, role, reason, change, more, options) in enumerate(CASES):
            if repo != "image" or more or options or name.startswith(("no-image", "image-not-there", "no-hash", "both-say")):
                continue  # cases of the command line, of images that need not be there, and of the Director
            if number % STEP != 0 and not explained(name):
                continue
            first, second = self.both(change, str(number))
            if first == second:
                equal += 1
            elif explained(name) in ((first, second), (None, second)):
                different.append(name)
            else:
                unexplained.append((name, first, second))
        print(f"# {equal} equal, {len(different)} explained: {', '.join(sorted(different))}", file=sys.stderr)
        self.assertEqual(unexplained, [])
        self.assertGreater(equal, 200 // STEP)

    def test_published(self):
        """Real TUF repositories: both doors walk the same chain of roots."""
        for folder in sorted((DATA / "tuf").iterdir()):
            if not (folder / "metadata").is_dir():
                continue
            with self.subTest(folder.name):
                moment = (folder / "faketime").read_text().strip().replace(" ", "T").replace("+00:00", "Z")
                client = self.folder / folder.name
                subprocess.run([PROGRAM, "tuf", "--metadata-dir", client, "init", folder / "initial_root.json"], check=True, capture_output=True)
                done = subprocess.run([PROGRAM, "--json", "tuf", "--metadata-dir", client, "--metadata-url", folder / "metadata", "--time", moment,
                                       "refresh"], capture_output=True, text=True, timeout=60, check=False)
                tuf = json.loads(done.stdout.splitlines()[-1])
                self.assertEqual(tuf["reason"], "ok", tuf)
                verdict = self.as_image(folder / "metadata", folder / "initial_root.json", moment)
                # the chain of roots is the same one; that no hashes are listed is explained above
                self.assertEqual((verdict["repo"], verdict["role"], verdict["reason"]), ("image", "timestamp", "malformed"), verdict)
                newest = max((self.folder / f"state-{folder.name}" / "image").glob("*.root.json"), key=lambda path: int(path.name.split(".")[0]))
                self.assertEqual(newest.read_bytes(), (client / "root.json").read_bytes())

    def as_image(self, image, root, moment):
        world = World(self.style)
        for role in world.director.expires:
            world.director.expires[role] = "2099-01-01T00:00:00Z"
        director = world.write(self.folder / f"director-{root.parent.name}") / "director"
        done = subprocess.run([PROGRAM, "uptane", "verify", "--json", "--director", director, "--image", image, "--director-root",
                               director / "1.root.json", "--image-root", root, "--state", self.folder / f"state-{root.parent.name}", "--vin",
                               "WRB0TEST000000001", "--time", moment, "--primary", "SN-1:tcu-a", "--secondary", "SN-2:brake-b", "--partial",
                               "SN-3:seat-c"], capture_output=True, text=True, timeout=60, check=False)
        return json.loads(done.stdout.splitlines()[-1])

    def test_hashed_bins(self):
        def unsigned(world):
            use_hashed_bins(world.image)
            for name in ("bin-0", "bin-1"):
                world.image.after[name] = lambda envelope: envelope["signatures"].clear()

        def empty(world):
            use_hashed_bins(world.image)
            for each in world.image.delegations:
                each.targets = {}
        self.assertEqual(self.both(lambda world: use_hashed_bins(world.image), "bins"), ("ok", "ok"))
        self.assertEqual(self.both(unsigned, "unsigned-bins"), ("threshold-unmet", "threshold-unmet"))
        self.assertEqual(self.both(empty, "empty-bins"), ("target-missing", "target-missing"))

    def test_good(self):
        self.assertEqual(self.both(lambda world: None, "good-world"), ("ok", "ok"))


if __name__ == "__main__":
    unittest.main()
