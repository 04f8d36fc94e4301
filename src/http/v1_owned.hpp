// Lists and retrieves below an owner: a customer's payment methods, tax IDs, subscriptions; a
// charge's refunds. Each is a list of a kind, narrowed to the owner. Some can only be listed so,
// and the mirror knows of each owner whether it holds all of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

struct owned {
  std::string kind;          // "payment_method"
  std::string owner_kind;    // "customer"
  std::string owner;         // "cus_1"
  std::string owner_path;    // where the owner's id stands in a document: "owner.customer"
  bool by_owner = false;     // whole owner by owner, not as a collection
  std::string id;            // of a retrieve; of a list the query says the rest
  stripe::form_pairs query;  // as the kind's own list takes it

  // The whole list's first page: nothing is filtered or skipped.
  bool from_the_beginning() const;
};

// Nothing for other endpoints, and for lists that name no owner. `query` is without expand.
std::optional<owned> read_owned(const stripe::endpoint_row& endpoint,
                                const std::vector<std::string>& arguments,
                                const stripe::form_pairs& query);

// Paths that Stripe still takes and names as the url of embedded lists, though its reference has
// them no more: /v1/customers/{id}/subscriptions, /v1/charges/{id}/refunds. The endpoint is that of
// the kind's own list.
struct owned_alias {
  const stripe::endpoint_row* endpoint = nullptr;
  owned list;
};
std::optional<owned_alias> read_alias(std::span<const std::string> segments,
                                      const stripe::form_pairs& query);

}  // namespace tilld::http
