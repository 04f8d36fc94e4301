// What schedules are made of, for the files of schedules.hpp.
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::schedules {

// Fields of requests.
params::field phases_field(bool of_update);
params::field default_settings_field();

// The settings as the request changes them; `standing` is a schedule's, or null.
answer<json> read_default_settings(const context& ctx, const json& standing);

// The phases of the request, one after the other from `start_s` on, with the dates that they leave
// out: a duration is counted from the billing cycle's anchor; what has neither a duration nor an
// end lasts for one period of its first price. The schedule need not be in the world. Each is
// tried as a new subscription at its time, so that what could not begin is refused now.
answer<json> read_phases(context& ctx, const json& schedule, const json& given,
                         std::int64_t start_s);

// The present period of a subscription as a phase, and the settings that go with it.
json phase_of_subscription(const context& ctx, const json& subscription);
json settings_of(const json& subscription);  // of an empty one: Stripe's defaults
json invoice_settings_of(const json& given);

// A phase as parameters of subscriptions: to create one, or to change this one.
json params_to_create(const context& ctx, const json& schedule, const json& phase);
json params_to_update(const context& ctx, const json& schedule, const json& phase,
                      const json& subscription);

// Writes when it wants attention next.
void note_due(const context& ctx, json& schedule);

// A schedule in the world whose time has come: its subscription begins with the first phase.
answer<void> begin(context& ctx, const std::string& id);
// The phase that holds this moment is applied: it has just begun, or has been changed.
enum class application { begun, changed };
answer<void> apply_phase(context& ctx, const std::string& id, application how,
                         const std::string& proration);
// Phases that have ended by now are left behind.
void catch_up(context& ctx, const std::string& id, bool at_boundary);

// It stops here and its subscription goes on by itself.
void let_go(context& ctx, const std::string& id, bool keeps_cancel_date);

void cancel_unstarted(context& ctx, const std::string& id);

bool is_live(const json& schedule);  // not started, or active

}  // namespace tilld::sandbox::schedules
