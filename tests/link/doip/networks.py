# SPDX-License-Identifier: Apache-2.0
"""Networks of a test's own: the test goes into a network namespace, and one thread of it into another, with cables between them."""

import ctypes
import os
import subprocess
import sys
import threading

TIMEOUT = 30
NEWNET = 0x40000000
MARK = "RECALLBAY_OWN_NETWORK"


def ip(*words):
    subprocess.run(["ip", *words], check=True, timeout=TIMEOUT)


def own_network(*arguments):
    """Starts this program again, in a network of its own; ends with 77 (skipped) where there can be none."""
    if MARK in os.environ:
        ip("link", "set", "lo", "up")
        return
    if subprocess.run(["unshare", "-rn", "ip", "link", "add", "v0", "type", "veth"], capture_output=True, check=False).returncode != 0:
        print("SKIP: no network namespace can be made here")
        sys.exit(77)
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "-rn", sys.executable, *map(str, arguments)])


class FarSide(threading.Thread):
    """Has the other end of each cable (NAME0 is here, NAME1 there); does work() there once they are plugged in."""

    def __init__(self):
        super().__init__(daemon=True)
        self.there, self.plugged, self.ready, self.ended = (threading.Event() for _ in range(4))
        self.failure = None

    def plug(self, *cables):
        """cables: (name, address with bits)"""
        self.start()
        assert self.there.wait(TIMEOUT)
        for name, address in cables:
            ip("link", "add", name + "0", "type", "veth", "peer", "name", name + "1")
            ip("link", "set", name + "1", "netns", str(self.native_id))
            ip("address", "add", address, "broadcast", "+", "dev", name + "0")
            ip("link", "set", name + "0", "up")
        self.plugged.set()
        assert self.ready.wait(TIMEOUT)
        if self.failure:
            raise self.failure

    def run(self):
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            self.there.set()
            self.plugged.wait(TIMEOUT)
            self.work()
        except Exception as problem:  # shown by the test
            self.failure = problem
        finally:
            self.there.set()
            self.ready.set()

    def work(self):
        """Sets ready when it is, and comes back when ended."""
        raise NotImplementedError
