#include "core/breaker.hpp"

#include "support/catch.hpp"

using namespace tilld::core;
using position = breaker::position;

namespace {
struct fixture {
  breaker b{breaker::rules{3, 1'000, 8'000}};
  std::mt19937_64 chance{1};
  void fail_now(std::int64_t now) { b.failed(b.leave(), now, chance); }
};
}  // namespace

TEST_CASE("The breaker opens after so many failures in a row, and not before") {
  fixture f;
  f.fail_now(0);
  f.fail_now(0);
  f.b.succeeded(f.b.leave());
  f.fail_now(0);
  f.fail_now(0);
  CHECK(f.b.at(0) == position::closed);
  CHECK(f.b.allows(0));
  f.fail_now(0);
  CHECK(f.b.at(0) == position::open);
  CHECK_FALSE(f.b.allows(0));
}

TEST_CASE("When its time is over one probe may leave, and its success closes the breaker") {
  fixture f;
  for (int i = 0; i < 3; ++i)
    f.fail_now(0);
  const std::int64_t until = f.b.opens_until_ms();
  CHECK(until >= 500);
  CHECK(until <= 1'000);
  CHECK_FALSE(f.b.allows(until - 1));
  CHECK(f.b.allows(until));
  CHECK(f.b.at(until) == position::half_open);
  const auto probe = f.b.leave();
  CHECK_FALSE(f.b.allows(until));
  CHECK_FALSE(f.b.allows(until + 1'000'000));
  f.b.succeeded(probe);
  CHECK(f.b.at(until) == position::closed);
  CHECK(f.b.failures_in_a_row() == 0);
  CHECK(f.b.opens_until_ms() == 0);
  f.fail_now(until);
  CHECK(f.b.at(until) == position::closed);
}

TEST_CASE("A probe that fails opens the breaker for twice as long, up to the cap") {
  fixture f;
  for (int i = 0; i < 3; ++i)
    f.fail_now(0);
  std::int64_t now = f.b.opens_until_ms();
  for (const std::int64_t whole : {2'000, 4'000, 8'000, 8'000, 8'000}) {
    REQUIRE(f.b.allows(now));
    f.fail_now(now);
    const std::int64_t wait = f.b.opens_until_ms() - now;
    CHECK(wait >= whole / 2);
    CHECK(wait <= whole);
    now = f.b.opens_until_ms();
  }
  f.b.succeeded(f.b.leave());
  for (int i = 0; i < 3; ++i)
    f.fail_now(now);
  CHECK(f.b.opens_until_ms() - now <= 1'000);
}

TEST_CASE("The ends of requests from before it opened do not count") {
  fixture f;
  const auto early = f.b.leave();
  for (int i = 0; i < 3; ++i)
    f.fail_now(0);
  const std::int64_t until = f.b.opens_until_ms();
  f.b.failed(early, 100, f.chance);
  CHECK(f.b.opens_until_ms() == until);
  f.b.succeeded(early);
  CHECK(f.b.at(100) == position::open);
  const auto probe = f.b.leave();
  f.b.failed(early, until, f.chance);
  CHECK_FALSE(f.b.allows(until));
  f.b.succeeded(probe);
  CHECK(f.b.at(until) == position::closed);
  // The probe's era is over, too.
  f.b.failed(probe, until, f.chance);
  CHECK(f.b.failures_in_a_row() == 0);
}

TEST_CASE("A probe that never left makes room for another") {
  fixture f;
  for (int i = 0; i < 3; ++i)
    f.fail_now(0);
  const std::int64_t until = f.b.opens_until_ms();
  const auto early = breaker::era{0};
  const auto probe = f.b.leave();
  f.b.told_nothing(early);
  CHECK_FALSE(f.b.allows(until));
  f.b.told_nothing(probe);
  CHECK(f.b.allows(until));
  CHECK(f.b.at(until) == position::half_open);
}
