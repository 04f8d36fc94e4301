// application/x-www-form-urlencoded as Stripe's SDKs write it: a[b][c]=v, items[0][price]=…,
// expand[]=….
// Source: the SDKs' own encoders (stripe-node utils.ts, stripe-go form/form.go).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.hpp"

namespace tilld::stripe {

using form_pairs = std::vector<std::pair<std::string, std::string>>;

// In order, duplicates kept, "+" and %XX decoded; "a" is "a=", empty pairs ("&&") are nothing.
// Errors: invalid (bad %XX, NUL, invalid UTF-8, over 10,000 pairs).
result<form_pairs> decode_form(std::string_view body);

// decode_form(encode_form(pairs)) == pairs. Brackets in keys stay readable, as the SDKs send them.
std::string encode_form(const form_pairs& pairs);

std::string percent_encode(std::string_view text);  // RFC 3986: unreserved stay, upper-case hex
// Errors: invalid (bad %XX, NUL, invalid UTF-8).
result<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Nested: {"items": [{"price": "…"}], "metadata": {"k": "v"}}; every leaf is a string, "" too. A
// hash whose names are all indices is an array, but the names in metadata are the application's:
// metadata[2024] is one. a[]=x appends; items[][price]=…&items[][quantity]=… is one item until a
// name comes again. Of a value given twice the last counts.
// Errors: invalid (a key is both a value and a hash, brackets that do not pair up, depth over 8,
// an array index over 999 or with holes).
result<nlohmann::json> form_to_json(const form_pairs& pairs);

// The way back. null and the empty array are "" (which clears a field at Stripe), an empty hash is
// nothing, true and numbers are their text. Deeper than 64 is left out: callers bound their input.
form_pairs json_to_form(const nlohmann::json& object);

}  // namespace tilld::stripe
