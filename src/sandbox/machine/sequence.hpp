// Row numbers in ascending order, from an index or from a whole table, walked in either direction
// from any place. What every list is made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilld::sandbox {

using row_number = std::uint32_t;
using posting = std::vector<row_number>;  // ascending, no doubles

// Lets maps of std::string be asked with a std::string_view.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

class sequence {
 public:
  sequence() = default;
  sequence(row_number first, row_number end) : first_(first), end_(end) {}  // every row between
  explicit sequence(std::vector<const posting*> lists) : lists_(std::move(lists)) {}

  // The greatest row below `row`, the smallest at or above `row`.
  std::optional<row_number> below(row_number row) const;
  std::optional<row_number> from(row_number row) const;
  // How many rows at most: the cost of walking it.
  std::size_t size() const;

 private:
  row_number first_ = 0;
  row_number end_ = 0;
  std::vector<const posting*> lists_;
};

inline constexpr row_number after_the_newest = 0xffffffffU;

void insert_into(posting& list, row_number row);
void erase_from(posting& list, row_number row);

}  // namespace tilld::sandbox
