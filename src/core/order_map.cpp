// The walk through one second: how its events become places, roads and leaps.
#include <algorithm>
#include <bit>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/order_scene.hpp"
#include "core/order_walk.hpp"

namespace tilld::core::ordering {

using nlohmann::json;

class scene::cartographer {
 public:
  cartographer(scene& of, std::span<const fact* const> second) : scene_(of), second_(second) {
    for (const fact* f : second)
      if (f->as == role::birth) births_.push_back(f);
  }

  std::optional<walk_map> draw() {
    for (const fact* f : second_)
      add_roads(*f);
    for (const fact* f : second_)
      add_visit(*f);
    if (too_many_) return std::nullopt;
    for (const fact* f : second_)
      add_leap(*f);
    add_starts();
    return map_;
  }

  const fact* at(place p) const {
    for (std::size_t i = 0; i < second_.size(); ++i)
      if (ends_at_[i] == p) return second_[i];
    return nullptr;
  }

 private:
  static constexpr places bit(place p) { return places{1} << p; }

  place place_of(const json& state) {
    for (std::size_t i = 0; i < states_.size(); ++i)
      if (states_[i] && same(*states_[i], state)) return static_cast<place>(i);
    return add(&state);
  }
  // Not there: before the birth, after the death.
  place nowhere() {
    if (!nowhere_) nowhere_ = add(nullptr);
    return *nowhere_;
  }
  place add(const json* state) {
    if (states_.size() == most_places) {
      too_many_ = true;
      return most_places - 1;
    }
    states_.push_back(state);
    return static_cast<place>(states_.size() - 1);
  }

  void add_roads(const fact& f) {
    place to = 0;
    if (f.as == role::birth) {
      to = place_of(scene_.after(f));
      map_.roads.push_back({nowhere(), to});
    } else if (f.as == role::death) {
      to = nowhere();
      if (f.seen.created_s) map_.roads.push_back({place_of(scene_.while_alive(f)), to});
    } else {
      to = place_of(scene_.after(f));
      if (scene_.change(f)) map_.roads.push_back({place_of(scene_.before(f)), to});
    }
    ends_at_.push_back(to);
  }

  bool has_road(const fact& f) {
    if (f.as == role::birth) return true;
    if (f.as == role::death) return f.seen.created_s.has_value();
    return scene_.change(f) != nullptr;
  }

  void add_visit(const fact& f) {
    const place p = place_of_fact(f);
    if (!has_road(f)) map_.visited |= bit(p);
    if (f.as == role::move) moved_to_ |= bit(p);
  }

  place place_of_fact(const fact& f) const {
    const auto i = std::ranges::find(second_, &f) - second_.begin();
    return ends_at_[static_cast<std::size_t>(i)];
  }

  void add_leap(const fact& f) {
    if (has_road(f) || f.as == role::notice || f.as == role::update) return;
    const place to = place_of_fact(f);
    const bool told_by_update =
        std::ranges::any_of(map_.roads, [&](const auto& road) { return road.to == to; });
    if (f.as == role::echo && told_by_update) return;
    walk_map::leap leap{to, 0, !f.gone && !begins_here(f.seen.created_s)};
    for (std::size_t i = 0; i < states_.size(); ++i)
      if (i != to && states_[i] && can_leap(*states_[i], f))
        leap.from |= bit(static_cast<place>(i));
    map_.leaps.push_back(leap);
  }

  bool can_leap(const json& from, const fact& f) {
    if (f.gone) return true;
    const json& to = scene_.after(f);
    if (by_growth(scene_.object_name_, from, to) == 1) return false;
    if (f.as != role::move || f.moved_field.empty()) return true;
    return !same(member(from, f.moved_field), member(to, f.moved_field));
  }

  // This incarnation was born in this second, so nothing of it was there before.
  bool begins_here(const std::optional<std::int64_t>& created_s) const {
    if (!scene_.reborn_) return !births_.empty();
    return std::ranges::any_of(
        births_, [&](const fact* b) { return !created_s || b->seen.created_s == created_s; });
  }

  void add_starts() {
    places tails = map_.visited;
    for (const auto& road : map_.roads)
      tails |= bit(road.from);
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const places here = bit(static_cast<place>(i));
      if (!(tails & here)) continue;
      const bool possible = states_[i]
                                ? !(moved_to_ & here) && !begins_here(created_of(*states_[i])) &&
                                      !is_entered_here(*states_[i])
                                : !births_.empty();
      if (possible) map_.starts |= here;
    }
  }

  // An event of this second tells that the object came into this state's status for the first time.
  bool is_entered_here(const json& state) {
    return std::ranges::any_of(second_, [&](const fact* f) {
      return f->entered_once &&
             same(member(state, f->moved_field), member(scene_.after(*f), f->moved_field));
    });
  }

  static std::optional<std::int64_t> created_of(const json& state) {
    const json& created = member(state, "created");
    return created.is_number_integer() ? std::optional(created.get<std::int64_t>()) : std::nullopt;
  }

  scene& scene_;
  std::span<const fact* const> second_;
  std::vector<const fact*> births_;
  std::vector<const json*> states_;  // nullptr: nowhere
  std::vector<place> ends_at_;       // per fact
  std::optional<place> nowhere_;
  places moved_to_ = 0;
  bool too_many_ = false;
  walk_map map_;
};

// `told`: some walk fits, or there are too many to try; then the answer stands, also when it is
// nullptr. Otherwise events are missing and weaker evidence may do.
const fact* scene::last_by_walking(std::span<const fact* const> second, bool& told) {
  cartographer maker(*this, second);
  const auto map = maker.draw();
  told = true;
  if (!map) return nullptr;
  const auto ends = last_places(*map);
  if (!ends) return nullptr;
  told = *ends != 0;
  if (*ends == 0 || (*ends & (*ends - 1)) != 0) return nullptr;
  const fact* last = maker.at(static_cast<place>(std::countr_zero(*ends)));
  return last && !contradicted(*last, second) ? last : nullptr;
}

}  // namespace tilld::core::ordering
