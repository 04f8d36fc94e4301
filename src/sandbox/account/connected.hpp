// Connected accounts. The sandbox's are through with their onboarding as soon as they are made;
// what is done on them is done in books of their own (machine/accounts.hpp).
// Source: https://docs.stripe.com/api/accounts
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::connected {

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::connected
