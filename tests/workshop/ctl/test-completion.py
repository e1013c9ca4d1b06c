#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Completion in bash and zsh, each on a terminal of its own: test-completion.py BUILD"""

import json
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from fcntl import ioctl
from pathlib import Path

BUILD = Path(sys.argv.pop(1)).resolve()
COMPLETIONS = BUILD / "data/completions"
PROGRAMS = ("recallctl", "recall-oem", "recall-sim", "recall-can-setup", "recallbay")
LINKS = {"doip://", "doips://", "can:", "canfd:", "usb:", "bus:"}
# control-x a inserts every candidate, control-a goes to the begin of the line
BASH = """PS1='READY>' PS2=
bind 'set bell-style none' 'set enable-bracketed-paste off'
bind '"\\C-xa": insert-completions'
"""
ZSH = """PS1='READY>' PS2=
unsetopt zle_bracketed_paste prompt_cr prompt_sp list_beep beep 2>/dev/null
bindkey -e
autoload -Uz compinit; compinit -u -d $ZDOTDIR/dump
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches:*' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert yes
bindkey '^Xa' all-matches
"""


def table(program):
    return json.loads((COMPLETIONS / f"{program}.json").read_text())


def spellings(options):
    return {"--" + option["name"] for option in options} | {"-" + option["letter"] for option in options if option["letter"]}


class Terminal:
    """A shell in which the programs are stand-ins that leave a file behind when they are run."""

    def __init__(self, command, work, setup, environment):
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.chdir(work)
            os.execvpe(command[0], command, environment)
        ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 8000, 0, 0))
        self.send(setup + "\n")
        self.send("echo DO''NE\n")
        if "READY>" not in self.read_until("DONE").rpartition("DONE")[2]:
            self.read_until("READY>")

    def send(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, mark):
        text, end = "", time.monotonic() + 60
        while mark not in text:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f"{mark} did not come: {text[-2000:]}")
            text += os.read(self.fd, 65536).decode(errors="replace")
        return text

    def complete(self, line):
        """The words on the line after every candidate was put there, without those that were typed before."""
        self.send(line + "\x18a" + "\x01echo AA''AA \x05 BB''BB\n")
        text = self.read_until("BBBB")
        if "READY>" not in text[text.rindex("BBBB"):]:
            self.read_until("READY>")
        shown = text[text.rindex("AAAA"):text.rindex("BBBB")].split()[1:]
        return shown[len(line.split()) - (not line.endswith(" ")):]

    def close(self):
        os.close(self.fd)
        os.waitpid(self.child, 0)


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="recallbay-completion-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        work, stubs = cls.folder / "work", cls.folder / "bin"
        for folder in (work / "folder", stubs, cls.folder / "home"):
            folder.mkdir(parents=True)
        (work / "file.json").touch()
        for program in PROGRAMS:
            (stubs / program).write_text(f"#!/bin/sh\ntouch {cls.folder}/ran\n")
            (stubs / program).chmod(0o755)
        environment = {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}", "HOME": str(cls.folder / "home"), "TERM": "dumb",
                       "ZDOTDIR": str(cls.folder / "home"), "LC_ALL": "C.UTF-8", "HISTFILE": ""}
        sourced = "".join(f"source {COMPLETIONS}/{program}\n" for program in PROGRAMS)
        (cls.folder / "bash").write_text(BASH + sourced)
        (cls.folder / "zsh").write_text(f"fpath=({COMPLETIONS} $fpath)\n" + ZSH)
        cls.shells = {"bash": Terminal(["bash", "--norc", "--noprofile", "-i"], work, f"source {cls.folder}/bash", environment),
                      "zsh": Terminal(["zsh", "-f", "-i"], work, f"source {cls.folder}/zsh", environment)}
        for shell in cls.shells.values():
            cls.addClassCleanup(shell.close)

    def expect(self, line, candidates):
        for name, shell in self.shells.items():
            with self.subTest(shell=name, line=line):
                self.assertEqual({"folder" if word == "folder/" else word for word in shell.complete(line)}, set(candidates))

    def test_every_verb(self):
        for program in PROGRAMS:
            verbs = [verb["name"].split() for verb in table(program)["verbs"] if verb["name"]]
            first = {words[0] for words in verbs}
            if first:
                self.expect(f"{program} ", first)
            for word in first:
                second = {words[1] for words in verbs if words[0] == word and len(words) == 2}
                if second:
                    self.expect(f"{program} {word} ", second)

    def test_every_option(self):
        for program in PROGRAMS:
            common = table(program)["common"]
            for verb in table(program)["verbs"]:
                self.expect(" ".join(filter(None, (program, verb["name"]))) + " -", spellings(verb["options"] + common))

    def test_values(self):
        self.expect("recallctl recover --link ", LINKS)
        self.expect("recallctl recover --link d", {"doip://", "doips://"})
        self.expect("recall-sim --timing ", {"real", "fast"})
        self.expect("recall-sim --model x --timing f", {"fast"})
        self.expect("recall-sim --timing=f", {"--timing=fast"})
        self.expect("recall-oem demo --scenario i", {"image-supplier", "image-oem"})
        self.expect("recall-can-setup set can0 500k/", {"500k/2M", "500k/5M"})
        self.expect("recallctl links set can0 2", {"250k"})
        self.expect("recallctl --json --data-dir x record p", {"print"})
        self.expect("recallctl tuf --metadata-dir x r", {"refresh"})
        self.expect("recallctl record verify --require ", {"completed"})

    def test_files(self):
        self.expect("recallctl record verify f", {"file.json", "folder"})
        self.expect("recallctl record verify a b f", {"file.json", "folder"})
        self.expect("recallctl record print 00 -o f", {"file.json", "folder"})
        self.expect("recallctl bundle import fi", {"file.json"})
        self.expect("recallctl record export f", {"folder"})
        self.expect("recallbay --data-dir f", {"folder"})

    def test_nothing_is_run(self):
        """Half a line is completed from words: it is never run."""
        for line in ("recall-oem demo --", "recall-oem demo here --", "recallctl recover --campaign X --", "recall-sim --state . --", "recallctl tru",
                     "recallctl outbox ", "recallctl record export x "):
            for shell in self.shells.values():
                shell.complete(line)
        self.assertFalse((self.folder / "ran").exists())
        self.assertEqual(sorted(path.name for path in (self.folder / "work").iterdir()), ["file.json", "folder"])

    def test_syntax(self):
        for program in PROGRAMS:
            subprocess.run(["bash", "-n", COMPLETIONS / program], check=True, timeout=30)
            subprocess.run(["zsh", "-n", COMPLETIONS / f"_{program}"], check=True, timeout=30)


if __name__ == "__main__":
    unittest.main()
