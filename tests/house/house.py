# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, each a function of the tree that yields what breaks it."""

import json
import os
import re
import subprocess
from pathlib import Path

import graph
import names
import wording

# group → folder → what it may include (the table of the README); a group is a zone of trust
FOLDERS = {
    "base": {
        "core": "",
        "db": "core",
        "net": "core",
    },
    "trust": {
        "crypto": "core",
        "identitykey": "crypto core",
        "keymaker": "crypto core",
        "keystore": "crypto core",
        "log": "crypto core",
        "uptane": "crypto net core",
        "author": "uptane crypto core",
    },
    "recall": {
        "model": "crypto core",
        "campaign": "model uptane crypto core",
        "record": "model uptane keystore crypto core",
    },
    "link": {
        "frame": "core",
        "link": "frame core",
        "can": "link frame core",
        "doip": "link frame core",
        "linkd": "can doip link frame core",
        "cansetup": "can link frame core",
    },
    "workshop": {
        "uds": "link core",
        "vehicle": "uds link model keystore crypto core",
        "outbox": "record log net db model keystore crypto core",
        "library": "campaign model uptane keystore crypto core",
        "recovery": "vehicle uds outbox library campaign record db link model uptane keystore crypto core",
        "ctl": "recovery outbox library cansetup vehicle uds campaign record link model log net uptane identitykey keystore crypto core",
        "session": "recovery outbox library campaign record link model uptane keystore crypto core",
        "pages": "session recovery campaign link model uptane keystore crypto core",
        "workstation": "pages session recovery campaign link model uptane keystore crypto core",
    },
    "sim": {
        "sim-ecu": "keymaker model uptane crypto core",
        "sim-can": "sim-ecu model uptane frame crypto core",
        "sim-doip": "sim-ecu model uptane frame crypto core",
        "sim": "sim-can sim-doip sim-ecu model uptane frame crypto core",
    },
    "oem": {
        "authority": "author keystore model uptane crypto core",
        "pki": "keymaker model crypto core",
        "ledger": "log db crypto core",
        "audit": "log db crypto core",
        "intake": "ledger campaign record log model uptane crypto core",
        "oem": "audit authority pki intake ledger log campaign record author keymaker model uptane keystore crypto core",
    },
}
SEES = {folder: set(seen.split()) for folders in FOLDERS.values() for folder, seen in folders.items()}
GROUP = {folder: group for group, folders in FOLDERS.items() for folder in folders}
# What a group may see of another one; of itself it may see all. Hostile bytes arrive in link, and no key is known there.
MAY_SEE = {
    "base": {},
    "trust": {"base": None},
    "recall": {"base": None, "trust": {"crypto", "keystore", "uptane", "log"}},
    "link": {"base": {"core"}},
    "workshop": {"base": None, "trust": {"crypto", "identitykey", "keystore", "uptane", "log"}, "recall": None, "link": {"link", "cansetup"}},
    "sim": {"base": None, "trust": None, "recall": {"model"}, "link": {"frame"}},
    "oem": {"base": None, "trust": None, "recall": None},
}

# Public functions that no other file of src calls, and why they stand: doors of tests, and what a part that is still to come needs.
HOOKS = {
    "rb_push_delay_ms": "a test computes the delays without waiting",
    "rb_application_register_resources": "tests show pages without an application",
    "rb_authentication_message": "a test compares it with the workstation's, which is written apart",
    "rb_campaign_container_is_valid": "for whoever publishes an image; fuzzed",
    "rb_can_bits": "a test compares it with python-can",
    "rb_can_link_new": "tests have a CAN bus in memory",
    "rb_can_network_add": "the benchmark's bus has ECUs without a vehicle",
    "rb_can_network_new_bare": "the benchmark's bus has no vehicle",
    "rb_can_network_wire": "tests watch one bus of several",
    "rb_canonical_form": "the form with which the one made while reading is compared",
    "rb_dsse_verify_with_key": "the test vector of DSSE has a key and no certificate",
    "rb_ecu_answer_free": "the benchmark's ECU answers without a vehicle",
    "rb_http_send": "tests of the client ask in short",
    "rb_identity_decrypt": "secrets of ECUs that know only 0x27",
    "rb_identity_encrypt_to": "secrets of ECUs that know only 0x27",
    "rb_link_new_with_backend": "tests have links of their own",
    "rb_outbox_abandon": "tests take a place in the chain and leave it",
    "rb_outbox_add": "tests store records that no recovery made",
    "rb_outbox_begin": "tests take a place in the chain",
    "rb_can_bus_count": "tests and the benchmark measure the bus",
    "rb_can_bus_count_anew": "tests and the benchmark measure the bus",
}
# What is built before it is used: any of its functions may wait for its caller.
AHEAD = {
    "src/trust/log/": "proofs of the transparency log, for the intake",
    "src/trust/crypto/fingerprint.c": "the OEM's keys, for its verbs",
    "src/trust/keystore/signer.c": "the OEM's keys, for its verbs",
    "src/oem/": "the OEM's half, for its verbs",
}

MAX_FUNCTION = {"src": 60, "tests": 100}  # a test may hold a long table
MAX_FILE = 700
MIN_RATIO = 0.6
SMALL = 200  # a folder of fewer lines has no ratio of its own
# folder → its floor where that is lower: folders tested through the programs above them
LOWER_RATIO = {
    "crypto": 0.15, "keymaker": 0, "author": 0, "campaign": 0.2, "model": 0.55, "library": 0.45, "recovery": 0.5, "session": 0, "pages": 0,
    "cansetup": 0.5, "sim-doip": 0.55, "sim": 0.55,
}
MAX_FOLDER = (30, 4500)  # files, lines
# folder → its limit where that is higher
LARGER_FOLDER = {
    "core": (34, 4500), "uptane": (48, 6500), "campaign": (34, 4500), "record": (38, 4500), "recovery": (82, 8200), "ctl": (34, 4500), "pages": (34, 4500), "sim-ecu": (42, 4500),
    "authority": (60, 7500), "oem": (100, 10000),
}
GENERATED = {"rb_workstation_register_resource"}  # functions that the compiler of resources makes without a header
SPDX = "SPDX-License-Identifier: Apache-2.0"
SOURCES = {".c", ".h", ".py", ".sh", ".ui", ".css", ".build"}
# making keys: only where keys are made, which is at the OEM and in an ECU
FORBIDDEN_DEFINED = re.compile(r"^(rb_keygen_\w*|rb_issue_\w*|rb_she_update)$")
FORBIDDEN_IMPORTED = {"EVP_PKEY_generate", "EVP_PKEY_keygen", "EVP_PKEY_Q_keygen", "EVP_PKEY_paramgen"}
OWN_KEYS = {"recallctl": {"EVP_PKEY_Q_keygen"}}
TOP = re.compile(r"\..*|CONTRIBUTING\.md|LICENSE|NEWS|README\.md|SECURITY\.md|meson\.build|meson_options\.txt|src|ui|data|po|tests|packaging|demo|_?build.*")  # the last three are ignored by git
KEY_MAKERS = {"recall-oem", "recall-sim"}
# what hostile bytes reach has no keys, database or web to reach for; the programs beside it do not take such bytes apart
LINK_PROCESS = "recall-link"
LINK_LIBRARIES = re.compile(r"^lib(glib-2\.0|gio-2\.0|gobject-2\.0|seccomp|usb-1\.0|socketcan|jansson|crypto|c|m|pthread|asan|ubsan|tsan)\.so")
LINK_FOREIGN = re.compile(r"^rb_(key|keygen|digest|identity|certificate|evp|dsse|she|journal|library|record|statement|store|http|campaign)_")
LINK_SIGNING = re.compile(r"^(EVP_PKEY_(sign|decrypt|derive|get_raw_private)\w*|EVP_(Digest)?Sign\w*|(X509|CMS|PKCS7|RSA|ECDSA|EC|OCSP)_\w*sign\w*"
                          r"|(PEM_read|d2i)\w*(PrivateKey|PKCS12)\w*|PKCS12_\w+|OSSL_STORE_\w+)$")
FRAMING = ("rb_isotp_", "rb_can_io_", "rb_can_link_", "rb_virtual_bus_", "rb_doip_link_", "rb_doip_stream_", "rb_gs_usb_", "rb_socketcan_", "rb_backends_", "rb_serve_")


def files(root, *tops, suffixes=SOURCES):
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            if path.is_file() and not path.is_symlink() and path.suffix in suffixes and "__pycache__" not in path.parts:
                yield path


def text(path):
    return path.read_text(encoding="utf-8")


def name(root, path):
    return str(path.relative_to(root))


def without_strings(source):
    """C with comments and the insides of strings blanked, line numbers kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()) if m.group()[0] == "/" else m.group()[0] * 2, source)


def place(folder):
    return f"src/{GROUP.get(folder, '*')}/{folder}"


def declared_sees(root):
    """folder → what its meson.build says it sees"""
    found = {}
    for path in sorted((root / "src").glob("*/*/meson.build")):
        match = re.search(r"^sees\s*=\s*\[(.*?)\]", text(path), re.M | re.S)
        found[path.parent.name] = set(re.findall(r"'([^']+)'", match.group(1))) if match else set()
    return found


def check_top(root):
    for path in sorted(root.iterdir()):
        if not TOP.fullmatch(path.name):
            yield f"{path.name}: not at the top of the tree"


def check_sees(root):
    declared = declared_sees(root)
    for folder, sees in declared.items():
        if folder not in SEES:
            yield f"src/*/{folder}: a folder that the table does not know"
        elif sees != SEES[folder]:
            yield f"{place(folder)}/meson.build: sees {sorted(sees ^ SEES[folder])} otherwise than the table"
    for folder in SEES.keys() - declared.keys():
        yield f"{place(folder)}: has no meson.build"
    for path in sorted((root / "src").glob("*/*/meson.build")):
        if re.search(r"include_directories", text(path)):
            yield f"{name(root, path)}: another way to include than `sees`"


def check_groups(root):
    for path in sorted((root / "src").glob("*/*/meson.build")):
        folder, group = path.parent.name, path.parent.parent.name
        if GROUP.get(folder, group) != group:
            yield f"{name(root, path.parent)}: belongs into {place(folder)}"
    for folder, sees in declared_sees(root).items():
        allowed = MAY_SEE.get(GROUP.get(folder), {})
        for seen in sorted(sees & GROUP.keys()):
            other = GROUP[seen]
            if other != GROUP.get(folder) and (other not in allowed or (allowed[other] is not None and seen not in allowed[other])):
                yield f"{place(folder)}: the group {GROUP.get(folder)} may not see {place(seen)}"


def included_folders(root, folder):
    """The folders whose headers a folder includes, by itself or through them."""
    found, open_files = set(), list(files(root, place(folder), suffixes={".c", ".h"}))
    while open_files:
        for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text(open_files.pop()), re.M):
            header = root / place(included.split("/")[0]).removesuffix(included.split("/")[0]) / included
            if included.count("/") == 1 and header not in found and header.exists():
                found.add(header)
                open_files.append(header)
    return {header.parent.name for header in found} - {folder}


def check_minimal(root):
    """A folder sees what it includes, and no more."""
    for folder, sees in declared_sees(root).items():
        included = included_folders(root, folder)
        for unused in sorted(sees - included) if included else ():
            yield f"{place(folder)}/meson.build: sees {unused} and includes none of it"


def check_includes(root):
    for path in files(root, "src", suffixes={".c", ".h"}):
        folder = path.parent.name
        for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text(path), re.M):
            top = included.split("/")[0]
            if top == included and not path.with_name(included).exists():
                continue  # a generated header has no folder in its name
            if top != folder and top not in SEES.get(folder, set()):
                yield f"{name(root, path)}: may not include {included}"


# a library's header → the folders that may include it: one place for each thing from outside that a mistake makes dangerous
ONLY_IN = {
    "sqlite3.h": {"db"},
    "libpq-fe.h": {"db"},
    "libusb.h": {"can"},
    "openssl/": {"crypto", "identitykey", "keymaker", "keystore", "doip"},
}


def check_libraries(root):
    for path in files(root, "src", suffixes={".c", ".h"}):
        for included in re.findall(r"^\s*#\s*include\s+<([^>]+)>", text(path), re.M):
            for header, folders in ONLY_IN.items():
                if ("/" + included).startswith("/" + header) or included.endswith("/" + header):
                    if path.parent.name not in folders:
                        yield f"{name(root, path)}: may not include <{included}>"


def cycles(edges):
    done, way = set(), []

    def walk(node):
        if node in way:
            yield way[way.index(node):] + [node]
        elif node not in done:
            way.append(node)
            for following in sorted(edges.get(node, ())):
                yield from walk(following)
            way.pop()
            done.add(node)

    for start in sorted(edges):
        yield from walk(start)


def check_cycles(root):
    for cycle in cycles(declared_sees(root)):
        yield "folders in a circle: " + " → ".join(cycle)
    headers = {}
    for path in files(root, "src", suffixes={".h"}):
        headers[f"{path.parent.name}/{path.name}"] = set(re.findall(r'^\s*#\s*include\s+"([^"]+)"', text(path), re.M))
    for cycle in cycles(headers):
        yield "headers in a circle: " + " → ".join(cycle)


def check_module_cycles(root):
    """Modules (graph.py) are in layers, inside a folder too."""
    for circle in graph.circles(graph.modules(root)):
        yield "modules in a circle: " + ", ".join(circle)


def check_goto(root):
    for path in files(root, "src", "tests", suffixes={".c", ".h"}):
        for number, line in enumerate(without_strings(text(path)).splitlines(), 1):
            if re.search(r"\bgoto\b", line):
                yield f"{name(root, path)}:{number}: goto"


def check_spdx(root):
    for path in files(root, "src", "tests", "data", "ui", "packaging", "po"):
        if path.is_relative_to(root / "tests" / "data"):
            continue
        if SPDX not in "\n".join(text(path).splitlines()[:3]):
            yield f"{name(root, path)}: no licence line at its top"


def functions(path):
    """(line, head, length) of each function in a C file; bodies begin and end in the first column."""
    lines = without_strings(text(path)).splitlines()
    start = None
    for number, line in enumerate(lines):
        if line.rstrip() == "{" and number > 0 and not lines[number - 1].rstrip().endswith((";", "=")):
            start = number
        elif line.startswith("}") and start is not None:
            first = start
            while first > 0 and lines[first - 1].strip() and not re.match(r"[}#]|.*;\s*$", lines[first - 1]):
                first -= 1
            yield first + 1, " ".join(lines[first:start]), number - first + 1
            start = None


def function_name(head):
    match = re.search(r"(\w+)\s*\(", re.sub(r"G_GNUC_\w+\s*(\([^)]*\))?|__attribute__\s*\(\(.*?\)\)", "", head))
    return match.group(1) if match else ""


def check_prefix(root):
    for path in files(root, "src", suffixes={".c"}):
        prefix = "rb_" + path.stem.replace("-", "_") + "_"
        for number, head, _ in functions(path):
            called = function_name(head)
            if re.search(r"\bstatic\b", head) or not called or called.isupper() or (path.stem.endswith("main") and called == "main"):
                continue
            if not called.startswith(prefix):
                yield f"{name(root, path)}:{number}: {called} does not begin with {prefix}"


def public_functions(root):
    """name → its .c, of functions that are not static"""
    return {called: path for path in files(root, "src", suffixes={".c"}) for _, head, _ in functions(path)
            if (called := function_name(head)).startswith("rb_") and not re.search(r"\bstatic\b", head)}


def used_names(root):
    """.c → the names in it; a name in a macro of a header is used by every file that may include it"""
    used = {path: set(re.findall(r"\brb_\w+", without_strings(text(path)))) for path in files(root, "src", suffixes={".c"})}
    macros = set()
    for path in files(root, "src", suffixes={".h"}):
        source = without_strings(text(path)).replace("\\\n", " ")
        macros.update(name for line in re.findall(r"#define.*|G_DEFINE_\w+ \([^)]*\)|static inline.*?^}", source, re.M)
                      for name in re.findall(r"\brb_\w+", line))
    return used, macros


def check_callers(root):
    """A public function has a caller in another file, or a reason."""
    used, macros = used_names(root)
    public = public_functions(root)
    for called, path in sorted(public.items()):
        is_called = called in macros or any(called in names for other, names in used.items() if other != path)
        if not is_called and called not in HOOKS and not name(root, path).startswith(tuple(AHEAD)):
            yield f"{name(root, path)}: no other file calls {called}: static, or gone, or a hook with a reason"
        elif is_called and called in HOOKS:
            yield f"{name(root, path)}: {called} has callers, and needs no hook"
    if public.keys() & HOOKS.keys():
        yield from (f"hook {called}: no such function" for called in sorted(HOOKS.keys() - public.keys()))


def check_lengths(root):
    for path in files(root, "src", "tests", suffixes={".c", ".h", ".py"}):
        lines = len(text(path).splitlines())
        if lines > MAX_FILE:
            yield f"{name(root, path)}: {lines} lines, more than {MAX_FILE}"
        if path.suffix == ".py":
            continue
        longest = MAX_FUNCTION[path.relative_to(root).parts[0]]
        for number, head, length in functions(path):
            if length > longest:
                yield f"{name(root, path)}:{number}: {function_name(head)} has {length} lines, more than {longest}"


def check_wrappers(root):
    """An error is set by rb_reason_deny(); a function that adds what it is about is named after its module."""
    empty = re.compile(r"static gboolean\n\w+ \([^{]*\)\n\{\n  g_set_error(?:_literal)? \([^;]*;\n  return FALSE;\n\}")
    for path in files(root, "src", suffixes={".c"}):
        source = text(path)
        for match in re.finditer(r"^(?:fail|refuse|refused|deny|denied) \(", source, re.M):
            yield f"{name(root, path)}:{source.count(chr(10), 0, match.start()) + 1}: {match.group(0)[:-2]}() does not say whose error it sets"
        for match in empty.finditer(source):
            yield f"{name(root, path)}:{source.count(chr(10), 0, match.start()) + 1}: rb_reason_deny() sets an error and returns FALSE"


def check_sleep(root):
    pattern = re.compile(r"\b(?:g_usleep|usleep|nanosleep|sleep)\s*\(|^\s*sleep\s+[\d.]", re.M)
    for path in files(root, "tests", suffixes={".c", ".h", ".py", ".sh"}):
        if path.parent.name == "house":
            continue
        source = without_strings(text(path)) if path.suffix in {".c", ".h"} else text(path)
        for match in pattern.finditer(source):
            yield f"{name(root, path)}:{source.count(chr(10), 0, match.start()) + 1}: a test that sleeps"


def check_outputs(root):
    """What is written at a workstation is either private or a file that a person named; only the OEM's side publishes files."""
    for folder in ("recall", "workshop"):
        for path in files(root, f"src/{folder}", suffixes={".c"}):
            for number, line in enumerate(without_strings(text(path)).splitlines(), 1):
                if re.search(r"\b(rb_files_write|rb_files_write_text) \(|\bfopen \(|\bg_file_set_contents\w* \(", line):
                    yield f"{name(root, path)}:{number}: neither rb_files_write_private nor rb_files_write_output"


def check_unfinished(root):
    for path in files(root, "src", "tests", "data", "ui"):
        if path.parent.name == "house":
            continue
        for number, line in enumerate(text(path).splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                yield f"{name(root, path)}:{number}: unfinished: {line.strip()[:60]}"


def reason_words(root):
    return dict(re.findall(r'^\s*X \((\w+), "([\w-]+)"\)', text(root / "src/base/core/reason.h"), re.M))


def check_reasons(root):
    words = set(reason_words(root).values())
    told = {}
    for entries in json.loads(text(root / "data/reasons.json")).values():
        told.update(entries)
    for word in sorted(words - told.keys()):
        yield f"data/reasons.json: does not tell {word}"
    for word in sorted(told.keys() - words):
        yield f"data/reasons.json: tells {word}, which is no reason"
    for word, entry in sorted(told.items()):
        for member in ("means", "next"):
            if not str(entry.get(member, "")).strip():
                yield f"data/reasons.json: {word} has nothing to say of “{member}”"


def check_reasons_are_tested(root):
    tested = "\n".join(text(path) for path in files(root, "tests", suffixes={".c", ".h", ".py", ".sh"}) if path.parent.name != "house")
    for constant, word in sorted(reason_words(root).items()):
        if not re.search(rf"RB_REASON_{constant}\b|(?<![\w-]){re.escape(word)}(?![\w-])", code_only(tested, word)):
            yield f"reason {word}: no test produces it"


def code_only(tested, word):
    """A one-word reason ("path", "missing") counts only as a quoted word or constant."""
    if "-" in word:
        return tested
    return "\n".join(re.findall(rf"RB_REASON_\w+|[\"']{re.escape(word)}[\"']", tested))


def count_lines(root, top, suffixes):
    return sum(sum(1 for line in text(path).splitlines() if line.strip())
               for path in files(root, top, suffixes=suffixes) if not path.is_relative_to(root / "tests" / "data"))


def ratio(root):
    source = count_lines(root, "src", {".c"})
    return count_lines(root, "tests", {".c", ".h", ".py", ".sh"}) / max(source, 1)


def check_ratio(root):
    if ratio(root) < MIN_RATIO:
        yield f"tests have {ratio(root):.2f} lines for a line of src, fewer than {MIN_RATIO}"


def check_folder_ratio(root):
    """tests/GROUP/FOLDER against src/GROUP/FOLDER."""
    for folder, group in GROUP.items():
        source = count_lines(root, f"src/{group}/{folder}", {".c"})
        tested = count_lines(root, f"tests/{group}/{folder}", {".c", ".h", ".py", ".sh"})
        least = LOWER_RATIO.get(folder, MIN_RATIO)
        if group != "oem" and source >= SMALL and tested < least * source:  # tests/oem is one folder
            yield f"tests/{group}/{folder}: {tested / source:.2f} lines for a line of src, fewer than {least}"


def check_folder_size(root):
    for folder in GROUP:
        found = list(files(root, place(folder), suffixes={".c", ".h"}))
        lines = sum(len(text(path).splitlines()) for path in found)
        most = LARGER_FOLDER.get(folder, MAX_FOLDER)
        if len(found) > most[0] or lines > most[1]:
            yield f"{place(folder)}: {len(found)} files of {lines} lines, more than {most[0]} or {most[1]}"


def check_prototypes(root):
    """A function that another file defines is declared in a header, and nowhere else."""
    for path in files(root, "src", suffixes={".c"}):
        source = without_strings(text(path))
        for match in re.finditer(r"^extern\b.*|^(?!static\b|typedef\b|return\b|else\b)[A-Za-z_][\w ]*[ *](rb_\w+) \([^;{}=]*\)[^;{}=]*;", source, re.M):
            if match.group(1) not in GENERATED:
                yield f"{name(root, path)}:{source.count(chr(10), 0, match.start()) + 1}: declares what a header has to"


def check_names(root):
    """Comments and papers cite what is in the tree."""
    yield from names.check_names(root, files, text)


def check_wording(root):
    """Comments, strings and what users read have the words of the field: see wording.py."""
    yield from wording.check_wording(root, files, text)


def check_papers(root):
    """Every document of data/doc is installed, and no other."""
    written = {path.name for path in (root / "data/doc").glob("*")}
    build = text(root / "data/meson.build") if (root / "data/meson.build").exists() else ""
    for paper in sorted(written ^ set(re.findall(r"'doc/([\w-]+\.md)'", build))):
        yield f"data/doc/{paper}: " + ("not installed by data/meson.build" if paper in written else "installed, but not there")


def check_graph(root):
    """The include graph in the papers is the one of the tree."""
    yield from graph.check_graph(root)


def symbols(program):
    found = subprocess.run(["nm", "-P", str(program)], capture_output=True, text=True, check=True).stdout
    for line in found.splitlines():
        parts = line.split()
        if len(parts) >= 2:
            yield parts[0].split("@")[0], parts[1]


def check_keyless(program):
    """recallctl makes the own keys of a person or a workstation, in identitykey/, and no other."""
    found = list(symbols(program))
    allowed = OWN_KEYS.get(program.name, set()) if any(symbol == "rb_identity_key_make" for symbol, _ in found) else set()
    for symbol, kind in found:
        if kind == "U" and symbol in FORBIDDEN_IMPORTED - allowed:
            yield f"{program.name}: can make keys, it calls {symbol}"
        elif kind != "U" and FORBIDDEN_DEFINED.match(symbol):
            yield f"{program.name}: can make keys, {symbol} is in it"


def check_key_makers(build):
    """Keys are made in two folders of src, one for the OEM and one for people and workstations."""
    for library in sorted((build / "src").glob("librb-*.a")):
        if library.stem.removeprefix("librb-") not in {"keymaker", "identitykey"}:
            for symbol, kind in symbols(library):
                if kind == "U" and symbol in FORBIDDEN_IMPORTED:
                    yield f"{library.name}: makes keys, it calls {symbol}"


def needed(program):
    found = subprocess.run(["objdump", "-p", str(program)], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\s+NEEDED\s+(\S+)", found, re.M)


def check_link_process(program):
    """recall-link links what it uses, and that is neither database nor web; of crypto it has what verifies a vehicle's certificate. The
    others have no framing in them."""
    if program.name != LINK_PROCESS:
        yield from (f"{program.name}: takes frames apart, {symbol} is in it" for symbol, kind in symbols(program)
                    if kind != "U" and symbol.startswith(FRAMING))
        return
    yield from (f"{program.name}: links {library}" for library in needed(program) if not LINK_LIBRARIES.match(library))
    yield from (f"{program.name}: {symbol} is in it" for symbol, _ in symbols(program) if LINK_FOREIGN.match(symbol) or LINK_SIGNING.match(symbol))


def check_framing(program):
    """Each prefix of FRAMING names something in the link process: a rule about a name that is no more would check nothing."""
    inside = [symbol for symbol, kind in symbols(program) if kind != "U"]
    yield from (f"{program.name}: no symbol begins with {prefix}" for prefix in FRAMING if not any(symbol.startswith(prefix) for symbol in inside))


RULES = [check_top, check_sees, check_groups, check_minimal, check_includes, check_libraries, check_cycles, check_module_cycles, check_goto, check_spdx, check_prefix, check_callers, check_lengths, check_wrappers, check_sleep, check_outputs,
         check_unfinished, check_reasons, check_reasons_are_tested, check_ratio, check_folder_ratio, check_folder_size, check_prototypes, check_names, check_wording, check_papers, check_graph]


def programs(build):
    return [path for path in sorted((build / "src").glob("recall*"))
            if path.is_file() and os.access(path, os.X_OK) and path.name not in KEY_MAKERS]


def as_path(argument):
    return Path(argument).resolve()
