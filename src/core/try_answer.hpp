// One answer of Stripe to one try, and what it means for the call. Pure; the headers are in lower
// case and come from a stranger.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stripe/call.hpp"

namespace tilld::core {

// What came back: net::answer without its room.
struct try_answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::int64_t took_ms = 0;  // monotonic, from before the request left to the last byte
  std::string_view header(std::string_view lower_case_name) const;  // the first; empty when absent
};

// Status, body, Request-Id, Stripe-Version, Idempotent-Replayed, and the time in which the answer
// was true: date_s is Stripe's Date, started_s is Date minus took_ms rounded up to seconds, which
// is not later than when the request left. Both are 0 without a readable Date. `end` is left alone.
// Moves the body out of `answer`.
stripe::outcome read_answer(try_answer& answer);

// May it be sent again although it may have reached Stripe? Yes for everything but a POST without
// an idempotency key.
bool is_repeatable(const stripe::call& call);

// May an answer with this status have had an effect that it does not tell? 5xx but 501 (there is
// no such thing there), what Stripe never sends (1xx, 3xx), and a 409 that says that the same key
// is at work elsewhere.
bool may_hide_effect(int status, std::string_view body);

// What the caller is told of an answer after which no other try is made. `maybe_done`: an earlier
// try of the same call may have taken effect. See "What the caller is told" in gateway_plan.hpp.
stripe::call_end end_of(const stripe::call& call, int status, std::string_view body,
                        bool maybe_done);

// "GET /v1/customers" of "/v1/customers/cus_x?expand[]=y": the unit of Stripe's endpoint limits.
std::string endpoint_of(const stripe::call& call);

}  // namespace tilld::core
