// Who goes next when several lanes want the same thing: the earlier lane, but none waits for ever.
//
// Each lane counts how often it was passed over while it could have gone. When the lanes that can
// go could otherwise not all be served in time, the one that was passed over most often goes. So a
// lane that can always go is passed over at most 7 times in a row: with all four lanes busy, of
// every 8 turns 5 are the first lane's and one is each other's. Where lanes come and go between
// turns, a lane is passed over at most 10 times: 7, and one turn of each of the three others.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "stripe/call.hpp"

namespace tilld::core {

class lane_turns {
 public:
  static constexpr int passed_over_at_most = 7;

  using lanes = std::array<bool, stripe::lane_count>;  // those that can go now

  // The lane that must go now, if one must.
  std::optional<std::size_t> due(const lanes& ready) const;
  // The lane that goes: the one that is due, else the first. nullopt when none can.
  std::optional<std::size_t> next(const lanes& ready) const;
  // `lane` went, and the others in `ready` were passed over.
  void went(std::size_t lane, const lanes& ready);

 private:
  std::array<int, stripe::lane_count> passed_over_{};
};

}  // namespace tilld::core
