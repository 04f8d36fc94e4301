#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "cli/daemon.hpp"
#include "cli/sandbox_service.hpp"
#include "cli/signals.hpp"

namespace tilld::cli {

namespace {

struct serve_options {
  settings_flags settings;
  bool with_sandbox = false;
  std::string sandbox_address = "127.0.0.1:12111";
};

bool under_journald() {
  return std::getenv("JOURNAL_STREAM") != nullptr;
}  // NOLINT

// The sandbox's key and webhook secret: made once, kept beside its state.
struct sandbox_secrets {
  std::string key;
  std::string webhook_secret;
};

result<sandbox_secrets> sandbox_secrets_in(const std::string& directory) {
  const std::string path = directory + "/sandbox-secrets";
  if (auto kept = read_small_file(path)) {
    const auto line_end = kept->find('\n');
    if (line_end != std::string::npos) {
      std::string secret = kept->substr(line_end + 1);
      while (!secret.empty() && secret.back() == '\n')
        secret.pop_back();
      return sandbox_secrets{kept->substr(0, line_end), std::move(secret)};
    }
  }
  sandbox_secrets made{"sk_test_" + random_token(18), "whsec_" + random_token(24)};
  if (auto ok = write_private_file(path, made.key + "\n" + made.webhook_secret + "\n"); !ok) {
    return std::unexpected(ok.error());
  }
  return made;
}

result<std::unique_ptr<sandbox_service>> start_sandbox(const serve_options& o,
                                                       config::settings& settings,
                                                       const clock& time, metrics& counts,
                                                       std::string& webhook_secret) {
  auto at = config::parse_endpoint(o.sandbox_address);
  if (!at) return std::unexpected(at.error());
  if (!at->loopback) return fail(errc::invalid, "the sandbox listens on loopback only");
  if (settings.accounts.size() > 1) {
    return fail(errc::invalid, "--sandbox stands for one account, and the settings have " +
                                   std::to_string(settings.accounts.size()) +
                                   "; run 'tilld sandbox' for each, and set their api_url to it");
  }
  auto secrets = sandbox_secrets_in(settings.data.directory);
  if (!secrets) return std::unexpected(secrets.error());
  sandbox_settings s;
  s.address = at->address;
  s.port = at->port;
  s.secret_key = secrets->key;
  s.state_file = settings.data.directory + "/sandbox-state";
  auto service = std::make_unique<sandbox_service>(std::move(s), time, counts);
  if (auto ok = service->start(); !ok) return std::unexpected(ok.error());
  auto& account = settings.accounts.begin()->second;
  account.live = false;
  account.api_url = fmt::format("http://{}:{}", at->address, service->port());
  account.key = config::secret(secrets->key);
  account.webhook_secrets = {config::secret(secrets->webhook_secret)};
  account.read_rate = account.write_rate = 1000;  // it is our own machine
  webhook_secret = secrets->webhook_secret;
  return service;
}

void print_welcome(const daemon& d, const config::settings& settings, const std::string& token) {
  const std::string api = d.api_url();
  std::cout << fmt::format(
                   "\ntilld is serving\n"
                   "  API       {0}   (/v1 as Stripe has it, /api in JSON)\n"
                   "  webhooks  {1}\n"
                   "  sandbox   {2}   (Stripe, simulated; no account is needed)\n"
                   "  token     {3}   (also in {4}/dev-token)\n\n"
                   "Try:\n"
                   "  curl -s {0}/v1/customers -u {3}: -d email=ada@example.com -d "
                   "'metadata[user_id]=ada'\n"
                   "  curl -s {0}/api/customers/ada -u {3}:\n"
                   "  curl -s {0}/readyz\n\n"
                   "The README's tour goes on from here. Ctrl-C stops everything.\n\n",
                   api, d.webhooks_url(), settings.accounts.begin()->second.api_url, token,
                   settings.data.directory)
            << std::flush;
}

result<std::string> dev_token(daemon& d, const std::string& directory) {
  const std::string path = directory + "/dev-token";
  std::string kept = read_small_file(path).value_or("");
  while (!kept.empty() && kept.back() == '\n')
    kept.pop_back();
  auto token = d.ensure_token(kept, "dev", "admin");
  if (!token) return token;
  if (*token != kept) {
    if (auto ok = write_private_file(path, *token + "\n"); !ok) return std::unexpected(ok.error());
  }
  return token;
}

// Tells systemd that we live, as long as a write comes back from the disk.
class watchdog {
 public:
  explicit watchdog(daemon& d) {
    std::uint64_t every_us = 0;
    if (sd_watchdog_enabled(0, &every_us) <= 0) return;
    const auto pause = std::chrono::microseconds(every_us / 3);
    thread_ = std::jthread([&d, pause](std::stop_token ends) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(pause).count();
      while (!ends.stop_requested()) {
        if (d.probe(ms)) sd_notify(0, "WATCHDOG=1");
        for (int i = 0; i < 10 && !ends.stop_requested(); ++i) {
          std::this_thread::sleep_for(pause / 10);
        }
      }
    });
  }

 private:
  std::jthread thread_;
};

int exit_code_of(const error& why) {
  return why.code == errc::unavailable ? exit_code::unavailable : exit_code::failed;
}

int serve(const serve_options& o) {
  ::prctl(PR_SET_DUMPABLE, 0);  // no core file with secrets in it
  auto settings = o.settings.load();
  if (!settings) return exit_code::usage;
  log::configure(log::parse_level(settings->log.level, log::level::info), under_journald());
  signals stop_signals;  // before any thread, so that all of them leave the signals to us
  const system_clock time;
  metrics counts;
  if (auto made = make_private_directory(settings->data.directory); !made) {
    return complain(made.error().message, exit_code_of(made.error()));
  }
  std::unique_ptr<sandbox_service> sandbox;
  std::string webhook_secret;
  if (o.with_sandbox) {
    auto started = start_sandbox(o, *settings, time, counts, webhook_secret);
    if (!started) return complain(started.error().message, exit_code_of(started.error()));
    sandbox = std::move(*started);
  }
  for (const auto& warning : config::warnings(*settings))
    log::warning("settings", {{"note", warning}});
  std::atomic<bool> fatal{false};
  daemon house(*settings, time, counts, [&](const std::string& why) {
    log::error("fatal", {{"why", why}});
    fatal = true;
    stop_signals.raise();
  });
  if (auto ok = house.start(); !ok) return complain(ok.error().message, exit_code_of(ok.error()));
  if (sandbox) {
    sandbox->add_target({house.webhooks_url(), webhook_secret});
    auto token = dev_token(house, settings->data.directory);
    if (!token) return complain(token.error().message, exit_code::failed);
    print_welcome(house, *settings, *token);
  }
  log::info("serving", {{"version", TILLD_VERSION},
                        {"api", house.api_url()},
                        {"webhooks", house.webhooks_url()},
                        {"data", settings->data.directory}});
  sd_notify(0, "READY=1");
  {
    const watchdog alive(house);
    stop_signals.wait();
  }
  sd_notify(0, "STOPPING=1");
  // After a failed sync nothing more may be promised: go at once, the next start reads the disk.
  if (fatal) ::_exit(exit_code::io);
  log::info("stopping");
  house.stop();
  if (sandbox) sandbox->stop();
  return exit_code::ok;
}

}  // namespace

void add_serve(CLI::App& app, chosen& run) {
  auto o = std::make_shared<serve_options>();
  auto* command = app.add_subcommand("serve", "Run the daemon");
  command->footer(
      "Examples:\n"
      "  tilld serve --sandbox                          try it: no Stripe account is needed\n"
      "  tilld serve --config /etc/tilld/tilld.toml     as a service");
  o->settings.add_to(*command);
  command->add_option_function<std::string>(
      "--listen", [o](const std::string& v) { o->settings.flags["api.listen"] = v; },
      "Address of the API [127.0.0.1:8455]");
  command->add_option_function<std::string>(
      "--listen-webhooks", [o](const std::string& v) { o->settings.flags["webhooks.listen"] = v; },
      "Address of the webhooks [127.0.0.1:8456]");
  auto* sandbox =
      command
          ->add_option("--sandbox", o->sandbox_address,
                       "Run with the Stripe sandbox in the same process, at this address")
          ->expected(0, 1)
          ->default_str("127.0.0.1:12111");
  command->callback([&run, o, sandbox] {
    o->with_sandbox = sandbox->count() > 0;
    if (o->sandbox_address.empty()) o->sandbox_address = "127.0.0.1:12111";
    run = [o] { return serve(*o); };
  });
}

}  // namespace tilld::cli
