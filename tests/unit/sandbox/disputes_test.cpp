// Disputes, refunds that take time or fail, and authorizations that lapse.
// Source: https://docs.stripe.com/testing#disputes, https://docs.stripe.com/testing#refunds
#include <algorithm>

#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::reply;

namespace {

using strings = std::vector<std::string>;

constexpr std::int64_t day_s = 86'400;

std::string paid_with(client& c, const std::string& card, const std::string& more = {}) {
  const auto made = c.post("/v1/payment_intents",
                           "amount=2000&currency=usd&confirm=true&payment_method=pm_card_" + card +
                               "&return_url=https://a.example" + more);
  CAPTURE(made.text);
  REQUIRE(made.status == 200);
  return made.id();
}

bool has(const strings& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::int64_t ledger(client& c) {
  const auto all = json::parse(c.stripe.ledger());
  return all["usd"]["balance_transactions"];
}

}  // namespace

TEST_CASE("A disputed charge loses its money, and evidence wins it back or not") {
  for (const bool wins : {true, false}) {
    client c;
    const std::string intent = paid_with(c, "createDispute");
    CHECK(has(c.told(), "charge.dispute.funds_withdrawn"));
    CHECK(ledger(c) == 0);
    const auto page = c.get("/v1/disputes", "payment_intent=" + intent);
    REQUIRE(page.body["data"].size() == 1);
    const json d = page.body["data"][0];
    CHECK(d["status"] == "needs_response");
    CHECK(d["reason"] == "fraudulent");
    CHECK(d["balance_transactions"][0]["net"] == -3500);
    CHECK(c.get("/v1/charges/" + d["charge"].get<std::string>()).body["disputed"] == true);
    const std::string id = d["id"];
    const reply draft =
        c.post("/v1/disputes/" + id, "evidence[product_description]=A mug&submit=false");
    CHECK(draft.body["status"] == "needs_response");
    CHECK(draft.body["evidence_details"]["has_evidence"] == true);
    c.events();
    const reply done =
        c.post("/v1/disputes/" + id, std::string("evidence[uncategorized_text]=") +
                                         (wins ? "winning_evidence" : "losing_evidence"));
    CHECK(done.body["status"] == (wins ? "won" : "lost"));
    const auto told = c.told();
    CHECK(has(told, "charge.dispute.updated"));
    CHECK(has(told, "charge.dispute.closed"));
    CHECK(has(told, "charge.dispute.funds_reinstated") == wins);
    CHECK(ledger(c) == (wins ? 2000 : 0));
    CHECK(c.post("/v1/disputes/" + id + "/close").code() == "dispute_already_closed");
    check_shapes(c.dump());
  }
}

TEST_CASE("What nobody answers is lost after nine days; an inquiry is closed and costs nothing") {
  client c;
  paid_with(c, "createDisputeProductNotReceived");
  const std::string asked = paid_with(c, "createDisputeInquiry");
  CHECK(ledger(c) == 2000);
  const auto inquiry = c.get("/v1/disputes", "payment_intent=" + asked);
  CHECK(inquiry.body["data"][0]["status"] == "warning_needs_response");
  c.events();
  c.wait(9 * day_s);
  const auto all = c.get("/v1/disputes");
  CHECK(all.body["data"][0]["status"] == "warning_closed");
  CHECK(all.body["data"][1]["status"] == "lost");
  CHECK(all.body["data"][1]["reason"] == "product_not_received");
  CHECK(c.told() == strings{"charge.dispute.closed", "charge.dispute.closed"});
}

TEST_CASE("A refund may be pending for a while, or fail after it has succeeded") {
  client c;
  const auto slow = c.post("/v1/refunds", "payment_intent=" + paid_with(c, "pendingRefund"));
  CHECK(slow.body["status"] == "pending");
  const std::string intent = paid_with(c, "refundFail");
  const auto bad = c.post("/v1/refunds", "payment_intent=" + intent);
  CHECK(bad.body["status"] == "succeeded");
  CHECK(ledger(c) == 0);
  c.events();
  c.wait(day_s);
  CHECK(c.get("/v1/refunds/" + slow.id()).body["status"] == "succeeded");
  const auto failed = c.get("/v1/refunds/" + bad.id());
  CHECK(failed.body["status"] == "failed");
  CHECK(failed.body["failure_reason"] == "expired_or_canceled_card");
  CHECK(!failed.body["failure_balance_transaction"].is_null());
  CHECK(ledger(c) == 2000);
  CHECK(has(c.told(), "refund.failed"));
  CHECK(c.get("/v1/charges", "payment_intent=" + intent).body["data"][0]["amount_refunded"] == 0);
  check_shapes(c.dump());
}

TEST_CASE("An authorization that nobody captures lapses after seven days") {
  client c;
  const std::string lapses = paid_with(c, "visa", "&capture_method=manual");
  const std::string captured = paid_with(c, "visa", "&capture_method=manual");
  CHECK(c.post("/v1/payment_intents/" + captured + "/capture").status == 200);
  c.wait(7 * day_s - 1);
  CHECK(c.get("/v1/payment_intents/" + lapses).body["status"] == "requires_capture");
  c.events();
  c.wait(1);
  const auto canceled = c.get("/v1/payment_intents/" + lapses);
  CHECK(canceled.body["status"] == "canceled");
  CHECK(canceled.body["cancellation_reason"] == "automatic");
  CHECK(c.get("/v1/payment_intents/" + captured).body["status"] == "succeeded");
  const auto told = c.told();
  CHECK(has(told, "charge.expired"));
  CHECK(has(told, "payment_intent.canceled"));
}
