// What keeping an event costs without the disk. Hidden: run with  unit_actors "[.bench]"
#include <ctime>
#include <iostream>

#include "actors/mirror.hpp"
#include "stripe/list_filters.hpp"
#include "support/catch.hpp"
#include "unit/actors/fixtures.hpp"

using namespace tilld;
using namespace tilld::test;

namespace {

// Of this thread. Other load on the machine does not show in it.
double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

// A subscription with as many members as Stripe's have, 4 KB.
json big_subscription(std::int64_t at, int version) {
  json s = subscription("sub_1", "cus_1", "active", at);
  for (int i = 0; i < 40; ++i)
    s["member_" + std::to_string(i)] =
        i % 3 == 0 ? json(nullptr) : json("value number " + std::to_string(i));
  s["metadata"] = {{"plan", "gold"}, {"source", "campaign"}, {"seats", std::to_string(version)}};
  s["default_payment_method"] = "pm_1";
  s["automatic_tax"] = {{"enabled", false}, {"liability", nullptr}};
  s["test_clock"] = nullptr;
  return s;
}

}  // namespace

TEST_CASE("What keeping an event costs", "[.bench]") {
  constexpr int count = 4000;
  const auto rows = store::open_memory_store();
  const actors::mirror_rules rules;
  const actors::mirror_context context{rules, main_scope, 1'000'000};
  core::customer_state state;
  state.id = "cus_1";
  std::vector<actors::incoming_event> events;
  for (int i = 0; i < count; ++i) {
    events.push_back(
        incoming(event_text("evt_" + std::to_string(i), "customer.subscription.updated", 2000 + i,
                            big_subscription(1000, i))));
  }
  double spent = 0;
  for (const auto& e : events) {
    const double begin = cpu_us();
    actors::working_set set(*rows);
    REQUIRE(actors::mirror_event(set, &state, context, e));
    const auto batch = set.release();
    spent += cpu_us() - begin;
    REQUIRE(rows->commit(*batch));
  }
  const std::string document = big_subscription(1000, 1).dump();
  const double begin = cpu_us();
  std::size_t places = 0;
  for (int i = 0; i < count; ++i)
    places += stripe::filing_of("subscription", document).places.size();
  const double filing = cpu_us() - begin;
  std::cout << "mirror_event: " << spent / count << " us of CPU; filing_of " << document.size()
            << " bytes: " << filing / count << " us, " << places / count << " places\n";
}
