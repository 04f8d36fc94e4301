#include "sandbox/pages/requests.hpp"

#include <charconv>

#include "sandbox/machine/asking.hpp"
#include "sandbox/payments/payment_methods.hpp"

namespace tilld::sandbox::pages {

namespace {

std::string digits_of(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  return digits;
}

std::int64_t number(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

}  // namespace

answer<json> card_of(context& ctx, const json& form) {
  const std::string expiry = digits_of(text_of(form, "expiry"));  // MMYY
  json card = json::object();
  card["number"] = digits_of(text_of(form, "number"));
  card["exp_month"] = number(std::string_view(expiry).substr(0, 2));
  card["exp_year"] = expiry.size() > 2 ? number(std::string_view(expiry).substr(2)) : 0;
  if (const std::string cvc = digits_of(text_of(form, "cvc")); !cvc.empty()) card["cvc"] = cvc;
  json details = json::object();
  for (const char* part : {"email", "name"}) {
    if (const std::string given = text_of(form, part); !given.empty()) details[part] = given;
  }
  return ask(
      ctx, payment_methods::create,
      {{"type", "card"}, {"card", std::move(card)}, {"billing_details", std::move(details)}});
}

}  // namespace tilld::sandbox::pages
