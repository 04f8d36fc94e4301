#include "sandbox/subscriptions/subscriptions.hpp"

#include <algorithm>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/machine/ranges.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/pending_updates.hpp"
#include "sandbox/subscriptions/resumption.hpp"
#include "sandbox/subscriptions/schedules.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

// The card that paid becomes the subscription's own where its settings ask for that.
void keep_method(const context& ctx, json& subscription, const std::string& invoice) {
  const std::string wish = text_of(subscription["payment_settings"], "save_default_payment_method");
  if (wish != "on_subscription" || !is_null(subscription, "default_payment_method")) return;
  const json* intent = invoicing::intent_of(ctx, invoice);
  if (intent != nullptr) subscription["default_payment_method"] = (*intent)["payment_method"];
}

// All but the last one, which has just been made.
void stop_collecting(context& ctx, const std::string& subscription, const std::string& last) {
  for (const json* found :
       ctx.state.with(kind::invoice, "parent.subscription_details.subscription", subscription)) {
    const std::string status = text_of(*found, "status");
    if (text_of(*found, "id") == last) continue;
    if ((status != "open" && status != "draft") || !truth_of(*found, "auto_advance")) continue;
    json invoice = *found;
    invoice["auto_advance"] = false;
    invoice["automatically_finalizes_at"] = nullptr;
    invoice["next_payment_attempt"] = nullptr;
    ctx.update("invoice.updated", kind::invoice, std::move(invoice));
  }
}

// How usage that no invoice has billed is billed when a subscription ends.
enum class last_bill { none, now, as_renewal };

bool owes_usage(const json& subscription) {
  const std::string status = text_of(subscription, "status");
  return status != "trialing" && status != "paused" && status != "incomplete";
}

std::string draft_as_renewal(context& ctx, const json& subscription) {
  const std::string id = text_of(subscription, "id");
  if (!owes_usage(subscription) || !has_metered(ctx, id)) return {};
  auto wanted = order_for(ctx, subscription, "subscription_cycle");
  wanted.lines = usage_at_boundary(ctx, subscription);
  wanted.period_start_s = number_of(items_of(ctx, id).front(), "current_period_start");
  const json& pause = subscription["pause_collection"];
  const bool kept = pause.is_object() && text_of(pause, "behavior") == "keep_as_draft";
  wanted.auto_advance = text_of(subscription, "status") != "unpaid" && !kept;
  return invoiceitems::draft_of_pending(ctx, wanted, false);
}

std::string draft_last(context& ctx, const json& subscription, last_bill bill) {
  if (bill == last_bill::none) return {};
  ctx.watch_customer(text_of(subscription, "customer"));
  if (bill == last_bill::as_renewal) return draft_as_renewal(ctx, subscription);
  std::vector<invoicing::line> used;
  if (owes_usage(subscription)) used = usage_so_far(ctx, subscription);
  return bill_pending(ctx, subscription, "manual", std::move(used));
}

// Finalizes the last draft and asks for the money.
void collect_last(context& ctx, const std::string& invoice) {
  if (text_of(ctx.state.at(kind::invoice, invoice), "status") != "draft") return;
  invoicing::finalize(ctx, invoice);
  const json& billed = ctx.state.at(kind::invoice, invoice);
  const std::string method = invoicing::payment_method_for(ctx, billed);
  const bool charges = text_of(billed, "collection_method") == "charge_automatically";
  if (charges && !method.empty() && text_of(billed, "status") == "open") {
    invoicing::collect(ctx, invoice, method, true);
  }
}

// Gives the last invoice; empty: there is none.
std::string end(context& ctx, const std::string& id, bool prorate, last_bill bill,
                const json& details) {
  json subscription = ctx.state.live(kind::subscription, id);
  const std::string customer = text_of(subscription, "customer");
  const std::string status = text_of(subscription, "status");
  if (prorate && (status == "active" || status == "past_due")) {
    for (const auto& item : items_of(ctx, id))
      credit_unused(ctx, subscription, item, ctx.now);
  }
  const std::string last = draft_last(ctx, subscription, bill);
  subscription["status"] = "canceled";
  const bool foreseen = number_of(subscription, "cancel_at") != 0;
  if (!foreseen || is_null(subscription, "canceled_at")) subscription["canceled_at"] = ctx.now;
  subscription["ended_at"] = ctx.now;
  json& why = subscription["cancellation_details"];
  why["reason"] = "cancellation_requested";
  if (details.is_object()) merge_hash(why, details);
  if (!last.empty()) subscription["latest_invoice"] = last;
  ctx.state.replace(kind::subscription, std::move(subscription));
  stop_collecting(ctx, id, last);
  ctx.emit("customer.subscription.deleted", kind::subscription, id);
  schedules::subscription_ended(ctx, ctx.state.at(kind::subscription, id));
  entitlements::refresh(ctx, customer);
  return last;
}

}  // namespace

void invoice_paid(context& ctx, const std::string& invoice) {
  const std::string id = invoicing::subscription_of(ctx.state.at(kind::invoice, invoice));
  const json* found = ctx.state.find(kind::subscription, id);
  if (found == nullptr || is_over(*found)) return;
  if (text_of(*found, "_pending_invoice") == invoice) {
    apply_pending_update(ctx, id);
    return;
  }
  if (text_of(*found, "_resumption") == invoice) {
    finish_resumption(ctx, id);
    return;
  }
  if (text_of(*found, "latest_invoice") != invoice) return;
  json subscription = *found;
  keep_method(ctx, subscription, invoice);
  const std::string status = text_of(subscription, "status");
  const bool revives = status == "incomplete" || status == "past_due" || status == "unpaid";
  if (revives) subscription["status"] = "active";
  const std::string customer = text_of(subscription, "customer");
  ctx.update("customer.subscription.updated", kind::subscription, std::move(subscription));
  if (revives) entitlements::refresh(ctx, customer);
}

void invoice_unpaid(context& ctx, const std::string& invoice) {
  const std::string id = invoicing::subscription_of(ctx.state.at(kind::invoice, invoice));
  const json* found = ctx.state.find(kind::subscription, id);
  if (found == nullptr || text_of(*found, "status") != "active") return;
  if (text_of(*found, "_pending_invoice") == invoice) return;
  json subscription = *found;
  subscription["status"] = "past_due";
  ctx.update("customer.subscription.updated", kind::subscription, std::move(subscription));
}

void cancel(context& ctx, const std::string& id, bool prorate, bool invoice_now,
            const json& details) {
  const auto bill = invoice_now ? last_bill::now : last_bill::none;
  const std::string last = end(ctx, id, prorate, bill, details);
  if (!last.empty()) collect_last(ctx, last);
}

std::string finish(context& ctx, const std::string& id, bool prorate) {
  std::string last = end(ctx, id, prorate, last_bill::as_renewal, nullptr);
  if (!last.empty()) apply_pause(ctx, id, last);
  return last;
}

void cancel_all_of(context& ctx, const std::string& customer) {
  for (const json* found : ctx.state.with(kind::subscription, "customer", customer)) {
    if (!is_over(*found)) cancel(ctx, text_of(*found, "id"), false, false, nullptr);
  }
  schedules::cancel_all_of(ctx, customer);
}

answer<json> retrieve(context& ctx) {
  auto subscription = ctx.object();
  if (!subscription) return subscription;
  return view_of(ctx.state, kind::subscription, *subscription);
}

const params::schema& cancel_takes() {
  static const params::schema takes = {
      params::hash("cancellation_details",
                   {params::text("comment").clearable(),
                    params::choice("feedback",
                                   {"customer_service", "low_quality", "missing_features", "other",
                                    "switched_service", "too_complex", "too_expensive", "unused"})
                        .clearable()}),
      params::boolean("invoice_now"), params::boolean("prorate")};
  return takes;
}

answer<json> cancel_one(context& ctx) {
  auto subscription = ctx.object();
  if (!subscription) return subscription;
  const std::string id = text_of(*subscription, "id");
  if (is_over(*subscription)) return missing(kind::subscription, id, "id", 404);
  cancel(ctx, id, ctx.truth("prorate"), ctx.truth("invoice_now"),
         ctx.param("cancellation_details"));
  return ctx.shown(kind::subscription, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {
      params::hash("automatic_tax", {params::boolean("enabled").needed()}),
      params::choice("collection_method", {"charge_automatically", "send_invoice"}),
      params::range("created"),
      params::range("current_period_end"),
      params::range("current_period_start"),
      params::text("customer"),
      params::text("plan"),
      params::text("price"),
      params::text("test_clock"),
      params::choice("status", {"active", "past_due", "unpaid", "canceled", "incomplete",
                                "incomplete_expired", "trialing", "paused", "all", "ended"})};
  return takes;
}

namespace {

// By the least end and the greatest start among the subscription's items.
bool period_within(const world& w, const json& subscription, const time_range& start,
                   const time_range& end) {
  time_range period;
  for (const json* item :
       w.with(kind::subscription_item, "subscription", text_of(subscription, "id"))) {
    period.from_s = std::max(period.from_s, number_of(*item, "current_period_start"));
    period.to_s = std::min(period.to_s, number_of(*item, "current_period_end"));
  }
  return start.holds(period.from_s) && end.holds(period.to_s);
}

void filter_by_parts(const context& ctx, filter& shown) {
  if (ctx.given("current_period_end") || ctx.given("current_period_start")) {
    shown.also.push_back([&ctx, start = range_of(ctx.param("current_period_start")),
                          end = range_of(ctx.param("current_period_end"))](const json& s) {
      return period_within(ctx.state, s, start, end);
    });
  }
  if (ctx.given("automatic_tax")) {
    const bool enabled = truth_of(ctx.param("automatic_tax"), "enabled");
    shown.also.push_back([enabled](const json& s) {
      const auto it = s.find("automatic_tax");
      return it != s.end() && truth_of(*it, "enabled") == enabled;
    });
  }
}

}  // namespace

answer<json> list(context& ctx) {
  static const std::vector<std::string> not_canceled = {
      "active", "past_due", "unpaid", "incomplete", "incomplete_expired", "trialing", "paused"};
  filter shown;
  shown.equal(ctx, "customer", "customer");
  shown.equal(ctx, "price", "_prices");
  shown.equal(ctx, "plan", "_prices");  // a plan is the price of its name
  filter_by_parts(ctx, shown);
  shown.equal(ctx, "test_clock", "test_clock");
  if (!ctx.given("test_clock") && !ctx.given("customer")) {
    shown.also.push_back([](const json& s) { return is_null(s, "test_clock"); });
  }
  shown.also_equal(ctx, "collection_method");
  const std::string status = ctx.text("status");
  if (status.empty()) {
    shown.where.push_back({"status", not_canceled});
  } else if (status == "ended") {
    shown.where.push_back({"status", {"canceled", "incomplete_expired"}});
  } else if (status != "all") {
    shown.where.push_back({"status", {status}});
  }
  return list_page(ctx, kind::subscription, shown);
}

}  // namespace tilld::sandbox::subscriptions
