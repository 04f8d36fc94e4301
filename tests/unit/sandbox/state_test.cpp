// Keeping the state, taking changes back, and being the same every time.
#include <rapidcheck.h>

#include "client.hpp"
#include "sandbox/machine/world.hpp"
#include "support/catch.hpp"
#include "workload.hpp"

using tilld::sandbox::kind;
using tilld::sandbox::world;
using tilld::test::client;
using tilld::test::json;
using tilld::test::workload;

namespace {

// Events go when they are thirty days old; what they told of stays.
json without_events(const client& c) {
  json all = c.dump();
  all.erase("event");
  return all;
}

}  // namespace

TEST_CASE("The same seed and the same requests give the same bytes") {
  REQUIRE(rc::check("two lives of one seed are one", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    client a(seed);
    client b(seed);
    workload wa(a, seed);
    workload wb(b, seed);
    wa.run(40);
    wb.run(40);
    RC_ASSERT(a.stripe.dump() == b.stripe.dump());
    RC_ASSERT(a.stripe.save() == b.stripe.save());
    RC_ASSERT(a.events() == b.events());
  }));
}

TEST_CASE("Another seed gives other ids") {
  client a(1);
  client b(2);
  CHECK(a.customer("") != b.customer(""));
}

TEST_CASE("A state that was kept goes on as if nothing had been") {
  REQUIRE(rc::check("save, load, go on = go on", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    client a(seed);
    workload first(a, seed);
    first.run(40);
    a.post("/v1/customers", "name=kept", "the-key");
    client b(seed + 1);
    RC_ASSERT(b.stripe.load(a.stripe.save()));
    b.now_s = a.now_s;
    RC_ASSERT(b.stripe.dump() == a.stripe.dump());
    RC_ASSERT(b.stripe.save() == a.stripe.save());
    RC_ASSERT(a.post("/v1/customers", "name=kept", "the-key").header("Idempotent-Replayed") ==
              "true");
    RC_ASSERT(b.post("/v1/customers", "name=kept", "the-key").header("Idempotent-Replayed") ==
              "true");
    workload on_a(a, seed + 7);
    workload on_b(b, seed + 7);
    on_a.run(20);
    on_b.run(20);
    RC_ASSERT(a.stripe.dump() == b.stripe.dump());
    RC_ASSERT(a.events() == b.events());  // what had not been taken is there too
  }));
}

TEST_CASE("Bytes that are no state of this version change nothing") {
  client c;
  c.customer();
  const std::string good = c.stripe.save();
  const std::string before = c.stripe.dump();
  CHECK_FALSE(c.stripe.load(""));
  CHECK_FALSE(c.stripe.load("{}"));
  CHECK_FALSE(c.stripe.load(good.substr(0, good.size() - 1)));
  std::string other_version = good;
  other_version.replace(other_version.find("state 3"), 7, "state 2");
  CHECK_FALSE(c.stripe.load(other_version));
  for (std::size_t at = 0; at < good.size(); at += good.size() / 50 + 1) {
    std::string bent = good;
    bent[at] = static_cast<char>(bent[at] ^ 1);
    CHECK_FALSE(c.stripe.load(bent));
  }
  const bool same = c.stripe.dump() == before;
  CHECK(same);
  CHECK(c.stripe.load(good));
}

TEST_CASE("A request that is refused leaves no trace, however far it had come") {
  client c;
  workload w(c, 3);
  w.run(60);
  const std::string customer = c.customer("pm_card_chargeCustomerFail");
  const std::string price = c.price();
  c.events();
  const json before = without_events(c);
  const auto refused = [&](const std::string& path, const std::string& form, int status) {
    CHECK(c.post(path, form).status == status);
    const bool same = without_events(c) == before;
    CHECK(same);
    CHECK(c.told().empty());
  };
  refused("/v1/subscriptions",
          "customer=" + customer + "&items[0][price]=" + price +
              "&payment_behavior=error_if_incomplete",
          402);
  refused("/v1/customers", "payment_method=pm_card_chargeDeclined", 402);
  refused("/v1/customers",
          "payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_none", 400);
  refused("/v1/products", "name=a&default_price_data[currency]=usd", 400);
  refused("/v1/prices", "currency=usd&unit_amount_decimal=-1&product_data[name]=x", 400);
  refused("/v1/setup_intents", "payment_method=pm_card_visa&allowed_payment_method_types[0]=klarna",
          501);
}

TEST_CASE("The world takes back insertions, changes, stubs and disappearances") {
  world w(1);
  const auto doc = [](const std::string& id, const std::string& email) {
    return tilld::sandbox::json{{"id", id}, {"object", "customer"}, {"email", email}};
  };
  w.insert(kind::customer, doc("a", "1"));
  w.insert(kind::customer, doc("b", "1"));
  w.commit();
  const std::string before = w.save();
  w.begin();
  w.insert(kind::customer, doc("c", "1"));
  w.replace(kind::customer, doc("a", "2"));
  w.leave_stub(kind::customer, "b");
  w.insert(kind::customer, doc("b", "3"));  // in the place of its stub
  w.forget(kind::customer, "a");
  CHECK(w.with(kind::customer, "email", "1").size() == 1);
  CHECK(w.find(kind::customer, "a") == nullptr);
  CHECK(w.find_live(kind::customer, "b") != nullptr);
  w.rollback();
  CHECK(w.save() == before);
  CHECK(w.with(kind::customer, "email", "1").size() == 2);
  CHECK(w.with(kind::customer, "email", "2").empty());
  CHECK(w.find(kind::customer, "c") == nullptr);
}

TEST_CASE("Indexes hold what documents say, whatever happens to them") {
  REQUIRE(rc::check("an index is a scan", [] {
    world w(1);
    std::map<std::string, std::string> model;  // id to email
    const auto steps = *rc::gen::inRange(0, 60);
    w.begin();
    for (int i = 0; i < steps; ++i) {
      const std::string id(1, static_cast<char>('a' + *rc::gen::inRange(0, 8)));
      const std::string email(1, static_cast<char>('0' + *rc::gen::inRange(0, 3)));
      tilld::sandbox::json doc{{"id", id}, {"object", "customer"}, {"email", email}};
      const bool there = model.contains(id);
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          if (there) break;
          w.insert(kind::customer, std::move(doc));
          model[id] = email;
          break;
        case 1:
          if (!there) break;
          w.replace(kind::customer, std::move(doc));
          model[id] = email;
          break;
        default:
          if (there) w.leave_stub(kind::customer, id);
          model.erase(id);
          break;
      }
      for (const std::string value : {"0", "1", "2"}) {
        std::set<std::string> found;
        for (const auto* d : w.with(kind::customer, "email", value))
          found.insert((*d)["id"]);
        std::set<std::string> expected;
        for (const auto& [known, its] : model) {
          if (its == value) expected.insert(known);
        }
        RC_ASSERT(found == expected);
      }
    }
  }));
}
