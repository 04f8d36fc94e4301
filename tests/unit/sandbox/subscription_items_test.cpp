// Source: https://docs.stripe.com/api/subscription_items
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;

namespace {

constexpr std::int64_t half_january_s = 15 * 86'400 + 43'200;

struct setting {
  client c;
  std::string sub = c.subscription(c.customer(), c.price(2000));
  std::string seats = c.price(1000, "month", "Seats");
  std::string first() {
    return c.get("/v1/subscription_items", "subscription=" + sub).body["data"][0]["id"];
  }
};

}  // namespace

TEST_CASE("An item is added, changed and deleted by itself, with prorations") {
  setting s;
  client& c = s.c;
  c.wait(half_january_s);
  c.events();
  const auto added = c.post("/v1/subscription_items",
                            "subscription=" + s.sub + "&price=" + s.seats + "&quantity=2");
  REQUIRE(added.status == 200);
  check_shapes(added.body);
  CHECK(added.body["subscription"] == s.sub);
  CHECK(added.body["quantity"] == 2);
  CHECK(c.told() ==
        std::vector<std::string>{"invoiceitem.created", "customer.subscription.updated"});
  const auto more = c.post("/v1/subscription_items/" + added.id(), "quantity=4&metadata[a]=b");
  CHECK(more.body["quantity"] == 4);
  CHECK(more.body["metadata"]["a"] == "b");
  const auto gone = c.del("/v1/subscription_items/" + added.id());
  CHECK(gone.body == json{{"id", added.id()}, {"object", "subscription_item"}, {"deleted", true}});
  CHECK(c.get("/v1/subscription_items/" + added.id()).status == 404);
  const json pending = c.get("/v1/invoiceitems", "pending=true").body["data"];
  std::int64_t sum = 0;
  for (const auto& item : pending)
    sum += item["amount"].get<std::int64_t>();
  CHECK(pending.size() == 4);  // 2 pieces; 2 back and 4; 4 back
  CHECK(sum == 0);
}

TEST_CASE("The subscription's own refusals name the item's parameters") {
  setting s;
  client& c = s.c;
  const auto before = c.stripe.dump();
  const auto unknown =
      c.post("/v1/subscription_items", "subscription=" + s.sub + "&price=price_no");
  CHECK(unknown.status == 400);
  CHECK(unknown.param() == "price");
  const auto lacking = c.post("/v1/subscription_items", "subscription=" + s.sub);
  CHECK(lacking.param() == "price");
  CHECK(c.post("/v1/subscription_items", "price=" + s.seats).param() == "subscription");
  CHECK(c.post("/v1/subscription_items/si_no", "quantity=2").status == 404);
  const auto last = c.del("/v1/subscription_items/" + s.first());
  CHECK(last.status == 400);
  CHECK(last.message().starts_with("A subscription must have at least one active plan."));
  CHECK(c.stripe.dump() == before);
}

TEST_CASE("A change that is invoiced at once is paid at once") {
  setting s;
  client& c = s.c;
  const std::string item = s.first();
  c.wait(half_january_s);
  const auto changed =
      c.post("/v1/subscription_items/" + item, "quantity=3&proration_behavior=always_invoice");
  CHECK(changed.body["quantity"] == 3);
  const auto invoices = c.get("/v1/invoices", "subscription=" + s.sub).body["data"];
  REQUIRE(invoices.size() == 2);
  CHECK(invoices[0]["total"] == 2000);
  CHECK(invoices[0]["status"] == "paid");
}

TEST_CASE("A change that waits for its payment answers with what is to come") {
  setting s;
  client& c = s.c;
  const std::string broke = c.subscription(c.customer("pm_card_chargeCustomerFail"), s.seats,
                                           "&trial_period_days=0&collection_method=send_invoice"
                                           "&days_until_due=30");
  const auto waiting =
      c.post("/v1/subscription_items",
             "subscription=" + broke + "&price=" + c.price(500, "month", "Extra") +
                 "&payment_behavior=pending_if_incomplete&proration_behavior=always_invoice");
  CHECK(waiting.status == 200);
  CHECK(waiting.body["object"] == "subscription_item");
}
