#include "client.hpp"
#include "sandbox/payments/cards.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

namespace {

using strings = std::vector<std::string>;

std::string pay(const std::string& card) {
  return "amount=2000&currency=usd&confirm=true&payment_method=" + card;
}

}  // namespace

TEST_CASE("A payment intent waits for a card, then for its confirmation, then has the money") {
  client c;
  const auto made = c.post("/v1/payment_intents", "amount=2000&currency=usd&metadata[order]=7");
  CHECK(made.body["status"] == "requires_payment_method");
  CHECK(made.body["client_secret"].get<std::string>().starts_with(made.id() + "_secret_"));
  const auto ready =
      c.post("/v1/payment_intents/" + made.id(), "payment_method=pm_card_visa&amount=2500");
  CHECK(ready.body["status"] == "requires_confirmation");
  c.events();
  const auto paid = c.post("/v1/payment_intents/" + made.id() + "/confirm");
  CHECK(paid.body["status"] == "succeeded");
  CHECK(paid.body["amount_received"] == 2500);
  CHECK(c.told() == strings{"charge.succeeded", "payment_intent.succeeded", "charge.updated"});
  const auto charge = c.get("/v1/charges/" + paid.body["latest_charge"].get<std::string>());
  CHECK(charge.body["paid"] == true);
  CHECK(charge.body["amount_captured"] == 2500);
  CHECK(charge.body["metadata"]["order"] == "7");
  CHECK(charge.body["payment_method_details"]["card"]["last4"] == "4242");
}

TEST_CASE("The events of one payment tell its story in order, each as of its moment") {
  client c;
  c.post("/v1/payment_intents", pay("pm_card_visa"));
  const auto events = c.events();
  strings types;
  for (const auto& e : events)
    types.push_back(e["type"]);
  REQUIRE(types == strings{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
                           "charge.updated"});
  CHECK(events[0]["data"]["object"]["status"] == "requires_confirmation");
  CHECK(events[1]["data"]["object"]["balance_transaction"] == nullptr);
  CHECK(events[2]["data"]["object"]["status"] == "succeeded");
  CHECK(events[3]["data"]["previous_attributes"] == json{{"balance_transaction", nullptr}});
}

TEST_CASE("A declined card answers 402 with all that it left behind, and all of it is kept") {
  client c;
  const auto r = c.post("/v1/payment_intents", pay("pm_card_chargeDeclinedInsufficientFunds"));
  CHECK(r.status == 402);
  CHECK(r.error("type") == "card_error");
  CHECK(r.code() == "card_declined");
  CHECK(r.error("decline_code") == "insufficient_funds");
  CHECK(r.message() == "Your card has insufficient funds.");
  const json intent = r.body["error"]["payment_intent"];
  CHECK(intent["status"] == "requires_payment_method");
  CHECK(intent["payment_method"] == nullptr);
  CHECK(intent["last_payment_error"]["decline_code"] == "insufficient_funds");
  CHECK(intent["last_payment_error"]["charge"] == r.error("charge"));
  CHECK(c.get("/v1/payment_intents/" + intent["id"].get<std::string>()).body == intent);
  const auto charge = c.get("/v1/charges/" + r.error("charge"));
  CHECK(charge.body["status"] == "failed");
  CHECK(charge.body["outcome"]["type"] == "issuer_declined");
  CHECK(charge.body["balance_transaction"] == nullptr);
  CHECK(c.told() ==
        strings{"payment_intent.created", "charge.failed", "payment_intent.payment_failed"});
}

TEST_CASE("Every test card does what it is for when it is charged") {
  struct row {
    std::string card;
    int status;
    std::string code;
    std::string decline_code;
  };
  const std::vector<row> rows = {
      {"visa", 200, "", ""},
      {"visa_debit", 200, "", ""},
      {"mastercard", 200, "", ""},
      {"mastercard_debit", 200, "", ""},
      {"mastercard_prepaid", 200, "", ""},
      {"amex", 200, "", ""},
      {"discover", 200, "", ""},
      {"diners", 200, "", ""},
      {"jcb", 200, "", ""},
      {"unionpay", 200, "", ""},
      {"us", 200, "", ""},
      {"de", 200, "", ""},
      {"threeDSecureOptional", 200, "", ""},
      {"authenticationRequiredSetupForOffSession", 200, "", ""},
      {"chargeDeclined", 402, "card_declined", "generic_decline"},
      {"visa_chargeDeclined", 402, "card_declined", "generic_decline"},
      {"chargeDeclinedInsufficientFunds", 402, "card_declined", "insufficient_funds"},
      {"chargeDeclinedLostCard", 402, "card_declined", "lost_card"},
      {"chargeDeclinedStolenCard", 402, "card_declined", "stolen_card"},
      {"chargeDeclinedExpiredCard", 402, "expired_card", "expired_card"},
      {"chargeDeclinedIncorrectCvc", 402, "incorrect_cvc", "incorrect_cvc"},
      {"chargeDeclinedProcessingError", 402, "processing_error", "processing_error"},
      {"chargeDeclinedFraudulent", 402, "card_declined", "fraudulent"},
      {"chargeDeclinedVelocityLimitExceeded", 402, "card_declined", "card_velocity_exceeded"},
      {"chargeCustomerFail", 402, "card_declined", "generic_decline"},
      {"radarBlock", 402, "card_declined", "fraudulent"},
      {"authenticationRequired", 402, "authentication_required", "authentication_required"},
      {"authenticationRequiredOnSetup", 402, "authentication_required", "authentication_required"},
      {"threeDSecure2Required", 402, "authentication_required", "authentication_required"},
      {"ch", 200, "", ""},
      {"br", 200, "", ""},
      {"createDispute", 200, "", ""},
      {"createDisputeProductNotReceived", 200, "", ""},
      {"createDisputeInquiry", 200, "", ""},
      {"pendingRefund", 200, "", ""},
      {"refundFail", 200, "", ""},
  };
  for (const auto& row : rows) {
    client c;
    CAPTURE(row.card);
    const auto r = c.post("/v1/payment_intents", pay("pm_card_" + row.card) + "&off_session=true");
    CHECK(r.status == row.status);
    CHECK(r.code() == row.code);
    CHECK(r.error("decline_code") == row.decline_code);
  }
  client c;
  CHECK(c.post("/v1/payment_intents", pay("pm_card_nobody")).code() == "resource_missing");
}

TEST_CASE("Cards that are declined cannot be saved, but the one made for that can") {
  client c;
  const std::string customer = c.customer("");
  for (const std::string card : {"chargeDeclined", "chargeDeclinedInsufficientFunds",
                                 "chargeDeclinedLostCard", "chargeDeclinedExpiredCard"}) {
    const auto r =
        c.post("/v1/payment_methods/pm_card_" + card + "/attach", "customer=" + customer);
    CHECK(r.status == 402);
    CHECK(r.error("type") == "card_error");
  }
  CHECK(c.get("/v1/payment_methods", "customer=" + customer).body["data"].empty());
  CHECK(c.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", "customer=" + customer)
            .status == 200);
}

TEST_CASE("Test numbers are real card numbers but for the one that is not") {
  for (const std::string name : {"visa", "amex", "diners", "chargeDeclined", "chargeCustomerFail",
                                 "threeDSecureRequiredChargeDeclined"}) {
    CHECK(tilld::sandbox::passes_luhn(tilld::sandbox::card_named(name)->number));
  }
  CHECK_FALSE(tilld::sandbox::passes_luhn(tilld::sandbox::card_named("incorrectNumber")->number));
}

TEST_CASE("A card that wants its owner sends them to the bank, and pays when they come back") {
  client c;
  const auto r = c.post("/v1/payment_intents",
                        pay("pm_card_authenticationRequired") + "&return_url=https://shop.example");
  CHECK(r.status == 200);
  CHECK(r.body["status"] == "requires_action");
  CHECK(r.body["next_action"]["redirect_to_url"]["return_url"] == "https://shop.example");
  CHECK(c.told() == strings{"payment_intent.created", "payment_intent.requires_action"});
  CHECK(c.stripe.authenticate(r.id(), true, c.now_s));
  CHECK(c.get("/v1/payment_intents/" + r.id()).body["status"] == "succeeded");
  const auto events = c.events();
  REQUIRE(events.size() == 3);
  CHECK(events[0]["type"] == "charge.succeeded");
  CHECK(events[0]["request"]["id"] == nullptr);
  CHECK_FALSE(c.stripe.authenticate(r.id(), true, c.now_s));
  CHECK_FALSE(c.stripe.authenticate("pi_nobody", true, c.now_s));
}

TEST_CASE("Failed authentication leaves the intent without a card, and no charge") {
  client c;
  const auto r = c.post("/v1/payment_intents", pay("pm_card_authenticationRequired"));
  CHECK(r.body["next_action"]["type"] == "use_stripe_sdk");
  c.events();
  CHECK(c.stripe.authenticate(r.id(), false, c.now_s));
  const auto now = c.get("/v1/payment_intents/" + r.id());
  CHECK(now.body["status"] == "requires_payment_method");
  CHECK(now.body["last_payment_error"]["code"] == "payment_intent_authentication_failure");
  CHECK(c.told() == strings{"payment_intent.payment_failed"});
  CHECK(c.get("/v1/charges").body["data"].empty());
}

TEST_CASE("Authenticated, a card can still be declined") {
  client c;
  const auto r = c.post("/v1/payment_intents",
                        pay("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"));
  c.stripe.authenticate(r.id(), true, c.now_s);
  const auto now = c.get("/v1/payment_intents/" + r.id());
  CHECK(now.body["last_payment_error"]["decline_code"] == "insufficient_funds");
}

TEST_CASE("Money can be held and captured later, in part") {
  client c;
  const auto held = c.post("/v1/payment_intents", pay("pm_card_visa") + "&capture_method=manual");
  CHECK(held.body["status"] == "requires_capture");
  CHECK(held.body["amount_capturable"] == 2000);
  CHECK(c.told() == strings{"payment_intent.created", "charge.succeeded",
                            "payment_intent.amount_capturable_updated"});
  const std::string path = "/v1/payment_intents/" + held.id() + "/capture";
  CHECK(c.post(path, "amount_to_capture=2001").code() == "amount_too_large");
  const auto paid = c.post(path, "amount_to_capture=1500");
  CHECK(paid.body["status"] == "succeeded");
  CHECK(paid.body["amount_received"] == 1500);
  CHECK(c.told() == strings{"charge.captured", "payment_intent.succeeded", "charge.updated"});
  const auto charge = c.get("/v1/charges/" + paid.body["latest_charge"].get<std::string>());
  CHECK(charge.body["amount_captured"] == 1500);
  CHECK(charge.body["amount_refunded"] == 500);
  const auto again = c.post(path);
  CHECK(again.code() == "payment_intent_unexpected_state");
  CHECK(again.body["error"]["payment_intent"]["id"] == held.id());
}

TEST_CASE("An intent can be canceled until it has the money; what was held is let go") {
  client c;
  const auto held = c.post("/v1/payment_intents", pay("pm_card_visa") + "&capture_method=manual");
  c.events();
  const auto gone =
      c.post("/v1/payment_intents/" + held.id() + "/cancel", "cancellation_reason=abandoned");
  CHECK(gone.body["status"] == "canceled");
  CHECK(gone.body["cancellation_reason"] == "abandoned");
  CHECK(gone.body["canceled_at"] == c.now_s);
  CHECK(c.told() == strings{"refund.created", "charge.refunded", "payment_intent.canceled"});
  CHECK(c.post("/v1/payment_intents/" + held.id() + "/confirm").code() ==
        "payment_intent_unexpected_state");
  const auto paid = c.post("/v1/payment_intents", pay("pm_card_visa"));
  CHECK(c.post("/v1/payment_intents/" + paid.id() + "/cancel").message() ==
        "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a "
        "PaymentIntent with one of the following statuses may be canceled: "
        "requires_payment_method, requires_capture, requires_reauthorization, "
        "requires_confirmation, requires_action, processing.");
  CHECK(c.post("/v1/payment_intents/" + paid.id() + "/confirm").message() ==
        "You cannot confirm this PaymentIntent because it has already succeeded after being "
        "previously confirmed.");
  CHECK(c.post("/v1/payment_intents/" + paid.id(), "amount=5").param() == "amount");
  CHECK(c.post("/v1/payment_intents/" + paid.id(), "description=late").status == 200);
}

TEST_CASE("An intent without a card cannot be confirmed") {
  client c;
  const auto made = c.post("/v1/payment_intents", "amount=2000&currency=usd");
  const auto r = c.post("/v1/payment_intents/" + made.id() + "/confirm");
  CHECK(r.status == 400);
  CHECK(r.message().starts_with(
      "You cannot confirm this PaymentIntent because it's missing a payment method."));
  CHECK(c.post("/v1/payment_intents", "amount=2000&currency=usd&confirm=true").status == 400);
  CHECK(c.get("/v1/payment_intents").body["data"].size() == 1);
}

TEST_CASE("A saved card pays for its own customer alone") {
  client c;
  const std::string anna = c.customer();
  const std::string bert = c.customer();
  const std::string card =
      c.get("/v1/customers/" + anna).body["invoice_settings"]["default_payment_method"];
  CHECK(c.post("/v1/payment_intents", pay(card) + "&customer=" + anna).status == 200);
  CHECK(c.post("/v1/payment_intents", pay(card) + "&customer=" + bert).param() == "payment_method");
  CHECK(c.post("/v1/payment_intents", pay(card))
            .message()
            .find("Please include the Customer in the `customer` parameter") != std::string::npos);
}

TEST_CASE("A card that nobody keeps is used up; one that is kept can be used again") {
  client c;
  const auto card = c.post("/v1/payment_methods", "type=card&card[token]=tok_visa").id();
  CHECK(c.post("/v1/payment_intents", pay(card)).status == 200);
  CHECK(c.post("/v1/payment_intents", pay(card)).status == 400);
  const std::string customer = c.customer("");
  const auto kept = c.post("/v1/payment_methods", "type=card&card[token]=tok_visa").id();
  const std::string form = pay(kept) + "&customer=" + customer;
  CHECK(c.post("/v1/payment_intents", form + "&setup_future_usage=off_session").status == 200);
  CHECK(c.get("/v1/payment_methods/" + kept).body["customer"] == customer);
  CHECK(c.post("/v1/payment_intents", form).status == 200);
}

TEST_CASE("A card that asks once, when it is saved, pays off-session afterwards") {
  client c;
  const std::string customer = c.customer("");
  const auto setup = c.post("/v1/setup_intents", "customer=" + customer +
                                                     "&confirm=true&payment_method="
                                                     "pm_card_authenticationRequiredOnSetup");
  CHECK(setup.body["status"] == "requires_action");
  const std::string card = setup.body["payment_method"];
  CHECK(c.stripe.authenticate(setup.id(), true, c.now_s));
  CHECK(c.get("/v1/setup_intents/" + setup.id()).body["status"] == "succeeded");
  const auto paid =
      c.post("/v1/payment_intents", pay(card) + "&off_session=true&customer=" + customer);
  CHECK(paid.body["status"] == "succeeded");
}

TEST_CASE("A setup intent saves a card to its customer without a charge") {
  client c;
  const std::string customer = c.customer("");
  const auto made = c.post("/v1/setup_intents", "customer=" + customer);
  CHECK(made.body["status"] == "requires_payment_method");
  c.events();
  const auto done =
      c.post("/v1/setup_intents/" + made.id() + "/confirm", "payment_method=pm_card_visa");
  CHECK(done.body["status"] == "succeeded");
  CHECK(c.told() == strings{"payment_method.attached", "setup_intent.succeeded"});
  CHECK(c.get("/v1/payment_methods", "customer=" + customer).body["data"].size() == 1);
  const auto tries = c.get("/v1/setup_attempts", "setup_intent=" + made.id());
  CHECK(tries.body["data"][0]["id"] == done.body["latest_attempt"]);
  CHECK(c.post("/v1/setup_intents/" + made.id() + "/confirm").message() ==
        "You cannot confirm this SetupIntent because it has already succeeded.");
  CHECK(c.post("/v1/setup_intents/" + made.id() + "/cancel").code() ==
        "setup_intent_unexpected_state");
}

TEST_CASE("A setup intent that is declined answers 402 and starts over") {
  client c;
  const auto made = c.post("/v1/setup_intents", "customer=" + c.customer(""));
  const std::string path = "/v1/setup_intents/" + made.id();
  const auto r = c.post(path + "/confirm", "payment_method=pm_card_chargeDeclined");
  CHECK(r.status == 402);
  CHECK(r.body["error"]["setup_intent"]["status"] == "requires_payment_method");
  CHECK(c.get(path).body["last_setup_error"]["code"] == "card_declined");
  CHECK(c.post(path + "/cancel", "cancellation_reason=abandoned").body["status"] == "canceled");
  CHECK(c.post(path + "/confirm", "payment_method=pm_card_visa").status == 400);
  CHECK(c.get("/v1/setup_intents/seti_no").message() == "No such setupintent: 'seti_no'");
}

TEST_CASE("A refund gives back all or some of it, never more") {
  client c;
  const auto paid = c.post("/v1/payment_intents", pay("pm_card_visa"));
  const std::string charge = paid.body["latest_charge"];
  c.events();
  const auto some =
      c.post("/v1/refunds", "charge=" + charge + "&amount=500&reason=requested_by_customer");
  REQUIRE(some.status == 200);
  CHECK(some.body["status"] == "succeeded");
  CHECK(some.body["payment_intent"] == paid.id());
  const auto events = c.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0]["type"] == "refund.created");
  CHECK(events[1]["type"] == "charge.refunded");
  CHECK(events[1]["data"]["object"]["amount_refunded"] == 500);
  CHECK(events[1]["data"]["object"]["refunded"] == false);
  const auto more = c.post("/v1/refunds", "charge=" + charge + "&amount=1501");
  CHECK(more.message() ==
        "Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)");
  CHECK(more.param() == "amount");
  CHECK(c.post("/v1/refunds", "payment_intent=" + paid.id()).body["amount"] == 1500);
  CHECK(c.get("/v1/charges/" + charge).body["refunded"] == true);
  const auto none = c.post("/v1/refunds", "charge=" + charge);
  CHECK(none.code() == "charge_already_refunded");
  const auto list = c.get("/v1/charges/" + charge, "expand[]=refunds");
  CHECK(list.body["refunds"]["data"].size() == 2);
  CHECK(c.get("/v1/refunds", "charge=" + charge).body["data"].size() == 2);
}

TEST_CASE("What cannot be refunded says why") {
  client c;
  CHECK(c.post("/v1/refunds").message() ==
        "One of the following params should be provided for this request: payment_intent or "
        "charge.");
  CHECK(c.post("/v1/refunds", "charge=ch_no").status == 404);
  CHECK(c.post("/v1/refunds", "charge=ch_no&reason=bored").message() ==
        "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer");
  const auto failed = c.post("/v1/payment_intents", pay("pm_card_chargeDeclined"));
  CHECK(c.post("/v1/refunds", "charge=" + failed.error("charge")).status == 400);
  const auto held = c.post("/v1/payment_intents", pay("pm_card_visa") + "&capture_method=manual");
  CHECK(c.post("/v1/refunds", "payment_intent=" + held.id()).status == 400);
  const auto paid = c.post("/v1/payment_intents", pay("pm_card_visa"));
  const auto refund = c.post("/v1/refunds", "payment_intent=" + paid.id());
  CHECK(c.post("/v1/refunds/" + refund.id() + "/cancel").message() ==
        "Canceling this refund is unsupported.");
  CHECK(c.post("/v1/refunds/" + refund.id(), "metadata[a]=b").body["metadata"]["a"] == "b");
}

TEST_CASE("The ledger adds up: charges less fees less refunds, first pending, then available") {
  client c;
  const auto paid = c.post("/v1/payment_intents", pay("pm_card_visa"));
  const auto entry =
      c.get("/v1/balance_transactions", "source=" + paid.body["latest_charge"].get<std::string>())
          .body["data"][0];
  CHECK(entry["amount"] == 2000);
  CHECK(entry["fee"] == 88);  // 2.9 % and 30
  CHECK(entry["net"] == 1912);
  CHECK(entry["status"] == "pending");
  CHECK(c.get("/v1/balance").body["pending"][0]["amount"] == 1912);
  c.post("/v1/refunds", "payment_intent=" + paid.id() + "&amount=1000");
  CHECK(c.get("/v1/balance").body["pending"][0]["amount"] == 912);
  c.wait(3 * 24 * 3600);
  CHECK(c.get("/v1/balance").body["pending"][0]["amount"] == 0);
  CHECK(c.get("/v1/balance").body["available"][0]["amount"] == 912);
  const std::string path = "/v1/balance_transactions/" + entry["id"].get<std::string>();
  CHECK(c.get(path).body["status"] == "available");
  CHECK(c.get(path, "expand[]=source").body["source"]["object"] == "charge");
}

TEST_CASE("A charge's description can be changed afterwards") {
  client c;
  const auto paid = c.post("/v1/payment_intents", pay("pm_card_visa"));
  const std::string charge = paid.body["latest_charge"];
  c.events();
  c.post("/v1/charges/" + charge, "description=A+book&metadata[a]=1");
  const json told = the_one(c.events(), "charge.updated");
  CHECK(told["data"]["previous_attributes"] ==
        json{{"description", nullptr}, {"metadata", {{"a", nullptr}}}});
  CHECK(c.get("/v1/charges", "payment_intent=" + paid.id()).body["data"].size() == 1);
  CHECK(c.post("/v1/charges", "amount=1&currency=usd&source=tok_visa").status == 501);
}

TEST_CASE("Cards whose checks fail say so, where there is something to check") {
  struct row {
    const char* card;
    json cvc, postal_code, line1;
    const char* risk;
  };
  const row rows[] = {
      {"pm_card_cvcCheckFail", "fail", nullptr, nullptr, "normal"},
      {"pm_card_avsFail", "pass", nullptr, nullptr, "normal"},
      {"pm_card_riskLevelHighest", "pass", nullptr, nullptr, "highest"},
      {"pm_card_cvcCheckFailElevatedRisk", "fail", nullptr, nullptr, "elevated"},
      {"4000000000000101", "fail", "pass", "pass", "normal"},
      {"4000000000000036", "pass", "fail", "pass", "normal"},
      {"4000000000000028", "pass", "pass", "fail", "normal"},
      {"4000000000000010", "pass", "fail", "fail", "normal"},
      {"4000000000000044", "pass", "unavailable", "unavailable", "normal"},
      {"4000058400306072", "pass", "fail", "pass", "elevated"},
  };
  for (const auto& r : rows) {
    client c;
    const std::string card = r.card;
    const bool named = card.starts_with("pm_");
    const std::string form =
        named ? "payment_method=" + card
              : "payment_method_data[type]=card&payment_method_data[card][number]=" + card +
                    "&payment_method_data[card][exp_month]=4&payment_method_data[card][exp_year]="
                    "2030&payment_method_data[card][cvc]=123&payment_method_data[billing_details]"
                    "[address][line1]=1 Road&payment_method_data[billing_details][address]"
                    "[postal_code]=94103";
    const std::string customer = c.customer("");
    const auto paid = c.post("/v1/payment_intents",
                             "amount=1000&currency=usd&confirm=true&customer=" + customer +
                                 "&setup_future_usage=off_session&expand[0]=latest_charge&" + form);
    INFO(card);
    REQUIRE(paid.status == 200);
    CHECK(paid.body["status"] == "succeeded");
    CHECK(paid.body["latest_charge"]["outcome"]["risk_level"] == r.risk);
    const std::string method = paid.body["payment_method"];
    const json checks = c.get("/v1/payment_methods/" + method).body["card"]["checks"];
    CHECK(checks["cvc_check"] == r.cvc);
    CHECK(checks["address_postal_code_check"] == r.postal_code);
    CHECK(checks["address_line1_check"] == r.line1);
  }
}

TEST_CASE("An issuer's warning of fraud is there until the payment is refunded") {
  client c;
  const auto paid = c.post("/v1/payment_intents",
                           "amount=1000&currency=usd&confirm=true&payment_method="
                           "pm_card_createIssuerFraudRecord");
  const std::string charge = paid.body["latest_charge"];
  const auto warned = c.get("/v1/radar/early_fraud_warnings", "charge=" + charge).body["data"];
  REQUIRE(warned.size() == 1);
  CHECK(warned[0]["actionable"] == true);
  c.events();
  c.post("/v1/refunds", "charge=" + charge);
  const auto after =
      c.get("/v1/radar/early_fraud_warnings/" + warned[0]["id"].get<std::string>()).body;
  CHECK(after["actionable"] == false);
  CHECK(tilld::test::the_one(c.events(), "radar.early_fraud_warning.updated").is_object());
}

TEST_CASE("A payment that may not ask is declined where the bank asks") {
  client c;
  const auto refused = c.post("/v1/payment_intents",
                              "amount=1000&currency=usd&confirm=true&error_on_requires_action=true"
                              "&payment_method=pm_card_authenticationRequired");
  CHECK(refused.status == 402);
  CHECK(refused.code() == "authentication_required");
  const auto intent = c.get("/v1/payment_intents").body["data"][0];
  CHECK(intent["status"] == "requires_payment_method");
  CHECK(c.post("/v1/payment_intents", "amount=1&currency=usd&error_on_requires_action=true")
            .param() == "error_on_requires_action");
}
