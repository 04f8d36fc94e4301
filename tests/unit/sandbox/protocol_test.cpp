#include "client.hpp"
#include "stripe/catalogue.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;
using tilld::test::reply;

namespace {

tilld::sandbox::request asking(const std::string& authorization) {
  return {"GET", "/v1/customers", "", "", authorization, "", ""};
}

}  // namespace

TEST_CASE("The one key opens the door, as a bearer token and as a basic user name") {
  client c;
  CHECK(c.send(asking("Bearer sk_test_sandbox")).status == 200);
  CHECK(c.send(asking("bearer sk_test_sandbox")).status == 200);
  CHECK(c.send(asking("Basic c2tfdGVzdF9zYW5kYm94Og==")).status == 200);
}

TEST_CASE("A wrong key is refused and shown with its middle masked") {
  client c;
  const reply r = c.send(asking("Bearer sk_test_51Habcdefabcd"));
  CHECK(r.status == 401);
  CHECK(r.message() == "Invalid API Key provided: sk_test_*********abcd");
  CHECK(r.error("type") == "invalid_request_error");
  const reply none = c.send(asking(""));
  CHECK(none.status == 401);
  CHECK(none.message().starts_with("You did not provide an API key."));
}

TEST_CASE("Every answer names its request and the version it is in") {
  client c;
  const reply r = c.get("/v1/customers");
  CHECK(r.header("Request-Id").starts_with("req_"));
  CHECK(r.header("Stripe-Version") == tilld::stripe::catalogue::instance().api_version());
  auto other = asking("Bearer sk_test_sandbox");
  other.stripe_version = "2026-08-26.dahlia";
  CHECK(c.send(other).header("Stripe-Version") == "2026-08-26.dahlia");
  other.stripe_version = "tomorrow";
  CHECK(c.send(other).message() == "Invalid Stripe API version: tomorrow");
}

TEST_CASE("An address that Stripe does not have is 404, one that it has and we have not is 501") {
  client c;
  const reply unknown = c.get("/v1/unicorns");
  CHECK(unknown.status == 404);
  CHECK(unknown.message().starts_with("Unrecognized request URL (GET: /v1/unicorns)."));
  const reply later = c.get("/v1/topups");
  CHECK(later.status == 501);
  CHECK(later.code() == "not_simulated");
  CHECK(later.error("type") == "api_error");
  CHECK(later.message() == "The sandbox does not simulate GET /v1/topups yet.");
  CHECK(c.get("/v1/issuing/cards").status == 501);
}

TEST_CASE("Parameters that Stripe does not know are refused by name") {
  client c;
  const reply one = c.post("/v1/customers", "emial=a@b.c");
  CHECK(one.status == 400);
  CHECK(one.code() == "parameter_unknown");
  CHECK(one.message() == "Received unknown parameter: emial");
  CHECK(one.param() == "emial");
  CHECK(c.post("/v1/customers", "aa=1&bb=2").message() == "Received unknown parameters: aa, bb");
  CHECK(c.post("/v1/customers", "address[planet]=Mars").param() == "address[planet]");
  CHECK(c.get("/v1/customers", "page=2").code() == "parameter_unknown");
}

TEST_CASE("Parameters that Stripe knows and the sandbox does not are 501 and never ignored") {
  client c;
  const reply top = c.post("/v1/customers", "cash_balance[settings][reconciliation_mode]=manual");
  CHECK(top.status == 501);
  CHECK(top.param() == "cash_balance");
  const reply inside = c.post("/v1/customers", "invoice_settings[rendering_options][template]=a");
  CHECK(inside.status == 501);
  CHECK(inside.param() == "invoice_settings[rendering_options]");
}

TEST_CASE("What is required and missing is named") {
  client c;
  const reply r = c.post("/v1/products");
  CHECK(r.status == 400);
  CHECK(r.code() == "parameter_missing");
  CHECK(r.message() == "Missing required param: name.");
  CHECK(c.post("/v1/payment_intents", "amount=100").param() == "currency");
}

TEST_CASE("Types are checked: integers, booleans, choices, currencies, hashes and lists") {
  client c;
  const std::string customer = c.customer();
  const auto refusal = [&](const std::string& path, const std::string& form) {
    const reply r = c.post(path, form);
    CHECK(r.status == 400);
    return r;
  };
  CHECK(refusal("/v1/customers", "balance=12.5").message() == "Invalid integer: 12.5");
  CHECK(refusal("/v1/customers", "balance=x").code() == "parameter_invalid_integer");
  CHECK(refusal("/v1/products", "name=a&active=yes").message() == "Invalid boolean: yes");
  CHECK(refusal("/v1/customers", "tax_exempt=maybe").message() ==
        "Invalid tax_exempt: must be one of exempt, none, or reverse");
  CHECK(refusal("/v1/payment_intents", "amount=1&currency=xxx")
            .message()
            .starts_with("Invalid currency: xxx. Stripe currently supports these currencies: usd"));
  CHECK(refusal("/v1/customers", "address=Berlin").message() == "Invalid object");
  CHECK(refusal("/v1/customers", "email[a]=b").message() == "Invalid string");
  CHECK(refusal("/v1/customers", "preferred_locales=de").message() == "Invalid array");
  CHECK(refusal("/v1/payment_intents", "amount=0&currency=usd").message() ==
        "This value must be greater than or equal to 1.");
  const reply empty = refusal("/v1/payment_intents", "amount=&currency=usd");
  CHECK(empty.code() == "parameter_invalid_empty");
  CHECK(empty.message().starts_with("You passed an empty string for 'amount'."));
}

TEST_CASE("Broken forms are refused, not guessed at") {
  client c;
  CHECK(c.post("/v1/customers", "email=%zz").status == 400);
  CHECK(c.post("/v1/customers", "metadata=a&metadata[b]=c").status == 400);
  CHECK(c.get("/v1/customers", "limit=10&limit[a]=3").status == 400);
}

TEST_CASE("Lists show ten, or one to a hundred as asked") {
  client c;
  for (int i = 0; i < 12; ++i)
    c.post("/v1/customers");
  CHECK(c.get("/v1/customers").body["data"].size() == 10);
  CHECK(c.get("/v1/customers").body["has_more"] == true);
  CHECK(c.get("/v1/customers", "limit=100").body["data"].size() == 12);
  CHECK(c.get("/v1/customers", "limit=0").message() ==
        "This value must be greater than or equal to 1.");
  CHECK(c.get("/v1/customers", "limit=101").message() ==
        "This value must be less than or equal to 100 (it currently is '101').");
  CHECK(c.get("/v1/customers").body["url"] == "/v1/customers");
}

TEST_CASE("A cursor that is nobody is refused with 400") {
  client c;
  const std::string id = c.customer();
  const reply r = c.get("/v1/customers", "starting_after=cus_nobody");
  CHECK(r.status == 400);
  CHECK(r.code() == "resource_missing");
  CHECK(r.message() == "No such customer: 'cus_nobody'");
  CHECK(r.param() == "starting_after");
  CHECK(c.get("/v1/customers", "starting_after=" + id + "&ending_before=" + id).status == 400);
}

TEST_CASE("A cursor that the list does not show is refused too") {
  client c;
  const std::string price = c.price();
  const std::string kept = c.customer();
  const std::string other = c.customer();
  const std::string theirs = c.subscription(other, price);
  CHECK(c.get("/v1/subscriptions", "customer=" + kept + "&starting_after=" + theirs).status == 400);
  c.del("/v1/subscriptions/" + theirs);
  CHECK(c.get("/v1/subscriptions", "starting_after=" + theirs).status == 400);
  CHECK(c.get("/v1/subscriptions", "status=all&starting_after=" + theirs).status == 200);
}

TEST_CASE("Lists can be narrowed to when things were created") {
  client c;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i, c.wait(10))
    ids.push_back(c.post("/v1/customers").id());
  const auto found = [&](const std::string& query) {
    std::vector<std::string> got;
    const reply page = c.get("/v1/customers", query);
    for (const auto& one : page.body["data"])
      got.push_back(one["id"]);
    return got;
  };
  const std::string t1 = std::to_string(tilld::test::new_year_s + 10);
  const std::string t3 = std::to_string(tilld::test::new_year_s + 30);
  CHECK(found("created=" + t1) == std::vector{ids[1]});
  CHECK(found("created[gt]=" + t1 + "&created[lt]=" + t3) == std::vector{ids[2]});
  CHECK(found("created[gte]=" + t1 + "&created[lte]=" + t3) == std::vector{ids[3], ids[2], ids[1]});
  CHECK(found("created[gte]=" + t3 + "&limit=1") == std::vector{ids[4]});
  CHECK(c.get("/v1/customers", "created[after]=1").code() == "parameter_unknown");
}

TEST_CASE("expand turns ids into objects, along paths of up to four steps") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price());
  const auto got =
      c.get("/v1/subscriptions/" + sub,
            "expand[]=customer.invoice_settings.default_payment_method&expand[]=latest_invoice"
            ".payments.data.payment");
  CHECK(got.status == 400);  // payment itself is no object
  const auto fine = c.get("/v1/subscriptions/" + sub,
                          "expand[]=customer.invoice_settings.default_payment_method"
                          "&expand[]=latest_invoice.payments&expand[]=items.data.price.product");
  REQUIRE(fine.status == 200);
  CHECK(fine.body["customer"]["invoice_settings"]["default_payment_method"]["card"]["last4"] ==
        "4242");
  CHECK(fine.body["latest_invoice"]["payments"]["data"][0]["status"] == "paid");
  CHECK(fine.body["items"]["data"][0]["price"]["product"]["name"] == "Gold");
  CHECK(c.get("/v1/subscriptions/" + sub).body["customer"] == customer);
}

TEST_CASE("expand on lists goes through data, and works on requests that write") {
  client c;
  const std::string customer = c.customer();
  const std::string price = c.price();
  const auto made =
      c.post("/v1/subscriptions",
             "customer=" + customer + "&items[0][price]=" + price + "&expand[]=latest_invoice");
  CHECK(made.body["latest_invoice"]["object"] == "invoice");
  const auto list = c.get("/v1/subscriptions", "expand[]=data.customer");
  CHECK(list.body["data"][0]["customer"]["email"] == "anna@example.com");
  CHECK(c.get("/v1/subscriptions", "expand[]=customer").message() ==
        "This property cannot be expanded (customer). You may want to try expanding "
        "'data.customer' instead.");
}

TEST_CASE("What cannot be expanded is refused before anything happens") {
  client c;
  const auto r = c.post("/v1/customers", "email=a@b.c&expand[]=email");
  CHECK(r.status == 400);
  CHECK(r.message() == "This property cannot be expanded (email).");
  CHECK(c.get("/v1/customers").body["data"].empty());
  const auto deep = c.get("/v1/subscriptions", "expand[]=data.items.data.price.product");
  CHECK(deep.message() ==
        "You cannot expand more than 4 levels of a property. Property: "
        "data.items.data.price.product");
  CHECK(deep.code() == "property_expansion_max_depth");
  const std::string sub = c.subscription(c.customer(), c.price());
  CHECK(c.get("/v1/subscriptions/" + sub, "expand[]=latest_invoice.payment_intent").message() ==
        "This property cannot be expanded (latest_invoice.payment_intent).");
  CHECK(c.get("/v1/customers", "expand[]=data.tax").status == 501);
}

TEST_CASE("Members that are shown only when asked for appear by expand") {
  client c;
  const std::string customer = c.customer();
  const std::string sub = c.subscription(customer, c.price());
  CHECK_FALSE(c.get("/v1/customers/" + customer).body.contains("subscriptions"));
  const auto expanded = c.get("/v1/customers/" + customer, "expand[]=subscriptions");
  CHECK(expanded.body["subscriptions"]["data"][0]["id"] == sub);
  const auto invoice = c.get("/v1/invoices", "expand[]=data.confirmation_secret");
  const json secret = invoice.body["data"][0]["confirmation_secret"];
  CHECK(secret["client_secret"].get<std::string>().starts_with("pi_"));
  CHECK(secret["type"] == "payment_intent");
}
