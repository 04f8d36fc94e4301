// Coupons and promotion codes. They are kept and listed; no invoice is discounted by them yet.
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::coupons {

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);

const params::schema& code_create_takes();
const params::schema& code_update_takes();
const params::schema& code_list_takes();
answer<json> code_create(context& ctx);
answer<json> code_retrieve(context& ctx);
answer<json> code_update(context& ctx);
answer<json> code_list(context& ctx);

}  // namespace tilld::sandbox::coupons
