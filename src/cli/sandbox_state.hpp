// The sandbox's state file: the simulator's own bytes and the deliveries that wait.
//
//   file = "tilld-sandbox 1 " length "\n" deliveries simulator      length: of the deliveries
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tilld::cli {

struct sandbox_state {
  std::string deliveries;
  std::string simulator;
};

std::string to_bytes(const sandbox_state& s);
std::optional<sandbox_state> sandbox_state_of(std::string_view bytes);

}  // namespace tilld::cli
