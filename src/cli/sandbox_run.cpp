// tilld sandbox run FILE …: scenarios, for people's tests of their own applications.
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "net/client.hpp"
#include "sandbox/scenario/scenario.hpp"
#include "stripe/signature.hpp"

namespace tilld::cli {

namespace {

struct run_options {
  std::vector<std::string> files;
  std::string webhook_url;
  std::string webhook_secret_file;
};

// Sends each event as Stripe would and wants a 2xx for it.
class application {
 public:
  application(std::string url, std::string secret)
      : url_(std::move(url)), secret_(std::move(secret)) {}

  std::string take(const std::vector<sandbox::emitted>& events) {
    for (const auto& e : events) {
      net::request r;
      r.verb = "POST";
      r.url = url_;
      r.body = e.body;
      r.deadline_ms = 20'000;
      const std::vector<std::string> secrets{secret_};
      r.headers = {{"Content-Type", "application/json; charset=utf-8"},
                   {"Stripe-Signature", stripe::sign(e.body, secrets, time_.wall_s())}};
      const auto outcome = client_.call(std::move(r));
      if (!outcome)
        return "The application did not take " + e.type + ": " + outcome.error().message;
      if (outcome->status < 200 || outcome->status > 299) {
        return "The application answered " + std::to_string(outcome->status) + " to " + e.type +
               ".";
      }
    }
    return {};
  }

 private:
  std::string url_;
  std::string secret_;
  system_clock time_;
  net::client client_;
};

int run_files(const run_options& o) {
  std::unique_ptr<application> app;
  if (!o.webhook_url.empty()) {
    auto secret = webhook_secret_in(o.webhook_secret_file);
    if (!secret) return complain(secret.error().message, exit_code::usage);
    app = std::make_unique<application>(o.webhook_url, *secret);
  }
  const sandbox::delivery deliver = [&](const std::vector<sandbox::emitted>& events) {
    return app ? app->take(events) : std::string();
  };
  int failures = 0;
  for (const auto& file : o.files) {
    const std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return complain("cannot read " + file, exit_code::usage);
    const auto result = sandbox::run_scenario(text.str(), deliver);
    if (result.line == 0) {
      std::cout << fmt::format("ok      {} ({} steps)\n", file, result.steps);
    } else {
      ++failures;
      std::cout << fmt::format("FAILED  {}:{}: {}\n", file, result.line, result.why);
    }
  }
  return failures == 0 ? exit_code::ok : exit_code::failed;
}

}  // namespace

void add_sandbox_run(CLI::App& sandbox, chosen& run) {
  auto o = std::make_shared<run_options>();
  auto* command = sandbox.add_subcommand("run", "Run scenarios: stories of an account, checked");
  command->footer(
      "Each file is run on an account of its own. docs/sandbox.md describes the lines.");
  command->add_option("FILE", o->files, "Scenario files")->required();
  command->add_option("--webhook-url", o->webhook_url, "Where deliver sends what has been told");
  command->add_option("--webhook-secret-file", o->webhook_secret_file,
                      "File with the secret it is signed with");
  command->callback([&run, o] { run = [o] { return run_files(*o); }; });
}

}  // namespace tilld::cli
