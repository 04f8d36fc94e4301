#include "stripe/collapse.hpp"

#include <array>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "stripe/catalogue.hpp"

namespace tilld::stripe {

namespace {

using nlohmann::ordered_json;

bool is_whole_object(const ordered_json& value) {
  return value.is_object() && value.contains("id") && value.contains("object") &&
         value["id"].is_string();
}

using objects = std::vector<ordered_json>;

void fold_object(ordered_json& object, objects& inside);

void fold(ordered_json& value, objects& inside) {
  if (!is_whole_object(value)) return;
  ordered_json object = std::exchange(value, ordered_json(std::string(value["id"])));
  if (object.value("deleted", false)) return;  // a stub says less than the id
  fold_object(object, inside);
  inside.push_back(std::move(object));
}

// `path`: "latest_invoice", "default_payment_method", "discounts[]", "a.b[].c".
void fold_at(ordered_json& at, std::string_view path, objects& inside) {
  const auto dot = path.find('.');
  std::string_view step = path.substr(0, dot);
  const bool each = step.ends_with("[]");
  if (each) step.remove_suffix(2);
  if (!at.is_object()) return;
  const auto found = at.find(std::string(step));
  if (found == at.end()) return;
  const auto go_on = [&](ordered_json& value) {
    if (dot == path.npos) {
      fold(value, inside);
    } else {
      fold_at(value, path.substr(dot + 1), inside);
    }
  };
  if (!each) return go_on(*found);
  if (!found->is_array()) return;
  for (auto& element : *found)
    go_on(element);
}

// What Stripe adds only when expand[] asks for it, and what events never carry. Of a card's number
// nothing may be left behind.
struct added_member {
  std::string_view object;
  std::string_view path;
};
constexpr std::array added_members = {
    added_member{"charge", "refunds"},
    added_member{"checkout.session", "line_items"},
    added_member{"checkout.session", "total_details.breakdown"},
    added_member{"coupon", "applies_to"},
    added_member{"coupon", "currency_options"},
    added_member{"customer", "cash_balance"},
    added_member{"customer", "invoice_credit_balance"},
    added_member{"customer", "sources"},
    added_member{"customer", "subscriptions"},
    added_member{"customer", "tax"},
    added_member{"customer", "tax_ids"},
    added_member{"invoice", "confirmation_secret"},
    added_member{"invoice", "payments"},
    added_member{"invoice", "status_details"},
    added_member{"issuing.card", "cvc"},
    added_member{"issuing.card", "number"},
    added_member{"payment_link", "line_items"},
    added_member{"price", "currency_options"},
    added_member{"price", "tiers"},
    added_member{"quote", "computed.upfront.line_items"},
    added_member{"quote", "line_items"},
    added_member{"quote", "total_details.breakdown"},
    added_member{"subscription", "status_details"},
    added_member{"subscription_item", "billed_until"},
};

void drop_at(ordered_json& at, std::string_view path) {
  if (!at.is_object()) return;
  const auto dot = path.find('.');
  const auto found = at.find(std::string(path.substr(0, dot)));
  if (found == at.end()) return;
  if (dot == path.npos) {
    at.erase(found);
  } else {
    drop_at(*found, path.substr(dot + 1));
  }
}

// Objects that stay embedded have expandable fields of their own.
void fold_members(ordered_json& value, objects& inside) {
  if (value.is_array()) {
    for (auto& element : value)
      fold_members(element, inside);
  } else if (value.is_object()) {
    if (value.contains("object") && value["object"].is_string() && value["object"] != "list") {
      fold_object(value, inside);
    } else {
      for (auto& [name, inner] : value.items())
        fold_members(inner, inside);
    }
  }
}

void fold_object(ordered_json& object, objects& inside) {
  const std::string name = object.value("object", "");
  for (const auto& added : added_members)
    if (added.object == name) drop_at(object, added.path);
  const auto* row = catalogue::instance().object(name);
  if (row != nullptr) {
    for (const auto& reference : row->expandable)
      fold_at(object, reference.path, inside);
  }
  for (auto& [member, inner] : object.items())
    fold_members(inner, inside);
}

}  // namespace

result<collapsed> collapse_all(std::string_view object_json) {
  auto document = ordered_json::parse(object_json, nullptr, false);
  if (!document.is_object()) return fail(errc::invalid, "the answer is not a JSON object");
  objects inside;
  fold_object(document, inside);
  collapsed all;
  all.document = document.dump();
  for (const auto& object : inside)
    all.inside.push_back(object.dump());
  return all;
}

result<std::string> collapse(std::string_view object_json) {
  auto all = collapse_all(object_json);
  if (!all) return std::unexpected(std::move(all).error());
  return std::move(all->document);
}

}  // namespace tilld::stripe
