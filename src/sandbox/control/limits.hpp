// The sandbox's own rate limits, off unless they are switched on: 25 requests a second for the
// account and 25 for each endpoint, 20 for searches, with bursts of one second's worth.
// Source: https://docs.stripe.com/rate-limits
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tilld::sandbox {

class rate_limits {
 public:
  // Takes its part of the budget. The reason of the refusal, as Stripe-Rate-Limited-Reason says it;
  // empty: it may pass.
  std::string_view refuses(std::string_view verb, std::string_view path, std::int64_t now_ms);

 private:
  struct bucket {
    std::int64_t thousandths = -1;  // of a request; -1: not yet used
    std::int64_t at_ms = 0;
    bool take(std::int64_t per_s, std::int64_t now_ms);
  };
  bucket all_;
  std::map<std::string, bucket, std::less<>> by_endpoint_;
};

}  // namespace tilld::sandbox
