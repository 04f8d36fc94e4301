#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;

TEST_CASE("The same key with the same parameters answers what it answered, and acts once") {
  client c;
  const auto first = c.post("/v1/customers", "email=a@b.c", "key-1");
  const auto again = c.post("/v1/customers", "email=a@b.c", "key-1");
  CHECK(again.text == first.text);
  CHECK(again.status == first.status);
  CHECK(first.header("Idempotent-Replayed").empty());
  CHECK(again.header("Idempotent-Replayed") == "true");
  CHECK(again.header("Original-Request") == first.header("Request-Id"));
  CHECK(again.header("Idempotency-Key") == "key-1");
  CHECK(c.get("/v1/customers").body["data"].size() == 1);
  CHECK(c.told().size() == 1);
}

TEST_CASE("The order of the parameters does not matter to a key") {
  client c;
  const auto first = c.post("/v1/customers", "email=a@b.c&name=A", "key-1");
  CHECK(c.post("/v1/customers", "name=A&email=a@b.c", "key-1").text == first.text);
}

TEST_CASE("A key used for something else is refused") {
  client c;
  c.post("/v1/customers", "email=a@b.c", "key-1");
  const auto other = c.post("/v1/customers", "email=x@y.z", "key-1");
  CHECK(other.status == 400);
  CHECK(other.error("type") == "idempotency_error");
  CHECK(other.message() ==
        "Keys for idempotent requests can only be used with the same parameters they were first "
        "used with. Try using a key other than 'key-1' if you meant to execute a different "
        "request.");
  const auto elsewhere = c.post("/v1/products", "name=a", "key-1");
  CHECK(elsewhere.error("type") == "idempotency_error");
  CHECK(elsewhere.message().starts_with(
      "Keys for idempotent requests can only be used for the same endpoint"));
}

TEST_CASE("A request that never began leaves its key free") {
  client c;
  CHECK(c.post("/v1/products", "", "key-1").status == 400);
  CHECK(c.post("/v1/products", "name=Gold", "key-1").status == 200);
  CHECK(c.post("/v1/customers/cus_nobody", "name=a", "key-2").status == 404);
  CHECK(c.post("/v1/topups/tu_1", "", "key-3").status == 501);
  CHECK(c.post("/v1/products", "name=Silver", "key-3").status == 200);
}

TEST_CASE("A declined card is an outcome: its answer is kept under the key") {
  client c;
  const std::string form = "amount=500&currency=usd&confirm=true&payment_method=";
  const auto first = c.post("/v1/payment_intents", form + "pm_card_chargeDeclined", "key-1");
  CHECK(first.status == 402);
  const auto again = c.post("/v1/payment_intents", form + "pm_card_chargeDeclined", "key-1");
  CHECK(again.status == 402);
  CHECK(again.text == first.text);
  CHECK(c.get("/v1/payment_intents").body["data"].size() == 1);
}

TEST_CASE("Keys are forgotten after a day, and concern POST alone") {
  client c;
  const auto first = c.post("/v1/customers", "", "key-1");
  c.wait(24 * 3600 - 1);
  CHECK(c.post("/v1/customers", "", "key-1").id() == first.id());
  c.wait(2);
  CHECK(c.post("/v1/customers", "", "key-1").id() != first.id());
  tilld::sandbox::request read{"GET", "/v1/customers", "", "", "Bearer sk_test_sandbox", "k", ""};
  CHECK(c.send(read).header("Idempotency-Key").empty());
  CHECK(c.post("/v1/customers", "", std::string(256, 'k')).status == 400);
}

TEST_CASE("Events name the request and the key that caused them") {
  client c;
  const auto made = c.post("/v1/customers", "email=a@b.c", "key-1");
  const auto events = c.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["request"]["id"] == made.header("Request-Id"));
  CHECK(events[0]["request"]["idempotency_key"] == "key-1");
  CHECK(events[0]["created"] == c.now_s);
  CHECK(events[0]["pending_webhooks"] == 1);
  CHECK(events[0]["data"]["object"] == made.body);
}

TEST_CASE("Keys are forgotten when the settings say so") {
  client c;
  CHECK(c.stripe.change_rules(R"({"keys_kept_s": 60})").empty());
  const std::string first = c.post("/v1/customers", "name=a", "key").id();
  c.wait(60);
  CHECK(c.post("/v1/customers", "name=a", "key").id() == first);
  c.wait(1);
  CHECK(c.post("/v1/customers", "name=a", "key").id() != first);
  CHECK(!c.stripe.change_rules(R"({"keys_kept_s": -1})").empty());
}
