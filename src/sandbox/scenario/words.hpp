// The words of a scenario's line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilld::sandbox {

// Apart at blanks, but for those in "quotes"; a # begins a comment. Nothing when a quote is open.
std::optional<std::vector<std::string>> words_of(std::string_view line);

struct comparison {
  std::string path;
  std::string sign;  // = != < <= > >=
  std::string value;
};
// "latest_invoice.status=paid"; nothing when there is no sign.
std::optional<comparison> comparison_of(std::string_view word);

}  // namespace tilld::sandbox
