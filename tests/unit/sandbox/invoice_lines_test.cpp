// Source: https://docs.stripe.com/api/invoice-line-item
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;

TEST_CASE("Lines of a draft are added, changed and removed several at once") {
  client c;
  const std::string customer = c.customer();
  const std::string draft = c.post("/v1/invoices", "customer=" + customer).id();
  const std::string loose =
      c.post("/v1/invoiceitems", "customer=" + customer + "&amount=300&currency=usd").id();
  const std::string path = "/v1/invoices/" + draft;
  const auto added =
      c.post(path + "/add_lines",
             "lines[0][amount]=1000&lines[0][description]=Work&lines[1][invoice_item]=" + loose +
                 "&invoice_metadata[job]=7");
  REQUIRE(added.status == 200);
  check_shapes(added.body);
  CHECK(added.body["total"] == 1300);
  CHECK(added.body["metadata"]["job"] == "7");
  const json lines = added.body["lines"]["data"];
  REQUIRE(lines.size() == 2);
  const std::string first = lines[0]["id"];
  const std::string second = lines[1]["id"];
  const auto changed =
      c.post(path + "/update_lines", "lines[0][id]=" + first + "&lines[0][amount]=1500");
  CHECK(changed.body["total"] == 1800);
  const auto one = c.post(path + "/lines/" + second, "description=Parts");
  CHECK(one.body["description"] == "Parts");
  CHECK(one.body["id"] == second);
  const auto removed =
      c.post(path + "/remove_lines", "lines[0][id]=" + first +
                                         "&lines[0][behavior]=delete&lines[1][id]=" + second +
                                         "&lines[1][behavior]=unassign");
  CHECK(removed.body["total"] == 0);
  CHECK(removed.body["lines"]["data"].empty());
  const auto pending = c.get("/v1/invoiceitems", "pending=true").body["data"];
  REQUIRE(pending.size() == 1);
  CHECK(pending[0]["id"] == loose);
}

TEST_CASE("Lines of a subscription's draft keep their price; words on them change") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price(2000));
  c.wait(31 * 86'400 + 60);
  const json draft = c.get("/v1/invoices", "subscription=" + sub).body["data"][0];
  REQUIRE(draft["status"] == "draft");
  const std::string path = "/v1/invoices/" + draft["id"].get<std::string>() + "/lines/" +
                           draft["lines"]["data"][0]["id"].get<std::string>();
  CHECK(c.post(path, "description=Gold, February&metadata[a]=b").body["description"] ==
        "Gold, February");
  CHECK(c.post(path, "amount=1").status == 501);
}

TEST_CASE("Bulk changes are whole or not at all, and only of drafts") {
  client c;
  const std::string customer = c.customer();
  const std::string draft = c.post("/v1/invoices", "customer=" + customer).id();
  const auto before = c.stripe.dump();
  const std::string path = "/v1/invoices/" + draft;
  const auto refused =
      c.post(path + "/add_lines", "lines[0][amount]=1000&lines[1][pricing][price]=price_no");
  CHECK(refused.status == 400);
  CHECK(refused.param() == "lines[1][pricing][price]");
  CHECK(c.post(path + "/update_lines", "lines[0][id]=il_no&lines[0][amount]=1").param() ==
        "lines[0][id]");
  CHECK(c.post(path + "/remove_lines", "lines[0][id]=il_no").param() == "lines[0][behavior]");
  CHECK(c.post(path + "/lines/il_no", "amount=1").status == 404);
  CHECK(c.stripe.dump() == before);
  c.post(path + "/finalize");
  CHECK(c.post(path + "/add_lines", "lines[0][amount]=1").code() == "invoice_not_editable");
}
