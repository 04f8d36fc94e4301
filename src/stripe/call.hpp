// One request to Stripe and what became of it. The gateway carries them; the outbox keeps them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tilld::stripe {

// Who waits for it. A lane never starves; an earlier one goes first.
enum class lane : std::uint8_t { order, check, repair, backfill };
inline constexpr std::size_t lane_count = 4;

struct call {
  std::string verb = "GET";
  std::string target;  // path and query, "/v1/customers/cus_x?expand[]=…"
  std::string body;    // form-encoded (v1) or JSON (v2)
  std::string content_type = "application/x-www-form-urlencoded";
  std::string idempotency_key;  // sent on POST (and v2 DELETE); the same on every try
  std::string api_version;      // Stripe-Version; empty: the account's pinned one
  std::string stripe_account;   // Stripe-Account; empty: none
  lane in = lane::check;
  std::int64_t give_up_after_ms = 80'000;  // no new try starts later than this after submission
};

enum class call_end : std::uint8_t {
  answered,  // Stripe gave an answer that counts: `status` and `body` are it
  not_sent,  // it certainly did not reach Stripe (refused connection, gave up in the queue)
  unknown,   // it may have taken effect: lost answer, timeout, 5xx to the end
};

struct outcome {
  call_end end = call_end::not_sent;
  int status = 0;
  std::string body;
  std::string request_id;      // Stripe's Request-Id
  std::string api_version;     // Stripe-Version of the answer
  std::int64_t started_s = 0;  // lower bound, in Stripe's clock, of when the answer was true:
                               // Date minus the time the request took, rounded down
  std::int64_t date_s = 0;     // Stripe's Date header; 0 when absent
  int attempts = 0;
  bool replayed = false;  // Idempotent-Replayed: the body may be older than this request
  std::string why;        // for people, unless answered
};

}  // namespace tilld::stripe
