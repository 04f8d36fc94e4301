#include "sandbox/usage/meter_events.hpp"

#include <charconv>
#include <optional>

#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/thresholds.hpp"
#include "sandbox/time/clock.hpp"
#include "sandbox/usage/meters.hpp"
#include "sandbox/usage/usage.hpp"

namespace tilld::sandbox::meter_events {

namespace {

constexpr std::int64_t past_s = 35 * day_s;
constexpr std::int64_t future_s = 5 * 60;
constexpr std::int64_t remembered_s = day_s;  // identifiers, and what can be canceled
constexpr std::int64_t longest_name = 100;
// More than this nobody is billed for, and less than a sum of reports can hold (assumed).
constexpr std::int64_t most = 999'999'999'999;

answer<json> meter_for(const context& ctx) {
  const std::string name = ctx.text("event_name");
  const json* meter = meters::active(ctx.state, name);
  if (meter != nullptr) return *meter;
  return refuse("No active meter found for event name \"" + name + "\".", "event_name",
                "resource_missing");
}

answer<std::string> customer_for(const context& ctx, const json& meter) {
  const std::string key = text_of(meter["customer_mapping"], "event_payload_key");
  const json& payload = ctx.param("payload");
  if (!payload.contains(key)) {
    return refuse("Customer mapping key " + key + " not found in payload.", "payload");
  }
  std::string id = text_of(payload, key);
  const auto known = ctx.referred(kind::customer, id, "payload[" + key + "]");
  if (!known) return std::unexpected(known.error());
  return id;
}

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t n = 0;
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, n);
  if (error != std::errc() || last != end || n > most || n < -most) return std::nullopt;
  return n;
}

// What is counted needs no value.
answer<std::int64_t> value_for(const context& ctx, const json& meter) {
  const std::string key = text_of(meter["value_settings"], "event_payload_key");
  const json& payload = ctx.param("payload");
  if (!payload.contains(key)) {
    if (text_of(meter["default_aggregation"], "formula") == "count") return 0;
    return refuse("Value key " + key + " not found in payload.", "payload");
  }
  const std::string text = text_of(payload, key);
  if (const auto value = whole_number(text)) return *value;
  return refuse("Invalid value for " + key + ": " + text + ". Only whole numbers are accepted.",
                "payload[" + key + "]");
}

answer<std::int64_t> time_for(const context& ctx) {
  if (!ctx.given("timestamp")) return ctx.now;
  const std::int64_t at = ctx.number("timestamp");
  if (at < ctx.now - past_s) {
    return refuse("The timestamp must be within the past 35 calendar days.", "timestamp");
  }
  if (at > ctx.now + future_s) {
    return refuse("The timestamp must not be more than 5 minutes in the future.", "timestamp");
  }
  return at;
}

// The newest event of that name; nullptr when there is none.
const json* named(const context& ctx, const std::string& identifier) {
  const auto found = ctx.state.with(kind::meter_event, "identifier", identifier);
  return found.empty() ? nullptr : found.front();
}

bool is_remembered(const context& ctx, const json& event) {
  return number_of(event, "created") > ctx.now - remembered_s;
}

answer<void> check_identifier(const context& ctx) {
  const std::string identifier = ctx.text("identifier");
  if (identifier.empty()) return {};
  const json* before = named(ctx, identifier);
  if (before == nullptr || !is_remembered(ctx, *before)) return {};
  return refuse("An event already exists with identifier " + identifier + ".", "identifier");
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::field payload = params::metadata().needed();
    payload.name = "payload";
    payload.clears = false;
    return params::schema{params::text("event_name", longest_name).needed(), std::move(payload),
                          params::text("identifier", longest_name), params::timestamp("timestamp")};
  }();
  return takes;
}

answer<json> create(context& ctx) {
  const auto meter = meter_for(ctx);
  if (!meter) return meter;
  const auto customer = customer_for(ctx, *meter);
  if (!customer) return std::unexpected(customer.error());
  time::go_by(ctx, clock_of(ctx.state.live(kind::customer, *customer)));
  const auto value = value_for(ctx, *meter);
  if (!value) return std::unexpected(value.error());
  const auto at = time_for(ctx);
  if (!at) return std::unexpected(at.error());
  if (auto fresh = check_identifier(ctx); !fresh) return std::unexpected(fresh.error());
  json event = ctx.make(kind::meter_event);
  const std::string id = text_of(event, "id");
  const std::string of = text_of(*meter, "id");
  event["event_name"] = ctx.param("event_name");
  event["identifier"] =
      ctx.given("identifier") ? ctx.text("identifier") : ctx.state.ids.letters(id, 32);
  event["payload"] = ctx.param("payload");
  event["timestamp"] = *at;
  event["_of"] = usage::key_of(of, *customer);
  event["_day"] = usage::key_of_day(of, *customer, *at);
  event["_value"] = *value;
  ctx.state.insert(kind::meter_event, std::move(event));
  thresholds::note_usage(ctx, *customer, of);
  return ctx.shown(kind::meter_event, id);
}

const params::schema& adjust_takes() {
  static const params::schema takes = {
      params::text("event_name", longest_name).needed(),
      params::choice("type", {"cancel"}).needed(),
      params::hash("cancel", {params::text("identifier", longest_name).needed()})};
  return takes;
}

// A canceled report is in no index of a customer's reports any more. The wordings are assumed.
answer<json> adjust(context& ctx) {
  if (!ctx.given("cancel")) return refuse(stripe::parameter_missing("cancel"));
  const std::string name = ctx.text("event_name");
  const std::string identifier = text_of(ctx.param("cancel"), "identifier");
  const json* found = named(ctx, identifier);
  if (found == nullptr || text_of(*found, "event_name") != name) {
    return refuse("No meter event found with identifier " + identifier + ".", "cancel[identifier]",
                  "resource_missing");
  }
  json event = *found;
  time::go_by(ctx, clock_of(event));
  if (truth_of(event, "_canceled")) {
    return refuse("The meter event with identifier " + identifier + " is canceled already.",
                  "cancel[identifier]");
  }
  if (!is_remembered(ctx, event)) {
    return refuse("Meter events can only be canceled within 24 hours of Stripe receiving them.",
                  "cancel[identifier]");
  }
  event["_canceled"] = true;
  event["_of"] = nullptr;
  event["_day"] = nullptr;
  ctx.state.replace(kind::meter_event, std::move(event));
  json adjustment = json::object();
  adjustment["object"] = "billing.meter_event_adjustment";
  adjustment["cancel"] = {{"identifier", identifier}};
  adjustment["event_name"] = name;
  adjustment["livemode"] = false;
  adjustment["status"] = "complete";
  adjustment["type"] = "cancel";
  return adjustment;
}

}  // namespace tilld::sandbox::meter_events
