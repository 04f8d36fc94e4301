#include "sandbox/subscriptions/schedules.hpp"

#include <algorithm>

#include "sandbox/machine/paging.hpp"
#include "sandbox/machine/ranges.hpp"
#include "sandbox/subscriptions/schedule_parts.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::schedules {

namespace {

constexpr auto of = kind::subscription_schedule;

params::field end_behavior_field() {
  return params::choice("end_behavior", {"cancel", "none", "release", "renew"});
}

answer<void> take_end_behavior(const context& ctx, json& schedule) {
  if (!ctx.given("end_behavior")) return {};
  const std::string wish = ctx.text("end_behavior");
  if (wish != "cancel" && wish != "release") {
    return not_simulated("The sandbox simulates the end_behavior release and cancel alone.",
                         "end_behavior");
  }
  schedule["end_behavior"] = wish;
  return {};
}

json billing_mode(const std::string& type) {
  if (type == "classic") return {{"flexible", nullptr}, {"type", "classic"}};
  return {{"flexible", {{"proration_discounts", "included"}}}, {"type", "flexible"}};
}

json blank_schedule(context& ctx, const std::string& customer) {
  json schedule = ctx.make(of);
  schedule["customer"] = customer;
  schedule["billing_mode"] = billing_mode(text_of(ctx.param("billing_mode"), "type"));
  schedule["end_behavior"] = "release";
  schedule["phases"] = json::array();
  schedule["status"] = "not_started";
  return schedule;
}

answer<std::int64_t> start_of_request(const context& ctx) {
  if (!ctx.given("start_date")) return refuse(stripe::parameter_missing("start_date"));
  if (ctx.param("start_date") == "now") return ctx.now;
  if (ctx.number("start_date") < ctx.now) {
    return not_simulated("The sandbox does not simulate schedules that start in the past.",
                         "start_date");
  }
  return ctx.number("start_date");
}

answer<json> create_anew(context& ctx) {
  if (!ctx.given("customer")) return refuse(stripe::parameter_missing("customer"));
  const std::string customer = ctx.text("customer");
  if (auto known = ctx.referred(kind::customer, customer, "customer"); !known) return known;
  const auto start = start_of_request(ctx);
  if (!start) return std::unexpected(start.error());
  if (!ctx.given("phases")) return refuse(stripe::parameter_missing("phases"));
  json schedule = blank_schedule(ctx, customer);
  const std::string id = text_of(schedule, "id");
  auto settings = read_default_settings(ctx, nullptr);
  if (!settings) return settings;
  schedule["default_settings"] = std::move(*settings);
  if (auto taken = take_end_behavior(ctx, schedule); !taken) return std::unexpected(taken.error());
  if (auto merged = merge_metadata(schedule, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  auto phases = read_phases(ctx, schedule, ctx.param("phases"), *start);
  if (!phases) return phases;
  schedule["phases"] = std::move(*phases);
  note_due(ctx, schedule);
  ctx.state.insert(of, std::move(schedule));
  if (*start <= ctx.now) {
    if (auto begun = begin(ctx, id); !begun) return std::unexpected(begun.error());
  }
  ctx.emit("subscription_schedule.created", of, id);
  return ctx.shown(of, id);
}

answer<void> check_migration(const context& ctx, const json& subscription) {
  for (const auto& [name, value] : ctx.params.items()) {
    if (name == "expand" || name == "from_subscription") continue;
    return refuse("You cannot set `" + name + "` if `from_subscription` is set.", name);
  }
  const std::string status = text_of(subscription, "status");
  if (subscriptions::is_over(subscription) || status == "incomplete") {
    return refuse(
        "You cannot migrate a subscription that is currently in the `" + status + "` status.",
        "from_subscription");
  }
  if (const std::string schedule = text_of(subscription, "schedule"); !schedule.empty()) {
    return refuse("You cannot migrate a subscription that is already attached to a schedule: `" +
                      schedule + "`.",
                  "from_subscription");
  }
  return {};
}

answer<json> create_from(context& ctx, const std::string& subscription) {
  auto found = ctx.referred(kind::subscription, subscription, "from_subscription");
  if (!found) return found;
  json s = std::move(*found);
  if (auto can = check_migration(ctx, s); !can) return std::unexpected(can.error());
  json schedule = blank_schedule(ctx, text_of(s, "customer"));
  const std::string id = text_of(schedule, "id");
  const json phase = phase_of_subscription(ctx, s);
  schedule["billing_mode"] = s["billing_mode"];
  schedule["current_phase"] = {{"end_date", phase["end_date"]},
                               {"start_date", phase["start_date"]}};
  schedule["default_settings"] = settings_of(s);
  if (!is_null(s, "cancel_at")) schedule["end_behavior"] = "cancel";
  schedule["phases"].push_back(phase);
  schedule["status"] = "active";
  schedule["subscription"] = subscription;
  note_due(ctx, schedule);
  ctx.state.insert(of, std::move(schedule));
  s["schedule"] = id;
  ctx.update("customer.subscription.updated", kind::subscription, std::move(s));
  ctx.emit("subscription_schedule.created", of, id);
  return ctx.shown(of, id);
}

// What can be done to a schedule only while it goes on.
answer<void> check_live(const json& schedule, const std::string& verb, const std::string& done) {
  if (is_live(schedule)) return {};
  return refuse("You cannot " + verb + " a subscription schedule that is currently in the `" +
                text_of(schedule, "status") +
                "` status. It must be in `not_started, active` status to be " + done + ".");
}

// The phases of an update take the place of the present one and of those to come; what is past
// stays, whether it is told again or not.
answer<void> take_phases(context& ctx, json& schedule) {
  json given = ctx.param("phases");
  const bool anchored = std::any_of(given.begin(), given.end(),
                                    [](const json& phase) { return phase.contains("start_date"); });
  if (!anchored) {
    return refuse(
        "The subscription schedule update is missing at least one phase with a `start_date` to "
        "anchor end dates to.",
        "phases");
  }
  const bool active = text_of(schedule, "status") == "active";
  const std::int64_t current = number_of(schedule["current_phase"], "start_date");
  while (active && !given.empty() && given.front().contains("start_date") &&
         given.front()["start_date"] != "now" && number_of(given.front(), "start_date") < current) {
    given.erase(given.begin());
  }
  if (given.empty()) return refuse(stripe::parameter_missing("phases"));
  const json& first = given.front();
  const bool fits = first.contains("start_date") && first["start_date"] == current;
  if (active && !fits) {
    return refuse("You can not modify the start date of the current phase.",
                  "phases[0][start_date]");
  }
  std::int64_t start = number_of(first, "start_date");
  if (!first.contains("start_date")) start = number_of(schedule["phases"].front(), "start_date");
  if (text_of(first, "start_date") == "now") start = ctx.now;
  if (!active && start < ctx.now) {
    return not_simulated("The sandbox does not simulate schedules that start in the past.",
                         "phases[0][start_date]");
  }
  auto phases = read_phases(ctx, schedule, given, start);
  if (!phases) return std::unexpected(phases.error());
  json all = json::array();
  for (const auto& phase : schedule["phases"]) {
    if (active && number_of(phase, "end_date") <= current) all.push_back(phase);
  }
  for (auto& phase : *phases)
    all.push_back(std::move(phase));
  schedule["phases"] = std::move(all);
  return {};
}

// The present phase is as the update wants it, and so is its subscription.
answer<void> carry_out(context& ctx, const std::string& id) {
  json schedule = ctx.state.live(of, id);
  if (text_of(schedule, "status") == "not_started") {
    const bool starts = number_of(schedule["phases"].front(), "start_date") <= ctx.now;
    return starts ? begin(ctx, id) : answer<void>{};
  }
  for (const auto& phase : schedule["phases"]) {
    if (phase["start_date"] != schedule["current_phase"]["start_date"]) continue;
    schedule["current_phase"]["end_date"] = phase["end_date"];
  }
  note_due(ctx, schedule);
  const bool over = number_of(schedule["current_phase"], "end_date") <= ctx.now;
  ctx.state.replace(of, std::move(schedule));
  const std::string behavior =
      ctx.given("proration_behavior") ? ctx.text("proration_behavior") : "create_prorations";
  if (!over) return apply_phase(ctx, id, application::changed, behavior);
  catch_up(ctx, id, false);
  return {};
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = {
      params::hash("billing_mode", {params::choice("type", {"classic", "flexible"}).needed(),
                                    params::unsimulated("flexible")}),
      params::text("customer"),
      params::unsimulated("customer_account"),
      default_settings_field(),
      end_behavior_field(),
      params::text("from_subscription"),
      params::metadata(),
      params::unsimulated("pause_schedules"),
      phases_field(false),
      params::timestamp("start_date").or_word("now")};
  return takes;
}

answer<json> create(context& ctx) {
  const std::string subscription = ctx.text("from_subscription");
  return subscription.empty() ? create_anew(ctx) : create_from(ctx, subscription);
}

answer<json> retrieve(context& ctx) {
  auto schedule = ctx.object();
  if (!schedule) return schedule;
  return view_of(ctx.state, of, *schedule);
}

const params::schema& update_takes() {
  static const params::schema takes = {
      default_settings_field(), end_behavior_field(),
      params::metadata(),       params::unsimulated("pause_schedules"),
      phases_field(true),       subscriptions::proration_behavior_field()};
  return takes;
}

answer<json> update(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json schedule = std::move(*found);
  const std::string id = text_of(schedule, "id");
  if (auto can = check_live(schedule, "update", "updated"); !can) {
    return std::unexpected(can.error());
  }
  const json before = ctx.shown(of, id);
  ctx.watch_customer(text_of(schedule, "customer"));
  auto settings = read_default_settings(ctx, schedule["default_settings"]);
  if (!settings) return settings;
  schedule["default_settings"] = std::move(*settings);
  if (auto taken = take_end_behavior(ctx, schedule); !taken) return std::unexpected(taken.error());
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(schedule, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  if (ctx.given("phases")) {
    if (auto taken = take_phases(ctx, schedule); !taken) return std::unexpected(taken.error());
  }
  note_due(ctx, schedule);
  ctx.state.replace(of, std::move(schedule));
  const bool touches =
      ctx.given("phases") || ctx.given("default_settings") || ctx.given("end_behavior");
  if (touches) {
    if (auto done = carry_out(ctx, id); !done) return std::unexpected(done.error());
  }
  ctx.emit_updated("subscription_schedule.updated", of, id, before);
  return ctx.shown(of, id);
}

const params::schema& cancel_takes() {
  static const params::schema takes = {params::boolean("invoice_now"), params::boolean("prorate")};
  return takes;
}

answer<json> cancel(context& ctx) {
  auto schedule = ctx.object();
  if (!schedule) return schedule;
  const std::string id = text_of(*schedule, "id");
  if (auto can = check_live(*schedule, "cancel", "canceled"); !can) {
    return std::unexpected(can.error());
  }
  if (text_of(*schedule, "status") == "active") {
    const auto wants = [&](const char* name) { return !ctx.given(name) || ctx.truth(name); };
    subscriptions::cancel(ctx, text_of(*schedule, "subscription"), wants("prorate"),
                          wants("invoice_now"), nullptr);
  } else {
    cancel_unstarted(ctx, id);
  }
  return ctx.shown(of, id);
}

const params::schema& release_takes() {
  static const params::schema takes = {params::boolean("preserve_cancel_date")};
  return takes;
}

answer<json> release(context& ctx) {
  auto schedule = ctx.object();
  if (!schedule) return schedule;
  const std::string id = text_of(*schedule, "id");
  if (auto can = check_live(*schedule, "release", "released"); !can) {
    return std::unexpected(can.error());
  }
  let_go(ctx, id, ctx.truth("preserve_cancel_date"));
  return ctx.shown(of, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("canceled_at"),
                                       params::range("completed_at"),
                                       params::range("created"),
                                       params::text("customer"),
                                       params::range("released_at"),
                                       params::boolean("scheduled"),
                                       params::unsimulated("customer_account")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  for (const char* name : {"canceled_at", "completed_at", "released_at"}) {
    if (!ctx.given(name)) continue;
    shown.also.push_back([name, range = range_of(ctx.param(name))](const json& schedule) {
      return within(range, schedule, name);
    });
  }
  if (ctx.given("scheduled")) {
    shown.also.push_back([wanted = ctx.truth("scheduled")](const json& schedule) {
      return (text_of(schedule, "status") == "not_started") == wanted;
    });
  }
  if (!ctx.given("customer")) {
    shown.also.push_back([](const json& schedule) { return is_null(schedule, "test_clock"); });
  }
  return list_page(ctx, of, shown);
}

}  // namespace tilld::sandbox::schedules
