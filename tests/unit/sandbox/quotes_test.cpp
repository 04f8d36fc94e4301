// Sources: https://docs.stripe.com/quotes, https://docs.stripe.com/api/quotes
#include <vector>

#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;
using tilld::test::reply;
using tilld::test::the_one;

namespace {

constexpr std::int64_t day_s = 86'400;
using types = std::vector<std::string>;

struct shop {
  client c;
  std::string gold = c.price(2000, "month", "Gold");
  std::string setup =
      c.post("/v1/prices", "currency=usd&unit_amount=5000&product_data[name]=Setup").id();
  std::string ada = c.customer();

  std::string line(int i, const std::string& price, const std::string& more = {}) const {
    const std::string at = "line_items[" + std::to_string(i) + "]";
    return "&" + at + "[price]=" + price + (more.empty() ? "" : "&" + at + more);
  }
  reply quote(const std::string& more) { return c.post("/v1/quotes", "customer=" + ada + more); }
  reply act(const reply& q, const std::string& what, const std::string& form = {}) {
    return c.post("/v1/quotes/" + q.id() + "/" + what, form);
  }
  reply accepted(const reply& q) {
    const auto open = act(q, "finalize");
    CAPTURE(open.text);
    REQUIRE(open.status == 200);
    return act(q, "accept");
  }
  json get(const std::string& path, const json& id) {
    return c.get(path + id.get<std::string>()).body;
  }
  void live_until(std::int64_t s) {
    c.now_s = s;
    c.get("/v1/balance");
  }
};

}  // namespace

TEST_CASE("A quote is drafted, finalized and accepted, and becomes a subscription", "[quotes]") {
  shop s;
  s.c.events();
  const auto draft = s.quote(s.line(0, s.gold, "[quantity]=3") + s.line(1, s.setup) +
                             "&subscription_data[description]=Offer"
                             "&subscription_data[metadata][a]=b");
  REQUIRE(draft.status == 200);
  CHECK(draft.body["status"] == "draft");
  CHECK(draft.body["number"].is_null());
  CHECK(draft.body["expires_at"] == new_year_s + 30 * day_s);
  CHECK(draft.body["amount_total"] == 11'000);
  CHECK(draft.body["computed"]["upfront"]["amount_total"] == 11'000);
  CHECK(draft.body["computed"]["recurring"]["amount_total"] == 6000);
  CHECK(draft.body["computed"]["recurring"]["interval"] == "month");
  CHECK(s.c.told() == types{"quote.created"});
  const auto open = s.act(draft, "finalize");
  CHECK(open.body["status"] == "open");
  CHECK(open.body["status_transitions"]["finalized_at"] == new_year_s);
  const json customer = s.c.get("/v1/customers/" + s.ada).body;
  CHECK(open.body["number"] == "QT-" + customer["invoice_prefix"].get<std::string>() + "-0001-1");
  CHECK(s.c.told() == types{"quote.finalized"});
  CHECK(s.c.get("/v1/subscriptions").body["data"].empty());  // nothing has come of it yet
  const auto done = s.act(draft, "accept");
  REQUIRE(done.status == 200);
  CHECK(done.body["status"] == "accepted");
  CHECK(s.c.told().back() == "quote.accepted");
  const json sub = s.get("/v1/subscriptions/", done.body["subscription"]);
  CHECK(sub["status"] == "active");
  CHECK(sub["description"] == "Offer");
  CHECK(sub["metadata"] == json{{"a", "b"}});
  CHECK(sub["items"]["data"][0]["quantity"] == 3);
  json invoice = s.get("/v1/invoices/", sub["latest_invoice"]);
  CHECK(invoice["status"] == "draft");
  CHECK(invoice["total"] == 11'000);
  s.live_until(new_year_s + 3601);
  invoice = s.get("/v1/invoices/", sub["latest_invoice"]);
  CHECK(invoice["status"] == "paid");
  check_shapes(s.c.dump());
}

TEST_CASE("What is quoted is what is billed: discounts and taxes, of lines and of all",
          "[quotes]") {
  struct row {
    const char* terms;  // with HALF, FIVE, TAX, NET in the place of ids
    std::int64_t discount;
    std::int64_t tax;
    std::int64_t total;
    std::int64_t recurring;
  };
  const std::vector<row> rows = {
      {"", 0, 0, 7000, 2000},
      {"&discounts[0][coupon]=HALF", 3500, 0, 3500, 2000},  // it holds once
      {"&discounts[0][coupon]=FIVE", 350, 0, 6650, 1900},   // it holds for ever
      {"&line_items[0][discounts][0][coupon]=FIVE", 100, 0, 6900, 1900},
      {"&default_tax_rates[0]=TAX", 0, 1400, 8400, 2400},
      {"&default_tax_rates[0]=NET", 0, 1166, 7000, 2000},  // 333 and 833 are contained
      {"&line_items[1][tax_rates][0]=TAX&discounts[0][coupon]=HALF", 3500, 500, 4000, 2000},
  };
  for (const auto& r : rows) {
    CAPTURE(r.terms);
    shop s;
    std::string terms = r.terms;
    const auto fill = [&](const std::string& word, const std::string& id) {
      if (const auto at = terms.find(word); at != terms.npos) terms.replace(at, word.size(), id);
    };
    fill("HALF", s.c.post("/v1/coupons", "percent_off=50&duration=once").id());
    fill("FIVE", s.c.post("/v1/coupons", "percent_off=5&duration=forever").id());
    const std::string rate = "display_name=Tax&percentage=20&inclusive=";
    fill("TAX", s.c.post("/v1/tax_rates", rate + "false").id());
    fill("NET", s.c.post("/v1/tax_rates", rate + "true").id());
    const auto q = s.quote(s.line(0, s.gold) + s.line(1, s.setup) + terms);
    REQUIRE(q.status == 200);
    CHECK(q.body["amount_subtotal"] == 7000);
    CHECK(q.body["total_details"]["amount_discount"] == r.discount);
    CHECK(q.body["total_details"]["amount_tax"] == r.tax);
    CHECK(q.body["amount_total"] == r.total);
    CHECK(q.body["computed"]["recurring"]["amount_total"] == r.recurring);
    const json lines = s.c.get("/v1/quotes/" + q.id() + "/line_items").body["data"];
    CHECK(lines[0]["amount_total"].get<std::int64_t>() +
              lines[1]["amount_total"].get<std::int64_t>() ==
          r.total);
    const auto done = s.accepted(q);
    REQUIRE(done.status == 200);
    const json sub = s.get("/v1/subscriptions/", done.body["subscription"]);
    CHECK(s.get("/v1/invoices/", sub["latest_invoice"])["total"] == r.total);
    s.live_until(new_year_s + 32 * day_s);
    const json later = s.get("/v1/subscriptions/", done.body["subscription"]);
    CHECK(s.get("/v1/invoices/", later["latest_invoice"])["total"] == r.recurring);
  }
}

TEST_CASE("A promised coupon is redeemed on acceptance, not before", "[quotes]") {
  shop s;
  const auto coupon = s.c.post("/v1/coupons", "percent_off=50&duration=once");
  const auto q = s.quote(s.line(0, s.setup) + "&discounts[0][coupon]=" + coupon.id());
  REQUIRE(q.body["discounts"].size() == 1);
  const auto expanded = s.c.get("/v1/quotes/" + q.id(), "expand[0]=discounts").body["discounts"][0];
  CHECK(expanded["source"]["coupon"] == coupon.id());
  CHECK(s.get("/v1/coupons/", coupon.id())["times_redeemed"] == 0);
  s.accepted(q);
  CHECK(s.get("/v1/coupons/", coupon.id())["times_redeemed"] == 1);
}

TEST_CASE("A quote of things sold once becomes an invoice, still a draft", "[quotes]") {
  shop s;
  const auto q = s.quote(s.line(0, s.setup, "[quantity]=2") +
                         "&description=For+you&footer=Thanks&collection_method=send_invoice"
                         "&invoice_settings[days_until_due]=14");
  CHECK(q.body["computed"]["recurring"].is_null());
  const auto done = s.accepted(q);
  REQUIRE(done.status == 200);
  CHECK(done.body["subscription"].is_null());
  const json invoice = s.get("/v1/invoices/", done.body["invoice"]);
  CHECK(invoice["status"] == "draft");
  CHECK(invoice["billing_reason"] == "quote_accept");
  CHECK(invoice["parent"]["quote_details"]["quote"] == q.id());
  CHECK(invoice["total"] == 10'000);
  CHECK(invoice["footer"] == "Thanks");
  CHECK(invoice["due_date"] == new_year_s + 14 * day_s);
}

TEST_CASE("A quote with a date to come becomes a schedule", "[quotes]") {
  shop s;
  const std::int64_t start = new_year_s + 10 * day_s;
  const auto q = s.quote(s.line(0, s.gold) + s.line(1, s.setup) +
                         "&subscription_data[effective_date]=" + std::to_string(start));
  const auto done = s.accepted(q);
  REQUIRE(done.status == 200);
  CHECK(done.body["subscription"].is_null());
  json schedule = s.get("/v1/subscription_schedules/", done.body["subscription_schedule"]);
  CHECK(schedule["status"] == "not_started");
  CHECK(schedule["phases"][0]["start_date"] == start);
  s.live_until(start + 3601);
  schedule = s.get("/v1/subscription_schedules/", schedule["id"]);
  const json sub = s.get("/v1/subscriptions/", schedule["subscription"]);
  const json invoice = s.get("/v1/invoices/", sub["latest_invoice"]);
  CHECK(invoice["total"] == 7000);
  CHECK(invoice["status"] == "paid");
}

TEST_CASE("A trial leaves only what is sold once to be paid on acceptance", "[quotes]") {
  shop s;
  const auto q =
      s.quote(s.line(0, s.gold) + s.line(1, s.setup) + "&subscription_data[trial_period_days]=7");
  CHECK(q.body["computed"]["upfront"]["amount_total"] == 5000);
  CHECK(q.body["computed"]["recurring"]["amount_total"] == 2000);
  const auto upfront =
      s.c.get("/v1/quotes/" + q.id() + "/computed_upfront_line_items").body["data"];
  REQUIRE(upfront.size() == 1);
  const auto whole = s.c.get("/v1/quotes/" + q.id(), "expand[0]=computed.upfront.line_items").body;
  CHECK(whole["computed"]["upfront"]["line_items"]["data"] == upfront);
  CHECK(!q.body["computed"]["upfront"].contains("line_items"));
  CHECK(s.c.get("/v1/quotes/" + q.id(), "expand[0]=total_details.breakdown").status == 501);
  CHECK(upfront[0]["price"]["id"] == s.setup);
  const auto done = s.accepted(q);
  const json sub = s.get("/v1/subscriptions/", done.body["subscription"]);
  CHECK(sub["status"] == "trialing");
  CHECK(s.get("/v1/invoices/", sub["latest_invoice"])["total"] == 5000);
}

TEST_CASE("A draft may change; what is final may not", "[quotes]") {
  shop s;
  const auto q = s.c.post("/v1/quotes");
  REQUIRE(q.status == 200);
  CHECK(q.body["customer"].is_null());
  CHECK(s.act(q, "finalize").param() == "customer");
  const std::string at = "/v1/quotes/" + q.id();
  CHECK(s.c.post(at, "customer=" + s.ada).body["customer"] == s.ada);
  CHECK(s.act(q, "finalize").param() == "line_items");
  const auto two = s.c.post(at, s.line(0, s.gold).substr(1) + s.line(1, s.setup));
  CHECK(two.body["amount_total"] == 7000);
  const json lines = s.c.get(at + "/line_items").body["data"];
  // A line that is named stays, the other goes.
  const auto one = s.c.post(
      at, "line_items[0][id]=" + lines[0]["id"].get<std::string>() + "&line_items[0][quantity]=4");
  CHECK(one.body["amount_total"] == 8000);
  CHECK(s.c.get(at + "/line_items").body["data"].size() == 1);
  CHECK(s.act(q, "accept").status == 400);
  CHECK(s.act(q, "finalize", "expires_at=" + std::to_string(new_year_s)).param() == "expires_at");
  CHECK(s.act(q, "finalize").status == 200);
  CHECK(s.c.post(at, "description=x").status == 400);
  CHECK(s.act(q, "accept").status == 200);
  CHECK(s.act(q, "accept").status == 400);
  CHECK(s.act(q, "cancel").status == 400);
}

TEST_CASE("A quote is canceled by hand, or when it expires", "[quotes]") {
  shop s;
  const auto first = s.quote(s.line(0, s.gold));
  s.c.events();
  CHECK(s.act(first, "cancel").body["status"] == "canceled");
  CHECK(s.c.told() == types{"quote.canceled"});
  const auto second = s.quote(s.line(0, s.gold));
  s.act(second, "finalize", "expires_at=" + std::to_string(new_year_s + day_s));
  s.c.events();
  s.live_until(new_year_s + 2 * day_s);
  const json gone = s.get("/v1/quotes/", second.id());
  CHECK(gone["status"] == "canceled");
  CHECK(gone["status_transitions"]["canceled_at"] == new_year_s + day_s);
  CHECK(s.c.told() == types{"quote.canceled"});
  CHECK(s.c.get("/v1/quotes", "status=canceled").body["data"].size() == 2);
  CHECK(s.c.get("/v1/quotes", "status=open").body["data"].empty());
}

TEST_CASE("What could not be accepted is not finalized", "[quotes]") {
  shop s;
  const auto sent = s.quote(s.line(0, s.gold) + "&collection_method=send_invoice");
  CHECK(s.act(sent, "finalize").status == 400);  // days_until_due
  CHECK(s.get("/v1/quotes/", sent.id())["status"] == "draft");
  CHECK(s.c.get("/v1/subscriptions").body["data"].empty());
}

TEST_CASE("A quote is made from another, with its lines and discounts", "[quotes]") {
  shop s;
  const auto coupon = s.c.post("/v1/coupons", "percent_off=50&duration=once").id();
  const auto q = s.quote(s.line(0, s.gold, "[quantity]=2") + s.line(1, s.setup) +
                         "&line_items[1][discounts][0][coupon]=" + coupon + "&footer=Bye");
  const auto copy = s.c.post("/v1/quotes", "from_quote[quote]=" + q.id());
  REQUIRE(copy.status == 200);
  CHECK(copy.body["from_quote"] == json{{"is_revision", false}, {"quote", q.id()}});
  CHECK(copy.body["customer"] == s.ada);
  CHECK(copy.body["footer"] == "Bye");
  CHECK(copy.body["amount_total"] == 6500);
  CHECK(s.c.post("/v1/quotes", "from_quote[quote]=qt_none").status == 400);
}

TEST_CASE("Lines of a quote must go together; its PDF is not simulated", "[quotes]") {
  shop s;
  const std::string yearly = s.c.price(1, "year");
  const std::string euro =
      s.c.post("/v1/prices", "currency=eur&unit_amount=1&product_data[name]=E").id();
  CHECK(s.quote(s.line(0, s.gold) + s.line(1, euro)).param() == "line_items");
  CHECK(s.quote(s.line(0, s.gold) + s.line(1, yearly)).status == 501);
  CHECK(s.quote("&line_items[0][quantity]=1").param() == "line_items[0]");
  CHECK(s.quote(s.line(0, "price_none")).param() == "line_items[0][price]");
  const auto q = s.quote(s.line(0, s.gold));
  CHECK(s.c.get("/v1/quotes/" + q.id() + "/pdf").status == 501);
}

TEST_CASE("A quote on a test clock expires by its time", "[quotes]") {
  shop s;
  const std::string clock =
      s.c.post("/v1/test_helpers/test_clocks", "frozen_time=" + std::to_string(new_year_s)).id();
  s.ada = s.c.post("/v1/customers", "test_clock=" + clock).id();
  const std::string end = std::to_string(new_year_s + 10 * day_s);
  const auto q = s.quote(s.line(0, s.gold) + "&expires_at=" + end);
  CHECK(q.body["test_clock"] == clock);
  s.live_until(new_year_s + 20 * day_s);
  CHECK(s.get("/v1/quotes/", q.id())["status"] == "draft");
  s.c.post("/v1/test_helpers/test_clocks/" + clock + "/advance",
           "frozen_time=" + std::to_string(new_year_s + 11 * day_s));
  CHECK(s.get("/v1/quotes/", q.id())["status"] == "canceled");
  CHECK(s.c.get("/v1/quotes").body["data"].empty());
  CHECK(s.c.get("/v1/quotes", "test_clock=" + clock).body["data"].size() == 1);
}
