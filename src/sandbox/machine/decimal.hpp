// Exact decimals: percentages and amounts with fractions of a cent, as Stripe takes them, with at
// most twelve places. Money itself stays an integer: whatever is multiplied by a decimal is rounded
// once, half away from zero.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tilld::sandbox {

__extension__ using wide = __int128;

class decimal {
 public:
  decimal() = default;
  static decimal whole(std::int64_t n);
  // "12", "0.05"; nothing for what is no such number, or has a sign, or more than twelve places.
  static std::optional<decimal> parse(std::string_view text);

  decimal times(std::int64_t n) const;  // exactly
  decimal plus(decimal other) const { return decimal(scaled_ + other.scaled_); }
  std::int64_t rounded() const;  // half away from zero
  bool is_whole() const;
  bool is_zero() const { return scaled_ == 0; }
  std::string text() const;  // the shortest: "12", "0.05"

  // amount × this per cent, rounded once.
  std::int64_t percent_of(std::int64_t amount) const;
  // The part of an amount that is this share of it, when the whole amount is 100 % and `all`:
  // amount × this / (100 + all), rounded once. What a tax is that the amount contains already.
  std::int64_t contained_in(std::int64_t amount, decimal all) const;

  auto operator<=>(const decimal&) const = default;

 private:
  explicit decimal(wide scaled) : scaled_(scaled) {}
  wide scaled_ = 0;  // × 10^12
};

}  // namespace tilld::sandbox
