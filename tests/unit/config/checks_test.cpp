#include "config/checks.hpp"

#include "config/settings.hpp"
#include "config/table.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::config;

TEST_CASE("an endpoint is an address literal and a port") {
  const struct {
    const char* text;
    const char* address;
    std::uint16_t port;
    bool loopback;
  } good[] = {
      {"127.0.0.1:8455", "127.0.0.1", 8455, true},
      {"[::1]:8455", "::1", 8455, true},
      {"127.255.0.9:1", "127.255.0.9", 1, true},
      {"0.0.0.0:65535", "0.0.0.0", 65535, false},
      {"[::]:80", "::", 80, false},
      {"192.0.2.7:0", "192.0.2.7", 0, false},
      {"[2001:DB8::0:1]:9", "2001:db8::1", 9, false},
      {"[::ffff:127.0.0.1]:9", "::ffff:127.0.0.1", 9, true},
  };
  for (const auto& c : good) {
    CAPTURE(c.text);
    const auto parsed = parse_endpoint(c.text);
    REQUIRE(parsed);
    CHECK(parsed->address == c.address);
    CHECK(parsed->port == c.port);
    CHECK(parsed->loopback == c.loopback);
  }
  for (const char* text : {"",
                           ":",
                           "127.0.0.1",
                           "127.0.0.1:",
                           ":8455",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:8 ",
                           " 127.0.0.1:8",
                           "127.0.0.1:+8",
                           "127.1:80",
                           "0x7f.0.0.1:80",
                           "::1:8455",
                           "[::1]",
                           "[::1]8455",
                           "[::1",
                           "[]:1",
                           "[127.0.0.1]:80",
                           "localhost:80",
                           "*:80",
                           "[fe80::1%eth0]:80",
                           "127.0.0.1:80:80",
                           "127.0.0.1:99999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_endpoint(text));
  }
}

TEST_CASE("an API address is https, or http to this host, and nothing more than a host") {
  for (const char* text :
       {"https://api.stripe.com", "https://api.stripe.com:443", "http://127.0.0.1:12111",
        "http://localhost:12111", "http://LOCALHOST", "http://[::1]:80", "https://[2001:db8::1]"}) {
    CAPTURE(text);
    CHECK(is_api_url(text));
  }
  for (const char* text : {"",
                           "api.stripe.com",
                           "https://",
                           "https:///",
                           "http://api.stripe.com",
                           "http://127.0.0.1.example.com",
                           "https://api.stripe.com/",
                           "https://api.stripe.com/v1",
                           "https://api.stripe.com?x",
                           "https://user@api.stripe.com",
                           "https://a:b@api.stripe.com",
                           "http://localhost@example.com",
                           "https://api.stripe.com:0",
                           "https://api.stripe.com:x",
                           "https://api.stripe.com:",
                           "ftp://localhost",
                           "HTTPS://api.stripe.com",
                           "https://a b",
                           "https://[::1",
                           "https://[1.2.3.4]",
                           "http://0.0.0.0:1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_api_url(text));
  }
}

TEST_CASE("hosts, versions, metadata keys and account names are checked letter by letter") {
  CHECK(is_host("till.example.com"));
  CHECK(is_host("*"));
  CHECK(is_host("::1"));
  for (const char* text : {"", "a:80", "http://a", "[::1]", "-a", ".a", "a b", "a/b", "**"}) {
    CAPTURE(text);
    CHECK_FALSE(is_host(text));
  }
  CHECK(is_api_version(""));
  CHECK(is_api_version("2020-08-27"));
  CHECK(is_api_version("2025-03-31.basil"));
  for (const char* text :
       {"2025", "2025-3-31", "2025-03-31.", "2025-03-31.B", "2025-03-31 basil"}) {
    CAPTURE(text);
    CHECK_FALSE(is_api_version(text));
  }
  CHECK(is_metadata_key("user_id"));
  CHECK(is_metadata_key(std::string(40, 'x')));
  CHECK_FALSE(is_metadata_key(std::string(41, 'x')));
  CHECK_FALSE(is_metadata_key("a b"));
  CHECK_FALSE(is_metadata_key("a[0]"));
  CHECK(is_account_name("main"));
  CHECK(is_account_name("a_1"));
  for (const char* text : {"", "Main", "1a", "_a", "a-b", "a/b", "a.b"}) {
    CAPTURE(text);
    CHECK_FALSE(is_account_name(text));
  }
  CHECK_FALSE(is_account_name(std::string(33, 'a')));
}

TEST_CASE("the nearest known word is offered only for a slip") {
  const std::vector<std::string> known = {"api.listen", "api.workers", "webhooks.listen"};
  CHECK(nearest("api.lisetn", known) == "api.listen");  // a swap counts once
  CHECK(nearest("api.listen", known) == "api.listen");
  CHECK(nearest("api.worker", known) == "api.workers");
  CHECK(nearest("ai.list", known).empty());
  CHECK(nearest("webhook.lisen", known) == "webhooks.listen");
  CHECK(nearest("colour", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest(std::string(100'000, 'a'), known).empty());
}
