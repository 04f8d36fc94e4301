#include "sandbox/payments/cards.hpp"

#include <algorithm>
#include <array>

namespace tilld::sandbox {

namespace {

constexpr std::string_view declined = "Your card was declined.";

constexpr decline generic{"card_declined", "generic_decline", declined};
constexpr decline insufficient{"card_declined", "insufficient_funds",
                               "Your card has insufficient funds."};
constexpr decline lost{"card_declined", "lost_card", declined};
constexpr decline stolen{"card_declined", "stolen_card", declined};
constexpr decline fraudulent{"card_declined", "fraudulent", declined};
constexpr decline velocity{"card_declined", "card_velocity_exceeded",
                           "Your card was declined for making repeated attempts too frequently or "
                           "exceeding its amount limit."};
constexpr decline expired{"expired_card", "expired_card", "Your card has expired."};
constexpr decline wrong_cvc{"incorrect_cvc", "incorrect_cvc",
                            "Your card's security code is incorrect."};
constexpr decline broken{"processing_error", "processing_error",
                         "An error occurred while processing your card. Try again in a little "
                         "bit."};
constexpr decline wrong_number{"incorrect_number", "incorrect_number",
                               "Your card number is incorrect."};
constexpr decline by_radar{"card_declined", "fraudulent", declined, true};

using enum authentication;

constexpr card plain(std::string_view name, std::string_view number, std::string_view brand,
                     std::string_view funding = "credit", std::string_view country = "US") {
  return {name, number, brand, funding, country, never, std::nullopt, true, {}};
}
constexpr card refused(std::string_view name, std::string_view number, decline why,
                       bool attaches = false) {
  return {name, number, "visa", "credit", "US", never, why, attaches, {}};
}
constexpr card asking(std::string_view name, std::string_view number, authentication asks,
                      std::optional<decline> why = std::nullopt) {
  return {name, number, "visa", "credit", "US", asks, why, true, {}};
}
constexpr card unsupported(std::string_view name, std::string_view number, std::string_view what) {
  return {name, number, "visa", "credit", "US", never, std::nullopt, true, what};
}

constexpr std::array cards = {
    plain("visa", "4242424242424242", "visa"),
    plain("visa_debit", "4000056655665556", "visa", "debit"),
    plain("mastercard", "5555555555554444", "mastercard"),
    plain("mastercard_debit", "5200828282828210", "mastercard", "debit"),
    plain("mastercard_prepaid", "5105105105105100", "mastercard", "prepaid"),
    plain("amex", "378282246310005", "amex"),
    plain("discover", "6011111111111117", "discover"),
    plain("diners", "3056930009020004", "diners"),
    plain("jcb", "3566002020360505", "jcb", "credit", "JP"),
    plain("unionpay", "6200000000000005", "unionpay", "credit", "CN"),
    plain("us", "4242424242424242", "visa"),
    plain("ca", "4000001240000000", "visa", "credit", "CA"),
    plain("de", "4000002760000016", "visa", "credit", "DE"),
    plain("fr", "4000002500000003", "visa", "credit", "FR"),
    plain("gb", "4000008260000000", "visa", "credit", "GB"),
    plain("jp", "4000003920000003", "visa", "credit", "JP"),
    plain("au", "4000000360000006", "visa", "credit", "AU"),
    plain("bypassPending", "4000000000000077", "visa"),
    plain("threeDSecureOptional", "4000000000003055", "visa"),
    plain("riskLevelElevated", "4000000000009235", "visa"),
    refused("chargeDeclined", "4000000000000002", generic),
    refused("visa_chargeDeclined", "4000000000000002", generic),
    refused("chargeDeclinedInsufficientFunds", "4000000000009995", insufficient),
    refused("visa_chargeDeclinedInsufficientFunds", "4000000000009995", insufficient),
    refused("chargeDeclinedLostCard", "4000000000009987", lost),
    refused("visa_chargeDeclinedLostCard", "4000000000009987", lost),
    refused("chargeDeclinedStolenCard", "4000000000009979", stolen),
    refused("visa_chargeDeclinedStolenCard", "4000000000009979", stolen),
    refused("chargeDeclinedExpiredCard", "4000000000000069", expired),
    refused("chargeDeclinedIncorrectCvc", "4000000000000127", wrong_cvc),
    refused("chargeDeclinedProcessingError", "4000000000000119", broken),
    refused("chargeDeclinedFraudulent", "4100000000000019", fraudulent),
    refused("visa_chargeDeclinedFraudulent", "4100000000000019", fraudulent),
    refused("chargeDeclinedVelocityLimitExceeded", "4000000000006975", velocity),
    refused("visa_chargeDeclinedVelocityLimitExceeded", "4000000000006975", velocity),
    refused("chargeCustomerFail", "4000000000000341", generic, true),
    refused("radarBlock", "4100000000000019", by_radar),
    refused("incorrectNumber", "4242424242424241", wrong_number),
    asking("authenticationRequired", "4000002760003184", always),
    asking("authenticationRequiredOnSetup", "4000002500003155", unless_set_up),
    asking("authenticationRequiredSetupForOffSession", "4000003800000446", already_set_up),
    asking("authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178", always,
           insufficient),
    asking("threeDSecure2Required", "4000000000003220", always),
    asking("threeDSecureRequired", "4000000000003063", always),
    asking("threeDSecureRequiredChargeDeclined", "4000008400001629", always, generic),
    unsupported("createDispute", "4000000000000259", "disputes"),
    unsupported("createDisputeProductNotReceived", "4000000000002685", "disputes"),
    unsupported("createDisputeInquiry", "4000000000001976", "disputes"),
    unsupported("pendingRefund", "4000000000007726", "refunds that take time"),
    unsupported("refundFail", "4000000000005126", "refunds that fail"),
};

template <class Matches>
const card* first(const Matches& matches) {
  const auto* it = std::find_if(cards.begin(), cards.end(), matches);
  return it == cards.end() ? nullptr : it;
}

}  // namespace

const card* card_named(std::string_view name) {
  return first([&](const card& c) { return c.name == name; });
}

const card* card_numbered(std::string_view number) {
  return first([&](const card& c) { return c.number == number; });
}

const card* card_of_payment_method(std::string_view id) {
  constexpr std::string_view prefix = "pm_card_";
  return id.starts_with(prefix) ? card_named(id.substr(prefix.size())) : nullptr;
}

const card* card_of_token(std::string_view token) {
  constexpr std::string_view prefix = "tok_";
  return token.starts_with(prefix) ? card_named(token.substr(prefix.size())) : nullptr;
}

bool passes_luhn(std::string_view number) {
  int sum = 0;
  bool twice = false;
  for (auto it = number.rbegin(); it != number.rend(); ++it, twice = !twice) {
    if (*it < '0' || *it > '9') return false;
    const int digit = (*it - '0') * (twice ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return number.size() >= 12 && sum % 10 == 0;
}

const decline& authentication_required() {
  static constexpr decline refusal{"authentication_required", "authentication_required",
                                   "Your card was declined. This transaction requires "
                                   "authentication."};
  return refusal;
}

}  // namespace tilld::sandbox
