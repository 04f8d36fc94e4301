// Disputes: opened by the cards that are for them, answered with evidence, won or lost.
// Source: https://docs.stripe.com/testing#disputes, https://docs.stripe.com/api/disputes
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"
#include "sandbox/payments/cards.hpp"

namespace tilld::sandbox::disputes {

// The card's owner disputes a charge that has just succeeded, or only inquires about it.
void open(context& ctx, const std::string& charge, sequel what);

// The time to answer is over: what nobody has answered is lost, an inquiry is closed.
void fall_due(context& ctx, const std::string& id);

const params::schema& update_takes();
const params::schema& list_takes();
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> close(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::disputes
