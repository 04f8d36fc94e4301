#include "net/request_check.hpp"

#include "support/catch.hpp"

using namespace tilld;

namespace {
net::request get(std::string url) {
  net::request r;
  r.url = std::move(url);
  return r;
}
}  // namespace

TEST_CASE("A request's origin is its scheme, host and port and nothing else") {
  CHECK(*net::check_request(get("https://api.stripe.com/v1/customers?email=a@b.c")) ==
        "https://api.stripe.com:443");
  CHECK(*net::check_request(get("http://127.0.0.1:8080")) == "http://127.0.0.1:8080");
  CHECK(*net::check_request(get("http://[::1]:9/x")) == "http://[::1]:9");
}

TEST_CASE("A request with a bad URL is refused") {
  using namespace std::string_literals;
  const std::vector<std::string> bad{"",
                                     "api.stripe.com",
                                     "/v1/x",
                                     "ftp://example.com/",
                                     "file:///etc/passwd",
                                     "gopher://x/",
                                     "https://",
                                     "https://user@example.com/",
                                     "https://user:pass@example.com/",
                                     "https://:pass@example.com/",
                                     "https://@example.com:x/",
                                     "http://example.com:99999/",
                                     "http://exa mple.com/",
                                     "http://example.com/a b",
                                     "http://example.com/\r\nHost: evil",
                                     "http://example.com/\0x"s,
                                     "http://ex\xc3\xa4mple.com/",
                                     "http://example.com/" + std::string(70'000, 'a')};
  for (const std::string& url : bad) {
    INFO(url.substr(0, 60));
    const auto checked = net::check_request(get(url));
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == errc::invalid);
  }
}

TEST_CASE("A refusal quotes no secret") {
  net::request r = get("https://user:hunter2@example.com/?key=hunter2");
  CHECK(net::check_request(r).error().message.find("hunter2") == std::string::npos);
  r = get("https://example.com/");
  r.headers = {{"Authorization", "Bearer hunter2\n"}};
  CHECK(net::check_request(r).error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("The client says that it refused a request, and that it never left") {
  net::client c;
  const net::outcome unfit = c.call(get("https://example.com/a b"));
  REQUIRE_FALSE(unfit);
  CHECK(unfit.error().refused);
  CHECK_FALSE(unfit.error().maybe_sent);
  net::request r = get("http://127.0.0.1:1/");
  r.deadline_ms = 2'000;
  const net::outcome lost = c.call(r);
  REQUIRE_FALSE(lost);
  CHECK_FALSE(lost.error().refused);
}

TEST_CASE("A request with a bad verb or header is refused") {
  for (const char* verb : {"", "get", "G T", "GET\r\n", "GET /x HTTP/1.1", "ABCDEFGHIJKLMNOPQ"}) {
    net::request r = get("https://example.com/");
    r.verb = verb;
    CHECK_FALSE(net::check_request(r));
  }
  const std::vector<std::pair<std::string, std::string>> bad{{"", "x"},
                                                             {"X:Y", "x"},
                                                             {"X Y", "x"},
                                                             {"X\r\nY", "x"},
                                                             {"X", "a\r\nY: b"},
                                                             {"X", "a\nb"},
                                                             {"X", "a\tb"},
                                                             {"X", std::string(1, '\0')},
                                                             {"Content-Length", "5"},
                                                             {"CONTENT-LENGTH", "5"},
                                                             {"Transfer-Encoding", "chunked"},
                                                             {"expect", "100-continue"},
                                                             {"TE", "trailers"},
                                                             {"Trailer", "x"},
                                                             {"Upgrade", "h2c"}};
  for (const auto& header : bad) {
    INFO(header.first);
    net::request r = get("https://example.com/");
    r.headers = {header};
    CHECK_FALSE(net::check_request(r));
  }
  net::request good = get("https://example.com/");
  good.headers = {{"X-Ok!#$%&'*+-.^_`|~", "any \xc3\xa4 text; \"quoted\""}, {"Host", "other"}};
  CHECK(net::check_request(good));
}

TEST_CASE("Only what is safe or carries an idempotency key may be sent again") {
  net::request r = get("https://example.com/");
  for (const char* verb : {"GET", "HEAD", "OPTIONS"}) {
    r.verb = verb;
    CHECK(net::may_be_resent(r));
  }
  for (const char* verb : {"POST", "PUT", "PATCH", "DELETE"}) {
    r.verb = verb;
    r.headers.clear();
    CHECK_FALSE(net::may_be_resent(r));
    r.headers = {{"Idempotency-Key", ""}};
    CHECK_FALSE(net::may_be_resent(r));
    r.headers = {{"idempotency-key", "k"}};
    CHECK(net::may_be_resent(r));
  }
}
