# SPDX-License-Identifier: Apache-2.0
"""How many bits a frame takes, counted once more by another way: the frame is written down as text and its stuff bits are found
in it by a regular expression (ISO 11898-1:2015, 10.4 and 10.5).

Usage: test-can-bits.py CAN-BITS
"""
import random
import re
import subprocess
import sys
import unittest

TOOL = sys.argv.pop(1)
LENGTHS = [*range(9), 12, 16, 20, 24, 32, 48, 64]
SAME_FIVE = re.compile("00000|11111")
ACK_END_BETWEEN = 2 + 7 + 3


def number(value, width):
    return f"{value:0{width}b}"


def crc15(bits):
    """Polynomial division on a long number, no shift register."""
    rest = int(bits, 2) << 15
    for at in range(len(bits) + 14, 14, -1):
        if rest >> at & 1:
            rest ^= 0xC599 << at - 15
    return number(rest, 15)


def stuffed(bits):
    """What goes out on the wire, and whether its very last bit is a stuff bit."""
    done = ""
    while match := SAME_FIVE.search(bits):
        done += bits[:match.end()]
        # the bit put in is the first that counts for the next five
        bits = "10"[int(match.group()[0])] + bits[match.end():]
        if len(bits) == 1:
            return done + bits, True
    return done + bits, False


def head(identifier, wide, remote):
    if wide:
        return "0" + number(identifier >> 18, 11) + "11" + number(identifier & 0x3FFFF, 18) + remote
    return "0" + number(identifier, 11) + remote + "0"


def octets(data):
    return "".join(number(byte, 8) for byte in data)


def classic(identifier, wide, remote, data):
    bits = head(identifier, wide, str(int(remote))) + ("00" if wide else "0") + number(len(data), 4)
    bits += "" if remote else octets(data)
    return len(stuffed(bits + crc15(bits))[0]) + 1 + ACK_END_BETWEEN, 0


def flexible(identifier, wide, fast, data):
    """Stuff bits up to the data's end; then one at a fixed place before the stuff count, which also serves where another would be
    due, and one after each four bits of stuff count and CRC."""
    slow = head(identifier, wide, "0") + "10" + str(int(fast))
    wire, last_is_stuff = stuffed(slow + "0" + number(LENGTHS.index(len(data)), 4) + octets(data))
    check = 4 + (17 if len(data) <= 16 else 21)
    total = len(wire) - last_is_stuff + 1 + check + check // 4 + 1
    before = len(stuffed(slow)[0]) if fast else 0  # it ends in 0 and 1: no stuff bit is due there
    return (before + ACK_END_BETWEEN, total - before) if fast else (total + ACK_END_BETWEEN, 0)


def data_of(rand, length):
    """Random bytes, and often long runs, in which stuff bits follow each other."""
    kind = rand.randrange(4)
    if kind == 0:
        return bytes(length)
    if kind == 1:
        return b"\xff" * length
    if kind == 2:
        return bytes(rand.choice((0x00, 0xFF, 0x0F, 0xF0, 0xF8, 0x07, 0x1F, 0x83)) for _ in range(length))
    return rand.randbytes(length)


def identifier_of(rand, wide):
    most = 0x1FFFFFFF if wide else 0x7FF
    return rand.choice((0, most, 0x18DA10F1 & most, 0x7E0, rand.randint(0, most), rand.randint(0, most)))


class Bits(unittest.TestCase):
    def ours(self, frames):
        lines = "".join(f"{identifier:x} {flags} {data.hex() or '-'}\n" for identifier, flags, data in frames)
        done = subprocess.run([TOOL], input=lines, capture_output=True, text=True, timeout=60, check=True)
        return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]

    def compare(self, frames, expected):
        ours = self.ours(frames)
        self.assertEqual(len(ours), len(frames))
        for frame, mine, theirs in zip(frames, ours, expected):
            self.assertEqual(mine, theirs, frame)

    def test_known(self):
        """Published counts of other programs: 7E0 with eight bytes of 00, CC, AA."""
        for fill, bits in ((0x00, 127), (0xCC, 113), (0xAA, 114)):
            self.assertEqual(classic(0x7E0, False, False, bytes([fill]) * 8), (bits, 0))
        self.assertEqual(crc15(stuffed("0")[0] * 19), "0" * 15)

    def test_classic(self):
        rand = random.Random(11898)
        frames, expected = [], []
        for _ in range(6000):
            wide, remote = rand.random() < 0.5, rand.random() < 0.1
            identifier, data = identifier_of(rand, wide), b"" if remote else data_of(rand, rand.randint(0, 8))
            frames.append((identifier, ("x" if wide else "") + ("r" if remote else "") + "-", data))
            expected.append(classic(identifier, wide, remote, data))
        self.compare(frames, expected)
        self.assertGreater(max(bits for bits, _ in expected), 150)

    def test_flexible(self):
        rand = random.Random(2015)
        frames, expected = [], []
        for _ in range(6000):
            wide, fast = rand.random() < 0.5, rand.random() < 0.6
            identifier, data = identifier_of(rand, wide), data_of(rand, rand.choice(LENGTHS))
            frames.append((identifier, ("x" if wide else "") + ("b" if fast else "f"), data))
            expected.append(flexible(identifier, wide, fast, data))
        self.compare(frames, expected)
        self.assertGreater(sum(fast == 0 for _, fast in expected), 1000)


if __name__ == "__main__":
    unittest.main()
