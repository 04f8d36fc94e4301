// What a quantity costs: per unit, by packages, or by tiers. Values in, values out.
// Sources: https://docs.stripe.com/products-prices/pricing-models
//          https://docs.stripe.com/billing/subscriptions/decimal-amounts
//          https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sandbox/machine/decimal.hpp"

namespace tilld::sandbox::amounts {

struct tier {
  std::optional<std::int64_t> up_to;  // this many and no more; none: the last tier
  decimal unit;
  decimal flat;
};

enum class scheme { per_unit, graduated, volume };

struct pricing {
  scheme is = scheme::per_unit;
  decimal unit;                // per unit, or per package
  std::int64_t divide_by = 0;  // pieces in a package; 0: no packages
  bool rounds_up = false;      // a package begun is a package
  std::vector<tier> tiers;     // ascending
};

// A line of the bill: so many at that, or a tier's flat fee. Rounded once, half up.
struct part {
  int tier = 0;  // from 1; 0: there are none
  bool flat = false;
  std::int64_t quantity = 0;
  decimal unit;
  std::int64_t amount = 0;
};

// At least one part, also for nothing at all.
std::vector<part> parts(const pricing& p, std::int64_t quantity);
std::int64_t amount(const pricing& p, std::int64_t quantity);

}  // namespace tilld::sandbox::amounts
