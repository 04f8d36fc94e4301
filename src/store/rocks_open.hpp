// Opening of a store on disk: what may go wrong before the first row is read, found out before
// anything is changed.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "store/rocks_database.hpp"

namespace tilld::store {

// `env` may be null: the real one. `rings` is rung when the opened database stalls.
// Errors as open_rocks_store().
result<std::shared_ptr<database>> open_database(const rocks_options& options, rocksdb::Env* env,
                                                const std::shared_ptr<doorbell>& rings);

}  // namespace tilld::store
