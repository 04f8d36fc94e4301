// Discounts: coupons and promotion codes redeemed. Each belongs to one owner, a subscription, one
// of its items, an invoice or an invoice item, and keeps the terms that its coupon had, so that a
// deleted coupon goes on where it was redeemed.
// Source: https://docs.stripe.com/billing/subscriptions/coupons
#pragma once

#include <string>
#include <vector>

#include "sandbox/billing/totals.hpp"
#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::discounts {

struct owner {
  kind of = kind::subscription;
  std::string id;
  std::string customer;
  std::string subscription;  // of a subscription and its items
  std::string currency;
  std::int64_t amount = 0;  // what is bought, for codes with a minimum
  bool promised = false;    // by a quote: redeemed, and told of, when that is accepted
};

// The parameter: a list of {coupon}, {promotion_code} or {discount}.
params::field field();

// The owner has what `given` (the parameter's value, null for none) names, in that order: the rest
// ends, the new ones are redeemed. Refused as a whole. Told where a customer's or a subscription's
// change. `within` names the parameter, for errors. Gives the ids.
answer<json> put(context& ctx, const owner& o, const json& given, const std::string& within);

// The ids that the owner has, in their order; and those of them that an invoice made at `at_s` is
// discounted by.
std::vector<std::string> of(const world& w, const std::string& owner);
json in_force(const world& w, const std::string& owner, std::int64_t at_s);

totals::discount terms(const context& ctx, const std::string& id, const std::string& currency);

// An invoice has been discounted by it: one that holds once ends with that.
void used(context& ctx, const std::string& id);
// Takes it away and tells.
void end(context& ctx, const std::string& id);
// The months of a repeating one are over.
void fall_due(context& ctx, const std::string& id);

answer<json> remove_from_customer(context& ctx);
answer<json> remove_from_subscription(context& ctx);

}  // namespace tilld::sandbox::discounts
