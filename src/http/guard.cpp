#include "http/auth.hpp"
#include "http/faces.hpp"

namespace tilld::http {

namespace {

bool is_open(const request& r) {
  return r.path == "/healthz" || r.path == "/readyz" || r.path == "/metrics";
}

response unauthorized(std::string_view message) {
  response no = error_response(401, "invalid_request_error", "unauthorized", message);
  no.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tilld\"");
  return no;
}

bool allowed(const request& r) {
  const bool admin = !r.segments.empty() && r.segments.front() == "admin";
  if (admin) return r.who.may_admin;
  return r.verb == "GET" || r.verb == "HEAD" ? r.who.may_read : r.who.may_write;
}

}  // namespace

router::guard token_guard(const house& h) {
  return [&h](request& r, const responder& answer) {
    if (is_open(r)) return true;
    const auto token = token_in(r.header("authorization"));
    if (!token) {
      answer(
          unauthorized("You did not provide a token. Send 'Authorization: Bearer TOKEN' with "
                       "one of tilld's own tokens (tilld token create)."));
      return false;
    }
    const auto who = h.tokens.find(*token, h.time.wall_s());
    if (!who) {
      answer(
          unauthorized("This token is not known or has expired. Tokens are made with "
                       "'tilld token create'; Stripe's keys are not tokens of tilld."));
      return false;
    }
    r.who = *who;
    if (allowed(r)) return true;
    answer(error_response(403, "invalid_request_error", "scope_missing",
                          "The scope of token '" + who->token_name +
                              "' does not allow this request; make one with a wider scope."));
    return false;
  };
}

}  // namespace tilld::http
