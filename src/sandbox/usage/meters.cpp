#include "sandbox/usage/meters.hpp"

#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::meters {

namespace {

constexpr std::int64_t longest_name = 100;
constexpr std::int64_t longest_title = 250;

params::field key_field() {
  return params::text("event_payload_key", longest_name).needed();
}

// An event belongs to one meter.
answer<void> check_name(const context& ctx, const std::string& event_name) {
  if (active(ctx.state, event_name) == nullptr) return {};
  return refuse("An active meter already exists for event name '" + event_name +
                    "'. To create a new meter with the same event name, first deactivate the "
                    "currently active meter.",
                "event_name");
}

json key_of(const context& ctx, const char* param, const char* usual) {
  const std::string given = text_of(ctx.param(param), "event_payload_key");
  return given.empty() ? usual : given;
}

answer<json> put(context& ctx, json meter, const char* event) {
  const std::string id = text_of(meter, "id");
  meter["updated"] = ctx.now;
  ctx.state.replace(kind::meter, std::move(meter));
  ctx.emit(event, kind::meter, id);
  return ctx.shown(kind::meter, id);
}

}  // namespace

const json* active(const world& w, const std::string& event_name) {
  for (const json* meter : w.with(kind::meter, "event_name", event_name)) {
    if (text_of(*meter, "status") == "active") return meter;
  }
  return nullptr;
}

const params::schema& create_takes() {
  static const params::schema takes = {
      params::hash("default_aggregation",
                   {params::choice("formula", {"count", "last", "sum"}).needed()})
          .needed(),
      params::text("display_name", longest_title).needed(),
      params::text("event_name", longest_name).needed(),
      params::hash("customer_mapping", {key_field(), params::choice("type", {"by_id"}).needed()}),
      params::choice("event_time_window", {"day", "hour"}),
      params::hash("value_settings", {key_field()})};
  return takes;
}

answer<json> create(context& ctx) {
  if (auto free = check_name(ctx, ctx.text("event_name")); !free) {
    return std::unexpected(free.error());
  }
  json meter = ctx.make(kind::meter);
  const std::string id = text_of(meter, "id");
  meter["customer_mapping"] = {
      {"event_payload_key", key_of(ctx, "customer_mapping", "stripe_customer_id")},
      {"type", "by_id"}};
  ctx.copy_given(meter, {"default_aggregation", "display_name", "event_name", "event_time_window"});
  meter["status"] = "active";
  meter["status_transitions"] = {{"deactivated_at", nullptr}};
  meter["updated"] = ctx.now;
  meter["value_settings"] = {{"event_payload_key", key_of(ctx, "value_settings", "value")}};
  ctx.state.insert(kind::meter, std::move(meter));
  ctx.emit("billing.meter.created", kind::meter, id);
  return ctx.shown(kind::meter, id);
}

answer<json> retrieve(context& ctx) {
  auto meter = ctx.object();
  if (!meter) return meter;
  return view_of(ctx.state, kind::meter, *meter);
}

const params::schema& update_takes() {
  static const params::schema takes = {params::text("display_name", longest_title)};
  return takes;
}

answer<json> update(context& ctx) {
  auto meter = ctx.object();
  if (!meter) return meter;
  const std::string id = text_of(*meter, "id");
  if (!ctx.given("display_name") || ctx.param("display_name") == (*meter)["display_name"]) {
    return ctx.shown(kind::meter, id);
  }
  ctx.copy_given(*meter, {"display_name"});
  (*meter)["updated"] = ctx.now;
  ctx.update("billing.meter.updated", kind::meter, std::move(*meter));
  return ctx.shown(kind::meter, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::choice("status", {"active", "inactive"})};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.also_equal(ctx, "status");
  return list_page(ctx, kind::meter, shown);
}

// What it has counted stays, and is billed. The wording for what is so already is assumed.
answer<json> deactivate(context& ctx) {
  auto meter = ctx.object();
  if (!meter) return meter;
  if (text_of(*meter, "status") != "active") return refuse("This meter is already inactive.");
  (*meter)["status"] = "inactive";
  (*meter)["status_transitions"]["deactivated_at"] = ctx.now;
  return put(ctx, std::move(*meter), "billing.meter.deactivated");
}

answer<json> reactivate(context& ctx) {
  auto meter = ctx.object();
  if (!meter) return meter;
  if (text_of(*meter, "status") == "active") return refuse("This meter is already active.");
  if (auto free = check_name(ctx, text_of(*meter, "event_name")); !free) {
    return std::unexpected(free.error());
  }
  (*meter)["status"] = "active";
  (*meter)["status_transitions"]["deactivated_at"] = nullptr;
  return put(ctx, std::move(*meter), "billing.meter.reactivated");
}

}  // namespace tilld::sandbox::meters
