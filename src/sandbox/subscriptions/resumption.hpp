// A paused subscription resumed: at once, or when the invoice that it makes is paid.
// Source: https://docs.stripe.com/api/subscriptions/resume
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::subscriptions {

void finish_resumption(context& ctx, const std::string& id);  // its invoice is paid
void end_resumption(context& ctx, const std::string& id);     // nobody has paid it in 23 hours

}  // namespace tilld::sandbox::subscriptions
