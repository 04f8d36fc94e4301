#include "shapes.hpp"

#include "sandbox/machine/kinds.hpp"
#include "stripe/catalogue.hpp"
#include "support/catch.hpp"

namespace tilld::test {

namespace {

// What Stripe leaves out of the object unless it is asked for or in place.
std::set<std::string> left_out_of(const std::string& object) {
  if (object == "plan") return {"deleted", "tiers"};
  const auto k = tilld::sandbox::kind_named(object);
  if (!k) return {};
  std::set<std::string> names;
  for (const auto name : tilld::sandbox::row_of(*k).left_out)
    names.emplace(name);
  return names;
}

void check_shape(const json& object) {
  const std::string name = object["object"];
  // A deleted discount is all there but for its end.
  // Source: https://docs.stripe.com/api/discounts/delete
  if (object.value("deleted", false) && name == "discount") {
    std::set<std::string> rest = fields_of(name);
    rest.erase("end");
    CHECK(keys_of(object) == rest);
    return;
  }
  if (object.value("deleted", false)) {
    CHECK(keys_of(object) == std::set<std::string>{"id", "object", "deleted"});
    return;
  }
  CAPTURE(name);
  std::set<std::string> expected = fields_of(name);
  REQUIRE(!expected.empty());
  const auto present = keys_of(object);
  // What an invoice.upcoming carries is not an invoice yet.
  if (name == "invoice" && !present.contains("id")) expected.erase("id");
  for (const auto& gone : left_out_of(name)) {
    if (!present.contains(gone)) expected.erase(gone);
  }
  // Metered items have none.
  // Source: https://docs.stripe.com/billing/subscriptions/quantities
  if (name == "subscription_item" && object["price"]["recurring"]["usage_type"] == "metered") {
    expected.erase("quantity");
  }
  CHECK(present == expected);
}

}  // namespace

std::set<std::string> fields_of(const std::string& object) {
  const auto* row = tilld::stripe::catalogue::instance().object(object);
  if (row == nullptr) return {};
  return {row->fields.begin(), row->fields.end()};
}

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items())
    keys.insert(key);
  return keys;
}

void check_shapes(const json& value, std::set<std::string>& seen) {
  if (value.is_object() && value.contains("object") && value["object"].is_string() &&
      value["object"] != "list" && value["object"] != "event") {
    check_shape(value);
    seen.insert(value["object"].get<std::string>());
  }
  if (value.is_structured()) {
    for (const auto& inside : value)
      check_shapes(inside, seen);
  }
}

void check_shapes(const json& value) {
  std::set<std::string> seen;
  check_shapes(value, seen);
}

}  // namespace tilld::test
