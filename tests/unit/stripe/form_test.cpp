#include "stripe/form.hpp"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::stripe;
using nlohmann::json;

namespace {

form_pairs decoded(std::string_view body) {
  auto pairs = decode_form(body);
  REQUIRE(pairs.has_value());
  return *pairs;
}

json nested(std::string_view body) {
  auto value = form_to_json(decoded(body));
  INFO(body);
  REQUIRE(value.has_value());
  return *value;
}

std::string refusal_of(std::string_view body) {
  const auto value = form_to_json(decoded(body));
  if (value) return "accepted: " + value->dump();
  CHECK(value.error().code == errc::invalid);
  return value.error().message;
}

// Text of a few alphabets, also the ones that need encoding.
rc::Gen<std::string> text() {
  const auto piece =
      rc::gen::element<std::string>("a", "Z", "0", "-", ".", "_", "~", " ", "+", "%", "&", "=", "[",
                                    "]", "/", "?", "\n", "ö", "€", "😀", "\x7f");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const auto& pieces) {
    std::string all;
    for (const auto& p : pieces)
      all += p;
    return all;
  });
}

rc::Gen<std::string> name() {
  return rc::gen::element<std::string>("price", "quantity", "items", "metadata", "card", "é",
                                       "x y");
}

// What a form can say: strings, lists that are not empty, hashes that are not empty.
json value_of_depth(int depth) {
  const int kind = depth == 0 ? 0 : *rc::gen::inRange(0, 3);
  if (kind == 0) return *text();
  const int size = *rc::gen::inRange(1, 4);
  json made = kind == 1 ? json::array() : json::object();
  for (int i = 0; i < size; ++i) {
    if (kind == 1) {
      made.push_back(value_of_depth(depth - 1));
    } else {
      const std::string key = *name();
      made[key] =
          key == "metadata" ? json{{"2024", *text()}, {"0", *text()}} : value_of_depth(depth - 1);
    }
  }
  return made;
}

}  // namespace

TEST_CASE("a form is read pair by pair, in order, duplicates kept") {
  CHECK(decoded("a=1&b=2&a=3") == form_pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}});
  CHECK(decoded("").empty());
  CHECK(decoded("&&").empty());
  CHECK(decoded("a") == form_pairs{{"a", ""}});
  CHECK(decoded("a=") == form_pairs{{"a", ""}});
  CHECK(decoded("=b") == form_pairs{{"", "b"}});
  CHECK(decoded("a=b=c") == form_pairs{{"a", "b=c"}});
  CHECK(decoded("a+b=c+d%2Be") == form_pairs{{"a b", "c d+e"}});
  CHECK(decoded("expand%5B%5D=data.customer") == form_pairs{{"expand[]", "data.customer"}});
  CHECK(decoded("n=%c3%B6") == form_pairs{{"n", "ö"}});
}

TEST_CASE("what is no form is refused") {
  for (const auto* body :
       {"a=%", "a=%2", "a=%2g", "%zz=1", "a=%00", "a=%ff", "a=\xff", "a=%c3", "a=%ed%a0%80"}) {
    INFO(body);
    const auto pairs = decode_form(body);
    REQUIRE_FALSE(pairs.has_value());
    CHECK(pairs.error().code == errc::invalid);
  }
  CHECK_FALSE(decode_form(std::string("a=\0", 3)).has_value());
  std::string many;
  for (int i = 0; i < 10'000; ++i)
    many += "a=&";
  CHECK(decode_form(many).has_value());
  CHECK_FALSE(decode_form(many + "a").has_value());
}

TEST_CASE("brackets stay readable in keys and are encoded in values") {
  CHECK(encode_form({{"items[0][price]", "price_1"}, {"metadata[a b]", "[ö&=+]"}}) ==
        "items[0][price]=price_1&metadata[a%20b]=%5B%C3%B6%26%3D%2B%5D");
  CHECK(encode_form({}).empty());
  CHECK(percent_encode("Az09-._~ /?#") == "Az09-._~%20%2F%3F%23");
}

TEST_CASE("a plus is a blank in forms and a plus in paths") {
  CHECK(percent_decode("a+b%20c", true).value() == "a b c");
  CHECK(percent_decode("a+b%20c", false).value() == "a+b c");
}

TEST_CASE("keys nest as Stripe's SDKs write them") {
  CHECK(nested("a[b][c]=v") == R"({"a": {"b": {"c": "v"}}})"_json);
  CHECK(nested("items[0][price]=p&items[0][quantity]=2&items[1][price]=q") ==
        R"({"items": [{"price": "p", "quantity": "2"}, {"price": "q"}]})"_json);
  CHECK(nested("items[1]=b&items[0]=a") == R"({"items": ["a", "b"]})"_json);
  CHECK(nested("expand[]=a&expand[]=b") == R"({"expand": ["a", "b"]})"_json);
  CHECK(nested("items[][price]=p&items[][quantity]=2&items[][price]=q") ==
        R"({"items": [{"price": "p", "quantity": "2"}, {"price": "q"}]})"_json);
  CHECK(nested("items[][a][b]=1&items[][a][c]=2&items[][a][b]=3") ==
        R"({"items": [{"a": {"b": "1", "c": "2"}}, {"a": {"b": "3"}}]})"_json);
  CHECK(nested("coupon=&metadata[k]=") == R"({"coupon": "", "metadata": {"k": ""}})"_json);
  CHECK(nested("created[gte]=5&created[lt]=9") == R"({"created": {"gte": "5", "lt": "9"}})"_json);
  CHECK(nested("a=1&a=2") == R"({"a": "2"})"_json);
  CHECK(nested("a[b]=1&a[b]=2") == R"({"a": {"b": "2"}})"_json);
  CHECK(nested("a[007]=x&a[01]=y") == R"({"a": {"007": "x", "01": "y"}})"_json);
  CHECK(nested("a[0]=x&a[b]=y") == R"({"a": {"0": "x", "b": "y"}})"_json);
  CHECK(nested("").dump() == "{}");
}

TEST_CASE("the names in metadata are the application's, numbers too") {
  CHECK(nested("metadata[2024]=x&metadata[0]=y") ==
        R"({"metadata": {"2024": "x", "0": "y"}})"_json);
  CHECK(nested("items[0][metadata][7]=x") == R"({"items": [{"metadata": {"7": "x"}}]})"_json);
}

TEST_CASE("keys that contradict each other are refused") {
  for (const auto* body : {"a=1&a[b]=2", "a[b]=2&a=1", "a[0]=1&a[]=2", "a[]=1&a[0]=2", "a[]=1&a=2",
                           "a[b]=1&a[b][c]=2"}) {
    INFO(body);
    CHECK(refusal_of(body).ends_with("is given as two kinds of value"));
  }
  for (const auto* body : {"a[=1", "a]=1", "a[b=1", "a[b]c=1", "a[b]]=1", "a[b[c]]=1", "[a]=1",
                           "=1", "[]=1", "a[b][=1"}) {
    INFO(body);
    CHECK(refusal_of(body).ends_with("has brackets that do not pair up"));
  }
  CHECK(refusal_of("a[1]=x") == "an array has holes: index 1 is too far");
  CHECK(refusal_of("a[0]=x&a[2]=x") == "an array has holes: index 2 is too far");
  CHECK(refusal_of("a[1000]=x") == "an array index is over 999");
  CHECK(refusal_of("a[99999999999999999999999]=x") == "an array index is over 999");
  CHECK(refusal_of("a[1][2][3][4][5][6][7][8]=x").ends_with("is nested over 8 deep"));
  CHECK(refusal_of(std::string(5'000, 'k') + "[=1").size() < 200);
}

TEST_CASE("an array holds a thousand entries") {
  std::string body;
  for (int i = 999; i >= 0; --i)
    body += "a[" + std::to_string(i) + "]=" + std::to_string(i) + '&';
  const json made = nested(body);
  REQUIRE(made["a"].size() == 1000);
  CHECK(made["a"][999] == "999");
}

TEST_CASE("JSON becomes a form as the SDKs would write it") {
  CHECK(json_to_form(R"({
          "items": [{"price": "p", "quantity": 2}], "cancel": true, "coupon": null,
          "expand": ["a", "b"], "none": [], "metadata": {}, "percent": 2.5})"_json) ==
        form_pairs{{"cancel", "true"},
                   {"coupon", ""},
                   {"expand[0]", "a"},
                   {"expand[1]", "b"},
                   {"items[0][price]", "p"},
                   {"items[0][quantity]", "2"},
                   {"none", ""},
                   {"percent", "2.5"}});
  CHECK(json_to_form(json::object()).empty());
}

TEST_CASE("a bottomless JSON document does not take the encoder down") {
  const std::string text = "{\"a\":" + std::string(50'000, '[') + std::string(50'000, ']') + "}";
  CHECK(json_to_form(json::parse(text)).empty());
}

TEST_CASE("what is encoded is decoded to the same pairs") {
  REQUIRE(rc::check([] {
    const auto pairs = *rc::gen::container<form_pairs>(rc::gen::pair(text(), text()));
    const auto back = decode_form(encode_form(pairs));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == pairs);
  }));
}

TEST_CASE("a nested value survives the way through a form") {
  REQUIRE(rc::check([] {
    json value = json::object();
    const int size = *rc::gen::inRange(0, 4);
    for (int i = 0; i < size; ++i)
      value[std::to_string(i) + 'p'] = value_of_depth(4);
    const auto pairs = decode_form(encode_form(json_to_form(value)));
    RC_ASSERT(pairs.has_value());
    const auto back = form_to_json(*pairs);
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == value);
  }));
}

TEST_CASE("percent-encoding is undone by percent-decoding") {
  REQUIRE(rc::check([] {
    const std::string original = *text();
    RC_ASSERT(percent_decode(percent_encode(original), false).value() == original);
    RC_ASSERT(percent_decode(percent_encode(original), true).value() == original);
  }));
}
