#include "store/rocks_tuning.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include "base/log.hpp"
#include "store/keys.hpp"

namespace tilld::store {

namespace {

// Rows in memory are bounded over all families together, and the family with the oldest rows is
// flushed. The bound of each family by itself lies where it is never reached: when several families
// reach theirs at once and the switch to a new log then fails, RocksDB 7.8 (ScheduleFlushes) keeps
// references to the families behind the first, and closing it aborts the process.
constexpr std::size_t buffers_in_memory = 3;  // of write_buffer_bytes
constexpr std::size_t never_reached = 2 * buffers_in_memory;
constexpr std::size_t buffers_in_log = 3;  // bounds the log, and so the time of a recovery
constexpr std::size_t blocks_in_buffer = 64;
constexpr std::size_t least_block_bytes = 4096;
constexpr int bloom_bits = 10;  // one false positive in a hundred
constexpr std::size_t block_bytes = 16u << 10;
constexpr double memtable_bloom_share = 0.05;
constexpr int open_files = 512;
constexpr std::uint64_t write_behind_bytes = 1u << 20;

// RocksDB's own log file is not used: Debian builds the library with assertions on, and when the
// disk is full the second line that cannot be written to that file aborts the process.
class into_our_log final : public rocksdb::Logger {
 public:
  into_our_log() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, std::va_list arguments) override {
    write(log::level::info, format, arguments);
  }
  void Logv(rocksdb::InfoLogLevel at, const char* format, std::va_list arguments) override {
    if (at < rocksdb::InfoLogLevel::WARN_LEVEL || at == rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    write(at == rocksdb::InfoLogLevel::WARN_LEVEL ? log::level::info : log::level::warning, format,
          arguments);
  }

 private:
  void write(log::level at, const char* format, std::va_list arguments) {
    std::array<char, 1024> line;
    std::vsnprintf(line.data(), line.size(), format, arguments);
    limited_.write(at, "rocksdb", {{"says", line.data()}});
  }
  log::limited limited_{5};
};

// RocksDB's own way back from a full disk is turned off, and DB::Resume() is not used either: it
// polls every five seconds, waits until a whole write buffer's worth is free (for ever on a small
// disk), writes on to the failed log when there was nothing to flush (which the assertions of
// Debian's build turn into an abort), and has been seen to wait for ever for a flush that nobody
// had scheduled. The store opens the database again instead, as a restart would.
class watcher final : public rocksdb::EventListener {
 public:
  explicit watcher(std::shared_ptr<health> state) : state_(std::move(state)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    // A compaction without space is no more than put off: rows are written and flushed all the
    // same, and from now on RocksDB looks for room before it compacts.
    if (status->severity() >= rocksdb::Status::Severity::kHardError) {
      state_->take(*status, reason_text(reason));
    } else {
      limited_.write(log::level::warning, "store_background_error",
                     {{"in", reason_text(reason)}, {"why", status->ToString()}});
    }
  }

  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status status,
                            bool* automatic) override {
    if (status.IsNoSpace()) *automatic = false;
  }

 private:
  static const char* reason_text(rocksdb::BackgroundErrorReason reason) {
    switch (reason) {
      case rocksdb::BackgroundErrorReason::kFlush:
      case rocksdb::BackgroundErrorReason::kFlushNoWAL:
        return "flushing rows to a table";
      case rocksdb::BackgroundErrorReason::kCompaction:
        return "compacting tables";
      case rocksdb::BackgroundErrorReason::kWriteCallback:
        return "writing the log";
      case rocksdb::BackgroundErrorReason::kManifestWrite:
      case rocksdb::BackgroundErrorReason::kManifestWriteNoWAL:
        return "writing the manifest";
      default:
        return "working in the background";
    }
  }
  const std::shared_ptr<health> state_;
  log::limited limited_{1};
};

// What a key of the index begins with: its group. Keys of no group (there are none) have no part in
// the filters.
class groups final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "tilld.group.1"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), length_of(key)};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return length_of(key) > 0; }

 private:
  static std::size_t length_of(const rocksdb::Slice& key) {
    return key::group_length({key.data(), key.size()});
  }
};

}  // namespace

rocksdb::DBOptions database_options(const rocks_options& options, rocksdb::Env* env,
                                    const std::shared_ptr<health>& state) {
  rocksdb::DBOptions o;
  if (env) o.env = env;
  o.info_log = std::make_shared<into_our_log>();
  o.listeners.push_back(std::make_shared<watcher>(state));
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;

  // What a torn tail of the log holds was never acknowledged, so it is dropped; a row lost before
  // the tail is noticed by the chain above the store.
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  o.paranoid_checks = true;
  o.track_and_verify_wals_in_manifest = true;
  o.verify_sst_unique_id_in_manifest = true;
  o.recycle_log_file_num = 0;
  o.atomic_flush = false;  // every batch goes through the log

  // No gain was measured from it, and some file systems (tmpfs, NFS, ZFS) have none.
  o.allow_fallocate = false;
  o.max_open_files = options.read_only ? -1 : open_files;
  o.skip_stats_update_on_db_open = true;
  o.avoid_unnecessary_blocking_io = true;  // a reader that drops a snapshot deletes no files
  o.bytes_per_sync = write_behind_bytes;   // tables reach the disk steadily, not in one stall
  o.max_background_jobs = 2;
  o.db_write_buffer_size = buffers_in_memory * options.write_buffer_bytes;
  o.max_total_wal_size = buffers_in_log * options.write_buffer_bytes;
  return o;
}

rocksdb::ColumnFamilyOptions family_options(const rocks_options& options, family f,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = block_bytes;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bloom_bits, false));
  table.whole_key_filtering = true;
  // Counted in the cache's bound; a table of 64 MB has some 100 KB of both, so they are not split
  // up, and stay while the table is open, so that they need not be looked for.
  table.cache_index_and_filter_blocks = true;
  table.metadata_cache_options.unpartitioned_pinning = rocksdb::PinningTier::kAll;

  rocksdb::ColumnFamilyOptions o;
  if (f == family::index) {
    o.prefix_extractor = std::make_shared<groups>();
    table.whole_key_filtering = false;  // rows of the index are scanned, not asked for
  }
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  o.compression = rocksdb::kLZ4Compression;
  o.level_compaction_dynamic_level_bytes = true;
  o.write_buffer_size = never_reached * options.write_buffer_bytes;
  // What a family allocates at a time, and so what an empty one takes of the common bound.
  o.arena_block_size = std::max(options.write_buffer_bytes / blocks_in_buffer, least_block_bytes);
  // "Is this event new?" is asked for each one, and nearly always it is.
  if (f == family::events) {
    o.memtable_prefix_bloom_size_ratio = memtable_bloom_share / never_reached;
    o.memtable_whole_key_filtering = true;
  }
  return o;
}

}  // namespace tilld::store
