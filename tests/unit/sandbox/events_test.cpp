// The law of events: what a listener has heard, in order, is what is there.
#include <algorithm>

#include <rapidcheck.h>

#include "client.hpp"
#include "stripe/catalogue.hpp"
#include "support/catch.hpp"
#include "workload.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::workload;

namespace {

// A price is shown inside subscriptions and is renamed without telling of those: what counts there
// is which price it is.
json with_price_ids(json object) {
  if (!object.contains("items") || !object["items"].contains("data")) return object;
  for (auto& item : object["items"]["data"]) {
    item["price"] = item["price"]["id"];
    item.erase("plan");
  }
  return object;
}

// The object as it was before an event, by its previous_attributes. Of a key of metadata, null
// means that it was not there.
json undone(json object, const json& previous, bool in_metadata = false) {
  for (const auto& [key, was] : previous.items()) {
    if (was.is_object() && object.contains(key) && object[key].is_object()) {
      object[key] = undone(object[key], was, key == "metadata");
    } else if (was.is_null() && in_metadata) {
      object.erase(key);
    } else {
      object[key] = was;
    }
  }
  return object;
}

// Keys in one order, so that hashes compare by what they hold.
nlohmann::json plain(const json& object) {
  return nlohmann::json::parse(object.dump());
}

struct listener {
  std::map<std::string, std::map<std::string, json>> heard;
  std::string complaint;

  void hear(const json& event) {
    const std::string type = event["type"];
    json object = with_price_ids(event["data"]["object"]);
    const std::string name = object["object"];
    const std::string id = object[object.contains("id") ? "id" : "customer"];
    if (event["data"].contains("previous_attributes")) {
      const json previous = with_price_ids(event["data"]["previous_attributes"]);
      const auto& known = heard[name];
      const auto it = known.find(id);
      if (it != known.end() && complaint.empty()) {
        const auto gap = nlohmann::json::diff(plain(it->second), plain(undone(object, previous)));
        if (!gap.empty()) complaint = type + " " + id + " " + previous.dump() + " " + gap.dump();
      }
    }
    if (type.ends_with(".deleted") && name != "subscription") {
      object = json{{"id", id}, {"object", name}, {"deleted", true}};
    }
    heard[name][id] = std::move(object);
  }
};

// Kinds of which every change is told.
const std::vector<std::string> told_whole = {"customer",
                                             "product",
                                             "price",
                                             "plan",
                                             "charge",
                                             "refund",
                                             "coupon",
                                             "promotion_code",
                                             "subscription",
                                             "invoice",
                                             "payment_intent",
                                             "setup_intent",
                                             "subscription_schedule",
                                             "payment_link"};

}  // namespace

TEST_CASE("Whoever takes in every event in its order has what Stripe has") {
  REQUIRE(rc::check("events replayed are the dump", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    client c(seed);
    workload w(c, seed);
    w.run(80);
    RC_ASSERT(w.worst() == "");
    listener l;
    for (const auto& event : c.events())
      l.hear(event);
    RC_ASSERT(l.complaint == "");
    const json truth = c.dump();
    for (const auto& name : told_whole) {
      if (!truth.contains(name)) continue;
      for (const auto& [id, object] : truth[name].items()) {
        const auto gap =
            nlohmann::json::diff(plain(l.heard[name][id]), plain(with_price_ids(object)));
        if (!gap.empty()) RC_FAIL(name + " " + id + " " + gap.dump());
      }
    }
    for (const auto& [id, method] : l.heard["payment_method"]) {
      RC_ASSERT(plain(truth["payment_method"][id]) == plain(method));
    }
    for (const auto& [id, payment] : l.heard["invoice_payment"]) {
      RC_ASSERT(plain(truth["invoice_payment"][id]) == plain(payment));
    }
    for (const auto& [customer, summary] : l.heard["entitlements.active_entitlement_summary"]) {
      const auto now = c.get("/v1/entitlements/active_entitlements", "customer=" + customer);
      if (now.status == 200) {
        RC_ASSERT(plain(now.body["data"]) == plain(summary["entitlements"]["data"]));
      }
    }
  }));
}

TEST_CASE("Events are in the order in which they happened, and so are their ids") {
  client c;
  workload w(c, 5);
  w.run(200);
  const auto events = c.events();
  REQUIRE(events.size() > 200);
  for (std::size_t i = 1; i < events.size(); ++i) {
    CHECK(events[i - 1]["id"].get<std::string>() < events[i]["id"].get<std::string>());
    CHECK(events[i - 1]["created"] <= events[i]["created"]);
  }
  const auto newest = c.get("/v1/events", "limit=1");
  CHECK(newest.body["data"][0] == events.back());
  const std::string id = events.back()["id"];
  CHECK(c.get("/v1/events/" + id).body == events.back());
  CHECK(c.events().empty());
}

TEST_CASE("Every event is of a type that Stripe has and carries what that type carries") {
  client c;
  workload w(c, 11);
  w.run(400);
  for (const auto& event : c.events()) {
    const auto* row = tilld::stripe::catalogue::instance().event(event["type"].get<std::string>());
    REQUIRE(row != nullptr);
    const std::string carried = event["data"]["object"]["object"];
    CHECK(std::find(row->objects.begin(), row->objects.end(), carried) != row->objects.end());
  }
}

TEST_CASE("Events are found by type, by types, by a group of types and by time") {
  client c;
  c.post("/v1/customers", "name=a");
  c.post("/v1/products", "name=b");
  c.wait(100);
  const auto late = c.post("/v1/customers", "name=c");
  const auto count = [&](const std::string& query) {
    return c.get("/v1/events", query).body["data"].size();
  };
  CHECK(count("type=customer.created") == 2);
  CHECK(count("types[0]=customer.created&types[1]=product.created") == 3);
  CHECK(count("type=product.*") == 1);
  CHECK(count("type=invoice.*") == 0);
  CHECK(count("created[gte]=" + std::to_string(c.now_s)) == 1);
  CHECK(count("type=customer.created&created[lt]=" + std::to_string(c.now_s)) == 1);
  CHECK(c.get("/v1/events", "type=a&types[0]=b").status == 400);
  CHECK(c.get("/v1/events", "starting_after=evt_no").message() == "No such notification: 'evt_no'");
  CHECK(c.get("/v1/events/evt_no").status == 404);
  CHECK(c.get("/v1/events", "delivery_success=false").status == 200);
}

TEST_CASE("Events are kept thirty days, and longer while nobody has taken them") {
  client c;
  c.post("/v1/customers", "name=a");
  c.wait(31 * 24 * 3600);
  CHECK(c.get("/v1/events").body["data"].size() == 1);
  CHECK(c.told().size() == 1);
  CHECK(c.get("/v1/events").body["data"].empty());
  c.post("/v1/customers", "name=b");
  CHECK(c.get("/v1/events").body["data"].size() == 1);
}
