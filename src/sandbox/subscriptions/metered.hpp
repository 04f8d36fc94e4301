// Items that are billed by what was used: nothing in advance, and the usage of a period with the
// invoice that ends it.
//
// What a price has measured is told apart from what its successor will by the order in which the
// reports came, as flexible billing has it. Usage is never prorated.
// Sources: https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup
//          https://docs.stripe.com/billing/subscriptions/billing-mode/compare
#pragma once

#include <string>
#include <vector>

#include "sandbox/billing/invoicing.hpp"
#include "sandbox/machine/context.hpp"

namespace tilld::sandbox::subscriptions {

bool is_metered(const context& ctx, const json& item);
bool has_metered(const context& ctx, const std::string& subscription);
bool is_flexible(const json& subscription);

// The quantity that a request gives to an item of that price: none for a metered one. Refuses one
// that was given all the same.
answer<void> take_quantity(json& item, const json& price, const json& entry, const std::string& at);

// What the metered items have used in their present period until now, in lines: a renewal shows
// all of them, also at nothing. A trial that ends now has cost nothing.
std::vector<invoicing::line> usage_at_boundary(const context& ctx, const json& subscription);
// In the middle of a period that ends early: this second counts, and what is nothing is left out.
std::vector<invoicing::line> usage_so_far(const context& ctx, const json& subscription);
// Then what those lines bill is behind the items, also of this second.
void measure_anew(context& ctx, const json& subscription, std::vector<invoicing::line>& lines);

// What the first invoice shows of metered items in classic billing: a line at nothing. Flexible
// billing shows none.
std::vector<invoicing::line> first_usage_lines(const context& ctx, const json& subscription);

// A pending invoice item of what an item has used, for one that goes or gets another price.
void bill_removed(context& ctx, const json& subscription, const json& item);
// What is reported from now on belongs to what the item is from now on.
void start_measuring(context& ctx, json& item);

// What it has used in its present period that no invoice has billed, until now.
std::int64_t unbilled_units(const context& ctx, const json& subscription, const json& item);
// All that the metered items have used until now is billed: later invoices of the period give back
// that sum, and bill the whole of it at its tiers.
void note_billed(context& ctx, const json& subscription);

// Late reports: the lines of a draft that is about to be finalized say what is known by now.
// Source: https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period
void follow_usage(context& ctx, const std::string& invoice);

}  // namespace tilld::sandbox::subscriptions
