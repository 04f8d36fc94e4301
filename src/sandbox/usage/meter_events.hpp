// Reports of usage, and their taking back.
//
// Stripe takes a report, looks at it later, and tells of a wrong one by events of its second API.
// The sandbox looks at once and refuses a wrong one.
// Sources: https://docs.stripe.com/api/billing/meter-event/create
//          https://docs.stripe.com/api/billing/meter-event-adjustment/create
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::meter_events {

const params::schema& create_takes();
const params::schema& adjust_takes();
answer<json> create(context& ctx);
answer<json> adjust(context& ctx);

}  // namespace tilld::sandbox::meter_events
