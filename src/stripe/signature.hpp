// Stripe's webhook signature (scheme v1): HMAC-SHA256 over "<t>.<raw body>", hex.
// Source: https://docs.stripe.com/webhooks#verify-manually
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tilld::stripe {

enum class signature_verdict {
  valid,
  missing,    // no header
  malformed,  // no usable t (digits, no sign, no leading zero) or no v1, doubled t, more than 16
              // signatures, longer than 4 KiB
  wrong,      // no v1 matches any secret
  too_old,    // t is more than the tolerance behind
  too_new,    // t is more than the tolerance ahead (Stripe's libraries let this pass)
};
const char* to_string(signature_verdict v) noexcept;

// Tries every secret and every v1 without an early exit; compares in constant time. The signature
// is judged before the time, so that a stranger learns nothing about the clock.
// `secrets` are as given by Stripe, "whsec_" included; an empty one matches nothing. Hex digits of
// either case. Exactly `tolerance_s` away is still in time. Any thread; about 3 us for 4 KB.
signature_verdict verify_signature(std::string_view header, std::string_view body,
                                   std::span<const std::string> secrets, std::int64_t now_s,
                                   std::int64_t tolerance_s);

// What a sender puts into the Stripe-Signature header: "t=…,v1=…[,v1=…]", one v1 per secret.
std::string sign(std::string_view body, std::span<const std::string> secrets, std::int64_t now_s);

}  // namespace tilld::stripe
