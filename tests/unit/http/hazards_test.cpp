// What is known to break cpp-httplib 0.11.4 when it faces strangers itself, and other servers of
// its kind, said to ours. Each test is named after the hazard, with the CVE where there is one.
#include <sys/socket.h>

#include "raw_client.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::http;
using namespace tilld::http::test;

namespace {

// Says `bytes`, and expects this status and code and then the end of the connection.
void refused(const test_server& s, std::string_view bytes, int status, std::string_view code) {
  INFO(code);
  raw_client c(s.port());
  c.send(bytes);
  const answer got = c.receive();
  CHECK(got.status == status);
  CHECK(got.header("connection") == "close");
  CHECK(got.body.starts_with(R"({"error":{"type":"invalid_request_error","code":")" +
                             std::string(code)));
  CHECK(c.closed_within(5s));
  CHECK(c.unread().empty());
}

void still_serves(const test_server& s) {
  raw_client honest(s.port());
  CHECK(honest.ask(get("/ping")).body == "pong");
}

}  // namespace

TEST_CASE("hazard: a chunked body knows no limit (CVE-2025-46728, CVE-2025-53629)") {
  test_server s;
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  refused(s, head, 411, "transfer_encoding_not_accepted");
  refused(s, head + "5\r\nhello\r\n0\r\n\r\n", 411, "transfer_encoding_not_accepted");
  still_serves(s);
}

TEST_CASE("hazard: a negative chunk streams for ever (CVE-2026-45352)") {
  test_server s;
  raw_client c(s.port());
  c.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n");
  const std::string flood(1 << 20, 'x');
  int sent = 0;
  while (sent < 64 && c.send(flood))
    ++sent;
  CHECK(sent < 64);
  still_serves(s);
}

TEST_CASE("hazard: a request line without end (CVE-2025-53628)") {
  test_server s;
  const std::size_t before = resident_bytes();
  refused(s, "GET /" + std::string(1 << 20, 'a'), 414, "target_too_long");
  raw_client c(s.port());
  const std::string flood(1 << 20, 'a');
  c.send("GET /");
  int sent = 0;
  while (sent < 100 && c.send(flood))
    ++sent;
  CHECK(sent < 100);
  CHECK(resident_bytes() < before + (32u << 20));
  still_serves(s);
}

TEST_CASE("hazard: half a million headers (CVE-2025-52887)") {
  test_server s;
  const std::size_t before = resident_bytes();
  std::string headers;
  for (int i = 0; i < 500'000; ++i)
    headers += "A: b\r\n";
  refused(s, "GET / HTTP/1.1\r\nHost: localhost\r\n" + headers, 431, "too_many_headers");
  refused(s, "GET / HTTP/1.1\r\nA: " + std::string(1 << 20, 'v'), 431, "head_too_large");
  CHECK(resident_bytes() < before + (32u << 20));
  still_serves(s);
}

TEST_CASE("hazard: a compressed bomb (CVE-2026-22776, CVE-2026-28435)") {
  test_server s;
  refused(s, post("/echo", "bomb", "Content-Encoding: gzip\r\n"), 415,
          "content_encoding_not_accepted");
  refused(s, post("/echo", "bomb", "Content-Encoding: br\r\n"), 415,
          "content_encoding_not_accepted");
}

TEST_CASE("hazard: header values are percent-decoded into line ends (CVE-2026-45372)") {
  test_server s;
  raw_client c(s.port());
  CHECK(c.ask(get("/headers/x-evil", "X-Evil: a%0d%0ab%00\r\n")).body == "a%0d%0ab%00");
}

TEST_CASE("hazard: a header shadows the server's own variables (CVE-2025-66570)") {
  test_server s;
  refused(s, get("/headers/remote_addr", "REMOTE_ADDR: 6.6.6.6\r\n"), 400, "bad_header");
  raw_client c(s.port());
  const answer got = c.ask(get("/path/x", "Remote-Addr: 6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n"));
  CHECK(got.body.find("from 127.0.0.1") != std::string::npos);
}

TEST_CASE("hazard: the body of a GET is run as the next request (CVE-2026-34441)") {
  test_server s;
  const std::string hidden = get("/ping");
  refused(s,
          "GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
              std::to_string(hidden.size()) + "\r\n\r\n" + hidden,
          400, "body_not_expected");
}

TEST_CASE("hazard: a body that a handler does not read is run as the next request") {
  test_server s;
  raw_client c(s.port());
  const std::string hidden = get("/ping");
  for (const char* path : {"/nowhere", "/ping"}) {
    const answer got = c.ask(post(path, hidden));
    CHECK((got.status == 404 || got.status == 405));
    CHECK(c.receive(30ms).status == 0);
  }
  CHECK(c.ask(post("/echo", "next")).body == "next");
}

TEST_CASE("hazard: a request behind a refused one is run") {
  test_server s;
  refused(s, "GET /bad%zz HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/ping") + get("/ping"), 400,
          "bad_target");
  CHECK(s.count("tilld_http_requests_total", "2xx") == 0);
}

TEST_CASE("hazard: two lengths, a length and an encoding, blanks, folds, bare line feeds") {
  test_server s;
  const std::string start = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  refused(s, start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400,
          "duplicate_header");
  refused(s, start + "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello", 400,
          "duplicate_header");
  refused(s, start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411,
          "transfer_encoding_not_accepted");
  refused(s, start + "Content-Length : 5\r\n\r\nhello", 400, "bad_header");
  refused(s, start + "X: a\r\n Content-Length: 5\r\n\r\nhello", 400, "bad_header");
  refused(s, start + "X: a\nContent-Length: 5\r\n\r\nhello", 400, "bad_header");
  refused(s, "POST /echo HTTP/1.1\nHost: localhost\n\n", 400, "bad_header");
  refused(s, start + "Content-Length: abc\r\n\r\n", 400, "bad_content_length");
}

TEST_CASE("hazard: an exception's text reaches the client (CVE-2026-28434)") {
  test_server s;
  raw_client c(s.port());
  for (const char* path : {"/throw", "/throw-odd"}) {
    const answer got = c.ask(get(path));
    CHECK(got.status == 500);
    CHECK((got.head + got.body).find("sk_live") == std::string::npos);
    CHECK(got.head.find("EXCEPTION") == std::string::npos);
    CHECK(got.body.find("internal_error") != std::string::npos);
  }
  CHECK(c.ask(get("/ping")).status == 200);
}

TEST_CASE("hazard: many ranges of one answer fill the memory (issue 1766)") {
  test_server s;
  raw_client c(s.port());
  std::string ranges = "Range: bytes=0-";
  for (int i = 0; i < 2'000; ++i)
    ranges += ",0-";
  const answer got = c.ask(get("/large", ranges + "\r\n"));
  CHECK(got.status == 200);
  CHECK(got.body.size() == 5'000'000);
  CHECK(got.header("content-range").empty());
}

TEST_CASE("hazard: a length past the limit is read to its end before the refusal") {
  test_server s;
  refused(s, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n", 413,
          "body_too_large");
  // A client that sends its 10 GB without looking is cut off after a few megabytes.
  raw_client blind(s.port());
  blind.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n");
  const std::string flood(1 << 20, 'x');
  int sent = 0;
  while (sent < 64 && blind.send(flood))
    ++sent;
  CHECK(sent < 64);
  still_serves(s);
}

TEST_CASE("a client that sends a little too much before it looks still reads the refusal") {
  test_server s;
  raw_client c(s.port());
  c.send(post("/echo", std::string((1 << 20) + 1, 'x')));
  CHECK(c.receive().status == 413);
}

TEST_CASE("hazard: 413 comes instead of 100 Continue when the body would be too large") {
  test_server s;
  refused(s,
          "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
          "Content-Length: 9999999\r\n\r\n",
          413, "body_too_large");
  refused(s, post("/echo", "x", "Expect: the-unexpected\r\n"), 417, "expectation_not_met");
}

TEST_CASE("hazard: a second process listens on the same port unnoticed") {
  test_server s;
  metrics counts;
  listener_settings settings;
  settings.port = s.port();
  server second(settings, router(), counts);
  const auto started = second.start();
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().code == errc::unavailable);
  CHECK(started.error().message.find("in use") != std::string::npos);
  CHECK(started.error().message.find(std::to_string(s.port())) != std::string::npos);
}

TEST_CASE("hazard: a port cannot be taken again right after a restart") {
  auto s = std::make_unique<test_server>();
  const std::uint16_t port = s->port();
  raw_client c(port);
  CHECK(c.ask(get("/ping")).status == 200);
  s.reset();  // the server closes first, so its side waits in TIME_WAIT
  test_server again([&](listener_settings& l) { l.port = port; });
  CHECK(again.port() == port);
}

TEST_CASE("hazard: a burst of connects waits for a repeated SYN") {
  test_server s;
  const auto began = std::chrono::steady_clock::now();
  std::vector<raw_client> burst;
  for (int i = 0; i < 200; ++i)
    burst.emplace_back(s.port());
  for (raw_client& c : burst)
    REQUIRE(c.ask(get("/ping")).status == 200);
  CHECK(std::chrono::steady_clock::now() - began < 1s);
}

TEST_CASE("hazard: Nagle's algorithm and delayed acknowledgements, 43 ms a request") {
  test_server s;
  raw_client c(s.port());
  const auto began = std::chrono::steady_clock::now();
  // The second answer goes out while the first is not acknowledged.
  for (int i = 0; i < 100; ++i) {
    c.send(post("/echo", "x") + post("/echo", "y"));
    REQUIRE(c.receive().body == "x");
    REQUIRE(c.receive().body == "y");
  }
  CHECK(std::chrono::steady_clock::now() - began < 2s);
}

TEST_CASE("hazard: pipelined bytes are dropped with the request before them") {
  test_server s;
  raw_client c(s.port());
  c.send(get("/ping") + get("/ping") + get("/ping"));
  for (int i = 0; i < 3; ++i)
    CHECK(c.receive().body == "pong");
}

TEST_CASE("hazard: a form body over 8 KB is refused, and pairs are lost") {
  test_server s;
  raw_client c(s.port());
  const std::string form = "b=x=y==&a=1&a=1&c[]=2&" + std::string(20'000, 'f') + "=1";
  const answer got =
      c.ask(post("/echo", form, "Content-Type: application/x-www-form-urlencoded\r\n"));
  CHECK(got.status == 200);
  CHECK((got.body == form));
}

TEST_CASE("hazard: a multipart body is parsed before anybody wants it (CVE-2026-29076)") {
  test_server s;
  raw_client c(s.port());
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n";
  CHECK(c.ask(post("/echo", body, "Content-Type: multipart/form-data; boundary=b\r\n")).body ==
        body);
  CHECK(c.ask(post("/echo", body, "Content-Type: multipart/form-data; boundary=\r\n")).body ==
        body);
}

TEST_CASE("hazard: NUL, dots and controls in a path reach a file") {
  test_server s;
  for (const char* path : {"/ping%00.txt", "/../etc/passwd", "/%2e%2e/etc/passwd", "/ping%0a",
                           "/a/..%5c..%5cb", "/ping/."}) {
    refused(s, get(path), 400, "bad_target");
  }
  refused(s, std::string("GET /ping\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 40), 400, "bad_header");
  refused(s, "GET /\x1b[2J HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "bad_header");
}

TEST_CASE("hazard: a long path runs a regular expression out of stack") {
  test_server s;
  raw_client c(s.port());
  std::string deep;
  while (deep.size() + 2 <= head_limits{}.path_bytes)
    deep += "/a";
  CHECK(c.ask(get(deep)).status == 404);
  CHECK(c.ask(get("/" + std::string(2000, '('))).status == 404);
  CHECK(c.ask(get("/ping?" + std::string(8'000, '('))).status == 200);
}

TEST_CASE("hazard: a web page rebinds its name to this host and calls us") {
  test_server s;
  raw_client c(s.port());
  c.send("GET /ping HTTP/1.1\r\nHost: evil.example:8455\r\n\r\n");
  const answer got = c.receive();
  CHECK(got.status == 421);
  CHECK(got.body.find("evil.example") != std::string::npos);
  CHECK(got.body.find("hosts under [api]") != std::string::npos);
  CHECK(c.closed_within(5s));
  refused(s, "GET /ping HTTP/1.0\r\n\r\n", 421, "host_not_allowed");
  refused(s, "GET /ping HTTP/1.1\r\n\r\n", 400, "host_missing");
}

TEST_CASE("hazard: a client that speaks TLS or HTTP/2 to a plain port waits for ever") {
  test_server s;
  refused(s, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400, "bad_header");
  raw_client c(s.port());
  c.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  CHECK(c.receive().status == 505);
}

TEST_CASE("hazard: an answer that the client does not read ties up what serves others") {
  test_server s;
  std::vector<raw_client> greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.emplace_back(s.port(), 4096);
    for (int n = 0; n < 4; ++n)
      greedy.back().send(get("/large"));
  }
  CHECK(wait_for([&] { return s.count("tilld_http_requests_total", "2xx") >= 8; }));
  still_serves(s);
}

TEST_CASE("hazard: a client that pipelines without reading fills the memory") {
  test_server s;
  raw_client c(s.port(), 4096);
  const std::size_t before = resident_bytes();
  // Reading stops while an answer waits for its reader, so the flood stays in the kernel.
  std::string flood;
  for (int i = 0; i < 10'000; ++i)
    flood += get("/large");
  const auto until = std::chrono::steady_clock::now() + 300ms;
  std::size_t sent = 0;
  while (std::chrono::steady_clock::now() < until) {
    const ssize_t n = ::send(c.fd(), flood.data(), flood.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  CHECK(sent > 10'000);
  CHECK(s.count("tilld_http_requests_total", "2xx") < 20);
  CHECK(resident_bytes() < before + (40u << 20));
  still_serves(s);
}
