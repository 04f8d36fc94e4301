// Money is integers in a currency's smallest unit. No floating point comes near it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tilld::sandbox {

bool is_currency(std::string_view code);  // three lower-case letters that Stripe charges in
const std::string& all_currencies();      // "usd, aed, afn, …", as its error says them

// "$20.00", "¥500", "CHF 20.00": as Stripe writes an amount in descriptions and errors.
std::string amount_text(std::int64_t minor, std::string_view currency);

// amount × part / whole, rounded half away from zero; whole > 0.
std::int64_t prorated(std::int64_t amount, std::int64_t part, std::int64_t whole);

// What Stripe keeps of a charge: 2.9 % and 30 of the smallest unit, rounded half up.
std::int64_t stripe_fee(std::int64_t amount);

// Digits with at most twelve decimals, as text; false for anything else.
bool is_decimal(std::string_view text);

}  // namespace tilld::sandbox
