// Entitlements: what a customer's live subscriptions allow them to use.
// A change of a product's features reaches a subscription when that is next begun, changed or
// renewed, as Stripe documents it.
// Source: https://docs.stripe.com/billing/entitlements
#pragma once

#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::entitlements {

// The ids of the features of the products, as an array without doubles.
json features_of(const context& ctx, const std::vector<std::string>& products);

// Makes the customer's entitlements what the subscriptions say, and tells if they have changed.
void refresh(context& ctx, const std::string& customer);

const params::schema& feature_create_takes();
const params::schema& feature_update_takes();
const params::schema& feature_list_takes();
answer<json> feature_create(context& ctx);
answer<json> feature_retrieve(context& ctx);
answer<json> feature_update(context& ctx);
answer<json> feature_list(context& ctx);

const params::schema& attach_takes();
answer<json> attach(context& ctx);
answer<json> attached_retrieve(context& ctx);
answer<json> attached_list(context& ctx);
answer<json> detach(context& ctx);

const params::schema& active_list_takes();
answer<json> active_retrieve(context& ctx);
answer<json> active_list(context& ctx);

}  // namespace tilld::sandbox::entitlements
