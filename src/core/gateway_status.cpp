#include <nlohmann/json.hpp>

#include "core/gateway_plan.hpp"

namespace tilld::core {

gateway_status gateway_plan::status(std::int64_t now_ms) const {
  gateway_status s = counts_;
  s.queued = queued_;
  s.sleeping = sleeping_.size();
  s.queued_bytes = queued_bytes_;
  s.in_flight = in_flight_;
  s.width = static_cast<double>(width_.value()) / 1000;
  s.read_tokens = reads_.tokens();
  s.read_rate_per_s = reads_.rate_per_s();
  s.write_tokens = writes_.tokens();
  s.write_rate_per_s = writes_.rate_per_s();
  s.breaker_open = breaker_.at(now_ms) != breaker::position::closed;
  s.breaker_opens_until_ms = breaker_.opens_until_ms();
  s.failures_in_a_row = breaker_.failures_in_a_row();
  s.draining = draining_;
  for (const auto& [name, at] : endpoints_) {
    if (at.calls == 0) continue;
    s.endpoints.push_back({name, at.waiting_count, at.in_flight,
                           static_cast<double>(at.width.value()) / 1000, at.rate.rate_per_s()});
  }
  return s;
}

std::string to_json(const gateway_status& s) {
  using nlohmann::ordered_json;
  ordered_json out{
      {"queued",
       {{"order", s.queued[0]},
        {"check", s.queued[1]},
        {"repair", s.queued[2]},
        {"backfill", s.queued[3]}}},
      {"sleeping", s.sleeping},
      {"queued_bytes", s.queued_bytes},
      {"in_flight", s.in_flight},
      {"width", s.width},
      {"reads", {{"tokens", s.read_tokens}, {"rate_per_s", s.read_rate_per_s}}},
      {"writes", {{"tokens", s.write_tokens}, {"rate_per_s", s.write_rate_per_s}}},
      {"breaker",
       {{"open", s.breaker_open},
        {"opens_until_ms", s.breaker_opens_until_ms},
        {"failures_in_a_row", s.failures_in_a_row}}},
      {"draining", s.draining},
      {"submitted", s.submitted},
      {"tries", s.tries},
      {"retries", s.retries},
      {"throttled", s.throttled},
      {"answered", s.answered},
      {"not_sent", s.not_sent},
      {"unknown", s.unknown},
      {"endpoints", ordered_json::array()},
  };
  for (const auto& e : s.endpoints) {
    out["endpoints"].push_back({{"name", e.name},
                                {"queued", e.queued},
                                {"in_flight", e.in_flight},
                                {"width", e.width},
                                {"rate_per_s", e.rate_per_s}});
  }
  // A path may carry a stranger's bytes; they are shown as replacement characters.
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace tilld::core
