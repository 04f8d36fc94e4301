// The law of the order rule, held against random histories.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include <rapidcheck.h>

#include "order_model.hpp"
#include "support/catch.hpp"

namespace {

using namespace order_model;

constexpr std::size_t tape_length = 300;

// TILLD_PROPERTY_FACTOR multiplies the tries; under a sanitizer each costs ten times as much.
std::uint64_t tries_of(std::uint64_t usual) {
  const char* text = std::getenv("TILLD_PROPERTY_FACTOR");
  const auto factor = text ? std::strtoull(text, nullptr, 10) : 0;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  usual /= 20;
#endif
  return usual * (factor == 0 ? 1 : factor);
}

struct outcome {
  bool holds = false;
  std::string object_name;
  tally counted;
};

outcome live_and_mirror(std::span<const std::uint8_t> tape, std::string* story = nullptr) {
  chance choose(tape);
  const delivery_plan plan{
      .losses = choose.one_in(2), .rests = !choose.one_in(3), .knows_after_held = choose.one_in(2)};
  const auto h = random_history(choose);
  mirror m;
  if (story) m.keep_story();
  if (!h.events.empty()) play(m, h, choose, plan);
  if (story) {
    for (const auto& e : h.events)
      *story += e.id + " " + e.type + " @" + std::to_string(e.ms) + " " + e.object + " was " +
                e.previous + "\n";
    *story += m.story() + "held " + (m.empty() ? "" : m.document()) + "\n";
  }
  return {h.events.empty() || agrees(m, h), h.object_name, m.counted()};
}

}  // namespace

TEST_CASE(
    "whatever the order, the losses and the answers, the mirror ends with Stripe's document") {
  const std::uint64_t tries = tries_of(100'000);
  std::map<std::string, tally> by_object;
  for (std::uint64_t seed = 1; seed <= tries; ++seed) {
    const auto tape = tape_of(seed, tape_length);
    const auto o = live_and_mirror(tape);
    if (!o.holds) {
      std::string story;
      live_and_mirror(tape, &story);
      FAIL("seed " << seed << ", a " << o.object_name << ":\n" << story);
    }
    auto& t = by_object[o.object_name];
    t.decisions += o.counted.decisions;
    t.refetch_verdicts += o.counted.refetch_verdicts;
    t.refetch_calls += o.counted.refetch_calls;
  }
  std::cout << "order rule: " << tries << " histories; refetch verdicts and calls per decision:\n";
  for (const auto& [name, t] : by_object)
    std::cout << "  " << name << ": " << t.refetch_verdicts << " and " << t.refetch_calls << " of "
              << t.decisions << "\n";
}

TEST_CASE("a history that breaks the law shrinks to its smallest form") {
  REQUIRE(rc::check("converges", [](const std::vector<std::uint8_t>& tape) {
    std::string story;
    const bool holds = live_and_mirror(tape, &story).holds;
    if (!holds) RC_LOG(story);
    return holds;
  }));
}

TEST_CASE("without refetches the same events give the same document in any two orders") {
  const std::uint64_t tries = tries_of(20'000);
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= tries; ++seed) {
    const auto tape = tape_of(seed ^ 0x5eed, tape_length);
    chance choose(tape);
    const auto h = random_history(choose);
    if (h.events.empty()) continue;
    mirror first;
    mirror second;
    for (const auto& e : h.events)
      first.hear(e);
    auto shuffled = h.events;
    for (std::size_t i = shuffled.size(); i > 1; --i)
      std::swap(shuffled[i - 1], shuffled[choose.below(static_cast<std::uint32_t>(i))]);
    for (const auto& e : shuffled)
      second.hear(e);
    if (first.suspect() || second.suspect()) continue;
    ++compared;
    INFO("seed " << seed << "\n" << first.document() << "\n" << second.document());
    REQUIRE(first.deleted() == second.deleted());
    REQUIRE((first.deleted() || without_nulls(json::parse(first.document())) ==
                                    without_nulls(json::parse(second.document()))));
  }
  REQUIRE(compared > tries / 2);
}

namespace {

bool is_over(const history& h) {
  const auto& last = h.last_state();
  if (last.is_null()) return h.object_name != "coupon";
  return last.contains("status") &&
         tilld::core::is_terminal(h.object_name, last["status"].get<std::string>());
}

// Events that Stripe rendered late: an early state of the object with a time behind its end.
void add_stale_events(history& h, chance& choose) {
  const auto early = h.events;
  for (std::uint32_t i = 0, n = 1 + choose.below(3); i < n; ++i) {
    event stale = early[choose.below(static_cast<std::uint32_t>(early.size()))];
    const auto state = json::parse(stale.object);
    if (state.contains("status") &&
        tilld::core::is_terminal(h.object_name, state["status"].get<std::string>()))
      continue;
    if (tilld::core::is_deletion(stale.type, h.object_name)) continue;
    stale.id = "evt_stale_" + std::to_string(i);
    stale.ms = h.end_ms + 1'000 + choose.below(250) * 20;
    h.events.push_back(stale);
  }
}

}  // namespace

TEST_CASE("what is over is not revived by stale events with newer times, in any order") {
  const std::uint64_t tries = tries_of(5'000);
  std::uint64_t ended = 0;
  for (std::uint64_t seed = 1; ended < tries; ++seed) {
    const auto tape = tape_of(seed ^ 0x0ddba11, tape_length);
    chance choose(tape);
    auto h = random_history(choose);
    if (h.events.empty() || !is_over(h)) continue;
    ++ended;
    const delivery_plan plan{.losses = choose.one_in(3), .rests = choose.one_in(2)};
    add_stale_events(h, choose);
    mirror m;
    m.keep_story();
    play(m, h, choose, plan);
    INFO("seed " << seed << ", a " << h.object_name << "\n" << m.story());
    REQUIRE(agrees(m, h));
  }
}
