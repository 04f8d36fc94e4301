#include "actors/order_watch.hpp"

#include <vector>

#include "support/catch.hpp"

using tilld::actors::order_watch;

TEST_CASE("Who waits for an order is told once, of its end or that the time is over") {
  order_watch watch;
  std::vector<std::string> told;
  const auto tell = [&](std::string who) {
    return [&told, who = std::move(who)](bool ended) {
      told.push_back(who + (ended ? " ended" : " over"));
    };
  };
  watch.wait("a", 100, tell("first"));
  watch.wait("a", 300, tell("second"));
  watch.wait("b", 200, tell("third"));
  watch.ended("c");
  watch.expire(99);
  CHECK(told.empty());
  watch.expire(100);
  CHECK(told == std::vector<std::string>{"first over"});
  watch.ended("a");
  CHECK(told == std::vector<std::string>{"first over", "second ended"});
  watch.ended("a");
  watch.expire(1000);
  CHECK(told == std::vector<std::string>{"first over", "second ended", "third over"});
}

TEST_CASE("Who is told may wait again at once") {
  order_watch watch;
  int times = 0;
  watch.wait("a", 100, [&](bool) {
    ++times;
    watch.wait("a", 200, [&](bool) { ++times; });
  });
  watch.ended("a");
  CHECK(times == 1);
  watch.ended("a");
  CHECK(times == 2);
}
