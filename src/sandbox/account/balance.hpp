// The ledger: what charges bring, what refunds take, and the balance that they add up to.
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::balance {

// Enters it and gives the entry's id.
std::string enter_charge(context& ctx, const json& charge, std::int64_t amount);
std::string enter_refund(context& ctx, const json& refund, const json& charge);
std::string enter_failed_refund(context& ctx, const json& refund);
std::string enter_adjustment(context& ctx, const json& source, std::int64_t amount,
                             std::int64_t fee, const char* description);

const params::schema& list_takes();
answer<json> retrieve_balance(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::balance
