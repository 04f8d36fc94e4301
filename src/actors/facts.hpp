// What goes in and out of the actors, as plain values: no actor is needed to read this, and the
// HTTP rooms know the actors by these alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/once.hpp"
#include "store/keys.hpp"
#include "store/records.hpp"
#include "stripe/call.hpp"
#include "stripe/event.hpp"

namespace tilld::actors {

// Ingest: an event whose signature held.
struct incoming_event {
  store::scope scope;
  std::string endpoint;  // the webhook endpoint's name, "api" for catch-up, "replay"
  std::int64_t received_ms = 0;
  std::shared_ptr<const stripe::event> event;
  bool again = false;  // run it although it was seen: somebody asked for a replay
};

enum class event_end : std::uint8_t {
  applied,      // on disk, and visible to the next read
  ignored,      // kept; it changed nothing
  refetch,      // kept; the object will be fetched from Stripe
  duplicate,    // seen before
  failed,       // kept as failed, with the reason; can be run again
  unavailable,  // not kept: whoever sent it must send it again
};
struct event_answer {
  event_end end = event_end::unavailable;
  std::string why;
};

// Mutate: an order for Stripe.
struct order_request {
  store::scope scope;
  std::string owner;       // the customer it is about; empty: none
  stripe::call call;       // idempotency_key is filled in from caller_key or made
  std::string caller_key;  // the application's Idempotency-Key; empty: none
  // While it is open no other order may be about the same: of two that make a customer for one user
  // the second is answered 409, with the id of the first.
  std::string claim{};
  once<std::string> durable{};  // given the order's id when it is on disk, before it leaves
};
struct order_answer {
  int status = 503;             // HTTP
  std::string body;             // Stripe's own, unchanged, or an error in Stripe's shape
  std::string request_id;       // Stripe's Request-Id
  std::string idempotency_key;  // the one that was sent
  std::string order_id;
  bool replayed = false;  // answered from the outbox, not sent again
};

// Read: something the mirror does not hold, asked from Stripe and kept.
struct fetch_request {
  store::scope scope;
  stripe::call call;
  bool keep = true;         // mirror the object in the answer
  bool learn = false;       // the answer is a list: mirror what is in it
  bool is_refetch = false;  // settles the object's suspect mark
  std::string object_name;  // what was asked for: to record that Stripe has it no more (404)
  std::string object_id;
};
struct fetch_answer {
  int status = 503;
  std::string body;
  std::string request_id;
  bool kept = false;      // what it has brought is mirrored, and on disk
  bool has_more = false;  // of a list
  std::string last_id{};  // of a list
};

// A part of the daemon, for readiness.
struct part_state {
  std::string name;
  bool ready = false;
  std::string why;  // when not ready
};

}  // namespace tilld::actors
