#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "config/checks.hpp"
#include "config/files.hpp"
#include "config/secrets.hpp"
#include "config/settings.hpp"
#include "config/table.hpp"

namespace tilld::config {

namespace {

constexpr std::size_t most_file_bytes = 1 << 20;
constexpr std::size_t most_value_shown = 120;

// The variables of an account that are no rows of the table, because they hold secrets.
constexpr std::array<std::string_view, 2> secret_names = {"secret_key", "webhook_secrets"};

std::string shown(const entry& e) {
  return e.content ? presentable(to_toml(*e.content), most_value_shown) : e.kind;
}

bool holds_secret(const entry& e) {
  if (!e.content) return false;
  if (const auto* text = std::get_if<std::string>(&*e.content)) return looks_secret(*text);
  const auto* texts = std::get_if<std::vector<std::string>>(&*e.content);
  return texts != nullptr && std::ranges::any_of(*texts, looks_secret);
}

// A key under which people write the secret itself.
bool names_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 10> usual = {
      "secret_key",        "stripe_key",     "api_key",         "key",
      "stripe_secret_key", "webhook_secret", "webhook_secrets", "signing_secret",
      "restricted_key",    "webhook_key"};
  return std::ranges::find(usual, name) != usual.end();
}

const row* find_row(std::string_view section, std::string_view name) {
  const auto found = std::ranges::find_if(
      table(), [&](const row& r) { return r.section == section && r.name == name; });
  return found == table().end() ? nullptr : &*found;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(table(), [&](const row& r) { return r.section == name; });
}

class loader {
 public:
  explicit loader(const source& from) : from_(from) {}

  result<settings> run() {
    if (auto done = read_file(); !done) return std::unexpected(done.error());
    if (auto done = find_account(); !done) return std::unexpected(done.error());
    for (auto step : {&loader::apply_file, &loader::apply_environment, &loader::apply_flags,
                      &loader::fill_in, &loader::cross_check}) {
      if (auto done = (this->*step)(); !done) return std::unexpected(done.error());
    }
    if (auto done = load_secrets(from_.environment, account_); !done) {
      return std::unexpected(done.error());
    }
    settings_.accounts.emplace(account_.name, std::move(account_));
    return std::move(settings_);
  }

 private:
  std::string at(const entry& e) const {
    return presentable(from_.file) + ":" + std::to_string(e.line);
  }

  result<void> read_file() {
    if (from_.file.empty()) return {};
    auto file = read_small_file(from_.file, most_file_bytes);
    if (!file) return fail(errc::invalid, "settings: " + file.error().message);
    auto parsed = parse_toml(file->content, from_.file);
    if (!parsed) return std::unexpected(parsed.error());
    entries_ = std::move(*parsed);
    return {};
  }

  // The account's name comes from the file or a flag; a misspelt variable must not make one.
  result<void> find_account() {
    std::string name;
    const auto take = [&](const std::string& found, const std::string& where) -> result<void> {
      if (!is_account_name(found)) {
        return fail(errc::invalid, where + ": account \"" + presentable(found) +
                                       "\": a name must be a-z, then a-z, 0-9 or _, 32 at most");
      }
      if (!name.empty() && name != found) {
        return fail(errc::invalid, where + ": a second account \"" + found + "\" beside \"" + name +
                                       "\": tilld serves one account for now; take one away");
      }
      name = found;
      return {};
    };
    for (const entry& e : entries_) {
      if (e.path[0] != "account" || e.path.size() < 2) continue;
      if (e.path.size() == 2 && !e.is_table) return outside_account(e);
      if (auto taken = take(e.path[1], at(e)); !taken) return taken;
    }
    for (const auto& [key, text] : from_.flags) {
      if (!key.starts_with("account.")) continue;
      const std::string rest = key.substr(8);
      if (auto taken = take(rest.substr(0, rest.find('.')), "command line"); !taken) return taken;
    }
    if (!name.empty()) account_.name = name;
    return {};
  }

  std::unexpected<error> outside_account(const entry& e) const {
    return fail(errc::invalid, at(e) + ": " + dotted(e.path) +
                                   ": settings of an account belong in [account.main]");
  }

  // -- the file --------------------------------------------------------------------------------

  result<void> apply_file() {
    for (const entry& e : entries_) {
      if (auto done = apply(e); !done) return done;
    }
    return {};
  }

  result<void> apply(const entry& e) {
    const bool of_account = e.path[0] == "account";
    const std::size_t depth = of_account ? 3 : 2;
    if (e.path.size() < depth) return check_section(e);
    const row* r = e.path.size() == depth ? find_row(e.path[0], e.path.back()) : nullptr;
    if (holds_secret(e) || (r == nullptr && of_account && names_secret(e.path.back()))) {
      return misplaced_secret(at(e) + ": " + dotted(e.path), e.path.back(), e);
    }
    if (r == nullptr) return unknown(at(e) + ": unknown setting ", dotted(e.path), known_keys());
    if (!e.content) {
      // The table knows what is right; any value of another type brings it out.
      const value other = type_name(*r) == "true or false" ? value(std::string()) : value(false);
      const auto refused = write(*r, settings_, account_, other);
      return complaint(at(e), *r, e.kind, refused.error().message);
    }
    auto written = write(*r, settings_, account_, *e.content);
    if (!written) return complaint(at(e), *r, shown(e), written.error().message);
    resolve_paths(*r, std::filesystem::path(from_.file).parent_path());
    origins_[r->key(account_.name)] = at(e);
    return {};
  }

  result<void> check_section(const entry& e) const {
    if (is_section(e.path[0])) {
      if (e.is_table) return {};
      return fail(errc::invalid, at(e) + ": " + e.path[0] + " = " + shown(e) +
                                     ": must be a section, [" + e.path[0] + "], given once");
    }
    if (holds_secret(e)) return misplaced_secret(at(e) + ": " + dotted(e.path), e.path.back(), e);
    if (!e.is_table) {
      return unknown(at(e) + ": unknown setting ", dotted(e.path), known_keys());
    }
    std::vector<std::string> sections;
    for (const row& r : table())
      sections.emplace_back(r.section);
    return unknown(at(e) + ": unknown section ", dotted(e.path), sections);
  }

  std::unexpected<error> misplaced_secret(const std::string& where, std::string_view name,
                                          const entry& e) const {
    bool webhook = name.find("webhook") != std::string_view::npos || name == "signing_secret";
    if (e.content && std::holds_alternative<std::string>(*e.content)) {
      webhook = webhook || std::get<std::string>(*e.content).starts_with("whsec_");
    }
    return fail(errc::invalid,
                where + ": a secret does not belong in this file: " + right_place(webhook));
  }

  std::string right_place(bool webhook) const {
    const std::string key = "account." + account_.name + ".";
    const std::string prefix = account_.name == "main" ? "" : key;
    return webhook ? "write it into a file that only tilld can read and name that file in " + key +
                         "webhook_secret_files, or use the variable " +
                         as_variable("tilld." + key + "webhook_secrets") +
                         " or the systemd credential " + prefix + "webhook_secret"
                   : "write it into a file that only tilld can read and name that file in " + key +
                         "secret_key_file, or use the variable " +
                         as_variable("tilld." + key + "secret_key") +
                         " or the systemd credential " + prefix + "stripe_key";
  }

  // -- environment and flags -------------------------------------------------------------------

  result<void> apply_environment() {
    for (const auto& [name, text] : from_.environment) {
      if (!name.starts_with("TILLD_") || is_secret_variable(name)) continue;
      const auto found = std::ranges::find_if(
          table(), [&](const row& r) { return r.variable(account_.name) == name; });
      if (found != table().end()) {
        if (auto done = apply_text(*found, text, "environment " + name); !done) return done;
      } else if (auto refused = check_unknown_variable(name); !refused) {
        return refused;
      }
    }
    return {};
  }

  bool is_secret_variable(const std::string& name) const {
    return std::ranges::any_of(secret_names, [&](std::string_view secret_name) {
      return as_variable("tilld.account." + account_.name + "." + std::string(secret_name)) == name;
    });
  }

  // Variables that begin like settings, or nearly are one, are slips; others are not ours.
  result<void> check_unknown_variable(const std::string& name) const {
    const bool like_setting = std::ranges::any_of(table(), [&](const row& r) {
      return name.starts_with(as_variable("tilld." + std::string(r.section)) + "_");
    });
    std::vector<std::string> known;
    for (const row& r : table())
      known.push_back(r.variable(account_.name));
    for (const std::string_view secret_name : secret_names) {
      known.push_back(
          as_variable("tilld.account." + account_.name + "." + std::string(secret_name)));
    }
    if (!like_setting && nearest(name, known).empty()) return {};
    const bool other_account =
        name.starts_with("TILLD_ACCOUNT_") &&
        !name.starts_with(as_variable("tilld.account." + account_.name) + "_");
    if (other_account && nearest(name, known).empty()) {
      return fail(errc::invalid, "environment: unknown variable " + presentable(name) +
                                     ": the account is \"" + account_.name +
                                     "\", so its variables begin with " +
                                     as_variable("tilld.account." + account_.name) + "_");
    }
    return unknown("environment: unknown variable ", presentable(name), known);
  }

  result<void> apply_flags() {
    for (const auto& [key, text] : from_.flags) {
      const auto found =
          std::ranges::find_if(table(), [&](const row& r) { return r.key(account_.name) == key; });
      if (found != table().end()) {
        if (auto done = apply_text(*found, text, "command line"); !done) return done;
        continue;
      }
      const std::string name = key.substr(key.rfind('.') + 1);
      if (names_secret(name)) {
        return fail(errc::invalid,
                    "command line: " + presentable(key) +
                        ": a secret does not belong on the command line, which every user of the "
                        "host can read: " +
                        right_place(name.find("webhook") != std::string::npos));
      }
      return unknown("command line: unknown setting ", presentable(key), known_keys());
    }
    return {};
  }

  result<void> apply_text(const row& r, std::string_view text, const std::string& origin) {
    auto parsed = parse(r, text);
    if (!parsed) {
      return complaint(origin, r, presentable(to_toml(std::string(text)), most_value_shown),
                       parsed.error().message);
    }
    if (looks_secret(text)) {
      return fail(errc::invalid, origin + ": " + r.key(account_.name) +
                                     ": this is a secret, which does not belong in this setting: " +
                                     right_place(text.starts_with("whsec_")));
    }
    if (auto written = write(r, settings_, account_, *parsed); !written) return written;
    resolve_paths(r, {});
    origins_[r.key(account_.name)] = origin;
    return {};
  }

  // -- what concerns several settings ----------------------------------------------------------

  // Files of secrets become absolute: relative ones are beside the settings file that names them.
  void resolve_paths(const row& r, const std::filesystem::path& base) {
    if (r.name != "secret_key_file" && r.name != "webhook_secret_files") return;
    const auto resolve = [&](std::string& path) {
      if (path.empty() || path.starts_with('~')) return;
      std::error_code ignored;  // without a working directory the path stays as it is
      const auto whole = std::filesystem::absolute(base / path, ignored);
      if (!ignored) path = whole.lexically_normal().string();
    };
    if (r.name == "secret_key_file") {
      resolve(account_.secret_key_file);
    } else {
      std::ranges::for_each(account_.webhook_secret_files, resolve);
    }
  }

  result<void> fill_in() {
    if (!settings_.data.directory.empty()) return {};
    settings_.data.directory = "./data";
    const auto state = from_.environment.find("STATE_DIRECTORY");
    if (state == from_.environment.end() || state->second.empty()) return {};
    // systemd gives several, with colons between, when the unit names several.
    settings_.data.directory = state->second.substr(0, state->second.find(':'));
    return {};
  }

  result<void> cross_check() {
    if (auto done = check_remote("api", settings_.api.listen, settings_.api.allow_remote); !done) {
      return done;
    }
    if (auto done =
            check_remote("webhooks", settings_.webhooks.listen, settings_.webhooks.allow_remote);
        !done) {
      return done;
    }
    if (!collide(settings_.api.listen, settings_.webhooks.listen)) return {};
    const bool api_given = origins_.contains("api.listen");
    const row& blamed = *find_row(
        origins_.contains("webhooks.listen") || !api_given ? "webhooks" : "api", "listen");
    const std::string other = blamed.section == "api" ? "webhooks.listen" : "api.listen";
    return complaint(origin_of(blamed), blamed, shown_now(blamed),
                     "is the address of " + other + " too; give each its own port");
  }

  result<void> check_remote(std::string_view section, const std::string& listen, bool allowed) {
    const auto where = parse_endpoint(listen);
    if (!where || where->loopback || allowed) return {};
    const row& r = *find_row(section, "listen");
    return complaint(origin_of(r), r, shown_now(r),
                     "is open to other hosts: listen on 127.0.0.1, or set " + std::string(section) +
                         ".allow_remote = true if that is meant");
  }

  std::string origin_of(const row& r) const {
    const auto found = origins_.find(r.key(account_.name));
    return found == origins_.end() ? "default" : found->second;
  }

  std::string shown_now(const row& r) const {
    return presentable(to_toml(read(r, settings_, account_)), most_value_shown);
  }

  std::unexpected<error> complaint(const std::string& origin, const row& r,
                                   const std::string& shown_value, const std::string& right) const {
    return fail(errc::invalid,
                origin + ": " + r.key(account_.name) + " = " + shown_value + ": " + right);
  }

  std::vector<std::string> known_keys() const {
    std::vector<std::string> out;
    for (const row& r : table())
      out.push_back(r.key(account_.name));
    return out;
  }

  static std::unexpected<error> unknown(const std::string& what, const std::string& name,
                                        const std::vector<std::string>& known) {
    std::string best = nearest(name, known);
    // Right name, wrong section.
    const std::string tail = "." + name.substr(name.rfind('.') + 1);
    for (const std::string& candidate : known) {
      if (best.empty() && candidate.ends_with(tail)) best = candidate;
    }
    const std::string hint =
        best.empty() ? "; config/tilld.toml names all of them" : "; did you mean " + best + "?";
    return fail(errc::invalid, what + name + hint);
  }

  const source& from_;
  std::vector<entry> entries_;
  settings settings_;
  account_settings account_;
  std::map<std::string, std::string> origins_;  // key → where its value came from
};

}  // namespace

result<settings> load(const source& from) {
  return loader(from).run();
}

}  // namespace tilld::config
