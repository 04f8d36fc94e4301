// When a document wants something to happen to it by itself: a draft to be finalized, a period to
// end, a session to expire. Read from the document alone, so the timetable that the world keeps is
// always what its documents say.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "sandbox/machine/kinds.hpp"
#include "sandbox/machine/sequence.hpp"

namespace tilld::sandbox {

// A place in the timetable. What falls due in the same second goes by kind, then by age:
// subscriptions come before the invoices that they make.
struct due {
  std::int64_t at_s = 0;
  kind of = kind::customer;
  row_number row = 0;
  auto operator<=>(const due&) const = default;
};

// The next moment at which it wants attention; nothing when it rests. Documents of kinds without a
// rule of their own say so in their member "_due".
std::optional<std::int64_t> due_of(kind k, const json& document);

// The test clock whose time it lives by; empty: the account's own.
std::string clock_of(const json& document);

inline constexpr std::int64_t incomplete_for_s = 23 * 3600;

}  // namespace tilld::sandbox
