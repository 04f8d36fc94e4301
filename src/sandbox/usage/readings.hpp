// What a meter makes of single reports: those of one window that overwrite each other, and the sum,
// the number or the last of them. Values in, values out.
// Source: https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tilld::sandbox::usage {

struct reading {
  std::int64_t at_s = 0;
  std::int64_t value = 0;
};

// In the order in which they were received. With a window ("hour", "day") of a meter that takes
// figures added up already, the last received of each window alone; empty: all of them.
std::vector<reading> in_force(const std::vector<reading>& received, std::string_view window);

// "sum", "count" or "last": the latest by its own time, of two at one time the one received later.
// Nothing has been used: 0. May be below zero, for reports may be.
std::int64_t aggregate(std::string_view formula, const std::vector<reading>& readings);

// 3600 or 86400; 0 for no window.
std::int64_t window_s(std::string_view window);

}  // namespace tilld::sandbox::usage
