#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The programs among others: pipes that close, full disks, signals, terminals, files that are no files, memory that is looked at.
Usage: test-shell.py BUILD"""

import fcntl
import json
import os
import pty
import shutil
import signal
import stat
import struct
import subprocess
import sys
import termios
import threading
import unittest
from pathlib import Path

from bench import TIMEOUT, Bench
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

BUILD = sys.argv.pop(1)
PASSPHRASE_MISSING = "no passphrase was given"


def wait_for(condition, what):
    for _ in range(TIMEOUT * 1000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise TimeoutError(what)


def catches(pid, number):
    """The program has its handler by now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return int(line.split()[1], 16) >> (number - 1) & 1 == 1
    return False


def private_bytes(key):
    """What a private key looks like in memory, both ways round."""
    if isinstance(key, EllipticCurvePrivateKey):
        raw = key.private_numbers().private_value.to_bytes(32, "big")
    else:
        raw = key.private_bytes_raw() if hasattr(key, "private_bytes_raw") else key.private_numbers().d.to_bytes(256, "big")
    return [raw, raw[::-1]]


class Workshop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = Bench(BUILD)
        cls.addClassCleanup(cls.bench.close)

    def setUp(self):
        """A vehicle that is compromised and a workstation that knows the campaign, both new."""
        self.bench.stop()
        shutil.rmtree(self.bench.state, ignore_errors=True)
        shutil.rmtree(self.bench.data, ignore_errors=True)

    def ready(self, *options):
        self.bench.start(*options)
        self.bench.trust_and_import()

    def command(self, *arguments, json_output=True):
        return [str(word) for word in (self.bench.bin / "recallctl", *(["--json"] if json_output else []), "--data-dir", self.bench.data,
                                       *arguments)]

    def recover(self, *prefix, json_output=True, **how):
        return subprocess.Popen([*prefix, *self.command(*self.bench.recover_arguments(), json_output=json_output)], text=True, **how)


class Output(Workshop):
    def test_recover_goes_on_when_the_pipe_closes(self):
        self.ready()
        program = self.recover(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(5):
            program.stdout.readline()
        program.stdout.close()
        self.assertEqual(program.wait(TIMEOUT), 0)
        self.assertFalse(self.bench.differences())
        self.assertEqual(len(self.bench.ctl("record", "list")["records"]), 1)

    def test_recover_goes_on_when_the_disk_of_its_output_is_full(self):
        self.ready()
        with open("/dev/full", "w", encoding="ascii") as full:
            self.assertEqual(self.recover(stdout=full, stderr=subprocess.DEVNULL).wait(TIMEOUT), 0)
        self.assertFalse(self.bench.differences())

    def test_elsewhere_every_write_is_checked(self):
        for json_output in (True, False):
            for arguments in (("record", "list"), ("outbox",), ("trust", "list"), ("--help",), ("--version",), ("record", "list", "--help")):
                with self.subTest(arguments, json=json_output):
                    with open("/dev/full", "w", encoding="ascii") as full:
                        done = subprocess.run(self.command(*arguments, json_output=json_output), stdout=full, stderr=subprocess.PIPE, text=True,
                                              timeout=TIMEOUT, check=False)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("[no-space]", done.stderr)
                    reader, writer = os.pipe()
                    os.close(reader)
                    done = subprocess.run(self.command(*arguments, json_output=json_output), stdout=writer, stderr=subprocess.PIPE, text=True,
                                          timeout=TIMEOUT, check=False)
                    os.close(writer)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("[io]", done.stderr)

    def test_a_closed_stream_is_taken_by_no_file(self):
        self.bench.ctl("record", "list")
        done = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh", *self.command("record", "list")], timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.bench.ctl("record", "list")["records"], [])

    def test_the_locale_gets_its_own_bytes(self):
        help_in = {name: subprocess.run(self.command("trust", "--help", json_output=False), env={**os.environ, "LC_ALL": name}, stdout=subprocess.PIPE, timeout=TIMEOUT,
                                        check=True).stdout for name in ("C", "C.UTF-8")}
        self.assertIn("[OPTION…]", help_in["C.UTF-8"].decode())
        self.assertIn("[OPTION...]", help_in["C"].decode("ascii"))

    def test_text_without_a_terminal_repeats_nothing(self):
        self.ready()
        program = self.recover(json_output=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = program.stdout.read().splitlines()
        program.stdout.close()
        self.assertEqual(program.wait(TIMEOUT), 0)
        last = {}
        for line in lines:
            name = line[:24]
            self.assertNotEqual(last.get(name), line, "the same line again without a change")
            last[name] = line
        for item in ("supply-voltage", "ignition-on", "standing"):
            self.assertEqual(sum(line.startswith(item) for line in lines), 1, lines)
        self.assertNotIn("\033", "".join(lines))
        self.assertIn("all ECUs are complete", lines[-1])

    def on_terminal(self, **environment):
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm", **environment)
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
            command = self.command(*self.bench.recover_arguments(), json_output=False)
            os.execv(command[0], command)
        text = b""
        while True:
            try:
                part = os.read(terminal, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        return text.decode()

    def test_one_line_an_ecu_on_a_terminal(self):
        self.ready()
        text = self.on_terminal()
        self.assertIn("\033[32m", text)
        last = text[text.rindex("\033[J"):]  # what stands there at the end
        ecus = len(json.loads((self.bench.oem / "expected.json").read_text()))
        self.assertEqual(last.count(" done"), ecus, last)

    def test_no_color(self):
        self.ready()
        self.assertNotIn("\033[32m", self.on_terminal(NO_COLOR="1"))

    def test_no_passphrase(self):
        self.ready()
        arguments = self.bench.recover_arguments(passphrase_file=None)
        done = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False)
        verdict = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((done.returncode, verdict["reason"]), (1, "passphrase"))
        self.assertIn(PASSPHRASE_MISSING, verdict["message"])
        self.assertNotIn("error:", verdict["message"])


class Signals(Workshop):
    def interrupt(self, number, is_moment):
        with self.recover(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
            sent, last = False, None
            for line in program.stdout:
                last = json.loads(line)
                if not sent and is_moment(last):
                    program.send_signal(number)
                    sent = True
            self.assertTrue(sent, "the moment never came")
            return program.wait(TIMEOUT), last

    def test_stops_at_a_safe_point(self):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.setUp()
                self.ready()
                code, verdict = self.interrupt(number, lambda event: event.get("event") == "step" and event["text"] == "image")
                self.assertEqual((code, verdict["reason"], verdict["result"]), (3, "cancelled", "aborted"), verdict)
                self.assertGreater(verdict["writes"], 0)
                self.assertEqual(len(self.bench.ctl("record", "list")["records"]), 1)
                self.assertTrue(self.bench.recover()["ok"])
                self.assertFalse(self.bench.differences())

    def test_before_a_write(self):
        self.ready()
        code, verdict = self.interrupt(signal.SIGHUP, lambda event: event.get("event") == "phase" and event["text"] == "connect")
        self.assertEqual((code, verdict["reason"], verdict["writes"]), (1, "cancelled", 0), verdict)

    def test_at_once(self):
        """As soon as there is a handler there is a verdict, whatever the program is doing."""
        self.ready()
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            with self.recover(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
                wait_for(lambda pid=program.pid: catches(pid, signal.SIGINT), "a handler")
                program.send_signal(number)
                verdict = json.loads(program.stdout.read().splitlines()[-1])
                self.assertEqual((program.wait(TIMEOUT), verdict["ok"], verdict["reason"]), (1, False, "cancelled"))

    def test_while_a_person_is_asked(self):
        self.ready()
        child, terminal = pty.fork()
        if child == 0:
            command = self.command(*self.bench.recover_arguments(passphrase_file=None), json_output=False)
            os.execv(command[0], command)
        text = b""
        while b"Passphrase" not in text:
            text += os.read(terminal, 4096)
        wait_for(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO, "the echo to go")
        os.kill(child, signal.SIGINT)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 1)
        self.assertTrue(termios.tcgetattr(terminal)[3] & termios.ECHO)
        os.close(terminal)

    def test_what_was_ignored_stays_ignored(self):
        self.ready()
        with self.recover("sh", "-c", 'trap "" HUP INT TERM; exec "$@"', "sh", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
            for line in program.stdout:
                last = json.loads(line)
                if last.get("event") == "step":
                    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                        program.send_signal(number)
            self.assertEqual((program.wait(TIMEOUT), last["result"]), (0, "completed"))

    def test_a_vehicle_hangs_up(self):
        """The simulated vehicle ends as by SIGTERM."""
        with subprocess.Popen([self.bench.bin / "recall-sim", "--model", self.bench.oem / "vehicle.json", "--state", self.bench.state, "--doip",
                               "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as program:
            program.stdout.readline()
            program.send_signal(signal.SIGHUP)
            self.assertEqual(program.wait(TIMEOUT), 0)


class Files(Workshop):
    def record(self):
        self.ready()
        self.bench.recover()
        return self.bench.ctl("record", "list")["records"][0]["digest"]

    def printed(self, digest, path, expect=0):
        return self.bench.ctl("record", "print", digest, "-o", path, expect=expect)

    def test_outputs(self):
        digest, root = self.record(), self.bench.root
        target, link, fifo, kept, other = (root / name for name in ("target.pdf", "link.pdf", "fifo.pdf", "kept.pdf", "other.pdf"))
        self.printed(digest, target)
        page = target.read_bytes()
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o666 & ~os.umask(os.umask(0)) & 0o644)
        target.write_bytes(b"old")
        link.symlink_to(target)
        self.printed(digest, link)
        self.assertTrue(link.is_symlink())
        self.assertTrue(target.read_bytes().startswith(b"%PDF"))
        os.mkfifo(fifo)
        got = []
        reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
        reader.start()
        self.printed(digest, fifo)
        reader.join(TIMEOUT)
        self.assertEqual(len(got[0]), len(page))
        self.assertTrue(stat.S_ISFIFO(fifo.stat().st_mode))
        self.printed(digest, "/dev/null")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        self.assertEqual(self.printed(digest, "/dev/full", expect=1)["reason"], "no-space")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/full").st_mode))
        kept.touch()
        kept.chmod(0o640)
        self.printed(digest, kept)
        self.assertEqual(stat.S_IMODE(kept.stat().st_mode), 0o640)
        os.link(kept, other)
        self.printed(digest, kept)
        self.assertTrue(os.path.samefile(kept, other))
        self.assertEqual(self.printed(digest, root, expect=1)["reason"], "io")

    def test_the_data_folder_is_private(self):
        self.record()
        data = self.bench.data

        def open_to_others():
            return [path for path in (data, *data.rglob("*")) if path.lstat().st_mode & 0o077 and not path.is_symlink()]

        self.assertEqual(open_to_others(), [])
        for arguments in (("record", "list"), ("bundle", "list"), ("trust", "list"), ("journal",)):
            for path in (data, *data.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            self.bench.ctl(*arguments)
            self.assertEqual(open_to_others(), [], arguments)
        (data / "pins.json").chmod(0o644)
        self.bench.ctl("bundle", "list")
        self.assertEqual(open_to_others(), [])


class Space(Workshop):
    def in_small_folder(self, kib, *arguments):
        """recallctl with its data folder on a disk of its own on which so much is free."""
        script = """mount -t tmpfs -o size=256m none "$1" && cp -a "$2/." "$1" || exit 99
                    free=$(($(stat -f -c %f "$1") * $(stat -f -c %S "$1") / 1024)); head -c $(((free - $3) * 1024)) /dev/zero > "$1/fill"
                    shift 3; exec "$@" """
        place = self.bench.root / "small"
        place.mkdir(exist_ok=True)
        command = [str(word) for word in (self.bench.bin / "recallctl", "--json", "--data-dir", place, *arguments)]
        return subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", place, self.bench.data, str(kib), *command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False)

    def expect(self, done, code):
        verdict = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((done.returncode, verdict["reason"]), (code, "no-space"), done)
        return verdict

    def test_everywhere(self):
        """Whatever is stored on a full disk: the reason is the disk."""
        self.ready()
        self.bench.recover()
        digest, bundle = self.bench.ctl("record", "list")["records"][0]["digest"], self.bench.oem / "campaign.recall"
        place = self.bench.root / "small"
        for arguments in (("bundle", "import", bundle), ("record", "export", place / "records"), ("record", "print", digest, "-o", place / "a.pdf"),
                          ("trust", "add", self.bench.oem / "service-root.json", "--name", "OTHER")):
            with self.subTest(arguments):
                done = self.in_small_folder(0, *arguments)
                verdict = json.loads(done.stdout.splitlines()[-1])
                if arguments[0] == "trust":  # the same root has a name already
                    self.assertIn(verdict["reason"], ("exists", "no-space"))
                else:
                    self.assertEqual((done.returncode, verdict["reason"]), (1, "no-space"), verdict)

    def test_before_the_first_write(self):
        self.ready()
        for kib in (100, 60 * 1024):
            verdict = self.expect(self.in_small_folder(kib, *self.bench.recover_arguments()), 1)
            self.assertEqual(verdict["writes"], 0)
        self.assertEqual(self.bench.wrote(), [])

    def test_on_a_started_vehicle(self):
        self.ready()
        self.bench.interrupt_recover_at(lambda event: event.get("event") == "step" and event["text"] == "image")
        for kib in (0, 100, 60 * 1024):
            done = self.in_small_folder(kib, *self.bench.recover_arguments())
            self.expect(done, 3)
            self.assertNotIn("othing was stored", done.stdout + done.stderr)
        self.assertTrue(self.bench.recover()["ok"])


class Memory(Workshop):
    """recallctl is hidden from others of the same user, so only root can look for keys in its memory."""

    def secrets(self):
        passphrase = (self.bench.oem / "passphrase").read_text().splitlines()[0].encode()
        found = private_bytes(load_pkcs12((self.bench.oem / "technician.p12").read_bytes(), passphrase).key)
        for block in (self.bench.oem / "workstation.pem").read_text().split("-----BEGIN ")[1:]:
            if "PRIVATE KEY" in block.splitlines()[0]:
                found += private_bytes(load_pem_private_key(b"-----BEGIN " + block.encode(), passphrase))
        return found

    def in_memory(self, pid, dumped):
        """How many of the secrets are in the pages that a core dump holds, or in the others."""
        found, regions = set(), []
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                regions.append([words[0], words[1], words[-1], ""])
            elif words[0] == "VmFlags:":
                regions[-1][3] = words[1:]
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for span, rights, name, flags in regions:
                if "r" not in rights or name in ("[vvar]", "[vvar_vclock]", "[vsyscall]") or ("dd" in flags) == dumped:
                    continue
                start, end = (int(part, 16) for part in span.split("-"))
                try:
                    data = os.pread(memory.fileno(), end - start, start)
                except OSError:
                    continue
                found |= {i for i, secret in enumerate(self.keys) if secret in data}
        return found

    def setUp(self):
        super().setUp()
        self.keys = self.secrets()

    def stopped_in_a_step(self, program):
        self.addCleanup(program.kill)  # a test that fails leaves no program behind that is stopped
        for line in program.stdout:
            if json.loads(line).get("event") == "step":
                break
        program.send_signal(signal.SIGSTOP)

    def test_hidden_from_its_own_user(self):
        self.ready()
        program = self.recover(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.stopped_in_a_step(program)
        for name in ("mem", "smaps", "syscall"):
            with self.assertRaises(PermissionError):
                Path(f"/proc/{program.pid}/{name}").read_bytes()
        program.kill()
        program.stdout.close()
        program.wait(TIMEOUT)

    def test_keys_are_in_no_core_dump(self):
        self.ready()
        with self.recover(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
            self.stopped_in_a_step(program)
            wait_for(lambda: Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "the stop")
            self.assertEqual(self.in_memory(program.pid, dumped=True), set())
            self.assertTrue(self.in_memory(program.pid, dumped=False), "the search finds nothing anywhere")
            limits = Path(f"/proc/{program.pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size\s+0\s+0")
            program.kill()

    def test_no_key_after_the_last_signature(self):
        """The verdict waits in a full pipe; nothing of the keys is anywhere by then."""
        self.ready()
        reader, writer = os.pipe()
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        with self.recover(stdout=writer, stderr=subprocess.DEVNULL) as program:
            text = b""
            while b'"sign"' not in text:
                text += os.read(reader, 4096)
            os.set_blocking(writer, False)
            try:
                while True:
                    os.write(writer, b"\n" * 4096)
            except BlockingIOError:
                os.set_blocking(writer, True)
            wait_for(lambda: Path(f"/proc/{program.pid}/syscall").read_text().startswith("1 0x1 "), "the verdict")
            self.assertEqual(self.in_memory(program.pid, dumped=True) | self.in_memory(program.pid, dumped=False), set())
            os.close(writer)
            while os.read(reader, 65536):
                pass
            self.assertEqual(program.wait(TIMEOUT), 0)
        os.close(reader)

    def test_not_dumpable_for_an_ordinary_user(self):
        with subprocess.Popen([self.bench.bin / "recallctl", "--data-dir", "/nonexistent", "links"], user=65534, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as program:
            wait_for(lambda: catches(program.pid, signal.SIGINT), "a handler")
            self.assertEqual(os.stat(f"/proc/{program.pid}/mem").st_uid, 0, "the kernel gives it to root when it may not be dumped")
            self.assertEqual(program.wait(TIMEOUT), 0)


# Root sees every process and can become another user; an ordinary user is kept from his own.
AS_ROOT = ("test_keys_are_in_no_core_dump", "test_no_key_after_the_last_signature", "test_not_dumpable_for_an_ordinary_user")
AS_USER = ("test_hidden_from_its_own_user",)
for left_out in AS_USER if os.geteuid() == 0 else AS_ROOT:
    delattr(Memory, left_out)


if __name__ == "__main__":
    unittest.main()
