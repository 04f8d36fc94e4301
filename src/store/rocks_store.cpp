#include "store/rocks_store.hpp"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "store/group_builder.hpp"
#include "store/keys.hpp"
#include "store/rocks_database.hpp"
#include "store/rocks_open.hpp"
#include "store/rocks_testing.hpp"
#include "store/space_guard.hpp"

namespace tilld::store {

namespace {

constexpr std::int64_t first_pause_ms = 50;
constexpr std::int64_t longest_pause_ms = 1000;

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

class rocks_store final : public store {
 public:
  rocks_store(std::shared_ptr<database> open, const rocks_options& options,
              const number_list& numbers);
  ~rocks_store() override;
  rocks_store(const rocks_store&) = delete;
  rocks_store& operator=(const rocks_store&) = delete;

  result<std::optional<std::string>> get(family in, std::string_view key) const override {
    return read_one(*open_, nullptr, in, key);
  }
  result<std::vector<std::optional<std::string>>> multi_get(
      family in, std::span<const std::string> keys) const override {
    return read_many(*open_, nullptr, in, keys);
  }
  result<void> scan(const scan_range& range, const row_visitor& visit) const override {
    return read_range(*open_, nullptr, range, visit);
  }
  using store::commit;
  std::vector<result<void>> commit(std::span<const batch* const> group) override;
  std::unique_ptr<reader> snapshot() const override {
    return std::make_unique<rocks_snapshot>(open_);
  }
  condition state() const override;
  std::uint64_t last_number(family in) const override {
    return numbers_[static_cast<std::size_t>(in)].load(std::memory_order_acquire);
  }

 private:
  std::optional<error> refusal() const;
  rocksdb::Status write(rocksdb::WriteBatch& rows) const;
  void keep_resuming();
  void resume();

  const std::shared_ptr<database> open_;
  const std::shared_ptr<health> health_;
  const bool read_only_;
  const bool sync_;
  const space_guard space_;
  group_builder builder_;
  std::array<std::atomic<std::uint64_t>, family_count> numbers_{};
  std::thread resumer_;
};

rocks_store::rocks_store(std::shared_ptr<database> open, const rocks_options& options,
                         const number_list& numbers)
    : open_(std::move(open)),
      health_(open_->state),
      read_only_(options.read_only),
      sync_(options.sync),
      space_(options.path, options.least_free_bytes),
      builder_(*open_) {
  for (std::size_t i = 0; i < family_count; ++i)
    numbers_[i] = numbers[i];
  if (!read_only_) resumer_ = std::thread([this] { keep_resuming(); });
}

rocks_store::~rocks_store() {
  health_->stop();
  if (resumer_.joinable()) resumer_.join();
  if (!read_only_ && health_->well()) {
    const std::vector<rocksdb::ColumnFamilyHandle*> all(open_->handles.begin(),
                                                        open_->handles.end());
    const rocksdb::Status flushed = open_->db->Flush(rocksdb::FlushOptions(), all);
    if (!flushed.ok()) log::warning("store_flush_failed", {{"why", flushed.ToString()}});
  }
  if (open_.use_count() > 1) {
    log::warning("store_still_read", {{"path", open_->path}, {"snapshots", open_.use_count() - 1}});
  }
}

std::vector<result<void>> answer_all(std::size_t count, const error& why) {
  return std::vector<result<void>>(count, std::unexpected(why));
}

std::optional<error> rocks_store::refusal() const {
  if (read_only_) return error{errc::denied, open_->path + " was opened for reading only"};
  if (!health_->well()) return error{errc::unavailable, health_->why()};
  if (!space_.enough()) return error{errc::unavailable, space_.why()};
  return std::nullopt;
}

std::vector<result<void>> rocks_store::commit(std::span<const batch* const> group) {
  if (const auto refused = refusal()) return answer_all(group.size(), *refused);
  number_list numbers;
  for (std::size_t i = 0; i < family_count; ++i)
    numbers[i] = numbers_[i];
  auto answers = builder_.build(group, numbers);
  if (!builder_.problem().ok()) {
    return answer_all(group.size(), {errc::invalid, builder_.problem().ToString()});
  }
  if (builder_.write().Count() == 0) return answers;
  const rocksdb::Status written = write(builder_.write());
  if (!written.ok()) {
    health_->take(written, "writing the log");
    return answer_all(group.size(), {errc::unavailable, health_->why()});
  }
  for (std::size_t i = 0; i < family_count; ++i) {
    numbers_[i].store(builder_.numbers()[i], std::memory_order_release);
  }
  return answers;
}

rocksdb::Status rocks_store::write(rocksdb::WriteBatch& rows) const {
  rocksdb::WriteOptions options;
  options.sync = sync_;
  space_.wrote(rows.GetDataSize());
  return open_->db->Write(options, &rows);
}

condition rocks_store::state() const {
  if (read_only_) return {.writable = false, .why = "opened for reading only", .fatal = false};
  if (health_->fatal()) return {.writable = false, .why = health_->why(), .fatal = true};
  if (health_->stalled()) return {.writable = false, .why = health_->why(), .fatal = false};
  if (!space_.enough()) return {.writable = false, .why = space_.why(), .fatal = false};
  return {};
}

void rocks_store::keep_resuming() {
  while (health_->wait_until_stalled()) {
    std::int64_t pause_ms = first_pause_ms;
    while (health_->stalled() && !health_->fatal() && health_->pause(pause_ms)) {
      if (!space_.enough()) continue;
      resume();
      pause_ms = std::min(pause_ms * 2, longest_pause_ms);
    }
    if (health_->fatal()) return;
  }
}

void rocks_store::resume() {
  const std::uint64_t stalls = health_->stalls();
  const rocksdb::Status status = open_->db->Resume();
  if (status.ok() && health_->resumed(stalls)) {
    log::info("store_resumed", {{"path", open_->path}});
  }
}

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

}  // namespace

result<std::unique_ptr<store>> open_rocks_store(const rocks_options& options, rocksdb::Env* env) {
  auto open = open_database(options, env);
  if (!open) return std::unexpected(open.error());
  const auto numbers = recover_numbers(**open);
  if (!numbers) return std::unexpected(numbers.error());
  return std::make_unique<rocks_store>(std::move(*open), options, *numbers);
}

result<std::unique_ptr<store>> open_rocks_store(const rocks_options& options) {
  return open_rocks_store(options, nullptr);
}

}  // namespace tilld::store
