// What all actors share: where to read, what time it is, and the rules. Immutable after start, but
// for the counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "actors/mirror.hpp"
#include "actors/order_watch.hpp"
#include "actors/settling.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "store/store.hpp"

namespace tilld::actors {

// Bounds, each with the sum that gave it.
namespace bounds {
// A commit of 64 events is about 0.5 MB and 1 ms; more per sync gains nothing and costs latency.
inline constexpr std::size_t batches_per_commit = 64;
inline constexpr std::size_t bytes_per_commit = 4u << 20;
// One owner's share of a commit: enough that one busy customer is not held to one event per sync.
inline constexpr std::size_t facts_per_batch = 32;
// Orders of one customer leave one by one; at 0.3 s each, 256 are more than a minute of waiting.
inline constexpr std::size_t orders_waiting_per_owner = 256;
// A precondition fails only when two owners touch one object; five times in a row is a fault.
inline constexpr int tries_per_fact = 5;
// A refetch after a tie: the second must be over, and Stripe's clock may differ from ours a little.
inline constexpr std::int64_t tie_wait_ms = 1'500;
inline constexpr std::int64_t refetch_retry_ms = 5'000;
inline constexpr std::int64_t refetch_retry_most_ms = 600'000;
inline constexpr std::int64_t order_retry_ms = 15'000;
inline constexpr std::int64_t order_retry_most_ms = 600'000;
// Owners asked to rest per tick, and the tick.
inline constexpr std::int64_t ingress_tick_ms = 500;
inline constexpr std::size_t rests_per_tick = 2'000;
}  // namespace bounds

struct counters {
  explicit counters(metrics& m);
  counter events_applied, events_ignored, events_duplicate, events_failed, events_refetch,
      events_unavailable;
  counter orders_done, orders_refused, orders_parked, orders_left_open;
  counter commits, committed_batches, commit_failures, conflicts;
  histogram commit_seconds;
  gauge owners;
  counter refetches, refetches_failed;
  gauge refetches_waiting;
};

// What a fact of a scope is judged by. Connected accounts have their platform's rules.
class rule_book {
 public:
  void add(const store::scope& account, mirror_rules rules);
  // A scope of no configured account cannot ask Stripe.
  const mirror_rules& of(const store::scope& scope) const;

 private:
  std::map<std::string, mirror_rules> by_account_;  // by the bytes() of its scope
  mirror_rules of_nobody_{"user_id", "", false};
};

struct context {
  const store::reader& store;
  const clock& time;
  rule_book rules;
  std::string node;
  std::int64_t order_wait_ms = 80'000;
  std::int64_t order_give_up_ms = 23 * 3600 * 1000LL;
  std::size_t most_owners = 50'000;
  std::int64_t owner_idle_ms = 60'000;
  counters count;
  // Orders and fetches that are with the gateway; a shutdown waits for them.
  mutable std::atomic<int> outstanding{0};
  mutable settling unsettled{};
  mutable order_watch watch{};
};

}  // namespace tilld::actors
