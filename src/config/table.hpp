// The table of settings: one row per key says its name, where it lives in `settings`, what it may
// be and what it is for. File, environment, flags, show() and error lines are all driven by it, so
// a setting is added in one place (and in config/tilld.toml, which a test compares).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace tilld::config {

// What a TOML value can be, as far as settings use it.
using value = std::variant<std::string, std::vector<std::string>, std::int64_t, double, bool>;

// Where a row lives. Rows of an account reach into the second argument.
template <class T>
struct place {
  T& (*at)(settings&, account_settings&);
};
// A bool that is written "test" (false) or "live" (true).
struct mode_place {
  bool& (*at)(settings&, account_settings&);
};
using any_place =
    std::variant<place<std::string>, place<std::vector<std::string>>, place<std::int64_t>,
                 place<int>, place<double>, place<bool>, mode_place>;

struct row {
  std::string_view section;  // "api"; "account" for rows of an account
  std::string_view name;     // "listen"
  any_place where;
  std::int64_t least = 0;  // of numbers
  std::int64_t most = 0;
  bool (*fits)(std::string_view) = nullptr;  // of a text, or of each text of a list
  std::string_view right;                    // continues "must be …"; empty for numbers and flags
  std::string_view doc;

  bool of_account() const noexcept { return section == "account"; }
  std::string key(std::string_view account) const;       // "api.listen", "account.main.api_url"
  std::string variable(std::string_view account) const;  // "TILLD_API_LISTEN"
};

std::span<const row> table();

value read(const row& r, const settings& s, const account_settings& a);

// Errors: invalid, "must be …", without naming the key or repeating the value.
result<void> write(const row& r, settings& s, account_settings& a, const value& v);

// A value as the environment and flags write it: texts with commas between, true or false.
// Errors: as write().
result<value> parse(const row& r, std::string_view text);

std::string to_toml(const value& v);
std::string type_name(const row& r);

// Upper case, anything but letters and digits as "_".
std::string as_variable(std::string_view key);

// The known word nearest to `word` by edit distance (insert, delete, replace, swap), if it is near
// enough to be a slip: a third of its letters, three at most. Else empty.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace tilld::config
