#include "store/rocks_store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <optional>
#include <thread>
#include <utility>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "store/group_builder.hpp"
#include "store/keys.hpp"
#include "store/rocks_database.hpp"
#include "store/rocks_open.hpp"
#include "store/rocks_testing.hpp"
#include "store/rocks_tuning.hpp"
#include "store/row_cache.hpp"
#include "store/space_guard.hpp"

namespace tilld::store {

namespace {

constexpr std::int64_t first_pause_ms = 50;
constexpr std::int64_t longest_pause_ms = 3000;
constexpr std::int64_t wait_for_readers_ms = 5;
constexpr std::size_t cache_while_aside = 16u << 20;

class rocks_snapshot final : public reader {
 public:
  explicit rocks_snapshot(std::shared_ptr<database> of)
      : of_(std::move(of)), at_(of_->db->GetSnapshot()) {}
  ~rocks_snapshot() override { of_->db->ReleaseSnapshot(at_); }
  rocks_snapshot(const rocks_snapshot&) = delete;
  rocks_snapshot& operator=(const rocks_snapshot&) = delete;

  result<std::optional<std::string>> get(family in, std::string_view key) const override {
    return read_one(*of_, at_, in, key);
  }
  result<std::vector<std::optional<std::string>>> multi_get(
      family in, std::span<const std::string> keys) const override {
    return read_many(*of_, at_, in, keys);
  }
  result<void> scan(const scan_range& range, const row_visitor& visit) const override {
    return read_range(*of_, at_, range, visit);
  }

 private:
  const std::shared_ptr<database> of_;
  const rocksdb::Snapshot* const at_;
};

// What append() has given out, from the last row and from what is kept when that row was erased.
result<number_list> recover_numbers(const database& open) {
  number_list numbers{};
  for (std::size_t i = 0; i < family_count; ++i) {
    const scan_range backwards{.in = family(i), .prefix = {}, .from = {}, .reverse = true};
    const auto seen = read_range(open, nullptr, backwards, [&](std::string_view key, auto) {
      if (key.size() == sizeof(std::uint64_t)) numbers[i] = read_be64(key.data());
      return false;
    });
    if (!seen) return std::unexpected(seen.error());
    const auto kept = read_one(open, nullptr, family::meta, key::last_number(family(i)));
    if (!kept) return std::unexpected(kept.error());
    if (!*kept) continue;
    std::uint64_t number = 0;
    std::from_chars((*kept)->data(), (*kept)->data() + (*kept)->size(), number);
    numbers[i] = std::max(numbers[i], number);
  }
  return numbers;
}

class rocks_store final : public store {
 public:
  rocks_store(std::shared_ptr<database> open, const rocks_options& options, rocksdb::Env* env,
              std::shared_ptr<doorbell> rings, const number_list& numbers);
  ~rocks_store() override;
  rocks_store(const rocks_store&) = delete;
  rocks_store& operator=(const rocks_store&) = delete;

  result<std::optional<std::string>> get(family in, std::string_view key) const override;
  result<std::vector<std::optional<std::string>>> multi_get(
      family in, std::span<const std::string> keys) const override;
  result<void> scan(const scan_range& range, const row_visitor& visit) const override {
    return read_range(*now().open, nullptr, range, visit);
  }
  using store::commit;
  std::vector<result<void>> commit(std::span<const batch* const> group) override;
  std::unique_ptr<reader> snapshot() const override {
    return std::make_unique<rocks_snapshot>(now().open);
  }
  condition state() const override;
  std::uint64_t last_number(family in) const override {
    return numbers_[static_cast<std::size_t>(in)].load(std::memory_order_acquire);
  }

 private:
  // The database to read from, and the health of the one to write to: the same one's, but while a
  // stalled one is closed and opened again.
  struct current {
    std::shared_ptr<database> open;
    std::shared_ptr<health> state;
  };
  current now() const {
    const std::lock_guard lock(current_mutex_);
    return current_;
  }
  // Nothing is committed meanwhile: the one that is replaced does not take anything any more.
  void replace(current by) {
    const row_cache::change all(rows_);
    const std::lock_guard lock(current_mutex_);
    std::swap(current_, by);
  }

  std::optional<error> refusal(const health& state) const;
  std::vector<result<void>> commit_to(const current& at, std::span<const batch* const> group);
  rocksdb::Status write(const database& to, rocksdb::WriteBatch& rows) const;
  void set(const number_list& numbers);

  void look_after();
  bool open_again(const std::shared_ptr<health>& stalled);
  result<void> step_aside(const std::shared_ptr<health>& stalled);

  const rocks_options options_;
  rocksdb::Env* const env_;
  const std::shared_ptr<doorbell> doorbell_;
  const space_guard space_;
  mutable std::mutex current_mutex_;
  current current_;
  mutable row_cache rows_;
  std::mutex commit_mutex_;  // a commit, or the moment in which a stalled database steps aside
  group_builder builder_;
  std::array<std::atomic<std::uint64_t>, family_count> numbers_{};
  std::thread keeper_;
};

rocks_store::rocks_store(std::shared_ptr<database> open, const rocks_options& options,
                         rocksdb::Env* env, std::shared_ptr<doorbell> rings,
                         const number_list& numbers)
    : options_(options),
      env_(env),
      doorbell_(std::move(rings)),
      space_(options.path, options.least_free_bytes),
      current_{open, open->state},
      rows_(options.cache_bytes / row_share) {
  set(numbers);
  if (!options_.read_only) keeper_ = std::thread([this] { look_after(); });
}

rocks_store::~rocks_store() {
  doorbell_->stop();
  if (keeper_.joinable()) keeper_.join();
  const database& open = *current_.open;
  if (!options_.read_only && current_.state->well()) {
    const std::vector<rocksdb::ColumnFamilyHandle*> all(open.handles.begin(), open.handles.end());
    const rocksdb::Status flushed = open.db->Flush(rocksdb::FlushOptions(), all);
    if (!flushed.ok()) log::warning("store_flush_failed", {{"why", flushed.ToString()}});
  }
  if (current_.open.use_count() > 1) {
    log::warning("store_still_read",
                 {{"path", open.path}, {"snapshots", current_.open.use_count() - 1}});
  }
}

void rocks_store::set(const number_list& numbers) {
  for (std::size_t i = 0; i < family_count; ++i) {
    numbers_[i].store(numbers[i], std::memory_order_release);
  }
}

std::optional<std::string> text_of(const row_cache::row& row) {
  if (!row) return std::nullopt;
  return *row;
}

row_cache::row row_of(const std::optional<std::string>& text) {
  return text ? std::make_shared<const std::string>(*text) : nullptr;
}

result<std::optional<std::string>> rocks_store::get(family in, std::string_view key) const {
  if (!row_cache::keeps(in)) return read_one(*now().open, nullptr, in, key);
  const auto known = rows_.find(in, key);
  if (known.what) return text_of(*known.what);
  auto read = read_one(*now().open, nullptr, in, key);
  if (read) rows_.keep(known.at, in, key, row_of(*read));
  return read;
}

result<std::vector<std::optional<std::string>>> rocks_store::multi_get(
    family in, std::span<const std::string> keys) const {
  if (!row_cache::keeps(in)) return read_many(*now().open, nullptr, in, keys);
  std::vector<std::optional<std::string>> rows(keys.size());
  std::vector<std::string> unknown;
  std::vector<std::pair<std::size_t, row_cache::place>> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto known = rows_.find(in, keys[i]);
    if (known.what) {
      rows[i] = text_of(*known.what);
    } else {
      unknown.push_back(keys[i]);
      places.emplace_back(i, known.at);
    }
  }
  if (unknown.empty()) return rows;
  auto read = read_many(*now().open, nullptr, in, unknown);
  if (!read) return read;
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const auto& [at, place] = places[i];
    rows_.keep(place, in, unknown[i], row_of((*read)[i]));
    rows[at] = std::move((*read)[i]);
  }
  return rows;
}

std::vector<result<void>> answer_all(std::size_t count, const error& why) {
  return std::vector<result<void>>(count, std::unexpected(why));
}

std::optional<error> rocks_store::refusal(const health& state) const {
  if (options_.read_only)
    return error{errc::denied, options_.path + " was opened for reading only"};
  if (!state.well()) return error{errc::unavailable, state.why()};
  if (!space_.enough()) return error{errc::unavailable, space_.why()};
  return std::nullopt;
}

std::vector<result<void>> rocks_store::commit(std::span<const batch* const> group) {
  // Asked twice, so that nobody waits for the mutex while a stalled database steps aside.
  if (const auto refused = refusal(*now().state)) return answer_all(group.size(), *refused);
  const std::lock_guard lock(commit_mutex_);
  const current at = now();
  if (const auto refused = refusal(*at.state)) return answer_all(group.size(), *refused);
  return commit_to(at, group);
}

std::vector<result<void>> rocks_store::commit_to(const current& at,
                                                 std::span<const batch* const> group) {
  number_list numbers;
  for (std::size_t i = 0; i < family_count; ++i)
    numbers[i] = numbers_[i];
  auto answers = builder_.build(*at.open, group, numbers);
  if (!builder_.problem().ok()) {
    return answer_all(group.size(), {errc::invalid, builder_.problem().ToString()});
  }
  if (builder_.write().Count() == 0) return answers;
  const rocksdb::Status written = [&] {
    const row_cache::change these(rows_, group);
    return write(*at.open, builder_.write());
  }();
  if (!written.ok()) {
    at.state->take(written, "writing the log");
    return answer_all(group.size(), {errc::unavailable, at.state->why()});
  }
  set(builder_.numbers());
  return answers;
}

rocksdb::Status rocks_store::write(const database& to, rocksdb::WriteBatch& rows) const {
  rocksdb::WriteOptions how;
  how.sync = options_.sync;
  space_.wrote(rows.GetDataSize());
  return to.db->Write(how, &rows);
}

condition rocks_store::state() const {
  const auto state = now().state;
  const auto refused = refusal(*state);
  if (!refused) return {};
  return {.writable = false, .why = refused->message, .fatal = state->fatal()};
}

// The keeper's thread.
void rocks_store::look_after() {
  while (doorbell_->wait()) {
    const auto state = now().state;
    std::int64_t pause_ms = first_pause_ms;
    while (state->stalled() && !state->fatal() && doorbell_->pause(pause_ms)) {
      if (!space_.enough()) continue;
      if (open_again(state)) break;
      pause_ms = std::min(pause_ms * 2, longest_pause_ms);
    }
  }
}

// True when there is nothing more to do: written to again, or never.
bool rocks_store::open_again(const std::shared_ptr<health>& stalled) {
  if (const auto aside = step_aside(stalled); !aside) {
    log::warning("store_not_opened_again", {{"why", aside.error().message}});
    return false;
  }
  auto open = open_database(options_, env_, doorbell_);
  auto numbers = open ? recover_numbers(**open) : std::unexpected(open.error());
  if (!numbers) {
    log::warning("store_not_opened_again", {{"why", numbers.error().message}});
    if (numbers.error().code != errc::unavailable) stalled->fail(numbers.error().message);
    return stalled->fatal();
  }
  // Also what was answered unavailable may be there after all, with its numbers.
  set(*numbers);
  replace({*open, (*open)->state});
  log::info("store_opened_again", {{"path", options_.path}});
  return true;
}

// Lets reads go to a read-only view of the files, and waits until the stalled database is closed:
// its last reader closes it.
result<void> rocks_store::step_aside(const std::shared_ptr<health>& stalled) {
  std::shared_ptr<std::atomic<bool>> closed;
  {
    const std::lock_guard lock(commit_mutex_);
    closed = now().open->closed;
    if (now().open->state == stalled) {
      rocks_options reading = options_;
      reading.read_only = true;
      reading.cache_bytes = std::min(reading.cache_bytes, cache_while_aside);
      auto view = open_database(reading, env_, doorbell_);
      if (!view) return std::unexpected(view.error());
      stalled->retire();
      replace({std::move(*view), stalled});
    } else {
      closed = nullptr;  // done at an earlier try
    }
  }
  while (closed && !*closed) {
    if (!doorbell_->pause(wait_for_readers_ms))
      return fail(errc::unavailable, "it is being closed");
  }
  return {};
}

}  // namespace

result<std::unique_ptr<store>> open_rocks_store(const rocks_options& options, rocksdb::Env* env) {
  auto rings = std::make_shared<doorbell>();
  auto open = open_database(options, env, rings);
  if (!open) return std::unexpected(open.error());
  const auto numbers = recover_numbers(**open);
  if (!numbers) return std::unexpected(numbers.error());
  return std::make_unique<rocks_store>(std::move(*open), options, env, std::move(rings), *numbers);
}

result<std::unique_ptr<store>> open_rocks_store(const rocks_options& options) {
  return open_rocks_store(options, nullptr);
}

}  // namespace tilld::store
