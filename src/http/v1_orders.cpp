#include "http/v1_orders.hpp"

#include <string>
#include <utility>

#include "actors/ownership.hpp"
#include "http/v1_answers.hpp"
#include "http/v1_request.hpp"
#include "stripe/api_error.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

namespace {

bool is_form(const request& r) {
  const auto type = r.header("content-type");
  return r.body.empty() || type.empty() || type.starts_with("application/x-www-form-urlencoded");
}

}  // namespace

void take_v1_order(const house& h, const request& r, const responder& answer) {
  if (!sane_account(r, answer)) return;
  if (stripe::catalogue::instance().find(r.verb, r.segments).endpoint == nullptr) {
    return void(answer(answer_of(stripe::unrecognized_url(r.verb, r.path))));
  }
  if (!is_form(r)) {
    return void(
        answer(error_response(415, "invalid_request_error", "content_type_not_accepted",
                              "Send the parameters as application/x-www-form-urlencoded.")));
  }
  auto form = stripe::decode_form(r.body);
  if (!form) {
    return void(answer(
        error_response(400, "invalid_request_error", "body_unreadable", form.error().message)));
  }
  actors::order_request wanted;
  wanted.scope = scope_of(h, r);
  wanted.call = call_of(r);
  wanted.caller_key = r.header("idempotency-key");
  if (!sane_key(wanted.caller_key, answer)) return;
  wanted.owner = actors::owner_of_order(h.till.read(), wanted.scope, r.segments, *form);
  h.till.take_order(std::move(wanted),
                    {[answer](const actors::order_answer& end) { answer(answered(end)); }, {}});
}

}  // namespace tilld::http
