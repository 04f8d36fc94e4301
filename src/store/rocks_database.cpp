#include "store/rocks_database.hpp"

#include <chrono>

#include "base/log.hpp"
#include "store/keys.hpp"
#include "store/ranges.hpp"

namespace tilld::store {

void doorbell::ring() {
  const std::lock_guard lock(mutex_);
  ringing_ = true;
  changed_.notify_all();
}

void doorbell::stop() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  changed_.notify_all();
}

bool doorbell::stopping() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool doorbell::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stop_ || ringing_; });
  ringing_ = false;
  return !stop_;
}

bool doorbell::pause(std::int64_t ms) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stop_; });
}

std::string health::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

void health::fail(std::string why) {
  const std::lock_guard lock(mutex_);
  if (fatal_) return;
  log::error("store_failed", {{"why", why}});
  why_ = std::move(why);
  fatal_ = true;
}

void health::stall(std::string why) {
  {
    const std::lock_guard lock(mutex_);
    if (fatal_ || stalled_) return;
    log::warning("store_stalled", {{"why", why}});
    why_ = std::move(why);
    stalled_ = true;
  }
  doorbell_->ring();
}

void health::take(const rocksdb::Status& status, std::string_view during) {
  if (retired_) return;
  const std::string text = std::string(during) + ": " + status.ToString();
  if (status.IsNoSpace() && status.severity() < rocksdb::Status::Severity::kFatalError) {
    stall(text);
  } else {
    fail(text);
  }
}

database::~database() {
  if (!db) return;
  state->retire();
  // RocksDB aborts the process when a handle is still there at its end.
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    if (handle) db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  if (default_handle) db->DestroyColumnFamilyHandle(default_handle).PermitUncheckedError();
  const rocksdb::Status status = db->Close();
  if (!status.ok() && state->well()) {
    log::warning("store_close_failed", {{"path", path}, {"why", status.ToString()}});
  }
  db.reset();
  *closed = true;
}

bool says_damage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsPathNotFound() || status.IsInvalidArgument();
}

error error_of(const rocksdb::Status& status, std::string_view doing, const std::string& path) {
  std::string message = std::string(doing) + " " + path + ": " + status.ToString();
  if (!says_damage(status)) return {errc::unavailable, std::move(message)};
  message +=
      " (the store is damaged: stop, keep a copy of the directory, and restore a backup into a new "
      "one, or start with a new one and fetch everything from Stripe again)";
  return {errc::corrupt, std::move(message)};
}

namespace {

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view view(const rocksdb::Slice& s) {
  return {s.data(), s.size()};
}

rocksdb::ReadOptions reading(const rocksdb::Snapshot* at) {
  rocksdb::ReadOptions options;
  options.snapshot = at;
  return options;
}

std::unexpected<error> failed_read(const database& from, family in, const rocksdb::Status& status) {
  return std::unexpected(
      error_of(status, std::string("reading ") + to_string(in) + " in", from.path));
}

}  // namespace

result<std::optional<std::string>> read_one(const database& from, const rocksdb::Snapshot* at,
                                            family in, std::string_view key) {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = from.db->Get(reading(at), from.at(in), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failed_read(from, in, status);
  return std::string(view(value));
}

result<std::vector<std::optional<std::string>>> read_many(const database& from,
                                                          const rocksdb::Snapshot* at, family in,
                                                          std::span<const std::string> keys) {
  std::vector<std::optional<std::string>> out(keys.size());
  std::vector<rocksdb::Slice> names(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  from.db->MultiGet(reading(at), from.at(in), keys.size(), names.data(), values.data(),
                    statuses.data());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return failed_read(from, in, statuses[i]);
    out[i].emplace(view(values[i]));
  }
  return out;
}

result<void> read_range(const database& from, const rocksdb::Snapshot* at, const scan_range& range,
                        const row_visitor& visit) {
  const bounds limits = bounds_of(range);
  if (limits.empty()) return {};
  const rocksdb::Slice first = slice(limits.first);
  const rocksdb::Slice end = limits.end ? slice(*limits.end) : rocksdb::Slice();
  rocksdb::ReadOptions options = reading(at);
  // Within one group of the index, tables without it are passed over; backwards RocksDB cannot.
  const bool one_group = range.in == family::index && !range.reverse && !range.prefix.empty() &&
                         key::group_length(range.prefix) == range.prefix.size();
  options.total_order_seek = !one_group;
  options.prefix_same_as_start = one_group;
  options.iterate_lower_bound = &first;
  if (limits.end) options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> it(from.db->NewIterator(options, from.at(range.in)));
  if (range.reverse) {
    for (it->SeekToLast(); it->Valid(); it->Prev()) {
      if (!visit(view(it->key()), view(it->value()))) return {};
    }
  } else {
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      if (!visit(view(it->key()), view(it->value()))) return {};
    }
  }
  if (!it->status().ok()) return failed_read(from, range.in, it->status());
  return {};
}

}  // namespace tilld::store
