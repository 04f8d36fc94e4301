// What a customer may use and why: derived from their Stripe objects, kept as one small row, and
// the only thing that is read to answer an entitlement question.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.hpp"

namespace tilld::core {

// Money is whole minor units; a price below one minor unit or in tiers has no single amount and
// counts as 0.
struct subscription_item {
  std::string id;
  std::string price;
  std::string product;
  std::string lookup_key;
  std::string nickname;
  std::int64_t quantity = 1;
  std::int64_t unit_amount_minor = 0;
  std::string currency;
  std::string interval;  // "month"; empty for none
  std::int64_t interval_count = 1;
  std::int64_t period_start_s = 0;  // the item's own (API basil and later) or the subscription's
  std::int64_t period_end_s = 0;
  friend bool operator==(const subscription_item&, const subscription_item&) = default;
};

struct subscription {
  std::string id;
  std::string status;  // Stripe's eight
  std::int64_t created_s = 0;
  bool cancel_at_period_end = false;
  std::int64_t cancel_at_s = 0;
  std::int64_t canceled_at_s = 0;
  std::int64_t ended_at_s = 0;
  std::int64_t trial_end_s = 0;
  bool collection_paused = false;
  std::string latest_invoice;
  std::vector<subscription_item> items;
  friend bool operator==(const subscription&, const subscription&) = default;
};

// Ended subscriptions that are kept in the row, the newest: 20 x 0.6 KB = 12 KB at most. The mirror
// itself keeps all of them.
inline constexpr std::size_t keep_ended = 20;

struct customer_state {
  std::string id;
  std::string email;
  std::string name;
  std::string user_id;  // the application's own id, from the customer's metadata
  bool known = false;   // the customer object itself has been seen
  bool deleted = false;
  bool delinquent = false;
  std::int64_t created_s = 0;
  std::int64_t as_of_s = 0;                  // newest Stripe time of anything in here
  std::vector<subscription> subscriptions;   // by id; ended ones stay until pruned to `keep_ended`
  std::vector<std::string> stripe_features;  // lookup keys of Stripe's active entitlements, sorted
  std::vector<std::string> suspects;         // "object/id" waiting for a refetch, sorted
  friend bool operator==(const customer_state&, const customer_state&) = default;
};

// The row as it is stored. What was written reads back equal; a member that is missing has its
// default, so that rows of an earlier program are read. Errors: corrupt (not a row, no id, a member
// of another type).
std::string to_json(const customer_state& state);
result<customer_state> customer_state_from_json(std::string_view json);

// Takes over one document (customer, subscription, entitlements.active_entitlement_summary; others
// change only as_of). `deleted`: it is gone. Order of calls for different objects does not matter.
// Documents of older API versions are read too: periods on the subscription, plans instead of
// prices, a plan without items; references as ids or expanded.
// Errors: invalid when the document lacks what a subscription must have, or belongs to another
// customer; the state is then unchanged.
result<void> absorb(customer_state& state, std::string_view object_name, std::string_view document,
                    bool deleted, std::int64_t as_of_s, std::string_view user_id_metadata_key);
void mark_suspect(customer_state& state, std::string_view object_name, std::string_view id,
                  bool on);

// Does a subscription in this status give access? trialing and active do. past_due keeps access
// (Stripe is still trying to collect); the policy can be set later.
bool grants_access(const subscription& s);

struct product_facts {
  std::string name;
  std::vector<std::string> features;  // from the product's metadata "features": "a, b"
};
using product_lookup = std::function<std::optional<product_facts>(std::string_view product_id)>;

// The answers of GET /api/customers/{id} and …/entitlements, as JSON values.
// entitlements: {"customer", "user_id", "active": bool, "status", "plan": {…}|null,
//   "products": [{"id","name","price","quantity",…}], "features": ["…"], "as_of", "stale"}
nlohmann::json customer_answer(const customer_state& state, const product_lookup& products,
                               std::int64_t now_s);
nlohmann::json entitlements_answer(const customer_state& state, const product_lookup& products,
                                   std::int64_t now_s);

}  // namespace tilld::core
