#!/usr/bin/python3
"""Runs a program under the system-call filter of a unit file, as systemd would set it.

usage: under_filter.py UNIT PROGRAM [ARGUMENT…]

Reads SystemCallFilter= and SystemCallErrorNumber= of the unit, expands the groups with
`systemd-analyze syscall-filter`, and executes the program with everything else refused. Also
NoNewPrivileges=. Needs Debian's python3-seccomp.
"""

import errno
import os
import subprocess
import sys

import seccomp


def group(name, seen=None):
    seen = set() if seen is None else seen
    if name in seen:
        return set()
    seen.add(name)
    text = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True,
                          text=True, check=True).stdout
    calls = set()
    for line in text.splitlines()[1:]:
        item = line.strip()
        if item.startswith("#") or not item:
            continue
        calls |= group(item, seen) if item.startswith("@") else {item}
    return calls


def expand(words):
    calls = set()
    for word in words.split():
        calls |= group(word) if word.startswith("@") else {word}
    return calls


def main():
    allowed, error = set(group("@default")), errno.EPERM
    with open(sys.argv[1]) as unit:
        for line in unit:
            key, _, value = line.strip().partition("=")
            if key == "SystemCallFilter" and value.startswith("~"):
                allowed -= expand(value[1:])
            elif key == "SystemCallFilter":
                allowed |= expand(value)
            elif key == "SystemCallErrorNumber":
                error = getattr(errno, value)
    rules = seccomp.SyscallFilter(defaction=seccomp.ERRNO(error))
    for name in sorted(allowed):
        try:
            rules.add_rule(seccomp.ALLOW, name)
        except (RuntimeError, ValueError):
            pass  # a call of another architecture
    rules.add_rule(seccomp.ALLOW, "execve")  # systemd executes the program before the filter binds
    rules.load()
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
