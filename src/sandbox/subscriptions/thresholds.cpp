#include "sandbox/subscriptions/thresholds.hpp"

#include <utility>
#include <vector>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"

namespace tilld::sandbox::thresholds {

namespace {

using subscriptions::items_of;

constexpr std::int64_t least_amount = 50;

bool is_watched(const context& ctx, const json& s, const std::string& meter) {
  const std::string status = text_of(s, "status");
  if (status != "active" && status != "past_due") return false;
  if (number_of(s, "_cycle_end") - ctx.now <= day_s) return false;
  bool watched = s["billing_thresholds"].is_object();
  bool measured = false;
  for (const auto& item : items_of(ctx, text_of(s, "id"))) {
    const json& recurring = subscriptions::price_of_item(ctx, item)["recurring"];
    measured = measured || text_of(recurring, "meter") == meter;
    watched = watched || item["billing_thresholds"].is_object();
  }
  return watched && measured;
}

invoicing::order order_for(const context& ctx, const json& s) {
  auto wanted = subscriptions::order_for(ctx, s, "subscription_threshold");
  wanted.auto_advance = true;
  wanted.lines = subscriptions::usage_so_far(ctx, s);
  // What comes later is billed later, also while this is a draft.
  for (auto& l : wanted.lines)
    l.usage = nullptr;
  return wanted;
}

// With discounts and prorations, without taxes.
std::int64_t sum_now(context& ctx, const json& s) {
  return ctx.as_if([&]() -> std::int64_t {
    const auto wanted = order_for(ctx, s);
    const std::string draft = invoiceitems::draft_of_pending(ctx, wanted, wanted.lines.empty());
    return draft.empty() ? 0 : number_of(ctx.state.at(kind::invoice, draft), "total_excluding_tax");
  });
}

// The items whose own threshold is reached.
std::vector<json> items_over(const context& ctx, const json& s) {
  std::vector<json> over;
  for (auto& item : items_of(ctx, text_of(s, "id"))) {
    if (!item["billing_thresholds"].is_object()) continue;
    const std::int64_t used = subscriptions::unbilled_units(ctx, s, item);
    if (used >= number_of(item["billing_thresholds"], "usage_gte")) over.push_back(std::move(item));
  }
  return over;
}

json reasons(const context& ctx, const std::string& invoice, const std::vector<json>& over) {
  json all = json::array();
  for (const auto& item : over) {
    json lines = json::array();
    for (const json* l : ctx.state.with(kind::line_item, "invoice", invoice)) {
      const json* of = at_path(*l, "parent.subscription_item_details.subscription_item");
      if (of != nullptr && *of == item["id"]) lines.push_back((*l)["id"]);
    }
    all.push_back({{"line_item_ids", std::move(lines)},
                   {"usage_gte", item["billing_thresholds"]["usage_gte"]}});
  }
  return all;
}

void note_reason(context& ctx, const std::string& invoice, const json& amount,
                 const std::vector<json>& over) {
  json document = ctx.state.live(kind::invoice, invoice);
  document["threshold_reason"] = {{"amount_gte", amount},
                                  {"item_reasons", reasons(ctx, invoice, over)}};
  ctx.update("invoice.updated", kind::invoice, std::move(document));
}

void bill(context& ctx, json s, const json& amount, const std::vector<json>& over) {
  const std::string id = text_of(s, "id");
  const json before = ctx.shown(kind::subscription, id);
  ctx.watch_customer(text_of(s, "customer"));
  std::string invoice;
  if (truth_of(s["billing_thresholds"], "reset_billing_cycle_anchor")) {
    auto wanted = subscriptions::order_for(ctx, s, "subscription_threshold");
    wanted.auto_advance = true;
    invoice = subscriptions::start_anew(ctx, s, std::move(wanted));
  } else {
    const auto wanted = order_for(ctx, s);
    subscriptions::note_billed(ctx, s);
    invoice = invoiceitems::draft_of_pending(ctx, wanted, wanted.lines.empty());
  }
  if (invoice.empty()) return;
  s["latest_invoice"] = invoice;
  ctx.state.replace(kind::subscription, std::move(s));
  note_reason(ctx, invoice, amount, over);
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
}

}  // namespace

params::field field() {
  return params::hash("billing_thresholds",
                      {params::integer("amount_gte").at_least(least_amount).at_most(99'999'999),
                       params::boolean("reset_billing_cycle_anchor")})
      .clearable();
}

params::field item_field() {
  return params::hash("billing_thresholds", {params::integer("usage_gte").at_least(1).needed()})
      .clearable();
}

answer<void> take(const context& ctx, json& subscription) {
  if (!ctx.given("billing_thresholds")) return {};
  const json& given = ctx.param("billing_thresholds");
  if (given.is_null()) {
    subscription["billing_thresholds"] = nullptr;
    return {};
  }
  json kept = subscription["billing_thresholds"];
  if (!kept.is_object()) {
    kept = {{"amount_gte", nullptr}, {"reset_billing_cycle_anchor", nullptr}};
  }
  merge_hash(kept, given);
  subscription["billing_thresholds"] = std::move(kept);
  return {};
}

answer<void> take_of_item(const context& ctx, json& item, const json& entry,
                          const std::string& at) {
  const bool metered = subscriptions::is_metered(ctx, item);
  if (!metered) item["billing_thresholds"] = nullptr;
  if (!entry.contains("billing_thresholds")) return {};
  const json& given = entry["billing_thresholds"];
  if (given.is_object() && !metered) {
    return refuse("`billing_thresholds` can only be used with prices of `usage_type=metered`.",
                  at + "[billing_thresholds]");
  }
  item["billing_thresholds"] = given;
  return {};
}

answer<void> check(const context& ctx, const json& subscription) {
  const json& limits = subscription["billing_thresholds"];
  if (!limits.is_object() || is_null(limits, "amount_gte")) return {};
  std::int64_t licensed = 0;
  for (const auto& item : items_of(ctx, text_of(subscription, "id")))
    licensed += subscriptions::amount_of_item(ctx, item);
  if (number_of(limits, "amount_gte") > licensed) return {};
  return refuse("`amount_gte` must be greater than the sum of all licensed prices, " +
                    std::to_string(licensed) + ".",
                "billing_thresholds[amount_gte]");
}

void note_usage(context& ctx, const std::string& customer, const std::string& meter) {
  std::vector<json> watched;
  for (const json* s : ctx.state.with(kind::subscription, "customer", customer))
    if (is_watched(ctx, *s, meter)) watched.push_back(*s);
  for (auto& s : watched) {
    const json& limits = s["billing_thresholds"];
    const auto over = items_over(ctx, s);
    const bool limited = limits.is_object() && !is_null(limits, "amount_gte");
    const bool dear = limited && sum_now(ctx, s) >= number_of(limits, "amount_gte");
    if (!dear && over.empty()) continue;
    const json amount = dear ? limits["amount_gte"] : json(nullptr);
    bill(ctx, std::move(s), amount, over);
  }
}

}  // namespace tilld::sandbox::thresholds
