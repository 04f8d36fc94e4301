// Subscriptions: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/subscriptions/quotes.hpp"
#include "sandbox/subscriptions/schedules.hpp"
#include "sandbox/subscriptions/subscription_items.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"POST", "/v1/subscriptions", subscriptions::create, subscriptions::create_takes},
    {"GET", "/v1/subscriptions", subscriptions::list, subscriptions::list_takes},
    {"GET", "/v1/subscriptions/{id}", subscriptions::retrieve, no_params},
    {"POST", "/v1/subscriptions/{id}", subscriptions::update, subscriptions::update_takes},
    {"DELETE", "/v1/subscriptions/{id}", subscriptions::cancel_one, subscriptions::cancel_takes},
    {"POST", "/v1/subscriptions/{id}/resume", subscriptions::resume, subscriptions::resume_takes},
    {"POST", "/v1/subscription_items",
     subscription_items::create, subscription_items::create_takes},
    {"GET", "/v1/subscription_items", subscription_items::list, subscription_items::list_takes},
    {"GET", "/v1/subscription_items/{id}", subscription_items::retrieve, no_params},
    {"POST", "/v1/subscription_items/{id}",
     subscription_items::update, subscription_items::update_takes},
    {"DELETE", "/v1/subscription_items/{id}",
     subscription_items::remove, subscription_items::remove_takes},
    {"POST", "/v1/subscription_schedules", schedules::create, schedules::create_takes},
    {"GET", "/v1/subscription_schedules", schedules::list, schedules::list_takes},
    {"GET", "/v1/subscription_schedules/{id}", schedules::retrieve, no_params},
    {"POST", "/v1/subscription_schedules/{id}", schedules::update, schedules::update_takes},
    {"POST", "/v1/subscription_schedules/{id}/cancel", schedules::cancel, schedules::cancel_takes},
    {"POST", "/v1/subscription_schedules/{id}/release",
     schedules::release, schedules::release_takes},
    {"POST", "/v1/quotes", quotes::create, quotes::create_takes},
    {"GET", "/v1/quotes", quotes::list, quotes::list_takes},
    {"GET", "/v1/quotes/{id}", quotes::retrieve, no_params},
    {"POST", "/v1/quotes/{id}", quotes::update, quotes::update_takes},
    {"POST", "/v1/quotes/{id}/accept", quotes::accept, no_params},
    {"POST", "/v1/quotes/{id}/cancel", quotes::cancel, no_params},
    {"GET", "/v1/quotes/{id}/computed_upfront_line_items", quotes::upfront_line_items, no_params},
    {"POST", "/v1/quotes/{id}/finalize", quotes::finalize, quotes::finalize_takes},
    {"GET", "/v1/quotes/{id}/line_items", quotes::line_items, no_params},
};
// clang-format on

}  // namespace

std::span<const route> subscriptions_routes() {
  return rows;
}

}  // namespace tilld::sandbox
