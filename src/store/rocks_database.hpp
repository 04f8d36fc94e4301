// An open RocksDB with its families, its health and its reads. Only the implementation of the
// store on disk includes this.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>

#include "base/error.hpp"
#include "store/rocks_store.hpp"
#include "store/store.hpp"

namespace tilld::store {

// Wakes the thread that looks after a store. Thread-safe.
class doorbell {
 public:
  void ring();
  void stop();
  bool stopping() const;
  // Waits until it rings (true) or is stopped (false).
  bool wait();
  // Sleeps; false if stopped.
  bool pause(std::int64_t ms);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ringing_ = false;
  bool stop_ = false;
};

// What RocksDB's background threads and the writer found out about one opened RocksDB. Thread-safe.
//
//   well → stalled   no space: RocksDB takes no writes until it is opened again
//   any  → fatal     anything else that ended writing
class health {
 public:
  explicit health(std::shared_ptr<doorbell> rings) : doorbell_(std::move(rings)) {}

  bool fatal() const noexcept { return fatal_.load(std::memory_order_acquire); }
  bool stalled() const noexcept { return stalled_.load(std::memory_order_acquire); }
  bool well() const noexcept { return !fatal() && !stalled(); }
  std::string why() const;

  // The first reason of its kind is kept and logged.
  void fail(std::string why);
  void stall(std::string why);

  // A failed write or background job, by its status: no space stalls, all else is fatal.
  void take(const rocksdb::Status& status, std::string_view during);
  // From now on take() changes nothing: the RocksDB is on its way out.
  void retire() noexcept { retired_ = true; }

 private:
  const std::shared_ptr<doorbell> doorbell_;
  mutable std::mutex mutex_;
  std::string why_;
  std::atomic<bool> retired_{false};
  std::atomic<bool> fatal_{false};
  std::atomic<bool> stalled_{false};
};

// Keeps RocksDB open as long as anybody holds it: the store, and each snapshot.
struct database {
  database() = default;
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  rocksdb::ColumnFamilyHandle* at(family f) const { return handles[static_cast<std::size_t>(f)]; }

  std::string path;
  std::shared_ptr<health> state;
  std::shared_ptr<std::atomic<bool>> closed = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, family_count> handles{};
  rocksdb::ColumnFamilyHandle* default_handle = nullptr;  // RocksDB insists on one; it is empty
};

// unavailable, or corrupt when the status says that bytes are not what they were.
error error_of(const rocksdb::Status& status, std::string_view doing, const std::string& path);
bool says_damage(const rocksdb::Status& status);

// The three reads, of what is now (snapshot null) or was at the snapshot.
result<std::optional<std::string>> read_one(const database& from, const rocksdb::Snapshot* at,
                                            family in, std::string_view key);
result<std::vector<std::optional<std::string>>> read_many(const database& from,
                                                          const rocksdb::Snapshot* at, family in,
                                                          std::span<const std::string> keys);
result<void> read_range(const database& from, const rocksdb::Snapshot* at, const scan_range& range,
                        const row_visitor& visit);

}  // namespace tilld::store
