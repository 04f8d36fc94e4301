#include "sandbox/machine/decimal.hpp"

#include "sandbox/machine/money.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::int64_t one = 1'000'000'000'000;
constexpr std::size_t places = 12;

// a / b, half away from zero; b > 0.
wide quotient(wide a, wide b) {
  const wide positive = a < 0 ? -a : a;
  const wide rounded = (positive + b / 2) / b;
  // With an odd b there is no tie, and b / 2 has been rounded down: nothing is lost.
  return a < 0 ? -rounded : rounded;
}

std::int64_t digits(std::string_view text) {
  std::int64_t n = 0;
  for (const char c : text)
    n = n * 10 + (c - '0');
  return n;
}

}  // namespace

decimal decimal::whole(std::int64_t n) {
  return decimal(wide{n} * one);
}

std::optional<decimal> decimal::parse(std::string_view text) {
  if (!is_decimal(text)) return std::nullopt;
  const auto dot = text.find('.');
  const wide units = wide{digits(text.substr(0, dot))} * one;
  if (dot == std::string_view::npos) return decimal(units);
  std::string part(text.substr(dot + 1));
  part.resize(places, '0');
  return decimal(units + digits(part));
}

decimal decimal::times(std::int64_t n) const {
  return decimal(scaled_ * n);
}

std::int64_t decimal::rounded() const {
  return static_cast<std::int64_t>(quotient(scaled_, one));
}

bool decimal::is_whole() const {
  return scaled_ % one == 0;
}

std::string decimal::text() const {
  const wide positive = scaled_ < 0 ? -scaled_ : scaled_;
  std::string out = scaled_ < 0 ? "-" : "";
  out += std::to_string(static_cast<std::int64_t>(positive / one));
  const auto part = static_cast<std::int64_t>(positive % one);
  if (part == 0) return out;
  std::string fraction = std::to_string(part);
  fraction.insert(0, places - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return out + "." + fraction;
}

std::int64_t decimal::percent_of(std::int64_t amount) const {
  return static_cast<std::int64_t>(quotient(scaled_ * amount, wide{one} * 100));
}

std::int64_t decimal::contained_in(std::int64_t amount, decimal all) const {
  return static_cast<std::int64_t>(quotient(scaled_ * amount, wide{one} * 100 + all.scaled_));
}

}  // namespace tilld::sandbox
