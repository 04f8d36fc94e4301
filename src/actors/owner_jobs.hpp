// What an owner does with one job: decide it into a working set, and say what follows once the
// set is on disk.
#pragma once

#include "actors/outbox.hpp"
#include "actors/owner.hpp"

namespace tilld::actors {

// Decides `job` into `set` and into `next` (the derived state to be; nullptr for the catalogue).
// The returned function is called once, after the commit, with nullptr when it is on disk.
owner_state::after_commit run_job(owner_state& me, working_set& set, core::customer_state* next,
                                  owner_job& job);

// Answers whoever waits for `job` that it could not be done.
void refuse_job(owner_state& me, owner_job& job, const error& why);

// Hands an order that is durable to the gateway; its end comes back through ingress.
void send_order(owner_state& me, std::shared_ptr<order_in_hand> order);

}  // namespace tilld::actors
