// How a request is refused, as a value.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "sandbox/machine/document.hpp"
#include "sandbox/machine/kinds.hpp"
#include "stripe/api_error.hpp"

namespace tilld::sandbox {

struct failure {
  stripe::api_error error;
  json more = nullptr;  // further members of "error": decline_code, charge, payment_intent …
  // The request has begun to act and what it did stands (a declined card): its changes and events
  // are kept and so is its result under an idempotency key. Otherwise it leaves no trace.
  bool kept = false;
};

template <class T>
using answer = std::expected<T, failure>;

inline std::unexpected<failure> refuse(stripe::api_error error) {
  return std::unexpected<failure>(failure{std::move(error), nullptr, false});
}

// 400 invalid_request_error with Stripe's sentence.
inline std::unexpected<failure> refuse(std::string message, std::string param = {},
                                       std::string code = {}) {
  return refuse(stripe::api_error{400, "invalid_request_error", std::move(code), std::move(message),
                                  std::move(param)});
}

// 501: a thing that Stripe has and the simulator does not.
inline std::unexpected<failure> not_simulated(std::string message, std::string param = {}) {
  return refuse(
      stripe::api_error{501, "api_error", "not_simulated", std::move(message), std::move(param)});
}

// The object that a path names is not there: 404. That a parameter names: 400.
inline std::unexpected<failure> missing(kind k, std::string_view id, std::string_view param,
                                        int status) {
  auto error = stripe::resource_missing(row_of(k).object, id, param);
  error.status = status;
  return refuse(std::move(error));
}

}  // namespace tilld::sandbox
