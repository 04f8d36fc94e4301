// The order rule: what a fact from Stripe means for the document we hold.
//
// Stripe promises neither order nor single delivery, and event times have one-second grain. The
// law: any permutation, duplication or loss-then-refetch of an object's history ends in the same
// document as Stripe's.
//
//   - An event strictly newer than what we hold replaces it; strictly older does nothing.
//   - A snapshot (an API answer) was true at some moment in [lo, hi]: not before the request left,
//     not after the answer's Date. It takes part in the same comparison.
//   - In the same second (or inside a snapshot's interval) time proves nothing. Then the events of
//     that second are laid end to end by their previous_attributes; if every order that fits ends
//     in one document, that is the document. Events without previous_attributes ("invoice.paid")
//     are placed by what never goes back (status ranks, amounts paid, counters) and by what their
//     type says about the state before them.
//   - A creation is before everything else of its object: it never supersedes a held document of
//     the same incarnation, and everything supersedes a document that comes from it.
//   - A terminal state (deleted, canceled, voided) is not undone by its own past.
//   - Where none of this tells, the verdict is refetch: ask Stripe, once for however many events.
//
// Why it converges: a verdict in contested time is computed from the whole set of events seen in
// that time, not from the event alone. While some are still under way it may be provisional; the
// last of them to arrive decides on the complete set, in which the true order is one of those that
// fit. So a verdict that is not refetch is then the truth, in whatever order they came.
//
// Pure functions; any thread. Documents are JSON objects within the bounds of stripe::parse_event
// (depth 64), best minified.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tilld::core {

// When a held document was true, in seconds of Stripe's clock. An event: lo == hi == created.
// A suspect row: true at lo (or in [lo, …] for a snapshot), and everything up to hi has been seen
// but could not be placed.
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
  std::string_view id;    // event id
  std::string_view type;  // "customer.updated"
  std::int64_t created_s = 0;
  std::string_view object_name;
  std::string_view object;    // JSON; empty where there is none that counts (a thin event, another
                              // API version): then its second stays in doubt
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
  // The request left after the last decision about this object, an ignored event's included: then
  // the answer is newer than all of it, doubts included, whatever the seconds say. An application's
  // calls follow each other within a second, so it is worth knowing; false where it is not known.
  bool after_held = false;
};

enum class action : std::uint8_t {
  ignore,   // nothing changes (already known, or past)
  replace,  // `document` and `at` are the new row. The document may be the held one, byte for byte:
            // then only the stamp moves (a doubt is settled, a snapshot confirms)
  refetch,  // keep the document (or take `document` if not empty), write `at`, ask Stripe
};

struct verdict {
  action what = action::ignore;
  std::string document;
  stamp at;
  std::string_view why;  // a short constant for logs and history: "newer", "older", "chain", …
};

// True when decide() needs the other events of the contested time: the caller then loads every
// stored event of this object with created in peer_window().
bool contested(const std::optional<held>& current, const event_fact& event);
bool contested(const std::optional<held>& current, const snapshot_fact& snapshot);

// Both ends belong to it. Loading less than this can let an old snapshot win.
struct window {
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  friend bool operator==(const window&, const window&) = default;
};
window peer_window(const held& current, const event_fact& event);
window peer_window(const held& current, const snapshot_fact& snapshot);

// `peers` are the stored events of the contested time, in any order, `event` not among them (if it
// is, it counts once). An event whose id was seen before must not come here again.
//
// A refetch is best left to rest until Stripe's clock is past `at.hi`, and asked only if the row is
// suspect then: the rest of the second's events often settles it for nothing, and an answer that
// left after `at.hi` is newer than every doubt. If an answer comes too early, the verdict is
// refetch again. Where there is nothing to ask by (an object without an id), the caller's own list
// of the customer's objects is the answer.
verdict decide(const std::optional<held>& current, const event_fact& event,
               std::span<const event_fact> peers);
verdict decide(const std::optional<held>& current, const snapshot_fact& snapshot,
               std::span<const event_fact> peers);

// "customer.deleted" yes; "customer.subscription.deleted" no: a canceled subscription can still be
// retrieved.
bool is_deletion(std::string_view event_type, std::string_view object_name);
bool is_creation(std::string_view event_type);
// Statuses that Stripe never leaves: a canceled or incomplete_expired subscription, a paid or void
// invoice, a canceled or succeeded payment intent, ….
bool is_terminal(std::string_view object_name, std::string_view status);

}  // namespace tilld::core
