// How a checkout session is completed: who buys, with which card, and what comes of it.
#include <algorithm>

#include "sandbox/account/customers.hpp"
#include "sandbox/account/tax_ids.hpp"
#include "sandbox/billing/invoicing.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/pages/checkout.hpp"
#include "sandbox/pages/payment_links.hpp"
#include "sandbox/pages/requests.hpp"
#include "sandbox/payments/payment_intents.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/payments/setup_intents.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::checkout {

namespace {

std::string customer_of(context& ctx, const json& session, const json& form) {
  const std::string known = text_of(session, "customer");
  if (!known.empty()) return known;
  const std::string mode = text_of(session, "mode");
  if (mode == "setup" || (mode == "payment" && text_of(session, "customer_creation") != "always")) {
    return {};
  }
  json params = json::object();
  for (const char* part : {"email", "name"}) {
    if (const std::string given = text_of(form, part); !given.empty()) params[part] = given;
  }
  const auto made = ask(ctx, customers::create, std::move(params));
  return made ? text_of(*made, "id") : std::string();
}

json details_of(const context& ctx, const std::string& customer, const json& form) {
  json details = json::object();
  const json* known = ctx.state.find_live(kind::customer, customer);
  for (const char* part : {"address", "business_name", "email", "individual_name", "name", "phone",
                           "tax_exempt", "tax_ids"}) {
    details[part] = nullptr;
    if (known != nullptr && known->contains(part)) details[part] = (*known)[part];
    const std::string given = text_of(form, part);
    if (details[part].is_null() && !given.empty()) details[part] = given;
  }
  details["tax_exempt"] = known == nullptr ? json("none") : (*known)["tax_exempt"];
  details["tax_ids"] = tax_ids::of(ctx.state, customer);
  return details;
}

void finish(context& ctx, json session, const json& form) {
  const std::string id = text_of(session, "id");
  session["customer_details"] = details_of(ctx, text_of(session, "customer"), form);
  const std::string link = text_of(session, "payment_link");
  session["status"] = "complete";
  session["url"] = nullptr;
  session.erase("_due");
  session.erase("_waits_for");
  const bool paid = text_of(session, "mode") == "payment";
  ctx.state.replace(kind::checkout_session, std::move(session));
  if (paid) redeem(ctx, id);
  ctx.settle();  // it comes last
  ctx.emit("checkout.session.completed", kind::checkout_session, id);
  if (!link.empty()) payment_links::session_completed(ctx, link);
}

failure refused_by(const json& error) {
  failure f;
  f.error = {402, "card_error", text_of(error, "code"), text_of(error, "message"), ""};
  return f;
}

// A payment: one intent for the session, tried until a card is good.
answer<completion> pay_once(context& ctx, json session, const json& form,
                            const std::string& customer, const json& method) {
  const std::string id = text_of(session, "id");
  std::string intent = text_of(session, "_intent");
  if (intent.empty()) {
    json fields = session["_payment_intent_data"];
    fields["amount"] = session["amount_total"];
    fields["currency"] = session["currency"];
    if (!customer.empty()) fields["customer"] = customer;
    if (!fields.contains("metadata")) fields["metadata"] = json::object();
    intent = payment_intents::make(ctx, fields);
    session["_intent"] = intent;
  }
  json document = ctx.state.live(kind::payment_intent, intent);
  document["payment_method"] = method["id"];
  ctx.state.replace(kind::payment_intent, std::move(document));
  session["customer"] = customer.empty() ? json(nullptr) : json(customer);
  ctx.state.replace(kind::checkout_session, session);
  const auto tried = payment_intents::confirm(ctx, intent, false);
  if (tried.is == payment_intents::result::declined) {
    failure f = payment_methods::card_failure(*tried.why);
    f.kept = true;
    return std::unexpected(std::move(f));
  }
  session["payment_intent"] = intent;
  if (tried.is == payment_intents::result::needs_action) {
    session["_waits_for"] = {{"intent", intent}, {"form", form}};
    ctx.state.replace(kind::checkout_session, std::move(session));
    return completion{intent};
  }
  session["payment_status"] = tried.is == payment_intents::result::paid ? "paid" : "unpaid";
  finish(ctx, std::move(session), form);
  return completion{};
}

answer<json> subscribe(context& ctx, const json& session, const std::string& customer,
                       const std::string& method, const char* behavior) {
  json params = session["_subscription_data"];
  params["customer"] = customer;
  params["default_payment_method"] = method;
  params["payment_behavior"] = behavior;
  params["items"] = json::array();
  json once = json::array();
  for (const auto& item : items_of(ctx, text_of(session, "id"))) {
    const json& price = ctx.state.at(kind::price, text_of(item, "price"));
    const bool repeats = price["recurring"].is_object();
    json entry = {{"quantity", item["quantity"]}};
    // One that was made with the session is not for others to buy.
    entry[repeats ? "_price" : "price"] = item["price"];
    if (!item["_tax_rates"].empty()) entry["tax_rates"] = item["_tax_rates"];
    (repeats ? params["items"] : once).push_back(std::move(entry));
  }
  if (!once.empty()) params["add_invoice_items"] = std::move(once);
  if (!session["discounts"].empty()) params["discounts"] = discounts_to_redeem(session);
  return ask(ctx, subscriptions::create, std::move(params));
}

void note_subscription(const context& ctx, json& session, const json& subscription) {
  session["subscription"] = subscription["id"];
  session["invoice"] = subscription["latest_invoice"];
  const json* invoice = ctx.state.find(kind::invoice, text_of(subscription, "latest_invoice"));
  const bool free = invoice == nullptr || number_of(*invoice, "total") == 0;
  session["payment_status"] = free ? "no_payment_required" : "paid";
  if (free) session["amount_total"] = session["amount_subtotal"] = 0;
}

answer<completion> begin_subscription(context& ctx, json session, const json& form,
                                      const std::string& customer, const json& method) {
  const std::string id = text_of(session, "id");
  auto attached = payment_methods::attach_to(ctx, method, customer);
  if (!attached) return std::unexpected(attached.error());
  const std::string card = text_of(*attached, "id");
  session["customer"] = customer;
  const auto before = ctx.state.here();
  auto made = subscribe(ctx, session, customer, card, "error_if_incomplete");
  if (made) {
    note_subscription(ctx, session, *made);
    finish(ctx, std::move(session), form);
    return completion{};
  }
  ctx.state.back_to(before);
  ctx.state.replace(kind::checkout_session, session);
  if (made.error().error.code != "subscription_payment_intent_requires_action") {
    failure f = made.error();
    f.kept = true;
    return std::unexpected(std::move(f));
  }
  made = subscribe(ctx, session, customer, card, "allow_incomplete");
  if (!made) return std::unexpected(made.error());
  const json* intent = invoicing::intent_of(ctx, text_of(*made, "latest_invoice"));
  const std::string waits = intent == nullptr ? "" : text_of(*intent, "id");
  session["_waits_for"] = {{"intent", waits}, {"subscription", (*made)["id"]}, {"form", form}};
  ctx.state.replace(kind::checkout_session, std::move(session));
  return completion{waits};
}

answer<completion> save_card(context& ctx, json session, const json& form, const json& method) {
  json params = session["_setup_intent_data"];
  params["payment_method"] = method["id"];
  params["confirm"] = true;
  if (!is_null(session, "customer")) params["customer"] = session["customer"];
  auto made = ask(ctx, setup_intents::create, std::move(params));
  if (!made) return std::unexpected(made.error());
  session["setup_intent"] = (*made)["id"];
  if (text_of(*made, "status") == "requires_action") {
    const std::string intent = text_of(*made, "id");
    session["_waits_for"] = {{"intent", intent}, {"form", form}};
    ctx.state.replace(kind::checkout_session, std::move(session));
    return completion{intent};
  }
  finish(ctx, std::move(session), form);
  return completion{};
}

answer<completion> begin_without_card(context& ctx, json session, const json& form,
                                      const std::string& customer) {
  session["customer"] = customer;
  if (text_of(session, "mode") == "subscription") {
    auto made = subscribe(ctx, session, customer, "", "allow_incomplete");
    if (!made) return std::unexpected(made.error());
    note_subscription(ctx, session, *made);
  } else {
    session["payment_status"] = "no_payment_required";
  }
  finish(ctx, std::move(session), form);
  return completion{};
}

void void_unpaid(context& ctx, const std::string& subscription) {
  const std::string invoice =
      text_of(ctx.state.live(kind::subscription, subscription), "latest_invoice");
  subscriptions::cancel(ctx, subscription, false, false, nullptr);
  if (text_of(ctx.state.live(kind::invoice, invoice), "status") == "open") {
    invoicing::mark_void(ctx, invoice);
  }
}

bool is_good(const std::string& status) {
  return status == "succeeded" || status == "requires_capture";
}

json intent_of(const context& ctx, const std::string& id) {
  const json* setup = ctx.state.find_live(kind::setup_intent, id);
  return setup != nullptr ? *setup : ctx.state.live(kind::payment_intent, id);
}

}  // namespace

bool may_go_without_card(const json& session) {
  const json& data = session["_subscription_data"];
  return text_of(session, "payment_method_collection") == "if_required" &&
         (data.contains("trial_period_days") || data.contains("trial_end") ||
          number_of(session, "amount_total") == 0);
}

void let_go(context& ctx, json& session) {
  if (!session.contains("_waits_for")) return;
  const json waits = session["_waits_for"];
  session.erase("_waits_for");
  session["payment_intent"] = nullptr;
  session["setup_intent"] = nullptr;
  if (const std::string subscription = text_of(waits, "subscription"); !subscription.empty()) {
    void_unpaid(ctx, subscription);
    return;
  }
  const std::string id = text_of(waits, "intent");
  if (text_of(intent_of(ctx, id), "status") == "canceled") return;
  if (ctx.state.find_live(kind::setup_intent, id) == nullptr) {
    payment_intents::end(ctx, id, "abandoned");
  } else {
    const aside kept(ctx);
    ask(ctx, setup_intents::cancel, json::object(), {id}, "/v1/setup_intents/{id}/cancel");
  }
  session.erase("_intent");
}

answer<completion> complete(context& ctx, const std::string& id, const json& form) {
  auto found = ctx.object(kind::checkout_session, id);
  if (!found) return std::unexpected(found.error());
  json session = std::move(*found);
  if (text_of(session, "status") != "open") {
    return refuse("This Checkout Session is " + text_of(session, "status") + ".");
  }
  if (session.contains("_waits_for")) {
    if (is_good(text_of(intent_of(ctx, text_of(session["_waits_for"], "intent")), "status"))) {
      auto back = come_back(ctx, id);
      return back ? answer<completion>(completion{}) : std::unexpected(back.error());
    }
    if (text_of(session, "mode") != "payment") let_go(ctx, session);  // that keeps its intent
    ctx.state.replace(kind::checkout_session, session);
  }
  if (text_of(form, "email").empty() && is_null(session, "customer") &&
      is_null(session, "customer_email")) {
    return refuse(stripe::parameter_missing("email"));
  }
  json buyer = form;
  if (!is_null(session, "customer_email")) buyer["email"] = session["customer_email"];
  const bool free = may_go_without_card(session) && text_of(form, "number").empty();
  json method = nullptr;
  if (!free) {
    auto card = pages::card_of(ctx, buyer);
    if (!card) return std::unexpected(card.error());
    method = ctx.state.live(kind::payment_method, text_of(*card, "id"));
  }
  const std::string customer = customer_of(ctx, session, buyer);
  buyer.erase("number");
  buyer.erase("cvc");
  if (free) return begin_without_card(ctx, std::move(session), buyer, customer);
  const std::string mode = text_of(session, "mode");
  if (mode == "setup") return save_card(ctx, std::move(session), buyer, method);
  if (mode == "payment") return pay_once(ctx, std::move(session), buyer, customer, method);
  return begin_subscription(ctx, std::move(session), buyer, customer, method);
}

answer<void> come_back(context& ctx, const std::string& id) {
  auto found = ctx.object(kind::checkout_session, id);
  if (!found) return std::unexpected(found.error());
  json session = std::move(*found);
  if (!session.contains("_waits_for")) return {};
  const json waits = session["_waits_for"];
  const std::string intent_id = text_of(waits, "intent");
  const bool setup = ctx.state.find(kind::setup_intent, intent_id) != nullptr;
  const json intent = ctx.state.live(setup ? kind::setup_intent : kind::payment_intent, intent_id);
  const std::string status = text_of(intent, "status");
  if (status == "requires_action") return {};
  if (is_good(status)) {
    const std::string subscription = text_of(waits, "subscription");
    if (!subscription.empty()) {
      note_subscription(ctx, session, ctx.state.live(kind::subscription, subscription));
    } else if (!setup) {
      session["payment_status"] = status == "succeeded" ? "paid" : "unpaid";
    }
    finish(ctx, std::move(session), waits["form"]);
    return {};
  }
  session.erase("_waits_for");
  session["payment_intent"] = nullptr;
  session["setup_intent"] = nullptr;
  ctx.state.replace(kind::checkout_session, std::move(session));
  if (const std::string subscription = text_of(waits, "subscription"); !subscription.empty()) {
    void_unpaid(ctx, subscription);
  }
  failure f = refused_by(intent[setup ? "last_setup_error" : "last_payment_error"]);
  f.kept = true;
  return std::unexpected(std::move(f));
}

void follow(context& ctx, const std::string& intent) {
  const auto waiting = ctx.state.with(kind::checkout_session, "_waits_for.intent", intent);
  if (waiting.empty() || !is_good(text_of(intent_of(ctx, intent), "status"))) return;
  (void)come_back(ctx, text_of(*waiting.front(), "id"));
}

}  // namespace tilld::sandbox::checkout
