// What a customer may use, from their Stripe objects.
#include "core/customer_state.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <set>

#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include "support/catch.hpp"

namespace {

using namespace tilld::core;
using nlohmann::json;
using tilld::errc;

constexpr std::string_view summary_name = "entitlements.active_entitlement_summary";

json a_customer() {
  return json::parse(R"({"id":"cus_1","object":"customer","created":100,"email":"a@b.c",
    "name":"Ada","delinquent":false,"metadata":{"user_id":"u-7","other":"x"}})");
}

// As the API has sent it since basil: periods on the items.
json a_subscription(const std::string& id, const std::string& status) {
  json s = json::parse(R"({"object":"subscription","created":200,"customer":"cus_1",
    "cancel_at_period_end":false,"cancel_at":null,"canceled_at":null,"ended_at":null,
    "trial_end":null,"pause_collection":null,"latest_invoice":"in_1",
    "items":{"object":"list","data":[{"id":"si_1","object":"subscription_item","quantity":2,
      "current_period_start":300,"current_period_end":400,
      "price":{"id":"price_1","object":"price","currency":"eur","lookup_key":"pro_monthly",
        "nickname":"Pro","product":"prod_1","unit_amount":2000,
        "recurring":{"interval":"month","interval_count":3}}}]}})");
  s["id"] = id;
  s["status"] = status;
  return s;
}

json a_summary(std::vector<std::string> keys) {
  json data = json::array();
  for (const auto& key : keys)
    data.push_back({{"id", "ent_" + key}, {"feature", "feat_1"}, {"lookup_key", key}});
  return {{"object", summary_name},
          {"customer", "cus_1"},
          {"entitlements", {{"object", "list"}, {"data", data}, {"has_more", false}}}};
}

tilld::result<void> take(customer_state& state, const json& document, std::int64_t as_of_s = 500,
                         bool deleted = false) {
  return absorb(state, document["object"].get<std::string>(), document.dump(), deleted, as_of_s,
                "user_id");
}

customer_state with(const std::vector<json>& documents) {
  customer_state state;
  for (const auto& d : documents)
    REQUIRE(take(state, d));
  return state;
}

std::optional<product_facts> shelf(std::string_view id) {
  if (id == "prod_1") return product_facts{"Pro plan", {"export", "api"}};
  if (id == "prod_2") return product_facts{"Storage", {"storage"}};
  return std::nullopt;
}

json entitled(const customer_state& state) {
  return entitlements_answer(state, shelf, 560);
}

}  // namespace

TEST_CASE("a customer with an active subscription may use what they pay for") {
  const auto state = with({a_customer(), a_subscription("sub_1", "active")});
  const auto answer = entitled(state);
  CHECK(answer["customer"] == "cus_1");
  CHECK(answer["user_id"] == "u-7");
  CHECK(answer["active"] == true);
  CHECK(answer["status"] == "active");
  CHECK(answer["reason"].is_string());
  CHECK(answer["features"] == json({"api", "export"}));
  CHECK(answer["as_of"] == 500);
  CHECK(answer["stale"] == false);
  CHECK(answer["plan"] == json::parse(R"({"key":"pro_monthly","name":"Pro plan",
      "product":"prod_1","price":"price_1","subscription":"sub_1","amount":2000,"currency":"eur",
      "interval":"month","interval_count":3,"quantity":2,"current_period_end":400,
      "cancel_at_period_end":false,"cancel_at":null,"trial_end":null})"));
  REQUIRE(answer["products"].size() == 1);
  const auto& product = answer["products"][0];
  CHECK(product["id"] == "prod_1");
  CHECK(product["name"] == "Pro plan");
  CHECK(product["price"] == "price_1");
  CHECK(product["quantity"] == 2);
}

TEST_CASE("each of Stripe's statuses says whether there is access") {
  struct row {
    const char* status;
    bool active;
  };
  for (const auto& r : {row{"trialing", true}, row{"active", true}, row{"past_due", true},
                        row{"paused", false}, row{"incomplete", false}, row{"unpaid", false},
                        row{"canceled", false}, row{"incomplete_expired", false}}) {
    const auto answer = entitled(with({a_customer(), a_subscription("sub_1", r.status)}));
    INFO(r.status);
    subscription s;
    s.status = r.status;
    CHECK(grants_access(s) == r.active);
    CHECK(answer["active"] == r.active);
    CHECK(answer["status"] == r.status);
    CHECK(answer["products"].size() == (r.active ? 1 : 0));
    CHECK(answer["features"].size() == (r.active ? 2 : 0));
  }
}

TEST_CASE("without a subscription there is no plan, and the reason says so") {
  const auto nobody = entitled(customer_state{});
  CHECK(nobody["status"] == "none");
  CHECK(nobody["stale"] == true);
  const auto known = entitled(with({a_customer()}));
  CHECK(known["status"] == "none");
  CHECK(known["reason"] == "no_subscription");
  CHECK(known["plan"].is_null());
  CHECK(known["active"] == false);
  CHECK(known["stale"] == false);
}

TEST_CASE("of several subscriptions the best one is the plan, and all that run give products") {
  const std::vector<std::string> worst_first = {
      "incomplete_expired", "canceled", "unpaid", "paused", "past_due", "trialing", "active"};
  std::vector<json> documents = {a_customer()};
  int n = 0;
  for (const auto& status : worst_first) {
    auto s = a_subscription("sub_" + std::to_string(n++), status);
    s["items"]["data"][0]["price"]["lookup_key"] = status;
    documents.push_back(s);
    CHECK(entitled(with(documents))["status"] == status);
  }
  const auto answer = entitled(with(documents));
  CHECK(answer["plan"]["key"] == "active");
  std::set<std::string> running;
  for (const auto& product : answer["products"])
    running.insert(product["subscription"].get<std::string>());
  CHECK(running == std::set<std::string>{"sub_4", "sub_5", "sub_6"});

  auto newer = a_subscription("sub_0new", "active");
  newer["created"] = 201;
  documents.push_back(newer);
  CHECK(entitled(with(documents))["plan"]["subscription"] == "sub_0new");
}

TEST_CASE("subscriptions of every API version are read") {
  auto old = a_subscription("sub_1", "active");
  old["current_period_start"] = 310;
  old["current_period_end"] = 410;
  auto& item = old["items"]["data"][0];
  item.erase("current_period_start");
  item.erase("current_period_end");
  const auto state = with({old});
  CHECK(state.subscriptions[0].items[0].period_start_s == 310);
  CHECK(state.subscriptions[0].items[0].period_end_s == 410);

  item["plan"] = {{"id", "plan_1"},     {"amount", 900},      {"currency", "usd"},
                  {"interval", "year"}, {"nickname", "Gold"}, {"product", {{"id", "prod_2"}}}};
  item["price"] = "price_9";
  const auto i = with({old}).subscriptions[0].items[0];
  CHECK(i.price == "price_9");
  CHECK(i.product == "prod_2");
  CHECK(i.unit_amount_minor == 900);
  CHECK(i.interval == "year");
  CHECK(i.interval_count == 1);
  CHECK(i.nickname == "Gold");

  item.erase("price");
  CHECK(with({old}).subscriptions[0].items[0].price == "plan_1");

  auto ancient = a_subscription("sub_1", "active");
  ancient.erase("items");
  ancient["plan"] = {{"id", "plan_1"}, {"amount", 900}, {"currency", "usd"}, {"interval", "month"}};
  ancient["quantity"] = 4;
  ancient["current_period_end"] = 410;
  const auto a = with({ancient}).subscriptions[0].items;
  REQUIRE(a.size() == 1);
  CHECK(a[0].id.empty());
  CHECK(a[0].quantity == 4);
  CHECK(a[0].period_end_s == 410);
}

TEST_CASE("ids and expanded objects are read alike") {
  auto s = a_subscription("sub_1", "active");
  const auto plain = with({s});
  s["customer"] = a_customer();
  s["latest_invoice"] = {{"id", "in_1"}, {"object", "invoice"}};
  s["items"]["data"][0]["price"]["product"] = {{"id", "prod_1"}, {"name", "Pro plan"}};
  CHECK(with({s}) == plain);
}

TEST_CASE("metered and odd prices have no amount rather than a wrong one") {
  auto s = a_subscription("sub_1", "active");
  auto& item = s["items"]["data"][0];
  item.erase("quantity");
  item["price"]["unit_amount"] = nullptr;
  item["price"]["unit_amount_decimal"] = "0.5";
  item["price"]["recurring"] = nullptr;
  const auto i = with({s}).subscriptions[0].items[0];
  CHECK(i.quantity == 1);
  CHECK(i.unit_amount_minor == 0);
  CHECK(i.interval.empty());
  item["price"]["unit_amount"] = 0.5;  // no float ever becomes money
  CHECK(with({s}).subscriptions[0].items[0].unit_amount_minor == 0);
  item["price"]["unit_amount"] = 9'007'199'254'740'993;
  CHECK(with({s}).subscriptions[0].items[0].unit_amount_minor == 9'007'199'254'740'993);
}

TEST_CASE("the plan's key is its lookup key, else its nickname, else its price") {
  auto s = a_subscription("sub_1", "active");
  auto& price = s["items"]["data"][0]["price"];
  price["lookup_key"] = nullptr;
  CHECK(entitled(with({s}))["plan"]["key"] == "Pro");
  price["nickname"] = nullptr;
  CHECK(entitled(with({s}))["plan"]["key"] == "price_1");
  price["product"] = "prod_9";
  CHECK(entitled(with({s}))["plan"]["name"].is_null());
}

TEST_CASE("what is coming is told: cancellation, trial, paused collection") {
  auto s = a_subscription("sub_1", "trialing");
  s["cancel_at_period_end"] = true;
  s["cancel_at"] = 400;
  s["trial_end"] = 390;
  s["pause_collection"] = {{"behavior", "void"}};
  const auto state = with({s});
  const auto plan = entitled(state)["plan"];
  CHECK(plan["cancel_at_period_end"] == true);
  CHECK(plan["cancel_at"] == 400);
  CHECK(plan["trial_end"] == 390);
  const auto whole = customer_answer(state, shelf, 560);
  CHECK(whole["subscriptions"][0]["collection_paused"] == true);
}

TEST_CASE("Stripe's own entitlements are features too") {
  auto state = with({a_customer(), a_subscription("sub_1", "active"), a_summary({"sso", "api"})});
  CHECK(entitled(state)["features"] == json({"api", "export", "sso"}));
  auto expanded = a_summary({});
  expanded["entitlements"]["data"].push_back(
      {{"id", "ent_1"}, {"feature", {{"id", "feat_1"}, {"lookup_key", "audit"}}}});
  REQUIRE(take(state, expanded));
  CHECK(state.stripe_features == std::vector<std::string>{"audit"});
  REQUIRE(take(state, expanded, 600, true));
  CHECK(state.stripe_features.empty());
  REQUIRE(take(state, a_summary({"b", "a", "b"})));
  CHECK(state.stripe_features == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a deleted customer has no access, whatever their subscriptions still say") {
  auto state = with({a_customer(), a_subscription("sub_1", "active"), a_summary({"sso"})});
  const json stub = {{"id", "cus_1"}, {"object", "customer"}, {"deleted", true}};
  REQUIRE(take(state, stub, 600, true));
  CHECK(state.known);
  CHECK(state.deleted);
  CHECK(state.user_id == "u-7");
  const auto answer = entitled(state);
  CHECK(answer["active"] == false);
  CHECK(answer["plan"].is_null());
  CHECK(answer["products"].empty());
  CHECK(answer["features"].empty());
}

TEST_CASE("the application's own id comes from the metadata key that was set") {
  customer_state state;
  REQUIRE(absorb(state, "customer", a_customer().dump(), false, 1, "other"));
  CHECK(state.user_id == "x");
  REQUIRE(absorb(state, "customer", a_customer().dump(), false, 1, "nothing"));
  CHECK(state.user_id.empty());
  REQUIRE(absorb(state, "customer", a_customer().dump(), false, 1, ""));
  CHECK(state.user_id.empty());
}

TEST_CASE("other objects only make the row newer") {
  auto state = with({a_customer()});
  const auto before = state;
  REQUIRE(absorb(state, "invoice", "{}", false, 900, "user_id"));
  CHECK(state.as_of_s == 900);
  REQUIRE(absorb(state, "charge", "not even JSON", false, 100, "user_id"));
  CHECK(state.as_of_s == 900);
  state.as_of_s = before.as_of_s;
  CHECK(state == before);
}

TEST_CASE("what cannot be a subscription changes nothing") {
  const auto whole = a_subscription("sub_2", "active");
  auto without_id = whole;
  without_id.erase("id");
  auto without_status = whole;
  without_status.erase("status");
  auto without_items = whole;
  without_items.erase("items");
  auto without_price = whole;
  without_price["items"]["data"][0].erase("price");
  auto without_customer = whole;
  without_customer["customer"] = nullptr;
  auto of_another = whole;
  of_another["customer"] = "cus_2";
  for (const auto& bad :
       {without_id, without_status, without_items, without_price, without_customer, of_another}) {
    auto state = with({a_customer(), a_subscription("sub_1", "active")});
    const auto before = state;
    const auto done = take(state, bad, 900);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == errc::invalid);
    CHECK(state == before);
  }
  for (const std::string_view bad : {"", "[]", "nonsense", "{\"id\":", "null"}) {
    customer_state state;
    for (const auto name :
         {std::string_view("customer"), std::string_view("subscription"), summary_name})
      CHECK_FALSE(absorb(state, name, bad, false, 900, "user_id"));
    CHECK(state == customer_state{});
  }
  auto another = a_customer();
  another["id"] = "cus_2";
  auto state = with({a_customer()});
  CHECK_FALSE(take(state, another));
}

TEST_CASE("a subscription that is gone for good leaves the row") {
  auto state = with({a_customer(), a_subscription("sub_1", "active")});
  const json stub = {{"id", "sub_1"}, {"object", "subscription"}, {"deleted", true}};
  REQUIRE(take(state, stub, 600, true));
  CHECK(state.subscriptions.empty());
}

TEST_CASE("of ended subscriptions the newest 20 stay, in whatever order they came") {
  std::vector<json> documents;
  for (int i = 0; i < 30; ++i) {
    auto s = a_subscription("sub_" + std::to_string(i), i % 2 ? "canceled" : "incomplete_expired");
    s["ended_at"] = 1000 + (i * 7) % 30;
    documents.push_back(s);
  }
  documents.push_back(a_subscription("sub_now", "active"));
  const auto state = with(documents);
  CHECK(state.subscriptions.size() == keep_ended + 1);
  for (const auto& s : state.subscriptions)
    if (s.status != "active") CHECK(s.ended_at_s >= 1010);
  std::ranges::reverse(documents);
  CHECK(with(documents) == state);
}

TEST_CASE("a row with something to refetch is stale until it is settled") {
  auto state = with({a_customer()});
  mark_suspect(state, "subscription", "sub_2", true);
  mark_suspect(state, "customer", "cus_1", true);
  mark_suspect(state, "subscription", "sub_2", true);
  CHECK(state.suspects == std::vector<std::string>{"customer/cus_1", "subscription/sub_2"});
  CHECK(entitled(state)["stale"] == true);
  mark_suspect(state, "customer", "cus_1", false);
  mark_suspect(state, "customer", "cus_1", false);
  mark_suspect(state, "subscription", "sub_2", false);
  CHECK(state.suspects.empty());
  CHECK(entitled(state)["stale"] == false);
}

TEST_CASE("the whole answer names the customer and every subscription") {
  const auto state =
      with({a_customer(), a_subscription("sub_1", "canceled"), a_subscription("sub_2", "active")});
  const auto answer = customer_answer(state, shelf, 500);
  CHECK(answer["user_id"] == "u-7");
  CHECK(answer["email"] == "a@b.c");
  CHECK(answer["name"] == "Ada");
  CHECK(answer["active"] == true);
  CHECK(answer["status"] == "active");
  CHECK(answer["plan"]["subscription"] == "sub_2");
  CHECK(answer["subscriptions"].size() == 2);
}

namespace {

rc::Gen<std::string> some_text() {
  return rc::gen::element<std::string>("", "a", "Ünï \"x\"\n", "pro_monthly", "zz");
}

rc::Gen<subscription_item> some_item() {
  return rc::gen::build<subscription_item>(
      rc::gen::set(&subscription_item::id, some_text()),
      rc::gen::set(&subscription_item::price, some_text()),
      rc::gen::set(&subscription_item::lookup_key, some_text()),
      rc::gen::set(&subscription_item::quantity, rc::gen::arbitrary<std::int64_t>()),
      rc::gen::set(&subscription_item::unit_amount_minor, rc::gen::arbitrary<std::int64_t>()),
      rc::gen::set(&subscription_item::interval, some_text()),
      rc::gen::set(&subscription_item::period_end_s, rc::gen::arbitrary<std::int64_t>()));
}

rc::Gen<subscription> some_subscription() {
  return rc::gen::build<subscription>(
      rc::gen::set(&subscription::id, some_text()),
      rc::gen::set(&subscription::status, some_text()),
      rc::gen::set(&subscription::cancel_at_period_end, rc::gen::arbitrary<bool>()),
      rc::gen::set(&subscription::ended_at_s, rc::gen::arbitrary<std::int64_t>()),
      rc::gen::set(&subscription::items,
                   rc::gen::container<std::vector<subscription_item>>(some_item())));
}

}  // namespace

TEST_CASE("a row reads back as it was written") {
  REQUIRE(rc::check("round trip", [] {
    const auto state = *rc::gen::build<customer_state>(
        rc::gen::set(&customer_state::id, rc::gen::element<std::string>("cus_1", "cus_ü")),
        rc::gen::set(&customer_state::email, some_text()),
        rc::gen::set(&customer_state::known, rc::gen::arbitrary<bool>()),
        rc::gen::set(&customer_state::as_of_s, rc::gen::arbitrary<std::int64_t>()),
        rc::gen::set(&customer_state::subscriptions,
                     rc::gen::container<std::vector<subscription>>(some_subscription())),
        rc::gen::set(&customer_state::stripe_features,
                     rc::gen::container<std::vector<std::string>>(some_text())));
    const auto back = customer_state_from_json(to_json(state));
    return back && *back == state;
  }));
}

TEST_CASE("a damaged row is reported, never guessed") {
  const auto whole = to_json(with({a_customer(), a_subscription("sub_1", "active")}));
  REQUIRE(customer_state_from_json(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto cut = customer_state_from_json(whole.substr(0, n));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == errc::corrupt);
  }
  const auto row = json::parse(whole);
  for (const auto& [key, value] : row.items()) {
    auto wrong = row;
    wrong[key] = {{"not", "this"}};
    INFO(key);
    CHECK_FALSE(customer_state_from_json(wrong.dump()));
    // A row of an earlier program, which did not know the member yet.
    wrong.erase(key);
    CHECK(customer_state_from_json(wrong.dump()).has_value() == (key != "id"));
  }
}

TEST_CASE("the order in which different objects are taken over does not matter") {
  REQUIRE(rc::check("any order", [] {
    auto documents = std::vector<json>{a_customer(), a_summary({"sso"})};
    const auto statuses =
        *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
            "active", "trialing", "past_due", "canceled", "incomplete_expired", "unpaid"));
    int n = 0;
    for (const auto& status : statuses) {
      auto s = a_subscription("sub_" + std::to_string(n), status);
      s["ended_at"] = *rc::gen::inRange(0, 5);
      documents.push_back(s);
      ++n;
    }
    const bool deleted = *rc::gen::arbitrary<bool>();
    if (deleted) documents[0] = {{"id", "cus_1"}, {"object", "customer"}, {"deleted", true}};
    std::vector<std::pair<json, std::int64_t>> timed;
    for (const auto& d : documents)
      timed.emplace_back(d, *rc::gen::inRange(0, 1000));
    customer_state one;
    for (const auto& [d, at] : timed)
      RC_ASSERT(take(one, d, at).has_value());
    std::vector<std::size_t> order(timed.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
    customer_state other;
    for (const auto i : order)
      RC_ASSERT(take(other, timed[i].first, timed[i].second).has_value());
    return one == other;
  }));
}

TEST_CASE("a row is read and answered in microseconds") {
  const auto state = with({a_customer(), a_subscription("sub_1", "active"),
                           a_subscription("sub_2", "canceled"), a_summary({"sso"})});
  const auto row = to_json(state);
  const auto document = a_subscription("sub_1", "active").dump();
  const auto time_of = [](auto&& work) {
    double best = 1e12;
    std::size_t sum = 0;
    for (int round = 0; round < 40; ++round) {
      const auto started = std::chrono::steady_clock::now();
      for (int i = 0; i < 50; ++i)
        sum += work();
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - started;
      best = std::min(best, took.count() / 50);
    }
    REQUIRE(sum > 0);
    return best;
  };
  const double reading = time_of([&] { return customer_state_from_json(row)->id.size(); });
  const double answering = time_of([&] { return entitled(state).size(); });
  const double absorbing = time_of([&] {
    auto copy = state;
    return absorb(copy, "subscription", document, false, 600, "user_id") ? 1u : 0u;
  });
  std::cout << "customer row of " << row.size() << " bytes: read " << reading << " us, answered "
            << answering << " us, a subscription absorbed " << absorbing << " us\n";
  CHECK(reading + answering + absorbing < 1'000);
}
