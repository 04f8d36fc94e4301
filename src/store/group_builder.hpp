// Turns a group of batches into one RocksDB write: checks preconditions against the database and
// against the batches before, leaves out those that fail, and gives appended rows their numbers.
// The hot path: what it needs is kept from one group to the next, so a group costs few allocations.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include <rocksdb/write_batch.h>

#include "base/error.hpp"
#include "store/rocks_database.hpp"
#include "store/store.hpp"

namespace tilld::store {

using number_list = std::array<std::uint64_t, family_count>;

// The rows that the batches of one group have written so far, last word first. Views into the
// batches, which outlive the group.
class written_rows {
 public:
  void clear();
  void put(family in, std::string_view key, std::string_view value);
  void erase(family in, std::string_view key);

  struct row {
    bool present = false;
    std::string_view value;
  };
  // Null when no batch of this group has touched the row.
  const row* find(family in, std::string_view key) const;

 private:
  struct slot {
    std::uint64_t hash = 0;
    std::uint32_t generation = 0;  // of the group that filled it; others are empty
    family in{};
    std::string_view key;
    row what;
  };
  static std::uint64_t hash_of(family in, std::string_view key) noexcept;
  slot& place(family in, std::string_view key);
  std::size_t index_of(std::uint64_t hash, family in, std::string_view key) const;
  void grow();

  std::vector<slot> slots_ = std::vector<slot>(256);
  std::size_t used_ = 0;
  std::uint32_t generation_ = 1;
};

// One thread at a time.
class group_builder {
 public:
  // Goes through the group; one answer per batch. Errors: conflict; corrupt or unavailable when a
  // precondition could not be read.
  std::vector<result<void>> build(const database& over, std::span<const batch* const> group,
                                  const number_list& numbers);

  // What is to be written, and the numbers when it is. Empty when every batch was left out.
  rocksdb::WriteBatch& write() { return write_; }
  const number_list& numbers() const { return numbers_; }
  // Not OK when the group cannot be written at all: RocksDB takes no row and no group over 4 GB.
  const rocksdb::Status& problem() const { return problem_; }

 private:
  result<void> check(const batch& one);
  result<bool> holds(const batch::precondition& p);
  void add(const batch& one);
  void keep(rocksdb::Status added);
  void add_append(const batch::change& c);
  void add_erase(const batch::change& c);
  bool watched(family f) const { return watched_[static_cast<std::size_t>(f)]; }
  std::uint64_t& number_of(family f) { return numbers_[static_cast<std::size_t>(f)]; }

  const database* over_ = nullptr;  // during build()
  rocksdb::WriteBatch write_;
  rocksdb::Status problem_;
  number_list numbers_{};
  written_rows written_;
  std::array<bool, family_count> watched_{};     // families that a precondition of the group names
  std::deque<std::array<char, 8>> number_keys_;  // of appended rows in them
  rocksdb::PinnableSlice value_;
};

}  // namespace tilld::store
