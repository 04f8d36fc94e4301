#include "cli/common.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/app.hpp"
#include "net/client.hpp"

extern char** environ;

namespace tilld::cli {

namespace {

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != text.npos) {
      all.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return all;
}

std::string errno_text() {
  return std::strerror(errno);
}  // NOLINT(concurrency-mt-unsafe)

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(file, content.data(), content.size());
    if (wrote < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(file) == 0;
}

}  // namespace

void settings_flags::add_to(CLI::App& command) {
  command.add_option("-c,--config", config_file, "Settings file (TOML)");
  command.add_option_function<std::string>(
      "--data", [this](const std::string& path) { flags["data.directory"] = path; },
      "Data directory");
}

std::optional<config::settings> settings_flags::load() const {
  auto loaded = config::load({config_file, environment(), flags});
  if (loaded) return std::move(*loaded);
  complain(loaded.error().message, exit_code::usage);
  return std::nullopt;
}

int complain(const std::string& message, int code) {
  std::cerr << "tilld: " << message << '\n';
  return code;
}

std::string store_directory(const config::settings& s) {
  return s.data.directory + "/store";
}

result<void> make_private_directory(const std::string& path) {
  std::error_code why;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, why);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(errc::unavailable, path + ": " + errno_text());
  }
  if (!std::filesystem::is_directory(path, why)) {
    return fail(errc::unavailable, path + " is not a directory");
  }
  return {};
}

result<void> write_private_file(const std::string& path, const std::string& content) {
  const std::string beside = path + ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail(errc::unavailable, beside + ": " + errno_text());
  const bool wrote = write_all(file, content);
  const std::string why = wrote ? "" : errno_text();
  ::close(file);
  if (!wrote) return fail(errc::unavailable, beside + ": " + why);
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    return fail(errc::unavailable, path + ": " + errno_text());
  }
  return {};
}

result<std::string> read_small_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(errc::not_found, path + ": " + errno_text());
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

result<std::string> webhook_secret_in(const std::string& file) {
  auto secret = read_small_file(file);
  if (!secret) {
    return fail(errc::invalid,
                "--webhook-url needs --webhook-secret-file: " + secret.error().message);
  }
  while (!secret->empty() && secret->back() == '\n')
    secret->pop_back();
  if (secret->empty()) return fail(errc::invalid, "the webhook secret in " + file + " is empty");
  return secret;
}

std::string run_file(const std::string& data_directory) {
  return data_directory + "/run.json";
}

result<void> announce(const std::string& data_directory, const running_daemon& self) {
  const nlohmann::json file{
      {"pid", self.pid}, {"api_url", self.api_url}, {"admin_token", self.admin_token}};
  return write_private_file(run_file(data_directory), file.dump() + "\n");
}

std::optional<running_daemon> find_daemon(const std::string& data_directory) {
  const auto content = read_small_file(run_file(data_directory));
  if (!content) return std::nullopt;
  const auto file = nlohmann::json::parse(*content, nullptr, false);
  if (!file.is_object()) return std::nullopt;
  running_daemon found{file.value("api_url", ""), file.value("admin_token", ""),
                       file.value("pid", 0L)};
  // A killed daemon leaves its file behind.
  if (found.pid <= 0 || (::kill(static_cast<pid_t>(found.pid), 0) != 0 && errno == ESRCH)) {
    return std::nullopt;
  }
  return found;
}

result<const config::account_settings*> account_in(const config::settings& s,
                                                   const std::string& name) {
  std::string names;
  for (const auto& [known, account] : s.accounts) {
    if (known == name || (name.empty() && s.accounts.size() == 1)) return &account;
    names.append(names.empty() ? "" : ", ").append(known);
  }
  return fail(errc::invalid,
              name.empty()
                  ? "several accounts are configured; say which: --account " + names
                  : "there is no account '" + name + "' in the settings; there is " + names);
}

result<nlohmann::json> ask_daemon(const running_daemon& daemon, const daemon_request& asked) {
  net::client client;
  net::request request;
  request.verb = asked.verb;
  request.url = daemon.api_url + asked.target;
  request.headers = {{"Authorization", "Bearer " + daemon.admin_token},
                     {"Content-Type", "application/json"}};
  if (!asked.account.empty()) request.headers.emplace_back("Tilld-Account", asked.account);
  request.body = asked.body;
  request.deadline_ms = 30'000;
  const auto outcome = client.call(std::move(request));
  if (!outcome) {
    return fail(errc::unavailable, "the daemon does not answer: " + outcome.error().message);
  }
  auto answer = nlohmann::json::parse(outcome->body, nullptr, false);
  if (outcome->status >= 300 || answer.is_discarded()) {
    const bool told = answer.is_object() && answer.contains("error");
    return fail(outcome->status == 404 ? errc::not_found : errc::invalid,
                told ? answer["error"].value("message", "")
                     : "the daemon answered " + std::to_string(outcome->status));
  }
  return answer;
}

}  // namespace tilld::cli
