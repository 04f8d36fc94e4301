// Source: https://docs.stripe.com/payments/checkout/discounts
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;

namespace {

const std::string card = "email=ada@example.com&number=4242424242424242&expiry=12/34&cvc=123";

tilld::sandbox::page post(client& c, const std::string& session, const std::string& body) {
  return c.stripe.visit({"POST", "/c/pay/" + session, "", body}, c.now_s);
}

std::string mug(client& c, const std::string& more) {
  const auto made = c.post("/v1/checkout/sessions",
                           "mode=payment&success_url=https://app.example/ok"
                           "&line_items[0][quantity]=2&line_items[0][price_data][currency]=usd"
                           "&line_items[0][price_data][unit_amount]=1500"
                           "&line_items[0][price_data][product_data][name]=Mug" +
                               more);
  CAPTURE(made.text);
  REQUIRE(made.status == 200);
  check_shapes(made.body);
  return made.id();
}

json shown(client& c, const std::string& id) {
  return c.get("/v1/checkout/sessions/" + id).body;
}

}  // namespace

TEST_CASE(
    "A session costs what its discount and its tax rates make of it, and so does its charge") {
  client c;
  const std::string vat =
      c.post("/v1/tax_rates", "display_name=VAT&inclusive=false&percentage=10").id();
  const std::string coupon = c.post("/v1/coupons", "percent_off=20&duration=once").id();
  const std::string id =
      mug(c, "&discounts[0][coupon]=" + coupon + "&line_items[0][tax_rates][0]=" + vat);
  const json s = shown(c, id);
  CHECK(s["amount_subtotal"] == 3000);
  CHECK(s["amount_total"] == 2640);  // (30.00 - 6.00) * 1.1
  CHECK(s["total_details"]["amount_discount"] == 600);
  CHECK(s["total_details"]["amount_tax"] == 240);
  CHECK(s["discounts"][0]["coupon"] == coupon);
  const json line = c.get("/v1/checkout/sessions/" + id + "/line_items").body["data"][0];
  CHECK(line["amount_total"] == 2640);
  CHECK(line["amount_discount"] == 600);
  CHECK(c.get("/v1/coupons/" + coupon).body["times_redeemed"] == 0);
  CHECK(post(c, id, card).status == 303);
  CHECK(c.get("/v1/charges").body["data"][0]["amount"] == 2640);
  CHECK(c.get("/v1/coupons/" + coupon).body["times_redeemed"] == 1);
}

TEST_CASE("A code that the customer types makes it cheaper; another does not") {
  client c;
  const std::string coupon =
      c.post("/v1/coupons", "amount_off=500&currency=usd&duration=once").id();
  c.post("/v1/promotion_codes",
         "promotion[type]=coupon&promotion[coupon]=" + coupon + "&code=SPRING");
  const std::string id = mug(c, "&allow_promotion_codes=true");
  const auto wrong = post(c, id, "promotion_code=WINTER");
  CHECK(wrong.status == 402);
  CHECK(wrong.body.find("This code is invalid.") != std::string::npos);
  CHECK(shown(c, id)["amount_total"] == 3000);
  CHECK(post(c, id, "promotion_code=SPRING").status == 200);
  CHECK(shown(c, id)["amount_total"] == 2500);
  CHECK(post(c, id, card).status == 303);
  CHECK(c.get("/v1/charges").body["data"][0]["amount"] == 2500);
  const std::string closed = mug(c, "");
  CHECK(post(c, closed, "promotion_code=SPRING").status == 402);
}

TEST_CASE("A subscription that is bought has the session's discount and tax rates") {
  client c;
  const std::string vat =
      c.post("/v1/tax_rates", "display_name=VAT&inclusive=false&percentage=10").id();
  const std::string coupon = c.post("/v1/coupons", "percent_off=50&duration=forever").id();
  const auto made = c.post("/v1/checkout/sessions",
                           "mode=subscription&success_url=https://app.example/ok"
                           "&line_items[0][quantity]=1&line_items[0][price]=" +
                               c.price(2000) + "&line_items[0][tax_rates][0]=" + vat +
                               "&discounts[0][coupon]=" + coupon);
  CHECK(made.body["amount_total"] == 1100);
  CHECK(post(c, made.id(), card).status == 303);
  const json invoice = c.get("/v1/invoices").body["data"][0];
  CHECK(invoice["total"] == 1100);
  CHECK(invoice["status"] == "paid");
  CHECK(c.get("/v1/coupons/" + coupon).body["times_redeemed"] == 1);
  const json sub = c.get("/v1/subscriptions", "expand[0]=data.discounts").body["data"][0];
  CHECK(sub["discounts"][0]["source"]["coupon"] == coupon);
}

TEST_CASE("Discounts that do not fit a session are refused") {
  client c;
  const std::string base =
      "mode=payment&success_url=https://app.example/ok&line_items[0][quantity]=1"
      "&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=1500"
      "&line_items[0][price_data][product_data][name]=Mug";
  const auto before = c.stripe.dump();
  CHECK(c.post("/v1/checkout/sessions", base + "&discounts[0][coupon]=no").param() ==
        "discounts[0][coupon]");
  CHECK(c.post("/v1/checkout/sessions", base + "&discounts[0][coupon]=a&discounts[1][coupon]=b")
            .param() == "discounts");
  CHECK(c.post("/v1/checkout/sessions", base + "&discounts[0][coupon]=a&allow_promotion_codes=true")
            .param() == "discounts");
  CHECK(c.stripe.dump() == before);
}
