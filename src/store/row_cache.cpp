#include "store/row_cache.hpp"

#include <functional>
#include <utility>

#include "store/keys.hpp"

namespace tilld::store {

namespace {

// What an entry takes beside its own bytes: nodes of the list and the map, and what counts them.
constexpr std::size_t entry_overhead = 200;
// A row that would take a good part of what others could have is not kept.
constexpr std::size_t largest_share = 8;

}  // namespace

std::size_t row_cache::hash::operator()(const name& n) const noexcept {
  return std::hash<std::string_view>()(n.key) + static_cast<std::size_t>(n.in);
}

std::size_t row_cache::entry::bytes() const noexcept {
  return entry_overhead + key.size() + (what ? what->size() : 0);
}

void row_cache::part::drop(decltype(by_name)::iterator at) {
  const auto gone = at->second;
  bytes -= gone->bytes();
  by_name.erase(at);
  used.erase(gone);
}

row_cache::row_cache(std::size_t most_bytes) : most_bytes_(most_bytes / part_count) {}

row_cache::finding row_cache::find(family in, std::string_view key) {
  const name called{in, key};
  finding found;
  found.at.hash = hash()(called);
  part& in_part = part_of(found.at.hash);
  const std::lock_guard lock(in_part.mutex);
  found.at.moment = in_part.moment;
  const auto at = in_part.by_name.find(called);
  if (at == in_part.by_name.end()) return found;
  in_part.used.splice(in_part.used.begin(), in_part.used, at->second);
  found.what = at->second->what;
  return found;
}

void row_cache::keep(const place& at, family in, std::string_view key, row read) {
  entry fresh{in, std::string(key), std::move(read)};
  const std::size_t size = fresh.bytes();
  if (size > most_bytes_ / largest_share) return;
  part& to = part_of(at.hash);
  const std::lock_guard lock(to.mutex);
  if (at.moment % 2 == 1 || at.moment != to.moment || to.by_name.contains(fresh.called())) return;
  to.used.push_front(std::move(fresh));
  to.by_name.emplace(to.used.front().called(), to.used.begin());
  to.bytes += size;
  while (to.bytes > most_bytes_)
    to.drop(to.by_name.find(to.used.back().called()));
}

std::size_t row_cache::bytes() const {
  std::size_t all = 0;
  for (const part& one : parts_) {
    const std::lock_guard lock(one.mutex);
    all += one.bytes;
  }
  return all;
}

row_cache::change::change(row_cache& of, std::span<const batch* const> group) : of_(of) {
  for (const batch* one : group) {
    for (const auto& c : one->changes()) {
      if (keeps(c.in)) drop(c.in, c.key);
      // The last number of a log is noted there when its row goes.
      if (c.kind == batch::change_kind::erase && c.key.size() == sizeof(std::uint64_t)) {
        drop(family::meta, key::last_number(c.in));
      }
    }
  }
}

row_cache::change::change(row_cache& of) : of_(of) {
  touched_.set();
  for (part& one : of_.parts_) {
    const std::lock_guard lock(one.mutex);
    ++one.moment;
    one.by_name.clear();
    one.used.clear();
    one.bytes = 0;
  }
}

row_cache::change::~change() {
  for (std::size_t i = 0; i < part_count; ++i) {
    if (!touched_[i]) continue;
    const std::lock_guard lock(of_.parts_[i].mutex);
    ++of_.parts_[i].moment;
  }
}

void row_cache::change::drop(family in, std::string_view key) {
  const name called{in, key};
  const std::size_t value = hash()(called);
  part& from = of_.part_of(value);
  const std::lock_guard lock(from.mutex);
  if (!touched_[value % part_count]) {
    touched_.set(value % part_count);
    ++from.moment;
  }
  if (const auto at = from.by_name.find(called); at != from.by_name.end()) from.drop(at);
}

}  // namespace tilld::store
