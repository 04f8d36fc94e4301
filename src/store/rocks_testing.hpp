// For tests of faults: the store on disk over an environment of the test's own.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "store/rocks_store.hpp"

namespace rocksdb {
class Env;
}

namespace tilld::store {

// As open_rocks_store(options). `env` must outlive the store and its snapshots.
result<std::unique_ptr<store>> open_rocks_store(const rocks_options& options, rocksdb::Env* env);

}  // namespace tilld::store
