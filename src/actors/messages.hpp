// Every actor of tilld and every message between them. Read this first; add to it first.
//
//   ingress    where all facts and orders come in; knows which actor owns what, spawns owners and
//              puts idle ones away
//   owner      a customer, or the catalogue (what belongs to no customer): the only place where
//              that customer's documents and derived state change; one thing at a time
//   gateway    the only way out to Stripe; one per account
//   writer     the only one who commits; many batches, one synced write
//   sync       asks Stripe on our own account: refetches, orders that wait for another try
//   supervisor notices a dead actor and ends the process rather than limp on
//
// Messages carry shared pointers to values that nobody changes, so sending costs no copy.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <caf/all.hpp>

#include "actors/decisions.hpp"
#include "actors/facts.hpp"
#include "base/once.hpp"
#include "net/client.hpp"
#include "store/store.hpp"

namespace tilld::actors {

// An order on its way, with whoever waits for it (nobody, after a restart).
struct order_in_hand {
  store::scope scope;
  store::order_record record;
  once<order_answer> answer;
  stripe::outcome outcome;  // once the gateway has said
  int resumed = 0;          // how often it was taken up again
  // When it first left, by what its owner had decided until then; of another owner, or of an
  // earlier run, nobody knows.
  std::weak_ptr<const decisions> left_from{};
  std::uint64_t left_at = 0;
};

// A document as Stripe answered it.
struct snapshot_in_hand {
  fetch_request request;
  stripe::outcome outcome;
  once<fetch_answer> answer;
  std::uint64_t joined = 0;  // its ticket in ingress's joined_fetches
};

// -- to ingress -------------------------------------------------------------------------------

// Apply it, then answer.
struct take_event {
  std::shared_ptr<const incoming_event> event;
  once<event_answer> answer;
};
// Make it durable, send it, mirror the answer, then answer.
struct take_order {
  std::shared_ptr<order_request> order;
  once<order_answer> answer;
};
// An order from before a restart, or one whose outcome is still unknown: send it again.
struct resume_order {
  std::shared_ptr<order_in_hand> order;
};
// Ask Stripe, mirror, then answer.
struct take_fetch {
  std::shared_ptr<fetch_request> fetch;
  once<fetch_answer> answer;
};
// The gateway is done with an order / a fetch.
struct order_came_back {
  std::shared_ptr<order_in_hand> order;
};
struct fetch_came_back {
  std::shared_ptr<snapshot_in_hand> snapshot;
};
// An owner has been idle; `taken` is how many messages it has had from ingress, so that one that
// is under way to it is noticed and the owner stays.
struct owner_is_idle {
  std::string key;
  std::uint64_t taken = 0;
};

// -- to an owner ------------------------------------------------------------------------------

struct apply_event {
  take_event what;
};
struct place_order {
  take_order what;
};
struct send_order_again {
  std::shared_ptr<order_in_hand> order;
};
// The order's turn is over; the next one of this owner may leave.
struct order_left {};
// Write the order's end and the objects of its answer.
struct settle_order {
  std::shared_ptr<order_in_hand> order;
};
struct apply_snapshot {
  std::shared_ptr<snapshot_in_hand> snapshot;
};
// Asked by ingress when there are too many owners; answered by owner_is_idle if it is so.
struct rest_if_idle {};

// -- to the writer ----------------------------------------------------------------------------

struct commit_batch {
  std::shared_ptr<const store::batch> batch;
};
struct commit_answer {
  std::optional<error> failed;  // nothing: it is on disk
};

// -- to the gateway ---------------------------------------------------------------------------

struct submit_call {
  std::shared_ptr<const stripe::call> call;
  once<stripe::outcome> answer;
};
struct transport_done {
  std::uint64_t ticket = 0;
  std::shared_ptr<net::outcome> outcome;
};

// -- to sync ----------------------------------------------------------------------------------

struct refetch_wanted {
  store::scope scope;
  std::string object_name;
  std::string object_id;
  std::int64_t not_before_ms = 0;  // monotonic; a tie needs its second to be over
};
struct refetch_settled {
  store::scope scope;
  std::string object_name;
  std::string object_id;
  bool done = false;
};
struct retry_order_later {
  std::shared_ptr<order_in_hand> order;
};

struct tick {};   // a timer of the actor's own
struct flush {};  // the writer to itself
struct drain {};  // no new work; what has begun is finished

using ingress_actor = caf::typed_actor<  //
    caf::reacts_to<take_event>,          //
    caf::reacts_to<take_order>,          //
    caf::reacts_to<resume_order>,        //
    caf::reacts_to<take_fetch>,          //
    caf::reacts_to<order_came_back>,     //
    caf::reacts_to<fetch_came_back>,     //
    caf::reacts_to<owner_is_idle>,       //
    caf::reacts_to<tick>,                //
    caf::reacts_to<drain>>;

// Once, at start: ingress is spawned after sync.
struct meet_ingress {
  ingress_actor ingress;
};

using writer_actor = caf::typed_actor<                   //
    caf::replies_to<commit_batch>::with<commit_answer>,  //
    caf::reacts_to<flush>>;

using gateway_actor = caf::typed_actor<  //
    caf::reacts_to<submit_call>,         //
    caf::reacts_to<transport_done>,      //
    caf::reacts_to<tick>,                //
    caf::reacts_to<drain>>;

// The way out of each account that has a key, by the bytes() of its scope.
using gateway_table = std::map<std::string, gateway_actor, std::less<>>;

using owner_actor = caf::typed_actor<  //
    caf::reacts_to<apply_event>,       //
    caf::reacts_to<place_order>,       //
    caf::reacts_to<send_order_again>,  //
    caf::reacts_to<order_left>,        //
    caf::reacts_to<settle_order>,      //
    caf::reacts_to<apply_snapshot>,    //
    caf::reacts_to<rest_if_idle>>;

using sync_actor = caf::typed_actor<    //
    caf::reacts_to<refetch_wanted>,     //
    caf::reacts_to<refetch_settled>,    //
    caf::reacts_to<retry_order_later>,  //
    caf::reacts_to<meet_ingress>,       //
    caf::reacts_to<tick>,               //
    caf::reacts_to<drain>>;

}  // namespace tilld::actors

// These never leave the process, so CAF need not know how to write them down.
#define TILLD_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tilld::actors::type)
TILLD_LOCAL_MESSAGE(take_event)
TILLD_LOCAL_MESSAGE(take_order)
TILLD_LOCAL_MESSAGE(resume_order)
TILLD_LOCAL_MESSAGE(take_fetch)
TILLD_LOCAL_MESSAGE(order_came_back)
TILLD_LOCAL_MESSAGE(fetch_came_back)
TILLD_LOCAL_MESSAGE(owner_is_idle)
TILLD_LOCAL_MESSAGE(apply_event)
TILLD_LOCAL_MESSAGE(place_order)
TILLD_LOCAL_MESSAGE(send_order_again)
TILLD_LOCAL_MESSAGE(order_left)
TILLD_LOCAL_MESSAGE(settle_order)
TILLD_LOCAL_MESSAGE(apply_snapshot)
TILLD_LOCAL_MESSAGE(rest_if_idle)
TILLD_LOCAL_MESSAGE(commit_batch)
TILLD_LOCAL_MESSAGE(commit_answer)
TILLD_LOCAL_MESSAGE(submit_call)
TILLD_LOCAL_MESSAGE(transport_done)
TILLD_LOCAL_MESSAGE(refetch_wanted)
TILLD_LOCAL_MESSAGE(refetch_settled)
TILLD_LOCAL_MESSAGE(retry_order_later)
TILLD_LOCAL_MESSAGE(meet_ingress)
TILLD_LOCAL_MESSAGE(tick)
TILLD_LOCAL_MESSAGE(flush)
TILLD_LOCAL_MESSAGE(drain)
#undef TILLD_LOCAL_MESSAGE
