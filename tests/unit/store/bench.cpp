// How fast the writer's way is, beside RocksDB alone. Hidden: run with  unit_store "[.bench]"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>

#include <rocksdb/db.h>

#include "fixtures.hpp"
#include "store/keys.hpp"
#include "store/records.hpp"
#include "store/rocks_open.hpp"
#include "store/rocks_store.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

// Of this thread. Other load on the machine does not show in it.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct spent {
  double wall = 0;
  double cpu = 0;
};

class stopwatch {
 public:
  spent read() const { return {seconds_since(start_), cpu_seconds() - cpu_start_}; }

 private:
  const steady::time_point start_ = steady::now();
  const double cpu_start_ = cpu_seconds();
};

double measured_seconds() {
  const char* value = std::getenv("TILLD_BENCH_SECONDS");  // NOLINT(concurrency-mt-unsafe)
  return value ? std::atof(value) : 4;
}

// JSON-like bytes that compress as JSON does.
std::string document(std::uint64_t seed, std::size_t size) {
  std::string out;
  out.reserve(size + 64);
  while (out.size() < size) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    out += "\"field_" + std::to_string(seed >> 60) + "\":\"" + to_hex(number_key(seed)) + "\",";
  }
  out.resize(size);
  return out;
}

const scope in_scope{"main", true};

// What one event becomes: its record, its object, three index rows, a feed entry.
struct work {
  std::string event_key, event, object_key, object, index1, index2, index3, feed, seen;
};

work work_of(std::uint64_t n, const std::string& event, const std::string& object) {
  const std::string event_id = "evt_1Q" + std::to_string(n * 2654435761 % 100'000'000'000);
  const std::string id = "sub_1Q" + std::to_string(n % 20'000);
  const auto time = static_cast<std::int64_t>(1'760'000'000 + n / 10);
  return {key::event(in_scope, event_id),
          event,
          key::object(in_scope, "subscription", id),
          object,
          key::list_entry(in_scope, "subscription", "", "", time, id),
          key::list_entry(in_scope, "subscription", "customer", "cus_" + id, time, id),
          key::event_of(in_scope, "subscription", id, time, event_id),
          "{\"event\":\"" + event_id + "\",\"object\":\"subscription/" + id + "\"}",
          version_prefix(0)};
}

batch batch_of(work&& w, bool conditions, bool first) {
  batch one;
  if (conditions) {
    one.expect_absent(family::events, w.event_key);
    if (first) {
      one.expect_absent(family::objects, w.object_key);
    } else {
      one.expect_prefix(family::objects, w.object_key, std::move(w.seen));
    }
  }
  one.put(family::events, std::move(w.event_key), std::move(w.event));
  one.put(family::objects, std::move(w.object_key), std::move(w.object));
  one.put(family::index, std::move(w.index1), "");
  one.put(family::index, std::move(w.index2), "");
  one.put(family::index, std::move(w.index3), "");
  one.append(family::feed, std::move(w.feed));
  return one;
}

struct figures {
  std::uint64_t batches = 0;
  double seconds = 0;
  spent inside;  // of which in commits
  std::vector<double> commits_ms;

  void print(const std::string& name) {
    std::sort(commits_ms.begin(), commits_ms.end());
    const auto at = [this](double share) {
      return commits_ms[static_cast<std::size_t>(share *
                                                 static_cast<double>(commits_ms.size() - 1))];
    };
    const auto count = static_cast<double>(batches);
    std::cout << name << ": " << static_cast<long>(count / inside.wall) << " batches/s in commits, "
              << inside.cpu / count * 1e6 << " us of CPU each, commit p50 " << at(0.5) << " p99 "
              << at(0.99) << " max " << commits_ms.back() << " ms\n";
  }
};

// `commit` takes the works of one group and gives back what it spent in committing.
template <class Commit>
figures run(std::size_t group_size, Commit commit) {
  std::vector<std::string> events;
  std::vector<std::string> objects;
  for (std::uint64_t i = 0; i < 256; ++i) {
    events.push_back(document(i, 4096));
    objects.push_back(encode(object_record{0, {1, 1}, document(i + 1000, 3000)}));
  }
  figures f;
  const auto start = steady::now();
  for (std::uint64_t n = 0; f.seconds < measured_seconds(); n += group_size) {
    std::vector<work> works;
    for (std::uint64_t i = n; i < n + group_size; ++i) {
      works.push_back(work_of(i, events[i % 256], objects[i * 7 % 256]));
    }
    const spent took = commit(works, n);
    f.inside.wall += took.wall;
    f.inside.cpu += took.cpu;
    f.commits_ms.push_back(took.wall * 1000);
    f.batches += group_size;
    f.seconds = seconds_since(start);
  }
  return f;
}

figures run_store(std::size_t group_size, bool conditions, bool sync) {
  const temp_dir dir;
  rocks_options options;
  options.path = dir / "db";
  options.sync = sync;
  const auto it = open_rocks_store(options).value();
  return run(group_size, [&](std::vector<work>& works, std::uint64_t n) {
    std::vector<batch> group;
    std::vector<const batch*> pointers;
    for (std::size_t i = 0; i < works.size(); ++i) {
      group.push_back(batch_of(std::move(works[i]), conditions, n + i < 20'000));
    }
    for (const batch& one : group)
      pointers.push_back(&one);
    const stopwatch watch;
    for (const auto& answer : it->commit(pointers)) {
      if (!answer) throw std::runtime_error(answer.error().message);
    }
    return watch.read();
  });
}

// The same rows into the same database with the same options, by RocksDB's own calls.
figures run_bare(std::size_t group_size, bool sync) {
  const temp_dir dir;
  rocks_options options;
  options.path = dir / "db";
  const auto open = open_database(options, nullptr, std::make_shared<doorbell>()).value();
  rocksdb::WriteOptions durable;
  durable.sync = sync;
  rocksdb::WriteBatch rows;
  std::uint64_t number = 0;
  return run(group_size, [&](std::vector<work>& works, std::uint64_t) {
    const stopwatch watch;
    rows.Clear();
    const auto put = [&](family in, const std::string& key, const std::string& value) {
      if (!rows.Put(open->at(in), key, value).ok()) throw std::runtime_error("put");
    };
    for (const work& w : works) {
      put(family::events, w.event_key, w.event);
      put(family::objects, w.object_key, w.object);
      put(family::index, w.index1, "");
      put(family::index, w.index2, "");
      put(family::index, w.index3, "");
      put(family::feed, number_key(++number), w.feed);
    }
    if (!open->db->Write(durable, &rows).ok()) throw std::runtime_error("write");
    return watch.read();
  });
}

}  // namespace

TEST_CASE("Commits beside RocksDB alone", "[.bench]") {
  for (const bool sync : {true, false}) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{16}, std::size_t{64}}) {
      const std::string name =
          std::string(sync ? "sync" : "no sync") + ", groups of " + std::to_string(size);
      run_bare(size, sync).print(name + ", bare RocksDB");
      run_store(size, false, sync).print(name + ", store without preconditions");
      run_store(size, true, sync).print(name + ", store with 2 preconditions each");
    }
  }
}
