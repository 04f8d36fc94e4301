#include "actors/collections.hpp"

#include "actors/settling.hpp"
#include "base/clock.hpp"
#include "store/memory_store.hpp"
#include "support/catch.hpp"

using namespace tilld;
using actors::collections;
using actors::fetch_answer;
using actors::fetch_request;

namespace {

const store::scope scope{"main", false};

class still : public clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000 + ms; }
  std::int64_t mono_ms() const override { return ms; }
  std::int64_t ms = 0;
};

// A Stripe that answers as it is told, and keeps what it was asked.
struct bench {
  still time;
  std::unique_ptr<store::store> rows = store::open_memory_store();
  std::vector<std::string> asked;
  std::vector<fetch_answer> answers;
  collections whole{
      *rows, time,
      [this](const fetch_request& f, const once<fetch_answer>& answer) {
        asked.push_back(f.call.target);
        CHECK(f.learn);
        CHECK(f.call.in == stripe::lane::backfill);
        if (answers.empty()) return;
        const fetch_answer next = answers.front();
        answers.erase(answers.begin());
        answer(next);
      },
      [this](const store::batch& b, const once<result<void>>& answer) { answer(rows->commit(b)); }};
};

fetch_answer page(bool has_more, const std::string& last, bool kept = true, int status = 200) {
  fetch_answer a;
  a.status = status;
  a.kept = kept;
  a.has_more = has_more;
  a.last_id = last;
  return a;
}

}  // namespace

TEST_CASE("A collection is whole when its last page is on disk, and not before") {
  bench b;
  b.answers = {page(true, "cus_9"), page(true, "cus_5"), page(false, "cus_1")};
  CHECK_FALSE(b.whole.is_complete(scope, "customer"));
  b.whole.want(scope, "customer");
  CHECK(b.asked == std::vector<std::string>{"/v1/customers?limit=100",
                                            "/v1/customers?limit=100&starting_after=cus_9",
                                            "/v1/customers?limit=100&starting_after=cus_5"});
  CHECK(b.whole.is_complete(scope, "customer"));
  CHECK_FALSE(b.whole.is_complete(scope, "invoice"));
  CHECK_FALSE(b.whole.is_complete({"main", true}, "customer"));
}

TEST_CASE("Canceled subscriptions belong to the collection, too") {
  bench b;
  b.answers = {page(false, "")};
  b.whole.want(scope, "subscription");
  CHECK(b.asked.front() == "/v1/subscriptions?limit=100&status=all");
  CHECK(b.whole.is_complete(scope, "subscription"));
}

TEST_CASE("A walk that meets a fault leaves the collection to Stripe and is tried again later") {
  for (const auto& bad :
       {page(true, "x", true, 500), page(true, "x", false), page(false, "", false)}) {
    bench b;
    b.answers = {page(true, "cus_9"), bad};
    b.whole.want(scope, "customer");
    CHECK(b.asked.size() == 2);
    CHECK_FALSE(b.whole.is_complete(scope, "customer"));
    b.whole.want(scope, "customer");
    CHECK(b.asked.size() == 2);  // not at once
    b.time.ms += 31'000;
    b.answers = {page(false, "cus_1")};
    b.whole.want(scope, "customer");
    CHECK(b.whole.is_complete(scope, "customer"));
  }
}

TEST_CASE(
    "One walk at a time; none of what events do not tell or Stripe lists by a parameter only") {
  bench b;
  b.whole.want(scope, "customer");  // never answered
  b.whole.want(scope, "customer");
  CHECK(b.asked.size() <= 2);  // the answer that was let go is a fault, too
  const std::size_t before = b.asked.size();
  for (const char* name : {"balance_transaction", "subscription_item", "tax_id", "nothing"})
    b.whole.want(scope, name);
  CHECK(b.asked.size() == before);
  b.whole.stop();
  b.whole.want(scope, "invoice");
  CHECK(b.asked.size() == before);
}

TEST_CASE("What is listed by its owner only is whole owner by owner") {
  bench b;
  b.answers = {page(true, "pm_9"), page(false, "pm_1")};
  b.whole.want(scope, "payment_method", "cus_1");
  CHECK(b.asked == std::vector<std::string>{
                       "/v1/customers/cus_1/payment_methods?limit=100",
                       "/v1/customers/cus_1/payment_methods?limit=100&starting_after=pm_9"});
  CHECK(b.whole.is_complete(scope, "payment_method", "cus_1"));
  CHECK_FALSE(b.whole.is_complete(scope, "payment_method", "cus_2"));
  CHECK_FALSE(b.whole.is_complete(scope, "payment_method"));
  CHECK_FALSE(b.whole.is_complete(scope, "tax_id", "cus_1"));
  b.answers = {page(false, "")};
  b.whole.want(scope, "tax_id", "cus_1");
  CHECK(b.asked.back() == "/v1/customers/cus_1/tax_ids?limit=100");
  CHECK(b.whole.is_complete(scope, "tax_id", "cus_1"));
}

TEST_CASE("A list that has passed by whole makes it whole, unless the mark ended on the way") {
  bench b;
  const auto before = b.whole.before_list(scope, "payment_method", "cus_1");
  b.whole.was_listed(before);
  CHECK(b.whole.is_complete(scope, "payment_method", "cus_1"));

  const auto end = [&](const std::string& why) {
    store::batch ended;
    collections::end_mark(ended, scope, "payment_method", "cus_1", why);
    REQUIRE(b.rows->commit(ended));
  };
  end("evt_1");
  CHECK_FALSE(b.whole.is_complete(scope, "payment_method", "cus_1"));
  b.whole.was_listed(before);  // of a list from before
  CHECK_FALSE(b.whole.is_complete(scope, "payment_method", "cus_1"));
  const auto later = b.whole.before_list(scope, "payment_method", "cus_1");
  end("evt_2");
  b.whole.was_listed(later);
  CHECK_FALSE(b.whole.is_complete(scope, "payment_method", "cus_1"));
  b.whole.was_listed(b.whole.before_list(scope, "payment_method", "cus_1"));
  CHECK(b.whole.is_complete(scope, "payment_method", "cus_1"));
}

TEST_CASE("Owners that cannot be walked do not stand in the way of others for ever") {
  bench b;
  for (int i = 0; i < 300; ++i) {
    b.answers = {page(false, "", false, 404)};
    b.whole.want(scope, "tax_id", "cus_" + std::to_string(i));
  }
  CHECK(b.asked.size() == 200);
  b.time.ms += 31'000;
  b.answers = {page(false, "")};
  b.whole.want(scope, "tax_id", "cus_x");
  CHECK(b.whole.is_complete(scope, "tax_id", "cus_x"));
}

TEST_CASE("Who was touched settles for a while, each by himself") {
  actors::settling s;
  CHECK_FALSE(s.any(0));
  s.touch(scope, "cus_1", 1000);
  CHECK(s.any(1000));
  CHECK(s.is_settling(scope, "cus_1", 1000));
  CHECK(s.is_settling(scope, "cus_1", 2999));
  CHECK_FALSE(s.is_settling(scope, "cus_1", 3000));
  CHECK_FALSE(s.is_settling(scope, "cus_2", 1000));
  CHECK_FALSE(s.is_settling(scope, "", 1000));
  CHECK_FALSE(s.is_settling({"main", true}, "cus_1", 1000));
  s.touch(scope, "cus_1", 2500);  // again: longer
  s.touch(scope, "", 2600);
  CHECK(s.is_settling(scope, "cus_1", 4400));
  CHECK(s.is_settling(scope, "", 4400));
  CHECK_FALSE(s.any(5000));
}
