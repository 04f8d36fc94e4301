#include "store/rocks_open.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "store/keys.hpp"
#include "store/rocks_directory.hpp"
#include "store/rocks_tuning.hpp"

namespace tilld::store {

namespace {

using names = std::vector<std::string>;

constexpr int open_tries_beside_a_daemon = 10;
const std::string& default_name = rocksdb::kDefaultColumnFamilyName;

// One step from schema `from` to the next, in one synced write together with the new number.
struct migration {
  std::uint32_t from;
  result<void> (*run)(database& over);
};
// Every schema that this tilld can still read has its step here. Schemas 1 and 2 were never
// released.
constexpr std::span<const migration> migrations{};

const migration* migration_from(std::uint32_t schema) {
  const auto at = std::ranges::find(migrations, schema, &migration::from);
  return at == migrations.end() ? nullptr : &*at;
}

std::string node_name() {
  static constexpr char letters[] = "abcdefghijklmnopqrstuvwxyz";
  std::string name = "node_";
  while (name.size() < 5 + 16) {
    for (const unsigned char c : random_bytes(16)) {
      // Bytes from 234 on are drawn again, so that no letter is favoured.
      if (c < 234 && name.size() < 5 + 16) name += letters[c % 26];
    }
  }
  return name;
}

// --- opening, plainly ---------------------------------------------------------------------------

class opener {
 public:
  opener(const rocks_options& options, rocksdb::Env* env, std::shared_ptr<doorbell> rings)
      : options_(options),
        env_(env),
        rings_(std::move(rings)),
        cache_(rocksdb::NewLRUCache(options.cache_bytes - options.cache_bytes / row_share)) {}

  rocksdb::Env& env() const { return env_ ? *env_ : *rocksdb::Env::Default(); }
  const std::string& path() const { return options_.path; }

  rocksdb::Status list(names& out) const {
    return rocksdb::DB::ListColumnFamilies(settings(true, state_of_its_own()), path(), &out);
  }

  rocksdb::Status open_to_read(const names& which, std::shared_ptr<database>& out) const {
    return open(which, true, false, out);
  }
  rocksdb::Status open_to_write(bool new_store, std::shared_ptr<database>& out) const {
    return open(all_names(), false, new_store, out);
  }

  static names all_names() {
    names out{default_name};
    for (std::size_t i = 0; i < family_count; ++i)
      out.emplace_back(to_string(family(i)));
    return out;
  }

 private:
  std::shared_ptr<health> state_of_its_own() const { return std::make_shared<health>(rings_); }

  rocksdb::DBOptions settings(bool read_only, const std::shared_ptr<health>& state) const {
    rocks_options options = options_;
    options.read_only = read_only;
    return database_options(options, env_, state);
  }

  rocksdb::Status open(const names& which, bool read_only, bool new_store,
                       std::shared_ptr<database>& out) const {
    auto made = std::make_shared<database>();
    made->path = path();
    made->state = state_of_its_own();
    rocksdb::DBOptions settings_now = settings(read_only, made->state);
    settings_now.create_if_missing = new_store;
    settings_now.create_missing_column_families = new_store;
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : which) {
      families.emplace_back(name, family_options(options_, family_of(name), cache_));
    }
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const rocksdb::Status status =
        read_only ? rocksdb::DB::OpenForReadOnly(settings_now, path(), families, &handles, &db)
                  : rocksdb::DB::Open(settings_now, path(), families, &handles, &db);
    if (!status.ok()) return status;
    made->db.reset(db);
    for (std::size_t i = 0; i < which.size(); ++i) {
      if (which[i] == default_name) {
        made->default_handle = handles[i];
      } else {
        made->handles[static_cast<std::size_t>(family_of(which[i]))] = handles[i];
      }
    }
    out = std::move(made);
    return status;
  }

  static family family_of(const std::string& name) {
    for (std::size_t i = 0; i < family_count; ++i) {
      if (name == to_string(family(i))) return family(i);
    }
    return family::meta;
  }

  const rocks_options& options_;
  rocksdb::Env* const env_;
  const std::shared_ptr<doorbell> rings_;
  const std::shared_ptr<rocksdb::Cache> cache_;
};

// --- looking, before anything is changed --------------------------------------------------------

struct finding {
  bool new_store = false;  // nothing in it yet
  std::uint32_t schema = schema_version;
};

std::unexpected<error> not_ours(const std::string& path, const std::string& why) {
  return fail(errc::corrupt, path + " is not a store of tilld: " + why +
                                 " (nothing was changed; choose another --data)");
}

result<std::uint32_t> parse_schema(const std::string& path, const std::string& text) {
  std::uint32_t schema = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), schema);
  if (wrong != std::errc() || end != text.data() + text.size()) {
    return not_ours(path, "its schema row is no number");
  }
  return schema;
}

result<void> check_schema(const std::string& path, std::uint32_t schema, bool read_only) {
  if (schema > schema_version) {
    return fail(errc::corrupt,
                fmt::format("{} was written by a newer tilld: it has schema {}, this tilld knows "
                            "schemas up to {} (nothing was changed; use the newer tilld, or "
                            "restore a backup of before the upgrade)",
                            path, schema, schema_version));
  }
  for (std::uint32_t from = schema; from < schema_version; ++from) {
    if (!migration_from(from)) {
      return fail(errc::corrupt,
                  fmt::format("{} has schema {}, which this tilld, with schema {}, cannot bring "
                              "up to date (nothing was changed; upgrade by way of an older tilld)",
                              path, schema, schema_version));
    }
  }
  if (read_only && schema != schema_version) {
    return fail(errc::unavailable,
                fmt::format("{} has schema {}; start this tilld once, to bring it to schema {}",
                            path, schema, schema_version));
  }
  return {};
}

result<void> check_families(const std::string& path, const names& found) {
  const names known = opener::all_names();
  for (const std::string& name : found) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return fail(errc::corrupt,
                fmt::format("{} was written by a newer tilld: it has a family \"{}\" that this "
                            "one, with schema {}, does not know (nothing was changed)",
                            path, name, schema_version));
  }
  for (const std::string& name : known) {
    if (std::ranges::find(found, name) != found.end()) continue;
    return fail(errc::corrupt, path + " is damaged: its family \"" + name +
                                   "\" is missing (restore a backup into a new directory)");
  }
  return {};
}

// Without a schema row: a first open that was cut off left no rows, and no families but ours.
result<finding> check_unfinished(const opener& with, const names& found) {
  const names known = opener::all_names();
  for (const std::string& name : found) {
    if (std::ranges::find(known, name) == known.end()) {
      return not_ours(with.path(), "it has a family \"" + name + "\"");
    }
  }
  std::shared_ptr<database> all;
  const rocksdb::Status status = with.open_to_read(found, all);
  if (!status.ok()) return std::unexpected(error_of(status, "opening", with.path()));
  std::vector<rocksdb::ColumnFamilyHandle*> handles(all->handles.begin(), all->handles.end());
  handles.push_back(all->default_handle);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    if (!handle) continue;
    const std::unique_ptr<rocksdb::Iterator> rows(
        all->db->NewIterator(rocksdb::ReadOptions(), handle));
    rows->SeekToFirst();
    if (rows->Valid()) return not_ours(with.path(), "it holds rows and no schema");
    if (!rows->status().ok()) {
      return std::unexpected(error_of(rows->status(), "opening", with.path()));
    }
  }
  return finding{.new_store = true};
}

// Opens only what says which schema it is, so that most of the log is passed over.
result<finding> look_at_schema(const opener& with, bool read_only) {
  names found;
  rocksdb::Status status = with.list(found);
  if (!status.ok()) return std::unexpected(error_of(status, "opening", with.path()));
  const std::string meta = to_string(family::meta);
  if (std::ranges::find(found, meta) == found.end()) return check_unfinished(with, found);
  std::shared_ptr<database> part;
  status = with.open_to_read({default_name, meta}, part);
  if (!status.ok()) return std::unexpected(error_of(status, "opening", with.path()));
  const auto row = read_one(*part, nullptr, family::meta, key::schema);
  if (!row) return std::unexpected(row.error());
  if (!*row) {
    part.reset();
    return check_unfinished(with, found);
  }
  const auto schema = parse_schema(with.path(), **row);
  if (!schema) return std::unexpected(schema.error());
  if (const auto fine = check_schema(with.path(), *schema, read_only); !fine) {
    return std::unexpected(fine.error());
  }
  if (const auto fine = check_families(with.path(), found); !fine) {
    return std::unexpected(fine.error());
  }
  return finding{.new_store = false, .schema = *schema};
}

error in_use(const std::string& path) {
  return {errc::unavailable,
          path + " is in use by another tilld (stop it, or choose another --data)"};
}

// RocksDB says "While lock file" for another process and "lock hold by current process" for ours.
bool says_locked(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return text.find("While lock file") != std::string::npos ||
         text.find("lock hold by current process") != std::string::npos;
}

// While another process writes, files come and go under a look; so it is refused first. (Through
// RocksDB, because closing the lock file by ourselves would give up a lock that this process has.)
result<void> check_lock(const opener& with) {
  const std::string name = with.path() + "/LOCK";
  std::error_code ignored;
  if (!std::filesystem::exists(name, ignored)) return {};
  rocksdb::FileLock* lock = nullptr;
  const rocksdb::Status status = with.env().LockFile(name, &lock);
  if (!status.ok()) {
    if (says_locked(status)) return std::unexpected(in_use(with.path()));
    return std::unexpected(error_of(status, "opening", with.path()));
  }
  with.env().UnlockFile(lock).PermitUncheckedError();
  return {};
}

// --- the whole ----------------------------------------------------------------------------------

result<void> write_first_rows(database& over) {
  rocksdb::WriteBatch rows;
  rocksdb::Status status =
      rows.Put(over.at(family::meta), rocksdb::Slice(key::schema), std::to_string(schema_version));
  if (status.ok()) status = rows.Put(over.at(family::meta), rocksdb::Slice(key::node), node_name());
  rocksdb::WriteOptions durable;
  durable.sync = true;
  if (status.ok()) status = over.db->Write(durable, &rows);
  if (!status.ok()) return std::unexpected(error_of(status, "making", over.path));
  return {};
}

result<void> migrate(database& over, std::uint32_t schema) {
  for (; schema < schema_version; ++schema) {
    log::info("store_migrating", {{"path", over.path}, {"from", schema}});
    if (const auto done = migration_from(schema)->run(over); !done) return done;
  }
  return {};
}

result<std::shared_ptr<database>> open_for_writing(const opener& with, bool exists) {
  finding found{.new_store = true};
  if (exists) {
    if (const auto free = check_lock(with); !free) return std::unexpected(free.error());
    const auto looked = look_at_schema(with, false);
    if (!looked) return std::unexpected(looked.error());
    found = *looked;
  } else if (const auto made = make_directory(with.path()); !made) {
    return std::unexpected(made.error());
  }
  std::shared_ptr<database> open;
  const rocksdb::Status status = with.open_to_write(found.new_store, open);
  if (!status.ok()) {
    if (says_locked(status)) return std::unexpected(in_use(with.path()));
    return std::unexpected(error_of(status, "opening", with.path()));
  }
  const auto ready = found.new_store ? write_first_rows(*open) : migrate(*open, found.schema);
  if (!ready) return std::unexpected(ready.error());
  return open;
}

// A daemon beside us may delete a file between our reading of its name and of the file.
result<std::shared_ptr<database>> open_for_reading(const opener& with, bool exists) {
  if (!exists) return fail(errc::unavailable, "there is no store in " + with.path());
  for (int tries = 1;; ++tries) {
    auto looked = look_at_schema(with, true);
    rocksdb::Status status;
    std::shared_ptr<database> open;
    if (looked && looked->new_store) {
      return fail(errc::unavailable, "there is no store in " + with.path() + " yet");
    }
    if (looked) status = with.open_to_read(opener::all_names(), open);
    if (looked && status.ok()) return open;
    if (tries == open_tries_beside_a_daemon) {
      return std::unexpected(looked ? error_of(status, "opening", with.path()) : looked.error());
    }
  }
}

}  // namespace

result<std::shared_ptr<database>> open_database(const rocks_options& options, rocksdb::Env* env,
                                                const std::shared_ptr<doorbell>& rings) {
  const auto content = look_into(options.path);
  if (!content) return std::unexpected(content.error());
  const opener with(options, env, rings);
  const bool exists = *content == directory_content::store;
  auto opened = options.read_only ? open_for_reading(with, exists) : open_for_writing(with, exists);
  if (!opened) return opened;
  const auto node = read_one(**opened, nullptr, family::meta, key::node);
  if (!node) return std::unexpected(node.error());
  if (!*node) return not_ours(options.path, "it has no name of its own");
  return opened;
}

}  // namespace tilld::store
