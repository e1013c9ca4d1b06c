#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The completion of one program: make.py TABLE.json TEMPLATE OUTPUT. TABLE.json is what PROGRAM --help --json printed at
build time. What is installed holds only words: a key pressed in a shell never starts the program."""

import json
import shlex
import sys
from pathlib import Path

LINKS = "doip:// doips:// can: canfd: usb: bus:"
FOLDERS = {"DIR", "FOLDER"}
FILES = {"FILE", "BUNDLE", "CERT", "CSR"}


def kind_of_argument(word):
    """What a word of a verb's arguments completes to: "words WORD…", "file", "folder" or "nothing"."""
    parts = [part.strip("[]…") for part in word.strip("[]…").split("|")]
    if any(part in FILES or "." in part for part in parts):
        return "file"
    if any(part in FOLDERS for part in parts):
        return "folder"
    if len(parts) > 1 and all(part == part.lower() or part[0].isdigit() for part in parts):
        return "words " + " ".join(parts)
    return "nothing"


def positional(arguments):
    """Kinds of the positional arguments in their order; options in the text are left out. The last may repeat: "…"."""
    kinds, words = [], arguments.replace(" | ", "|").split()
    while words:
        word = words.pop(0)
        if word.lstrip("[").startswith("-"):
            if words and not word.endswith("]"):
                words.pop(0)
        elif word != "…":
            kinds.append(kind_of_argument(word))
    return kinds + (["…"] if kinds and arguments.endswith("…") else [])


def kind_of_option(option):
    if option["kind"] == "word":
        return "words " + option["value"].replace("|", " ")
    if option["kind"] == "link":
        return "prefixes " + LINKS
    return option["kind"] if option["kind"] in ("file", "folder") else "nothing"


def spellings(option):
    return ["--" + option["name"]] + (["-" + option["letter"]] if option["letter"] else [])


def followers(table):
    """words so far → the words that may follow: "" → trust bundle…, "trust" → add list…"""
    found = {}
    for verb in table["verbs"]:
        words = verb["name"].split()
        for i, word in enumerate(words):
            following = found.setdefault(" ".join(words[:i]), [])
            if word not in following:
                following.append(word)
    return found


def entries(table):
    """(array, key, value): next[words], options[words], expects[words option], arguments[words]"""
    verbs = {verb["name"]: verb for verb in table["verbs"]}
    for words, following in followers(table).items():
        yield "next", words, " ".join(following)
    for words in {**dict.fromkeys(followers(table)), **verbs}:
        verb = verbs.get(words, {"options": [], "arguments": ""})
        options = verb["options"] + table["common"]
        yield "options", words, " ".join(spelling for option in options for spelling in spellings(option))
        yield "arguments", words, ";".join(positional(verb["arguments"]))
        for option in options:
            for spelling in spellings(option) if option["value"] else ():
                yield "expects", f"{words} {spelling}".strip(), kind_of_option(option)


def main():
    table, template, output = sys.argv[1:]
    table = json.loads(Path(table).read_text(encoding="utf-8"))
    lines = [f"    {array}[/{key.replace(' ', '/')}]={shlex.quote(value)}" for array, key, value in entries(table)]
    text = Path(template).read_text(encoding="utf-8")
    text = text.replace("@FUNCTION@", "_" + table["program"].replace("-", "_")).replace("@PROGRAM@", table["program"])
    Path(output).write_text(text.replace("@TABLE@", "\n".join(lines)), encoding="utf-8")


if __name__ == "__main__":
    main()
