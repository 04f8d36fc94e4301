#include "sandbox/subscriptions/cycle.hpp"

#include <algorithm>
#include <utility>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/pending_updates.hpp"
#include "sandbox/subscriptions/resumption.hpp"
#include "sandbox/subscriptions/schedules.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

constexpr std::int64_t trial_notice_s = 3 * day_s;

bool pauses(const json& subscription, std::string_view behavior) {
  return subscription["pause_collection"].is_object() &&
         text_of(subscription["pause_collection"], "behavior") == behavior;
}

bool due_now(const context& ctx, const json& document, std::string_view member) {
  const std::int64_t at = number_of(document, member);
  return at != 0 && at <= ctx.now;
}

// Gives its last invoice, if there is one.
std::string end_at_boundary(context& ctx, const json& s) {
  const bool asked = is_null(s, "cancel_at") ? false : number_of(s, "cancel_at") <= ctx.now;
  const bool midway = asked && number_of(s, "_cycle_end") > ctx.now;
  const bool prorate = midway && text_of(s, "_cancel_proration") != "none";
  return finish(ctx, text_of(s, "id"), prorate);
}

void expire_incomplete(context& ctx, json s) {
  const std::string id = text_of(s, "id");
  const std::string customer = text_of(s, "customer");
  const std::string invoice = text_of(s, "latest_invoice");
  s["status"] = "incomplete_expired";
  s["ended_at"] = ctx.now;
  ctx.update("customer.subscription.updated", kind::subscription, std::move(s));
  const json* unpaid = ctx.state.find_live(kind::invoice, invoice);
  if (unpaid != nullptr && text_of(*unpaid, "status") == "open") {
    invoicing::mark_void(ctx, invoice);
  }
  entitlements::refresh(ctx, customer);
}

void resume_collection(context& ctx, json s) {
  s["pause_collection"] = nullptr;
  ctx.update("customer.subscription.updated", kind::subscription, std::move(s));
}

void tell_upcoming(context& ctx, json s) {
  const std::string id = text_of(s, "id");
  s["_upcoming_at"] = nullptr;
  ctx.state.replace(kind::subscription, std::move(s));
  json invoice = upcoming_invoice(ctx, id);
  if (!invoice.is_null()) ctx.emit_object("invoice.upcoming", std::move(invoice));
}

void tell_trial_will_end(context& ctx, json s) {
  const std::string id = text_of(s, "id");
  s["_trial_notice_at"] = nullptr;
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit("customer.subscription.trial_will_end", kind::subscription, id);
}

// The trial is over and nobody can be charged: as the trial's settings want it.
bool end_without_method(context& ctx, json s) {
  const std::string id = text_of(s, "id");
  const std::string customer = text_of(s, "customer");
  const std::string wish = text_of(s["trial_settings"]["end_behavior"], "missing_payment_method");
  if (wish == "pause") {
    const json before = ctx.shown(kind::subscription, id);
    s["status"] = "paused";
    ctx.state.replace(kind::subscription, std::move(s));
    ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
    ctx.emit("customer.subscription.paused", kind::subscription, id);
    entitlements::refresh(ctx, customer);
    return true;
  }
  if (wish == "cancel") {
    cancel(ctx, id, false, false, nullptr);
    return true;
  }
  return false;
}

// A phase that ends with the period gives way to the next first, so that the new period is billed
// by its terms.
void reach_boundary(context& ctx, const std::string& id) {
  const auto used = usage_at_boundary(ctx, ctx.state.live(kind::subscription, id));
  schedules::move_on(ctx, id);
  json s = ctx.state.live(kind::subscription, id);
  if (!due_now(ctx, s, "_cycle_end") || is_over(s)) return;
  const json before = ctx.shown(kind::subscription, id);
  const bool trial = text_of(s, "status") == "trialing";
  const bool charges = text_of(s, "collection_method") == "charge_automatically";
  if (trial && charges && !has_method(ctx, s) && end_without_method(ctx, s)) return;
  if (trial) s["status"] = "active";
  const std::string invoice = begin_next_period(ctx, s, used);
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  apply_pause(ctx, id, invoice);
}

}  // namespace

void set_cycle(context& ctx, json& subscription, period when) {
  for (json& item : items_of(ctx, text_of(subscription, "id"))) {
    item["current_period_start"] = when.start_s;
    item["current_period_end"] = when.end_s;
    ctx.state.replace(kind::subscription_item, item);
  }
  note_cycle(ctx, subscription, when.end_s);
}

void note_cycle(const context& ctx, json& subscription, std::int64_t end_s) {
  subscription["_cycle_end"] = end_s;
  const std::int64_t notice = ctx.state.rules.upcoming_days * day_s;
  const bool tells = notice != 0 && end_s - notice > ctx.now;
  subscription["_upcoming_at"] = tells ? json(end_s - notice) : json(nullptr);
  const bool trial = text_of(subscription, "status") == "trialing";
  const bool warns = trial && end_s - trial_notice_s > ctx.now;
  subscription["_trial_notice_at"] = warns ? json(end_s - trial_notice_s) : json(nullptr);
}

invoicing::order order_for(const context& ctx, const json& subscription,
                           const std::string& reason) {
  invoicing::order wanted;
  wanted.customer = text_of(subscription, "customer");
  wanted.currency = text_of(subscription, "currency");
  wanted.billing_reason = reason;
  wanted.subscription = text_of(subscription, "id");
  wanted.collection_method = text_of(subscription, "collection_method");
  wanted.period_start_s = wanted.period_end_s = ctx.now;
  if (wanted.collection_method == "send_invoice") {
    wanted.auto_advance = true;
    wanted.due_date_s = ctx.now + number_of(subscription, "days_until_due") * day_s;
  }
  return wanted;
}

std::string start_anew(context& ctx, json& s, invoicing::order wanted) {
  const std::string id = text_of(s, "id");
  const json& price = price_of_item(ctx, items_of(ctx, id).front());
  auto used = usage_so_far(ctx, s);
  measure_anew(ctx, s, used);
  s["billing_cycle_anchor"] = ctx.now;
  set_cycle(ctx, s, cycle_at(ctx.now, price, ctx.now));
  ctx.state.replace(kind::subscription, s);
  wanted.lines = cycle_lines(ctx, id, false);
  wanted.lines.insert(wanted.lines.end(), used.begin(), used.end());
  std::string invoice = invoiceitems::draft_of_pending(ctx, wanted, wanted.lines.empty());
  if (!invoice.empty()) s["latest_invoice"] = invoice;
  return invoice;
}

std::string begin_next_period(context& ctx, json& subscription,
                              const std::vector<invoicing::line>& used) {
  const std::string id = text_of(subscription, "id");
  const auto items = items_of(ctx, id);
  const std::int64_t anchor = number_of(subscription, "billing_cycle_anchor");
  const period ended{number_of(items.front(), "current_period_start"), ctx.now};
  const period next = cycle_at(anchor, price_of_item(ctx, items.front()), ctx.now);
  set_cycle(ctx, subscription, {ctx.now, next.end_s});
  auto wanted = order_for(ctx, subscription, "subscription_cycle");
  wanted.period_start_s = ended.start_s;
  wanted.period_end_s = ended.end_s;
  const bool unpaid = text_of(subscription, "status") == "unpaid";
  wanted.auto_advance = !unpaid && !pauses(subscription, "keep_as_draft");
  ctx.state.replace(kind::subscription, subscription);
  wanted.lines = cycle_lines(ctx, id, false);
  wanted.lines.insert(wanted.lines.end(), used.begin(), used.end());
  std::string invoice = invoiceitems::draft_of_pending(ctx, wanted, false);
  subscription["latest_invoice"] = invoice;
  return invoice;
}

std::string next_draft(context& ctx, const std::string& subscription) {
  ctx.now = number_of(ctx.state.live(kind::subscription, subscription), "_cycle_end");
  const auto used = usage_at_boundary(ctx, ctx.state.live(kind::subscription, subscription));
  const bool foresaw = std::exchange(ctx.foresees, true);
  schedules::move_on(ctx, subscription);
  ctx.foresees = foresaw;
  json s = ctx.state.live(kind::subscription, subscription);
  // The next phase has begun a period of its own.
  if (number_of(s, "_cycle_end") > ctx.now) return text_of(s, "latest_invoice");
  if (text_of(s, "status") == "trialing") s["status"] = "active";
  std::string invoice = begin_next_period(ctx, s, used);
  ctx.state.replace(kind::subscription, std::move(s));
  return invoice;
}

std::string last_draft(context& ctx, const std::string& subscription) {
  const json s = ctx.state.live(kind::subscription, subscription);
  if (!has_metered(ctx, subscription)) return {};
  ctx.now = number_of(s, "cancel_at");
  return end_at_boundary(ctx, s);
}

bool has_method(const context& ctx, const json& subscription) {
  json invoice = json::object();
  invoice["customer"] = subscription["customer"];
  invoice["parent"] = {{"subscription_details", {{"subscription", subscription["id"]}}}};
  return !invoicing::payment_method_for(ctx, invoice).empty();
}

void apply_pause(context& ctx, const std::string& subscription, const std::string& invoice) {
  const json s = ctx.state.at(kind::subscription, subscription);
  const bool voids = pauses(s, "void");
  if (!voids && !pauses(s, "mark_uncollectible")) return;
  invoicing::finalize(ctx, invoice);
  if (text_of(ctx.state.at(kind::invoice, invoice), "status") != "open") return;
  if (voids) {
    invoicing::mark_void(ctx, invoice);
  } else {
    invoicing::mark_uncollectible(ctx, invoice);
  }
}

void fall_due(context& ctx, const std::string& id) {
  json s = ctx.state.live(kind::subscription, id);
  ctx.watch_customer(text_of(s, "customer"));
  const std::string status = text_of(s, "status");
  if (status == "incomplete") {
    expire_incomplete(ctx, std::move(s));
  } else if (due_now(ctx, s["pause_collection"], "resumes_at")) {
    resume_collection(ctx, std::move(s));
  } else if (due_now(ctx, s["pending_update"], "expires_at")) {
    expire_pending_update(ctx, id);
  } else if (due_now(ctx, s, "cancel_at")) {
    end_at_boundary(ctx, s);
  } else if (status == "paused") {
    end_resumption(ctx, id);
  } else if (due_now(ctx, s, "_trial_notice_at")) {
    tell_trial_will_end(ctx, std::move(s));
  } else if (due_now(ctx, s, "_upcoming_at")) {
    tell_upcoming(ctx, std::move(s));
  } else {
    reach_boundary(ctx, id);
  }
}

json upcoming_invoice(context& ctx, const std::string& subscription) {
  return ctx.as_if([&]() -> json {
    const json s = ctx.state.live(kind::subscription, subscription);
    const std::int64_t end = number_of(s, "_cycle_end");
    const std::string status = text_of(s, "status");
    const std::int64_t cancel_at = number_of(s, "cancel_at");
    if (end == 0 || status == "canceled" || status == "incomplete_expired") return nullptr;
    if (cancel_at != 0 && cancel_at <= end) {
      const std::string last = last_draft(ctx, subscription);
      json invoice = last.empty() ? json(nullptr) : invoicing::foretold(ctx, last);
      if (invoice.is_object()) invoice.erase("id");
      return invoice;
    }
    json invoice = invoicing::foretold(ctx, next_draft(ctx, subscription));
    invoice.erase("id");
    return invoice;
  });
}

}  // namespace tilld::sandbox::subscriptions
