#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/log.hpp"
#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "cli/sandbox_service.hpp"
#include "cli/signals.hpp"
#include "config/settings.hpp"
#include "sandbox/control/moment.hpp"

namespace tilld::cli {

namespace {

struct sandbox_options {
  std::string listen = "127.0.0.1:12111";
  std::string key = "sk_test_sandbox";
  std::string data;
  std::string state;
  std::string clock;
  std::vector<std::string> faults;
  std::uint64_t fault_seed = 1;
  bool rate_limits = false;
  std::string webhook_url;
  std::string webhook_secret_file;
  std::uint64_t seed = 1;
};

int run_sandbox(const sandbox_options& o) {
  auto at = config::parse_endpoint(o.listen);
  if (!at) return complain(at.error().message, exit_code::usage);
  if (!at->loopback) {
    return complain("the sandbox listens on loopback only: it has no real guard", exit_code::usage);
  }
  signals stop_signals;
  sandbox_settings s;
  s.address = at->address;
  s.port = at->port;
  s.secret_key = o.key;
  s.seed = o.seed;
  if (!o.data.empty()) {
    if (auto made = make_private_directory(o.data); !made) {
      return complain(made.error().message, exit_code::failed);
    }
    s.state_file = o.data + "/sandbox-state";
  }
  if (!o.state.empty()) s.state_file = o.state;
  const system_clock time;
  s.rate_limits = o.rate_limits;
  s.faults = sandbox::faults(o.fault_seed);
  for (const auto& one : o.faults) {
    const auto equals = one.find('=');
    const std::string level = equals == std::string::npos ? "1" : one.substr(equals + 1);
    if (const auto wrong = s.faults.set(one.substr(0, equals), level); !wrong.empty()) {
      return complain("--fault " + one + ": " + wrong, exit_code::usage);
    }
  }
  if (!o.clock.empty()) {
    const auto moment = sandbox::moment_of(o.clock, time.wall_s());
    if (!moment)
      return complain("--clock takes a date, or seconds, not " + o.clock, exit_code::usage);
    s.frozen_at_s = *moment;
  }
  if (!o.webhook_url.empty()) {
    auto secret = webhook_secret_in(o.webhook_secret_file);
    if (!secret) return complain(secret.error().message, exit_code::usage);
    s.targets.push_back({o.webhook_url, *secret});
  }
  metrics counts;
  sandbox_service service(std::move(s), time, counts);
  if (auto ok = service.start(); !ok) return complain(ok.error().message, exit_code::failed);
  std::cout << fmt::format(
                   "Stripe, simulated, at http://{0}:{1}\n"
                   "  curl -s http://{0}:{1}/v1/customers -u {2}: -d email=ada@example.com\n",
                   at->address, service.port(), o.key)
            << std::flush;
  stop_signals.wait();
  service.stop();
  return exit_code::ok;
}

}  // namespace

void add_sandbox(CLI::App& app, chosen& run) {
  auto o = std::make_shared<sandbox_options>();
  auto* command = app.add_subcommand("sandbox", "Run a simulated Stripe on loopback");
  command->footer(
      "Examples:\n  tilld sandbox\n"
      "  tilld sandbox --webhook-url http://127.0.0.1:8456/webhooks/stripe/main \\\n"
      "                --webhook-secret-file ./whsec");
  command->add_option("--listen", o->listen, "Its address")->capture_default_str();
  command->add_option("--key", o->key, "The secret key it takes")->capture_default_str();
  command->add_option("--data", o->data, "Directory that keeps its state; without: in memory");
  command->add_option("--state", o->state, "File that keeps its state");
  command->add_option("--clock", o->clock,
                      "Where its clock stands still, such as 2026-01-01; without: real time");
  command->add_option("--fault", o->faults,
                      "What goes wrong, such as duplicate=0.2 or slow=0.1:1500; may be repeated");
  command->add_option("--fault-seed", o->fault_seed, "The same seed, the same faults")
      ->capture_default_str();
  command->add_flag("--rate-limits", o->rate_limits, "Limit requests as Stripe does in test mode");
  command->add_option("--webhook-url", o->webhook_url, "Where its events go");
  command->add_option("--webhook-secret-file", o->webhook_secret_file,
                      "File with the secret they are signed with");
  command->add_option("--seed", o->seed, "Of the ids: same seed, same ids")->capture_default_str();
  add_sandbox_run(*command, run);
  command->callback([&run, o, command] {
    if (command->get_subcommands().empty()) run = [o] { return run_sandbox(*o); };
  });
}

}  // namespace tilld::cli
