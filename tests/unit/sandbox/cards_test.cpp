// Every test card, by its payment method, its token and its number.
// Source: https://docs.stripe.com/testing
#include "sandbox/payments/cards.hpp"

#include "client.hpp"
#include "support/catch.hpp"

using tilld::sandbox::all_cards;
using tilld::sandbox::authentication;
using tilld::sandbox::card;
using tilld::test::client;
using tilld::test::json;
using tilld::test::reply;

namespace {

std::string data_of(const std::string& member, std::string_view value) {
  std::string form = "payment_method_data[type]=card&payment_method_data[card][" + member +
                     "]=" + std::string(value);
  if (member == "number") {
    form +=
        "&payment_method_data[card][exp_month]=4&payment_method_data[card][exp_year]=2030"
        "&payment_method_data[card][cvc]=123";
  }
  return form;
}

reply pay(client& c, const std::string& method) {
  return c.post("/v1/payment_intents",
                "amount=1000&currency=usd&confirm=true&expand[0]=payment_method&" + method);
}

void check_paid(const card& of, const reply& paid) {
  const bool asks =
      of.asks == authentication::always || of.asks == authentication::unless_set_up ||
      of.asks == authentication::already_set_up;  // nobody has set it up, and the buyer is there
  if (of.refusal && !asks) {
    CHECK(paid.status == 402);
    CHECK(paid.code() == of.refusal->code);
    CHECK(paid.error("decline_code") == of.refusal->decline_code);
    return;
  }
  REQUIRE(paid.status == 200);
  CHECK(paid.body["status"] == (asks ? "requires_action" : "succeeded"));
  const json its = paid.body["payment_method"]["card"];
  CHECK(its["brand"] == of.brand);
  CHECK(its["country"] == of.country);
  CHECK(its["funding"] == of.funding);
  CHECK(its["last4"] == of.number.substr(of.number.size() - 4));
}

}  // namespace

TEST_CASE("Every test card does what its row says, however it is named") {
  int rows = 0;
  for (const auto& of : all_cards()) {
    client c;
    INFO(of.name << ' ' << of.number);
    check_paid(of, pay(c, "payment_method=pm_card_" + std::string(of.name)));
    check_paid(of, pay(c, data_of("token", "tok_" + std::string(of.name))));
    const auto typed = pay(c, data_of("number", of.number));
    if (tilld::sandbox::passes_luhn(of.number)) {
      check_paid(of, typed);
    } else {
      CHECK(typed.code() == "incorrect_number");
    }
    ++rows;
  }
  CHECK(rows > 100);
}

TEST_CASE("An authenticated card is charged, or declined, as its row says") {
  for (const auto& of : all_cards()) {
    if (of.asks == authentication::never) continue;
    client c;
    INFO(of.name);
    const auto asked = pay(c, "payment_method=pm_card_" + std::string(of.name));
    REQUIRE(c.stripe.authenticate(asked.id(), true, c.now_s));
    const auto after = c.get("/v1/payment_intents/" + asked.id()).body;
    CHECK(after["status"] == (of.refusal ? "requires_payment_method" : "succeeded"));
  }
}
