#include "actors/decisions.hpp"

#include "support/catch.hpp"

using tilld::actors::decisions;

TEST_CASE("What was decided about an object since a moment is known") {
  decisions log;
  const auto first = log.now();
  CHECK(log.none_since(first, "customer", "cus_1"));
  log.note("customer", "cus_1");
  CHECK_FALSE(log.none_since(first, "customer", "cus_1"));
  CHECK(log.none_since(first, "customer", "cus_2"));
  CHECK(log.none_since(first, "subscription", "cus_1"));
  const auto second = log.now();
  CHECK(log.none_since(second, "customer", "cus_1"));
}

TEST_CASE("What is too long ago to be known counts as decided since") {
  decisions log;
  const auto moment = log.now();
  for (int i = 0; i < 2000; ++i)
    log.note("customer", "cus_" + std::to_string(i));
  CHECK_FALSE(log.none_since(moment, "customer", "never"));
  CHECK(log.none_since(log.now(), "customer", "cus_0"));
}
