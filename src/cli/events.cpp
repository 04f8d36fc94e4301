#include <ctime>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "store/event_log.hpp"
#include "store/rocks_store.hpp"
#include "stripe/form.hpp"

namespace tilld::cli {

namespace {

using nlohmann::json;

struct events_options {
  settings_flags settings;
  store::event_filter filter;
  std::string id;
  std::string account;
  bool all_failed = false;
  bool as_json = false;
};

json shown(const store::listed_event& e) {
  return {{"id", e.id},
          {"type", e.type},
          {"object", e.object_name},
          {"object_id", e.object_id},
          {"customer", e.customer},
          {"created", e.created_s},
          {"received_ms", e.received_ms},
          {"status", store::to_string(e.status)},
          {"reason", e.reason},
          {"tries", e.tries}};
}

result<json> list_directly(const events_options& o, const config::settings& s) {
  auto account = account_in(s, o.account);
  if (!account) return std::unexpected(account.error());
  store::rocks_options options;
  options.path = store_directory(s);
  options.read_only = true;
  auto store = store::open_rocks_store(options);
  if (!store) return std::unexpected(store.error());
  auto listed = store::list_events(**store, {(*account)->name, (*account)->live}, o.filter);
  if (!listed) return std::unexpected(listed.error());
  json data = json::array();
  for (const auto& e : *listed)
    data.push_back(shown(e));
  return json{{"data", data}};
}

result<json> list(const events_options& o, const config::settings& s) {
  const auto daemon = find_daemon(s.data.directory);
  if (!daemon) return list_directly(o, s);
  std::string target = "/admin/api/events?limit=" + std::to_string(o.filter.limit);
  if (o.filter.failed_only) target += "&failed=true";
  if (!o.filter.type.empty()) target += "&type=" + stripe::percent_encode(o.filter.type);
  if (!o.filter.customer.empty()) {
    target += "&customer=" + stripe::percent_encode(o.filter.customer);
  }
  return ask_daemon(*daemon, {"GET", target, "", o.account});
}

result<json> show(const events_options& o, const config::settings& s) {
  if (const auto daemon = find_daemon(s.data.directory)) {
    return ask_daemon(*daemon,
                      {"GET", "/admin/api/events/" + stripe::percent_encode(o.id), "", o.account});
  }
  auto account = account_in(s, o.account);
  if (!account) return std::unexpected(account.error());
  store::rocks_options options;
  options.path = store_directory(s);
  options.read_only = true;
  auto store = store::open_rocks_store(options);
  if (!store) return std::unexpected(store.error());
  auto record = store::load_event(**store, {(*account)->name, (*account)->live}, o.id);
  if (!record) return std::unexpected(record.error());
  json one = shown(store::summary_of(*record));
  one["endpoint"] = record->endpoint;
  one["event"] = json::parse(record->raw, nullptr, false);
  return one;
}

result<json> replay_one(const running_daemon& daemon, const std::string& id,
                        const std::string& account) {
  return ask_daemon(
      daemon, {"POST", "/admin/api/events/" + stripe::percent_encode(id) + "/replay", "", account});
}

result<json> replay(const events_options& o, const config::settings& s) {
  const auto daemon = find_daemon(s.data.directory);
  if (!daemon) {
    return fail(errc::unavailable,
                "a replay needs the daemon: start 'tilld serve' on " + s.data.directory + " first");
  }
  json results = json::array();
  std::vector<std::string> ids;
  if (!o.id.empty()) ids.push_back(o.id);
  if (o.all_failed) {
    auto failed =
        ask_daemon(*daemon, {"GET", "/admin/api/events?failed=true&limit=1000", "", o.account});
    if (!failed) return failed;
    for (const auto& e : (*failed)["data"])
      ids.push_back(e.value("id", ""));
  }
  if (ids.empty() && !o.all_failed) return fail(errc::invalid, "name an event, or --failed");
  for (const auto& id : ids) {
    auto one = replay_one(*daemon, id, o.account);
    if (!one) return one;
    (*one)["id"] = id;
    results.push_back(*one);
  }
  return json{{"data", results}};
}

std::string when(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

void print_list(const json& answer) {
  for (const auto& e : answer["data"]) {
    std::cout << fmt::format("{}  {:<9} {:<36} {:<30} {}{}{}\n", when(e.value("received_ms", 0LL)),
                             e.value("status", ""), e.value("type", ""), e.value("id", ""),
                             e.value("object_id", ""), e.value("reason", "").empty() ? "" : "  ",
                             e.value("reason", ""));
  }
}

template <class Do, class Print>
chosen command(const std::shared_ptr<events_options>& o, Do act, Print print) {
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

}  // namespace

void add_events(CLI::App& app, chosen& run) {
  auto* events = app.add_subcommand("events", "Look at the events Stripe sent, run them again");
  events->require_subcommand(1);
  events->footer(
      "Examples:\n  tilld events list --type 'customer.subscription.*'\n"
      "  tilld events list --failed\n  tilld events show evt_1…\n  tilld events replay --failed");
  auto o = std::make_shared<events_options>();
  const auto add_account = [o](CLI::App& to) {
    to.add_option("--account", o->account, "Of this account; needed where several are configured");
  };

  auto* lister = events->add_subcommand("list", "List events, newest arrival first");
  o->settings.add_to(*lister);
  add_account(*lister);
  lister->add_option("--limit", o->filter.limit, "How many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  lister->add_flag("--failed", o->filter.failed_only, "Only those that could not be applied");
  lister->add_option("--type", o->filter.type, "Of this type; a trailing * takes any ending");
  lister->add_option("--customer", o->filter.customer, "About this Stripe customer");
  lister->add_flag("--json", o->as_json, "As JSON");
  lister->callback([&run, o] { run = command(o, list, print_list); });

  auto* shower = events->add_subcommand("show", "Show one event as it came, and what became of it");
  o->settings.add_to(*shower);
  add_account(*shower);
  shower->add_option("event", o->id, "Its id")->required();
  shower->add_flag("--json", o->as_json, "As one line of JSON");
  shower->callback([&run, o] {
    run = command(o, show, [](const json& one) { std::cout << one.dump(2) << '\n'; });
  });

  auto* player = events->add_subcommand("replay", "Run events again (needs the running daemon)");
  o->settings.add_to(*player);
  add_account(*player);
  player->add_option("event", o->id, "Its id");
  player->add_flag("--failed", o->all_failed, "All that failed");
  player->add_flag("--json", o->as_json, "As JSON");
  player->callback([&run, o] {
    run = command(o, replay, [](const json& answer) {
      for (const auto& e : answer["data"]) {
        std::cout << e.value("id", "") << "  " << e.value("result", "") << "  "
                  << e.value("reason", "") << '\n';
      }
    });
  });
}

}  // namespace tilld::cli
