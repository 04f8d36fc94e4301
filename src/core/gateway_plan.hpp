// The gateway's mind: which call to Stripe leaves when, what is tried again, what a caller is told.
//
// A pure state machine. It knows no sockets, no clock and no threads: it is told what happened and
// when (monotonic milliseconds; they may stand still, they may not go back), and it answers with
// what to do. Chance comes from the generator it was given, so that a seed replays a run exactly.
// Wall time is never read; the seconds in an outcome come from Stripe's own Date header.
//
// How to drive it (one thread; each function answers with `actions`, all of which must be done):
//
//   to_send     start this try now. Exactly one answered(), failed() or refused() with its ticket
//               must follow, and a try needs a deadline of its own (80 s at Stripe). The same call,
//               with the same idempotency key, comes again under this ticket for the next try.
//   to_deliver  tell the caller; the ticket is gone. Each submitted ticket is delivered once.
//   wake_at_ms  call tick() then or later, unless something else was called before. Nothing: no
//               timer is needed. Each answer replaces the wish of the one before.
//
// What it promises (the tests hold it to these):
//
//   - Rates: two token buckets for the account, reads (GET) and writes (the rest), and one for each
//     endpoint. In any window of W seconds at most rate x W + burst leave.
//   - Width: at most `most_in_flight` tries at once, and `most_in_flight_endpoint` for an endpoint
//     (the verb and the first two segments of the path: "GET /v1/customers").
//   - Both give way to 429s (halved) and recover (a little every second). Stripe's header
//     Stripe-Rate-Limited-Reason says which one it was: global-rate the account's bucket,
//     global-concurrency the width, endpoint-rate and endpoint-concurrency those of the endpoint;
//     resource-specific or a lock_timeout none. Without the header: the account's bucket.
//   - Lanes: an earlier lane goes first; inside a lane the oldest that may go. A lane that has
//     something that may go is passed over at most 7 times in a row; where lanes come and go as
//     budgets open and close, at most 10 times (see core/lane_turns.hpp). An endpoint keeps the
//     same count of the lanes that wait for it, and swaps a first come for a lane that is due
//     there.
//   - Tries: see worth_retrying() in core/backoff.hpp; exponential backoff with full jitter, never
//     earlier than Retry-After says; 5xx (and what Stripe-Should-Retry asks for) at most
//     `most_error_tries` times; 409, 429 and lost connections until the call's give_up_after_ms. No
//     try starts later than that. A POST without an idempotency key is not repeated once it may
//     have reached Stripe. A DELETE is repeated: deleting twice deletes; its second answer may be a
//     404, and `why` then says that an earlier try may have done it.
//   - Breaker: see core/breaker.hpp. While it is open, orders, repairs and backfill wait in their
//     queues until they give up: each of them is worth doing late. Checks end at once with
//     not_sent: a visitor is served better by a quick "not now" than by an answer after he left,
//     and a queue of them would be the stampede at the end of the outage. After its time the next
//     call of any lane is the probe, a check too, so nothing need be queued for the breaker to
//     close.
//   - Memory: at most `most_queued` calls wait in a lane, `most_queued_bytes` in all of them.
//
// What the caller is told:
//
//   answered   2xx; a 4xx that is final; for a GET or HEAD the last answer, whatever it is.
//   not_sent   no try may have reached Stripe: the queue is full, the breaker, the time ran out,
//              nothing but refused connections, shutting down.
//   unknown    the rest: a lost answer; for a POST or DELETE the last 5xx or a 3xx (Stripe sends
//              none; nothing is followed), with its status and body kept; a 409 that says the
//              key is in use; a 401, 403, 409 or 429 after an earlier try that may have taken
//              effect, because Stripe looks at those before it looks up the key.
//              Send the same call with the same key later.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/breaker.hpp"
#include "core/lane_turns.hpp"
#include "core/rate_limiter.hpp"
#include "core/try_answer.hpp"
#include "stripe/call.hpp"

namespace tilld::core {

struct gateway_limits {
  // Stripe: 100/s live, 25/s in a sandbox, 25/s for an endpoint. The defaults fit everywhere.
  double read_per_s = 25;
  double write_per_s = 25;
  double endpoint_per_s = 25;
  // One second's worth. Stripe's own bucket was seen to take 120 at once and shed 4, so a burst of
  // 25 on top of 25/s is far inside it.
  int burst = 25;
  // 30 calls in flight at one endpoint were seen to pass, 60 to shed: 20 leaves a third to others
  // who use the key. At 200 ms a call, 20 in flight are 100 calls/s, so the rate binds first.
  int most_in_flight = 20;
  int most_in_flight_endpoint = 20;
  // Of whom 429 halves, what is given back: from nothing to the ceiling in about a minute.
  double slowest_per_s = 1;
  double rate_recovers_in_s = 60;
  double width_recovers_in_s = 60;

  // What 25/s can serve in the 80 s before a call gives up; a longer queue is a queue of the dead.
  // 4 lanes x 2'000 x about 2 KB = 16 MB, and bodies may not exceed 32 MB together.
  std::size_t most_queued = 2'000;
  std::size_t most_queued_bytes = 32u << 20;
  // Endpoints whose budget is remembered; the ones past that share one. Each is about 700 bytes.
  std::size_t most_endpoints = 256;

  // 0.5 + 1 + 2 + 4 + 8 s, halved by the jitter: six tries take about 8 s.
  std::int64_t backoff_base_ms = 500;
  std::int64_t backoff_cap_ms = 30'000;
  int most_error_tries = 6;
  breaker::rules breaking;
};

using ticket = std::uint64_t;

struct to_send {
  ticket id = 0;
  std::shared_ptr<const stripe::call> what;
  int attempt = 1;  // 1 is the first
};

struct to_deliver {
  ticket id = 0;
  stripe::outcome end;
};

struct actions {
  std::vector<to_send> send;
  std::vector<to_deliver> deliver;
  std::optional<std::int64_t> wake_at_ms;
};

// For a status page; a copy.
struct gateway_status {
  struct endpoint {
    std::string name;
    std::size_t queued = 0;
    int in_flight = 0;
    double width = 0;
    double rate_per_s = 0;
  };
  std::array<std::size_t, stripe::lane_count> queued{};  // by lane, with those that sleep
  std::size_t sleeping = 0;                              // between two tries
  std::size_t queued_bytes = 0;
  int in_flight = 0;
  double width = 0;
  double read_tokens = 0;
  double read_rate_per_s = 0;
  double write_tokens = 0;
  double write_rate_per_s = 0;
  bool breaker_open = false;                // open or half open
  std::int64_t breaker_opens_until_ms = 0;  // monotonic; 0 when closed
  int failures_in_a_row = 0;
  bool draining = false;
  // Since the start.
  std::uint64_t submitted = 0;
  std::uint64_t tries = 0;
  std::uint64_t retries = 0;
  std::uint64_t throttled = 0;  // 429s
  std::uint64_t answered = 0;
  std::uint64_t not_sent = 0;
  std::uint64_t unknown = 0;
  std::vector<endpoint> endpoints;  // those with something waiting or in flight
};

// One JSON object; reads, writes and breaker are objects of their own.
std::string to_json(const gateway_status& status);

class gateway_plan {
 public:
  explicit gateway_plan(gateway_limits limits, std::uint64_t seed = 1);

  // `id` must not be in use. A call whose queue is full is delivered at once.
  actions submit(ticket id, std::shared_ptr<const stripe::call> call, std::int64_t now_ms);
  actions submit(ticket id, stripe::call call, std::int64_t now_ms);

  // The end of a try. A ticket that is not in flight is ignored.
  actions answered(ticket id, try_answer answer, std::int64_t now_ms);
  actions failed(ticket id, bool maybe_sent, std::string why, std::int64_t now_ms);
  // It could not even be written as a request (net::failure::refused): no try can succeed, and it
  // says nothing of Stripe, so it is delivered at once and the breaker does not hear of it.
  actions refused(ticket id, std::string why, std::int64_t now_ms);

  actions tick(std::int64_t now_ms);

  // No new work: what waits is delivered now, what is in flight when it ends, without another try.
  actions drain(std::int64_t now_ms);
  // All of it is delivered now; the ends of tries that come later are ignored.
  actions cancel_all(std::int64_t now_ms);

  gateway_status status(std::int64_t now_ms) const;

 private:
  struct endpoint {
    bool is_read = true;
    int in_flight = 0;
    std::size_t calls = 0;  // that name it, wherever they are
    std::size_t waiting_count = 0;
    adaptive_limit width;
    token_bucket rate;
    lane_turns turns;
    // By age: the order in which they were submitted.
    std::array<std::map<std::uint64_t, ticket>, stripe::lane_count> waiting;
  };

  enum class place : std::uint8_t { waiting, sleeping, in_flight };
  struct entry {
    std::shared_ptr<const stripe::call> call;
    endpoint* at = nullptr;
    place where = place::waiting;
    std::uint64_t age = 0;
    std::int64_t give_up_ms = 0;
    std::int64_t due_ms = 0;   // while sleeping
    std::int64_t sent_ms = 0;  // of the try in flight
    breaker::era era = 0;
    int tries = 0;
    int error_tries = 0;
    bool maybe_sent = false;              // some try may have reached Stripe …
    bool maybe_done = false;              // … and may have taken effect
    std::optional<stripe::outcome> last;  // the last answer, unless a later one was lost
    std::string why;                      // how the last try ended
  };

  struct choice {
    endpoint* at = nullptr;
    std::size_t lane = 0;
    lane_turns::lanes ready{};       // that could go somewhere
    lane_turns::lanes ready_here{};  // that wait at `at`
  };

  void advance(std::int64_t now_ms);
  actions settle(actions out);
  void wake_sleepers();
  void give_up_late(actions& out);
  void refuse_checks(actions& out);
  void send_what_may_go(actions& out);
  bool may_go(const endpoint& at) const;
  std::optional<choice> next_choice();
  void grant(const choice& c, actions& out);

  entry* land(ticket id);
  void take_answer(ticket id, entry& e, try_answer answer, actions& out);
  void throttle(const entry& e, const try_answer& answer);
  void try_again_or_end(ticket id, entry& e, std::int64_t not_before_ms, actions& out);
  void finish(ticket id, stripe::outcome end, actions& out);
  static stripe::outcome last_word(entry& e, std::string_view reason);

  void enqueue(ticket id, entry& e);
  void count_in(ticket id, const entry& e);
  void leave_queue(ticket id, entry& e);
  std::vector<ticket> waiting_tickets(bool (*wanted)(const entry&)) const;  // oldest first
  endpoint& endpoint_for(const stripe::call& call);
  void forget_idle_endpoints();
  token_bucket& bucket_of(const endpoint& at) { return at.is_read ? reads_ : writes_; }
  const token_bucket& bucket_of(const endpoint& at) const { return at.is_read ? reads_ : writes_; }

  std::optional<std::int64_t> next_wake() const;
  std::optional<std::int64_t> opens_at(const endpoint& at) const;

  gateway_limits limits_;
  std::mt19937_64 chance_;
  std::int64_t now_ms_ = 0;
  bool draining_ = false;
  token_bucket reads_;
  token_bucket writes_;
  adaptive_limit width_;
  breaker breaker_;
  lane_turns turns_;
  int in_flight_ = 0;
  std::uint64_t next_age_ = 1;
  std::array<std::size_t, stripe::lane_count> queued_{};
  std::size_t queued_bytes_ = 0;
  std::unordered_map<ticket, entry> calls_;
  std::map<std::string, endpoint> endpoints_;
  std::set<std::pair<std::int64_t, ticket>> sleeping_;  // by due_ms
  std::set<std::pair<std::int64_t, ticket>> give_ups_;  // of all that wait or sleep
  gateway_status counts_;                               // the counters alone
};

}  // namespace tilld::core
