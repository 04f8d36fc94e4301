#include "store/lists.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

namespace tilld::store {

namespace {

constexpr std::size_t largest_chunk = 512;

// Where to go on: at a place, or behind it.
struct bound {
  list_place place;
  bool behind = false;
};

// The entries under one value, in the walk's direction.
class entries {
 public:
  entries(const reader& from, const list_walk& wanted, std::string filter, std::string value)
      : from_(&from),
        wanted_(&wanted),
        filter_(std::move(filter)),
        value_(std::move(value)),
        chunk_(std::clamp<std::size_t>(wanted.expected, 1, largest_chunk)) {}

  // The first from there on; nullptr at the end.
  result<const list_place*> first(const bound& from) {
    while (!buffer_.empty() && !fits(buffer_.front(), from))
      buffer_.pop_front();
    if (buffer_.empty() && !ended_) {
      if (auto done = read(from); !done) return std::unexpected(done.error());
    }
    return buffer_.empty() ? nullptr : &buffer_.front();
  }

 private:
  bool fits(const list_place& p, const bound& from) const {
    if (p == from.place) return !from.behind;
    return wanted_->oldest_first ? p > from.place : p < from.place;
  }

  std::string key_of(const list_place& p) const {
    return key::list_entry(wanted_->of, wanted_->object_name, filter_, value_, p.created_s, p.id);
  }

  result<void> read(const bound& from) {
    scan_range range;
    range.in = family::index;
    range.prefix = key::list(wanted_->of, wanted_->object_name, filter_, value_);
    range.reverse = wanted_->oldest_first;
    // Forward a scan takes its bound in, backward it does not.
    range.from = key_of(from.place);
    if (from.behind != wanted_->oldest_first) range.from += '\0';
    bool whole = true;
    auto scanned = from_->scan(range, [&](std::string_view row_key, std::string_view) {
      if (auto found = key::list_place(row_key)) {
        buffer_.push_back({found->created_s, std::move(found->id)});
      }
      whole = buffer_.size() < chunk_;
      return whole;
    });
    if (!scanned) return scanned;
    ended_ = whole;
    chunk_ = std::min(chunk_ * 4, largest_chunk);
    return {};
  }

  const reader* from_;
  const list_walk* wanted_;
  std::string filter_;
  std::string value_;
  std::deque<list_place> buffer_;
  std::size_t chunk_;
  bool ended_ = false;
};

// The entries under any of several values.
class condition_entries {
 public:
  condition_entries(const reader& from, const list_walk& wanted, const list_condition& of)
      : oldest_first_(wanted.oldest_first) {
    for (const auto& value : of.values)
      streams_.emplace_back(from, wanted, of.filter, value);
    for (const auto& [filter, value] : of.or_else)
      streams_.emplace_back(from, wanted, filter, value);
  }

  result<const list_place*> first(const bound& from) {
    const list_place* next = nullptr;
    for (auto& stream : streams_) {
      auto here = stream.first(from);
      if (!here) return here;
      if (*here == nullptr) continue;
      if (next == nullptr || (oldest_first_ ? **here < *next : **here > *next)) next = *here;
    }
    return next;
  }

 private:
  bool oldest_first_;
  std::vector<entries> streams_;
};

bound start_of(const list_walk& wanted) {
  const bool up = wanted.oldest_first;
  // The empty id stands before every other of its second.
  const bool all = wanted.to_s == std::numeric_limits<std::int64_t>::max();
  const bound edge{{up ? wanted.from_s : all ? wanted.to_s : wanted.to_s + 1, ""}, !up};
  if (!wanted.beyond) return edge;
  const bool later = up ? edge.place > *wanted.beyond : edge.place < *wanted.beyond;
  return later ? edge : bound{*wanted.beyond, true};
}

}  // namespace

result<void> walk(const reader& from, const list_walk& wanted,
                  const std::function<bool(const list_place&)>& visit) {
  std::vector<condition_entries> all;
  for (const auto& c : wanted.conditions)
    all.emplace_back(from, wanted, c);
  if (all.empty()) all.emplace_back(from, wanted, list_condition{"", {""}});
  bound from_here = start_of(wanted);
  while (true) {
    // The first that every condition has: each leaps to where the one before it is.
    std::size_t agreed = 0;
    for (std::size_t i = 0; agreed < all.size(); i = (i + 1) % all.size()) {
      auto here = all[i].first(from_here);
      if (!here) return std::unexpected(here.error());
      if (*here == nullptr) return {};
      agreed = agreed > 0 && **here == from_here.place ? agreed + 1 : 1;
      from_here = {**here, false};
    }
    const std::int64_t created_s = from_here.place.created_s;
    const bool out = wanted.oldest_first ? created_s > wanted.to_s : created_s < wanted.from_s;
    if (out || !visit(from_here.place)) return {};
    from_here.behind = true;
  }
}

}  // namespace tilld::store
