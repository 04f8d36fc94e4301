#include "http/router.hpp"

#include <algorithm>

#include "support/catch.hpp"

using namespace tilld::http;

namespace {

request of(std::string verb, const std::string& path) {
  request r;
  r.verb = std::move(verb);
  r.path = path;
  std::string segment;
  for (char c : path + "/") {
    if (c != '/') {
      segment += c;
    } else if (!segment.empty()) {
      r.segments.push_back(std::exchange(segment, {}));
    }
  }
  return r;
}

response ask(const router& routes, std::string verb, const std::string& path) {
  request r = of(std::move(verb), path);
  response got;
  got.status = 0;
  routes.route(r, responder([&](response given) { got = std::move(given); }, {}));
  return got;
}

// Answers with its own name and the arguments.
handler named(std::string name) {
  return [name](request& r, responder answer) {
    response out;
    out.body = name;
    for (const std::string& one : r.arguments)
      out.body += "|" + one;
    answer(std::move(out));
  };
}

std::string header_of(const response& r, std::string_view name) {
  for (const auto& [n, value] : r.headers) {
    if (n == name) return value;
  }
  return {};
}

}  // namespace

TEST_CASE("a route gives its placeholders in order") {
  router routes;
  routes.add("GET", "/api/customers/{id}/orders/{order}", named("order"));
  CHECK(ask(routes, "GET", "/api/customers/u1/orders/7").body == "order|u1|7");
  CHECK(ask(routes, "GET", "/api/customers/u1/orders/7/").body == "order|u1|7");
  CHECK(ask(routes, "GET", "/api/customers/u1/orders").status == 404);
}

TEST_CASE("a literal segment wins over a placeholder") {
  router routes;
  routes.add("GET", "/v1/customers/{id}", named("one"));
  routes.add("GET", "/v1/customers/search", named("search"));
  CHECK(ask(routes, "GET", "/v1/customers/search").body == "search");
  CHECK(ask(routes, "GET", "/v1/customers/cus_1").body == "one|cus_1");
}

TEST_CASE("a literal that leads nowhere gives way to the placeholder beside it") {
  router routes;
  routes.add("GET", "/a/b/c", named("literal"));
  routes.add("GET", "/a/{x}/d", named("placeholder"));
  CHECK(ask(routes, "GET", "/a/b/d").body == "placeholder|b");
  CHECK(ask(routes, "GET", "/a/b/c").body == "literal");
}

TEST_CASE("a rest takes what is left, also nothing") {
  router routes;
  routes.add("*", "/v1/{rest...}", named("rest"));
  routes.add("GET", "/v1/prices/{id}", named("price"));
  CHECK(ask(routes, "GET", "/v1").body == "rest|");
  CHECK(ask(routes, "PUT", "/v1/a/b/c").body == "rest|a/b/c");
  CHECK(ask(routes, "GET", "/v1/prices/p").body == "price|p");
  CHECK(ask(routes, "POST", "/v1/prices/p").body == "rest|prices/p");
  CHECK(ask(routes, "GET", "/v1/prices/p/x").body == "rest|prices/p/x");
}

TEST_CASE("a known path with another verb is refused with those it takes") {
  router routes;
  routes.add("GET", "/api/plans", named("list"));
  routes.add("POST", "/api/plans", named("create"));
  const response refused = ask(routes, "DELETE", "/api/plans");
  CHECK(refused.status == 405);
  CHECK(header_of(refused, "Allow") == "GET, HEAD, POST");
  CHECK(ask(routes, "GET", "/api/nowhere").status == 404);
}

TEST_CASE("the verbs of every pattern that fits the path are allowed") {
  router routes;
  routes.add("GET", "/v1/x/search", named("search"));
  routes.add("POST", "/v1/x/{id}", named("update"));
  CHECK(ask(routes, "POST", "/v1/x/search").body == "update|search");
  CHECK(header_of(ask(routes, "DELETE", "/v1/x/search"), "Allow") == "GET, HEAD, POST");
}

TEST_CASE("the guard is asked before a handler and may refuse") {
  router routes;
  int handled = 0;
  routes.add("GET", "/x", [&](request&, responder answer) {
    ++handled;
    answer(response{});
  });
  routes.set_guard([](request& r, const responder& answer) {
    if (r.header("authorization") == "Bearer t") return true;
    answer(error_response(401, "invalid_request_error", "no_token", "Send a token."));
    return false;
  });
  CHECK(ask(routes, "GET", "/x").status == 401);
  CHECK(handled == 0);
  request r = of("GET", "/x");
  r.headers.emplace_back("authorization", "Bearer t");
  routes.route(r, responder([](response) {}, {}));
  CHECK(handled == 1);
}

TEST_CASE("the routes can be listed") {
  router routes;
  routes.add("GET", "/a/{id}", named("a"));
  routes.add("*", "/b/{rest...}", named("b"));
  const auto entries = routes.entries();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].pattern == "/a/{id}");
  CHECK(entries[1].verb == "*");
}

TEST_CASE("a path of a thousand segments costs no more than its patterns") {
  router routes;
  for (int i = 0; i < 20; ++i) {
    std::string pattern;
    for (int depth = 0; depth < 6; ++depth) {
      pattern += (i >> (depth % 4)) % 2 == 0 ? "/a" : "/{x}";
    }
    routes.add("GET", pattern + "/end", named(pattern));
  }
  std::string path;
  for (int i = 0; i < 1'000; ++i)
    path += "/a";
  CHECK(ask(routes, "GET", path).status == 404);
}
