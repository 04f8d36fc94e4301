// Source: https://docs.stripe.com/payment-links/api, https://docs.stripe.com/api/payment-link
#include "client.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::sandbox::page;
using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::json;
using tilld::test::reply;
using tilld::test::the_one;

namespace {

page go(client& c, const std::string& verb, const std::string& url, const std::string& body = {}) {
  const auto at = url.find('?');
  return c.stripe.visit({verb, url.substr(0, at), at == url.npos ? "" : url.substr(at + 1), body},
                        c.now_s);
}

reply link(client& c, const std::string& price, const std::string& more = {}) {
  return c.post("/v1/payment_links",
                "line_items[0][price]=" + price + "&line_items[0][quantity]=2" + more);
}

std::string mug(client& c) {
  return c.post("/v1/prices", "currency=usd&unit_amount=1500&product_data[name]=Mug").id();
}

// Opens the link: the session that it leads to.
std::string open(client& c, const reply& made, const std::string& query = {}) {
  const page seen = go(c, "GET", "/b/" + made.id() + query);
  REQUIRE(seen.status == 303);
  REQUIRE(seen.location.starts_with("/c/pay/"));
  return seen.location.substr(std::string("/c/pay/").size());
}

page pay(client& c, const std::string& session) {
  return go(c, "POST", "/c/pay/" + session,
            "number=4242424242424242&expiry=12/34&cvc=123&email=ada@example.com");
}

json session(client& c, const std::string& id) {
  return c.get("/v1/checkout/sessions/" + id).body;
}

}  // namespace

TEST_CASE("A payment link leads everybody to a checkout session of their own", "[payment_links]") {
  client c;
  c.stripe.set_base_url("http://127.0.0.1:1");
  const std::string price = mug(c);
  c.events();
  const auto made = link(c, price, "&metadata[campaign]=may");
  REQUIRE(made.status == 200);
  CHECK(made.body["url"] == "http://127.0.0.1:1/b/" + made.id());
  CHECK(made.body["active"] == true);
  CHECK(made.body["currency"] == "usd");
  CHECK(c.told() == std::vector<std::string>{"payment_link.created"});
  const std::string first = open(c, made, "?client_reference_id=7&prefilled_email=a@b.example");
  const std::string second = open(c, made);
  CHECK(first != second);
  const json s = session(c, first);
  CHECK(s["payment_link"] == made.id());
  CHECK(s["mode"] == "payment");
  CHECK(s["amount_total"] == 3000);
  CHECK(s["client_reference_id"] == "7");
  CHECK(s["metadata"] == json{{"campaign", "may"}});
  CHECK(go(c, "GET", "/c/pay/" + first).body.find("a@b.example") != std::string::npos);
  c.events();
  const page done = pay(c, first);
  CHECK(done.location == "http://127.0.0.1:1/b/" + made.id() + "?session=" + first);
  CHECK(go(c, "GET", "/b/" + made.id() + "?session=" + first).status == 200);
  CHECK(go(c, "GET", "/b/" + made.id() + "?session=" + second).status == 404);
  const auto told = c.events();
  CHECK(the_one(told, "checkout.session.completed")["data"]["object"]["payment_link"] == made.id());
  CHECK(the_one(told, "payment_link.updated").is_null());
  CHECK(c.get("/v1/checkout/sessions", "payment_link=" + made.id()).body["data"].size() == 2);
  check_shapes(c.dump());
}

TEST_CASE("A link of a recurring price subscribes, with its trial and metadata",
          "[payment_links]") {
  client c;
  const auto made = link(c, c.price(),
                         "&subscription_data[trial_period_days]=7"
                         "&subscription_data[metadata][a]=b&subscription_data[description]=Trial");
  const std::string id = open(c, made);
  pay(c, id);
  const json s = session(c, id);
  CHECK(s["mode"] == "subscription");
  const json sub = c.get("/v1/subscriptions/" + s["subscription"].get<std::string>()).body;
  CHECK(sub["status"] == "trialing");
  CHECK(sub["metadata"] == json{{"a", "b"}});
  CHECK(sub["description"] == "Trial");
  CHECK(sub["items"]["data"][0]["quantity"] == 2);
  const auto wrong = link(c, c.price(), "&payment_intent_data[description]=x");
  CHECK(wrong.param() == "payment_intent_data");
  CHECK(link(c, c.price(), "&customer_creation=always").param() == "customer_creation");
  CHECK(link(c, mug(c), "&payment_method_collection=always").param() ==
        "payment_method_collection");
}

TEST_CASE("Who has paid goes where the link says", "[payment_links]") {
  client c;
  const auto made =
      link(c, mug(c),
           "&after_completion[type]=redirect"
           "&after_completion[redirect][url]=https://a.example/{CHECKOUT_SESSION_ID}");
  const std::string id = open(c, made);
  CHECK(pay(c, id).location == "https://a.example/" + id);
  const auto thanks = link(c, mug(c),
                           "&after_completion[type]=hosted_confirmation"
                           "&after_completion[hosted_confirmation][custom_message]=See+you");
  const std::string other = open(c, thanks);
  pay(c, other);
  const page seen = go(c, "GET", "/b/" + thanks.id() + "?session=" + other);
  CHECK(seen.body.find("See you") != std::string::npos);
  CHECK(link(c, mug(c), "&after_completion[type]=redirect").param() ==
        "after_completion[redirect]");
}

TEST_CASE("A link that is not active says so", "[payment_links]") {
  client c;
  const auto made = link(c, mug(c));
  c.events();
  const auto off =
      c.post("/v1/payment_links/" + made.id(), "active=false&inactive_message=Sold+out");
  CHECK(off.body["active"] == false);
  const auto told = the_one(c.events(), "payment_link.updated");
  CHECK(told["data"]["previous_attributes"] ==
        json{{"active", true}, {"inactive_message", nullptr}});
  const page seen = go(c, "GET", "/b/" + made.id());
  CHECK(seen.status == 404);
  CHECK(seen.body.find("Sold out") != std::string::npos);
  CHECK(go(c, "GET", "/b/plink_none").status == 404);
  CHECK(c.get("/v1/payment_links", "active=true").body["data"].empty());
  CHECK(c.get("/v1/payment_links", "active=false").body["data"].size() == 1);
  c.post("/v1/payment_links/" + made.id(), "active=true");
  CHECK(go(c, "GET", "/b/" + made.id()).status == 303);
}

TEST_CASE("A link closes when as many sessions are complete as it allows", "[payment_links]") {
  client c;
  const auto made = link(c, mug(c), "&restrictions[completed_sessions][limit]=2");
  CHECK(made.body["restrictions"]["completed_sessions"] == json{{"count", 0}, {"limit", 2}});
  pay(c, open(c, made));
  CHECK(c.get("/v1/payment_links/" + made.id()).body["active"] == true);
  pay(c, open(c, made));
  const json full = c.get("/v1/payment_links/" + made.id()).body;
  CHECK(full["restrictions"]["completed_sessions"]["count"] == 2);
  CHECK(full["active"] == false);
  CHECK(c.post("/v1/payment_links/" + made.id(), "restrictions[completed_sessions][limit]=2")
            .status == 400);
}

TEST_CASE("The lines of a link have whole prices, and quantities that may change",
          "[payment_links]") {
  client c;
  const std::string price = mug(c);
  const auto made = link(c, price, "&expand[0]=line_items");
  REQUIRE(made.status == 200);
  CHECK(made.body["line_items"]["data"][0]["price"]["id"] == price);
  const std::string at = "/v1/payment_links/" + made.id();
  const json line = c.get(at + "/line_items").body["data"][0];
  CHECK(line["price"]["unit_amount"] == 1500);
  CHECK(line["amount_total"] == 3000);
  const auto more = c.post(
      at, "line_items[0][id]=" + line["id"].get<std::string>() + "&line_items[0][quantity]=5");
  REQUIRE(more.status == 200);
  CHECK(c.get(at + "/line_items").body["data"][0]["amount_total"] == 7500);
  CHECK(session(c, open(c, made))["amount_total"] == 7500);
  CHECK(c.post(at, "line_items[0][id]=li_none&line_items[0][quantity]=5").status == 400);
}

TEST_CASE("A link may make its price itself, and knows what it cannot do", "[payment_links]") {
  client c;
  const auto made = c.post("/v1/payment_links",
                           "line_items[0][quantity]=1&line_items[0][price_data][currency]=eur"
                           "&line_items[0][price_data][unit_amount]=900"
                           "&line_items[0][price_data][product_data][name]=Print");
  REQUIRE(made.status == 200);
  CHECK(session(c, open(c, made))["amount_total"] == 900);
  CHECK(c.post("/v1/payment_links", "").param() == "line_items");
  for (const char* more : {"&automatic_tax[enabled]=true", "&payment_method_types[0]=ideal",
                           "&custom_fields[0][key]=a"}) {
    CAPTURE(more);
    CHECK(link(c, mug(c), more).status == 501);
  }
  for (const char* more : {"&allow_promotion_codes=false", "&automatic_tax[enabled]=false",
                           "&payment_method_types[0]=card"}) {
    CAPTURE(more);
    CHECK(link(c, mug(c), more).status == 200);
  }
}

TEST_CASE("A recurring price that is made with a session or a link can be subscribed to",
          "[payment_links]") {
  client c;
  const std::string lines =
      "line_items[0][quantity]=1&line_items[0][price_data][currency]=usd"
      "&line_items[0][price_data][unit_amount]=700"
      "&line_items[0][price_data][recurring][interval]=month"
      "&line_items[0][price_data][product_data][name]=Own";
  const std::string direct =
      c.post("/v1/checkout/sessions", "mode=subscription&success_url=https://a.example&" + lines)
          .id();
  const auto made = c.post("/v1/payment_links", lines);
  REQUIRE(made.status == 200);
  for (const auto& id : {direct, open(c, made)}) {
    CHECK(pay(c, id).status == 303);
    const json sub =
        c.get("/v1/subscriptions/" + session(c, id)["subscription"].get<std::string>()).body;
    CHECK(sub["status"] == "active");
    CHECK(sub["items"]["data"][0]["price"]["unit_amount"] == 700);
  }
}
