"""What tidy.py checks, as tables: who may include whom, which files know which library, bounds.

A new room, library or exception is a line here, with its reason; see
docs/decisions/0001-rooms-and-floors.md for the reasons of the floors.
"""

# room → rooms whose headers it may include (its own always). "*": all.
FLOORS = {
    "base": [],
    "stripe": ["base"],
    "core": ["base", "stripe"],
    "store": ["base", "stripe", "core"],
    "net": ["base"],
    "config": ["base"],
    "actors": ["base", "stripe", "core", "store", "net"],
    "http": ["base", "stripe", "core", "store", "actors"],
    "sandbox": ["base", "stripe"],
    "cli": ["*"],
    "main.cpp": ["base", "cli"],
}

# Of some rooms others see only a few headers: (who, of which room) → which.
# HTTP knows the actors by what goes in and out of them, not by how they work.
DOORS = {
    ("http", "actors"): ["facts.hpp", "ownership.hpp", "till.hpp"],
}

# A library → the beginnings of its header names, and the paths (beginnings, below src/) of the
# files that may include them. First match counts.
LIBRARIES = [
    ("RocksDB", ["rocksdb/"], ["store/rocks", "store/group_builder"]),
    ("cpp-httplib", ["httplib.h"], ["http/library", "http/server", "http/door"]),
    ("CAF", ["caf/"], ["actors/"]),
    ("libcurl", ["curl/"], ["net/"]),
    ("prometheus-cpp", ["prometheus/"], ["base/metrics.cpp"]),
    ("spdlog", ["spdlog/"], ["base/log.cpp"]),
    ("toml++", ["toml++/", "toml.hpp"], ["config/toml_file.cpp"]),
    ("CLI11", ["CLI/"], ["cli/"]),
    ("simdjson", ["simdjson"], ["stripe/", "core/", "store/records.cpp"]),
    ("libsystemd", ["systemd/"], ["cli/"]),
    ("Catch2", ["catch2/"], []),
    ("rapidcheck", ["rapidcheck"], []),
]

# Headers that headers do not include, because everybody who includes those would pay for them:
# (beginnings of names, what to do instead, headers that may all the same).
SOURCES_ONLY = [
    (["nlohmann/json.hpp"], "include <nlohmann/json_fwd.hpp>",
     ["sandbox/machine/document.hpp", "http/api/endpoint.hpp"]),
    (["simdjson"], "move it into the .cpp file", []),
    (["fmt/"], "move it into the .cpp file", []),
    (["httplib.h"], "move it into the .cpp file", []),
    (["toml++/", "spdlog/", "prometheus/"], "move it into the .cpp file", []),
]

MOST_LINES = 600
MANY_LINES = 500  # a warning
MOST_COLUMNS = 100

# Folders and files of the project's root that are looked at.
FOLDERS = [".ci", "bench", "cmake", "config", "docs", "scripts", "src", "systemd", "tests"]
CODE = {".cpp", ".hpp", ".S", ".py", ".sh", ".js", ".css"}
TEXT = CODE | {".md", ".toml", ".cmake", ".txt", ".service", ".conf", ".html", ".mustache", ".in"}

# Marks of unfinished work. Written in two halves, so that this file has none.
MARKS = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]
