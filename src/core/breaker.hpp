// The circuit breaker: while Stripe does not answer, do not ask it over and over.
//
//   closed     --(n failures in a row)-->  open
//   open       --(its time is over)----->  half open: one request may leave, the probe
//   half open  --(probe succeeded)------>  closed
//   half open  --(probe failed)--------->  open, twice as long (up to a cap)
//
// A failure is a lost connection, a timeout or a 5xx; any other answer, a 429 too, shows that
// Stripe is there. The ends of requests that left before the breaker last changed its mind do not
// count.
//
// Without it an outage costs every caller a full timeout, and its end a stampede. Pure: time is an
// argument (monotonic milliseconds), chance is handed in.
#pragma once

#include <cstdint>
#include <random>

namespace tilld::core {

class breaker {
 public:
  enum class position : std::uint8_t { closed, open, half_open };

  struct rules {
    int failures_to_open = 8;           // in a row, over all calls
    std::int64_t open_base_ms = 1'000;  // the first time; then twice as long each time
    std::int64_t open_cap_ms = 30'000;  // each is shortened at random to 50..100 %
  };
  // What a request carries from leave() to its end.
  using era = std::uint32_t;

  breaker() = default;
  explicit breaker(rules r) : rules_(r) {}

  // May a request leave now? Open and half open: only the probe, and only one.
  bool allows(std::int64_t now_ms) const;
  // A request leaves; allows() must be true.
  era leave();
  void succeeded(era when);
  void failed(era when, std::int64_t now_ms, std::mt19937_64& chance);
  // It ended without a word about Stripe (it never left): if it was the probe, another may be.
  void told_nothing(era when);

  position at(std::int64_t now_ms) const;
  // When the next request may leave: while open; otherwise 0.
  std::int64_t opens_until_ms() const { return is_closed_ ? 0 : until_ms_; }
  int failures_in_a_row() const { return failures_; }

 private:
  void open(std::int64_t now_ms, std::mt19937_64& chance);

  rules rules_;
  bool is_closed_ = true;
  bool probe_is_out_ = false;
  int failures_ = 0;
  int times_opened_ = 0;  // since it was last closed
  std::int64_t until_ms_ = 0;
  era era_ = 0;
};

}  // namespace tilld::core
