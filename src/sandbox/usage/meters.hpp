// Meters: what is measured, by which events, and how it adds up over a period.
// Source: https://docs.stripe.com/api/billing/meter
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::meters {

// The active meter that takes events of that name; nullptr when there is none.
const json* active(const world& w, const std::string& event_name);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> list(context& ctx);
answer<json> deactivate(context& ctx);
answer<json> reactivate(context& ctx);

}  // namespace tilld::sandbox::meters
