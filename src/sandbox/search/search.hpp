// Search over seven kinds of objects with Stripe's query language.
//
// What Stripe's index has not taken in yet is not found: objects younger than the account's
// setting search_lag_s.
// Source: https://docs.stripe.com/search
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::search {

const params::schema& takes();
// {"object": "search_result", "url", "has_more", "data", "next_page"}, newest first; total_count
// where it is expanded.
answer<json> find(context& ctx);

}  // namespace tilld::sandbox::search
