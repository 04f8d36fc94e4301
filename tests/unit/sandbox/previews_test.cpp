// Source: https://docs.stripe.com/api/invoices/create_preview
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t half_january_s = 15 * day_s + 43'200;

tilld::test::reply preview(client& c, const std::string& form) {
  return c.post("/v1/invoices/create_preview", form);
}

}  // namespace

TEST_CASE("A preview leaves no trace, and comes true") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(2000));
  c.events();
  const std::string before = c.stripe.dump();
  const auto next = preview(c, "subscription=" + sub);
  REQUIRE(next.status == 200);
  CHECK(next.id().starts_with("upcoming_in_"));
  CHECK(next.body["status"] == "draft");
  CHECK(next.body["total"] == 2000);
  CHECK(next.body["created"] == new_year_s + 31 * day_s);
  CHECK(next.body["period_end"] == new_year_s + 31 * day_s);
  CHECK(next.body["lines"]["data"][0]["period"]["start"] == new_year_s + 31 * day_s);
  check_shapes(next.body);
  CHECK(c.stripe.dump() == before);
  CHECK(c.events().empty());
  c.wait(31 * day_s + 7200);
  const auto came = c.get("/v1/invoices", "subscription=" + sub).body;
  CHECK(came["data"][0]["total"] == next.body["total"]);
}

TEST_CASE("A change is previewed with its prorations, as it would be billed") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price(2000));
  const std::string large = c.price(6000);
  const std::string item = c.get("/v1/subscriptions/" + sub).body["items"]["data"][0]["id"];
  c.wait(half_january_s);
  const std::string change = "subscription=" + sub + "&subscription_details[items][0][id]=" + item +
                             "&subscription_details[items][0][price]=" + large;
  const auto later = preview(c, change);
  CHECK(later.body["total"] == 6000 + 3000 - 1000);
  CHECK(later.body["lines"]["data"].size() == 3);
  const auto at_once =
      preview(c, change + "&subscription_details[proration_behavior]=always_invoice");
  CHECK(at_once.body["total"] == 2000);
  CHECK(at_once.body["billing_reason"] == "subscription_update");
  CHECK(at_once.body["status"] == "draft");
  const auto done = c.post("/v1/subscriptions/" + sub,
                           "items[0][id]=" + item + "&items[0][price]=" + large +
                               "&proration_behavior=always_invoice&expand[0]=latest_invoice");
  CHECK(done.body["latest_invoice"]["total"] == at_once.body["total"]);
}

TEST_CASE("A beginning, an end, credit and items of one's own are previewed") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price(2000);
  c.post("/v1/customers/" + customer, "balance=-500");
  const auto begun =
      preview(c, "customer=" + customer + "&subscription_details[items][0][price]=" + price +
                     "&subscription_details[items][0][quantity]=2");
  CHECK(begun.body["total"] == 4000);
  CHECK(begun.body["amount_due"] == 3500);
  CHECK(c.get("/v1/subscriptions", "customer=" + customer).body["data"].empty());
  const std::string sub = c.subscription(customer, price);
  c.wait(half_january_s);
  const auto over = preview(c, "subscription=" + sub + "&subscription_details[cancel_now]=true");
  CHECK(over.body["total"] == -1000);
  const auto more = preview(c, "customer=" + customer + "&invoice_items[0][amount]=700" +
                                   "&invoice_items[0][currency]=usd");
  CHECK(more.body["lines"]["data"].size() == 1);
}

TEST_CASE("What cannot be previewed says so") {
  client c;
  const std::string customer = c.customer();
  CHECK(preview(c, "customer=" + customer).code() == "invoice_upcoming_none");
  CHECK(preview(c, "customer=" + customer).status == 404);
  CHECK(preview(c, "").param() == "customer");
  CHECK(preview(c, "subscription=sub_no").code() == "resource_missing");
  const std::string sub = c.subscription(customer, c.price());
  CHECK(preview(c, "subscription=" + sub + "&customer=" + c.customer()).param() == "customer");
  c.post("/v1/subscriptions/" + sub, "cancel_at_period_end=true");
  CHECK(preview(c, "subscription=" + sub).code() == "invoice_upcoming_none");
}
