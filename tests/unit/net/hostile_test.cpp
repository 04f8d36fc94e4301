// What the client does when the peer is hostile, broken or absent.
#include <fstream>

#include "evil_server.hpp"
#include "net/client.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::net::test;
using net::client;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool measures_memory = false;
#else
constexpr bool measures_memory = true;
#endif

constexpr std::int64_t deadline_ms = 700;

struct mode {
  std::string name;
  evil_server::script play;
  int status = 0;  // 0: the outcome is a failure
  bool timed_out = false;
};

// Reads the request first, then plays.
evil_server::script after_request(std::function<void(connection&)> play) {
  return [play = std::move(play)](connection& c) {
    if (!c.read_request().empty()) play(c);
  };
}

evil_server::script says(std::string text) {
  return after_request([text = std::move(text)](connection& c) { c.write(text); });
}

evil_server::script says_for_ever(std::string head, std::string again) {
  return after_request([head = std::move(head), again = std::move(again)](connection& c) {
    if (!c.write(head)) return;
    while (c.write(again)) {
    }
  });
}

std::string repeated(std::string_view piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out += piece;
  return out;
}

// "hello" as gzip packs it: 25 bytes.
std::string hello_in_gzip() {
  return {
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00"
      "\x00\x00",
      25};
}

std::vector<mode> modes() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {
      {"429", says("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"), 429},
      {"500", says("HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}"), 500},
      {"502 in HTML", says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>"), 502},
      {"200 in HTML", says(ok + "Content-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"), 200},
      {"stall before the answer", after_request([](connection& c) { c.stall(); }), 0, true},
      {"stall in the body", after_request([ok](connection& c) {
         c.write(ok + "Content-Length: 10\r\n\r\n12345");
         c.stall();
       }),
       0, true},
      {"reset", after_request([](connection& c) { c.reset(); })},
      {"one byte every 200 ms", after_request([ok](connection& c) {
         c.write(ok + "Content-Length: 1000\r\n\r\n");
         while (c.pause(200ms) && c.write("x")) {
         }
       }),
       0, true},
      {"one byte of the head every 200 ms", after_request([ok](connection& c) {
         for (const char byte : ok) {
           if (!c.pause(200ms) || !c.write({&byte, 1})) return;
         }
       }),
       0, true},
      {"garbage", says(repeated("\x16\x03\x01\x02\xff\xfe rubbish \r\n", 100))},
      {"an answer of HTTP/0.9", says("<html>hello</html>")},
      {"truncated body", says(ok + "Content-Length: 1000\r\n\r\nshort")},
      {"endless body", says_for_ever(ok + "\r\n", std::string(65536, 'x'))},
      {"endless chunked body", says_for_ever(ok + "Transfer-Encoding: chunked\r\n\r\n",
                                             "10000\r\n" + std::string(65536, 'x') + "\r\n")},
      {"a Content-Length of a terabyte",
       says_for_ever(ok + "Content-Length: 1000000000000\r\n\r\n", std::string(65536, 'x'))},
      {"a negative Content-Length", says(ok + "Content-Length: -5\r\n\r\nhello")},
      {"400'000 headers", says(ok + repeated("a: b\r\n", 400'000) + "\r\n")},
      {"endless headers", says_for_ever(ok, "x-more: and more\r\n")},
      {"endless 100 Continue", says_for_ever("", "HTTP/1.1 100 Continue\r\n\r\n")},
      {"endless trailers",
       says_for_ever(ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "a: b\r\n")},
      {"a status line of a megabyte",
       says("HTTP/1.1 200 " + std::string(1 << 20, 'A') + "\r\n\r\n")},
      {"a header of a megabyte", says(ok + "a: " + std::string(1 << 20, 'A') + "\r\n\r\n")},
      {"NUL in a header", says(ok + std::string("a: b\0c\r\nContent-Length: 0\r\n\r\n", 30))},
      {"chunked with a bad terminator",
       says(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n")},
      {"chunk sizes that are no numbers",
       says(ok + "Transfer-Encoding: chunked\r\n\r\n-2\r\nhello\r\n0\r\n\r\n")},
      {"a transfer coding nobody asked for", says(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n" +
                                                  "19\r\n" + hello_in_gzip() + "\r\n0\r\n\r\n")},
      {"switching protocols", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")},
      {"close without an answer", after_request([](connection&) {})},
      {"close without reading", [](connection&) {}},
      {"only a 100 Continue", says("HTTP/1.1 100 Continue\r\n\r\n")},
  };
}

long resident_kb() {
  std::ifstream statm("/proc/self/statm");
  long pages = 0;
  statm >> pages >> pages;
  return pages * (::sysconf(_SC_PAGESIZE) / 1024);
}

net::request request_to(const std::string& url) {
  net::request r;
  r.url = url;
  r.deadline_ms = deadline_ms;
  r.most_body_bytes = 1u << 20;
  return r;
}

}  // namespace

TEST_CASE("No answer of a hostile server kills, fills or holds the client") {
  client to_strangers;
  const long before_kb = resident_kb();
  for (const mode& m : modes()) {
    INFO(m.name);
    evil_server server(m.play);
    const stopwatch watch;
    const net::outcome o = to_strangers.call(request_to(server.url("/v1/things?secret=1")));
    CHECK(watch.ms() < deadline_ms + 1000);
    if (m.status != 0) {
      REQUIRE(o);
      CHECK(o->status == m.status);
      continue;
    }
    REQUIRE_FALSE(o);
    INFO(o.error().message);
    CHECK(o.error().maybe_sent);
    CHECK(o.error().timed_out == m.timed_out);
    CHECK(o.error().message.starts_with("http://127.0.0.1:" + std::to_string(server.port())));
    CHECK(o.error().message.find("secret") == std::string::npos);
  }
  if (measures_memory) CHECK(resident_kb() - before_kb < 16 * 1024);

  evil_server polite_one(polite("still here"));
  const net::outcome o = to_strangers.call(request_to(polite_one.url()));
  REQUIRE(o);
  CHECK(o->body == "still here");
}

TEST_CASE("A compressed body stays as it came, so it cannot be a bomb") {
  const std::string gzip = hello_in_gzip();
  for (const char* coding : {"gzip", "br", "deflate", "zstd", "gzip, gzip"}) {
    evil_server server(says("HTTP/1.1 200 OK\r\nContent-Encoding: " + std::string(coding) +
                            "\r\nContent-Length: " + std::to_string(gzip.size()) + "\r\n\r\n" +
                            gzip));
    client c;
    const net::outcome o = c.call(request_to(server.url()));
    REQUIRE(o);
    CHECK(o->body == gzip);
    CHECK(o->header("content-encoding") == coding);
  }
}

TEST_CASE("A redirect is an answer and is not followed") {
  evil_server target(polite());
  evil_server server(
      says("HTTP/1.1 302 Found\r\nLocation: " + target.url() + "\r\nContent-Length: 0\r\n\r\n"));
  client c;
  const net::outcome o = c.call(request_to(server.url()));
  REQUIRE(o);
  CHECK(o->status == 302);
  CHECK(o->header("location") == target.url());
  CHECK(target.connections() == 0);
}

TEST_CASE("What cannot be connected was certainly not sent") {
  client c;
  SECTION("a port that nobody listens on") {
    const net::outcome o =
        c.call(request_to("http://127.0.0.1:" + std::to_string(closed_port()) + "/?q=1"));
    REQUIRE_FALSE(o);
    CHECK_FALSE(o.error().maybe_sent);
    CHECK_FALSE(o.error().timed_out);
  }
  SECTION("a name that does not exist") {
    const net::outcome o = c.call(request_to("http://no-such-host.invalid/"));
    REQUIRE_FALSE(o);
    CHECK_FALSE(o.error().maybe_sent);
  }
  SECTION("a TLS handshake that is never answered") {
    evil_server server([](connection& s) { s.stall(); });
    net::request r = request_to("https://127.0.0.1:" + std::to_string(server.port()) + "/");
    r.deadline_ms = 5'000;
    r.connect_deadline_ms = 300;
    const stopwatch watch;
    const net::outcome o = c.call(r);
    REQUIRE_FALSE(o);
    CHECK_FALSE(o.error().maybe_sent);
    CHECK(o.error().timed_out);
    CHECK(watch.ms() < 1'300);
  }
  SECTION("a server that answers a TLS handshake in plain text") {
    evil_server server([](connection& s) {
      s.answer("no TLS here");
      s.stall();
    });
    const net::outcome o =
        c.call(request_to("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
    REQUIRE_FALSE(o);
    CHECK_FALSE(o.error().maybe_sent);
  }
}

TEST_CASE("The deadline holds within a second, whatever the peer does") {
  evil_server server([](connection& c) { c.stall(); });
  client c;
  for (const std::int64_t wanted_ms : {1, 100, 400, 1'000}) {
    net::request r = request_to(server.url());
    r.deadline_ms = wanted_ms;
    const stopwatch watch;
    const net::outcome o = c.call(r);
    REQUIRE_FALSE(o);
    CHECK(o.error().timed_out);
    CHECK(watch.ms() >= wanted_ms - 1);
    CHECK(watch.ms() < wanted_ms + 1'000);
  }
}

TEST_CASE("The caps on body and headers are exact") {
  evil_server server(polite(std::string(1000, 'x')));
  client c;
  net::request r = request_to(server.url());
  r.most_body_bytes = 1000;
  CHECK(c.call(r));
  r.most_body_bytes = 999;
  const net::outcome o = c.call(r);
  REQUIRE_FALSE(o);
  CHECK(o.error().message.find("999 bytes") != std::string::npos);
  r.most_body_bytes = 1000;
  r.most_header_bytes = 41;  // "HTTP/1.1 200 OK", "Content-Length: 1000" and the empty line
  CHECK(c.call(r));
  r.most_header_bytes = 40;
  const net::outcome too_long = c.call(r);
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().message.find("40 bytes") != std::string::npos);
}
