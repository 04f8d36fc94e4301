// Payment methods: cards, saved to customers or used once.
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"
#include "sandbox/payments/cards.hpp"

namespace tilld::sandbox::payment_methods {

// The payment method that a request may use. A magic id (pm_card_visa) makes a new one.
answer<json> usable(context& ctx, const std::string& id, std::string_view param);

// Saves it to the customer, with its event; refused as the card's issuer refuses.
answer<json> attach_to(context& ctx, json method, const std::string& customer);

// Takes it from its customer, with its events. Its default is cleared.
void detach_from_customer(context& ctx, json method);

const card& card_of(const json& method);

// The error that a refused card answers with: 402 card_error.
failure card_failure(const decline& why);

// Which types a payment or a set-up may use. Named allowed_payment_method_types from the endive
// versions on and payment_method_types before; either is taken. Answers whether one was given;
// 501 for any type but cards.
// Source: https://docs.stripe.com/api/payment_intents/create
params::schema type_fields();
answer<bool> types_given(const context& ctx);

// payment_method_data of intents: makes the method and puts it where the request names one.
params::field data_field();
answer<void> take_data(context& ctx);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& attach_takes();
const params::schema& list_takes();
const params::schema& customer_list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> attach(context& ctx);
answer<json> detach(context& ctx);
answer<json> list(context& ctx);
answer<json> customer_list(context& ctx);
answer<json> customer_retrieve(context& ctx);

}  // namespace tilld::sandbox::payment_methods
