#include "sandbox/subscriptions/subscription_parts.hpp"

#include <algorithm>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/money.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/thresholds.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

// "$20.00", "$0.005": of what may have fractions of the smallest unit.
std::string unit_text(decimal unit, const std::string& currency) {
  const std::string text = unit.text();
  const auto dot = text.find('.');
  std::string out = amount_text(std::stoll(text.substr(0, dot)), currency);
  if (dot == std::string::npos) return out;
  if (out.find('.') == std::string::npos) out += ".";
  return out + text.substr(dot + 1);
}

std::string interval_text(const json& price, const amounts::part& part,
                          const std::string& currency) {
  const json& recurring = price["recurring"];
  const std::string interval = text_of(recurring, "interval");
  const std::int64_t count = number_of(recurring, "interval_count");
  const std::string every =
      count == 1 ? interval : "every " + std::to_string(count) + " " + interval + "s";
  const std::string tier = part.tier == 0 ? "" : "Tier " + std::to_string(part.tier) + " ";
  return "(" + tier + "at " + unit_text(part.unit, currency) + " / " + every + ")";
}

std::string product_name(const context& ctx, const json& price) {
  const json* product = ctx.state.find(kind::product, text_of(price, "product"));
  return product == nullptr ? std::string() : text_of(*product, "name");
}

// A line for an item over its present period, at no cost yet.
invoicing::line bare_line(const context& ctx, const json& item) {
  const json& price = price_of_item(ctx, item);
  invoicing::line l;
  l.price = text_of(price, "id");
  l.product = text_of(price, "product");
  l.period_start_s = number_of(item, "current_period_start");
  l.period_end_s = number_of(item, "current_period_end");
  l.subscription = text_of(item, "subscription");
  l.subscription_item = text_of(item, "id");
  l.metadata = item["metadata"];
  l.discounts = discounts::in_force(ctx.state, l.subscription_item, ctx.now);
  l.tax_rates = item["tax_rates"];
  return l;
}

std::string counted(std::int64_t quantity, const std::string& name) {
  return quantity == 1 ? name : std::to_string(quantity) + " × " + name;
}

// The line that a credit gives back: the newest one that billed the item.
json credited_by(const context& ctx, const std::string& item) {
  for (const json* l : ctx.state.with(kind::line_item,
                                      "parent.subscription_item_details.subscription_item", item)) {
    if (number_of(*l, "amount") <= 0) continue;
    return {{"invoice", (*l)["invoice"]}, {"invoice_line_items", json::array({(*l)["id"]})}};
  }
  return nullptr;
}

bool is_proration(const json& line) {
  const json* is = at_path(line, "parent.subscription_item_details.proration");
  return is != nullptr && *is == true;
}

// An item for a whole period, less the discounts that it has now.
// Source: https://docs.stripe.com/billing/subscriptions/coupons (prorations)
std::int64_t net_of_item(const context& ctx, const json& subscription, const json& item) {
  const std::string currency = text_of(subscription, "currency");
  const auto rules = [&](const std::string& owner) {
    std::vector<totals::discount> all;
    for (const auto& id : discounts::in_force(ctx.state, owner, ctx.now))
      all.push_back(discounts::terms(ctx, id.get<std::string>(), currency));
    return all;
  };
  const std::string id = text_of(item, "id");
  const auto line_for = [&](const json& one) {
    totals::line l;
    l.amount = amount_of_item(ctx, one);
    l.product = text_of(price_of_item(ctx, one), "product");
    l.discounts = rules(text_of(one, "id"));
    return l;
  };
  // The others share what takes an amount off all.
  std::vector<totals::line> lines = {line_for(item)};
  for (const auto& other : items_of(ctx, text_of(subscription, "id"))) {
    if (text_of(other, "id") != id) lines.push_back(line_for(other));
  }
  const auto sums = totals::reckon(lines, rules(text_of(subscription, "id")), false);
  std::int64_t net = lines.front().amount;
  for (const auto& off : sums.lines.front().discounts)
    net -= off.amount;
  return net;
}

// What the item's present period has cost, discounted as it was then; by its present terms where
// no invoice has billed the whole of it.
std::int64_t paid_for_item(const context& ctx, const json& subscription, const json& item) {
  const std::int64_t gross = amount_of_item(ctx, item);
  std::int64_t billed = 0;
  std::int64_t off = 0;
  for (const json* l :
       ctx.state.with(kind::line_item, "parent.subscription_item_details.subscription_item",
                      text_of(item, "id"))) {
    const bool same =
        number_of((*l)["period"], "start") == number_of(item, "current_period_start") &&
        number_of((*l)["period"], "end") == number_of(item, "current_period_end");
    if (!same || is_proration(*l)) continue;
    billed += number_of(*l, "amount");
    for (const auto& one : (*l)["discount_amounts"])
      off += number_of(one, "amount");
  }
  return billed == gross ? gross - off : net_of_item(ctx, subscription, item);
}

void prorate(context& ctx, const json& subscription, const json& item, std::int64_t at_s,
             bool credit) {
  const json& price = price_of_item(ctx, item);
  const period cycle = cycle_at(number_of(subscription, "billing_cycle_anchor"), price, at_s);
  const std::int64_t whole = cycle.end_s - cycle.start_s;
  const std::int64_t part = cycle.end_s - at_s;
  const std::int64_t full =
      credit ? paid_for_item(ctx, subscription, item) : net_of_item(ctx, subscription, item);
  const std::int64_t amount = prorated(full, part, whole);
  const std::int64_t quantity = number_of(item, "quantity");
  invoiceitems::proration p;
  p.customer = text_of(subscription, "customer");
  p.subscription = text_of(subscription, "id");
  p.subscription_item = text_of(item, "id");
  p.currency = text_of(subscription, "currency");
  p.amount = credit ? -amount : amount;
  p.quantity = quantity;
  p.price = text_of(price, "id");
  p.product = text_of(price, "product");
  p.description = std::string(credit ? "Unused" : "Remaining") + " time on " +
                  counted(quantity, product_name(ctx, price)) + " after " + date_text(at_s);
  p.period_start_s = at_s;
  p.period_end_s = cycle.end_s;
  if (credit) p.credited = credited_by(ctx, p.subscription_item);
  p.tax_rates = item["tax_rates"];
  invoiceitems::make_proration(ctx, p);
}

}  // namespace

period cycle_at(std::int64_t anchor_s, const json& price, std::int64_t at_s) {
  const json& recurring = price["recurring"];
  const std::string interval = text_of(recurring, "interval");
  const std::int64_t count = std::max<std::int64_t>(1, number_of(recurring, "interval_count"));
  const std::int64_t days = interval == "day"     ? 1
                            : interval == "week"  ? 7
                            : interval == "month" ? 30
                                                  : 365;
  std::int64_t k = (at_s - anchor_s) / (days * day_s * count);  // near; then exactly
  const auto bound = [&](std::int64_t n) { return after_intervals(anchor_s, interval, n * count); };
  while (bound(k) > at_s)
    --k;
  while (bound(k + 1) <= at_s)
    ++k;
  return {bound(k), bound(k + 1)};
}

answer<json> usable_price(const context& ctx, const std::string& id, const std::string& param,
                          const std::string& currency) {
  auto price = ctx.referred(kind::price, id, param);
  if (!price) return price;
  if (text_of(*price, "type") != "recurring") {
    return refuse(
        "The price specified is set to `type=one_time` but this field only accepts "
        "prices with `type=recurring`.",
        param);
  }
  if (!truth_of(*price, "active")) {
    return refuse("The price specified is inactive. This field only accepts active prices.", param);
  }
  if (!currency.empty() && !prices::has_currency(*price, currency)) {
    return refuse("The price specified only supports `" + text_of(*price, "currency") +
                      "`. This doesn't match the expected currency: `" + currency + "`.",
                  param);
  }
  return price;
}

std::vector<json> items_of(const context& ctx, const std::string& subscription) {
  std::vector<json> items;
  for (const json* item : ctx.state.with(kind::subscription_item, "subscription", subscription)) {
    items.push_back(*item);
  }
  std::reverse(items.begin(), items.end());
  return items;
}

std::string add_item(context& ctx, const std::string& subscription, const std::string& price,
                     std::int64_t quantity, const json& metadata, period when,
                     const json& tax_rates, const std::string& chosen_id) {
  json item = ctx.make(kind::subscription_item);
  if (!chosen_id.empty()) item["id"] = chosen_id;
  std::string id = text_of(item, "id");
  item["current_period_end"] = when.end_s;
  item["current_period_start"] = when.start_s;
  item["discounts"] = json::array();
  if (metadata.is_object()) item["metadata"] = metadata;
  item["price"] = price;
  item["quantity"] = is_metered(ctx, item) ? json(nullptr) : json(quantity);
  item["subscription"] = subscription;
  item["tax_rates"] = tax_rates;
  ctx.state.insert(kind::subscription_item, std::move(item));
  return id;
}

void refresh_derived(context& ctx, json& subscription) {
  json prices = json::array();
  std::vector<std::string> products;
  for (const auto& item : items_of(ctx, text_of(subscription, "id"))) {
    prices.push_back(item["price"]);
    products.push_back(text_of(price_of_item(ctx, item), "product"));
  }
  subscription["_prices"] = std::move(prices);
  subscription["_features"] = entitlements::features_of(ctx, products);
}

const json& price_of_item(const context& ctx, const json& item) {
  return ctx.state.at(kind::price, text_of(item, "price"));
}

std::string currency_of_item(const context& ctx, const json& item) {
  const json* s = ctx.state.find(kind::subscription, text_of(item, "subscription"));
  const std::string currency = s == nullptr ? "" : text_of(*s, "currency");
  return currency.empty() ? text_of(price_of_item(ctx, item), "currency") : currency;
}

std::int64_t amount_of_item(const context& ctx, const json& item) {
  if (is_metered(ctx, item)) return 0;
  const auto pricing = prices::pricing_of(price_of_item(ctx, item), currency_of_item(ctx, item));
  return amounts::amount(pricing, number_of(item, "quantity"));
}

std::vector<invoicing::line> priced(const context& ctx, const json& price,
                                    const std::string& currency, std::int64_t quantity) {
  const std::string name = product_name(ctx, price);
  std::vector<invoicing::line> lines;
  for (const auto& part : amounts::parts(prices::pricing_of(price, currency), quantity)) {
    invoicing::line l;
    l.quantity = part.quantity;
    l.unit_decimal = part.unit.text();
    l.amount = part.amount;
    l.description = part.flat ? name + " (Tier " + std::to_string(part.tier) + " flat fee)"
                              : std::to_string(part.quantity) + " × " + name + " " +
                                    interval_text(price, part, currency);
    lines.push_back(std::move(l));
  }
  return lines;
}

std::vector<invoicing::line> lines_of_item(const context& ctx, const json& item,
                                           std::int64_t quantity) {
  std::vector<invoicing::line> lines;
  for (const auto& one :
       priced(ctx, price_of_item(ctx, item), currency_of_item(ctx, item), quantity)) {
    invoicing::line l = bare_line(ctx, item);
    l.quantity = one.quantity;
    l.unit_decimal = one.unit_decimal;
    l.amount = one.amount;
    l.description = one.description;
    lines.push_back(std::move(l));
  }
  return lines;
}

std::vector<invoicing::line> cycle_lines(const context& ctx, const std::string& subscription,
                                         bool trial) {
  std::vector<invoicing::line> lines;
  for (const auto& item : items_of(ctx, subscription)) {
    if (is_metered(ctx, item)) continue;
    const std::int64_t quantity = number_of(item, "quantity");
    if (!trial) {
      for (auto& l : lines_of_item(ctx, item, quantity))
        lines.push_back(std::move(l));
      continue;
    }
    invoicing::line l = bare_line(ctx, item);
    l.quantity = quantity;
    l.description = "Free trial for " + std::to_string(quantity) + " × " +
                    product_name(ctx, price_of_item(ctx, item));
    lines.push_back(std::move(l));
  }
  return lines;
}

void credit_unused(context& ctx, const json& subscription, const json& item, std::int64_t at_s) {
  if (is_metered(ctx, item)) return;
  prorate(ctx, subscription, item, at_s, true);
}

void charge_remaining(context& ctx, const json& subscription, const json& item, std::int64_t at_s) {
  if (is_metered(ctx, item)) return;
  prorate(ctx, subscription, item, at_s, false);
}

std::string bill_pending(context& ctx, const json& subscription, const std::string& reason,
                         std::vector<invoicing::line> lines) {
  invoicing::order wanted;
  wanted.customer = text_of(subscription, "customer");
  wanted.currency = text_of(subscription, "currency");
  wanted.billing_reason = reason;
  wanted.subscription = text_of(subscription, "id");
  wanted.collection_method = text_of(subscription, "collection_method");
  wanted.period_start_s = wanted.period_end_s = ctx.now;
  if (wanted.collection_method == "send_invoice") {
    wanted.auto_advance = true;
    wanted.due_date_s = ctx.now + number_of(subscription, "days_until_due") * day_s;
  }
  wanted.lines = std::move(lines);
  return invoiceitems::draft_of_pending(ctx, wanted, wanted.lines.empty());
}

params::field payment_settings_field() {
  return params::hash("payment_settings",
                      {params::unsimulated("payment_method_options"),
                       params::texts("payment_method_types").clearable(),
                       params::choice("save_default_payment_method", {"off", "on_subscription"})});
}

params::field trial_settings_field() {
  return params::hash(
      "trial_settings",
      {params::hash("end_behavior",
                    {params::choice("missing_payment_method", {"cancel", "create_invoice", "pause"})
                         .needed()})
           .needed()});
}

params::field automatic_tax_field() {
  return params::hash("automatic_tax",
                      {params::boolean("enabled").needed(), params::unsimulated("liability")});
}

params::field payment_behavior_field() {
  return params::choice("payment_behavior", {"allow_incomplete", "error_if_incomplete",
                                             "pending_if_incomplete", "default_incomplete"});
}

params::field proration_behavior_field() {
  return params::choice("proration_behavior", {"always_invoice", "create_prorations", "none"});
}

params::field cancel_at_field() {
  return params::timestamp("cancel_at")
      .or_word("min_period_end")
      .or_word("max_period_end")
      .clearable();
}

// Its items share one period: the earliest and the latest end are the same.
answer<void> take_cancel_at(const context& ctx, json& subscription) {
  if (!ctx.given("cancel_at")) return {};
  if (ctx.truth("cancel_at_period_end")) {
    return refuse("You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
                  "cancel_at");
  }
  const json& given = ctx.param("cancel_at");
  const json at = given.is_string() ? subscription["_cycle_end"] : given;
  if (at.is_number_integer() && at.get<std::int64_t>() <= ctx.now) {
    return refuse("`cancel_at` must be in the future.", "cancel_at");
  }
  subscription["cancel_at"] = at;
  subscription["cancel_at_period_end"] = false;
  subscription["canceled_at"] = at.is_null() ? json(nullptr) : json(ctx.now);
  subscription["cancellation_details"]["reason"] =
      at.is_null() ? json(nullptr) : json("cancellation_requested");
  subscription["_cancel_proration"] = ctx.text("proration_behavior");
  return {};
}

answer<void> take_settings(const context& ctx, json& subscription) {
  if (truth_of(ctx.param("automatic_tax"), "enabled")) {
    return not_simulated("The sandbox does not simulate automatic tax yet.",
                         "automatic_tax[enabled]");
  }
  if (ctx.given("payment_settings")) {
    const json& given = ctx.param("payment_settings");
    for (const auto& type : given.value("payment_method_types", json(nullptr))) {
      if (type != "card") {
        return not_simulated("The sandbox simulates payments by card alone.",
                             "payment_settings[payment_method_types]");
      }
    }
    merge_hash(subscription["payment_settings"], given);
  }
  if (auto taken = thresholds::take(ctx, subscription); !taken) return taken;
  if (ctx.given("trial_settings")) subscription["trial_settings"] = ctx.param("trial_settings");
  ctx.copy_given(subscription, {"description"});
  if (!ctx.given("metadata")) return {};
  return merge_metadata(subscription, ctx.param("metadata"));
}

bool is_over(const json& subscription) {
  const std::string status = text_of(subscription, "status");
  return status == "canceled" || status == "incomplete_expired";
}

answer<void> check_payment_method(const context& ctx, const std::string& customer) {
  const std::string id = ctx.text("default_payment_method");
  if (id.empty()) return {};
  const json* method = ctx.state.find_live(kind::payment_method, id);
  if (method != nullptr && text_of(*method, "customer") == customer) return {};
  return refuse("The customer does not have a payment method with the ID " + id +
                    ". The payment method must be attached to the customer.",
                "default_payment_method", "resource_missing");
}

void set_cancel_at_period_end(const context& ctx, json& subscription, bool cancel,
                              std::int64_t period_end_s) {
  subscription["cancel_at_period_end"] = cancel;
  subscription["cancel_at"] = cancel ? json(period_end_s) : json(nullptr);
  subscription["canceled_at"] = cancel ? json(ctx.now) : json(nullptr);
  subscription["cancellation_details"]["reason"] =
      cancel ? json("cancellation_requested") : json(nullptr);
}

std::unexpected<failure> incomplete_refused(const payment_intents::attempt& tried) {
  if (tried.is == payment_intents::result::declined) {
    return std::unexpected(payment_methods::card_failure(*tried.why));
  }
  return refuse(stripe::api_error{
      402, "card_error", "subscription_payment_intent_requires_action",
      "Payment for this subscription requires additional user action, but the requested payment "
      "behavior doesn't save the invoice or PaymentIntent. Retry the request with "
      "`payment_behavior=allow_incomplete` or `payment_behavior=default_incomplete`, then complete "
      "the PaymentIntent on the subscription's latest invoice. Additional information is available "
      "here: https://stripe.com/docs/billing/subscriptions/overview#requires-action",
      ""});
}

}  // namespace tilld::sandbox::subscriptions
