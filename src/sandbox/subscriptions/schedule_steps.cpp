// Phases begin and end.
//
// A phase that ends together with its subscription's period gives way before the new period is
// billed, without prorations: there is nothing left to give back. One that ends midway changes the
// subscription as a request would, with the prorations that the next phase wants.
//
// Assumed, where Stripe's pages are silent: a schedule that ends with "release" is released and one
// that ends with "cancel" is completed; what a phase wants and cannot be done any more (a coupon
// that is used up) leaves the subscription as it is; a first phase that cannot begin cancels the
// schedule.
// Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules
#include <algorithm>

#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/schedule_parts.hpp"
#include "sandbox/subscriptions/schedules.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::schedules {

namespace {

// Source: https://docs.stripe.com/api/events/types (subscription_schedule.expiring)
constexpr std::int64_t notice_s = 7 * day_s;

json dates_of(const json& phase) {
  return {{"end_date", phase["end_date"]}, {"start_date", phase["start_date"]}};
}

const json& phase_at(const json& schedule, std::int64_t at_s) {
  const json& phases = schedule["phases"];
  const auto it = std::find_if(phases.begin(), phases.end(), [&](const json& phase) {
    return number_of(phase, "end_date") > at_s;
  });
  return it == phases.end() ? phases.back() : *it;
}

std::int64_t end_of(const json& schedule) {
  return number_of(schedule["phases"].back(), "end_date");
}

// Its phases are over, in whichever way; its subscription is dealt with already.
void finish(context& ctx, json schedule, const char* status, const char* at, const char* event) {
  const std::string id = text_of(schedule, "id");
  schedule["status"] = status;
  schedule[at] = ctx.now;
  schedule["current_phase"] = nullptr;
  note_due(ctx, schedule);
  ctx.state.replace(kind::subscription_schedule, std::move(schedule));
  ctx.emit(event, kind::subscription_schedule, id);
}

void tell_expiring(context& ctx, json schedule) {
  const std::string id = text_of(schedule, "id");
  schedule["_expiring_at"] = nullptr;
  schedule["_told_expiring"] = end_of(schedule);
  note_due(ctx, schedule);
  ctx.state.replace(kind::subscription_schedule, std::move(schedule));
  ctx.emit("subscription_schedule.expiring", kind::subscription_schedule, id);
}

}  // namespace

bool is_live(const json& schedule) {
  const std::string status = text_of(schedule, "status");
  return status == "not_started" || status == "active";
}

void note_due(const context& ctx, json& schedule) {
  if (!is_live(schedule)) {
    schedule["_due"] = nullptr;
    return;
  }
  const bool starts = text_of(schedule, "status") == "not_started";
  const std::int64_t next = starts ? number_of(schedule["phases"].front(), "start_date")
                                   : number_of(schedule["current_phase"], "end_date");
  const std::int64_t end = end_of(schedule);
  const bool tells = end - notice_s > ctx.now && number_of(schedule, "_told_expiring") != end;
  schedule["_expiring_at"] = tells ? json(end - notice_s) : json(nullptr);
  schedule["_due"] = tells ? std::min(next, end - notice_s) : next;
}

answer<void> begin(context& ctx, const std::string& id) {
  json schedule = ctx.state.live(kind::subscription_schedule, id);
  const json phase = schedule["phases"].front();
  answer<json> made;
  {
    const aside kept(ctx);
    made = ask(ctx, subscriptions::create, params_to_create(ctx, schedule, phase), {},
               "/v1/subscriptions");
  }
  if (!made) return std::unexpected(made.error());
  schedule["subscription"] = (*made)["id"];
  schedule["status"] = "active";
  schedule["current_phase"] = dates_of(phase);
  note_due(ctx, schedule);
  ctx.state.replace(kind::subscription_schedule, std::move(schedule));
  return {};
}

answer<void> apply_phase(context& ctx, const std::string& id, application how,
                         const std::string& proration) {
  const json schedule = ctx.state.live(kind::subscription_schedule, id);
  const std::string subscription = text_of(schedule, "subscription");
  const json s = ctx.state.live(kind::subscription, subscription);
  const json& phase = phase_at(schedule, ctx.now);
  json wanted = params_to_update(ctx, schedule, phase, s);
  wanted["proration_behavior"] = proration;
  if (how == application::begun) {
    wanted["_by_clock"] = true;  // nobody is there to be refused for want of a card
    const json& own = phase["billing_cycle_anchor"];
    const json& anchor = own.is_null() ? schedule["default_settings"]["billing_cycle_anchor"] : own;
    if (anchor == "phase_start") wanted["billing_cycle_anchor"] = "now";
    if (!phase["add_invoice_items"].empty()) {
      wanted["add_invoice_items"] = params_to_create(ctx, schedule, phase)["add_invoice_items"];
    }
  }
  const aside kept(ctx);
  auto updated =
      ask(ctx, subscriptions::update, std::move(wanted), {subscription}, "/v1/subscriptions/{id}");
  if (!updated) return std::unexpected(updated.error());
  return {};
}

namespace {

// The phase that has ended, and perhaps the whole schedule with it.
void end_phase(context& ctx, const std::string& id, bool at_boundary) {
  json schedule = ctx.state.live(kind::subscription_schedule, id);
  const std::string subscription = text_of(schedule, "subscription");
  const json before = ctx.shown(kind::subscription_schedule, id);
  if (end_of(schedule) <= ctx.now) {
    if (text_of(schedule, "end_behavior") == "cancel") {
      subscriptions::finish(ctx, subscription, false);
    } else {
      let_go(ctx, id, false);
    }
    return;
  }
  const json phase = phase_at(schedule, ctx.now);
  schedule["current_phase"] = dates_of(phase);
  note_due(ctx, schedule);
  ctx.state.replace(kind::subscription_schedule, std::move(schedule));
  const auto place = ctx.state.here();
  const std::string proration = at_boundary ? "none" : text_of(phase, "proration_behavior");
  if (!apply_phase(ctx, id, application::begun, proration)) ctx.state.back_to(place);
  ctx.emit_updated("subscription_schedule.updated", kind::subscription_schedule, id, before);
}

}  // namespace

void catch_up(context& ctx, const std::string& id, bool at_boundary) {
  const json& schedule = ctx.state.live(kind::subscription_schedule, id);
  if (text_of(schedule, "status") != "active") return;
  if (number_of(schedule["current_phase"], "end_date") <= ctx.now) end_phase(ctx, id, at_boundary);
}

void let_go(context& ctx, const std::string& id, bool keeps_cancel_date) {
  json schedule = ctx.state.live(kind::subscription_schedule, id);
  const std::string subscription = text_of(schedule, "subscription");
  const json before = ctx.shown(kind::subscription_schedule, id);
  if (const json* found = ctx.state.find_live(kind::subscription, subscription)) {
    json s = *found;
    s["schedule"] = nullptr;
    if (!keeps_cancel_date && !is_null(s, "cancel_at")) {
      s["cancel_at"] = nullptr;
      s["canceled_at"] = nullptr;
      s["cancellation_details"]["reason"] = nullptr;
    }
    ctx.update("customer.subscription.updated", kind::subscription, std::move(s));
    schedule["released_subscription"] = subscription;
  }
  schedule["subscription"] = nullptr;
  schedule["status"] = "released";
  schedule["released_at"] = ctx.now;
  schedule["current_phase"] = nullptr;
  note_due(ctx, schedule);
  ctx.state.replace(kind::subscription_schedule, std::move(schedule));
  ctx.emit_updated("subscription_schedule.updated", kind::subscription_schedule, id, before);
  ctx.emit("subscription_schedule.released", kind::subscription_schedule, id);
}

void move_on(context& ctx, const std::string& subscription) {
  const std::string id = text_of(ctx.state.at(kind::subscription, subscription), "schedule");
  if (!id.empty()) catch_up(ctx, id, true);
}

answer<std::string> first_draft(context& ctx, const std::string& id) {
  const json schedule = ctx.state.live(kind::subscription_schedule, id);
  ctx.now = number_of(schedule["phases"].front(), "start_date");
  if (auto begun = begin(ctx, id); !begun) return std::unexpected(begun.error());
  const std::string subscription =
      text_of(ctx.state.live(kind::subscription_schedule, id), "subscription");
  return text_of(ctx.state.live(kind::subscription, subscription), "latest_invoice");
}

void subscription_ended(context& ctx, const json& subscription) {
  const json* found =
      ctx.state.find_live(kind::subscription_schedule, text_of(subscription, "schedule"));
  if (found == nullptr || !is_live(*found)) return;
  const bool completes = text_of(*found, "end_behavior") == "cancel" && end_of(*found) <= ctx.now;
  const bool unpaid = text_of(subscription["cancellation_details"], "reason") == "payment_failed";
  if (completes) {
    finish(ctx, *found, "completed", "completed_at", "subscription_schedule.completed");
  } else {
    finish(ctx, *found, "canceled", "canceled_at",
           unpaid ? "subscription_schedule.aborted" : "subscription_schedule.canceled");
  }
}

void cancel_unstarted(context& ctx, const std::string& id) {
  finish(ctx, ctx.state.live(kind::subscription_schedule, id), "canceled", "canceled_at",
         "subscription_schedule.canceled");
}

void cancel_all_of(context& ctx, const std::string& customer) {
  for (const json* found : ctx.state.with(kind::subscription_schedule, "customer", customer)) {
    if (text_of(*found, "status") == "not_started") cancel_unstarted(ctx, text_of(*found, "id"));
  }
}

void fall_due(context& ctx, const std::string& id) {
  const json schedule = ctx.state.live(kind::subscription_schedule, id);
  ctx.watch_customer(text_of(schedule, "customer"));
  const bool starts = text_of(schedule, "status") == "not_started";
  if (starts && number_of(schedule["phases"].front(), "start_date") <= ctx.now) {
    const json before = ctx.shown(kind::subscription_schedule, id);
    const auto place = ctx.state.here();
    if (begin(ctx, id)) {
      ctx.emit_updated("subscription_schedule.updated", kind::subscription_schedule, id, before);
      return;
    }
    ctx.state.back_to(place);
    cancel_unstarted(ctx, id);
  } else if (!starts && number_of(schedule["current_phase"], "end_date") <= ctx.now) {
    catch_up(ctx, id, false);
  } else {
    tell_expiring(ctx, schedule);
  }
}

}  // namespace tilld::sandbox::schedules
