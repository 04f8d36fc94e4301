#include "sandbox/billing/dunning.hpp"

#include <algorithm>
#include <array>

#include "sandbox/billing/invoicing.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::dunning {

namespace {

// A card refused for one of these is not asked again until there is another; attempts are counted.
// Source:
// https://docs.stripe.com/billing/revenue-recovery/smart-retries#non-retryable-decline-codes
constexpr std::array<std::string_view, 9> final_refusals = {"incorrect_number",
                                                            "lost_card",
                                                            "pickup_card",
                                                            "stolen_card",
                                                            "revocation_of_authorization",
                                                            "revocation_of_all_authorizations",
                                                            "authentication_required",
                                                            "highest_risk_level",
                                                            "transaction_not_allowed"};

bool is_charged(const json& invoice) {
  return text_of(invoice, "collection_method") == "charge_automatically";
}

// Invoices that a subscription makes as it goes on are followed up; its first is the customer's to
// pay, and invoices made by hand follow their auto_advance.
bool is_followed_up(const json& invoice) {
  if (truth_of(invoice, "_held")) return false;  // of a pending update: it waits
  const std::string reason = text_of(invoice, "billing_reason");
  return truth_of(invoice, "auto_advance") || reason == "subscription_cycle" ||
         reason == "subscription_update" || reason == "subscription_threshold";
}

bool is_refused_for_good(const context& ctx, const std::string& invoice,
                         const std::string& method) {
  const json* intent = invoicing::intent_of(ctx, invoice);
  if (intent == nullptr) return false;
  const json* error = at_path(*intent, "last_payment_error");
  if (error == nullptr || !error->is_object()) return false;
  const json* tried = at_path(*error, "payment_method.id");
  if (tried == nullptr || *tried != method) return false;
  const std::string code = text_of(*error, "decline_code");
  return std::find(final_refusals.begin(), final_refusals.end(), code) != final_refusals.end();
}

void attempt(context& ctx, const std::string& id) {
  const json& invoice = ctx.state.live(kind::invoice, id);
  const std::string method = invoicing::payment_method_for(ctx, invoice);
  if (method.empty() || is_refused_for_good(ctx, id, method)) {
    invoicing::payment_failed(ctx, id);
    return;
  }
  invoicing::collect(ctx, id, method, true);
}

void end_draft(context& ctx, json invoice) {
  const std::string id = text_of(invoice, "id");
  if (ctx.state.find_live(kind::customer, text_of(invoice, "customer")) == nullptr) {
    invoice["auto_advance"] = false;
    invoice["automatically_finalizes_at"] = nullptr;
    invoice["next_payment_attempt"] = nullptr;
    ctx.update("invoice.updated", kind::invoice, std::move(invoice));
    return;
  }
  invoicing::finalize(ctx, id);
  const json& open = ctx.state.live(kind::invoice, id);
  if (text_of(open, "status") != "open") return;
  if (is_charged(open)) {
    attempt(ctx, id);
  } else {
    ctx.emit("invoice.sent", kind::invoice, id);
  }
}

void try_again(context& ctx, json invoice) {
  const std::string id = text_of(invoice, "id");
  invoice["_retried"] = true;
  ctx.state.replace(kind::invoice, std::move(invoice));
  attempt(ctx, id);
}

void note_overdue(context& ctx, json invoice) {
  const std::string id = text_of(invoice, "id");
  invoice["_overdue"] = true;
  ctx.state.replace(kind::invoice, std::move(invoice));
  subscriptions::invoice_unpaid(ctx, id);
}

}  // namespace

bool plan_next(const context& ctx, json& invoice) {
  if (!is_charged(invoice) || !is_followed_up(invoice)) return false;
  if (number_of(invoice, "next_payment_attempt") > ctx.now) return false;
  const auto& days = ctx.state.rules.retry_days;
  const auto made =
      static_cast<std::size_t>(std::max<std::int64_t>(1, number_of(invoice, "attempt_count")));
  invoice["auto_advance"] = true;
  const bool used_up = made > days.size();
  invoice["next_payment_attempt"] =
      used_up ? json(nullptr) : json(ctx.now + days[made - 1] * day_s);
  return used_up;
}

void give_up(context& ctx, const std::string& invoice) {
  const std::string id = invoicing::subscription_of(ctx.state.at(kind::invoice, invoice));
  const json* found = ctx.state.find_live(kind::subscription, id);
  if (found == nullptr) return;
  const std::string status = text_of(*found, "status");
  if (status != "active" && status != "past_due") return;
  const std::string customer = text_of(*found, "customer");
  const std::string& wish = ctx.state.rules.after_retries;
  if (wish == "cancel") {
    subscriptions::cancel(ctx, id, false, false, {{"reason", "payment_failed"}});
  } else if (wish == "unpaid") {
    json s = *found;
    s["status"] = "unpaid";
    ctx.update("customer.subscription.updated", kind::subscription, std::move(s));
    entitlements::refresh(ctx, customer);
  }
}

void fall_due(context& ctx, const std::string& id) {
  json invoice = ctx.state.live(kind::invoice, id);
  ctx.watch_customer(text_of(invoice, "customer"));
  if (text_of(invoice, "status") == "draft") {
    end_draft(ctx, std::move(invoice));
  } else if (is_charged(invoice)) {
    try_again(ctx, std::move(invoice));
  } else {
    note_overdue(ctx, std::move(invoice));
  }
}

}  // namespace tilld::sandbox::dunning
