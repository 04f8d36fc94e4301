// Opening a store on disk: what is refused, in which words, and that a refusal changes nothing.
#include <array>
#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <rocksdb/db.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixtures.hpp"
#include "store/keys.hpp"
#include "store/rocks_store.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

const std::string this_schema = std::to_string(schema_version);

namespace fs = std::filesystem;

std::unique_ptr<store::store> open(const std::string& path) {
  auto opened = open_rocks_store(small_options(path));
  if (!opened) FAIL(opened.error().message);
  return std::move(*opened);
}

error refusal(const rocks_options& options) {
  auto opened = open_rocks_store(options);
  REQUIRE_FALSE(opened.has_value());
  return opened.error();
}
error refusal(const std::string& path) {
  return refusal(small_options(path));
}

bool says(const error& e, errc code, std::initializer_list<std::string> parts) {
  CAPTURE(e.message, to_string(e.code));
  CHECK(e.code == code);
  bool all = e.code == code;
  for (const std::string& part : parts) {
    CAPTURE(part);
    const bool found = e.message.find(part) != std::string::npos;
    CHECK(found);
    all = all && found;
  }
  return all;
}

// Writes a store's rows behind its back, as some other program or version would.
void with_rocksdb(
    const std::string& path, const std::vector<std::string>& more_families,
    const std::function<void(rocksdb::DB&, const std::vector<rocksdb::ColumnFamilyHandle*>&)>&
        act) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, path, &names).ok()) names = {"default"};
  names.insert(names.end(), more_families.begin(), more_families.end());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names)
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(options, path, families, &handles, &db);
  if (!status.ok()) FAIL(status.ToString());
  act(*db, handles);
  for (auto* handle : handles)
    (void)db->DestroyColumnFamilyHandle(handle);
  delete db;
}

void set_schema(const std::string& path, const std::string& text) {
  with_rocksdb(path, {}, [&](rocksdb::DB& db, const auto& handles) {
    for (auto* handle : handles) {
      if (handle->GetName() == "meta") REQUIRE(db.Put({}, handle, "schema", text).ok());
    }
  });
}

// A store with some rows in tables and some in the log only.
void make_store(const std::string& path) {
  auto made = open(path);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(made->commit(putting(family::objects, "k" + std::to_string(i), std::string(200, 'v')))
                .has_value());
  }
  made.reset();
  made = open(path);
  REQUIRE(made->commit(putting(family::objects, "late", "v")).has_value());
}

fs::path find_file(const std::string& directory, const std::string& start, const std::string& end) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(start) && name.ends_with(end)) found = std::max(found, entry.path());
  }
  REQUIRE_FALSE(found.empty());
  return found;
}

void flip_bytes(const fs::path& file, double from, double to) {
  std::string bytes = read_file(file);
  const auto size = static_cast<double>(bytes.size());
  for (auto i = static_cast<std::size_t>(size * from); i < static_cast<std::size_t>(size * to);
       ++i) {
    bytes[i] = static_cast<char>(~bytes[i]);
  }
  write_file(file, bytes);
}

}  // namespace

TEST_CASE("The directory of a store is made for its owner alone") {
  const temp_dir dir;
  open(dir / "a/b/db");
  struct stat made {};
  REQUIRE(::stat((dir / "a/b/db").c_str(), &made) == 0);
  CHECK((made.st_mode & 07777) == 0700);
  open(dir / "with slash/");
}

TEST_CASE("Each store has another name") {
  const temp_dir dir;
  const auto a = open(dir / "a")->get(family::meta, key::node).value().value();
  const auto b = open(dir / "b")->get(family::meta, key::node).value().value();
  CHECK(a != b);
  for (const char c : a.substr(5))
    CHECK((c >= 'a' && c <= 'z'));
}

TEST_CASE("A store is opened by one process at a time") {
  const temp_dir dir;
  const std::string path = dir / "db";
  const auto held = open(path);
  SECTION("not twice in one") {
    CHECK(says(refusal(path), errc::unavailable,
               {path.c_str(), "is in use by another tilld (stop it, or choose another --data)"}));
    // And the refusal has not given up the lock.
    CHECK(says(refusal(path), errc::unavailable, {"is in use"}));
  }
  SECTION("not by another") {
    // A child that only asks for the lock, as RocksDB would.
    const int child = ::fork();
    if (child == 0) {
      const int lock = ::open((path + "/LOCK").c_str(), O_RDWR);
      struct flock all {};
      all.l_type = F_WRLCK;
      ::_exit(::fcntl(lock, F_SETLK, &all) == -1 ? 7 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WEXITSTATUS(status) == 7);
  }
  CHECK(held->commit(putting(family::objects, "still", "works")).has_value());
}

TEST_CASE("A store that another process holds is refused as in use") {
  const temp_dir dir;
  const std::string path = dir / "db";
  open(path);
  std::array<int, 2> ready{};
  std::array<int, 2> leave{};
  REQUIRE(::pipe(ready.data()) == 0);
  REQUIRE(::pipe(leave.data()) == 0);
  const int child = ::fork();
  if (child == 0) {
    const int lock = ::open((path + "/LOCK").c_str(), O_RDWR);
    struct flock all {};
    all.l_type = F_WRLCK;
    char byte = ::fcntl(lock, F_SETLK, &all) == 0 ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    ::close(leave[1]);
    (void)!::read(leave[0], &byte, 1);
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  REQUIRE(byte == 'y');
  const auto before = contents(path);
  CHECK(says(refusal(path), errc::unavailable, {"is in use by another tilld"}));
  CHECK(contents(path) == before);
  ::close(leave[0]);
  ::close(leave[1]);
  ::waitpid(child, nullptr, 0);
  open(path);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("A store of a newer schema is refused by both versions and not touched") {
  const temp_dir dir;
  const std::string path = dir / "db";
  make_store(path);
  set_schema(path, std::to_string(schema_version + 1));
  const auto before = contents(path);
  CHECK(says(refusal(path), errc::corrupt,
             {path.c_str(), "newer tilld", "has schema " + std::to_string(schema_version + 1),
              "knows schemas up to " + this_schema}));
  auto reading = small_options(path);
  reading.read_only = true;
  CHECK(says(refusal(reading), errc::corrupt, {"newer tilld"}));
  CHECK(contents(path) == before);
  set_schema(path, this_schema);
  CHECK(open(path)->get(family::objects, "late").value() == "v");
}

TEST_CASE("A schema that nothing leads away from is refused, and so is one that is no number") {
  const temp_dir dir;
  const std::string path = dir / "db";
  make_store(path);
  set_schema(path, "0");
  auto before = contents(path);
  CHECK(says(refusal(path), errc::corrupt,
             {"has schema 0", "with schema " + this_schema + ", cannot bring"}));
  CHECK(contents(path) == before);
  set_schema(path, "1x");
  before = contents(path);
  CHECK(says(refusal(path), errc::corrupt, {"not a store of tilld", "no number"}));
  CHECK(contents(path) == before);
}

TEST_CASE("A family that this version does not know means a newer one, and is refused") {
  const temp_dir dir;
  const std::string path = dir / "db";
  make_store(path);
  with_rocksdb(path, {"history"}, [](auto&, const auto&) {});
  const auto before = contents(path);
  CHECK(
      says(refusal(path), errc::corrupt, {"newer tilld", "\"history\"", "schema " + this_schema}));
  CHECK(contents(path) == before);
}

TEST_CASE("A family that is missing means damage") {
  const temp_dir dir;
  const std::string path = dir / "db";
  make_store(path);
  with_rocksdb(path, {}, [](rocksdb::DB& db, const auto& handles) {
    for (auto* handle : handles) {
      if (handle->GetName() == "feed") REQUIRE(db.DropColumnFamily(handle).ok());
    }
  });
  CHECK(says(refusal(path), errc::corrupt, {"is damaged", "\"feed\""}));
}

TEST_CASE("A database of something else is refused and not touched") {
  const temp_dir dir;
  const std::string rows = dir / "rows";
  with_rocksdb(rows, {}, [](rocksdb::DB& db, const auto&) {
    REQUIRE(db.Put({}, "somebody", "else's").ok());
  });
  const std::string families = dir / "families";
  with_rocksdb(families, {"theirs"}, [](auto&, const auto&) {});
  for (const std::string& path : {rows, families}) {
    const auto before = contents(path);
    CHECK(says(refusal(path), errc::corrupt, {path.c_str(), "is not a store of tilld"}));
    CHECK(contents(path) == before);
  }
}

TEST_CASE("A directory with files of something else is refused and not touched") {
  const temp_dir dir;
  write_file(dir / "letters.txt", "dear");
  CHECK(says(refusal(dir.path()), errc::invalid,
             {dir.path().c_str(), "letters.txt", "new directory"}));
  CHECK(contents(dir.path()).size() == 1);
  CHECK(says(refusal(dir / "letters.txt"), errc::unavailable, {"is not a directory"}));
  CHECK(says(refusal(dir / "letters.txt/db"), errc::unavailable, {"letters.txt/db"}));
}

TEST_CASE("A first open that was cut off is begun again") {
  const temp_dir dir;
  SECTION("before RocksDB made its CURRENT file") {
    const std::string path = dir / "db";
    fs::create_directory(path);
    for (const char* name : {"LOCK", "IDENTITY", "MANIFEST-000001", "000001.dbtmp"}) {
      write_file(path + "/" + name, "");
    }
    fs::create_directory(path + "/lost+found");
    CHECK(open(path)->get(family::meta, key::schema).value() == this_schema);
  }
  SECTION("before all families were there") {
    const std::string path = dir / "db";
    with_rocksdb(path, {"objects", "meta"}, [](auto&, const auto&) {});
    CHECK(open(path)->get(family::meta, key::schema).value() == this_schema);
    CHECK(open(path)->get(family::feed, "x").value() == std::nullopt);
  }
}

TEST_CASE("A store whose CURRENT file is gone is not overwritten by a new one") {
  const temp_dir dir;
  const std::string path = dir / "db";
  make_store(path);
  const std::string current = read_file(path + "/CURRENT");
  fs::remove(path + "/CURRENT");
  const auto before = contents(path);
  CHECK(says(refusal(path), errc::corrupt, {path.c_str(), "CURRENT", "restore a backup"}));
  CHECK(contents(path) == before);
  write_file(path + "/CURRENT", current);
  CHECK(open(path)->get(family::objects, "late").value() == "v");
}

TEST_CASE("Damage is told with the path and what to do") {
  const temp_dir dir;
  const std::string path = dir / "db";
  make_store(path);
  SECTION("CURRENT is garbage") {
    write_file(path + "/CURRENT", "garbage");
  }
  SECTION("CURRENT names a file that is not there") {
    write_file(path + "/CURRENT", "MANIFEST-999999\n");
  }
  SECTION("the manifest is garbage") {
    write_file(find_file(path, "MANIFEST-", ""), std::string(5000, '\x5a'));
  }
  SECTION("the manifest is empty") {
    write_file(find_file(path, "MANIFEST-", ""), "");
  }
  SECTION("the manifest was flipped in its middle") {
    flip_bytes(find_file(path, "MANIFEST-", ""), 0.4, 0.5);
  }
  SECTION("a table is missing") {
    fs::remove(find_file(path, "", ".sst"));
  }
  SECTION("a table is cut off") {
    const fs::path table = find_file(path, "", ".sst");
    fs::resize_file(table, fs::file_size(table) / 2);
  }
  SECTION("a table's foot is flipped") {
    flip_bytes(find_file(path, "", ".sst"), 0.95, 1.0);
  }
  const auto before = contents(path);
  CHECK(says(refusal(path), errc::corrupt, {path.c_str(), "restore a backup"}));
  // Nothing that was there is gone: what is left can still be looked at.
  const auto after = contents(path);
  for (const auto& [name, bytes] : before)
    CHECK(after.count(name) == 1);
}

TEST_CASE("Rows whose bytes were flipped are told as damaged, not shown") {
  const temp_dir dir;
  const std::string path = dir / "db";
  make_store(path);
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".sst" && entry.file_size() > 1500) {
      flip_bytes(entry.path(), 0.0, 0.2);
    }
  }
  const auto opened = open_rocks_store(small_options(path));
  if (!opened) {
    CHECK(says(opened.error(), errc::corrupt, {path.c_str(), "restore a backup"}));
    return;
  }
  const auto row = (*opened)->get(family::objects, "k1");
  REQUIRE_FALSE(row.has_value());
  CHECK(says(row.error(), errc::corrupt, {path.c_str(), "restore a backup"}));
  const auto scanned = (*opened)->scan({family::objects}, [](auto, auto) { return true; });
  REQUIRE_FALSE(scanned.has_value());
  CHECK(scanned.error().code == errc::corrupt);
  const std::vector<std::string> keys{"k1"};
  CHECK_FALSE((*opened)->multi_get(family::objects, keys).has_value());
  batch one = putting(family::events, "e", "v");
  one.expect_absent(family::objects, "k1");
  CHECK(said((*opened)->commit(one)) == "corrupt");
  CHECK((*opened)->get(family::events, "e").value() == std::nullopt);
}

TEST_CASE("A store can be read beside a running daemon without touching a file") {
  const temp_dir dir;
  const std::string path = dir / "db";
  auto reading = small_options(path);
  reading.read_only = true;
  CHECK(says(refusal(reading), errc::unavailable, {"there is no store in", path.c_str()}));
  CHECK_FALSE(fs::exists(path));
  const auto daemon = open(path);
  REQUIRE(daemon->commit(putting(family::objects, "k", "v")).has_value());
  batch log;
  log.append(family::feed, "x");
  REQUIRE(daemon->commit(log).has_value());
  const auto before = contents(path);
  {
    const auto tool = open_rocks_store(reading);
    REQUIRE(tool.has_value());
    CHECK((*tool)->get(family::objects, "k").value() == "v");
    CHECK((*tool)->last_number(family::feed) == 1);
    CHECK_FALSE((*tool)->state().writable);
    CHECK(said((*tool)->commit(putting(family::objects, "k", "w"))) == "denied");
    REQUIRE(daemon->commit(putting(family::objects, "k", "v2")).has_value());
    CHECK((*tool)->get(family::objects, "k").value() == "v");
    CHECK((*tool)->snapshot()->get(family::objects, "k").value() == "v");
  }
  const auto again = open_rocks_store(reading);
  REQUIRE(again.has_value());
  CHECK((*again)->get(family::objects, "k").value() == "v2");
  // The daemon's log has grown; no file came or went.
  const auto after = contents(path);
  for (const auto& [name, bytes] : before) {
    INFO(name);
    REQUIRE(after.count(name) == 1);
    CHECK((name.ends_with(".log") || after.at(name) == bytes));
  }
  CHECK(after.size() == before.size());
}

TEST_CASE("A snapshot that outlives its store can still be read, and holds the directory") {
  const temp_dir dir;
  const std::string path = dir / "db";
  auto it = open(path);
  REQUIRE(it->commit(putting(family::objects, "k", "v")).has_value());
  auto left = it->snapshot();
  it.reset();
  CHECK(left->get(family::objects, "k").value() == "v");
  CHECK(says(refusal(path), errc::unavailable, {"is in use"}));
  left.reset();
  CHECK(open(path)->get(family::objects, "k").value() == "v");
}

TEST_CASE("A directory that cannot be made is told") {
  CHECK(says(refusal("/proc/nowhere/db"), errc::unavailable, {"/proc/nowhere/db"}));
}
