// The sums of invoices and the amounts of prices, as tables. Each row names the page that says so;
// "assumed" where no page does.
#include "sandbox/billing/totals.hpp"

#include <string>
#include <vector>

#include "sandbox/catalogue/amounts.hpp"
#include "support/catch.hpp"

using tilld::sandbox::decimal;
namespace amounts = tilld::sandbox::amounts;
namespace totals = tilld::sandbox::totals;

namespace {

using numbers = std::vector<std::int64_t>;

decimal of(const std::string& text) {
  return decimal::parse(text).value();
}

totals::discount percent(const std::string& text, std::vector<std::string> products = {}) {
  return {"p" + text, of(text), 0, std::move(products)};
}

totals::discount off(std::int64_t amount, std::vector<std::string> products = {}) {
  return {"a" + std::to_string(amount), decimal(), amount, std::move(products)};
}

totals::line costs(std::int64_t amount, const std::string& product = "prod") {
  totals::line l;
  l.amount = amount;
  l.product = product;
  return l;
}

totals::line proration(std::int64_t amount) {
  totals::line l = costs(amount);
  l.proration = true;
  l.discountable = false;
  return l;
}

totals::line fixed(std::int64_t amount) {
  totals::line l = costs(amount);
  l.discountable = false;
  return l;
}

totals::line with(totals::line l, std::vector<totals::discount> own) {
  l.discounts = std::move(own);
  return l;
}

totals::line taxed(std::int64_t amount, std::vector<totals::tax_rate> rates) {
  totals::line l = costs(amount);
  l.rates = std::move(rates);
  return l;
}

totals::tax_rate on_top(const std::string& percentage) {
  return {"x" + percentage, of(percentage), false};
}
totals::tax_rate contained(const std::string& percentage) {
  return {"i" + percentage, of(percentage), true};
}

numbers off_per_line(const totals::sums& sums) {
  numbers all;
  for (const auto& l : sums.lines) {
    std::int64_t sum = 0;
    for (const auto& d : l.discounts)
      sum += d.amount;
    all.push_back(sum);
  }
  return all;
}

numbers tax_per_line(const totals::sums& sums) {
  numbers all;
  for (const auto& l : sums.lines) {
    std::int64_t sum = 0;
    for (const auto& t : l.taxes)
      sum += t.amount;
    all.push_back(sum);
  }
  return all;
}

}  // namespace

TEST_CASE("Discounts come off the lines as Stripe takes them off", "[totals]") {
  struct row {
    const char* source;
    std::vector<totals::line> lines;
    std::vector<totals::discount> discounts;
    numbers off;  // per line
    std::int64_t subtotal;
    std::int64_t total;
  };
  const std::vector<row> rows = {
      {"https://docs.stripe.com/api/coupons/object percent_off: 50 makes $100 to $50",
       {costs(10000)},
       {percent("50")},
       {5000},
       10000,
       5000},
      {"assumed: a percentage with decimals", {costs(2000)}, {percent("25.5")}, {510}, 2000, 1490},
      {"assumed: half a cent is rounded up, per line",
       {costs(5), costs(5)},
       {percent("50")},
       {3, 3},
       10,
       4},
      {"assumed: a third", {costs(100)}, {percent("33.333333333333")}, {33}, 100, 67},
      {"assumed: all of it", {costs(999), costs(1)}, {percent("100")}, {999, 1}, 1000, 0},
      {"https://docs.stripe.com/api/coupons/object amount_off: off the subtotal",
       {costs(2000)},
       {off(500)},
       {500},
       2000,
       1500},
      {"assumed: never below zero", {costs(300), costs(100)}, {off(500)}, {300, 100}, 400, 0},
      {"assumed: an amount is shared by what the lines cost",
       {costs(3000), costs(1000)},
       {off(400)},
       {300, 100},
       4000,
       3600},
      {"assumed: rounded down each, the rest to the last",
       {costs(1000), costs(1000), costs(1000)},
       {off(1000)},
       {333, 333, 334},
       3000,
       2000},
      {"assumed: the last one never below zero",
       {costs(10), costs(10), costs(1)},
       {off(20)},
       {10, 9, 1},
       21,
       1},
      {"https://docs.stripe.com/billing/subscriptions/coupons applies_to: eligible products",
       {costs(1000, "a"), costs(1000, "b")},
       {percent("10", {"b"})},
       {0, 100},
       2000,
       1900},
      {"assumed: an amount is shared by the eligible lines alone",
       {costs(1000, "a"), costs(600, "b"), costs(400, "b")},
       {off(500, {"b"})},
       {0, 300, 200},
       2000,
       1500},
      {"assumed: in the order given, 20 % then $5",
       {costs(10000)},
       {percent("20"), off(500)},
       {2500},
       10000,
       7500},
      {"assumed: in the order given, $5 then 20 %",
       {costs(10000)},
       {off(500), percent("20")},
       {2400},
       10000,
       7600},
      {"https://docs.stripe.com/api/invoiceitems/update item discounts before invoice discounts",
       {with(costs(1000), {percent("50")}), costs(1000)},
       {percent("10")},
       {550, 100},
       1500,
       1350},
      {"https://docs.stripe.com/billing/subscriptions/coupons prorations are not discounted",
       {proration(-500), proration(700), costs(1000)},
       {percent("50")},
       {0, 0, 500},
       1200,
       700},
      {"https://docs.stripe.com/api/invoiceitems/create discountable",
       {fixed(700), costs(1000)},
       {percent("50")},
       {0, 500},
       1700,
       1200},
      {"assumed: the same rounding without decimals, jpy",
       {costs(501)},
       {percent("10")},
       {50},
       501,
       451},
      {"assumed: the same rounding with three decimals, kwd",
       {costs(12345)},
       {percent("10")},
       {1235},
       12345,
       11110},
      {"nothing to discount", {costs(0)}, {off(500)}, {0}, 0, 0},
      {"no lines", {}, {percent("50")}, {}, 0, 0}};
  for (const auto& row : rows) {
    CAPTURE(row.source);
    const auto sums = totals::reckon(row.lines, row.discounts, false);
    CHECK(off_per_line(sums) == row.off);
    CHECK(sums.subtotal == row.subtotal);
    CHECK(sums.total == row.total);
    CHECK(sums.total_excluding_tax == row.total);
  }
}

TEST_CASE("A discount stands on every line that it could have touched", "[totals]") {
  const auto sums =
      totals::reckon({proration(-500), costs(1000), fixed(100)}, {percent("10")}, false);
  // https://docs.stripe.com/changelog/clover/2025-09-30/itemize-proration-discount-amounts
  REQUIRE(sums.lines[0].discounts.size() == 1);
  CHECK(sums.lines[0].discounts[0].amount == 0);
  CHECK(sums.lines[2].discounts.empty());
  REQUIRE(sums.discounts.size() == 1);
  CHECK(sums.discounts[0].amount == 100);
}

TEST_CASE("Taxes are rounded per line and rate", "[totals]") {
  struct row {
    const char* source;
    std::vector<totals::line> lines;
    std::vector<totals::discount> discounts;
    numbers tax;  // per line
    std::int64_t subtotal;
    std::int64_t subtotal_excluding_tax;
    std::int64_t total;
    std::int64_t total_excluding_tax;
  };
  const std::vector<row> rows = {
      {"https://support.stripe.com/questions/"
       "inclusive-and-exclusive-tax-options-in-the-tax-rate-api-and-stripe-tax: on top",
       {taxed(60000, {on_top("10")})},
       {},
       {6000},
       60000,
       60000,
       66000,
       60000},
      {"the same page: contained",
       {taxed(60000, {contained("10")})},
       {},
       {5455},
       60000,
       54545,
       60000,
       54545},
      {"https://support.stripe.com/questions/rounding-rules-for-stripe-fees: by line item",
       {taxed(43, {on_top("15")}), taxed(484, {on_top("15")})},
       {},
       {6, 73},
       527,
       527,
       606,
       527},
      {"assumed: after discounts",
       {taxed(1000, {on_top("20")})},
       {percent("25")},
       {150},
       1000,
       1000,
       900,
       750},
      {"assumed: several rates, each by itself",
       {taxed(999, {on_top("5"), on_top("9.975")})},
       {},
       {50 + 100},
       999,
       999,
       1149,
       999},
      {"assumed: two contained rates share one net amount",
       {taxed(12000, {contained("10"), contained("10")})},
       {},
       {2000},
       12000,
       10000,
       12000,
       10000},
      {"assumed: on top of what contains one: of the net amount",
       {taxed(11000, {contained("10"), on_top("5")})},
       {},
       {1000 + 500},
       11000,
       10000,
       11500,
       10000},
      {"assumed: half up", {taxed(250, {on_top("5")})}, {}, {13}, 250, 250, 263, 250},
      {"assumed: credits are taxed too",
       {taxed(-1000, {on_top("19")}), taxed(2000, {on_top("19")})},
       {},
       {-190, 380},
       1000,
       1000,
       1190,
       1000},
      {"assumed: 0 %", {taxed(1000, {on_top("0")})}, {}, {0}, 1000, 1000, 1000, 1000},
      {"assumed: the same rounding without decimals, jpy",
       {taxed(999, {on_top("10")})},
       {},
       {100},
       999,
       999,
       1099,
       999},
      {"assumed: the same rounding with three decimals, kwd",
       {taxed(12345, {contained("5")})},
       {},
       {588},
       12345,
       11757,
       12345,
       11757}};
  for (const auto& row : rows) {
    CAPTURE(row.source);
    const auto sums = totals::reckon(row.lines, row.discounts, false);
    CHECK(tax_per_line(sums) == row.tax);
    CHECK(sums.subtotal == row.subtotal);
    CHECK(sums.subtotal_excluding_tax == row.subtotal_excluding_tax);
    CHECK(sums.total == row.total);
    CHECK(sums.total_excluding_tax == row.total_excluding_tax);
  }
}

TEST_CASE("A customer who is exempt owes no tax", "[totals]") {
  // https://docs.stripe.com/api/customers/object tax_exempt
  const auto sums = totals::reckon({taxed(1000, {on_top("20"), contained("10")})}, {}, true);
  CHECK(tax_per_line(sums) == numbers{0});
  CHECK(sums.lines[0].taxes.size() == 2);
  CHECK(sums.total == 1000);
  CHECK(sums.total_excluding_tax == 1000);
}

TEST_CASE("Taxes and discounts add up over the lines", "[totals]") {
  const auto sums =
      totals::reckon({taxed(1000, {on_top("10")}), taxed(500, {on_top("10")})}, {off(150)}, false);
  REQUIRE(sums.taxes.size() == 1);
  CHECK(sums.taxes[0].amount == 90 + 45);
  CHECK(sums.taxes[0].taxable == 1350);
  REQUIRE(sums.discounts.size() == 1);
  CHECK(sums.discounts[0].amount == 150);
  CHECK(sums.total == 1485);
}

TEST_CASE("A quantity costs what its price says", "[amounts]") {
  const amounts::pricing unit{amounts::scheme::per_unit, of("2000"), 0, false, {}};
  const amounts::pricing fraction{amounts::scheme::per_unit, of("0.05"), 0, false, {}};
  const amounts::pricing up{amounts::scheme::per_unit, of("1000"), 5, true, {}};
  const amounts::pricing down{amounts::scheme::per_unit, of("1000"), 5, false, {}};
  const std::vector<amounts::tier> fonts = {
      {5, of("700"), decimal()}, {10, of("650"), decimal()}, {std::nullopt, of("600"), decimal()}};
  const std::vector<amounts::tier> fees = {{5, of("500"), of("1000")},
                                           {std::nullopt, of("400"), of("2000")}};
  const amounts::pricing volume{amounts::scheme::volume, decimal(), 0, false, fonts};
  const amounts::pricing graduated{amounts::scheme::graduated, decimal(), 0, false, fonts};
  const amounts::pricing flat{amounts::scheme::graduated, decimal(), 0, false, fees};
  const amounts::pricing flat_volume{amounts::scheme::volume, decimal(), 0, false, fees};
  const char* tiered = "https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing";
  const char* decimals = "https://docs.stripe.com/billing/subscriptions/decimal-amounts";
  const char* package = "assumed: a package begun is a package";
  const char* transform = "assumed: a package begun is none";
  const char* fee = "assumed: each tier reached has its fee, the first one also for nothing";
  struct row {
    const char* source;
    const amounts::pricing* price;
    std::int64_t quantity;
    std::int64_t amount;
  };
  const std::vector<row> rows = {
      {"https://docs.stripe.com/products-prices/pricing-models#per-seat", &unit, 3, 6000},
      {"assumed: nothing costs nothing", &unit, 0, 0},
      {decimals, &fraction, 100, 5},
      {decimals, &fraction, 110, 6},
      {decimals, &fraction, 109, 5},
      {decimals, &fraction, 1, 0},
      {package, &up, 5, 1000},
      {package, &up, 6, 2000},
      {package, &up, 0, 0},
      {transform, &down, 9, 1000},
      {transform, &down, 4, 0},
      {tiered, &volume, 1, 700},
      {tiered, &volume, 5, 3500},
      {tiered, &volume, 6, 3900},
      {tiered, &volume, 20, 12000},
      {tiered, &volume, 25, 15000},
      {tiered, &graduated, 5, 3500},
      {tiered, &graduated, 6, 4150},
      {tiered, &graduated, 20, 12750},
      {tiered, &graduated, 25, 15750},
      {fee, &flat, 5, 3500},
      {fee, &flat, 6, 3500 + 2400},
      {fee, &flat, 0, 1000},
      {fee, &flat_volume, 6, 2400 + 2000},
      {fee, &flat_volume, 0, 1000}};
  for (const auto& row : rows) {
    CAPTURE(row.source, row.quantity);
    CHECK(amounts::amount(*row.price, row.quantity) == row.amount);
  }
}

TEST_CASE("Decimals are exact and as short as they can be", "[amounts]") {
  CHECK(of("0.050").text() == "0.05");
  CHECK(of("12.000").text() == "12");
  CHECK(of("99999999.999999999999").times(3).text() == "299999999.999999999997");
  CHECK(of("0.5").rounded() == 1);
  CHECK(of("0.499999999999").rounded() == 0);
  CHECK(of("0.5").times(-1).rounded() == -1);
  for (const char* wrong : {"", "-1", "1.", ".5", "1e3", "0.1234567890123", "1,5"}) {
    CAPTURE(wrong);
    CHECK(!decimal::parse(wrong));
  }
}
