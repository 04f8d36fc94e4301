// Source: https://docs.stripe.com/connect/authentication, https://docs.stripe.com/connect/webhooks
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::sandbox::request;
using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::reply;

namespace {

reply on(client& c, const std::string& account, const std::string& verb, const std::string& path,
         const std::string& form = {}, const std::string& key = {}) {
  request r;
  r.verb = verb;
  r.path = path;
  (verb == "POST" ? r.body : r.query) = form;
  r.authorization = "Bearer sk_test_sandbox";
  r.idempotency_key = key;
  r.stripe_account = account;
  return c.send(r);
}

}  // namespace

TEST_CASE("A connected account has objects of its own, and the platform does not see them") {
  client c;
  const auto made = c.post("/v1/accounts",
                           "type=express&country=DE&email=shop@example.com&capabilities"
                           "[card_payments][requested]=true&business_profile[name]=Shop");
  REQUIRE(made.status == 200);
  check_shapes(made.body);
  const std::string shop = made.id();
  CHECK(made.body["default_currency"] == "eur");
  CHECK(made.body["capabilities"]["card_payments"] == "active");
  CHECK(made.body["controller"]["stripe_dashboard"]["type"] == "express");
  const auto customer = on(c, shop, "POST", "/v1/customers", "email=a@example.com");
  REQUIRE(customer.status == 200);
  CHECK(customer.header("Stripe-Account") == shop);
  CHECK(c.get("/v1/customers/" + customer.id()).status == 404);
  CHECK(c.get("/v1/customers").body["data"].empty());
  CHECK(on(c, shop, "GET", "/v1/customers/" + customer.id()).body == customer.body);
  CHECK(on(c, shop, "GET", "/v1/account").body["id"] == shop);
  CHECK(on(c, shop, "GET", "/v1/account").body == c.get("/v1/accounts/" + shop).body);
  CHECK(c.get("/v1/account").body["id"] != shop);
  CHECK(c.get("/v1/accounts").body["data"].size() == 1);
  const std::string own = c.get("/v1/account").body["id"];
  CHECK(on(c, own, "GET", "/v1/account").body["id"] == own);
}

TEST_CASE("Events of a connected account say whose they are") {
  client c;
  const std::string shop = c.post("/v1/accounts", "country=US").id();
  CHECK(c.events().empty());
  on(c, shop, "POST", "/v1/customers", "email=a@example.com");
  c.post("/v1/customers", "email=b@example.com");
  c.post("/v1/accounts/" + shop, "email=shop@example.com");
  const auto told = c.stripe.take_events();
  REQUIRE(told.size() == 3);
  CHECK(told[0].type == "customer.created");
  CHECK(told[0].account.empty());
  CHECK_FALSE(json::parse(told[0].body).contains("account"));
  CHECK(told[1].type == "account.updated");
  CHECK(told[1].account == shop);
  CHECK(told[2].account == shop);
  CHECK(json::parse(told[2].body)["account"] == shop);
  CHECK(on(c, shop, "GET", "/v1/events").body["data"].size() == 1);
  CHECK(c.get("/v1/events").body["data"].size() == 2);
}

TEST_CASE("Endpoints are for the own events, for those of all connected accounts, or of one") {
  client c;
  const std::string shop = c.post("/v1/accounts", "country=US").id();
  c.post("/v1/webhook_endpoints", "url=http://127.0.0.1:1/own&enabled_events[0]=*");
  c.post("/v1/webhook_endpoints", "url=http://127.0.0.1:1/all&enabled_events[0]=*&connect=true");
  on(c, shop, "POST", "/v1/webhook_endpoints", "url=http://127.0.0.1:1/one&enabled_events[0]=*");
  const auto all = c.stripe.destinations();
  REQUIRE(all.size() == 3);
  CHECK_FALSE(all[0].connect);
  CHECK(all[0].account.empty());
  CHECK(all[1].connect);
  CHECK(all[2].account == shop);
}

TEST_CASE("An account that is not connected is out of reach") {
  client c;
  const std::string shop = c.post("/v1/accounts", "country=US").id();
  const auto strange = on(c, "acct_1Strange", "GET", "/v1/customers");
  CHECK(strange.status == 403);
  CHECK(strange.code() == "account_invalid");
  CHECK(c.del("/v1/accounts/" + shop).body["deleted"] == true);
  CHECK(on(c, shop, "GET", "/v1/customers").status == 403);
  CHECK(c.post("/v1/accounts", "country=XX").param() == "country");
}

TEST_CASE("Idempotency keys of one account mean nothing on another") {
  client c;
  const std::string shop = c.post("/v1/accounts", "country=US").id();
  const auto own = c.post("/v1/customers", "email=a@example.com", "key-1");
  const auto theirs = on(c, shop, "POST", "/v1/customers", "email=b@example.com", "key-1");
  REQUIRE(theirs.status == 200);
  CHECK(theirs.id() != own.id());
  CHECK(on(c, shop, "POST", "/v1/customers", "email=b@example.com", "key-1").id() == theirs.id());
}

TEST_CASE("Subscriptions of connected accounts go by the sandbox's clock and outlive a restart") {
  client c;
  const std::string shop = c.post("/v1/accounts", "country=US").id();
  const std::string price = on(c, shop, "POST", "/v1/prices",
                               "unit_amount=500&currency=usd&recurring[interval]=month&"
                               "product_data[name]=Gold")
                                .id();
  const std::string customer = on(c, shop, "POST", "/v1/customers",
                                  "payment_method=pm_card_visa&invoice_settings"
                                  "[default_payment_method]=pm_card_visa")
                                   .id();
  on(c, shop, "POST", "/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price);
  const std::string kept = c.stripe.save();
  client again;
  REQUIRE(again.stripe.load(kept));
  CHECK(again.dump() == c.dump());
  CHECK_FALSE(again.stripe.load(kept.substr(0, kept.size() - 1)));
  again.wait(31 * 86'400 + 7200);
  CHECK(on(again, shop, "GET", "/v1/invoices").body["data"].size() == 2);
  CHECK(again.dump()["accounts"][shop]["subscription"].size() == 1);
}
