// The sums of an invoice: what its discounts take off each line, what its taxes come to, and what
// is left to pay. Values in, values out; amounts in the currency's smallest unit, whichever that
// is.
//
//   1. A line's own discounts come off first, in their order, then the invoice's, in theirs. Each
//      sees what the ones before it have left.
//   2. A percentage is taken of each line and rounded there. An amount is shared out over the lines
//      by what they cost: rounded down each, the rest to the last. Nothing falls below zero.
//   3. Prorations and what is not discountable are left alone: a proration's amount is a net one
//      already, and the invoice's discounts stand on it with nothing.
//   4. Taxes are of what is left of a line, each rate rounded by itself. Inclusive ones are
//      contained in it; exclusive ones are of the rest and come on top.
//
// Where Stripe's pages are silent (rounding of percentages, sharing of amounts, several discounts
// or rates at once) the rule is assumed; totals_test says which.
//
// Sources: https://docs.stripe.com/billing/subscriptions/coupons
//          https://docs.stripe.com/billing/taxes/tax-rates
//          https://docs.stripe.com/api/invoices/object
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/machine/decimal.hpp"

namespace tilld::sandbox::totals {

struct discount {
  std::string id;
  decimal percent_off;
  std::int64_t amount_off = 0;        // where it takes an amount; then the percentage is 0
  std::vector<std::string> products;  // of which alone; empty: all
};

struct tax_rate {
  std::string id;
  decimal percentage;
  bool inclusive = false;
};

struct line {
  std::int64_t amount = 0;
  std::string product;
  bool discountable = true;
  bool proration = false;
  std::vector<discount> discounts;  // its own
  std::vector<tax_rate> rates;
};

struct taken_off {
  std::string discount;
  std::int64_t amount = 0;
};

struct tax {
  std::string rate;
  bool inclusive = false;
  std::int64_t amount = 0;
  std::int64_t taxable = 0;
};

struct sums_of_line {
  std::vector<taken_off> discounts;
  std::vector<tax> taxes;
};

struct sums {
  std::vector<sums_of_line> lines;   // one per line, in their order
  std::vector<taken_off> discounts;  // per discount over all lines
  std::vector<tax> taxes;            // per rate over all lines
  std::int64_t subtotal = 0;         // the lines with their own discounts, before the invoice's
  std::int64_t subtotal_excluding_tax = 0;
  std::int64_t total = 0;
  std::int64_t total_excluding_tax = 0;
};

// `exempt`: the customer owes no tax; rates stand with nothing.
sums reckon(const std::vector<line>& lines, const std::vector<discount>& discounts, bool exempt);

}  // namespace tilld::sandbox::totals
