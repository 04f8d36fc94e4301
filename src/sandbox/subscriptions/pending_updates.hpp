// An update that waits for its payment: the subscription stays as it is until its invoice is paid,
// for 23 hours at most.
// Source: https://docs.stripe.com/billing/subscriptions/pending-updates
#pragma once

#include <string>

#include "sandbox/subscriptions/changes.hpp"

namespace tilld::sandbox::subscriptions {

// Bills the changes and keeps them beside the subscription. Gives the draft; the caller collects.
std::string hold_update(context& ctx, json& subscription, const changes& c);

void apply_pending_update(context& ctx, const std::string& id);   // it is paid
void expire_pending_update(context& ctx, const std::string& id);  // nobody has paid it

}  // namespace tilld::sandbox::subscriptions
