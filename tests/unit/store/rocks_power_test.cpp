// Power cuts at random moments, under many small flushes: what was acknowledged is there.
#include <cstdlib>
#include <random>

#include "power_cut.hpp"
#include "store/rocks_testing.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

int cuts() {
  const char* value = std::getenv("TILLD_POWER_CUTS");  // NOLINT(concurrency-mt-unsafe)
  return value ? std::atoi(value) : 40;
}

std::string payload(std::uint64_t number) {
  return std::string(static_cast<std::size_t>(number * 7919 % 3000),
                     static_cast<char>('a' + number % 26));
}

batch numbered(std::uint64_t number) {
  const std::string name = std::to_string(number);
  batch one;
  one.expect_absent(family::objects, name);
  one.put(family::objects, name, payload(number));
  one.put(family::events, name, payload(number + 1));
  one.append(family::feed, name);
  return one;
}

// 1: whole, 0: nothing of it, -1: a part.
int state_of(const store::store& in, std::uint64_t number) {
  const std::string name = std::to_string(number);
  const auto object = in.get(family::objects, name).value();
  const auto event = in.get(family::events, name).value();
  const auto feed = in.get(family::feed, number_key(number)).value();
  if (!object && !event && !feed) return 0;
  return object == payload(number) && event == payload(number + 1) && feed == name ? 1 : -1;
}

struct tally {
  int cuts = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t lost = 0;
  std::uint64_t halves = 0;
  int refused = 0;
};

// Opens, commits until the power goes, looks at what is left; the next cut goes on from there.
class machine {
 public:
  machine(std::uint32_t seed, bool sync) : random_(seed), options_(small_options(dir_ / "db")) {
    options_.sync = sync;
    options_.write_buffer_bytes = 64u << 10;
    options_.least_free_bytes = 0;
  }

  void cut(tally& so_far) {
    auto system = std::make_shared<power_system>(static_cast<std::uint32_t>(random_()));
    hasty_env env(system);
    system->cut_after(static_cast<int>(1 + random_() % 300));
    const std::uint64_t before = acknowledged_;
    if (auto opened = open_rocks_store(options_, &env)) commit_until_dead(**opened, *system);
    REQUIRE(system->dead());
    system->forget();
    ++so_far.cuts;
    so_far.acknowledged += acknowledged_ - before;
    look(so_far);
  }

 private:
  void commit_until_dead(store::store& it, const power_system& system) {
    std::uint64_t next = acknowledged_ + 1;
    while (!system.dead()) {
      std::vector<batch> group;
      const std::uint64_t size = 1 + random_() % 8;
      for (std::uint64_t i = 0; i < size; ++i)
        group.push_back(numbered(next + i));
      for (const std::string& said : commit_all(it, group)) {
        if (said == "applied") acknowledged_ = next++;
      }
    }
  }

  void look(tally& so_far) {
    auto system = std::make_shared<power_system>(0);  // only to sync nothing
    hasty_env env(system);
    const auto opened = open_rocks_store(options_, &env);
    if (!opened) {
      INFO(opened.error().message);
      ++so_far.refused;
      std::filesystem::remove_all(options_.path);
      acknowledged_ = 0;
      return;
    }
    const std::uint64_t last = (*opened)->last_number(family::feed);
    for (std::uint64_t n = 1; n <= std::max(last, acknowledged_) + 1; ++n) {
      const int state = state_of(**opened, n);
      if (state < 0) ++so_far.halves;
      if (state == 0 && n <= acknowledged_) ++so_far.lost;
    }
    acknowledged_ = last;
  }

  temp_dir dir_;
  std::mt19937 random_;
  rocks_options options_;
  std::uint64_t acknowledged_ = 0;
};

tally cut_often(std::uint32_t seed, bool sync, int times) {
  tally all;
  while (all.cuts < times) {
    machine one(seed++, sync);
    for (int i = 0; i < 20 && all.cuts < times; ++i)
      one.cut(all);
  }
  return all;
}

}  // namespace

TEST_CASE("Whenever the power goes, what was acknowledged is there and every batch whole") {
  const tally all = cut_often(1, true, cuts());
  CHECK(all.lost == 0);
  CHECK(all.halves == 0);
  CHECK(all.refused == 0);
  CHECK(all.acknowledged > static_cast<std::uint64_t>(cuts()));
  WARN(all.cuts << " power cuts, " << all.acknowledged << " batches acknowledged, none lost");
}

TEST_CASE("Without synced commits power cuts lose what was acknowledged, and this is noticed") {
  const tally all = cut_often(1, false, 20);
  CHECK(all.lost > 0);
  CHECK(all.halves == 0);
}
