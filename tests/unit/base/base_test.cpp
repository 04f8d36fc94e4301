#include <atomic>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/once.hpp"
#include "support/catch.hpp"

using namespace tilld;

TEST_CASE("hex is written in lower case and read in either") {
  CHECK(to_hex(std::string("\x00\xff\x10", 3)) == "00ff10");
  CHECK(*from_hex("00FF10") == std::string("\x00\xff\x10", 3));
  CHECK_FALSE(from_hex("0").has_value());
  CHECK_FALSE(from_hex("0g").has_value());
}

TEST_CASE("base64 is RFC 4648 with its padding, and nothing else") {
  // The test vectors of RFC 4648, section 10.
  const std::vector<std::pair<std::string, std::string>> rows{{"", ""},
                                                              {"f", "Zg=="},
                                                              {"fo", "Zm8="},
                                                              {"foo", "Zm9v"},
                                                              {"foob", "Zm9vYg=="},
                                                              {"fooba", "Zm9vYmE="},
                                                              {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : rows) {
    CHECK(to_base64(plain) == coded);
    CHECK(from_base64(coded) == plain);
  }
  for (const char* bad : {"Zg", "Zg=", "Z g=", "Zm9v\n", "Z===", "====", "Zm9*"}) {
    CHECK_FALSE(from_base64(bad).has_value());
  }
}

TEST_CASE("big-endian numbers sort as the numbers do") {
  std::string small, large;
  append_be64(small, 255);
  append_be64(large, 256);
  CHECK(small < large);
  CHECK(read_be64(large.data()) == 256);
}

TEST_CASE("SHA-256 is the one of FIPS 180-4") {
  CHECK(to_hex(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("random tokens differ, and are letters and digits") {
  const std::string a = random_token(), b = random_token();
  CHECK(a != b);
  CHECK(a.size() >= 32);
  for (unsigned char c : a)
    CHECK(std::isalnum(c));
}

TEST_CASE("equal in constant time is still equal") {
  CHECK(equal_constant_time("abc", "abc"));
  CHECK_FALSE(equal_constant_time("abc", "abd"));
  CHECK_FALSE(equal_constant_time("abc", "ab"));
}

TEST_CASE("an answer is given exactly once, whoever is first") {
  std::atomic<int> given{0};
  {
    const once<int> answer([&](int) { ++given; }, 0);
    std::vector<std::jthread> racers;
    for (int i = 0; i < 8; ++i)
      racers.emplace_back([answer, i] { answer(i); });
  }
  CHECK(given == 1);
}

TEST_CASE("an answer that everybody forgot is given by the last who held it") {
  int got = -1;
  {
    const once<int> first([&](int v) { got = v; }, 503);
    const once<int> copy = first;
    CHECK(got == -1);
  }
  CHECK(got == 503);
}

TEST_CASE("a log line is logfmt, and a stranger's bytes cannot forge one") {
  CHECK(log::render(log::level::info, "order_done", {{"order", "ord_1"}, {"status", 200}}) ==
        "level=info fact=order_done order=ord_1 status=200");
  const std::string line =
      log::render(log::level::warning, "refused", {{"why", "a b\nlevel=error \"x\" \x01"}});
  CHECK(line == "level=warning fact=refused why=\"a b\\nlevel=error \\\"x\\\" \\x01\"");
  CHECK(log::render(log::level::info, "x", {{"long", std::string(5000, 'a')}}).size() < 2100);
}

TEST_CASE("JSON strings are escaped as they must be") {
  std::string out;
  append_json_string(out, "a\"b\\c\nd\x02é");
  CHECK(out == "\"a\\\"b\\\\c\\nd\\u0002é\"");
}

TEST_CASE("metrics are shown in Prometheus' text format") {
  metrics counts;
  const auto first = counts.make_counter("tilld_x_total", "What it counts", {{"end", "a"}});
  const auto same = counts.make_counter("tilld_x_total", "What it counts", {{"end", "a"}});
  first.add();
  same.add(2);
  CHECK(first.value() == 3);
  const std::string text = counts.exposition();
  CHECK(text.find("# TYPE tilld_x_total counter") != std::string::npos);
  CHECK(text.find("tilld_x_total{end=\"a\"} 3") != std::string::npos);
}
