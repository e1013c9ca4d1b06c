#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a test in a network namespace of its own, with no signal ignored: own-network.py PROGRAM ARGUMENT…

The names by which programs exclude each other (core/lock.h), ports and abstract sockets are of a network namespace, and every test's
vehicle has the same VIN: tests that run at a time must not meet. Where no namespace can be made, the test runs in the one it is in.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def unshare(flags):
    return ctypes.CDLL(None, use_errno=True).unshare(flags) == 0


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def leave():
    """TRUE in a namespace without other networks; the user stays the same."""
    uid, gid = os.getuid(), os.getgid()
    if unshare(CLONE_NEWNET):
        return True
    if not unshare(CLONE_NEWUSER | CLONE_NEWNET):
        return False
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{uid} {uid} 1")
    write("/proc/self/gid_map", f"{gid} {gid} 1")
    return True


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", 0).ljust(40, b"\0")
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)[:18])[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP).ljust(40, b"\0"))


if leave():
    loopback_up()
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):  # nohup, a runner in the background: what is ignored stays ignored
    signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
