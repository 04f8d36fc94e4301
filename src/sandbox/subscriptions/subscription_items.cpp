#include "sandbox/subscriptions/subscription_items.hpp"

#include <array>
#include <utility>

#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"
#include "sandbox/subscriptions/thresholds.hpp"

namespace tilld::sandbox::subscription_items {

namespace {

// What the item itself is asked to be; the rest is about the change.
constexpr std::array of_item = {"billing_thresholds", "clear_usage", "discounts",
                                "metadata",           "price",       "price_data",
                                "quantity",           "tax_rates"};
constexpr std::array of_change = {"off_session", "payment_behavior", "proration_behavior",
                                  "proration_date"};

params::schema shared_fields() {
  return {thresholds::item_field(),
          params::unsimulated("current_trial"),
          discounts::field(),
          params::metadata(),
          subscriptions::payment_behavior_field(),
          params::unsimulated("plan"),
          params::text("price"),
          prices::data_field("price_data", true),
          subscriptions::proration_behavior_field(),
          params::timestamp("proration_date"),
          params::integer("quantity").at_least(0).at_most(999'999),
          tax_rates::field("tax_rates")};
}

// The subscription's refusals name its own parameter: items[0][price] is our price.
std::unexpected<failure> as_of_item(failure refused) {
  std::string& param = refused.error.param;
  const std::string prefix = "items[0][";
  if (param.starts_with(prefix)) {
    param.erase(0, prefix.size());
    if (const auto end = param.find(']'); end != std::string::npos) param.erase(end, 1);
  }
  return std::unexpected(std::move(refused));
}

// The subscription with that entry among its items.
answer<json> change(context& ctx, const std::string& subscription, json entry) {
  for (const char* name : of_item)
    if (ctx.given(name)) entry[name] = ctx.param(name);
  json params = json::object();
  for (const char* name : of_change)
    if (ctx.given(name)) params[name] = ctx.param(name);
  params["items"] = json::array({std::move(entry)});
  const aside kept(ctx);
  auto changed =
      ask(ctx, subscriptions::update, std::move(params), {subscription}, "/v1/subscriptions/{id}");
  return changed ? std::move(changed) : as_of_item(std::move(changed.error()));
}

answer<json> item_of_path(const context& ctx) {
  const std::string& id = ctx.arguments.front();
  const json* item = ctx.state.find_live(kind::subscription_item, id);
  if (item != nullptr) return *item;
  return refuse(stripe::api_error{404, "invalid_request_error", "",
                                  "Invalid subscription_item id: " + id, ""});
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::text("subscription").needed());
    return fields;
  }();
  return takes;
}

// An update that waits for its payment has no item yet: the answer is the one that is to come.
answer<json> create(context& ctx) {
  const std::string subscription = ctx.text("subscription");
  if (auto known = ctx.referred(kind::subscription, subscription, "subscription"); !known) {
    return known;
  }
  auto changed = change(ctx, subscription, json::object());
  if (!changed) return changed;
  const auto items = subscriptions::items_of(ctx, subscription);
  const json& pending = (*changed)["pending_update"];
  if (pending.is_object() && !pending["subscription_items"].empty()) {
    return json(pending["subscription_items"].back());
  }
  return ctx.shown(kind::subscription_item, text_of(items.back(), "id"));
}

answer<json> retrieve(context& ctx) {
  auto item = item_of_path(ctx);
  if (!item) return item;
  return view_of(ctx.state, kind::subscription_item, *item);
}

const params::schema& update_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::boolean("off_session"));
    return fields;
  }();
  return takes;
}

answer<json> update(context& ctx) {
  auto item = item_of_path(ctx);
  if (!item) return item;
  const std::string id = text_of(*item, "id");
  auto changed = change(ctx, text_of(*item, "subscription"), {{"id", id}});
  if (!changed) return changed;
  return ctx.shown(kind::subscription_item, id);
}

const params::schema& remove_takes() {
  static const params::schema takes = {
      params::boolean("clear_usage"), subscriptions::payment_behavior_field(),
      subscriptions::proration_behavior_field(), params::timestamp("proration_date")};
  return takes;
}

answer<json> remove(context& ctx) {
  auto item = item_of_path(ctx);
  if (!item) return item;
  const std::string id = text_of(*item, "id");
  const std::string subscription = text_of(*item, "subscription");
  if (subscriptions::items_of(ctx, subscription).size() == 1) {
    return refuse(
        "A subscription must have at least one active plan. To cancel a subscription, please use "
        "the cancel API endpoint on Subscriptions.");
  }
  auto changed = change(ctx, subscription, {{"id", id}, {"deleted", true}});
  if (!changed) return changed;
  json stub = ctx.shown(kind::subscription_item, id);
  if (truth_of(stub, "deleted")) return stub;
  return json{{"id", id}, {"object", "subscription_item"}, {"deleted", true}};
}

const params::schema& list_takes() {
  static const params::schema takes = {params::text("subscription").needed()};
  return takes;
}

answer<json> list(context& ctx) {
  const std::string id = ctx.text("subscription");
  if (auto known = ctx.referred(kind::subscription, id, "subscription"); !known) return known;
  filter shown;
  shown.where.push_back({"subscription", {id}});
  return list_page(ctx, kind::subscription_item, shown, list_order::oldest_first);
}

}  // namespace tilld::sandbox::subscription_items
