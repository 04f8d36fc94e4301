#include "store/ranges.hpp"

#include <algorithm>

namespace tilld::store {

std::optional<std::string> end_of_prefix(std::string_view prefix) {
  const std::size_t last = prefix.find_last_not_of('\xff');
  if (last == std::string_view::npos) return std::nullopt;
  std::string end(prefix.substr(0, last + 1));
  end[last] = static_cast<char>(static_cast<unsigned char>(end[last]) + 1);
  return end;
}

bounds bounds_of(const scan_range& range) {
  bounds b{range.prefix, end_of_prefix(range.prefix)};
  if (range.from.empty()) return b;
  if (!range.reverse) {
    b.first = std::max(b.first, range.from);
  } else if (!b.end || range.from < *b.end) {
    b.end = range.from;
  }
  return b;
}

}  // namespace tilld::store
