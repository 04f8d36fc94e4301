// Thresholds: bills before a period ends.
// Sources: https://docs.stripe.com/billing/subscriptions/usage-based/thresholds
//          https://stripe.com/docs/billing/subscriptions/metered-billing/thresholds
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

struct ads {
  client c;
  std::string meter = c.post("/v1/billing/meters",
                             "display_name=Ads&event_name=ads&default_aggregation[formula]=sum")
                          .id();
  std::string customer = c.customer();
  std::string price = metered("unit_amount=50");

  std::string metered(const std::string& terms) {
    return c
        .post("/v1/prices",
              "currency=usd&product_data[name]=Ads&recurring[interval]=month"
              "&recurring[usage_type]=metered&recurring[meter]=" +
                  meter + "&" + terms)
        .id();
  }
  reply use(std::int64_t value) {
    return c.post("/v1/billing/meter_events",
                  "event_name=ads&payload[value]=" + std::to_string(value) +
                      "&payload[stripe_customer_id]=" + customer);
  }
  json invoices() { return c.get("/v1/invoices", "customer=" + customer).body["data"]; }
  json last() { return invoices()[0]; }
  json subscription(const std::string& id) { return c.get("/v1/subscriptions/" + id).body; }
};

const std::string at_1000 = "&billing_thresholds[amount_gte]=1000";

}  // namespace

TEST_CASE("Thresholds are set, changed and cleared") {
  ads s;
  const std::string base = "customer=" + s.customer + "&items[0][price]=" + s.price;
  const auto made =
      s.c.post("/v1/subscriptions", base + at_1000 + "&items[0][billing_thresholds][usage_gte]=30");
  REQUIRE(made.status == 200);
  CHECK(made.body["billing_thresholds"] ==
        json{{"amount_gte", 1000}, {"reset_billing_cycle_anchor", nullptr}});
  CHECK(made.body["items"]["data"][0]["billing_thresholds"] == json{{"usage_gte", 30}});
  const std::string path = "/v1/subscriptions/" + made.id();
  const auto reset = s.c.post(path, "billing_thresholds[reset_billing_cycle_anchor]=true");
  CHECK(reset.body["billing_thresholds"] ==
        json{{"amount_gte", 1000}, {"reset_billing_cycle_anchor", true}});
  const std::string item = made.body["items"]["data"][0]["id"];
  const auto cleared = s.c.post(path,
                                "billing_thresholds=&items[0][billing_thresholds]=&"
                                "items[0][id]=" +
                                    item);
  CHECK(cleared.body["billing_thresholds"].is_null());
  CHECK(cleared.body["items"]["data"][0]["billing_thresholds"].is_null());
  CHECK(s.c.post(path, "billing_thresholds[amount_gte]=49").status == 400);
  check_shapes(s.c.dump());
}

TEST_CASE("A threshold is more than what is licensed, and units are those of a meter") {
  ads s;
  const std::string gold = s.c.price(2000);
  const std::string base =
      "customer=" + s.customer + "&items[0][price]=" + gold + "&items[1][price]=" + s.price;
  CHECK(s.c.post("/v1/subscriptions", base + "&billing_thresholds[amount_gte]=2000").param() ==
        "billing_thresholds[amount_gte]");
  CHECK(s.c.post("/v1/subscriptions", base + "&billing_thresholds[amount_gte]=2001").status == 200);
  CHECK(
      s.c.post("/v1/subscriptions", base + "&items[0][billing_thresholds][usage_gte]=5").param() ==
      "items[0][billing_thresholds]");
}

TEST_CASE("At the sum an invoice is made, and the period's end bills the rest") {
  ads s;
  const std::string id = s.c.subscription(s.customer, s.price, at_1000);
  s.c.wait(day_s);
  s.use(19);
  CHECK(s.invoices().empty());
  s.c.events();
  s.use(2);
  const json early = s.last();
  CHECK(early["billing_reason"] == "subscription_threshold");
  CHECK(early["status"] == "draft");
  CHECK(early["total"] == 1050);
  CHECK(early["threshold_reason"] == json{{"amount_gte", 1000}, {"item_reasons", json::array()}});
  CHECK(s.subscription(id)["latest_invoice"] == early["id"]);
  s.use(3);  // of the next
  s.c.wait(2 * hour_s);
  CHECK(s.last()["status"] == "paid");
  CHECK(s.last()["total"] == 1050);
  s.c.now_s = february_s + 2 * hour_s;
  const json renewal = s.last();
  CHECK(renewal["billing_reason"] == "subscription_cycle");
  CHECK(renewal["total"] == 150);
  CHECK(renewal["lines"]["data"][0]["quantity"] == 24);
  CHECK(renewal["lines"]["data"][1]["amount"] == -1050);
  s.use(1);
  s.c.now_s = february_s + 29 * day_s;
  CHECK(s.last()["total"] == 50);
  check_shapes(s.c.dump());
}

TEST_CASE("At so many units an invoice is made, each time again") {
  ads s;
  const std::string id =
      s.c.subscription(s.customer, s.price, "&items[0][billing_thresholds][usage_gte]=10");
  s.use(9);
  CHECK(s.invoices().empty());
  s.use(1);
  CHECK(s.invoices().size() == 1);
  const json reason = s.last()["threshold_reason"];
  CHECK(reason["amount_gte"].is_null());
  CHECK(reason["item_reasons"][0]["usage_gte"] == 10);
  CHECK(reason["item_reasons"][0]["line_item_ids"][0] == s.last()["lines"]["data"][0]["id"]);
  s.use(9);
  CHECK(s.invoices().size() == 1);
  s.use(1);
  CHECK(s.invoices().size() == 2);
  CHECK(s.last()["total"] == 500);
}

TEST_CASE("Tiers go on across thresholds; what is cheaper then may give credit") {
  ads s;
  // The table of the page, in hundreds.
  s.price = s.metered(
      "billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=100"
      "&tiers[0][unit_amount]=50&tiers[1][up_to]=inf&tiers[1][unit_amount]=40");
  s.c.subscription(s.customer, s.price, "&billing_thresholds[amount_gte]=5000");
  s.use(100);
  CHECK(s.last()["total"] == 5000);
  s.use(1);
  s.use(24);
  CHECK(s.invoices().size() == 1);
  s.use(124);
  CHECK(s.invoices().size() == 1);
  s.use(1);
  CHECK(s.invoices().size() == 2);
  CHECK(s.last()["total"] == 5000);
  CHECK(s.last()["lines"]["data"][0]["quantity"] == 250);
  CHECK(s.last()["lines"]["data"][0]["amount"] == 10'000);
  CHECK(s.last()["lines"]["data"][1]["amount"] == -5000);
}

TEST_CASE("The period may start anew at a threshold") {
  ads s;
  const std::string id =
      s.c.subscription(s.customer, s.c.price(500),
                       "&items[1][price]=" + s.price + at_1000 +
                           "&billing_thresholds[reset_billing_cycle_anchor]=true");
  s.c.wait(10 * day_s);
  s.use(20);
  const json early = s.last();
  CHECK(early["billing_reason"] == "subscription_threshold");
  CHECK(early["total"] == 1500);
  const json now = s.subscription(id);
  CHECK(now["billing_cycle_anchor"] == new_year_s + 10 * day_s);
  CHECK(now["items"]["data"][0]["current_period_start"] == new_year_s + 10 * day_s);
  s.use(1);
  s.c.wait(31 * day_s + 2 * hour_s);
  CHECK(s.last()["total"] == 550);
  CHECK(s.invoices().size() == 3);
}

TEST_CASE("A single item gets and loses its threshold") {
  ads s;
  const std::string id = s.c.subscription(s.customer, s.price);
  const std::string item = s.subscription(id)["items"]["data"][0]["id"];
  const std::string path = "/v1/subscription_items/" + item;
  const auto set = s.c.post(path, "billing_thresholds[usage_gte]=5");
  CHECK(set.body["billing_thresholds"] == json{{"usage_gte", 5}});
  s.use(5);
  CHECK(s.invoices().size() == 1);
  CHECK(s.c.post(path, "billing_thresholds=").body["billing_thresholds"].is_null());
  s.use(5);
  CHECK(s.invoices().size() == 1);
  s.c.post(path, "billing_thresholds[usage_gte]=5");
  const auto licensed = s.c.post(path, "price=" + s.c.price(2000));
  CHECK(licensed.body["billing_thresholds"].is_null());
  CHECK(s.use(5).status == 200);
}

TEST_CASE("No threshold is reached in a trial or on a period's last day") {
  ads s;
  s.c.subscription(s.customer, s.price, at_1000 + "&trial_period_days=10");
  s.use(100);
  CHECK(s.invoices().empty());
  ads other;
  other.c.subscription(other.customer, other.price, at_1000);
  other.c.now_s = february_s - day_s;
  other.use(100);
  CHECK(other.invoices().empty());
  other.c.now_s = february_s + 2 * hour_s;
  CHECK(other.last()["total"] == 5000);
}
