#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

namespace {

constexpr const char* told_type = "entitlements.active_entitlement_summary.updated";

struct shop {
  client c;
  std::string product = c.post("/v1/products", "name=Gold").id();
  std::string price = c.post("/v1/prices",
                             "currency=usd&unit_amount=500&recurring[interval]=month"
                             "&product=" +
                                 product)
                          .id();
  std::string exports = feature("exports");
  std::string seats = feature("seats");

  std::string feature(const std::string& key) {
    return c.post("/v1/entitlements/features", "name=F&lookup_key=" + key).id();
  }
  tilld::test::reply attach(const std::string& feature_id) {
    return c.post("/v1/products/" + product + "/features", "entitlement_feature=" + feature_id);
  }
  std::vector<std::string> keys(const std::string& customer) {
    std::vector<std::string> found;
    const auto page = c.get("/v1/entitlements/active_entitlements", "customer=" + customer);
    for (const auto& e : page.body["data"])
      found.push_back(e["lookup_key"]);
    std::sort(found.begin(), found.end());
    return found;
  }
};

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("A feature has a key of its own and hangs on products") {
  shop s;
  CHECK(s.c.post("/v1/entitlements/features", "name=F&lookup_key=seats").code() ==
        "resource_already_exists");
  const auto attached = s.attach(s.exports);
  CHECK(attached.body["entitlement_feature"]["lookup_key"] == "exports");
  CHECK(s.attach(s.exports).status == 400);
  const std::string path = "/v1/products/" + s.product + "/features";
  CHECK(s.c.get(path).body["data"].size() == 1);
  CHECK(s.c.get(path + "/" + attached.id()).body == attached.body);
  CHECK(s.c.del(path + "/" + attached.id()).body["deleted"] == true);
  CHECK(s.c.get(path).body["data"].empty());
  const auto off = s.c.post("/v1/entitlements/features/" + s.seats, "active=false");
  CHECK(off.body["active"] == false);
  CHECK(s.c.get("/v1/entitlements/features", "archived=true").body["data"].size() == 1);
  CHECK(s.c.get("/v1/entitlements/features", "lookup_key=exports").body["data"].size() == 1);
}

TEST_CASE("Who subscribes to the product may use its features, and this is told") {
  shop s;
  s.attach(s.exports);
  s.attach(s.seats);
  const std::string customer = s.c.customer();
  s.c.events();
  const std::string sub = s.c.subscription(customer, s.price);
  CHECK(s.keys(customer) == strings{"exports", "seats"});
  const json told = the_one(s.c.events(), told_type);
  const json summary = told["data"]["object"];
  CHECK(summary["customer"] == customer);
  CHECK(summary["entitlements"]["data"].size() == 2);
  CHECK(told["data"]["previous_attributes"] == json{{"entitlements", {{"data", json::array()}}}});
  const std::string one = summary["entitlements"]["data"][0]["id"];
  const auto full = s.c.get("/v1/entitlements/active_entitlements/" + one, "expand[]=feature");
  CHECK(full.body["feature"]["object"] == "entitlements.feature");
}

TEST_CASE("With the subscription the right to use ends") {
  shop s;
  s.attach(s.exports);
  const std::string customer = s.c.customer();
  const std::string sub = s.c.subscription(customer, s.price);
  const std::string twin = s.c.subscription(customer, s.price);
  s.c.del("/v1/subscriptions/" + sub);
  CHECK(s.keys(customer) == strings{"exports"});  // the twin still gives it
  s.c.events();
  s.c.del("/v1/subscriptions/" + twin);
  CHECK(s.keys(customer).empty());
  CHECK(the_one(s.c.events(), told_type)["data"]["object"]["entitlements"]["data"].empty());
}

TEST_CASE("What is not paid entitles to nothing until it is") {
  shop s;
  s.attach(s.exports);
  const std::string customer = s.c.customer("pm_card_authenticationRequired");
  s.c.events();
  s.c.subscription(customer, s.price);
  CHECK(s.keys(customer).empty());
  const json waiting = the_one(s.c.events(), "payment_intent.requires_action");
  s.c.stripe.authenticate(waiting["data"]["object"]["id"].get<std::string>(), true, s.c.now_s);
  CHECK(s.keys(customer) == strings{"exports"});
}

TEST_CASE("A feature added to a product reaches a subscription when that changes") {
  shop s;
  s.attach(s.exports);
  const std::string customer = s.c.customer();
  const std::string sub = s.c.subscription(customer, s.price);
  s.attach(s.seats);
  CHECK(s.keys(customer) == strings{"exports"});
  const std::string item = s.c.get("/v1/subscriptions/" + sub).body["items"]["data"][0]["id"];
  s.c.post("/v1/subscriptions/" + sub,
           "proration_behavior=none&items[0][quantity]=2&items[0][id]=" + item);
  CHECK(s.keys(customer) == strings{"exports", "seats"});
}

TEST_CASE("A trial entitles, and changing the plan changes the rights") {
  shop s;
  s.attach(s.exports);
  const std::string customer = s.c.customer();
  const std::string sub = s.c.subscription(customer, s.price, "&trial_period_days=5");
  CHECK(s.keys(customer) == strings{"exports"});
  const std::string item = s.c.get("/v1/subscriptions/" + sub).body["items"]["data"][0]["id"];
  s.c.post("/v1/subscriptions/" + sub,
           "items[0][id]=" + item + "&items[0][price]=" + s.c.price(10));
  CHECK(s.keys(customer).empty());
}
