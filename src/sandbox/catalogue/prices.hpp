// Prices, one-time and recurring, and the plans that Stripe still shows beside the recurring ones.
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::prices {

// The members of product[default_price_data].
std::vector<params::field> default_price_fields();

// Makes and tells a price of `product` from parameters; gives its id. `within` names the hash that
// they came in, for errors; empty: the request itself.
answer<std::string> make(context& ctx, const std::string& product, const json& given,
                         const std::string& within);

// A one-time price that nobody can buy again, behind an invoice item of a bare amount.
std::string make_one_off(context& ctx, const std::string& product, std::int64_t unit_amount,
                         const std::string& currency);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> list(context& ctx);

const params::schema& plan_list_takes();
answer<json> plan_retrieve(context& ctx);
answer<json> plan_list(context& ctx);

}  // namespace tilld::sandbox::prices
