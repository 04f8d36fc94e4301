// Stripe's error shape: {"error": {"type", "code"?, "message", "param"?, "doc_url"?}}.
// Source: https://docs.stripe.com/api/errors
#pragma once

#include <string>
#include <string_view>

namespace tilld::stripe {

struct api_error {
  int status = 400;
  std::string type = "invalid_request_error";  // api_error, card_error, idempotency_error
  std::string code;     // "resource_missing"; empty: left out
  std::string message;
  std::string param;    // empty: left out
};

std::string to_json(const api_error& e);  // adds doc_url where there is a code

api_error resource_missing(std::string_view object_name, std::string_view id,
                           std::string_view param = "id");  // "No such customer: 'cus_x'"
api_error unrecognized_url(std::string_view verb, std::string_view path);
api_error parameter_unknown(std::string_view param);
api_error parameter_missing(std::string_view param);
api_error parameter_invalid(std::string_view param, std::string message);

}  // namespace tilld::stripe
