#!/usr/bin/env python3
"""The check of the check: small trees with one violation each; tidy.py finds exactly that one."""

import sys
import tempfile
import unittest
from pathlib import Path

import rules
import tidy

HEADER = "// What it is for.\n#pragma once\n"
MARK = rules.MARKS[0]


def findings(files):
    with tempfile.TemporaryDirectory(prefix="tilld-tidy-") as folder:
        root = Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text if isinstance(text, bytes) else text.encode())
        found, _ = tidy.check_tree(root)
        return found


# path, text, where and what tidy says of it
VIOLATIONS = [
    # floors
    ("src/base/a.cpp", '#include "stripe/form.hpp"\n', "a.cpp:1: .*base may not know stripe"),
    ("src/stripe/a.hpp", HEADER + '#include "core/order.hpp"\n', "a.hpp:3: .*stripe may not know"),
    ("src/core/a.cpp", '#include "store/keys.hpp"\n', "core may not know store"),
    ("src/store/a.cpp", '#include "actors/till.hpp"\n', "store may not know actors"),
    ("src/net/a.cpp", '#include "stripe/form.hpp"\n', "net may not know stripe"),
    ("src/config/a.cpp", '#include "store/keys.hpp"\n', "config may not know store"),
    ("src/actors/a.cpp", '#include "http/server.hpp"\n', "actors may not know http"),
    ("src/http/a.cpp", '#include "net/client.hpp"\n', "http may not know net"),
    ("src/http/a.cpp", '#include "actors/owner.hpp"\n', "may not know this header of actors"),
    ("src/sandbox/a.cpp", '#include "core/order.hpp"\n', "sandbox may not know core"),
    ("src/base/a.cpp", '#include "cli/app.hpp"\n', "base may not know cli"),
    ("src/main.cpp", '#include "store/store.hpp"\n', "main.cpp:1: .*main.cpp may not know store"),
    ("src/core/a.cpp", '  #  include "store/keys.hpp"  // why\n', "core may not know store"),
    ("src/core/a.cpp", '#include "order.hpp"\n', "from src/ on"),
    ("src/core/a.cpp", '#include "../store/keys.hpp"\n', "from src/ on"),
    ("src/core/a.cpp", '#include "attic/keys.hpp"\n', "there is no room attic"),
    ("src/attic/a.cpp", '#include "base/log.hpp"\n', "the room attic has no floor"),
    # libraries
    ("src/store/keys.cpp", "#include <rocksdb/db.h>\n", "RocksDB is known to src/store/rocks"),
    ("src/http/router.cpp", "#include <httplib.h>\n", "cpp-httplib is known to"),
    ("src/http/router.cpp", '#include "httplib.h"\n', "cpp-httplib is known to"),
    ("src/http/a.cpp", "#include <caf/all.hpp>\n", "CAF is known to"),
    ("src/http/a.cpp", "#include <curl/curl.h>\n", "libcurl is known to"),
    ("src/base/a.cpp", "#include <prometheus/counter.h>\n", "prometheus-cpp is known to"),
    ("src/http/a.cpp", "#include <spdlog/spdlog.h>\n", "spdlog is known to"),
    ("src/config/load.cpp", "#include <toml++/toml.h>\n", "toml.. is known to"),
    ("src/http/a.cpp", "#include <CLI/CLI.hpp>\n", "CLI11 is known to"),
    ("src/http/a.cpp", "#include <simdjson.h>\n", "simdjson is known to"),
    ("src/actors/a.cpp", "#include <systemd/sd-daemon.h>\n", "libsystemd is known to"),
    ("src/core/a.cpp", "#include <catch2/catch.hpp>\n", "Catch2 is known to tests alone"),
    ("src/core/a.cpp", "#include <rapidcheck.h>\n", "rapidcheck is known to tests alone"),
    ("src/core/a.hpp", HEADER + "#include <nlohmann/json.hpp>\n", "json_fwd"),
    ("src/core/a.hpp", HEADER + "#include <simdjson.h>\n", "in a header: move it"),
    ("src/core/a.hpp", HEADER + "#include <fmt/format.h>\n", "in a header: move it"),
    ("src/http/library.hpp", HEADER + "#include <httplib.h>\n", "in a header: move it"),
    # sizes
    ("src/core/a.cpp", "int a;\n" * 601, "a.cpp:1: 601 lines; 600 are allowed"),
    ("tests/a.py", "a = 1\n" * 601, "601 lines"),
    ("src/core/a.cpp", "\n//" + "x" * 99 + "\n", "a.cpp:2: 101 columns"),
    ("scripts/a.sh", "#" + "x" * 100 + "\n", "a.sh:1: 101 columns"),
    (".ci/run", "#" + "x" * 100 + "\n", "101 columns"),
    # shapes
    ("src/core/a.cpp", "int a;\n\tint b;\n", "a.cpp:2: a tab"),
    ("docs/a.md", "a\tb\n", "a.md:1: a tab"),
    ("src/core/a.cpp", "int a; \n", "a.cpp:1: blanks"),
    ("docs/a.md", "two blanks  \n", "a.md:1: blanks"),
    ("src/core/a.cpp", "int a;\r\n", "a.cpp:1: blanks or a carriage return"),
    ("src/core/a.cpp", "int a;", "a.cpp:1: no line break"),
    ("src/core/a.cpp", "int a;\n\n", "a.cpp:2: an empty line"),
    ("src/core/a.cpp", b"// \xff\n", "not UTF-8"),
    ("src/core/a.hpp", "#pragma once\n", "a.hpp:1: a header starts with a comment"),
    ("src/core/a.hpp", "// What it is for.\n", "a.hpp:1: no #pragma once"),
    ("src/core/a.hpp", HEADER + "using namespace std;\n", "a.hpp:3: using namespace"),
    ("src/core/a.cpp", f"// {MARK}: later\n", "a.cpp:1: a mark"),
    ("README.md", f"{MARK}\n", "README.md:1: a mark"),
] + [("src/core/a.cpp", f"// {mark}\n", "a mark") for mark in rules.MARKS]

# Nothing is said of these.
CLEAN = [
    ("src/core/a.cpp", '#include "core/a.hpp"\n\n#include <nlohmann/json.hpp>\n\n'
     '#include "base/log.hpp"\n#include "stripe/form.hpp"\n'),
    ("src/core/a.hpp", HEADER + '#include <nlohmann/json_fwd.hpp>\n'),
    ("src/http/a.cpp", '#include "actors/facts.hpp"\n#include "store/store.hpp"\n'),
    ("src/http/library.cpp", "#include <httplib.h>\n"),
    ("src/store/rocks_store.cpp", "#include <rocksdb/db.h>\n"),
    ("src/actors/a.hpp", HEADER + "#include <caf/all.hpp>\n"),
    ("src/config/toml_file.cpp", "#include <toml++/toml.h>\n"),
    ("src/cli/serve.cpp", '#include <CLI/CLI.hpp>\n#include <systemd/sd-daemon.h>\n\n'
     '#include "sandbox/simulator.hpp"\n'),
    ("src/core/a.cpp", "int a;\n" * 600),
    ("src/core/a.cpp", "//" + "ü" * 98 + "\n"),
    ("src/core/a.cpp", '// mkdtemp("/tmp/a-XXXXXX"), todo_list\n'),
    ("src/core/a.cpp", ""),
    ("docs/a.md", "x" * 300 + "\n"),
    ("tests/unit/core/a.cpp", "#include <rapidcheck.h>\n"),
    ("build/src/a.cpp", "\t"),
]


class SelfTest(unittest.TestCase):
    def test_each_violation_is_found_and_nothing_else(self):
        for path, text, expected in VIOLATIONS:
            with self.subTest(path=path, expected=expected):
                faults = findings({path: text}).faults
                matching = [line for line in faults if tidy.re.search(expected, line)]
                self.assertTrue(matching, f"not found: {expected}; found: {faults}")
                self.assertTrue(all(line.startswith(path + ":") for line in faults))
                self.assertEqual(len({line.split(": ")[0] for line in faults}), 1, faults)

    def test_all_violations_are_found_in_one_tree(self):
        files = {}
        for number, (path, text, _) in enumerate(VIOLATIONS):
            if not path.startswith("src/") or path == "src/main.cpp":
                continue
            files[path.replace("/a.", f"/a{number}.")] = text
        found = findings(files)
        self.assertEqual({line.split(":")[0] for line in found.faults}, set(files))

    def test_clean_files_pass(self):
        for path, text in CLEAN:
            with self.subTest(path=path, text=text[:40]):
                self.assertEqual(findings({path: text}).faults, [])

    def test_a_long_file_is_a_warning(self):
        found = findings({"src/core/a.cpp": "int a;\n" * 501})
        self.assertEqual(found.faults, [])
        self.assertEqual(found.warnings, ["src/core/a.cpp:1: warning: 501 lines are many for one "
                                          "sitting"])

    def test_every_room_of_the_tree_has_a_floor(self):
        source = Path(__file__).parent.parent.parent / "src"
        rooms = {entry.name for entry in source.iterdir() if entry.is_dir()}
        self.assertEqual(rooms - set(rules.FLOORS), set())

    def test_the_floors_have_no_cycle(self):
        def below(room, seen):
            self.assertNotIn(room, seen, f"a cycle through {room}")
            for other in rules.FLOORS[room]:
                if other != "*":
                    below(other, seen | {room})

        for room in rules.FLOORS:
            below(room, set())


if __name__ == "__main__":
    sys.exit(unittest.main())
