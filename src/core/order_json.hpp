// The order rule's eyes: what it needs of a document without building a DOM, and how two documents
// compare when a DOM is there.
//
// "Same" is wider than equal bytes, because an API answer and an event write one state differently:
// null and absent are the same, and so are an id and the expanded object with that id.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tilld::core::ordering {

// The top-level members that decisions are made of. Views point into the document and keep JSON's
// escapes. Found in one pass, about 1 ns a byte.
struct glance {
  std::string_view id;
  std::string_view status;                // empty when absent or not a string
  std::optional<std::int64_t> created_s;  // tells one incarnation of an id from the next
};
glance look(std::string_view document);

// The top-level status is one that Stripe never leaves. Much faster than look() for the usual
// document, which has no such status anywhere.
bool in_final_status(std::string_view object_name, std::string_view document);

bool same(const nlohmann::json& a, const nlohmann::json& b);

// The state before: `after` with its previous_attributes put back. Hashes are merged, arrays are
// taken whole, null means that the member was not there.
nlohmann::json undo(const nlohmann::json& after, const nlohmann::json& previous_attributes);

// `x` and `y` have the same values wherever `touched` has a leaf. Leaves that `except` has too are
// passed over (nullptr: none).
bool agree(const nlohmann::json& x, const nlohmann::json& y, const nlohmann::json& touched,
           const nlohmann::json* except);

// Which came first, by the fields that only grow: -1 `a`, 1 `b`, 0 not told or contradictory.
int by_growth(std::string_view object_name, const nlohmann::json& a, const nlohmann::json& b);

// The member at a dotted path; a null when there is none.
const nlohmann::json& member(const nlohmann::json& document, std::string_view path);

}  // namespace tilld::core::ordering
