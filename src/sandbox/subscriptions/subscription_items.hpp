// The items of subscriptions by themselves. A change of one is a change of its subscription.
// Source: https://docs.stripe.com/api/subscription_items
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::subscription_items {

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& remove_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::subscription_items
