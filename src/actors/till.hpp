// The till: the actors, wired, behind plain functions. What HTTP and the command line hold.
//
// All functions are thread-safe and do not block; answers come through a `once`, from another
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/collections.hpp"
#include "actors/facts.hpp"
#include "actors/mirror.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "net/client.hpp"
#include "store/store.hpp"

namespace tilld::actors {

// How requests leave: net::client::send, or a simulated network.
using transport = std::function<void(net::request, std::move_only_function<void(net::outcome)>)>;

// One account of Stripe's, with a gateway of its own.
struct till_account {
  store::scope scope;       // its name, and whether it is its live or its test world
  std::string api_url;      // "https://api.stripe.com"
  std::string api_key;      // empty: no gateway
  std::string api_version;  // the pinned one
  double read_rate = 25;    // requests/s
  double write_rate = 25;
  double endpoint_rate = 25;  // of each endpoint, inside the two above
  int most_in_flight = 20;
};

struct till_settings {
  std::vector<till_account> accounts;  // each name once
  std::string user_id_metadata = "user_id";
  std::string node;
  std::int64_t order_wait_ms = 80'000;
  std::int64_t order_give_up_ms = 23 * 3600 * 1000LL;
  std::size_t most_owners = 50'000;
  std::int64_t owner_idle_ms = 60'000;
  int threads = 0;  // of CAF's scheduler; 0: as many as cores, at least 2
};

class till {
 public:
  // Starts the actors, sends open orders again and asks for what was marked. The store, clock,
  // metrics and transport must outlive it. `on_fatal` is called (once, from any thread) when the
  // process should end: a failed sync, a dead actor.
  till(till_settings settings, store::store& store, const clock& time, metrics& counts,
       transport way_out, std::function<void(std::string why)> on_fatal);
  // stop(0) if it has not been stopped.
  ~till();

  void take_event(incoming_event event, once<event_answer> answer);
  void take_order(order_request order, once<order_answer> answer);
  void take_fetch(fetch_request fetch, once<fetch_answer> answer);
  // Tells, once: true when the order has ended, false after so long. Look at it after this call: it
  // may have ended before.
  void wait_for_order(const std::string& order_id, std::int64_t wait_ms,
                      std::move_only_function<void(bool ended)> then);
  // A change that is no fact from Stripe: API tokens.
  void commit(store::batch batch, once<result<void>> answer);

  std::vector<part_state> state() const;
  // Budget, queues and breaker of the account's gateway, as JSON.
  std::string gateway_status(const store::scope& scope) const;
  const store::reader& read() const;
  collections& whole() const;  // which collections the mirror holds whole
  // Whether an order has just touched somebody, or this customer, so that Stripe knows better.
  bool anybody_settles() const;
  bool settles(const store::scope& scope, std::string_view owner) const;
  bool can_order(const store::scope& scope) const;  // there is a Stripe key
  const std::string& user_id_metadata() const;      // the key of the application's own ids

  // No new work; what has begun is finished or safely stored, until the deadline. Idempotent.
  // Returns what was left behind (orders that stay open in the outbox).
  int stop(std::int64_t deadline_ms);

 private:
  struct system;
  std::unique_ptr<system> system_;
};

}  // namespace tilld::actors
