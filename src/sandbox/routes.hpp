// What the simulator answers: one row per endpoint. Stripe has more; those answer 501.
#pragma once

#include <span>

#include "sandbox/context.hpp"
#include "sandbox/params.hpp"

namespace tilld::sandbox {

struct route {
  const char* verb;
  const char* path;  // as in the catalogue
  answer<json> (*act)(context& ctx);
  const params::schema& (*takes)();
};

std::span<const route> routes();

// nullptr: an endpoint that is not simulated.
const route* route_of(const stripe::endpoint_row* endpoint);

}  // namespace tilld::sandbox
