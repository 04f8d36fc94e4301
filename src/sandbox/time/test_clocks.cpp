#include "sandbox/time/test_clocks.hpp"

#include <algorithm>

#include "sandbox/account/customers.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/time/clock.hpp"

namespace tilld::sandbox::test_clocks {

namespace {

constexpr std::size_t most_customers = 3;
constexpr std::int64_t kept_s = 30 * day_s;
constexpr std::int64_t intervals_at_once = 2;

std::vector<std::string> customers_of(const context& ctx, const std::string& clock) {
  std::vector<std::string> ids;
  for (const json* customer : ctx.state.with(kind::customer, "test_clock", clock)) {
    ids.push_back(text_of(*customer, "id"));
  }
  return ids;
}

// How far it may go at once: two intervals of the shortest subscription, two years without any.
std::int64_t furthest(const context& ctx, const std::string& clock, std::int64_t from_s) {
  std::int64_t limit = after_intervals(from_s, "year", intervals_at_once);
  for (const auto& customer : customers_of(ctx, clock)) {
    for (const json* s : ctx.state.with(kind::subscription, "customer", customer)) {
      const std::string status = text_of(*s, "status");
      if (status == "canceled" || status == "incomplete_expired") continue;
      for (const json* item :
           ctx.state.with(kind::subscription_item, "subscription", text_of(*s, "id"))) {
        const json& recurring = ctx.state.at(kind::price, text_of(*item, "price"))["recurring"];
        const std::int64_t count =
            std::max<std::int64_t>(1, number_of(recurring, "interval_count"));
        limit = std::min(limit, after_intervals(from_s, text_of(recurring, "interval"),
                                                intervals_at_once * count));
      }
    }
  }
  return limit;
}

}  // namespace

answer<void> check_room(const context& ctx, const std::string& clock) {
  if (auto known = ctx.referred(kind::test_clock, clock, "test_clock"); !known) {
    return std::unexpected(known.error());
  }
  if (customers_of(ctx, clock).size() < most_customers) return {};
  return refuse("You can only have up to 3 customers on a test clock.", "test_clock",
                "test_clock_customer_limit_exceeded");
}

const params::schema& create_takes() {
  static const params::schema takes = {params::timestamp("frozen_time").needed(),
                                       params::text("name", 300)};
  return takes;
}

answer<json> create(context& ctx) {
  json clock = ctx.make(kind::test_clock);
  const std::string id = text_of(clock, "id");
  clock["deletes_after"] = ctx.now + kept_s;
  clock["_due"] = ctx.now + kept_s;
  ctx.copy_given(clock, {"frozen_time", "name"});
  clock["status"] = "ready";
  clock["status_details"] = json::object();
  ctx.state.insert(kind::test_clock, std::move(clock));
  ctx.emit("test_helpers.test_clock.created", kind::test_clock, id);
  return ctx.shown(kind::test_clock, id);
}

answer<json> retrieve(context& ctx) {
  auto clock = ctx.object();
  if (!clock) return clock;
  return view_of(ctx.state, kind::test_clock, *clock);
}

const params::schema& advance_takes() {
  static const params::schema takes = {params::timestamp("frozen_time").needed()};
  return takes;
}

answer<json> advance(context& ctx) {
  auto clock = ctx.object();
  if (!clock) return clock;
  const std::string id = text_of(*clock, "id");
  const std::int64_t from = number_of(*clock, "frozen_time");
  const std::int64_t to = ctx.number("frozen_time");
  if (text_of(*clock, "status") == "advancing") {
    return refuse(stripe::api_error{
        429, "invalid_request_error", "rate_limit",
        "Test clock advancement underway - cannot perform modifications until it is complete.",
        ""});
  }
  if (to <= from) {
    return refuse("Advancing the clock to a time in the past is not supported. The clock is at " +
                      std::to_string(from) + ", the time asked for is " + std::to_string(to) + ".",
                  "frozen_time");
  }
  if (to > furthest(ctx, id, from)) {
    return refuse(
        "You can only advance a test clock up to two intervals from the current frozen time, of "
        "the shortest subscription interval on it; two years when it has no subscription.",
        "frozen_time", "test_clock_advance_too_far");
  }
  (*clock)["status"] = "advancing";
  (*clock)["status_details"] = {{"advancing", {{"target_frozen_time", to}}}};
  ctx.state.replace(kind::test_clock, std::move(*clock));
  ctx.emit("test_helpers.test_clock.advancing", kind::test_clock, id);
  ctx.state.advancing = {id, to};
  return ctx.shown(kind::test_clock, id);
}

void arrive(world& state, const account_facts& facts, std::int64_t now_s) {
  const auto [id, to] = std::exchange(state.advancing, {});
  if (id.empty()) return;
  const int broken = time::run(state, facts, id, to);
  context ctx(state, facts, now_s);
  state.begin();
  json clock = state.live(kind::test_clock, id);
  clock["frozen_time"] = to;
  clock["status"] = broken == 0 ? "ready" : "internal_failure";
  clock["status_details"] = json::object();
  state.replace(kind::test_clock, std::move(clock));
  ctx.emit(
      broken == 0 ? "test_helpers.test_clock.ready" : "test_helpers.test_clock.internal_failure",
      kind::test_clock, id);
  state.commit();
}

void fall_due(context& ctx, const std::string& id) {
  for (const auto& customer : customers_of(ctx, id))
    customers::end(ctx, customer);
  json last = ctx.shown(kind::test_clock, id);
  ctx.state.leave_stub(kind::test_clock, id);
  ctx.emit_object("test_helpers.test_clock.deleted", std::move(last));
}

answer<json> remove(context& ctx) {
  auto clock = ctx.object();
  if (!clock) return clock;
  const std::string id = text_of(*clock, "id");
  fall_due(ctx, id);
  return ctx.shown(kind::test_clock, id);
}

answer<json> list(context& ctx) {
  return list_page(ctx, kind::test_clock, {});
}

}  // namespace tilld::sandbox::test_clocks
