// The outbox: an order is durable before it leaves, and its end is durable before it is answered.
//
// So that one order has one effect: every try carries the same idempotency key; an application's
// own key is remembered with the order it made, and asked again it gets the same answer, or 409
// while the first is on its way, or 400 if it now means something else.
// Source of the semantics: https://docs.stripe.com/api/idempotent_requests
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "actors/facts.hpp"
#include "actors/working_set.hpp"

namespace tilld::actors {

// Time-ordered and unique: "ord_" + milliseconds (hex) + random.
std::string make_order_id(std::int64_t now_ms);

struct order_context {
  store::scope scope;
  std::int64_t now_ms = 0;
  std::string_view node;  // this store's name: part of the keys we make
};

// Either a new order, whose rows were added to the set, or an answer right away.
using placed_order = std::variant<store::order_record, order_answer>;
result<placed_order> open_order(working_set& set, const order_context& context,
                                const order_request& request);

// Writes the end into the set and says what the caller gets. An outcome that is still unknown
// leaves the order open (`settled` false): it will be sent again with the same key until
// `give_up_after_ms` have passed since it was made; then it is parked.
struct order_end {
  bool settled = true;
  order_answer answer;
};
order_end close_order(working_set& set, const order_context& context, store::order_record& record,
                      const stripe::outcome& outcome, std::int64_t give_up_after_ms);

// Stripe's error shape, for answers of our own.
order_answer refuse_order(int status, std::string_view type, std::string_view code,
                          std::string_view message);

}  // namespace tilld::actors
