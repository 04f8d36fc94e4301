#include "sandbox/control/moment.hpp"

#include <charconv>
#include <chrono>
#include <string>

#include "sandbox/machine/calendar.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::int64_t most = 10'000;             // of any unit
constexpr std::int64_t latest_s = 4'102'444'800;  // 2100-01-01

bool number(std::string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::optional<std::int64_t> date_of(std::string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  std::int64_t y = 0;
  std::int64_t m = 0;
  std::int64_t d = 0;
  if (!number(text.substr(0, 4), y) || !number(text.substr(5, 2), m) ||
      !number(text.substr(8, 2), d)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(y)),
                                        std::chrono::month(static_cast<unsigned>(m)),
                                        std::chrono::day(static_cast<unsigned>(d)));
  if (!day.ok()) return std::nullopt;
  const std::int64_t midnight = std::chrono::sys_days(day).time_since_epoch().count() * day_s;
  if (text.size() == 10) return midnight;
  const auto time = text.substr(10);
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  if (time.size() != 10 || time[0] != 'T' || time[3] != ':' || time[6] != ':' || time[9] != 'Z' ||
      !number(time.substr(1, 2), hour) || !number(time.substr(4, 2), minute) ||
      !number(time.substr(7, 2), second) || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  return midnight + hour * hour_s + minute * 60 + second;
}

std::string_view next_word(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(' ');
  if (begin == rest.npos) {
    rest = {};
    return {};
  }
  const auto end = rest.find(' ', begin);
  const auto word = rest.substr(begin, end == rest.npos ? rest.npos : end - begin);
  rest = end == rest.npos ? std::string_view() : rest.substr(end);
  return word;
}

std::optional<std::int64_t> after(std::int64_t from_s, std::int64_t count, std::string_view unit) {
  if (unit.ends_with('s')) unit.remove_suffix(1);
  if (unit == "second") return from_s + count;
  if (unit == "minute") return from_s + count * 60;
  if (unit == "hour") return from_s + count * hour_s;
  if (unit == "day" || unit == "week" || unit == "month" || unit == "year") {
    return after_intervals(from_s, unit, count);
  }
  return std::nullopt;
}

std::optional<std::int64_t> span_of(std::string_view text, std::int64_t from_s) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t at = from_s;
  bool any = false;
  while (true) {
    const auto count_text = next_word(text);
    if (count_text.empty()) break;
    std::int64_t count = 0;
    if (!number(count_text, count) || count < 0 || count > most) return std::nullopt;
    const auto to = after(at, count, next_word(text));
    if (!to) return std::nullopt;
    at = *to;
    any = true;
  }
  return any ? std::optional(at) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> moment_of(std::string_view text, std::int64_t from_s) {
  std::optional<std::int64_t> at;
  if (std::int64_t s = 0; number(text, s)) {
    at = s;
  } else if (const auto date = date_of(text)) {
    at = date;
  } else {
    at = span_of(text, from_s);
  }
  if (at && (*at < 0 || *at > latest_s)) return std::nullopt;
  return at;
}

}  // namespace tilld::sandbox
