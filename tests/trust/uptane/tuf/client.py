# SPDX-License-Identifier: Apache-2.0
"""recallctl tuf with folders of its own, and the cases of a file that the test runs one after the other"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback
import urllib.parse

from simulator import NOW, Repository, Server


class Client:
    """recallctl tuf with folders of its own."""

    def __init__(self, program, server, repository, initialise=True):
        self.program, self.server = program, server
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="recallbay-tuf-"))
        self.metadata, self.targets = self.root / "metadata", self.root / "targets"
        self.serve(repository)
        if initialise:
            (self.root / "root.json").write_bytes(repository.files["1.root.json"])
            self.run("init", self.root / "root.json")

    def serve(self, repository):
        self.repository = self.server.repository = repository

    def run(self, *arguments, expect=0, time=NOW):
        done = subprocess.run([self.program, "--json", "tuf", "--metadata-dir", self.metadata, "--metadata-url", self.server.url + "/metadata",
                               "--target-base-url", self.server.url + "/targets", "--target-dir", self.targets, "--time", time,
                               *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, f"exit {done.returncode}: {done.stdout} {done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    def refresh(self, reason=None, role=None, **more):
        """Refreshes; with a reason it must be refused for that reason in that role."""
        self.repository.requests.clear()
        verdict = self.run("refresh", expect=1 if reason else 0, **more)
        if reason:
            assert verdict["reason"] == reason, verdict
            assert role is None or verdict["role"] == role, verdict
        return verdict

    def download(self, *paths, reason=None, **more):
        self.repository.requests.clear()
        verdict = self.run("download", *[word for path in paths for word in ("--target-name", path)], expect=1 if reason else 0, **more)
        assert not reason or verdict["reason"] == reason, verdict
        return verdict

    def stored(self, role):
        path = self.metadata / (urllib.parse.quote(role, "") + ".json")
        return path.read_bytes() if path.exists() else None

    def version(self, role):
        content = self.stored(role)
        return None if content is None else json.loads(content)["signed"]["version"]

    def versions(self):
        return [self.version(role) for role in ("root", "timestamp", "snapshot", "targets")]

    def asked(self):
        return list(self.repository.requests)

    def close(self):
        shutil.rmtree(self.root)


CASES = []


def case(function):
    CASES.append(function)
    return function


def published(**options):
    repository = Repository(**options)
    repository.publish()
    return repository


def main():
    server = Server()
    failed = 0
    print(f"1..{len(CASES)}")
    for number, run in enumerate(CASES, 1):
        clients = []

        def start(repository, initialise=True):
            clients.append(Client(sys.argv[1], server, repository, initialise))
            return clients[-1]
        try:
            run(start)
            print(f"ok {number} {run.__name__}", flush=True)
        except Exception:  # the next case is tested all the same
            traceback.print_exc()
            print(f"not ok {number} {run.__name__}", flush=True)
            failed += 1
        for client in clients:
            shutil.rmtree(client.root, ignore_errors=True)
    server.close()
    sys.exit(1 if failed else 0)
