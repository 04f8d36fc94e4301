// Stops writing while there is still room, because a file system that is quite full is worse than
// one that is nearly full: RocksDB can then neither flush what it holds nor make the space it has
// become usable again, and everything else on the disk fails too.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace tilld::store {

// Thread-safe.
class space_guard {
 public:
  // `least_free` counts what an ordinary user may use (without the reserve that root has).
  space_guard(std::string path, std::uint64_t least_free);

  // Is there room to go on? Asks the file system when its last answer is 100 ms old or more than
  // 1 MB was written since, which costs about a microsecond.
  bool enough() const;
  void wrote(std::uint64_t bytes) const { written_.fetch_add(bytes, std::memory_order_relaxed); }

  // For people, when there is not enough: what is free and what is needed.
  std::string why() const;

 private:
  void ask() const;

  const std::string path_;
  const std::uint64_t least_free_;
  mutable std::mutex mutex_;
  mutable std::atomic<std::int64_t> asked_ms_;
  mutable std::atomic<std::uint64_t> written_{0};
  mutable std::atomic<std::uint64_t> free_{0};
};

}  // namespace tilld::store
