# SPDX-License-Identifier: Apache-2.0
"""What comments and papers cite: files, functions, types and documents; each of them is in the tree."""

import os
import re
from pathlib import Path

TEXTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "NEWS")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
OURS = re.compile(r"\b(?:rb_\w+|RB_[A-Z0-9_]+|Rb[A-Z]\w+)\b(?!\.)")
CALL = re.compile(r"(?<![\w:.-])([a-z_][a-z0-9_]*) ?\(\)")
# a path whose first folder is one of the tree, or a name that ends as sources do
PATH = re.compile(r"(?<![\w/.~-])((?:src|tests|data|ui|po|packaging)/[\w./-]*\w|(?:[\w.-]+/)*[\w-]+\.(?:[ch]|py|sh|ui|md))(?![\w/])")
PLACEHOLDER = re.compile(r"(?:^|/)[A-Z]{2,}(?:[./]|$)")  # src/FOLDER
# documents of the time before the tree
DOCUMENT = re.compile(r"\b(?:DESIGN|FACTS|INTERFACES|SCREENS|HOUSE|WORDS|STYLE)\b(?!_)")
# of the kernel, of adapters' firmware and of the C library; comments cite them without including or calling them
FOREIGN_FILES = {"drivers/net/can/usb/gs_usb.c", "gs_usb.h", "include/uapi/linux/landlock.h"}
FOREIGN_CALLS = {"realloc"}


def comments(source):
    """(line, text) of each comment of a C file; strings that look like one are not."""
    pattern = re.compile(COMMENT.pattern + r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    for match in pattern.finditer(source):
        if match.group()[0] == "/":
            yield source.count("\n", 0, match.start()) + 1, match.group()


def hash_comment(line):
    found = re.search(r"(?:^|\s)#\s(.*)", line)
    return found.group(1) if found else ""


def code_of(source):
    pattern = re.compile(COMMENT.pattern + r'|("(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')', re.S)
    return pattern.sub(lambda match: match.group(1) or " ", source)


def tree_paths(root):
    skipped = re.compile(r"^(?:\.git|_?build.*|demo|__pycache__)$")
    found = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not skipped.match(name)]
        where = Path(folder).relative_to(root)
        found.update(str(where / name) for name in [*files, *folders])
    return found


class Tree:
    """What can be cited."""

    def __init__(self, root, files, text):
        self.paths = tree_paths(root)
        self.ends = {"/".join(path.split("/")[start:]) for path in self.paths for start in range(path.count("/") + 1)}
        self.words = set()
        for path in files(root, "src", "tests", suffixes={".c", ".h", ".py"}):
            source = text(path)
            self.words.update(re.findall(r"\w+", code_of(source) if path.suffix in {".c", ".h"} else source))
            self.words.update("RB_REASON_" + word for word in re.findall(r"\bX \((\w+), \"", source))
            self.words.update(f"rb_{word}_error_quark" for word in re.findall(r"RB_DE\w+_ERROR_DOMAIN \((\w+)\)", source))

    def has_word(self, word):
        if word in self.words:
            return True
        return word.endswith("_") and any(known.startswith(word) for known in self.words)

    def has_path(self, path):
        return path in self.ends or path in FOREIGN_FILES or path.startswith("linux/")

    def missing(self, words):
        for match in DOCUMENT.finditer(words):
            yield words.count("\n", 0, match.start()), f"document {match.group()}"
        for match in OURS.finditer(words):
            if not self.has_word(match.group()):
                yield words.count("\n", 0, match.start()), match.group()
        for match in CALL.finditer(words):
            if match.group(1) not in self.words and match.group(1) not in FOREIGN_CALLS:
                yield words.count("\n", 0, match.start()), f"{match.group(1)} ()"
        for match in PATH.finditer(words):
            if not self.has_path(match.group(1)) and not PLACEHOLDER.search(match.group(1)):
                yield words.count("\n", 0, match.start()), match.group(1)


def papers(root):
    yield from (root / name for name in TEXTS if (root / name).exists())
    for folder in ("data/man", "data/doc"):
        if (root / folder).is_dir():
            yield from sorted(path for path in (root / folder).iterdir() if path.is_file())


def check_names(root, files, text):
    tree = Tree(root, files, text)
    for path in files(root, "src", "tests", suffixes={".c", ".h"}):
        for line, comment in comments(text(path)):
            for offset, missing in tree.missing(comment):
                yield f"{path.relative_to(root)}:{line + offset}: cites {missing}, which is not in the tree"
    for path in files(root, "src", "tests", "packaging", suffixes={".py", ".sh", ".build", ".ui"}):
        for number, line in enumerate(text(path).splitlines(), 1):
            for _, missing in tree.missing(hash_comment(line)) if path.parent.name != "house" else ():
                yield f"{path.relative_to(root)}:{number}: cites {missing}, which is not in the tree"
    for path in papers(root):
        for line, missing in tree.missing(re.sub(r"\\(.)", r"\1", text(path)) if path.parent.name == "man" else text(path)):
            yield f"{path.relative_to(root)}:{line + 1}: cites {missing}, which is not in the tree"
