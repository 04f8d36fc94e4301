// The store's specification: sorted maps and a mutex. For tests and simulations.
//
// It answers as the store on disk does, from the rows of `meta` that the first open writes to the
// use of a snapshot while others commit. It draws no random numbers and reads no time.
#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"

namespace tilld::store {

// `node` is what stands under key::node.
std::unique_ptr<store> open_memory_store(std::string node = "node_aaaaaaaaaaaaaaaa");

}  // namespace tilld::store
