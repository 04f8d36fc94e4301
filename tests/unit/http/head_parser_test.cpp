#include "http/head_parser.hpp"

#include <random>
#include <string>

#include "support/catch.hpp"

using namespace tilld::http;

namespace {

const head_limits limits;

std::string get(std::string_view target, std::string_view more_headers = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" +
         std::string(more_headers) + "\r\n";
}

std::string post(std::string_view more_headers) {
  return "POST /x HTTP/1.1\r\nHost: localhost\r\n" + std::string(more_headers) + "\r\n";
}

// "ok", "incomplete" or the refusal's status and code.
std::string verdict_on(std::string_view bytes, const head_limits& l = limits) {
  const auto result = parse_head(bytes, l);
  if (std::holds_alternative<head>(result)) return "ok";
  if (std::holds_alternative<incomplete>(result)) return "incomplete";
  const auto& bad = std::get<refusal>(result);
  return std::to_string(bad.status) + " " + std::string(bad.code);
}

struct row {
  std::string what;
  std::string bytes;
  std::string verdict;
};

void check(const std::vector<row>& rows) {
  for (const row& r : rows) {
    INFO(r.what);
    CHECK(verdict_on(r.bytes) == r.verdict);
  }
}

}  // namespace

TEST_CASE("a plain request is read into its parts") {
  const std::string bytes =
      "POST /v1/customers?limit=3 HTTP/1.1\r\n"
      "Host: Localhost:8455\r\n"
      "Content-Length: 5\r\n"
      "Authorization:   Bearer t  \t\r\n"
      "Empty:\r\n"
      "\r\nhello and the next request";
  const auto result = parse_head(bytes, limits);
  REQUIRE(std::holds_alternative<head>(result));
  const head& h = std::get<head>(result);
  CHECK(h.verb == "POST");
  CHECK(h.target == "/v1/customers?limit=3");
  CHECK(h.host == "Localhost");
  CHECK(h.content_length == 5);
  CHECK(h.keep_alive);
  CHECK_FALSE(h.expects_continue);
  CHECK(bytes.substr(h.bytes, 5) == "hello");
  REQUIRE(h.headers.size() == 4);
  CHECK(h.headers[2].first == "Authorization");
  CHECK(h.headers[2].second == "Bearer t");
  CHECK(h.headers[3].second.empty());
}

TEST_CASE("the request line has one form") {
  check({
      {"a plain one", get("/"), "ok"},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"},
      {"a blank at its end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400 bad_request_line"},
      {"a blank before it", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"},
      {"a tab for a blank", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"},
      {"a tab in the verb", "GET\tX / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"},
      {"HTTP/0.9", "GET /\r\n\r\n", "400 bad_request_line"},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "ok"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505 version_not_supported"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 version_not_supported"},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 version_not_supported"},
      {"a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"},
      {"a version too long", "GET / HTTP/1.11\r\nHost: a\r\n\r\n", "400 bad_request_line"},
      {"an unknown verb", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "501 verb_not_known"},
      {"a verb in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "501 verb_not_known"},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "501 verb_not_known"},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "501 verb_not_known"},
      {"a verb of 400 letters", std::string(400, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n",
       "501 verb_not_known"},
      {"bytes of TLS", std::string("\x16\x03\x01\x02\x00\x01", 6), "400 bad_header"},
      {"an empty line before it", "\r\n" + get("/"), "ok"},
      {"two empty lines before it", "\r\n\r\n" + get("/"), "400 bad_request_line"},
  });
  for (const char* verb : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    CHECK(verdict_on(std::string(verb) + " / HTTP/1.1\r\nHost: a\r\n\r\n") == "ok");
  }
}

TEST_CASE("a target is a path, well escaped, and never too long") {
  check({
      {"absolute form", get("http://a/"), "400 bad_target"},
      {"asterisk", get("*"), "400 bad_target"},
      {"authority", get("a:443"), "400 bad_target"},
      {"no slash first", get("x/"), "400 bad_target"},
      {"a fragment", get("/a#b"), "400 bad_target"},
      {"a blank", get("/a b"), "400 bad_target"},
      {"raw UTF-8", get("/caf\xc3\xa9"), "400 bad_target"},
      {"escaped UTF-8", get("/caf%C3%A9"), "ok"},
      {"brackets in the query, as SDKs send them", get("/v1/x?expand[]=a.b&created[gt]=1"), "ok"},
      {"half an escape", get("/a%2"), "400 bad_target"},
      {"no escape", get("/a%zz"), "400 bad_target"},
      {"an escape cut by the query", get("/a%2?f"), "400 bad_target"},
      {"half an escape in the query", get("/a?b=%"), "400 bad_target"},
      {"%00 in the path", get("/a%00.txt"), "400 bad_target"},
      {"%00 in the query", get("/a?b=%00"), "400 bad_target"},
      {"an escaped line end in the path", get("/a%0d%0aSet-Cookie:x"), "400 bad_target"},
      {"an escaped line end in the query", get("/a?b=%0A"), "ok"},
      {"an escaped DEL in the path", get("/a%7f"), "400 bad_target"},
      {"a backslash", get("/a\\b"), "400 bad_target"},
      {"an escaped backslash", get("/a%5cb"), "400 bad_target"},
      {"dot dot", get("/a/../b"), "400 bad_target"},
      {"dot dot at the end", get("/a/.."), "400 bad_target"},
      {"escaped dot dot", get("/a/%2e%2E/b"), "400 bad_target"},
      {"a single dot", get("/./a"), "400 bad_target"},
      {"three dots are a name", get("/.../a"), "ok"},
      {"dots in a name", get("/a..b/.well-known"), "ok"},
      {"dots in the query", get("/a?b=/../"), "ok"},
      {"an escaped slash stays in its segment", get("/a%2Fb"), "ok"},
      {"two slashes", get("//evil.example/x"), "ok"},
      {"a path at the limit", get("/" + std::string(limits.path_bytes - 1, 'a')), "ok"},
      {"a path past it", get("/" + std::string(limits.path_bytes, 'a')), "414 target_too_long"},
      {"a target at the limit", get("/?" + std::string(limits.target_bytes - 2, 'a')), "ok"},
      {"one past it", get("/?" + std::string(limits.target_bytes - 1, 'a')), "414 target_too_long"},
      {"a line without end", "GET /" + std::string(9000, 'a'), "414 target_too_long"},
  });
}

TEST_CASE("a header has one meaning or none") {
  check({
      {"an underscore in the name", get("/", "Remote_Addr: 6.6.6.6\r\n"), "400 bad_header"},
      {"a blank before the colon", get("/", "Content-Length : 5\r\n"), "400 bad_header"},
      {"a folded line", get("/", "A: b\r\n c\r\n"), "400 bad_header"},
      {"a name with a blank in it", get("/", "A B: c\r\n"), "400 bad_header"},
      {"no name", get("/", ": c\r\n"), "400 bad_header"},
      {"no colon", get("/", "Abc\r\n"), "400 bad_header"},
      {"a name in UTF-8", get("/", "\xc3\xa4: b\r\n"), "400 bad_header"},
      {"a value in Latin-1", get("/", "A: \xe4\r\n"), "ok"},
      {"a tab in the value", get("/", "A: b\tc\r\n"), "ok"},
      {"NUL in the value", get("/", std::string("A: b\0c\r\n", 8)), "400 bad_header"},
      {"NUL in the name", get("/", std::string("A\0B: c\r\n", 8)), "400 bad_header"},
      {"ESC in the value", get("/", "A: \x1b[31m\r\n"), "400 bad_header"},
      {"DEL in the value", get("/", "A: \x7f\r\n"), "400 bad_header"},
      {"a bare LF at the end of a line", get("/", "A: b\nC: d\r\n"), "400 bad_header"},
      {"a bare LF at the end of the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n",
       "400 bad_header"},
      {"a bare CR in a value", get("/", "A: b\rC: d\r\n"), "400 bad_header"},
      {"a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 bad_header"},
  });
}

TEST_CASE("a header that decides what a request means comes once") {
  const std::string start = "POST / HTTP/1.1\r\n";
  for (const std::string line :
       {"Content-Length: 1\r\n", "Content-Type: a\r\n", "Authorization: a\r\n",
        "Stripe-Signature: a\r\n", "Stripe-Version: a\r\n", "Stripe-Account: a\r\n",
        "Idempotency-Key: a\r\n", "Expect: 100-continue\r\n", "Origin: a\r\n"}) {
    INFO(line);
    CHECK(verdict_on(start + "Host: a\r\n" + line + "\r\n") == "ok");
    CHECK(verdict_on(start + "Host: a\r\n" + line + line + "\r\n") == "400 duplicate_header");
  }
  CHECK(verdict_on(start + "Host: a\r\nHost: a\r\n\r\n") == "400 duplicate_header");
  CHECK(verdict_on(get("/", "Accept: a\r\nAccept: b\r\n")) == "ok");
  CHECK(verdict_on(get("/", "HOST: b\r\n")) == "400 duplicate_header");
}

TEST_CASE("the length of a body is a plain number within the limit") {
  check({
      {"none means no body", post(""), "ok"},
      {"zero", post("Content-Length: 0\r\n"), "ok"},
      {"at the limit", post("Content-Length: 1048576\r\n"), "ok"},
      {"past the limit", post("Content-Length: 1048577\r\n"), "413 body_too_large"},
      {"18 digits", post("Content-Length: 999999999999999999\r\n"), "413 body_too_large"},
      {"past 64 bits", post("Content-Length: 18446744073709551617\r\n"), "400 bad_content_length"},
      {"with a sign", post("Content-Length: +5\r\n"), "400 bad_content_length"},
      {"negative", post("Content-Length: -2\r\n"), "400 bad_content_length"},
      {"hexadecimal", post("Content-Length: 0x5\r\n"), "400 bad_content_length"},
      {"a list", post("Content-Length: 5, 5\r\n"), "400 bad_content_length"},
      {"empty", post("Content-Length:\r\n"), "400 bad_content_length"},
      {"a leading zero", post("Content-Length: 05\r\n"), "400 bad_content_length"},
      {"a letter", post("Content-Length: abc\r\n"), "400 bad_content_length"},
      {"GET with a body", get("/", "Content-Length: 5\r\n"), "400 body_not_expected"},
      {"GET with an empty body", get("/", "Content-Length: 0\r\n"), "ok"},
      {"HEAD with a body", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
       "400 body_not_expected"},
      {"DELETE with a body", "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", "ok"},
      {"chunked", post("Transfer-Encoding: chunked\r\n"), "411 transfer_encoding_not_accepted"},
      {"chunked and a length", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
       "411 transfer_encoding_not_accepted"},
      {"a disguised encoding", post("Transfer-Encoding: xchunked\r\n"),
       "411 transfer_encoding_not_accepted"},
      {"gzip", post("Content-Encoding: gzip\r\n"), "415 content_encoding_not_accepted"},
      {"br", post("Content-Encoding: br\r\n"), "415 content_encoding_not_accepted"},
      {"identity", post("Content-Encoding: Identity\r\n"), "ok"},
  });
}

TEST_CASE("the host is a name or an address, and HTTP/1.1 needs one") {
  check({
      {"none", "GET / HTTP/1.1\r\n\r\n", "400 host_missing"},
      {"none in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "ok"},
      {"with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 bad_host"},
      {"with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400 bad_host"},
      {"with a bad port", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", "400 bad_host"},
      {"with a long port", "GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n", "400 bad_host"},
      {"a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 bad_host"},
      {"IPv6 without brackets", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", "400 bad_host"},
      {"an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 bad_host"},
      {"rubbish behind the bracket", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "400 bad_host"},
      {"a name in brackets", "GET / HTTP/1.1\r\nHost: [localhost]\r\n\r\n", "400 bad_host"},
  });
  const auto host_of = [](const std::string& value) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
    const auto result = parse_head(bytes, limits);
    REQUIRE(std::holds_alternative<head>(result));
    return std::string(std::get<head>(result).host);
  };
  CHECK(host_of("127.0.0.1:8455") == "127.0.0.1");
  CHECK(host_of("[::1]:8455") == "::1");
  CHECK(host_of("[::1]") == "::1");
  CHECK(host_of("tilld.internal") == "tilld.internal");
  CHECK(host_of("") == "");
}

TEST_CASE("a head has at most so many headers and bytes") {
  std::string headers;
  for (std::size_t i = 1; i < limits.headers; ++i)
    headers += "X-" + std::to_string(i) + ": a\r\n";
  CHECK(verdict_on(get("/", headers)) == "ok");
  CHECK(verdict_on(get("/", headers + "One-More: a\r\n")) == "431 too_many_headers");
  // What get() writes but for the long value.
  const std::size_t around = get("/", "A: \r\n").size();
  const std::string fits(limits.head_bytes - around, 'v');
  CHECK(get("/", "A: " + fits + "\r\n").size() == limits.head_bytes);
  CHECK(verdict_on(get("/", "A: " + fits + "\r\n")) == "ok");
  CHECK(verdict_on(get("/", "A: " + fits + "v\r\n")) == "431 head_too_large");
  CHECK(verdict_on("GET / HTTP/1.1\r\nA: " + std::string(100'000, 'v')) == "431 head_too_large");
}

TEST_CASE("connection handling and expectations are understood") {
  const auto parsed = [](const std::string& bytes) {
    const auto result = parse_head(bytes, limits);
    REQUIRE(std::holds_alternative<head>(result));
    return std::get<head>(result);
  };
  CHECK(parsed(get("/")).keep_alive);
  CHECK_FALSE(parsed(get("/", "Connection: close\r\n")).keep_alive);
  CHECK_FALSE(parsed(get("/", "Connection: Upgrade, CLOSE\r\n")).keep_alive);
  CHECK_FALSE(parsed(get("/", "Connection: a\r\nConnection: close\r\n")).keep_alive);
  CHECK(parsed(get("/", "Connection: closed\r\n")).keep_alive);
  CHECK_FALSE(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  CHECK(parsed(post("Expect: 100-Continue\r\n")).expects_continue);
  CHECK_FALSE(parsed("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
  CHECK(verdict_on(post("Expect: 200-ok\r\n")) == "417 expectation_not_met");
  CHECK(verdict_on(post("Expect: 100-continue\r\nContent-Length: 2000000\r\n")) ==
        "413 body_too_large");
}

TEST_CASE("a refusal says what to do") {
  const std::string chunked = post("Transfer-Encoding: chunked\r\n");
  const auto result = parse_head(chunked, limits);
  REQUIRE(std::holds_alternative<refusal>(result));
  CHECK(std::get<refusal>(result).message.find("Content-Length") != std::string_view::npos);
}
