#include "sandbox/catalogue/amounts.hpp"

#include <algorithm>

namespace tilld::sandbox::amounts {

namespace {

// Usage has no bound, money has: more than anybody is billed, and a few of them still add up.
constexpr std::int64_t most = 1'000'000'000'000'000;

std::int64_t rounded(decimal amount) {
  return std::min(amount, decimal::whole(most)).rounded();
}

std::int64_t packages(const pricing& p, std::int64_t quantity) {
  if (p.divide_by == 0) return quantity;
  return (quantity + (p.rounds_up ? p.divide_by - 1 : 0)) / p.divide_by;
}

void add(std::vector<part>& all, int number, const tier& t, std::int64_t quantity) {
  all.push_back({number, false, quantity, t.unit, rounded(t.unit.times(quantity))});
  if (!t.flat.is_zero()) all.push_back({number, true, 1, t.flat, t.flat.rounded()});
}

// The whole quantity at the tier that it reaches.
std::vector<part> volume(const pricing& p, std::int64_t quantity) {
  std::vector<part> all;
  for (std::size_t i = 0; i < p.tiers.size(); ++i) {
    const tier& t = p.tiers[i];
    if (t.up_to && quantity > *t.up_to && i + 1 < p.tiers.size()) continue;
    add(all, static_cast<int>(i) + 1, t, quantity);
    break;
  }
  return all;
}

// Each tier's share at its own price. The first stands there also for nothing: so does its fee.
std::vector<part> graduated(const pricing& p, std::int64_t quantity) {
  std::vector<part> all;
  std::int64_t below = 0;
  for (std::size_t i = 0; i < p.tiers.size(); ++i) {
    const tier& t = p.tiers[i];
    const std::int64_t reached = t.up_to ? std::min(quantity, *t.up_to) : quantity;
    if (i > 0 && reached <= below) break;
    add(all, static_cast<int>(i) + 1, t, reached - below);
    below = reached;
  }
  return all;
}

}  // namespace

std::vector<part> parts(const pricing& p, std::int64_t quantity) {
  switch (p.is) {
    case scheme::graduated:
      return graduated(p, quantity);
    case scheme::volume:
      return volume(p, quantity);
    case scheme::per_unit:
      break;
  }
  return {{0, false, quantity, p.unit, rounded(p.unit.times(packages(p, quantity)))}};
}

std::int64_t amount(const pricing& p, std::int64_t quantity) {
  std::int64_t sum = 0;
  for (const auto& part : parts(p, quantity))
    sum += part.amount;
  return sum;
}

}  // namespace tilld::sandbox::amounts
