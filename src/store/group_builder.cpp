#include "store/group_builder.hpp"

#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "store/keys.hpp"

namespace tilld::store {

namespace {

constexpr std::size_t kept_write_bytes = 8u << 20;

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::array<char, 8> number_key(std::uint64_t number) {
  std::array<char, 8> key;
  for (int i = 7; i >= 0; --i, number >>= 8)
    key[static_cast<std::size_t>(i)] = static_cast<char>(number);
  return key;
}

}  // namespace

void written_rows::clear() {
  used_ = 0;
  if (++generation_ == 0) {  // the counter came round: old slots could look filled
    slots_.assign(slots_.size(), slot{});
    generation_ = 1;
  }
}

std::uint64_t written_rows::hash_of(family in, std::string_view key) noexcept {
  return std::hash<std::string_view>{}(key)*8 + static_cast<std::uint64_t>(in);
}

std::size_t written_rows::index_of(std::uint64_t hash, family in, std::string_view key) const {
  std::size_t i = hash & (slots_.size() - 1);
  while (slots_[i].generation == generation_) {
    const slot& s = slots_[i];
    if (s.hash == hash && s.in == in && s.key == key) break;
    i = (i + 1) & (slots_.size() - 1);
  }
  return i;
}

written_rows::slot& written_rows::place(family in, std::string_view key) {
  if ((used_ + 1) * 2 > slots_.size()) grow();
  const std::uint64_t hash = hash_of(in, key);
  slot& s = slots_[index_of(hash, in, key)];
  if (s.generation != generation_) {
    s = {hash, generation_, in, key, {}};
    ++used_;
  }
  return s;
}

void written_rows::grow() {
  std::vector<slot> before(slots_.size() * 2);
  before.swap(slots_);
  for (const slot& s : before) {
    if (s.generation == generation_) slots_[index_of(s.hash, s.in, s.key)] = s;
  }
}

void written_rows::put(family in, std::string_view key, std::string_view value) {
  place(in, key).what = {true, value};
}

void written_rows::erase(family in, std::string_view key) {
  place(in, key).what = {};
}

const written_rows::row* written_rows::find(family in, std::string_view key) const {
  const slot& s = slots_[index_of(hash_of(in, key), in, key)];
  return s.generation == generation_ ? &s.what : nullptr;
}

std::vector<result<void>> group_builder::build(const database& over,
                                               std::span<const batch* const> group,
                                               const number_list& numbers) {
  over_ = &over;
  write_.Clear();
  problem_ = rocksdb::Status::OK();
  if (write_.Data().capacity() > kept_write_bytes) write_ = rocksdb::WriteBatch();
  written_.clear();
  number_keys_.clear();
  numbers_ = numbers;
  watched_.fill(false);
  for (const batch* one : group) {
    for (const batch::precondition& p : one->preconditions()) {
      watched_[static_cast<std::size_t>(p.in)] = true;
    }
  }
  std::vector<result<void>> answers;
  answers.reserve(group.size());
  for (const batch* one : group) {
    answers.push_back(check(*one));
    if (answers.back()) add(*one);
  }
  value_.Reset();
  return answers;
}

result<void> group_builder::check(const batch& one) {
  for (const batch::precondition& p : one.preconditions()) {
    const result<bool> answer = holds(p);
    if (!answer) return std::unexpected(answer.error());
    if (!*answer) return fail(errc::conflict, "another change of this row came first");
  }
  return {};
}

result<bool> group_builder::holds(const batch::precondition& p) {
  if (const written_rows::row* row = written_.find(p.in, p.key)) {
    return p.prefix ? row->present && row->value.starts_with(*p.prefix) : !row->present;
  }
  value_.Reset();
  const rocksdb::Status status =
      over_->db->Get(rocksdb::ReadOptions(), over_->at(p.in), slice(p.key), &value_);
  if (status.IsNotFound()) return !p.prefix.has_value();
  if (!status.ok()) return std::unexpected(error_of(status, "reading", over_->path));
  return p.prefix && value_.starts_with(slice(*p.prefix));
}

void group_builder::keep(rocksdb::Status added) {
  if (problem_.ok() && !added.ok()) problem_ = std::move(added);
}

void group_builder::add(const batch& one) {
  for (const batch::change& c : one.changes()) {
    switch (c.kind) {
      case batch::change_kind::put:
        keep(write_.Put(over_->at(c.in), slice(c.key), slice(c.value)));
        if (watched(c.in)) written_.put(c.in, c.key, c.value);
        break;
      case batch::change_kind::erase:
        add_erase(c);
        break;
      case batch::change_kind::append:
        add_append(c);
        break;
    }
  }
}

void group_builder::add_append(const batch::change& c) {
  const std::array<char, 8> key = number_key(++number_of(c.in));
  const std::string_view name(key.data(), key.size());
  keep(write_.Put(over_->at(c.in), slice(name), slice(c.value)));
  if (!watched(c.in)) return;
  const auto& kept = number_keys_.emplace_back(key);
  written_.put(c.in, {kept.data(), kept.size()}, c.value);
}

void group_builder::add_erase(const batch::change& c) {
  keep(write_.Delete(over_->at(c.in), slice(c.key)));
  if (watched(c.in)) written_.erase(c.in, c.key);
  const std::uint64_t last = number_of(c.in);
  if (last == 0 || c.key.size() != 8 || read_be64(c.key.data()) != last) return;
  // Numbers are never given twice, so the last one is remembered when its row goes.
  const std::string name = key::last_number(family(c.in));
  keep(write_.Put(over_->at(family::meta), slice(name), std::to_string(last)));
}

}  // namespace tilld::store
