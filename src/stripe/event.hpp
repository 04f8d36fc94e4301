// Stripe's event envelope, read without a DOM: the few fields that routing and ordering need, and
// the bytes of the object as they came.
// Source: https://docs.stripe.com/api/events/object
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tilld::stripe {

// What holds of every document before anything is looked at.
inline constexpr std::size_t event_max_bytes = 1UL << 20;   // an event
inline constexpr std::size_t object_max_bytes = 8UL << 20;  // an API answer: expand[] grows it
inline constexpr std::size_t json_max_depth = 64;           // objects and arrays in each other
inline constexpr std::size_t json_max_keys = 10'000;        // of one object

struct event {
  std::string raw;  // the request body, byte for byte

  std::string id;           // "evt_…"
  std::string type;         // "customer.subscription.updated"
  std::string api_version;  // empty when Stripe sent null
  std::string account;      // connected account ("acct_…") or empty
  std::int64_t created_s = 0;
  bool livemode = false;
  bool thin = false;            // object is "v2.core.event": carries a reference, not a snapshot
  std::string request_id;       // request.id, empty when null: Stripe acted by itself
  std::string idempotency_key;  // request.idempotency_key, empty when null

  // data.object, minified (no blanks outside strings), field for field; empty for a thin event
  // and when Stripe sent none.
  std::string object_json;
  std::string previous_json;   // data.previous_attributes, minified; empty when absent or null
  std::string object_name;     // data.object.object: "subscription"; for thin: related_object.type
  std::string object_id;       // data.object.id; empty when it has none (invoice.upcoming)
  std::string owner_customer;  // data.object.customer as an id (also when expanded), the object's
                               // own id for a customer; empty when it has none
  std::int64_t object_created_s = 0;  // data.object.created; 0 when absent
};

// The bounds above, the grammar of JSON to the last byte, strict UTF-8, integers that fit 64 bits,
// no duplicate keys at the top level and in data and data.object, ids as in stripe::valid_id, a
// type, livemode and a time from 1970 to 9999. A field that Stripe leaves out or sends as null is
// empty; fields that nobody here knows are left alone.
// Errors: invalid, with a message that says what is wrong and, where it can, where.
// Any thread; each keeps its own parsers. A 4 KB event takes about 3 us.
result<std::shared_ptr<event>> parse_event(std::string raw);

// The same facts of a single object as an API answer carries it (also a deletion stub). Its `json`
// keeps the order of the keys and the text of every number.
struct object_head {
  std::string json;  // minified
  std::string object_name;
  std::string id;              // may be empty
  std::string owner_customer;  // as above
  std::int64_t created_s = 0;
  bool deleted = false;  // {"deleted": true}
};
result<object_head> parse_object(std::string_view json);

}  // namespace tilld::stripe
