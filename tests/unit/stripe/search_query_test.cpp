#include "stripe/search_query.hpp"

#include <map>
#include <string>

#include <rapidcheck.h>

#include "support/catch.hpp"

using namespace tilld::stripe::search;

namespace {

using members = std::map<std::string, std::string>;  // "metadata/key" for metadata

bool found(const std::string& resource, const std::string& text, const members& object) {
  const auto q = parse(resource, text);
  INFO(text << (q ? "" : ": " + q.error().message));
  REQUIRE(q.has_value());
  return holds(*q, [&](std::string_view path, std::string_view key) {
    const auto it =
        object.find(std::string(path) + (path == "metadata" ? "/" + std::string(key) : ""));
    return it == object.end() ? std::nullopt : std::optional(it->second);
  });
}

// Documentation: https://docs.stripe.com/search#search-query-language
struct example {
  const char* resource;
  const char* text;
  members fitting;
  members unfitting;
};

const members amy = {{"email", "amy@rocketrides.io"}, {"metadata/key", "value"}};

}  // namespace

TEST_CASE("Stripe's own examples of queries find what they say") {
  const example examples[] = {
      {"customers", R"(email:"amy@rocketrides.io")", amy, {{"email", "bob@rocketrides.io"}}},
      {"customers", R"(email:"AMY@rocketrides.io")", amy, {}},
      {"customers",
       R"(email:"amy@rocketrides.io" metadata["key"]:"value")",
       amy,
       {{"email", "amy@rocketrides.io"}}},
      {"customers", R"(-email:"amy@rocketrides.io")", {{"email", "bob@x.io"}}, amy},
      {"customers", R"(-email:"amy@rocketrides.io")", {}, amy},
      {"customers", R"(email~"amy")", {{"email", "xamy@a.b"}}, {{"email", "am@y.io"}}},
      {"customers", R"(-metadata["donation-id"]:null)", {{"metadata/donation-id", "1"}}, {}},
      {"payment_intents",
       R"(status:"succeeded" AND amount:500)",
       {{"status", "succeeded"}, {"amount", "500"}},
       {{"status", "succeeded"}, {"amount", "501"}}},
      {"payment_intents",
       R"(currency:"usd" OR currency:"eur")",
       {{"currency", "eur"}},
       {{"currency", "jpy"}}},
      {"payment_intents", R"(-currency:"jpy")", {{"currency", "usd"}}, {{"currency", "jpy"}}},
      {"products", R"(url:null)", {}, {{"url", "https://x.io"}}},
      {"products", R"(url:NULL)", {}, {{"url", "https://x.io"}}},
      {"products",
       R"(description:"the story called \"The Sky and the Sea.\"")",
       {{"description", R"(the story called "The Sky and the Sea.")"}},
       {{"description", "the story called"}}},
      {"charges", R"(amount>="10")", {{"amount", "10"}}, {{"amount", "9"}}},
      {"charges",
       R"(payment_method_details.card.last4:4242)",
       {{"payment_method_details.card.last4", "4242"}},
       {{"payment_method_details.card.last4", "4444"}}},
      {"charges", R"(disputed:"true")", {{"disputed", "true"}}, {{"disputed", "false"}}},
      {"invoices",
       R"(total>999 AND metadata['order_id']:'6735')",
       {{"total", "1000"}, {"metadata/order_id", "6735"}},
       {{"total", "999"}, {"metadata/order_id", "6735"}}},
      {"invoices",
       R"(subscription:"sub_1")",
       {{"parent.subscription_details.subscription", "sub_1"}},
       {}},
      {"invoices",
       R"(last_finalization_error_code:null)",
       {},
       {{"last_finalization_error.code", "x"}}},
      {"prices",
       R"(active:'true' lookup_key~'gold')",
       {{"active", "true"}, {"lookup_key", "the_gold_one"}},
       {{"active", "true"}}},
      {"subscriptions",
       R"(canceled_at<1700000000 or status:'active')",
       {{"status", "active"}},
       {{"status", "canceled"}, {"canceled_at", "1700000000"}}},
      {"customers", R"( name:'it\'s \\ me' )", {{"name", R"(it's \ me)"}}, {{"name", "it's me"}}},
      {"customers", R"(name:"a \n b")", {{"name", R"(a \n b)"}}, {{"name", "a n b"}}},
      {"customers", R"(created<=5 created>-5)", {{"created", "5"}}, {{"created", "-5"}}},
      {"customers", R"(name:"ÄMY")", {{"name", "Ämy"}}, {{"name", "ämy"}}},
      {"customers", R"(name:"a AND b" AND -name:"c")", {{"name", "A and B"}}, {{"name", "c"}}},
  };
  for (const auto& e : examples) {
    CHECK(found(e.resource, e.text, e.fitting));
    CHECK_FALSE(found(e.resource, e.text, e.unfitting));
  }
}

TEST_CASE("What is wrong with a query is said, with the place") {
  struct row {
    const char* text;
    std::size_t at;
    const char* part;
  };
  const row rows[] = {
      {"", 0, "the query is empty"},
      {"   ", 3, "the query is empty"},
      {"asdf", 4, "one of : ~ > < >= <="},
      {"email", 5, "We were unable to parse your search query."},
      {"email :'a'", 5, "must follow the field at once"},
      {"email: 'a'", 6, "a value must follow the operator at once"},
      {"email:amy", 6, "must stand in quotation marks"},
      {"email:'amy", 6, "no closing one"},
      {"email:'amy'name:'x'", 11, "a blank must stand between two clauses"},
      {"email:'amy' and", 15, "a clause must follow and"},
      {"AND email:'amy'", 3, "one of : ~"},
      {"email:'a' AND name:'b' OR name:'c'", 23, "cannot stand in one query"},
      {"email:'a' name:'b' OR name:'c'", 19, "cannot stand in one query"},
      {"email:'a' OR name:'b' name:'c'", 22, "cannot stand in one query"},
      {"(email:'a')", 0, "the name of a field"},
      {"--email:'a'", 1, "the name of a field"},
      {"metadata:'a'", 8, "metadata needs a key"},
      {"metadata[a]:'a'", 9, "a key must stand in quotation marks"},
      {"metadata['a':'a'", 12, "] must follow"},
      {"metadata['a']~'abc'", 13, "does not support the operator `~`; it supports `:` alone"},
      {"foo:'bar'", 0, "Field `foo` is an unsupported search field for resource `customers`."},
      {"email:'a' foo:'bar'", 10, "`foo` is an unsupported"},
      {"email>'a'", 5, "does not support the operator `>`; it supports `:` and `~`"},
      {"email='a'", 5, "does not support the operator `=`"},
      {"created~'123'", 7, "does not support the operator `~`"},
      {"created>'abc'", 8, "`abc` is no whole number"},
      {"created>1.5", 8, "no whole number"},
      {"created>99999999999999999999", 8, "no whole number"},
      {"created>null", 7, "`null` can only be searched for with `:`"},
      {"email~null", 5, "`null` can only be searched for with `:`"},
      {"email~'am'", 6, "at least 3 characters"},
      {"created:1 created:1 created:1 created:1 created:1 created:1 created:1 created:1 created:1 "
       "created:1 created:1",
       100, "at most 10 clauses"},
  };
  for (const auto& r : rows) {
    INFO(r.text);
    const auto q = parse("customers", r.text);
    REQUIRE_FALSE(q.has_value());
    CHECK(q.error().at == r.at);
    INFO(q.error().message);
    CHECK(q.error().message.find(r.part) != std::string::npos);
  }
  CHECK_FALSE(parse("coupons", "name:'a'").has_value());
}

TEST_CASE("Each resource has its fields, and no others") {
  CHECK(fields_of("customers").size() == 5);
  CHECK(fields_of("charges").size() == 9 + 3 * 7);
  CHECK(fields_of("coupons").empty());
  CHECK_FALSE(parse("subscriptions", "customer:'cus_1'").has_value());
  CHECK_FALSE(parse("charges", "payment_method_details.ideal.last4:1").has_value());
}

namespace {

// Of pieces that queries are made of, so that the depths of the parser are reached.
rc::Gen<std::string> scrap() {
  const auto piece = rc::gen::element<std::string>(
      "email", "created", "metadata", "[", "]", "'", "\"", ":", "~", ">", "<=", "-", " ", " AND ",
      " or ", "null", "12", "abc", "\\", "(", "\xc3\xa4", "\xff", std::string(1, '\0'),
      "metadata['k']:'v'", "email:'a@b.c'", "created>=5");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const auto& pieces) {
    std::string all;
    for (const auto& p : pieces)
      all += p;
    return all;
  });
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

TEST_CASE("Any text is a query or has its fault at a place within it") {
  REQUIRE(rc::check("scraps of queries", [](const std::string& noise) {
    for (const std::string& text : {*scrap(), noise}) {
      const auto q = parse("customers", text);
      if (q) {
        RC_ASSERT(!q->clauses.empty() && q->clauses.size() <= 10);
        holds(*q, [](std::string_view, std::string_view) { return "12"; });
      } else {
        RC_ASSERT(q.error().at <= text.size());
        RC_ASSERT(!q.error().message.empty());
      }
    }
  }));
}

TEST_CASE("Whatever text an object holds, its quoted copy finds it") {
  REQUIRE(rc::check("quoting", [](const std::string& text) {
    const auto q = parse("customers", "metadata[" + quoted(text) + "]:" + quoted(text));
    RC_ASSERT(q.has_value());
    RC_ASSERT(q->clauses.front().key == text);
    RC_ASSERT(holds(*q, [&](std::string_view, std::string_view) { return text; }));
    RC_ASSERT(!holds(*q, [&](std::string_view, std::string_view) { return text + "x"; }));
  }));
}
