// What a request wants to change about the items of a subscription, read and checked before
// anything is done.
#pragma once

#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox::subscriptions {

// A change of one item: what it was (null: new) and what it is to be (null: gone). A new one has
// its id already.
struct item_change {
  json before = nullptr;
  json after = nullptr;
};

struct changes {
  std::vector<item_change> items;
  std::int64_t at_s = 0;   // the proration date
  bool prorates = false;   // credits and debits are made
  bool bills_now = false;  // and billed at once
  // The period starts anew now: asked for, or because the interval changes, or because what was
  // free costs something.
  // Source: https://docs.stripe.com/billing/subscriptions/change#immediate-payment
  bool starts_anew = false;
};

answer<changes> read_changes(context& ctx, const json& subscription);

// Credits what was paid for the rest of the period and charges what it costs now, as pending
// invoice items.
void prorate(context& ctx, const json& subscription, const changes& c);

// The ids of the items that change, in the request's order.
std::vector<std::string> ids_of(const std::vector<item_change>& items);

// Puts the changed items in the place of the old ones.
void apply(context& ctx, const json& subscription, const std::vector<item_change>& items);

}  // namespace tilld::sandbox::subscriptions
