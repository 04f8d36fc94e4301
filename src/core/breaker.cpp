#include "core/breaker.hpp"

#include "core/backoff.hpp"

namespace tilld::core {

bool breaker::allows(std::int64_t now_ms) const {
  return is_closed_ || (now_ms >= until_ms_ && !probe_is_out_);
}

breaker::era breaker::leave() {
  if (!is_closed_) probe_is_out_ = true;
  return era_;
}

void breaker::succeeded(era when) {
  if (when != era_) return;
  failures_ = 0;
  if (is_closed_) return;
  is_closed_ = true;
  probe_is_out_ = false;
  times_opened_ = 0;
  ++era_;
}

void breaker::failed(era when, std::int64_t now_ms, std::mt19937_64& chance) {
  if (when != era_) return;
  ++failures_;
  if (!is_closed_ || failures_ >= rules_.failures_to_open) open(now_ms, chance);
}

void breaker::told_nothing(era when) {
  if (when == era_) probe_is_out_ = false;
}

void breaker::open(std::int64_t now_ms, std::mt19937_64& chance) {
  is_closed_ = false;
  probe_is_out_ = false;
  ++times_opened_;
  ++era_;
  const std::int64_t whole =
      backoff_bound_ms(times_opened_, rules_.open_base_ms, rules_.open_cap_ms);
  until_ms_ = now_ms + whole - full_jitter_ms(whole / 2, chance);
}

breaker::position breaker::at(std::int64_t now_ms) const {
  if (is_closed_) return position::closed;
  return now_ms >= until_ms_ ? position::half_open : position::open;
}

}  // namespace tilld::core
