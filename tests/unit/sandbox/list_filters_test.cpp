// What lists show when they are asked for a part only.
#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;

namespace {

using list = std::vector<std::string>;

list ids(client& c, const std::string& path, const std::string& query = {}) {
  const auto r = c.get(path, query);
  INFO(path << "?" << query << ": " << r.text);
  REQUIRE(r.status == 200);
  list all;
  for (const auto& one : r.body["data"])
    all.push_back(one["id"].get<std::string>());
  return all;
}

constexpr std::int64_t day_s = 86'400;

}  // namespace

// Source: https://docs.stripe.com/api/invoices/list (due_date)
TEST_CASE("Invoices are listed by when they are due") {
  client c;
  const std::string customer = c.customer();
  const auto sent = [&](int days) {
    return c
        .post("/v1/invoices", "collection_method=send_invoice&customer=" + customer +
                                  "&days_until_due=" + std::to_string(days))
        .id();
  };
  const auto soon = sent(7);
  const auto late = sent(30);
  c.post("/v1/invoices", "customer=" + customer);  // due at no time
  const std::string week = std::to_string(c.now_s + 7 * day_s);
  CHECK(ids(c, "/v1/invoices", "due_date[lte]=" + week) == list{soon});
  CHECK(ids(c, "/v1/invoices", "due_date[gt]=" + week) == list{late});
  CHECK(ids(c, "/v1/invoices", "due_date=" + week) == list{soon});
  CHECK(ids(c, "/v1/invoices").size() == 3);
}

// Source: https://docs.stripe.com/api/subscriptions/list
TEST_CASE("Subscriptions are listed by their periods, plan and automatic tax") {
  client c;
  const std::string monthly = c.price(1000, "month");
  const std::string yearly = c.price(9000, "year");
  const std::string a = c.subscription(c.customer(), monthly);
  const std::string b = c.subscription(c.customer(), yearly);
  const std::string soon = std::to_string(c.now_s + 60 * day_s);
  CHECK(ids(c, "/v1/subscriptions", "current_period_end[lt]=" + soon) == list{a});
  CHECK(ids(c, "/v1/subscriptions", "current_period_end[gte]=" + soon) == list{b});
  const std::string now = std::to_string(c.now_s);
  CHECK(ids(c, "/v1/subscriptions", "current_period_start=" + now).size() == 2);
  CHECK(ids(c, "/v1/subscriptions", "current_period_start[gt]=" + now).empty());
  CHECK(ids(c, "/v1/subscriptions", "plan=" + yearly) == list{b});
  CHECK(ids(c, "/v1/subscriptions", "automatic_tax[enabled]=false").size() == 2);
  CHECK(ids(c, "/v1/subscriptions", "automatic_tax[enabled]=true").empty());
  CHECK(c.get("/v1/subscriptions", "automatic_tax[on]=true").status == 400);
}

// Source: https://docs.stripe.com/billing/testing/test-clocks (Limitations)
TEST_CASE("What lives on a test clock is listed below its parents only") {
  client c;
  const auto clock =
      c.post("/v1/test_helpers/test_clocks", "frozen_time=" + std::to_string(c.now_s)).id();
  const auto customer =
      c.post("/v1/customers", "test_clock=" + clock +
                                  "&payment_method=pm_card_visa"
                                  "&invoice_settings[default_payment_method]=pm_card_visa")
          .id();
  const auto sub = c.subscription(customer, c.price());
  for (const char* path : {"/v1/customers", "/v1/subscriptions", "/v1/invoices", "/v1/charges",
                           "/v1/payment_intents"}) {
    CHECK(ids(c, path).empty());
  }
  CHECK(ids(c, "/v1/customers", "test_clock=" + clock) == list{customer});
  CHECK(ids(c, "/v1/subscriptions", "test_clock=" + clock) == list{sub});
  for (const char* path : {"/v1/invoices", "/v1/charges", "/v1/payment_intents"}) {
    CHECK(ids(c, path, "customer=" + customer).size() == 1);
  }
  CHECK(ids(c, "/v1/invoices", "subscription=" + sub).size() == 1);
}

TEST_CASE("Booleans are taken as stripe-python writes them too") {
  client c;
  const auto r = c.post("/v1/products", "name=a&active=False");
  CHECK(r.body["active"] == false);
  CHECK(ids(c, "/v1/products", "active=True").empty());
  CHECK(c.post("/v1/products", "name=a&active=FALSE").status == 400);
}
