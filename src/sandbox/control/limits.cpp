#include "sandbox/control/limits.hpp"

#include <algorithm>
#include <cctype>

namespace tilld::sandbox {

namespace {

constexpr std::int64_t account_rate = 25;
constexpr std::int64_t endpoint_rate = 25;
constexpr std::int64_t search_rate = 20;
constexpr std::int64_t one = 1'000;

// "POST /v1/customers/*": ids do not make an endpoint.
std::string endpoint_of(std::string_view verb, std::string_view path) {
  std::string name(verb);
  std::size_t begin = 0;
  while (begin < path.size()) {
    const auto end = std::min(path.find('/', begin + 1), path.size());
    const auto part = path.substr(begin, end - begin);
    const bool is_id =
        part.size() > 1 && part.find('_') != part.npos &&
        std::any_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    name += is_id ? "/*" : part;
    begin = end;
  }
  return name;
}

}  // namespace

bool rate_limits::bucket::take(std::int64_t per_s, std::int64_t now_ms) {
  const std::int64_t most = per_s * one;
  if (thousandths < 0) {
    thousandths = most;
  } else {
    const std::int64_t passed = std::clamp<std::int64_t>(now_ms - at_ms, 0, 1'000);
    thousandths = std::min(most, thousandths + passed * per_s);
  }
  at_ms = now_ms;
  if (thousandths < one) return false;
  thousandths -= one;
  return true;
}

std::string_view rate_limits::refuses(std::string_view verb, std::string_view path,
                                      std::int64_t now_ms) {
  const bool search = path.ends_with("/search");
  bucket& own = by_endpoint_[endpoint_of(verb, path)];
  if (!own.take(search ? search_rate : endpoint_rate, now_ms)) return "endpoint-rate";
  return all_.take(account_rate, now_ms) ? "" : "global-rate";
}

}  // namespace tilld::sandbox
