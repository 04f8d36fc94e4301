// What a payment intent does when its card is tried. The routes are in payment_intents.cpp.
#include "sandbox/billing/invoicing.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/payments/charges.hpp"
#include "sandbox/payments/disputes.hpp"
#include "sandbox/payments/fraud_warnings.hpp"
#include "sandbox/payments/payment_intents.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/payments/refunds.hpp"

namespace tilld::sandbox::payment_intents {

namespace {

constexpr std::int64_t capturable_for_s = 7 * day_s;

enum class gate { open, ask, refuse };

// Whether the bank wants the card's owner to authenticate.
gate authentication_gate(const card& of, const json& method, bool off_session) {
  bool asks = false;
  switch (of.asks) {
    case authentication::never:
      break;
    case authentication::unless_set_up:
      asks = !truth_of(method, "_set_up");
      break;
    case authentication::already_set_up:
      asks = !off_session;
      break;
    case authentication::always:
      asks = true;
      break;
  }
  if (!asks) return gate::open;
  return off_session ? gate::refuse : gate::ask;
}

json payment_error(const context& ctx, const decline& why, const std::string& charge,
                   const json& method) {
  json error = json::object();
  error["charge"] = charge;
  error["code"] = why.code;
  error["decline_code"] = why.decline_code;
  std::string page(why.code);
  for (char& c : page)
    c = c == '_' ? '-' : c;
  error["doc_url"] = "https://stripe.com/docs/error-codes/" + page;
  error["message"] = why.message;
  error["payment_method"] = view_of(ctx.state, kind::payment_method, method);
  error["type"] = "card_error";
  return error;
}

json next_action(const context& ctx, const std::string& id, const std::string& return_url) {
  const std::string page =
      ctx.facts.page("https://hooks.stripe.com", "/redirect/authenticate/" + id);
  if (!return_url.empty()) {
    return {{"redirect_to_url", {{"return_url", return_url}, {"url", page}}},
            {"type", "redirect_to_url"}};
  }
  return {{"type", "use_stripe_sdk"},
          {"use_stripe_sdk", {{"stripe_js", page}, {"type", "three_d_secure_redirect"}}}};
}

// A card that has paid is saved when the intent says so, and used up when nobody keeps it.
void keep_method(context& ctx, const json& intent, bool authenticated) {
  const json* found = ctx.state.find_live(kind::payment_method, text_of(intent, "payment_method"));
  if (found == nullptr) return;
  json method = *found;
  const bool saved = !is_null(intent, "setup_future_usage");
  const std::string customer = text_of(intent, "customer");
  const bool there = ctx.state.find_live(kind::customer, customer) != nullptr;
  if (saved && there && is_null(method, "customer")) {
    if (auto attached = payment_methods::attach_to(ctx, method, customer)) method = *attached;
  }
  if (is_null(method, "customer")) method["_spent"] = true;
  if (authenticated && (saved || intent.contains("_invoice"))) method["_set_up"] = true;
  ctx.state.replace(kind::payment_method, std::move(method));
}

attempt wait_for_action(context& ctx, json intent, const std::string& return_url) {
  const std::string id = text_of(intent, "id");
  intent["status"] = "requires_action";
  intent["next_action"] = next_action(ctx, id, return_url);
  const std::string invoice = text_of(intent, "_invoice");
  ctx.state.replace(kind::payment_intent, std::move(intent));
  ctx.emit("payment_intent.requires_action", kind::payment_intent, id);
  if (!invoice.empty()) invoicing::payment_needs_action(ctx, invoice);
  return {result::needs_action, nullptr, {}};
}

attempt fail(context& ctx, json intent, const json& method, const decline& why) {
  const std::string id = text_of(intent, "id");
  const std::string charge = charges::make(ctx, intent, method, &why);
  intent["last_payment_error"] = payment_error(ctx, why, charge, method);
  intent["latest_charge"] = charge;
  intent["next_action"] = nullptr;
  intent["payment_method"] = nullptr;
  intent["status"] = "requires_payment_method";
  const std::string invoice = text_of(intent, "_invoice");
  ctx.state.replace(kind::payment_intent, std::move(intent));
  ctx.emit("payment_intent.payment_failed", kind::payment_intent, id);
  if (!invoice.empty()) invoicing::payment_failed(ctx, invoice);
  return {result::declined, &why, charge};
}

// What the card has in store for its charge.
void follow(context& ctx, const std::string& charge, const json& method) {
  const sequel then = payment_methods::card_of(method).then;
  if (then == sequel::disputed || then == sequel::not_received || then == sequel::inquiry) {
    disputes::open(ctx, charge, then);
  }
  if (then == sequel::warned_of) fraud_warnings::open(ctx, charge);
}

attempt succeed(context& ctx, json intent, const json& method, bool authenticated) {
  const std::string id = text_of(intent, "id");
  const bool manual = text_of(intent, "capture_method") == "manual";
  keep_method(ctx, intent, authenticated);
  const std::string charge = charges::make(ctx, intent, method, nullptr);
  intent["last_payment_error"] = nullptr;
  intent["latest_charge"] = charge;
  intent["next_action"] = nullptr;
  intent[manual ? "amount_capturable" : "amount_received"] = intent["amount"];
  intent["status"] = manual ? "requires_capture" : "succeeded";
  if (manual) intent["_due"] = ctx.now + capturable_for_s;
  const std::string invoice = text_of(intent, "_invoice");
  ctx.state.replace(kind::payment_intent, std::move(intent));
  ctx.emit(manual ? "payment_intent.amount_capturable_updated" : "payment_intent.succeeded",
           kind::payment_intent, id);
  if (manual) return {result::capturable, nullptr, charge};
  charges::settle(ctx, charge);
  follow(ctx, charge, method);
  if (!invoice.empty()) invoicing::payment_succeeded(ctx, invoice);
  return {result::paid, nullptr, charge};
}

attempt ask_issuer(context& ctx, json intent, const json& method, bool authenticated) {
  const card& of = payment_methods::card_of(method);
  if (of.refusal) return fail(ctx, std::move(intent), method, *of.refusal);
  return succeed(ctx, std::move(intent), method, authenticated);
}

}  // namespace

// A card's authorization holds for seven days.
// Source: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
void fall_due(context& ctx, const std::string& id) {
  const std::string charge = text_of(ctx.state.live(kind::payment_intent, id), "latest_charge");
  refunds::release(ctx, charge);
  ctx.emit("charge.expired", kind::charge, charge);
  end(ctx, id, "automatic");
}

std::string make(context& ctx, const json& fields) {
  json intent = ctx.make(kind::payment_intent);
  std::string id = text_of(intent, "id");
  intent["amount_capturable"] = 0;
  intent["amount_details"] = {{"tip", json::object()}};
  intent["amount_received"] = 0;
  intent["capture_method"] = "automatic_async";
  intent["client_secret"] = id + "_secret_" + ctx.state.ids.letters("secret" + id, 25);
  intent["confirmation_method"] = "automatic";
  intent["payment_method_options"] = {{"card",
                                       {{"installments", nullptr},
                                        {"mandate_options", nullptr},
                                        {"network", nullptr},
                                        {"request_three_d_secure", "automatic"}}}};
  intent["payment_method_types"] = json::array({"card"});
  for (const auto& [name, value] : fields.items())
    intent[name] = value;
  intent["status"] =
      is_null(intent, "payment_method") ? "requires_payment_method" : "requires_confirmation";
  ctx.state.insert(kind::payment_intent, std::move(intent));
  ctx.emit("payment_intent.created", kind::payment_intent, id);
  return id;
}

attempt confirm(context& ctx, const std::string& id, bool off_session,
                const std::string& return_url, bool may_ask) {
  json intent = ctx.state.live(kind::payment_intent, id);
  const json method = ctx.state.live(kind::payment_method, text_of(intent, "payment_method"));
  const card& of = payment_methods::card_of(method);
  switch (authentication_gate(of, method, off_session)) {
    case gate::ask:
      if (may_ask) return wait_for_action(ctx, std::move(intent), return_url);
      [[fallthrough]];
    case gate::refuse:
      return fail(ctx, std::move(intent), method, authentication_required());
    case gate::open:
      break;
  }
  return ask_issuer(ctx, std::move(intent), method, false);
}

bool authenticated(context& ctx, const std::string& id, bool passed) {
  const json* found = ctx.state.find_live(kind::payment_intent, id);
  if (found == nullptr || text_of(*found, "status") != "requires_action") return false;
  json intent = *found;
  const json method = ctx.state.live(kind::payment_method, text_of(intent, "payment_method"));
  if (passed) {
    ask_issuer(ctx, std::move(intent), method, true);
    return true;
  }
  json error = json::object();
  error["code"] = "payment_intent_authentication_failure";
  error["doc_url"] = "https://stripe.com/docs/error-codes/payment-intent-authentication-failure";
  error["message"] =
      "The provided PaymentMethod has failed authentication. You can provide payment_method_data "
      "or a new PaymentMethod to attempt to fulfill this PaymentIntent again.";
  error["payment_method"] = view_of(ctx.state, kind::payment_method, method);
  error["type"] = "invalid_request_error";
  intent["last_payment_error"] = std::move(error);
  intent["next_action"] = nullptr;
  intent["payment_method"] = nullptr;
  intent["status"] = "requires_payment_method";
  const std::string invoice = text_of(intent, "_invoice");
  ctx.state.replace(kind::payment_intent, std::move(intent));
  ctx.emit("payment_intent.payment_failed", kind::payment_intent, id);
  if (!invoice.empty()) invoicing::payment_failed(ctx, invoice);
  return true;
}

void end(context& ctx, const std::string& id, const std::string& reason) {
  json intent = ctx.state.live(kind::payment_intent, id);
  intent["amount_capturable"] = 0;
  intent["canceled_at"] = ctx.now;
  intent["cancellation_reason"] = reason.empty() ? json(nullptr) : json(reason);
  intent["next_action"] = nullptr;
  intent["status"] = "canceled";
  intent.erase("_due");
  ctx.state.replace(kind::payment_intent, std::move(intent));
  ctx.emit("payment_intent.canceled", kind::payment_intent, id);
}

}  // namespace tilld::sandbox::payment_intents
