// Tax rates that people set by hand: a percentage of what a line costs, contained in it or on top.
// Source: https://docs.stripe.com/billing/taxes/tax-rates
#pragma once

#include "sandbox/billing/totals.hpp"
#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::tax_rates {

// A parameter that lists at most five rates.
params::field field(std::string name);
// Its value as it is kept: ids. null clears. Each must exist and be active; one that stood there
// before (`standing`) may have been archived since.
answer<json> read(const context& ctx, const json& given, const std::string& param,
                  const json& standing = nullptr);
totals::tax_rate terms(const context& ctx, const std::string& id);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::tax_rates
