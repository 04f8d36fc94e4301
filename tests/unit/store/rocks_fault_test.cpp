// The store over a file system that fails: a failed sync is final, a full disk is not.
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "fixtures.hpp"
#include "store/rocks_testing.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

enum class operation { append, sync };

// Asked before each append or sync of a file; what it answers is the outcome.
using fault = std::function<rocksdb::IOStatus(operation, const std::string& file)>;

class faulty_file final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  faulty_file(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, const fault& ask)
      : FSWritableFileOwnerWrapper(std::move(file)), name_(std::move(name)), ask_(ask) {}

  using FSWritableFileOwnerWrapper::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    const auto answer = ask_(operation::append, name_);
    return answer.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : answer;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info,
                           rocksdb::IODebugContext* debug) override {
    const auto answer = ask_(operation::append, name_);
    return answer.ok() ? FSWritableFileOwnerWrapper::Append(data, options, info, debug) : answer;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    const auto answer = ask_(operation::sync, name_);
    return answer.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : answer;
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    const auto answer = ask_(operation::sync, name_);
    return answer.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : answer;
  }

 private:
  const std::string name_;
  const fault& ask_;
};

class faulty_system final : public rocksdb::FileSystemWrapper {
 public:
  faulty_system() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "faulty_system"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<faulty_file>(std::move(*file), name, ask);
    return status;
  }
  const fault ask = [this](operation what, const std::string& file) {
    return armed ? answer(what, file) : rocksdb::IOStatus::OK();
  };
  std::atomic<bool> armed{false};
  fault answer;  // set before it is armed
};

// A store over a file system that fails when the test says so.
struct faulty_store {
  explicit faulty_store(fault answer) {
    system->answer = std::move(answer);
    open();
  }
  void open() {
    it.reset();
    auto opened = open_rocks_store(small_options(dir / "db"), env.get());
    if (!opened) throw std::runtime_error(opened.error().message);
    it = std::move(*opened);
  }
  temp_dir dir;
  std::shared_ptr<faulty_system> system = std::make_shared<faulty_system>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(system);
  std::unique_ptr<store::store> it;
};

bool is_log(const std::string& name) {
  return name.ends_with(".log");
}
bool is_table(const std::string& name) {
  return name.ends_with(".sst");
}

bool wait_for(const std::function<bool()>& condition, int seconds = 20) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::string name_of(int i) {
  return "k" + std::to_string(i);
}

batch small_batch(int i) {
  return putting(family::objects, name_of(i), std::string(100, 'v'));
}

void all_there(const store::store& in, int count) {
  for (int i = 0; i < count; ++i) {
    INFO(i);
    REQUIRE(in.get(family::objects, name_of(i)).value() == std::string(100, 'v'));
  }
}

}  // namespace

TEST_CASE("After one failed sync of the log nothing is acknowledged any more, until a restart") {
  const operation failing = GENERATE(operation::sync, operation::append);
  for (const int after : {0, 1, 2, 5, 13}) {
    INFO("commits before: " << after);
    std::atomic<int> failures{0};
    faulty_store f([&](operation what, const std::string& file) {
      if (what != failing || !is_log(file) || failures.fetch_add(1) > 0) {
        return rocksdb::IOStatus::OK();
      }
      return rocksdb::IOStatus::IOError("as if the disk had lost it");
    });
    for (int i = 0; i < after; ++i)
      REQUIRE(f.it->commit(small_batch(i)).has_value());
    CHECK(f.it->state().writable);

    f.system->armed = true;
    CHECK(
        commit_all(*f.it, {putting(family::events, "a", "1"), putting(family::events, "b", "2")}) ==
        std::vector<std::string>{"unavailable", "unavailable"});
    REQUIRE(failures == 1);  // from here on the disk works again
    for (int i = 0; i < 20; ++i) {
      const auto answer = f.it->commit(small_batch(1000 + i));
      REQUIRE(said(answer) == "unavailable");
      CHECK(answer.error().message.find("as if the disk had lost it") != std::string::npos);
    }
    const condition now = f.it->state();
    CHECK(now.fatal);
    CHECK_FALSE(now.writable);
    CHECK(now.why.find("as if the disk had lost it") != std::string::npos);
    all_there(*f.it, after);
    CHECK(f.it->last_number(family::feed) == 0);

    f.it.reset();
    f.system->armed = false;
    f.open();
    all_there(*f.it, after);
    CHECK(f.it->commit(small_batch(after)).has_value());
    CHECK(f.it->get(family::objects, name_of(1000)).value() == std::nullopt);
    const bool a = f.it->get(family::events, "a").value().has_value();
    const bool b = f.it->get(family::events, "b").value().has_value();
    CHECK(a == b);  // one write: both or none
  }
}

TEST_CASE("A flush that fails in the background ends the acknowledging") {
  faulty_store f([](operation, const std::string& file) {
    return is_table(file) ? rocksdb::IOStatus::IOError("bad sector") : rocksdb::IOStatus::OK();
  });
  f.system->armed = true;
  int acknowledged = 0;
  const bool failed = wait_for([&] {
    batch one = small_batch(acknowledged);
    one.put(family::events, name_of(acknowledged), std::string(100'000, 'x'));
    if (f.it->commit(one)) ++acknowledged;
    return f.it->state().fatal;
  });
  REQUIRE(failed);
  CHECK(f.it->state().why.find("bad sector") != std::string::npos);
  CHECK(said(f.it->commit(small_batch(9999))) == "unavailable");
  CHECK(acknowledged > 5);
  all_there(*f.it, acknowledged);
  f.it.reset();
  f.system->armed = false;
  f.open();
  all_there(*f.it, acknowledged);
}

TEST_CASE("When the log finds no space, writing goes on by itself as soon as there is some") {
  const operation failing = GENERATE(operation::append, operation::sync);
  faulty_store f([failing](operation what, const std::string& file) {
    const bool fails = (what == failing && is_log(file)) || is_table(file);
    return fails ? rocksdb::IOStatus::NoSpace("no space") : rocksdb::IOStatus::OK();
  });
  int count = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i)
      REQUIRE(f.it->commit(small_batch(count++)).has_value());
    f.system->armed = true;
    for (int i = 0; i < 5; ++i)
      REQUIRE(said(f.it->commit(small_batch(count))) == "unavailable");
    const condition now = f.it->state();
    CHECK_FALSE(now.writable);
    CHECK_FALSE(now.fatal);
    all_there(*f.it, count);
    f.system->armed = false;
    // Nobody commits: it is the store that finds out.
    REQUIRE(wait_for([&] { return f.it->state().writable; }));
    REQUIRE(f.it->commit(small_batch(count++)).has_value());
  }
  all_there(*f.it, count);
  f.open();
  all_there(*f.it, count);
}

TEST_CASE("A disk that is full at the very first commit is survived") {
  faulty_store f([](operation, const std::string& file) {
    return is_log(file) ? rocksdb::IOStatus::NoSpace("no space") : rocksdb::IOStatus::OK();
  });
  for (int round = 0; round < 3; ++round) {
    f.system->armed = true;
    CHECK(said(f.it->commit(small_batch(9999))) == "unavailable");
    f.system->armed = false;
    REQUIRE(wait_for([&] { return f.it->state().writable; }));
    REQUIRE(f.it->commit(small_batch(round)).has_value());
    f.open();
    all_there(*f.it, round + 1);
  }
}

TEST_CASE("While a stalled store is opened again its rows are read all the time") {
  faulty_store f([](operation, const std::string& file) {
    return is_log(file) ? rocksdb::IOStatus::NoSpace("no space") : rocksdb::IOStatus::OK();
  });
  std::atomic<int> acknowledged{0};
  std::atomic<bool> done{false};
  std::atomic<int> missing{0};
  std::atomic<int> reads{0};
  const auto read = [&] {
    while (!done) {
      const int last = acknowledged.load() - 1;
      if (last < 0) continue;
      const auto row = f.it->get(family::objects, name_of(last));
      const auto snapshot = f.it->snapshot();
      const auto same = snapshot->get(family::objects, name_of(last));
      if (!row || !row->has_value() || !same || !same->has_value()) ++missing;
      ++reads;
    }
  };
  std::thread first(read);
  std::thread second(read);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 5; ++i) {
      if (f.it->commit(small_batch(acknowledged))) ++acknowledged;
    }
    f.system->armed = true;
    CHECK(said(f.it->commit(small_batch(9999))) == "unavailable");
    f.system->armed = false;
    CHECK(wait_for([&] { return f.it->state().writable; }));
  }
  done = true;
  first.join();
  second.join();
  CHECK(missing == 0);
  CHECK(acknowledged == 25);
  CHECK(reads > 0);
}

TEST_CASE("A snapshot from before a stall stays what it was; writing waits until it is dropped") {
  faulty_store f([](operation, const std::string& file) {
    return is_log(file) ? rocksdb::IOStatus::NoSpace("no space") : rocksdb::IOStatus::OK();
  });
  REQUIRE(f.it->commit(small_batch(0)).has_value());
  auto before = f.it->snapshot();
  f.system->armed = true;
  CHECK(said(f.it->commit(small_batch(1))) == "unavailable");
  f.system->armed = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK_FALSE(f.it->state().writable);
  CHECK(before->get(family::objects, name_of(0)).value().has_value());
  CHECK(f.it->get(family::objects, name_of(0)).value().has_value());
  before.reset();
  REQUIRE(wait_for([&] { return f.it->state().writable; }));
  CHECK(f.it->commit(small_batch(1)).has_value());
}

TEST_CASE("A log goes on counting after a stall") {
  faulty_store f([](operation, const std::string& file) {
    return is_log(file) ? rocksdb::IOStatus::NoSpace("no space") : rocksdb::IOStatus::OK();
  });
  batch entry;
  entry.append(family::feed, "x");
  REQUIRE(f.it->commit(entry).has_value());
  REQUIRE(f.it->commit(entry).has_value());
  f.system->armed = true;
  CHECK(said(f.it->commit(entry)) == "unavailable");
  f.system->armed = false;
  REQUIRE(wait_for([&] { return f.it->state().writable; }));
  REQUIRE(f.it->commit(entry).has_value());
  const auto rows = rows_of(*f.it, family::feed);
  CHECK(rows.size() == f.it->last_number(family::feed));
  CHECK(rows.back().first == number_key(rows.size()));
  CHECK((rows.size() == 3 || rows.size() == 4));  // the refused one may be there after all
}

TEST_CASE("When a flush finds no space, nothing acknowledged is lost and writing goes on later") {
  faulty_store f([](operation, const std::string& file) {
    return is_table(file) ? rocksdb::IOStatus::NoSpace("no space") : rocksdb::IOStatus::OK();
  });
  f.system->armed = true;
  int acknowledged = 0;
  REQUIRE(wait_for([&] {
    batch one = small_batch(acknowledged);
    one.put(family::events, name_of(acknowledged), std::string(100'000, 'x'));
    if (f.it->commit(one)) ++acknowledged;
    return !f.it->state().writable;
  }));
  CHECK_FALSE(f.it->state().fatal);
  all_there(*f.it, acknowledged);
  f.system->armed = false;
  REQUIRE(wait_for([&] { return f.it->state().writable; }));
  REQUIRE(f.it->commit(small_batch(acknowledged++)).has_value());
  f.open();
  all_there(*f.it, acknowledged);
}

TEST_CASE("Closing a store whose disk is full ends, and loses nothing") {
  faulty_store f([](operation, const std::string&) { return rocksdb::IOStatus::NoSpace("full"); });
  REQUIRE(f.it->commit(small_batch(0)).has_value());
  f.system->armed = true;
  CHECK(said(f.it->commit(small_batch(1))) == "unavailable");
  f.it.reset();
  const auto refused = open_rocks_store(small_options(f.dir / "db"), f.env.get());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::unavailable);
  f.system->armed = false;
  f.open();
  all_there(*f.it, 1);
}
