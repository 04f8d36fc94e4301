// Slow and vanishing clients, in numbers.
#include <algorithm>
#include <atomic>
#include <thread>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.hpp"
#include "raw_client.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::http;
using namespace tilld::http::test;

namespace {

// How long an honest client waits, the 99th percentile of `count` requests.
std::chrono::microseconds honest_p99(const test_server& s, int count) {
  raw_client honest(s.port());
  std::vector<std::chrono::microseconds> took;
  for (int i = 0; i < count; ++i) {
    const auto began = std::chrono::steady_clock::now();
    REQUIRE(honest.ask(get("/ping")).status == 200);
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began));
  }
  std::ranges::sort(took);
  return took[took.size() * 99 / 100];
}

// A machine that is busy with other things spoils a measurement now and then, but not three.
std::chrono::microseconds best_honest_p99(const test_server& s, int count) {
  auto best = honest_p99(s, count);
  for (int again = 0; again < 2 && best >= 50ms; ++again)
    best = std::min(best, honest_p99(s, count));
  return best;
}

// UndefinedBehaviorSanitizer needs a descriptor to look at the logger's classes, and reports
// nonsense when there is none left.
struct quiet_log {
  quiet_log() { log::configure(log::level::error, false); }
  ~quiet_log() { log::configure(log::level::info, false); }
};

}  // namespace

TEST_CASE("hazard: slow-loris: a thousand drips and one honest client") {
  raise_descriptor_limit(8192);
  test_server s;
  std::vector<raw_client> drips;
  for (int i = 0; i < 1'000; ++i) {
    drips.emplace_back(s.port());
    REQUIRE(drips.back().connected());
  }
  const std::string head = get("/ping", "X-A: " + std::string(4'000, 'b') + "\r\n");
  std::atomic<bool> stop{false};
  std::jthread dripping([&] {
    for (std::size_t at = 0; !stop && at + 1 < head.size(); ++at) {
      for (raw_client& c : drips)
        c.send({&head[at], 1});
      std::this_thread::sleep_for(5ms);
    }
  });
  const auto p99 = best_honest_p99(s, 1'000);
  stop = true;
  INFO("p99 " << p99.count() << " us");
  CHECK(p99 < 50ms);
}

TEST_CASE("hazard: slow-loris: a head has five seconds in all, not per line") {
  test_server s([](listener_settings& l) { l.head_deadline_ms = 150; });
  raw_client c(s.port());
  const auto began = std::chrono::steady_clock::now();
  c.send("GET /ping HTTP/1.1\r\nHost: localhost\r\n");
  answer got;
  for (int line = 0; got.status == 0 && line < 60; ++line) {
    c.send("A:b\r\n");
    got = c.receive(20ms);
  }
  CHECK(got.status == 408);
  CHECK(got.body.find("head_too_slow") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - began < 1s);
  CHECK(c.closed_within(5s));
}

TEST_CASE("hazard: slow-loris: drips that hold every connection make room for who speaks") {
  test_server s([](listener_settings& l) { l.most_connections = 50; });
  std::vector<raw_client> drips;
  for (int i = 0; i < 50; ++i) {
    drips.emplace_back(s.port());
    drips.back().send("GET /pi");
  }
  std::this_thread::sleep_for(20ms);  // so that all of them have begun and none idles
  // A head is given a second before it counts as dribbling.
  CHECK(wait_for([&] { return raw_client(s.port()).ask(get("/ping")).status == 200; }));
}

TEST_CASE("hazard: a body that drips holds no worker") {
  test_server s;
  std::vector<raw_client> slow;
  for (int i = 0; i < 100; ++i) {
    slow.emplace_back(s.port());
    slow.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx");
  }
  CHECK(best_honest_p99(s, 500) < 50ms);
}

TEST_CASE("hazard: a length that is promised and not sent costs memory") {
  raise_descriptor_limit(8192);
  test_server s;
  const std::size_t before = resident_bytes();
  std::vector<raw_client> liars;
  for (int i = 0; i < 1'000; ++i) {
    liars.emplace_back(s.port());
    liars.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n");
  }
  CHECK(wait_for([&] { return s.count("tilld_http_connections", "listener") == 1'000; }));
  const std::size_t grown = std::max(resident_bytes(), before) - before;
  INFO("grown by " << grown);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(grown < (32u << 20));
#endif
}

TEST_CASE("hazard: a client that pipelines into an overload without a pause starves the others") {
  test_server s([](listener_settings& l) { l.most_in_flight = 1; });
  raw_client holds(s.port());
  holds.send(get("/later"));
  const responder kept = s.take_kept();
  std::atomic<bool> stop{false};
  std::jthread greedy([&] {
    raw_client c(s.port());
    std::string burst;
    for (int i = 0; i < 2'000; ++i)
      burst += get("/ping");
    std::vector<char> refusals(1 << 20);
    while (!stop) {
      (void)::send(c.fd(), burst.data(), burst.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      (void)::recv(c.fd(), refusals.data(), refusals.size(), MSG_DONTWAIT);
    }
  });
  raw_client honest(s.port());
  std::vector<std::chrono::steady_clock::duration> took;
  for (int i = 0; i < 21; ++i) {
    const auto began = std::chrono::steady_clock::now();
    REQUIRE(honest.ask(get("/ping")).status == 503);
    took.push_back(std::chrono::steady_clock::now() - began);
  }
  stop = true;
  // The best one waited for one turn of 64 refusals, 0.3 ms; without turns all wait for 6 ms and
  // more. The others also waited for this test's own threads.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  CHECK(std::ranges::min(took) < 20ms);
#else
  CHECK(std::ranges::min(took) < 4ms);
#endif
}

TEST_CASE("hazard: connections that come, break off and vanish leave nothing behind") {
  test_server s;
  for (int i = 0; i < 300; ++i) {
    raw_client c(s.port());
    switch (i % 6) {
      case 0:
        break;
      case 1:
        c.send("GET /pi");
        break;
      case 2:
        c.send(get("/ping"));
        break;
      case 3:
        c.send(post("/echo", std::string(1000, 'x')).substr(0, 600));
        break;
      case 4:
        c.send(get("/large"));
        break;
      case 5:
        c.send("garbage\r\n\r\n");
        break;
    }
    if (i % 2 == 0) c.reset();
  }
  CHECK(wait_for([&] {
    raw_client last(s.port());
    last.ask(get("/ping"));
    return s.count("tilld_http_connections", "listener") <= 2;
  }));
  CHECK(wait_for([&] { return s.server->in_flight() == 0; }));
}

TEST_CASE("hazard: accept runs out of descriptors and the listener dies") {
  const quiet_log here;
  test_server s;
  raw_client first(s.port());
  CHECK(first.ask(get("/ping")).status == 200);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  // Every descriptor that the process may have is in use but for one, which the client takes.
  rlimit low = before;
  const int next = ::dup(0);
  ::close(next);
  low.rlim_cur = static_cast<rlim_t>(next) + 1;
  ::setrlimit(RLIMIT_NOFILE, &low);
  raw_client c(s.port());
  REQUIRE(c.connected());
  c.send(get("/ping"));
  // The first connection idles, so it makes room.
  const answer got = c.receive();
  CHECK(first.closed_within(5s));
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(got.status == 200);
}

TEST_CASE("hazard: accept runs out of descriptors while nobody can make room") {
  const quiet_log here;
  test_server s;
  raw_client busy(s.port());
  busy.send(get("/later"));
  const responder kept = s.take_kept();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  const int next = ::dup(0);
  ::close(next);
  low.rlim_cur = static_cast<rlim_t>(next) + 1;
  ::setrlimit(RLIMIT_NOFILE, &low);
  raw_client waits(s.port());
  REQUIRE(waits.connected());
  waits.send(get("/ping"));
  CHECK(waits.receive(100ms).status == 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(waits.receive().body == "pong");
  kept(response{});
  CHECK(busy.receive().status == 200);
}
