// Items that are billed by what was used.
// Sources: https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup
//          https://docs.stripe.com/billing/subscriptions/billing-mode/compare
//          https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period
#include <string>
#include <vector>

#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;
using tilld::test::reply;

namespace {

constexpr std::int64_t hour_s = 3600;
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t february_s = new_year_s + 31 * day_s;

struct cloud {
  client c;
  std::string meter = c.post("/v1/billing/meters",
                             "display_name=Calls&event_name=calls"
                             "&default_aggregation[formula]=sum")
                          .id();
  std::string price = metered("unit_amount=5");
  std::string customer = c.customer();

  std::string metered(const std::string& terms) {
    return c
        .post("/v1/prices",
              "currency=usd&product_data[name]=Calls&recurring[interval]=month"
              "&recurring[usage_type]=metered&recurring[meter]=" +
                  meter + "&" + terms)
        .id();
  }
  reply use(std::int64_t value, std::int64_t at_s = 0) {
    return c.post("/v1/billing/meter_events",
                  "event_name=calls&payload[value]=" + std::to_string(value) +
                      "&payload[stripe_customer_id]=" + customer +
                      (at_s == 0 ? "" : "&timestamp=" + std::to_string(at_s)));
  }
  void go_to(std::int64_t s) { c.now_s = s; }
  json subscription(const std::string& id) { return c.get("/v1/subscriptions/" + id).body; }
  std::string item_of(const std::string& id) { return subscription(id)["items"]["data"][0]["id"]; }
  // Newest first.
  json invoices() { return c.get("/v1/invoices", "customer=" + customer).body["data"]; }
  json last() { return invoices()[0]; }
  json pending() {
    return c.get("/v1/invoiceitems", "pending=true&customer=" + customer).body["data"];
  }
};

const std::string classic = "&billing_mode[type]=classic";

}  // namespace

TEST_CASE("A metered price has an active meter") {
  cloud s;
  const json price = s.c.get("/v1/prices/" + s.price).body;
  CHECK(price["recurring"]["usage_type"] == "metered");
  CHECK(price["recurring"]["meter"] == s.meter);
  CHECK(s.c.get("/v1/plans/" + s.price).body["usage_type"] == "metered");
  CHECK(s.c.get("/v1/plans/" + s.price).body["meter"] == s.meter);
  const std::string base =
      "currency=usd&unit_amount=5&product_data[name]=A&recurring[interval]=month";
  struct row {
    const char* form;
    const char* code;
  };
  for (const auto& r : std::vector<row>{
           {"&recurring[usage_type]=metered", "parameter_missing"},
           {"&recurring[usage_type]=metered&recurring[meter]=mtr_no", "resource_missing"}}) {
    CAPTURE(r.form);
    const auto refused = s.c.post("/v1/prices", base + r.form);
    CHECK(refused.status == 400);
    CHECK(refused.code() == r.code);
    CHECK(refused.param() == "recurring[meter]");
  }
  CHECK(s.c.post("/v1/prices", base + "&recurring[meter]=" + s.meter).status == 400);
  CHECK(s.c.get("/v1/prices", "recurring[meter]=" + s.meter).body["data"].size() == 1);
  CHECK(s.c.get("/v1/prices", "recurring[meter]=mtr_no").body["data"].empty());
  s.c.post("/v1/billing/meters/" + s.meter + "/deactivate");
  CHECK(s.metered("unit_amount=5").empty());
}

TEST_CASE("Metered items have no quantity and cost nothing in advance") {
  cloud s;
  const std::string base = "customer=" + s.customer + "&items[0][price]=" + s.price;
  CHECK(s.c.post("/v1/subscriptions", base + "&items[0][quantity]=1").message() ==
        "You cannot set the quantity for metered plans.");
  s.c.events();
  const auto made = s.c.post("/v1/subscriptions", base);
  CHECK(made.body["status"] == "active");
  CHECK(made.body["latest_invoice"].is_null());
  CHECK_FALSE(made.body["items"]["data"][0].contains("quantity"));
  CHECK(s.c.told() == std::vector<std::string>{"customer.subscription.created"});
  CHECK(s.invoices().empty());
  check_shapes(made.body);
  // Classic billing shows it at nothing.
  const auto old = s.c.post("/v1/subscriptions", base + classic);
  CHECK(old.body["status"] == "active");
  const json first = s.last();
  CHECK(first["status"] == "paid");
  CHECK(first["lines"]["data"].size() == 1);
  CHECK(first["lines"]["data"][0]["quantity"] == 0);
  CHECK(first["total"] == 0);
  check_shapes(s.c.dump());
}

TEST_CASE("Beside a licensed item only that is billed in advance, and both at the renewal") {
  cloud s;
  const std::string id =
      s.c.subscription(s.customer, s.c.price(2000), "&items[1][price]=" + s.price);
  CHECK(s.last()["total"] == 2000);
  CHECK(s.last()["lines"]["data"].size() == 1);
  s.use(10);
  s.go_to(february_s + 2 * hour_s);
  const json renewal = s.last();
  CHECK(renewal["status"] == "paid");
  CHECK(renewal["total"] == 2050);
  const json& used = renewal["lines"]["data"][1];
  CHECK(used["quantity"] == 10);
  CHECK(used["amount"] == 50);
  CHECK(used["description"] == "10 × Calls (at $0.05 / month)");
  CHECK(used["period"] == json{{"end", february_s}, {"start", new_year_s}});
  CHECK(renewal["lines"]["data"][0]["period"]["start"] == february_s);
  CHECK(s.subscription(id)["items"]["data"][0]["current_period_start"] == february_s);
  check_shapes(s.c.dump());
}

TEST_CASE("A period's usage is what is dated in it; below zero is nothing") {
  cloud s;
  s.c.subscription(s.customer, s.price);
  s.use(3, new_year_s - 1);
  s.use(5, new_year_s);
  s.go_to(february_s - 1);
  s.use(7);
  s.use(100, february_s);
  s.go_to(february_s + 2 * hour_s);
  CHECK(s.last()["total"] == 60);
  s.use(-101);
  s.go_to(february_s + 28 * day_s + 2 * hour_s);
  CHECK(s.last()["total"] == 0);
  CHECK(s.last()["lines"]["data"][0]["quantity"] == 0);
  CHECK(s.last()["status"] == "paid");
  CHECK(s.invoices().size() == 2);
}

TEST_CASE("What arrives late is billed while the invoice is a draft") {
  cloud s;
  const std::string id =
      s.c.subscription(s.customer, s.metered("billing_scheme=tiered&tiers_mode=graduated"
                                             "&tiers[0][up_to]=10&tiers[0][unit_amount]=100"
                                             "&tiers[1][up_to]=inf&tiers[1][unit_amount]=50"));
  s.use(4);
  s.go_to(february_s + hour_s / 2);
  CHECK(s.last()["status"] == "draft");
  CHECK(s.last()["total"] == 400);
  s.use(8, february_s - 1);
  s.use(1000);
  s.go_to(february_s + 2 * hour_s);
  const json renewal = s.last();
  CHECK(renewal["status"] == "paid");
  CHECK(renewal["total"] == 1100);
  REQUIRE(renewal["lines"]["data"].size() == 2);
  CHECK(renewal["lines"]["data"][0]["quantity"] == 10);
  CHECK(renewal["lines"]["data"][1]["quantity"] == 2);
  CHECK(renewal["lines"]["data"][1]["amount"] == 100);
  s.use(20, february_s - 1);  // too late: the sum stands
  CHECK(s.last()["total"] == 1100);
  check_shapes(s.c.dump());
}

TEST_CASE("Packages and tiers cost what their pages say") {
  struct row {
    const char* terms;
    std::int64_t used;
    std::int64_t total;
  };
  const std::string tiers =
      "&tiers[0][up_to]=5&tiers[0][unit_amount]=500&tiers[1][up_to]=inf&tiers[1][unit_amount]=400";
  const std::string volume = "billing_scheme=tiered&tiers_mode=volume" + tiers;
  const std::string graduated = "billing_scheme=tiered&tiers_mode=graduated" + tiers;
  const std::vector<row> rows = {
      {"unit_amount=1000&transform_quantity[divide_by]=60&transform_quantity[round]=up", 150, 3000},
      {"unit_amount=1000&transform_quantity[divide_by]=60&transform_quantity[round]=down", 150,
       2000},
      {"unit_amount_decimal=0.05", 1050, 53},
      {volume.c_str(), 6, 2400},
      {graduated.c_str(), 6, 2900},
      {graduated.c_str(), 0, 0},
  };
  for (const auto& r : rows) {
    CAPTURE(r.terms, r.used);
    cloud s;
    s.c.subscription(s.customer, s.metered(r.terms));
    if (r.used > 0) s.use(r.used);
    s.go_to(february_s + 2 * hour_s);
    CHECK(s.last()["total"] == r.total);
  }
}

TEST_CASE("The usage of a trial costs nothing") {
  cloud s;
  const auto made = s.c.post("/v1/subscriptions", "trial_period_days=10&customer=" + s.customer +
                                                      "&items[0][price]=" + s.price);
  CHECK(made.body["status"] == "trialing");
  CHECK(made.body["latest_invoice"].is_null());
  s.use(7);
  s.go_to(new_year_s + 10 * day_s + 2 * hour_s);
  CHECK(s.last()["total"] == 0);
  CHECK(s.last()["lines"]["data"][0]["description"] == "Free trial for 7 × Calls");
  s.use(3);
  s.go_to(new_year_s + 41 * day_s + 2 * hour_s);
  CHECK(s.last()["total"] == 15);
}

TEST_CASE("Canceled at the period's end, the last usage is billed an hour later") {
  cloud s;
  const std::string id = s.c.subscription(s.customer, s.price);
  s.use(10);
  s.c.post("/v1/subscriptions/" + id, "cancel_at_period_end=true");
  s.go_to(february_s + 60);
  CHECK(s.subscription(id)["status"] == "canceled");
  CHECK(s.last()["status"] == "draft");
  CHECK(s.last()["billing_reason"] == "subscription_cycle");
  CHECK(s.subscription(id)["latest_invoice"] == s.last()["id"]);
  s.use(2, february_s - 1);
  s.go_to(february_s + 2 * hour_s);
  CHECK(s.last()["status"] == "paid");
  CHECK(s.last()["total"] == 60);
  CHECK(s.invoices().size() == 1);
  s.go_to(february_s + 40 * day_s);
  CHECK(s.invoices().size() == 1);
  check_shapes(s.c.dump());
}

TEST_CASE("Canceled now, usage is billed if that is asked for and lost otherwise") {
  cloud s;
  const std::string id = s.c.subscription(s.customer, s.price);
  s.use(10);
  s.c.wait(day_s);
  s.use(1);
  s.c.del("/v1/subscriptions/" + id, "invoice_now=true");
  CHECK(s.last()["total"] == 55);
  CHECK(s.last()["status"] == "paid");
  CHECK(s.last()["lines"]["data"][0]["period"] ==
        json{{"end", new_year_s + day_s}, {"start", new_year_s}});
  const std::string other = s.c.subscription(s.customer, s.price);
  s.c.wait(day_s);
  s.use(10);
  s.c.del("/v1/subscriptions/" + other);
  CHECK(s.subscription(other)["status"] == "canceled");
  CHECK(s.invoices().size() == 1);
}

TEST_CASE("An item that goes is billed for its usage where prorations are made") {
  struct row {
    const char* mode;
    const char* more;
    std::size_t pending;
    std::int64_t invoiced;  // at once
  };
  const std::vector<row> rows = {
      {"", "", 1, 0},
      {"", "&proration_behavior=none", 0, 0},
      {"", "&proration_behavior=always_invoice", 0, 50},
      {"", "&items[0][clear_usage]=true", 1, 0},  // without effect where a meter counts
      {"&billing_mode[type]=classic", "", 0, 0},
  };
  for (const auto& r : rows) {
    CAPTURE(r.mode, r.more);
    cloud s;
    const std::string id =
        s.c.subscription(s.customer, s.price, "&items[1][price]=" + s.c.price(2000) + r.mode);
    s.use(10);
    s.c.wait(day_s);
    const auto changed =
        s.c.post("/v1/subscriptions/" + id,
                 "items[0][id]=" + s.item_of(id) + "&items[0][deleted]=true" + r.more);
    REQUIRE(changed.status == 200);
    CHECK(s.pending().size() == r.pending);
    if (r.pending == 1) {
      CHECK(s.pending()[0]["amount"] == 50);
      CHECK(s.pending()[0]["proration"] == false);
    }
    CHECK(s.last()["total"] == (r.invoiced == 0 ? 2000 : r.invoiced));
    s.use(100);
    s.go_to(february_s + 2 * hour_s);
    CHECK(s.last()["total"] == (r.pending == 1 ? 2050 : 2000));
    check_shapes(s.c.dump());
  }
}

TEST_CASE("A single item can be added without a quantity, and goes with its usage billed") {
  cloud s;
  const std::string id = s.c.subscription(s.customer, s.c.price(2000));
  const std::string form = "subscription=" + id + "&price=" + s.price;
  CHECK(s.c.post("/v1/subscription_items", form + "&quantity=1").param() == "quantity");
  const auto added = s.c.post("/v1/subscription_items", form);
  REQUIRE(added.status == 200);
  CHECK_FALSE(added.body.contains("quantity"));
  s.use(10);
  CHECK(s.c.del("/v1/subscription_items/" + added.id(), "clear_usage=true").status == 200);
  CHECK(s.pending()[0]["amount"] == 50);
}

TEST_CASE("With another price, each price bills what was reported while it was in force") {
  for (const bool flexible : {true, false}) {
    CAPTURE(flexible);
    cloud s;
    const std::string id =
        s.c.subscription(s.customer, s.price, flexible ? std::string() : classic);
    s.use(10);
    s.c.post("/v1/subscriptions/" + id,
             "items[0][id]=" + s.item_of(id) + "&items[0][price]=" + s.metered("unit_amount=7"));
    s.use(100);  // in the same second
    s.go_to(february_s + 2 * hour_s);
    const json renewal = s.last();
    CHECK(renewal["total"] == (flexible ? 750 : 700));
    CHECK(renewal["lines"]["data"][0]["amount"] == 700);
    s.use(1);
    s.go_to(february_s + 28 * day_s + 2 * hour_s);
    CHECK(s.last()["total"] == 7);
  }
}

TEST_CASE("From metered to licensed and back, quantities come and go") {
  cloud s;
  const std::string id = s.c.subscription(s.customer, s.price);
  const std::string path = "/v1/subscriptions/" + id;
  const std::string item = "items[0][id]=" + s.item_of(id);
  const std::string licensed = s.c.price(2000);
  CHECK(s.c.post(path, item + "&items[0][quantity]=2").status == 400);
  s.c.post(path, item + "&items[0][price]=" + licensed + "&items[0][quantity]=3");
  CHECK(s.subscription(id)["items"]["data"][0]["quantity"] == 3);
  CHECK(s.c.post(path, item + "&items[0][clear_usage]=true").param() == "items[0][clear_usage]");
  s.c.post(path, item + "&items[0][price]=" + s.price);
  CHECK_FALSE(s.subscription(id)["items"]["data"][0].contains("quantity"));
  check_shapes(s.c.dump());
}

TEST_CASE("A period that starts anew bills what has been used until then, once") {
  cloud s;
  const std::string id =
      s.c.subscription(s.customer, s.price, "&items[1][price]=" + s.c.price(2000));
  s.c.wait(10 * day_s);
  s.use(10);
  s.c.post("/v1/subscriptions/" + id, "billing_cycle_anchor=now&proration_behavior=none");
  CHECK(s.last()["total"] == 2050);
  CHECK(s.last()["billing_reason"] == "subscription_update");
  s.use(1);  // in the same second
  s.c.wait(31 * day_s + 2 * hour_s);
  CHECK(s.last()["total"] == 2005);
  // With nothing used and nothing licensed there is nothing to bill.
  cloud other;
  const std::string bare = other.c.subscription(other.customer, other.price);
  other.c.wait(day_s);
  CHECK(other.c.post("/v1/subscriptions/" + bare, "billing_cycle_anchor=now").status == 200);
  CHECK(other.invoices().empty());
}

TEST_CASE("Metered items are never prorated") {
  cloud s;
  const std::string id = s.c.subscription(s.customer, s.c.price(2000));
  s.c.wait(10 * day_s);
  s.use(3);
  s.c.wait(day_s);
  s.c.post("/v1/subscriptions/" + id, "items[0][price]=" + s.price);
  CHECK(s.pending().empty());
  s.use(10);
  s.go_to(february_s + 2 * hour_s);
  const json renewal = s.last();
  CHECK(renewal["total"] == 2050);  // the item counts from when it was added
  const json& used = renewal["lines"]["data"][1];
  CHECK(used["period"]["start"] == new_year_s + 11 * day_s);
}

TEST_CASE("Previews show what has been used so far") {
  cloud s;
  const std::string id = s.c.subscription(s.customer, s.price);
  s.use(10);
  const std::string path = "/v1/invoices/create_preview";
  const auto next = s.c.post(path, "subscription=" + id);
  REQUIRE(next.status == 200);
  CHECK(next.body["total"] == 50);
  CHECK(next.body["lines"]["data"][0]["quantity"] == 10);
  const auto now = s.c.post(path, "subscription_details[cancel_now]=true&subscription=" + id);
  CHECK(now.body["total"] == 50);
  const auto ends =
      s.c.post(path, "subscription_details[cancel_at_period_end]=true&subscription=" + id);
  REQUIRE(ends.status == 200);
  CHECK(ends.body["total"] == 50);
  const auto begins = s.c.post(
      path, "customer=" + s.customer + "&subscription_details[items][0][price]=" + s.price);
  REQUIRE(begins.status == 200);
  CHECK(begins.body["total"] == 50);  // it would begin in the second of the reports
  s.c.events();
  s.go_to(february_s - 7 * day_s);
  s.c.get("/v1/subscriptions/" + id);
  CHECK(tilld::test::the_one(s.c.events(), "invoice.upcoming")["data"]["object"]["total"] == 50);
}

TEST_CASE("By a test clock, a year of usage is billed month by month") {
  cloud s;
  const std::string own =
      s.c.post("/v1/test_helpers/test_clocks", "frozen_time=" + std::to_string(new_year_s)).id();
  s.customer = s.c.post("/v1/customers",
                        "payment_method=pm_card_visa"
                        "&invoice_settings[default_payment_method]=pm_card_visa&test_clock=" +
                            own)
                   .id();
  s.c.subscription(s.customer, s.price);
  std::int64_t billed = 0;
  for (int month = 1; month <= 12; ++month) {
    s.use(month);
    s.c.post("/v1/test_helpers/test_clocks/" + own + "/advance",
             "frozen_time=" + std::to_string(new_year_s + month * 31 * day_s + 2 * hour_s));
    s.c.get("/v1/test_helpers/test_clocks/" + own);
  }
  const json all = s.c.get("/v1/invoices", "limit=100&customer=" + s.customer).body["data"];
  for (const auto& invoice : all)
    billed += invoice["amount_paid"].get<std::int64_t>();
  CHECK(all.size() == 12);
  CHECK(billed == 5 * 12 * 13 / 2);
}

TEST_CASE("Who pays by invoice gets the usage of a subscription that ends, too") {
  cloud s;
  const std::string id =
      s.c.subscription(s.customer, s.price, "&collection_method=send_invoice&days_until_due=30");
  CHECK(s.invoices().empty());
  s.use(4);
  s.go_to(february_s + 2 * hour_s);
  CHECK(s.last()["status"] == "open");
  CHECK(s.last()["total"] == 20);
  s.use(2);
  s.c.del("/v1/subscriptions/" + id, "invoice_now=true");
  CHECK(s.last()["total"] == 10);
  CHECK(s.last()["status"] == "open");
}

TEST_CASE("Phases of a schedule bill what was used under their prices") {
  cloud s;
  const std::string path = "/v1/subscription_schedules";
  const std::string phase = "][duration][interval]=month&phases[";
  const auto made =
      s.c.post(path, "start_date=now&end_behavior=cancel&customer=" + s.customer + "&phases[0" +
                         phase + "0][items][0][price]=" + s.price + "&phases[1" + phase +
                         "1][items][0][price]=" + s.metered("unit_amount=7"));
  REQUIRE(made.status == 200);
  s.use(10);
  s.go_to(february_s + 60);
  s.use(100);
  s.use(2, february_s - 1);
  s.go_to(february_s + 2 * hour_s);
  CHECK(s.last()["total"] == 60);
  s.go_to(february_s + 28 * day_s + 2 * hour_s);
  CHECK(s.last()["total"] == 700);
  CHECK(s.last()["status"] == "paid");
  CHECK(s.subscription(made.body["subscription"])["status"] == "canceled");
  check_shapes(s.c.dump());
}

TEST_CASE("A quote of a metered price promises no sum, and becomes its subscription") {
  cloud s;
  const std::string base = "customer=" + s.customer + "&line_items[0][price]=" + s.price;
  CHECK(s.c.post("/v1/quotes", base + "&line_items[0][quantity]=1").status == 400);
  const auto made = s.c.post("/v1/quotes", base);
  REQUIRE(made.status == 200);
  CHECK(made.body["amount_total"] == 0);
  s.c.post("/v1/quotes/" + made.id() + "/finalize");
  const auto accepted = s.c.post("/v1/quotes/" + made.id() + "/accept");
  REQUIRE(accepted.status == 200);
  s.use(10);
  s.go_to(february_s + 2 * hour_s);
  CHECK(s.last()["total"] == 50);
}

TEST_CASE("A checkout session of a metered price takes a card and no money") {
  cloud s;
  const std::string base = "mode=subscription&success_url=http://a.b&customer=" + s.customer +
                           "&line_items[0][price]=" + s.price;
  CHECK(s.c.post("/v1/checkout/sessions", base + "&line_items[0][quantity]=1").message() ==
        "Quantity should not be specified where usage_type is `metered`. Remove quantity from "
        "`line_items[0]`");
  const auto made = s.c.post("/v1/checkout/sessions", base);
  REQUIRE(made.status == 200);
  CHECK(made.body["amount_total"] == 0);
}
