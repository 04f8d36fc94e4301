// Answers of the /v1 and /v2 faces: Stripe's, with the headers that say what tilld did, and errors
// of tilld's own in Stripe's shape.
#pragma once

#include "actors/facts.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "stripe/api_error.hpp"

namespace tilld::http {

inline response answer_of(const stripe::api_error& e) {
  response r;
  r.status = e.status;
  r.body = stripe::to_json(e);
  return r;
}

inline response unavailable(const error& why) {
  return error_response(503, "api_error", "store_unavailable", why.message);
}

response answered(const actors::order_answer& end);
response fetched(const actors::fetch_answer& end);

}  // namespace tilld::http
