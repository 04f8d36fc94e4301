// Overload, too many connections, deadlines, draining and the end.
#include <algorithm>
#include <array>
#include <thread>

#include <sys/socket.h>

#include "raw_client.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::http;
using namespace tilld::http::test;

namespace {

response saying(std::string body) {
  response out;
  out.body = std::move(body);
  return out;
}

}  // namespace

TEST_CASE(
    "past the limit of requests in flight the answer is 503 at once, and the client may stay") {
  test_server s([](listener_settings& l) { l.most_in_flight = 2; });
  raw_client a(s.port());
  raw_client b(s.port());
  a.send(get("/later"));
  const responder first = s.take_kept();
  b.send(get("/later"));
  const responder second = s.take_kept();
  raw_client c(s.port());
  for (int i = 0; i < 3; ++i) {
    const answer got = c.ask(get("/ping"));
    REQUIRE(got.status == 503);
    CHECK(got.header("retry-after") == "1");
    CHECK(got.header("connection") == "keep-alive");
    CHECK(got.body.find("\"overloaded\"") != std::string::npos);
  }
  first(saying("a"));
  CHECK(a.receive().status == 200);
  CHECK(c.ask(get("/ping")).status == 200);
  CHECK(s.count("tilld_http_refused_total", "overloaded") == 3);
}

TEST_CASE("a burst of pipelined requests under overload is refused one by one") {
  test_server s([](listener_settings& l) { l.most_in_flight = 1; });
  raw_client holds(s.port());
  holds.send(get("/later"));
  const responder kept = s.take_kept();
  raw_client c(s.port());
  std::string burst;
  for (int i = 0; i < 500; ++i)
    burst += get("/ping");
  c.send(burst);
  for (int i = 0; i < 500; ++i)
    REQUIRE(c.receive().status == 503);
}

TEST_CASE("when connections run out the longest idle one makes room") {
  test_server s([](listener_settings& l) { l.most_connections = 3; });
  raw_client first(s.port());
  CHECK(first.ask(get("/ping")).status == 200);
  std::this_thread::sleep_for(3ms);  // idle times are told apart by milliseconds
  raw_client second(s.port());
  CHECK(second.ask(get("/ping")).status == 200);
  raw_client third(s.port());
  CHECK(third.ask(get("/ping")).status == 200);
  raw_client fourth(s.port());
  CHECK(fourth.ask(get("/ping")).status == 200);
  CHECK(first.closed_within(5s));
  CHECK(second.ask(get("/ping")).status == 200);
  CHECK(s.count("tilld_http_refused_total", "evicted") == 1);
}

TEST_CASE("when all connections are busy a new one is told so and closed") {
  test_server s([](listener_settings& l) { l.most_connections = 2; });
  raw_client a(s.port());
  raw_client b(s.port());
  a.send(get("/later"));
  const responder first = s.take_kept();
  b.send(get("/later"));
  const responder second = s.take_kept();
  raw_client c(s.port());
  const answer got = c.receive();
  CHECK(got.status == 503);
  CHECK(got.body.find("too_many_connections") != std::string::npos);
  CHECK(c.closed_within(5s));
  first(saying("a"));
  CHECK(a.receive().status == 200);
}

TEST_CASE("2,000 idle connections cost no thread and nobody's patience") {
  raise_descriptor_limit(8192);
  test_server s;
  raw_client honest(s.port());
  CHECK(honest.ask(get("/ping")).status == 200);
  const std::size_t before = resident_bytes();
  std::vector<raw_client> idle;
  for (int i = 0; i < 2'000; ++i) {
    idle.emplace_back(s.port());
    REQUIRE(idle.back().connected());
  }
  for (raw_client& c : idle)
    REQUIRE(c.ask(get("/ping")).status == 200);
  CHECK(honest.ask(get("/ping")).status == 200);
  CHECK(s.count("tilld_http_connections", "listener") == 2'001);
  const std::size_t grown = std::max(resident_bytes(), before) - before;
  INFO("grown by " << grown);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(grown < (8u << 20));
#endif
  for (raw_client& c : idle)
    REQUIRE(c.ask(get("/ping")).status == 200);
}

TEST_CASE("a connection that says nothing is closed in the end") {
  test_server s([](listener_settings& l) { l.idle_deadline_ms = 100; });
  raw_client silent(s.port());
  CHECK(silent.closed_within(5s));
  raw_client once(s.port());
  CHECK(once.ask(get("/ping")).status == 200);
  CHECK(once.closed_within(5s));
}

TEST_CASE("a busy keep-alive connection outlives the idle deadline") {
  test_server s([](listener_settings& l) { l.idle_deadline_ms = 600; });
  raw_client c(s.port());
  for (int i = 0; i < 10; ++i) {
    REQUIRE(c.ask(get("/ping")).status == 200);
    std::this_thread::sleep_for(80ms);
  }
}

TEST_CASE("a body that does not come in time is refused") {
  test_server s([](listener_settings& l) { l.body_deadline_ms = 100; });
  raw_client c(s.port());
  const std::string whole = post("/echo", "body");
  c.send(whole.substr(0, whole.size() - 1));
  const answer got = c.receive();
  CHECK(got.status == 408);
  CHECK(got.body.find("body_too_slow") != std::string::npos);
  CHECK(c.closed_within(5s));
}

TEST_CASE("a reader that takes nothing is dropped at the write deadline") {
  test_server s([](listener_settings& l) { l.write_deadline_ms = 100; });
  raw_client c(s.port(), 4096);
  c.send(get("/large"));
  CHECK(wait_for([&] { return s.count("tilld_http_requests_total", "2xx") == 1; }));
  CHECK(wait_for([&] { return s.count("tilld_http_connections", "listener") == 0; }, 5s));
}

TEST_CASE("a reader that keeps reading outlives the write deadline") {
  test_server s([](listener_settings& l) { l.write_deadline_ms = 200; });
  raw_client c(s.port(), 4096);
  c.send(get("/large"));
  std::size_t taken = 0;
  std::array<char, 16384> bytes;
  const auto began = std::chrono::steady_clock::now();
  while (taken < 5'000'000) {
    const ssize_t n = ::recv(c.fd(), bytes.data(), bytes.size(), 0);
    if (n <= 0) break;
    taken += static_cast<std::size_t>(n);
    if (std::chrono::steady_clock::now() - began < 500ms) std::this_thread::sleep_for(5ms);
  }
  CHECK(taken >= 5'000'000);
}

TEST_CASE("draining answers what is in flight, closes what idles and takes nothing new") {
  test_server s;
  raw_client idle(s.port());
  CHECK(idle.ask(get("/ping")).status == 200);
  raw_client half(s.port());
  half.send("GET /ping HT");
  raw_client busy(s.port());
  busy.send(get("/later") + get("/ping"));
  const responder kept = s.take_kept();
  int left = -1;
  std::jthread draining([&] { left = s.server->drain(10'000); });
  CHECK(idle.closed_within(5s));
  CHECK(half.receive().status == 503);
  CHECK(half.closed_within(5s));
  CHECK(wait_for([&] { return !raw_client(s.port()).connected(); }));
  kept(saying("last words"));
  const answer got = busy.receive();
  CHECK(got.body == "last words");
  CHECK(got.header("connection") == "close");
  CHECK(busy.closed_within(5s));
  draining.join();
  CHECK(left == 0);
}

TEST_CASE("draining gives up at its deadline and says how many it leaves") {
  test_server s;
  raw_client a(s.port());
  a.send(get("/later"));
  const responder kept = s.take_kept();
  CHECK(s.server->drain(50) == 1);
}

TEST_CASE("draining with nothing to do is done at once") {
  test_server s;
  const auto began = std::chrono::steady_clock::now();
  CHECK(s.server->drain(10'000) == 0);
  CHECK(std::chrono::steady_clock::now() - began < 2s);
}

TEST_CASE("a server stops at once while connections idle, drip and wait") {
  auto s = std::make_unique<test_server>();
  std::vector<raw_client> clients;
  for (int i = 0; i < 50; ++i)
    clients.emplace_back(s->port());
  clients[0].send(get("/later"));
  const responder kept = s->take_kept();
  clients[1].send("GET /");
  const auto began = std::chrono::steady_clock::now();
  s.reset();
  CHECK(std::chrono::steady_clock::now() - began < 2s);
  for (raw_client& c : clients)
    CHECK(c.closed_within(5s));
}

TEST_CASE("a server that never started can go") {
  metrics counts;
  server s(listener_settings{}, router(), counts);
  CHECK(s.drain(10) == 0);
  CHECK(s.in_flight() == 0);
}
