// Answers of the /v1 face that are tilld's own.
#pragma once

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

}  // namespace tilld::http
