// The orders in which the events of one second can have happened, as walks through the object's
// states.
//
// Each distinct state is a place. An event with previous_attributes is a road from the state before
// it to the state after it; it was travelled. An event without them only names a place that was
// visited, and may be a leap to it from wherever the walk was. A walk that travels every road and
// visits every named place is an order that fits; the places where such walks end are the documents
// the second can have ended in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tilld::core::ordering {

using place = std::uint8_t;
using places = std::uint32_t;  // a set: bit p is place p
inline constexpr std::size_t most_places = 32;
// 2^14 subsets at most, each a few bytes of memo; a busier second is asked of Stripe.
inline constexpr std::size_t most_roads_and_leaps = 14;
inline constexpr std::size_t most_steps = 50'000;

struct walk_map {
  struct road {
    place from;
    place to;
  };
  // Several roads with the same ends are one change told twice, or the change made twice: one of
  // them is travelled, the others may be.
  std::vector<road> roads;

  struct leap {
    place to;
    places from = 0;           // where it can start
    bool can_be_first = true;  // from the unknown state before the second
  };
  std::vector<leap> leaps;

  places starts = 0;   // where the walk can begin: states the object can have been in before
  places visited = 0;  // places that every walk must see
};

// The set of last places: none when no walk fits (events are missing), several when the events do
// not tell. nullopt: too much to try.
std::optional<places> last_places(const walk_map& map);

}  // namespace tilld::core::ordering
