#include "stripe/collapse.hpp"

#include "support/catch.hpp"

using tilld::stripe::collapse;

TEST_CASE("expanded fields are folded back into ids") {
  CHECK(*collapse(R"({"id":"sub_1","object":"subscription",)"
                  R"("customer":{"id":"cus_1","object":"customer","email":"a@b.c"},)"
                  R"("latest_invoice":{"id":"in_1","object":"invoice"},"status":"active"})") ==
        R"({"id":"sub_1","object":"subscription","customer":"cus_1",)"
        R"("latest_invoice":"in_1","status":"active"})");
}

TEST_CASE("what Stripe always embeds stays whole, and is folded inside") {
  CHECK(*collapse(R"({"id":"sub_1","object":"subscription","items":{"object":"list","data":[)"
                  R"({"id":"si_1","object":"subscription_item","price":{"id":"price_1",)"
                  R"("object":"price","product":{"id":"prod_1","object":"product"}}}]}})") ==
        R"({"id":"sub_1","object":"subscription","items":{"object":"list","data":[)"
        R"({"id":"si_1","object":"subscription_item","price":{"id":"price_1",)"
        R"("object":"price","product":"prod_1"}}]}})");
}

TEST_CASE("arrays of references are folded one by one") {
  CHECK(*collapse(R"({"id":"sub_1","object":"subscription","discounts":[)"
                  R"({"id":"di_1","object":"discount"},"di_2"]})") ==
        R"({"id":"sub_1","object":"subscription","discounts":["di_1","di_2"]})");
}

TEST_CASE("a document that was not expanded stays byte for byte") {
  const char* plain = R"({"id":"cus_1","object":"customer","balance":-1200,"metadata":{"k":"v"}})";
  CHECK(*collapse(plain) == plain);
}

TEST_CASE("what is no object is an error") {
  CHECK_FALSE(collapse("[1]").has_value());
}

TEST_CASE("What Stripe adds on demand is taken out, also inside of what is embedded") {
  const auto folded = [](const char* text) { return *tilld::stripe::collapse(text); };
  CHECK(folded(R"({"id":"cus_1","object":"customer","tax_ids":{"object":"list"},"tax":{"a":1},)"
               R"("sources":{"object":"list","data":[]},"name":"x"})") ==
        R"({"id":"cus_1","object":"customer","name":"x"})");
  CHECK(folded(R"({"id":"qt_1","object":"quote","computed":{"upfront":{"amount":1,)"
               R"("line_items":{"object":"list"}}},"total_details":null})") ==
        R"({"id":"qt_1","object":"quote","computed":{"upfront":{"amount":1}},)"
        R"("total_details":null})");
  CHECK(folded(R"({"id":"sub_1","object":"subscription","items":{"object":"list","data":[)"
               R"({"id":"si_1","object":"subscription_item","billed_until":3,"price":)"
               R"({"id":"price_1","object":"price","tiers":[],"product":"p"}}]}})") ==
        R"({"id":"sub_1","object":"subscription","items":{"object":"list","data":[)"
        R"({"id":"si_1","object":"subscription_item","price":)"
        R"({"id":"price_1","object":"price","product":"p"}}]}})");
  CHECK(folded(R"({"id":"ic_1","object":"issuing.card","number":"4242","cvc":"1"})") ==
        R"({"id":"ic_1","object":"issuing.card"})");
}

TEST_CASE("what was folded away is there in the shape of its own") {
  const auto all = tilld::stripe::collapse_all(R"({
    "id": "sub_1", "object": "subscription", "status": "active",
    "customer": {"id": "cus_1", "object": "customer", "deleted": true},
    "latest_invoice": {"id": "in_1", "object": "invoice",
      "customer": {"id": "cus_1", "object": "customer", "email": "a@b.c",
                   "subscriptions": {"object": "list", "data": []}},
      "confirmation_secret": {"client_secret": "x"}, "total": 7}})");
  REQUIRE(all.has_value());
  CHECK(all->document == R"({"id":"sub_1","object":"subscription","status":"active",)"
                         R"("customer":"cus_1","latest_invoice":"in_1"})");
  REQUIRE(all->inside.size() == 2);
  CHECK(all->inside[0] == R"({"id":"cus_1","object":"customer","email":"a@b.c"})");
  CHECK(all->inside[1] == R"({"id":"in_1","object":"invoice","customer":"cus_1","total":7})");
}
