// What entitlements need of a product's document.
#pragma once

#include <optional>
#include <string_view>

#include "core/customer_state.hpp"

namespace tilld::core {

// Name, and the features of metadata "features" ("a, b": split at commas, blanks trimmed, sorted,
// each once). nullopt when the document cannot be read.
std::optional<product_facts> product_facts_in(std::string_view document);

}  // namespace tilld::core
