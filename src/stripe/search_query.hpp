// Stripe's search query language: text to clauses, and whether an object fits them.
//
//   query    = blanks clause *( sep clause ) blanks     ; at most 10 clauses
//   sep      = blanks / blanks ( "AND" / "OR" ) blanks  ; in any case; one kind only, a blank is
//   AND clause   = [ "-" ] field operator value field    = name *( "." name ) / "metadata[" quoted
//   "]" operator = ":" / "~" / ">" / "<" / ">=" / "<=" / "=" value    = quoted / number / "null" ;
//   null after ":" only: nothing is there quoted   = '"' text '"' / "'" text "'"              ; \"
//   \' \\ stand for the sign itself
//
// A token knows ":" alone, a string also "~" (a part of it, of at least 3 letters), a number also
// the comparisons. Letters' case makes no difference (of ASCII letters).
// Source: https://docs.stripe.com/search#search-query-language
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilld::stripe::search {

enum class field_type : std::uint8_t { token, string, numeric };

struct field_row {
  std::string_view name;  // as a query writes it; "metadata" takes a key
  field_type type = field_type::token;
  std::string_view path;  // of the object's member, dotted
};

// What a resource ("customers") can be searched by; empty for what cannot be searched at all.
// Source: https://docs.stripe.com/search#query-fields-for-charges and the sections after it
std::span<const field_row> fields_of(std::string_view resource);

enum class comparison : std::uint8_t { equal, contains, greater, less, at_least, at_most };

struct clause {
  bool negated = false;
  field_row field;
  std::string key;  // of metadata
  comparison op = comparison::equal;
  bool null = false;  // equal to nothing
  std::string value;
  std::int64_t number = 0;  // of a numeric field
};

struct query {
  bool any = false;  // OR
  std::vector<clause> clauses;
};

struct fault {
  std::size_t at = 0;   // the byte of the query where it goes wrong; its size: at the end
  std::string message;  // whole sentences; Stripe's own where it has one
};

std::expected<query, fault> parse(std::string_view resource, std::string_view text);

// The text of a member ("true", "1099", "amy@rocketrides.io"); nothing where it is null or absent.
// Asked with the field's path, and for metadata with the key.
using lookup =
    std::function<std::optional<std::string>(std::string_view path, std::string_view key)>;

bool holds(const clause& c, const std::optional<std::string>& member);
bool holds(const query& q, const lookup& member);

// A to Z become a to z: what the comparison of texts goes by.
std::string folded(std::string_view text);

}  // namespace tilld::stripe::search
