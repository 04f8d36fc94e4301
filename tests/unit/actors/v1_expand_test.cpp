// expand[] over a mirror that lacks some of what is to be expanded.
// Source: https://docs.stripe.com/api/expanding_objects
#include <algorithm>

#include "unit/actors/v1_bench.hpp"

using namespace tilld;
using namespace tilld::test;
using nlohmann::json;

namespace {

json invoice(const std::string& id, const std::string& customer_id = "cus_1") {
  return {{"id", id},
          {"object", "invoice"},
          {"created", 1000},
          {"customer", customer_id},
          {"lines", {{"object", "list"}, {"data", json::array()}, {"has_more", false}}}};
}

// A Stripe with a few objects, by path; the rest is 404.
struct world {
  std::map<std::string, json> objects;
  std::int64_t now_s = 3000;
  scripted_stripe stripe{[this](const net::request& r) {
    const std::string target = r.url.substr(r.url.find("/v1/"));
    const auto at = objects.find(target.substr(0, target.find('?')));
    if (at == objects.end()) return scripted_stripe::status(404, {{"error", {{"message", "no"}}}});
    return scripted_stripe::ok(at->second, now_s += 10);
  }};
  v1_bench bench{stripe.transport()};

  std::vector<std::string> asked() const {
    std::vector<std::string> targets;
    for (const auto& r : stripe.requests())
      targets.push_back(r.url.substr(r.url.find("/v1/")));
    std::ranges::sort(targets);
    return targets;
  }
  void mirrored(const std::string& type, const json& object) {
    static int n = 0;
    bench.till().event(event_text("evt_" + std::to_string(++n), type, 1000, object));
  }
  json get(const std::string& target, const std::string& source) {
    const auto r = bench.get(target);
    CHECK(bench.source(r) == source);
    CHECK(r.status == 200);
    return json::parse(r.body);
  }
};

}  // namespace

TEST_CASE("What is to be expanded and not in the mirror is asked one by one, and once") {
  world w;
  auto sub = subscription("sub_1", "cus_1", "active");
  sub["latest_invoice"] = "in_1";
  sub["default_payment_method"] = nullptr;
  w.mirrored("customer.subscription.created", sub);
  w.objects["/v1/invoices/in_1"] = invoice("in_1");
  w.objects["/v1/customers/cus_1"] = customer("cus_1");
  w.objects["/v1/customers/cus_1"]["invoice_settings"] = {{"default_payment_method", "pm_1"}};
  w.objects["/v1/payment_methods/pm_1"] = {{"id", "pm_1"}, {"object", "payment_method"}};
  const std::string target =
      "/v1/subscriptions/sub_1?expand[]=latest_invoice.customer&expand[]=default_payment_method"
      "&expand[]=customer.invoice_settings.default_payment_method";
  for (int i = 0; i < 2; ++i) {
    const json got = w.get(target, "mirror");
    CHECK(got["latest_invoice"]["customer"]["id"] == "cus_1");
    CHECK(got["customer"]["invoice_settings"]["default_payment_method"]["object"] ==
          "payment_method");
    CHECK(w.asked() == std::vector<std::string>{"/v1/customers/cus_1", "/v1/invoices/in_1",
                                                "/v1/payment_methods/pm_1"});
  }
}

TEST_CASE("When one of them is not to be had the whole request is Stripe's to answer") {
  world w;
  auto sub = subscription("sub_1", "cus_1", "active");
  sub["latest_invoice"] = "in_1";
  w.mirrored("customer.subscription.created", sub);
  w.objects["/v1/invoices/in_1"] = invoice("in_1");
  w.objects["/v1/subscriptions/sub_1"] = sub;  // as it answers it
  w.get("/v1/subscriptions/sub_1?expand[]=latest_invoice&expand[]=customer", "stripe");
  const auto asked = w.asked();
  CHECK(std::ranges::count(asked, "/v1/customers/cus_1") == 1);
  CHECK(asked.back().starts_with("/v1/subscriptions/sub_1?expand"));
}

TEST_CASE("Up to twenty are asked one by one; a request that lacks more is passed on") {
  for (const int count : {20, 21}) {
    world w;
    json page = {{"object", "list"},
                 {"data", json::array()},
                 {"has_more", false},
                 {"url", "/v1/subscriptions"}};
    for (int i = 0; i < count; ++i) {
      const std::string n = std::to_string(i);
      auto sub = subscription("sub_" + n, "cus_1", "active");
      sub["latest_invoice"] = "in_" + n;
      page["data"].push_back(sub);
      w.objects["/v1/invoices/in_" + n] = invoice("in_" + n);
    }
    w.objects["/v1/subscriptions"] = page;
    w.bench.get("/v1/subscriptions");  // walked, and whole
    const auto whole = [&] {
      return w.bench.source(w.bench.get("/v1/subscriptions?limit=100")) == "mirror";
    };
    for (int i = 0; i < 200 && !whole(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::size_t before = w.asked().size();
    const auto got = w.get("/v1/subscriptions?limit=100&expand[]=data.latest_invoice",
                           count == 20 ? "mirror" : "stripe");
    CHECK(w.asked().size() - before == (count == 20 ? 20u : 1u));
    CHECK(got["data"].size() == static_cast<std::size_t>(count));
    if (count == 20) CHECK(got["data"][7]["latest_invoice"]["object"] == "invoice");
  }
}

TEST_CASE("Of what no event tells nobody knows whether it is still so: it is asked each time") {
  world w;
  w.mirrored("charge.succeeded", {{"id", "ch_1"},
                                  {"object", "charge"},
                                  {"created", 1000},
                                  {"customer", "cus_1"},
                                  {"balance_transaction", "txn_1"}});
  auto& txn = w.objects["/v1/balance_transactions/txn_1"];
  for (const char* status : {"pending", "available"}) {
    txn = {{"id", "txn_1"}, {"object", "balance_transaction"}, {"status", status}};
    CHECK(w.get("/v1/charges/ch_1?expand[]=balance_transaction",
                "mirror")["balance_transaction"]["status"] == status);
  }
  txn["status"] = "reversed";
  CHECK(w.get("/v1/balance_transactions/txn_1", "stripe")["status"] == "reversed");
  CHECK(w.bench.source(w.bench.get("/v1/balance_transactions/txn_1",
                                   {{"tilld-consistency", "mirror"}})) == "mirror");
}

TEST_CASE("Members that Stripe adds on demand come from a whole collection, else from Stripe") {
  world w;
  w.mirrored("customer.created", customer("cus_1"));
  w.objects["/v1/customers/cus_1"] = customer("cus_1");
  w.objects["/v1/subscriptions"] = {
      {"object", "list"},
      {"data", json::array({subscription("sub_2", "cus_1", "active", 1002),
                            subscription("sub_1", "cus_1", "canceled", 1001),
                            subscription("sub_0", "cus_1", "past_due", 1000),
                            subscription("sub_x", "cus_2", "active", 1000)})},
      {"has_more", false},
      {"url", "/v1/subscriptions"}};
  const std::string target = "/v1/customers/cus_1?expand[]=subscriptions";
  CHECK(w.bench.source(w.bench.get(target)) == "stripe");  // and the walk begins
  for (int i = 0; i < 200 && w.bench.source(w.bench.get(target)) != "mirror"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const json list = w.get(target, "mirror")["subscriptions"];
  CHECK(list["url"] == "/v1/customers/cus_1/subscriptions");
  CHECK(list["has_more"] == false);
  REQUIRE(list["data"].size() == 2);
  CHECK(list["data"][0]["id"] == "sub_2");
  CHECK(list["data"][1]["id"] == "sub_0");
  // What is made elsewhere stays Stripe's.
  CHECK(w.bench.source(w.bench.get("/v1/customers/cus_1?expand[]=sources")) == "stripe");
}

TEST_CASE("Stripe may know more to expand than the catalogue does") {
  world w;
  const json price = {{"id", "price_1"}, {"object", "price"}, {"created", 1000}};
  w.mirrored("price.created", price);
  w.objects["/v1/prices/price_1"] = price;
  w.objects["/v1/prices/price_1"]["tiers"] = json::array();
  CHECK(w.get("/v1/prices/price_1?expand[]=tiers", "stripe").contains("tiers"));
  CHECK(w.get("/v1/prices/price_1", "mirror").contains("tiers") == false);
}

TEST_CASE("What is passed on with expand[] is kept in the shape that the mirror keeps") {
  world w;
  auto sub = subscription("sub_1", "cus_1", "active");
  sub["latest_invoice"] = "in_1";
  auto shown = sub;
  shown["customer"] = customer("cus_1");
  shown["customer"]["subscriptions"] = {{"object", "list"}, {"data", json::array()}};
  shown["latest_invoice"] = invoice("in_1");
  w.objects["/v1/subscriptions/sub_1"] = shown;
  w.objects["/v1/subscriptions"] = {
      {"object", "list"}, {"data", json::array({shown})}, {"has_more", false}};
  for (const char* path : {"/v1/subscriptions?limit=1&expand[]=data.customer.subscriptions"
                           "&expand[]=data.latest_invoice",
                           "/v1/subscriptions/sub_1?expand[]=customer.subscriptions"}) {
    w.bench.get(path, {{"tilld-consistency", "stripe"}});
    CHECK(w.get("/v1/subscriptions/sub_1", "mirror") == sub);
  }
  // A customer comes back with what was asked for, and is kept without it.
  w.objects["/v1/customers/cus_2"] = customer("cus_2");
  w.objects["/v1/customers/cus_2"]["sources"] = {{"object", "list"}, {"data", json::array()}};
  CHECK(w.get("/v1/customers/cus_2?expand[]=sources", "stripe").contains("sources"));
  CHECK(w.get("/v1/customers/cus_2", "mirror") == customer("cus_2"));
}
