#include "http/auth.hpp"
#include "http/faces.hpp"

namespace tilld::http {

namespace {

bool is_open(const request& r) {
  return r.path == "/healthz" || r.path == "/readyz" || r.path == "/metrics" ||
         r.path == "/openapi.json";
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

// Tokens are of no account, and paths that are unknown are just that.
bool is_about_an_account(const request& r) {
  if (r.segments.empty()) return false;
  const std::string& face = r.segments.front();
  if (face == "admin") return r.segments.size() >= 3 && r.segments[2] == "events";
  return face == "v1" || face == "v2" || face == "api";
}

response no_account(int status, std::string_view code, const std::string& message) {
  return error_response(status, "invalid_request_error", code, message);
}

bool find_account(const house& h, request& r, const responder& answer) {
  if (!is_about_an_account(r)) return true;
  const std::string asked(r.header("tilld-account"));
  const std::string& own = r.who.account;
  if (!own.empty() && !asked.empty() && asked != own) {
    answer(no_account(403, "account_forbidden",
                      "Token '" + r.who.token_name + "' is for account " + own +
                          " only; Tilld-Account asks for another."));
    return false;
  }
  r.account = own.empty() ? asked : own;
  if (r.account.empty() && h.accounts.size() == 1) r.account = h.accounts.begin()->first;
  if (r.account.empty()) {
    answer(no_account(400, "account_missing",
                      "Several accounts are served (" + h.account_names() +
                          "): name one with the header Tilld-Account, or use a token that is for "
                          "one (tilld token create --account NAME)."));
    return false;
  }
  if (h.accounts.contains(r.account)) return true;
  const std::string who = own.empty() ? "Tilld-Account" : "Token '" + r.who.token_name + "'";
  answer(no_account(own.empty() ? 400 : 403, "account_unknown",
                    who + " names an account that the settings do not have; there is " +
                        h.account_names() + "."));
  return false;
}

}  // namespace

std::string house::account_names() const {
  std::string names;
  for (const auto& [name, account] : accounts)
    names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

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
    if (allowed(r)) return find_account(h, r, answer);
    answer(error_response(403, "invalid_request_error", "scope_missing",
                          "The scope of token '" + who->token_name +
                              "' does not allow this request; make one with a wider scope."));
    return false;
  };
}

}  // namespace tilld::http
