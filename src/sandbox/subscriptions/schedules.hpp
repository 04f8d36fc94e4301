// Subscription schedules: what a subscription is to be and when, phase by phase. A phase is applied
// by the functions that answer requests to create and to update subscriptions, so that a change by
// schedule and the same change by hand come to the same.
//
//   schedules.cpp        routes
//   schedule_phases.cpp  phases and default settings, read from a request
//   schedule_params.cpp  a phase as parameters of subscriptions, a subscription as a phase
//   schedule_steps.cpp   phases begin and end; what a clock does to a schedule
//
// Sources: https://docs.stripe.com/billing/subscriptions/subscription-schedules
//          https://docs.stripe.com/api/subscription_schedules
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::schedules {

// The phase that has come to its end by now gives way to the next. For a subscription whose period
// ends in this moment: before the new one is billed. Nothing where there is no schedule or its
// phase goes on.
void move_on(context& ctx, const std::string& subscription);

// Begins, at its time, a schedule that waits, and gives the first invoice. For what is taken back
// afterwards: the context's time is that moment then.
answer<std::string> first_draft(context& ctx, const std::string& id);

// The subscription has been canceled: so is its schedule, unless it had come to its end.
void subscription_ended(context& ctx, const json& subscription);
// Those that would begin a subscription of this customer later.
void cancel_all_of(context& ctx, const std::string& customer);

// What its clock has for it.
void fall_due(context& ctx, const std::string& id);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& cancel_takes();
const params::schema& release_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> cancel(context& ctx);
answer<json> release(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::schedules
