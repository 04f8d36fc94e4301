// Who may ask: tilld's own tokens, as "Authorization: Bearer …" or as the user name of Basic
// authentication (so that `curl -u TOKEN:` and every Stripe SDK work unchanged).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"
#include "store/tokens.hpp"

namespace tilld::http {

// The tokens in force, in memory. Thread-safe; a token that is revoked here stops working at once.
class token_table {
 public:
  token_table();
  ~token_table();
  result<void> load(const store::reader& from);
  void add(const store::listed_token& token);
  void remove(const store::listed_token& token);
  std::optional<principal> find(std::string_view plain, std::int64_t now_s) const;

 private:
  struct table;
  std::unique_ptr<table> table_;
};

// The token in the header's value; nullopt when there is none that could be one.
std::optional<std::string> token_in(std::string_view authorization);

// The three scopes: "read" reads, "write" also orders, "admin" also administers.
principal principal_of(const store::token_record& token);

}  // namespace tilld::http
