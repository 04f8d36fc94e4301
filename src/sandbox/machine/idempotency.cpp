#include "sandbox/machine/idempotency.hpp"

namespace tilld::sandbox {

const kept_result* idempotency::find(std::string_view key) const {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? nullptr : &it->second;
}

void idempotency::keep(std::string key, kept_result result) {
  if (by_key_.emplace(key, std::move(result)).second) order_.push_back(std::move(key));
}

void idempotency::forget_before(std::int64_t at_s) {
  while (!order_.empty()) {
    const auto it = by_key_.find(order_.front());
    if (it->second.at_s >= at_s) return;
    by_key_.erase(it);
    order_.pop_front();
  }
}

}  // namespace tilld::sandbox
