#include "http/v1_request.hpp"

#include <string>

namespace tilld::http {

bool sane_account(const request& r, const responder& answer) {
  // It is used as part of keys.
  const auto account = r.header("stripe-account");
  if (account.empty() || (store::valid_id(account) && account.find('/') == account.npos)) {
    return true;
  }
  answer(error_response(400, "invalid_request_error", "account_invalid",
                        "Stripe-Account is not an account id."));
  return false;
}

bool sane_key(const std::string& key, const responder& answer) {
  constexpr std::size_t most_bytes = 255;
  if (key.size() <= most_bytes) return true;
  answer(error_response(400, "idempotency_error", "",
                        "An Idempotency-Key has at most 255 characters."));
  return false;
}

store::scope scope_of(const house& h, const request& r) {
  store::scope scope = h.account_of(r).scope;
  if (const auto account = r.header("stripe-account"); !account.empty()) {
    scope.account.append("/").append(account);
  }
  return scope;
}

stripe::call call_of(const request& r) {
  stripe::call call;
  call.verb = r.verb;
  call.target = r.target;
  call.body = r.body;
  call.api_version = r.header("stripe-version");
  call.stripe_account = r.header("stripe-account");
  return call;
}

void name_source(response& r, const char* source) {
  r.headers.emplace_back("Tilld-Source", source);
}

}  // namespace tilld::http
