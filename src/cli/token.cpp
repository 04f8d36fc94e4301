#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "store/rocks_store.hpp"
#include "store/tokens.hpp"
#include "stripe/form.hpp"

namespace tilld::cli {

namespace {

using nlohmann::json;

struct token_options {
  settings_flags settings;
  std::string name;
  std::string scope = "write";
  std::string account;
  std::int64_t expires_days = 0;
  bool as_json = false;
};

std::int64_t expiry_of(const token_options& o) {
  return o.expires_days == 0 ? 0 : system_clock{}.wall_s() + o.expires_days * 86'400;
}

// Tokens are rows: with a daemon on the directory it writes them, else we do.
result<std::unique_ptr<store::store>> open_directly(const config::settings& s, bool read_only) {
  if (!read_only) {
    if (auto ok = make_private_directory(s.data.directory); !ok) return std::unexpected(ok.error());
  }
  store::rocks_options options;
  options.path = store_directory(s);
  options.read_only = read_only;
  return store::open_rocks_store(options);
}

result<json> create(const token_options& o, const config::settings& s) {
  if (const auto daemon = find_daemon(s.data.directory)) {
    const json body{
        {"name", o.name}, {"scope", o.scope}, {"account", o.account}, {"expires", expiry_of(o)}};
    return ask_daemon(*daemon, {"POST", "/admin/api/tokens", body.dump()});
  }
  auto store = open_directly(s, false);
  if (!store) return std::unexpected(store.error());
  store::token_request wanted{o.name, o.scope, o.account, expiry_of(o)};
  std::vector<std::string> accounts;
  for (const auto& [name, account] : s.accounts)
    accounts.push_back(name);
  if (auto ok = store::bind_to_account(wanted, accounts); !ok) return std::unexpected(ok.error());
  store::batch rows;
  auto made = store::make_token(rows, wanted, system_clock{}.wall_s());
  if (!made) return std::unexpected(made.error());
  if (auto done = (*store)->commit(rows); !done) return std::unexpected(done.error());
  return json{{"id", made->listed.id},
              {"name", made->listed.record.name},
              {"scope", made->listed.record.scope},
              {"account", made->listed.record.account},
              {"token", made->plain}};
}

result<json> list(const config::settings& s) {
  if (const auto daemon = find_daemon(s.data.directory)) {
    return ask_daemon(*daemon, {"GET", "/admin/api/tokens"});
  }
  auto store = open_directly(s, true);
  if (!store) return std::unexpected(store.error());
  auto all = store::list_tokens(**store);
  if (!all) return std::unexpected(all.error());
  json data = json::array();
  for (const auto& t : *all) {
    data.push_back({{"id", t.id},
                    {"name", t.record.name},
                    {"scope", t.record.scope},
                    {"account", t.record.account},
                    {"ends_in", t.record.hint},
                    {"created", t.record.created_s},
                    {"expires", t.record.expires_s}});
  }
  return json{{"data", data}};
}

result<json> revoke(const token_options& o, const config::settings& s) {
  if (const auto daemon = find_daemon(s.data.directory)) {
    return ask_daemon(*daemon, {"DELETE", "/admin/api/tokens/" + stripe::percent_encode(o.name)});
  }
  auto store = open_directly(s, false);
  if (!store) return std::unexpected(store.error());
  store::batch rows;
  auto revoked = store::revoke_token(rows, **store, o.name);
  if (!revoked) return std::unexpected(revoked.error());
  if (auto done = (*store)->commit(rows); !done) return std::unexpected(done.error());
  return json{{"id", revoked->id}, {"name", revoked->record.name}};
}

template <class Do, class Print>
chosen command(const std::shared_ptr<token_options>& o, Do act, Print print) {
  return [o, act, print] {
    const auto settings = o->settings.load();
    if (!settings) return exit_code::usage;
    const result<json> answer = act(*o, *settings);
    if (!answer) return complain(answer.error().message, exit_code::failed);
    if (o->as_json) {
      std::cout << answer->dump() << '\n';
    } else {
      print(*answer);
    }
    return exit_code::ok;
  };
}

void print_made(const json& t) {
  std::cout << t.value("token", "") << '\n';
  const std::string account = t.value("account", "");
  std::cerr << "This is the only time it is shown. Scope: " << t.value("scope", "")
            << (account.empty() ? ", for every account" : ", for account " + account) << ".\n";
}

void print_list(const json& answer) {
  for (const auto& t : answer["data"]) {
    const std::string account = t.value("account", "");
    std::cout << fmt::format("{}  {:<6} {:<12} {:<24} …{}{}\n", t.value("id", ""),
                             t.value("scope", ""), account.empty() ? "(any)" : account,
                             t.value("name", ""), t.value("ends_in", ""),
                             t.value("expires", 0LL) != 0 ? "  expires" : "");
  }
}

}  // namespace

void add_token(CLI::App& app, chosen& run) {
  auto* tokens = app.add_subcommand("token", "Make, list and revoke API tokens");
  tokens->require_subcommand(1);
  tokens->footer(
      "Examples:\n  tilld token create --name shop --scope write\n  tilld token list\n"
      "  tilld token revoke shop");
  auto o = std::make_shared<token_options>();

  auto* make = tokens->add_subcommand("create", "Make a token and print it, once");
  o->settings.add_to(*make);
  make->add_option("--name", o->name, "What it is for")->required();
  make->add_option("--scope", o->scope, "read, write (reads too) or admin")
      ->check(CLI::IsMember({"read", "write", "admin"}))
      ->capture_default_str();
  make->add_option("--account", o->account,
                   "The account it is for; may be left out with one account, or for admin (any)");
  make->add_option("--expires-days", o->expires_days, "Days it is good for; 0: for ever")
      ->check(CLI::Range(0, 36'500));
  make->add_flag("--json", o->as_json, "As JSON");
  make->callback([&run, o] { run = command(o, create, print_made); });

  auto* show = tokens->add_subcommand("list", "List the tokens (never the tokens themselves)");
  o->settings.add_to(*show);
  show->add_flag("--json", o->as_json, "As JSON");
  show->callback([&run, o] {
    run = command(
        o, [](const token_options&, const config::settings& s) { return list(s); }, print_list);
  });

  auto* drop = tokens->add_subcommand("revoke", "Take a token out of force, at once");
  o->settings.add_to(*drop);
  drop->add_option("token", o->name, "Its id or name")->required();
  drop->add_flag("--json", o->as_json, "As JSON");
  drop->callback([&run, o] {
    run = command(o, revoke, [](const json& t) {
      std::cout << "revoked " << t.value("id", "") << " (" << t.value("name", "") << ")\n";
    });
  });
}

}  // namespace tilld::cli
