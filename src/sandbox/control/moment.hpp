// Times as people write them in scenarios and control calls.
//
//   moment = unix seconds | date | date "T" time "Z" | "+"? span
//   date   = YYYY-MM-DD       time = HH:MM:SS
//   span   = number unit *(number unit)      unit = second minute hour day week month year, also in
//            the plural; from the moment that it is counted from, months and years by the calendar
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tilld::sandbox {

std::optional<std::int64_t> moment_of(std::string_view text, std::int64_t from_s);

}  // namespace tilld::sandbox
