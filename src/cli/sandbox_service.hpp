// The sandbox as a running service: the simulator behind a listener, its events delivered as signed
// webhooks, its state kept in a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "sandbox/control/faults.hpp"

namespace tilld::cli {

struct sandbox_settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 12111;
  std::string secret_key = "sk_test_sandbox";
  std::uint64_t seed = 1;
  std::string state_file;  // empty: the state is forgotten at the end
  struct target {
    std::string url;
    std::string secret;  // "whsec_…"
  };
  bool rate_limits = false;
  std::int64_t frozen_at_s = 0;  // where its clock stands still; 0: it follows the wall
  sandbox::faults faults{1};
  std::vector<target> targets;  // besides those made through /v1/webhook_endpoints
};

// Its own calls are under /_sandbox: src/sandbox/control and docs/sandbox.md.
class sandbox_service {
 public:
  sandbox_service(sandbox_settings settings, const clock& time, metrics& counts);
  ~sandbox_service();

  // Errors: unavailable (address in use), corrupt (the state file is not of this version).
  result<void> start();
  std::uint16_t port() const;
  void add_target(sandbox_settings::target to);
  // Takes no more requests, delivers no more events, and keeps the state.
  void stop();

 private:
  class service;
  std::unique_ptr<service> service_;
};

}  // namespace tilld::cli
