// Load on an HTTP server: one thread, one epoll, N keep-alive connections, requests built before.
//
// Closed loop (rate 0): each connection sends its next request when the answer to the last is
// there. Open loop: requests have times at which they should be sent, and latency counts from
// them, so a server that stalls cannot hide it (coordinated omission).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace tilld::bench {

struct load_plan {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  int connections = 1;
  double seconds = 3;
  double warm_up_seconds = 0.3;       // not counted
  double rate = 0;                    // requests/s over all connections; 0: closed loop
  std::vector<std::string> requests;  // whole, with their heads; sent in turn
  bool repeat = true;                 // false: each request once, then the run ends
};

struct load_report {
  double seconds = 0;
  std::uint64_t answers = 0;
  std::uint64_t broken = 0;  // connections that ended early; they are opened again
  std::map<int, std::uint64_t> by_status;
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double worst_us = 0;

  double per_second() const { return seconds > 0 ? static_cast<double>(answers) / seconds : 0; }
};

// Blocks until the run is over. Errors: unavailable (nobody listens, no sockets), invalid.
result<load_report> drive(const load_plan& plan);

// "12,345/s  p50 61 us  p99 120 us" and statuses other than 200, for a terminal.
std::string summary(const load_report& report);

}  // namespace tilld::bench
