// Charges: what happens when a card is asked for money, and what is left of it afterwards.
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"
#include "sandbox/payments/cards.hpp"

namespace tilld::sandbox::charges {

// Charges the intent's payment method for its amount; kept and told either way. Gives the charge's
// id. `why` is null when the card pays.
std::string make(context& ctx, const json& intent, const json& method, const decline* why);

// Money arrives: the ledger's entry for a captured charge, with its charge.updated where the
// charge itself has been told already.
void settle(context& ctx, const std::string& id);

const params::schema& update_takes();
const params::schema& list_takes();
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::charges
