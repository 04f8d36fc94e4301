// Billing periods and dates, in UTC seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tilld::sandbox {

// `count` intervals ("day", "week", "month", "year") after `anchor_s`. Months keep the anchor's day
// and time of day; a month that has no such day takes its last one. Steps are counted from the
// anchor, so the 31st comes back after February.
std::int64_t after_intervals(std::int64_t anchor_s, std::string_view interval, std::int64_t count);

std::string date_text(std::int64_t s);  // "05 Jan 2026", as in descriptions of prorations
int year_of(std::int64_t s);
int month_of(std::int64_t s);  // 1 to 12

inline constexpr std::int64_t hour_s = 3600;
inline constexpr std::int64_t day_s = 24 * hour_s;

}  // namespace tilld::sandbox
