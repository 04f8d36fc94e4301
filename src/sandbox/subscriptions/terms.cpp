#include "sandbox/subscriptions/terms.hpp"

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

std::int64_t amount_of_all(const context& ctx, const std::string& subscription) {
  std::int64_t sum = 0;
  for (const auto& item : items_of(ctx, subscription))
    sum += amount_of_item(ctx, item);
  return sum;
}

}  // namespace

params::schema with_terms(params::schema fields) {
  for (auto& field : fields) {
    if (field.name != "items") continue;
    field.members.push_back(discounts::field());
    field.members.push_back(prices::data_field("price_data", true));
    field.members.push_back(tax_rates::field("tax_rates"));
  }
  fields.push_back(invoiceitems::added_field());
  fields.push_back(tax_rates::field("default_tax_rates"));
  fields.push_back(discounts::field());
  return fields;
}

answer<void> take_default_tax_rates(const context& ctx, json& subscription) {
  if (!ctx.given("default_tax_rates")) return {};
  auto rates = tax_rates::read(ctx, ctx.param("default_tax_rates"), "default_tax_rates",
                               subscription["default_tax_rates"]);
  if (!rates) return std::unexpected(rates.error());
  subscription["default_tax_rates"] = std::move(*rates);
  return {};
}

answer<json> tax_rates_of_entry(const context& ctx, const json& entry, const std::string& at,
                                const json& standing) {
  if (!entry.contains("tax_rates")) return standing.is_array() ? standing : json::array();
  return tax_rates::read(ctx, entry["tax_rates"], at + "[tax_rates]", standing);
}

answer<json> price_of_entry(context& ctx, const json& entry, const std::string& at,
                            const std::string& currency) {
  // Of a schedule, which has checked it when it was made: it may have been archived since.
  if (entry.contains("_price")) return ctx.state.at(kind::price, text_of(entry, "_price"));
  const bool named = entry.contains("price");
  if (named && entry.contains("price_data")) {
    return refuse("You may only specify one of these parameters: price, price_data.",
                  at + "[price]");
  }
  if (named) return usable_price(ctx, text_of(entry, "price"), at + "[price]", currency);
  if (!entry.contains("price_data")) return refuse(stripe::parameter_missing(at + "[price]"));
  const std::string its = text_of(entry["price_data"], "currency");
  if (!currency.empty() && its != currency) {
    return refuse("The price specified only supports `" + its +
                      "`. This doesn't match the expected currency: `" + currency + "`.",
                  at + "[price_data][currency]");
  }
  return prices::make_inline(ctx, entry["price_data"], at + "[price_data]");
}

answer<void> put_discounts(context& ctx, const json& subscription,
                           const std::vector<std::string>& items) {
  discounts::owner o;
  o.customer = text_of(subscription, "customer");
  o.subscription = text_of(subscription, "id");
  o.currency = text_of(subscription, "currency");
  o.amount = amount_of_all(ctx, o.subscription);
  const json given = ctx.param("items");
  for (std::size_t i = 0; i < given.size() && i < items.size(); ++i) {
    if (!given[i].contains("discounts")) continue;
    o.of = kind::subscription_item;
    o.id = items[i];
    const std::string at = "items[" + std::to_string(i) + "][discounts]";
    if (auto put = discounts::put(ctx, o, given[i]["discounts"], at); !put) {
      return std::unexpected(put.error());
    }
  }
  if (!ctx.given("discounts")) return {};
  o.of = kind::subscription;
  o.id = o.subscription;
  auto put = discounts::put(ctx, o, ctx.param("discounts"), "discounts");
  if (!put) return std::unexpected(put.error());
  return {};
}

answer<void> add_invoice_items(context& ctx, const json& subscription) {
  const json given = ctx.param("add_invoice_items");
  if (given.size() > 20) {
    return refuse("You can add at most 20 invoice items.", "add_invoice_items");
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "add_invoice_items[" + std::to_string(i) + "]";
    if (auto made = invoiceitems::make_added(ctx, subscription, given[i], at); !made) return made;
  }
  return {};
}

}  // namespace tilld::sandbox::subscriptions
