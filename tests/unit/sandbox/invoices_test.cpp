#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

namespace {

using strings = std::vector<std::string>;

constexpr std::int64_t day_s = 24 * 3600;

std::string item(client& c, const std::string& customer, const std::string& more) {
  return c.post("/v1/invoiceitems", "customer=" + customer + "&" + more).id();
}

}  // namespace

TEST_CASE("A one-off invoice is drafted, finalized and paid") {
  client c;
  const std::string customer = c.customer();
  item(c, customer, "amount=1500&currency=usd&description=Setup");
  const auto draft =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include");
  CHECK(draft.body["status"] == "draft");
  CHECK(draft.body["billing_reason"] == "manual");
  CHECK(draft.body["auto_advance"] == false);
  CHECK(draft.body["number"] == nullptr);
  CHECK(draft.body["effective_at"] == nullptr);
  CHECK(draft.body["amount_due"] == 1500);
  CHECK(draft.body["lines"]["data"][0]["description"] == "Setup");
  c.events();
  const auto open = c.post("/v1/invoices/" + draft.id() + "/finalize");
  CHECK(open.body["status"] == "open");
  CHECK(open.body["attempted"] == false);
  CHECK(open.body["number"].get<std::string>().ends_with("-0001"));
  CHECK(open.body["hosted_invoice_url"].get<std::string>().starts_with("https://"));
  CHECK(c.told() == strings{"invoice.updated", "invoice.finalized", "payment_intent.created",
                            "customer.updated"});
  const auto paid = c.post("/v1/invoices/" + draft.id() + "/pay");
  CHECK(paid.body["status"] == "paid");
  CHECK(paid.body["amount_paid"] == 1500);
  CHECK(paid.body["attempt_count"] == 1);
  const auto payments = c.get("/v1/invoice_payments", "invoice=" + draft.id());
  REQUIRE(payments.body["data"].size() == 1);
  CHECK(payments.body["data"][0]["status"] == "paid");
  CHECK(payments.body["data"][0]["amount_paid"] == 1500);
  CHECK(c.get("/v1/invoice_payments/" + payments.body["data"][0]["id"].get<std::string>()).body ==
        payments.body["data"][0]);
}

TEST_CASE("Pay finalizes a draft on the way; paid is paid") {
  client c;
  const std::string customer = c.customer();
  item(c, customer, "amount=100&currency=usd");
  const auto draft =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include");
  const auto paid = c.post("/v1/invoices/" + draft.id() + "/pay");
  CHECK(paid.body["status"] == "paid");
  CHECK(paid.body["status_transitions"]["finalized_at"] == c.now_s);
  CHECK(c.post("/v1/invoices/" + draft.id() + "/pay").message() == "Invoice is already paid");
  CHECK(c.post("/v1/invoices/" + draft.id() + "/finalize").message() ==
        "This invoice is already finalized, you can't re-finalize a non-draft invoice.");
  CHECK(c.post("/v1/invoices/" + draft.id() + "/void").message() ==
        "Invoices with `paid` payments cannot be voided.");
  CHECK(c.del("/v1/invoices/" + draft.id()).message() == "You can only delete draft invoices.");
}

TEST_CASE("An invoice of nothing is paid as soon as it is finalized") {
  client c;
  const auto draft = c.post("/v1/invoices", "customer=" + c.customer(""));
  const auto done = c.post("/v1/invoices/" + draft.id() + "/finalize");
  CHECK(done.body["status"] == "paid");
  CHECK(done.body["attempted"] == true);
  CHECK(done.body["attempt_count"] == 0);
}

TEST_CASE("Paid out of band, no card is asked and the intent is let go") {
  client c;
  const std::string customer = c.customer("");
  item(c, customer, "amount=100&currency=usd");
  const auto draft =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include");
  c.post("/v1/invoices/" + draft.id() + "/finalize");
  c.events();
  const auto paid = c.post("/v1/invoices/" + draft.id() + "/pay", "paid_out_of_band=true");
  CHECK(paid.body["status"] == "paid");
  CHECK(paid.body["attempted"] == false);
  CHECK(c.told() == strings{"payment_intent.canceled", "invoice.updated", "invoice.paid"});
  CHECK(c.get("/v1/payment_intents").body["data"][0]["status"] == "canceled");
}

TEST_CASE("A card that declines leaves the invoice open and says why") {
  client c;
  const std::string customer = c.customer("pm_card_chargeCustomerFail");
  item(c, customer, "amount=100&currency=usd");
  const auto draft =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include");
  const auto r = c.post("/v1/invoices/" + draft.id() + "/pay");
  CHECK(r.status == 402);
  CHECK(r.code() == "card_declined");
  CHECK(c.get("/v1/invoices/" + draft.id()).body["status"] == "open");
  CHECK(c.get("/v1/invoices/" + draft.id()).body["attempt_count"] == 1);
  CHECK(the_one(c.events(), "invoice.payment_failed")["data"]["object"]["id"] == draft.id());
  c.post("/v1/invoices/" + draft.id() + "/pay");
  CHECK(c.get("/v1/invoices/" + draft.id()).body["attempt_count"] == 1);
  const auto asks =
      c.post("/v1/payment_methods/pm_card_authenticationRequired/attach", "customer=" + customer);
  const auto wait = c.post("/v1/invoices/" + draft.id() + "/pay", "payment_method=" + asks.id());
  CHECK(wait.status == 402);
  CHECK(wait.code() == "invoice_payment_intent_requires_action");
  const auto none = c.post("/v1/invoices", "customer=" + c.customer(""));
  CHECK(c.post("/v1/invoices/" + none.id() + "/pay", "payment_method=" + asks.id()).code() ==
        "resource_missing");
}

TEST_CASE("What nobody will pay is voided or written off") {
  client c;
  const std::string customer = c.customer();
  const auto opened = [&] {
    item(c, customer, "amount=100&currency=usd");
    const auto draft =
        c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include");
    c.post("/v1/invoices/" + draft.id() + "/finalize");
    c.events();
    return draft.id();
  };
  const std::string first = opened();
  const auto gone = c.post("/v1/invoices/" + first + "/void");
  CHECK(gone.body["status"] == "void");
  CHECK(gone.body["amount_remaining"] == 100);
  CHECK(c.told() == strings{"payment_intent.canceled", "invoice.updated", "invoice.voided"});
  CHECK(c.post("/v1/invoices/" + first + "/void").message() ==
        "You can only pass in open invoices. This invoice isn't open.");
  const std::string second = opened();
  CHECK(c.post("/v1/invoices/" + second + "/mark_uncollectible").body["status"] == "uncollectible");
  CHECK(c.told() == strings{"invoice.updated", "invoice.marked_uncollectible"});
  CHECK(c.post("/v1/invoices/" + second + "/mark_uncollectible").message() ==
        "This invoice has already been marked uncollectible.");
  CHECK(c.post("/v1/invoices/" + second + "/pay").body["status"] == "paid");
}

TEST_CASE("An invoice by mail has a due date and is sent") {
  client c;
  const std::string customer = c.customer("");
  item(c, customer, "amount=100&currency=usd");
  const std::string form = "customer=" + customer + "&collection_method=send_invoice";
  CHECK(c.post("/v1/invoices", form).message() ==
        "If invoice collection method is 'send_invoice', you must specify 'due_date' or "
        "'days_until_due'.");
  CHECK(c.post("/v1/invoices", "customer=" + customer + "&days_until_due=3").message() ==
        "You can only specify 'due_date' or 'days_until_due' if invoice collection method is "
        "'send_invoice'.");
  const auto draft =
      c.post("/v1/invoices", form + "&days_until_due=3&pending_invoice_items_behavior=include");
  CHECK(draft.body["due_date"] == c.now_s + 3 * day_s);
  c.events();
  const auto sent = c.post("/v1/invoices/" + draft.id() + "/send");
  CHECK(sent.body["status"] == "open");
  const strings told = c.told();
  CHECK(std::count(told.begin(), told.end(), "invoice.sent") == 1);
}

TEST_CASE("The draft's window follows auto_advance") {
  client c;
  const std::string customer = c.customer();
  const auto draft = c.post("/v1/invoices", "customer=" + customer + "&auto_advance=true");
  CHECK(draft.body["automatically_finalizes_at"] == c.now_s + 3601);
  CHECK(draft.body["next_payment_attempt"] == c.now_s + 3600);
  const std::string path = "/v1/invoices/" + draft.id();
  c.wait(60);
  CHECK(c.post(path, "auto_advance=false").body["automatically_finalizes_at"] == nullptr);
  CHECK(c.post(path, "auto_advance=true").body["automatically_finalizes_at"] ==
        tilld::test::new_year_s + 3601);
  CHECK(c.post(path, "description=Hello").body["description"] == "Hello");
  c.post(path + "/finalize");
  const auto late = c.post(path, "description=Bye");
  CHECK(late.message() == "Finalized invoices can't be updated in this way");
  CHECK(late.param() == "description");
  CHECK(c.post(path, "metadata[a]=b").status == 200);
}

TEST_CASE("Items on a draft can be added, changed and taken away, and its total follows") {
  client c;
  const std::string customer = c.customer();
  const auto draft = c.post("/v1/invoices", "customer=" + customer);
  const std::string path = "/v1/invoices/" + draft.id();
  const std::string one =
      item(c, customer, "amount=100&currency=usd&description=One&invoice=" + draft.id());
  const std::string two = item(c, customer, "amount=-30&currency=usd&invoice=" + draft.id());
  CHECK(c.get(path).body["total"] == 70);
  const json line = c.get(path).body["lines"]["data"][0];
  CHECK(line["parent"]["invoice_item_details"]["invoice_item"] == one);
  c.post("/v1/invoiceitems/" + one, "amount=200&description=More");
  const json changed = c.get(path).body["lines"]["data"][0];
  CHECK(changed["id"] == line["id"]);
  CHECK(changed["amount"] == 200);
  CHECK(changed["description"] == "More");
  CHECK(c.del("/v1/invoiceitems/" + two).body["deleted"] == true);
  CHECK(c.get(path).body["total"] == 200);
  CHECK(c.get(path + "/lines").body["data"].size() == 1);
  c.post(path + "/finalize");
  CHECK(c.post("/v1/invoiceitems/" + one, "amount=5").status == 400);
  CHECK(c.post("/v1/invoiceitems",
               "customer=" + customer + "&amount=5&currency=usd&invoice=" + draft.id())
            .code() == "invoice_not_editable");
}

TEST_CASE("A draft that is deleted keeps what it had swept up") {
  client c;
  const std::string customer = c.customer();
  const std::string swept = item(c, customer, "amount=100&currency=usd");
  const auto draft =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include");
  c.events();
  CHECK(c.del("/v1/invoices/" + draft.id()).body["deleted"] == true);
  CHECK(c.told() == strings{"invoice.deleted"});
  CHECK(c.get("/v1/invoices/" + draft.id()).status == 404);
  CHECK(c.post("/v1/invoiceitems/" + swept, "amount=5").message() ==
        "This invoice item has been deleted.");
}

TEST_CASE("Items of a price cost its amount times the quantity") {
  client c;
  const std::string customer = c.customer();
  const auto product = c.post("/v1/products", "name=Book").id();
  const auto price = c.post("/v1/prices", "currency=usd&unit_amount=700&product=" + product).id();
  const auto made = c.post("/v1/invoiceitems",
                           "customer=" + customer + "&pricing[price]=" + price + "&quantity=3");
  CHECK(made.body["amount"] == 2100);
  CHECK(made.body["description"] == "Book");
  CHECK(made.body["pricing"]["price_details"]["price"] == price);
  CHECK(
      c.post("/v1/invoiceitems", "customer=" + customer + "&pricing[price]=" + c.price()).param() ==
      "pricing[price]");
  CHECK(c.post("/v1/invoiceitems", "customer=" + customer + "&amount=1").param() == "currency");
  CHECK(c.post("/v1/invoiceitems", "customer=" + customer).status == 400);
  CHECK(c.get("/v1/invoiceitems", "pending=true&customer=" + customer).body["data"].size() == 1);
}

TEST_CASE("A long invoice shows ten lines and keeps the rest behind their url, in the same order") {
  client c;
  const std::string customer = c.customer();
  for (int i = 0; i < 23; ++i) {
    item(c, customer, "amount=" + std::to_string(100 + i) + "&currency=usd");
  }
  const auto draft =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include");
  const json lines = draft.body["lines"];
  CHECK(lines["data"].size() == 10);
  CHECK(lines["has_more"] == true);
  std::vector<std::int64_t> amounts;
  for (const auto& l : lines["data"])
    amounts.push_back(l["amount"]);
  std::string last = lines["data"].back()["id"];
  bool more = true;
  while (more) {
    const auto page = c.get(lines["url"], "limit=7&starting_after=" + last);
    for (const auto& l : page.body["data"])
      amounts.push_back(l["amount"]);
    last = page.body["data"].back()["id"];
    more = page.body["has_more"];
  }
  REQUIRE(amounts.size() == 23);
  CHECK(std::is_sorted(amounts.begin(), amounts.end()));
  CHECK(draft.body["total"] == 23 * 100 + 22 * 23 / 2);
}

TEST_CASE("Invoices are found by customer, subscription, status and way of collection") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price());
  const auto draft = c.post("/v1/invoices", "customer=" + customer);
  const auto ids = [&](const std::string& query) {
    strings found;
    const auto page = c.get("/v1/invoices", query);
    for (const auto& i : page.body["data"])
      found.push_back(i["id"]);
    return found;
  };
  CHECK(ids("customer=" + customer).size() == 2);
  CHECK(ids("subscription=" + sub).size() == 1);
  CHECK(ids("status=draft") == strings{draft.id()});
  CHECK(ids("collection_method=send_invoice").empty());
  CHECK(c.get("/v1/invoices", "status=lost").message() ==
        "Invalid status: must be one of draft, open, void, paid, or uncollectible");
  CHECK(c.get("/v1/invoices/in_no").param() == "invoice");
  CHECK(c.post("/v1/invoices/in_no/pay").param() == "id");
  CHECK(c.post("/v1/invoices/create_preview", "schedule_details[end_behavior]=cancel").status ==
        501);
}
