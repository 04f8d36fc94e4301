// What lies in a directory that is to be a store, before RocksDB is let at it.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace tilld::store {

enum class directory_content : std::uint8_t {
  nothing,  // not there, empty, or what a first open left that was cut off: a store can begin here
  store,    // a RocksDB database
};

// Changes nothing. Errors: unavailable (not a directory, not readable), corrupt (a database without
// its CURRENT file: RocksDB would begin a new one and delete the old one's files), invalid (files
// of something else).
result<directory_content> look_into(const std::string& path);

// With mode 0700, parents as usual, and entered into its parent durably.
result<void> make_directory(const std::string& path);

}  // namespace tilld::store
