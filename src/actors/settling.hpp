// Whom an order has just touched. Stripe answers with one object; what else it has changed is told
// by events that are still on their way. For that while the mirror is not asked about them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "store/keys.hpp"

namespace tilld::actors {

// Thread-safe. Times are monotonic.
class settling {
 public:
  // How long events take at most, as a rule.
  static constexpr std::int64_t window_ms = 2'000;

  void touch(const store::scope& scope, std::string_view owner, std::int64_t now_ms);
  // Whether anybody was touched; a look at one number. And whether this customer was; the empty
  // one stands for all that belongs to nobody.
  bool any(std::int64_t now_ms) const noexcept { return now_ms < until_ms_.load(); }
  bool is_settling(const store::scope& scope, std::string_view owner, std::int64_t now_ms) const;

 private:
  std::atomic<std::int64_t> until_ms_{0};
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t, std::less<>> until_;  // by scope and owner
  std::deque<std::pair<std::int64_t, std::string>> ends_;   // in their order
};

}  // namespace tilld::actors
