// Answers that come later, never, too late, or to nobody.
#include <thread>

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

TEST_CASE("an answer may come later and from another thread") {
  test_server s;
  raw_client c(s.port());
  c.send(get("/later"));
  responder kept = s.take_kept();
  CHECK(s.server->in_flight() == 1);
  std::thread([&] { kept(saying("at last")); }).join();
  CHECK(c.receive().body == "at last");
  CHECK(s.server->in_flight() == 0);
  CHECK(c.ask(get("/ping")).body == "pong");
}

TEST_CASE("requests that wait for their answers hold no worker") {
  test_server s;  // two workers
  std::vector<raw_client> waiting;
  std::vector<responder> kept;
  for (int i = 0; i < 50; ++i) {
    waiting.emplace_back(s.port());
    waiting.back().send(get("/later"));
    kept.push_back(s.take_kept());
  }
  raw_client honest(s.port());
  CHECK(honest.ask(get("/ping")).body == "pong");
  for (std::size_t i = 0; i < kept.size(); ++i)
    kept[i](saying(std::to_string(i)));
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    REQUIRE(waiting[i].receive().body == std::to_string(i));
  }
}

TEST_CASE("what was pipelined behind a late answer waits for it") {
  test_server s;
  raw_client c(s.port());
  c.send(get("/later") + get("/ping"));
  responder kept = s.take_kept();
  CHECK(c.receive(50ms).status == 0);
  kept(saying("first"));
  CHECK(c.receive().body == "first");
  CHECK(c.receive().body == "pong");
}

TEST_CASE("a responder dropped without an answer answers 503") {
  test_server s;
  raw_client c(s.port());
  const answer got = c.ask(get("/drop"));
  CHECK(got.status == 503);
  CHECK(got.header("retry-after") == "1");
  CHECK(got.body.find("\"no_answer\"") != std::string::npos);
  c.send(get("/later"));
  { const responder dropped = s.take_kept(); }
  CHECK(c.receive().status == 503);
  CHECK(c.ask(get("/ping")).status == 200);
}

TEST_CASE("only the first answer counts") {
  test_server s;
  raw_client c(s.port());
  c.send(get("/later"));
  responder kept = s.take_kept();
  CHECK(kept(saying("first")));
  CHECK_FALSE(kept(saying("second")));
  CHECK(c.receive().body == "first");
  CHECK(c.ask(get("/ping")).body == "pong");
}

TEST_CASE("a request that is never answered gets 503 in the end, and the late answer is dropped") {
  test_server s([](listener_settings& l) { l.answer_deadline_ms = 300; });
  raw_client c(s.port());
  c.send(get("/later"));
  responder kept = s.take_kept();
  const answer got = c.receive();
  CHECK(got.status == 503);
  CHECK(got.body.find("answer_too_slow") != std::string::npos);
  CHECK(s.server->in_flight() == 0);
  c.send(get("/later"));
  responder next = s.take_kept();
  kept(saying("far too late"));
  next(saying("in time"));
  CHECK(c.receive().body == "in time");
}

TEST_CASE("an answer to a client that has gone does no harm") {
  test_server s;
  for (bool with_reset : {false, true}) {
    raw_client gone(s.port());
    gone.send(get("/later"));
    responder kept = s.take_kept();
    with_reset ? gone.reset() : gone.leave();
    // The next connection may get the number of the last one's descriptor.
    raw_client next(s.port());
    CHECK(next.ask(get("/ping")).body == "pong");
    kept(saying("for nobody"));
    CHECK(next.receive(50ms).status == 0);
    CHECK(next.ask(get("/ping")).body == "pong");
  }
  CHECK(wait_for([&] { return s.server->in_flight() == 0; }));
}

TEST_CASE("a request whose client has gone counts until it is answered") {
  test_server s;
  raw_client gone(s.port());
  gone.send(get("/later"));
  responder kept = s.take_kept();
  gone.reset();
  CHECK(wait_for([&] { return s.count("tilld_http_connections", "listener") == 0; }));
  CHECK(s.server->in_flight() == 1);
  kept(saying("x"));
  CHECK(s.server->in_flight() == 0);
}

TEST_CASE("a request whose client has gone stops counting at its deadline") {
  test_server s([](listener_settings& l) { l.answer_deadline_ms = 100; });
  raw_client gone(s.port());
  gone.send(get("/later"));
  const responder kept = s.take_kept();
  gone.reset();
  CHECK(wait_for([&] { return s.server->in_flight() == 0; }));
}

TEST_CASE("a responder may outlive the server") {
  responder kept;
  {
    test_server s;
    raw_client c(s.port());
    c.send(get("/later"));
    kept = s.take_kept();
  }
  kept(saying("to nobody"));
  SUCCEED("nothing broke");
}

TEST_CASE("answers from many threads at once all arrive") {
  test_server s;
  constexpr int clients = 20;
  std::vector<raw_client> all;
  for (int i = 0; i < clients; ++i)
    all.emplace_back(s.port());
  for (int round = 0; round < 20; ++round) {
    std::vector<std::jthread> threads;
    for (raw_client& c : all)
      c.send(get("/later"));
    for (int i = 0; i < clients; ++i) {
      threads.emplace_back([kept = s.take_kept()] { kept(saying("yes")); });
    }
    for (raw_client& c : all)
      REQUIRE(c.receive().body == "yes");
  }
}
