#include "core/backoff.hpp"

#include <ctime>
#include <string>

#include <rapidcheck.h>

#include "support/catch.hpp"

using namespace tilld::core;

TEST_CASE("An HTTP date is read in all three forms of RFC 9110") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784'111'777);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784'111'777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == 784'111'777);
  CHECK(parse_http_date("Sun Nov 16 08:49:37 1994") == 784'975'777);
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT") == 1'709'251'199);
  CHECK(parse_http_date("Tuesday, 05-Jan-27 10:00:00 GMT") == 1'799'143'200);
  // A leap second is the last second of its minute.
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1'483'228'799);
}

TEST_CASE("What is not an HTTP date is not understood") {
  for (const char* text : {"",
                           "x",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           " Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 32 Nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Wed, 29 Feb 2023 00:00:00 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 06 Nov 1994 -8:49:37 GMT",
                           "Sun, 06 Nov 19940 08:49:37 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "2026-01-01T00:00:00Z",
                           "1767225600"}) {
    INFO(text);
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE("Every second of the calendar is read as the C library writes it") {
  const bool holds = rc::check("dates", [] {
    const std::time_t when = *rc::gen::inRange<std::time_t>(0, 7'000'000'000);
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    for (const char* form : {"%a, %d %b %Y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
      char text[64];
      std::strftime(text, sizeof text, form, &parts);
      RC_ASSERT(parse_http_date(text) == when);
    }
  });
  REQUIRE(holds);
}

TEST_CASE("No text can hurt the reader of dates") {
  const bool holds = rc::check("noise", [](std::string noise) {
    const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
    const auto at = *rc::gen::inRange<std::size_t>(0, date.size());
    (void)parse_http_date(noise);
    RC_ASSERT(!parse_http_date(date.substr(0, at)));
    std::string bent = date;
    bent.insert(at, noise);
    if (!noise.empty()) RC_ASSERT(!parse_http_date(bent) || bent.size() == date.size());
  });
  REQUIRE(holds);
}

TEST_CASE("Retry-After is seconds or a date, and ten minutes at most") {
  constexpr std::int64_t date_s = 784'111'777;
  CHECK(parse_retry_after("0", date_s) == 0);
  CHECK(parse_retry_after("7", date_s) == 7'000);
  CHECK(parse_retry_after("007", date_s) == 7'000);
  CHECK(parse_retry_after("600", date_s) == 600'000);
  CHECK(parse_retry_after("601", date_s) == 600'000);
  CHECK(parse_retry_after("99999999999999999999999", date_s) == 600'000);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:40 GMT", date_s) == 3'000);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:30 GMT", date_s) == 0);
  CHECK(parse_retry_after("Mon, 06 Nov 2094 08:49:30 GMT", date_s) == 600'000);
  CHECK_FALSE(parse_retry_after("Sun, 06 Nov 1994 08:49:40 GMT", 0));
  for (const char* text : {"", "-1", "+1", "1.5", "1e3", "soon", " 5", "5 ", "0x10"}) {
    INFO(text);
    CHECK_FALSE(parse_retry_after(text, date_s));
  }
}

TEST_CASE("The retry rule, row by row") {
  struct row {
    int status;
    const char* should_retry;
    bool again;
  };
  for (const row& r : std::initializer_list<row>{
           {200, "", false},    {201, "true", false},  {204, "", false},
           {302, "", false},    {400, "", false},      {400, "true", true},
           {401, "", false},    {402, "", false},      {403, "", false},
           {404, "", false},    {409, "", true},       {409, "false", false},
           {429, "", true},     {429, "false", false}, {429, "true", true},
           {500, "", true},     {500, "false", false}, {502, "", true},
           {503, "true", true}, {599, "", true},       {600, "", false},
           {424, "", false},    {500, "maybe", true},  {400, "TRUE", false}}) {
    INFO(r.status << " Stripe-Should-Retry: " << r.should_retry);
    CHECK(worth_retrying(r.status, r.should_retry) == r.again);
  }
}

TEST_CASE("The longest wait doubles up to its cap") {
  std::vector<std::int64_t> bounds;
  for (int tries = 1; tries <= 9; ++tries)
    bounds.push_back(backoff_bound_ms(tries, 500, 30'000));
  CHECK(bounds ==
        std::vector<std::int64_t>{500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000, 30'000});
  CHECK(backoff_bound_ms(1'000'000, 500, 30'000) == 30'000);
  CHECK(backoff_bound_ms(1, 500, 100) == 100);
}

TEST_CASE("Full jitter is spread evenly over its whole range and repeats with its seed") {
  std::mt19937_64 chance(7);
  std::mt19937_64 same(7);
  std::int64_t sum = 0;
  std::int64_t least = 1'000;
  std::int64_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t wait = full_jitter_ms(1'000, chance);
    REQUIRE(wait == full_jitter_ms(1'000, same));
    sum += wait;
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  CHECK(least == 0);
  CHECK(most == 1'000);
  CHECK(sum / 10'000 > 480);
  CHECK(sum / 10'000 < 520);
  CHECK(full_jitter_ms(0, chance) == 0);
}
