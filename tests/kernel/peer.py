# SPDX-License-Identifier: Apache-2.0
"""isotp-peer, which has our links and channels, led from Python."""

import subprocess


def pattern(length, seed):
    """What "send# LENGTH SEED" sends."""
    data = bytearray(length)
    for i in range(length):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        data[i] = seed >> 24
    return bytes(data)


class Peer:
    """Our side. uri None: nothing is opened yet."""

    def __init__(self, test, program, uri=None):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        test.addCleanup(self.close)
        if uri is not None:
            self.ask(f"open {uri}")

    def start(self, line):
        self.process.stdin.write(line + "\n")

    def answer(self):
        return self.process.stdout.readline().strip()

    def ask(self, line, expected="ok"):
        self.start(line)
        answer = self.answer()
        if not answer.startswith(expected):
            raise AssertionError(f"{line}: {answer}")
        return answer

    def channel(self, request, response, extension=-1, response_extension=-1, fd=False, padding=0xCC):
        self.ask(f"channel {request} {response} {extension} {response_extension} {int(fd)} {padding}")

    def close(self):
        if self.process.returncode is None:
            self.process.stdin.close()
            self.process.wait(20)
            self.process.stdout.close()
