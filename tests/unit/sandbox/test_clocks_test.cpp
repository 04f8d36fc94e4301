// Source: https://docs.stripe.com/api/test_clocks
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;

namespace {

constexpr std::int64_t day_s = 86'400;

std::string clock_at(client& c, std::int64_t s) {
  return c.post("/v1/test_helpers/test_clocks", "frozen_time=" + std::to_string(s) + "&name=May")
      .id();
}

std::string customer_on(client& c, const std::string& clock) {
  return c
      .post("/v1/customers", "test_clock=" + clock +
                                 "&payment_method=pm_card_visa"
                                 "&invoice_settings[default_payment_method]=pm_card_visa")
      .id();
}

tilld::test::reply advance(client& c, const std::string& clock, std::int64_t to) {
  return c.post("/v1/test_helpers/test_clocks/" + clock + "/advance",
                "frozen_time=" + std::to_string(to));
}

}  // namespace

TEST_CASE("A test clock moves its own customers and nobody else") {
  client c;
  const std::int64_t may_s = new_year_s + 120 * day_s;
  const std::string clock = clock_at(c, may_s);
  const std::string there = customer_on(c, clock);
  const std::string price = c.price();
  const std::string theirs = c.subscription(there, price);
  const std::string ours = c.subscription(c.customer(), price);
  auto s = c.get("/v1/subscriptions/" + theirs).body;
  CHECK(s["created"] == may_s);
  CHECK(s["test_clock"] == clock);
  CHECK(c.get("/v1/invoices/" + s["latest_invoice"].get<std::string>()).body["test_clock"] ==
        clock);
  c.events();
  const auto sent = advance(c, clock, may_s + 35 * day_s);
  CHECK(sent.body["status"] == "advancing");
  CHECK(c.told().front() == "test_helpers.test_clock.advancing");
  const auto arrived = c.get("/v1/test_helpers/test_clocks/" + clock);
  CHECK(arrived.body["status"] == "ready");
  CHECK(arrived.body["frozen_time"] == may_s + 35 * day_s);
  s = c.get("/v1/subscriptions/" + theirs).body;
  CHECK(s["items"]["data"][0]["current_period_start"] == may_s + 31 * day_s);
  CHECK(c.get("/v1/invoices/" + s["latest_invoice"].get<std::string>()).body["status"] == "paid");
  CHECK(c.get("/v1/subscriptions/" + ours).body["items"]["data"][0]["current_period_start"] ==
        new_year_s);
  check_shapes(c.dump());
}

TEST_CASE("Lists leave out what is on a test clock unless they are asked for it") {
  client c;
  const std::string clock = clock_at(c, new_year_s);
  const std::string there = customer_on(c, clock);
  const std::string here = c.customer();
  const auto ids = [&](const std::string& query) {
    std::vector<std::string> found;
    const auto page = c.get("/v1/customers", query);
    for (const auto& one : page.body["data"])
      found.push_back(one["id"]);
    return found;
  };
  CHECK(ids("") == std::vector<std::string>{here});
  CHECK(ids("test_clock=" + clock) == std::vector<std::string>{there});
  const std::string sub = c.subscription(there, c.price());
  CHECK(c.get("/v1/subscriptions").body["data"].empty());
  CHECK(c.get("/v1/subscriptions", "test_clock=" + clock).body["data"].size() == 1);
  CHECK(c.get("/v1/subscriptions", "customer=" + there).body["data"].size() == 1);
}

TEST_CASE("A clock goes forward only, two intervals at most, for three customers") {
  client c;
  const std::string clock = clock_at(c, new_year_s);
  const std::string customer = customer_on(c, clock);
  CHECK(advance(c, clock, new_year_s - 1).status == 400);
  CHECK(advance(c, clock, new_year_s + 731 * day_s).status == 400);
  c.subscription(customer, c.price());
  CHECK(advance(c, clock, new_year_s + 60 * day_s).status == 400);
  CHECK(advance(c, clock, new_year_s + 59 * day_s).status == 200);
  customer_on(c, clock);
  customer_on(c, clock);
  CHECK(c.post("/v1/customers", "test_clock=" + clock).status == 400);
  CHECK(c.post("/v1/customers", "test_clock=clock_no").code() == "resource_missing");
}

TEST_CASE("With a clock everything on it goes, at once or after 30 days") {
  for (const bool at_once : {true, false}) {
    client c;
    const std::string clock = clock_at(c, new_year_s);
    const std::string customer = customer_on(c, clock);
    const std::string sub = c.subscription(customer, c.price());
    if (at_once) {
      CHECK(c.del("/v1/test_helpers/test_clocks/" + clock).body["deleted"] == true);
    } else {
      c.wait(30 * day_s);
    }
    CHECK(c.get("/v1/customers/" + customer).body["deleted"] == true);
    CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "canceled");
    CHECK(c.get("/v1/test_helpers/test_clocks/" + clock).status == 404);
  }
}
