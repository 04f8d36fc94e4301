// Sums and quantities at which a subscription is billed before its period ends.
//
// The invoice bills all of the period's usage at its tiers, less what earlier invoices of the
// period have billed. Each report of usage may reach a threshold; the last day of a period none
// does, and no trial. Sources: https://docs.stripe.com/billing/subscriptions/usage-based/thresholds
//          https://stripe.com/docs/billing/subscriptions/metered-billing/thresholds (limits)
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::thresholds {

params::field field();       // billing_thresholds of a subscription
params::field item_field();  // and of an item

answer<void> take(const context& ctx, json& subscription);
answer<void> take_of_item(const context& ctx, json& item, const json& entry, const std::string& at);
// Its sum is more than what is licensed costs.
answer<void> check(const context& ctx, const json& subscription);

// The customer has used something: bills the subscriptions that this brings over a threshold.
void note_usage(context& ctx, const std::string& customer, const std::string& meter);

}  // namespace tilld::sandbox::thresholds
