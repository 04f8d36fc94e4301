// Early fraud warnings: an issuer's word that a payment may have been somebody else's.
// Source: https://docs.stripe.com/api/radar/early_fraud_warnings
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::fraud_warnings {

void open(context& ctx, const std::string& charge);

// The charge has been refunded or disputed: nothing is left to be done about it.
void settle(context& ctx, const std::string& charge);

const params::schema& list_takes();
answer<json> retrieve(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::fraud_warnings
