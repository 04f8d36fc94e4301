// The store's specification: sorted maps and a mutex. For tests and simulations.
#pragma once

#include <memory>

#include "store/store.hpp"

namespace tilld::store {

std::unique_ptr<store> open_memory_store();

}  // namespace tilld::store
