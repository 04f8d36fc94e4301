#include "sandbox/usage/usage.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "sandbox/machine/calendar.hpp"

namespace tilld::sandbox::usage {

namespace {

// Longer than any billing period but the longest; beyond it all reports are looked through.
constexpr std::int64_t most_days = 400;

bool holds(const span& s, const json& event) {
  const std::int64_t at = number_of(event, "timestamp");
  if (at < s.from_s || at >= s.to_s) return false;
  const std::string id = text_of(event, "id");
  return (s.after.empty() || id > s.after) && (s.before.empty() || id < s.before);
}

// As they were received.
std::vector<const json*> events_of(const world& w, const span& s) {
  std::vector<const json*> found;
  const auto take = [&](std::string_view path, const std::string& key) {
    for (const json* event : w.with(kind::meter_event, path, key))
      if (holds(s, *event)) found.push_back(event);
  };
  if (s.to_s <= s.from_s) return found;
  if ((s.to_s - s.from_s) / day_s > most_days) {
    take("_of", key_of(s.meter, s.customer));
  } else {
    for (std::int64_t day = s.from_s / day_s; day <= (s.to_s - 1) / day_s; ++day)
      take("_day", key_of_day(s.meter, s.customer, day * day_s));
  }
  std::sort(found.begin(), found.end(),
            [](const json* a, const json* b) { return text_of(*a, "id") < text_of(*b, "id"); });
  return found;
}

const json& meter_of(const world& w, const span& s) {
  return w.at(kind::meter, s.meter);
}

std::string formula_of(const json& meter) {
  return text_of(meter["default_aggregation"], "formula");
}

}  // namespace

std::string key_of(const std::string& meter, const std::string& customer) {
  return meter + "/" + customer;
}

std::string key_of_day(const std::string& meter, const std::string& customer, std::int64_t at_s) {
  return key_of(meter, customer) + "/" + std::to_string(at_s / day_s);
}

std::vector<reading> readings_of(const world& w, const span& s) {
  std::vector<reading> received;
  for (const json* event : events_of(w, s))
    received.push_back({number_of(*event, "timestamp"), number_of(*event, "_value")});
  return in_force(received, text_of(meter_of(w, s), "event_time_window"));
}

std::int64_t total(const world& w, const span& s) {
  return aggregate(formula_of(meter_of(w, s)), readings_of(w, s));
}

std::vector<summary> by_window(const world& w, const span& s, std::string_view window) {
  const std::int64_t length = window_s(window);
  std::map<std::int64_t, std::vector<reading>, std::greater<>> windows;
  for (const reading& r : readings_of(w, s))
    windows[r.at_s / length].push_back(r);
  const std::string formula = formula_of(meter_of(w, s));
  std::vector<summary> all;
  for (const auto& [number, readings] : windows)
    all.push_back({number * length, (number + 1) * length, aggregate(formula, readings)});
  return all;
}

}  // namespace tilld::sandbox::usage
