// Customers.
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::customers {

// Adds to the customer's balance (negative: credit) and keeps the transaction that says why.
void change_balance(context& ctx, const std::string& customer, std::int64_t amount,
                    const std::string& currency, const std::string& type,
                    const std::string& invoice);

// Gives the customer credit for a credit note. Gives the transaction's id.
std::string credit(context& ctx, const std::string& customer, std::int64_t amount,
                   const std::string& currency, const json& credit_note);

// Deletes it: its subscriptions end, its payment methods are detached.
void end(context& ctx, const std::string& id);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);

const params::schema& adjust_takes();
const params::schema& transactions_takes();
answer<json> adjust(context& ctx);
answer<json> transactions(context& ctx);
answer<json> transaction(context& ctx);

}  // namespace tilld::sandbox::customers
