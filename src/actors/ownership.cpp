#include "actors/ownership.hpp"

#include "store/records.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/event.hpp"

namespace tilld::actors {

namespace {

// "/v1/subscriptions/sub_1/items" speaks of what GET /v1/subscriptions/sub_1 answers.
std::string object_in_path(std::span<const std::string> segments) {
  if (segments.size() < 3) return "";
  const auto found = stripe::catalogue::instance().find("GET", segments.first(3));
  const bool one = found.endpoint != nullptr && found.arguments.size() == 1;
  return one && !found.endpoint->returns.empty() ? found.endpoint->returns.front() : "";
}

}  // namespace

std::string owner_of_object(const store::reader& store, const store::scope& scope,
                            std::string_view object_name, std::string_view id) {
  if (object_name == "customer") return std::string(id);
  if (!store::valid_id(id)) return "";
  auto row = store.get(store::family::objects, store::key::object(scope, object_name, id));
  if (!row || !*row) return "";
  const auto view = store::view_object(**row);
  if (!view) return "";
  const auto head = stripe::parse_object(view->document);
  return head ? head->owner_customer : "";
}

std::string owner_of_order(const store::reader& store, const store::scope& scope,
                           std::span<const std::string> segments, const stripe::form_pairs& form) {
  const std::string object_name = object_in_path(segments);
  if (object_name == "customer" && store::valid_id(segments[2])) return segments[2];
  for (const auto& [name, value] : form) {
    if (name == "customer" && store::valid_id(value)) return value;
  }
  if (object_name.empty()) return "";
  return owner_of_object(store, scope, object_name, segments[2]);
}

}  // namespace tilld::actors
