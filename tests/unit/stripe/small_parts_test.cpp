#include <set>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "stripe/ids.hpp"
#include "stripe/json_fault.hpp"
#include "stripe/key_set.hpp"
#include "stripe/utc_time.hpp"
#include "support/catch.hpp"

using namespace tilld::stripe;

TEST_CASE("an id is 1 to 255 bytes without control characters, and opaque otherwise") {
  CHECK(valid_id("cus_QXg1o8vcGmoR32"));
  CHECK(valid_id("25 % off – größer"));
  CHECK(valid_id("a/b?c#d"));
  CHECK(valid_id(std::string(255, 'x')));
  CHECK_FALSE(valid_id(std::string(256, 'x')));
  CHECK_FALSE(valid_id(""));
  CHECK_FALSE(valid_id("a\nb"));
  CHECK_FALSE(valid_id("a\x7f"));
  CHECK_FALSE(valid_id(std::string(1, '\0')));
  CHECK_FALSE(valid_id("tab\t"));
}

TEST_CASE("a time of version 2 is read to the second") {
  CHECK(parse_utc("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_utc("2000-02-29T12:34:56.789Z") == 951'827'696);
  CHECK(parse_utc("2024-08-28T20:54:12.051Z") == 1'724'878'452);
  CHECK(parse_utc("2024-08-28T20:54:12.051000001Z") == 1'724'878'452);
  CHECK(parse_utc("9999-12-31T23:59:59Z") == 253'402'300'799);
  CHECK(parse_utc("1969-12-31T23:59:59Z") == -1);
}

TEST_CASE("no other spelling of a time is taken") {
  for (const auto* text :
       {"", "Z", "2024-08-28", "2024-08-28T20:54:12", "2024-08-28T20:54:12+00:00",
        "2024-08-28 20:54:12Z", "2024-8-28T20:54:12.1Z", "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z", "2024-08-28T24:00:00Z", "2024-08-28T20:60:12Z",
        "2024-08-28T20:54:61Z", "2024-08-28T20:54:12.Z", "2024-08-28T20:54:12.x1Z",
        "2024-08-28T20:54:12,1Z", "-024-08-28T20:54:12Z", "2024-08-28T2 :54:12Z",
        "2024-08-28t20:54:12z"}) {
    INFO(text);
    CHECK_FALSE(parse_utc(text).has_value());
  }
}

TEST_CASE("a text that is JSON has no fault, another one has it at its first wrong byte") {
  CHECK_FALSE(first_fault(R"({"a": [1, "x", null, true, 1e5, {}]})").has_value());
  CHECK(first_fault("{\"a\": x}") == 6);
  CHECK(first_fault("{} {}") == 3);
  CHECK(first_fault("[1,]") == 3);
  CHECK(first_fault("") == 0);
  CHECK_FALSE(first_fault(std::string(100'000, '[') + std::string(100'000, ']')).has_value());
  CHECK(first_fault(std::string(100'000, '[')) == 100'000);
}

TEST_CASE("a set of keys knows which it has seen") {
  REQUIRE(rc::check([] {
    // Few letters and two lengths around eight, so that many keys share their hash.
    const auto key = rc::gen::container<std::string>(rc::gen::element('a', 'b', '\0'));
    const auto keys = *rc::gen::container<std::vector<std::string>>(key);
    static key_set seen;
    seen.clear();
    std::set<std::string> expected;
    for (const auto& k : keys)
      RC_ASSERT(seen.insert(k) == expected.insert(k).second);
  }));
}

TEST_CASE("a set of keys grows") {
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i)
    keys.push_back("key_" + std::to_string(i));
  key_set seen;
  for (const auto& key : keys)
    REQUIRE(seen.insert(key));
  for (const auto& key : keys)
    REQUIRE_FALSE(seen.insert(key));
  seen.clear();
  CHECK(seen.insert("key_1"));
}
