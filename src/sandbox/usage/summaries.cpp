#include "sandbox/usage/summaries.hpp"

#include <algorithm>

#include "sandbox/usage/usage.hpp"

namespace tilld::sandbox::summaries {

namespace {

constexpr std::int64_t minute_s = 60;
constexpr std::int64_t default_limit = 10;

answer<void> check_bounds(const context& ctx) {
  const std::string window = ctx.text("value_grouping_window");
  const std::int64_t step = window.empty() ? minute_s : usage::window_s(window);
  for (const char* bound : {"start_time", "end_time"}) {
    if (ctx.number(bound) % step == 0) continue;
    const std::string unit = window.empty() ? "minute" : window;
    return refuse(std::string(bound) + " must be aligned with " + unit + " boundaries.", bound);
  }
  if (ctx.number("start_time") < ctx.number("end_time")) return {};
  return refuse("start_time must be before end_time.", "start_time");
}

json shown(const context& ctx, const usage::span& s, const usage::summary& one) {
  json summary = json::object();
  const std::string what =
      s.meter + s.customer + std::to_string(one.start_s) + "-" + std::to_string(one.end_s);
  summary["id"] = "mtrusg_test_60" + ctx.state.ids.letters(what, 64);
  summary["object"] = "billing.meter_event_summary";
  summary["aggregated_value"] = one.value;
  summary["end_time"] = one.end_s;
  summary["livemode"] = false;
  summary["meter"] = s.meter;
  summary["start_time"] = one.start_s;
  return summary;
}

answer<std::size_t> place_of(const std::vector<json>& all, const std::string& id,
                             const char* param) {
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const json& s) { return text_of(s, "id") == id; });
  if (it != all.end()) return static_cast<std::size_t>(it - all.begin());
  auto error = stripe::resource_missing("billing.meter_event_summary", id, param);
  error.status = 400;
  return refuse(std::move(error));
}

// Summaries are not kept, so the page is cut out of all of them.
answer<json> page_of(const context& ctx, const std::vector<json>& all) {
  const auto limit =
      static_cast<std::size_t>(ctx.given("limit") ? ctx.number("limit") : default_limit);
  std::size_t first = 0;
  std::size_t end = all.size();
  const bool back = ctx.given("ending_before");
  if (back && ctx.given("starting_after")) {
    return refuse(
        "You cannot parameterize both `starting_after` and `ending_before` in the same request.");
  }
  if (back || ctx.given("starting_after")) {
    const char* param = back ? "ending_before" : "starting_after";
    const auto place = place_of(all, ctx.text(param), param);
    if (!place) return std::unexpected(place.error());
    (back ? end : first) = back ? *place : *place + 1;
  }
  const bool more = end - first > limit;
  if (more) (back ? first : end) = back ? end - limit : first + limit;
  json data = json::array();
  for (std::size_t i = first; i < end; ++i)
    data.push_back(all[i]);
  return list_envelope(std::move(data), more, ctx.path);
}

}  // namespace

const params::schema& list_takes() {
  static const params::schema takes = {params::text("customer").needed(),
                                       params::timestamp("end_time").needed(),
                                       params::timestamp("start_time").needed(),
                                       params::choice("value_grouping_window", {"day", "hour"})};
  return takes;
}

answer<json> list(context& ctx) {
  const std::string meter = ctx.arguments.front();
  if (auto known = ctx.object(kind::meter, meter); !known) return known;
  const std::string customer = ctx.text("customer");
  if (auto known = ctx.referred(kind::customer, customer, "customer"); !known) return known;
  if (auto fit = check_bounds(ctx); !fit) return std::unexpected(fit.error());
  usage::span s;
  s.meter = meter;
  s.customer = customer;
  s.from_s = ctx.number("start_time");
  s.to_s = ctx.number("end_time");
  std::vector<usage::summary> found;
  if (const std::string window = ctx.text("value_grouping_window"); !window.empty()) {
    found = usage::by_window(ctx.state, s, window);
  } else {
    found.push_back({s.from_s, s.to_s, usage::total(ctx.state, s)});
  }
  std::vector<json> all;
  for (const auto& one : found)
    all.push_back(shown(ctx, s, one));
  return page_of(ctx, all);
}

}  // namespace tilld::sandbox::summaries
