#include "stripe/utc_time.hpp"

#include <charconv>
#include <chrono>

namespace tilld::stripe {

namespace {

std::optional<std::int64_t> number_at(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return std::nullopt;
  std::int64_t value = 0;
  const char* const end = text.data() + at + width;
  const auto [stop, code] = std::from_chars(text.data() + at, end, value);
  if (code != std::errc{} || stop != end || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_utc(std::string_view text) {
  namespace chrono = std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text.back() != 'Z') {
    return std::nullopt;
  }
  const auto fraction = text.substr(19, text.size() - 20);
  const bool fraction_ok =
      fraction.empty() ||
      (fraction.size() > 1 && fraction[0] == '.' &&
       fraction.substr(1).find_first_not_of("0123456789") == std::string_view::npos);
  const auto year = number_at(text, 0, 4);
  const auto month = number_at(text, 5, 2);
  const auto day = number_at(text, 8, 2);
  const auto hour = number_at(text, 11, 2);
  const auto minute = number_at(text, 14, 2);
  const auto second = number_at(text, 17, 2);
  if (!fraction_ok || !year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const chrono::year_month_day date{chrono::year(static_cast<int>(*year)),
                                    chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return chrono::sys_days(date).time_since_epoch().count() * 86'400 + *hour * 3'600 + *minute * 60 +
         *second;
}

}  // namespace tilld::stripe
