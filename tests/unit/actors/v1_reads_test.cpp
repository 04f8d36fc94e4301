#include "http/v1_reads.hpp"

#include "unit/actors/v1_bench.hpp"

using namespace tilld;
using namespace tilld::test;
using nlohmann::json;

namespace {

scripted_stripe one_customer() {
  return scripted_stripe(
      [](const net::request&) { return scripted_stripe::ok(customer("cus_1", "stripe"), 3000); });
}

void tell(v1_bench& bench, const std::string& id, std::int64_t at) {
  bench.till().event(event_text("evt_" + id, "customer.created", at, customer(id, "mirror", at)));
}

json page(const std::string& url) {
  return {{"object", "list"}, {"data", json::array()}, {"has_more", false}, {"url", url}};
}

}  // namespace

TEST_CASE("Tilld-Consistency: one request may be Stripe's to answer, and is mirrored") {
  auto stripe = one_customer();
  v1_bench bench(stripe.transport());
  tell(bench, "cus_1", 1000);
  auto r = bench.get("/v1/customers/cus_1");
  CHECK(bench.source(r) == "mirror");
  CHECK(json::parse(r.body)["metadata"]["user_id"] == "mirror");
  r = bench.get("/v1/customers/cus_1", {{"tilld-consistency", "mirror"}});
  CHECK(bench.source(r) == "mirror");
  CHECK(stripe.requests().empty());

  r = bench.get("/v1/customers/cus_1", {{"tilld-consistency", "stripe"}});
  CHECK(bench.source(r) == "stripe");
  CHECK(json::parse(r.body)["metadata"]["user_id"] == "stripe");
  r = bench.get("/v1/customers/cus_1");
  CHECK(bench.source(r) == "mirror");
  CHECK(json::parse(r.body)["metadata"]["user_id"] == "stripe");  // it was kept
  CHECK(stripe.requests().size() == 1);
}

TEST_CASE("Tilld-Consistency: another value is refused with the header's name and its values") {
  auto stripe = one_customer();
  v1_bench bench(stripe.transport());
  const auto r = bench.get("/v1/customers/cus_1", {{"tilld-consistency", "Strong"}});
  CHECK(r.status == 400);
  const std::string message = json::parse(r.body)["error"]["message"];
  for (const char* word : {"Tilld-Consistency", "mirror", "stripe", "Strong"})
    CHECK(message.find(word) != message.npos);
  CHECK(stripe.requests().empty());
}

TEST_CASE("Tilld-Consistency: the mirror may be asked while it settles") {
  auto stripe = one_customer();
  v1_bench bench(stripe.transport());
  tell(bench, "cus_1", 1000);
  bench.till().order("POST", "/v1/customers/cus_1", "name=x", "", "cus_1");
  CHECK(bench.source(bench.get("/v1/customers/cus_1")) == "stripe");
  CHECK(bench.source(bench.get("/v1/customers/cus_1", {{"tilld-consistency", "mirror"}})) ==
        "mirror");
}

TEST_CASE("A refund is nobody's, but its charge's customer is asked from Stripe until it settles") {
  const json charge = {
      {"id", "ch_1"}, {"object", "charge"}, {"created", 1000}, {"customer", "cus_1"}};
  scripted_stripe stripe([&](const net::request& r) {
    if (r.verb == "GET") return scripted_stripe::ok(charge, 3001);
    return scripted_stripe::ok({{"id", "re_1"}, {"object", "refund"}, {"charge", "ch_1"}}, 3000);
  });
  v1_bench bench(stripe.transport());
  bench.till().event(event_text("evt_1", "charge.succeeded", 1000, charge));
  CHECK(bench.source(bench.get("/v1/charges/ch_1")) == "mirror");
  CHECK(bench.send("POST", "/v1/refunds", {}, "charge=ch_1").get().status == 200);
  CHECK(bench.source(bench.get("/v1/charges/ch_1")) == "stripe");
}

TEST_CASE("A thousand readers of what is not in the mirror are one call") {
  slow_stripe stripe;
  v1_bench bench(stripe.transport());
  std::vector<std::future<http::response>> answers;
  for (int i = 0; i < 1000; ++i)
    answers.push_back(bench.send("GET", "/v1/customers/cus_1"));
  for (int i = 0; i < 10; ++i)
    answers.push_back(bench.send("GET", "/v1/balance_transactions"));
  stripe.wait_for(2);
  CHECK(stripe.targets() ==
        std::vector<std::string>{"GET /v1/customers/cus_1", "GET /v1/balance_transactions"});
  stripe.answer(scripted_stripe::ok(customer("cus_1"), 1000));
  stripe.answer(scripted_stripe::ok(page("/v1/balance_transactions"), 1000));
  for (auto& answer : answers) {
    const auto r = answer.get();
    CHECK(r.status == 200);
    CHECK(bench.source(r) == "stripe");
  }
  CHECK(stripe.targets().size() == 2);
}

TEST_CASE("What was written is readable at once: nobody joins a read from before the order") {
  slow_stripe stripe;
  v1_bench bench(stripe.transport());
  auto early = bench.send("GET", "/v1/customers/cus_1?expand[]=subscriptions");
  stripe.wait_for(1);
  auto order = bench.send("POST", "/v1/customers/cus_1", {}, "name=new");
  stripe.wait_for(2);
  auto during = bench.send("GET", "/v1/customers/cus_1?expand[]=subscriptions");
  // The read hangs; the order, behind it, is answered.
  CHECK(stripe.targets().size() == 2);
  auto old_name = customer("cus_1");
  old_name["name"] = "old";
  auto new_name = customer("cus_1");
  new_name["name"] = "new";
  stripe.answer_nth(1, scripted_stripe::ok(new_name, 1001));
  CHECK(order.get().status == 200);
  auto late = bench.send("GET", "/v1/customers/cus_1?expand[]=subscriptions");
  stripe.wait_for(3);  // its own call
  stripe.answer_nth(0, scripted_stripe::ok(old_name, 1000));
  stripe.answer_nth(0, scripted_stripe::ok(new_name, 1002));
  CHECK(json::parse(early.get().body)["name"] == "old");
  CHECK(json::parse(during.get().body)["name"] == "old");  // it knew of no answer
  CHECK(json::parse(late.get().body)["name"] == "new");
}

TEST_CASE("An event's 200 says that the next read sees it: nobody joins a list from before it") {
  slow_stripe stripe;
  v1_bench bench(stripe.transport());
  auto early = bench.send("GET", "/v1/events");
  stripe.wait_for(1);
  tell(bench, "cus_1", 1000);
  auto late = bench.send("GET", "/v1/events");
  stripe.wait_for(2);
  stripe.answer(scripted_stripe::ok(page("/v1/events"), 1000));
  stripe.answer(scripted_stripe::ok(page("/v1/events"), 1001));
  CHECK(early.get().status == 200);
  CHECK(late.get().status == 200);
}
