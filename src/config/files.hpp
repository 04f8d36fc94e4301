// Reading of small files from disk, and of TOML into a flat list.
//
// toml++ is known to toml_file.cpp alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/table.hpp"

namespace tilld::config {

struct small_file {
  std::string content;
  unsigned permissions = 0;  // the lower nine bits of the mode
};

// A regular file of at most `most_bytes`. Errors: invalid, "cannot read …: cause", for a directory,
// a device, a missing, unreadable or larger file. Never blocks on a pipe.
result<small_file> read_small_file(const std::string& path, std::size_t most_bytes);

// One key of a TOML file.
struct entry {
  std::vector<std::string> path;  // {"api", "listen"}
  bool is_table = false;
  std::optional<value> content;  // nothing for tables and for kinds no setting has
  std::string kind;              // "a text", "a table", "a date", …
  unsigned line = 0;
};

// "api.listen"; parts that are no bare keys are quoted.
std::string dotted(const std::vector<std::string>& path);

// Every key and table in the order of the file. `file` is for error lines.
// Errors: invalid, "file:line:column: …", without repeating what looks like a secret.
result<std::vector<entry>> parse_toml(std::string_view text, const std::string& file);

}  // namespace tilld::config
