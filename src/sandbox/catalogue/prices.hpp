// Prices, one-time and recurring, and the plans that Stripe still shows beside the recurring ones.
#pragma once

#include "sandbox/catalogue/amounts.hpp"
#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::prices {

// The members of product[default_price_data].
std::vector<params::field> default_price_fields();

// Makes and tells a price of `product` from parameters; gives its id. `within` names the hash that
// they came in, for errors; empty: the request itself.
answer<std::string> make(context& ctx, const std::string& product, const json& given,
                         const std::string& within);

// price_data of items and lines: a price made on the way, which nobody can buy again.
params::field data_field(const std::string& name, bool recurring);
answer<json> make_inline(context& ctx, const json& data, const std::string& within);

// The terms of a price (price_terms.cpp): amounts, tiers, packages, other currencies.
std::vector<params::field> amount_fields();
std::vector<params::field> scheme_fields();
params::field currency_options_field();
answer<void> take_terms(json& price, const json& given, const std::string& within);
answer<void> take_options(json& price, const json& given, const std::string& within);
json tiers_of(const json& price);  // null: it has none
json currency_options_of(const json& price);
bool has_currency(const json& price, const std::string& currency);
amounts::pricing pricing_of(const json& price, const std::string& currency);

bool is_metered(const json& price);  // recurring, and billed by what was used

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
