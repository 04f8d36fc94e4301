// Whatever the server does: the promises of the plan under a random server in virtual time. The
// world checks rates, widths, tickets, keys and timers at every step; here the outcomes are held
// against what the server knows to be true.
#include <random>
#include <set>

#include <rapidcheck.h>

#include "gateway_world.hpp"

using namespace tilld;
using namespace tilld::core;
using namespace tilld::core::test;
using stripe::call_end;

namespace {

// A Stripe that is honest about keys and hostile about everything else.
class random_stripe {
 public:
  explicit random_stripe(std::uint64_t seed) : chance_(seed) {
    hostility_ = static_cast<int>(chance_() % 90);
    outages_ = chance_() % 2 == 0;
  }

  void heal() { healed_ = true; }

  reply operator()(const to_send& s, std::int64_t now_ms) {
    reply r = play(*s.what, now_ms);
    if (r.after_ms == 100) r.after_ms = 1 + static_cast<std::int64_t>(chance_() % 2'000);
    if (r.maybe_sent) received_.insert(s.id);
    return r;
  }

  bool received(ticket id) const { return received_.contains(id); }
  // How often what this key stands for was done.
  int done(const std::string& name) const {
    const auto found = done_.find(name);
    return found == done_.end() ? 0 : found->second;
  }

 private:
  bool chance(int percent) { return static_cast<int>(chance_() % 100) < percent; }

  reply play(const stripe::call& call, std::int64_t now_ms) {
    if (healed_) return execute(call);
    const bool outage = outages_ && (now_ms / 20'000) % 3 == 1;
    if (outage) return lost(chance(50), chance(50) ? 30'000 : 10);
    if (!chance(hostility_)) return execute(call);
    switch (chance_() % 12) {
      case 0:
        return lost(false);
      case 1:
        return lost(true);
      case 2:
        execute(call);
        return lost(true, 80'000);
      case 3:
        execute(call);
        return says(500);
      case 4:
        return says(500);
      case 5:
        return says(503, {{"retry-after", std::to_string(chance_() % 20)}});
      case 6:
        return says(429, {{"stripe-rate-limited-reason", reason()}});
      case 7:
        return says(429);
      case 8:
        return says(409, {}, R"({"error":{"code":"lock_timeout"}})");
      case 9:
        return says(409, {}, R"({"error":{"code":"idempotency_key_in_use"}})");
      case 10:
        return says(chance(50) ? 401 : 403);
      default: {
        if (chance(50)) execute(call);
        return says(502, {{"stripe-should-retry", chance(50) ? "true" : "false"}});
      }
    }
  }

  // The truth: half of all orders succeed, a quarter is declined after a look, a quarter is
  // invalid. A key whose order was executed answers the same for ever.
  reply execute(const stripe::call& call) {
    if (call.verb == "GET") return says(200);
    const std::size_t kind = std::hash<std::string>()(call.target) % 4;
    if (kind == 3) return says(400);
    const bool seen = !call.idempotency_key.empty() && done_.contains(call.target);
    if (!seen) ++done_[call.target];
    const int status = kind == 2 ? 402 : 200;
    return seen ? says(status, {{"idempotent-replayed", "true"}}) : says(status);
  }

  std::string reason() {
    constexpr std::array<const char*, 6> reasons{"global-rate",       "global-concurrency",
                                                 "endpoint-rate",     "endpoint-concurrency",
                                                 "resource-specific", "news"};
    return reasons[chance_() % reasons.size()];
  }

  std::mt19937_64 chance_;
  int hostility_ = 0;
  bool outages_ = false;
  bool healed_ = false;
  std::set<ticket> received_;
  std::map<std::string, int> done_;
};

gateway_limits random_limits(std::mt19937_64& chance) {
  const auto within = [&](int low, int high) {
    return low + static_cast<int>(chance() % static_cast<std::uint64_t>(high - low + 1));
  };
  gateway_limits l;
  l.read_per_s = within(2, 100);
  l.write_per_s = within(2, 100);
  l.endpoint_per_s = within(2, 50);
  l.burst = within(1, 40);
  l.most_in_flight = within(1, 30);
  l.most_in_flight_endpoint = within(1, 30);
  l.most_queued = static_cast<std::size_t>(within(5, 2'000));
  l.most_endpoints = static_cast<std::size_t>(within(1, 12));
  l.breaking.failures_to_open = within(2, 20);
  return l;
}

stripe::call random_call(std::mt19937_64& chance, int number) {
  stripe::call c;
  const std::uint64_t endpoint = chance() % 6;
  c.target = "/v1/e" + std::to_string(endpoint) + "/" + std::to_string(number);
  c.in = static_cast<stripe::lane>(chance() % stripe::lane_count);
  c.give_up_after_ms = chance() % 4 == 0 ? static_cast<std::int64_t>(chance() % 5'000)
                                         : static_cast<std::int64_t>(chance() % 200'000);
  if (chance() % 2 == 0) return c;
  c.verb = "POST";
  c.body = "n=" + std::to_string(number);
  if (chance() % 5 != 0) c.idempotency_key = "key_" + std::to_string(number);
  return c;
}

// Is what the caller was told true?
void check_truth(const random_stripe& stripe, ticket id, const stripe::call& call,
                 const stripe::outcome& o) {
  const int done = stripe.done(call.target);
  if (call.verb == "POST") REQUIRE(done <= 1);
  if (o.end == call_end::not_sent) {
    REQUIRE_FALSE(stripe.received(id));
    REQUIRE(o.status == 0);
  }
  if (o.end == call_end::unknown) REQUIRE(stripe.received(id));
  if (o.end != call_end::answered) {
    REQUIRE_FALSE(o.why.empty());
    return;
  }
  REQUIRE(o.status >= 200);
  if (call.verb != "POST") return;
  const bool says_done = o.status == 200 || o.status == 402;
  REQUIRE(done == (says_done ? 1 : 0));
}

void run(std::uint64_t seed) {
  std::mt19937_64 chance(seed);
  random_stripe stripe(seed + 1);
  world w(
      random_limits(chance), [&](const to_send& s, std::int64_t now) { return stripe(s, now); },
      seed + 2);
  std::map<ticket, stripe::call> calls;
  const int count = 20 + static_cast<int>(chance() % 300);
  std::int64_t when = w.now();
  for (int i = 0; i < count; ++i) {
    if (chance() % 3 != 0) when += static_cast<std::int64_t>(chance() % 500);
    w.at(when, [&, i] {
      stripe::call c = random_call(chance, i);
      const ticket id = w.submit(c);
      calls.emplace(id, std::move(c));
    });
  }
  const std::int64_t heals = when + static_cast<std::int64_t>(chance() % 100'000);
  const bool drains = chance() % 5 == 0;
  w.at(heals, [&] { drains ? w.drain() : stripe.heal(); });
  w.run_until(heals);
  // Liveness: the longest give-up is 200 s, the longest try 80 s, each with a little room.
  REQUIRE(w.settle(300'000));
  REQUIRE(w.delivered().size() == calls.size());
  for (const auto& [id, o] : w.delivered())
    check_truth(stripe, id, calls.at(id), o);
  const gateway_status s = w.status();
  REQUIRE(s.in_flight == 0);
  REQUIRE(s.queued == std::array<std::size_t, 4>{});
  REQUIRE(s.queued_bytes == 0);
  REQUIRE(s.sleeping == 0);
  REQUIRE(s.answered + s.not_sent + s.unknown == calls.size());
  REQUIRE_FALSE(w.wake());
}

}  // namespace

TEST_CASE("Whatever the server does, each call ends once, in time, and with the truth") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    run(seed);
  }
}

TEST_CASE("A seed replays exactly") {
  const auto trace = [](std::uint64_t seed) {
    random_stripe stripe(seed);
    world w(
        {}, [&](const to_send& s, std::int64_t now) { return stripe(s, now); }, seed);
    std::mt19937_64 chance(seed);
    for (int i = 0; i < 100; ++i)
      w.submit(random_call(chance, i));
    w.settle();
    std::vector<std::pair<std::int64_t, ticket>> out;
    for (const sending& s : w.sent())
      out.emplace_back(s.at_ms, s.id);
    return out;
  };
  CHECK(trace(11) == trace(11));
  CHECK(trace(11) != trace(12));
}

TEST_CASE("When Stripe is well again everything that still has time is answered") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    random_stripe stripe(seed);
    world w(
        {}, [&](const to_send& s, std::int64_t now) { return stripe(s, now); }, seed);
    std::mt19937_64 chance(seed);
    for (int i = 0; i < 400; ++i) {
      stripe::call c = random_call(chance, i);
      c.give_up_after_ms = 24 * 3600 * 1000;
      if (c.in == stripe::lane::check) c.in = stripe::lane::repair;
      if (c.verb == "POST") c.idempotency_key = "key_" + std::to_string(i);
      w.submit(std::move(c));
    }
    w.run_for(5'000);
    stripe.heal();
    // 400 calls at no less than 1/s, after at most one closed breaker, one long try and one
    // backoff.
    REQUIRE(w.settle(400'000 + 30'000 + 80'000 + 30'000));
    for (const auto& [id, o] : w.delivered()) {
      if (o.end == call_end::not_sent) FAIL("not sent: " << o.why);
    }
  }
}
