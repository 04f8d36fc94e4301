#include "store/row_cache.hpp"

#include <array>

#include "store/keys.hpp"
#include "support/catch.hpp"

using namespace tilld::store;

namespace {

constexpr std::size_t plenty = 8u << 20;

row_cache::row text(std::string of) {
  return std::make_shared<const std::string>(std::move(of));
}

// What a reader does who finds `row` where it is kept.
void read(row_cache& in, family f, std::string_view key, row_cache::row row) {
  const auto found = in.find(f, key);
  if (!found.what) in.keep(found.at, f, key, std::move(row));
}

bool knows(row_cache& in, family f, std::string_view key) {
  return in.find(f, key).what.has_value();
}

batch putting(family f, std::string key) {
  batch one;
  one.put(f, std::move(key), "new");
  return one;
}

}  // namespace

TEST_CASE("A row that has been read is known, and so is that there is none") {
  row_cache cache(plenty);
  read(cache, family::objects, "a", text("row"));
  read(cache, family::objects, "b", nullptr);
  CHECK(**cache.find(family::objects, "a").what == "row");
  CHECK(*cache.find(family::objects, "b").what == nullptr);
  CHECK_FALSE(knows(cache, family::objects, "c"));
  CHECK_FALSE(knows(cache, family::meta, "a"));
}

TEST_CASE("What a commit changes is not known from before it begins, the rest is") {
  row_cache cache(plenty);
  for (const char* key : {"a", "b", "c"})
    read(cache, family::objects, key, text("old"));
  batch both = putting(family::objects, "a");
  both.erase(family::objects, "b");
  const std::array<const batch*, 1> group{&both};
  {
    const row_cache::change under_way(cache, group);
    CHECK_FALSE(knows(cache, family::objects, "a"));
    CHECK_FALSE(knows(cache, family::objects, "b"));
    CHECK(knows(cache, family::objects, "c"));
    read(cache, family::objects, "a", text("perhaps old"));
    CHECK_FALSE(knows(cache, family::objects, "a"));
  }
  read(cache, family::objects, "a", text("new"));
  CHECK(**cache.find(family::objects, "a").what == "new");
}

TEST_CASE("What was read before or during a change is not kept after it") {
  row_cache cache(plenty);
  const auto before = cache.find(family::objects, "a").at;
  const batch one = putting(family::objects, "a");
  const std::array<const batch*, 1> group{&one};
  row_cache::place during;
  {
    const row_cache::change under_way(cache, group);
    during = cache.find(family::objects, "a").at;
  }
  cache.keep(before, family::objects, "a", text("old"));
  cache.keep(during, family::objects, "a", text("old"));
  CHECK_FALSE(knows(cache, family::objects, "a"));
  const auto after = cache.find(family::objects, "a").at;
  cache.keep(after, family::objects, "a", text("new"));
  CHECK(knows(cache, family::objects, "a"));
}

TEST_CASE("A change of everything leaves nothing") {
  row_cache cache(plenty);
  const auto before = cache.find(family::objects, "a").at;
  read(cache, family::meta, "m", text("old"));
  { const row_cache::change all(cache); }
  cache.keep(before, family::objects, "a", text("old"));
  CHECK_FALSE(knows(cache, family::objects, "a"));
  CHECK_FALSE(knows(cache, family::meta, "m"));
  CHECK(cache.bytes() == 0);
}

TEST_CASE("The number that is left of an erased row is a change of meta") {
  row_cache cache(plenty);
  read(cache, family::meta, key::last_number(family::feed), nullptr);
  batch one;
  one.erase(family::feed, std::string(8, '\1'));
  const std::array<const batch*, 1> group{&one};
  { const row_cache::change under_way(cache, group); }
  CHECK_FALSE(knows(cache, family::meta, key::last_number(family::feed)));
}

TEST_CASE("The cache keeps to its bytes, and what was used last stays longest") {
  constexpr std::size_t most = 1u << 20;
  row_cache cache(most);
  read(cache, family::objects, "favourite", text("row"));
  for (int i = 0; i < 20'000; ++i) {
    read(cache, family::objects, "key " + std::to_string(i), text(std::string(300, 'x')));
    REQUIRE(knows(cache, family::objects, "favourite"));
  }
  CHECK(cache.bytes() <= most);
  CHECK(cache.bytes() > most / 2);
  CHECK_FALSE(knows(cache, family::objects, "key 0"));
  CHECK(knows(cache, family::objects, "key 19999"));
  read(cache, family::objects, "huge", text(std::string(most / 64, 'x')));
  CHECK_FALSE(knows(cache, family::objects, "huge"));
  CHECK(cache.bytes() <= most);
}
