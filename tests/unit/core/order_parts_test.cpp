// The order rule's tools: reading without a DOM, undoing changes, and walking through a second.
#include <nlohmann/json.hpp>

#include "core/order_json.hpp"
#include "core/order_rules.hpp"
#include "core/order_walk.hpp"
#include "support/catch.hpp"

namespace {

using namespace tilld::core::ordering;
using nlohmann::json;

places bits(std::initializer_list<int> all) {
  places set = 0;
  for (int p : all)
    set |= places{1} << p;
  return set;
}

}  // namespace

TEST_CASE("a glance sees the top level only, whatever the strings contain") {
  const auto seen = look(
      R"( {"x":{"id":"no","status":"no","created":1},"id" : "a\"b\\","y":["}","\"id\":\"no\""],)"
      R"("status":"open","created": 17 ,"z":"status"} )");
  CHECK(seen.id == R"(a\"b\\)");
  CHECK(seen.status == "open");
  CHECK(seen.created_s == 17);
  CHECK(look(R"({"created":1.5,"status":null})").created_s == std::nullopt);
  CHECK(look(R"({"created":1.5,"status":null,"id":"z"})").status.empty());
  CHECK(look(R"({"created":1.5,"status":null,"id":"z"})").id == "z");
  CHECK(look(R"({"created":"1","id":"z"})").created_s == std::nullopt);
  CHECK(look("{}").id.empty());
  CHECK(look("[]").id.empty());
  CHECK(look("").id.empty());
}

TEST_CASE("a glance survives every truncation of a document") {
  const std::string whole =
      R"({"id":"a\\","m":{"k":["v\"",{"n":null}]},"status":"open","created":-3,"t":true})";
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const std::string part = whole.substr(0, n);  // its own buffer, so that ASan watches the end
    const auto seen = look(part);
    CHECK(seen.id.size() <= 3);
    in_final_status("invoice", part);
  }
}

TEST_CASE("only a top-level final status counts as final") {
  CHECK(in_final_status("invoice", R"({"status":"void"})"));
  CHECK(in_final_status("invoice", R"({"a":{"status":"open"},"status" : "void"})"));
  CHECK_FALSE(in_final_status("invoice", R"({"payment":{"status":"paid"},"status":"open"})"));
  CHECK_FALSE(in_final_status("invoice", R"({"note":"\"status\":\"paid\"","status":"open"})"));
  CHECK_FALSE(in_final_status("customer", R"({"status":"void"})"));
}

TEST_CASE("undoing a change gives the state before it") {
  const auto undone = [](const char* after, const char* previous, const char* before) {
    return same(undo(json::parse(after), json::parse(previous)), json::parse(before));
  };
  CHECK(undone(R"({"a":2})", R"({"a":1})", R"({"a":1})"));
  CHECK(undone(R"({"a":2})", R"({"a":null})", R"({})"));
  CHECK(undone(R"({})", R"({"a":1})", R"({"a":1})"));
  CHECK(undone(R"({"m":{"k":"2","n":"3"}})", R"({"m":{"k":"1","n":null,"o":"4"}})",
               R"({"m":{"k":"1","o":"4"}})"));
  CHECK(undone(R"({"l":[{"a":2},{"b":1}]})", R"({"l":[{"a":1}]})", R"({"l":[{"a":1}]})"));
  CHECK(undone(R"({"r":{"data":[1],"n":1}})", R"({"r":{"data":[],"n":0}})",
               R"({"r":{"data":[],"n":0}})"));
  CHECK(undone(R"({"d":null})", R"({"d":{"coupon":"x"}})", R"({"d":{"coupon":"x"}})"));
  CHECK(undone(R"({"d":{"coupon":"x"}})", R"({"d":null})", R"({})"));
  CHECK(undone(R"({"m":{"k":"1"}})", R"({"m":{}})", R"({"m":{}})"));
}

TEST_CASE("states are the same when they differ in null, absence or expansion only") {
  CHECK(same(json::parse(R"({"a":null,"b":{"c":null}})"), json::parse(R"({"b":{}})")));
  CHECK(same(json::parse(R"({"c":"cus_1"})"), json::parse(R"({"c":{"id":"cus_1","x":1}})")));
  CHECK_FALSE(same(json::parse(R"({"c":"cus_2"})"), json::parse(R"({"c":{"id":"cus_1"}})")));
  CHECK_FALSE(same(json::parse(R"({"l":[1,2]})"), json::parse(R"({"l":[2,1]})")));
  CHECK_FALSE(same(json::parse(R"({"l":[1]})"), json::parse(R"({"l":[1,null]})")));
  CHECK_FALSE(same(json::parse(R"({"a":0})"), json::parse(R"({})")));
  CHECK_FALSE(
      same(json::parse(R"({"n":9007199254740993})"), json::parse(R"({"n":9007199254740992})")));
}

TEST_CASE("agreement looks at touched leaves only") {
  const auto x = json::parse(R"({"m":{"a":"1","b":"2"},"n":1,"l":[1]})");
  const auto y = json::parse(R"({"m":{"a":"1","b":"3"},"n":2,"l":[1]})");
  CHECK(agree(x, y, json::parse(R"({"m":{"a":"0"},"l":[]})"), nullptr));
  CHECK_FALSE(agree(x, y, json::parse(R"({"m":{"b":"0"}})"), nullptr));
  CHECK_FALSE(agree(x, y, json::parse(R"({"n":0})"), nullptr));
  const auto except = json::parse(R"({"m":{"b":"9"},"n":9})");
  CHECK(agree(x, y, json::parse(R"({"m":{"a":"0","b":"0"},"n":0})"), &except));
}

TEST_CASE("what only grows tells which document is older, unless it contradicts itself") {
  const auto before = [](const char* name, const char* one, const char* two) {
    return by_growth(name, json::parse(one), json::parse(two));
  };
  CHECK(before("invoice", R"({"attempt_count":0})", R"({"attempt_count":1})") == -1);
  CHECK(before("invoice", R"({"attempted":true})", R"({"attempted":false})") == 1);
  CHECK(before("invoice", R"({"status_transitions":{"paid_at":null}})",
               R"({"status_transitions":{"paid_at":5}})") == -1);
  CHECK(before("invoice", R"({"attempt_count":0,"amount_paid":5})",
               R"({"attempt_count":1,"amount_paid":0})") == 0);
  CHECK(before("subscription", R"({"latest_invoice":"a"})", R"({"latest_invoice":"b"})") == 0);
  CHECK(before("subscription", R"({})", R"({"latest_invoice":"b"})") == -1);
  CHECK(before("product", R"({"updated":5})", R"({"updated":4})") == 1);
  CHECK(before("customer", R"({"attempt_count":0})", R"({"attempt_count":1})") == 0);
}

TEST_CASE("a chain of roads ends at its end") {
  walk_map map;
  map.roads = {{1, 2}, {0, 1}, {2, 3}};
  map.starts = bits({0, 1, 2});
  CHECK(last_places(map) == bits({3}));
}

TEST_CASE("a circle ends where it started, which may be anywhere on it") {
  walk_map map;
  map.roads = {{0, 1}, {1, 0}};
  map.starts = bits({0, 1});
  CHECK(last_places(map) == bits({0, 1}));
  map.starts = bits({0});
  CHECK(last_places(map) == bits({0}));
  map.roads.push_back({1, 2});
  map.roads.push_back({0, 1});
  map.starts = bits({0, 1});
  CHECK(last_places(map) == bits({2}));
}

TEST_CASE("a broken chain fits no walk") {
  walk_map map;
  map.roads = {{0, 1}, {2, 3}};
  map.starts = bits({0, 2});
  CHECK(last_places(map) == places{0});
}

TEST_CASE("the same change told twice is one road that may be travelled twice") {
  walk_map map;
  map.roads = {{0, 1}, {0, 1}};
  map.starts = bits({0});
  CHECK(last_places(map) == bits({1}));
  map.roads.push_back({1, 0});
  CHECK(last_places(map) == bits({0, 1}));
}

TEST_CASE("leaps bridge what no road tells, from where they are allowed") {
  walk_map map;
  map.roads = {{0, 1}, {2, 3}};
  map.visited = bits({2});
  map.starts = bits({0});
  map.leaps = {{2, bits({0, 1, 3}), false}};
  CHECK(last_places(map) == bits({3}));
  map.leaps = {{2, bits({3}), false}};
  CHECK(last_places(map) == places{0});
}

TEST_CASE("a second with too many events is not tried") {
  walk_map map;
  for (place p = 0; p < 15; ++p)
    map.roads.push_back({p, static_cast<place>(p + 1)});
  map.starts = bits({0});
  CHECK(last_places(map) == std::nullopt);
}

TEST_CASE("a status is entered once when nothing leads back to it") {
  CHECK(status_is_entered_once("invoice", "open"));
  CHECK(status_is_entered_once("invoice", "paid"));
  CHECK(status_is_entered_once("subscription", "canceled"));
  CHECK_FALSE(status_is_entered_once("subscription", "active"));
  CHECK_FALSE(status_is_entered_once("payment_intent", "processing"));
  CHECK_FALSE(status_is_entered_once("customer", "x"));
}
