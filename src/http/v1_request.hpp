// What reads and orders of the /v1 face have in common: whose account, and the call to Stripe.
#pragma once

#include "http/faces.hpp"
#include "store/keys.hpp"
#include "stripe/call.hpp"

namespace tilld::http {

// False, with an answer given, when Stripe-Account is no account id.
bool sane_account(const request& r, const responder& answer);

// False, with an answer given, when an Idempotency-Key is longer than Stripe takes.
bool sane_key(const std::string& key, const responder& answer);

// The keyspace of the request's account, or of the connected one that Stripe-Account names.
store::scope scope_of(const house& h, const request& r);

stripe::call call_of(const request& r);

// Tilld-Source: "mirror" or "stripe".
void name_source(response& r, const char* source);

}  // namespace tilld::http
