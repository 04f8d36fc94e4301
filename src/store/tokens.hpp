// API tokens. The plain text is shown once, when it is made; only its hash is stored.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "store/records.hpp"
#include "store/store.hpp"

namespace tilld::store {

struct listed_token {
  std::string id;    // the first 12 hex letters of its hash: to name it in `revoke`
  std::string hash;  // raw SHA-256 of the token
  token_record record;
};

struct new_token {
  std::string plain;  // "tilld_…"
  listed_token listed;
};

struct token_request {
  std::string name;
  std::string scope;           // "read", "write" or "admin"
  std::string account;         // the configured account it is for; empty: any
  std::int64_t expires_s = 0;  // 0: never
};

// Fills in the account where it goes without saying: with one configured a token is for it; with
// several it must be said, unless the token is to administer. Errors: invalid, also for an account
// that is not among `configured`.
result<void> bind_to_account(token_request& wanted, std::span<const std::string> configured);

// Adds the row to `to`. Errors: invalid for another scope, or a name that is empty, longer than 100
// bytes or holds control characters. Whether there is such an account the caller must know.
result<new_token> make_token(batch& to, const token_request& wanted, std::int64_t now_s);
result<std::vector<listed_token>> list_tokens(const reader& from);
// By id or by name; errors: not_found.
result<listed_token> revoke_token(batch& to, const reader& from, std::string_view id_or_name);

}  // namespace tilld::store
