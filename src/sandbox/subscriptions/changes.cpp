// What a subscription's items are to become, and the credits and debits of that.
// Source: https://docs.stripe.com/billing/subscriptions/change
#include "sandbox/subscriptions/changes.hpp"

#include <algorithm>

#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/terms.hpp"
#include "sandbox/subscriptions/thresholds.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

answer<json> changed_item(context& ctx, const json& entry, const std::string& at,
                          const json& subscription, json item) {
  const char* by = entry.contains("_price") ? "_price" : "price";
  const bool other = entry.contains(by) && entry[by] != item["price"];
  if (other || entry.contains("price_data")) {
    auto price = price_of_entry(ctx, entry, at, text_of(subscription, "currency"));
    if (!price) return price;
    item["price"] = (*price)["id"];
  }
  auto rates = tax_rates_of_entry(ctx, entry, at, item["tax_rates"]);
  if (!rates) return rates;
  item["tax_rates"] = std::move(*rates);
  if (auto taken = take_quantity(item, price_of_item(ctx, item), entry, at); !taken) {
    return std::unexpected(taken.error());
  }
  if (auto taken = thresholds::take_of_item(ctx, item, entry, at); !taken) {
    return std::unexpected(taken.error());
  }
  if (entry.contains("metadata")) {
    if (auto merged = merge_metadata(item, entry["metadata"]); !merged) {
      return std::unexpected(merged.error());
    }
  }
  return item;
}

answer<json> new_item(context& ctx, const json& entry, const std::string& at,
                      const json& subscription, const std::vector<json>& existing) {
  auto price = price_of_entry(ctx, entry, at, text_of(subscription, "currency"));
  if (!price) return price;
  auto rates = tax_rates_of_entry(ctx, entry, at, nullptr);
  if (!rates) return rates;
  for (const auto& item : existing) {
    if (item["price"] != (*price)["id"]) continue;
    return refuse(
        "A new item with Price " + text_of(*price, "id") +
            " can't be added to this Subscription because an existing Subscription Item " +
            text_of(item, "id") +
            " is already using that Price. If you want to update the existing item (e.g., "
            "to adjust the quantity), pass the existing Subscription Item's `id` in your "
            "update request: "
            "https://stripe.com/docs/api/subscriptions/"
            "update#update_subscription-items-id",
        "plan");
  }
  json item = blank(kind::subscription_item);
  item["id"] = ctx.state.ids.next(kind::subscription_item);
  item["subscription"] = subscription["id"];
  item["current_period_end"] = subscription["_cycle_end"];
  item["current_period_start"] = ctx.now;
  item["tax_rates"] = std::move(*rates);
  item["price"] = (*price)["id"];
  if (auto taken = take_quantity(item, *price, entry, at); !taken) {
    return std::unexpected(taken.error());
  }
  if (auto taken = thresholds::take_of_item(ctx, item, entry, at); !taken) {
    return std::unexpected(taken.error());
  }
  item["metadata"] = entry.contains("metadata") ? entry["metadata"] : json(nullptr);
  return item;
}

// Without effect where a meter counts.
// Source: https://docs.stripe.com/api/subscriptions/update (items.clear_usage)
answer<void> check_clear_usage(const context& ctx, const json& entry, const json& item,
                               const std::string& at) {
  if (!truth_of(entry, "clear_usage") || is_metered(ctx, item)) return {};
  return refuse("`clear_usage` can only be used with prices of `usage_type=metered`.",
                at + "[clear_usage]");
}

answer<std::vector<item_change>> read_items(context& ctx, const json& subscription) {
  std::vector<item_change> found;
  const auto existing = items_of(ctx, text_of(subscription, "id"));
  const json& given = ctx.param("items");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "items[" + std::to_string(i) + "]";
    const json& entry = given[i];
    if (!entry.contains("id")) {
      auto item = new_item(ctx, entry, at, subscription, existing);
      if (!item) return std::unexpected(item.error());
      found.push_back({nullptr, std::move(*item)});
      continue;
    }
    const auto it = std::find_if(existing.begin(), existing.end(),
                                 [&](const json& e) { return e["id"] == entry["id"]; });
    if (it == existing.end()) {
      return missing(kind::subscription_item, text_of(entry, "id"), at + "[id]", 400);
    }
    if (auto fits = check_clear_usage(ctx, entry, *it, at); !fits) {
      return std::unexpected(fits.error());
    }
    if (truth_of(entry, "deleted")) {
      found.push_back({*it, nullptr});
      continue;
    }
    auto item = changed_item(ctx, entry, at, subscription, *it);
    if (!item) return std::unexpected(item.error());
    found.push_back({*it, std::move(*item)});
  }
  const auto gone = std::count_if(found.begin(), found.end(),
                                  [](const item_change& c) { return c.after.is_null(); });
  const auto added = std::count_if(found.begin(), found.end(),
                                   [](const item_change& c) { return c.before.is_null(); });
  if (static_cast<std::size_t>(gone) >= existing.size() + static_cast<std::size_t>(added)) {
    return refuse("A subscription must have at least one active plan.", "items");
  }
  return found;
}

std::vector<json> items_after(const context& ctx, const json& subscription,
                              const std::vector<item_change>& changes) {
  std::vector<json> items = items_of(ctx, text_of(subscription, "id"));
  for (const auto& c : changes) {
    if (c.before.is_null()) {
      items.push_back(c.after);
      continue;
    }
    const auto it = std::find_if(items.begin(), items.end(),
                                 [&](const json& e) { return e["id"] == c.before["id"]; });
    if (it == items.end()) continue;
    if (c.after.is_null()) {
      items.erase(it);
    } else {
      *it = c.after;
    }
  }
  return items;
}

bool same_interval(const json& a, const json& b) {
  return a["recurring"]["interval"] == b["recurring"]["interval"] &&
         a["recurring"]["interval_count"] == b["recurring"]["interval_count"];
}

answer<void> check_intervals(const context& ctx, const std::vector<json>& items) {
  for (const auto& item : items) {
    if (same_interval(price_of_item(ctx, items.front()), price_of_item(ctx, item))) continue;
    return not_simulated("The sandbox does not simulate items of different intervals yet.",
                         "items");
  }
  return {};
}

std::int64_t sum_of(const context& ctx, const std::vector<json>& items) {
  std::int64_t sum = 0;
  for (const auto& item : items)
    sum += amount_of_item(ctx, item);
  return sum;
}

bool is_billed_alike(const context& ctx, const item_change& c) {
  return !c.before.is_null() && !c.after.is_null() && c.before["price"] == c.after["price"] &&
         amount_of_item(ctx, c.before) == amount_of_item(ctx, c.after);
}

// It goes, or has another price: what it has used until now is billed at the old one.
bool ends_metering(const context& ctx, const item_change& c) {
  if (c.before.is_null() || !is_metered(ctx, c.before)) return false;
  return c.after.is_null() || c.after["price"] != c.before["price"];
}

}  // namespace

answer<changes> read_changes(context& ctx, const json& subscription) {
  changes c;
  if (ctx.given("items")) {
    auto items = read_items(ctx, subscription);
    if (!items) return std::unexpected(items.error());
    c.items = std::move(*items);
  }
  const auto last = items_after(ctx, subscription, c.items);
  if (auto alike = check_intervals(ctx, last); !alike) return std::unexpected(alike.error());
  const std::string behavior = ctx.text("proration_behavior");
  const std::string status = text_of(subscription, "status");
  c.prorates = behavior != "none" && (status == "active" || status == "past_due");
  c.bills_now = c.prorates && behavior == "always_invoice";
  const bool running = status == "active" || status == "past_due";
  const auto first = items_of(ctx, text_of(subscription, "id"));
  const bool other_interval =
      !same_interval(price_of_item(ctx, first.front()), price_of_item(ctx, last.front()));
  const bool metered = has_metered(ctx, text_of(subscription, "id"));
  const bool from_free =
      !c.items.empty() && !metered && sum_of(ctx, first) == 0 && sum_of(ctx, last) > 0;
  c.starts_anew =
      running && (other_interval || from_free || ctx.text("billing_cycle_anchor") == "now");
  c.at_s = ctx.given("proration_date") ? ctx.number("proration_date") : ctx.now;
  if (ctx.given("proration_date")) {
    const auto existing = items_of(ctx, text_of(subscription, "id"));
    for (const auto& item : existing) {
      if (c.at_s >= number_of(item, "current_period_start") &&
          c.at_s < number_of(item, "current_period_end")) {
        continue;
      }
      return refuse("Cannot set `proration_date` outside of the current billing period.",
                    "proration_date");
    }
  }
  return c;
}

void prorate(context& ctx, const json& subscription, const changes& c) {
  if (!c.prorates) return;
  if (c.starts_anew) {
    for (const auto& change : c.items)
      if (ends_metering(ctx, change)) bill_removed(ctx, subscription, change.before);
    for (const auto& item : items_of(ctx, text_of(subscription, "id")))
      credit_unused(ctx, subscription, item, c.at_s);
    return;
  }
  for (const auto& change : c.items) {
    if (is_billed_alike(ctx, change)) continue;
    if (ends_metering(ctx, change)) bill_removed(ctx, subscription, change.before);
    if (!change.before.is_null()) credit_unused(ctx, subscription, change.before, c.at_s);
    if (!change.after.is_null()) charge_remaining(ctx, subscription, change.after, c.at_s);
  }
}

std::vector<std::string> ids_of(const std::vector<item_change>& items) {
  std::vector<std::string> ids;
  for (const auto& c : items)
    ids.push_back(text_of(c.before.is_null() ? c.after : c.before, "id"));
  return ids;
}

void apply(context& ctx, const json& subscription, const std::vector<item_change>& items) {
  const std::string id = text_of(subscription, "id");
  const std::int64_t end = number_of(subscription, "_cycle_end");
  for (const auto& change : items) {
    if (change.after.is_null()) {
      ctx.state.leave_stub(kind::subscription_item, text_of(change.before, "id"));
    } else if (change.before.is_null()) {
      add_item(ctx, id, text_of(change.after, "price"), number_of(change.after, "quantity"),
               change.after["metadata"], {ctx.now, end}, change.after["tax_rates"],
               text_of(change.after, "id"));
      json added = ctx.state.live(kind::subscription_item, text_of(change.after, "id"));
      added["billing_thresholds"] = change.after["billing_thresholds"];
      ctx.state.replace(kind::subscription_item, std::move(added));
    } else {
      json after = change.after;
      if (after["price"] != change.before["price"]) start_measuring(ctx, after);
      ctx.state.replace(kind::subscription_item, std::move(after));
    }
  }
}

}  // namespace tilld::sandbox::subscriptions
