// Sync: what we ask Stripe of our own accord.
//
// Refetches: an object whose events could not tell what it is now is fetched once, however many
// events asked; the wish is a row, so a restart does not forget it. Orders of unknown outcome are
// sent again from here, later and later.
#pragma once

#include <map>
#include <string>

#include "actors/context.hpp"
#include "actors/messages.hpp"

namespace tilld::actors {

struct sync_state {
  static inline const char* name = "sync";
  struct wish {
    refetch_wanted what;
    int tries = 0;
    bool asked = false;  // on its way
    bool again = false;  // wanted once more meanwhile
  };
  struct waiting_order {
    std::shared_ptr<order_in_hand> order;
    std::int64_t due_ms = 0;
  };
  const context* shared = nullptr;
  ingress_actor ingress;
  std::map<std::string, wish> wishes;  // by refetch key
  std::vector<waiting_order> orders;
  std::int64_t tick_at_ms = 0;  // 0: none is scheduled
  bool draining = false;
};

sync_actor::behavior_type sync(sync_actor::stateful_pointer<sync_state> self,
                               const context* shared);

}  // namespace tilld::actors
