// The gateway's rules, one by one.
#include "core/lane_turns.hpp"
#include "gateway_world.hpp"

using namespace tilld;
using namespace tilld::core;
using namespace tilld::core::test;
using stripe::call_end;
using stripe::lane;

namespace {

// Plays the replies in turn; the last one for ever.
world::server script(std::vector<reply> replies) {
  auto next = std::make_shared<std::size_t>(0);
  return [replies = std::move(replies), next](const to_send&, std::int64_t) {
    return replies[std::min((*next)++, replies.size() - 1)];
  };
}

std::string name_of(call_end end) {
  return end == call_end::answered   ? "answered"
         : end == call_end::not_sent ? "not_sent"
                                     : "unknown";
}

const std::string in_use = R"({"error":{"code":"idempotency_key_in_use"}})";
const std::pair<std::string, std::string> never{"stripe-should-retry", "false"};
const std::pair<std::string, std::string> always{"stripe-should-retry", "true"};

stripe::call deleting(std::string target) {
  stripe::call c = post(std::move(target), "");
  c.verb = "DELETE";
  c.body.clear();
  return c;
}

struct rule {
  std::string name;
  stripe::call call;
  std::vector<reply> replies;
  call_end end;
  int status;
  int tries;  // 0: as many as fit into its time, at least 2
};

std::vector<rule> rules() {
  const auto get_ = get("/v1/customers/cus_1");
  const auto post_ = post("/v1/customers");
  const auto bare = post("/v1/customers", "");
  const auto delete_ = deleting("/v1/customers/cus_1");
  const auto ok = says(200);
  using enum call_end;
  return {
      {"2xx is done", post_, {ok}, answered, 200, 1},
      {"2xx is done whatever Should-Retry says", post_, {says(200, {always})}, answered, 200, 1},
      {"400 is final", post_, {says(400), ok}, answered, 400, 1},
      {"401 is final", post_, {says(401), ok}, answered, 401, 1},
      {"402 is final", post_, {says(402), ok}, answered, 402, 1},
      {"403 is final", post_, {says(403), ok}, answered, 403, 1},
      {"404 is final", get_, {says(404), ok}, answered, 404, 1},
      {"409 goes on", post_, {says(409), ok}, answered, 200, 2},
      {"429 goes on", post_, {says(429), ok}, answered, 200, 2},
      {"500 goes on", post_, {says(500), ok}, answered, 200, 2},
      {"503 goes on", get_, {says(503), ok}, answered, 200, 2},
      {"501 ends: what is not there will not be soon", get_, {says(501), ok}, answered, 501, 1},
      {"501 ends a POST, and nothing was done", post_, {says(501), ok}, answered, 501, 1},
      {"a lost answer goes on", post_, {lost(true), ok}, answered, 200, 2},
      {"a refused connection goes on", post_, {lost(false), ok}, answered, 200, 2},
      {"409 ends when told", post_, {says(409, {never}), ok}, answered, 409, 1},
      {"429 ends when told", post_, {says(429, {never}), ok}, answered, 429, 1},
      {"a POST's 500 ends when told, unknown", post_, {says(500, {never}), ok}, unknown, 500, 1},
      {"a GET's 500 ends when told", get_, {says(500, {never}), ok}, answered, 500, 1},
      {"400 goes on when told", post_, {says(400, {always}), ok}, answered, 200, 2},
      {"six 5xx end a POST, unknown", post_, {says(500)}, unknown, 500, 6},
      {"six 5xx end a GET", get_, {says(502)}, answered, 502, 6},
      {"six times told to go on are enough", get_, {says(400, {always})}, answered, 400, 6},
      {"429 for ever ends with its time", post_, {says(429)}, answered, 429, 0},
      {"409 for ever ends with its time", post_, {says(409)}, answered, 409, 0},
      {"lost for ever ends with its time", post_, {lost(true)}, unknown, 0, 0},
      {"lost for ever ends a GET, too", get_, {lost(true)}, unknown, 0, 0},
      {"refused for ever was not sent", post_, {lost(false)}, not_sent, 0, 0},
      {"the key in use elsewhere is no end", post_, {says(409, {}, in_use)}, unknown, 409, 0},
      {"lost, then 400: the key would have replayed",
       post_,
       {lost(true), says(400)},
       answered,
       400,
       2},
      {"lost, then 401: Stripe has not looked", post_, {lost(true), says(401)}, unknown, 401, 2},
      {"lost, then 403: Stripe has not looked", post_, {lost(true), says(403)}, unknown, 403, 2},
      {"500, then 429 for ever", post_, {says(500), says(429)}, unknown, 429, 0},
      {"lost, then 409, told to end", post_, {lost(true), says(409, {never})}, unknown, 409, 2},
      {"lost, then refused for ever", post_, {lost(true), lost(false)}, unknown, 0, 0},
      {"429, then refused for ever", post_, {says(429), lost(false)}, answered, 429, 0},
      {"503, then refused for ever, a GET", get_, {says(503), lost(false)}, answered, 503, 0},
      {"3xx is final and proves nothing", post_, {says(302), ok}, unknown, 302, 1},
      {"3xx is final for a GET", get_, {says(302), ok}, answered, 302, 1},
      {"lost without a key is not repeated", bare, {lost(true), ok}, unknown, 0, 1},
      {"500 without a key is not repeated", bare, {says(500), ok}, unknown, 500, 1},
      {"refused without a key is repeated", bare, {lost(false), ok}, answered, 200, 2},
      {"429 without a key is repeated", bare, {says(429), ok}, answered, 200, 2},
      {"409 without a key is repeated", bare, {says(409), ok}, answered, 200, 2},
      {"a lost DELETE is repeated", delete_, {lost(true), ok}, answered, 200, 2},
      {"a repeated DELETE may find nothing", delete_, {lost(true), says(404)}, answered, 404, 2},
  };
}

}  // namespace

TEST_CASE("The rules of trying again, row by row") {
  for (const rule& r : rules()) {
    INFO(r.name);
    gateway_limits limits;
    limits.breaking.failures_to_open = 1'000'000;
    world w(limits, script(r.replies));
    const ticket id = w.submit(r.call);
    REQUIRE(w.settle());
    const stripe::outcome& o = w.end_of(id);
    CHECK(name_of(o.end) == name_of(r.end));
    CHECK(o.status == r.status);
    CHECK(o.attempts == static_cast<int>(w.sent().size()));
    if (r.tries > 0) {
      CHECK(o.attempts == r.tries);
    } else {
      CHECK(o.attempts > 2);
      CHECK(o.attempts < 100);
      CHECK(w.delivered_at(id) - 1'000'000 <= r.call.give_up_after_ms + 200);
    }
    if (r.end != call_end::answered) CHECK_FALSE(o.why.empty());
  }
}

TEST_CASE("A DELETE that finds nothing after a lost answer says why that may be") {
  world w({}, script({lost(true), says(404)}));
  const ticket id = w.submit(deleting("/v1/customers/cus_1"));
  REQUIRE(w.settle());
  CHECK(w.end_of(id).why == "an earlier try may have done it");
}

TEST_CASE("An outcome carries what Stripe said of itself") {
  reply r = says(200,
                 {{"request-id", "req_1"},
                  {"stripe-version", "2026-09-30.endive"},
                  {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                  {"idempotent-replayed", "true"}},
                 R"({"id":"cus_1"})");
  r.after_ms = 1'001;
  world w({}, script({r}));
  const ticket id = w.submit(post("/v1/customers"));
  REQUIRE(w.settle());
  const stripe::outcome& o = w.end_of(id);
  CHECK(o.body == R"({"id":"cus_1"})");
  CHECK(o.request_id == "req_1");
  CHECK(o.api_version == "2026-09-30.endive");
  CHECK(o.date_s == 784'111'777);
  CHECK(o.started_s == 784'111'775);
  CHECK(o.replayed);
  CHECK(o.attempts == 1);
}

TEST_CASE("Without a readable Date the times of an outcome are 0") {
  for (const char* date : {"", "yesterday"}) {
    world w({}, script({says(200, {{"date", date}})}));
    const ticket id = w.submit(get("/v1/customers"));
    REQUIRE(w.settle());
    CHECK(w.end_of(id).date_s == 0);
    CHECK(w.end_of(id).started_s == 0);
    CHECK_FALSE(w.end_of(id).replayed);
  }
}

TEST_CASE("Each try waits at random up to a bound that doubles") {
  std::array<std::int64_t, 5> longest{};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    world w({}, script({says(500)}), seed);
    w.submit(get("/v1/customers"));
    REQUIRE(w.settle());
    REQUIRE(w.sent().size() == 6);
    for (std::size_t i = 0; i < longest.size(); ++i) {
      const std::int64_t wait = w.sent()[i + 1].at_ms - w.sent()[i].at_ms - 100;
      longest[i] = std::max(longest[i], wait);
      CHECK(wait >= 0);
      CHECK(wait <= 500 << i);
    }
  }
  for (std::size_t i = 0; i < longest.size(); ++i)
    CHECK(longest[i] > (500 << i) * 9 / 10);
}

TEST_CASE("Retry-After is obeyed, as seconds or as a date") {
  const std::pair<std::string, std::string> date{"date", "Sun, 06 Nov 1994 08:49:37 GMT"};
  for (const char* after : {"7", "Sun, 06 Nov 1994 08:49:44 GMT"}) {
    for (const int status : {429, 503, 409}) {
      world w({}, script({says(status, {{"retry-after", after}, date}), says(200)}));
      w.submit(get("/v1/customers"));
      REQUIRE(w.settle());
      REQUIRE(w.sent().size() == 2);
      CHECK(w.sent()[1].at_ms - w.sent()[0].at_ms >= 7'100);
      CHECK(w.sent()[1].at_ms - w.sent()[0].at_ms <= 7'200);
    }
  }
}

TEST_CASE("A Retry-After beyond the call's time ends it at once") {
  world w({}, script({says(429, {{"retry-after", "300"}}), says(200)}));
  const ticket id = w.submit(post("/v1/customers"));
  REQUIRE(w.settle());
  CHECK(w.delivered_at(id) == 1'000'100);
  CHECK(w.end_of(id).status == 429);
}

TEST_CASE("A call whose time runs out in the queue was not sent") {
  gateway_limits limits;
  limits.most_in_flight = 1;
  reply slow = says(200);
  slow.after_ms = 60'000;
  world w(limits, script({slow}));
  w.submit(get("/v1/customers"));
  stripe::call second = post("/v1/customers");
  second.give_up_after_ms = 5'000;
  const ticket id = w.submit(second);
  REQUIRE(w.settle());
  CHECK(w.end_of(id).end == call_end::not_sent);
  CHECK(w.end_of(id).attempts == 0);
  CHECK(w.delivered_at(id) == 1'005'001);
}

TEST_CASE("A full queue refuses, and only in its own lane") {
  gateway_limits limits;
  limits.most_queued = 10;
  limits.most_in_flight = 1;
  world w(limits, script({says(200)}));
  std::vector<ticket> ids;
  for (int i = 0; i < 15; ++i)
    ids.push_back(w.submit(get("/v1/customers", lane::backfill)));
  for (int i = 0; i < 11; ++i)
    CHECK_FALSE(w.delivered().contains(ids[static_cast<size_t>(i)]));
  for (std::size_t i = 11; i < 15; ++i) {
    CHECK(w.end_of(ids[i]).end == call_end::not_sent);
    CHECK(w.end_of(ids[i]).why == "the queue is full");
  }
  const ticket order = w.submit(post("/v1/customers"));
  CHECK_FALSE(w.delivered().contains(order));
  CHECK(w.status().queued == std::array<std::size_t, 4>{1, 0, 0, 10});
  REQUIRE(w.settle());
}

TEST_CASE("The queues hold no more bytes than they may") {
  gateway_limits limits;
  limits.most_queued_bytes = 10'000;
  limits.most_in_flight = 1;
  world w(limits, script({says(200)}));
  stripe::call fat = post("/v1/customers");
  fat.body = std::string(4'000, 'x');
  for (int i = 0; i < 5; ++i)
    w.submit(fat);
  CHECK(w.delivered().size() == 2);
  CHECK(w.status().queued_bytes <= 10'000);
  REQUIRE(w.settle());
  CHECK(w.status().queued_bytes == 0);
}

TEST_CASE("An endpoint is a verb and the first two segments of a path") {
  const auto name = [](const char* verb, const char* target) {
    stripe::call c = get(target);
    c.verb = verb;
    return endpoint_of(c);
  };
  CHECK(name("GET", "/v1/customers") == "GET /v1/customers");
  CHECK(name("GET", "/v1/customers?limit=1&x=/a/b") == "GET /v1/customers");
  CHECK(name("POST", "/v1/customers/cus_1/sources") == "POST /v1/customers");
  CHECK(name("GET", "/v2/core/events") == "GET /v2/core");
  CHECK(name("GET", "/v1") == "GET /v1");
  CHECK(name("GET", "") == "GET ");
  CHECK(name("GET", ("/v1/" + std::string(1'000, 'x')).c_str()).size() < 100);
}

TEST_CASE("Strangers' paths do not fill the table of endpoints") {
  gateway_limits limits;
  limits.most_endpoints = 8;
  limits.read_per_s = limits.endpoint_per_s = 10'000;
  world w(limits, script({says(200)}));
  for (int i = 0; i < 500; ++i) {
    w.submit(get("/v1/x" + std::to_string(i)));
    if (i % 50 == 49) REQUIRE(w.settle());
    CHECK(w.status().endpoints.size() <= 10);
  }
  REQUIRE(w.settle());
  for (const auto& [id, o] : w.delivered())
    CHECK(o.end == call_end::answered);
}

TEST_CASE("Draining ends what waits and lets what is in flight come back, without another try") {
  gateway_limits limits;
  limits.most_in_flight = 2;
  world w(limits, script({says(200), says(500), says(200)}));
  const ticket done = w.submit(post("/v1/a"));
  const ticket hurt = w.submit(post("/v1/b"));
  const ticket waits = w.submit(post("/v1/c"));
  w.drain();
  CHECK(w.end_of(waits).end == call_end::not_sent);
  CHECK(w.end_of(waits).why == "shutting down");
  const ticket late = w.submit(post("/v1/d"));
  CHECK(w.end_of(late).end == call_end::not_sent);
  CHECK(w.status().draining);
  REQUIRE(w.settle());
  CHECK(w.end_of(done).end == call_end::answered);
  CHECK(w.end_of(hurt).end == call_end::unknown);
  CHECK(w.sent().size() == 2);
  CHECK_FALSE(w.wake());
}

TEST_CASE("Draining tells of a call between two tries what is known of it") {
  world w({}, script({lost(true), lost(false), says(200)}));
  const ticket maybe = w.submit(post("/v1/a"));
  const ticket never_left = w.submit(post("/v1/b"));
  w.run_for(100);
  if (w.pending() == 2) w.drain();
  CHECK(w.end_of(maybe).end == call_end::unknown);
  CHECK(w.end_of(never_left).end == call_end::not_sent);
  CHECK(w.end_of(never_left).why.find("refused") != std::string::npos);
}

TEST_CASE("Cancelling ends everything at once; what comes back later is ignored") {
  gateway_limits limits;
  limits.most_in_flight = 1;
  world w(limits, script({says(200)}));
  const ticket flies = w.submit(post("/v1/a"));
  const ticket waits = w.submit(post("/v1/b"));
  w.cancel_all();
  CHECK(w.pending() == 0);
  CHECK(w.end_of(flies).end == call_end::unknown);
  CHECK(w.end_of(waits).end == call_end::not_sent);
  w.run_for(1'000);
  CHECK(w.delivered().size() == 2);
  CHECK(w.status().in_flight == 0);
}

TEST_CASE("A call that cannot be written as a request ends at once and is not Stripe's fault") {
  gateway_limits limits;
  limits.breaking.failures_to_open = 2;
  gateway_plan plan(limits);
  for (ticket id = 1; id <= 10; ++id) {
    REQUIRE(plan.submit(id, post("/v1/\n"), 10).send.size() == 1);
    const actions a = plan.refused(id, "the URL is not printable", 20);
    REQUIRE(a.deliver.size() == 1);
    CHECK(a.deliver[0].end.end == call_end::not_sent);
    CHECK(a.deliver[0].end.why == "the URL is not printable");
  }
  CHECK_FALSE(plan.status(20).breaker_open);
  CHECK(plan.status(20).in_flight == 0);
  CHECK(plan.refused(11, "x", 20).deliver.empty());
}

TEST_CASE("An end for a ticket that is not in flight changes nothing") {
  gateway_plan plan({});
  CHECK(plan.answered(5, {200, {}, "", 1}, 10).deliver.empty());
  CHECK(plan.failed(5, true, "x", 10).deliver.empty());
  CHECK(plan.submit(1, get("/v1/a"), 10).send.size() == 1);
  CHECK(plan.answered(1, {200, {}, "", 1}, 20).deliver.size() == 1);
  CHECK(plan.answered(1, {200, {}, "", 1}, 30).deliver.empty());
  CHECK(plan.failed(1, true, "x", 30).deliver.empty());
  CHECK(plan.status(30).in_flight == 0);
}

TEST_CASE("The status counts what has happened and is JSON whatever the paths are") {
  world w({}, script({says(429), says(500), says(200)}));
  w.submit(get("/v1/\xff\"x"));
  w.run_for(10);
  const std::string json = to_json(w.status());
  CHECK(json.find(R"("in_flight":1)") != std::string::npos);
  CHECK(json.find(R"("open":false)") != std::string::npos);
  REQUIRE(w.settle());
  const gateway_status s = w.status();
  CHECK(s.submitted == 1);
  CHECK(s.tries == 3);
  CHECK(s.retries == 2);
  CHECK(s.throttled == 1);
  CHECK(s.answered == 1);
  CHECK(s.endpoints.empty());
}
