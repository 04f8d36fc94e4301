// How fast it is, and that it stays so. Hidden: run with  unit_sandbox "[bench]".
#include <chrono>
#include <cstdio>
#include <functional>

#include "client.hpp"
#include "support/catch.hpp"

using tilld::test::client;

namespace {

double seconds(const std::function<void()>& act) {
  const auto begin = std::chrono::steady_clock::now();
  act();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void send(client& c, const std::string& verb, const std::string& path, const std::string& form) {
  const bool get = verb == "GET";
  const auto r = c.stripe.handle(
      {verb, path, get ? form : "", get ? "" : form, "Bearer sk_test_sandbox", "", ""}, c.now_s);
  if (r.status != 200)
    std::printf("%s %s: %d %s\n", verb.c_str(), path.c_str(), r.status, r.body.c_str());
}

void rate(const char* what, int objects, int times, const std::function<void(int)>& act) {
  const double took = seconds([&] {
    for (int i = 0; i < times; ++i)
      act(i);
  });
  std::printf("%-44s at %7d objects: %9.0f /s\n", what, objects, times / took);
}

void drain(client& c) {
  c.stripe.take_events();
}

}  // namespace

TEST_CASE("Creating and listing customers at 1,000 and at 100,000", "[.][bench]") {
  client c;
  int made = 0;
  const auto create = [&](int) {
    ++made;
    send(c, "POST", "/v1/customers",
         "email=u" + std::to_string(made) + "@example.com&name=User&metadata[id]=7");
  };
  for (const int size : {1'000, 100'000}) {
    while (made < size)
      create(0);
    drain(c);
    rate("POST /v1/customers", made, 5'000, create);
    drain(c);
    rate("GET /v1/customers/{id}", made, 5'000,
         [&](int) { send(c, "GET", "/v1/customers/cus_97zcbsW0A3ZqFJ", ""); });
    rate("GET /v1/customers?limit=10", made, 2'000,
         [&](int) { send(c, "GET", "/v1/customers", "limit=10"); });
    rate("GET /v1/customers?email=", made, 2'000, [&](int i) {
      send(c, "GET", "/v1/customers", "email=u" + std::to_string(i + 1) + "@example.com");
    });
    rate("GET /v1/customers?created[gte][lt]", made, 2'000,
         [&](int) { send(c, "GET", "/v1/customers", "created[gte]=1&created[lt]=1767225600"); });
    rate("GET /v1/events?type=customer.created", made, 2'000,
         [&](int) { send(c, "GET", "/v1/events", "type=customer.created"); });
  }
}

TEST_CASE("Creating subscriptions with their first payment at 1,000 and at 100,000", "[.][bench]") {
  client c;
  const std::string price = c.price();
  std::vector<std::string> customers;
  int made = 0;
  const auto customer = [&] { customers.push_back(c.customer()); };
  const auto create = [&](int) {
    send(c, "POST", "/v1/subscriptions",
         "customer=" + customers[static_cast<std::size_t>(made++)] + "&items[0][price]=" + price);
  };
  for (const int size : {1'000, 100'000}) {
    while (made < size) {
      customer();
      create(0);
      c.wait(30);  // 30 days hold 86,400 of them: older events go
      if (made % 100 == 0) drain(c);
    }
    while (static_cast<int>(customers.size()) < made + 1'000)
      customer();
    drain(c);
    rate("POST /v1/subscriptions, paid", made, 1'000, create);
    drain(c);
    rate("GET /v1/subscriptions?customer=", made, 2'000, [&](int i) {
      send(c, "GET", "/v1/subscriptions",
           "customer=" + customers[static_cast<std::size_t>(i) % customers.size()]);
    });
    rate("GET /v1/subscriptions?status=active", made, 1'000,
         [&](int) { send(c, "GET", "/v1/subscriptions", "status=active&limit=10"); });
  }
}
