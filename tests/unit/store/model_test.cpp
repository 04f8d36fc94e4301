// Random groups of batches against a plain map: both stores answer and hold what the map does.
#include <algorithm>
#include <array>
#include <map>

#include "fixtures.hpp"
#include "store/keys.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

constexpr std::array used_families{family::objects, family::index, family::feed};

// The specification once more, as plainly as it can be said.
struct model {
  std::map<family, std::map<std::string, std::string>> rows;
  std::map<family, std::uint64_t> numbers;

  bool holds(const batch::precondition& p) {
    const auto& in = rows[p.in];
    const auto at = in.find(p.key);
    if (!p.prefix) return at == in.end();
    return at != in.end() && at->second.starts_with(*p.prefix);
  }

  std::string commit(const batch& one) {
    for (const auto& p : one.preconditions()) {
      if (!holds(p)) return "conflict";
    }
    for (const auto& c : one.changes()) {
      if (c.kind == batch::change_kind::put) rows[c.in][c.key] = c.value;
      if (c.kind == batch::change_kind::erase) rows[c.in].erase(c.key);
      if (c.kind == batch::change_kind::append) {
        rows[c.in][number_key(++numbers[c.in])] = c.value;
      }
    }
    return "applied";
  }

  row_list scan(const scan_range& range) {
    row_list out;
    for (const auto& row : rows[range.in]) {
      const auto& key = row.first;
      const bool beyond =
          range.reverse ? !range.from.empty() && key >= range.from : key < range.from;
      if (key.starts_with(range.prefix) && !beyond) out.push_back(row);
    }
    if (range.reverse) std::reverse(out.begin(), out.end());
    return out;
  }
};

std::string some_key() {
  using std::string_literals::operator""s;
  return *rc::gen::element("a"s, "ab"s, "abc"s, "b"s, "b\0"s, "b\xff"s, "\xff"s, "\xff\xff"s, "z"s);
}

std::string some_value() {
  return *rc::gen::element(std::string(), std::string("1"), std::string("12"), std::string("2"));
}

family some_family() {
  return *rc::gen::element(family::objects, family::index);
}

// The last few numbers of the log, to erase and to expect.
std::string some_number(const model& m) {
  const auto at = m.numbers.find(family::feed);
  const std::uint64_t last = at == m.numbers.end() ? 0 : at->second;
  const auto back = *rc::gen::inRange<std::uint64_t>(0, 4);
  return number_key(last + 2 > back ? last + 2 - back : 0);
}

batch some_batch(const model& m) {
  batch one;
  const int changes = *rc::gen::inRange(0, 6);
  for (int i = 0; i < changes; ++i) {
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
      case 1:
        one.put(some_family(), some_key(), some_value());
        break;
      case 2:
        one.erase(some_family(), some_key());
        break;
      case 3:
        one.append(family::feed, some_value());
        break;
      default:
        one.erase(family::feed, some_number(m));
        break;
    }
  }
  const int preconditions = *rc::gen::inRange(0, 3);
  for (int i = 0; i < preconditions; ++i) {
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        one.expect_absent(some_family(), some_key());
        break;
      case 1:
        one.expect_prefix(some_family(), some_key(), some_value());
        break;
      case 2:
        one.expect_absent(family::feed, some_number(m));
        break;
      default:
        one.expect_prefix(family::feed, some_number(m), some_value());
        break;
    }
  }
  return one;
}

void forget_all(store::store& in) {
  batch away;
  for (const family f : used_families) {
    for (const auto& [key, value] : rows_of(in, f))
      away.erase(f, key);
  }
  RC_ASSERT(in.commit(away).has_value());
}

void compare(const store::store& with, model& m) {
  for (const family f : used_families) {
    RC_ASSERT(rows_of(with, f) == m.scan({f}));
    RC_ASSERT(with.last_number(f) == m.numbers[f]);
  }
  for (int i = 0; i < 4; ++i) {
    const scan_range range{
        some_family(), some_key().substr(0, *rc::gen::inRange<std::size_t>(0, 2)),
        *rc::gen::element(std::string(), some_key()), *rc::gen::arbitrary<bool>()};
    RC_ASSERT(rows_of(with, range) == m.scan(range));
  }
}

}  // namespace

TEST_CASE("Whatever is committed, both stores hold exactly what a plain map would") {
  // One store on disk for all cases, emptied in between: opening takes longer than a case.
  subject disk(kind::rocks);
  int cases = 0;
  REQUIRE(rc::check([&] {
    subject memory(kind::memory);
    forget_all(*disk);
    model of_memory;
    model of_disk;
    of_disk.numbers[family::feed] = disk->last_number(family::feed);
    const int groups = *rc::gen::inRange(1, 8);
    for (int g = 0; g < groups; ++g) {
      const int size = *rc::gen::inRange(0, 6);
      for (auto* pair : {&of_memory, &of_disk}) {
        subject& it = pair == &of_memory ? memory : disk;
        std::vector<batch> group;
        std::vector<std::string> expected;
        for (int i = 0; i < size; ++i)
          group.push_back(some_batch(*pair));
        for (const batch& one : group)
          expected.push_back(pair->commit(one));
        RC_ASSERT(commit_all(*it, group) == expected);
        compare(*it, *pair);
      }
    }
    if (++cases % 10 == 0) {
      disk.reopen();
      compare(*disk, of_disk);
    }
  }));
}
