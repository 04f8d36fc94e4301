#include "actors/context.hpp"

#include <utility>

namespace tilld::actors {

namespace {
constexpr const char* events = "tilld_events_total";
constexpr const char* events_help = "Events from Stripe, by what became of them";
constexpr const char* orders = "tilld_orders_total";
constexpr const char* orders_help = "Orders for Stripe, by how they ended";
}  // namespace

void rule_book::add(const store::scope& account, mirror_rules rules) {
  by_account_.insert_or_assign(account.bytes(), std::move(rules));
}

const mirror_rules& rule_book::of(const store::scope& scope) const {
  const auto at = by_account_.find(scope.platform().bytes());
  return at == by_account_.end() ? of_nobody_ : at->second;
}

counters::counters(metrics& m)
    : events_applied(m.make_counter(events, events_help, {{"end", "applied"}})),
      events_ignored(m.make_counter(events, events_help, {{"end", "ignored"}})),
      events_duplicate(m.make_counter(events, events_help, {{"end", "duplicate"}})),
      events_failed(m.make_counter(events, events_help, {{"end", "failed"}})),
      events_refetch(m.make_counter(events, events_help, {{"end", "refetch"}})),
      events_unavailable(m.make_counter(events, events_help, {{"end", "unavailable"}})),
      orders_done(m.make_counter(orders, orders_help, {{"end", "done"}})),
      orders_refused(m.make_counter(orders, orders_help, {{"end", "refused"}})),
      orders_parked(m.make_counter(orders, orders_help, {{"end", "parked"}})),
      orders_left_open(m.make_counter(orders, orders_help, {{"end", "open"}})),
      commits(m.make_counter("tilld_commits_total", "Synced writes to the store")),
      committed_batches(
          m.make_counter("tilld_committed_batches_total", "Batches carried by those writes")),
      commit_failures(m.make_counter("tilld_commit_failures_total", "Writes that failed")),
      conflicts(m.make_counter("tilld_commit_conflicts_total",
                               "Batches whose precondition no longer held")),
      commit_seconds(m.make_histogram("tilld_commit_seconds", "Time of one synced write",
                                      {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1})),
      owners(m.make_gauge("tilld_owners", "Customer actors in memory")),
      refetches(m.make_counter("tilld_refetches_total",
                               "Objects fetched again because events could not tell")),
      refetches_failed(m.make_counter("tilld_refetch_failures_total", "Refetches that failed")),
      refetches_waiting(m.make_gauge("tilld_refetches_waiting", "Objects waiting for a refetch")) {}

}  // namespace tilld::actors
