#include "actors/joined_fetches.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace tilld;
using actors::fetch_answer;
using actors::fetch_request;
using actors::joined_fetches;

namespace {

const store::scope scope{"main", false};

fetch_request retrieve(const std::string& id) {
  fetch_request f;
  f.scope = scope;
  f.call.target = "/v1/customers/" + id;
  f.object_name = "customer";
  f.object_id = id;
  return f;
}

fetch_request list(const std::string& target = "/v1/balance_transactions") {
  fetch_request f;
  f.scope = scope;
  f.call.target = target;
  f.keep = false;
  f.learn = true;
  return f;
}

struct ears {
  std::vector<std::string> heard;
  once<fetch_answer> one() {
    return {[this](const fetch_answer& a) { heard.push_back(a.body); }, {}};
  }
};

// For who is expected to be left outside: what is dropped is answered, too.
once<fetch_answer> nobody() {
  return {[](const fetch_answer&) {}, {}};
}

fetch_answer answer(const std::string& body) {
  fetch_answer a;
  a.status = 200;
  a.body = body;
  return a;
}

}  // namespace

TEST_CASE("Who asks what is being asked gets its answer, and it is asked once") {
  joined_fetches all;
  ears ears;
  CHECK_FALSE(all.join(list(), nobody()));
  const auto first = all.open(list(), ears.one());
  CHECK(all.join(list(), ears.one()));
  CHECK(all.join(list(), ears.one()));
  CHECK(ears.heard.empty());
  first.to_all(answer("a"));
  CHECK(ears.heard == std::vector<std::string>{"a", "a", "a"});
  CHECK_FALSE(all.join(list(), nobody()));  // it has been answered
  all.came_back(list(), first.ticket);
  CHECK(all.size() == 0);
}

TEST_CASE("What differs in account, target, version or in what is kept is asked by itself") {
  joined_fetches all;
  ears ears;
  const auto open = all.open(list(), ears.one());
  auto other = list();
  other.scope.live = true;
  CHECK_FALSE(all.join(other, nobody()));
  other = list();
  other.scope.account = "main/acct_1";
  CHECK_FALSE(all.join(other, nobody()));
  other = list();
  other.call.api_version = "2020-08-27";
  CHECK_FALSE(all.join(other, nobody()));
  other = list();
  other.call.stripe_account = "acct_1";
  CHECK_FALSE(all.join(other, nobody()));
  other = list();
  other.learn = false;
  CHECK_FALSE(all.join(other, nobody()));
  CHECK_FALSE(all.join(list("/v1/balance_transactions?limit=3"), nobody()));
  CHECK(all.join(list(), ears.one()));
}

TEST_CASE("Walks and refetches are neither joined nor joining") {
  joined_fetches all;
  ears ears;
  auto walk = list();
  walk.call.in = stripe::lane::backfill;
  CHECK(all.open(walk, ears.one()).ticket == 0);
  CHECK_FALSE(all.join(walk, nobody()));
  auto again = retrieve("cus_1");
  again.is_refetch = true;
  CHECK(all.open(again, ears.one()).ticket == 0);
  CHECK(all.size() == 0);
}

TEST_CASE("Whoever was told of an order's end joins nothing that left before") {
  joined_fetches all;
  ears ears;
  const auto before = all.open(list(), ears.one());
  all.order_came_back();
  CHECK_FALSE(all.join(list(), nobody()));
  const auto after = all.open(list(), ears.one());
  all.came_back(list(), before.ticket);  // the older one does not end the newer one
  CHECK(all.join(list(), ears.one()));
  before.to_all(answer("old"));
  CHECK(ears.heard == std::vector<std::string>{"old"});
  after.to_all(answer("new"));
  CHECK(ears.heard == std::vector<std::string>{"old", "new", "new"});
}

TEST_CASE("An event ends what it may have made old: its object, and every list of its account") {
  joined_fetches all;
  ears ears;
  auto elsewhere = list();
  elsewhere.scope.account = "shop";
  auto expanded = retrieve("cus_10");
  expanded.call.target += "?expand[]=default_source";
  const auto more = all.open(expanded, ears.one());
  const std::vector opened = {all.open(list(), ears.one()), all.open(retrieve("cus_1"), ears.one()),
                              all.open(retrieve("cus_10"), ears.one()),
                              all.open(elsewhere, ears.one())};
  all.event_came(scope, "cus_1");
  CHECK_FALSE(all.join(list(), nobody()));
  CHECK_FALSE(all.join(retrieve("cus_1"), nobody()));
  CHECK_FALSE(all.join(expanded, nobody()));  // it may show that one, too
  CHECK(all.join(retrieve("cus_10"), ears.one()));
  CHECK(all.join(elsewhere, ears.one()));
}

TEST_CASE("A fetch that is dropped answers all who joined it") {
  joined_fetches all;
  ears ears;
  {
    const auto open = all.open(list(), ears.one());
    CHECK(all.join(list(), ears.one()));
  }
  CHECK(ears.heard.size() == 2);
}
