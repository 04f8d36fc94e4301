// What is sold: products, prices, plans, coupons, promotion codes.
#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

TEST_CASE("A product is made with its default price in one request") {
  client c;
  const auto made = c.post("/v1/products",
                           "name=Gold&description=All+of+it&default_price_data[currency]=eur"
                           "&default_price_data[unit_amount]=990"
                           "&default_price_data[recurring][interval]=year&metadata[a]=1");
  REQUIRE(made.status == 200);
  const auto price = c.get("/v1/prices/" + made.body["default_price"].get<std::string>());
  CHECK(price.body["product"] == made.id());
  CHECK(price.body["unit_amount"] == 990);
  CHECK(price.body["unit_amount_decimal"] == "990");
  CHECK(price.body["type"] == "recurring");
  CHECK(price.body["recurring"]["interval"] == "year");
  const auto events = c.events();
  std::vector<std::string> types;
  for (const auto& e : events)
    types.push_back(e["type"]);
  CHECK(types == std::vector<std::string>{"product.created", "plan.created", "price.created",
                                          "product.updated"});
  CHECK(events[3]["data"]["previous_attributes"] == json{{"default_price", nullptr}});
}

TEST_CASE("A product is changed, listed and deleted only without prices") {
  client c;
  const auto made = c.post("/v1/products", "name=Gold&id=gold");
  CHECK(made.id() == "gold");
  CHECK(c.post("/v1/products", "name=Gold&id=gold").code() == "resource_already_exists");
  c.wait(60);
  const auto changed = c.post("/v1/products/gold", "active=false&name=Golden");
  CHECK(changed.body["updated"] == c.now_s);
  CHECK(c.get("/v1/products", "active=true").body["data"].empty());
  CHECK(c.get("/v1/products", "active=false&ids[0]=gold").body["data"].size() == 1);
  c.post("/v1/prices", "currency=usd&unit_amount=100&product=gold");
  CHECK(c.del("/v1/products/gold").message() ==
        "This product cannot be deleted because it has one or more user-created prices.");
  const auto other = c.post("/v1/products", "name=Silver");
  c.events();
  CHECK(c.del("/v1/products/" + other.id()).body["deleted"] == true);
  CHECK(the_one(c.events(), "product.deleted")["data"]["object"] == other.body);
  CHECK(c.get("/v1/products/" + other.id()).status == 404);
}

TEST_CASE("A deleted id that a person chose can be chosen again") {
  client c;
  c.post("/v1/coupons", "id=SUMMER&percent_off=10");
  c.del("/v1/coupons/SUMMER");
  const auto again = c.post("/v1/coupons", "id=SUMMER&percent_off=20");
  REQUIRE(again.status == 200);
  CHECK(c.get("/v1/coupons/SUMMER").body["percent_off"] == 20);
  CHECK(c.get("/v1/coupons").body["data"].size() == 1);
}

TEST_CASE("Prices are one-time or recurring, with amounts that may have fractions") {
  client c;
  const auto product = c.post("/v1/products", "name=Gold").id();
  const auto once = c.post("/v1/prices", "currency=usd&unit_amount=500&product=" + product);
  CHECK(once.body["type"] == "one_time");
  CHECK(once.body["recurring"] == nullptr);
  const auto decimal =
      c.post("/v1/prices", "currency=usd&unit_amount_decimal=500.00&product=" + product);
  CHECK(decimal.body["unit_amount"] == 500);
  const auto half =
      c.post("/v1/prices", "currency=usd&unit_amount_decimal=0.50&product=" + product);
  CHECK(half.body["unit_amount"] == nullptr);
  CHECK(half.body["unit_amount_decimal"] == "0.5");
  CHECK(c.post("/v1/prices", "currency=usd&product=" + product).status == 400);
  CHECK(c.post("/v1/prices", "currency=usd&unit_amount=1&product=prod_no").code() ==
        "resource_missing");
  CHECK(c.post("/v1/prices", "currency=usd&unit_amount=1").param() == "product");
  CHECK(c.post("/v1/prices", "currency=usd&unit_amount=-1&product=" + product).status == 400);
  CHECK(c.post("/v1/prices",
               "currency=usd&unit_amount=1&recurring[interval]=month"
               "&recurring[interval_count]=37&product=" +
                   product)
            .status == 400);
  CHECK(c.post("/v1/prices", "currency=usd&unit_amount=1&billing_scheme=tiered&product=" + product)
            .status == 400);
}

TEST_CASE("A lookup key names one price and can be handed on") {
  client c;
  const auto product = c.post("/v1/products", "name=Gold").id();
  const std::string form = "currency=usd&unit_amount=500&lookup_key=gold&product=" + product;
  const auto old = c.post("/v1/prices", form);
  CHECK(c.post("/v1/prices", form).code() == "resource_already_exists");
  c.events();
  const auto fresh = c.post("/v1/prices", form + "&transfer_lookup_key=true");
  REQUIRE(fresh.status == 200);
  CHECK(c.get("/v1/prices/" + old.id()).body["lookup_key"] == nullptr);
  const auto found = c.get("/v1/prices", "lookup_keys[0]=gold");
  REQUIRE(found.body["data"].size() == 1);
  CHECK(found.body["data"][0]["id"] == fresh.id());
  const json told = the_one(c.events(), "price.updated");
  CHECK(told["data"]["previous_attributes"] == json{{"lookup_key", "gold"}});
}

TEST_CASE("A changed price shows in the subscriptions that have it, and tells of its plan too") {
  client c;
  const std::string price = c.price();
  const std::string sub = c.subscription(c.customer(), price);
  c.events();
  c.post("/v1/prices/" + price, "nickname=Monthly&metadata[a]=1");
  CHECK(c.told() == std::vector<std::string>{"plan.updated", "price.updated"});
  const auto item = c.get("/v1/subscriptions/" + sub).body["items"]["data"][0];
  CHECK(item["price"]["nickname"] == "Monthly");
  CHECK(item["plan"]["nickname"] == "Monthly");
  CHECK(c.get("/v1/plans/" + price).body == item["plan"]);
  CHECK(c.get("/v1/plans").body["data"][0] == item["plan"]);
}

TEST_CASE("Prices are listed by product, type, activity and interval") {
  client c;
  const std::string monthly = c.price(100, "month");
  const std::string yearly = c.price(1000, "year");
  const auto product = c.get("/v1/prices/" + yearly).body["product"].get<std::string>();
  c.post("/v1/prices/" + monthly, "active=false");
  const auto ids = [&](const std::string& query) {
    std::vector<std::string> found;
    const auto page = c.get("/v1/prices", query);
    for (const auto& p : page.body["data"])
      found.push_back(p["id"]);
    return found;
  };
  CHECK(ids("product=" + product) == std::vector{yearly});
  CHECK(ids("active=false") == std::vector{monthly});
  CHECK(ids("recurring[interval]=year") == std::vector{yearly});
  CHECK(ids("type=one_time").empty());
  CHECK(ids("currency=usd") == std::vector{yearly, monthly});
}

TEST_CASE("Coupons take a share or a sum, for once, for a while or for ever") {
  client c;
  const auto share = c.post("/v1/coupons",
                            "percent_off=12.5&duration=repeating"
                            "&duration_in_months=3&name=Spring");
  REQUIRE(share.status == 200);
  CHECK(share.body["percent_off"] == 12.5);
  CHECK(share.body["valid"] == true);
  CHECK(share.id().size() == 8);
  CHECK(c.post("/v1/coupons", "amount_off=500&currency=usd").body["duration"] == "once");
  CHECK(c.post("/v1/coupons", "amount_off=500").param() == "currency");
  CHECK(c.post("/v1/coupons", "percent_off=10&amount_off=5&currency=usd").status == 400);
  CHECK(c.post("/v1/coupons", "duration=once").status == 400);
  CHECK(c.post("/v1/coupons", "percent_off=101").status == 400);
  CHECK(c.post("/v1/coupons", "percent_off=10&duration=repeating").param() == "duration_in_months");
  c.events();
  c.post("/v1/coupons/" + share.id(), "name=Summer");
  CHECK(c.told() == std::vector<std::string>{"coupon.updated"});
  CHECK(c.del("/v1/coupons/" + share.id()).body["deleted"] == true);
  CHECK(c.told() == std::vector<std::string>{"coupon.deleted"});
}

TEST_CASE("A promotion code is a coupon's name for customers") {
  client c;
  c.post("/v1/coupons", "id=TEN&percent_off=10");
  const std::string form = "promotion[type]=coupon&promotion[coupon]=TEN";
  const auto code = c.post("/v1/promotion_codes", form + "&code=HELLO");
  REQUIRE(code.status == 200);
  CHECK(code.body["promotion"]["coupon"] == "TEN");
  CHECK(code.body["active"] == true);
  CHECK(c.post("/v1/promotion_codes", form + "&code=HELLO").status == 400);
  CHECK(c.post("/v1/promotion_codes", form).body["code"].get<std::string>().size() == 8);
  CHECK(c.post("/v1/promotion_codes/" + code.id(), "active=false").body["active"] == false);
  CHECK(c.get("/v1/promotion_codes", "code=HELLO").body["data"].size() == 1);
  CHECK(c.get("/v1/promotion_codes", "coupon=TEN&active=true").body["data"].size() == 1);
  const auto full = c.get("/v1/promotion_codes/" + code.id(), "expand[]=promotion.coupon");
  CHECK(full.body["promotion"]["coupon"]["percent_off"] == 10);
  CHECK(c.post("/v1/promotion_codes", "promotion[type]=coupon&promotion[coupon]=NO").code() ==
        "resource_missing");
}

TEST_CASE("An endpoint for webhooks shows its secret once") {
  client c;
  const auto made = c.post("/v1/webhook_endpoints",
                           "url=https://example.com/hook&enabled_events[0]=customer.created");
  REQUIRE(made.status == 200);
  CHECK(made.body["secret"].get<std::string>().starts_with("whsec_"));
  CHECK_FALSE(c.get("/v1/webhook_endpoints/" + made.id()).body.contains("secret"));
  const auto known = c.stripe.destinations();
  REQUIRE(known.size() == 1);
  CHECK(made.body["secret"] == known[0].secrets[0]);
  CHECK(known[0].enabled_events == std::vector<std::string>{"customer.created"});
  CHECK(c.post("/v1/webhook_endpoints/" + made.id(), "disabled=true").body["status"] == "disabled");
  CHECK_FALSE(c.stripe.destinations()[0].enabled);
  CHECK(c.post("/v1/webhook_endpoints", "url=example&enabled_events[0]=*").code() == "url_invalid");
  CHECK(c.post("/v1/webhook_endpoints", "url=https://a&enabled_events[0]=no.such").status == 400);
  c.del("/v1/webhook_endpoints/" + made.id());
  CHECK(c.stripe.destinations().empty());
}

TEST_CASE("The account describes itself") {
  client c;
  const auto account = c.get("/v1/account");
  CHECK(account.id() == "acct_1SandboxTilld0000");
  CHECK(account.body["charges_enabled"] == true);
}
