// The gateway: the only way out to Stripe, one per account. A thin shell: core::gateway_plan
// decides what leaves when and what is tried again; the transport carries it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "actors/context.hpp"
#include "actors/messages.hpp"
#include "actors/till.hpp"
#include "core/gateway_plan.hpp"

namespace tilld::actors {

struct gateway_settings {
  std::string api_url;
  std::string api_key;
  std::string api_version;
  core::gateway_limits limits;
};

// What a status page shows; written by the actor, read by anybody.
struct gateway_board {
  std::mutex mutex;
  core::gateway_status status;
};

struct gateway_state {
  static inline const char* name = "gateway";
  const context* shared = nullptr;
  gateway_settings settings;
  transport way_out;
  std::shared_ptr<gateway_board> board;
  std::optional<core::gateway_plan> plan;
  std::unordered_map<core::ticket, once<stripe::outcome>> waiting;
  core::ticket next_ticket = 1;
  std::int64_t tick_at_ms = 0;
};

gateway_actor::behavior_type gateway(gateway_actor::stateful_pointer<gateway_state> self,
                                     const context* shared, gateway_settings settings,
                                     transport way_out, std::shared_ptr<gateway_board> board);

}  // namespace tilld::actors
