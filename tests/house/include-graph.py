#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""include-graph.py [--write] [ROOT]: who includes whom in src/, as data/doc/architecture.md shows it.

Without --write, prints the graph. With it, replaces the part of the document between the two marks."""

import sys
from pathlib import Path

import graph


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    root = Path(arguments[0] if arguments else Path(__file__).parents[2]).resolve()
    if "--write" in sys.argv:
        graph.write(root)
    else:
        print(graph.render(root), end="")


main()
