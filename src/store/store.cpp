#include "store/store.hpp"

#include <iterator>

namespace tilld::store {

const char* to_string(family f) noexcept {
  switch (f) {
    case family::objects:
      return "objects";
    case family::index:
      return "index";
    case family::events:
      return "events";
    case family::customers:
      return "customers";
    case family::outbox:
      return "outbox";
    case family::feed:
      return "feed";
    case family::meta:
      return "meta";
  }
  return "unknown";
}

void batch::put(family in, std::string key, std::string value) {
  changes_.push_back({change_kind::put, in, std::move(key), std::move(value)});
}

void batch::erase(family in, std::string key) {
  changes_.push_back({change_kind::erase, in, std::move(key), {}});
}

void batch::append(family in, std::string value) {
  changes_.push_back({change_kind::append, in, {}, std::move(value)});
}

void batch::expect_absent(family in, std::string key) {
  preconditions_.push_back({in, std::move(key), std::nullopt});
}

void batch::expect_prefix(family in, std::string key, std::string prefix) {
  preconditions_.push_back({in, std::move(key), std::move(prefix)});
}

void batch::merge(batch&& other) {
  changes_.insert(changes_.end(), std::make_move_iterator(other.changes_.begin()),
                  std::make_move_iterator(other.changes_.end()));
  preconditions_.insert(preconditions_.end(), std::make_move_iterator(other.preconditions_.begin()),
                        std::make_move_iterator(other.preconditions_.end()));
  other.changes_.clear();
  other.preconditions_.clear();
}

std::size_t batch::bytes() const noexcept {
  std::size_t sum = 0;
  for (const change& c : changes_)
    sum += c.key.size() + c.value.size();
  return sum;
}

result<void> store::commit(const batch& one) {
  const batch* const group[] = {&one};
  return commit(std::span<const batch* const>(group)).front();
}

}  // namespace tilld::store
