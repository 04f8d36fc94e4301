// Stripe's error shape: {"error": {"type", "code"?, "message", "param"?, "doc_url"?}}.
// Source: https://docs.stripe.com/api/errors
#pragma once

#include <string>
#include <string_view>

namespace tilld::stripe {

struct api_error {
  int status = 400;
  std::string type = "invalid_request_error";  // api_error, card_error, idempotency_error
  std::string code;                            // "resource_missing"; empty: left out
  std::string message;
  std::string param;  // empty: left out
};

// Adds doc_url where there is a code. Bytes that are not UTF-8 become U+FFFD.
std::string to_json(const api_error& e);

// "No such customer: 'cus_x'" in Stripe's own words, which are not always the object's name ("No
// such PaymentMethod: …", "No such setupintent: …", "No such notification: …" for an event).
// Status 404, as for the id in the path; a missing reference in a parameter or a cursor is a 400,
// which the caller sets.
api_error resource_missing(std::string_view object_name, std::string_view id,
                           std::string_view param);
api_error resource_missing(std::string_view object_name, std::string_view id);  // by path_param
// The `param` that Stripe names when the id in the path is missing: "id" for a customer, "invoice"
// for an invoice, "intent" for both intents.
std::string_view path_param(std::string_view object_name);

// 404 without a code. A path with an empty segment gets the hint about trailing slashes.
api_error unrecognized_url(std::string_view verb, std::string_view path);
api_error parameter_unknown(std::string_view param);
api_error parameter_missing(std::string_view param);
// Without a code; where Stripe has one (parameter_invalid_integer, …) the caller sets it.
api_error parameter_invalid(std::string_view param, std::string message);

}  // namespace tilld::stripe
