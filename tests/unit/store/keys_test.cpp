#include "store/keys.hpp"

#include <limits>
#include <set>
#include <tuple>

#include "fixtures.hpp"

using namespace tilld;
using namespace tilld::store;

namespace {

using std::string_literals::operator""s;

// Few letters, so that one text often begins another; every byte an id may have is possible.
rc::Gen<std::string> some_id() {
  return rc::gen::oneOf(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf("ab!~\xff"s))),
      rc::gen::nonEmpty(
          rc::gen::container<std::string>(rc::gen::suchThat(rc::gen::arbitrary<char>(), [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte >= 0x20 && byte != 0x7f;
          }))));
}

rc::Gen<scope> some_scope() {
  return rc::gen::apply(
      [](std::string account, bool live) {
        return scope{account, live};
      },
      rc::gen::element("main"s, "main2"s, "mai"s, "main/acct_1"s, "l"s, "t"s, "tl"s, "te"s,
                       "refetch"s),
      rc::gen::arbitrary<bool>());
}

rc::Gen<std::int64_t> some_time() {
  return rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 4),
                        rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 48));
}

std::string object_name() {
  return *rc::gen::element("customer"s, "subscription"s, "event"s, "l"s, "order"s, "e"s);
}

char mode(const scope& s) {
  return s.live ? 'l' : 't';
}

int sign(int n) {
  return (n > 0) - (n < 0);
}

template <class Tuple>
bool same_order(const std::string& key_a, const Tuple& a, const std::string& key_b,
                const Tuple& b) {
  return sign(key_a.compare(key_b)) == (a < b ? -1 : b < a ? 1 : 0);
}

}  // namespace

TEST_CASE("A key is written exactly as the grammar says") {
  const scope test{"main", false};
  const scope connected{"main/acct_9", true};
  CHECK(test.bytes() == "main\0t"s);
  CHECK(connected.bytes() == "main/acct_9\0l"s);
  CHECK(key::object(test, "customer", "cus_1") == "main\0tcustomer\0cus_1\0"s);
  CHECK(key::objects_of(test, "customer") == "main\0tcustomer\0"s);
  CHECK(key::list(test, "invoice", "customer", "cus_1") == "main\0tlinvoice\0customer\0cus_1\0"s);
  CHECK(key::list_entry(test, "invoice", "", "", 258, "in_1") ==
        "main\0tlinvoice\0\0\0\0\0\xff\xff\xff\xff\xfe\xfd\x96\x91\xa0\xce\xff"s);
  CHECK(key::arrivals(connected) == "main/acct_9\0le"s);
  CHECK(key::arrival(test, 1, "evt_1") ==
        "main\0te\0\0\0\0\0\0\0\x01"
        "evt_1\0"s);
  CHECK(key::events_of(test, "customer", "cus_1") == "main\0tocustomer\0cus_1\0"s);
  CHECK(key::event_of(test, "customer", "cus_1", 1, "evt_1") ==
        "main\0tocustomer\0cus_1\0\0\0\0\0\0\0\0\x01"
        "evt_1\0"s);
  CHECK(key::failures(test) == "main\0tf"s);
  CHECK(key::failure(test, "evt_1") == "main\0tfevt_1\0"s);
  CHECK(key::event(test, "evt_1") == "main\0tevt_1\0"s);
  CHECK(key::customer_state(test, "cus_1") == "main\0tscus_1\0"s);
  CHECK(key::user_links(test, "u 7") == "main\0tuu 7\0"s);
  CHECK(key::user_link(test, "u 7", "cus_1") == "main\0tuu 7\0cus_1\0"s);
  CHECK(key::orders(test) == "main\0to"s);
  CHECK(key::order(test, "ord_1") == "main\0toord_1\0"s);
  CHECK(key::open_orders(test) == "main\0tp"s);
  CHECK(key::open_order(test, "ord_1") == "main\0tpord_1\0"s);
  CHECK(key::order_by_key(test, "k1") == "main\0tkk1\0"s);
  CHECK(key::order_by_claim(test, "c1") == "main\0tcc1\0"s);
  CHECK(key::parked_order(test, "ord_1") == "main\0tword_1\0"s);
  CHECK(key::tokens() == "token\0"s);
  CHECK(key::token("\0\xff"s) == "token\0\0\xff"s);
  CHECK(key::refetches() == "refetch\0"s);
  CHECK(key::refetch(test, "customer", "cus_1") == "refetch\0main\0tcustomer\0cus_1\0"s);
  CHECK(key::last_number(family::feed) == "last\0feed"s);
}

TEST_CASE("An id is 1 to 255 bytes without control characters") {
  CHECK(valid_id("cus_1"));
  CHECK(valid_id("Sommer 50 %"));
  CHECK(valid_id("été"));
  CHECK(valid_id(std::string(255, 'x')));
  CHECK_FALSE(valid_id(""));
  CHECK_FALSE(valid_id(std::string(256, 'x')));
  CHECK_FALSE(valid_id("a\0b"s));
  CHECK_FALSE(valid_id("a\n"));
  CHECK_FALSE(valid_id("\x7f"));
}

TEST_CASE("The order of object keys is the order of what they name") {
  REQUIRE(rc::check([] {
    const auto a = std::make_tuple(*some_scope(), object_name(), *some_id());
    const auto b = std::make_tuple(*some_scope(), object_name(), *some_id());
    const auto key_of = [](const auto& t) {
      return std::apply([](auto&... part) { return key::object(part...); }, t);
    };
    const auto value_of = [](const auto& t) {
      const auto& [s, name, id] = t;
      return std::make_tuple(s.account, mode(s), name, id);
    };
    RC_ASSERT(same_order(key_of(a), value_of(a), key_of(b), value_of(b)));
  }));
}

TEST_CASE(
    "The order of list entries is by what they list, then newest first, then by the larger id") {
  REQUIRE(rc::check([] {
    using entry = std::tuple<std::string, char, std::string, std::string, std::string, std::int64_t,
                             std::string>;
    const auto draw = [] {
      const auto s = *some_scope();
      const auto value = *rc::gen::oneOf(rc::gen::just(std::string()), some_id());
      entry e{s.account, mode(s),      object_name(), value.empty() ? "" : "customer",
              value,     *some_time(), *some_id()};
      const auto& [account, m, name, filter, v, time, id] = e;
      return std::make_pair(key::list_entry(s, name, filter, v, time, id), e);
    };
    const auto a = draw();
    const auto b = draw();
    const auto list_of = [](const entry& e) {
      const auto& [account, m, name, filter, v, time, id] = e;
      return std::tie(account, m, name, filter, v);
    };
    const auto newest_first = [](const entry& e) {
      return std::make_pair(-std::get<5>(e), std::get<6>(e));
    };
    if (list_of(a.second) != list_of(b.second) || std::get<5>(a.second) != std::get<5>(b.second)) {
      const auto key_of = [&](const entry& e) {
        return std::make_pair(list_of(e), newest_first(e));
      };
      RC_ASSERT(same_order(a.first, key_of(a.second), b.first, key_of(b.second)));
    } else {
      RC_ASSERT(same_order(b.first, std::get<6>(a.second), a.first, std::get<6>(b.second)));
    }
  }));
}

TEST_CASE("The order of arrivals and of an object's events is by time, then by id") {
  REQUIRE(rc::check([] {
    const scope s = *some_scope();
    const auto a = std::make_tuple(*some_time(), *some_id());
    const auto b = std::make_tuple(*some_time(), *some_id());
    const auto& [time_a, id_a] = a;
    const auto& [time_b, id_b] = b;
    RC_ASSERT(same_order(key::arrival(s, time_a, id_a), a, key::arrival(s, time_b, id_b), b));
    RC_ASSERT(same_order(key::event_of(s, "price", "p", time_a, id_a), a,
                         key::event_of(s, "price", "p", time_b, id_b), b));
  }));
}

TEST_CASE("A prefix holds its own rows and swallows no neighbour's") {
  REQUIRE(rc::check([] {
    const scope s1 = *some_scope();
    const scope s2 = *some_scope();
    const std::string name1 = object_name();
    const std::string name2 = object_name();
    const std::string id1 = *some_id();
    const std::string id2 = *some_id();
    const std::string other = *some_id();
    const auto time = *some_time();

    const bool same_scope = s1 == s2;
    const bool same_name = same_scope && name1 == name2;
    const bool same_id = same_scope && id1 == id2;
    const auto holds = [](const std::string& prefix, const std::string& key) {
      return key.starts_with(prefix);
    };
    RC_ASSERT(holds(key::objects_of(s1, name1), key::object(s2, name2, id2)) == same_name);
    RC_ASSERT(holds(key::list(s1, name1, "customer", id1),
                    key::list_entry(s2, name2, "customer", id2, time, other)) ==
              (same_name && id1 == id2));
    RC_ASSERT(!holds(key::list(s1, name1, "", ""),
                     key::list_entry(s2, name2, "customer", id2, time, other)));
    RC_ASSERT(holds(key::events_of(s1, name1, id1), key::event_of(s2, name2, id2, time, other)) ==
              (same_name && id1 == id2));
    RC_ASSERT(holds(key::user_links(s1, id1), key::user_link(s2, id2, other)) == same_id);
    RC_ASSERT(holds(key::arrivals(s1), key::arrival(s2, time, id2)) == same_scope);
    RC_ASSERT(holds(key::failures(s1), key::failure(s2, id2)) == same_scope);
    RC_ASSERT(holds(key::orders(s1), key::order(s2, id2)) == same_scope);
    RC_ASSERT(!holds(key::orders(s1), key::open_order(s2, id2)));
    RC_ASSERT(!holds(key::orders(s1), key::order_by_key(s2, id2)));
    RC_ASSERT(holds(key::open_orders(s1), key::open_order(s2, id2)) == same_scope);
    const auto marked = key::refetch_place(key::refetch(s2, name2, id2));
    RC_ASSERT(marked);
    RC_ASSERT(marked->of == s2);
    RC_ASSERT(marked->object_name == name2);
    RC_ASSERT(marked->id == id2);
  }));
}

TEST_CASE("The kinds of rows in the index never meet") {
  const scope s{"main", false};
  const std::set<std::string> all{key::list_entry(s, "e", "", "", 0, "x"), key::arrival(s, 0, "x"),
                                  key::event_of(s, "l", "x", 0, "x"), key::failure(s, "x")};
  CHECK(all.size() == 4);
  for (const std::string& key : all) {
    const int kinds = key.starts_with(key::arrivals(s)) + key.starts_with(key::failures(s)) +
                      key.starts_with(key::list(s, "e", "", "")) +
                      key.starts_with(key::events_of(s, "l", "x"));
    CHECK(kinds == 1);
  }
}

TEST_CASE("The id at the end of a key is read back from every kind of key") {
  REQUIRE(rc::check([] {
    const scope s = *some_scope();
    const std::string id = *some_id();
    const std::string other = *some_id();
    const std::string name = object_name();
    const auto time = *some_time();
    const std::vector<std::pair<family, std::string>> keys{
        {family::objects, key::object(s, name, id)},
        {family::index, key::arrival(s, time, id)},
        {family::index, key::event_of(s, name, other, time, id)},
        {family::index, key::failure(s, id)},
        {family::customers, key::customer_state(s, id)},
        {family::customers, key::user_link(s, other, id)},
        {family::outbox, key::order(s, id)},
        {family::outbox, key::open_order(s, id)},
        {family::outbox, key::order_by_key(s, id)},
        {family::outbox, key::order_by_claim(s, id)},
        {family::outbox, key::parked_order(s, id)},
        {family::meta, key::refetch(s, name, id)},
    };
    for (const auto& [in, key] : keys) {
      RC_LOG() << to_string(in) << " " << to_hex(key);
      RC_ASSERT(key::last_text(in, key) == id);
      RC_ASSERT(key::last_text(key) == id);
    }
    RC_ASSERT(key::last_text(family::events, key::event(s, id)) == id);
    RC_ASSERT(key::last_text(key::event(s, "evt_" + id)) == "evt_" + id);
  }));
}

TEST_CASE("Where a list entry stands is read back from its key") {
  REQUIRE(rc::check([] {
    const scope s = *some_scope();
    const std::string id = *some_id();
    const auto time = *some_time();
    const auto name = object_name();
    const auto value = *rc::gen::oneOf(rc::gen::just(std::string()), some_id());
    const auto at = key::list_place(key::list_entry(s, name, "customer", value, time, id));
    RC_ASSERT(at);
    RC_ASSERT(at->created_s == time);
    RC_ASSERT(at->id == id);
    RC_ASSERT(!key::list_place(key::arrival(s, time, id)));
    RC_ASSERT(!key::list_place(key::event_of(s, name, id, time, id)));
    RC_ASSERT(!key::list_place(key::list(s, name, "customer", value)));
  }));
}

TEST_CASE("Whose a user's link is, and to whom, is read back from its key") {
  REQUIRE(rc::check([] {
    const scope s = *some_scope();
    const std::string user = *some_id();
    const std::string customer = *some_id();
    const std::string key = key::user_link(s, user, customer);
    const auto at = key::user_link_place(key);
    RC_ASSERT(at);
    RC_ASSERT(at->user_id == user);
    RC_ASSERT(at->customer_id == customer);
    RC_ASSERT(key.starts_with(key::all_user_links(s)));
    RC_ASSERT(!key::user_link_place(key::customer_state(s, customer)));
    RC_ASSERT(!key::user_link_place(key::user_links(s, user)));
  }));
}

TEST_CASE("A key of the index begins with its group, which is what scans of one name") {
  REQUIRE(rc::check([] {
    const scope s = *some_scope();
    const std::string id = *some_id();
    const auto name = object_name();
    const auto time = *some_time();
    const std::vector<std::pair<std::string, std::string>> groups_and_keys{
        {key::list(s, name, "customer", id), key::list_entry(s, name, "customer", id, time, id)},
        {key::list(s, name, "", ""), key::list_entry(s, name, "", "", time, id)},
        {key::arrivals(s), key::arrival(s, time, id)},
        {key::events_of(s, name, id), key::event_of(s, name, id, time, id)},
        {key::failures(s), key::failure(s, id)}};
    for (const auto& [group, key] : groups_and_keys) {
      RC_LOG() << to_hex(group) << " " << to_hex(key);
      RC_ASSERT(key::group_length(group) == group.size());
      RC_ASSERT(key::group_length(key) == group.size());
      RC_ASSERT(key::group_length(std::string_view(group).substr(0, group.size() - 1)) == 0u);
    }
    RC_ASSERT(key::group_length(s.bytes()) == 0u);
  }));
}

TEST_CASE("What is no key of the grammar has no id at its end") {
  const scope s{"main", false};
  for (const std::string& key :
       {""s, "\0"s, "main"s, "main\0"s, "main\0t"s, "main\0x\0"s, "token\0abc"s, key::arrivals(s),
        key::list(s, "invoice", "", "").substr(0, 10), testing::number_key(7)}) {
    INFO(to_hex(key));
    CHECK_FALSE(key::last_text(family::index, key).has_value());
    CHECK_FALSE(key::last_text(family::objects, key).has_value());
  }
  CHECK_FALSE(key::last_text(family::feed, testing::number_key(7)).has_value());
  CHECK_FALSE(key::last_text(family::meta, key::schema).has_value());
  CHECK_FALSE(key::last_text(family::meta, key::token(std::string(32, 'x'))).has_value());
  REQUIRE(rc::check([](const std::string& bytes) {
    for (std::size_t f = 0; f < family_count; ++f) {
      const auto id = key::last_text(family(f), bytes);
      RC_ASSERT(!id || (bytes.ends_with('\0') && id->find('\0') == std::string_view::npos));
    }
    const auto id = key::last_text(bytes);
    RC_ASSERT(!id || !id->empty());
  }));
}

TEST_CASE("A NUL in a text cannot end it early") {
  REQUIRE(rc::check([](const std::string& raw) {
    const scope s{"main", true};
    const std::string key = key::object(s, "customer", raw);
    RC_ASSERT(key.starts_with(key::objects_of(s, "customer")));
    RC_ASSERT(key.size() == key::objects_of(s, "customer").size() + raw.size() + 1);
    RC_ASSERT(key.find('\0', key::objects_of(s, "customer").size()) == key.size() - 1);
  }));
  const scope s{"main", true};
  CHECK(key::object(s, "customer", "a\0b"s) != key::object(s, "customer", "a"));
  CHECK_FALSE(key::user_link(s, "u\0cus_1"s, "x").starts_with(key::user_link(s, "u", "cus_1")));
}

TEST_CASE("A time outside of what a key can carry is held to its limits") {
  const scope s{"main", false};
  const auto least = std::numeric_limits<std::int64_t>::min();
  const auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(key::arrival(s, least, "x") == key::arrival(s, 0, "x"));
  CHECK(key::arrival(s, most, "x") == key::arrival(s, (std::int64_t{1} << 48) - 1, "x"));
  CHECK(key::last_text(key::arrival(s, most, "x")) == "x");
}

TEST_CASE("A configured account and a connected one are told apart in a scope") {
  const scope own{"main", true};
  const scope connected{"main/acct_1", true};
  CHECK(own.configured() == "main");
  CHECK(own.connected().empty());
  CHECK(own.platform() == own);
  CHECK(connected.configured() == "main");
  CHECK(connected.connected() == "acct_1");
  CHECK(connected.platform() == own);
}

TEST_CASE("The scopes of a family are all those that have a row in it, each once") {
  REQUIRE(rc::check([] {
    const auto store = open_memory_store();
    std::set<std::string> wanted;
    batch rows;
    for (int i = *rc::gen::inRange(0, 8); i > 0; --i) {
      const scope s = *some_scope();
      wanted.insert(s.bytes());
      for (int n = *rc::gen::inRange(1, 4); n > 0; --n)
        rows.put(family::outbox, key::order(s, *some_id()), "");
    }
    RC_ASSERT(store->commit(rows).has_value());
    const auto found = scopes_in(*store, family::outbox);
    RC_ASSERT(found.has_value());
    std::set<std::string> got;
    for (const auto& s : *found)
      got.insert(s.bytes());
    RC_ASSERT(got == wanted);
    RC_ASSERT(found->size() == wanted.size());
  }));
}
