// Hosted pages, visited without a browser; tests/browser has one.
// Source: https://docs.stripe.com/payments/checkout, https://docs.stripe.com/customer-management
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::sandbox::page;
using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;

namespace {

using strings = std::vector<std::string>;

page go(client& c, const std::string& verb, const std::string& url, const std::string& body = {}) {
  const auto at = url.find('?');
  return c.stripe.visit({verb, url.substr(0, at), at == url.npos ? "" : url.substr(at + 1), body},
                        c.now_s);
}

std::string form(const std::string& number, const std::string& more = "&email=ada@example.com") {
  return "number=" + number + "&expiry=12/34&cvc=123&name=Ada" + more;
}

std::string session(client& c, const std::string& mode, const std::string& more = {}) {
  std::string params =
      "mode=" + mode + "&success_url=https://app.example/ok?s={CHECKOUT_SESSION_ID}";
  if (mode == "subscription")
    params += "&line_items[0][quantity]=1&line_items[0][price]=" + c.price();
  if (mode == "payment") {
    params +=
        "&line_items[0][quantity]=2&line_items[0][price_data][currency]=usd"
        "&line_items[0][price_data][unit_amount]=1500"
        "&line_items[0][price_data][product_data][name]=Mug";
  }
  const auto made = c.post("/v1/checkout/sessions", params + more);
  CAPTURE(made.text);
  REQUIRE(made.status == 200);
  return made.id();
}

json shown(client& c, const std::string& id) {
  return c.get("/v1/checkout/sessions/" + id).body;
}

}  // namespace

TEST_CASE("A subscription is bought on the checkout page") {
  client c;
  c.stripe.set_base_url("http://127.0.0.1:1");
  const std::string id =
      session(c, "subscription", "&client_reference_id=7&subscription_data[metadata][a]=b");
  CHECK(shown(c, id)["url"] == "http://127.0.0.1:1/c/pay/" + id);
  CHECK(shown(c, id)["amount_total"] == 2000);
  CHECK(c.get("/v1/checkout/sessions/" + id + "/line_items").body["data"][0]["description"] ==
        "Gold");
  const page seen = go(c, "GET", "/c/pay/" + id);
  CHECK(seen.status == 200);
  CHECK(seen.body.find("$20.00") != std::string::npos);
  c.events();
  const page done = go(c, "POST", "/c/pay/" + id, form("4242 4242 4242 4242"));
  CHECK(done.status == 303);
  CHECK(done.location == "https://app.example/ok?s=" + id);
  CHECK(c.told().back() == "checkout.session.completed");
  const json s = shown(c, id);
  CHECK(s["status"] == "complete");
  CHECK(s["payment_status"] == "paid");
  CHECK(s["customer_details"]["email"] == "ada@example.com");
  const json sub = c.get("/v1/subscriptions/" + s["subscription"].get<std::string>()).body;
  CHECK(sub["status"] == "active");
  CHECK(sub["metadata"]["a"] == "b");
  CHECK(sub["customer"] == s["customer"]);
  CHECK(!sub["default_payment_method"].is_null());
  CHECK(s["invoice"] == sub["latest_invoice"]);
  check_shapes(c.dump());
  CHECK(go(c, "GET", "/c/pay/" + id).status == 303);
}

TEST_CASE("A declined card is told, leaves no subscription, and another one is good") {
  client c;
  const std::string id = session(c, "subscription");
  const page refused = go(c, "POST", "/c/pay/" + id, form("4000000000000341"));
  CHECK(refused.status == 402);
  CHECK(refused.body.find("Your card was declined.") != std::string::npos);
  CHECK(c.get("/v1/subscriptions", "status=all").body["data"].empty());
  CHECK(shown(c, id)["status"] == "open");
  CHECK(go(c, "POST", "/c/pay/" + id, form("4242424242424241")).status == 402);
  CHECK(go(c, "POST", "/c/pay/" + id, form("4242424242424242")).status == 303);
  CHECK(c.get("/v1/subscriptions").body["data"].size() == 1);
  CHECK(c.get("/v1/customers").body["data"].size() == 1);
}

TEST_CASE("The bank may ask: passed, the session completes; failed, it goes on") {
  for (const std::string mode : {"subscription", "payment", "setup"}) {
    CAPTURE(mode);
    client c;
    const std::string id = session(c, mode);
    for (const bool passes : {false, true}) {
      const page asked = go(c, "POST", "/c/pay/" + id, form("4000002760003184"));
      REQUIRE(asked.status == 303);
      REQUIRE(asked.location.starts_with("/redirect/authenticate/"));
      CHECK(go(c, "GET", asked.location).body.find("Complete authentication") != std::string::npos);
      const page back = go(c, "POST", asked.location, passes ? "result=pass" : "result=fail");
      CHECK(back.location == "/c/pay/" + id);
      const page after = go(c, "GET", back.location);
      CHECK(after.status == (passes ? 303 : 402));
      CHECK(shown(c, id)["status"] == (passes ? "complete" : "open"));
    }
    check_shapes(c.dump());
  }
}

TEST_CASE("A payment by a guest, a saved card, a trial without a card") {
  client c;
  const std::string paid = session(c, "payment");
  CHECK(go(c, "POST", "/c/pay/" + paid, form("4242424242424242")).status == 303);
  CHECK(shown(c, paid)["amount_total"] == 3000);
  CHECK(shown(c, paid)["customer"].is_null());
  const std::string intent = shown(c, paid)["payment_intent"];
  CHECK(c.get("/v1/payment_intents/" + intent).body["amount_received"] == 3000);
  const std::string customer = c.customer("");
  const std::string saved = session(c, "setup", "&customer=" + customer);
  CHECK(go(c, "POST", "/c/pay/" + saved, form("4242424242424242", "")).status == 303);
  CHECK(c.get("/v1/customers/" + customer + "/payment_methods").body["data"].size() == 1);
  const std::string trial = session(c, "subscription",
                                    "&payment_method_collection=if_required"
                                    "&subscription_data[trial_period_days]=7");
  CHECK(go(c, "POST", "/c/pay/" + trial, "email=bob@example.com").status == 303);
  CHECK(shown(c, trial)["payment_status"] == "no_payment_required");
}

TEST_CASE("Sessions expire, by a call or after a day") {
  client c;
  const std::string called = session(c, "payment");
  const std::string forgotten = session(c, "payment");
  c.events();
  CHECK(c.post("/v1/checkout/sessions/" + called + "/expire").body["status"] == "expired");
  CHECK(c.post("/v1/checkout/sessions/" + called + "/expire").status == 400);
  c.wait(86'400);
  CHECK(shown(c, forgotten)["status"] == "expired");
  CHECK(c.told() == strings{"checkout.session.expired", "checkout.session.expired"});
  CHECK(go(c, "GET", "/c/pay/" + forgotten).status == 404);
  CHECK(c.get("/v1/checkout/sessions", "status=expired").body["data"].size() == 2);
}

TEST_CASE("What does not go together is refused") {
  client c;
  const auto refused = [&](const std::string& form) {
    return c.post("/v1/checkout/sessions", form).param();
  };
  CHECK(refused("mode=payment&success_url=https://a") == "line_items");
  CHECK(refused("mode=subscription&success_url=https://a&line_items[0][quantity]=1"
                "&line_items[0][price_data][currency]=usd"
                "&line_items[0][price_data][unit_amount]=1"
                "&line_items[0][price_data][product_data][name]=A") == "line_items");
  CHECK(refused("mode=payment&success_url=https://a&line_items[0][quantity]=1"
                "&line_items[0][price]=" +
                c.price()) == "line_items[0][price]");
  CHECK(refused("mode=setup&success_url=https://a&payment_intent_data[description]=x") ==
        "payment_intent_data");
  CHECK(refused("mode=setup") == "success_url");
  CHECK(refused("mode=setup&success_url=https://a&expires_at=1") == "expires_at");
}

TEST_CASE("The portal cancels, keeps, and takes a new card") {
  client c;
  c.stripe.set_base_url("http://127.0.0.1:1");
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price());
  const auto made = c.post("/v1/billing_portal/sessions",
                           "customer=" + customer + "&return_url=https://app.example/me");
  REQUIRE(made.status == 200);
  const std::string path = made.body["url"].get<std::string>().substr(18);
  CHECK(go(c, "GET", path).body.find("Cancel the subscription") != std::string::npos);
  go(c, "POST", path, "action=cancel&subscription=" + sub);
  CHECK(c.get("/v1/subscriptions/" + sub).body["cancel_at_period_end"] == true);
  CHECK(go(c, "GET", path).body.find("Keep the subscription") != std::string::npos);
  go(c, "POST", path, "action=keep&subscription=" + sub);
  CHECK(c.get("/v1/subscriptions/" + sub).body["cancel_at_period_end"] == false);
  CHECK(go(c, "POST", path, form("4000000000000002", "&action=card")).status == 402);
  CHECK(go(c, "POST", path, form("5555555555554444", "&action=card")).status == 200);
  CHECK(go(c, "GET", path).body.find("mastercard ending in 4444") != std::string::npos);
  const std::string other = c.subscription(c.customer(), c.price());
  CHECK(go(c, "POST", path, "action=cancel&subscription=" + other).status == 402);
  check_shapes(c.dump());
  const auto bare =
      c.post("/v1/billing_portal/configurations", "features[invoice_history][enabled]=true");
  const auto limited =
      c.post("/v1/billing_portal/sessions", "customer=" + customer + "&configuration=" + bare.id());
  const std::string there = limited.body["url"].get<std::string>().substr(18);
  CHECK(go(c, "POST", there, "action=cancel&subscription=" + sub).status == 402);
}

TEST_CASE("A hosted invoice is shown and paid; text of strangers is harmless") {
  client c;
  c.stripe.set_base_url("http://127.0.0.1:1");
  const std::string customer = c.customer("");
  c.post("/v1/invoiceitems",
         "customer=" + customer + "&amount=700&currency=usd&description=<script>alert(1)</script>");
  const std::string invoice =
      c.post("/v1/invoices", "customer=" + customer + "&pending_invoice_items_behavior=include")
          .id();
  const auto open = c.post("/v1/invoices/" + invoice + "/finalize");
  CHECK(open.body["hosted_invoice_url"] == "http://127.0.0.1:1/i/" + invoice);
  const page seen = go(c, "GET", "/i/" + invoice);
  CHECK(seen.body.find("<script>") == std::string::npos);
  CHECK(seen.body.find("&lt;script&gt;") != std::string::npos);
  CHECK(go(c, "POST", "/i/" + invoice, form("4000000000000341")).status == 402);
  CHECK(go(c, "POST", "/i/" + invoice, form("4242424242424242")).status == 200);
  CHECK(c.get("/v1/invoices/" + invoice).body["status"] == "paid");
  for (const char* nowhere :
       {"/c/pay/cs_no", "/p/session/bps_no", "/i/in_no", "/redirect/authenticate/pi_no"}) {
    CHECK(go(c, "GET", nowhere).status == 404);
  }
}

TEST_CASE("Another card while the bank is asked about the first leaves one subscription") {
  client c;
  const std::string id = session(c, "subscription");
  const page first = go(c, "POST", "/c/pay/" + id, form("4000002760003184"));
  REQUIRE(first.location.find("authenticate") != std::string::npos);
  const page second = go(c, "POST", "/c/pay/" + id, form("4242424242424242"));
  CHECK(second.location == "https://app.example/ok?s=" + id);
  const auto all = c.get("/v1/subscriptions", "status=all").body["data"];
  REQUIRE(all.size() == 2);
  CHECK(all[0]["status"] == "active");
  CHECK(all[1]["status"] == "canceled");
  go(c, "POST", first.location, "result=pass");
  CHECK(c.get("/v1/subscriptions", "status=active").body["data"].size() == 1);
}

TEST_CASE("A session goes on when its payment is authenticated, whether anybody comes back") {
  for (const std::string mode : {"subscription", "payment", "setup"}) {
    client c;
    const std::string id = session(c, mode, mode == "setup" ? "&currency=usd" : "");
    const page asked = go(c, "POST", "/c/pay/" + id, form("4000002760003184"));
    const auto begin = asked.location.find("authenticate/") + 13;
    const std::string intent = asked.location.substr(begin, asked.location.find('?') - begin);
    INFO(mode << ' ' << asked.location);
    REQUIRE(c.stripe.authenticate(intent, true, c.now_s));
    CHECK(shown(c, id)["status"] == "complete");
  }
}

TEST_CASE("What waits for a bank when a session expires is given up") {
  for (const std::string mode : {"subscription", "payment", "setup"}) {
    client c;
    const std::string id = session(c, mode, mode == "setup" ? "&currency=usd" : "");
    const page asked = go(c, "POST", "/c/pay/" + id, form("4000002760003184"));
    const auto begin = asked.location.find("authenticate/") + 13;
    const std::string intent = asked.location.substr(begin, asked.location.find('?') - begin);
    c.post("/v1/checkout/sessions/" + id + "/expire");
    INFO(mode);
    CHECK_FALSE(c.stripe.authenticate(intent, true, c.now_s));
    CHECK(shown(c, id)["status"] == "expired");
    CHECK(c.get("/v1/subscriptions", "status=active").body["data"].empty());
  }
}

TEST_CASE("A trial without a card is bought however its end is said") {
  client c;
  const std::string id = session(c, "subscription",
                                 "&payment_method_collection=if_required&subscription_data"
                                 "[trial_end]=" +
                                     std::to_string(c.now_s + 5 * 86'400));
  CHECK(go(c, "GET", "/c/pay/" + id).body.find("id=\"number\" required") == std::string::npos);
  const page bought = go(c, "POST", "/c/pay/" + id, "email=ada@example.com");
  CHECK(bought.status == 303);
  CHECK(c.get("/v1/subscriptions").body["data"][0]["status"] == "trialing");
}

TEST_CASE("The portal switches to the prices that its configuration names, and to no others") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price(2000));
  const std::string large = c.price(5000, "month", "Platinum");
  const std::string product = c.get("/v1/prices/" + large).body["product"];
  const std::string update = "features[subscription_update]";
  const auto configured = c.post(
      "/v1/billing_portal/configurations",
      update + "[enabled]=true&" + update + "[default_allowed_updates][0]=price&" + update +
          "[products][0][product]=" + product + "&" + update + "[products][0][prices][0]=" + large +
          "&" + update + "[proration_behavior]=always_invoice");
  REQUIRE(configured.status == 200);
  CHECK_FALSE(configured.body["features"]["subscription_update"].contains("products"));
  const auto made = c.post("/v1/billing_portal/sessions",
                           "customer=" + customer + "&configuration=" + configured.id());
  const std::string path = "/p/session/" + made.id();
  CHECK(go(c, "GET", path).body.find("Switch to Platinum, $50.00") != std::string::npos);
  const std::string form = "action=switch&subscription=" + sub + "&price=";
  CHECK(go(c, "POST", path, form + c.price(1)).status == 402);
  CHECK(go(c, "POST", path, form + large).status == 200);
  const auto now = c.get("/v1/subscriptions/" + sub, "expand[0]=latest_invoice").body;
  CHECK(now["items"]["data"][0]["price"]["id"] == large);
  CHECK(now["latest_invoice"]["total"] == 3000);
  CHECK(go(c, "GET", path).body.find("Switch to") == std::string::npos);
}
