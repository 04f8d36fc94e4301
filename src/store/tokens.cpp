#include "store/tokens.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "store/keys.hpp"

namespace tilld::store {

namespace {

bool sane_name(std::string_view name) {
  if (name.empty() || name.size() > 100) return false;
  return std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string id_of(std::string_view hash) {
  return to_hex(hash).substr(0, 12);
}

}  // namespace

result<void> bind_to_account(token_request& wanted, std::span<const std::string> configured) {
  std::string names;
  for (const auto& name : configured)
    names.append(names.empty() ? "" : ", ").append(name);
  if (!wanted.account.empty()) {
    if (std::ranges::find(configured, wanted.account) != configured.end()) return {};
    return fail(errc::invalid,
                "there is no account '" + wanted.account + "' in the settings; there is " + names);
  }
  if (wanted.scope == "admin") return {};
  if (configured.size() != 1) {
    return fail(errc::invalid,
                "several accounts are configured (" + names + "): say which one the token is for");
  }
  wanted.account = configured.front();
  return {};
}

result<new_token> make_token(batch& to, const token_request& wanted, std::int64_t now_s) {
  if (!sane_name(wanted.name)) {
    return fail(errc::invalid, "a token's name has 1 to 100 bytes and no control characters");
  }
  if (wanted.scope != "read" && wanted.scope != "write" && wanted.scope != "admin") {
    return fail(errc::invalid, "a token's scope is read, write or admin");
  }
  new_token made;
  made.plain = "tilld_" + random_token(24);
  made.listed.hash = sha256(made.plain);
  made.listed.id = id_of(made.listed.hash);
  made.listed.record.name = wanted.name;
  made.listed.record.scope = wanted.scope;
  made.listed.record.account = wanted.account;
  made.listed.record.hint = made.plain.substr(made.plain.size() - 4);
  made.listed.record.created_s = now_s;
  made.listed.record.expires_s = wanted.expires_s;
  to.put(family::meta, key::token(made.listed.hash), encode(made.listed.record));
  return made;
}

result<std::vector<listed_token>> list_tokens(const reader& from) {
  std::vector<listed_token> all;
  const std::string prefix = key::tokens();
  std::optional<error> bad;
  auto scanned = from.scan({family::meta, prefix, "", false},
                           [&](std::string_view row_key, std::string_view value) {
                             auto record = decode_token(value);
                             if (!record) {
                               bad = record.error();
                               return false;
                             }
                             std::string hash(row_key.substr(prefix.size()));
                             std::string id = id_of(hash);
                             all.push_back({std::move(id), std::move(hash), std::move(*record)});
                             return true;
                           });
  if (!scanned) return std::unexpected(scanned.error());
  if (bad) return std::unexpected(*bad);
  return all;
}

result<listed_token> revoke_token(batch& to, const reader& from, std::string_view id_or_name) {
  auto all = list_tokens(from);
  if (!all) return std::unexpected(all.error());
  for (auto& token : *all) {
    if (token.id != id_or_name && token.record.name != id_or_name) continue;
    to.erase(family::meta, key::token(token.hash));
    return std::move(token);
  }
  return fail(errc::not_found,
              "there is no token '" + std::string(id_or_name) + "' (tilld token list shows them)");
}

}  // namespace tilld::store
