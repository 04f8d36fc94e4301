// The account itself, its events and the endpoints that events are delivered to.
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::account {

// An account as it is when its onboarding is complete.
json opened(const std::string& id, const std::string& country, const std::string& currency);
answer<json> retrieve(context& ctx);

const params::schema& event_list_takes();
answer<json> event_retrieve(context& ctx);
answer<json> event_list(context& ctx);

const params::schema& endpoint_create_takes();
const params::schema& endpoint_update_takes();
answer<json> endpoint_create(context& ctx);
answer<json> endpoint_retrieve(context& ctx);
answer<json> endpoint_update(context& ctx);
answer<json> endpoint_remove(context& ctx);
answer<json> endpoint_list(context& ctx);

}  // namespace tilld::sandbox::account
