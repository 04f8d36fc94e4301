#include "core/rate_limiter.hpp"

#include <deque>

#include <rapidcheck.h>

#include "support/catch.hpp"

using namespace tilld::core;

namespace {
adaptive_limit::bounds per_second(std::int64_t ceiling, std::int64_t floor = 1,
                                  std::int64_t recover = 1) {
  return {ceiling * 1000, floor * 1000, recover * 1000};
}

int take_all(token_bucket& bucket) {
  int taken = 0;
  while (bucket.has_token()) {
    bucket.take();
    ++taken;
  }
  return taken;
}
}  // namespace

TEST_CASE("A limit that is cut is halved, down to its floor") {
  adaptive_limit width(per_second(20, 2, 0));
  width.advance(0);
  CHECK(width.value() == 20'000);
  std::vector<std::int64_t> values;
  for (std::int64_t now = 1'000; now <= 5'000; now += 1'000) {
    CHECK(width.cut(now - 1, now));
    values.push_back(width.value());
  }
  CHECK(values == std::vector<std::int64_t>{10'000, 5'000, 2'500, 2'000, 2'000});
}

TEST_CASE("A crowd of refusals that left together cuts once") {
  adaptive_limit rate(per_second(100, 1, 0));
  rate.advance(0);
  CHECK(rate.cut(10, 200));
  for (std::int64_t sent = 11; sent <= 200; ++sent)
    CHECK_FALSE(rate.cut(sent, 200 + sent));
  CHECK(rate.value() == 50'000);
  CHECK(rate.cut(201, 401));
  CHECK(rate.value() == 25'000);
}

TEST_CASE("A limit recovers a little every second, up to its ceiling") {
  adaptive_limit rate(per_second(100, 1, 2));
  rate.advance(0);
  rate.cut(1, 10);
  rate.advance(1'010);
  CHECK(rate.value() == 52'000);
  rate.advance(11'010);
  CHECK(rate.value() == 72'000);
  rate.advance(1'000'000);
  CHECK(rate.value() == 100'000);
}

TEST_CASE("Recovery does not depend on how often one looks") {
  adaptive_limit often({25'000, 1'000, 416});
  adaptive_limit seldom({25'000, 1'000, 416});
  for (adaptive_limit* limit : {&often, &seldom}) {
    limit->advance(0);
    limit->cut(1, 1);
  }
  for (std::int64_t now = 2; now <= 20'001; ++now)
    often.advance(now);
  seldom.advance(20'001);
  CHECK(often.value() == 12'500 + 416 * 20);
  CHECK(seldom.value() == often.value());
}

TEST_CASE("A limit tells when it will have grown enough") {
  adaptive_limit width({20'000, 1'000, 500});
  width.advance(0);
  width.cut(1, 1);
  const std::int64_t when = width.reaches_at(11'000, 1);
  CHECK(when >= 2'001);
  CHECK(when <= 2'003);
  width.advance(when);
  CHECK(width.value() >= 11'000);
  CHECK(width.reaches_at(11'000, when) == when);
}

TEST_CASE("A bucket starts full, empties, and fills at its rate") {
  token_bucket bucket(per_second(25), 10);
  bucket.advance(1'000);
  CHECK(take_all(bucket) == 10);
  CHECK(bucket.token_at(1'000) == 1'040);
  bucket.advance(1'039);
  CHECK_FALSE(bucket.has_token());
  bucket.advance(1'040);
  CHECK(take_all(bucket) == 1);
  bucket.advance(2'040);
  CHECK(take_all(bucket) == 10);
  CHECK(bucket.token_at(2'040) == 2'080);
}

TEST_CASE("A bucket that is cut has no more than one token and half its rate") {
  token_bucket bucket(per_second(20, 1, 0), 20);
  bucket.advance(0);
  CHECK(bucket.is_full());
  CHECK(bucket.cut(1, 5));
  CHECK(take_all(bucket) == 1);
  bucket.advance(1'005);
  CHECK(take_all(bucket) == 10);
  CHECK_FALSE(bucket.is_full());
}

TEST_CASE("Time that stands still or goes back gives nothing") {
  token_bucket bucket(per_second(1000), 5);
  bucket.advance(10'000);
  CHECK(take_all(bucket) == 5);
  bucket.advance(10'000);
  bucket.advance(1);
  bucket.advance(10'000);
  CHECK_FALSE(bucket.has_token());
}

TEST_CASE("A pause of years does not overflow a bucket") {
  token_bucket bucket(per_second(1'000'000), 100);
  bucket.advance(0);
  CHECK(take_all(bucket) == 100);
  bucket.advance(300'000'000'000);
  CHECK(take_all(bucket) == 100);
}

TEST_CASE("In any window no more is taken than the rate allows and the burst") {
  const bool holds = rc::check("windows", [] {
    const auto rate = *rc::gen::inRange<std::int64_t>(1, 200);
    const auto burst = *rc::gen::inRange<std::int64_t>(1, 50);
    token_bucket bucket(per_second(rate, 1, *rc::gen::inRange<std::int64_t>(1, 50)), burst);
    std::vector<std::int64_t> taken;
    std::int64_t now = 0;
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 400));
    for (const int step : steps) {
      now += step / 4;
      bucket.advance(now);
      if (step % 37 == 0) bucket.cut(now - 1, now);
      for (int wanted = step % 9; wanted > 0 && bucket.has_token(); --wanted) {
        bucket.take();
        taken.push_back(now);
      }
    }
    for (std::size_t from = 0; from < taken.size(); ++from) {
      for (std::size_t to = from; to < taken.size(); ++to) {
        const auto count = static_cast<std::int64_t>(to - from + 1);
        RC_ASSERT(count * 1000 <= rate * (taken[to] - taken[from]) + burst * 1000);
      }
    }
  });
  REQUIRE(holds);
}

TEST_CASE("A token is there when the bucket said it would be") {
  const bool holds = rc::check("token_at", [] {
    token_bucket bucket(per_second(*rc::gen::inRange<std::int64_t>(1, 300)), 3);
    std::int64_t now = 0;
    bucket.advance(now);
    for (int i = 0; i < 20; ++i) {
      while (bucket.has_token())
        bucket.take();
      now = bucket.token_at(now);
      bucket.advance(now);
      RC_ASSERT(bucket.has_token());
    }
  });
  REQUIRE(holds);
}
