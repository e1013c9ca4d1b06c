# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of its own for tests, on a socket in a folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

TIMEOUT = 120


def programs():
    known = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False).stdout.strip() if shutil.which("pg_config") else ""
    folders = [Path(known)] if known else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next(folder for folder in folders if (folder / "initdb").exists())


class Postgres:
    """PostgreSQL refuses root, so root becomes nobody for it. durable: it keeps its promise of a committed transaction."""

    def __init__(self, durable=False):
        self.folder = Path(tempfile.mkdtemp(prefix="recallbay-pg-"))
        self.bin = programs()
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        self.settings = "" if durable else "-c fsync=off -c synchronous_commit=off -c full_page_writes=off "
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.run("initdb", "-D", self.folder / "data", "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale", "C.UTF-8", "-N")
        self.start()

    def run(self, program, *arguments):
        drop = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        with open(self.folder / f"{program}.log", "ab") as log:
            done = subprocess.run([self.bin / program, *map(str, arguments)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  timeout=TIMEOUT, check=False, **drop)
        if done.returncode != 0:
            raise AssertionError(f"{program}: {(self.folder / f'{program}.log').read_text()}")

    def start(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "server.log", "-w", "-t", TIMEOUT, "-o",
                 f"-c listen_addresses= -c unix_socket_directories={self.folder} {self.settings}-c shared_buffers=32MB", "start")

    def pid(self):
        return int((self.folder / "data/postmaster.pid").read_text().split()[0])

    def stop(self, how="immediate"):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", how, "-w", "stop")


    def uri(self, name="postgres"):
        return f"postgresql://tester@/{name}?host={self.folder}"

    def sql(self, text, name="postgres"):
        done = subprocess.run([self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.uri(name), "-c", text], capture_output=True, text=True, timeout=TIMEOUT, check=True)
        return done.stdout

    def close(self):
        try:
            os.kill(self.pid(), 0)
            self.stop()
        except (OSError, FileNotFoundError):
            pass
        shutil.rmtree(self.folder, ignore_errors=True)
