// What a fact from Stripe does to the store: event in, rows out. Plain functions over a working
// set; the owner actor only carries them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/facts.hpp"
#include "actors/working_set.hpp"
#include "core/customer_state.hpp"

namespace tilld::actors {

struct mirror_rules {
  std::string user_id_metadata = "user_id";  // key in the Stripe customer's metadata
  std::string api_version;  // the pinned one; events in another version are fetched again
  bool can_refetch = true;  // false without a Stripe key: then what came is taken as it is
};

struct mirror_context {
  const mirror_rules& rules;
  store::scope scope;
  std::int64_t now_ms = 0;
};

// An object that must be fetched once the batch is committed.
struct refetch_target {
  std::string object_name;
  std::string object_id;
  bool tie = false;  // its second must be over first
};

struct mirrored {
  event_end end = event_end::applied;
  std::string why;
  std::optional<refetch_target> refetch;
};

// Adds to `set`: the event's row and indexes, and whatever the event changes. `state` is the
// owner's derived state, nullptr for the catalogue; it is changed in place.
// A fact that cannot be applied becomes a row that says so (event_end::failed); an error is only
// returned when the store could not be read: then nothing may be committed.
result<mirrored> mirror_event(working_set& set, core::customer_state* state,
                              const mirror_context& context, const incoming_event& incoming);

// An object as Stripe answered it.
struct snapshot {
  std::string_view object_name;
  std::string_view object_id;
  std::string_view json;  // minified; empty when missing
  std::int64_t lo_s = 0;  // it was true at some moment in [lo, hi] of Stripe's clock
  std::int64_t hi_s = 0;
  bool deleted = false;
  bool missing = false;
  bool refetch = false;
  bool after_held = false;  // it left after the last decision about the object
  std::string_view cause;   // order id or "fetch"; for the feed
};
result<mirrored> mirror_snapshot(working_set& set, core::customer_state* state,
                                 const mirror_context& context, const snapshot& snap);

// An object that has changed at Stripe, in a way that what came does not show: it is marked, and
// the wish to fetch it is durable with the rest of the batch.
result<mirrored> mirror_doubt(working_set& set, core::customer_state* state,
                              const mirror_context& context, std::string_view object_name,
                              std::string_view object_id, std::string_view why);

// The customer's state as stored, or a fresh one.
result<core::customer_state> load_customer(const store::reader& from, const store::scope& scope,
                                           std::string_view customer_id);

}  // namespace tilld::actors
