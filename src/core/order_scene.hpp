// The contested time: everything that is known about one object in it, and which of it is last.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "core/order.hpp"
#include "core/order_json.hpp"
#include "core/order_rules.hpp"

namespace tilld::core::ordering {

// One statement about the object: a state it had at some moment in [lo, hi].
struct fact {
  bool is_snapshot = false;  // not an event: nothing is known of the state before
  role as = role::other;
  std::string_view moved_field;
  bool entered_once = false;  // a `move`, and its field had not this value ever before
  std::string_view text;      // the document
  std::string_view previous;  // previous_attributes or empty
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  bool gone = false;  // the state is: deleted
  glance seen;
  std::optional<int> rank;
};

enum class order_of : std::uint8_t { before, after, unknown };

class scene {
 public:
  explicit scene(std::string_view object_name);
  ~scene();
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;

  fact read(const event_fact& event) const;
  fact read(const held& current) const;
  fact read(const snapshot_fact& snapshot) const;

  bool same_state(const fact& a, const fact& b);
  // Is `a` certainly before `b`, certainly after, or is there no telling? By what never goes back.
  order_of certain(const fact& a, const fact& b);
  // The same, also by what the two show of each other's changes. A value that went and came back
  // deceives it, so it may only decide while events are known to be missing.
  order_of likely(const fact& a, const fact& b);
  // `state` can be the one right before the event, as far as the event tells.
  bool may_precede(const fact& state, const fact& event);
  // The event of this one second after which nothing happened in it; any of those with its state.
  // nullptr: there is no telling.
  const fact* last_of(std::span<const fact* const> second);
  // `state` is one that the event saw: the one after it or the one right before it.
  bool saw(const fact& event, const fact& state);

  bool can_be_reborn() const { return reborn_; }
  bool is_final(const fact& f) const;
  // A document was not JSON within the bounds; nothing that was said about it counts.
  bool unreadable() const { return unreadable_; }

 private:
  class cartographer;  // makes the walk_map of a second

  const nlohmann::json& document(std::string_view text);
  const nlohmann::json& after(const fact& f) { return document(f.text); }
  const nlohmann::json* change(const fact& f);  // nullptr: none, or none with an effect
  const nlohmann::json& before(const fact& f);  // only where there is a change
  const nlohmann::json& while_alive(const fact& death);

  order_of without_reading(const fact& a, const fact& b) const;
  order_of gone_against(const fact& gone, const fact& alive) const;
  bool is_first_there(const fact& a, const fact& b);
  order_of by_evidence(const fact& a, const fact& b);
  bool leads_to(const fact& a, const fact& b);
  bool shows(const fact& later, const fact& change_by);
  const fact* last_by_walking(std::span<const fact* const> second, bool& told);
  const fact* last_by_elimination(std::span<const fact* const> second);
  bool contradicted(const fact& last, std::span<const fact* const> second);

  struct update_states;
  const update_states& states_of(const fact& f);

  struct library;  // what has been parsed; most decisions need none of it
  std::string_view object_name_;
  bool reborn_;
  bool unreadable_ = false;
  std::unique_ptr<library> read_;
};

}  // namespace tilld::core::ordering
