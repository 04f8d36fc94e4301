// Stripe's test cards: which number, token or magic payment method behaves how.
// Source: https://docs.stripe.com/testing
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tilld::sandbox {

// Why an issuer refuses.
struct decline {
  std::string_view code;          // "card_declined", "expired_card" …
  std::string_view decline_code;  // "insufficient_funds" …
  std::string_view message;
  bool blocked = false;  // by Radar, before the issuer was asked
};

enum class authentication : std::uint8_t {
  never,
  unless_set_up,   // once, when the card is saved; then off-session payments pass
  already_set_up,  // on-session payments ask; off-session ones pass
  always,
};

// What becomes of a payment later.
enum class sequel : std::uint8_t {
  none,
  disputed,      // as fraudulent
  not_received,  // disputed: the product has not come
  inquiry,       // a question that may become a dispute
  refund_waits,  // a refund is pending for a while
  refund_fails,  // a refund succeeds and fails later
  warned_of,     // the issuer warns of fraud
};

// What the issuer says of the security code and the address, where they are given.
struct checks {
  std::string_view cvc = "pass";
  std::string_view postal_code = "pass";
  std::string_view line1 = "pass";
};

struct card {
  std::string_view name;  // "visa" in pm_card_visa, tok_visa
  std::string_view number;
  std::string_view brand;
  std::string_view funding;
  std::string_view country;
  authentication asks = authentication::never;
  std::optional<decline> refusal;  // when it is charged
  bool attaches = true;            // false: saving it to a customer is refused the same way
  sequel then = sequel::none;
  checks are = {};
  std::string_view risk = "normal";  // as Radar sees its payments: normal, elevated, highest
};

std::span<const card> all_cards();
const card* card_named(std::string_view name);
const card* card_numbered(std::string_view number);
const card* card_of_payment_method(std::string_view id);  // pm_card_…
const card* card_of_token(std::string_view token);        // tok_…
bool passes_luhn(std::string_view number);

// The refusal of off-session payments by a card that wants its owner present.
const decline& authentication_required();

}  // namespace tilld::sandbox
