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

// Owns its bytes; all views point into `raw` or `object_json`.
struct event {
  std::string raw;  // the request body, byte for byte

  std::string id;            // "evt_…"
  std::string type;          // "customer.subscription.updated"
  std::string api_version;   // empty when Stripe sent null
  std::string account;       // connected account ("acct_…") or empty
  std::int64_t created_s = 0;
  bool livemode = false;
  bool thin = false;             // object is "v2.core.event": carries a reference, not a snapshot
  std::string request_id;        // request.id, empty when null: Stripe acted by itself
  std::string idempotency_key;   // request.idempotency_key, empty when null

  // data.object, minified (no blanks outside strings), field for field; empty for a thin event
  // and when Stripe sent none.
  std::string object_json;
  std::string previous_json;     // data.previous_attributes, minified; empty when absent or null
  std::string object_name;       // data.object.object: "subscription"; for thin: related_object.type
  std::string object_id;         // data.object.id; empty when it has none (invoice.upcoming)
  std::string owner_customer;    // data.object.customer as an id (also when expanded), the object's
                                 // own id for a customer; empty when it has none
  std::int64_t object_created_s = 0;  // data.object.created; 0 when absent
};

// Bounds that hold before anything is looked at: 1 MiB, depth 64, strict UTF-8, no duplicate keys
// at the top level and in data and data.object, ids as in store::valid_id.
// Errors: invalid, with a message that says what is wrong and, where it can, where.
result<std::shared_ptr<event>> parse_event(std::string raw);

// The same facts of a single object as an API answer carries it (also a deletion stub).
struct object_head {
  std::string json;            // minified
  std::string object_name;
  std::string id;              // may be empty
  std::string owner_customer;  // as above
  std::int64_t created_s = 0;
  bool deleted = false;        // {"deleted": true}
};
result<object_head> parse_object(std::string_view json);

}  // namespace tilld::stripe
