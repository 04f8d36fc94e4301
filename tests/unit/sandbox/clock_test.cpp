// What time brings, each transition with its resulting state and its events.
// Sources: https://docs.stripe.com/billing/subscriptions/overview,
// https://docs.stripe.com/billing/revenue-recovery, and answers recorded from Stripe.
#include <algorithm>

#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;
using tilld::test::the_one;

namespace {

using strings = std::vector<std::string>;

constexpr std::int64_t hour_s = 3600;
constexpr std::int64_t day_s = 24 * hour_s;
constexpr std::int64_t january_s = 31 * day_s;

void until(client& c, std::int64_t s) {
  c.now_s = s;
  c.stripe.pass(s);
}

bool contains(const strings& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

json subscription(client& c, const std::string& id) {
  return c.get("/v1/subscriptions/" + id).body;
}

json latest_invoice(client& c, const std::string& id) {
  return c.get("/v1/invoices/" + subscription(c, id)["latest_invoice"].get<std::string>()).body;
}

void change_card(client& c, const std::string& customer, const std::string& card) {
  const auto method =
      c.post("/v1/payment_methods/" + card + "/attach", "customer=" + customer).id();
  c.post("/v1/customers/" + customer, "invoice_settings[default_payment_method]=" + method);
}

}  // namespace

TEST_CASE("A renewal rolls the period at the boundary, drafts, and is paid an hour later") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price(2000));
  const std::string first = subscription(c, sub)["latest_invoice"];
  c.events();
  until(c, new_year_s + january_s - 1);
  CHECK(c.told() == strings{"invoice.upcoming"});
  until(c, new_year_s + january_s);
  CHECK(c.told() == strings{"invoice.created", "customer.subscription.updated"});
  auto s = subscription(c, sub);
  const auto& item = s["items"]["data"][0];
  CHECK(item["current_period_start"] == new_year_s + january_s);
  CHECK(item["current_period_end"] == new_year_s + january_s + 28 * day_s);
  CHECK(s["status"] == "active");
  CHECK(s["latest_invoice"] != first);
  auto invoice = latest_invoice(c, sub);
  CHECK(invoice["status"] == "draft");
  CHECK(invoice["billing_reason"] == "subscription_cycle");
  CHECK(invoice["auto_advance"] == true);
  CHECK(invoice["next_payment_attempt"] == new_year_s + january_s + 3600);
  CHECK(invoice["automatically_finalizes_at"] == new_year_s + january_s + 3601);
  CHECK(invoice["period_start"] == new_year_s);
  CHECK(invoice["period_end"] == new_year_s + january_s);
  until(c, new_year_s + january_s + hour_s + 1);
  const auto told = c.told();
  for (const char* type :
       {"invoice.finalized", "payment_intent.created", "charge.succeeded",
        "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded"}) {
    CAPTURE(type);
    CHECK(contains(told, type));
  }
  invoice = latest_invoice(c, sub);
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["attempt_count"] == 1);
  check_shapes(c.dump());
}

TEST_CASE("Events carry the time at which they came about, not the time of the request") {
  client c;
  c.subscription(c.customer(), c.price());
  c.events();
  until(c, new_year_s + 70 * day_s);
  std::int64_t last = 0;
  for (const auto& e : c.events()) {
    CHECK(e["created"] >= last);
    last = e["created"];
    if (e["type"] == "invoice.created") {
      CHECK(e["created"] == e["data"]["object"]["created"]);
    }
  }
}

TEST_CASE("The 31st comes back after a short month") {
  client c;
  c.now_s = new_year_s + 30 * day_s;  // 31 January
  const std::string sub = c.subscription(c.customer(), c.price());
  const auto ends = [&](std::int64_t after) {
    until(c, after);
    return subscription(c, sub)["items"]["data"][0]["current_period_end"].get<std::int64_t>();
  };
  const std::int64_t february = new_year_s + (31 + 27) * day_s;
  const std::int64_t march = new_year_s + (31 + 28 + 30) * day_s;
  CHECK(ends(c.now_s) == february);
  CHECK(ends(february) == march);
  CHECK(ends(march) == new_year_s + (31 + 28 + 31 + 29) * day_s);
}

TEST_CASE("A renewal that is declined is retried on the schedule, then the settings decide") {
  struct row {
    const char* after_retries;
    const char* status;
    const char* invoice;
  };
  for (const row& r : {row{"cancel", "canceled", "open"}, row{"unpaid", "unpaid", "open"},
                       row{"past_due", "past_due", "open"}}) {
    CAPTURE(r.after_retries);
    client c;
    const std::string why = c.stripe.change_rules(
        std::string(R"({"retry_days": [1, 3], "after_retries": ")") + r.after_retries + "\"}");
    REQUIRE(why.empty());
    const std::string customer = c.customer();
    const std::string sub = c.subscription(customer, c.price());
    change_card(c, customer, "pm_card_chargeCustomerFail");
    const std::int64_t tried = new_year_s + january_s + hour_s + 1;
    c.events();
    until(c, tried);
    auto invoice = latest_invoice(c, sub);
    const std::string id = invoice["id"];
    CHECK(subscription(c, sub)["status"] == "past_due");
    CHECK(invoice["attempt_count"] == 1);
    CHECK(invoice["next_payment_attempt"] == tried + day_s);
    const auto told = c.told();
    for (const char* type : {"charge.failed", "payment_intent.payment_failed",
                             "invoice.payment_failed", "customer.subscription.updated"}) {
      CHECK(contains(told, type));
    }
    until(c, tried + day_s);
    invoice = c.get("/v1/invoices/" + id).body;
    CHECK(invoice["attempt_count"] == 2);
    CHECK(invoice["next_payment_attempt"] == tried + 4 * day_s);
    c.events();
    until(c, tried + 4 * day_s);
    CHECK(subscription(c, sub)["status"] == r.status);
    invoice = c.get("/v1/invoices/" + id).body;
    CHECK(invoice["status"] == r.invoice);
    CHECK(invoice["attempt_count"] == 3);
    CHECK(invoice["next_payment_attempt"].is_null());
    if (std::string(r.status) == "canceled") {
      CHECK(subscription(c, sub)["cancellation_details"]["reason"] == "payment_failed");
      CHECK(contains(c.told(), "customer.subscription.deleted"));
    }
    if (std::string(r.status) == "unpaid") {
      until(c, new_year_s + (31 + 28) * day_s + 2 * hour_s);
      CHECK(latest_invoice(c, sub)["status"] == "draft");
      CHECK(latest_invoice(c, sub)["auto_advance"] == false);
    }
  }
}

TEST_CASE("A retry with a good card brings it back by itself") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price());
  change_card(c, customer, "pm_card_chargeCustomerFail");
  until(c, new_year_s + january_s + 2 * hour_s);
  CHECK(subscription(c, sub)["status"] == "past_due");
  CHECK(c.get("/v1/customers/" + customer).body["delinquent"] == true);
  change_card(c, customer, "pm_card_visa");
  until(c, new_year_s + january_s + 2 * day_s);
  CHECK(subscription(c, sub)["status"] == "active");
  CHECK(latest_invoice(c, sub)["attempt_count"] == 2);
  CHECK(c.get("/v1/customers/" + customer).body["delinquent"] == false);
}

TEST_CASE("A trial's end begins the first paid period, or what its settings say without a card") {
  struct row {
    const char* card;
    const char* wish;
    const char* status;
    const char* event;
  };
  for (const row& r : {row{"pm_card_visa", "create_invoice", "active", "invoice.paid"},
                       row{"", "create_invoice", "past_due", "invoice.payment_failed"},
                       row{"", "pause", "paused", "customer.subscription.paused"},
                       row{"", "cancel", "canceled", "customer.subscription.deleted"}}) {
    CAPTURE(r.card, r.wish);
    client c;
    const std::string sub =
        c.subscription(c.customer(r.card), c.price(),
                       std::string("&trial_period_days=10&trial_settings[end_behavior]"
                                   "[missing_payment_method]=") +
                           r.wish);
    c.events();
    until(c, new_year_s + 7 * day_s);
    CHECK(contains(c.told(), "customer.subscription.trial_will_end"));
    until(c, new_year_s + 10 * day_s + 2 * hour_s);
    CHECK(subscription(c, sub)["status"] == r.status);
    CHECK(contains(c.told(), r.event));
  }
}

TEST_CASE("Cancellation at the period's end, at a date, and withdrawn in time") {
  client c;
  const std::string customer = c.customer();
  const std::string at_end = c.subscription(customer, c.price());
  const std::string dated = c.subscription(customer, c.price());
  const std::string stays = c.subscription(customer, c.price());
  c.post("/v1/subscriptions/" + at_end, "cancel_at_period_end=true");
  c.post("/v1/subscriptions/" + stays, "cancel_at_period_end=true");
  c.post("/v1/subscriptions/" + dated,
         "cancel_at=" + std::to_string(new_year_s + 15 * day_s + 12 * hour_s));
  until(c, new_year_s + 15 * day_s + 12 * hour_s);
  CHECK(subscription(c, dated)["status"] == "canceled");
  const auto credits = c.get("/v1/invoiceitems", "customer=" + customer).body["data"];
  REQUIRE(credits.size() == 1);
  CHECK(credits[0]["amount"] == -1000);
  c.post("/v1/subscriptions/" + stays, "cancel_at_period_end=false");
  c.events();
  until(c, new_year_s + january_s);
  CHECK(subscription(c, at_end)["status"] == "canceled");
  CHECK(subscription(c, at_end)["canceled_at"] == new_year_s);
  CHECK(subscription(c, at_end)["ended_at"] == new_year_s + january_s);
  CHECK(subscription(c, stays)["status"] == "active");
  const auto told = c.told();
  CHECK(std::count(told.begin(), told.end(), "invoice.created") == 1);
}

TEST_CASE("What is incomplete for 23 hours expires, and its invoice is void") {
  client c;
  const std::string sub =
      c.subscription(c.customer(), c.price(), "&payment_behavior=default_incomplete");
  until(c, new_year_s + 23 * hour_s - 1);
  CHECK(subscription(c, sub)["status"] == "incomplete");
  until(c, new_year_s + 23 * hour_s);
  CHECK(subscription(c, sub)["status"] == "incomplete_expired");
  CHECK(latest_invoice(c, sub)["status"] == "void");
}

TEST_CASE("Paused collection still makes invoices, and they end as the behavior says") {
  struct row {
    const char* behavior;
    const char* status;
  };
  for (const row& r : {row{"keep_as_draft", "draft"}, row{"mark_uncollectible", "uncollectible"},
                       row{"void", "void"}}) {
    CAPTURE(r.behavior);
    client c;
    const std::string sub = c.subscription(c.customer(), c.price());
    c.post("/v1/subscriptions/" + sub,
           std::string("pause_collection[behavior]=") + r.behavior +
               "&pause_collection[resumes_at]=" + std::to_string(new_year_s + 40 * day_s));
    until(c, new_year_s + january_s + 2 * hour_s);
    CHECK(subscription(c, sub)["status"] == "active");
    CHECK(latest_invoice(c, sub)["status"] == r.status);
    until(c, new_year_s + 40 * day_s);
    CHECK(subscription(c, sub)["pause_collection"].is_null());
    until(c, new_year_s + (31 + 28) * day_s + 2 * hour_s);
    CHECK(latest_invoice(c, sub)["status"] == "paid");
  }
}

TEST_CASE(
    "Invoices that are sent are finalized and sent after an hour, and overdue at their date") {
  client c;
  const std::string sub = c.subscription(c.customer(""), c.price(),
                                         "&collection_method=send_invoice&days_until_due=10");
  CHECK(latest_invoice(c, sub)["status"] == "draft");
  c.events();
  until(c, new_year_s + hour_s + 1);
  CHECK(latest_invoice(c, sub)["status"] == "open");
  CHECK(contains(c.told(), "invoice.sent"));
  until(c, new_year_s + 10 * day_s + hour_s);
  CHECK(subscription(c, sub)["status"] == "past_due");
  c.post("/v1/invoices/" + latest_invoice(c, sub)["id"].get<std::string>() + "/pay",
         "paid_out_of_band=true");
  CHECK(subscription(c, sub)["status"] == "active");
}

TEST_CASE("A card refused for good is not asked again, but attempts are counted") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price());
  change_card(c, customer, "pm_card_authenticationRequired");
  until(c, new_year_s + january_s + 2 * hour_s);
  const std::string id = latest_invoice(c, sub)["id"];
  const auto charges = c.get("/v1/charges", "customer=" + customer).body["data"].size();
  until(c, new_year_s + january_s + 3 * day_s);
  CHECK(c.get("/v1/invoices/" + id).body["attempt_count"] == 3);
  CHECK(c.get("/v1/charges", "customer=" + customer).body["data"].size() == charges);
}

TEST_CASE("An update that waits for its payment is applied when paid, and gone after 23 hours") {
  for (const bool pays : {true, false}) {
    client c;
    const std::string customer = c.customer();
    const std::string small = c.price(1000);
    const std::string large = c.price(5000);
    const std::string sub = c.subscription(customer, small);
    change_card(c, customer, "pm_card_chargeCustomerFail");
    const std::string item = subscription(c, sub)["items"]["data"][0]["id"];
    const auto held =
        c.post("/v1/subscriptions/" + sub, "items[0][id]=" + item + "&items[0][price]=" + large +
                                               "&payment_behavior=pending_if_incomplete"
                                               "&proration_behavior=always_invoice");
    REQUIRE(held.status == 200);
    CHECK(held.body["status"] == "active");
    CHECK(held.body["items"]["data"][0]["price"]["id"] == small);
    CHECK(held.body["pending_update"]["subscription_items"][0]["price"]["id"] == large);
    CHECK(held.body["pending_update"]["expires_at"] == new_year_s + 23 * hour_s);
    const std::string invoice = held.body["latest_invoice"];
    c.events();
    if (pays) {
      change_card(c, customer, "pm_card_visa");
      REQUIRE(c.post("/v1/invoices/" + invoice + "/pay").status == 200);
      CHECK(contains(c.told(), "customer.subscription.pending_update_applied"));
      CHECK(subscription(c, sub)["items"]["data"][0]["price"]["id"] == large);
    } else {
      until(c, new_year_s + 23 * hour_s);
      CHECK(contains(c.told(), "customer.subscription.pending_update_expired"));
      CHECK(subscription(c, sub)["items"]["data"][0]["price"]["id"] == small);
      CHECK(c.get("/v1/invoices/" + invoice).body["status"] == "void");
    }
    CHECK(subscription(c, sub)["pending_update"].is_null());
    CHECK(subscription(c, sub)["status"] == "active");
  }
}

TEST_CASE("A paused subscription resumes with a new period when its invoice is paid") {
  client c;
  const std::string customer = c.customer("");
  const std::string sub = c.subscription(
      customer, c.price(),
      "&trial_period_days=10&trial_settings[end_behavior][missing_payment_method]=pause");
  until(c, new_year_s + 10 * day_s);
  REQUIRE(subscription(c, sub)["status"] == "paused");
  until(c, new_year_s + 60 * day_s);
  CHECK(c.get("/v1/invoices", "subscription=" + sub).body["data"].size() == 1);
  change_card(c, customer, "pm_card_visa");
  c.events();
  const auto resumed = c.post("/v1/subscriptions/" + sub + "/resume", "billing_cycle_anchor=now");
  CHECK(resumed.body["status"] == "active");
  CHECK(resumed.body["billing_cycle_anchor"] == new_year_s + 60 * day_s);
  CHECK(contains(c.told(), "customer.subscription.resumed"));
  CHECK(latest_invoice(c, sub)["status"] == "paid");
}

TEST_CASE("The account's clock is frozen, sent ahead and let go") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price());
  c.stripe.freeze(new_year_s + day_s);
  c.wait(400 * day_s);
  CHECK(c.post("/v1/customers").body["created"] == new_year_s + day_s);
  CHECK(c.stripe.advance(new_year_s + 366 * day_s, c.now_s));
  CHECK_FALSE(c.stripe.advance(new_year_s, c.now_s));
  CHECK(c.get("/v1/invoices", "subscription=" + sub + "&limit=100").body["data"].size() == 13);
  c.stripe.release(c.now_s);
  c.wait(60);
  CHECK(c.post("/v1/customers").body["created"] == new_year_s + 366 * day_s + 60);
}
