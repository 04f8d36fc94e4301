// How subscriptions change: items, prorations, trials, the end at the end of the period.
#include <rapidcheck.h>

#include "client.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/money.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

namespace {

using strings = std::vector<std::string>;

constexpr std::int64_t day_s = 24 * 3600;

std::string first_item(client& c, const std::string& sub) {
  return c.get("/v1/subscriptions/" + sub).body["items"]["data"][0]["id"];
}

json pending_of(client& c, const std::string& customer) {
  return c.get("/v1/invoiceitems", "pending=true&customer=" + customer).body["data"];
}

}  // namespace

TEST_CASE("Cancel at the period's end is a flag with a date, and can be taken back") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price());
  c.events();
  const auto set = c.post("/v1/subscriptions/" + sub, "cancel_at_period_end=true");
  CHECK(set.body["status"] == "active");
  CHECK(set.body["cancel_at"] == c.now_s + 31 * day_s);
  CHECK(set.body["cancellation_details"]["reason"] == "cancellation_requested");
  const auto events = c.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["data"]["previous_attributes"] ==
        json{{"cancel_at", nullptr},
             {"cancel_at_period_end", false},
             {"canceled_at", nullptr},
             {"cancellation_details", {{"reason", nullptr}}}});
  const auto back = c.post("/v1/subscriptions/" + sub, "cancel_at_period_end=false");
  CHECK(back.body["cancel_at"] == nullptr);
  CHECK(back.body["canceled_at"] == nullptr);
  CHECK(c.get("/v1/invoices").body["data"].size() == 1);
}

TEST_CASE("Without prorations a change of items changes the items alone") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(1000));
  const std::string item = first_item(c, sub);
  const std::string dearer = c.price(3000);
  c.wait(10 * day_s);
  c.events();
  const auto changed = c.post("/v1/subscriptions/" + sub,
                              "proration_behavior=none&items[0][id]=" + item +
                                  "&items[0][price]=" + dearer + "&items[0][quantity]=2");
  const json now = changed.body["items"]["data"][0];
  CHECK(now["id"] == item);
  CHECK(now["price"]["id"] == dearer);
  CHECK(now["quantity"] == 2);
  CHECK(now["current_period_start"] == tilld::test::new_year_s);
  const auto events = c.events();
  REQUIRE(events.size() == 1);
  const json previous = events[0]["data"]["previous_attributes"];
  REQUIRE(previous.size() == 1);  // the list's array whole, nothing else
  CHECK(previous["items"]["data"][0]["quantity"] == 1);
  CHECK(previous["items"].size() == 1);
  CHECK(pending_of(c, customer).empty());
}

TEST_CASE("An upgrade in mid-period leaves a credit and a debit, exact to the second") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(1000));
  const std::string item = first_item(c, sub);
  const std::string dearer = c.price(3000, "month", "Platinum");
  c.wait(10 * day_s + 1);
  c.events();
  c.post("/v1/subscriptions/" + sub,
         "items[0][id]=" + item + "&items[0][price]=" + dearer + "&items[0][quantity]=2");
  CHECK(c.told() ==
        strings{"invoiceitem.created", "invoiceitem.created", "customer.subscription.updated"});
  const json pending = pending_of(c, customer);
  REQUIRE(pending.size() == 2);
  const std::int64_t left = 21 * day_s - 1;
  CHECK(pending[1]["amount"] == -tilld::sandbox::prorated(1000, left, 31 * day_s));
  CHECK(pending[1]["description"] == "Unused time on Gold after 11 Jan 2026");
  CHECK(pending[1]["period"]["start"] == c.now_s);
  CHECK(pending[0]["amount"] == tilld::sandbox::prorated(6000, left, 31 * day_s));
  CHECK(pending[0]["description"] == "Remaining time on 2 × Platinum after 11 Jan 2026");
  CHECK(pending[0]["proration"] == true);
  CHECK(pending[0]["parent"]["subscription_details"]["subscription_item"] == item);
  CHECK(c.get("/v1/invoices").body["data"].size() == 1);
}

TEST_CASE("Credit and debit are rounded each on its own: two thirds and a third of 10.00") {
  CHECK(tilld::sandbox::prorated(1000, 2, 3) == 667);
  CHECK(tilld::sandbox::prorated(1000, 1, 3) == 333);
  CHECK(tilld::sandbox::prorated(1, 1, 2) == 1);  // half goes up
  CHECK(tilld::sandbox::prorated(-1000, 2, 3) == -667);
  CHECK(tilld::sandbox::prorated(99'999'999, 86'399, 86'400) == 99'998'842);
}

TEST_CASE("A prorated part is the nearest whole unit, never more than the whole") {
  REQUIRE(rc::check("prorated() is round-half-up of amount * part / whole", [] {
    const auto amount = *rc::gen::inRange<std::int64_t>(0, 100'000'000);
    const auto whole = *rc::gen::inRange<std::int64_t>(1, 3 * 366 * day_s);
    const auto part = *rc::gen::inRange<std::int64_t>(0, whole + 1);
    const auto got = tilld::sandbox::prorated(amount, part, whole);
    RC_ASSERT(got >= 0 && got <= amount);
    __extension__ using wide = __int128;
    const wide exact2 = wide{2} * amount * part;  // twice the product
    RC_ASSERT(exact2 >= wide{2} * got * whole - whole);
    RC_ASSERT(exact2 < wide{2} * got * whole + whole);
  }));
}

TEST_CASE("Billed at once, the difference is invoiced and paid in the same call") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(1000));
  const std::string item = first_item(c, sub);
  c.wait(31 * day_s / 2);
  c.events();
  const auto changed = c.post("/v1/subscriptions/" + sub,
                              "proration_behavior=always_invoice&items[0][id]=" + item +
                                  "&items[0][price]=" + c.price(3000) + "&expand[]=latest_invoice");
  const json invoice = changed.body["latest_invoice"];
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["billing_reason"] == "subscription_update");
  CHECK(invoice["amount_paid"] == 1000);  // half of 30.00 less half of 10.00
  const json credit = invoice["lines"]["data"][0];
  CHECK(credit["amount"] == -500);
  CHECK(credit["parent"]["subscription_item_details"]["proration"] == true);
  const json back = credit["parent"]["subscription_item_details"]["proration_details"];
  CHECK(back["credited_items"]["invoice"].get<std::string>().starts_with("in_"));
  CHECK(invoice["lines"]["data"][1]["amount"] == 1500);
  CHECK(pending_of(c, customer).empty());
  const strings told = c.told();
  const strings tail(told.begin() + 3, told.end());  // after the new price and its product
  CHECK(tail == strings{"invoiceitem.created", "invoiceitem.created", "invoice.created",
                        "customer.subscription.updated", "invoice.updated", "invoice.finalized",
                        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
                        "charge.updated", "invoice_payment.paid", "invoice.updated", "invoice.paid",
                        "invoice.payment_succeeded", "customer.updated"});
}

TEST_CASE("An upgrade that cannot be paid makes it past due, or is refused whole") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(1000));
  const std::string item = first_item(c, sub);
  const auto bad =
      c.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", "customer=" + customer).id();
  c.post("/v1/customers/" + customer, "invoice_settings[default_payment_method]=" + bad);
  const std::string form =
      "proration_behavior=always_invoice&items[0][quantity]=5&items[0][id]=" + item;
  c.wait(day_s);
  const json before = c.dump();
  const auto refused =
      c.post("/v1/subscriptions/" + sub, form + "&payment_behavior=error_if_incomplete");
  CHECK(refused.status == 402);
  CHECK((c.dump() == before));
  const auto kept = c.post("/v1/subscriptions/" + sub, form);
  CHECK(kept.body["status"] == "past_due");
  CHECK(kept.body["items"]["data"][0]["quantity"] == 5);
  c.post("/v1/customers/" + customer,
         "invoice_settings[default_payment_method]=" +
             c.post("/v1/payment_methods/pm_card_visa/attach", "customer=" + customer).id());
  const auto paid =
      c.post("/v1/invoices/" + kept.body["latest_invoice"].get<std::string>() + "/pay");
  CHECK(paid.body["status"] == "paid");
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "active");
}

TEST_CASE("A downgrade billed at once leaves credit with the customer, which the next bill uses") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(4000));
  const std::string item = first_item(c, sub);
  c.wait(31 * day_s / 2);
  const auto changed = c.post("/v1/subscriptions/" + sub,
                              "proration_behavior=always_invoice&items[0][id]=" + item +
                                  "&items[0][price]=" + c.price(1000) + "&expand[]=latest_invoice");
  const json invoice = changed.body["latest_invoice"];
  CHECK(invoice["total"] == -1500);
  CHECK(invoice["amount_due"] == 0);
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["ending_balance"] == -1500);
  CHECK(c.get("/v1/customers/" + customer).body["balance"] == -1500);
  const std::string next = c.subscription(customer, c.price(2000));
  const json bill =
      c.get("/v1/subscriptions/" + next, "expand[]=latest_invoice").body["latest_invoice"];
  CHECK(bill["total"] == 2000);
  CHECK(bill["starting_balance"] == -1500);
  CHECK(bill["amount_due"] == 500);
  CHECK(bill["amount_paid"] == 500);
  CHECK(c.get("/v1/customers/" + customer).body["balance"] == 0);
  const auto entries = c.get("/v1/customers/" + customer + "/balance_transactions");
  CHECK(entries.body["data"][0]["type"] == "applied_to_invoice");
  CHECK(entries.body["data"][0]["invoice"] == bill["id"]);
}

TEST_CASE("Items come and go, but one must stay") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price(1000);
  const std::string sub = c.subscription(customer, price);
  const std::string item = first_item(c, sub);
  c.wait(day_s);
  const std::string extra = c.price(500, "month", "Extra");
  const auto added = c.post("/v1/subscriptions/" + sub, "items[0][price]=" + extra);
  REQUIRE(added.body["items"]["data"].size() == 2);
  CHECK(added.body["items"]["data"][1]["current_period_start"] == c.now_s);
  CHECK(added.body["items"]["data"][1]["current_period_end"] ==
        added.body["items"]["data"][0]["current_period_end"]);
  CHECK(pending_of(c, customer)[0]["amount"] ==
        tilld::sandbox::prorated(500, 30 * day_s, 31 * day_s));
  const auto gone =
      c.post("/v1/subscriptions/" + sub, "items[0][id]=" + item + "&items[0][deleted]=true");
  CHECK(gone.body["items"]["data"].size() == 1);
  CHECK(c.get("/v1/subscription_items/" + item).status == 404);
  const std::string last = first_item(c, sub);
  CHECK(c.post("/v1/subscriptions/" + sub, "items[0][id]=" + last + "&items[0][deleted]=true")
            .status == 400);
  CHECK(c.post("/v1/subscriptions/" + sub, "items[0][price]=" + extra).param() == "plan");
  CHECK(c.post("/v1/subscriptions/" + sub, "items[0][id]=si_no").status == 400);
  CHECK(c.post("/v1/subscriptions/" + sub, "items[0][price]=" + c.price(9, "year")).status == 501);
}

TEST_CASE("Another interval begins a new period, paid at once less what was unused") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price(3100));
  c.wait(10 * day_s);
  const auto yearly =
      c.post("/v1/subscriptions/" + sub, "items[0][id]=" + first_item(c, sub) +
                                             "&items[0][price]=" + c.price(30'000, "year") +
                                             "&expand[0]=latest_invoice");
  CHECK(yearly.body["status"] == "active");
  CHECK(yearly.body["billing_cycle_anchor"] == c.now_s);
  CHECK(yearly.body["items"]["data"][0]["current_period_end"] == c.now_s + 365 * day_s);
  const json& invoice = yearly.body["latest_invoice"];
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["billing_reason"] == "subscription_update");
  CHECK(invoice["total"] == 30'000 - 2100);
}

TEST_CASE("The proration date says from when on the change counts") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(3100));
  const std::string item = first_item(c, sub);
  c.wait(20 * day_s);
  const std::string form = "items[0][quantity]=2&items[0][id]=" + item + "&proration_date=";
  c.post("/v1/subscriptions/" + sub, form + std::to_string(c.now_s - 10 * day_s));
  const json pending = pending_of(c, customer);
  CHECK(pending[1]["amount"] == -2100);
  CHECK(pending[0]["amount"] == 4200);
  CHECK(c.post("/v1/subscriptions/" + sub, form + std::to_string(c.now_s + 40 * day_s)).param() ==
        "proration_date");
}

TEST_CASE("Nothing is prorated while the trial lasts") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(1000), "&trial_period_days=10");
  c.wait(day_s);
  c.post("/v1/subscriptions/" + sub, "items[0][quantity]=9&items[0][id]=" + first_item(c, sub));
  CHECK(pending_of(c, customer).empty());
}

TEST_CASE("A trial ended now is billed now") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(1000), "&trial_period_days=10");
  c.wait(4 * day_s);
  c.events();
  const auto ended = c.post("/v1/subscriptions/" + sub, "trial_end=now&expand[]=latest_invoice");
  CHECK(ended.body["status"] == "active");
  CHECK(ended.body["trial_end"] == c.now_s);
  CHECK(ended.body["billing_cycle_anchor"] == c.now_s);
  CHECK(ended.body["items"]["data"][0]["current_period_start"] == c.now_s);
  CHECK(ended.body["latest_invoice"]["amount_paid"] == 1000);
  CHECK(ended.body["latest_invoice"]["billing_reason"] == "subscription_update");
  const json told = the_one(c.events(), "customer.subscription.updated");
  CHECK(told["data"]["previous_attributes"]["status"] == "trialing");
}

TEST_CASE("A trial ended without a card is refused, paused or canceled, as it was settled") {
  const auto ended = [](const std::string& wish) {
    client c;
    const std::string sub = c.subscription(
        c.customer(""), c.price(),
        "&trial_period_days=10&trial_settings[end_behavior][missing_payment_method]=" + wish);
    c.events();
    const auto r = c.post("/v1/subscriptions/" + sub, "trial_end=now");
    const strings told = c.told();
    return std::pair(r.status == 200 ? r.body["status"].get<std::string>() : r.code(),
                     told.empty() ? std::string() : told[0]);
  };
  CHECK(ended("create_invoice") == std::pair<std::string, std::string>("resource_missing", ""));
  CHECK(ended("pause") ==
        std::pair<std::string, std::string>("paused", "customer.subscription.updated"));
  CHECK(ended("cancel") ==
        std::pair<std::string, std::string>("canceled", "customer.subscription.deleted"));
}

TEST_CASE("A trial can be made longer while it lasts") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price(), "&trial_period_days=10");
  const std::string later = std::to_string(c.now_s + 20 * day_s);
  const auto moved = c.post("/v1/subscriptions/" + sub, "trial_end=" + later);
  CHECK(moved.body["trial_end"] == c.now_s + 20 * day_s);
  CHECK(moved.body["items"]["data"][0]["current_period_end"] == c.now_s + 20 * day_s);
  const std::string active = c.subscription(c.customer(), c.price());
  c.wait(15 * day_s + 12 * 3600);  // half of January's 31 days
  const auto given = c.post("/v1/subscriptions/" + active, "trial_end=" + later);
  CHECK(given.body["status"] == "trialing");
  CHECK(given.body["billing_cycle_anchor"] == given.body["trial_end"]);
  const auto credit = c.get("/v1/invoiceitems", "pending=true").body["data"];
  REQUIRE(credit.size() == 1);
  CHECK(credit[0]["amount"] == -1000);
}

TEST_CASE("Collection can be paused and handed over to mail") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price());
  const auto paused = c.post("/v1/subscriptions/" + sub, "pause_collection[behavior]=void");
  CHECK(paused.body["pause_collection"] == json{{"behavior", "void"}, {"resumes_at", nullptr}});
  CHECK(paused.body["status"] == "active");
  CHECK(c.post("/v1/subscriptions/" + sub, "pause_collection=").body["pause_collection"] ==
        nullptr);
  const auto mailed =
      c.post("/v1/subscriptions/" + sub, "collection_method=send_invoice&days_until_due=7");
  CHECK(mailed.body["days_until_due"] == 7);
  CHECK(c.post("/v1/subscriptions/" + sub, "collection_method=charge_automatically")
            .body["days_until_due"] == nullptr);
  CHECK(c.post("/v1/subscriptions/" + sub + "/resume").message() ==
        "You can only resume a subscription if it is `paused`.");
}

TEST_CASE("An incomplete one can be given another card and a description, and little else") {
  client c;
  const std::string customer = c.customer("pm_card_chargeCustomerFail");
  const std::string sub = c.subscription(customer, c.price());
  const auto card = c.post("/v1/payment_methods/pm_card_visa/attach", "customer=" + customer).id();
  CHECK(c.post("/v1/subscriptions/" + sub, "default_payment_method=" + card + "&description=x")
            .body["default_payment_method"] == card);
  CHECK(c.post("/v1/subscriptions/" + sub, "cancel_at_period_end=true").code() ==
        "status_transition_invalid");
}

TEST_CASE("Canceled with prorate, the unused time is credited; with invoice_now, billed out") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(3100));
  c.wait(21 * day_s);
  c.events();
  c.del("/v1/subscriptions/" + sub, "prorate=true");
  CHECK(c.told() == strings{"invoiceitem.created", "customer.subscription.deleted"});
  CHECK(pending_of(c, customer)[0]["amount"] == -1000);
  const std::string other = c.subscription(customer, c.price(3100));
  c.wait(21 * day_s);
  const auto gone =
      c.del("/v1/subscriptions/" + other, "prorate=true&invoice_now=true&expand[]=latest_invoice");
  CHECK(gone.body["status"] == "canceled");
  CHECK(gone.body["latest_invoice"]["status"] == "paid");
  CHECK(gone.body["latest_invoice"]["total"].get<std::int64_t>() < 0);
  CHECK(c.get("/v1/customers/" + customer).body["balance"].get<std::int64_t>() < 0);
}

TEST_CASE("Months end on the anchor's day, or on their last") {
  using tilld::sandbox::after_intervals;
  const std::int64_t jan31 = 1'769'817'600;                     // 2026-01-31
  CHECK(after_intervals(jan31, "month", 1) == 1'772'236'800);   // 28 Feb
  CHECK(after_intervals(jan31, "month", 2) == 1'774'915'200);   // 31 Mar: the anchor comes back
  CHECK(after_intervals(jan31, "month", 25) == 1'835'395'200);  // 29 Feb 2028
  CHECK(after_intervals(jan31 + 3723, "year", 1) == 1'801'353'600 + 3723);
  CHECK(after_intervals(jan31, "week", 2) == jan31 + 14 * day_s);
  CHECK(after_intervals(jan31, "day", 3) == jan31 + 3 * day_s);
}
