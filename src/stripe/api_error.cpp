#include "stripe/api_error.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace tilld::stripe {

namespace {

// What Stripe calls an object in "No such …", and which parameter it names when the id in the path
// is the one that is missing. Where a row is silent (""), the object's own name serves. The words
// are Stripe's, as its test mode gives them; they follow no rule.
struct wording {
  std::string_view object;
  std::string_view word;
  std::string_view param;
};
constexpr std::array wordings{
    wording{"balance_transaction", "balance transaction", "id"},
    wording{"billing.meter", "meter", "id"},
    wording{"billing_portal.configuration", "configuration", "configuration"},
    wording{"charge", "", "id"},
    wording{"checkout.session", "", "session"},
    wording{"credit_note", "", "id"},
    wording{"customer", "", "id"},
    wording{"event", "notification", "id"},
    wording{"file", "file upload", "file"},
    wording{"invoiceitem", "", "id"},
    wording{"payment_intent", "", "intent"},
    wording{"payment_method", "PaymentMethod", "payment_method"},
    wording{"product", "", "id"},
    wording{"promotion_code", "promotion code", "promotion_code"},
    wording{"setup_intent", "setupintent", "intent"},
    wording{"shipping_rate", "shipping rate", "shipping_rate_token"},
    wording{"subscription", "", "id"},
    wording{"subscription_item", "", "item"},
    wording{"subscription_schedule", "", "schedule"},
    wording{"tax_rate", "tax rate", "tax_rate"},
    wording{"test_helpers.test_clock", "billingclock", "test_clock"},
    wording{"webhook_endpoint", "webhook endpoint", "webhook_endpoint"},
};

const wording* wording_of(std::string_view object_name) {
  const auto row = std::ranges::find(wordings, object_name, &wording::object);
  return row == wordings.end() ? nullptr : &*row;
}

}  // namespace

std::string to_json(const api_error& e) {
  nlohmann::json inner{{"type", e.type}, {"message", e.message}};
  if (!e.param.empty()) inner["param"] = e.param;
  if (!e.code.empty()) {
    inner["code"] = e.code;
    std::string page = e.code;
    std::ranges::replace(page, '_', '-');
    inner["doc_url"] = "https://stripe.com/docs/error-codes/" + page;
  }
  const nlohmann::json whole{{"error", std::move(inner)}};
  // Ids and paths in messages come from strangers and need not be UTF-8.
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string_view path_param(std::string_view object_name) {
  const auto* const row = wording_of(object_name);
  if (row != nullptr) return row->param;
  return object_name.find('.') == std::string_view::npos ? object_name : "id";
}

api_error resource_missing(std::string_view object_name, std::string_view id,
                           std::string_view param) {
  const auto* const row = wording_of(object_name);
  const auto word = row == nullptr || row->word.empty() ? object_name : row->word;
  api_error e;
  e.status = 404;
  e.code = "resource_missing";
  e.message.append("No such ").append(word).append(": '").append(id).append("'");
  e.param = param;
  return e;
}

api_error resource_missing(std::string_view object_name, std::string_view id) {
  return resource_missing(object_name, id, path_param(object_name));
}

api_error unrecognized_url(std::string_view verb, std::string_view path) {
  api_error e;
  e.status = 404;
  e.message.append("Unrecognized request URL (").append(verb).append(": ").append(path);
  e.message += "). ";
  // An SDK that was given an empty id asks for such a path.
  if (path.ends_with('/') || path.find("//") != std::string_view::npos) {
    e.message +=
        "If you are trying to list objects, remove the trailing slash. If you are trying to "
        "retrieve an object, make sure you passed a valid (non-empty) identifier in your code. ";
  }
  e.message += "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.";
  return e;
}

api_error parameter_unknown(std::string_view param) {
  api_error e;
  e.code = "parameter_unknown";
  e.message = "Received unknown parameter: " + std::string(param);
  e.param = param;
  return e;
}

api_error parameter_missing(std::string_view param) {
  api_error e;
  e.code = "parameter_missing";
  e.message = "Missing required param: " + std::string(param) + '.';
  e.param = param;
  return e;
}

api_error parameter_invalid(std::string_view param, std::string message) {
  api_error e;
  e.message = std::move(message);
  e.param = param;
  return e;
}

}  // namespace tilld::stripe
