#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "http/faces.hpp"
#include "http/v1_answers.hpp"
#include "http/v1_request.hpp"
#include "stripe/api_error.hpp"

namespace tilld::http {

namespace {

// What a segment of a path of Stripe's is made of; nothing that a proxy could read another way.
bool is_plain(std::string_view segment) {
  return segment != "." && segment != ".." && std::ranges::all_of(segment, [](unsigned char c) {
           return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-' || c == '.');
         });
}

bool known(const request& r, const responder& answer) {
  if (r.segments.size() >= 3 && std::ranges::all_of(r.segments, is_plain)) return true;
  answer(answer_of(stripe::unrecognized_url(r.verb, r.path)));
  return false;
}

void read(const house& h, const request& r, const responder& answer) {
  if (!known(r, answer) || !sane_account(r, answer)) return;
  actors::fetch_request wanted;
  wanted.scope = scope_of(h, r);
  wanted.call = call_of(r);
  wanted.keep = false;
  h.till.take_fetch(std::move(wanted),
                    {[answer](const actors::fetch_answer& end) { answer(fetched(end)); }, {}});
}

bool is_json(const request& r, const responder& answer) {
  if (r.body.empty()) return true;
  const auto type = r.header("content-type");
  if (!type.empty() && !type.starts_with("application/json")) {
    answer(error_response(415, "invalid_request_error", "content_type_not_accepted",
                          "Version 2 takes its parameters as application/json."));
    return false;
  }
  if (nlohmann::json::accept(r.body)) return true;
  answer(error_response(400, "invalid_request_error", "body_unreadable",
                        "The body is not JSON; nothing was sent to Stripe."));
  return false;
}

void order(const house& h, const request& r, const responder& answer) {
  if (!known(r, answer) || !sane_account(r, answer) || !is_json(r, answer)) return;
  actors::order_request wanted;
  wanted.scope = scope_of(h, r);
  wanted.call = call_of(r);
  wanted.call.content_type = "application/json";
  wanted.caller_key = r.header("idempotency-key");
  if (!sane_key(wanted.caller_key, answer)) return;
  h.till.take_order(std::move(wanted),
                    {[answer](const actors::order_answer& end) { answer(answered(end)); }, {}});
}

}  // namespace

void add_v2_routes(router& to, const house& h) {
  to.add("GET", "/v2/{rest...}", [&h](request& r, const responder& answer) { read(h, r, answer); });
  for (const char* verb : {"POST", "DELETE"}) {
    to.add(verb, "/v2/{rest...}",
           [&h](request& r, const responder& answer) { order(h, r, answer); });
  }
}

}  // namespace tilld::http
