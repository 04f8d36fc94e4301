// A client of the simulator, as short as tests want it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sandbox/simulator.hpp"

namespace tilld::test {

using json = nlohmann::ordered_json;

inline constexpr std::int64_t new_year_s = 1'767'225'600;  // 2026-01-01T00:00:00Z

struct reply {
  int status = 0;
  json body;
  std::string text;
  std::vector<std::pair<std::string, std::string>> headers;

  std::string header(const std::string& name) const;  // empty when absent
  std::string id() const { return body.value("id", ""); }
  // Members of "error"; empty when absent.
  std::string code() const { return error("code"); }
  std::string message() const { return error("message"); }
  std::string param() const { return error("param"); }
  std::string error(const std::string& member) const;
};

class client {
 public:
  explicit client(std::uint64_t seed = 1) : stripe(options_with(seed)) {}

  reply get(const std::string& path, const std::string& query = {});
  reply post(const std::string& path, const std::string& form = {}, const std::string& key = {});
  reply del(const std::string& path, const std::string& query = {});
  reply send(const sandbox::request& r);

  std::vector<json> events();       // since the last call, oldest first
  std::vector<std::string> told();  // their types
  json dump() const { return json::parse(stripe.dump()); }
  void wait(std::int64_t seconds) { now_s += seconds; }

  // Things that most tests begin with. Ids.
  std::string price(std::int64_t amount = 2000, const std::string& interval = "month",
                    const std::string& product_name = "Gold");
  std::string customer(const std::string& card = "pm_card_visa");  // "" for none
  std::string subscription(const std::string& customer, const std::string& price,
                           const std::string& more = {});

  std::int64_t now_s = new_year_s;
  sandbox::simulator stripe;

 private:
  static sandbox::simulator::options options_with(std::uint64_t seed);
};

// The one of `events` of that type; a null when there is none.
json the_one(const std::vector<json>& events, const std::string& type);

}  // namespace tilld::test
