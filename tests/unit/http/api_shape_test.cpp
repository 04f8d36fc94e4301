#include <nlohmann/json.hpp>

#include "http/api/shape.hpp"
#include "support/catch.hpp"

using namespace tilld::http::api;
using nlohmann::json;

namespace {

shape sample() {
  return object({needed("name", text("").within(1, 5)), maybe("mail", email("").or_null()),
                 maybe("back", url("")), maybe("count", integer("").within(1, 9)),
                 maybe("kind", choice({"a", "b", "c"}, "")), maybe("on", truth("")),
                 maybe("tags", list_of(text("")).within(0, 2)),
                 maybe("more", map_of(integer("")))});
}

// "pointer: message" of each, in their order.
std::vector<std::string> faults_of(const json& value) {
  std::vector<fault> all;
  check(sample(), value, "", all);
  std::vector<std::string> told;
  for (const auto& one : all)
    told.push_back(one.pointer + ": " + one.message);
  return told;
}

using faults = std::vector<std::string>;

}  // namespace

TEST_CASE("A value of its shape has no faults") {
  CHECK(faults_of({{"name", "Ada"}}).empty());
  CHECK(faults_of({{"name", "Ada"},
                   {"mail", "a@b"},
                   {"back", "https://x/y"},
                   {"count", 9},
                   {"kind", "c"},
                   {"on", false},
                   {"tags", {"x", "y"}},
                   {"more", {{"a", 1}}}})
            .empty());
  CHECK(faults_of({{"name", "äöüßé"}, {"mail", nullptr}}).empty());  // characters, not bytes
}

TEST_CASE("All faults are told at once, each with its pointer") {
  CHECK(faults_of(json::array()) == faults{": must be an object"});
  CHECK(faults_of(json::object()) == faults{"/name: is required"});
  CHECK(faults_of({{"name", "too long"},
                   {"mail", "nobody"},
                   {"back", "ftp://x"},
                   {"count", 0},
                   {"kind", "d"},
                   {"on", "true"},
                   {"tags", {"x", 1, "z"}},
                   {"more", {{"a/b~c", "1"}}},
                   {"strange", 1}}) ==
        faults{"/name: must be at most 5 characters long", "/mail: must be an email address",
               "/back: must be a URL that begins with https:// or http://",
               "/count: must be at least 1", "/kind: must be \"a\", \"b\" or \"c\"",
               "/on: must be true or false", "/tags: must be at most 2 long",
               "/tags/1: must be a string", "/more/a~1b~0c: must be an integer",
               "/strange: is not known here"});
  CHECK(faults_of({{"name", nullptr}, {"count", 1.5}}) ==
        faults{"/name: must be a string", "/count: must be an integer"});
  CHECK(faults_of({{"name", "x"}, {"count", 18446744073709551615u}}) ==
        faults{"/count: is too large"});
  CHECK(faults_of({{"name", "x"}, {"mail", "a b@c"}}) == faults{"/mail: must be an email address"});
}

TEST_CASE("What a query writes is read by its shape") {
  CHECK(from_text(integer(""), "-7") == json(-7));
  CHECK_FALSE(from_text(integer(""), "7x"));
  CHECK_FALSE(from_text(integer(""), ""));
  CHECK_FALSE(from_text(integer(""), "99999999999999999999"));
  CHECK(from_text(truth(""), "true") == json(true));
  CHECK_FALSE(from_text(truth(""), "1"));
  CHECK(from_text(text(""), "1") == json("1"));
}

TEST_CASE("The schema says what the check does") {
  json named = json::object();
  const json schema = schema_of(sample(), named);
  CHECK(named.empty());
  CHECK(schema["required"] == json::array({"name"}));
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["properties"]["name"]["maxLength"] == 5);
  CHECK(schema["properties"]["mail"]["type"] == json::array({"string", "null"}));
  CHECK(schema["properties"]["count"]["maximum"] == 9);
  CHECK(schema["properties"]["tags"]["maxItems"] == 2);
  CHECK(schema["properties"]["kind"]["enum"] == json::array({"a", "b", "c"}));
  CHECK(schema["properties"]["more"]["additionalProperties"]["type"] == "integer");
}

TEST_CASE("A shape with a name is written once and referred to") {
  const shape inner = object({needed("a", text(""))}).with_more().called("Inner");
  shape nullable = inner;
  nullable.may_be_null = true;
  json named = json::object();
  const json schema = schema_of(object({needed("x", inner), needed("y", nullable)}), named);
  CHECK(named.size() == 1);
  CHECK_FALSE(named["Inner"].contains("additionalProperties"));
  CHECK(schema["properties"]["x"] == json{{"$ref", "#/components/schemas/Inner"}});
  CHECK(schema["properties"]["y"]["anyOf"][1] == json{{"type", "null"}});
}
