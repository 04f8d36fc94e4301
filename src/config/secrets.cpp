#include "config/secrets.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <unistd.h>

#include "config/checks.hpp"
#include "config/files.hpp"
#include "config/table.hpp"

namespace tilld::config {

namespace {

constexpr std::size_t most_secret_bytes = 4096;
constexpr int most_webhook_secrets = 8;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view secret_prefix(std::string_view text) {
  static constexpr std::array<std::string_view, 7> prefixes = {
      "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "sk_", "rk_"};
  for (const std::string_view prefix : prefixes) {
    if (text.starts_with(prefix)) return prefix;
  }
  return {};
}

void append_escaped(std::string& out, unsigned char c, bool utf8) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (c == '\n') {
    out += "\\n";
  } else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8)) {
    out += "\\x";
    out += digits[c >> 4];
    out += digits[c & 15];
  } else {
    out += static_cast<char>(c);
  }
}

}  // namespace

bool looks_secret(std::string_view text) noexcept {
  return !secret_prefix(text).empty();
}

bool mentions_secret(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_word = i == 0 || !is_word(text[i - 1]);
    if (starts_word && looks_secret(text.substr(i))) return true;
  }
  return false;
}

std::string presentable(std::string_view text, std::size_t most) {
  const bool utf8 = first_non_utf8(text).empty();
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    // Only between characters, so that none is cut in two.
    const bool continues = utf8 && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
    if (out.size() >= most && !continues) return out + "…";
    const bool starts_word = i == 0 || !is_word(text[i - 1]);
    const std::string_view prefix = starts_word ? secret_prefix(text.substr(i)) : "";
    if (prefix.empty()) {
      append_escaped(out, static_cast<unsigned char>(text[i++]), utf8);
      continue;
    }
    out += prefix;
    out += "…";
    while (i < text.size() && is_word(text[i]))
      ++i;
  }
  return out;
}

std::string secret::masked() const {
  constexpr std::size_t shown_end = 4;
  constexpr std::size_t least_hidden = 16;  // a short secret would be half given away by its end
  if (value_.empty()) return "(not set)";
  const std::string_view prefix = secret_prefix(value_);
  std::string out = std::string(prefix) + "…";
  if (!prefix.empty() && value_.size() >= prefix.size() + least_hidden + shown_end) {
    out += value_.substr(value_.size() - shown_end);
  }
  return out;
}

namespace {

// One account's secrets; `from` in the functions below says for people where a secret was found.
class secret_loader {
 public:
  secret_loader(const std::map<std::string, std::string>& environment, account_settings& account)
      : environment_(environment), account_(account), key_("account." + account.name + ".") {}

  result<void> load() {
    if (auto done = load_key(); !done) return done;
    return load_webhook_secrets();
  }

 private:
  const std::string* variable(const std::string& name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() ? nullptr : &found->second;
  }

  result<void> load_key() {
    const std::string name = as_variable("tilld." + key_ + "secret_key");
    if (const std::string* text = variable(name)) return take_key(*text, "environment " + name);
    if (!account_.secret_key_file.empty()) {
      const std::string from = key_ + "secret_key_file = " + presentable(account_.secret_key_file);
      auto text = private_file(account_.secret_key_file, from);
      if (!text) return std::unexpected(text.error());
      return take_key(*text, from);
    }
    auto text = credential("stripe_key");
    if (!text) return std::unexpected(text.error());
    const std::optional<std::string>& found = *text;
    if (!found) return {};
    return take_key(*found, "credential " + credential_name("stripe_key"));
  }

  result<void> load_webhook_secrets() {
    const std::string name = as_variable("tilld." + key_ + "webhook_secrets");
    if (const std::string* text = variable(name)) {
      return take_list_of_webhook_secrets(*text, "environment " + name);
    }
    for (const std::string& path : account_.webhook_secret_files) {
      const std::string from = key_ + "webhook_secret_files: " + presentable(path);
      auto text = private_file(path, from);
      if (!text) return std::unexpected(text.error());
      if (auto taken = take_webhook_secret(*text, from); !taken) return taken;
    }
    if (!account_.webhook_secret_files.empty()) return {};
    return load_webhook_credentials();
  }

  result<void> take_list_of_webhook_secrets(std::string_view text, const std::string& from) {
    while (true) {
      const auto comma = text.find(',');
      const std::string one(text.substr(0, comma));
      if (auto taken = take_webhook_secret(one, from); !taken) return taken;
      if (comma == std::string_view::npos) return {};
      text.remove_prefix(comma + 1);
    }
  }

  result<void> load_webhook_credentials() {
    for (int i = 1; i <= most_webhook_secrets; ++i) {
      const std::string leaf = i == 1 ? "webhook_secret" : "webhook_secret_" + std::to_string(i);
      auto text = credential(leaf);
      if (!text) return std::unexpected(text.error());
      const std::optional<std::string>& found = *text;
      if (!found) continue;
      auto taken = take_webhook_secret(*found, "credential " + credential_name(leaf));
      if (!taken) return taken;
    }
    return {};
  }

  std::string credential_name(const std::string& leaf) const {
    return account_.name == "main" ? leaf : key_ + leaf;
  }

  // Nothing if systemd hands us no such credential. Its directory is private by construction, and
  // its files are 0400 or, with access lists, look like 0440.
  result<std::optional<std::string>> credential(const std::string& leaf) const {
    const std::string* directory = variable("CREDENTIALS_DIRECTORY");
    if (directory == nullptr || directory->empty()) return std::nullopt;
    const std::string path = *directory + "/" + credential_name(leaf);
    if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
    auto file = read_small_file(path, most_secret_bytes);
    if (!file) return std::unexpected(file.error());
    return std::move(file->content);
  }

  static result<std::string> private_file(const std::string& path, const std::string& from) {
    if (looks_secret(path)) {
      return fail(errc::invalid, from +
                                     ": this is a secret; write it into a file that only tilld "
                                     "can read, and name that file here");
    }
    auto file = read_small_file(path, most_secret_bytes);
    if (!file) return fail(errc::invalid, from + ": " + file.error().message);
    if ((file->permissions & 077) != 0) {
      return fail(errc::invalid,
                  from + ": other users can read this file; run: chmod 600 " + presentable(path));
    }
    return std::move(file->content);
  }

  // What is wrong with it, if anything, whatever kind of secret it is.
  static std::string fault_of(std::string_view text) {
    if (text.empty()) return "is empty: put the secret there or take the setting away";
    if (std::ranges::any_of(text, [](unsigned char c) { return c <= 0x20 || c >= 0x7f; })) {
      return "has a blank, a line break or another character in it that no secret has";
    }
    return {};
  }

  static std::string trimmed(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

  result<void> take_webhook_secret(std::string text, const std::string& from) {
    text = trimmed(std::move(text));
    if (const std::string fault = fault_of(text); !fault.empty()) {
      return fail(errc::invalid, from + ": " + fault);
    }
    if (!text.starts_with("whsec_") || text == "whsec_") {
      return fail(errc::invalid, from +
                                     ": this is no webhook signing secret: it must begin with "
                                     "whsec_ (Stripe's dashboard, Webhooks, Signing secret)");
    }
    if (account_.webhook_secrets.size() == most_webhook_secrets) {
      return fail(errc::invalid, from + ": more than " + std::to_string(most_webhook_secrets) +
                                     " webhook secrets");
    }
    account_.webhook_secrets.emplace_back(std::move(text));
    return {};
  }

  result<void> take_key(std::string text, const std::string& from) {
    text = trimmed(std::move(text));
    if (const std::string fault = fault_of(text); !fault.empty()) {
      return fail(errc::invalid, from + ": " + fault);
    }
    const std::string_view prefix = secret_prefix(text);
    const bool live = prefix == "sk_live_" || prefix == "rk_live_";
    const bool test = prefix == "sk_test_" || prefix == "rk_test_";
    if ((!live && !test) || text.size() == prefix.size()) {
      return fail(errc::invalid, from +
                                     ": this is no secret key of Stripe: it must begin with "
                                     "rk_live_, rk_test_, sk_test_ or sk_live_");
    }
    if (live != account_.live) return fail(errc::invalid, from + ": " + wrong_mode(prefix, live));
    if (prefix == "sk_live_" && !account_.allow_full_key) {
      return fail(errc::invalid,
                  from +
                      ": a key sk_live_… may do everything with the account; make a restricted "
                      "key (rk_live_…), or set " +
                      key_ + "allow_full_key = true");
    }
    account_.key = secret(std::move(text));
    return {};
  }

  std::string wrong_mode(std::string_view prefix, bool live_key) const {
    const std::string is = live_key ? "live" : "test";
    const std::string set = live_key ? "test" : "live";
    return "this is a key for " + is + " mode (" + std::string(prefix) + "…), but " + key_ +
           "mode is \"" + set + "\": give a key for " + set + " mode or set mode = \"" + is + "\"";
  }

  const std::map<std::string, std::string>& environment_;
  account_settings& account_;
  const std::string key_;  // "account.main."
};

}  // namespace

result<void> load_secrets(const std::map<std::string, std::string>& environment,
                          account_settings& account) {
  return secret_loader(environment, account).load();
}

}  // namespace tilld::config
