// The small parts: text of JSON, differences, ids, dates, money.
#include <rapidcheck.h>

#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/document.hpp"
#include "sandbox/machine/ids.hpp"
#include "sandbox/machine/money.hpp"
#include "support/catch.hpp"

using namespace tilld::sandbox;

namespace {

json any_json(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return *rc::gen::arbitrary<std::int64_t>();
    case 3:
      return *rc::gen::elementOf(std::vector<std::string>{"", "a", "\"", "\\", "{[,:]}", "ü\n"});
    case 4:
      return 12.5;
    case 5: {
      json list = json::array();
      for (int n = *rc::gen::inRange(0, 4); n > 0; --n)
        list.push_back(any_json(depth - 1));
      return list;
    }
    default: {
      json hash = json::object();
      for (int n = *rc::gen::inRange(0, 4); n > 0; --n) {
        hash[std::string(1, static_cast<char>('a' + n))] = any_json(depth - 1);
      }
      return hash;
    }
  }
}

}  // namespace

TEST_CASE("pretty() is what the JSON library prints with two blanks") {
  REQUIRE(rc::check("pretty(compact) = dump(2)", [] {
    const json value = any_json(4);
    RC_ASSERT(pretty(compact(value)) == value.dump(2));
  }));
}

TEST_CASE("What changed is named with what it was; hashes in part, arrays whole") {
  const json before = {{"a", 1}, {"h", {{"x", 1}, {"y", 2}}}, {"l", {1, 2}}, {"same", "s"}};
  const json after = {{"a", 2}, {"h", {{"x", 1}, {"z", 3}}}, {"l", {1, 3}}, {"same", "s"}};
  CHECK(previous_attributes(before, after) ==
        json{{"a", 1}, {"h", {{"y", 2}, {"z", nullptr}}}, {"l", {1, 2}}});
  CHECK(previous_attributes(before, before).is_null());
  CHECK(previous_attributes({{"h", nullptr}}, {{"h", {{"x", 1}}}}) == json{{"h", nullptr}});
  CHECK(previous_attributes({{"h", {{"x", 1}}}}, {{"h", nullptr}}) == json{{"h", {{"x", 1}}}});
}

TEST_CASE("Equal documents have no difference, different ones always one") {
  REQUIRE(rc::check("the difference is null exactly for equals", [] {
    json a = json::object();
    json b = json::object();
    for (const char* key : {"p", "q"}) {
      a[key] = any_json(2);
      b[key] = *rc::gen::arbitrary<bool>() ? a[key] : any_json(2);
    }
    const auto plain = [](const json& j) { return nlohmann::json::parse(j.dump()); };
    RC_ASSERT(previous_attributes(a, b).is_null() == (plain(a) == plain(b)));
  }));
}

TEST_CASE("Later ids of a kind are larger, none comes twice, and the seed decides them all") {
  for (const kind k : {kind::customer, kind::subscription, kind::coupon, kind::feature}) {
    id_mint one(7);
    id_mint two(7);
    id_mint other(8);
    std::string last;
    bool differs = false;
    for (int i = 0; i < 5000; ++i) {
      const std::string id = one.next(k);
      CHECK(id > last);
      CHECK(id == two.next(k));
      differs = differs || id != other.next(k);
      last = id;
    }
    CHECK(differs);
    CHECK(last.starts_with(row_of(k).prefix));
    CHECK(last.size() == row_of(k).prefix.size() + static_cast<std::size_t>(row_of(k).id_letters));
  }
}

TEST_CASE("Amounts are written as people write them") {
  CHECK(amount_text(2000, "usd") == "$20.00");
  CHECK(amount_text(5, "usd") == "$0.05");
  CHECK(amount_text(-1234, "eur") == "-€12.34");
  CHECK(amount_text(500, "jpy") == "¥500");
  CHECK(amount_text(1500, "chf") == "CHF 15.00");
  CHECK(amount_text(1500, "kwd") == "KWD 1.500");
  CHECK(is_currency("usd"));
  CHECK_FALSE(is_currency("usd,"));
  CHECK_FALSE(is_currency("sd,"));
  CHECK_FALSE(is_currency("USD"));
  CHECK(is_decimal("12.50"));
  CHECK_FALSE(is_decimal("1.2.3"));
  CHECK_FALSE(is_decimal("-1"));
  CHECK_FALSE(is_decimal(""));
}

TEST_CASE("A fee is 2.9 % and thirty") {
  CHECK(stripe_fee(1000) == 59);
  CHECK(stripe_fee(50) == 31);  // 1.45 is rounded down
}

TEST_CASE("Dates are told in UTC") {
  CHECK(date_text(0) == "01 Jan 1970");
  CHECK(date_text(1'772'236'799) == "27 Feb 2026");
  CHECK(year_of(1'767'225'599) == 2025);
  CHECK(month_of(1'767'225'599) == 12);
}
