// Sources: https://docs.stripe.com/billing/subscriptions/subscription-schedules
//          https://docs.stripe.com/api/subscription_schedules
// Where these are silent, the rule is assumed; the title says so.
#include "schedule_shop.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using namespace tilld::test::schedules;
using tilld::test::check_shapes;
using tilld::test::json;
using tilld::test::new_year_s;
using tilld::test::reply;
using tilld::test::the_one;

TEST_CASE("A schedule that starts now has its subscription at once", "[schedules]") {
  shop s;
  s.c.events();
  const auto made = s.two_phases("&metadata[a]=b");
  REQUIRE(made.status == 200);
  CHECK(made.body["status"] == "active");
  CHECK(made.body["metadata"] == json{{"a", "b"}});
  CHECK(made.body["end_behavior"] == "release");
  CHECK(made.body["current_phase"] == json{{"end_date", february_s}, {"start_date", new_year_s}});
  CHECK(made.body["phases"][1]["start_date"] == february_s);
  CHECK(made.body["phases"][1]["end_date"] == march_s);
  const auto sub = s.subscription_of(made);
  CHECK(sub["schedule"] == made.id());
  CHECK(sub["status"] == "active");
  CHECK(sub["items"]["data"][0]["price"]["id"] == s.silver);
  CHECK(of_schedules(s.c.told()) == types{"subscription_schedule.created"});
  check_shapes(s.c.dump());
}

TEST_CASE("The first invoice of a schedule has its draft hour, assumed as of renewals",
          "[schedules]") {
  shop s;
  const auto made = s.two_phases();
  CHECK(s.invoice(s.subscription_of(made))["status"] == "draft");
  s.live_until(new_year_s + 3601);
  const auto paid = s.invoice(s.subscription_of(made));
  CHECK(paid["status"] == "paid");
  CHECK(paid["total"] == 1000);
  CHECK(paid["billing_reason"] == "subscription_create");
}

TEST_CASE("A schedule that starts later waits, and begins in its second", "[schedules]") {
  shop s;
  const auto made = s.schedule(s.item(0, s.silver), std::to_string(february_s));
  CHECK(made.body["status"] == "not_started");
  CHECK(made.body["subscription"].is_null());
  CHECK(made.body["current_phase"].is_null());
  CHECK(made.body["phases"][0]["end_date"] == march_s);
  CHECK(s.c.get(path, "scheduled=true").body["data"].size() == 1);
  CHECK(s.c.get(path, "scheduled=false").body["data"].empty());
  s.c.events();
  s.live_until(february_s + 5);
  const auto begun = s.get(made);
  CHECK(begun["status"] == "active");
  const auto sub = s.c.get("/v1/subscriptions/" + begun["subscription"].get<std::string>()).body;
  CHECK(sub["start_date"] == february_s);
  const auto events = s.c.events();
  const auto updated = the_one(events, "subscription_schedule.updated");
  CHECK(updated["created"] == february_s);
  CHECK(updated["data"]["previous_attributes"]["status"] == "not_started");
  CHECK(the_one(events, "customer.subscription.created")["data"]["object"]["schedule"] ==
        made.id());
}

TEST_CASE("A phase that ends with the period bills the new one by the next phase alone",
          "[schedules]") {
  shop s;
  const auto made = s.two_phases();
  s.live_until(new_year_s + 7200);
  s.c.events();
  s.live_until(february_s + 3601);
  const auto sub = s.subscription_of(made);
  CHECK(sub["items"]["data"].size() == 1);
  CHECK(sub["items"]["data"][0]["price"]["id"] == s.gold);
  CHECK(sub["items"]["data"][0]["current_period_end"] == march_s);
  const auto invoice = s.invoice(sub);
  CHECK(invoice["total"] == 2000);
  CHECK(invoice["lines"]["data"].size() == 1);
  CHECK(invoice["billing_reason"] == "subscription_cycle");
  const auto updated = the_one(s.c.events(), "subscription_schedule.updated");
  CHECK(updated["data"]["previous_attributes"]["current_phase"]["start_date"] == new_year_s);
}

TEST_CASE("What is foretold before a phase ends is the invoice of the next", "[schedules]") {
  shop s;
  const auto made = s.two_phases();
  s.live_until(new_year_s + 7200);
  s.c.events();
  const std::string sub = made.body["subscription"];
  const auto preview = s.c.post("/v1/invoices/create_preview", "subscription=" + sub);
  CHECK(preview.body["total"] == 2000);
  s.live_until(february_s - 6 * day_s);
  const auto upcoming = the_one(s.c.events(), "invoice.upcoming");
  CHECK(upcoming["data"]["object"]["total"] == 2000);
  CHECK(s.get(made)["current_phase"]["start_date"] == new_year_s);
  CHECK(s.subscription_of(made)["items"]["data"][0]["price"]["id"] == s.silver);
}

TEST_CASE("A phase that ends midway prorates as the next one wants", "[schedules]") {
  struct row {
    std::string behavior;
    std::int64_t next_total;  // of the renewal
  };
  // Half of January is left: 1000 is given back for silver and 2000 taken for gold, in halves.
  for (const auto& r : {row{"create_prorations", 2000 + 500}, row{"none", 2000}}) {
    CAPTURE(r.behavior);
    shop s;
    const std::int64_t middle = new_year_s + month_s / 2;
    const auto made = s.schedule(s.item(0, s.silver, "[end_date]=" + std::to_string(middle)) + "&" +
                                 s.item(1, s.gold, "[duration][interval]=year") +
                                 "&phases[1][proration_behavior]=" + r.behavior);
    s.live_until(middle + 1);
    const auto sub = s.subscription_of(made);
    CHECK(sub["items"]["data"][0]["price"]["id"] == s.gold);
    CHECK(sub["items"]["data"][0]["current_period_end"] == february_s);
    s.live_until(february_s + 3601);
    CHECK(s.invoice(s.subscription_of(made))["total"] == r.next_total);
  }
}

TEST_CASE("billing_cycle_anchor=phase_start begins a period with the phase", "[schedules]") {
  shop s;
  const std::int64_t middle = new_year_s + month_s / 2;
  const auto made = s.schedule(s.item(0, s.silver, "[end_date]=" + std::to_string(middle)) + "&" +
                               s.item(1, s.gold, "[duration][interval]=month") +
                               "&phases[1][billing_cycle_anchor]=phase_start");
  s.live_until(middle + 1);
  const auto sub = s.subscription_of(made);
  CHECK(sub["billing_cycle_anchor"] == middle);
  CHECK(sub["items"]["data"][0]["current_period_start"] == middle);
  CHECK(s.invoice(sub)["total"] == 2000 - 500);
}

TEST_CASE("When the last phase ends the subscription goes on without its schedule, or ends with it",
          "[schedules]") {
  shop s;
  const auto released = s.two_phases();
  s.live_until(march_s - 1);
  s.c.events();
  s.live_until(march_s + 7200);
  auto after = s.get(released);
  CHECK(after["status"] == "released");
  CHECK(after["released_at"] == march_s);
  CHECK(after["subscription"].is_null());
  CHECK(after["released_subscription"] == released.body["subscription"]);
  CHECK(after["current_phase"].is_null());
  CHECK(of_schedules(s.c.told()) ==
        types{"subscription_schedule.updated", "subscription_schedule.released"});
  auto sub = s.subscription_of(released);
  CHECK(sub["status"] == "active");
  CHECK(sub["schedule"].is_null());
  CHECK(s.invoice(sub)["status"] == "paid");

  shop t;
  const auto ended = t.two_phases("&end_behavior=cancel");
  t.live_until(march_s - 1);
  sub = t.subscription_of(ended);
  CHECK(sub["cancel_at"] == march_s);
  t.c.events();
  t.live_until(march_s + 7200);
  after = t.get(ended);
  CHECK(after["status"] == "completed");
  CHECK(after["completed_at"] == march_s);
  CHECK(t.subscription_of(ended)["status"] == "canceled");
  CHECK(of_schedules(t.c.told()) == types{"subscription_schedule.completed"});
}

TEST_CASE("Seven days before a schedule ends it is said to expire, once", "[schedules]") {
  shop s;
  const auto made = s.two_phases();
  s.live_until(march_s - 8 * day_s);
  s.c.events();
  s.live_until(march_s - 1);
  const auto expiring = the_one(s.c.events(), "subscription_schedule.expiring");
  CHECK(expiring["created"] == march_s - 7 * day_s);
  CHECK(expiring["data"]["object"]["id"] == made.id());
}

TEST_CASE("A discount goes on where the next phase names it too, and ends where it does not",
          "[schedules]") {
  shop s;
  const std::string half = s.c.post("/v1/coupons", "percent_off=50&duration=forever").id();
  const auto with = [&](int phase) {
    return s.item(phase, s.silver, "[duration][interval]=month") + "&phases[" +
           std::to_string(phase) + "][discounts][0][coupon]=" + half;
  };
  const auto made = s.schedule(with(0) + "&" + with(1) + "&" + s.item(2, s.silver));
  const auto first = s.subscription_of(made)["discounts"];
  CHECK(first.size() == 1);
  CHECK(made.body["phases"][0]["discounts"][0]["coupon"] == half);
  s.live_until(february_s + 1);
  CHECK(s.subscription_of(made)["discounts"] == first);
  CHECK(s.invoice(s.subscription_of(made))["total"] == 500);
  s.live_until(march_s + 1);
  CHECK(s.subscription_of(made)["discounts"].empty());
  CHECK(s.invoice(s.subscription_of(made))["total"] == 1000);
}

TEST_CASE("A phase may be a trial, and what follows is billed when it ends", "[schedules]") {
  shop s;
  const auto made = s.schedule(s.item(0, s.silver, "[trial]=true") +
                               "&phases[0][duration][interval]=week&" + s.item(1, s.gold));
  CHECK(made.body["phases"][0]["trial_end"] == new_year_s + 7 * day_s);
  CHECK(s.subscription_of(made)["status"] == "trialing");
  s.live_until(new_year_s + 7 * day_s + 3601);
  const auto sub = s.subscription_of(made);
  CHECK(sub["status"] == "active");
  CHECK(s.invoice(sub)["total"] == 2000);
  CHECK(s.invoice(sub)["status"] == "paid");
}

TEST_CASE("Items of the next phase take the places of those that are there", "[schedules]") {
  shop s;
  const std::string seats = s.c.price(300, "month", "Seats");
  const auto made =
      s.schedule(s.item(0, s.silver) + "&phases[0][items][1][price]=" + seats + "&" +
                 "phases[1][items][0][price]=" + seats + "&phases[1][items][0][quantity]=4");
  const auto before = s.subscription_of(made)["items"]["data"];
  REQUIRE(before.size() == 2);
  s.live_until(february_s + 1);
  const auto after = s.subscription_of(made)["items"]["data"];
  REQUIRE(after.size() == 1);
  CHECK(after[0]["id"] == before[1]["id"]);
  CHECK(after[0]["quantity"] == 4);
  CHECK(s.invoice(s.subscription_of(made))["total"] == 1200);
}

TEST_CASE("Months of phases are counted from the anchor: the 31st comes back after February",
          "[schedules]") {
  shop s;
  s.c.now_s = new_year_s + 30 * day_s;
  const auto made = s.schedule(s.item(0, s.silver, "[duration][interval]=month") + "&" +
                               s.item(1, s.gold, "[duration][interval]=month"));
  CHECK(made.body["phases"][0]["end_date"] == new_year_s + 58 * day_s);  // 28 February
  CHECK(made.body["phases"][1]["end_date"] == new_year_s + 89 * day_s);  // 31 March
}

TEST_CASE("A subscription that is given up for want of money aborts its schedule", "[schedules]") {
  shop s;
  s.ada = s.c.customer("pm_card_chargeCustomerFail");
  const auto made = s.schedule(s.item(0, s.silver, "[duration][interval]=year"));
  s.live_until(new_year_s + 30 * day_s);
  CHECK(s.subscription_of(made)["status"] == "canceled");
  CHECK(s.get(made)["status"] == "canceled");
  const auto told = of_schedules(s.c.told());
  CHECK(told.back() == "subscription_schedule.aborted");
}

TEST_CASE("What the next phase wants and cannot be done any more leaves all as it is, assumed",
          "[schedules]") {
  shop s;
  const std::string half = s.c.post("/v1/coupons", "percent_off=50&duration=once").id();
  const auto made =
      s.two_phases("&phases[1][items][0][quantity]=9&phases[1][discounts][0][coupon]=" + half);
  REQUIRE(made.status == 200);
  s.c.del("/v1/coupons/" + half);
  s.live_until(february_s + 7200);
  CHECK(s.get(made)["current_phase"]["start_date"] == february_s);
  const auto sub = s.subscription_of(made);
  CHECK(sub["items"]["data"][0]["price"]["id"] == s.silver);
  CHECK(sub["items"]["data"][0]["quantity"] == 1);
  CHECK(s.invoice(sub)["total"] == 1000);
  CHECK(s.invoice(sub)["status"] == "paid");
}

TEST_CASE("A schedule's settings hold where a phase says nothing of its own", "[schedules]") {
  shop s;
  const auto made = s.two_phases(
      "&default_settings[collection_method]=send_invoice"
      "&default_settings[invoice_settings][days_until_due]=10&default_settings[description]=All"
      "&phases[1][description]=Own&phases[1][invoice_settings][days_until_due]=20"
      "&phases[1][metadata][a]=b");
  REQUIRE(made.status == 200);
  auto sub = s.subscription_of(made);
  CHECK(sub["collection_method"] == "send_invoice");
  CHECK(sub["days_until_due"] == 10);
  CHECK(sub["description"] == "All");
  s.live_until(february_s + 1);
  sub = s.subscription_of(made);
  CHECK(sub["days_until_due"] == 20);
  CHECK(sub["description"] == "Own");
  CHECK(sub["metadata"] == json{{"a", "b"}});
}

TEST_CASE("A schedule may be of prices that it makes itself or that are archived later",
          "[schedules]") {
  shop s;
  const auto product = s.c.post("/v1/products", "name=Own").id();
  const auto made = s.schedule(
      "phases[0][items][0][price_data][currency]=usd&phases[0][items][0][price_data][product]=" +
      product +
      "&phases[0][items][0][price_data][unit_amount]=700"
      "&phases[0][items][0][price_data][recurring][interval]=month&" +
      s.item(1, s.gold));
  REQUIRE(made.status == 200);
  s.c.post("/v1/prices/" + s.gold, "active=false");
  s.live_until(new_year_s + 7200);
  CHECK(s.invoice(s.subscription_of(made))["total"] == 700);
  s.live_until(february_s + 7200);
  CHECK(s.invoice(s.subscription_of(made))["total"] == 2000);
}

TEST_CASE("A test clock moves the schedules of its customers", "[schedules]") {
  shop s;
  const std::string clock =
      s.c.post("/v1/test_helpers/test_clocks", "frozen_time=" + std::to_string(new_year_s)).id();
  s.ada = s.c.post("/v1/customers", "test_clock=" + clock +
                                        "&payment_method=pm_card_visa&invoice_settings"
                                        "[default_payment_method]=pm_card_visa")
              .id();
  const auto made = s.two_phases();
  CHECK(made.body["test_clock"] == clock);
  CHECK(s.c.get(path).body["data"].empty());
  s.c.post("/v1/test_helpers/test_clocks/" + clock + "/advance",
           "frozen_time=" + std::to_string(february_s + 7200));
  CHECK(s.get(made)["current_phase"]["start_date"] == february_s);
  CHECK(s.invoice(s.subscription_of(made))["total"] == 2000);
}

TEST_CASE("A change that cannot be paid leaves the phase in force and the money owed",
          "[schedules]") {
  shop s;
  s.ada = s.c.customer("");
  const auto yearly = s.c.price(20'000, "year", "Yearly");
  const std::string free = s.c.price(0, "month", "Free");
  const auto made = s.schedule(s.item(0, free) + "&" + s.item(1, yearly));
  REQUIRE(made.status == 200);
  s.live_until(february_s + 60);
  const auto sub = s.subscription_of(made);
  CHECK(sub["items"]["data"][0]["price"]["id"] == yearly);
  CHECK(sub["status"] == "past_due");
  CHECK(s.invoice(sub)["status"] == "open");
  CHECK(s.get(made)["current_phase"]["start_date"] == february_s);
}
