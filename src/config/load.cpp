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
constexpr std::size_t most_accounts = 32;  // each has a gateway of its own

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

// One setting: a row, and the account that it is of.
struct spot {
  const row* what;
  account_settings* of;
  std::string key() const { return what->key(of->name); }
  std::string variable() const { return what->variable(of->name); }
};

std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const auto& part : path)
    out.append(out.empty() ? "" : ".").append(part);
  return out;
}

bool is_in(const std::vector<std::string>& list, const std::string& one) {
  return std::ranges::find(list, one) != list.end();
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(table(), [&](const row& r) { return r.section == name; });
}

class loader {
 public:
  explicit loader(const source& from) : from_(from) {}

  result<settings> run() {
    if (auto done = read_file(); !done) return std::unexpected(done.error());
    if (auto done = find_accounts(); !done) return std::unexpected(done.error());
    for (auto step : {&loader::apply_file, &loader::apply_environment, &loader::apply_flags,
                      &loader::fill_in, &loader::cross_check}) {
      if (auto done = (this->*step)(); !done) return std::unexpected(done.error());
    }
    for (auto& [name, account] : settings_.accounts) {
      if (auto done = load_secrets(from_.environment, account); !done) {
        return std::unexpected(done.error());
      }
    }
    if (auto done = check_keys_differ(); !done) return std::unexpected(done.error());
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

  // Accounts are named by the file or a flag; a misspelt variable must not make one.
  result<void> find_accounts() {
    for (const entry& e : entries_) {
      if (e.path[0] != "account" || e.path.size() < 2) continue;
      if (e.path.size() == 2 && !e.is_table) return outside_account(e);
      if (auto taken = add_account(e.path[1], at(e)); !taken) return taken;
    }
    for (const auto& [key, text] : from_.flags) {
      if (!key.starts_with("account.")) continue;
      if (auto taken = add_account(account_in(key), "command line"); !taken) return taken;
    }
    if (settings_.accounts.empty()) settings_.accounts.emplace("main", account_settings{});
    for (const row& r : table()) {
      if (!r.of_account()) spots_.push_back({&r, &nobody_});
      for (auto& [name, account] : settings_.accounts) {
        if (r.of_account()) spots_.push_back({&r, &account});
      }
    }
    return {};
  }

  result<void> add_account(const std::string& name, const std::string& where) {
    if (!is_account_name(name)) {
      return fail(errc::invalid, where + ": account \"" + presentable(name) +
                                     "\": a name must be a-z, then a-z, 0-9 or _, 32 at most");
    }
    settings_.accounts[name].name = name;
    if (settings_.accounts.size() > most_accounts) {
      return fail(errc::invalid, where + ": account \"" + name + "\": more than " +
                                     std::to_string(most_accounts) + " accounts");
    }
    return {};
  }

  // "main" of "account.main.mode".
  static std::string account_in(std::string_view key) {
    const std::string_view rest = key.substr(std::string_view("account.").size());
    return std::string(rest.substr(0, rest.find('.')));
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
    const spot* to = e.path.size() == depth ? find_spot(joined(e.path)) : nullptr;
    if (holds_secret(e) || (to == nullptr && of_account && names_secret(e.path.back()))) {
      return misplaced_secret(e);
    }
    if (to == nullptr) return unknown(at(e) + ": unknown setting ", dotted(e.path), known_keys());
    const row& r = *to->what;
    if (!e.content) {
      // The table knows what is right; any value of another type brings it out.
      const value other = type_name(r) == "true or false" ? value(std::string()) : value(false);
      const auto refused = write(r, settings_, *to->of, other);
      return complaint(at(e), *to, e.kind, refused.error().message);
    }
    auto written = write(r, settings_, *to->of, *e.content);
    if (!written) return complaint(at(e), *to, shown(e), written.error().message);
    resolve_paths(*to, std::filesystem::path(from_.file).parent_path());
    origins_[to->key()] = at(e);
    return {};
  }

  result<void> check_section(const entry& e) const {
    if (is_section(e.path[0])) {
      if (e.is_table) return {};
      return fail(errc::invalid, at(e) + ": " + e.path[0] + " = " + shown(e) +
                                     ": must be a section, [" + e.path[0] + "], given once");
    }
    if (holds_secret(e)) return misplaced_secret(e);
    if (!e.is_table) {
      return unknown(at(e) + ": unknown setting ", dotted(e.path), known_keys());
    }
    std::vector<std::string> sections;
    for (const row& r : table())
      sections.emplace_back(r.section);
    return unknown(at(e) + ": unknown section ", dotted(e.path), sections);
  }

  std::unexpected<error> misplaced_secret(const entry& e) const {
    const std::string& name = e.path.back();
    bool webhook = name.find("webhook") != std::string::npos || name == "signing_secret";
    if (e.content && std::holds_alternative<std::string>(*e.content)) {
      webhook = webhook || std::get<std::string>(*e.content).starts_with("whsec_");
    }
    const bool named = e.path[0] == "account" && e.path.size() > 2;
    return fail(errc::invalid, at(e) + ": " + dotted(e.path) +
                                   ": a secret does not belong in this file: " +
                                   right_place(webhook, named ? e.path[1] : first_account()));
  }

  const std::string& first_account() const { return settings_.accounts.begin()->first; }

  static std::string right_place(bool webhook, const std::string& account) {
    const std::string key = "account." + account + ".";
    const std::string prefix = account == "main" ? "" : key;
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
    const std::vector<std::string> secrets = secret_variables();
    for (const auto& [name, text] : from_.environment) {
      if (!name.starts_with("TILLD_") || is_in(secrets, name)) continue;
      const auto found =
          std::ranges::find_if(spots_, [&](const spot& s) { return s.variable() == name; });
      if (found != spots_.end()) {
        if (auto done = apply_text(*found, text, "environment " + name); !done) return done;
      } else if (auto refused = check_unknown_variable(name); !refused) {
        return refused;
      }
    }
    return {};
  }

  std::vector<std::string> secret_variables() const {
    std::vector<std::string> out;
    for (const auto& [name, account] : settings_.accounts) {
      for (const std::string_view secret_name : secret_names) {
        out.push_back(as_variable("tilld.account." + name + "." + std::string(secret_name)));
      }
    }
    return out;
  }

  // Variables that begin like settings, or nearly are one, are slips; others are not ours.
  result<void> check_unknown_variable(const std::string& name) const {
    const bool like_setting = std::ranges::any_of(table(), [&](const row& r) {
      return name.starts_with(as_variable("tilld." + std::string(r.section)) + "_");
    });
    std::vector<std::string> known = secret_variables();
    for (const spot& s : spots_)
      known.push_back(s.variable());
    const bool near = !nearest(name, known).empty();
    if (!like_setting && !near) return {};
    const auto of_known_account = [&](const auto& one) {
      return name.starts_with(as_variable("tilld.account." + one.first) + "_");
    };
    if (!near && name.starts_with("TILLD_ACCOUNT_") &&
        std::ranges::none_of(settings_.accounts, of_known_account)) {
      return fail(errc::invalid,
                  "environment: unknown variable " + presentable(name) + ": " + which_accounts());
    }
    return unknown("environment: unknown variable ", presentable(name), known);
  }

  std::string which_accounts() const {
    if (settings_.accounts.size() == 1) {
      return "the account is \"" + first_account() + "\", so its variables begin with " +
             as_variable("tilld.account." + first_account()) + "_";
    }
    std::string names;
    for (const auto& [name, account] : settings_.accounts)
      names += (names.empty() ? "" : ", ") + name;
    return "the accounts are " + names;
  }

  result<void> apply_flags() {
    for (const auto& [key, text] : from_.flags) {
      if (const spot* to = find_spot(key)) {
        if (auto done = apply_text(*to, text, "command line"); !done) return done;
        continue;
      }
      const std::string name = key.substr(key.rfind('.') + 1);
      if (names_secret(name)) {
        const bool named = key.starts_with("account.");
        return fail(errc::invalid,
                    "command line: " + presentable(key) +
                        ": a secret does not belong on the command line, which every user of the "
                        "host can read: " +
                        right_place(name.find("webhook") != std::string::npos,
                                    named ? account_in(key) : first_account()));
      }
      return unknown("command line: unknown setting ", presentable(key), known_keys());
    }
    return {};
  }

  result<void> apply_text(const spot& to, std::string_view text, const std::string& origin) {
    auto parsed = parse(*to.what, text);
    if (!parsed) {
      return complaint(origin, to, presentable(to_toml(std::string(text)), most_value_shown),
                       parsed.error().message);
    }
    if (looks_secret(text)) {
      const std::string& account = to.what->of_account() ? to.of->name : first_account();
      return fail(errc::invalid, origin + ": " + to.key() +
                                     ": this is a secret, which does not belong in this setting: " +
                                     right_place(text.starts_with("whsec_"), account));
    }
    if (auto written = write(*to.what, settings_, *to.of, *parsed); !written) return written;
    resolve_paths(to, {});
    origins_[to.key()] = origin;
    return {};
  }

  // -- what concerns several settings ----------------------------------------------------------

  // Files of secrets become absolute: relative ones are beside the settings file that names them.
  static void resolve_paths(const spot& to, const std::filesystem::path& base) {
    const std::string_view name = to.what->name;
    if (name != "secret_key_file" && name != "webhook_secret_files") return;
    const auto resolve = [&](std::string& path) {
      if (path.empty() || path.starts_with('~')) return;
      std::error_code ignored;  // without a working directory the path stays as it is
      const auto whole = std::filesystem::absolute(base / path, ignored);
      if (!ignored) path = whole.lexically_normal().string();
    };
    if (name == "secret_key_file") {
      resolve(to.of->secret_key_file);
    } else {
      std::ranges::for_each(to.of->webhook_secret_files, resolve);
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
    const bool api_is_to_blame = api_given && !origins_.contains("webhooks.listen");
    const spot& blamed = *find_spot(api_is_to_blame ? "api.listen" : "webhooks.listen");
    const std::string other = api_is_to_blame ? "webhooks.listen" : "api.listen";
    return complaint(origin_of(blamed), blamed, shown_now(blamed),
                     "is the address of " + other + " too; give each its own port");
  }

  result<void> check_remote(const std::string& section, const std::string& listen, bool allowed) {
    const auto where = parse_endpoint(listen);
    if (!where || where->loopback || allowed) return {};
    const spot& at = *find_spot(section + ".listen");
    return complaint(origin_of(at), at, shown_now(at),
                     "is open to other hosts: listen on 127.0.0.1, or set " + section +
                         ".allow_remote = true if that is meant");
  }

  // One key for two would be one account of Stripe's, mirrored twice and asked twice as fast as
  // its limits allow.
  result<void> check_keys_differ() const {
    std::map<std::string, std::string> name_by_key;
    for (const auto& [name, account] : settings_.accounts) {
      if (account.key.empty()) continue;
      const auto [first, is_new] = name_by_key.emplace(account.key.reveal(), name);
      if (is_new) continue;
      return fail(errc::invalid, "account." + name + ": has the same secret key as account." +
                                     first->second +
                                     "; give each its own account of Stripe's, or take one away");
    }
    return {};
  }

  std::string origin_of(const spot& at) const {
    const auto found = origins_.find(at.key());
    return found == origins_.end() ? "default" : found->second;
  }

  std::string shown_now(const spot& at) const {
    return presentable(to_toml(read(*at.what, settings_, *at.of)), most_value_shown);
  }

  static std::unexpected<error> complaint(const std::string& origin, const spot& at,
                                          const std::string& shown_value,
                                          const std::string& right) {
    return fail(errc::invalid, origin + ": " + at.key() + " = " + shown_value + ": " + right);
  }

  const spot* find_spot(const std::string& key) const {
    const auto found = std::ranges::find_if(spots_, [&](const spot& s) { return s.key() == key; });
    return found == spots_.end() ? nullptr : &*found;
  }

  std::vector<std::string> known_keys() const {
    std::vector<std::string> out;
    for (const spot& s : spots_)
      out.push_back(s.key());
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
  account_settings nobody_;                     // what rows of no account are written with
  std::vector<spot> spots_;                     // every setting there is
  std::map<std::string, std::string> origins_;  // key → where its value came from
};

}  // namespace

result<settings> load(const source& from) {
  return loader(from).run();
}

}  // namespace tilld::config
