// The grammar of keys. Nothing else in the program builds or takes apart a key.
//
//   scope     := account mode                 account: the name in the settings, or
//                                             name "/" connected-account id
//   account   := 1*VCHAR NUL ; mode := "t" / "l"      (test, live)
//   text      := bytes without NUL, then NUL          (ids, object names, filter values)
//   time      := 8 bytes, big-endian                  (seconds or milliseconds, unsigned)
//   turned(…) := every byte as 255 less its value, but for a time's two highest
//
//   objects    scope object-name:text id:text                          → object_record
//   index      scope "l" object-name:text filter:text value:text turned(time id:text)
//                                                                       → ""   lists
//              scope "e" time(received, ms) event-id:text               → ""   events by arrival
//              scope "o" object-name:text id:text time event-id:text    → ""   events of an object
//              scope "f" event-id:text                                  → ""   events that failed
//   events     scope event-id:text                                      → event_record
//   customers  scope "s" customer-id:text                               → customer state (JSON)
//              scope "u" user-id:text customer-id:text                  → ""   own id → customer
//   outbox     scope "o" order-id:text                                  → order_record
//              scope "p" order-id:text                                  → ""   still open
//              scope "w" order-id:text                                  → ""   parked
//              scope "k" idempotency-key:text                           → order-id
//              scope "c" claim:text                                     → order-id, while it is
//              open
//   feed       number                                                   → feed entry (JSON)
//   meta       "schema"                                                 → decimal version
//              "node"                                                   → this store's own name
//              "last" NUL family-name                                   → decimal number of the
//              last
//                                      row of a log whose last row was erased (written by the
//                                      store)
//              "token" NUL sha256                                       → token record (JSON)
//              "refetch" NUL scope object-name:text id:text             → refetch_record (JSON)
//              "clocks" NUL scope                                       → ""   there are some
//              "complete" NUL scope object-name:text                    → since when (decimal, ms)
//              "complete" NUL scope object-name:text owner-id:text      → the same, of one owner's;
//                                      or "-" and what has ended it
//
// In lists `value` is what the filter must equal ("" with filter "": all objects of that name), and
// time is the object's `created`. They are turned so that reading forwards, which costs half of
// reading backwards, gives the newest first; within one second larger ids come first.
//
// What a key of the index has before its first time is its group. Tables keep a filter of the
// groups in them, so that a scan of one group passes over the tables that have nothing of it.
//
// A text ends at its NUL, so no key can be the beginning of a neighbour's, and the order of keys is
// the order of the tuples, byte by byte. Whatever comes from outside is checked with valid_id()
// first; a NUL that gets here all the same is written as 0x01, which no valid text has, so it can
// end no text early. Times lie in 0 … 2^48-1 (the year 10889 in milliseconds) and are held to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.hpp"

namespace tilld::store {

struct scope {
  std::string account;  // "main", or "main/acct_…" for a connected account
  bool live = false;

  std::string bytes() const;                     // as above
  std::string_view configured() const noexcept;  // "main" of both
  std::string_view connected() const noexcept;   // "acct_…", or empty
  scope platform() const;                        // the configured account, in the same mode
  friend bool operator==(const scope&, const scope&) = default;
};

// Ids and filter values come from strangers: 1 to 255 bytes, no control characters.
bool valid_id(std::string_view id) noexcept;

// Every scope that has a row in this family, in the order of keys; one seek for each. For families
// whose keys all begin with one (not feed and meta).
result<std::vector<scope>> scopes_in(const reader& from, family in);

namespace key {
std::string object(const scope& s, std::string_view object_name, std::string_view id);
std::string objects_of(const scope& s, std::string_view object_name);  // prefix

std::string list(const scope& s, std::string_view object_name, std::string_view filter,
                 std::string_view value);  // prefix
std::string list_entry(const scope& s, std::string_view object_name, std::string_view filter,
                       std::string_view value, std::int64_t created_s, std::string_view id);
// Where a list entry stands; nullopt for any other key.
struct place {
  std::int64_t created_s = 0;
  std::string id;
};
std::optional<place> list_place(std::string_view list_entry_key);
// How long the group is that a key of the index, or the prefix of a scan over it, begins with; 0
// when it ends before its group does, or is not of the grammar.
std::size_t group_length(std::string_view index_key) noexcept;
// The id at the end of a key of this family, whatever its kind; nullopt if the key is not of the
// grammar, ends in no text, or is a list entry.
std::optional<std::string_view> last_text(family in, std::string_view key);
// The same for a key whose family is not at hand. Right for all but the `events` family, where an
// id that begins with one of "fsopkcw" would be taken for a kind and an id ("evt_…" never is).
std::optional<std::string_view> last_text(std::string_view key);

std::string arrivals(const scope& s);  // prefix
std::string arrival(const scope& s, std::int64_t received_ms, std::string_view event_id);
std::string events_of(const scope& s, std::string_view object_name, std::string_view id);  // prefix
std::string event_of(const scope& s, std::string_view object_name, std::string_view id,
                     std::int64_t created_s, std::string_view event_id);
std::string failures(const scope& s);  // prefix
std::string failure(const scope& s, std::string_view event_id);
std::string event(const scope& s, std::string_view event_id);

std::string customer_state(const scope& s, std::string_view customer_id);
std::string user_links(const scope& s, std::string_view user_id);  // prefix
std::string all_user_links(const scope& s);                        // prefix
// Whose link it is, and to which customer; nullopt for any other key.
struct link_place {
  std::string_view user_id;
  std::string_view customer_id;
};
std::optional<link_place> user_link_place(std::string_view user_link_key);
std::string user_link(const scope& s, std::string_view user_id, std::string_view customer_id);

std::string order(const scope& s, std::string_view order_id);
std::string orders(const scope& s);       // prefix
std::string open_orders(const scope& s);  // prefix
std::string open_order(const scope& s, std::string_view order_id);
std::string parked_orders(const scope& s);  // prefix
std::string parked_order(const scope& s, std::string_view order_id);
std::string order_by_key(const scope& s, std::string_view idempotency_key);
std::string order_by_claim(const scope& s, std::string_view claim);

std::string token(std::string_view sha256_of_token);
std::string tokens();  // prefix
std::string refetch(const scope& s, std::string_view object_name, std::string_view id);
std::string refetches();  // prefix, of all scopes
struct marked_object {
  scope of;
  std::string object_name;
  std::string id;
};
// What a key of refetches() is about; nullopt for any other key.
std::optional<marked_object> refetch_place(std::string_view refetch_key);
// Of a collection, or of what one owner has of it.
std::string complete(const scope& s, std::string_view object_name, std::string_view owner = {});
// Stands once an object of the scope lives by a test clock.
std::string clocks(const scope& s);
std::string last_number(family in);
inline constexpr std::string_view schema = "schema";
inline constexpr std::string_view node = "node";
}  // namespace key

}  // namespace tilld::store
