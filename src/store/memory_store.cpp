#include "store/memory_store.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/bytes.hpp"
#include "store/keys.hpp"
#include "store/ranges.hpp"
#include "store/rocks_store.hpp"

namespace tilld::store {

namespace {

using moment = std::uint64_t;  // how many commits had changed something
constexpr moment now = std::numeric_limits<moment>::max();
constexpr std::size_t rows_per_step = 64;

struct revision {
  moment since = 0;
  std::optional<std::string> value;  // nullopt: erased
};

// A row's revisions, oldest first; those that nobody can see any more are dropped.
using row = std::vector<revision>;

const std::string* value_at(const row& r, moment when) {
  for (auto it = r.rbegin(); it != r.rend(); ++it) {
    if (it->since <= when) return it->value ? &*it->value : nullptr;
  }
  return nullptr;
}

struct rows {
  std::array<std::map<std::string, row, std::less<>>, family_count> families;
  std::array<std::uint64_t, family_count> numbers{};
  moment current = 0;
  std::multiset<moment> watched;  // by snapshots and scans
  std::vector<std::pair<family, std::string>> erased;
  mutable std::mutex mutex;

  auto& of(family f) { return families[static_cast<std::size_t>(f)]; }
  auto& number_of(family f) { return numbers[static_cast<std::size_t>(f)]; }

  const std::string* find(family f, std::string_view key, moment when) {
    const auto at = of(f).find(key);
    return at == of(f).end() ? nullptr : value_at(at->second, when);
  }

  void set(family f, const std::string& key, std::optional<std::string> value) {
    row& r = of(f)[key];
    r.push_back({current, std::move(value)});
    const moment oldest = watched.empty() ? now : *watched.begin();
    while (r.size() > 1 && r[1].since <= oldest)
      r.erase(r.begin());
    if (r.size() == 1 && !r.front().value) {
      of(f).erase(key);
    } else if (!r.back().value) {
      erased.emplace_back(f, key);
    }
  }

  // Rows that were erased while somebody still looked at them.
  void drop_erased() {
    if (!watched.empty()) return;
    for (const auto& [f, key] : std::exchange(erased, {})) {
      const auto at = of(f).find(key);
      if (at != of(f).end() && !at->second.back().value) of(f).erase(at);
    }
  }
};

// Keeps what was true at a moment from being dropped while somebody looks at it.
class watch {
 public:
  watch(std::shared_ptr<rows> all, moment when) : all_(std::move(all)) {
    const std::lock_guard lock(all_->mutex);
    when_ = when == now ? all_->current : when;
    all_->watched.insert(when_);
  }
  ~watch() {
    const std::lock_guard lock(all_->mutex);
    all_->watched.erase(all_->watched.find(when_));
  }
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  moment when() const { return when_; }

 private:
  std::shared_ptr<rows> all_;
  moment when_ = 0;
};

// One scan: copies a few rows under the lock, then shows them without it, so that the visitor may
// use the store.
class scan_walk {
 public:
  scan_walk(std::shared_ptr<rows> all, const scan_range& range, moment when)
      : all_(std::move(all)),
        in_(range.in),
        reverse_(range.reverse),
        left_(bounds_of(range)),
        watch_(all_, when) {}

  void run(const row_visitor& visit) {
    for (found some = next(); !some.empty(); some = next()) {
      for (const auto& [key, value] : some) {
        if (!visit(key, value)) return;
      }
    }
  }

 private:
  using found = std::vector<std::pair<std::string, std::string>>;

  found next() {
    found out;
    if (left_.empty()) return out;
    const std::lock_guard lock(all_->mutex);
    const auto& all = all_->of(in_);
    const auto first = all.lower_bound(left_.first);
    const auto end = left_.end ? all.lower_bound(*left_.end) : all.end();
    if (reverse_) {
      for (auto at = end; at != first && out.size() < rows_per_step;)
        take(*--at, out);
      if (!out.empty()) left_.end = out.back().first;
    } else {
      for (auto at = first; at != end && out.size() < rows_per_step; ++at)
        take(*at, out);
      if (!out.empty()) left_.first = out.back().first + '\0';
    }
    return out;
  }

  void take(const std::pair<const std::string, row>& entry, found& out) const {
    const std::string* value = value_at(entry.second, watch_.when());
    if (value) out.emplace_back(entry.first, *value);
  }

  const std::shared_ptr<rows> all_;
  const family in_;
  const bool reverse_;
  bounds left_;
  watch watch_;
};

result<std::optional<std::string>> get_from(rows& all, family in, std::string_view key,
                                            moment when) {
  const std::lock_guard lock(all.mutex);
  const std::string* value = all.find(in, key, when);
  return value ? std::optional(*value) : std::nullopt;
}

result<std::vector<std::optional<std::string>>> multi_get_from(rows& all, family in,
                                                               std::span<const std::string> keys,
                                                               moment when) {
  const std::lock_guard lock(all.mutex);
  std::vector<std::optional<std::string>> out;
  out.reserve(keys.size());
  for (const std::string& key : keys) {
    const std::string* value = all.find(in, key, when);
    out.push_back(value ? std::optional(*value) : std::nullopt);
  }
  return out;
}

class memory_snapshot final : public reader {
 public:
  explicit memory_snapshot(std::shared_ptr<rows> all) : all_(std::move(all)), watch_(all_, now) {}

  result<std::optional<std::string>> get(family in, std::string_view key) const override {
    return get_from(*all_, in, key, watch_.when());
  }
  result<std::vector<std::optional<std::string>>> multi_get(
      family in, std::span<const std::string> keys) const override {
    return multi_get_from(*all_, in, keys, watch_.when());
  }
  result<void> scan(const scan_range& range, const row_visitor& visit) const override {
    scan_walk(all_, range, watch_.when()).run(visit);
    return {};
  }

 private:
  std::shared_ptr<rows> all_;
  watch watch_;
};

class memory_store final : public store {
 public:
  using store::commit;

  result<std::optional<std::string>> get(family in, std::string_view key) const override {
    return get_from(*all_, in, key, now);
  }
  result<std::vector<std::optional<std::string>>> multi_get(
      family in, std::span<const std::string> keys) const override {
    return multi_get_from(*all_, in, keys, now);
  }
  result<void> scan(const scan_range& range, const row_visitor& visit) const override {
    scan_walk(all_, range, now).run(visit);
    return {};
  }

  std::vector<result<void>> commit(std::span<const batch* const> group) override {
    const std::lock_guard lock(all_->mutex);
    ++all_->current;
    all_->drop_erased();
    std::vector<result<void>> answers;
    answers.reserve(group.size());
    for (const batch* one : group)
      answers.push_back(apply(*one));
    return answers;
  }

  std::unique_ptr<reader> snapshot() const override {
    return std::make_unique<memory_snapshot>(all_);
  }
  condition state() const override { return {}; }
  std::uint64_t last_number(family in) const override {
    const std::lock_guard lock(all_->mutex);
    return all_->number_of(in);
  }

 private:
  bool holds(const batch::precondition& p) {
    const std::string* value = all_->find(p.in, p.key, now);
    return p.prefix ? value && value->starts_with(*p.prefix) : !value;
  }

  result<void> apply(const batch& one) {
    for (const batch::precondition& p : one.preconditions()) {
      if (!holds(p)) return fail(errc::conflict, "another change of this row came first");
    }
    for (const batch::change& c : one.changes())
      change(c);
    return {};
  }

  void change(const batch::change& c) {
    switch (c.kind) {
      case batch::change_kind::put:
        return all_->set(c.in, c.key, c.value);
      case batch::change_kind::erase:
        return erase(c);
      case batch::change_kind::append: {
        std::string key;
        append_be64(key, ++all_->number_of(c.in));
        return all_->set(c.in, key, c.value);
      }
    }
  }

  void erase(const batch::change& c) {
    const std::uint64_t last = all_->number_of(c.in);
    if (last > 0 && c.key.size() == 8 && read_be64(c.key.data()) == last) {
      all_->set(family::meta, key::last_number(c.in), std::to_string(last));
    }
    if (all_->find(c.in, c.key, now)) all_->set(c.in, c.key, std::nullopt);
  }

  const std::shared_ptr<rows> all_ = std::make_shared<rows>();
};

}  // namespace

std::unique_ptr<store> open_memory_store(std::string node) {
  auto made = std::make_unique<memory_store>();
  batch first;
  first.put(family::meta, std::string(key::schema), std::to_string(schema_version));
  first.put(family::meta, std::string(key::node), std::move(node));
  made->commit(first).value();
  return made;
}

}  // namespace tilld::store
