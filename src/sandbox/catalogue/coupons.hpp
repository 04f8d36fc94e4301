// Coupons and promotion codes: the terms of discounts. What becomes of them when they are redeemed
// is in discounts.hpp.
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::coupons {

// One more has redeemed the coupon, by the code or without any (empty): counted and told. What is
// used up by that is no longer valid, and no longer active.
void redeemed(context& ctx, const std::string& coupon, const std::string& code);
// Their time is over.
void expire(context& ctx, const std::string& coupon);
void expire_code(context& ctx, const std::string& code);
// What it takes off, by currency; empty for a percentage.
json amounts_off(const json& coupon);

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
