#include "actors/order_watch.hpp"

#include <utility>
#include <vector>

namespace tilld::actors {

void order_watch::wait(const std::string& order_id, std::int64_t until_ms, told then) {
  const std::lock_guard lock(mutex_);
  all_.emplace(order_id, waiting{until_ms, std::move(then)});
}

void order_watch::ended(const std::string& order_id) {
  std::vector<told> now;
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = all_.equal_range(order_id);
    for (auto at = first; at != last; ++at)
      now.push_back(std::move(at->second.then));
    all_.erase(first, last);
  }
  for (auto& then : now)
    then(true);
}

void order_watch::expire(std::int64_t now_ms) {
  std::vector<told> over;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = all_.begin(); at != all_.end();) {
      if (at->second.until_ms > now_ms) {
        ++at;
        continue;
      }
      over.push_back(std::move(at->second.then));
      at = all_.erase(at);
    }
  }
  for (auto& then : over)
    then(false);
}

}  // namespace tilld::actors
