// A shop with two prices and a customer, and the words that tests of schedules are told in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client.hpp"

namespace tilld::test::schedules {

inline constexpr std::int64_t day_s = 86'400;
inline constexpr std::int64_t month_s = 31 * day_s;  // January
inline constexpr std::int64_t february_s = new_year_s + month_s;
inline constexpr std::int64_t march_s = february_s + 28 * day_s;
inline constexpr const char* path = "/v1/subscription_schedules";

struct shop {
  client c;
  std::string silver = c.price(1000, "month", "Silver");
  std::string gold = c.price(2000, "month", "Gold");
  std::string ada = c.customer();

  reply schedule(const std::string& phases, const std::string& start = "now") {
    return c.post(path, "customer=" + ada + "&start_date=" + start + "&" + phases);
  }
  std::string item(int phase, const std::string& price, const std::string& more = {}) const {
    const std::string at = "phases[" + std::to_string(phase) + "]";
    return at + "[items][0][price]=" + price + (more.empty() ? "" : "&" + at + more);
  }
  // January silver, then gold until the end of February.
  reply two_phases(const std::string& more = {}) {
    return schedule(item(0, silver, "[duration][interval]=month") + "&" +
                    item(1, gold, "[duration][interval]=month") + more);
  }
  json get(const reply& r) { return c.get(std::string(path) + "/" + r.id()).body; }
  json subscription_of(const reply& r) {
    return c.get("/v1/subscriptions/" + r.body["subscription"].get<std::string>()).body;
  }
  json invoice(const json& subscription) {
    return c.get("/v1/invoices/" + subscription["latest_invoice"].get<std::string>()).body;
  }
  void live_until(std::int64_t s) {
    c.now_s = s;
    c.get("/v1/balance");
  }
};

inline std::vector<std::string> of_schedules(const std::vector<std::string>& told) {
  std::vector<std::string> ours;
  for (const auto& type : told) {
    if (type.starts_with("subscription_schedule.")) ours.push_back(type);
  }
  return ours;
}

using types = std::vector<std::string>;

}  // namespace tilld::test::schedules
