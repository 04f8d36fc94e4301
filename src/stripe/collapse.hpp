// The document as Stripe keeps it, from an answer that was asked to be expanded.
//
// expand[] turns ids into whole objects. The mirror keeps documents in one shape, so the objects
// are folded back into their ids. Source: https://docs.stripe.com/api/expanding_objects
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tilld::stripe {

// Takes out what Stripe adds on demand only (a customer's subscriptions, a price's tiers), and
// folds every field that the catalogue calls expandable for this kind of object, also inside
// embedded objects and lists ("items.data[].price" stays: Stripe always embeds it). Key order and
// numbers stay as they were. Errors: invalid (not JSON).
result<std::string> collapse(std::string_view object_json);

// The same, with the objects that were folded away, each in the shape that the mirror keeps, those
// inside of others first. Stubs of deleted ones are left out.
struct collapsed {
  std::string document;
  std::vector<std::string> inside;
};
result<collapsed> collapse_all(std::string_view object_json);

}  // namespace tilld::stripe
