# SPDX-License-Identifier: Apache-2.0
"""Words that this tree does not use: in comments of src, in sentences of its strings, and in what users read."""

import re

import names

TEXTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "NEWS", "data/reasons.json")
STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
# of "carmaker (OEM)" in README, which explains the term once
ALLOWED = {("README.md", "carmaker")}
# a row: its name, what it finds, what to write, and how many comments of src still have it. That number only falls; in strings, and in what
# users read, there is none.
ROWS = [
    ("nobody", r"\b(?:[Ss]ome|[Nn]o|[Ee]very)body\b|\b[Ww]hoever\b", "name the actor", 0),
    ("attacker", r"\b(?:thief|thieves|made-up)\b", "attacker", 0),
    ("ecu", r"\b[Cc]ontrol units?\b", "ECU", 0),
    ("not-one", r"(?<!there )\b(?:is|are|was) (?:not one(?! of)|none)\b", "state the fact", 11),
    ("is-no", r"(?<!there )\b(?:is|are) no (?!longer\b|more\b|such\b|error\b)[A-Za-z]+", "is not", 20),
    ("metaphor", r"\b(?:c[ao]mes? about|for ever|anew|to be had|mend(?:s|ed|ing)?|pass(?:es|ed)? (?:it |them )?over|half-done|unsaid|vouch\w*)\b",
     "the technical verb", 35),
    ("tells", r"\b(?:tells?|told)\b(?! apart)(?!.{0,12} (?:OEM|them|auditor))", "report, return", 53),
    ("judges", r"\bjudg(?:e|es|ed|ing)\b", "verify, evaluate", 3),
    ("on-its-way", r"\b(?:on (?:its|their) way|laid ready|looked at again|gone on with|to and fro|once more|in work)\b", "in flight, queued, again, in progress", 24),
    ("goes-on", r"\b(?:gone|go(?:es|ing)?) on (?:by|where|with)\b", "resume, continue", 5),
    ("oem", r"\b[Cc]armakers?\b|\bdata folder\b|\bhardware number\b", "OEM, data directory, hardware identifier", 0),
    ("headless", r"^/\* (?:What|Who|Whom|Whoever) (?![^*]*\?)", "name the thing with a noun", 75),
]


def flat(comment):
    """A comment in one line, as it is read."""
    return re.sub(r"\s*\n\s*\*?\s*", " ", comment)


def of_comments(root, files, text):
    for path in files(root, "src", suffixes={".c", ".h"}):
        for line, comment in names.comments(text(path)):
            yield f"{path.relative_to(root)}:{line}", flat(comment)


def of_strings(root, files, text):
    """Sentences: strings with a space in them."""
    for path in files(root, "src", suffixes={".c", ".h"}):
        for match in STRING.finditer(names.code_of(text(path))):
            if " " in match.group(1):
                yield str(path.relative_to(root)), match.group(1)


def of_users(root, files, text):
    paths = [*(root / name for name in TEXTS), *files(root, "ui", suffixes={".ui"})]
    for folder in ("data/man", "data/doc"):
        paths += sorted((root / folder).iterdir()) if (root / folder).is_dir() else []
    for path in paths + sorted((root / "data").glob("*.xml")):
        for number, line in enumerate(text(path).splitlines() if path.is_file() else [], 1):
            yield f"{path.relative_to(root)}:{number}", line


def hits(places, pattern):
    for where, words in places:
        for match in re.finditer(pattern, words):
            if (where.split(":")[0], match.group()) not in ALLOWED:
                yield f"{where}: “{match.group()}”"


def check_wording(root, files, text):
    comments, read = list(of_comments(root, files, text)), [*of_strings(root, files, text), *of_users(root, files, text)]
    for name, pattern, instead, most in ROWS:
        yield from (f"{hit}: {instead} ({name})" for hit in hits(read, pattern))
        found = list(hits(comments, pattern))
        if len(found) > most:
            yield f"{len(found)} comments have what {name} finds, {most} had: {instead}; {'; '.join(found)}"
