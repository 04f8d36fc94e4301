#include "core/rate_limiter.hpp"

#include <algorithm>

namespace tilld::core {

namespace {
// Longer than this nothing changes any more, and the products stay far inside 64 bits.
constexpr std::int64_t longest_ms = 24 * 3600 * 1000;

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}
}  // namespace

void adaptive_limit::advance(std::int64_t now_ms) {
  if (!started_) {
    started_ = true;
    since_ms_ = now_ms;
  }
  if (now_ms <= since_ms_) return;
  // What is less than a thousandth is kept, else many small steps would gain nothing.
  owed_ += bounds_.recover_per_s * std::min(now_ms - since_ms_, longest_ms);
  value_ = std::max(value_, std::min(bounds_.ceiling, value_ + owed_ / 1000));
  owed_ = value_ < bounds_.ceiling ? owed_ % 1000 : 0;
  since_ms_ = now_ms;
}

bool adaptive_limit::cut(std::int64_t sent_ms, std::int64_t now_ms) {
  advance(now_ms);
  if (sent_ms <= last_cut_ms_) return false;
  value_ = std::max(bounds_.floor, value_ / 2);
  last_cut_ms_ = now_ms;
  return true;
}

std::int64_t adaptive_limit::reaches_at(std::int64_t wanted, std::int64_t now_ms) const {
  wanted = std::min(wanted, bounds_.ceiling);
  if (value_ >= wanted || bounds_.recover_per_s <= 0) return now_ms;
  const std::int64_t missing = (wanted - value_) * 1000 - owed_;
  return std::max(now_ms, since_ms_ + ceil_div(missing, bounds_.recover_per_s));
}

token_bucket::token_bucket(adaptive_limit::bounds rate, std::int64_t burst)
    : rate_(rate), level_(std::max<std::int64_t>(burst, 1) * one), full_(level_) {}

void token_bucket::advance(std::int64_t now_ms) {
  if (!started_) {
    started_ = true;
    since_ms_ = now_ms;
  }
  const std::int64_t passed = std::min(now_ms - since_ms_, longest_ms);
  // At the rate before the recovery of this very time: rather a little too slow.
  if (passed > 0) {
    level_ = std::min(full_, level_ + passed * rate_.value());
    since_ms_ = now_ms;
  }
  rate_.advance(now_ms);
}

bool token_bucket::cut(std::int64_t sent_ms, std::int64_t now_ms) {
  advance(now_ms);
  if (!rate_.cut(sent_ms, now_ms)) return false;
  level_ = std::min(level_, one);
  return true;
}

std::int64_t token_bucket::token_at(std::int64_t now_ms) const {
  if (has_token()) return now_ms;
  return now_ms + ceil_div(one - level_, std::max<std::int64_t>(rate_.value(), 1));
}

}  // namespace tilld::core
