// Lanes, budgets and the breaker.
#include <algorithm>

#include <rapidcheck.h>

#include "core/lane_turns.hpp"
#include "gateway_world.hpp"

using namespace tilld;
using namespace tilld::core;
using namespace tilld::core::test;
using stripe::call_end;
using stripe::lane;

namespace {

constexpr std::array<lane, 4> all_lanes{lane::order, lane::check, lane::repair, lane::backfill};

world::server always(reply r) {
  return [r = std::move(r)](const to_send&, std::int64_t) { return r; };
}

stripe::call patient(stripe::call c) {
  c.give_up_after_ms = 24 * 3600 * 1000;
  return c;
}

gateway_limits wide() {
  gateway_limits limits;
  limits.read_per_s = limits.write_per_s = limits.endpoint_per_s = 1'000;
  limits.burst = 1'000;
  limits.most_in_flight = limits.most_in_flight_endpoint = 1'000;
  limits.most_queued = 10'000;
  return limits;
}

std::size_t lane_of(const sending& s) {
  return static_cast<std::size_t>(s.call->in);
}

}  // namespace

TEST_CASE(
    "With every lane busy, of eight turns five are the first lane's and one is each other's") {
  lane_turns turns;
  const lane_turns::lanes all{true, true, true, true};
  std::vector<std::size_t> went;
  for (int i = 0; i < 800; ++i) {
    const std::size_t next = *turns.next(all);
    turns.went(next, all);
    went.push_back(next);
  }
  for (std::size_t lane = 0; lane < 4; ++lane) {
    CHECK(std::ranges::count(went, lane) == (lane == 0 ? 500 : 100));
    for (std::size_t at = 0; at + 8 <= went.size(); ++at) {
      CHECK(std::count(went.begin() + static_cast<long>(at),
                       went.begin() + static_cast<long>(at) + 8, lane) >= 1);
    }
  }
}

TEST_CASE("A lane that could go is passed over seven times at most, ten where others come and go") {
  const bool holds = rc::check("turns", [] {
    lane_turns turns;
    const auto picture = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 16));
    const bool steady = *rc::gen::arbitrary<bool>();
    std::array<int, 4> passed{};
    for (const int bits : picture) {
      const int now = steady ? picture.front() : bits;
      const lane_turns::lanes ready{(now & 1) != 0, (now & 2) != 0, (now & 4) != 0, (now & 8) != 0};
      const auto next = turns.next(ready);
      RC_ASSERT(next.has_value());
      RC_ASSERT(ready[*next]);
      turns.went(*next, ready);
      for (std::size_t lane = 0; lane < 4; ++lane) {
        if (ready[lane]) ++passed[lane];
        if (lane == *next) passed[lane] = 0;
        RC_ASSERT(passed[lane] <= (steady ? 7 : 10));
      }
    }
  });
  REQUIRE(holds);
  CHECK_FALSE(lane_turns().next({}));
}

TEST_CASE("An order goes before what has waited longer in a later lane") {
  gateway_limits limits = wide();
  limits.most_in_flight = 1;
  world w(limits, always(says(200)));
  w.submit(get("/v1/first"));
  for (int i = 0; i < 5; ++i)
    w.submit(get("/v1/products", lane::backfill));
  w.submit(get("/v1/customers", lane::repair));
  w.submit(get("/v1/customers", lane::check));
  w.submit(post("/v1/customers"));
  REQUIRE(w.settle());
  CHECK(lane_of(w.sent()[1]) == 0);
  CHECK(lane_of(w.sent()[2]) == 1);
  CHECK(lane_of(w.sent()[3]) == 2);
  CHECK(lane_of(w.sent()[4]) == 3);
}

TEST_CASE("No lane starves under a flood of earlier ones") {
  for (const bool same_endpoint : {false, true}) {
    gateway_limits limits = wide();
    limits.most_in_flight = same_endpoint ? 20 : 2;
    limits.most_in_flight_endpoint = 2;
    world w(limits, always(says(200)));
    for (const lane in : all_lanes) {
      for (int i = 0; i < 200; ++i) {
        w.submit(patient(get(same_endpoint ? "/v1/a" : "/v1/" + std::to_string(int(in)), in)));
      }
    }
    REQUIRE(w.settle());
    std::vector<std::size_t> went;
    for (const sending& s : w.sent())
      went.push_back(lane_of(s));
    // The first two left before the others had come.
    const auto busy_until = std::ranges::count(went, 0U) == 200
                                ? std::find(went.rbegin(), went.rend(), 0U).base() - went.begin()
                                : 0;
    REQUIRE(busy_until > 200);
    for (std::size_t lane = 0; lane < 4; ++lane) {
      for (long at = 2; at + 8 <= busy_until; ++at) {
        REQUIRE(std::count(went.begin() + at, went.begin() + at + 8, lane) >= 1);
      }
    }
  }
}

TEST_CASE(
    "A lane that has turns elsewhere still gets one where an earlier lane floods an endpoint") {
  gateway_limits limits = wide();
  limits.endpoint_per_s = 10;
  limits.burst = 1;
  world w(limits, always(says(200)));
  w.submit(patient(get("/v1/crowded", lane::check)));
  const ticket waits = w.submit(patient(get("/v1/crowded", lane::repair)));
  for (int i = 0; i < 100; ++i) {
    w.submit(patient(get("/v1/crowded", lane::check)));
    w.submit(patient(get("/v1/quiet", lane::repair)));
  }
  w.run_for(5'000);
  const auto& sent = w.sent();
  const auto its = std::ranges::find(sent, waits, &sending::id);
  REQUIRE(its != sent.end());
  const auto before = std::count_if(
      sent.begin(), its, [](const sending& s) { return s.call->target == "/v1/crowded"; });
  CHECK(before <= 8);
}

TEST_CASE("Inside a lane the oldest call that may go is next") {
  gateway_limits limits = wide();
  limits.most_in_flight_endpoint = 1;
  world w(limits, always(says(200)));
  for (int i = 0; i < 3; ++i)
    w.submit(get("/v1/a?" + std::to_string(i)));
  for (int i = 0; i < 3; ++i)
    w.submit(get("/v1/b?" + std::to_string(i)));
  REQUIRE(w.settle());
  std::vector<std::string> targets;
  for (const sending& s : w.sent())
    targets.push_back(s.call->target);
  CHECK(targets ==
        std::vector<std::string>{"/v1/a?0", "/v1/b?0", "/v1/a?1", "/v1/b?1", "/v1/a?2", "/v1/b?2"});
}

TEST_CASE("Reads and writes have budgets of their own") {
  gateway_limits limits = wide();
  limits.read_per_s = 1;
  limits.burst = 5;
  world w(limits, always(says(200)));
  for (int i = 0; i < 50; ++i)
    w.submit(patient(get("/v1/customers")));
  for (int i = 0; i < 5; ++i)
    w.submit(post("/v1/customers"));
  w.run_for(1);
  CHECK(std::ranges::count_if(w.sent(), [](const sending& s) { return s.call->verb == "GET"; }) ==
        5);
  CHECK(std::ranges::count_if(w.sent(), [](const sending& s) { return s.call->verb == "POST"; }) ==
        5);
}

TEST_CASE("A budget that is used is used: the queue drains at the rate") {
  gateway_limits limits;
  world w(limits, always(says(200)));
  for (int i = 0; i < 1'025; ++i)
    w.submit(patient(get("/v1/customers", lane::backfill)));
  REQUIRE(w.settle());
  const std::int64_t took = w.now() - 1'000'000;
  CHECK(took >= 40'000);
  CHECK(took <= 41'000);
}

TEST_CASE("A 429 halves what Stripe says was too much, and nothing else") {
  struct row {
    std::string reason;
    std::string body = "{}";
    double reads = 25, writes = 25, width = 20, endpoint_rate = 25, endpoint_width = 20;
  };
  for (const row& r :
       std::vector<row>{{"global-rate", "{}", 12.5, 25, 20, 25, 20},
                        {"", "{}", 12.5, 25, 20, 25, 20},
                        {"something-new", "{}", 12.5, 25, 20, 25, 20},
                        {"global-concurrency", "{}", 25, 25, 10, 25, 20},
                        {"endpoint-rate", "{}", 25, 25, 20, 12.5, 20},
                        {"endpoint-concurrency", "{}", 25, 25, 20, 25, 10},
                        {"resource-specific", "{}", 25, 25, 20, 25, 20},
                        {"", R"({"error":{"code":"lock_timeout"}})", 25, 25, 20, 25, 20}}) {
    INFO(r.reason << r.body);
    gateway_plan plan({});
    plan.submit(1, get("/v1/a"), 1'000);
    plan.answered(1, {429, {{"stripe-rate-limited-reason", r.reason}}, r.body, 5}, 1'005);
    const gateway_status s = plan.status(1'005);
    CHECK(s.read_rate_per_s == r.reads);
    CHECK(s.write_rate_per_s == r.writes);
    CHECK(s.width == r.width);
    REQUIRE(s.endpoints.size() == 1);
    CHECK(s.endpoints[0].rate_per_s == r.endpoint_rate);
    CHECK(s.endpoints[0].width == r.endpoint_width);
    CHECK(s.throttled == 1);
  }
}

TEST_CASE("However often Stripe says 429, the gateway goes on asking, slowly") {
  gateway_limits limits;
  limits.most_in_flight = 4;
  for (const char* reason :
       {"global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency"}) {
    world w(limits, always(says(429, {{"stripe-rate-limited-reason", reason}})));
    for (int i = 0; i < 200; ++i)
      w.submit(patient(get("/v1/a")));
    for (int i = 0; i < 100; ++i) {
      w.run_for(1'000);
      const gateway_status s = w.status();
      REQUIRE(s.read_rate_per_s >= 1);
      REQUIRE(s.width >= 1);
      REQUIRE(s.endpoints.at(0).rate_per_s >= 1);
      REQUIRE(s.endpoints.at(0).width >= 1);
    }
    CHECK(w.sent().size() > 100);
  }
}

TEST_CASE("The width shrinks for real and grows back with time") {
  gateway_limits limits = wide();
  limits.most_in_flight = limits.most_in_flight_endpoint = 16;
  limits.width_recovers_in_s = 16;  // one a second
  gateway_plan plan(limits);
  std::int64_t now = 1'000;
  for (ticket id = 1; id <= 100; ++id)
    plan.submit(id, patient(get("/v1/a")), now);
  CHECK(plan.status(now).in_flight == 16);
  now = 1'100;
  plan.answered(1, {429, {{"stripe-rate-limited-reason", "global-concurrency"}}, "", 100}, now);
  CHECK(plan.status(now).width == 8);
  for (ticket id = 2; id <= 8; ++id) {
    CHECK(plan.answered(id, {200, {}, "", 100}, now).send.empty());
  }
  CHECK(plan.status(now).in_flight == 8);
  CHECK(plan.answered(9, {200, {}, "", 100}, now).send.size() == 1);
  const actions later = plan.tick(now + 2'000);
  CHECK(later.send.size() == 2);
}

TEST_CASE("A plan that waits for its width to grow asks to be woken for it") {
  gateway_limits limits = wide();
  limits.most_in_flight = 4;
  limits.width_recovers_in_s = 4;
  world w(limits, [](const to_send& s, std::int64_t) {
    reply r = s.id == 1 && s.attempt == 1
                  ? says(429, {{"stripe-rate-limited-reason", "global-concurrency"}})
                  : says(200);
    if (r.status == 200) r.after_ms = 1'000'000;
    return r;
  });
  for (int i = 0; i < 10; ++i)
    w.submit(patient(get("/v1/a")));
  w.run_for(10'000);
  CHECK(w.status().in_flight == 4);
}

TEST_CASE("The rates find what Stripe allows, and most of it is used") {
  // A server that allows 10 reads/s with a burst of 10, less than half of what is configured.
  double tokens = 10;
  std::int64_t last = 1'000'000;
  int refused = 0;
  int served = 0;
  world w({}, [&](const to_send&, std::int64_t now) {
    tokens = std::min(10.0, tokens + static_cast<double>(now - last) / 100);
    last = now;
    if (tokens < 1) {
      ++refused;
      return says(429);
    }
    tokens -= 1;
    ++served;
    return says(200);
  });
  for (int i = 0; i < 1'900; ++i)
    w.submit(patient(get("/v1/customers", lane::backfill)));
  w.run_for(180'000);
  INFO("served " << served << " refused " << refused);
  CHECK(served > 180 * 10 * 6 / 10);
  CHECK(refused < served / 20);
}

TEST_CASE("The breaker: an outage costs few tries, and its end is noticed soon") {
  bool down = true;
  world w({}, [&](const to_send&, std::int64_t) { return down ? lost(true, 50) : says(200); });
  std::vector<ticket> orders;
  for (int i = 0; i < 100; ++i)
    orders.push_back(w.submit(patient(post("/v1/a", "k"))));
  w.run_for(300'000);
  CHECK(w.status().breaker_open);
  // 20 of the first crowd; then one probe each 1, 2, 4 … 30 s (shortened at random).
  CHECK(w.sent().size() < 60);
  CHECK(w.sent().size() > 25);
  down = false;
  const std::int64_t healed = w.now();
  REQUIRE(w.settle());
  CHECK(w.now() - healed < 30'000 + 30'000 + 100 * 1000 / 25);
  for (const ticket id : orders)
    CHECK(w.end_of(id).status == 200);
}

TEST_CASE("While the breaker is open a check is told at once, and orders wait") {
  bool down = true;
  world w({}, [&](const to_send&, std::int64_t) { return down ? lost(false, 10) : says(200); });
  for (int i = 0; i < 10; ++i)
    w.submit(patient(post("/v1/a", "k")));
  const ticket early_check = w.submit(get("/v1/b", lane::check));
  w.run_for(60);
  REQUIRE(w.status().breaker_open);
  CHECK(w.end_of(early_check).end == call_end::not_sent);
  const ticket check = w.submit(get("/v1/b", lane::check));
  CHECK(w.delivered_at(check) == w.now());
  CHECK(w.end_of(check).end == call_end::not_sent);
  const ticket order = w.submit(post("/v1/b", "k2"));
  const ticket repair = w.submit(get("/v1/b", lane::repair));
  const ticket backfill = w.submit(get("/v1/b", lane::backfill));
  down = false;
  REQUIRE(w.settle());
  for (const ticket id : {order, repair, backfill})
    CHECK(w.end_of(id).status == 200);
}

TEST_CASE("A check can be the probe, so the breaker closes when nothing else is asked") {
  bool down = true;
  world w({}, [&](const to_send&, std::int64_t) { return down ? lost(false, 10) : says(200); });
  for (int i = 0; i < 30 && !w.status().breaker_open; ++i) {
    w.submit(get("/v1/b", lane::check));
    w.run_for(20);
  }
  REQUIRE(w.status().breaker_open);
  REQUIRE(w.pending() == 0);
  CHECK_FALSE(w.wake());
  down = false;
  w.run_for(1'000);
  const ticket probe = w.submit(get("/v1/b", lane::check));
  const ticket beside = w.submit(get("/v1/b", lane::check));
  CHECK(w.end_of(beside).end == call_end::not_sent);
  REQUIRE(w.settle());
  CHECK(w.end_of(probe).status == 200);
  CHECK_FALSE(w.status().breaker_open);
}

TEST_CASE("5xx open the breaker, refusals do not") {
  for (const int status : {500, 503, 429, 409, 404}) {
    world w({}, always(says(status)));
    for (int i = 0; i < 20; ++i)
      w.submit(patient(get("/v1/a")));
    w.run_for(200);
    INFO(status);
    CHECK(w.status().breaker_open == (status >= 500));
  }
}
