// The grammar of values. Nothing else in the program encodes or decodes a row.
//
//   object_record := head document
//   head          := "1" version:8 lo:8 hi:8 flags:1            (big-endian; 26 bytes)
//   flags         := bits: 0 from_snapshot, 1 born, 2 deleted, 3 suspect
//   document      := JSON as Stripe sent it, minified
// The version goes up by one with each write of the row; a precondition on the first nine bytes is
// "still at version V".
//
//   event_record  := JSON line (status, reason, received_ms, endpoint, tries) LF raw body
//   order_record, refetch_record, token_record := JSON
//
// In JSON a text is a string, or {"base64": …} if it is not UTF-8, so any bytes come back as they
// were. Fields that a decoder does not know are passed over; a missing or mistyped one is damage.
// Decoding fails with errc::corrupt and nothing else, whatever the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "core/order.hpp"
#include "stripe/call.hpp"

namespace tilld::store {

struct object_record {
  std::uint64_t version = 0;
  core::stamp at;
  std::string document;
};
std::string encode(const object_record& r);
result<object_record> decode_object(std::string_view bytes);
std::string version_prefix(std::uint64_t version);  // for batch::expect_prefix
// The document without a copy, or nullopt if the row is damaged.
struct object_view {
  std::uint64_t version = 0;
  core::stamp at;
  std::string_view document;
};
std::optional<object_view> view_object(std::string_view bytes) noexcept;

enum class event_status : std::uint8_t {
  applied,  // changed a document
  ignored,  // past, duplicate in effect, or carries nothing to keep
  refetch,  // could not tell; a refetch was marked
  failed,   // our own failure: `reason`; can be run again
};
const char* to_string(event_status s) noexcept;
std::optional<event_status> event_status_from(std::string_view text) noexcept;

struct event_record {
  event_status status = event_status::applied;
  std::string reason;
  std::int64_t received_ms = 0;
  std::string endpoint;  // "main"; "api" for catch-up
  int tries = 1;
  std::string raw;
};
std::string encode(const event_record& r);
result<event_record> decode_event(std::string_view bytes);

enum class order_status : std::uint8_t {
  open,     // durable; on its way or waiting for another try
  done,     // Stripe answered 2xx
  refused,  // Stripe answered 4xx: no effect
  parked,   // outcome unknown and not to be sent again; `why` says what to look at
};
const char* to_string(order_status s) noexcept;

struct order_record {
  std::string id;  // "ord_" and time-ordered
  order_status status = order_status::open;
  stripe::call call;
  std::string caller_key;   // the Idempotency-Key the application sent; empty: none
  std::string fingerprint;  // of verb, target and body, to notice a key used for something else
  std::string owner;        // customer id or empty: the catalogue
  std::string claim{};      // what no other open order may be about; empty: nothing
  std::int64_t created_ms = 0;
  std::int64_t finished_ms = 0;
  int attempts = 0;
  int answer_status = 0;  // HTTP
  std::string answer_body;
  std::string answer_request_id;
  std::string why;
};
std::string encode(const order_record& r);
result<order_record> decode_order(std::string_view bytes);

struct refetch_record {
  std::string why;
  std::int64_t since_ms = 0;
  int tries = 0;
};
std::string encode(const refetch_record& r);
result<refetch_record> decode_refetch(std::string_view bytes);

struct token_record {
  std::string name;
  std::string scope;  // "read", "write" (reads too), "admin" (everything)
  std::string hint;   // its last four letters, for people
  std::int64_t created_s = 0;
  std::int64_t expires_s = 0;  // 0: never
  std::string account{};       // the configured account it is for; empty: any
};
std::string encode(const token_record& r);
result<token_record> decode_token(std::string_view bytes);

}  // namespace tilld::store
