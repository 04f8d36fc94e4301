// The laws of lists: any page size, either direction, each object exactly once.
#include <algorithm>
#include <set>

#include <rapidcheck.h>

#include "client.hpp"
#include "sandbox/machine/sequence.hpp"
#include "support/catch.hpp"

using tilld::test::client;
using tilld::test::json;

namespace {

using strings = std::vector<std::string>;

struct page {
  strings ids;
  bool more = false;
};

page read(client& c, const std::string& path, const std::string& query) {
  const auto r = c.get(path, query);
  page p;
  for (const auto& one : r.body["data"])
    p.ids.push_back(one["id"]);
  p.more = r.body["has_more"];
  return p;
}

// Walks from the newest on by starting_after.
strings forwards(client& c, const std::string& path, const std::string& filter, int limit) {
  strings all;
  std::string cursor;
  for (bool more = true; more;) {
    const page p = read(c, path, filter + "&limit=" + std::to_string(limit) + cursor);
    all.insert(all.end(), p.ids.begin(), p.ids.end());
    more = p.more;
    if (more) cursor = "&starting_after=" + all.back();
  }
  return all;
}

// Walks from the oldest back to the newest by ending_before; each page is newest first.
strings backwards(client& c, const std::string& path, const std::string& filter, int limit,
                  const std::string& oldest) {
  strings all = {oldest};
  for (bool more = true; more;) {
    const page p =
        read(c, path, filter + "&limit=" + std::to_string(limit) + "&ending_before=" + all.front());
    all.insert(all.begin(), p.ids.begin(), p.ids.end());
    more = p.more;
  }
  return all;
}

}  // namespace

TEST_CASE("Any page size and either direction walks the whole list exactly once") {
  REQUIRE(rc::check("forwards = backwards = what was made, newest first", [] {
    client c;
    const auto count = *rc::gen::inRange(0, 40);
    const auto limit = *rc::gen::inRange(1, 15);
    strings made;
    std::set<std::string> gone;
    for (int i = 0; i < count; ++i) {
      c.wait(*rc::gen::inRange(0, 2));
      made.push_back(c.post("/v1/customers", i % 3 == 0 ? "email=a@b.c" : "").id());
      if (*rc::gen::inRange(0, 5) == 0) {
        c.del("/v1/customers/" + made.back());
        gone.insert(made.back());
      }
    }
    strings all;
    strings mailed;
    for (int i = count - 1; i >= 0; --i) {
      const std::string& id = made[static_cast<std::size_t>(i)];
      if (gone.contains(id)) continue;
      all.push_back(id);
      if (i % 3 == 0) mailed.push_back(id);
    }
    RC_ASSERT(forwards(c, "/v1/customers", "", limit) == all);
    RC_ASSERT(forwards(c, "/v1/customers", "email=a@b.c", limit) == mailed);
    if (!all.empty()) {
      RC_ASSERT(backwards(c, "/v1/customers", "", limit, all.back()) == all);
    }
    if (!mailed.empty()) {
      RC_ASSERT(backwards(c, "/v1/customers", "email=a@b.c", limit, mailed.back()) == mailed);
    }
    RC_ASSERT(std::is_sorted(all.rbegin(), all.rend()));  // ids grow with age
  }));
}

TEST_CASE("A walk over a list that grows meets everything that was there when it began") {
  client c;
  strings made;
  for (int i = 0; i < 20; ++i)
    made.push_back(c.post("/v1/customers").id());
  strings met;
  std::string cursor;
  for (bool more = true; more;) {
    const page p = read(c, "/v1/customers", "limit=3" + cursor);
    met.insert(met.end(), p.ids.begin(), p.ids.end());
    cursor = "&starting_after=" + p.ids.back();
    more = p.more;
    c.post("/v1/customers");
  }
  std::reverse(met.begin(), met.end());
  CHECK(met == made);
}

TEST_CASE("Events are walked like any list, also by type") {
  client c;
  for (int i = 0; i < 30; ++i) {
    c.post("/v1/customers");
    if (i % 2 == 0) c.post("/v1/products", "name=a");
  }
  const strings all = forwards(c, "/v1/events", "", 7);
  CHECK(all.size() == 45);
  CHECK(backwards(c, "/v1/events", "", 4, all.back()) == all);
  const strings some = forwards(c, "/v1/events", "type=product.created", 4);
  CHECK(some.size() == 15);
  CHECK(backwards(c, "/v1/events", "type=product.created", 2, some.back()) == some);
}

TEST_CASE("Several conditions hold together, whichever index is walked") {
  client c;
  const std::string price = c.price();
  const std::string busy = c.customer();
  strings wanted;
  for (int i = 0; i < 12; ++i) {
    const std::string owner = i % 2 == 0 ? busy : c.customer();
    const std::string sub = c.subscription(owner, price);
    if (i % 4 == 0) c.del("/v1/subscriptions/" + sub);
    if (i % 2 == 0 && i % 4 != 0) wanted.insert(wanted.begin(), sub);
  }
  CHECK(forwards(c, "/v1/subscriptions", "customer=" + busy + "&price=" + price, 2) == wanted);
  CHECK(forwards(c, "/v1/subscriptions", "customer=" + busy + "&status=canceled", 2).size() == 3);
}

TEST_CASE("A sequence of several indexes is their union in order, in both directions") {
  using tilld::sandbox::posting;
  using tilld::sandbox::sequence;
  REQUIRE(rc::check("below and from step through the union", [] {
    const auto a = *rc::gen::container<std::set<std::uint32_t>>(rc::gen::inRange(0U, 60U));
    const auto b = *rc::gen::container<std::set<std::uint32_t>>(rc::gen::inRange(0U, 60U));
    const posting pa(a.begin(), a.end());
    const posting pb(b.begin(), b.end());
    std::set<std::uint32_t> both = a;
    both.insert(b.begin(), b.end());
    const sequence s({&pa, &pb});
    std::vector<std::uint32_t> up;
    for (auto r = s.from(0); r; r = s.from(*r + 1))
      up.push_back(*r);
    std::vector<std::uint32_t> down;
    for (auto r = s.below(tilld::sandbox::after_the_newest); r; r = s.below(*r)) {
      down.push_back(*r);
    }
    RC_ASSERT(up == std::vector<std::uint32_t>(both.begin(), both.end()));
    RC_ASSERT(down == std::vector<std::uint32_t>(both.rbegin(), both.rend()));
  }));
}
