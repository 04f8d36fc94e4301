// Whom the client believes to be who they say.
#include "net/client.hpp"
#include "support/catch.hpp"
#include "tls_server.hpp"

using namespace tilld;
using namespace tilld::net::test;
using net::client;

namespace {

// An authority of our own, in a file.
struct authority {
  identity root = make_identity({.common_name = "Test Root", .alt_names = "", .is_ca = true});
  temp_dir dir;
  std::string file = dir.file("root.pem");
  authority() { write_pem(file, root.cert.get()); }
};

net::outcome ask(const std::string& url, const std::string& ca_file) {
  client::options o;
  o.ca_file = ca_file;
  client c(o);
  net::request r;
  r.url = url;
  r.deadline_ms = 5'000;
  return c.call(r);
}

void check_refused(const net::outcome& o, const tls_server& server) {
  REQUIRE_FALSE(o);
  INFO(o.error().message);
  CHECK_FALSE(o.error().maybe_sent);
  CHECK_FALSE(o.error().timed_out);
  CHECK(server.requests() == 0);
}

}  // namespace

TEST_CASE("A certificate from a trusted authority for the exact name is believed") {
  const authority ca;
  SECTION("a name") {
    tls_server server(make_identity({.alt_names = "DNS:localhost"}, &ca.root));
    const net::outcome o = ask(server.url("localhost"), ca.file);
    INFO((o ? "" : o.error().message));
    REQUIRE(o);
    CHECK(o->body == "secure");
  }
  SECTION("a name among others, in another case") {
    tls_server server(make_identity({.alt_names = "DNS:a.test,DNS:LocalHost"}, &ca.root));
    CHECK(ask(server.url("localhost"), ca.file));
  }
  SECTION("an address") {
    tls_server server(make_identity({.alt_names = "IP:127.0.0.1"}, &ca.root));
    CHECK(ask(server.url("127.0.0.1"), ca.file));
  }
}

TEST_CASE("A certificate for another name is not believed, and nothing is sent") {
  const authority ca;
  for (const char* names :
       {"DNS:other.test", "DNS:*", "DNS:*.*", "DNS:*.localhost", "DNS:l*", "DNS:local*",
        "DNS:*host", "DNS:l*t", "DNS:localhost.test", "DNS:xlocalhost", "DNS:ocalhost",
        "IP:127.0.0.1", "URI:https://localhost", "email:a@localhost"}) {
    INFO(names);
    tls_server server(make_identity({.common_name = "other.test", .alt_names = names}, &ca.root));
    check_refused(ask(server.url("localhost"), ca.file), server);
  }
}

TEST_CASE("The common name does not help a certificate that has names") {
  const authority ca;
  tls_server server(
      make_identity({.common_name = "localhost", .alt_names = "DNS:other.test"}, &ca.root));
  check_refused(ask(server.url("localhost"), ca.file), server);
}

TEST_CASE("An address is not a name: wildcards and DNS entries do not cover it") {
  const authority ca;
  for (const char* names : {"DNS:127.0.0.1", "DNS:*.0.0.1", "IP:127.0.0.2"}) {
    INFO(names);
    tls_server server(make_identity({.common_name = "x", .alt_names = names}, &ca.root));
    check_refused(ask(server.url("127.0.0.1"), ca.file), server);
  }
}

TEST_CASE("A certificate that is expired, not yet valid or from a stranger is not believed") {
  const authority ca;
  const authority stranger;
  const std::string names = "DNS:localhost";
  SECTION("expired") {
    tls_server server(
        make_identity({.alt_names = names, .valid_from_s = -7200, .valid_until_s = -60}, &ca.root));
    check_refused(ask(server.url("localhost"), ca.file), server);
  }
  SECTION("not yet valid") {
    tls_server server(
        make_identity({.alt_names = names, .valid_from_s = 3600, .valid_until_s = 7200}, &ca.root));
    check_refused(ask(server.url("localhost"), ca.file), server);
  }
  SECTION("signed by an authority that is not in the file") {
    tls_server server(make_identity({.alt_names = names}, &stranger.root));
    check_refused(ask(server.url("localhost"), ca.file), server);
  }
  SECTION("signed by itself") {
    tls_server server(make_identity({.alt_names = names}));
    check_refused(ask(server.url("localhost"), ca.file), server);
  }
  SECTION("signed by an authority that the system does not know") {
    tls_server server(make_identity({.alt_names = names}, &ca.root));
    check_refused(ask(server.url("localhost"), ""), server);
  }
  SECTION("signed by a certificate that is no authority") {
    const identity leaf = make_identity({.alt_names = "DNS:leaf.test"}, &ca.root);
    tls_server server(make_identity({.alt_names = names}, &leaf));
    check_refused(ask(server.url("localhost"), ca.file), server);
  }
}

TEST_CASE("A file of authorities that cannot be read trusts nobody") {
  const authority ca;
  tls_server server(make_identity({.alt_names = "DNS:localhost"}, &ca.root));
  check_refused(ask(server.url("localhost"), ca.dir.file("absent.pem")), server);
  std::ofstream(ca.dir.file("rubbish.pem")) << "not a certificate";
  check_refused(ask(server.url("localhost"), ca.dir.file("rubbish.pem")), server);
}

TEST_CASE("TLS older than 1.2 is refused") {
  const authority ca;
  const identity who = make_identity({.alt_names = "DNS:localhost"}, &ca.root);
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    tls_server server(who, version);
    check_refused(ask(server.url("localhost"), ca.file), server);
  }
  tls_server server(who, TLS1_2_VERSION);
  CHECK(ask(server.url("localhost"), ca.file));
}

TEST_CASE("Requests over TLS share a connection") {
  const authority ca;
  tls_server server(make_identity({.alt_names = "DNS:localhost"}, &ca.root));
  client::options o;
  o.ca_file = ca.file;
  client c(o);
  for (int i = 0; i < 10; ++i) {
    net::request r;
    r.url = server.url("localhost");
    REQUIRE(c.call(r));
  }
  CHECK(server.connections() == 1);
  CHECK(server.requests() == 10);
}
