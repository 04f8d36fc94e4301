#include <memory>
#include <string>
#include <utility>

#include "actors/ownership.hpp"
#include "http/faces.hpp"
#include "http/v1_answers.hpp"
#include "http/v1_reads.hpp"
#include "http/v1_request.hpp"
#include "stripe/api_error.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

namespace {

class v1_face {
 public:
  explicit v1_face(const house& h) : house_(h) {}

  void order(request& r, responder answer) const {
    if (!sane_account(r, answer)) return;
    const auto& catalogue = stripe::catalogue::instance();
    if (catalogue.find(r.verb, r.segments).endpoint == nullptr) {
      answer(answer_of(stripe::unrecognized_url(r.verb, r.path)));
      return;
    }
    const auto type = r.header("content-type");
    if (!r.body.empty() && !type.empty() &&
        !type.starts_with("application/x-www-form-urlencoded")) {
      answer(error_response(415, "invalid_request_error", "content_type_not_accepted",
                            "Send the parameters as application/x-www-form-urlencoded."));
      return;
    }
    auto form = stripe::decode_form(r.body);
    if (!form) {
      answer(error_response(400, "invalid_request_error", "body_unreadable", form.error().message));
      return;
    }
    actors::order_request wanted;
    wanted.scope = scope_of(house_, r);
    wanted.call = call_of(r);
    wanted.caller_key = r.header("idempotency-key");
    if (wanted.caller_key.size() > 255) {
      answer(error_response(400, "idempotency_error", "",
                            "An Idempotency-Key has at most 255 characters."));
      return;
    }
    wanted.owner = actors::owner_of_order(house_.till.read(), wanted.scope, r.segments, *form);
    house_.till.take_order(
        std::move(wanted),
        {[answer](const actors::order_answer& end) { answer(answered(end)); }, {}});
  }

 private:
  static response answered(const actors::order_answer& end) {
    response r;
    r.status = end.status;
    r.body = end.body;
    name_source(r, "stripe");
    if (!end.request_id.empty()) r.headers.emplace_back("Request-Id", end.request_id);
    if (!end.idempotency_key.empty()) {
      r.headers.emplace_back("Idempotency-Key", end.idempotency_key);
    }
    if (end.replayed) r.headers.emplace_back("Idempotent-Replayed", "true");
    if (!end.order_id.empty()) r.headers.emplace_back("Tilld-Order", end.order_id);
    return r;
  }

  const house& house_;
};

}  // namespace

void add_v1_routes(router& to, const house& h) {
  auto reads = std::make_shared<v1_reads>(h);
  to.add("GET", "/v1/{rest...}",
         [reads](request& r, responder answer) { reads->read(r, std::move(answer)); });
  auto face = std::make_shared<v1_face>(h);
  for (const char* verb : {"POST", "DELETE"}) {
    to.add(verb, "/v1/{rest...}",
           [face](request& r, responder answer) { face->order(r, std::move(answer)); });
  }
}

}  // namespace tilld::http
