// Invoices that would be: what a change would cost, what the next renewal will.
// Source: https://docs.stripe.com/api/invoices/create_preview
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::previews {

const params::schema& create_takes();
answer<json> create(context& ctx);

}  // namespace tilld::sandbox::previews
