// The lines of a draft, changed by themselves or several at once. A line that has an invoice item
// changes together with it.
// Source: https://docs.stripe.com/api/invoice-line-item
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::invoice_lines {

const params::schema& add_takes();
const params::schema& update_takes();
const params::schema& remove_takes();
const params::schema& update_one_takes();
answer<json> list(context& ctx);
answer<json> add(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> update_one(context& ctx);

}  // namespace tilld::sandbox::invoice_lines
