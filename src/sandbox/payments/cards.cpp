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
  return {name, number, brand, funding, country, never, std::nullopt, true};
}
constexpr card refused(std::string_view name, std::string_view number, decline why,
                       bool attaches = false) {
  return {name, number, "visa", "credit", "US", never, why, attaches};
}
constexpr card asking(std::string_view name, std::string_view number, authentication asks,
                      std::optional<decline> why = std::nullopt) {
  return {name, number, "visa", "credit", "US", asks, why, true};
}
constexpr card followed(std::string_view name, std::string_view number, sequel then) {
  return {name, number, "visa", "credit", "US", never, std::nullopt, true, then};
}

// Radar's own rules are not simulated: what they might block passes.
constexpr card checked(std::string_view name, std::string_view number, checks are,
                       std::string_view risk = "normal") {
  return {name, number, "visa", "credit", "US", never, std::nullopt, true, sequel::none, are, risk};
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
    plain("ar", "4000000320000021", "visa", "credit", "AR"),
    plain("br", "4000000760000002", "visa", "credit", "BR"),
    plain("cl", "4000001520000001", "visa", "credit", "CL"),
    plain("co", "4000001700000003", "visa", "credit", "CO"),
    plain("cr", "4000001880000005", "visa", "credit", "CR"),
    plain("ec", "4000002180000000", "visa", "credit", "EC"),
    plain("mx", "4000004840008001", "visa", "credit", "MX"),
    plain("pa", "4000005910000000", "visa", "credit", "PA"),
    plain("py", "4000006000000066", "visa", "credit", "PY"),
    plain("pe", "4000006040000068", "visa", "credit", "PE"),
    plain("uy", "4000008580000003", "visa", "credit", "UY"),
    plain("ae", "4000007840000001", "visa", "credit", "AE"),
    plain("at", "4000000400000008", "visa", "credit", "AT"),
    plain("be", "4000000560000004", "visa", "credit", "BE"),
    plain("bg", "4000001000000000", "visa", "credit", "BG"),
    plain("by", "4000001120000005", "visa", "credit", "BY"),
    plain("hr", "4000001910000009", "visa", "credit", "HR"),
    plain("cy", "4000001960000008", "visa", "credit", "CY"),
    plain("cz", "4000002030000002", "visa", "credit", "CZ"),
    plain("dk", "4000002080000001", "visa", "credit", "DK"),
    plain("ee", "4000002330000009", "visa", "credit", "EE"),
    plain("fi", "4000002460000001", "visa", "credit", "FI"),
    plain("gi", "4000002920000005", "visa", "credit", "GI"),
    plain("gr", "4000003000000030", "visa", "credit", "GR"),
    plain("hu", "4000003480000005", "visa", "credit", "HU"),
    plain("ie", "4000003720000005", "visa", "credit", "IE"),
    plain("it", "4000003800000008", "visa", "credit", "IT"),
    plain("lv", "4000004280000005", "visa", "credit", "LV"),
    plain("li", "4000004380000004", "visa", "credit", "LI"),
    plain("lt", "4000004400000000", "visa", "credit", "LT"),
    plain("lu", "4000004420000006", "visa", "credit", "LU"),
    plain("mt", "4000004700000007", "visa", "credit", "MT"),
    plain("nl", "4000005280000002", "visa", "credit", "NL"),
    plain("no", "4000005780000007", "visa", "credit", "NO"),
    plain("pl", "4000006160000005", "visa", "credit", "PL"),
    plain("pt", "4000006200000007", "visa", "credit", "PT"),
    plain("ro", "4000006420000001", "visa", "credit", "RO"),
    plain("sa", "4000006820000007", "visa", "credit", "SA"),
    plain("si", "4000007050000006", "visa", "credit", "SI"),
    plain("sk", "4000007030000001", "visa", "credit", "SK"),
    plain("es", "4000007240000007", "visa", "credit", "ES"),
    plain("se", "4000007520000008", "visa", "credit", "SE"),
    plain("ch", "4000007560000009", "visa", "credit", "CH"),
    plain("cn", "4000001560000002", "visa", "credit", "CN"),
    plain("hk", "4000003440000004", "visa", "credit", "HK"),
    plain("in", "4000003560000008", "visa", "credit", "IN"),
    plain("my", "4000004580000002", "visa", "credit", "MY"),
    plain("nz", "4000005540000008", "visa", "credit", "NZ"),
    plain("sg", "4000007020000003", "visa", "credit", "SG"),
    plain("tw", "4000001580000008", "visa", "credit", "TW"),
    plain("bypassPending", "4000000000000077", "visa"),
    plain("threeDSecureOptional", "4000000000003055", "visa"),
    checked("riskLevelElevated", "4000000000009235", {}, "elevated"),
    checked("riskLevelHighest", "4000000000004954", {}, "highest"),
    checked("cvcCheckFail", "4000000000000101", {"fail", "pass", "pass"}),
    checked("cvcCheckFailElevatedRisk", "4000058400307872", {"fail", "pass", "pass"}, "elevated"),
    checked("avsZipFail", "4000000000000036", {"pass", "fail", "pass"}),
    checked("avsZipFailElevatedRisk", "4000058400306072", {"pass", "fail", "pass"}, "elevated"),
    checked("avsLine1Fail", "4000000000000028", {"pass", "pass", "fail"}),
    checked("avsFail", "4000000000000010", {"pass", "fail", "fail"}),
    checked("avsUnchecked", "4000000000000044", {"pass", "unavailable", "unavailable"}),
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
    refused("chargeDeclinedFraudulent", "4100000000000019", by_radar),
    refused("visa_chargeDeclinedFraudulent", "4100000000000019", by_radar),
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
    followed("createDispute", "4000000000000259", sequel::disputed),
    followed("createDisputeProductNotReceived", "4000000000002685", sequel::not_received),
    followed("createDisputeInquiry", "4000000000001976", sequel::inquiry),
    followed("createIssuerFraudRecord", "4000000000005423", sequel::warned_of),
    followed("pendingRefund", "4000000000007726", sequel::refund_waits),
    followed("refundFail", "4000000000005126", sequel::refund_fails),
};

template <class Matches>
const card* first(const Matches& matches) {
  const auto* it = std::find_if(cards.begin(), cards.end(), matches);
  return it == cards.end() ? nullptr : it;
}

}  // namespace

std::span<const card> all_cards() {
  return cards;
}

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
