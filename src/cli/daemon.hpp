// The daemon: store, actors and listeners, put together and taken apart in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "config/settings.hpp"

namespace tilld::cli {

class daemon {
 public:
  // `on_fatal` is called once when only a restart can help.
  daemon(config::settings settings, const clock& time, metrics& counts,
         std::function<void(std::string why)> on_fatal);
  ~daemon();

  // Opens the store and starts to serve. Errors say what to do; nothing is left running.
  result<void> start();

  std::string api_url() const;
  std::string webhooks_url() const;  // of the first account's endpoint

  // Makes a token if `plain` is not one already. Returns the one that is good.
  result<std::string> ensure_token(const std::string& plain, const std::string& name,
                                   const std::string& scope);

  // A write all the way to the disk and back; false after `deadline_ms`. For the watchdog.
  bool probe(std::int64_t deadline_ms);

  // No new work; what was taken is finished or safely stored, within the settings' deadline.
  void stop();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace tilld::cli
