#include "core/event_doubt.hpp"

#include "support/catch.hpp"

using tilld::core::doubt_of;

TEST_CASE("An object that still shows its previous attributes is stale") {
  CHECK(doubt_of(R"({"a":1,"b":2})", R"({"a":1})") == "stale");
  CHECK(doubt_of(R"({"a":2,"b":2})", R"({"a":1})").empty());
  CHECK(doubt_of(R"({"a":1,"b":2})", R"({"a":1,"b":3})").empty());
  CHECK(doubt_of(R"({"m":{"x":"1","y":"2"}})", R"({"m":{"x":"1"}})") == "stale");
  CHECK(doubt_of(R"({"m":{"x":"2","y":"2"}})", R"({"m":{"x":"1"}})").empty());
  CHECK(doubt_of(R"({"l":[1,2]})", R"({"l":[1,2]})") == "stale");
  CHECK(doubt_of(R"({"l":[1,2,3]})", R"({"l":[1,2]})").empty());
  CHECK(doubt_of(R"({"m":{}})", R"({"m":{"x":null}})") == "stale");
  CHECK(doubt_of(R"({"m":{"x":"1"}})", R"({"m":{"x":null}})").empty());
  CHECK(doubt_of(R"({"m":null})", R"({"m":{"x":1}})").empty());
}

TEST_CASE("Without previous attributes, and without JSON, nothing is doubted") {
  CHECK(doubt_of(R"({"a":1})", "").empty());
  CHECK(doubt_of(R"({"a":1})", "{}").empty());
  CHECK(doubt_of("", R"({"a":1})").empty());
  CHECK(doubt_of("{", R"({"a":1})").empty());
  CHECK(doubt_of(R"({"a":1})", "{").empty());
}

TEST_CASE("A list that says more and holds fewer than ten was cut by somebody") {
  CHECK(doubt_of(R"({"items":{"data":[1],"has_more":true}})", "") == "lists cut short");
  CHECK(doubt_of(R"({"items":{"data":[1],"has_more" : true}})", R"({"x":1})") == "lists cut short");
  CHECK(doubt_of(R"({"deep":[{"items":{"data":[],"has_more":true}}]})", "") == "lists cut short");
  CHECK(doubt_of(R"({"items":{"data":[1,2,3,4,5,6,7,8,9,10],"has_more":true}})", "").empty());
  CHECK(doubt_of(R"({"items":{"data":[1],"has_more":false}})", "").empty());
}
