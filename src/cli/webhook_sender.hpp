// Delivers the sandbox's events as Stripe does: signed, at least once, several at a time, again
// and again with growing pauses while an endpoint does not answer 2xx.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace tilld::cli {

class webhook_sender {
 public:
  explicit webhook_sender(const clock& time);
  ~webhook_sender();

  // `enabled_events`: empty or "*": all.
  void add_target(std::string url, std::string secret, std::vector<std::string> enabled_events);
  // Adds, replaces, or (empty url) removes the endpoint of this id.
  void set_endpoint(const std::string& id, std::string url, std::string secret,
                    std::vector<std::string> enabled_events);
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
