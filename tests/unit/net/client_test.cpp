// What the client does for its callers when the peer is decent.
#include "net/client.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <vector>

#include <rapidcheck.h>

#include "evil_server.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::net::test;
using net::client;

namespace {

// Keeps what the clients have sent, and answers it.
class recorder {
 public:
  recorder()
      : server_([this](connection& c) {
          while (true) {
            std::string text = c.read_request();
            if (text.empty()) return;
            {
              const std::lock_guard lock(mutex_);
              requests_.push_back(std::move(text));
            }
            if (!c.answer("ok")) return;
          }
        }) {}
  std::string url(std::string_view target = "/") const { return server_.url(target); }
  int connections() const { return server_.connections(); }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string last() {
    const auto all = requests();
    return all.empty() ? "" : all.back();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> requests_;
  evil_server server_;
};

bool has_line(const std::string& request, const std::string& line) {
  return request.find("\r\n" + line + "\r\n") != std::string::npos;
}

net::request make(const std::string& verb, const std::string& url, std::string body = "") {
  net::request r;
  r.verb = verb;
  r.url = url;
  r.body = std::move(body);
  r.deadline_ms = 10'000;
  return r;
}

std::string path_of(int number) {
  std::string path = "/";
  return path += std::to_string(number);
}

// Counts ends down; for many requests at once.
class countdown {
 public:
  explicit countdown(int count) : left_(count) {}
  void operator()() {
    const std::lock_guard lock(mutex_);
    if (--left_ == 0) changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return left_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int left_;
};

}  // namespace

TEST_CASE("A request leaves as it was written, with nothing added but what HTTP needs") {
  recorder server;
  client c;
  SECTION("a GET") {
    net::request r = make("GET", server.url("/v1/a/../b?expand[]=x&q=a%20b"));
    r.headers = {{"Authorization", "Bearer sk_test"}, {"X-Empty", ""}, {"Stripe-Version", "v"}};
    const net::outcome o = c.call(r);
    REQUIRE(o);
    CHECK(o->status == 200);
    CHECK(o->body == "ok");
    CHECK(o->header("content-length") == "2");
    CHECK(o->header("absent").empty());
    const std::string sent = server.last();
    CHECK(sent.starts_with("GET /v1/a/../b?expand[]=x&q=a%20b HTTP/1.1\r\n"));
    CHECK(has_line(sent, "Authorization: Bearer sk_test"));
    CHECK((has_line(sent, "X-Empty:") || has_line(sent, "X-Empty: ")));
    CHECK(has_line(sent, "User-Agent: tilld/" TILLD_VERSION));
    CHECK(sent.find("Accept-Encoding") == std::string::npos);
    CHECK(sent.find("Content-") == std::string::npos);
  }
  SECTION("a POST has its length, and no type unless it was given") {
    REQUIRE(c.call(make("POST", server.url(), "a=b")));
    CHECK(has_line(server.last(), "Content-Length: 3"));
    CHECK(server.last().ends_with("\r\n\r\na=b"));
    CHECK(server.last().find("Content-Type") == std::string::npos);
  }
  SECTION("an empty POST says that it is empty") {
    net::request r = make("POST", server.url());
    r.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    REQUIRE(c.call(r));
    CHECK(has_line(server.last(), "Content-Length: 0"));
    CHECK(has_line(server.last(), "Content-Type: application/x-www-form-urlencoded"));
  }
  SECTION("a DELETE without a body has none") {
    REQUIRE(c.call(make("DELETE", server.url("/v1/customers/cus_1"))));
    CHECK(server.last().starts_with("DELETE /v1/customers/cus_1 HTTP/1.1\r\n"));
    CHECK(server.last().find("Content-Length") == std::string::npos);
  }
  SECTION("a large body goes at once, without asking leave") {
    const std::string body(3u << 20, '\0');
    REQUIRE(c.call(make("PUT", server.url(), body)));
    CHECK(server.last().ends_with(body));
    CHECK(server.last().find("Expect") == std::string::npos);
  }
}

TEST_CASE("The head of an answer to HEAD is the answer") {
  evil_server server([](connection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    c.stall();
  });
  client c;
  const net::outcome o = c.call(make("HEAD", server.url()));
  REQUIRE(o);
  CHECK(o->status == 200);
  CHECK(o->body.empty());
}

TEST_CASE("Interim answers and trailers are not the answer") {
  evil_server server([](connection& c) {
    c.read_request();
    c.write(
        "HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\n"
        "HTTP/1.1 201 Created\r\nX-A:  one \r\nX-A: two\r\nX-Folded: a\r\n  b\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-A: trailer\r\n\r\n");
    c.stall();
  });
  client c;
  const net::outcome o = c.call(make("GET", server.url()));
  REQUIRE(o);
  CHECK(o->status == 201);
  CHECK(o->body == "abcde");
  CHECK(o->header("x-a") == "one");
  CHECK(o->header("x-folded") == "a b");
  CHECK(std::ranges::none_of(o->headers, [](const auto& h) { return h.second == "trailer"; }));
}

TEST_CASE("Requests one after the other share a connection") {
  recorder server;
  client c;
  for (int i = 0; i < 50; ++i)
    REQUIRE(c.call(make(i % 2 ? "GET" : "POST", server.url())));
  CHECK(server.connections() == 1);
}

TEST_CASE("A request that asks for it has its connection to itself") {
  recorder server;
  client c;
  REQUIRE(c.call(make("GET", server.url())));
  net::request alone = make("GET", server.url());
  alone.reuse_connection = false;
  for (int i = 0; i < 3; ++i)
    REQUIRE(c.call(alone));
  CHECK(server.connections() == 4);
  REQUIRE(c.call(make("GET", server.url())));
  CHECK(server.connections() == 4);
}

TEST_CASE("A kept connection that the server has closed is not used again") {
  evil_server server([](connection& c) {
    c.read_request();
    c.answer("ok");
  });
  client c;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(c.call(make("POST", server.url(), path_of(i))));
    REQUIRE(eventually([&] { return server.open() == 0; }));
  }
  CHECK(server.connections() == 5);
}

TEST_CASE("When a kept connection dies under a request, only what is safe is sent again") {
  std::atomic<int> seen{0};
  std::string first;
  std::string second;
  // The first connection answers one request, swallows the next and dies without a word.
  evil_server server([&](connection& c) {
    if (c.number() == 0) {
      c.read_request();
      c.answer("warm");
      first = c.read_request();
      if (!first.empty()) ++seen;
      return;
    }
    second = c.read_request();
    if (second.empty()) return;
    ++seen;
    c.answer("again");
  });
  client c;
  REQUIRE(c.call(make("GET", server.url("/warm"))));

  SECTION("a GET is") {
    const net::outcome o = c.call(make("GET", server.url("/v1/x")));
    REQUIRE(o);
    CHECK(o->body == "again");
    CHECK(seen == 2);
  }
  SECTION("a POST with an idempotency key is, byte for byte") {
    net::request r = make("POST", server.url("/v1/x"), "amount=1");
    r.headers = {{"Idempotency-Key", "key_1"}};
    const net::outcome o = c.call(r);
    REQUIRE(o);
    CHECK(seen == 2);
    CHECK(first == second);
    CHECK(has_line(second, "Idempotency-Key: key_1"));
  }
  SECTION("a POST without one is not, and the caller is told that it may have arrived") {
    const net::outcome o = c.call(make("POST", server.url("/v1/x"), "amount=1"));
    REQUIRE_FALSE(o);
    CHECK(o.error().maybe_sent);
    CHECK_FALSE(o.error().timed_out);
    CHECK(seen == 1);
  }
  SECTION("nor is one without a body") {
    const net::outcome o = c.call(make("POST", server.url("/v1/x/cancel")));
    REQUIRE_FALSE(o);
    CHECK(o.error().maybe_sent);
    CHECK(seen == 1);
  }
  SECTION("a DELETE is not: the second answer would be about the first") {
    const net::outcome o = c.call(make("DELETE", server.url("/v1/x")));
    REQUIRE_FALSE(o);
    CHECK(o.error().maybe_sent);
    CHECK(seen == 1);
  }
}

TEST_CASE("Two hundred requests at once are all answered, over no more connections than allowed") {
  evil_server server([](connection& c) {
    while (!c.read_request().empty() && c.pause(1ms) && c.answer("ok")) {
    }
  });
  client::options o;
  o.most_connections_per_host = 8;
  client c(o);
  countdown all(200);
  std::atomic<int> good{0};
  for (int i = 0; i < 200; ++i) {
    c.send(make("GET", server.url(path_of(i))), [&](net::outcome out) {
      if (out && out->status == 200) ++good;
      all();
    });
  }
  REQUIRE(all.wait());
  CHECK(good == 200);
  CHECK(server.most_open() <= 8);
  CHECK(server.connections() <= 8);
}

TEST_CASE("A request that waits for its turn keeps its deadline, and was not sent") {
  evil_server server([](connection& c) { c.stall(); });
  client::options o;
  o.most_connections_per_host = 1;
  client c(o);
  c.send(make("GET", server.url()), [](net::outcome) {});
  REQUIRE(eventually([&] { return server.connections() == 1; }));
  net::request second = make("POST", server.url(), "x");
  second.deadline_ms = 200;
  const stopwatch watch;
  const net::outcome out = c.call(second);
  REQUIRE_FALSE(out);
  CHECK(out.error().timed_out);
  CHECK_FALSE(out.error().maybe_sent);
  CHECK(watch.ms() < 1'200);
  CHECK(server.connections() == 1);
}

TEST_CASE("A slow host does not hold another one's requests") {
  evil_server slow([](connection& c) { c.stall(); });
  recorder fast;
  client::options o;
  o.most_connections_per_host = 1;
  client c(o);
  for (int i = 0; i < 20; ++i)
    c.send(make("GET", slow.url()), [](net::outcome) {});
  const stopwatch watch;
  REQUIRE(c.call(make("GET", fast.url())));
  CHECK(watch.ms() < 1'000);
}

TEST_CASE("More than may wait are refused unsent") {
  evil_server server([](connection& c) { c.stall(); });
  client::options o;
  o.most_connections_per_host = 1;
  o.most_waiting = 10;
  client c(o);
  c.send(make("GET", server.url()), [](net::outcome) {});
  REQUIRE(eventually([&] { return server.connections() == 1; }));
  std::atomic<int> refused{0};
  for (int i = 0; i < 25; ++i) {
    c.send(make("GET", server.url()), [&](net::outcome out) {
      if (!out && !out.error().maybe_sent && out.error().message.ends_with("waiting")) ++refused;
    });
  }
  CHECK(refused == 15);
}

TEST_CASE("A client that goes away answers all that was pending, once each") {
  evil_server server([](connection& c) {
    c.read_request();
    c.stall();
  });
  std::atomic<int> ended{0};
  std::atomic<int> maybe_sent{0};
  const stopwatch watch;
  {
    client::options o;
    o.most_connections_per_host = 10;
    client c(o);
    for (int i = 0; i < 50; ++i) {
      c.send(make("POST", server.url(), "x"), [&](net::outcome out) {
        ++ended;
        if (!out && out.error().maybe_sent) ++maybe_sent;
      });
    }
    REQUIRE(eventually([&] { return server.open() == 10; }));
  }
  CHECK(watch.ms() < 5'000);
  CHECK(ended == 50);
  CHECK(maybe_sent <= 10);
}

TEST_CASE("A caller may send the next request from the answer to the last") {
  recorder server;
  countdown done(1);
  std::function<void(int)> chain;
  client c;
  chain = [&](int left) {
    c.send(make("GET", server.url(path_of(left))), [&, left](net::outcome o) {
      if (left == 0 || !o) return done();
      chain(left - 1);
    });
  };
  chain(30);
  REQUIRE(done.wait());
  CHECK(server.requests().size() == 31);
  CHECK(server.connections() == 1);
}

TEST_CASE("Waiting on the client's own thread is refused, not a deadlock") {
  recorder server;
  client c;
  countdown done(1);
  std::string message;
  c.send(make("GET", server.url()), [&](net::outcome) {
    const net::outcome inner = c.call(make("GET", server.url()));
    if (!inner && !inner.error().maybe_sent) message = inner.error().message;
    done();
  });
  REQUIRE(done.wait());
  CHECK(message.find("own thread") != std::string::npos);
}

TEST_CASE("A proxy in the environment is not asked") {
  recorder server;
  evil_server proxy(polite("proxied"));
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    ::setenv(name, proxy.url().c_str(), 1);
  }
  client c;
  const net::outcome o = c.call(make("GET", server.url()));
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
    ::unsetenv(name);
  REQUIRE(o);
  CHECK(o->body == "ok");
  CHECK(proxy.connections() == 0);
}

TEST_CASE("A header value arrives as it was given or the request is refused unsent") {
  recorder server;
  client c;
  const bool holds = rc::check("header values", [&] {
    const auto value =
        *rc::gen::container<std::string>(rc::gen::weightedElement<char>({{20, 'a'},
                                                                         {10, ' '},
                                                                         {3, ':'},
                                                                         {2, ';'},
                                                                         {2, '"'},
                                                                         {2, '\xc3'},
                                                                         {1, '\r'},
                                                                         {1, '\n'},
                                                                         {1, '\0'},
                                                                         {1, '\t'},
                                                                         {1, '\x7f'}}));
    const std::size_t before = server.requests().size();
    net::request r = make("GET", server.url());
    r.headers = {{"X-Before", "1"}, {"X-Value", value}, {"X-After", "2"}};
    const net::outcome o = c.call(r);
    const bool bad = value.find_first_of(std::string_view("\r\n\0\t\x7f", 5)) != std::string::npos;
    RC_ASSERT(o.has_value() != bad);
    if (bad) {
      RC_ASSERT_FALSE(o.error().maybe_sent);
      RC_ASSERT(server.requests().size() == before);
      return;
    }
    const std::string sent = server.last();
    const std::size_t first = value.find_first_not_of(' ');
    const std::string expected = first == std::string::npos ? "" : value;
    const std::size_t at = sent.find("\r\nX-Value:");
    const std::size_t end = sent.find("\r\nX-After: 2\r\n");
    RC_ASSERT(at != std::string::npos && end != std::string::npos);
    std::string got = sent.substr(at + 10, end - at - 10);
    const auto trim = [](std::string t) {
      const std::size_t from = t.find_first_not_of(' ');
      return from == std::string::npos ? std::string()
                                       : t.substr(from, t.find_last_not_of(' ') - from + 1);
    };
    RC_ASSERT(trim(got) == trim(expected));
  });
  REQUIRE(holds);
}
