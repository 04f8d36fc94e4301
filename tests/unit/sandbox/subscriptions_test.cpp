// How subscriptions begin and end. Each case is a row of the lifecycle.
#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

namespace {

using strings = std::vector<std::string>;

constexpr std::int64_t day_s = 24 * 3600;

strings types_of(const std::vector<json>& events) {
  strings types;
  for (const auto& e : events)
    types.push_back(e["type"]);
  return types;
}

json latest_invoice(client& c, const std::string& sub) {
  return c.get("/v1/subscriptions/" + sub, "expand[]=latest_invoice").body["latest_invoice"];
}

}  // namespace

TEST_CASE("Created with a card that pays, it is active and its invoice paid in the same call") {
  client c;
  const std::string price = c.price(2000);
  const std::string customer = c.customer();
  c.events();
  const auto sub =
      c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price +
                                      "&items[0][quantity]=3&metadata[a]=b");
  REQUIRE(sub.status == 200);
  CHECK(sub.body["status"] == "active");
  CHECK(sub.body["default_payment_method"] == nullptr);
  CHECK(sub.body["billing_cycle_anchor"] == c.now_s);
  const json item = sub.body["items"]["data"][0];
  CHECK(item["quantity"] == 3);
  CHECK(item["price"]["id"] == price);
  CHECK(item["current_period_start"] == c.now_s);
  CHECK(item["current_period_end"] == c.now_s + 31 * day_s);  // January
  CHECK_FALSE(sub.body.contains("current_period_end"));
  const json invoice = latest_invoice(c, sub.id());
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["billing_reason"] == "subscription_create");
  CHECK(invoice["amount_paid"] == 6000);
  CHECK(invoice["attempt_count"] == 1);
  CHECK(invoice["auto_advance"] == false);
  CHECK(invoice["number"].get<std::string>().ends_with("-0001"));
  CHECK(invoice["parent"]["subscription_details"]["subscription"] == sub.id());
  CHECK(invoice["parent"]["subscription_details"]["metadata"]["a"] == "b");
  const json line = invoice["lines"]["data"][0];
  CHECK(line["description"] == "3 × Gold (at $20.00 / month)");
  CHECK(line["pricing"]["price_details"]["price"] == price);
  CHECK(line["parent"]["subscription_item_details"]["subscription_item"] == item["id"]);
  CHECK(line["period"]["end"] == item["current_period_end"]);
}

TEST_CASE("The events of a paid beginning, in the order of their causes") {
  client c;
  const std::string price = c.price();
  const std::string customer = c.customer();
  c.events();
  c.subscription(customer, price);
  const auto events = c.events();
  CHECK(types_of(events) ==
        strings{"invoice.created", "customer.subscription.created", "invoice.updated",
                "invoice.finalized", "payment_intent.created", "charge.succeeded",
                "payment_intent.succeeded", "charge.updated", "invoice_payment.paid",
                "invoice.updated", "invoice.paid", "invoice.payment_succeeded",
                "customer.subscription.updated", "customer.updated"});
  CHECK(the_one(events, "invoice.created")["data"]["object"]["status"] == "draft");
  CHECK(the_one(events, "customer.subscription.created")["data"]["object"]["status"] ==
        "incomplete");
  CHECK(the_one(events, "invoice.finalized")["data"]["object"]["status"] == "open");
  CHECK(the_one(events, "customer.subscription.updated")["data"]["previous_attributes"] ==
        json{{"status", "incomplete"}});
  CHECK(the_one(events, "customer.updated")["data"]["previous_attributes"] ==
        json{{"currency", nullptr}, {"next_invoice_sequence", 1}});
}

TEST_CASE("Created with a card that declines, it is incomplete with an open invoice") {
  client c;
  const std::string price = c.price();
  const std::string customer = c.customer("pm_card_chargeCustomerFail");
  c.events();
  const std::string sub = c.subscription(customer, price);
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "incomplete");
  const json invoice = latest_invoice(c, sub);
  CHECK(invoice["status"] == "open");
  CHECK(invoice["attempted"] == true);
  CHECK(invoice["attempt_count"] == 1);
  CHECK(invoice["next_payment_attempt"] == nullptr);
  const auto events = c.events();
  CHECK(types_of(events) == strings{"invoice.created", "customer.subscription.created",
                                    "invoice.updated", "invoice.finalized",
                                    "payment_intent.created", "charge.failed",
                                    "payment_intent.payment_failed", "invoice.updated",
                                    "invoice.payment_failed", "customer.updated"});
  CHECK(the_one(events, "customer.updated")["data"]["previous_attributes"]["delinquent"] == false);
}

TEST_CASE("An incomplete one becomes active when its first invoice is paid") {
  client c;
  const std::string customer = c.customer("pm_card_chargeCustomerFail");
  const std::string sub = c.subscription(customer, c.price());
  const json invoice = latest_invoice(c, sub);
  const auto card = c.post("/v1/payment_methods/pm_card_visa/attach", "customer=" + customer).id();
  c.events();
  const auto paid =
      c.post("/v1/invoices/" + invoice["id"].get<std::string>() + "/pay", "payment_method=" + card);
  CHECK(paid.body["status"] == "paid");
  CHECK(paid.body["attempt_count"] == 1);  // only automatic retries count on
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "active");
  const auto events = c.events();
  CHECK(types_of(events) == strings{"charge.succeeded", "payment_intent.succeeded",
                                    "charge.updated", "invoice_payment.paid", "invoice.updated",
                                    "invoice.paid", "invoice.payment_succeeded",
                                    "customer.subscription.updated", "customer.updated"});
  CHECK(c.get("/v1/customers/" + customer).body["delinquent"] == false);
}

TEST_CASE("Created with a card that asks for its owner, it waits for them") {
  client c;
  const std::string price = c.price();
  const std::string customer = c.customer("pm_card_authenticationRequired");
  c.events();
  const std::string sub = c.subscription(customer, price);
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "incomplete");
  const json invoice = latest_invoice(c, sub);
  CHECK(invoice["attempted"] == true);
  CHECK(invoice["attempt_count"] == 0);
  const auto events = c.events();
  CHECK(types_of(events) ==
        strings{"invoice.created", "customer.subscription.created", "invoice.updated",
                "invoice.finalized", "payment_intent.created", "payment_intent.requires_action",
                "invoice.updated", "invoice.payment_action_required", "customer.updated"});
  const json intent = the_one(events, "payment_intent.requires_action")["data"]["object"];
  CHECK(c.stripe.authenticate(intent["id"].get<std::string>(), true, c.now_s));
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "active");
}

TEST_CASE("default_incomplete leaves the payment to the customer, with a secret to confirm by") {
  client c;
  const auto sub = c.post("/v1/subscriptions",
                          "customer=" + c.customer("") + "&items[0][price]=" + c.price() +
                              "&payment_behavior=default_incomplete"
                              "&payment_settings[save_default_payment_method]=on_subscription"
                              "&expand[]=latest_invoice.confirmation_secret");
  CHECK(sub.body["status"] == "incomplete");
  const json invoice = sub.body["latest_invoice"];
  CHECK(invoice["status"] == "open");
  CHECK(invoice["attempted"] == false);
  const std::string secret = invoice["confirmation_secret"]["client_secret"];
  const std::string intent = secret.substr(0, secret.find("_secret_"));
  CHECK(c.get("/v1/payment_intents/" + intent).body["status"] == "requires_payment_method");
  const auto paid =
      c.post("/v1/payment_intents/" + intent + "/confirm", "payment_method=pm_card_visa");
  CHECK(paid.body["status"] == "succeeded");
  const auto now = c.get("/v1/subscriptions/" + sub.id());
  CHECK(now.body["status"] == "active");
  CHECK(now.body["default_payment_method"] == paid.body["payment_method"]);
}

TEST_CASE("error_if_incomplete keeps nothing of a payment that fails") {
  client c;
  const std::string price = c.price();
  for (const std::string card : {"pm_card_chargeCustomerFail", "pm_card_authenticationRequired"}) {
    const std::string customer = c.customer(card);
    const json before = c.dump();
    c.events();
    const auto r =
        c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price +
                                        "&payment_behavior=error_if_incomplete");
    CHECK(r.status == 402);
    CHECK(r.error("type") == "card_error");
    CHECK(c.told().empty());
    CHECK((c.dump() == before));
  }
}

TEST_CASE("Without a card there is nothing to charge, and nothing is kept") {
  client c;
  const std::string price = c.price();
  const std::string customer = c.customer("");
  const auto r = c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price);
  CHECK(r.status == 400);
  CHECK(r.code() == "resource_missing");
  CHECK(r.message().starts_with("This customer has no attached payment source"));
  CHECK(c.get("/v1/subscriptions", "status=all").body["data"].empty());
  CHECK(c.get("/v1/invoices").body["data"].empty());
}

TEST_CASE("What costs nothing needs no card") {
  client c;
  const std::string sub = c.subscription(c.customer(""), c.price(0));
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "active");
  const json invoice = latest_invoice(c, sub);
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["attempt_count"] == 0);
  CHECK(c.get("/v1/payment_intents").body["data"].empty());
}

TEST_CASE("A trial begins with a paid invoice of nothing and a period that ends with it") {
  client c;
  const std::string price = c.price();
  const std::string customer = c.customer();
  c.events();
  const auto sub =
      c.post("/v1/subscriptions",
             "customer=" + customer + "&items[0][price]=" + price + "&trial_period_days=14");
  CHECK(sub.body["status"] == "trialing");
  CHECK(sub.body["trial_start"] == c.now_s);
  CHECK(sub.body["trial_end"] == c.now_s + 14 * day_s);
  CHECK(sub.body["billing_cycle_anchor"] == c.now_s + 14 * day_s);
  CHECK(sub.body["items"]["data"][0]["current_period_end"] == c.now_s + 14 * day_s);
  CHECK(sub.body["pending_setup_intent"] == nullptr);
  const json invoice = latest_invoice(c, sub.id());
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["total"] == 0);
  CHECK(invoice["lines"]["data"][0]["description"] == "Free trial for 1 × Gold");
  CHECK(c.told() == strings{"invoice.created", "customer.subscription.created", "invoice.updated",
                            "invoice.finalized", "invoice.updated", "invoice.paid",
                            "invoice.payment_succeeded", "customer.updated"});
}

TEST_CASE("A short trial without a card says at once that it will end, and asks for a card") {
  client c;
  const std::string price = c.price();
  const std::string customer = c.customer("");
  c.events();
  const std::string sub = c.subscription(customer, price, "&trial_period_days=2");
  const strings told = c.told();
  CHECK(std::count(told.begin(), told.end(), "customer.subscription.trial_will_end") == 1);
  CHECK(std::count(told.begin(), told.end(), "setup_intent.created") == 1);
  const auto full = c.get("/v1/subscriptions/" + sub, "expand[]=pending_setup_intent");
  CHECK(full.body["pending_setup_intent"]["status"] == "requires_payment_method");
  CHECK(full.body["pending_setup_intent"]["customer"] == customer);
}

TEST_CASE("A trial's end is a moment in the future, or now for none") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price();
  const std::string form = "customer=" + customer + "&items[0][price]=" + price + "&trial_end=";
  const auto past = c.post("/v1/subscriptions", form + std::to_string(c.now_s));
  CHECK(past.param() == "trial_end");
  CHECK(c.post("/v1/subscriptions", form + "now").body["status"] == "active");
  CHECK(c.post("/v1/subscriptions", form + std::to_string(c.now_s + 100)).body["trial_end"] ==
        c.now_s + 100);
  CHECK(c.post("/v1/subscriptions", form + "now&trial_period_days=3").status == 400);
}

TEST_CASE("Billed by mail, it is active at once and its invoice a draft with a due date") {
  client c;
  const std::string price = c.price();
  const std::string customer = c.customer("");
  c.events();
  const auto sub =
      c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price +
                                      "&collection_method=send_invoice&days_until_due=30");
  CHECK(sub.body["status"] == "active");
  CHECK(c.told() == strings{"invoice.created", "customer.subscription.created"});
  const json invoice = latest_invoice(c, sub.id());
  CHECK(invoice["status"] == "draft");
  CHECK(invoice["auto_advance"] == true);
  CHECK(invoice["due_date"] == c.now_s + 30 * day_s);
  CHECK(invoice["automatically_finalizes_at"] == c.now_s + 3601);
  CHECK(invoice["next_payment_attempt"] == nullptr);
  const std::string form = "customer=" + customer + "&items[0][price]=" + price;
  CHECK(c.post("/v1/subscriptions", form + "&collection_method=send_invoice").message() ==
        "If invoice collection method is 'send_invoice', you must specify 'days_until_due'.");
  CHECK(c.post("/v1/subscriptions", form + "&days_until_due=3").message() ==
        "You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.");
}

TEST_CASE("What a subscription cannot be made of is refused by name") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price();
  const auto refusal = [&](const std::string& form) { return c.post("/v1/subscriptions", form); };
  CHECK(refusal("items[0][price]=" + price).param() == "customer");
  CHECK(refusal("customer=" + customer).param() == "items");
  CHECK(refusal("customer=cus_no&items[0][price]=" + price).status == 404);
  const auto unknown = refusal("customer=" + customer + "&items[0][price]=price_no");
  CHECK(unknown.message() == "No such price: 'price_no'");
  CHECK(unknown.param() == "items[0][price]");
  const auto twice =
      refusal("customer=" + customer + "&items[0][price]=" + price + "&items[1][price]=" + price);
  CHECK(twice.param() == "plan");
  const auto product = c.post("/v1/products", "name=Book").id();
  const auto once = c.post("/v1/prices", "currency=usd&unit_amount=5&product=" + product).id();
  CHECK(refusal("customer=" + customer + "&items[0][price]=" + once)
            .message()
            .starts_with("The price specified is set to `type=one_time`"));
  c.post("/v1/prices/" + price, "active=false");
  CHECK(refusal("customer=" + customer + "&items[0][price]=" + price)
            .message()
            .starts_with("The price specified is inactive."));
  const std::string fine = "customer=" + customer + "&items[0][price]=" + c.price();
  CHECK(refusal(fine + "&payment_behavior=pending_if_incomplete").param() == "payment_behavior");
  CHECK(refusal(fine + "&default_payment_method=pm_card_visa").code() == "resource_missing");
  CHECK(refusal(fine + "&items[0][price_data][currency]=usd").param() ==
        "items[0][price_data][product]");
  CHECK(refusal(fine + "&discounts[0][coupon]=X").code() == "resource_missing");
  CHECK(refusal(fine + "&application_fee_percent=10").status == 501);
  CHECK(refusal(fine + "&automatic_tax[enabled]=true").status == 501);
  CHECK(refusal(fine + "&items[0][colour]=red").param() == "items[0][colour]");
}

TEST_CASE("One customer is billed in one currency at a time") {
  client c;
  const std::string customer = c.customer();
  c.subscription(customer, c.price());
  const auto product = c.post("/v1/products", "name=Or").id();
  const auto euro = c.post("/v1/prices",
                           "currency=eur&unit_amount=5&recurring[interval]=month"
                           "&product=" +
                               product)
                        .id();
  const auto r = c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + euro);
  CHECK(r.message().starts_with("You cannot combine currencies on a single customer."));
}

TEST_CASE("Canceled now it is over, and over again it is not to be found") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price());
  c.events();
  const auto gone =
      c.del("/v1/subscriptions/" + sub,
            "cancellation_details[comment]=bye&cancellation_details[feedback]=unused");
  CHECK(gone.body["status"] == "canceled");
  CHECK(gone.body["canceled_at"] == c.now_s);
  CHECK(gone.body["ended_at"] == c.now_s);
  CHECK(gone.body["cancellation_details"]["reason"] == "cancellation_requested");
  CHECK(gone.body["cancellation_details"]["comment"] == "bye");
  const auto events = c.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["type"] == "customer.subscription.deleted");
  CHECK(events[0]["data"]["object"] == gone.body);
  CHECK(c.del("/v1/subscriptions/" + sub).message() == "No such subscription: '" + sub + "'");
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "canceled");
  CHECK(c.post("/v1/subscriptions/" + sub, "metadata[a]=b").status == 200);
  const auto late = c.post("/v1/subscriptions/" + sub, "cancel_at_period_end=true");
  CHECK(late.code() == "invalid_canceled_subscription_fields");
  CHECK(c.post("/v1/subscriptions/" + sub + "/resume").status == 404);
}

TEST_CASE("Lists hide the canceled ones unless asked") {
  client c;
  const std::string price = c.price();
  const std::string alive = c.subscription(c.customer(), price);
  const std::string dead = c.subscription(c.customer(), c.price());
  c.del("/v1/subscriptions/" + dead);
  const auto ids = [&](const std::string& query) {
    strings found;
    const auto page = c.get("/v1/subscriptions", query);
    for (const auto& s : page.body["data"])
      found.push_back(s["id"]);
    return found;
  };
  CHECK(ids("") == strings{alive});
  CHECK(ids("status=all") == strings{dead, alive});
  CHECK(ids("status=canceled") == strings{dead});
  CHECK(ids("status=ended") == strings{dead});
  CHECK(ids("status=active&price=" + price) == strings{alive});
  CHECK(ids("price=price_no").empty());
  CHECK(c.get("/v1/subscriptions", "status=gone").status == 400);
}

TEST_CASE("Items are found by their subscription") {
  client c;
  const std::string sub = c.subscription(c.customer(), c.price(), "&items[1][price]=" + c.price(5));
  const auto items = c.get("/v1/subscription_items", "subscription=" + sub);
  REQUIRE(items.body["data"].size() == 2);
  const json first = items.body["data"][0];
  CHECK(first == c.get("/v1/subscriptions/" + sub).body["items"]["data"][0]);
  CHECK(c.get("/v1/subscription_items/" + first["id"].get<std::string>()).body == first);
  CHECK(c.get("/v1/subscription_items").param() == "subscription");
  CHECK(c.get("/v1/subscription_items/si_no").message() == "Invalid subscription_item id: si_no");
}
