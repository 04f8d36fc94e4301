#include "core/backoff.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace tilld::core {

namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                    "Friday", "Saturday", "Sunday"};

struct moment {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

// Eats a text from the front, piece by piece; once a piece does not fit, nothing fits any more.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  void expect(std::string_view piece) {
    if (!rest_.starts_with(piece)) fits_ = false;
    if (fits_) rest_.remove_prefix(piece.size());
  }
  int number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) fits_ = false;
    for (std::size_t i = 0; fits_ && i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') fits_ = false;
      value = value * 10 + (rest_[i] - '0');
    }
    if (fits_) rest_.remove_prefix(digits);
    return value;
  }
  // 1 for the first of `names`.
  int one_of(std::span<const std::string_view> names) {
    const auto at =
        std::ranges::find_if(names, [&](std::string_view name) { return rest_.starts_with(name); });
    if (at == names.end()) fits_ = false;
    if (fits_) rest_.remove_prefix(at->size());
    return static_cast<int>(at - names.begin()) + 1;
  }
  // asctime's day of the month: two digits, or a space and one.
  int padded_day() {
    if (!rest_.starts_with(' ')) return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }
  void time_of_day(moment& m) {
    m.hour = number(2);
    expect(":");
    m.minute = number(2);
    expect(":");
    m.second = number(2);
  }
  bool fits() const { return fits_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool fits_ = true;
};

std::optional<moment> read_imf(std::string_view text) {
  reader in(text);
  moment m;
  in.one_of(days);
  in.expect(", ");
  m.day = in.number(2);
  in.expect(" ");
  m.month = in.one_of(months);
  in.expect(" ");
  m.year = in.number(4);
  in.expect(" ");
  in.time_of_day(m);
  in.expect(" GMT");
  return in.fits() ? std::optional(m) : std::nullopt;
}

std::optional<moment> read_rfc850(std::string_view text) {
  reader in(text);
  moment m;
  in.one_of(long_days);
  in.expect(", ");
  m.day = in.number(2);
  in.expect("-");
  m.month = in.one_of(months);
  in.expect("-");
  const int year = in.number(2);
  m.year = year + (year < 69 ? 2000 : 1900);
  in.expect(" ");
  in.time_of_day(m);
  in.expect(" GMT");
  return in.fits() ? std::optional(m) : std::nullopt;
}

std::optional<moment> read_asctime(std::string_view text) {
  reader in(text);
  moment m;
  in.one_of(days);
  in.expect(" ");
  m.month = in.one_of(months);
  in.expect(" ");
  m.day = in.padded_day();
  in.expect(" ");
  in.time_of_day(m);
  in.expect(" ");
  m.year = in.number(4);
  return in.fits() ? std::optional(m) : std::nullopt;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> usual{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : usual[static_cast<std::size_t>(month - 1)];
}

// Days since 1 January 1970 in the Gregorian calendar; the year is taken to start in March, so that
// the leap day is its last.
std::int64_t day_number(const moment& m) {
  const std::int64_t year = m.year - (m.month <= 2 ? 1 : 0);
  const std::int64_t month = (m.month + 9) % 12;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + m.day - 1;
  return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719'468;
}

std::optional<std::int64_t> seconds_of(const moment& m) {
  if (m.year < 1 || m.day < 1 || m.day > days_in_month(m.year, m.month)) return std::nullopt;
  if (m.hour > 23 || m.minute > 59 || m.second > 60) return std::nullopt;
  return day_number(m) * 86'400 + m.hour * 3600 + m.minute * 60 + std::min(m.second, 59);
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  for (const auto read : {read_imf, read_rfc850, read_asctime}) {
    if (const auto m = read(text)) return seconds_of(*m);
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_retry_after(std::string_view text, std::int64_t date_s) {
  constexpr std::int64_t longest_s = longest_retry_after_ms / 1000;
  if (text.empty()) return std::nullopt;
  if (std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    std::int64_t seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec == std::errc::result_out_of_range) return longest_retry_after_ms;
    return std::min(seconds, longest_s) * 1000;
  }
  const auto until = parse_http_date(text);
  if (!until || date_s == 0) return std::nullopt;
  return std::clamp<std::int64_t>(*until - date_s, 0, longest_s) * 1000;
}

bool worth_retrying(int status, std::string_view should_retry) {
  if (status >= 200 && status < 300) return false;
  if (should_retry == "false") return false;
  if (should_retry == "true") return true;
  return status == 409 || status == 429 || (status >= 500 && status <= 599 && status != 501);
}

std::int64_t backoff_bound_ms(int tries, std::int64_t base_ms, std::int64_t cap_ms) {
  std::int64_t bound = std::min(base_ms, cap_ms);
  for (int i = 1; i < tries && bound < cap_ms; ++i) {
    bound = bound > cap_ms / 2 ? cap_ms : bound * 2;
  }
  return bound;
}

std::int64_t full_jitter_ms(std::int64_t bound_ms, std::mt19937_64& chance) {
  if (bound_ms <= 0) return 0;
  return static_cast<std::int64_t>(chance() % (static_cast<std::uint64_t>(bound_ms) + 1));
}

}  // namespace tilld::core
