// What a scan_range covers, in plain bounds. For the implementations of the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/store.hpp"

namespace tilld::store {

// Keys from `first` (included) to `end` (not included; nullopt: to the last there is).
struct bounds {
  std::string first;
  std::optional<std::string> end;
  bool empty() const noexcept { return end && first >= *end; }
};

// The smallest key after all that start with the prefix; nullopt if there is none (only 0xff).
std::optional<std::string> end_of_prefix(std::string_view prefix);

bounds bounds_of(const scan_range& range);

}  // namespace tilld::store
