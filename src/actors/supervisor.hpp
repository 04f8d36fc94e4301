// The supervisor: a dead actor is noticed and ends the process. Started again from what is on disk,
// tilld is whole; limping on it would not be.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <caf/all.hpp>

namespace tilld::actors {

struct watch {
  std::string name;
  caf::actor who;
};
// From now on deaths are expected: an ordered shutdown has begun.
struct unwatch {};

using supervisor_actor = caf::typed_actor<  //
    caf::reacts_to<watch>,                  //
    caf::reacts_to<unwatch>>;

struct supervisor_state {
  static inline const char* name = "supervisor";
  std::map<caf::actor_addr, std::string> names;
  bool expected = false;
};

supervisor_actor::behavior_type supervisor(
    supervisor_actor::stateful_pointer<supervisor_state> self,
    std::function<void(std::string why)> on_death);

}  // namespace tilld::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tilld::actors::watch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tilld::actors::unwatch)
