// Source: https://docs.stripe.com/billing/customer/tax-ids
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;

TEST_CASE("A customer's tax IDs stand on its invoices until those are finalized") {
  client c;
  const std::string customer = c.customer();
  const std::string path = "/v1/customers/" + customer + "/tax_ids";
  c.events();
  const auto vat = c.post(path, "type=eu_vat&value=DE123456789");
  REQUIRE(vat.status == 200);
  check_shapes(vat.body);
  CHECK(vat.body["country"] == "DE");
  CHECK(vat.body["customer"] == customer);
  CHECK(vat.body["owner"]["type"] == "customer");
  CHECK(vat.body["verification"]["status"] == "pending");
  CHECK(c.told() == std::vector<std::string>{"customer.tax_id.created"});
  CHECK(c.get(path + "/" + vat.id()).body == vat.body);
  CHECK(c.get("/v1/tax_ids/" + vat.id()).body == vat.body);
  const auto draft = c.post("/v1/invoices", "customer=" + customer);
  const json shown = {{{"type", "eu_vat"}, {"value", "DE123456789"}}};
  CHECK(draft.body["customer_tax_ids"] == shown);
  CHECK(c.get("/v1/customers/" + customer, "expand[0]=tax_ids").body["tax_ids"]["data"][0] ==
        vat.body);
  const auto gone = c.del(path + "/" + vat.id());
  CHECK(gone.body == json{{"id", vat.id()}, {"object", "tax_id"}, {"deleted", true}});
  CHECK(c.get("/v1/tax_ids/" + vat.id()).code() == "resource_missing");
  CHECK(c.post("/v1/invoices/" + draft.id() + "/finalize").body["customer_tax_ids"].empty());
  CHECK(c.get(path).body["data"].empty());
}

TEST_CASE("The magic numbers are verified after a while, or not") {
  struct row {
    const char* value;
    const char* status;
  };
  const row rows[] = {
      {"DE000000000", "verified"}, {"DE111111111", "unverified"}, {"DE222222222", "pending"}};
  for (const auto& r : rows) {
    client c;
    const std::string path = "/v1/customers/" + c.customer() + "/tax_ids";
    const auto made = c.post(path, "type=eu_vat&value=" + std::string(r.value));
    CHECK(made.body["verification"]["status"] == "pending");
    c.wait(120);
    c.events();
    CHECK(c.get(path + "/" + made.id()).body["verification"]["status"] == r.status);
  }
}

TEST_CASE("A tax ID of the wrong form or of nobody changes nothing") {
  client c;
  const std::string path = "/v1/customers/" + c.customer() + "/tax_ids";
  const auto before = c.stripe.dump();
  CHECK(c.post(path, "type=eu_vat&value=123").code() == "tax_id_invalid");
  CHECK(c.post(path, "type=eu_vat&value=US123456789").param() == "value");
  CHECK(c.post(path, "type=moon_vat&value=123456").param() == "type");
  CHECK(c.post(path, "type=eu_vat").param() == "value");
  CHECK(c.post("/v1/customers/cus_no/tax_ids", "type=eu_vat&value=DE123456789").status == 404);
  CHECK(c.post("/v1/customers", "tax_id_data[0][type]=us_ein&tax_id_data[0][value]=1").param() ==
        "tax_id_data[0][value]");
  CHECK(c.stripe.dump() == before);
}

TEST_CASE("A customer is made with tax IDs; the account has its own") {
  client c;
  const auto made =
      c.post("/v1/customers", "tax_id_data[0][type]=us_ein&tax_id_data[0][value]=12-3456789");
  CHECK(c.told() == std::vector<std::string>{"customer.created", "customer.tax_id.created"});
  CHECK(c.get("/v1/customers/" + made.id() + "/tax_ids").body["data"][0]["country"] == "US");
  const auto own = c.post("/v1/tax_ids", "type=gb_vat&value=GB123456789");
  CHECK(own.body["customer"] == nullptr);
  CHECK(own.body["owner"]["type"] == "self");
  const auto listed = c.get("/v1/tax_ids").body["data"];
  REQUIRE(listed.size() == 1);
  CHECK(listed[0] == own.body);
  CHECK(c.del("/v1/tax_ids/" + own.id()).body["deleted"] == true);
}
