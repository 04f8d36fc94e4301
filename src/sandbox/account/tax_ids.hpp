// Tax IDs of customers and of the account itself.
// Source: https://docs.stripe.com/billing/customer/tax-ids
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::tax_ids {

// The parameter by which a customer is created with some, and what it does; told when the customer
// has been.
params::field data_field();
answer<void> add(context& ctx, const std::string& customer, const json& data);

// [{"type", "value"}], as invoices and checkout sessions show them, oldest first.
json of(const world& w, const std::string& customer);

// The authority has answered.
void fall_due(context& ctx, const std::string& id);

const params::schema& create_takes();     // of /v1/tax_ids
const params::schema& list_takes();       // of /v1/tax_ids
const params::schema& customers_takes();  // of /v1/customers/{id}/tax_ids
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);
answer<json> create_of_customer(context& ctx);
answer<json> retrieve_of_customer(context& ctx);
answer<json> remove_of_customer(context& ctx);
answer<json> list_of_customer(context& ctx);

}  // namespace tilld::sandbox::tax_ids
