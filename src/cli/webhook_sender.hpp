// Delivers the sandbox's events as Stripe does: signed, at least once, several at a time, again
// and again with growing pauses while an endpoint does not answer 2xx. Deliveries that wait can be
// kept and taken up again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "sandbox/control/faults.hpp"

namespace tilld::cli {

struct webhook_endpoint {
  std::string url;
  std::vector<std::string> secrets;           // the newest first; each makes a signature
  std::vector<std::string> enabled_events{};  // empty, or "*" among them: all
  bool everybodys = true;                     // whichever account an event is of; otherwise:
  bool connect = false;                       // of every connected one, or of `account` alone
  std::string account{};                      // empty: the own
};

class webhook_sender {
 public:
  explicit webhook_sender(const clock& time);
  ~webhook_sender();

  // Called from the sender's thread when nobody waits for that event any more.
  void on_delivered(std::function<void(const std::string& event)> told);

  // For good.
  void add_target(webhook_endpoint to);
  // Replaces those that were set before.
  void set_endpoints(std::vector<webhook_endpoint> all);
  void start();
  void stop();

  bool send(sandbox::planned parcel);  // false: nobody wants it
  void forget_all();                   // what waits
  std::size_t waiting() const;
  std::size_t delivered() const;

  // What waits, as a JSON list; and taken up again, before start().
  std::string save() const;
  void restore(std::string_view saved);

 private:
  class queue;
  std::unique_ptr<queue> queue_;
};

}  // namespace tilld::cli
