// What goes wrong between a real Stripe and its callers, on demand: seeded, so that the same seed
// and the same requests go wrong in the same way. docs/sandbox.md describes each.
//
// A fault is set to a probability from 0 (off) to 1, and where it has one, its measure:
// "0.1" or "0.1:1500". For one request the header Tilld-Sandbox-Fault names one, "error_after" or
// "slow:1500".
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/simulator.hpp"

namespace tilld::sandbox {

enum class fault : std::uint8_t {
  // of answers
  reset,         // the connection ends before anything is done
  lost_answer,   // the connection ends when all is done
  slow,          // the answer waits; ms
  error_before,  // 500, nothing is done
  error_after,   // 500, all is done; Stripe-Should-Retry: true
  error_final,   // 500, all is done; Stripe-Should-Retry: false
  conflict,      // 409: another request with this key is on its way
  lock_timeout,  // 429 lock_timeout: the object is in use
  global_rate,   // 429, with its Stripe-Rate-Limited-Reason; these five
  global_concurrency,
  endpoint_rate,
  endpoint_concurrency,
  resource_specific,
  // of deliveries
  duplicate,        // once more, up to some time later; ms
  reorder,          // each waits a random time up to this; ms
  delay,            // waits this long; ms
  drop,             // is lost, and comes with the retry so much later; ms
  stale,            // shows its object as it was before the change
  other_version,    // in another API version
  short_lists,      // its object's lists are cut after the first
  clock_skew,       // the signature's time is off at the first try; seconds
  secret_rotation,  // signed with an older secret too
};
inline constexpr std::size_t fault_count = 22;

struct fault_row {
  fault of;
  std::string_view name;
  bool of_answers;
  std::int64_t measure;  // when none is given; 0: it has none
};
std::span<const fault_row> all_faults();

// What goes wrong with one request.
struct mishap {
  bool refuses = false;   // with `answer`, and nothing is done
  bool replaces = false;  // everything is done, then `answer` comes instead
  bool hangs_up = false;  // instead of the answer the connection ends
  bool skips = false;     // … and nothing is done
  std::int64_t wait_ms = 0;
  response answer;
};

// One delivery of an event.
struct planned {
  std::string event;
  std::string type;
  std::string account;  // a connected one; empty: the own
  std::string body;
  std::int64_t after_ms = 0;
  std::int64_t skew_s = 0;  // of the signature's time, at the first try
  bool old_secret = false;  // signed with an older one, too
};

// Stripe's 429 with that reason.
response rate_limited(std::string_view reason);

class faults {
 public:
  explicit faults(std::uint64_t seed) : dice_(seed) {}

  // What is wrong with it; empty: set. A value as above, or a JSON number.
  std::string set(std::string_view name, std::string_view value);
  void clear() { levels_ = {}; }
  std::string shown() const;  // {"duplicate": "0.2:1000", …}, those that are on

  mishap for_request(const std::string& header, std::string& wrong);
  std::vector<planned> for_events(std::vector<emitted> events);

 private:
  struct level {
    double probability = 0;
    std::int64_t measure = 0;
  };
  bool strikes(fault f);
  std::int64_t up_to(std::int64_t most);
  void strike(mishap& m, fault f, std::int64_t measure) const;

  std::array<level, fault_count> levels_;
  std::mt19937_64 dice_;
};

}  // namespace tilld::sandbox
