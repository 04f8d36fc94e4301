// Quotes: an offer to a customer, drafted, finalized, accepted or canceled. What is accepted
// becomes a subscription, a schedule of one, or an invoice, by the functions that make these.
//
//   quotes.cpp            routes
//   quote_lines.cpp       its line items and what they come to
//   quote_acceptance.cpp  what comes of it
//
// Sources: https://docs.stripe.com/quotes, https://docs.stripe.com/api/quotes
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::quotes {

// It has expired.
void fall_due(context& ctx, const std::string& id);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& finalize_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> finalize(context& ctx);
answer<json> accept(context& ctx);
answer<json> cancel(context& ctx);
answer<json> list(context& ctx);
answer<json> line_items(context& ctx);
answer<json> upfront_line_items(context& ctx);

}  // namespace tilld::sandbox::quotes
