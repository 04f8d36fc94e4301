// Documents: the JSON objects that the simulated Stripe keeps and answers, with their keys in the
// order in which Stripe writes them.
//
// This is the one header of the room that brings nlohmann's library along; the public header does
// not include it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace tilld::sandbox {

using json = nlohmann::ordered_json;

// A member as text, number or truth; empty, 0 and false where it is absent or null.
std::string text_of(const json& document, std::string_view member);
std::int64_t number_of(const json& document, std::string_view member);
bool truth_of(const json& document, std::string_view member);
// When the object came to be: "created", or "date" of an invoice item; 0 for what has neither.
std::int64_t created_of(const json& document);
bool is_null(const json& document, std::string_view member);  // also when absent

// The value at a dotted path ("invoice_settings.default_payment_method"); nullptr when a part of
// it is absent or not an object.
const json* at_path(const json& document, std::string_view path);

// What an event's previous_attributes say: the members that differ, with their values before.
// Hashes inside are partial, arrays whole, a member that was not there before is null. Null when
// nothing differs.
json previous_attributes(const json& before, const json& after);

// {"object": "list", "data": …, "has_more": …, "url": …}
json list_envelope(json data, bool has_more, std::string url);

// The same JSON with line breaks and two blanks per level, byte for byte as nlohmann's dump(2).
std::string pretty(std::string_view compact);

// Compact text. Never throws: what is not UTF-8 is replaced.
std::string compact(const json& document);

}  // namespace tilld::sandbox
