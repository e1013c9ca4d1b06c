#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recallctl tuf on repositories of others as they were published. Usage: test-published.py RECALLCTL FOLDER…"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile


def client(program, folder, work, *arguments, expect=0, time=None):
    moment = time or (folder / "faketime").read_text().strip().replace(" ", "T").replace("+00:00", "Z")
    done = subprocess.run([program, "--json", "tuf", "--metadata-dir", work / "metadata", "--metadata-url", folder / "metadata", "--time", moment,
                           "--target-base-url", folder / "targets", "--target-dir", work / "targets", *arguments],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == expect, done
    return json.loads(done.stdout.splitlines()[-1])


def newest(folder, role):
    """The file that was served for a role: the highest version there is."""
    files = [path for path in (folder / "metadata").iterdir() if path.name.split(".", 1)[-1] == f"{role}.json" or path.name == f"{role}.json"]
    return max(files, key=lambda path: json.loads(path.read_text())["signed"]["version"])


def check(program, folder):
    work = pathlib.Path(tempfile.mkdtemp())
    target = (folder / "targetpath").read_text().strip()
    try:
        client(program, folder, work, "init", folder / "initial_root.json")
        assert client(program, folder, work, "refresh", expect=1, time="2060-01-01T00:00:00Z")["reason"] == "expired"
        assert client(program, folder, work, "--target-name", target, "download")["targets_fetched"][0]["fetched"]
        for role in ("root", "timestamp", "snapshot", "targets"):
            assert (work / "metadata" / f"{role}.json").read_bytes() == newest(folder, role).read_bytes(), role
        got = next((work / "targets").iterdir()).read_bytes()
        assert got in [path.read_bytes() for path in (folder / "targets").rglob("*") if path.is_file()]
        assert not client(program, folder, work, "--target-name", target, "download")["targets_fetched"][0]["fetched"]
        assert client(program, folder, work, "--target-name", "no such thing", "download", expect=1)["reason"] == "target-missing"
    finally:
        shutil.rmtree(work)


def main():
    folders = [pathlib.Path(name) for name in sys.argv[2:]]
    print(f"1..{len(folders)}")
    for number, folder in enumerate(folders, 1):
        check(sys.argv[1], folder)
        print(f"ok {number} {folder.name}")


main()
