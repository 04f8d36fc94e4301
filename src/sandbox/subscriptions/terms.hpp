// What a subscription and its items are discounted and taxed by, and the prices that come with the
// request: parameters that create and update share.
// Sources: https://docs.stripe.com/api/subscriptions/create
//          https://docs.stripe.com/billing/subscriptions/coupons
#pragma once

#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::subscriptions {

// The fields with default_tax_rates, discounts and add_invoice_items, and with tax_rates, discounts
// and price_data of their items.
params::schema with_terms(params::schema fields);

answer<void> take_default_tax_rates(const context& ctx, json& subscription);
answer<json> tax_rates_of_entry(const context& ctx, const json& entry, const std::string& at,
                                const json& standing);

// A price by its id or by price_data, of which one must be there; or, from our own functions, by
// _price.
answer<json> price_of_entry(context& ctx, const json& entry, const std::string& at,
                            const std::string& currency);

// The discounts of the request, for the subscription, which is in the world already, and for the
// items with these ids, in the order in which the request names them.
answer<void> put_discounts(context& ctx, const json& subscription,
                           const std::vector<std::string>& items);

// add_invoice_items as pending items of the subscription.
answer<void> add_invoice_items(context& ctx, const json& subscription);

}  // namespace tilld::sandbox::subscriptions
