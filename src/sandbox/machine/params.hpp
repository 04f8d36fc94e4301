// What an endpoint takes: its parameters as a tree of fields, and the check of a request against
// it. Text from the form becomes typed JSON; a handler never parses.
//
// Three kinds of strangers are told apart: a parameter that Stripe does not know either is refused
// as Stripe does (400 parameter_unknown); one that Stripe knows and the simulator does not is
// refused with 501 and its name; nothing is ever ignored.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sandbox/machine/failure.hpp"
#include "stripe/catalogue.hpp"

namespace tilld::sandbox::params {

enum class shape : std::uint8_t {
  text,
  integer,
  boolean,
  timestamp,
  choice,  // one of `choices`
  currency,
  hash,         // of `members`
  list,         // of hashes of `members`, or of values of members[0] when it has no name
  dictionary,   // metadata: any keys, text values
  currencies,   // a hash of `members` per currency
  range,        // a timestamp, or a hash of gt, gte, lt, lte
  unsimulated,  // Stripe's, not ours: 501
};

struct field {
  std::string name;
  shape is = shape::text;
  bool required = false;
  bool clears = false;  // "" is allowed and means null
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> choices;  // for text, timestamp: words that stand for a value
  std::vector<field> members;

  field needed() && { return required = true, std::move(*this); }
  field clearable() && { return clears = true, std::move(*this); }
  field at_least(std::int64_t n) && { return least = n, std::move(*this); }
  field at_most(std::int64_t n) && { return most = n, std::move(*this); }
  field or_word(std::string word) && {
    return choices.push_back(std::move(word)), std::move(*this);
  }
};

field text(std::string name, std::int64_t most_letters = 5000);
field integer(std::string name);
field amount(std::string name);  // an integer of at least 1
field boolean(std::string name);
field timestamp(std::string name);
field choice(std::string name, std::vector<std::string> choices);
field currency(std::string name);
field hash(std::string name, std::vector<field> members);
field list(std::string name, std::vector<field> members);
field texts(std::string name);  // a list of text
field range(std::string name);
field currencies(std::string name, std::vector<field> members);
field metadata();
field unsimulated(std::string name);

// Shapes that many endpoints share.
field address(std::string name);
field shipping(std::string name);
field billing_details(std::string name);

using schema = std::vector<field>;

// `raw` is form_to_json's hash. On top of `takes`: expand where the catalogue has it; limit,
// starting_after and ending_before on lists. The answer holds the given parameters only, in the
// schema's order, with null for those that were cleared.
answer<json> check(const stripe::endpoint_row& endpoint, const schema& takes,
                   const nlohmann::json& raw);

}  // namespace tilld::sandbox::params
