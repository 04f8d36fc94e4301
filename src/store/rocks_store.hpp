// The store on disk, over RocksDB.
//
// Promises: a commit that was answered is on disk (synced write-ahead log) and survives kill -9 and
// power loss; a batch is there as a whole or not at all. A failed sync is final: nothing is
// acknowledged any more and state().fatal says so, because the kernel may have dropped the pages.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "store/store.hpp"

namespace tilld::store {

// The version of the grammar in keys.hpp and records.hpp. A store written by a newer tilld is
// refused, an older one is migrated at open.
inline constexpr std::uint32_t schema_version = 3;

struct rocks_options {
  std::string path;                            // a directory; made if absent, with mode 0700
  std::size_t cache_bytes = 256u << 20;        // of all families, blocks and rows together
  std::size_t write_buffer_bytes = 64u << 20;  // rows in memory: thrice this, all families
  bool sync = true;                            // false only in tests that prove that it matters
  bool read_only = false;                      // for tools beside a running daemon
  // Below this much free space new batches are refused (errc::unavailable) while there is still
  // room to finish what was begun; reads go on, and writing resumes by itself.
  std::uint64_t least_free_bytes = 64u << 20;
};

// Errors: unavailable (locked by another process, cannot be made, disk full), invalid (a directory
// with files of something else), corrupt (damaged, not a store of tilld, or written by a newer
// tilld; nothing is changed then, byte for byte), each with a line that says what to do.
//
// A full disk: below `least_free_bytes`, and after a write that found no space, batches are
// answered unavailable and reads go on; writing goes on within seconds of space being free again,
// without a restart, by a thread of the store's own that needs no caller. After a write that found
// no space the database is closed and opened again inside the store; its snapshots must be dropped
// for that, and a group that was answered unavailable may be there after all.
//
// Destroying the store flushes what is in memory, so that the next open is quick. A snapshot that
// is still held then keeps the files open and the directory locked until it goes; nothing dangles.
//
// With read_only no file is touched and no lock is taken, commits are answered denied, and the view
// is the one of the moment of opening.
result<std::unique_ptr<store>> open_rocks_store(const rocks_options& options);

}  // namespace tilld::store
