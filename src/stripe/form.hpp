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

// In order, duplicates kept, "+" and %XX decoded. Errors: invalid (bad %XX, NUL, invalid UTF-8,
// over 10,000 pairs).
result<form_pairs> decode_form(std::string_view body);
std::string encode_form(const form_pairs& pairs);  // brackets stay readable, as the SDKs send them
std::string percent_encode(std::string_view text); // RFC 3986 unreserved stay
result<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Nested: {"items": [{"price": "…"}], "metadata": {"k": "v"}}; every leaf is a string. Errors:
// invalid (a key is both a value and a hash, depth over 8, an array index over 999 or with holes).
result<nlohmann::json> form_to_json(const form_pairs& pairs);
form_pairs json_to_form(const nlohmann::json& object);

}  // namespace tilld::stripe
