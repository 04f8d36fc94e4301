#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "core/backoff.hpp"
#include "net/client.hpp"
#include "store/rocks_store.hpp"
#include "stripe/catalogue.hpp"

namespace tilld::cli {

namespace {

enum class verdict { good, note, bad };

struct finding {
  std::string part;
  verdict is = verdict::good;
  std::string text;
};

using findings = std::vector<finding>;

constexpr std::int64_t harmful_skew_s = 60;  // a fifth of the webhook tolerance

void look_at_settings(const config::settings& s, findings& found) {
  for (const auto& warning : config::warnings(s))
    found.push_back({"settings", verdict::note, warning});
  if (found.empty()) found.push_back({"settings", verdict::good, "they are right"});
}

void look_at_store(const config::settings& s, findings& found) {
  if (const auto daemon = find_daemon(s.data.directory)) {
    const auto ready = ask_daemon(*daemon, {"GET", "/readyz"});
    found.push_back(ready ? finding{"daemon", verdict::good,
                                    fmt::format("runs as process {}, is ready", daemon->pid)}
                          : finding{"daemon", verdict::bad, ready.error().message});
    return;
  }
  if (!std::filesystem::exists(store_directory(s) + "/CURRENT")) {
    found.push_back({"store", verdict::note, s.data.directory + " holds no store yet"});
    return;
  }
  store::rocks_options options;
  options.path = store_directory(s);
  options.read_only = true;
  auto opened = store::open_rocks_store(options);
  found.push_back(opened ? finding{"store", verdict::good,
                                   fmt::format("{} opens; {} changes in its feed", s.data.directory,
                                               (*opened)->last_number(store::family::feed))}
                         : finding{"store", verdict::bad, opened.error().message});
}

void look_at_clock(const net::answer& answer, const clock& time, findings& found) {
  const auto stripes = core::parse_http_date(answer.header("date"));
  if (!stripes) {
    found.push_back({"clock", verdict::note, "Stripe's answer had no Date to compare with"});
    return;
  }
  const std::int64_t skew = time.wall_s() - *stripes;
  const bool harmful = std::llabs(skew) > harmful_skew_s;
  found.push_back({"clock", harmful ? verdict::bad : verdict::good,
                   fmt::format("{} s from Stripe's{}", skew,
                               harmful ? ": webhooks will be refused; set up NTP" : "")});
}

void look_at_stripe(const config::account_settings& account, const clock& time, findings& found) {
  if (account.key.empty()) {
    found.push_back(
        {"stripe", verdict::bad,
         "no key is configured: set secret_key_file in [account." + account.name + "]"});
    return;
  }
  net::client client;
  net::request r;
  r.url = account.api_url + "/v1/account";
  r.headers = {{"Authorization", "Bearer " + account.key.reveal()}};
  r.deadline_ms = 15'000;
  const auto outcome = client.call(std::move(r));
  if (!outcome) {
    found.push_back({"stripe", verdict::bad, outcome.error().message});
    return;
  }
  look_at_clock(*outcome, time, found);
  // A restricted key may not read the account; that it is known is enough.
  if (outcome->status == 200 || outcome->status == 403) {
    const auto body = nlohmann::json::parse(outcome->body, nullptr, false);
    const std::string who = body.is_object() ? body.value("id", "") : "";
    found.push_back({"stripe", verdict::good,
                     fmt::format("{} answers{}", account.api_url,
                                 who.empty() ? "" : "; the key is of account " + who)});
    return;
  }
  found.push_back({"stripe", verdict::bad,
                   fmt::format("{} answered {}{}", account.api_url, outcome->status,
                               outcome->status == 401 ? ": the key is not accepted" : "")});
}

void look_at_webhooks(const config::settings& s, const config::account_settings& account,
                      findings& found) {
  const std::size_t count = account.webhook_secrets.size();
  if (count == 0) {
    found.push_back({"webhooks", verdict::bad,
                     "no webhook secret is configured: set webhook_secret_files in [account." +
                         account.name + "]"});
    return;
  }
  found.push_back({"webhooks", verdict::good,
                   fmt::format("{} secret{} for http://{}/webhooks/stripe/{}", count,
                               count == 1 ? "" : "s", s.webhooks.listen, account.name)});
}

const char* word(verdict v) {
  switch (v) {
    case verdict::good:
      return "ok";
    case verdict::note:
      return "note";
    case verdict::bad:
      return "BAD";
  }
  return "";
}

int report(const findings& found, bool as_json) {
  bool bad = false;
  nlohmann::json listed = nlohmann::json::array();
  for (const auto& f : found) {
    bad = bad || f.is == verdict::bad;
    listed.push_back({{"part", f.part}, {"is", word(f.is)}, {"text", f.text}});
    if (!as_json) std::cout << fmt::format("{:<5} {:<9} {}\n", word(f.is), f.part, f.text);
  }
  if (as_json) std::cout << nlohmann::json{{"ok", !bad}, {"findings", listed}} << '\n';
  return bad ? exit_code::failed : exit_code::ok;
}

}  // namespace

void add_doctor(CLI::App& app, chosen& run) {
  auto* command = app.add_subcommand(
      "doctor", "Look at settings, store, clock, Stripe and webhooks, and say what is wrong");
  command->footer("Example:\n  tilld doctor --config /etc/tilld/tilld.toml");
  auto flags = std::make_shared<settings_flags>();
  auto as_json = std::make_shared<bool>(false);
  flags->add_to(*command);
  command->add_flag("--json", *as_json, "As JSON");
  command->callback([&run, flags, as_json] {
    run = [flags, as_json] {
      const auto settings = flags->load();
      if (!settings) return exit_code::usage;
      const system_clock time;
      findings found;
      look_at_settings(*settings, found);
      look_at_store(*settings, found);
      for (const auto& [name, account] : settings->accounts) {
        look_at_stripe(account, time, found);
        look_at_webhooks(*settings, account, found);
      }
      return report(found, *as_json);
    };
  });
}

}  // namespace tilld::cli
