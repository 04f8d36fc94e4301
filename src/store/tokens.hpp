// API tokens. The plain text is shown once, when it is made; only its hash is stored.
#pragma once

#include <cstdint>
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

// Adds the row to `to`. `scope` is "read", "write" or "admin"; errors: invalid for another scope or
// a name that is empty, longer than 100 bytes or holds control characters.
result<new_token> make_token(batch& to, std::string_view name, std::string_view scope,
                             std::int64_t now_s, std::int64_t expires_s = 0);
result<std::vector<listed_token>> list_tokens(const reader& from);
// By id or by name; errors: not_found.
result<listed_token> revoke_token(batch& to, const reader& from, std::string_view id_or_name);

}  // namespace tilld::store
