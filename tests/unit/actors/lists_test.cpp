// Every list of the catalogue, answered from the mirror, against a plain list in memory: filters,
// order, pages in both directions, with objects that change and go on the way.
//
// TILLD_PROPERTY_FACTOR=10 makes it 10,000 objects of each kind.
#include "store/lists.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "actors/mirror.hpp"
#include "http/v1_lists.hpp"
#include "store/memory_store.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/list_filters.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using tilld::stripe::list_filter;
using kind = tilld::stripe::list_filter::kind;

namespace {

const tilld::store::scope scope{"main", false};
constexpr std::int64_t first_s = 1'700'000'000;

int objects_of_a_kind() {
  const char* factor = std::getenv("TILLD_PROPERTY_FACTOR");
  return 1000 * (factor == nullptr ? 1 : std::clamp(std::atoi(factor), 1, 10));
}

using dice = std::mt19937_64;
int up_to(dice& d, int n) {
  return static_cast<int>(d() % static_cast<unsigned>(n));
}

// A value that the filter may find: of a few, so that it finds several.
json value_for(dice& d, std::string_view object, const list_filter& filter) {
  if (filter.is == kind::moment) return first_s + up_to(d, 100);
  if (filter.is == kind::any_of) return "key" + std::to_string(up_to(d, 40));
  if (object == "subscription" && filter.param == "status") {
    static const char* const all[] = {"active", "trialing", "past_due",   "canceled",
                                      "unpaid", "paused",   "incomplete", "incomplete_expired"};
    return all[up_to(d, 8)];
  }
  if (filter.param == "test_clock") return up_to(d, 4) == 0 ? json("clock_1") : json(nullptr);
  if (filter.param == "active" || filter.param.ends_with("[enabled]")) return up_to(d, 2) == 0;
  if (filter.param == "exp_month") return up_to(d, 12);
  return up_to(d, 8) == 0 ? json(nullptr) : json("v" + std::to_string(up_to(d, 4)));
}

void set_at(json& at, std::string_view path, const json& value) {
  const auto dot = path.find('.');
  std::string step(path.substr(0, dot));
  const bool each = step.ends_with("[]");
  if (each) step.resize(step.size() - 2);
  json& place = at[step];
  if (each && !place.is_array()) place = json::array({json::object()});
  json& inside = each ? place[0] : place;
  if (dot == path.npos) {
    inside = value;
  } else {
    if (!inside.is_object()) inside = json::object();
    set_at(inside, path.substr(dot + 1), value);
  }
}

json get_at(const json& at, std::string_view path) {
  const auto dot = path.find('.');
  std::string step(path.substr(0, dot));
  const bool each = step.ends_with("[]");
  if (each) step.resize(step.size() - 2);
  if (!at.is_object() || !at.contains(step)) return nullptr;
  const json& inside = each ? at[step][0] : at[step];
  return dot == path.npos ? inside : get_at(inside, path.substr(dot + 1));
}

std::string as_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

json document_of(dice& d, const std::string& object, const std::string& id, int spread) {
  json document = {{"id", id}, {"object", object}, {"created", first_s + up_to(d, spread)}};
  for (const auto& filter : tilld::stripe::list_filters(object)) {
    if (filter.path == "id") continue;
    const json value = value_for(d, object, filter);
    if (filter.is == kind::absent) {
      set_at(document, filter.path, up_to(d, 2) == 0 ? json(nullptr) : json("in_1"));
    } else {
      set_at(document, filter.path, value);
    }
  }
  return document;
}

class house {
 public:
  void keep(const std::string& object, const json& document, bool gone = false) {
    const std::string id = document["id"];
    const std::string text =
        gone ? json{{"id", id}, {"object", object}, {"deleted", true}}.dump() : document.dump();
    tilld::actors::snapshot snap;
    snap.object_name = object;
    snap.object_id = id;
    snap.json = text;
    snap.lo_s = snap.hi_s = ++now_s_;
    snap.deleted = gone;
    snap.cause = "test";
    tilld::actors::working_set set(*store_);
    const tilld::actors::mirror_rules rules;
    const tilld::actors::mirror_context context{rules, scope, now_s_ * 1000};
    auto done = tilld::actors::mirror_snapshot(set, nullptr, context, snap);
    REQUIRE(done);
    REQUIRE(store_->commit(*set.release()));
  }
  const tilld::store::store& store() const { return *store_; }

 private:
  std::unique_ptr<tilld::store::store> store_ = tilld::store::open_memory_store();
  std::int64_t now_s_ = first_s + 1'000'000;
};

struct wish {
  const list_filter* filter = nullptr;
  std::vector<std::string> values;
  std::int64_t from = 0, to = 0;
};

struct question {
  tilld::stripe::form_pairs query;
  std::vector<wish> wishes;
  std::int64_t created_from = 0, created_to = INT64_MAX;

  bool about(std::string_view param) const {
    return std::ranges::any_of(wishes, [&](const wish& w) { return w.filter->param == param; });
  }
};

bool fits(const wish& w, const json& document) {
  const json value = get_at(document, w.filter->path);
  if (w.filter->is == kind::moment) {
    return value.is_number() && value >= w.from && value <= w.to;
  }
  if (w.filter->is == kind::absent) return value.is_null() == (w.values.front() == "true");
  if (value.is_null()) return false;
  return std::ranges::find(w.values, as_text(value)) != w.values.end();
}

bool shown(const std::string& object, const question& q, const json& document) {
  const std::int64_t created = document["created"];
  if (created < q.created_from || created > q.created_to) return false;
  for (const auto& w : q.wishes)
    if (!fits(w, document)) return false;
  const bool by_clock = document.contains("test_clock") && !document["test_clock"].is_null();
  if (object == "customer" && by_clock && !q.about("test_clock")) return false;
  if (object != "subscription" && object != "quote") return true;
  if (by_clock && !q.about("test_clock") && !q.about("customer")) return false;
  return object == "quote" || q.about("status") || document["status"] != "canceled";
}

question ask(dice& d, const std::string& object, int spread) {
  question q;
  const auto filters = tilld::stripe::list_filters(object);
  for (int n = up_to(d, 4); n > 0 && !filters.empty(); --n) {
    const auto& filter =
        filters[static_cast<std::size_t>(up_to(d, static_cast<int>(filters.size())))];
    if (q.about(filter.param)) continue;
    wish w{&filter, {}, 0, 0};
    if (filter.is == kind::moment) {
      w.from = first_s + up_to(d, 100);
      w.to = w.from + up_to(d, 60);
      q.query.emplace_back(filter.param + "[gte]", std::to_string(w.from));
      q.query.emplace_back(filter.param + "[lt]", std::to_string(w.to + 1));
    } else if (filter.is == kind::any_of) {
      for (int i = 0; i < 3; ++i) {
        w.values.push_back(as_text(value_for(d, object, filter)));
        q.query.emplace_back(filter.param + "[" + std::to_string(i) + "]", w.values.back());
      }
    } else {
      const json value =
          filter.is == kind::absent ? json(up_to(d, 2) == 0) : value_for(d, object, filter);
      if (value.is_null()) continue;
      w.values.push_back(as_text(value));
      q.query.emplace_back(filter.param, w.values.back());
    }
    q.wishes.push_back(std::move(w));
  }
  if (up_to(d, 3) == 0) {
    q.created_from = first_s + up_to(d, spread);
    q.query.emplace_back("created[gte]", std::to_string(q.created_from));
  }
  if (up_to(d, 3) == 0) {
    q.created_to = first_s + up_to(d, spread);
    q.query.emplace_back("created[lte]", std::to_string(q.created_to));
  }
  return q;
}

// All pages, one after the other. Empty when the mirror does not answer that.
std::optional<std::vector<std::string>> pages(const house& h, const std::string& object,
                                              const question& q, int limit, bool backwards) {
  std::vector<std::string> ids;
  std::string cursor;
  while (true) {
    auto query = q.query;
    query.emplace_back("limit", std::to_string(limit));
    if (!cursor.empty()) query.emplace_back(backwards ? "ending_before" : "starting_after", cursor);
    auto read = tilld::http::read_list_query(object, query);
    if (!read) return std::nullopt;
    REQUIRE(std::holds_alternative<tilld::http::list_query>(*read));
    const auto answer = tilld::http::list_page(h.store(), scope, object, "/v1/things",
                                               std::get<tilld::http::list_query>(*read));
    REQUIRE(answer->status == 200);
    const json page = json::parse(answer->body);
    REQUIRE(page["data"].size() <= static_cast<std::size_t>(limit));
    std::vector<std::string> here;
    for (const auto& document : page["data"])
      here.push_back(document["id"]);
    ids.insert(backwards ? ids.begin() : ids.end(), here.begin(), here.end());
    if (page["has_more"] == false) return ids;
    REQUIRE_FALSE(here.empty());
    cursor = backwards ? here.front() : here.back();
  }
}

void check_kind(const std::string& object, std::uint64_t seed) {
  dice d(seed);
  house h;
  const int count = objects_of_a_kind();
  const int spread = std::max(1, count / 3);  // some share their second
  std::map<std::string, json> live;
  for (int i = 0; i < count; ++i) {
    const std::string id = "x_" + std::to_string(d() % 1'000'000'000'000ULL);
    live[id] = document_of(d, object, id, spread);
    h.keep(object, live[id]);
  }
  for (int i = 0; i < count / 5; ++i) {  // some change, some go
    auto it = live.begin();
    std::advance(it, up_to(d, static_cast<int>(live.size())));
    json changed = document_of(d, object, it->first, spread);
    changed["created"] = it->second["created"];
    // What has ended stays so: the mirror would not believe it.
    const bool over = object == "subscription" && (it->second["status"] == "canceled" ||
                                                   it->second["status"] == "incomplete_expired");
    if (over) changed["status"] = it->second["status"];
    if (up_to(d, 3) == 0) {
      h.keep(object, it->second, true);
      live.erase(it);
    } else {
      h.keep(object, changed);
      it->second = std::move(changed);
    }
  }
  for (int i = 0; i < 40; ++i) {
    const question q = ask(d, object, spread);
    std::vector<std::string> wanted;
    std::vector<std::pair<std::int64_t, std::string>> order;
    for (const auto& [id, document] : live) {
      if (shown(object, q, document)) order.emplace_back(document["created"], id);
    }
    std::ranges::sort(order, std::greater<>());
    for (const auto& [created, id] : order)
      wanted.push_back(id);
    const int limit = 1 + up_to(d, 100);
    std::string asked = object;
    for (const auto& [name, value] : q.query)
      asked += " " + name + "=" + value;
    INFO(asked);
    const auto got = pages(h, object, q, limit, false);
    if (!got) continue;
    CHECK(*got == wanted);
    if (wanted.empty()) continue;
    // Backwards from the last: everything before it.
    question before = q;
    auto query = q.query;
    query.emplace_back("ending_before", wanted.back());
    query.emplace_back("limit", "100");
    auto read = tilld::http::read_list_query(object, query);
    const auto answer = tilld::http::list_page(h.store(), scope, object, "/v1/things",
                                               std::get<tilld::http::list_query>(*read));
    const json page = json::parse(answer->body);
    const std::size_t size = std::min<std::size_t>(100, wanted.size() - 1);
    REQUIRE(page["data"].size() == size);
    for (std::size_t k = 0; k < size; ++k)
      CHECK(page["data"][k]["id"] == wanted[wanted.size() - 1 - size + k]);
    CHECK(page["has_more"] == (wanted.size() - 1 > size));
  }
}

}  // namespace

TEST_CASE("Every list of the catalogue filters, orders and pages as a plain list does") {
  const auto& catalogue = tilld::stripe::catalogue::instance();
  int kinds = 0;
  for (const auto& row : catalogue.objects()) {
    if (catalogue.list_of(row.name) == nullptr || row.name == "event") continue;
    check_kind(row.name, 7 + static_cast<std::uint64_t>(kinds++));
  }
  WARN(kinds << " lists, " << objects_of_a_kind() << " objects each");
  CHECK(kinds > 60);
}
