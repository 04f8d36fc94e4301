// Source: https://docs.stripe.com/api/credit_notes/create
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::reply;

namespace {

using strings = std::vector<std::string>;

// An invoice of 100.00, open or paid.
struct billed {
  client c;
  std::string customer = c.customer();
  std::string invoice;
  std::string line;

  explicit billed(bool paid, const std::string& more = {}) {
    c.post("/v1/invoiceitems", "customer=" + customer + "&amount=10000&currency=usd&" + more);
    invoice =
        c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include")
            .id();
    const auto open = c.post("/v1/invoices/" + invoice + "/finalize");
    line = open.body["lines"]["data"][0]["id"];
    if (paid) c.post("/v1/invoices/" + invoice + "/pay");
    c.events();
  }
  reply credit(const std::string& form) {
    return c.post("/v1/credit_notes", "invoice=" + invoice + "&" + form);
  }
  json shown() { return c.get("/v1/invoices/" + invoice).body; }
};

}  // namespace

TEST_CASE("A credit note of an open invoice lowers what is due, and its payment with it") {
  billed b(false);
  const auto note = b.credit("amount=3000&reason=duplicate&memo=sorry");
  REQUIRE(note.status == 200);
  check_shapes(note.body);
  CHECK(note.body["type"] == "pre_payment");
  CHECK(note.body["pre_payment_amount"] == 3000);
  CHECK(note.body["post_payment_amount"] == 0);
  CHECK(note.body["number"].get<std::string>().ends_with("-0001-CN-01"));
  CHECK(b.c.told() == strings{"credit_note.created", "invoice.updated"});
  const json invoice = b.shown();
  CHECK(invoice["total"] == 10000);
  CHECK(invoice["amount_due"] == 7000);
  CHECK(invoice["amount_remaining"] == 7000);
  CHECK(invoice["pre_payment_credit_notes_amount"] == 3000);
  const auto paid = b.c.post("/v1/invoices/" + b.invoice + "/pay");
  CHECK(paid.body["amount_paid"] == 7000);
  CHECK(b.c.get("/v1/charges").body["data"][0]["amount"] == 7000);
}

TEST_CASE("An open invoice of which nothing is left is paid without a charge") {
  billed b(false);
  const auto note =
      b.credit("lines[0][type]=invoice_line_item&lines[0][invoice_line_item]=" + b.line +
               "&lines[0][quantity]=1");
  CHECK(note.body["total"] == 10000);
  CHECK(note.body["lines"]["data"][0]["invoice_line_item"] == b.line);
  const json invoice = b.shown();
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["amount_paid"] == 0);
  CHECK(b.c.get("/v1/charges").body["data"].empty());
  CHECK(b.c.get("/v1/payment_intents").body["data"][0]["status"] == "canceled");
}

TEST_CASE("What has been paid goes back in the three ways that are asked for") {
  billed b(true);
  const auto note =
      b.credit("amount=6000&refund_amount=1000&credit_amount=2000&out_of_band_amount=3000");
  REQUIRE(note.status == 200);
  check_shapes(note.body);
  CHECK(note.body["type"] == "post_payment");
  CHECK(note.body["out_of_band_amount"] == 3000);
  REQUIRE(note.body["refunds"].size() == 1);
  const std::string refund = note.body["refunds"][0]["refund"];
  CHECK(b.c.get("/v1/refunds/" + refund).body["amount"] == 1000);
  CHECK(b.c.get("/v1/customers/" + b.customer).body["balance"] == -2000);
  const auto entry =
      b.c.get("/v1/customers/" + b.customer + "/balance_transactions").body["data"][0];
  CHECK(entry["type"] == "credit_note");
  CHECK(entry["credit_note"] == note.id());
  CHECK(note.body["customer_balance_transaction"] == entry["id"]);
  const json invoice = b.shown();
  CHECK(invoice["status"] == "paid");
  CHECK(invoice["amount_due"] == 10000);
  CHECK(invoice["post_payment_credit_notes_amount"] == 6000);
}

TEST_CASE("A refund that was made before is linked to its note") {
  billed b(true);
  const std::string charge = b.c.get("/v1/charges").body["data"][0]["id"];
  const auto refund = b.c.post("/v1/refunds", "charge=" + charge + "&amount=2500");
  const auto note = b.credit("amount=2500&refunds[0][refund]=" + refund.id());
  REQUIRE(note.status == 200);
  CHECK(note.body["refunds"][0]["refund"] == refund.id());
  CHECK(b.c.get("/v1/refunds").body["data"].size() == 1);
}

TEST_CASE("Discounts and taxes are credited in proportion, to the last cent") {
  client c;
  const std::string customer = c.customer();
  const std::string vat =
      c.post("/v1/tax_rates", "display_name=VAT&inclusive=false&percentage=19").id();
  const std::string coupon = c.post("/v1/coupons", "percent_off=10&duration=forever").id();
  c.post("/v1/invoiceitems", "customer=" + customer + "&amount=10000&currency=usd&tax_rates[0]=" +
                                 vat + "&discounts[0][coupon]=" + coupon);
  const std::string invoice =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include")
          .id();
  const auto open = c.post("/v1/invoices/" + invoice + "/finalize");
  const std::string line = open.body["lines"]["data"][0]["id"];
  REQUIRE(open.body["total"] == 10710);  // (100.00 - 10.00) * 1.19
  const auto note = c.post("/v1/credit_notes",
                           "invoice=" + invoice + "&lines[0][type]=invoice_line_item" +
                               "&lines[0][invoice_line_item]=" + line + "&lines[0][amount]=5000");
  CHECK(note.body["subtotal"] == 5000);
  CHECK(note.body["discount_amount"] == 500);
  CHECK(note.body["total_excluding_tax"] == 4500);
  CHECK(note.body["total"] == 5355);
  CHECK(note.body["total_taxes"][0]["amount"] == 855);
  check_shapes(note.body);
  const auto rest = c.post("/v1/credit_notes",
                           "invoice=" + invoice + "&lines[0][type]=invoice_line_item" +
                               "&lines[0][invoice_line_item]=" + line + "&lines[0][amount]=5000");
  CHECK(rest.body["total"] == 5355);
  CHECK(rest.body["number"].get<std::string>().ends_with("-CN-02"));
  CHECK(c.get("/v1/invoices/" + invoice).body["amount_remaining"] == 0);
}

TEST_CASE("A preview says what a credit note would be and changes nothing") {
  billed b(true);
  const auto before = b.c.stripe.dump();
  const std::string asked = "invoice=" + b.invoice +
                            "&lines[0][type]=custom_line_item&lines[0][description]=Service" +
                            "&lines[0][unit_amount]=250&lines[0][quantity]=2&credit_amount=500";
  const auto seen = b.c.get("/v1/credit_notes/preview", asked);
  REQUIRE(seen.status == 200);
  CHECK(seen.body["total"] == 500);
  const auto lines = b.c.get("/v1/credit_notes/preview/lines", asked);
  REQUIRE(lines.body["data"].size() == 1);
  CHECK(lines.body["data"][0]["description"] == "Service");
  CHECK(b.c.stripe.dump() == before);
  CHECK(b.c.events().empty());
}

TEST_CASE("A void credit note gives the invoice back what it had taken") {
  billed b(false);
  const auto note = b.credit("amount=3000");
  b.c.events();
  const auto ended = b.c.post("/v1/credit_notes/" + note.id() + "/void");
  CHECK(ended.body["status"] == "void");
  CHECK(ended.body["voided_at"] == b.c.now_s);
  CHECK(b.c.told() == strings{"credit_note.voided", "invoice.updated"});
  CHECK(b.shown()["amount_due"] == 10000);
  CHECK(b.shown()["pre_payment_credit_notes_amount"] == 0);
  CHECK(b.c.post("/v1/credit_notes/" + note.id() + "/void").status == 400);
}

TEST_CASE("What a credit note cannot be is refused, and nothing changes") {
  struct row {
    bool paid;
    const char* form;
    const char* says;
  };
  const row rows[] = {
      {false, "memo=x", "One of amount, lines"},
      {false, "amount=0", "greater than zero"},
      {false, "amount=10001", "what is left of the invoice"},
      {false, "amount=3000&refund_amount=3000", "must equal"},
      {true, "amount=3000",
       "The sum of credit amount, refund amount and out of band amount ($0.00)"},
      {true, "amount=3000&refund_amount=2000", "must equal the credit note amount ($30.00)"},
      {false,
       "lines[0][type]=invoice_line_item&lines[0][invoice_line_item]=il_no&lines[0][amount]=1",
       "No such"},
      {false, "lines[0][type]=custom_line_item&lines[0][unit_amount]=1", "Missing required param"},
      {false, "amount=1&lines[0][type]=custom_line_item", "only specify one"},
  };
  for (const auto& r : rows) {
    billed b(r.paid);
    const auto before = b.c.stripe.dump();
    const auto refused = b.credit(r.form);
    INFO(r.form);
    CHECK(refused.status == 400);
    CHECK(refused.message().find(r.says) != std::string::npos);
    CHECK(b.c.stripe.dump() == before);
  }
  client c;
  const std::string draft = c.post("/v1/invoices", "customer=" + c.customer()).id();
  CHECK(c.post("/v1/credit_notes", "invoice=" + draft + "&amount=1").param() == "invoice");
}

TEST_CASE("Credit notes are found by invoice and by customer; their memo changes") {
  billed b(false);
  const auto first = b.credit("amount=100");
  const auto second = b.credit("amount=200");
  const auto listed = b.c.get("/v1/credit_notes", "invoice=" + b.invoice).body["data"];
  REQUIRE(listed.size() == 2);
  CHECK(listed[0]["id"] == second.id());
  CHECK(b.c.get("/v1/credit_notes", "customer=" + b.customer).body["data"].size() == 2);
  b.c.events();
  const auto changed = b.c.post("/v1/credit_notes/" + first.id(), "memo=new&metadata[a]=b");
  CHECK(changed.body["memo"] == "new");
  CHECK(b.c.told() == strings{"credit_note.updated"});
  CHECK(b.c.get("/v1/credit_notes/" + first.id() + "/lines").body["data"].size() == 1);
}
