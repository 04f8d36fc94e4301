// Setup intents: a card saved for later without a charge.
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::setup_intents {

// Asks a customer for a card, as a trial without one does. Gives its id.
std::string make_for(context& ctx, const std::string& customer);

// As payment_intents::authenticated.
bool authenticated(context& ctx, const std::string& id, bool passed);

const params::schema& create_takes();
const params::schema& retrieve_takes();
const params::schema& update_takes();
const params::schema& confirm_takes();
const params::schema& cancel_takes();
const params::schema& list_takes();
const params::schema& attempt_list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> confirm(context& ctx);
answer<json> cancel(context& ctx);
answer<json> list(context& ctx);
answer<json> attempt_list(context& ctx);

}  // namespace tilld::sandbox::setup_intents
