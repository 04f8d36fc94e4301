// Schedules changed, ended and refused by requests.
// Sources: https://docs.stripe.com/billing/subscriptions/subscription-schedules
//          https://docs.stripe.com/api/subscription_schedules
#include "schedule_shop.hpp"
#include "support/catch.hpp"

using namespace tilld::test::schedules;
using tilld::test::json;
using tilld::test::new_year_s;
using tilld::test::reply;

TEST_CASE("A subscription becomes the first phase of a schedule, whose update adds the next",
          "[schedules]") {
  shop s;
  const std::string sub = s.c.subscription(s.ada, s.silver);
  s.c.wait(day_s);
  s.c.events();
  const auto made = s.c.post(path, "from_subscription=" + sub);
  REQUIRE(made.status == 200);
  CHECK(made.body["status"] == "active");
  CHECK(made.body["phases"].size() == 1);
  CHECK(made.body["phases"][0]["items"][0]["price"] == s.silver);
  CHECK(made.body["current_phase"] == json{{"end_date", february_s}, {"start_date", new_year_s}});
  CHECK(s.c.told() == types{"customer.subscription.updated", "subscription_schedule.created"});
  const auto again = s.c.post(path, "from_subscription=" + sub);
  CHECK(again.message() ==
        "You cannot migrate a subscription that is already attached to a schedule: `" + made.id() +
            "`.");
  const std::string both = s.item(0, s.silver, "[start_date]=" + std::to_string(new_year_s)) +
                           "&phases[0][end_date]=" + std::to_string(february_s) + "&" +
                           s.item(1, s.gold);
  const auto updated = s.c.post(std::string(path) + "/" + made.id(), both);
  REQUIRE(updated.status == 200);
  CHECK(updated.body["phases"].size() == 2);
  CHECK(s.c.told() == types{"subscription_schedule.updated"});
  s.live_until(february_s + 3601);
  const auto now = s.c.get("/v1/subscriptions/" + sub).body;
  CHECK(now["items"]["data"][0]["price"]["id"] == s.gold);
  CHECK(s.invoice(now)["total"] == 2000);
}

TEST_CASE("An update of the present phase changes the subscription at once", "[schedules]") {
  shop s;
  const auto made = s.two_phases();
  s.live_until(new_year_s + month_s / 2);
  const std::string at = std::string(path) + "/" + made.id();
  const std::string start = "[start_date]=" + std::to_string(new_year_s);
  const auto updated =
      s.c.post(at, s.item(0, s.silver, start) + "&phases[0][items][0][quantity]=3" +
                       "&phases[0][end_date]=" + std::to_string(march_s) +
                       "&proration_behavior=always_invoice");
  REQUIRE(updated.status == 200);
  CHECK(updated.body["current_phase"]["end_date"] == march_s);
  const auto sub = s.subscription_of(made);
  CHECK(sub["items"]["data"][0]["quantity"] == 3);
  CHECK(s.invoice(sub)["total"] == 1000);  // two more for half a month
  CHECK(s.invoice(sub)["status"] == "paid");
  // end_date=now lets the next phase begin.
  const auto ended = s.c.post(at, s.item(0, s.silver, start) + "&phases[0][end_date]=now&" +
                                      s.item(1, s.gold, "[duration][interval]=month"));
  REQUIRE(ended.status == 200);
  CHECK(ended.body["current_phase"]["start_date"] == s.c.now_s);
  CHECK(s.subscription_of(made)["items"]["data"][0]["price"]["id"] == s.gold);
}

TEST_CASE("A schedule is released or canceled by hand while it goes on", "[schedules]") {
  shop s;
  const auto first = s.two_phases("&end_behavior=cancel");
  s.live_until(february_s + 7200);
  CHECK(!s.subscription_of(first)["cancel_at"].is_null());
  s.c.events();
  const auto released = s.c.post(std::string(path) + "/" + first.id() + "/release");
  CHECK(released.body["status"] == "released");
  CHECK(s.subscription_of(first)["cancel_at"].is_null());
  CHECK(s.subscription_of(first)["schedule"].is_null());
  CHECK(s.c.told() == types{"customer.subscription.updated", "subscription_schedule.updated",
                            "subscription_schedule.released"});
  const auto late = s.c.post(std::string(path) + "/" + first.id() + "/cancel");
  CHECK(late.message() ==
        "You cannot cancel a subscription schedule that is currently in the `released` status. It "
        "must be in `not_started, active` status to be canceled.");

  const auto kept = s.two_phases("&end_behavior=cancel");
  s.live_until(s.c.now_s + 40 * day_s);
  const auto date = s.subscription_of(kept)["cancel_at"];
  CHECK(!date.is_null());
  s.c.post(std::string(path) + "/" + kept.id() + "/release", "preserve_cancel_date=true");
  CHECK(s.subscription_of(kept)["cancel_at"] == date);

  const auto second = s.two_phases();
  s.c.events();
  const auto canceled = s.c.post(std::string(path) + "/" + second.id() + "/cancel");
  CHECK(canceled.body["status"] == "canceled");
  CHECK(canceled.body["canceled_at"] == s.c.now_s);
  CHECK(s.subscription_of(second)["status"] == "canceled");
  CHECK(of_schedules(s.c.told()) == types{"subscription_schedule.canceled"});
}

TEST_CASE("A subscription that is canceled takes its schedule along, and is not told when to end",
          "[schedules]") {
  shop s;
  const auto made = s.two_phases();
  const std::string sub = "/v1/subscriptions/" + made.body["subscription"].get<std::string>();
  const auto refused = s.c.post(sub, "cancel_at_period_end=true");
  CHECK(refused.status == 400);
  CHECK(refused.message() ==
        "The subscription is managed by the subscription schedule `" + made.id() +
            "`, and updating any cancelation behavior directly is not allowed. Please update the "
            "schedule instead.");
  s.c.events();
  s.c.del(sub);
  CHECK(s.get(made)["status"] == "canceled");
  CHECK(of_schedules(s.c.told()) == types{"subscription_schedule.canceled"});
}

TEST_CASE("What a schedule names can be expanded", "[schedules]") {
  shop s;
  const auto rate = s.c.post("/v1/tax_rates", "display_name=T&percentage=10&inclusive=false").id();
  const auto made = s.two_phases("&phases[0][default_tax_rates][0]=" + rate);
  const auto shown = s.c.get(std::string(path) + "/" + made.id(),
                             "expand[0]=phases.items.price&expand[1]=subscription.schedule")
                         .body;
  CHECK(shown["phases"][0]["items"][0]["price"]["unit_amount"] == 1000);
  CHECK(shown["subscription"]["schedule"]["id"] == made.id());
  CHECK(shown["phases"][0]["default_tax_rates"][0]["percentage"] == 10);
  s.live_until(new_year_s + 3601);
  CHECK(s.invoice(s.subscription_of(made))["total"] == 1100);
}

TEST_CASE("A customer who goes takes the schedules along that wait", "[schedules]") {
  shop s;
  const auto made = s.schedule(s.item(0, s.silver), std::to_string(february_s));
  s.c.del("/v1/customers/" + s.ada);
  CHECK(s.get(made)["status"] == "canceled");
}

TEST_CASE("What a schedule cannot be is refused when it is made", "[schedules]") {
  shop s;
  const std::string once =
      s.c.post("/v1/prices", "currency=usd&unit_amount=5&product_data[name]=Once").id();
  struct row {
    std::string form;  // customer and start are there
    std::string param;
  };
  const std::string two = s.item(0, s.silver) + "&" + s.item(1, s.gold);
  for (const auto& r : std::vector<row>{
           {"", "phases"},
           {"phases[0][proration_behavior]=none", "phases[0][items]"},
           {s.item(0, "price_none"), "phases[0][items][0][price]"},
           {s.item(0, once), "phases[0][items][0][price]"},
           {two + "&phases[1][discounts][0][coupon]=none", "phases[1][discounts][0][coupon]"},
           {two + "&phases[1][default_payment_method]=pm_none",
            "phases[1][default_payment_method]"},
           {s.item(0, s.silver, "[end_date]=" + std::to_string(new_year_s)), "phases[0][end_date]"},
           {s.item(0, s.silver, "[iterations]=2"), "phases[0][iterations]"},
           {s.item(0, s.silver, "[trial_end]=" + std::to_string(march_s)), "phases[0][trial_end]"},
           {s.item(0, s.silver, "[collection_method]=send_invoice"), ""}}) {
    CAPTURE(r.form);
    const auto refused = s.schedule(r.form);
    CHECK(refused.status == 400);
    CHECK(refused.param() == r.param);
  }
  CHECK(s.c.post(path, "customer=" + s.ada + "&" + two).param() == "start_date");
  CHECK(s.c.post(path, "start_date=now&" + two).param() == "customer");
  CHECK(s.c.get(path).body["data"].empty());
  CHECK(s.c.get("/v1/subscriptions", "status=all").body["data"].empty());
}

TEST_CASE("An update must say where its phases begin, and not move the present one",
          "[schedules]") {
  shop s;
  const auto made = s.two_phases();
  const std::string at = std::string(path) + "/" + made.id();
  CHECK(s.c.post(at, s.item(0, s.gold)).message() ==
        "The subscription schedule update is missing at least one phase with a `start_date` to "
        "anchor end dates to.");
  const auto moved =
      s.c.post(at, s.item(0, s.gold, "[start_date]=" + std::to_string(new_year_s + 1)));
  CHECK(moved.message() == "You can not modify the start date of the current phase.");
  s.live_until(february_s + 7200);
  // What is past may be left out.
  const auto cut = s.c.post(at, s.item(0, s.gold, "[start_date]=" + std::to_string(february_s)) +
                                    "&phases[0][end_date]=" + std::to_string(march_s));
  REQUIRE(cut.status == 200);
  CHECK(cut.body["phases"].size() == 2);
  CHECK(cut.body["phases"][0] == made.body["phases"][0]);
}

TEST_CASE("Metered prices are scheduled, quoted and linked to without a quantity", "[schedules]") {
  shop s;
  const std::string meter =
      s.c.post("/v1/billing/meters",
               "display_name=Calls&event_name=calls&default_aggregation[formula]=sum")
          .id();
  const std::string metered = s.c.post("/v1/prices",
                                       "currency=usd&unit_amount=10&product_data[name]=Calls"
                                       "&recurring[interval]=month&recurring[usage_type]=metered"
                                       "&recurring[meter]=" +
                                           meter)
                                  .id();
  const auto made =
      s.schedule(s.item(0, metered, "[duration][interval]=month") + "&" + s.item(1, s.gold));
  CAPTURE(made.text);
  REQUIRE(made.status == 200);
  CHECK(made.body["phases"][0]["items"][0]["quantity"].is_null());
  s.live_until(new_year_s + 7200);
  s.c.post("/v1/billing/meter_events",
           "event_name=calls&payload[value]=7"
           "&payload[stripe_customer_id]=" +
               s.ada);
  s.live_until(february_s + 7200);
  const auto sub = s.subscription_of(made);
  CHECK(sub["items"]["data"][0]["quantity"] == 1);
  CHECK(s.invoice(sub)["total"] == 2000 + 70);
  CHECK(s.schedule(s.item(0, metered) + "&phases[0][items][0][quantity]=2").param() ==
        "phases[0][items][0][quantity]");

  const auto quote =
      s.c.post("/v1/quotes", "customer=" + s.ada + "&line_items[0][price]=" + metered);
  REQUIRE(quote.status == 200);
  CHECK(quote.body["amount_total"] == 0);
  CHECK(s.c.post("/v1/quotes/" + quote.id() + "/finalize").status == 200);
  CHECK(s.c.post("/v1/quotes/" + quote.id() + "/accept").status == 200);
  CHECK(
      s.c.post("/v1/quotes", "line_items[0][quantity]=2&line_items[0][price]=" + metered).param() ==
      "line_items[0][quantity]");

  const auto link = s.c.post("/v1/payment_links", "line_items[0][price]=" + metered);
  REQUIRE(link.status == 200);
  CHECK(s.c.stripe.visit({"GET", "/b/" + link.id(), "", ""}, s.c.now_s).status == 303);
}

TEST_CASE("A preview names a schedule for the next invoice of its subscription, or its first",
          "[schedules]") {
  shop s;
  const auto later =
      s.schedule(s.item(0, s.silver, "[items][0][quantity]=3"), std::to_string(february_s));
  REQUIRE(later.status == 200);
  const auto preview = [&](const reply& schedule) {
    return s.c.post("/v1/invoices/create_preview", "schedule=" + schedule.id());
  };
  auto seen = preview(later);
  REQUIRE(seen.status == 200);
  CHECK(seen.body["total"] == 3000);
  CHECK(seen.body["created"] == february_s);
  CHECK(s.c.post("/v1/invoices/create_preview",
                 "subscription_details[cancel_now]=true&schedule=" + later.id())
            .status == 501);
  CHECK(s.get(later)["status"] == "not_started");
  s.live_until(february_s + 7200);
  CHECK(preview(later).body["total"] == 3000);
  s.c.post(std::string(path) + "/" + later.id() + "/cancel");
  seen = preview(later);
  CHECK(seen.status == 404);
  CHECK(seen.code() == "invoice_upcoming_none");
}
