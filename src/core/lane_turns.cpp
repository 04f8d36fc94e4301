#include "core/lane_turns.hpp"

#include <algorithm>

namespace tilld::core {

std::optional<std::size_t> lane_turns::due(const lanes& ready) const {
  std::array<std::size_t, stripe::lane_count> order{};
  std::size_t count = 0;
  for (std::size_t lane = stripe::lane_count; lane-- > 0;) {
    if (ready[lane]) order[count++] = lane;
  }
  std::stable_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
                   [&](std::size_t a, std::size_t b) { return passed_over_[a] > passed_over_[b]; });
  // Served in this order, the i-th still has i turns of others before its own.
  for (std::size_t i = 0; i < count; ++i) {
    if (passed_over_[order[i]] + static_cast<int>(i) >= passed_over_at_most) return order[0];
  }
  return std::nullopt;
}

std::optional<std::size_t> lane_turns::next(const lanes& ready) const {
  if (auto lane = due(ready)) return lane;
  const auto first = std::find(ready.begin(), ready.end(), true);
  if (first == ready.end()) return std::nullopt;
  return static_cast<std::size_t>(first - ready.begin());
}

void lane_turns::went(std::size_t lane, const lanes& ready) {
  for (std::size_t other = 0; other < ready.size(); ++other) {
    if (ready[other]) ++passed_over_[other];
  }
  passed_over_[lane] = 0;
}

}  // namespace tilld::core
