// expand[]: ids turned into the objects that they name, along paths of at most four steps.
// What may be expanded is the catalogue's to say.
// Source: https://docs.stripe.com/api/expanding_objects
#pragma once

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox {

// Before the request acts: refuses paths that no answer of this endpoint can have.
answer<void> check_expand(const stripe::endpoint_row& endpoint, const json& paths);

void apply_expand(const world& w, const json& paths, json& body);

}  // namespace tilld::sandbox
