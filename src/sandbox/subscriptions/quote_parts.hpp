// What quotes are made of, for the files of quotes.hpp.
#pragma once

#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::quotes {

params::field lines_field(bool of_update);

// The lines of a quote as the parameter `given` wants them, in the place of those that it has. A
// line with an id is one of these, changed. The quote is in the world.
answer<void> put_lines(context& ctx, const json& quote, const json& given);
// The lines of another quote, again.
void copy_lines(context& ctx, const json& from, const std::string& to);

std::vector<json> lines_of(const context& ctx, const std::string& quote);  // oldest first
bool recurs(const context& ctx, const json& line);

// The coupons and codes that an owner (a quote, a line) is promised, as parameters to redeem them.
json promised_discounts(const context& ctx, const std::string& owner);

// Writes what it all comes to into the quote and its lines: on acceptance, and with each period.
void reckon(context& ctx, json& quote);

// Makes what the quote is accepted for, and writes its id into the quote.
answer<void> carry_out(context& ctx, json& quote);

}  // namespace tilld::sandbox::quotes
