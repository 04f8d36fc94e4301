// What the order rule knows about Stripe's objects, as tables: which statuses come after which,
// which fields never go back, and what an event type says about the moment before it.
//
// A missing row costs refetches, never correctness; a wrong row costs correctness. So a row is here
// only where Stripe's documentation of the object's states forbids the way back.
// Source: the status descriptions of each object in https://docs.stripe.com/api, and
// https://docs.stripe.com/invoicing/integration/workflow-transitions for invoices.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tilld::core::ordering {

// A higher rank is certainly later; the same rank says nothing. nullopt: no row.
std::optional<int> status_rank(std::string_view object_name, std::string_view status);
bool status_is_final(std::string_view object_name, std::string_view status);
bool has_final_statuses(std::string_view object_name);
// Once left, the status never comes back: the event that tells of entering it is the first in it.
bool status_is_entered_once(std::string_view object_name, std::string_view status);

// Fields that only grow: null or absent, then a value; false, then true; numbers upwards. A dot
// reaches into a hash. `set_once`: only from nothing to something counts, not which of two values.
struct growing_field {
  std::string_view object_name;  // empty: any object
  std::string_view path;
  bool set_once = false;
};
std::span<const growing_field> growing_fields();

// Objects whose id the account chooses: after a deletion the same id can be created again.
// Everything else is deleted once and for all.
bool can_be_reborn(std::string_view object_name);

// What kind of statement an event is.
enum class role : std::uint8_t {
  birth,   // *.created: the first state
  death,   // the object is gone
  update,  // carries previous_attributes: the states before and after are both known
  move,    // without previous_attributes; its type says that it changed `moved_field`
  echo,    // without; what it changed has a *.updated event of its own, which may come too
  notice,  // without; changes nothing (customer.subscription.trial_will_end)
  other,   // without; may have changed anything
};
struct event_kind {
  role as = role::other;
  std::string_view moved_field;  // for `move`; empty: any field
  bool once = false;             // for `move`: no value of the field ever comes back
  std::optional<int> rank;       // where the type itself says it, as status_rank() does
};
event_kind kind_of_event(std::string_view type, std::string_view object_name, bool has_previous);

}  // namespace tilld::core::ordering
