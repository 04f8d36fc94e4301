// The store: ordered rows on local disk, in families, changed only by atomic batches.
//
// The interface is narrow on purpose (get, multi-get, scan of a prefix, commit of batches with
// preconditions, snapshot), so that the rules above it are the same over RocksDB, over memory in a
// simulation, and over a distributed engine one day. `memory_store` is its specification; both
// implementations pass one suite (tests/unit/store).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tilld::store {

// What is kept where. The grammar of keys and values is in store/keys.hpp and store/records.hpp.
enum class family : std::uint8_t { objects, index, events, customers, outbox, feed, meta };
inline constexpr std::size_t family_count = 7;
const char* to_string(family f) noexcept;  // also the name of the column family on disk

struct scan_range {
  family in = family::objects;
  std::string prefix{};  // only rows whose key starts with this
  std::string from{};    // forward: keys >= from; reverse: keys < from; empty: from the end
  bool reverse = false;  // largest key first
};

// Returns false to stop. The views are valid during the call only.
using row_visitor = std::function<bool(std::string_view key, std::string_view value)>;

// What can be read. Thread-safe.
class reader {
 public:
  virtual ~reader() = default;
  // nullopt when there is no such row. Errors: unavailable, corrupt.
  virtual result<std::optional<std::string>> get(family in, std::string_view key) const = 0;
  // One answer per key, in their order; cheaper than single gets.
  virtual result<std::vector<std::optional<std::string>>> multi_get(
      family in, std::span<const std::string> keys) const = 0;
  virtual result<void> scan(const scan_range& range, const row_visitor& visit) const = 0;
};

// A set of changes that become true together or not at all.
class batch {
 public:
  void put(family in, std::string key, std::string value);
  void erase(family in, std::string key);
  // A row whose key is the family's next number (8 bytes, big-endian, from 1, without gaps within
  // what was committed). For logs: the one writer gives the order.
  void append(family in, std::string value);

  // Preconditions: the whole batch is refused with errc::conflict unless, at commit, no row has
  // this key / the row's value starts with these bytes.
  void expect_absent(family in, std::string key);
  void expect_prefix(family in, std::string key, std::string prefix);

  // All of the other's changes and preconditions after one's own.
  void merge(batch&& other);

  bool empty() const noexcept { return changes_.empty(); }
  std::size_t bytes() const noexcept;  // of keys and values, for bounds

  enum class change_kind : std::uint8_t { put, erase, append };
  struct change {
    change_kind kind;
    family in;
    std::string key;  // empty for append
    std::string value;
  };
  struct precondition {
    family in;
    std::string key;
    std::optional<std::string> prefix;  // nullopt: must be absent
  };
  const std::vector<change>& changes() const noexcept { return changes_; }
  const std::vector<precondition>& preconditions() const noexcept { return preconditions_; }

 private:
  std::vector<change> changes_;
  std::vector<precondition> preconditions_;
};

struct condition {
  bool writable = true;
  std::string why;     // for people, when not writable
  bool fatal = false;  // only a restart can help (a failed sync): stop acknowledging and exit
};

class store : public reader {
 public:
  // Commits the batches in order with one synced write. Each batch sees the ones before it. A
  // batch whose precondition fails is left out and answered errc::conflict, the others go on.
  // If the write or its sync fails, every batch is answered errc::unavailable and none may be
  // assumed to be there or not to be there; what had been acknowledged before stays.
  // Only one thread at a time may commit (the writer).
  virtual std::vector<result<void>> commit(std::span<const batch* const> group) = 0;
  result<void> commit(const batch& one);

  // A view that does not change. Must be dropped before the store is.
  virtual std::unique_ptr<reader> snapshot() const = 0;

  virtual condition state() const = 0;

  // The number the last append() to this family was given; 0 when there was none.
  virtual std::uint64_t last_number(family in) const = 0;
};

}  // namespace tilld::store
