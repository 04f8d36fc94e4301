// An owner: one customer, or the catalogue (whatever belongs to no customer).
//
// It takes facts and orders in turn, decides each against what is stored and against the facts
// before it, commits them together, and answers each when the disk has them. While a commit is
// under way new facts queue up and share the next one.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/context.hpp"
#include "actors/messages.hpp"
#include "actors/working_set.hpp"
#include "core/customer_state.hpp"

namespace tilld::actors {

// Where an owner's messages go.
struct owner_links {
  ingress_actor ingress;
  writer_actor writer;
  gateway_actor gateway;  // invalid when there is no Stripe key
  sync_actor sync;
};

struct owner_job {
  std::variant<apply_event, place_order, settle_order, apply_snapshot> what;
  int tries = 0;
};

struct owner_state {
  static inline const char* name = "owner";

  const context* shared = nullptr;
  owner_links links;
  std::string key;  // how ingress knows it
  store::scope scope;
  std::string customer;  // empty: the catalogue

  std::optional<core::customer_state> state;  // loaded with the first fact
  std::deque<owner_job> jobs;
  bool committing = false;
  bool alone = false;  // after a conflict: one fact per commit, so that only the culprit fails
  std::uint64_t taken = 0;
  std::shared_ptr<decisions> decided = std::make_shared<decisions>();
  bool order_away = false;
  bool turn_over = false;          // set by a job: the next order may take its turn
  std::deque<place_order> orders;  // wait for their turn

  // After the commit: answers, and what is to be sent on. `nullptr`: it is on disk.
  using after_commit = std::move_only_function<void(const error* failed)>;
  struct under_way {
    std::vector<owner_job> jobs;
    std::vector<after_commit> after;
    std::optional<core::customer_state> next;
  };
  under_way current;
};

owner_actor::behavior_type owner(owner_actor::stateful_pointer<owner_state> self,
                                 const context* shared, owner_links links, std::string key,
                                 store::scope scope, std::string customer);

}  // namespace tilld::actors
