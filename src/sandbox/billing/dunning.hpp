// How an invoice gets its money by itself: finalized when its draft hour is over, tried, tried
// again on the account's schedule, and what becomes of its subscription when that is used up.
// Source: https://docs.stripe.com/billing/revenue-recovery
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox::dunning {

// Writes into an invoice whose payment has just failed when it is tried next; null: never again.
// True when the schedule is used up now.
bool plan_next(const context& ctx, json& invoice);

// The schedule is used up: the subscription is canceled, unpaid or left past due.
void give_up(context& ctx, const std::string& invoice);

// What its clock has for it: finalize and try, or try again, or note that it is overdue.
void fall_due(context& ctx, const std::string& id);

}  // namespace tilld::sandbox::dunning
