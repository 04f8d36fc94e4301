// Schedules of any shape, lived through: no step of the clock breaks, and a subscription always has
// what the phase of the moment says.
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;

namespace {

constexpr std::int64_t day_s = 86'400;

template <class T>
T any_of(const std::vector<T>& all) {
  return *rc::gen::elementOf(all);
}

int below(int n) {
  return *rc::gen::inRange(0, n);
}

struct shop {
  explicit shop(std::uint64_t seed) : c(seed) {
    clock =
        c.post("/v1/test_helpers/test_clocks", "frozen_time=" + std::to_string(new_year_s)).id();
    const std::string card = any_of<std::string>({"pm_card_visa", "pm_card_visa", "", "fails"});
    const std::string method = card == "fails" ? "pm_card_chargeCustomerFail" : card;
    customer =
        c.post("/v1/customers",
               "test_clock=" + clock +
                   (card.empty() ? ""
                                 : "&payment_method=" + method +
                                       "&invoice_settings[default_payment_method]=" + method))
            .id();
    prices = {c.price(1000), c.price(0), c.price(2500), c.price(300, "week"),
              c.price(9000, "year")};
    coupon = c.post("/v1/coupons", "percent_off=30&duration=once").id();
  }

  std::string phase(int i) const {
    const std::string at = "&phases[" + std::to_string(i) + "]";
    std::string form = at + "[items][0][price]=" + any_of(prices) + at +
                       "[items][0][quantity]=" + std::to_string(1 + below(3)) + at +
                       "[duration][interval]=" + any_of<std::string>({"day", "week", "month"}) +
                       at + "[duration][interval_count]=" + std::to_string(1 + below(9)) + at +
                       "[proration_behavior]=" +
                       any_of<std::string>({"none", "create_prorations", "always_invoice"});
    if (below(4) == 0) form += at + "[trial]=true";
    if (below(4) == 0) form += at + "[discounts][0][coupon]=" + coupon;
    if (below(4) == 0) form += at + "[billing_cycle_anchor]=phase_start";
    if (below(4) == 0) {
      form += at + "[collection_method]=send_invoice" + at + "[invoice_settings][days_until_due]=3";
    }
    return form;
  }

  json advance(std::int64_t to) {
    const std::string at = "/v1/test_helpers/test_clocks/" + clock;
    c.post(at + "/advance", "frozen_time=" + std::to_string(to));
    return c.get(at).body;
  }

  client c;
  std::string clock;
  std::string customer;
  std::vector<std::string> prices;
  std::string coupon;
};

const json* phase_of(const json& schedule) {
  for (const auto& phase : schedule["phases"]) {
    if (phase["start_date"] == schedule["current_phase"]["start_date"]) return &phase;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("Every schedule that is taken can be lived through", "[schedules]") {
  int taken = 0;
  int ended = 0;
  REQUIRE(rc::check("a schedule's phase is what its subscription has", [&] {
    shop s(static_cast<std::uint64_t>(below(1'000'000)));
    std::string form = "customer=" + s.customer + "&start_date=" +
                       any_of<std::string>({"now", std::to_string(new_year_s + day_s)}) +
                       "&end_behavior=" + any_of<std::string>({"release", "cancel"});
    const int phases = 1 + below(4);
    for (int i = 0; i < phases; ++i)
      form += s.phase(i);
    const auto made = s.c.post("/v1/subscription_schedules", form);
    if (made.status != 200) {
      RC_ASSERT(made.status == 400 || made.status == 402);
      return;
    }
    ++taken;
    const std::string at = "/v1/subscription_schedules/" + made.id();
    for (std::int64_t now = new_year_s; now < new_year_s + 300 * day_s;) {
      now += (1 + below(13)) * day_s + below(2) * 3700;
      const json clock = s.advance(now);
      RC_ASSERT(clock["status"] == "ready");
      RC_ASSERT(clock["frozen_time"] == now);
      const json schedule = s.c.get(at).body;
      if (schedule["status"] == "not_started") continue;
      if (schedule["status"] != "active") {
        ++ended;
        return;
      }
      RC_ASSERT(schedule["current_phase"]["start_date"].get<std::int64_t>() <= now);
      RC_ASSERT(schedule["current_phase"]["end_date"].get<std::int64_t>() > now);
      const json* phase = phase_of(schedule);
      RC_ASSERT(phase != nullptr);
      const json sub =
          s.c.get("/v1/subscriptions/" + schedule["subscription"].get<std::string>()).body;
      RC_ASSERT(sub["schedule"] == made.id());
      RC_ASSERT(sub["items"]["data"].size() == 1U);
      const json item = sub["items"]["data"][0];
      RC_ASSERT(item["price"]["id"] == (*phase)["items"][0]["price"]);
      RC_ASSERT(item["quantity"] == (*phase)["items"][0]["quantity"]);
      RC_ASSERT(item["current_period_start"].get<std::int64_t>() <= now);
      if (sub["status"] != "paused") {
        RC_ASSERT(item["current_period_end"].get<std::int64_t>() > now);
      }
    }
  }));
  CHECK(taken > 50);
  CHECK(ended > 20);
}
