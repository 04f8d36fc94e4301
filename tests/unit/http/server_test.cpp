// What the door promises to honest clients.
#include "http/server.hpp"

#include "raw_client.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::http;
using namespace tilld::http::test;

TEST_CASE("a request is answered and the connection stays for the next") {
  test_server s;
  raw_client c(s.port());
  for (int i = 0; i < 1'000; ++i) {
    const answer got = c.ask(get("/ping"));
    REQUIRE(got.status == 200);
    REQUIRE(got.body == "pong");
    REQUIRE(got.header("connection") == "keep-alive");
  }
  CHECK(s.count("tilld_http_requests_total", "2xx") == 1'000);
  CHECK(s.count("tilld_http_request_seconds_count", "listener") == 1'000);
}

TEST_CASE("a request that comes alone is handled at the door, until a handler is slow") {
  test_server s([](listener_settings& l) { l.alone_at_door = true; });
  raw_client c(s.port());
  REQUIRE(c.ask(get("/thread")).body == "api-door");
  REQUIRE(c.ask(get("/slow")).body == "slow");
  REQUIRE(c.ask(get("/thread")).body == "api-worker");
  // Nobody waits for another slow one now.
  raw_client slow(s.port());
  slow.send(get("/slow"));
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(c.ask(get("/ping")).body == "pong");
  CHECK(std::chrono::steady_clock::now() - began < 150ms);
  CHECK(slow.receive().body == "slow");
  CHECK(wait_for([&] { return c.ask(get("/thread")).body == "api-door"; }));
  test_server workers_only([](listener_settings& l) { l.alone_at_door = false; });
  raw_client other(workers_only.port());
  CHECK(other.ask(get("/thread")).body == "api-worker");
}

TEST_CASE("a client that wants to close is closed after its answer") {
  test_server s;
  raw_client c(s.port());
  const answer got = c.ask(get("/ping", "Connection: close\r\n"));
  CHECK(got.status == 200);
  CHECK(got.header("connection") == "close");
  CHECK(c.closed_within(5s));
}

TEST_CASE("an HTTP/1.0 client is answered and closed") {
  test_server s;
  raw_client c(s.port());
  const answer got = c.ask("GET /ping HTTP/1.0\r\nHost: localhost\r\n\r\n");
  CHECK(got.status == 200);
  CHECK(c.closed_within(5s));
}

TEST_CASE("pipelined requests are answered one by one, in their order") {
  test_server s;
  raw_client c(s.port());
  c.send(post("/echo", "first") + get("/ping") + post("/echo", "third") + get("/slow") +
         post("/echo", "fifth"));
  for (const char* wanted : {"first", "pong", "third", "slow", "fifth"}) {
    const answer got = c.receive();
    REQUIRE(got.status == 200);
    REQUIRE(got.body == wanted);
  }
}

TEST_CASE("a thousand pipelined requests wait their turn") {
  test_server s;
  raw_client c(s.port());
  std::string all;
  for (int i = 0; i < 1'000; ++i)
    all += post("/echo", std::to_string(i));
  c.send(all);
  for (int i = 0; i < 1'000; ++i)
    REQUIRE(c.receive().body == std::to_string(i));
}

TEST_CASE("a request may come byte by byte") {
  test_server s;
  raw_client c(s.port());
  for (char byte : post("/echo", "dripped", "X-Request-Id: drip-1\r\n")) {
    REQUIRE(c.send({&byte, 1}));
  }
  const answer got = c.receive();
  CHECK(got.body == "dripped");
  CHECK(got.header("request-id") == "drip-1");
}

TEST_CASE("a body may hold any bytes and be as large as the limit") {
  test_server s;
  raw_client c(s.port());
  std::string body(1 << 20, '\0');
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>(i * 7);
  const answer got = c.ask(post("/echo", body));
  CHECK(got.status == 200);
  CHECK((got.body == body));
  CHECK(c.ask(get("/ping")).status == 200);
}

TEST_CASE("a POST without Content-Length has an empty body") {
  test_server s;
  raw_client c(s.port());
  CHECK(c.ask("POST /echo HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200);
  CHECK(c.ask(get("/ping")).body == "pong");
}

TEST_CASE("the answer to HEAD is the answer to GET without its body") {
  test_server s;
  raw_client c(s.port());
  c.send("HEAD /ping HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/ping"));
  const answer head = c.receive(10s, true);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == "4");
  const answer next = c.receive();
  CHECK(next.status == 200);
  CHECK(next.body == "pong");
}

TEST_CASE("a verb that a path does not take is refused with those it takes") {
  test_server s;
  raw_client c(s.port());
  const answer got = c.ask("DELETE /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(got.status == 405);
  CHECK(got.header("allow") == "GET, HEAD");
  CHECK(c.ask(get("/nowhere")).status == 404);
}

TEST_CASE("a handler sees the path decoded, the query raw, and who asks") {
  test_server s;
  raw_client c(s.port());
  const answer got = c.ask(get("/path/a%20b/c%2Fd?q=%31&x[]=2", "X-Request-Id: r.1\r\n"));
  CHECK(got.body == "a b/c/d?q=%31&x[]=2 from 127.0.0.1 as r.1");
  CHECK(c.ask(get("/headers/x-custom", "X-CUSTOM:  v%0d%0a \r\n")).body == "v%0d%0a");
}

TEST_CASE("every answer has a name: the caller's if it is sane") {
  test_server s;
  raw_client c(s.port());
  CHECK(c.ask(get("/ping", "X-Request-Id: mine\r\n")).header("request-id") == "mine");
  const std::string own = c.ask(get("/ping", "X-Request-Id: not sane\r\n")).header("request-id");
  CHECK(own.starts_with("req_"));
  CHECK(own.size() == 20);
}

TEST_CASE("a client that waits for 100 Continue is told to go on") {
  test_server s;
  raw_client c(s.port());
  const std::string whole = post("/echo", "body", "Expect: 100-continue\r\n");
  c.send(whole.substr(0, whole.size() - 4));
  const answer go_on = c.receive();
  CHECK(go_on.status == 100);
  CHECK(c.ask("body").body == "body");
}

TEST_CASE("a client that does not wait for 100 Continue is not told so") {
  test_server s;
  raw_client c(s.port());
  const answer got = c.ask(post("/echo", "body", "Expect: 100-continue\r\n"));
  CHECK(got.status == 200);
  CHECK(got.body == "body");
}

TEST_CASE("a half-closed client still gets its answer") {
  test_server s;
  raw_client c(s.port());
  c.send(get("/slow"));
  c.say_no_more();
  CHECK(c.receive().body == "slow");
  CHECK(c.closed_within(5s));
}

TEST_CASE("a large answer reaches a slow reader whole") {
  test_server s;
  raw_client c(s.port(), 4096);
  c.send(get("/large") + get("/ping"));
  const answer got = c.receive(60s);
  CHECK(got.status == 200);
  CHECK(got.body.size() == 5'000'000);
  CHECK(c.receive().body == "pong");
}

TEST_CASE("a listener may be reached by its address or name, whatever its case or port") {
  test_server s([](listener_settings& l) { l.hosts = {"localhost", "127.0.0.1", "::1"}; });
  for (const char* host : {"localhost", "LocalHost:1234", "127.0.0.1:80", "[::1]:8455"}) {
    raw_client c(s.port());
    CHECK(c.ask("GET /ping HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n").status == 200);
  }
}

TEST_CASE("any host will do where the settings say so") {
  test_server s([](listener_settings& l) { l.hosts = {"*"}; });
  raw_client c(s.port());
  CHECK(c.ask("GET /ping HTTP/1.1\r\nHost: shop.example\r\n\r\n").status == 200);
  CHECK(c.ask("GET /ping HTTP/1.0\r\n\r\n").status == 200);
}

TEST_CASE("an IPv6 listener works as an IPv4 one") {
  metrics counts;
  listener_settings settings;
  settings.address = "::1";
  router routes;
  server s(settings, std::move(routes), counts);
  const auto started = s.start();
  if (!started) {
    // A host without IPv6 says so in the error.
    CHECK(started.error().code == errc::unavailable);
    return;
  }
  CHECK(s.port() != 0);
}

TEST_CASE("an address that cannot be listened on is named in the error") {
  metrics counts;
  listener_settings settings;
  settings.address = "localhost";
  server no_literal(settings, router(), counts);
  const auto refused = no_literal.start();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::invalid);
  CHECK(refused.error().message.find("\"localhost\"") != std::string::npos);
  settings.address = "203.0.113.9";
  server not_here(settings, router(), counts);
  CHECK(not_here.start().error().code == errc::unavailable);
}
