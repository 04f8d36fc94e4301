// expand[]: ids inside a document become the objects that they name.
// Source: https://docs.stripe.com/api/expanding_objects
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stripe/api_error.hpp"
#include "stripe/catalogue.hpp"

namespace tilld::stripe {

// The paths of a request as a tree: customer, data.items.data.price.
struct expansion {
  std::map<std::string, expansion, std::less<>> into;
  bool empty() const noexcept { return into.empty(); }
};

// Takes the paths that the endpoint's answer can be expanded by; Stripe's own 400 where it cannot:
// a property that does not expand, more than four levels. Of a list the tree begins at its objects,
// below "data".
struct expand_check {
  expansion tree;
  std::optional<api_error> wrong;
};
expand_check read_expansion(const endpoint_row& endpoint, const std::vector<std::string>& paths);

// Where the objects are found.
struct expand_source {
  // The document of one of these kinds of objects; nothing when it is not at hand.
  std::function<std::optional<std::string>(const std::vector<std::string>& kinds,
                                           std::string_view id)>
      find;
  // The text of a member that Stripe adds to an object only when it is asked for (a customer's
  // subscriptions); nothing when it cannot be made.
  std::function<std::optional<std::string>(std::string_view object_name, std::string_view document,
                                           std::string_view member)>
      add{};
};

// The document with its ids expanded. `document` is valid minified JSON; what is not expanded stays
// as it is, byte for byte, and added members stand last. Nothing when an object is not at hand or a
// member cannot be made; all the others were asked for nevertheless, so that the source knows what
// is lacking.
std::optional<std::string> expand(std::string_view object_name, std::string_view document,
                                  const expansion& tree, const expand_source& source);

}  // namespace tilld::stripe
