// What counts as an id, wherever one comes in: from Stripe, from a URL, from the application.
#pragma once

#include <cstddef>
#include <string_view>

namespace tilld::stripe {

inline constexpr std::size_t id_max_bytes = 255;

// 1 to 255 bytes, no control characters. Ids are opaque otherwise: coupons and plans carry names
// that people chose, in any alphabet, and Stripe promises no width.
constexpr bool valid_id(std::string_view id) noexcept {
  if (id.empty() || id.size() > id_max_bytes) return false;
  for (const unsigned char c : id) {
    if (c < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace tilld::stripe
