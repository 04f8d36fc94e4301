// Every setting of tilld, with its default. config/tilld.toml says the same in words; a test holds
// the two together.
//
// Precedence: flag over environment (TILLD_SECTION_KEY) over file over default. Secrets come from
// an environment variable, a file (…_file) or a systemd credential, in this order, never from the
// settings file itself nor from the command line, which every user of the host can read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace tilld::config {

// A secret that will not print itself.
class secret {
 public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }
  std::string masked() const;  // "sk_test_…wxyz", less of a short one, or "(not set)"

 private:
  std::string value_;
};

struct account_settings {
  std::string name = "main";  // [account.main]; in URLs and keys: a-z 0-9 _
  bool live = false;          // mode = "test" | "live"
  std::string api_url = "https://api.stripe.com";
  std::string api_version;      // pinned; empty: the catalogue's
  bool allow_full_key = false;  // must be true for a key that begins sk_live_
  std::string secret_key_file;  // absolute once loaded
  std::vector<std::string> webhook_secret_files;
  secret key;                           // TILLD_ACCOUNT_MAIN_SECRET_KEY, secret_key_file, or
                                        // the credential stripe_key; may be empty
  std::vector<secret> webhook_secrets;  // TILLD_ACCOUNT_MAIN_WEBHOOK_SECRETS (with commas),
                                        // webhook_secret_files, or the credentials
                                        // webhook_secret, webhook_secret_2 … _8; several
                                        // while rotating; may be empty
  double read_rate = 0;                 // requests/s; 0: by mode (test 25, live 100)
  double write_rate = 0;
  int most_in_flight = 20;
};

struct settings {
  struct {
    std::string directory;  // default: $STATE_DIRECTORY, else ./data; never empty once loaded
    std::int64_t cache_mib = 256;
    std::int64_t least_free_mib = 64;
  } data;
  struct {
    std::string listen = "127.0.0.1:8455";
    std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1"};
    std::int64_t workers = 4;
    std::int64_t most_connections = 4096;
    std::int64_t most_in_flight = 1024;
    std::int64_t body_limit_bytes = 1 << 20;
    bool allow_remote = false;  // must be true to listen beyond loopback
  } api;
  struct {
    std::string listen = "127.0.0.1:8456";
    std::vector<std::string> hosts = {"*"};  // a reverse proxy passes the public name; the
                                             // signature is the guard here
    std::int64_t workers = 2;
    std::int64_t most_connections = 8192;
    std::int64_t most_in_flight = 1024;
    std::int64_t body_limit_bytes = 1 << 20;
    std::int64_t tolerance_s = 300;
    bool allow_remote = false;
  } webhooks;
  struct {
    std::string user_id_metadata = "user_id";  // on the Stripe customer
    std::int64_t active_customers = 50'000;    // actors kept in memory
    std::int64_t idle_s = 60;                  // then a customer's actor is put away
  } customers;
  struct {
    std::int64_t order_wait_ms = 80'000;    // how long a caller waits for Stripe
    std::int64_t order_give_up_hours = 23;  // then an order of unknown outcome is parked
    std::int64_t shutdown_ms = 20'000;
  } orders;
  struct {
    std::string level = "info";
  } log;
  std::map<std::string, account_settings> accounts;  // by name; at least one
};

struct source {
  std::string file;                                // empty: none; must exist if given
  std::map<std::string, std::string> environment;  // the process's own
  std::map<std::string, std::string> flags;        // "api.listen" → "127.0.0.1:9000"
};

// Errors: invalid, one line: where (file:line, variable or flag), key, value, and what would be
// right. Unknown keys are errors and name the nearest known one; so are unknown variables that look
// like settings (TILLD_API_…). A missing key or webhook secret is no error here: see warnings().
// No message carries a secret. Reads files; any thread.
result<settings> load(const source& from);

// What loads but will not do for long, one line each: no key, no webhook secret, tokens over plain
// HTTP to other hosts, … For `config check` and for the log at start.
std::vector<std::string> warnings(const settings& s);

// TOML, every key with its value, secrets masked and in comments. Loads again to the same settings,
// as far as files and variables with secrets are the same.
std::string show(const settings& s);

// Every setting there is, in the order of show(), for flags and manuals.
struct setting {
  std::string key;            // "api.listen", "account.main.api_url": also the flag's name
  std::string variable;       // "TILLD_API_LISTEN"
  std::string type;           // "text", "texts", "whole number", "number", "true or false"
  std::string default_value;  // as TOML
  std::string doc;            // one line
};
std::vector<setting> describe(std::string_view account = "main");

// "127.0.0.1:8455", "[::1]:8455": literals only, so that no resolver decides who may call. Port 0:
// the kernel chooses. Errors: invalid, "must be …".
struct endpoint {
  std::string address;
  std::uint16_t port = 0;
  bool loopback = false;
};
result<endpoint> parse_endpoint(std::string_view text);

}  // namespace tilld::config
