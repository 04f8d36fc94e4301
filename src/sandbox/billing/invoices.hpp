// The routes of invoices, their lines and their payments. What they do is in invoicing.hpp.
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::invoices {

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& finalize_takes();
const params::schema& pay_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> finalize(context& ctx);
answer<json> pay(context& ctx);
answer<json> mark_void(context& ctx);
answer<json> mark_uncollectible(context& ctx);
answer<json> send(context& ctx);
answer<json> list(context& ctx);

const params::schema& payment_list_takes();
answer<json> payment_retrieve(context& ctx);
answer<json> payment_list(context& ctx);

}  // namespace tilld::sandbox::invoices
