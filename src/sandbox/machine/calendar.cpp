#include "sandbox/machine/calendar.hpp"

#include <array>
#include <chrono>

namespace tilld::sandbox {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::months;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;
using std::chrono::year_month_day_last;

year_month_day date_of(std::int64_t s) {
  return floor<days>(sys_seconds(seconds(s)));
}

}  // namespace

std::int64_t after_intervals(std::int64_t anchor_s, std::string_view interval, std::int64_t count) {
  if (interval == "day") return anchor_s + count * day_s;
  if (interval == "week") return anchor_s + count * 7 * day_s;
  const sys_seconds anchor{seconds(anchor_s)};
  const auto day = floor<days>(anchor);
  const year_month_day from = day;
  const auto steps = months(static_cast<int>(count * (interval == "year" ? 12 : 1)));
  year_month_day to = from + steps;
  if (!to.ok()) to = year_month_day_last(to.year(), std::chrono::month_day_last(to.month()));
  return (sys_days(to) + (anchor - day)).time_since_epoch().count();
}

std::string date_text(std::int64_t s) {
  static constexpr std::array names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto date = date_of(s);
  const auto day = static_cast<unsigned>(date.day());
  std::string out = day < 10 ? "0" : "";
  out += std::to_string(day) + ' ' + names[static_cast<unsigned>(date.month()) - 1] + ' ';
  return out + std::to_string(static_cast<int>(date.year()));
}

int year_of(std::int64_t s) {
  return static_cast<int>(date_of(s).year());
}

int month_of(std::int64_t s) {
  return static_cast<int>(static_cast<unsigned>(date_of(s).month()));
}

}  // namespace tilld::sandbox
