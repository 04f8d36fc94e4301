#include "actors/settling.hpp"

namespace tilld::actors {

namespace {

std::string key_of(const store::scope& scope, std::string_view owner) {
  return scope.bytes() + std::string(owner);
}

}  // namespace

void settling::touch(const store::scope& scope, std::string_view owner, std::int64_t now_ms) {
  const std::int64_t end = now_ms + window_ms;
  const std::lock_guard lock(mutex_);
  for (; !ends_.empty() && ends_.front().first <= now_ms; ends_.pop_front()) {
    const auto at = until_.find(ends_.front().second);
    if (at != until_.end() && at->second <= now_ms) until_.erase(at);
  }
  const std::string key = key_of(scope, owner);
  until_[key] = end;
  ends_.emplace_back(end, key);
  until_ms_ = end;
}

bool settling::is_settling(const store::scope& scope, std::string_view owner,
                           std::int64_t now_ms) const {
  if (!any(now_ms)) return false;
  const std::lock_guard lock(mutex_);
  const auto at = until_.find(key_of(scope, owner));
  return at != until_.end() && now_ms < at->second;
}

}  // namespace tilld::actors
