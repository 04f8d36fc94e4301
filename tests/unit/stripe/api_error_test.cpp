#include "stripe/api_error.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using namespace tilld::stripe;
using nlohmann::json;

TEST_CASE("a missing customer is told in Stripe's words") {
  const auto e = resource_missing("customer", "cus_x");
  CHECK(e.status == 404);
  CHECK(json::parse(to_json(e)) == json::parse(R"({"error": {
    "code": "resource_missing",
    "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
    "message": "No such customer: 'cus_x'",
    "param": "id",
    "type": "invalid_request_error"
  }})"));
}

TEST_CASE("Stripe names things in its own way when they are missing") {
  struct row {
    const char* object;
    const char* message;
    const char* param;
  };
  const row table[] = {
      {"customer", "No such customer: 'x'", "id"},
      {"subscription", "No such subscription: 'x'", "id"},
      {"product", "No such product: 'x'", "id"},
      {"charge", "No such charge: 'x'", "id"},
      {"price", "No such price: 'x'", "price"},
      {"plan", "No such plan: 'x'", "plan"},
      {"coupon", "No such coupon: 'x'", "coupon"},
      {"invoice", "No such invoice: 'x'", "invoice"},
      {"refund", "No such refund: 'x'", "refund"},
      {"payout", "No such payout: 'x'", "payout"},
      {"payment_method", "No such PaymentMethod: 'x'", "payment_method"},
      {"payment_intent", "No such payment_intent: 'x'", "intent"},
      {"setup_intent", "No such setupintent: 'x'", "intent"},
      {"promotion_code", "No such promotion code: 'x'", "promotion_code"},
      {"tax_rate", "No such tax rate: 'x'", "tax_rate"},
      {"balance_transaction", "No such balance transaction: 'x'", "id"},
      {"subscription_schedule", "No such subscription_schedule: 'x'", "schedule"},
      {"subscription_item", "No such subscription_item: 'x'", "item"},
      {"checkout.session", "No such checkout.session: 'x'", "session"},
      {"billing_portal.configuration", "No such configuration: 'x'", "configuration"},
      {"test_helpers.test_clock", "No such billingclock: 'x'", "test_clock"},
      {"event", "No such notification: 'x'", "id"},
      {"webhook_endpoint", "No such webhook endpoint: 'x'", "webhook_endpoint"},
      {"billing.meter", "No such meter: 'x'", "id"},
      {"something_new", "No such something_new: 'x'", "something_new"},
  };
  for (const auto& r : table) {
    INFO(r.object);
    CHECK(resource_missing(r.object, "x").message == r.message);
    CHECK(path_param(r.object) == r.param);
    CHECK(resource_missing(r.object, "x").param == r.param);
  }
  CHECK(resource_missing("price", "p", "items[0][price]").param == "items[0][price]");
}

TEST_CASE("an unknown path is told with its verb, and without a code") {
  const auto e = unrecognized_url("GET", "/v1/foo");
  CHECK(e.status == 404);
  CHECK(e.message ==
        "Unrecognized request URL (GET: /v1/foo). Please see https://stripe.com/docs or we can "
        "help at https://support.stripe.com/.");
  const auto shape = json::parse(to_json(e)).at("error");
  CHECK(shape.size() == 2);
  CHECK(shape.at("type") == "invalid_request_error");
}

TEST_CASE("a path that an empty id made gets the hint about it") {
  const std::string hint =
      "If you are trying to list objects, remove the trailing slash. If you are trying to "
      "retrieve an object, make sure you passed a valid (non-empty) identifier in your code. ";
  CHECK(unrecognized_url("GET", "/v1/customers/").message.find(hint) != std::string::npos);
  CHECK(unrecognized_url("POST", "/v1/payment_intents//confirm").message.find(hint) !=
        std::string::npos);
  CHECK(unrecognized_url("GET", "/v1/foo").message.find(hint) == std::string::npos);
}

TEST_CASE("a wrong parameter is named") {
  const auto unknown = parameter_unknown("foo");
  CHECK(unknown.status == 400);
  CHECK(unknown.message == "Received unknown parameter: foo");
  CHECK(json::parse(to_json(unknown)).at("error").at("doc_url") ==
        "https://stripe.com/docs/error-codes/parameter-unknown");
  const auto missing = parameter_missing("customer");
  CHECK(missing.message == "Missing required param: customer.");
  CHECK(missing.code == "parameter_missing");
  CHECK(missing.param == "customer");
  const auto invalid = parameter_invalid("limit", "Invalid integer: abc");
  CHECK(invalid.message == "Invalid integer: abc");
  CHECK_FALSE(json::parse(to_json(invalid)).at("error").contains("doc_url"));
}

TEST_CASE("an error about bytes that are no text is still JSON") {
  const auto text = to_json(resource_missing("customer", "\xff\"\n"));
  CHECK(json::parse(text).at("error").at("message") == "No such customer: '\xef\xbf\xbd\"\n'");
}
