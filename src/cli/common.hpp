// What several commands share: the settings flags, files of the data directory, and the way to a
// running daemon.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "store/store.hpp"

namespace CLI {
class App;
}

namespace tilld::cli {

// --config and --data, on every command that needs the settings.
struct settings_flags {
  std::string config_file;
  std::map<std::string, std::string> flags;  // "data.directory" → …

  void add_to(CLI::App& command);
  // Prints the error and returns nullopt when the settings are wrong.
  std::optional<config::settings> load() const;
};

// Prints "tilld: …" to standard error; returns `code`.
int complain(const std::string& message, int code);

// <data>/store: the data directory itself also holds run.json and the sandbox's files.
std::string store_directory(const config::settings& s);

// Made with mode 0700 if it is not there.
result<void> make_private_directory(const std::string& path);

// 0600, atomically (written beside, synced, renamed).
result<void> write_private_file(const std::string& path, const std::string& content);
result<std::string> read_small_file(const std::string& path);

// The secret in the file of --webhook-secret-file, without its line's end.
result<std::string> webhook_secret_in(const std::string& file);

// How a running daemon is reached: <data>/run.json, readable by its owner only.
struct running_daemon {
  std::string api_url;      // "http://127.0.0.1:8455"
  std::string admin_token;  // good for this run of the daemon
  long pid = 0;
};
std::string run_file(const std::string& data_directory);
result<void> announce(const std::string& data_directory, const running_daemon& self);
// nullopt when none is running on this directory.
std::optional<running_daemon> find_daemon(const std::string& data_directory);

// One request to the daemon. Errors carry the daemon's own message.
struct daemon_request {
  std::string verb;
  std::string target;
  std::string body{};
  std::string account{};  // which one it is about; empty: the daemon knows, or it is about none
};
result<nlohmann::json> ask_daemon(const running_daemon& daemon, const daemon_request& asked);

// The account that a command is about: the named one, else the only one. Errors: invalid, with the
// names there are.
result<const config::account_settings*> account_in(const config::settings& s,
                                                   const std::string& name);

}  // namespace tilld::cli
