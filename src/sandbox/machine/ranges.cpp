#include "sandbox/machine/ranges.hpp"

#include <algorithm>

#include "sandbox/time/due.hpp"

namespace tilld::sandbox {

time_range range_of(const json& given) {
  time_range range;
  if (given.is_number_integer()) {
    range.from_s = range.to_s = given.get<std::int64_t>();
  } else if (given.is_object()) {
    const auto take = [&](const char* name, auto narrow) {
      if (given.contains(name)) narrow(given[name].get<std::int64_t>());
    };
    take("gte", [&](std::int64_t s) { range.from_s = std::max(range.from_s, s); });
    take("gt", [&](std::int64_t s) {
      if (s < std::numeric_limits<std::int64_t>::max()) {
        range.from_s = std::max(range.from_s, s + 1);
      }
    });
    take("lte", [&](std::int64_t s) { range.to_s = std::min(range.to_s, s); });
    take("lt", [&](std::int64_t s) {
      if (s > std::numeric_limits<std::int64_t>::min()) range.to_s = std::min(range.to_s, s - 1);
    });
  }
  return range;
}

bool within(const time_range& range, const json& document, const char* member) {
  const auto it = document.find(member);
  return it != document.end() && it->is_number_integer() && range.holds(it->get<std::int64_t>());
}

bool on_no_clock(const json& document) {
  return clock_of(document).empty();
}

}  // namespace tilld::sandbox
