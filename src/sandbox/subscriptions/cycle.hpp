// How a subscription goes from one period to the next: its first, its trial's end, its renewals,
// its end. What a clock does to it.
#pragma once

#include <string>

#include "sandbox/subscriptions/subscription_parts.hpp"

namespace tilld::sandbox::subscriptions {

// All its items get the period, and the subscription the moments that follow from it: when it ends,
// when its notices are due. Not yet in the world: the caller replaces the subscription.
void set_cycle(context& ctx, json& subscription, period when);

// The same moments for a period whose items have it already.
void note_cycle(const context& ctx, json& subscription, std::int64_t end_s);

// An invoice of the subscription, without lines yet.
invoicing::order order_for(const context& ctx, const json& subscription, const std::string& reason);

// A new period from now on, billed by that order together with what is pending and what has been
// used. Gives the draft; none where there is nothing to bill.
std::string start_anew(context& ctx, json& subscription, invoicing::order wanted);

// The period after the present one, and its draft, which bills what the present one has `used`: the
// caller tells customer.subscription.updated. Gives the invoice.
std::string begin_next_period(context& ctx, json& subscription,
                              const std::vector<invoicing::line>& used);

// Lives on to the end of the period, as its clock will, and gives the draft that is made then. For
// what is taken back afterwards: the context's time is that moment then.
std::string next_draft(context& ctx, const std::string& subscription);
// For previews: goes to where it ends and bills what it has used, if anything is metered.
std::string last_draft(context& ctx, const std::string& subscription);

// Whether somebody can be charged for it.
bool has_method(const context& ctx, const json& subscription);

// Why a paused_collection invoice is not collected: left as it is, or ended at once.
void apply_pause(context& ctx, const std::string& subscription, const std::string& invoice);

// The earliest thing that its clock has for it.
void fall_due(context& ctx, const std::string& id);

// What its next invoice will be, as Stripe foretells it: an invoice without an id, at the end of
// the period. Null when there will be none.
json upcoming_invoice(context& ctx, const std::string& subscription);

}  // namespace tilld::sandbox::subscriptions
