#include "stripe/collapse.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "stripe/catalogue.hpp"

namespace tilld::stripe {

namespace {

using nlohmann::ordered_json;

bool is_whole_object(const ordered_json& value) {
  return value.is_object() && value.contains("id") && value.contains("object") &&
         value["id"].is_string();
}

void fold(ordered_json& value) {
  if (is_whole_object(value)) value = std::string(value["id"]);
}

// `path`: "latest_invoice", "default_payment_method", "discounts[]", "a.b[].c".
void fold_at(ordered_json& at, std::string_view path) {
  const auto dot = path.find('.');
  std::string_view step = path.substr(0, dot);
  const bool each = step.ends_with("[]");
  if (each) step.remove_suffix(2);
  if (!at.is_object()) return;
  const auto found = at.find(std::string(step));
  if (found == at.end()) return;
  const auto go_on = [&](ordered_json& value) {
    if (dot == path.npos) {
      fold(value);
    } else {
      fold_at(value, path.substr(dot + 1));
    }
  };
  if (!each) return go_on(*found);
  if (!found->is_array()) return;
  for (auto& element : *found)
    go_on(element);
}

void fold_object(ordered_json& object);

// Objects that stay embedded have expandable fields of their own.
void fold_inside(ordered_json& value) {
  if (value.is_array()) {
    for (auto& element : value)
      fold_inside(element);
  } else if (value.is_object()) {
    if (value.contains("object") && value["object"].is_string() && value["object"] != "list") {
      fold_object(value);
    } else {
      for (auto& [name, inner] : value.items())
        fold_inside(inner);
    }
  }
}

void fold_object(ordered_json& object) {
  const auto* row = catalogue::instance().object(object.value("object", ""));
  if (row != nullptr) {
    for (const auto& reference : row->expandable)
      fold_at(object, reference.path);
  }
  for (auto& [name, inner] : object.items())
    fold_inside(inner);
}

}  // namespace

result<std::string> collapse(std::string_view object_json) {
  auto document = ordered_json::parse(object_json, nullptr, false);
  if (!document.is_object()) return fail(errc::invalid, "the answer is not a JSON object");
  fold_object(document);
  return document.dump();
}

}  // namespace tilld::stripe
