#include "sandbox/usage/readings.hpp"

#include <map>

#include "sandbox/machine/calendar.hpp"

namespace tilld::sandbox::usage {

std::int64_t window_s(std::string_view window) {
  if (window == "hour") return hour_s;
  if (window == "day") return day_s;
  return 0;
}

std::vector<reading> in_force(const std::vector<reading>& received, std::string_view window) {
  const std::int64_t length = window_s(window);
  if (length == 0) return received;
  std::map<std::int64_t, reading> last;
  for (const reading& r : received)
    last[r.at_s / length] = r;
  std::vector<reading> kept;
  for (const auto& [number, r] : last)
    kept.push_back(r);
  return kept;
}

std::int64_t aggregate(std::string_view formula, const std::vector<reading>& readings) {
  if (formula == "count") return static_cast<std::int64_t>(readings.size());
  std::int64_t sum = 0;
  const reading* last = nullptr;
  for (const reading& r : readings) {
    sum += r.value;
    if (last == nullptr || r.at_s >= last->at_s) last = &r;
  }
  if (formula == "sum") return sum;
  return last == nullptr ? 0 : last->value;
}

}  // namespace tilld::sandbox::usage
