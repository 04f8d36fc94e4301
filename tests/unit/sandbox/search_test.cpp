// Search as the API answers it. Source: https://docs.stripe.com/search
#include <algorithm>

#include "client.hpp"
#include "stripe/form.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::reply;

namespace {

reply search(client& c, const std::string& resource, const std::string& query,
             const std::string& more = {}) {
  return c.get("/v1/" + resource + "/search",
               "query=" + tilld::stripe::percent_encode(query) + more);
}

std::vector<std::string> ids(const reply& r) {
  INFO(r.text);
  REQUIRE(r.status == 200);
  std::vector<std::string> all;
  for (const auto& one : r.body["data"])
    all.push_back(one["id"].get<std::string>());
  return all;
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("A search answers with its own envelope, newest first, page by page") {
  client c;
  list made;
  for (int i = 0; i < 5; ++i) {
    made.push_back(c.post("/v1/customers", "metadata[team]=7&name=N" + std::to_string(i)).id());
  }
  c.post("/v1/customers", "metadata[team]=8");
  std::reverse(made.begin(), made.end());
  const std::string query = "metadata['team']:'7'";
  const auto first = search(c, "customers", query, "&limit=2&expand[]=total_count");
  CHECK(first.body["object"] == "search_result");
  CHECK(first.body["url"] == "/v1/customers/search");
  CHECK(first.body["has_more"] == true);
  CHECK(first.body["total_count"] == 5);
  CHECK(ids(first) == list{made[0], made[1]});
  const auto page = [&](const reply& before) {
    return "&limit=2&page=" +
           tilld::stripe::percent_encode(before.body["next_page"].get<std::string>());
  };
  const auto second = search(c, "customers", query, page(first));
  CHECK(ids(second) == list{made[2], made[3]});
  CHECK_FALSE(second.body.contains("total_count"));
  const auto last = search(c, "customers", query, page(second));
  CHECK(ids(last) == list{made[4]});
  CHECK(last.body["has_more"] == false);
  CHECK(last.body["next_page"].is_null());

  CHECK(search(c, "customers", "metadata['team']:'8'", page(first)).param() == "page");
  CHECK(search(c, "customers", query, "&page=abc").param() == "page");
  CHECK(search(c, "customers", query, "&limit=101").param() == "limit");
  CHECK(search(c, "customers", query, "&limit=0").param() == "limit");
  CHECK(search(c, "customers", query, "&starting_after=" + made[0]).code() == "parameter_unknown");
}

TEST_CASE("Each of the seven kinds is found by fields of its own") {
  client c;
  const std::string price = c.price(4321);
  const std::string customer = c.customer();
  c.post("/v1/customers/" + customer, "email=Amy@RocketRides.io");
  const std::string sub = c.subscription(customer, price, "&metadata[k]=v");
  c.subscription(c.customer(), c.price(1000));
  const json made = c.dump();
  const auto product = c.get("/v1/prices/" + price).body["product"].get<std::string>();
  const auto only = [&](const std::string& kind) {
    for (const auto& [id, object] : made[kind].items()) {
      if (object["customer"] == customer) return list{id};
    }
    return list{};
  };
  CHECK(ids(search(c, "customers", "email:\"amy@rocketrides.io\"")) == list{customer});
  CHECK(ids(search(c, "customers", "email~\"rocketrides\"")) == list{customer});
  CHECK(ids(search(c, "subscriptions", "status:'ACTIVE' AND metadata['k']:'v'")) == list{sub});
  CHECK(ids(search(c, "invoices", "subscription:'" + sub + "' total>4320")) == only("invoice"));
  CHECK(ids(search(c, "invoices", "customer:'" + customer + "'")) == only("invoice"));
  CHECK(ids(search(c, "charges", "amount:4321 payment_method_details.card.last4:4242")) ==
        only("charge"));
  CHECK(ids(search(c, "charges", "customer:'" + customer + "' AND refunded:'false'")) ==
        only("charge"));
  CHECK(ids(search(c, "payment_intents", "amount>=4321 OR amount<1000")) == only("payment_intent"));
  CHECK(ids(search(c, "prices", "product:'" + product + "' active:'true'")) == list{price});
  CHECK(ids(search(c, "products", "name:'gold' url:null")).size() == 2);
  CHECK(ids(search(c, "products", "-url:null")).empty());
  const auto shown = search(c, "subscriptions", "metadata['k']:'v'", "&expand[]=data.customer");
  CHECK(shown.body["data"][0]["customer"]["id"] == customer);
  CHECK(search(c, "subscriptions", "metadata['k']:'v'", "&expand[]=customer").status == 400);
}

TEST_CASE("What is deleted is not found, what has changed is found by what it is now") {
  client c;
  const auto a = c.post("/v1/customers", "email=a@x.io").id();
  const auto b = c.post("/v1/customers", "email=b@x.io").id();
  c.post("/v1/customers/" + a, "email=c@x.io");
  CHECK(ids(search(c, "customers", "email:'a@x.io'")).empty());
  CHECK(ids(search(c, "customers", "email:'C@x.io'")) == list{a});
  c.del("/v1/customers/" + b);
  CHECK(ids(search(c, "customers", "email:'b@x.io'")).empty());
}

TEST_CASE("The lag of searches hides what is younger") {
  client c;
  REQUIRE(c.stripe.change_rules("{\"search_lag_s\": 60}").empty());
  CHECK_FALSE(c.stripe.change_rules("{\"search_lag_s\": -1}").empty());
  const auto a = c.post("/v1/customers", "name=Amy").id();
  CHECK(ids(search(c, "customers", "name:'amy'")).empty());
  CHECK(c.get("/v1/customers").body["data"].size() == 1);
  c.wait(59);
  CHECK(ids(search(c, "customers", "name:'amy'")).empty());
  c.wait(1);
  CHECK(ids(search(c, "customers", "name:'amy'")) == list{a});
  client other;
  REQUIRE(other.stripe.load(c.stripe.save()));
  CHECK(other.stripe.rules() == c.stripe.rules());
}

TEST_CASE("A wrong query is refused with what is wrong and where") {
  client c;
  const auto r = search(c, "customers", "email:'a' foo:'b'");
  CHECK(r.status == 400);
  CHECK(r.param() == "query");
  CHECK(r.message() ==
        "Field `foo` is an unsupported search field for resource `customers`. See "
        "http://stripe.com/docs/search#query-fields-for-customers for a list of supported fields.");
  const auto open = search(c, "payment_intents", "status:'succeeded");
  CHECK(open.message().find("at character 8: the quotation mark has no closing one") !=
        std::string::npos);
  CHECK(c.get("/v1/customers/search").code() == "parameter_missing");
}
