#include <memory>
#include <utility>

#include "base/log.hpp"
#include "http/faces.hpp"
#include "stripe/event.hpp"
#include "stripe/signature.hpp"

namespace tilld::http {

namespace {

struct webhook_counters {
  explicit webhook_counters(metrics& m)
      : refused(m.make_counter("tilld_webhooks_refused_total",
                               "Webhooks whose signature or body was refused")),
        other_mode(
            m.make_counter("tilld_webhooks_of_other_mode_total",
                           "Test events on a live account or the other way round; ignored")) {}
  counter refused, other_mode;
};

std::string why(stripe::signature_verdict verdict, std::int64_t tolerance_s) {
  using enum stripe::signature_verdict;
  switch (verdict) {
    case valid:
      return "";
    case missing:
      return "The Stripe-Signature header is missing.";
    case malformed:
      return "The Stripe-Signature header cannot be read.";
    case wrong:
      return "No signature matches: is the webhook secret of this endpoint configured?";
    case too_old:
      return "The signature's time is more than " + std::to_string(tolerance_s) +
             " s in the past: is this machine's clock right?";
    case too_new:
      return "The signature's time is more than " + std::to_string(tolerance_s) +
             " s in the future: is this machine's clock right?";
  }
  return "";
}

response received(const actors::event_answer& answer) {
  using enum actors::event_end;
  response ok;
  switch (answer.end) {
    case applied:
      ok.body = R"({"received":true,"result":"applied"})";
      break;
    case ignored:
      ok.body = R"({"received":true,"result":"ignored"})";
      break;
    case refetch:
      ok.body = R"({"received":true,"result":"refetch"})";
      break;
    case duplicate:
      ok.body = R"({"received":true,"result":"duplicate"})";
      break;
    case failed:
      ok.body = R"({"received":true,"result":"failed"})";
      break;
    case unavailable: {
      response later = error_response(503, "api_error", "unavailable",
                                      "The event could not be stored; send it again.");
      later.headers.emplace_back("Retry-After", "2");
      return later;
    }
  }
  return ok;
}

class webhook_face {
 public:
  explicit webhook_face(const house& h) : house_(h), count_(h.counts) {}

  void take(request& r, responder answer) {
    const auto at = house_.accounts.find(r.arguments.at(0));
    if (at == house_.accounts.end()) {
      answer(error_response(404, "invalid_request_error", "endpoint_unknown",
                            "There is no webhook endpoint of this name."));
      return;
    }
    const served_account& endpoint = at->second;
    if (endpoint.secrets.empty()) {
      answer(error_response(503, "api_error", "no_webhook_secret",
                            "No webhook secret is configured for this endpoint."));
      return;
    }
    const auto verdict =
        stripe::verify_signature(r.header("stripe-signature"), r.body, endpoint.secrets,
                                 house_.time.wall_s(), endpoint.tolerance_s);
    if (verdict != stripe::signature_verdict::valid) {
      refuse(r, answer, stripe::to_string(verdict), why(verdict, endpoint.tolerance_s));
      return;
    }
    auto event = stripe::parse_event(std::move(r.body));
    if (!event) {
      refuse(r, answer, "event_unreadable", event.error().message);
      return;
    }
    if ((*event)->livemode != endpoint.scope.live) {
      pass_over(r, **event);
      answer(received({actors::event_end::ignored, ""}));
      return;
    }
    actors::incoming_event incoming;
    incoming.scope = endpoint.scope;
    if (!(*event)->account.empty()) incoming.scope.account += "/" + (*event)->account;
    incoming.endpoint = at->first;
    incoming.received_ms = house_.time.wall_ms();
    incoming.event = std::move(*event);
    house_.till.take_event(
        std::move(incoming),
        {[answer](const actors::event_answer& end) { answer(received(end)); }, {}});
  }

 private:
  void refuse(const request& r, const responder& answer, std::string_view code,
              std::string_view message) {
    count_.refused.add();
    log_.write(log::level::warning, "webhook_refused",
               {{"code", code}, {"why", message}, {"remote", r.remote}, {"request", r.id}});
    answer(error_response(400, "invalid_request_error", code, message));
  }

  // A live endpoint for connected accounts gets their test events too, by Stripe's design; the two
  // worlds never mix here.
  void pass_over(const request& r, const stripe::event& event) {
    count_.other_mode.add();
    log_.write(log::level::warning, "webhook_of_other_mode",
               {{"event", event.id}, {"livemode", event.livemode}, {"request", r.id}});
  }

  const house& house_;
  webhook_counters count_;
  log::limited log_{5};
};

}  // namespace

void add_webhook_routes(router& to, const house& h) {
  auto face = std::make_shared<webhook_face>(h);
  to.add("POST", "/webhooks/stripe/{endpoint}",
         [face](request& r, responder answer) { face->take(r, std::move(answer)); });
}

}  // namespace tilld::http
