// Refunds, whole and in part.
#pragma once

#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::refunds {

// Lets go of an authorization that was never captured.
void release(context& ctx, const std::string& charge);

// Gives back a part of what a charge has taken. Gives the refund's id.
answer<std::string> give_back(context& ctx, const std::string& charge, std::int64_t amount);

// What its card had in store for it: it succeeds at last, or fails after all.
void fall_due(context& ctx, const std::string& id);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> cancel(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::refunds
