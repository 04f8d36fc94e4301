// Usage as it is shown: over a time, or by hours or days of it.
// Source: https://docs.stripe.com/api/billing/meter-event-summary/list
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::summaries {

const params::schema& list_takes();
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::summaries
