#include "http/auth.hpp"

#include <algorithm>
#include <cctype>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/bytes.hpp"

namespace tilld::http {

struct token_table::table {
  mutable std::shared_mutex mutex;
  std::unordered_map<std::string, store::token_record> by_hash;
};

token_table::token_table() : table_(std::make_unique<table>()) {}
token_table::~token_table() = default;

result<void> token_table::load(const store::reader& from) {
  auto all = store::list_tokens(from);
  if (!all) return std::unexpected(all.error());
  const std::unique_lock lock(table_->mutex);
  table_->by_hash.clear();
  for (auto& token : *all)
    table_->by_hash.emplace(token.hash, token.record);
  return {};
}

void token_table::add(const store::listed_token& token) {
  const std::unique_lock lock(table_->mutex);
  table_->by_hash.insert_or_assign(token.hash, token.record);
}

void token_table::remove(const store::listed_token& token) {
  const std::unique_lock lock(table_->mutex);
  table_->by_hash.erase(token.hash);
}

std::optional<principal> token_table::find(std::string_view plain, std::int64_t now_s) const {
  const std::string hash = sha256(plain);
  const std::shared_lock lock(table_->mutex);
  const auto at = table_->by_hash.find(hash);
  if (at == table_->by_hash.end()) return std::nullopt;
  if (at->second.expires_s != 0 && at->second.expires_s <= now_s) return std::nullopt;
  return principal_of(at->second);
}

namespace {
bool takes_scheme(std::string_view& value, std::string_view scheme) {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return false;
  const bool same = std::ranges::equal(value.substr(0, scheme.size()), scheme, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
  if (!same) return false;
  value.remove_prefix(scheme.size());
  while (!value.empty() && value.front() == ' ')
    value.remove_prefix(1);
  return !value.empty();
}
}  // namespace

std::optional<std::string> token_in(std::string_view authorization) {
  if (takes_scheme(authorization, "bearer")) return std::string(authorization);
  if (!takes_scheme(authorization, "basic")) return std::nullopt;
  auto user = from_base64(authorization);
  if (!user) return std::nullopt;
  user->resize(std::min(user->find(':'), user->size()));
  if (user->empty()) return std::nullopt;
  return user;
}

principal principal_of(const store::token_record& token) {
  principal who;
  who.token_name = token.name;
  who.account = token.account;
  who.may_admin = token.scope == "admin";
  who.may_write = who.may_admin || token.scope == "write";
  who.may_read = who.may_write || token.scope == "read";
  return who;
}

}  // namespace tilld::http
