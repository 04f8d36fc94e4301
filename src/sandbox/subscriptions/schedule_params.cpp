// A phase said again as the parameters of subscriptions, and a subscription as a phase.
#include <algorithm>
#include <utility>

#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/subscriptions/schedule_parts.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"

namespace tilld::sandbox::schedules {

namespace {

// Where a phase's own settings are silent the schedule's speak.
json setting(const json& schedule, const json& phase, const char* name) {
  return is_null(phase, name) ? schedule["default_settings"][name] : phase[name];
}

json days_until_due(const json& schedule, const json& phase) {
  const json& own = phase["invoice_settings"];
  if (own.is_object() && !is_null(own, "days_until_due")) return own["days_until_due"];
  return schedule["default_settings"]["invoice_settings"]["days_until_due"];
}

json shared_params(const json& schedule, const json& phase) {
  json p = json::object();
  for (const char* name : {"collection_method", "default_payment_method", "description"}) {
    json value = setting(schedule, phase, name);
    if (!value.is_null()) p[name] = std::move(value);
  }
  if (p["collection_method"] == "send_invoice") {
    p["days_until_due"] = days_until_due(schedule, phase);
    if (p["days_until_due"].is_null()) p.erase("days_until_due");
  }
  if (!phase["metadata"].empty()) p["metadata"] = phase["metadata"];
  const bool last = phase["end_date"] == schedule["phases"].back()["end_date"];
  if (last && text_of(schedule, "end_behavior") == "cancel") p["cancel_at"] = phase["end_date"];
  p["_schedule"] = schedule["id"];
  return p;
}

// Those that a new owner can redeem. One that is somebody's already stays where it is.
json redeemable(const json& shown) {
  json given = json::array();
  for (const auto& entry : shown) {
    for (const char* by : {"coupon", "promotion_code"}) {
      if (is_null(entry, by)) continue;
      json one = json::object();
      one[by] = entry[by];
      given.push_back(std::move(one));
    }
  }
  return given;
}

bool is_redeemed_by(const json& discount, const json& entry) {
  if (!is_null(entry, "discount")) return discount["id"] == entry["discount"];
  if (!is_null(entry, "promotion_code")) {
    return discount["promotion_code"] == entry["promotion_code"];
  }
  return is_null(discount, "promotion_code") && discount["source"]["coupon"] == entry["coupon"];
}

// What the owner is to redeem, or null for nothing more than it has: a discount that goes on from
// one phase to the next is not redeemed anew.
json discounts_to_put(const context& ctx, const std::string& owner, const json& shown) {
  const auto has = discounts::of(ctx.state, owner);
  json given = json::array();
  std::size_t kept = 0;
  for (const auto& entry : shown) {
    const auto it = std::find_if(has.begin(), has.end(), [&](const std::string& id) {
      return is_redeemed_by(ctx.state.at(kind::discount, id), entry);
    });
    if (it != has.end()) {
      given.push_back({{"discount", *it}});
      ++kept;
    } else {
      for (auto& one : redeemable(json::array({entry})))
        given.push_back(one);
    }
  }
  return kept == given.size() && kept == has.size() ? json(nullptr) : given;
}

void put_discounts(const context& ctx, const std::string& owner, const json& shown, json& into) {
  json given = discounts_to_put(ctx, owner, shown);
  if (given.is_null()) return;
  into["discounts"] = given.empty() ? json(nullptr) : std::move(given);
}

json item_params(const json& item) {
  json p = json::object();
  p["_price"] = item["price"];
  p["quantity"] = item["quantity"];
  if (!item["metadata"].empty()) p["metadata"] = item["metadata"];
  p["tax_rates"] = item["tax_rates"];
  return p;
}

json added_params(const json& phase) {
  json all = json::array();
  for (const auto& item : phase["add_invoice_items"]) {
    json p = json::object();
    for (const char* name : {"metadata", "price", "quantity", "tax_rates"})
      p[name] = item[name];
    json given = redeemable(item["discounts"]);
    if (!given.empty()) p["discounts"] = std::move(given);
    all.push_back(std::move(p));
  }
  return all;
}

// The items of a phase in the places of those that the subscription has: of the same price first,
// then in their order; what is left over goes.
json items_to_update(const context& ctx, const json& phase, const std::string& subscription) {
  auto standing = subscriptions::items_of(ctx, subscription);
  json all = json::array();
  for (const auto& item : phase["items"])
    all.push_back(item_params(item));
  const auto take = [&](json& p, const auto& fits) {
    const auto it = std::find_if(standing.begin(), standing.end(), fits);
    if (p.contains("id") || it == standing.end()) return;
    p["id"] = (*it)["id"];
    standing.erase(it);
  };
  for (auto& p : all)
    take(p, [&](const json& item) { return item["price"] == p["_price"]; });
  for (auto& p : all)
    take(p, [](const json&) { return true; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    put_discounts(ctx, text_of(all[i], "id"), phase["items"][i]["discounts"], all[i]);
  }
  for (const auto& item : standing)
    all.push_back({{"id", item["id"]}, {"deleted", true}});
  return all;
}

}  // namespace

json invoice_settings_of(const json& given) {
  json settings = {{"account_tax_ids", nullptr}, {"custom_fields", nullptr},
                   {"days_until_due", nullptr},  {"description", nullptr},
                   {"footer", nullptr},          {"issuer", {{"type", "self"}}}};
  if (given.is_object() && given.contains("days_until_due")) {
    settings["days_until_due"] = given["days_until_due"];
  }
  return settings;
}

json params_to_create(const context& ctx, const json& schedule, const json& phase) {
  json p = shared_params(schedule, phase);
  p["customer"] = schedule["customer"];
  p["currency"] = phase["currency"];
  p["billing_mode"] = {{"type", schedule["billing_mode"]["type"]}};
  p["items"] = json::array();
  for (const auto& item : phase["items"]) {
    json entry = item_params(item);
    entry["discounts"] = redeemable(item["discounts"]);
    p["items"].push_back(std::move(entry));
  }
  json given = redeemable(phase["discounts"]);
  if (!given.empty()) p["discounts"] = std::move(given);
  if (!phase["default_tax_rates"].empty()) p["default_tax_rates"] = phase["default_tax_rates"];
  if (!phase["add_invoice_items"].empty()) p["add_invoice_items"] = added_params(phase);
  if (number_of(phase, "trial_end") > ctx.now) p["trial_end"] = phase["trial_end"];
  return p;
}

json params_to_update(const context& ctx, const json& schedule, const json& phase,
                      const json& subscription) {
  const std::string id = text_of(subscription, "id");
  json p = shared_params(schedule, phase);
  if (!p.contains("cancel_at") && !is_null(subscription, "cancel_at")) p["cancel_at"] = nullptr;
  if (p.contains("cancel_at") && p["cancel_at"] == subscription["cancel_at"]) p.erase("cancel_at");
  p["items"] = items_to_update(ctx, phase, id);
  put_discounts(ctx, id, phase["discounts"], p);
  if (phase["default_tax_rates"] != subscription["default_tax_rates"]) {
    p["default_tax_rates"] = phase["default_tax_rates"];
  }
  const bool trials = text_of(subscription, "status") == "trialing";
  if (number_of(phase, "trial_end") > ctx.now) {
    if (subscription["trial_end"] != phase["trial_end"]) p["trial_end"] = phase["trial_end"];
  } else if (trials && number_of(subscription, "trial_end") > ctx.now) {
    p["trial_end"] = "now";
  }
  return p;
}

json phase_of_subscription(const context& ctx, const json& subscription) {
  const auto standing = subscriptions::items_of(ctx, text_of(subscription, "id"));
  const auto redeemed = [&](const std::string& owner) {
    json all = json::array();
    for (const auto& id : discounts::of(ctx.state, owner))
      all.push_back({{"coupon", nullptr}, {"discount", id}, {"promotion_code", nullptr}});
    return all;
  };
  json items = json::array();
  for (const auto& item : standing) {
    json shown = json::object();
    shown["billing_thresholds"] = nullptr;
    shown["discounts"] = redeemed(text_of(item, "id"));
    shown["metadata"] = item["metadata"];
    shown["plan"] = item["price"];
    shown["price"] = item["price"];
    shown["quantity"] = item["quantity"];
    shown["tax_rates"] = item["tax_rates"];
    items.push_back(std::move(shown));
  }
  const bool trials = text_of(subscription, "status") == "trialing";
  const json cancel_at = subscription["cancel_at"];
  json phase = json::object();
  phase["add_invoice_items"] = json::array();
  phase["application_fee_percent"] = nullptr;
  phase["billing_cycle_anchor"] = nullptr;
  phase["billing_thresholds"] = nullptr;
  phase["collection_method"] = subscription["collection_method"];
  phase["currency"] = subscription["currency"];
  phase["default_payment_method"] = subscription["default_payment_method"];
  phase["default_tax_rates"] = subscription["default_tax_rates"];
  phase["description"] = subscription["description"];
  phase["discounts"] = redeemed(text_of(subscription, "id"));
  phase["end_date"] = cancel_at.is_null() ? subscription["_cycle_end"] : cancel_at;
  phase["invoice_settings"] = invoice_settings_of(subscription);
  phase["items"] = std::move(items);
  phase["metadata"] = json::object();
  phase["on_behalf_of"] = nullptr;
  phase["proration_behavior"] = "create_prorations";
  phase["start_date"] = standing.front()["current_period_start"];
  phase["transfer_data"] = nullptr;
  phase["trial_end"] = trials ? subscription["trial_end"] : json(nullptr);
  return phase;
}

json settings_of(const json& subscription) {
  json settings = {
      {"application_fee_percent", nullptr},
      {"automatic_tax", {{"disabled_reason", nullptr}, {"enabled", false}, {"liability", nullptr}}},
      {"billing_cycle_anchor", "automatic"},
      {"billing_thresholds", nullptr},
      {"collection_method", "charge_automatically"},
      {"default_payment_method", nullptr},
      {"description", nullptr},
      {"invoice_settings", invoice_settings_of(subscription)},
      {"on_behalf_of", nullptr},
      {"transfer_data", nullptr}};
  for (const char* name : {"collection_method", "default_payment_method", "description"}) {
    if (subscription.contains(name)) settings[name] = subscription[name];
  }
  return settings;
}

}  // namespace tilld::sandbox::schedules
