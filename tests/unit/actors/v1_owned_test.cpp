// Lists below an owner, from the mirror.
// Source: https://docs.stripe.com/api/payment_methods/customer_list
#include "http/v1_owned.hpp"

#include <algorithm>

#include "unit/actors/v1_bench.hpp"

using namespace tilld;
using namespace tilld::test;
using nlohmann::json;

namespace {

json card(const std::string& id, const json& of, std::int64_t at) {
  return {{"id", id},       {"object", "payment_method"}, {"created", at}, {"customer", of},
          {"type", "card"}, {"allow_redisplay", "always"}};
}

struct shop {
  json cards = json::array();
  bool more = false;
  std::int64_t now_s = 3000;
  scripted_stripe stripe{[this](const net::request& r) {
    const bool second = r.url.find("starting_after") != std::string::npos;
    return scripted_stripe::ok({{"object", "list"},
                                {"data", second ? json::array() : cards},
                                {"has_more", more && !second},
                                {"url", "/v1/customers/cus_1/payment_methods"}},
                               now_s += 10);
  }};
  v1_bench bench{stripe.transport()};
  int events = 0;

  shop() { tell("customer.created", customer("cus_1"), 1000); }
  void tell(const std::string& type, const json& object, std::int64_t at) {
    bench.till().event(event_text("evt_" + std::to_string(++events), type, at, object));
  }
  // The ids, and whose answer it was.
  std::string list(const std::string& target = "/v1/customers/cus_1/payment_methods") {
    const auto r = bench.get(target);
    REQUIRE(r.status == 200);
    std::string ids = bench.source(r) + ":";
    const json page = json::parse(r.body);
    for (const auto& one : page["data"])
      ids += " " + one["id"].get<std::string>();
    return ids;
  }
  // Marks are set behind the answer.
  void until_mirrored() {
    for (int i = 0; i < 500 && !list().starts_with("mirror"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
};

std::optional<http::owned> read(const std::vector<std::string>& segments,
                                const stripe::form_pairs& query = {}) {
  const auto match = stripe::catalogue::instance().find("GET", segments);
  return http::read_owned(*match.endpoint, match.arguments, query);
}

}  // namespace

TEST_CASE("A customer's payment methods are the mirror's once their list has passed by whole") {
  shop s;
  s.cards = {card("pm_2", "cus_1", 1002), card("pm_1", "cus_1", 1001)};
  CHECK(s.list() == "stripe: pm_2 pm_1");
  s.until_mirrored();
  CHECK(s.list() == "mirror: pm_2 pm_1");
  CHECK(s.list("/v1/payment_methods?customer=cus_1") == "mirror: pm_2 pm_1");
  CHECK(s.list("/v1/payment_methods?customer=cus_1&type=sepa_debit") == "mirror:");
  CHECK(s.list("/v1/customers/cus_1/payment_methods?limit=1&starting_after=pm_2") ==
        "mirror: pm_1");
  CHECK(s.list("/v1/payment_methods").starts_with("stripe"));
  const std::string one = "/v1/customers/cus_1/payment_methods/pm_1";
  CHECK(s.bench.source(s.bench.get(one)) == "mirror");

  s.tell("payment_method.attached", card("pm_3", "cus_1", 1003), 9000);
  CHECK(s.list() == "mirror: pm_3 pm_2 pm_1");
  s.tell("payment_method.detached", card("pm_1", nullptr, 1001), 9001);
  CHECK(s.list() == "mirror: pm_3 pm_2");
  CHECK(s.bench.source(s.bench.get(one)) == "stripe");  // it says what is wrong
  s.tell("customer.deleted", customer("cus_1"), 9002);
  CHECK(s.list().starts_with("stripe"));
}

TEST_CASE("A list that is filtered, or a page that is not all, proves nothing: a walk begins") {
  shop s;
  s.cards = {card("pm_2", "cus_1", 1002)};
  s.more = true;
  CHECK(s.list("/v1/customers/cus_1/payment_methods?type=card").starts_with("stripe"));
  s.list("/v1/customers/cus_1/payment_methods?limit=1");
  s.until_mirrored();
  CHECK(s.list() == "mirror: pm_2");
  CHECK(std::ranges::any_of(s.stripe.requests(), [](const net::request& r) {
    return r.url.ends_with("/payment_methods?limit=100&starting_after=pm_2");
  }));
}

TEST_CASE("An old card comes into the list without an event of its own: Stripe is asked again") {
  shop s;
  s.list();
  s.until_mirrored();
  CHECK(s.list() == "mirror:");
  s.cards = {card("card_1", "cus_1", 1002)};
  s.tell("customer.source.created", {{"id", "card_1"}, {"object", "card"}, {"customer", "cus_1"}},
         9000);
  CHECK(s.list() == "stripe: card_1");
  s.until_mirrored();
  CHECK(s.list() == "mirror: card_1");
}

TEST_CASE("Which reads are of an owner, and what of") {
  auto found = read({"v1", "customers", "cus_1", "tax_ids"}, {{"limit", "3"}});
  REQUIRE(found);
  CHECK(found->kind == "tax_id");
  CHECK(found->owner == "cus_1");
  CHECK(found->query == stripe::form_pairs{{"owner[customer]", "cus_1"}, {"limit", "3"}});
  CHECK(found->from_the_beginning());
  const std::vector<std::string> below = {"v1", "customers", "cus_1", "payment_methods"};
  CHECK_FALSE(read(below, {{"starting_after", "x"}})->from_the_beginning());
  CHECK_FALSE(read(below, {{"type", "card"}})->from_the_beginning());
  found = read({"v1", "tax_ids"}, {{"owner[type]", "customer"}, {"owner[customer]", "cus_2"}});
  REQUIRE(found);
  CHECK(found->owner == "cus_2");
  CHECK_FALSE(read({"v1", "tax_ids"}, {{"owner[type]", "self"}}));
  CHECK_FALSE(read({"v1", "tax_ids"}));
  CHECK_FALSE(read({"v1", "payment_methods"}, {{"type", "card"}}));
  found = read({"v1", "customers", "cus_1", "payment_methods", "pm_1"});
  REQUIRE(found);
  CHECK(found->id == "pm_1");
  CHECK(found->owner == "cus_1");
  CHECK_FALSE(read({"v1", "customers", "cus_1", "balance_transactions"}));
  CHECK_FALSE(read({"v1", "customers"}));
  const std::vector<std::string> old = {"v1", "customers", "cus_1", "subscriptions"};
  const auto alias = http::read_alias(old, {{"limit", "3"}});
  REQUIRE(alias);
  CHECK(alias->endpoint->path == "/v1/subscriptions");
  CHECK(alias->list.query == stripe::form_pairs{{"customer", "cus_1"}, {"limit", "3"}});
  CHECK_FALSE(http::read_alias(std::vector<std::string>{"v1", "customers", "c", "nothing"}, {}));
}
