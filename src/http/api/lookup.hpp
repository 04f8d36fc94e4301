// Who a request of /api is about: by Stripe's id, or by the application's own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/customer_state.hpp"
#include "http/api/endpoint.hpp"

namespace tilld::http::api {

// Nothing when no such customer has been seen.
result<std::optional<core::customer_state>> state_of(const asked& a, const std::string& customer);

// Everybody with this user id, also the deleted: the living first, then who has access, then the
// newest.
result<std::vector<core::customer_state>> linked_to(const asked& a, const std::string& user_id);

// One of them, or the customer with this id at Stripe. Errors: not_found.
result<core::customer_state> customer_named(const asked& a, const std::string& id);

std::optional<core::product_facts> product_facts(const asked& a, std::string_view product);

// The mirrored document; nothing when it is not there, or deleted.
std::optional<std::string> document_of(const asked& a, std::string_view object_name,
                                       const std::string& id);

// 404 customer_unknown, or 503.
response unknown_customer(const error& why, const std::string& id);
inline refusal customer_unknown() {
  return {404, "customer_unknown", "No customer has this user id, or this id at Stripe."};
}

// The customer as /api shows it, and its shape.
nlohmann::json shown(const asked& a, const core::customer_state& state);
shape customer_shape();

// "ada" or "cus_…" in the path.
member user_in_path();

}  // namespace tilld::http::api
