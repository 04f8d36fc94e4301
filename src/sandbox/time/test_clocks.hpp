// Test clocks: customers made on one live by its time, and so does all that belongs to them.
// Source: https://docs.stripe.com/billing/testing/test-clocks
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::test_clocks {

// Room for one more customer on it; Stripe allows three.
answer<void> check_room(const context& ctx, const std::string& clock);

// Stripe deletes a clock 30 days after it was made, with everything on it.
void fall_due(context& ctx, const std::string& id);

// What an advance asked for, done by the machine once the request is answered.
void arrive(world& state, const account_facts& facts, std::int64_t now_s);

const params::schema& create_takes();
const params::schema& advance_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> advance(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::test_clocks
