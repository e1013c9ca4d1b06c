#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""advice-table.py REASONS.json OUT.h: the sentences of every reason word as a C table that xgettext can read"""

import json
import sys


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        groups = json.load(file)
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("/* SPDX-License-Identifier: Apache-2.0 */\n/* made of reasons.json */\n")
        for words in groups.values():
            for word, texts in words.items():
                name = "RB_REASON_" + word.upper().replace("-", "_")
                out.write(f"/* Translators: what “{word}” means for the vehicle, and what the technician does next */\n"
                          f"[{name}] = {{ N_ ({quoted(texts['means'])}),\n  N_ ({quoted(texts['next'])}) }},\n")


main()
