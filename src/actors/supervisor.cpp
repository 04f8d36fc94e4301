#include "actors/supervisor.hpp"

#include <utility>

namespace tilld::actors {

supervisor_actor::behavior_type supervisor(
    supervisor_actor::stateful_pointer<supervisor_state> self,
    std::function<void(std::string why)> on_death) {
  self->set_down_handler([self, on_death](const caf::down_msg& gone) {
    if (self->state.expected) return;
    on_death("the actor '" + self->state.names[gone.source] + "' died");
  });
  return {
      [self](const watch& m) {
        self->state.names.emplace(m.who.address(), m.name);
        self->monitor(m.who);
      },
      [self](unwatch) { self->state.expected = true; },
  };
}

}  // namespace tilld::actors
