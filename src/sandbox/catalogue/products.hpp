// Products, and the features of entitlements that hang on them (entitlements.hpp).
#pragma once

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::products {

// Makes and tells a product on the way of something else, of its name and, where `data` has them,
// id (a new one), active, statement_descriptor, unit_label and metadata. Gives its id.
std::string make(context& ctx, const json& data);

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::products
