// What the simulator answers: one row per endpoint, in the routes.cpp of its folder. Stripe has
// more; those answer 501.
#pragma once

#include <span>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox {

struct route {
  const char* verb;
  const char* path;  // as in the catalogue
  answer<json> (*act)(context& ctx);
  const params::schema& (*takes)();
};

const params::schema& no_params();

std::span<const route> account_routes();
std::span<const route> payments_routes();
std::span<const route> catalogue_routes();
std::span<const route> billing_routes();
std::span<const route> subscriptions_routes();
std::span<const route> time_routes();
std::span<const route> pages_routes();
std::span<const route> usage_routes();
std::span<const route> search_routes();

const std::vector<route>& routes();  // all of them

// nullptr: an endpoint that is not simulated.
const route* route_of(const stripe::endpoint_row* endpoint);

}  // namespace tilld::sandbox
