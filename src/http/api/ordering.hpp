// Orders at Stripe on behalf of an endpoint of /api, and what callers are told about them.
#pragma once

#include <functional>
#include <string>

#include "http/api/endpoint.hpp"
#include "stripe/form.hpp"

namespace tilld::http::api {

struct wanted_order {
  std::string verb = "POST";
  std::string path;           // "/v1/customers"
  stripe::form_pairs form{};  // of a POST
  std::string owner{};        // the customer it is about, as the gateway's order among orders
  std::string step{};         // of a request that orders several things: part of the key
  std::string claim{};        // see actors::order_request
  std::int64_t claim_wait_ms = 60'000;  // for another order that holds the claim
};

using order_done = std::move_only_function<void(const actors::order_answer& end)>;
using try_again = std::move_only_function<void()>;

// Orders it with the caller's Idempotency-Key (and the step). `done` has an answer of Stripe's that
// is good; what is refused, still open or to be waited for (Prefer) is answered to the caller here.
// When another order holds the claim, `claimed` is called once that has ended.
void order(const asked_ptr& asked, const responder& answer, wanted_order wanted, order_done done,
           try_again claimed = {});

shape order_shape();

// The orders of the account: /api/orders.
std::vector<endpoint> order_endpoints();

}  // namespace tilld::http::api
