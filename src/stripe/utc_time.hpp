// Times as version 2 of the API writes them: RFC 3339, always UTC, "2024-09-17T06:20:52.246Z".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tilld::stripe {

// Seconds since 1970, a fraction of a second cut off; nullopt for every other spelling.
std::optional<std::int64_t> parse_utc(std::string_view text);

}  // namespace tilld::stripe
