// Payment intents: the state machine between wanting money and having it.
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"
#include "sandbox/payments/cards.hpp"

namespace tilld::sandbox::payment_intents {

// Makes and tells one. `fields` are members of the document (amount, currency, customer,
// payment_method …); with a payment method it waits for confirmation, else for the method.
std::string make(context& ctx, const json& fields);

enum class result { paid, capturable, needs_action, declined };

struct attempt {
  result is = result::paid;
  const decline* why = nullptr;  // of a declined one
  std::string charge;            // id; empty when none was made
};

// Tries the payment method of the intent. The charge, the intent, an invoice behind it and their
// events follow. `return_url` decides how a customer is sent to authenticate; unless it `may_ask`,
// a bank that wants that is a decline.
attempt confirm(context& ctx, const std::string& id, bool off_session,
                const std::string& return_url = {}, bool may_ask = true);

// The customer has come back from authenticating. False when the intent waits for no such thing.
bool authenticated(context& ctx, const std::string& id, bool passed);

// Ends an intent that has not succeeded, with its event.
void end(context& ctx, const std::string& id, const std::string& reason);

// Nobody has captured it in time.
void fall_due(context& ctx, const std::string& id);

const params::schema& create_takes();
const params::schema& retrieve_takes();
const params::schema& update_takes();
const params::schema& confirm_takes();
const params::schema& capture_takes();
const params::schema& cancel_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> confirm_one(context& ctx);
answer<json> capture(context& ctx);
answer<json> cancel(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::payment_intents
