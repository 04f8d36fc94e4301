// Walks over the lists of the index: all objects of a name, or those that are filed under certain
// values, in the order of their creation.
//
// Several conditions are met by leaping from index to index, so that what is read is what fits, not
// what is there.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/keys.hpp"
#include "store/store.hpp"

namespace tilld::store {

// Where an object stands in its list: newer is greater, within one second the larger id.
struct list_place {
  std::int64_t created_s = 0;
  std::string id;
  friend auto operator<=>(const list_place&, const list_place&) = default;
};

struct list_condition {
  std::string filter;
  std::vector<std::string> values;                             // filed under one of them
  std::vector<std::pair<std::string, std::string>> or_else{};  // or so: filter and value
};

struct list_walk {
  scope of;
  std::string object_name;
  std::vector<list_condition> conditions;  // all must hold; none: every object
  std::int64_t from_s = 0;                 // created from … to …, both included
  std::int64_t to_s = std::numeric_limits<std::int64_t>::max();
  std::optional<list_place> beyond;  // begins behind this place
  bool oldest_first = false;         // otherwise the newest
  std::size_t expected = 16;         // how many will be looked at, as far as that is known
};

// False from `visit` ends the walk. Errors: unavailable, corrupt.
result<void> walk(const reader& from, const list_walk& wanted,
                  const std::function<bool(const list_place&)>& visit);

}  // namespace tilld::store
