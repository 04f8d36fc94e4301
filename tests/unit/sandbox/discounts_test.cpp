// Coupons and promotion codes redeemed, tax rates applied: through the API.
#include <string>

#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

namespace {

constexpr std::int64_t day_s = 86'400;

std::string coupon(client& c, const std::string& form) {
  const auto made = c.post("/v1/coupons", form);
  REQUIRE(made.status == 200);
  return made.id();
}

std::string code(client& c, const std::string& coupon, const std::string& more = {}) {
  const auto made =
      c.post("/v1/promotion_codes", "promotion[type]=coupon&promotion[coupon]=" + coupon + more);
  REQUIRE(made.status == 200);
  return made.id();
}

std::string rate(client& c, const std::string& percentage, bool inclusive = false) {
  const auto made = c.post("/v1/tax_rates", "display_name=VAT&percentage=" + percentage +
                                                "&inclusive=" + (inclusive ? "true" : "false"));
  REQUIRE(made.status == 200);
  return made.id();
}

json subscribe(client& c, const std::string& customer, const std::string& price,
               const std::string& more) {
  const auto made =
      c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price +
                                      "&expand[0]=latest_invoice" + more);
  INFO(made.text);
  REQUIRE(made.status == 200);
  return made.body;
}

}  // namespace

TEST_CASE("A subscription's coupon is a discount, and its first invoice has it", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price(2000);
  const std::string quarter = coupon(c, "percent_off=25&duration=forever");
  c.events();
  const json sub = subscribe(c, customer, price, "&discounts[0][coupon]=" + quarter);
  REQUIRE(sub["discounts"].size() == 1);
  const json& invoice = sub["latest_invoice"];
  CHECK(invoice["subtotal"] == 2000);
  CHECK(invoice["total"] == 1500);
  CHECK(invoice["amount_paid"] == 1500);
  CHECK(invoice["discounts"] == sub["discounts"]);
  CHECK(invoice["total_discount_amounts"][0]["amount"] == 500);
  CHECK(invoice["lines"]["data"][0]["discount_amounts"][0]["amount"] == 500);
  CHECK(invoice["lines"]["data"][0]["amount"] == 2000);
  const json told = the_one(c.events(), "customer.discount.created");
  REQUIRE(told.is_object());
  const json& discount = told["data"]["object"];
  CHECK(discount["id"] == sub["discounts"][0]);
  CHECK(discount["subscription"] == sub["id"]);
  CHECK(discount["source"]["coupon"] == quarter);
  CHECK(discount["end"] == nullptr);
  CHECK(c.get("/v1/coupons/" + quarter).body["times_redeemed"] == 1);
  const auto expanded = c.get("/v1/subscriptions/" + sub["id"].get<std::string>(),
                              "expand[0]=discounts&expand[1]=discounts.source.coupon");
  CHECK(expanded.body["discounts"][0]["source"]["coupon"]["percent_off"] == 25);
  tilld::test::check_shapes(c.dump());
}

TEST_CASE("What holds once ends with the invoice that it has discounted", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string once = coupon(c, "amount_off=500&currency=usd&duration=once");
  c.events();
  const json sub = subscribe(c, customer, c.price(2000), "&discounts[0][coupon]=" + once);
  CHECK(sub["latest_invoice"]["total"] == 1500);
  CHECK(sub["discounts"].empty());
  const json gone = the_one(c.events(), "customer.discount.deleted");
  REQUIRE(gone.is_object());
  CHECK(gone["data"]["object"]["deleted"] == true);
  CHECK(!gone["data"]["object"].contains("end"));
  c.wait(32 * day_s);
  const auto invoices =
      c.get("/v1/invoices", "subscription=" + sub["id"].get<std::string>() + "&limit=1");
  CHECK(invoices.body["data"][0]["billing_reason"] == "subscription_cycle");
  CHECK(invoices.body["data"][0]["total"] == 2000);
}

TEST_CASE("A trial's invoice does not use up what holds once", "[discounts]") {
  client c;
  const std::string once = coupon(c, "percent_off=50&duration=once");
  const json sub = subscribe(c, c.customer(), c.price(2000),
                             "&trial_period_days=7&discounts[0][coupon]=" + once);
  CHECK(sub["discounts"].size() == 1);
  c.wait(8 * day_s);
  const auto now =
      c.get("/v1/subscriptions/" + sub["id"].get<std::string>(), "expand[0]=latest_invoice");
  CHECK(now.body["latest_invoice"]["total"] == 1000);
  CHECK(now.body["discounts"].empty());
}

TEST_CASE("A repeating coupon discounts for its months and then ends by itself", "[discounts]") {
  client c;
  const std::string two = coupon(c, "percent_off=50&duration=repeating&duration_in_months=2");
  const json sub = subscribe(c, c.customer(), c.price(2000), "&discounts[0][coupon]=" + two);
  c.wait(100 * day_s);
  const auto invoices = c.get("/v1/invoices", "subscription=" + sub["id"].get<std::string>());
  REQUIRE(invoices.body["data"].size() == 4);
  CHECK(invoices.body["data"][3]["total"] == 1000);
  CHECK(invoices.body["data"][2]["total"] == 1000);
  CHECK(invoices.body["data"][1]["total"] == 2000);
  CHECK(invoices.body["data"][0]["total"] == 2000);
  CHECK(c.get("/v1/subscriptions/" + sub["id"].get<std::string>()).body["discounts"].empty());
  CHECK(the_one(c.events(), "customer.discount.deleted").is_object());
}

TEST_CASE("Discounts of a subscription are added, switched and taken away", "[discounts]") {
  client c;
  const json sub = subscribe(c, c.customer(), c.price(2000), "");
  const std::string path = "/v1/subscriptions/" + sub["id"].get<std::string>();
  const std::string a = coupon(c, "percent_off=10&duration=forever");
  const std::string b = coupon(c, "percent_off=20&duration=forever");
  c.events();
  const auto first = c.post(path, "discounts[0][coupon]=" + a);
  REQUIRE(first.body["discounts"].size() == 1);
  auto told = c.events();
  CHECK(the_one(told, "customer.discount.created").is_object());
  CHECK(
      the_one(told, "customer.subscription.updated")["data"]["previous_attributes"]["discounts"] ==
      json::array());
  const auto second = c.post(path, "discounts[0][coupon]=" + b);
  told = c.events();
  const json switched = the_one(told, "customer.discount.updated");
  REQUIRE(switched.is_object());
  CHECK(switched["data"]["object"]["source"]["coupon"] == b);
  CHECK(switched["data"]["previous_attributes"]["source"]["coupon"] == a);
  const std::string kept = second.body["discounts"][0];
  const auto both = c.post(path, "discounts[0][discount]=" + kept + "&discounts[1][coupon]=" + a);
  REQUIRE(both.body["discounts"].size() == 2);
  CHECK(both.body["discounts"][0] == kept);
  const auto gone = c.del(path + "/discount");
  CHECK(gone.status == 200);
  CHECK(gone.body["deleted"] == true);
  CHECK(c.get(path).body["discounts"].empty());
  CHECK(c.del(path + "/discount").status == 404);
  c.post(path, "discounts[0][coupon]=" + a);
  CHECK(c.post(path, "discounts=").body["discounts"].empty());
}

TEST_CASE("A coupon that is used up, over or gone cannot be redeemed", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price(2000);
  const auto tried = [&](const std::string& discount) {
    return c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price +
                                           "&discounts[0]" + discount);
  };
  const std::string few = coupon(c, "percent_off=10&max_redemptions=1");
  const std::string of_few = code(c, few);
  CHECK(tried("[coupon]=" + few).status == 200);
  CHECK(c.get("/v1/coupons/" + few).body["valid"] == false);
  CHECK(c.get("/v1/promotion_codes/" + of_few).body["active"] == false);
  CHECK(tried("[coupon]=" + few).status == 400);
  CHECK(tried("[promotion_code]=" + of_few).status == 400);
  const std::string soon = coupon(c, "percent_off=10&redeem_by=" + std::to_string(c.now_s + day_s));
  c.wait(2 * day_s);
  CHECK(tried("[coupon]=" + soon).code() == "coupon_expired");
  CHECK(c.get("/v1/coupons/" + soon).body["valid"] == false);
  const std::string euros = coupon(c, "amount_off=100&currency=eur");
  CHECK(tried("[coupon]=" + euros).status == 400);
  CHECK(tried("[coupon]=none").code() == "resource_missing");
  CHECK(tried("[coupon]=none").param() == "discounts[0][coupon]");
  const std::string doomed = coupon(c, "percent_off=10&duration=forever");
  const json sub = subscribe(c, customer, price, "&discounts[0][coupon]=" + doomed);
  c.del("/v1/coupons/" + doomed);
  c.wait(32 * day_s);
  const auto renewed =
      c.get("/v1/subscriptions/" + sub["id"].get<std::string>(), "expand[0]=latest_invoice");
  CHECK(renewed.body["latest_invoice"]["total"] == 1800);
}

TEST_CASE("Promotion codes keep to their restrictions", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price(2000);
  const std::string ten = coupon(c, "percent_off=10&duration=forever");
  const auto tried = [&](const std::string& code) {
    return c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price +
                                           "&discounts[0][promotion_code]=" + code);
  };
  CHECK(tried(code(c, ten,
                   "&restrictions[minimum_amount]=5000"
                   "&restrictions[minimum_amount_currency]=usd"))
            .status == 400);
  CHECK(tried(code(c, ten, "&customer=" + c.customer())).status == 400);
  CHECK(tried(code(c, ten, "&active=false")).status == 400);
  const std::string first = code(c, ten, "&restrictions[first_time_transaction]=true");
  const auto made = tried(first);
  REQUIRE(made.status == 200);
  CHECK(c.get("/v1/promotion_codes/" + first).body["times_redeemed"] == 1);
  CHECK(tried(first).message().find("prior transactions") != std::string::npos);
  const std::string brief = code(c, ten, "&expires_at=" + std::to_string(c.now_s + day_s));
  c.wait(2 * day_s);
  CHECK(tried(brief).status == 400);
  CHECK(c.get("/v1/promotion_codes/" + brief).body["active"] == false);
}

TEST_CASE("Items have discounts of their own, and coupons their products", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string gold = c.price(2000);
  const std::string extra = c.price(1000, "month", "Extra");
  const std::string product = c.get("/v1/prices/" + extra).body["product"];
  const std::string half = coupon(c, "percent_off=50&duration=forever");
  const std::string of_extra =
      coupon(c, "percent_off=10&duration=forever&applies_to[products][0]=" + product);
  const json sub = subscribe(c, customer, gold,
                             "&items[0][discounts][0][coupon]=" + half +
                                 "&items[1][price]=" + extra + "&discounts[0][coupon]=" + of_extra);
  const json& invoice = sub["latest_invoice"];
  CHECK(invoice["subtotal"] == 2000);
  CHECK(invoice["total"] == 1900);
  CHECK(sub["items"]["data"][0]["discounts"].size() == 1);
  CHECK(invoice["lines"]["data"][0]["discounts"] == sub["items"]["data"][0]["discounts"]);
  CHECK(invoice["lines"]["data"][1]["discount_amounts"][0]["amount"] == 100);
}

TEST_CASE("Prorations are net of what discounts the subscription", "[discounts]") {
  client c;
  const std::string half = coupon(c, "percent_off=50&duration=forever");
  const std::string bigger = c.price(4000, "month", "Platinum");
  const json sub = subscribe(c, c.customer(), c.price(2000), "&discounts[0][coupon]=" + half);
  const std::string item = sub["items"]["data"][0]["id"];
  c.wait(0);
  const auto changed = c.post("/v1/subscriptions/" + sub["id"].get<std::string>(),
                              "items[0][id]=" + item + "&items[0][price]=" + bigger +
                                  "&proration_behavior=always_invoice&expand[0]=latest_invoice");
  REQUIRE(changed.status == 200);
  const json& invoice = changed.body["latest_invoice"];
  CHECK(invoice["lines"]["data"][0]["amount"] == -1000);
  CHECK(invoice["lines"]["data"][1]["amount"] == 2000);
  CHECK(invoice["lines"]["data"][1]["discount_amounts"][0]["amount"] == 0);
  CHECK(invoice["total"] == 1000);
}

TEST_CASE("Invoices and their items have discounts and taxes", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string ten = coupon(c, "percent_off=10");
  const std::string hundred = coupon(c, "amount_off=100&currency=usd");
  const std::string vat = rate(c, "20");
  const auto item = c.post("/v1/invoiceitems", "customer=" + customer +
                                                   "&amount=1000&currency=usd"
                                                   "&discounts[0][coupon]=" +
                                                   hundred);
  REQUIRE(item.status == 200);
  CHECK(item.body["net_amount"] == 900);
  const auto draft = c.post("/v1/invoices", "customer=" + customer +
                                                "&pending_invoice_items_behavior=include"
                                                "&discounts[0][coupon]=" +
                                                ten + "&default_tax_rates[0]=" + vat);
  REQUIRE(draft.status == 200);
  CHECK(draft.body["subtotal"] == 900);
  CHECK(draft.body["total_discount_amounts"].size() == 2);
  CHECK(draft.body["total_excluding_tax"] == 810);
  CHECK(draft.body["total"] == 972);
  CHECK(draft.body["default_tax_rates"][0]["percentage"] == 20);
  const json tax = draft.body["total_taxes"][0];
  CHECK(tax["amount"] == 162);
  CHECK(tax["tax_behavior"] == "exclusive");
  CHECK(tax["tax_rate_details"]["tax_rate"] == vat);
  const std::string path = "/v1/invoices/" + draft.id();
  CHECK(c.post(path, "discounts=&default_tax_rates=").body["total"] == 900);
  const std::string own = rate(c, "10", true);
  c.post("/v1/invoiceitems/" + item.id(), "tax_rates[0]=" + own);
  const auto taxed = c.get(path);
  CHECK(taxed.body["total"] == 900);
  CHECK(taxed.body["subtotal_excluding_tax"] == 818);
  CHECK(taxed.body["total_taxes"][0]["amount"] == 82);
  tilld::test::check_shapes(c.dump());
}

TEST_CASE("A subscription's tax rates reach all of its invoices", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string vat = rate(c, "19");
  const std::string low = rate(c, "7");
  const json sub = subscribe(c, customer, c.price(2000),
                             "&default_tax_rates[0]=" + vat + "&items[1][price]=" +
                                 c.price(1000, "month", "Book") + "&items[1][tax_rates][0]=" + low);
  CHECK(sub["latest_invoice"]["total"] == 2000 + 380 + 1000 + 70);
  CHECK(sub["default_tax_rates"][0]["id"] == vat);
  CHECK(sub["items"]["data"][1]["tax_rates"][0]["id"] == low);
  c.post("/v1/customers/" + customer, "tax_exempt=reverse");
  c.wait(32 * day_s);
  const auto now =
      c.get("/v1/subscriptions/" + sub["id"].get<std::string>(), "expand[0]=latest_invoice");
  CHECK(now.body["latest_invoice"]["total"] == 3000);
  CHECK(now.body["latest_invoice"]["total_taxes"][0]["taxability_reason"] == "reverse_charge");
}

TEST_CASE("Tax rates are made, archived and listed", "[discounts]") {
  client c;
  const std::string vat = rate(c, "7.25");
  CHECK(c.get("/v1/tax_rates/" + vat).body["percentage"] == 7.25);
  CHECK(c.post("/v1/tax_rates/" + vat, "active=false&country=DE").body["active"] == false);
  CHECK(c.get("/v1/tax_rates", "active=true").body["data"].empty());
  CHECK(c.get("/v1/tax_rates", "inclusive=false").body["data"].size() == 1);
  CHECK(c.post("/v1/tax_rates", "display_name=x&inclusive=true&percentage=101").param() ==
        "percentage");
  CHECK(c.post("/v1/tax_rates", "display_name=x&inclusive=true&percentage=1.23456").status == 400);
  CHECK(c.post("/v1/tax_rates", "display_name=x&inclusive=true").param() == "percentage");
  const auto refused =
      c.post("/v1/invoices", "customer=" + c.customer() + "&default_tax_rates[0]=" + vat);
  CHECK(refused.status == 400);
}

TEST_CASE("Tiers make a line each, and show when they are expanded", "[discounts]") {
  client c;
  const std::string product = c.post("/v1/products", "name=Font").id();
  const auto price = c.post("/v1/prices",
                            "currency=usd&recurring[interval]=month&billing_scheme=tiered"
                            "&tiers_mode=graduated&tiers[0][up_to]=5&tiers[0][unit_amount]=700"
                            "&tiers[0][flat_amount]=100&tiers[1][up_to]=inf"
                            "&tiers[1][unit_amount_decimal]=650.5&expand[0]=tiers&product=" +
                                product);
  INFO(price.text);
  REQUIRE(price.status == 200);
  CHECK(price.body["unit_amount"] == nullptr);
  CHECK(price.body["tiers"].size() == 2);
  CHECK(price.body["tiers"][1]["up_to"] == nullptr);
  CHECK(price.body["tiers"][1]["unit_amount_decimal"] == "650.5");
  CHECK(!c.get("/v1/prices/" + price.id()).body.contains("tiers"));
  const json sub = subscribe(c, c.customer(), price.id(), "&items[0][quantity]=6");
  const json& lines = sub["latest_invoice"]["lines"]["data"];
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["amount"] == 3500);
  CHECK(lines[0]["description"] == "5 × Font (Tier 1 at $7.00 / month)");
  CHECK(lines[1]["amount"] == 100);
  CHECK(lines[2]["amount"] == 651);
  CHECK(lines[2]["description"] == "1 × Font (Tier 2 at $6.505 / month)");
  CHECK(sub["latest_invoice"]["total"] == 4251);
}

TEST_CASE("Prices are refused that do not add up", "[discounts]") {
  client c;
  const std::string product = c.post("/v1/products", "name=Font").id();
  const auto tried = [&](const std::string& form) {
    return c.post("/v1/prices", "currency=usd&product=" + product + "&" + form);
  };
  const std::string tiered = "billing_scheme=tiered&tiers_mode=volume&";
  CHECK(tried("billing_scheme=tiered&tiers[0][up_to]=inf&tiers[0][unit_amount]=1").param() ==
        "tiers_mode");
  CHECK(tried(tiered).param() == "tiers");
  CHECK(tried(tiered + "tiers[0][up_to]=5&tiers[0][unit_amount]=1").param() == "tiers[0][up_to]");
  CHECK(tried(tiered + "tiers[0][up_to]=5&tiers[0][unit_amount]=1&tiers[1][up_to]=5"
                       "&tiers[1][unit_amount]=1&tiers[2][up_to]=inf&tiers[2][unit_amount]=1")
            .param() == "tiers[1][up_to]");
  CHECK(tried(tiered + "tiers[0][up_to]=inf").param() == "tiers[0]");
  CHECK(tried("tiers[0][up_to]=inf&tiers[0][unit_amount]=1").status == 400);
  CHECK(tried("unit_amount=1&unit_amount_decimal=2").status == 400);
  CHECK(tried("custom_unit_amount[enabled]=true&unit_amount=1").status == 400);
  CHECK(tried("custom_unit_amount[enabled]=true&custom_unit_amount[minimum]=100")
            .body["custom_unit_amount"]["minimum"] == 100);
  CHECK(tried("unit_amount=1000&transform_quantity[divide_by]=5&transform_quantity[round]=up")
            .body["transform_quantity"]["divide_by"] == 5);
}

TEST_CASE("A subscription's currency picks the price's option", "[discounts]") {
  client c;
  const std::string product = c.post("/v1/products", "name=Gold").id();
  const auto price = c.post("/v1/prices",
                            "currency=usd&unit_amount=2000&recurring[interval]=month"
                            "&currency_options[eur][unit_amount]=1800"
                            "&currency_options[jpy][unit_amount]=300&product=" +
                                product);
  REQUIRE(price.status == 200);
  CHECK(!price.body.contains("currency_options"));
  const auto shown = c.get("/v1/prices/" + price.id(), "expand[0]=currency_options");
  CHECK(shown.body["currency_options"]["usd"]["unit_amount"] == 2000);
  CHECK(shown.body["currency_options"]["eur"]["unit_amount"] == 1800);
  const json sub = subscribe(c, c.customer(), price.id(), "&currency=jpy");
  CHECK(sub["currency"] == "jpy");
  CHECK(sub["latest_invoice"]["currency"] == "jpy");
  CHECK(sub["latest_invoice"]["total"] == 300);
  CHECK(c.post("/v1/subscriptions",
               "customer=" + c.customer() + "&currency=gbp&items[0][price]=" + price.id())
            .status == 400);
  CHECK(c.post("/v1/prices/" + price.id(), "currency_options[gbp][unit_amount]=1500").status ==
        200);
  CHECK(subscribe(c, c.customer(), price.id(), "&currency=gbp")["latest_invoice"]["total"] == 1500);
  const std::string both =
      coupon(c, "amount_off=500&currency=usd&currency_options[eur][amount_off]=400");
  CHECK(subscribe(c, c.customer(), price.id(),
                  "&currency=eur&discounts[0][coupon]=" + both)["latest_invoice"]["total"] == 1400);
}

TEST_CASE("Prices can be made on the way", "[discounts]") {
  client c;
  const std::string customer = c.customer();
  const std::string product = c.post("/v1/products", "name=Gold").id();
  const auto sub =
      c.post("/v1/subscriptions",
             "customer=" + customer +
                 "&items[0][price_data][currency]=usd&items[0][price_data][product]=" + product +
                 "&items[0][price_data][recurring][interval]=month"
                 "&items[0][price_data][unit_amount]=1500"
                 "&add_invoice_items[0][price_data][currency]=usd"
                 "&add_invoice_items[0][price_data][product]=" +
                 product +
                 "&add_invoice_items[0][price_data][unit_amount_decimal]=0.5"
                 "&add_invoice_items[0][quantity]=999"
                 "&expand[0]=latest_invoice");
  INFO(sub.text);
  REQUIRE(sub.status == 200);
  CHECK(sub.body["items"]["data"][0]["price"]["active"] == false);
  CHECK(sub.body["latest_invoice"]["total"] == 1500 + 500);
  CHECK(sub.body["latest_invoice"]["lines"]["data"][1]["pricing"]["unit_amount_decimal"] == "0.5");
  const auto item =
      c.post("/v1/invoiceitems", "customer=" + customer +
                                     "&price_data[currency]=usd&price_data[product]=" + product +
                                     "&price_data[unit_amount]=100&quantity=3");
  CHECK(item.body["amount"] == 300);
  const auto bare = c.post("/v1/invoiceitems", "customer=" + customer +
                                                   "&currency=usd&unit_amount_decimal=33.3"
                                                   "&quantity=10");
  CHECK(bare.body["amount"] == 333);
  const auto made = c.post("/v1/prices",
                           "currency=usd&unit_amount=1&product_data[name]=Mine"
                           "&product_data[id]=mine");
  CHECK(made.body["product"] == "mine");
  CHECK(c.get("/v1/products/mine").body["name"] == "Mine");
}

TEST_CASE("What is added to an update waits for the next invoice", "[discounts]") {
  client c;
  const json sub = subscribe(c, c.customer(), c.price(2000), "");
  const std::string path = "/v1/subscriptions/" + sub["id"].get<std::string>();
  const std::string product = c.post("/v1/products", "name=Setup").id();
  const auto fee = c.post("/v1/prices", "currency=usd&unit_amount=700&product=" + product);
  CHECK(c.post(path, "add_invoice_items[0][price]=" + fee.id()).status == 200);
  c.wait(32 * day_s);
  const auto now = c.get(path, "expand[0]=latest_invoice");
  CHECK(now.body["latest_invoice"]["total"] == 2700);
}
