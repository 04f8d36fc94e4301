// Whose order is it? Found from the path and the parameters before it leaves, so that the orders
// of one customer keep their order.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "store/keys.hpp"
#include "store/store.hpp"
#include "stripe/form.hpp"

namespace tilld::actors {

// The customer that a mirrored object belongs to; empty when it has none or is not known.
std::string owner_of_object(const store::reader& store, const store::scope& scope,
                            std::string_view object_name, std::string_view id);

// `segments`: of the path, "v1" first. The customer in the path, else the one named by the
// parameter "customer", else the one that the path's object belongs to; empty: none.
std::string owner_of_order(const store::reader& store, const store::scope& scope,
                           std::span<const std::string> segments, const stripe::form_pairs& form);

}  // namespace tilld::actors
