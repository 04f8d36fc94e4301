// The calls under /_sandbox: what a test asks of a simulated Stripe that no real one would do.
// JSON in, JSON out. docs/sandbox.md lists them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/control/faults.hpp"
#include "sandbox/simulator.hpp"

namespace tilld::sandbox {

struct control_answer {
  int status = 200;
  std::string body;
};

class control {
 public:
  control(simulator& s, faults& f) : stripe_(s), faults_(f) {}

  // Nothing when there is no such call here. Not thread-safe, as the simulator.
  std::optional<control_answer> handle(std::string_view verb, std::string_view path,
                                       std::string_view body, std::int64_t real_s);

 private:
  simulator& stripe_;
  faults& faults_;
  std::map<std::string, std::string> snapshots_;
};

}  // namespace tilld::sandbox
