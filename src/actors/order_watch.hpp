// Who waits for the end of an order that is not his own request: somebody who looks at it, or whose
// own order has to wait for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace tilld::actors {

// Thread-safe. Times are monotonic.
class order_watch {
 public:
  // Told once, from any thread: true when the order has ended and its end is on disk, false when
  // the time is over. Whoever asks looks at the order after he has asked: it may have ended before.
  using told = std::move_only_function<void(bool ended)>;
  void wait(const std::string& order_id, std::int64_t until_ms, told then);
  void ended(const std::string& order_id);
  void expire(std::int64_t now_ms);

 private:
  struct waiting {
    std::int64_t until_ms = 0;
    told then;
  };
  std::mutex mutex_;
  std::multimap<std::string, waiting> all_;
};

}  // namespace tilld::actors
