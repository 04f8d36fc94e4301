#include "http/api/lookup.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/product.hpp"
#include "http/v1_answers.hpp"
#include "store/records.hpp"

namespace tilld::http::api {

using nlohmann::json;
using store::family;
namespace key = store::key;

namespace {

auto rank_of(const core::customer_state& s) {
  const bool access = std::ranges::any_of(s.subscriptions, core::grants_access);
  return std::tuple(!s.deleted, access, s.created_s, std::string_view(s.id));
}

shape plan_in_use_shape() {
  return object({needed("key", text("The lookup key of its price, else its nickname or id.")),
                 needed("name", text("").or_null()), needed("subscription", text("")),
                 needed("price", text("")), needed("product", text("").or_null()),
                 needed("amount", integer("")), needed("currency", text("").or_null()),
                 needed("interval", text("").or_null()), needed("quantity", integer(""))},
                "What the customer has subscribed to, of the subscription that speaks for them.")
      .with_more()
      .called("CurrentPlan");
}

shape subscription_shape() {
  return object(
             {needed("id", text("")), needed("status", text("Stripe's.")),
              needed("grants_access", truth("")), needed("created", moment("")),
              needed("cancel_at_period_end", truth("")), needed("cancel_at", moment("").or_null()),
              needed("canceled_at", moment("").or_null()), needed("ended_at", moment("").or_null()),
              needed("trial_end", moment("").or_null()),
              needed("items", list_of(object({needed("id", text("")), needed("price", text("")),
                                              needed("product", text("").within(0, 255)),
                                              needed("quantity", integer(""))})
                                          .with_more()))})
      .with_more()
      .called("Subscription");
}

}  // namespace

result<std::optional<core::customer_state>> state_of(const asked& a, const std::string& customer) {
  if (!store::valid_id(customer)) return std::nullopt;
  auto row = a.of.till.read().get(family::customers, key::customer_state(a.scope, customer));
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  auto state = core::customer_state_from_json(**row);
  if (!state) return std::unexpected(state.error());
  return std::move(*state);
}

result<std::vector<core::customer_state>> linked_to(const asked& a, const std::string& user_id) {
  std::vector<core::customer_state> all;
  std::optional<error> failed;
  auto scanned =
      a.of.till.read().scan({family::customers, key::user_links(a.scope, user_id), "", false},
                            [&](std::string_view row_key, std::string_view) {
                              const auto at = key::user_link_place(row_key);
                              if (!at) return true;
                              auto state = state_of(a, std::string(at->customer_id));
                              if (!state) {
                                failed = state.error();
                                return false;
                              }
                              if (*state) all.push_back(std::move(**state));
                              return true;
                            });
  if (!scanned) return std::unexpected(scanned.error());
  if (failed) return std::unexpected(*failed);
  std::ranges::sort(all, [](const auto& x, const auto& y) { return rank_of(x) > rank_of(y); });
  return all;
}

result<core::customer_state> customer_named(const asked& a, const std::string& id) {
  auto own = state_of(a, id);
  if (!own) return std::unexpected(own.error());
  if (*own) return std::move(**own);
  auto linked = linked_to(a, id);
  if (!linked) return std::unexpected(linked.error());
  if (linked->empty()) return fail(errc::not_found, "");
  return std::move(linked->front());
}

std::optional<core::product_facts> product_facts(const asked& a, std::string_view product) {
  const auto document = document_of(a, "product", std::string(product));
  return document ? core::product_facts_in(*document) : std::nullopt;
}

std::optional<std::string> document_of(const asked& a, std::string_view object_name,
                                       const std::string& id) {
  if (!store::valid_id(id)) return std::nullopt;
  auto row = a.of.till.read().get(family::objects, key::object(a.scope, object_name, id));
  const auto view = row && *row ? store::view_object(**row) : std::nullopt;
  if (!view || view->at.deleted) return std::nullopt;
  return std::string(view->document);
}

response unknown_customer(const error& why, const std::string& id) {
  if (why.code != errc::not_found) return unavailable(why);
  return refuse(404, "customer_unknown",
                "No customer is known by '" + id +
                    "': neither as a Stripe id nor as a user id in the customer's metadata.");
}

json shown(const asked& a, const core::customer_state& state) {
  return core::customer_answer(
      state, [&](std::string_view id) { return product_facts(a, id); }, a.of.time.wall_s());
}

shape customer_shape() {
  return object({needed("customer", text("Stripe's id.")), needed("user_id", text("").or_null()),
                 needed("email", text("").or_null()), needed("name", text("").or_null()),
                 needed("created", moment("").or_null()), needed("deleted", truth("")),
                 needed("delinquent", truth("")),
                 needed("active", truth("Whether a subscription gives access.")),
                 needed("status", text("Of the subscription that speaks for them, or none.")),
                 needed("plan", plan_in_use_shape().or_null()),
                 needed("subscriptions", list_of(subscription_shape())),
                 needed("as_of", moment("Of the newest that is known.")),
                 needed("age_s", integer("Seconds since then.")),
                 needed("stale", truth("Something is known to be missing, and is being fetched."))},
                "A customer, and what they have.")
      .with_more()
      .called("Customer");
}

member user_in_path() {
  return needed(
      "user_id",
      text("The application's own id of its user, or Stripe's of the customer.").within(1, 255));
}

}  // namespace tilld::http::api
