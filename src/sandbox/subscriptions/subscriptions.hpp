// Subscriptions: created, changed, canceled, and moved along by their invoices.
//
//   subscriptions.cpp        routes that read and cancel, and what invoices do to a subscription
//   subscription_create.cpp  the many ways to begin
//   subscription_update.cpp  the many ways to change, with prorations
//   subscription_parts.cpp   items, periods, lines: what the others are made of
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::subscriptions {

// An invoice was paid: incomplete, past_due and unpaid become active if it was the latest one.
void invoice_paid(context& ctx, const std::string& invoice);
// An attempt to collect it did not bring the money: active becomes past_due.
void invoice_unpaid(context& ctx, const std::string& invoice);

// Ends it now and tells; `prorate` credits the unused time, `invoice_now` bills what is pending and
// what has been used. Otherwise usage that no invoice has billed is lost.
void cancel(context& ctx, const std::string& id, bool prorate, bool invoice_now,
            const json& details);
// Ends it at the end of its period, or where its cancel_at is: what it has used is billed as a
// renewal would be, by a draft that waits its hour. Gives the invoice; empty: nothing is metered.
std::string finish(context& ctx, const std::string& id, bool prorate);
void cancel_all_of(context& ctx, const std::string& customer);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& cancel_takes();
const params::schema& resume_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> cancel_one(context& ctx);
answer<json> resume(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::subscriptions
