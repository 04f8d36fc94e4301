#!/usr/bin/env python3
"""Checks the tree against the rules in rules.py: floors, foreign libraries, sizes and shapes.

usage: tidy.py [ROOT]          default: the tree this file is in

Prints a line per finding, "path:line: what", and ends with 1 if there is any; warnings do not
count. The check of the check is self_test.py beside it.
"""

import os
import re
import sys
from pathlib import Path

import rules

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MARK = re.compile(r"\b(" + "|".join(rules.MARKS) + r")\b")


class Findings:
    def __init__(self):
        self.faults = []
        self.warnings = []

    def fault(self, path, line, what):
        self.faults.append(f"{path}:{line}: {what}")

    def warning(self, path, line, what):
        self.warnings.append(f"{path}:{line}: warning: {what}")


def starts(name, beginnings):
    return any(name.startswith(beginning) for beginning in beginnings)


def all_files(root):
    """Paths below root, with "/", of the files that are ours: no builds, no data."""
    for name in sorted(os.listdir(root)):
        if (root / name).is_file():
            yield name
    for folder in rules.FOLDERS:
        for at, folders, names in os.walk(root / folder):
            folders[:] = sorted(f for f in folders if f not in ("__pycache__", "node_modules"))
            for name in sorted(names):
                yield (Path(at) / name).relative_to(root).as_posix()


def is_code(path):
    return Path(path).suffix in rules.CODE or path == ".ci/run"


def is_text(path):
    return is_code(path) or Path(path).suffix in rules.TEXT or Path(path).suffix == ""


def check_lines(path, lines, found):
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            found.fault(path, number, "a tab: indent with blanks")
        if line != line.rstrip():
            found.fault(path, number, "blanks or a carriage return at the end of the line")
        if MARK.search(line):
            found.fault(path, number, "a mark of unfinished work: do it or leave it out")
        if is_code(path) and len(line) > rules.MOST_COLUMNS:
            found.fault(path, number, f"{len(line)} columns; {rules.MOST_COLUMNS} are allowed")


def check_length(path, lines, found):
    if not is_code(path):
        return
    if len(lines) > rules.MOST_LINES:
        found.fault(path, 1, f"{len(lines)} lines; {rules.MOST_LINES} are allowed: split the file")
    elif len(lines) > rules.MANY_LINES:
        found.warning(path, 1, f"{len(lines)} lines are many for one sitting")


def check_end(path, text, found):
    if text and not text.endswith("\n"):
        found.fault(path, text.count("\n") + 1, "no line break at the end of the file")
    elif text.endswith("\n\n"):
        found.fault(path, text.count("\n"), "an empty line at the end of the file")


def check_header(path, lines, found):
    if not lines or not lines[0].startswith("// "):
        found.fault(path, 1, "a header starts with a comment that says what it is for")
    if "#pragma once" not in lines:
        found.fault(path, 1, "no #pragma once")
    for number, line in enumerate(lines, 1):
        if line.startswith("using namespace") and path.startswith("src/"):
            found.fault(path, number, "using namespace in a header reaches whoever includes it")


def room_of(path):
    """"src/core/order.cpp" → "core"; "src/main.cpp" → "main.cpp"."""
    return path.split("/")[1]


def check_floor(path, number, name, found):
    room = room_of(path)
    allowed = rules.FLOORS.get(room)
    if allowed is None:
        found.fault(path, number, f"the room {room} has no floor in tests/tidy/rules.py")
        return
    if "/" not in name or starts(name, ["./", "../"]):
        found.fault(path, number, f'"{name}": name the header from src/ on, as "room/header.hpp"')
        return
    other, header = name.split("/", 1)
    if other == room:
        return
    if other not in rules.FLOORS:
        found.fault(path, number, f'"{name}": there is no room {other}')
    elif other not in allowed and "*" not in allowed:
        found.fault(path, number, f'"{name}": {room} may not know {other}')
    elif header not in rules.DOORS.get((room, other), [header]):
        found.fault(path, number, f'"{name}": {room} may not know this header of {other}')


def check_library(path, number, name, found):
    inside = path.removeprefix("src/")
    for library, headers, files in rules.LIBRARIES:
        if starts(name, headers) and not starts(inside, files):
            where = ", ".join(f"src/{f}*" for f in files) or "tests"
            found.fault(path, number, f"<{name}>: {library} is known to {where} alone")
    if not path.endswith(".hpp"):
        return
    for headers, instead, excepted in rules.SOURCES_ONLY:
        if starts(name, headers) and inside not in excepted:
            found.fault(path, number, f"<{name}> in a header: {instead}")


def check_includes(path, lines, found):
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, name = match.groups()
        library = bracket == "<" or any(starts(name, headers) for _, headers, _ in rules.LIBRARIES)
        if library:
            check_library(path, number, name, found)
        else:
            check_floor(path, number, name, found)


def check_file(path, text, found):
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    check_lines(path, lines, found)
    check_length(path, lines, found)
    check_end(path, text, found)
    if path.endswith(".hpp"):
        check_header(path, lines, found)
    if path.startswith("src/") and path.endswith((".cpp", ".hpp")):
        check_includes(path, lines, found)


def check_tree(root):
    found = Findings()
    count = 0
    for path in all_files(root):
        if not is_text(path):
            continue
        count += 1
        try:
            text = (root / path).read_bytes().decode("utf-8")
        except UnicodeDecodeError as why:
            found.fault(path, 1, f"not UTF-8 text: {why.reason}")
            continue
        check_file(path, text, found)
    return found, count


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent.parent)
    found, count = check_tree(root)
    for line in found.warnings + found.faults:
        print(line)
    if not count:
        print(f"{root}: nothing to check")
        return 1
    print(f"{count} files, {len(found.faults)} faults, {len(found.warnings)} warnings")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
