// How RocksDB is set up, in one place, each choice with its reason.
#pragma once

#include <memory>

#include <rocksdb/options.h>

#include "store/rocks_database.hpp"

namespace tilld::store {

// One part in so many of the cache is for rows, the rest for blocks.
inline constexpr std::size_t row_share = 4;

// `env` may be null: the real one. With read_only nothing is prepared for writing.
rocksdb::DBOptions database_options(const rocks_options& options, rocksdb::Env* env,
                                    const std::shared_ptr<health>& state);
rocksdb::ColumnFamilyOptions family_options(const rocks_options& options, family f,
                                            const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace tilld::store
