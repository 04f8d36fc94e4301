// Ids that look like Stripe's and are the same for the same seed and the same requests.
//
//   id    = prefix order tail
//   order = 8 letters of [0-9A-Za-z], a number that only grows, so a later object of a kind has
//           the larger id in byte order and newest-first is id-descending within one second
//   tail  = letters that follow from the seed, the kind and the number
//
// A coupon's id, which people read aloud, is 8 letters of [0-9A-Z] and no tail.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/machine/kinds.hpp"

namespace tilld::sandbox {

class id_mint {
 public:
  explicit id_mint(std::uint64_t seed) : seed_(seed) {}

  std::string next(kind k);
  std::string next_event();    // evt_1…
  std::string next_request();  // req_…

  // Letters that belong to `what` (client secrets, invoice prefixes, fingerprints): the same for
  // the same seed and text.
  std::string letters(std::string_view what, int count) const;
  std::string capitals(std::string_view what, int count) const;  // [0-9A-Z]

  // For keeping: the counters in the order of the kinds, then events, then requests.
  using counters = std::array<std::uint64_t, kind_count + 2>;
  const counters& state() const noexcept { return used_; }
  void restore(const counters& state) { used_ = state; }
  std::uint64_t seed() const noexcept { return seed_; }

 private:
  std::string make(std::string_view prefix, int letters, std::size_t counter);
  std::uint64_t seed_;
  counters used_{};
};

}  // namespace tilld::sandbox
