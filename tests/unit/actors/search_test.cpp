// Searches in the mirror, against a plain look at every document.
// Source: https://docs.stripe.com/search
#include <algorithm>
#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "actors/mirror.hpp"
#include "http/v1_search.hpp"
#include "store/memory_store.hpp"
#include "stripe/list_filters.hpp"
#include "support/catch.hpp"

using namespace tilld;
using nlohmann::json;

namespace {

const store::scope scope{"main", false};

struct shop {
  std::unique_ptr<store::store> rows = store::open_memory_store();
  std::map<std::string, json> live;
  std::int64_t now_s = 1'800'000'000;

  void keep(const json& document) {
    const std::string id = document["id"];
    const std::string text = document.dump();
    actors::snapshot snap;
    snap.object_name = "customer";
    snap.object_id = id;
    snap.json = text;
    snap.lo_s = snap.hi_s = ++now_s;
    snap.cause = "test";
    actors::working_set set(*rows);
    const actors::mirror_rules rules;
    REQUIRE(actors::mirror_snapshot(set, nullptr, {rules, scope, now_s * 1000}, snap));
    REQUIRE(rows->commit(*set.release()));
    live[id] = document;
  }

  json search(const std::string& text, int limit, const std::string& page,
              const std::vector<std::string>& expand = {}) const {
    stripe::form_pairs query = {{"query", text}, {"limit", std::to_string(limit)}};
    if (!page.empty()) query.emplace_back("page", page);
    auto asked = http::read_search("customer", query, expand);
    REQUIRE(asked);
    REQUIRE(std::holds_alternative<http::search_request>(*asked));
    const auto answer = http::search_page(*rows, scope, "customer", "/v1/customers/search",
                                          std::get<http::search_request>(*asked));
    REQUIRE(answer->status == 200);
    return json::parse(answer->body);
  }

  std::vector<std::string> all_found(const std::string& text, int limit) const {
    std::vector<std::string> ids;
    std::string page;
    while (true) {
      const json found = search(text, limit, page, {"total_count"});
      for (const auto& document : found["data"])
        ids.push_back(document["id"]);
      if (found["has_more"] == false) {
        CHECK(found["total_count"] == ids.size());
        return ids;
      }
      page = found["next_page"];
    }
  }

  std::vector<std::string> expected(const std::string& text) const {
    const auto query = stripe::search::parse("customers", text);
    REQUIRE(query);
    std::vector<std::pair<std::int64_t, std::string>> order;
    for (const auto& [id, document] : live) {
      if (stripe::fits_search("customer", *query, document.dump())) {
        order.emplace_back(document["created"], id);
      }
    }
    std::ranges::sort(order, std::greater<>());
    std::vector<std::string> ids;
    for (const auto& [created, id] : order)
      ids.push_back(id);
    return ids;
  }
};

json customer(std::mt19937_64& d, int n) {
  const auto pick = [&](std::initializer_list<const char*> all) {
    return json(*(all.begin() + static_cast<std::ptrdiff_t>(d() % all.size())));
  };
  json c = {{"id", "cus_" + std::to_string(n)},
            {"object", "customer"},
            {"created", 1'700'000'000 + static_cast<std::int64_t>(d() % 200)},
            {"email", pick({"ada@example.com", "Ada@Example.com", "bob@example.com", "eve@x.org"})},
            {"name", pick({"Ada Lovelace", "Bob", "Eve"})},
            {"phone", nullptr},
            {"metadata", json::object()}};
  if (d() % 2 == 0) c["metadata"]["plan"] = pick({"gold", "Silver"});
  if (d() % 3 == 0) c["name"] = nullptr;
  return c;
}

}  // namespace

TEST_CASE("A search finds what fits, in order, page by page, also after changes") {
  shop s;
  std::mt19937_64 d(5);
  for (int n = 0; n < 500; ++n)
    s.keep(customer(d, n));
  for (int n = 0; n < 200; ++n) {
    json changed = customer(d, static_cast<int>(d() % 500));
    changed["created"] = s.live.at(changed["id"])["created"];
    s.keep(changed);
  }
  for (const char* text :
       {"email:'ada@example.com'", "email:'ADA@EXAMPLE.COM' AND name:'bob'", "name~'love'",
        "metadata['plan']:'gold'", "-metadata['plan']:'gold'", "metadata['plan']:null",
        "email:'eve@x.org' OR name:'bob'", "email:'eve@x.org' OR name~'love'", "created>1700000150",
        "created>=1700000050 AND created<1700000060 AND name:'Eve'",
        "-name:'Bob' AND metadata['plan']:'SILVER'", "name:null", "email:'nobody@x.org'"}) {
    INFO(text);
    const auto wanted = s.expected(text);
    CHECK(s.all_found(text, 7) == wanted);
    CHECK(s.all_found(text, 100) == wanted);
  }
}

TEST_CASE("What is wrong with a search is said; another search's page is left to Stripe") {
  shop s;
  std::mt19937_64 d(6);
  for (int n = 0; n < 20; ++n)
    s.keep(customer(d, n));
  const auto read = [](const std::string& text, const std::string& page = {}) {
    stripe::form_pairs query = {{"query", text}};
    if (!page.empty()) query.emplace_back("page", page);
    return http::read_search("customer", query, {});
  };
  auto wrong = read("name=");
  REQUIRE(wrong);
  REQUIRE(std::holds_alternative<http::response>(*wrong));
  CHECK(std::get<http::response>(*wrong).status == 400);
  CHECK_FALSE(read(""));
  const std::string page = s.search("created>0", 5, "")["next_page"];
  CHECK(read("created>0", page));
  CHECK_FALSE(read("created>1", page));
  CHECK_FALSE(read("created>0", "nonsense"));
}
