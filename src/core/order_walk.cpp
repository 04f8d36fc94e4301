#include "core/order_walk.hpp"

#include <algorithm>
#include <unordered_set>

namespace tilld::core::ordering {
namespace {

constexpr places bit(place p) {
  return places{1} << p;
}

class walker {
 public:
  explicit walker(const walk_map& map) : map_(map), required_(one_road_of_each()) {}

  std::optional<places> run() {
    for (place p = 0; p < most_places; ++p)
      if (map_.starts & bit(p)) go({0, bit(p), p});
    for (std::size_t i = 0; i < map_.leaps.size(); ++i)
      if (map_.leaps[i].can_be_first) go({leap_bit(i), bit(map_.leaps[i].to), map_.leaps[i].to});
    return steps_ > most_steps ? std::nullopt : std::optional(ends_);
  }

 private:
  struct state {
    std::uint32_t used;  // roads, then leaps
    places seen;
    place at;
    friend bool operator==(const state&, const state&) = default;
  };
  struct hash {
    std::size_t operator()(const state& s) const {
      return ((std::uint64_t{s.seen} << 32) ^ (std::uint64_t{s.used} << 8) ^ s.at) *
             0x9e37'79b9'7f4a'7c15u;
    }
  };

  std::uint32_t leap_bit(std::size_t i) const { return 1u << (map_.roads.size() + i); }

  // For each road, the roads with its ends: at least one of them must be travelled.
  std::vector<std::uint32_t> one_road_of_each() const {
    std::vector<std::uint32_t> groups;
    for (const auto& road : map_.roads) {
      std::uint32_t group = 0;
      for (std::size_t i = 0; i < map_.roads.size(); ++i)
        if (map_.roads[i].from == road.from && map_.roads[i].to == road.to) group |= 1u << i;
      if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
    }
    return groups;
  }

  bool complete(const state& s) const {
    return (s.seen & map_.visited) == map_.visited &&
           std::ranges::all_of(required_, [&](auto group) { return (s.used & group) != 0; });
  }

  void go(const state& s) {
    if (++steps_ > most_steps || !tried_.insert(s).second) return;
    if (complete(s)) ends_ |= bit(s.at);
    for (std::size_t i = 0; i < map_.roads.size(); ++i) {
      const auto& road = map_.roads[i];
      if (road.from == s.at && !(s.used & (1u << i)))
        go({s.used | (1u << i), s.seen | bit(road.to), road.to});
    }
    for (std::size_t i = 0; i < map_.leaps.size(); ++i) {
      const auto& leap = map_.leaps[i];
      if ((leap.from & bit(s.at)) && !(s.used & leap_bit(i)))
        go({s.used | leap_bit(i), s.seen | bit(leap.to), leap.to});
    }
  }

  const walk_map& map_;
  const std::vector<std::uint32_t> required_;
  std::unordered_set<state, hash> tried_;
  places ends_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace

std::optional<places> last_places(const walk_map& map) {
  if (map.roads.size() + map.leaps.size() > most_roads_and_leaps) return std::nullopt;
  return walker(map).run();
}

}  // namespace tilld::core::ordering
