// Rows in memory as they were read last: those of objects and customers, and of the meta family, of
// which a few are asked with nearly every request. Finding a row here costs a tenth of finding it
// in RocksDB, whose own row cache looks through memory tables, files and filters first.
//
// A row is dropped before a commit that changes it begins, and what was read before or during the
// commit is not kept. So nobody finds a row older than the last answered commit, and nobody finds
// an older one than he has found before.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/store.hpp"

namespace tilld::store {

class row_cache {
 public:
  // Null: there is no such row.
  using row = std::shared_ptr<const std::string>;

  explicit row_cache(std::size_t most_bytes);
  static bool keeps(family in) noexcept {
    return in == family::objects || in == family::customers || in == family::meta;
  }

  // Thread-safe. What is not here has to be read, and given to keep() with the place from before it
  // was read. The family must be one that is kept.
  struct place {
    std::size_t hash = 0;
    std::uint64_t moment = 0;
  };
  struct finding {
    std::optional<row> what;
    place at;
  };
  finding find(family in, std::string_view key);
  void keep(const place& at, family in, std::string_view key, row read);

  // Around the write of these batches, by one thread at a time.
  class change {
   public:
    change(row_cache& of, std::span<const batch* const> group);
    explicit change(row_cache& of);  // of everything
    ~change();
    change(const change&) = delete;
    change& operator=(const change&) = delete;

   private:
    void drop(family in, std::string_view key);
    row_cache& of_;
    std::bitset<64> touched_;
  };

  std::size_t bytes() const;  // of what is kept, for bounds and tests

 private:
  struct name {
    family in = family::objects;
    std::string_view key;
    friend bool operator==(const name&, const name&) = default;
  };
  struct hash {
    std::size_t operator()(const name& n) const noexcept;
  };
  struct entry {
    family in;
    std::string key;
    row what;
    name called() const noexcept { return {in, key}; }
    std::size_t bytes() const noexcept;
  };
  using entries = std::list<entry>;  // the last used first
  struct part {
    mutable std::mutex mutex;
    std::uint64_t moment = 0;  // odd while something in it is changed
    std::size_t bytes = 0;
    entries used;
    std::unordered_map<name, entries::iterator, hash> by_name;

    void drop(decltype(by_name)::iterator at);
  };
  static constexpr std::size_t part_count = 64;
  part& part_of(std::size_t of) { return parts_[of % part_count]; }

  const std::size_t most_bytes_;  // of a part
  std::array<part, part_count> parts_;
};

}  // namespace tilld::store
