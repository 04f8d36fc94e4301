// Delivers the sandbox's events as Stripe does: signed, at least once, several at a time, again
// and again with growing pauses while an endpoint does not answer 2xx.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace tilld::cli {

struct webhook_endpoint {
  std::string url;
  std::string secret;
  std::vector<std::string> enabled_events;  // empty, or "*" among them: all
};

class webhook_sender {
 public:
  explicit webhook_sender(const clock& time);
  ~webhook_sender();

  // For good.
  void add_target(webhook_endpoint to);
  // Replaces those that were set before.
  void set_endpoints(std::vector<webhook_endpoint> all);
  void start();
  void stop();

  void send(const std::string& event_id, const std::string& type, std::string body);
  std::size_t waiting() const;
  std::size_t delivered() const;

 private:
  class queue;
  std::unique_ptr<queue> queue_;
};

}  // namespace tilld::cli
