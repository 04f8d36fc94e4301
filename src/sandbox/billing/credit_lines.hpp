// The lines of a credit note and what they come to: parts of the invoice's own lines, with their
// part of the discounts and the taxes on them, and lines of one's own.
#pragma once

#include <cstdint>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::credit_lines {

struct read {
  std::vector<json> lines;  // credit_note_line_items, not yet in the world
  std::int64_t subtotal = 0;
  std::int64_t subtotal_excluding_tax = 0;
  std::int64_t discount = 0;
  std::int64_t total = 0;
  std::int64_t total_excluding_tax = 0;
  json discount_amounts = json::array();
  json total_taxes = json::array();
};

params::field field();

// Of the parameter `lines`, or of `amount` alone: one line of one's own.
answer<read> take(context& ctx, const json& invoice);

}  // namespace tilld::sandbox::credit_lines
