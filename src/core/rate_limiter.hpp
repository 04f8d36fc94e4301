// How much may leave: a token bucket and a width, both of which learn from 429s.
//
// Stripe tells nobody its limits of the moment; it answers 429. So a limit here is a ceiling that
// is configured and a value that moves below it: halved when Stripe says "too much" (multiplicative
// decrease), given back a little every second without it (additive increase). This is how TCP
// shares a line it knows nothing about, and it converges for the same reason.
//
// Pure: time is an argument, in monotonic milliseconds, and must not go back (if it does, the older
// time counts as no time at all). Integers only, so that the promise "never more than rate x window
// + burst" is exact and not a matter of rounding.
#pragma once

#include <cstdint>

namespace tilld::core {

// A limit between a floor and a ceiling, in thousandths (25'000 = 25 requests/s, 20'000 = width
// 20).
class adaptive_limit {
 public:
  struct bounds {
    std::int64_t ceiling = 1'000;
    std::int64_t floor = 1'000;
    std::int64_t recover_per_s = 1'000;
  };

  adaptive_limit() = default;
  explicit adaptive_limit(bounds b) : bounds_(b), value_(b.ceiling) {}

  // Lets the time pass; call before value().
  void advance(std::int64_t now_ms);
  std::int64_t value() const { return value_; }
  std::int64_t ceiling() const { return bounds_.ceiling; }

  // A request that left at `sent_ms` was refused for this limit. Halves it, once per crowd: the
  // refusals of requests that had left before the last cut tell nothing new. True if it was cut.
  bool cut(std::int64_t sent_ms, std::int64_t now_ms);

  // When the value will have grown to `wanted` if nothing is refused; at most the ceiling counts.
  std::int64_t reaches_at(std::int64_t wanted, std::int64_t now_ms) const;

 private:
  bounds bounds_;
  std::int64_t value_ = 1'000;
  std::int64_t owed_ = 0;  // millionths
  std::int64_t since_ms_ = 0;
  bool started_ = false;
  std::int64_t last_cut_ms_ = INT64_MIN;
};

// Requests per second, with a burst. In any window of W ms no more than
// ceiling x W / 1000 + burst tokens can be taken.
class token_bucket {
 public:
  token_bucket() = default;
  // Starts full. `burst` is in whole requests, at least 1.
  token_bucket(adaptive_limit::bounds rate, std::int64_t burst);

  void advance(std::int64_t now_ms);
  bool has_token() const { return level_ >= one; }
  void take() { level_ -= one; }  // only when has_token()
  // Cuts the rate and empties the bucket down to one token: what was saved up is what Stripe just
  // refused.
  bool cut(std::int64_t sent_ms, std::int64_t now_ms);

  // When has_token() will be true; now_ms if it is.
  std::int64_t token_at(std::int64_t now_ms) const;

  double tokens() const { return static_cast<double>(level_) / static_cast<double>(one); }
  double rate_per_s() const { return static_cast<double>(rate_.value()) / 1000.0; }
  // Nothing of its past is left in it: as good as a new one.
  bool is_full() const { return rate_.value() >= rate_.ceiling() && level_ >= full_; }

 private:
  // A rate of 1/s is 1'000 thousandths/s, and so one unit per millisecond is a millionth request.
  static constexpr std::int64_t one = 1'000'000;
  adaptive_limit rate_;
  std::int64_t level_ = one;
  std::int64_t full_ = one;
  std::int64_t since_ms_ = 0;
  bool started_ = false;
};

}  // namespace tilld::core
