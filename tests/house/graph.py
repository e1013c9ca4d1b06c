# SPDX-License-Identifier: Apache-2.0
"""The include graph of src/, by folder and by module (a module is a .c with its headers: NAME.h, and NAME-inside.h for its folder and
neighbours), and its place in the papers."""

import re
from pathlib import Path

PAPER = Path("data/doc/architecture.md")
BEGIN, END = "<!-- include graph: begin -->\n", "<!-- include graph: end -->\n"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def module_of(file):
    """FOLDER/NAME of FOLDER/NAME.c, FOLDER/NAME.h and FOLDER/NAME-inside.h"""
    return re.sub(r"(-inside)?\.[ch]$", "", file)


def modules(root):
    """folder/module → the folder/module of each header that it includes"""
    found = {}
    for path in sorted((root / "src").glob("*/*/*.[ch]")):
        module = module_of(f"{path.parent.name}/{path.name}")
        edges = found.setdefault(module, set())
        for included in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if "/" in included and included.endswith(".h"):
                edges.add(module_of(included))
        edges.discard(module)
    return found


def folders(edges):
    """folder → the other folders whose headers it includes"""
    found = {}
    for module, included in edges.items():
        folder = module.split("/")[0]
        found.setdefault(folder, set()).update(name.split("/")[0] for name in included)
    return {folder: seen - {folder} for folder, seen in found.items()}


def floors(seen):
    """folder → 0 for those that include no other, else one more than the highest below"""
    found = {}

    def floor(folder, above=()):
        if folder not in found:
            below = [floor(name, (*above, folder)) for name in seen.get(folder, ()) if name not in above]
            found[folder] = 1 + max(below, default=-1)
        return found[folder]

    for folder in seen:
        floor(folder)
    return found


def reachable(edges, start):
    found, open_nodes = set(), [start]
    while open_nodes:
        for following in edges.get(open_nodes.pop(), ()):
            if following not in found:
                found.add(following)
                open_nodes.append(following)
    return found


def circles(edges):
    """Modules that include one another, each circle once."""
    below = {module: reachable(edges, module) for module in edges}
    found = {tuple(sorted(other for other in below[module] if module in below.get(other, ()))) for module in edges if module in below[module]}
    return sorted(found)


def render(root):
    edges = modules(root)
    seen = folders(edges)
    floor = floors(seen)
    order = sorted(seen, key=lambda folder: (floor[folder], folder))
    lines = ["### Folders", "", "| floor | folder | modules | includes |", "|---|---|---|---|"]
    for folder in order:
        count = sum(1 for module in edges if module.startswith(folder + "/"))
        lines.append(f"| {floor[folder]} | {folder} | {count} | {', '.join(sorted(seen[folder])) or '–'} |")
    lines += ["", "### Modules", "", "The edges inside one folder. A module that is not listed includes no other module of its folder.", ""]
    for folder in order:
        inside = [(module.split("/")[1], sorted(name.split("/")[1] for name in included if name.startswith(folder + "/")))
                  for module, included in sorted(edges.items()) if module.startswith(folder + "/")]
        lines += [f"**{folder}**", ""]
        lines += [f"- {module} → {', '.join(included)}" for module, included in inside if included] or ["- none"]
        lines.append("")
    lines += ["### Circles", "", "Modules that include one another.", ""]
    lines += [f"- {', '.join(circle)}" for circle in circles(edges)] or ["- none"]
    lines.append("")
    return "\n".join(lines)


def split(root):
    """The document before, in and after the marks."""
    text = (root / PAPER).read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    shown, _, after = rest.partition(END)
    return before, shown, after


def write(root):
    before, _, after = split(root)
    (root / PAPER).write_text(before + BEGIN + render(root) + END + after, encoding="utf-8")


def check_graph(root):
    if not (root / PAPER).exists() or split(root)[1] != render(root):
        yield f"{PAPER}: not the include graph of src; tests/house/include-graph.py --write brings it up to date, also in a conflict"
