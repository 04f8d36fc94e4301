#include "sandbox/billing/invoicing.hpp"

#include <algorithm>

#include "sandbox/account/customers.hpp"
#include "sandbox/billing/dunning.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::invoicing {

namespace {

// Changes an open invoice and tells what changed before it tells what happened.
void change(context& ctx, const std::string& id, json invoice, const std::string& fact) {
  const json before = ctx.shown(kind::invoice, id);
  ctx.state.replace(kind::invoice, std::move(invoice));
  ctx.emit_updated("invoice.updated", kind::invoice, id, before);
  ctx.emit(fact, kind::invoice, id);
}

std::string four_digits(std::int64_t n) {
  std::string digits = std::to_string(n);
  return digits.size() < 4 ? std::string(4 - digits.size(), '0') + digits : digits;
}

std::string next_number(context& ctx, const std::string& customer) {
  json changed = ctx.state.live(kind::customer, customer);
  const std::int64_t sequence = number_of(changed, "next_invoice_sequence");
  changed["next_invoice_sequence"] = sequence + 1;
  std::string number = text_of(changed, "invoice_prefix") + "-" + four_digits(sequence);
  ctx.state.replace(kind::customer, std::move(changed));
  return number;
}

// What the customer's balance does to the sum: credit is used up, what is owed is added.
struct balanced {
  std::int64_t due = 0;
  std::int64_t change = 0;  // of the balance
};
balanced with_balance(std::int64_t total, std::int64_t balance) {
  if (total < 0) return {0, total};
  const std::int64_t credit = std::min(std::max<std::int64_t>(0, -balance), total);
  const std::int64_t owed = std::max<std::int64_t>(0, balance);
  return {total + owed - credit, credit - owed};
}

void apply_balance(context& ctx, json& invoice) {
  const std::string customer = text_of(invoice, "customer");
  const std::int64_t total = number_of(invoice, "total");
  const std::int64_t balance = number_of(ctx.state.live(kind::customer, customer), "balance");
  const auto [due, change] = with_balance(total, balance);
  if (change != 0) {
    customers::change_balance(ctx, customer, change, text_of(invoice, "currency"),
                              change > 0 ? "applied_to_invoice" : "adjustment",
                              text_of(invoice, "id"));
  }
  invoice["starting_balance"] = balance;
  invoice["ending_balance"] = balance + change;
  invoice["amount_due"] = due;
  invoice["amount_remaining"] = due;
}

std::string intent_description(const json& invoice) {
  const std::string reason = text_of(invoice, "billing_reason");
  if (reason == "subscription_create") return "Subscription creation";
  if (reason == "subscription_update" || reason == "subscription_cycle") {
    return "Subscription update";
  }
  return "Payment for Invoice";
}

void make_intent(context& ctx, const json& invoice) {
  json fields = json::object();
  fields["amount"] = invoice["amount_due"];
  fields["currency"] = invoice["currency"];
  fields["customer"] = invoice["customer"];
  fields["description"] = intent_description(invoice);
  const std::string method = payment_method_for(ctx, invoice);
  if (!method.empty() && text_of(invoice, "collection_method") == "charge_automatically") {
    fields["payment_method"] = method;
  }
  if (!subscription_of(invoice).empty()) fields["setup_future_usage"] = "off_session";
  fields["_invoice"] = invoice["id"];
  const std::string intent = payment_intents::make(ctx, fields);
  json payment = ctx.make(kind::invoice_payment);
  payment["amount_requested"] = invoice["amount_due"];
  payment["currency"] = invoice["currency"];
  payment["invoice"] = invoice["id"];
  payment["is_default"] = true;
  payment["payment"] = {{"payment_intent", intent}, {"type", "payment_intent"}};
  payment["status"] = "open";
  payment["status_transitions"] = {{"canceled_at", nullptr}, {"paid_at", nullptr}};
  ctx.state.insert(kind::invoice_payment, std::move(payment));
}

// The payment that stands open for the invoice; nullptr when there is none.
const json* open_payment(const context& ctx, const std::string& invoice) {
  for (const json* payment : ctx.state.with(kind::invoice_payment, "invoice", invoice)) {
    if (text_of(*payment, "status") == "open") return payment;
  }
  return nullptr;
}

void close_payment(context& ctx, const std::string& invoice, bool paid) {
  const json* open = open_payment(ctx, invoice);
  if (open == nullptr) return;
  json payment = *open;
  payment["status"] = paid ? "paid" : "canceled";
  payment["status_transitions"][paid ? "paid_at" : "canceled_at"] = ctx.now;
  if (paid) payment["amount_paid"] = payment["amount_requested"];
  const std::string id = text_of(payment, "id");
  ctx.state.replace(kind::invoice_payment, std::move(payment));
  if (paid) ctx.emit("invoice_payment.paid", kind::invoice_payment, id);
}

// The payment that stands open is for that much from now on.
void ask_for(context& ctx, const std::string& invoice, std::int64_t amount) {
  const json* open = open_payment(ctx, invoice);
  const json* intent = intent_of(ctx, invoice);
  if (open == nullptr || intent == nullptr) return;
  json payment = *open;
  json changed = *intent;
  payment["amount_requested"] = amount;
  changed["amount"] = amount;
  ctx.state.replace(kind::invoice_payment, std::move(payment));
  ctx.state.replace(kind::payment_intent, std::move(changed));
}

void end_intent(context& ctx, const std::string& invoice, const std::string& reason) {
  const json* intent = intent_of(ctx, invoice);
  if (intent == nullptr) return;
  const std::string status = text_of(*intent, "status");
  if (status != "succeeded" && status != "canceled") {
    payment_intents::end(ctx, text_of(*intent, "id"), reason);
  }
}

void set_delinquent(context& ctx, const std::string& customer, bool delinquent) {
  const json* found = ctx.state.find_live(kind::customer, customer);
  if (found == nullptr || truth_of(*found, "delinquent") == delinquent) return;
  ctx.watch_customer(customer);
  json changed = *found;
  changed["delinquent"] = delinquent;
  ctx.state.replace(kind::customer, std::move(changed));
}

// The first attempt is counted, and every one that comes by itself; those that people make are not.
void count_attempt(json& invoice) {
  const std::int64_t made = number_of(invoice, "attempt_count");
  const bool retried = truth_of(invoice, "_retried");
  if (made == 0 || retried) invoice["attempt_count"] = made + 1;
  invoice.erase("_retried");
}

}  // namespace

std::unexpected<failure> no_payment_method() {
  return refuse(
      "This customer has no attached payment source or default payment method. Please consider "
      "adding a default payment method. For more information, visit "
      "https://stripe.com/docs/billing/subscriptions/payment-methods-setting"
      "#payment-method-priority.",
      {}, "resource_missing");
}

const json* intent_of(const context& ctx, const std::string& invoice) {
  for (const json* payment : ctx.state.with(kind::invoice_payment, "invoice", invoice)) {
    const json* id = at_path(*payment, "payment.payment_intent");
    if (id != nullptr) return ctx.state.find(kind::payment_intent, id->get<std::string>());
  }
  return nullptr;
}

std::string payment_method_for(const context& ctx, const json& invoice) {
  const std::string customer = text_of(invoice, "customer");
  const json* owner = ctx.state.find_live(kind::customer, customer);
  if (owner == nullptr) return {};
  std::vector<std::string> wished = {text_of(invoice, "default_payment_method")};
  if (const json* s = ctx.state.find(kind::subscription, subscription_of(invoice))) {
    wished.push_back(text_of(*s, "default_payment_method"));
  }
  wished.push_back(text_of((*owner)["invoice_settings"], "default_payment_method"));
  for (const auto& id : wished) {
    const json* method = ctx.state.find_live(kind::payment_method, id);
    if (method != nullptr && text_of(*method, "customer") == customer) return id;
  }
  return {};
}

json foretold(const context& ctx, const std::string& id) {
  json invoice = ctx.shown(kind::invoice, id);
  const json* owner = ctx.state.find_live(kind::customer, text_of(invoice, "customer"));
  const std::int64_t balance = owner == nullptr ? 0 : number_of(*owner, "balance");
  const auto [due, change] = with_balance(number_of(invoice, "total"), balance);
  invoice["amount_due"] = due;
  invoice["amount_remaining"] = due;
  invoice["starting_balance"] = balance;
  invoice["ending_balance"] = balance + change;
  return invoice;
}

void finalize(context& ctx, const std::string& id) {
  json invoice = ctx.state.live(kind::invoice, id);
  const std::string customer = text_of(invoice, "customer");
  ctx.watch_customer(customer);
  subscriptions::follow_usage(ctx, id);
  reckon(ctx, invoice);
  invoice["number"] = next_number(ctx, customer);
  apply_balance(ctx, invoice);
  json owner = ctx.state.live(kind::customer, customer);
  if (owner["currency"].is_null()) {
    owner["currency"] = invoice["currency"];
    ctx.state.replace(kind::customer, std::move(owner));
  }
  const std::string page = "https://invoice.stripe.com/i/" + ctx.facts.id + "/test_" +
                           ctx.state.ids.letters("page" + id, 60);
  invoice["automatically_finalizes_at"] = nullptr;
  invoice["effective_at"] = ctx.now;
  invoice["hosted_invoice_url"] =
      ctx.facts.base_url.empty() ? page + "?s=ap" : ctx.facts.base_url + "/i/" + id;
  invoice["invoice_pdf"] = "https://pay.stripe.com/invoice/" + ctx.facts.id + "/test_" +
                           ctx.state.ids.letters("page" + id, 60) + "/pdf?s=ap";
  invoice["next_payment_attempt"] = nullptr;
  invoice["status"] = "open";
  invoice["status_transitions"]["finalized_at"] = ctx.now;
  const bool free = number_of(invoice, "amount_due") == 0;
  change(ctx, id, invoice, "invoice.finalized");
  if (free) {
    mark_paid(ctx, id, settled::free);
  } else {
    make_intent(ctx, invoice);
  }
}

payment_intents::attempt collect(context& ctx, const std::string& invoice,
                                 const std::string& method, bool off_session) {
  if (intent_of(ctx, invoice) == nullptr) make_intent(ctx, ctx.state.live(kind::invoice, invoice));
  json intent = *intent_of(ctx, invoice);
  const std::string id = text_of(intent, "id");
  intent["payment_method"] = method;
  ctx.state.replace(kind::payment_intent, std::move(intent));
  return payment_intents::confirm(ctx, id, off_session);
}

void mark_paid(context& ctx, const std::string& id, settled how) {
  json invoice = ctx.state.live(kind::invoice, id);
  const std::string customer = text_of(invoice, "customer");
  if (how == settled::out_of_band) {
    end_intent(ctx, id, "automatic");
    close_payment(ctx, id, false);
  } else {
    close_payment(ctx, id, true);
    invoice["attempted"] = true;
  }
  if (how == settled::by_charge) count_attempt(invoice);
  invoice["amount_paid"] = invoice["amount_due"];
  invoice["amount_remaining"] = 0;
  invoice["auto_advance"] = false;
  invoice["next_payment_attempt"] = nullptr;
  invoice["status"] = "paid";
  invoice["status_transitions"]["paid_at"] = ctx.now;
  change(ctx, id, std::move(invoice), "invoice.paid");
  if (how != settled::out_of_band) ctx.emit("invoice.payment_succeeded", kind::invoice, id);
  set_delinquent(ctx, customer, false);
  subscriptions::invoice_paid(ctx, id);
}

void mark_void(context& ctx, const std::string& id) {
  end_intent(ctx, id, "void_invoice");
  close_payment(ctx, id, false);
  json invoice = ctx.state.live(kind::invoice, id);
  invoice["auto_advance"] = false;
  invoice["next_payment_attempt"] = nullptr;
  invoice["status"] = "void";
  invoice["status_transitions"]["voided_at"] = ctx.now;
  change(ctx, id, std::move(invoice), "invoice.voided");
}

void mark_uncollectible(context& ctx, const std::string& id) {
  json invoice = ctx.state.live(kind::invoice, id);
  const std::string customer = text_of(invoice, "customer");
  invoice["auto_advance"] = false;
  invoice["next_payment_attempt"] = nullptr;
  invoice["status"] = "uncollectible";
  invoice["status_transitions"]["marked_uncollectible_at"] = ctx.now;
  change(ctx, id, std::move(invoice), "invoice.marked_uncollectible");
  set_delinquent(ctx, customer, false);
}

void credit(context& ctx, const std::string& id, std::int64_t of_due, std::int64_t of_paid) {
  json invoice = ctx.state.live(kind::invoice, id);
  const auto add = [&invoice](const char* member, std::int64_t amount) {
    invoice[member] = number_of(invoice, member) + amount;
  };
  add("pre_payment_credit_notes_amount", of_due);
  add("post_payment_credit_notes_amount", of_paid);
  add("amount_due", -of_due);
  add("amount_remaining", -of_due);
  const std::int64_t left = number_of(invoice, "amount_remaining");
  const bool open = text_of(invoice, "status") == "open";
  ctx.update("invoice.updated", kind::invoice, std::move(invoice));
  if (of_due == 0) return;
  if (open && left == 0) {
    mark_paid(ctx, id, settled::out_of_band);
    return;
  }
  ask_for(ctx, id, left);
}

void payment_succeeded(context& ctx, const std::string& invoice) {
  mark_paid(ctx, invoice, settled::by_charge);
}

void payment_failed(context& ctx, const std::string& id) {
  json invoice = ctx.state.live(kind::invoice, id);
  const std::string customer = text_of(invoice, "customer");
  invoice["attempted"] = true;
  count_attempt(invoice);
  const bool used_up = dunning::plan_next(ctx, invoice);
  change(ctx, id, std::move(invoice), "invoice.payment_failed");
  set_delinquent(ctx, customer, true);
  subscriptions::invoice_unpaid(ctx, id);
  if (used_up) dunning::give_up(ctx, id);
}

void payment_needs_action(context& ctx, const std::string& id) {
  json invoice = ctx.state.live(kind::invoice, id);
  invoice["attempted"] = true;
  change(ctx, id, std::move(invoice), "invoice.payment_action_required");
  subscriptions::invoice_unpaid(ctx, id);
}

}  // namespace tilld::sandbox::invoicing
