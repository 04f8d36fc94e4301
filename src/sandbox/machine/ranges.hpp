// What lists are filtered by beyond equal members: time.
//
// Ranges of time as a list's parameters say them: created=1767225600 or created[gte]=….
// Source: https://docs.stripe.com/api/customers/list (created)
#pragma once

#include <cstdint>
#include <limits>

#include "sandbox/machine/document.hpp"

namespace tilld::sandbox {

struct time_range {
  std::int64_t from_s = std::numeric_limits<std::int64_t>::min();  // both included
  std::int64_t to_s = std::numeric_limits<std::int64_t>::max();
  bool holds(std::int64_t s) const { return s >= from_s && s <= to_s; }
};

// Of params::range's value; null holds everything.
time_range range_of(const json& given);

// Whether the document's member is a time within the range.
bool within(const time_range& range, const json& document, const char* member);

// What a list of everything leaves out: whatever belongs to a test clock is shown below a parent
// (test_clock, customer, subscription) only.
// Source: https://docs.stripe.com/billing/testing/test-clocks (Limitations)
bool on_no_clock(const json& document);

}  // namespace tilld::sandbox
