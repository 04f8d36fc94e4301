#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::the_one;

TEST_CASE("A customer is made, read, changed and deleted") {
  client c;
  const auto made = c.post("/v1/customers",
                           "email=anna@example.com&name=Anna&phone=123&description=first"
                           "&address[city]=Graz&address[country]=AT&metadata[user]=7");
  REQUIRE(made.status == 200);
  CHECK(made.body["address"] == json{{"city", "Graz"},
                                     {"country", "AT"},
                                     {"line1", nullptr},
                                     {"line2", nullptr},
                                     {"postal_code", nullptr},
                                     {"state", nullptr}});
  CHECK(made.body["metadata"]["user"] == "7");
  CHECK(made.body["created"] == c.now_s);
  CHECK(c.get("/v1/customers/" + made.id()).body == made.body);
  const auto changed = c.post("/v1/customers/" + made.id(), "name=Anna+B.&address[line1]=Ring+1");
  CHECK(changed.body["name"] == "Anna B.");
  CHECK(changed.body["address"]["city"] == "Graz");
  CHECK(changed.body["address"]["line1"] == "Ring 1");
  const auto gone = c.del("/v1/customers/" + made.id());
  CHECK(gone.body == json{{"id", made.id()}, {"object", "customer"}, {"deleted", true}});
  CHECK(c.get("/v1/customers/" + made.id()).body == gone.body);
  CHECK(c.get("/v1/customers").body["data"].empty());
  CHECK(c.post("/v1/customers/" + made.id(), "name=x").status == 404);
  CHECK(c.del("/v1/customers/" + made.id()).status == 404);
}

TEST_CASE("An empty value clears, metadata merges and its empty values delete") {
  client c;
  const auto made = c.post("/v1/customers", "name=Anna&metadata[a]=1&metadata[b]=2");
  const auto changed = c.post("/v1/customers/" + made.id(), "name=&metadata[a]=&metadata[c]=3");
  CHECK(changed.body["name"] == nullptr);
  CHECK(changed.body["metadata"] == json{{"b", "2"}, {"c", "3"}});
  CHECK(c.post("/v1/customers/" + made.id(), "metadata=").body["metadata"] == json::object());
}

TEST_CASE("Metadata has its bounds") {
  client c;
  std::string many;
  for (int i = 0; i < 51; ++i)
    many += "&metadata[k" + std::to_string(i) + "]=v";
  CHECK(c.post("/v1/customers", many.substr(1)).status == 400);
  CHECK(c.post("/v1/customers", "metadata[" + std::string(41, 'k') + "]=v").status == 400);
  CHECK(c.post("/v1/customers", "metadata[k]=" + std::string(501, 'v')).status == 400);
  CHECK(c.post("/v1/customers", "metadata[" + std::string(40, 'k') + "]=" + std::string(500, 'v'))
            .status == 200);
}

TEST_CASE("An update tells what changed and what it was before") {
  client c;
  const auto made = c.post("/v1/customers", "name=Anna&metadata[a]=1&metadata[b]=2");
  c.events();
  const auto changed =
      c.post("/v1/customers/" + made.id(), "email=a@b.c&metadata[a]=9&metadata[z]=1");
  const auto events = c.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["type"] == "customer.updated");
  CHECK(events[0]["data"]["object"] == changed.body);
  CHECK(events[0]["data"]["previous_attributes"] ==
        json{{"email", nullptr}, {"metadata", {{"a", "1"}, {"z", nullptr}}}});
}

TEST_CASE("An update that changes nothing tells nothing") {
  client c;
  const auto made = c.post("/v1/customers", "name=Anna&metadata[a]=1");
  c.events();
  c.post("/v1/customers/" + made.id(), "name=Anna&metadata[a]=1");
  c.post("/v1/customers/" + made.id(), "");
  CHECK(c.told().empty());
}

TEST_CASE("customer.deleted carries the customer as it was, without a deleted mark") {
  client c;
  const auto made = c.post("/v1/customers", "name=Anna");
  c.events();
  c.del("/v1/customers/" + made.id());
  const json told = the_one(c.events(), "customer.deleted");
  CHECK(told["data"]["object"] == made.body);
  CHECK_FALSE(told["data"].contains("previous_attributes"));
}

TEST_CASE("Deleting a customer cancels the subscriptions and lets the cards go") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price());
  const std::string card =
      c.get("/v1/customers/" + customer).body["invoice_settings"]["default_payment_method"];
  c.events();
  c.del("/v1/customers/" + customer);
  CHECK(c.told() == std::vector<std::string>{"customer.subscription.deleted",
                                             "payment_method.detached", "customer.updated",
                                             "customer.deleted"});
  CHECK(c.get("/v1/subscriptions/" + sub).body["status"] == "canceled");
  CHECK(c.get("/v1/payment_methods/" + card).body["customer"] == nullptr);
}

TEST_CASE("A customer can be made with a card, and with that card as the default") {
  client c;
  const auto made = c.post("/v1/customers",
                           "payment_method=pm_card_mastercard"
                           "&invoice_settings[default_payment_method]=pm_card_mastercard");
  REQUIRE(made.status == 200);
  const std::string card = made.body["invoice_settings"]["default_payment_method"];
  CHECK(card.starts_with("pm_1"));
  const auto cards = c.get("/v1/customers/" + made.id() + "/payment_methods");
  REQUIRE(cards.body["data"].size() == 1);
  CHECK(cards.body["data"][0]["id"] == card);
  CHECK(cards.body["data"][0]["card"]["brand"] == "mastercard");
  CHECK(c.told() == std::vector<std::string>{"payment_method.attached", "customer.created"});
  const auto foreign = c.post("/v1/customers", "invoice_settings[default_payment_method]=" + card);
  CHECK(foreign.code() == "resource_missing");
}

TEST_CASE("The balance moves by adjustments, which are kept") {
  client c;
  const auto made = c.post("/v1/customers", "balance=-500");
  CHECK(made.body["balance"] == -500);
  CHECK(made.body["currency"] == "usd");
  const auto set = c.post("/v1/customers/" + made.id(), "balance=-200");
  CHECK(set.body["balance"] == -200);
  const std::string path = "/v1/customers/" + made.id() + "/balance_transactions";
  const auto entry = c.post(path, "amount=-50&currency=usd&description=sorry");
  CHECK(entry.body["ending_balance"] == -250);
  CHECK(entry.body["type"] == "adjustment");
  CHECK(c.get(path + "/" + entry.id()).body == entry.body);
  const auto all = c.get(path);
  REQUIRE(all.body["data"].size() == 3);
  CHECK(all.body["data"][1]["amount"] == 300);
  CHECK(c.post(path, "amount=1&currency=eur").status == 400);
  CHECK(c.get("/v1/customers/" + made.id()).body["balance"] == -250);
}

TEST_CASE("Customers are found by their exact email") {
  client c;
  c.post("/v1/customers", "email=a@b.c");
  const auto wanted = c.post("/v1/customers", "email=x@y.z");
  const auto found = c.get("/v1/customers", "email=x@y.z");
  REQUIRE(found.body["data"].size() == 1);
  CHECK(found.body["data"][0]["id"] == wanted.id());
  CHECK(c.get("/v1/customers", "email=X@y.z").body["data"].empty());
  CHECK(c.post("/v1/customers", "email=nonsense").code() == "email_invalid");
}

TEST_CASE("A card is made of a number or a token and saved to a customer once") {
  client c;
  const std::string customer = c.customer("");
  const auto made = c.post("/v1/payment_methods",
                           "type=card&card[number]=4242424242424242&card[exp_month]=12"
                           "&card[exp_year]=2030&card[cvc]=123&billing_details[name]=Anna");
  REQUIRE(made.status == 200);
  CHECK(made.body["card"]["last4"] == "4242");
  CHECK(made.body["card"]["checks"]["cvc_check"] == "pass");
  CHECK(made.body["billing_details"]["name"] == "Anna");
  CHECK(c.post("/v1/payment_methods", "type=card&card[token]=tok_amex").body["card"]["brand"] ==
        "amex");
  c.events();
  const std::string attach = "/v1/payment_methods/" + made.id() + "/attach";
  CHECK(c.post(attach, "customer=" + customer).body["customer"] == customer);
  CHECK(c.told() == std::vector<std::string>{"payment_method.attached"});
  CHECK(c.post(attach, "customer=" + customer).status == 200);  // again: nothing happens
  CHECK(c.told().empty());
  CHECK(c.post(attach, "customer=" + c.customer("")).status == 400);
  CHECK(c.post(attach).message() == "Must provide customer or customer_account.");
}

TEST_CASE("Each saved magic card is a new payment method") {
  client c;
  const std::string customer = c.customer("");
  const auto one = c.post("/v1/payment_methods/pm_card_visa/attach", "customer=" + customer);
  const auto two = c.post("/v1/payment_methods/pm_card_visa/attach", "customer=" + customer);
  CHECK(one.id().starts_with("pm_1"));
  CHECK(one.id() < two.id());
  CHECK(c.get("/v1/payment_methods", "customer=" + customer).body["data"].size() == 2);
  CHECK(c.get("/v1/payment_methods").body["data"].empty());
  CHECK(c.get("/v1/payment_methods/pm_card_visa").status == 404);
}

TEST_CASE("A detached card is nobody's and is not used again") {
  client c;
  const std::string customer = c.customer();
  const std::string card =
      c.get("/v1/customers/" + customer).body["invoice_settings"]["default_payment_method"];
  c.events();
  const auto gone = c.post("/v1/payment_methods/" + card + "/detach");
  CHECK(gone.body["customer"] == nullptr);
  const auto events = c.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0]["type"] == "payment_method.detached");
  CHECK(events[0]["data"]["previous_attributes"] == json{{"customer", customer}});
  CHECK(events[1]["type"] == "customer.updated");
  CHECK(c.post("/v1/payment_methods/" + card + "/detach").message() ==
        "The payment method you provided is not attached to a customer so detachment is "
        "impossible.");
  CHECK(c.post("/v1/payment_methods/" + card + "/attach", "customer=" + customer).status == 400);
}

TEST_CASE("A saved card's details can be changed") {
  client c;
  const std::string customer = c.customer();
  const std::string card =
      c.get("/v1/customers/" + customer).body["invoice_settings"]["default_payment_method"];
  c.events();
  const auto changed = c.post("/v1/payment_methods/" + card,
                              "card[exp_year]=2040&billing_details[address][city]=Linz"
                              "&metadata[a]=b&allow_redisplay=always");
  CHECK(changed.body["card"]["exp_year"] == 2040);
  CHECK(changed.body["billing_details"]["address"]["city"] == "Linz");
  const json told = the_one(c.events(), "payment_method.updated");
  CHECK(told["data"]["previous_attributes"]["allow_redisplay"] == "unspecified");
  CHECK(c.get("/v1/customers/" + customer + "/payment_methods/" + card).body == changed.body);
  CHECK(c.get("/v1/customers/" + c.customer("") + "/payment_methods/" + card).status == 404);
}

TEST_CASE("Numbers and dates that cannot be are refused as a card error") {
  client c;
  const auto refusal = [&](const std::string& card) {
    const auto r = c.post("/v1/payment_methods", "type=card&" + card);
    CHECK(r.status == 402);
    CHECK(r.error("type") == "card_error");
    return r.code();
  };
  const std::string good = "card[exp_month]=12&card[exp_year]=2030&card[number]=";
  CHECK(refusal(good + "4242424242424241") == "incorrect_number");
  CHECK(refusal(good + "4539578763621486") == "card_declined");  // not a test card
  CHECK(refusal("card[number]=4242424242424242&card[exp_month]=13&card[exp_year]=2030") ==
        "invalid_expiry_month");
  CHECK(refusal("card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=2020") ==
        "invalid_expiry_year");
  CHECK(c.post("/v1/payment_methods", "type=sepa_debit").status == 501);
  CHECK(c.post("/v1/payment_methods", "type=card&card[token]=tok_nobody").code() ==
        "resource_missing");
}
