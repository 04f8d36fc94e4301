// Ingress: where every fact and every order comes in, and the one who knows which actor owns what.
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "actors/context.hpp"
#include "actors/joined_fetches.hpp"
#include "actors/messages.hpp"
#include "actors/owner.hpp"

namespace tilld::actors {

struct ingress_state {
  static inline const char* name = "ingress";
  struct entry {
    owner_actor actor;
    std::uint64_t sent = 0;
    std::int64_t last_used_ms = 0;
    std::list<std::string>::iterator place;  // in `by_use`
  };
  const context* shared = nullptr;
  owner_links links;  // each owner gets them with its own account's gateway
  gateway_table gateways;
  std::unordered_map<std::string, entry> owners;
  std::list<std::string> by_use;  // oldest first; the catalogues are not in it
  joined_fetches under_way;
  bool draining = false;
};

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self,
                                     const context* shared, writer_actor writer,
                                     gateway_table gateways, sync_actor sync);

}  // namespace tilld::actors
