// Credit notes: what a finalized invoice is lowered by. First what is still due, then what has been
// paid, which goes back to the card, to the customer's balance or somewhere outside of Stripe.
// Source: https://docs.stripe.com/api/credit_notes/create
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::credit_notes {

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> preview(context& ctx);
answer<json> preview_lines(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> mark_void(context& ctx);
answer<json> list(context& ctx);
answer<json> lines(context& ctx);

}  // namespace tilld::sandbox::credit_notes
