// What both stores promise alike. Each test runs over each.
#include <algorithm>
#include <atomic>
#include <thread>

#include "fixtures.hpp"
#include "store/keys.hpp"

using namespace tilld;
using namespace tilld::store;
using namespace tilld::store::testing;

namespace {

using std::string_literals::operator""s;
using answers = std::vector<std::string>;

kind any_kind() {
  return GENERATE(kind::memory, kind::rocks);
}

void put_all(store::store& to, family in, const std::vector<std::string>& keys) {
  batch one;
  for (const std::string& key : keys)
    one.put(in, key, "value of " + key);
  REQUIRE(to.commit(one).has_value());
}

std::optional<std::string> value(const reader& from, family in, const std::string& key) {
  auto found = from.get(in, key);
  REQUIRE(found.has_value());
  return *found;
}

}  // namespace

TEST_CASE("A new store knows its schema and has a name of its own") {
  subject it(any_kind());
  CHECK(value(*it, family::meta, std::string(key::schema)) == std::to_string(schema_version));
  const auto node = value(*it, family::meta, std::string(key::node));
  REQUIRE(node.has_value());
  CHECK(node->size() == 5 + 16);
  CHECK(node->starts_with("node_"));
  CHECK(rows_of(*it, family::meta).size() == 2);
  it.reopen();
  CHECK(value(*it, family::meta, std::string(key::node)) == node);
}

TEST_CASE("A row is read back until it is erased, in its own family only") {
  subject it(any_kind());
  REQUIRE(it->commit(putting(family::objects, "k", "v")).has_value());
  CHECK(value(*it, family::objects, "k") == "v");
  CHECK(value(*it, family::events, "k") == std::nullopt);
  CHECK(value(*it, family::objects, "k2") == std::nullopt);
  CHECK(value(*it, family::objects, "") == std::nullopt);
  REQUIRE(it->commit(putting(family::objects, "k", "")).has_value());
  CHECK(value(*it, family::objects, "k") == "");
  batch away;
  away.erase(family::objects, "k");
  away.erase(family::objects, "never there");
  REQUIRE(it->commit(away).has_value());
  CHECK(value(*it, family::objects, "k") == std::nullopt);
}

TEST_CASE("Keys and values may hold any bytes") {
  subject it(any_kind());
  const std::string key = "\0\xff\n\0"s;
  const std::string long_value(200'000, '\xff');
  REQUIRE(it->commit(putting(family::objects, key, long_value)).has_value());
  it.reopen();
  CHECK(value(*it, family::objects, key) == long_value);
}

TEST_CASE("Many gets give one answer per key, in their order, also for missing and repeated ones") {
  subject it(any_kind());
  put_all(*it, family::objects, {"a", "b", "c"});
  const std::vector<std::string> keys{"c", "x", "a", "c", "", "a"};
  const auto found = it->multi_get(family::objects, keys);
  REQUIRE(found.has_value());
  REQUIRE(found->size() == 6);
  CHECK((*found)[0] == "value of c");
  CHECK((*found)[1] == std::nullopt);
  CHECK((*found)[2] == "value of a");
  CHECK((*found)[3] == "value of c");
  CHECK((*found)[4] == std::nullopt);
  CHECK((*found)[5] == "value of a");
  const auto none = it->multi_get(family::objects, {});
  REQUIRE(none.has_value());
  CHECK(none->empty());
}

TEST_CASE("A scan shows the rows of its prefix in order, either way, from where it is told") {
  subject it(any_kind());
  put_all(*it, family::index,
          {"a", "b", "b1", "b2", "b\xff", "b\xff\xff", "c", "\xff", "\xff\xff"});
  const auto scan = [&](std::string prefix, std::string from, bool reverse) {
    return keys_of(*it, {family::index, std::move(prefix), std::move(from), reverse});
  };
  const answers all{"a", "b", "b1", "b2", "b\xff", "b\xff\xff", "c", "\xff", "\xff\xff"};
  CHECK(scan("", "", false) == all);
  CHECK(scan("", "", true) == answers(all.rbegin(), all.rend()));
  CHECK(scan("b", "", false) == answers{"b", "b1", "b2", "b\xff", "b\xff\xff"});
  CHECK(scan("b", "", true) == answers{"b\xff\xff", "b\xff", "b2", "b1", "b"});
  CHECK(scan("b", "b2", false) == answers{"b2", "b\xff", "b\xff\xff"});
  CHECK(scan("b", "b2", true) == answers{"b1", "b"});
  CHECK(scan("b", "b15", false) == answers{"b2", "b\xff", "b\xff\xff"});
  CHECK(scan("b", "b15", true) == answers{"b1", "b"});
  CHECK(scan("b", "a", false) == answers{"b", "b1", "b2", "b\xff", "b\xff\xff"});
  CHECK(scan("b", "a", true).empty());
  CHECK(scan("b", "b", true).empty());
  CHECK(scan("b", "c", false).empty());
  CHECK(scan("b", "c", true) == answers{"b\xff\xff", "b\xff", "b2", "b1", "b"});
  CHECK(scan("b\xff", "", false) == answers{"b\xff", "b\xff\xff"});
  CHECK(scan("\xff", "", false) == answers{"\xff", "\xff\xff"});
  CHECK(scan("\xff", "", true) == answers{"\xff\xff", "\xff"});
  CHECK(scan("\xff", "\xff\xff", true) == answers{"\xff"});
  CHECK(scan("\xff\xff\xff", "", true).empty());
  CHECK(scan("x", "", false).empty());
  CHECK(scan("", "b\xff", true) == answers{"b2", "b1", "b", "a"});
}

TEST_CASE("A scan ends when its visitor says so") {
  subject it(any_kind());
  put_all(*it, family::index, {"a", "b", "c"});
  answers seen;
  REQUIRE(it->scan({family::index}, [&](std::string_view key, std::string_view) {
              seen.emplace_back(key);
              return seen.size() < 2;
            }).has_value());
  CHECK(seen == answers{"a", "b"});
}

TEST_CASE("A scan shows one moment, even when its visitor commits") {
  subject it(any_kind());
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i)
    keys.push_back("k" + std::to_string(1000 + i));
  put_all(*it, family::index, keys);
  answers seen;
  REQUIRE(it->scan({family::index}, [&](std::string_view key, std::string_view) {
              batch change;
              change.erase(family::index, "k1299");
              change.put(family::index, std::string(key) + "+", "new");
              REQUIRE(it->commit(change).has_value());
              seen.emplace_back(key);
              return true;
            }).has_value());
  CHECK(seen == keys);
  CHECK(rows_of(*it, family::index).size() == 2 * keys.size() - 1);
}

TEST_CASE("All of a batch is true together, over all families") {
  subject it(any_kind());
  batch one;
  for (std::size_t f = 0; f < family_count; ++f)
    one.put(family(f), "row", to_string(family(f)));
  one.expect_absent(family::objects, "row");
  REQUIRE(it->commit(one).has_value());
  for (std::size_t f = 0; f < family_count; ++f) {
    CHECK(value(*it, family(f), "row") == to_string(family(f)));
  }
  batch again = one;
  for (std::size_t f = 0; f < family_count; ++f)
    again.put(family(f), "row2", "no");
  CHECK(said(it->commit(again)) == "conflict");
  for (std::size_t f = 0; f < family_count; ++f) {
    CHECK(value(*it, family(f), "row2") == std::nullopt);
  }
}

TEST_CASE("Within a batch the last change of a row counts") {
  subject it(any_kind());
  batch one;
  one.put(family::objects, "a", "1");
  one.erase(family::objects, "a");
  one.put(family::objects, "b", "1");
  one.put(family::objects, "b", "2");
  one.erase(family::objects, "c");
  one.put(family::objects, "c", "3");
  REQUIRE(it->commit(one).has_value());
  CHECK(rows_of(*it, family::objects) == row_list{{"b", "2"}, {"c", "3"}});
}

TEST_CASE("A batch is refused unless its preconditions hold, and the others of the group go on") {
  subject it(any_kind());
  put_all(*it, family::objects, {"there"});
  const auto with = [](auto&& condition, std::string key) {
    batch one = putting(family::events, std::move(key), "x");
    condition(one);
    return one;
  };
  const answers said = commit_all(
      *it,
      {with([](batch& b) { b.expect_absent(family::objects, "there"); }, "1"),
       with([](batch& b) { b.expect_absent(family::objects, "not there"); }, "2"),
       with([](batch& b) { b.expect_absent(family::events, "there"); }, "3"),
       with([](batch& b) { b.expect_prefix(family::objects, "there", "value"); }, "4"),
       with([](batch& b) { b.expect_prefix(family::objects, "there", ""); }, "5"),
       with([](batch& b) { b.expect_prefix(family::objects, "there", "valuf"); }, "6"),
       with([](batch& b) { b.expect_prefix(family::objects, "there", "value of there!"); }, "7"),
       with([](batch& b) { b.expect_prefix(family::objects, "not there", ""); }, "8"),
       with(
           [](batch& b) {
             b.expect_prefix(family::objects, "there", "value");
             b.expect_absent(family::objects, "there");
           },
           "9")});
  CHECK(said == answers{"conflict", "applied", "applied", "applied", "applied", "conflict",
                        "conflict", "conflict", "conflict"});
  CHECK(keys_of(*it, {family::events}) == answers{"2", "3", "4", "5"});
}

TEST_CASE("Each batch of a group sees the ones before it") {
  subject it(any_kind());
  put_all(*it, family::objects, {"old"});
  std::vector<batch> group;
  group.push_back(putting(family::objects, "new", "1 one"));
  group.back().expect_absent(family::objects, "new");
  group.push_back(putting(family::objects, "new", "1 other"));  // came too late
  group.back().expect_absent(family::objects, "new");
  group.push_back(putting(family::objects, "new", "2 two"));
  group.back().expect_prefix(family::objects, "new", "1 one");
  group.push_back(putting(family::objects, "new", "never"));  // the left-out one is not seen
  group.back().expect_prefix(family::objects, "new", "1 other");
  batch gone;
  gone.erase(family::objects, "old");
  gone.erase(family::objects, "new");
  group.push_back(gone);
  group.push_back(putting(family::objects, "old", "again"));
  group.back().expect_absent(family::objects, "old");
  group.back().expect_absent(family::objects, "new");
  group.push_back(putting(family::objects, "old", "never"));
  group.back().expect_prefix(family::objects, "old", "value of");
  CHECK(commit_all(*it, group) ==
        answers{"applied", "conflict", "applied", "conflict", "applied", "applied", "conflict"});
  CHECK(rows_of(*it, family::objects) == row_list{{"old", "again"}});
}

TEST_CASE("A batch's own changes do not count for its own preconditions") {
  subject it(any_kind());
  batch one = putting(family::objects, "k", "v");
  one.expect_absent(family::objects, "k");
  CHECK(said(it->commit(one)) == "applied");
  batch none;
  none.expect_absent(family::objects, "k");
  CHECK(said(it->commit(none)) == "conflict");
  CHECK(said(it->commit(batch())) == "applied");
  CHECK(it->commit(std::span<const batch* const>()).empty());
}

TEST_CASE("Appended rows are numbered from 1 without gaps, and left-out batches use no number") {
  subject it(any_kind());
  CHECK(it->last_number(family::feed) == 0);
  std::vector<batch> group(3);
  group[0].append(family::feed, "one");
  group[0].append(family::feed, "two");
  group[1].append(family::feed, "left out");
  group[1].expect_prefix(family::objects, "missing", "");
  group[2].append(family::feed, "three");
  group[2].expect_prefix(family::feed, number_key(2), "two");
  group[2].expect_absent(family::feed, number_key(3));
  CHECK(commit_all(*it, group) == answers{"applied", "conflict", "applied"});
  CHECK(it->last_number(family::feed) == 3);
  CHECK(it->last_number(family::outbox) == 0);
  it.reopen();
  CHECK(it->last_number(family::feed) == 3);
  batch more;
  more.append(family::feed, "four");
  more.append(family::outbox, "first of its own");
  REQUIRE(it->commit(more).has_value());
  CHECK(rows_of(*it, family::feed) == row_list{{number_key(1), "one"},
                                               {number_key(2), "two"},
                                               {number_key(3), "three"},
                                               {number_key(4), "four"}});
  CHECK(it->last_number(family::outbox) == 1);
}

TEST_CASE("A number is never given twice, even when its row was erased") {
  subject it(any_kind());
  batch three;
  for (int i = 0; i < 3; ++i)
    three.append(family::feed, "x");
  REQUIRE(it->commit(three).has_value());
  batch away;
  for (std::uint64_t i = 1; i <= 3; ++i)
    away.erase(family::feed, number_key(i));
  REQUIRE(it->commit(away).has_value());
  CHECK(rows_of(*it, family::feed).empty());
  it.reopen();
  CHECK(it->last_number(family::feed) == 3);
  batch more;
  more.append(family::feed, "four");
  REQUIRE(it->commit(more).has_value());
  CHECK(rows_of(*it, family::feed) == row_list{{number_key(4), "four"}});
  it.reopen();
  CHECK(it->last_number(family::feed) == 4);
}

TEST_CASE("A snapshot does not change while others commit") {
  subject it(any_kind());
  put_all(*it, family::objects, {"a", "b"});
  const auto before = it->snapshot();
  batch change;
  change.put(family::objects, "a", "changed");
  change.erase(family::objects, "b");
  change.put(family::objects, "c", "new");
  REQUIRE(it->commit(change).has_value());
  const auto after = it->snapshot();
  REQUIRE(it->commit(putting(family::objects, "a", "changed again")).has_value());

  const row_list then{{"a", "value of a"}, {"b", "value of b"}};
  CHECK(rows_of(*before, family::objects) == then);
  CHECK(value(*before, family::objects, "b") == "value of b");
  CHECK(value(*before, family::objects, "c") == std::nullopt);
  const std::vector<std::string> keys{"a", "c"};
  CHECK(before->multi_get(family::objects, keys).value()[0] == "value of a");
  CHECK(before->multi_get(family::objects, keys).value()[1] == std::nullopt);
  CHECK(rows_of(*after, family::objects) == row_list{{"a", "changed"}, {"c", "new"}});
  CHECK(value(*it, family::objects, "a") == "changed again");
}

TEST_CASE("Batches can be put together into one") {
  batch one = putting(family::objects, "a", "1");
  one.expect_absent(family::objects, "a");
  batch two = putting(family::feed, "bb", "22");
  two.append(family::feed, "333");
  two.erase(family::objects, "x");
  two.expect_prefix(family::objects, "x", "p");
  one.merge(std::move(two));
  CHECK(one.changes().size() == 4);
  CHECK(one.preconditions().size() == 2);
  CHECK(one.bytes() == 2 + 4 + 3 + 1);
  CHECK(one.changes()[1].key == "bb");
  CHECK(one.preconditions()[1].prefix == "p");
  CHECK_FALSE(one.empty());
  CHECK(batch().empty());
}

TEST_CASE("What was committed is there after opening again") {
  subject it(kind::rocks);
  put_all(*it, family::objects, {"a", "b"});
  batch change;
  change.erase(family::objects, "a");
  change.put(family::index, "i", "");
  REQUIRE(it->commit(change).has_value());
  it.reopen();
  CHECK(rows_of(*it, family::objects) == row_list{{"b", "value of b"}});
  CHECK(rows_of(*it, family::index) == row_list{{"i", ""}});
}

TEST_CASE("A scan of one group of the index shows all of it and nothing else") {
  subject it(kind::rocks);
  const scope s{"main", false};
  constexpr int rounds = 4;
  constexpr int customers = 40;  // every other one has entries, in every other round
  for (int round = 0; round < rounds; ++round) {
    batch rows;
    for (int c = round % 2; c < customers; c += 4) {
      const std::string value = "cus_" + std::to_string(c);
      rows.put(family::index, key::list_entry(s, "invoice", "customer", value, round, "in_1"), "");
      rows.put(family::index, key::event_of(s, "customer", value, round, "evt_1"), "");
    }
    REQUIRE(it->commit(rows).has_value());
    if (round + 1 < rounds) it.reopen();  // into a table; the last ones stay in memory
  }
  for (int c = 0; c < customers; ++c) {
    CAPTURE(c);
    const std::string value = "cus_" + std::to_string(c);
    answers entries, events;
    for (int round = 0; round < rounds; ++round) {
      if (c % 4 != round % 2) continue;
      entries.insert(entries.begin(),
                     key::list_entry(s, "invoice", "customer", value, round, "in_1"));
      events.push_back(key::event_of(s, "customer", value, round, "evt_1"));
    }
    const scan_range list{family::index, key::list(s, "invoice", "customer", value)};
    CHECK(keys_of(*it, list) == entries);
    auto from_second = list;
    from_second.from = key::list_entry(s, "invoice", "customer", value, 1, "in_1");
    std::erase_if(entries, [&](const std::string& key) { return key < from_second.from; });
    CHECK(keys_of(*it, from_second) == entries);
    CHECK(keys_of(*it, {family::index, key::events_of(s, "customer", value)}) == events);
    auto backwards = events;
    std::ranges::reverse(backwards);
    CHECK(keys_of(*it, {family::index, key::events_of(s, "customer", value), "", true}) ==
          backwards);
  }
}

TEST_CASE("What a commit has written is read at once, while others read it") {
  subject it(any_kind());
  const family in = GENERATE(family::objects, family::customers, family::meta, family::events);
  const bool many = GENERATE(false, true);
  CAPTURE(to_string(in), many);
  std::atomic<bool> done{false};
  std::atomic<int> older{0};
  const std::vector<std::string> keys{"m", "n"};
  const auto number = [&] {
    auto row = many ? std::move(it->multi_get(in, keys)->back()) : *it->get(in, "n");
    return row ? std::stoi(*row) : 0;
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      for (int seen = 0; !done;) {
        const int n = number();
        if (n < seen) ++older;
        seen = n;
      }
    });
  }
  int wrong = 0;
  for (int n = 1; n <= 200; ++n) {
    batch row;
    row.put(in, "n", std::to_string(n));
    wrong += !it->commit(row) || number() != n;
  }
  done = true;
  for (auto& reader : readers)
    reader.join();
  batch away;
  away.erase(in, "n");
  wrong += !it->commit(away) || number() != 0;
  CHECK(wrong == 0);
  CHECK(older == 0);
}

TEST_CASE("Readers on other threads see whole batches while the writer commits") {
  subject it(any_kind());
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::atomic<int> looks{0};
  const auto look = [&] {
    while (!done || looks < 100) {
      const auto now = it->snapshot();
      const auto a = now->get(family::objects, "pair");
      const auto b = now->get(family::index, "pair");
      if (!a || !b || *a != *b) ++torn;
      std::size_t rows = 0;
      const auto scanned = it->scan({family::feed}, [&](auto, auto) { return ++rows < 10; });
      if (!scanned) ++torn;
      ++looks;
    }
  };
  std::thread first(look);
  std::thread second(look);
  for (int i = 0; i < 300; ++i) {
    batch one = putting(family::objects, "pair", std::to_string(i));
    one.put(family::index, "pair", std::to_string(i));
    one.append(family::feed, "x");
    if (!it->commit(one)) ++torn;
  }
  done = true;
  first.join();
  second.join();
  CHECK(torn == 0);
  CHECK(it->last_number(family::feed) == 300);
}
