#include "sandbox/control/control.hpp"

#include "client.hpp"
#include "sandbox/control/moment.hpp"
#include "support/catch.hpp"

using tilld::sandbox::control;
using tilld::sandbox::moment_of;
using tilld::test::client;
using tilld::test::json;
using tilld::test::new_year_s;

namespace {

constexpr std::int64_t day_s = 86'400;

struct desk {
  client c;
  tilld::sandbox::faults mishaps{1};
  control calls{c.stripe, mishaps};

  json ask(const std::string& verb, const std::string& name, const std::string& body = {}) {
    const auto done = calls.handle(verb, "/_sandbox/" + name, body, c.now_s);
    REQUIRE(done);
    status = done->status;
    return json::parse(done->body);
  }
  int status = 0;
};

}  // namespace

TEST_CASE("Moments are seconds, dates, or spans by the calendar") {
  const std::int64_t may_31 = new_year_s + 150 * day_s;
  CHECK(moment_of("1767225600", 0) == new_year_s);
  CHECK(moment_of("2026-01-01", 0) == new_year_s);
  CHECK(moment_of("2026-01-02T01:00:05Z", 0) == new_year_s + day_s + 3605);
  CHECK(moment_of("1 month", may_31) == may_31 + 30 * day_s);
  CHECK(moment_of("+2 days 3 hours", new_year_s) == new_year_s + 2 * day_s + 3 * 3600);
  CHECK(moment_of("1 year", new_year_s) == new_year_s + 365 * day_s);
  for (const char* bad : {"", "month", "-1 day", "1 moon", "2026-02-30", "2026-01-01T25:00:00Z",
                          "1 day 2", "99999 years", "9999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(moment_of(bad, new_year_s));
  }
}

TEST_CASE("The clock can be frozen, advanced and released by a call") {
  desk d;
  d.c.subscription(d.c.customer(), d.c.price());
  CHECK(d.ask("GET", "clock")["now"] == new_year_s);
  CHECK(d.ask("POST", "clock", R"({"freeze": true})")["frozen"] == true);
  CHECK(d.ask("POST", "clock", R"({"advance": "1 month"})")["now"] == new_year_s + 31 * day_s);
  CHECK(d.c.get("/v1/invoices").body["data"].size() == 2);
  CHECK(d.ask("POST", "clock", R"({"advance": "2020-01-01"})").contains("error"));
  CHECK(d.status == 400);
  d.ask("POST", "clock", R"({"advance": true})");
  CHECK(d.status == 400);
  d.ask("POST", "clock", R"({"advnce": "1 month"})");
  CHECK(d.status == 400);
  d.ask("POST", "clock", "[]");
  CHECK(d.status == 400);
  CHECK(d.ask("POST", "clock", R"({"release": true})")["frozen"] == false);
}

TEST_CASE("Settings, snapshots, reset, seed and the ledger") {
  desk d;
  CHECK(d.ask("GET", "settings")["after_retries"] == "cancel");
  CHECK(d.ask("POST", "settings", R"({"after_retries": "unpaid"})")["after_retries"] == "unpaid");
  d.ask("POST", "settings", R"({"after_retries": "shrug"})");
  CHECK(d.status == 400);
  d.ask("POST", "settings", R"({"retry_dys": [1]})");
  CHECK(d.status == 400);
  d.ask("POST", "seed", R"({"customers": 5})");
  CHECK(d.ask("GET", "ledger")["usd"]["invoices"] == 10'000);
  CHECK(d.ask("GET", "ledger")["usd"]["charges"] == 10'000);
  const std::string before = d.c.stripe.dump();
  d.ask("POST", "snapshot", R"({"name": "five"})");
  d.ask("POST", "reset");
  CHECK(d.c.get("/v1/customers").body["data"].empty());
  d.ask("POST", "restore", R"({"name": "six"})");
  CHECK(d.status == 400);
  d.ask("POST", "restore", R"({"name": "five"})");
  CHECK(d.c.stripe.dump() == before);
  CHECK_FALSE(d.calls.handle("GET", "/_sandbox/nothing", "", d.c.now_s));
}

TEST_CASE("A customer's authentication is decided by a call") {
  desk d;
  const std::string customer = d.c.customer("pm_card_authenticationRequired");
  d.c.subscription(customer, d.c.price());
  const auto waiting = d.c.get("/v1/payment_intents").body["data"];
  REQUIRE(waiting[0]["status"] == "requires_action");
  const std::string intent = waiting[0]["id"];
  d.ask("POST", "authenticate", R"({"intent": "pi_no", "result": "pass"})");
  CHECK(d.status == 400);
  d.ask("POST", "authenticate", R"({"intent": ")" + intent + R"(", "result": "pass"})");
  CHECK(d.status == 200);
  CHECK(d.c.get("/v1/payment_intents/" + intent).body["status"] == "succeeded");
}
