// Their state is the own account's, followed by the connected ones':
//
//   state = own-state | "tilld-sandbox-accounts 1\n" part*
//   part  = account-id " " length "\n" state-of-that-length; the own one first
#include "sandbox/machine/accounts.hpp"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::string_view head = "tilld-sandbox-accounts 1\n";

// Ids of one account are not those of another.
std::uint64_t seed_of(std::uint64_t seed, std::string_view id) {
  const std::string sum = to_hex(sha256(id)).substr(0, 16);
  std::uint64_t n = 0;
  std::from_chars(sum.data(), sum.data() + sum.size(), n, 16);
  return n ^ seed;
}

struct part {
  std::string id;
  std::string_view state;
};

std::optional<part> next_part(std::string_view& bytes) {
  const auto blank = bytes.find(' ');
  const auto end = bytes.find('\n');
  if (blank == bytes.npos || end == bytes.npos || blank > end) return std::nullopt;
  std::size_t length = 0;
  const auto digits = bytes.substr(blank + 1, end - blank - 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (read.ec != std::errc() || length > bytes.size() - end - 1) return std::nullopt;
  part p{std::string(bytes.substr(0, blank)), bytes.substr(end + 1, length)};
  bytes.remove_prefix(end + 1 + length);
  return p;
}

std::string text_of_part(const std::string& id, const std::string& state) {
  return id + " " + std::to_string(state.size()) + "\n" + state;
}

bool holds(const world& state, std::string_view id) {
  for (const auto& row : all_kinds()) {
    if (state.find(row.of, id) != nullptr) return true;
  }
  return false;
}

}  // namespace

accounts::accounts(std::string own_id, std::uint64_t seed)
    : seed_(seed), own_{account_facts{}, world(seed)} {
  own_.facts.id = std::move(own_id);
}

books& accounts::open(const std::string& id) {
  auto& place = connected_[id];
  if (place) return *place;
  const json& account = own_.state.live(kind::connected_account, id);
  place = std::make_unique<books>(books{own_.facts, world(seed_of(seed_, id))});
  place->facts.id = id;
  place->facts.platform = &own_.state;
  place->facts.country = text_of(account, "country");
  place->facts.currency = text_of(account, "default_currency");
  const std::string name = text_of(account["business_profile"], "name");
  if (!name.empty()) place->facts.name = name;
  place->state.rules = own_.state.rules;
  place->state.now_s = own_.state.now_s;
  return *place;
}

books* accounts::of(std::string_view id) {
  if (id.empty() || id == own_.facts.id) return &own_;
  if (own_.state.find_live(kind::connected_account, id) == nullptr) return nullptr;
  return &open(std::string(id));
}

books& accounts::holding(std::string_view object_id) {
  for (auto& [id, one] : connected_) {
    if (holds(one->state, object_id)) return *one;
  }
  return own_;
}

void accounts::each(const std::function<void(books&)>& act) {
  act(own_);
  for (auto& [id, one] : connected_)
    act(*one);
}

void accounts::each(const std::function<void(const books&)>& act) const {
  act(own_);
  for (const auto& [id, one] : connected_)
    act(*one);
}

void accounts::set_base_url(const std::string& url) {
  each([&](books& one) { one.facts.base_url = url; });
}

void accounts::reset() {
  own_.state = world(seed_);
  connected_.clear();
}

std::string accounts::save() const {
  if (connected_.empty()) return own_.state.save();
  std::string all(head);
  each([&](const books& one) { all += text_of_part(one.facts.id, one.state.save()); });
  return all;
}

bool accounts::load(std::string_view bytes) {
  std::vector<std::pair<std::string, world>> read;
  if (!bytes.starts_with(head)) {
    read.emplace_back(own_.facts.id, world(seed_));
    if (!read.back().second.load(bytes)) return false;
  } else {
    bytes.remove_prefix(head.size());
    while (!bytes.empty()) {
      const auto p = next_part(bytes);
      if (!p) return false;
      read.emplace_back(p->id, world(seed_));
      if (!read.back().second.load(p->state)) return false;
    }
  }
  if (read.empty()) return false;
  own_.state = std::move(read.front().second);
  connected_.clear();
  for (std::size_t i = 1; i < read.size(); ++i) {
    if (own_.state.find_live(kind::connected_account, read[i].first) == nullptr) continue;
    open(read[i].first).state = std::move(read[i].second);
  }
  return true;
}

}  // namespace tilld::sandbox
