// The order rule: what a fact from Stripe means for the document we hold.
//
// Stripe promises neither order nor single delivery, and event times have one-second grain. The law:
// any permutation, duplication or loss-then-refetch of an object's history ends in the same document
// as Stripe's.
//
//   - An event strictly newer than what we hold replaces it; strictly older does nothing.
//   - A snapshot (an API answer) was true at some moment in [lo, hi]: not before the request left,
//     not after the answer's Date. It takes part in the same comparison.
//   - In the same second (or inside a snapshot's interval) time proves nothing. Then the events of
//     that second are laid end to end by their previous_attributes; if every order that fits ends
//     in one document, that is the document.
//   - A terminal state (deleted, canceled, voided) is not undone by its own past.
//   - Where none of this tells, the verdict is refetch: ask Stripe, once for however many events.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tilld::core {

// When a held document was true, in seconds of Stripe's clock. An event: lo == hi == created.
struct stamp {
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  bool from_snapshot = false;
  bool born = false;     // comes from a *.created event: nothing can be before it
  bool deleted = false;  // tombstone
  bool suspect = false;  // a refetch is due
  friend bool operator==(const stamp&, const stamp&) = default;
};

struct held {
  stamp at;
  std::string_view document;  // JSON; for a tombstone {"id","object","deleted":true}
};

struct event_fact {
  std::string_view id;        // event id
  std::string_view type;      // "customer.updated"
  std::int64_t created_s = 0;
  std::string_view object_name;
  std::string_view object;    // JSON
  std::string_view previous;  // JSON or empty
};

struct snapshot_fact {
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  std::string_view object_name;
  std::string_view object;  // JSON; empty when Stripe answered 404
  bool deleted = false;     // a deletion stub
  bool missing = false;     // 404 resource_missing
  bool refetch = false;     // the answer to our own refetch: settles `suspect` when it is newer
};

enum class action : std::uint8_t {
  ignore,   // nothing changes (already known, or past)
  replace,  // `document` and `at` are the new row
  refetch,  // keep the document (or take `document` if not empty), mark it suspect, ask Stripe
};

struct verdict {
  action what = action::ignore;
  std::string document;
  stamp at;
  std::string_view why;  // a short constant for logs and history: "newer", "older", "chain", …
};

// True when decide() needs the other events of the contested time: the caller then loads every
// stored event of this object with created in [current.lo, current.hi].
bool contested(const std::optional<held>& current, const event_fact& event);
bool contested(const std::optional<held>& current, const snapshot_fact& snapshot);

// `peers` are the stored events of the contested time, in any order, `event` not among them.
verdict decide(const std::optional<held>& current, const event_fact& event,
               std::span<const event_fact> peers);
verdict decide(const std::optional<held>& current, const snapshot_fact& snapshot,
               std::span<const event_fact> peers);

// "customer.deleted" yes; "customer.subscription.deleted" no: a canceled subscription can still be
// retrieved.
bool is_deletion(std::string_view event_type, std::string_view object_name);
bool is_creation(std::string_view event_type);
// Statuses that Stripe never leaves: a canceled or incomplete_expired subscription, a void invoice,
// a canceled or succeeded payment intent, ….
bool is_terminal(std::string_view object_name, std::string_view status);

}  // namespace tilld::core
