// Meters: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/usage/meter_events.hpp"
#include "sandbox/usage/meters.hpp"
#include "sandbox/usage/summaries.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"POST", "/v1/billing/meters", meters::create, meters::create_takes},
    {"GET", "/v1/billing/meters", meters::list, meters::list_takes},
    {"GET", "/v1/billing/meters/{id}", meters::retrieve, no_params},
    {"POST", "/v1/billing/meters/{id}", meters::update, meters::update_takes},
    {"POST", "/v1/billing/meters/{id}/deactivate", meters::deactivate, no_params},
    {"POST", "/v1/billing/meters/{id}/reactivate", meters::reactivate, no_params},
    {"GET", "/v1/billing/meters/{id}/event_summaries", summaries::list, summaries::list_takes},
    {"POST", "/v1/billing/meter_events", meter_events::create, meter_events::create_takes},
    {"POST", "/v1/billing/meter_event_adjustments",
     meter_events::adjust, meter_events::adjust_takes},
};
// clang-format on

}  // namespace

std::span<const route> usage_routes() {
  return rows;
}

}  // namespace tilld::sandbox
