// The billing portal: configurations and sessions by the API, and what its page can do.
// Source: https://docs.stripe.com/api/customer_portal
#pragma once

#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::portal {

const params::schema& configuration_create_takes();
const params::schema& configuration_update_takes();
const params::schema& configuration_list_takes();
answer<json> configuration_create(context& ctx);
answer<json> configuration_retrieve(context& ctx);
answer<json> configuration_update(context& ctx);
answer<json> configuration_list(context& ctx);

const params::schema& session_takes();
answer<json> session_create(context& ctx);

// Whether the session's configuration allows a feature ("subscription_cancel").
bool allows(const context& ctx, const json& session, const char* feature);

// The prices that its configuration lets a subscription be switched to.
std::vector<std::string> prices_to_go_to(const context& ctx, const json& session);

// What its visitor asks for: action is cancel, keep, switch, card.
answer<void> act(context& ctx, const json& session, const json& form);

}  // namespace tilld::sandbox::portal
