// How much a customer has used by a meter: what billing and summaries ask.
//
//   readings.cpp      what a meter makes of single reports
//   usage.cpp         the reports of a customer, by time
//   meters.cpp        meters: what is measured, and how
//   meter_events.cpp  reports, and their taking back
//   summaries.cpp     usage as it is shown
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/machine/world.hpp"
#include "sandbox/usage/readings.hpp"

namespace tilld::sandbox::usage {

// Whose reports, and which: dated from `from_s` on and before `to_s`, received later than the event
// `after` and before the event `before` (ids, which grow; empty: whenever).
struct span {
  std::string meter;
  std::string customer;
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
  std::string after;
  std::string before;
};

std::vector<reading> readings_of(const world& w, const span& s);
std::int64_t total(const world& w, const span& s);  // as the meter aggregates

struct summary {
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
  std::int64_t value = 0;
};
// By hours or days, newest first; those without a report are left out.
std::vector<summary> by_window(const world& w, const span& s, std::string_view window);

// What events are found by: members "_of" and "_day" of their documents.
std::string key_of(const std::string& meter, const std::string& customer);
std::string key_of_day(const std::string& meter, const std::string& customer, std::int64_t at_s);

}  // namespace tilld::sandbox::usage
