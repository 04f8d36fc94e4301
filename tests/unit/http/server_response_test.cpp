#include <set>

#include "http/request_id.hpp"
#include "http/response.hpp"
#include "support/catch.hpp"

using namespace tilld::http;

namespace {

std::string head_of(response r, wire_options options = {}) {
  return to_wire(std::move(r), options).head;
}

bool has(const std::string& head, std::string_view line) {
  return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("an answer says its length, its type, its date and its name") {
  response r;
  r.body = "{}";
  const wire out = to_wire(r, {.request_id = "req_1"});
  CHECK(out.head.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  CHECK(out.head.ends_with("\r\n\r\n"));
  CHECK(has(out.head, "Content-Type: application/json; charset=utf-8"));
  CHECK(has(out.head, "Content-Length: 2"));
  CHECK(has(out.head, "Connection: keep-alive"));
  CHECK(has(out.head, "Request-Id: req_1"));
  CHECK(has(out.head, "X-Content-Type-Options: nosniff"));
  CHECK(has(out.head, "Cache-Control: no-store"));
  CHECK(out.body == "{}");
}

TEST_CASE("dates are written as RFC 9110 wants them") {
  CHECK(http_date(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST_CASE("a handler may name the request and say how long an answer keeps") {
  response r;
  r.headers = {{"Request-Id", "req_stripe"}, {"cache-control", "max-age=60"}};
  const std::string head = head_of(r, {.request_id = "req_1"});
  CHECK(has(head, "Request-Id: req_stripe"));
  CHECK(head.find("req_1") == std::string::npos);
  CHECK(head.find("no-store") == std::string::npos);
}

TEST_CASE("a header that could break the framing is left out") {
  response r;
  r.headers = {{"X-Split", "a\r\nSet-Cookie: b"},
               {"X-Nul", std::string("a\0b", 3)},
               {"Bad Name", "a"},
               {"", "a"},
               {"content-length", "0"},
               {"Transfer-Encoding", "chunked"},
               {"Connection", "upgrade"},
               {"Date", "never"},
               {"X-Good", "caf\xc3\xa9"}};
  const std::string head = head_of(r);
  CHECK(head.find("Set-Cookie") == std::string::npos);
  CHECK(head.find("X-Nul") == std::string::npos);
  CHECK(head.find("Bad Name") == std::string::npos);
  CHECK(head.find("chunked") == std::string::npos);
  CHECK(head.find("upgrade") == std::string::npos);
  CHECK(head.find("never") == std::string::npos);
  CHECK(has(head, "X-Good: caf\xc3\xa9"));
  response typed;
  typed.content_type = "text/html\r\nX: y";
  CHECK(head_of(typed).find("text/html") == std::string::npos);
}

TEST_CASE("the answer to HEAD has the length of the body it leaves out") {
  response r;
  r.body = "12345";
  const wire out = to_wire(r, {.head_only = true});
  CHECK(has(out.head, "Content-Length: 5"));
  CHECK(out.body.empty());
}

TEST_CASE("an answer without content has neither body nor length") {
  response r;
  r.status = 204;
  r.body = "never sent";
  const wire out = to_wire(r, {.close = true});
  CHECK(out.head.starts_with("HTTP/1.1 204 No Content\r\n"));
  CHECK(out.head.find("Content-Length") == std::string::npos);
  CHECK(out.body.empty());
  CHECK(has(out.head, "Connection: close"));
}

TEST_CASE("a status out of range is our own fault") {
  response r;
  r.status = 99;
  CHECK(head_of(r).starts_with("HTTP/1.1 500 "));
  r.status = 100;
  CHECK(head_of(r).starts_with("HTTP/1.1 500 "));
}

TEST_CASE("an error has Stripe's shape, whatever its message holds") {
  const response r = error_response(402, "card_error", "declined", "He said \"no\"\n");
  CHECK(r.status == 402);
  CHECK(r.body ==
        R"({"error":{"type":"card_error","code":"declined","message":"He said \"no\"\n"}})");
}

TEST_CASE("a request takes its caller's name if that is sane, else one of its own") {
  CHECK(request_id("order-7:try.2_a") == "order-7:try.2_a");
  CHECK(request_id(std::string(64, 'a')) == std::string(64, 'a'));
  std::set<std::string> made;
  for (const std::string& bad :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\nb"),
        std::string("a\"b"), std::string("\xc3\xa4")}) {
    const std::string id = request_id(bad);
    CHECK(id.starts_with("req_"));
    CHECK(id.size() == 20);
    made.insert(id);
  }
  CHECK(made.size() == 6);
}
