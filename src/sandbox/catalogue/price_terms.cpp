// What a price asks for: its amounts, tiers and packages, in its own currency and in others. Read
// from parameters, shown, and handed to those who reckon.
// Source: https://docs.stripe.com/api/prices/create
#include <algorithm>

#include "sandbox/catalogue/prices.hpp"
#include "sandbox/machine/money.hpp"

namespace tilld::sandbox::prices {

namespace {

std::string inside(const std::string& within, const std::string& name) {
  return within.empty() ? name : within + "[" + name + "]";
}

params::field unit_amount_field() {
  return params::integer("unit_amount").at_least(0).at_most(99'999'999);
}

params::field custom_amount_field() {
  return params::hash("custom_unit_amount",
                      {params::boolean("enabled").needed(),
                       params::integer("maximum").at_least(0).at_most(99'999'999),
                       params::integer("minimum").at_least(0).at_most(99'999'999),
                       params::integer("preset").at_least(0).at_most(99'999'999)});
}

params::field behavior_field() {
  return params::choice("tax_behavior", {"exclusive", "inclusive", "unspecified"});
}

params::field tiers_field() {
  return params::list(
      "tiers", {params::integer("flat_amount").at_least(0).at_most(99'999'999),
                params::text("flat_amount_decimal", 40), unit_amount_field(),
                params::text("unit_amount_decimal", 40), params::text("up_to", 20).needed()});
}

// Puts the number and the decimal of one amount; false when it was not given.
answer<bool> take_amount(json& into, const json& given, const std::string& name,
                         const std::string& within) {
  const std::string decimals = name + "_decimal";
  into[name] = nullptr;
  into[decimals] = nullptr;
  if (given.contains(name) && given.contains(decimals)) {
    return refuse("You may only specify one of these parameters: " + name + ", " + decimals + ".",
                  inside(within, name));
  }
  if (given.contains(name)) {
    into[name] = given[name];
    into[decimals] = std::to_string(number_of(given, name));
    return true;
  }
  if (!given.contains(decimals)) return false;
  const std::string text = text_of(given, decimals);
  const auto value = decimal::parse(text);
  if (!value) return refuse("Invalid decimal: " + text, inside(within, decimals));
  if (*value > decimal::whole(99'999'999)) {
    return refuse("This value must be less than or equal to 99999999.", inside(within, decimals));
  }
  if (value->is_whole()) into[name] = value->rounded();
  into[decimals] = value->text();
  return true;
}

answer<json> up_to_of(const std::string& text, std::int64_t below, bool last,
                      const std::string& param) {
  if (text == "inf") {
    if (!last) return refuse("Only the last tier can have up_to=inf.", param);
    return json(nullptr);
  }
  const auto number = decimal::parse(text);
  if (!number || !number->is_whole()) {
    return refuse("Invalid integer: " + text, param, "parameter_invalid_integer");
  }
  if (last) return refuse("The last tier must have up_to=inf.", param);
  if (number->rounded() <= below) return refuse("Tiers must be in ascending order.", param);
  return json(number->rounded());
}

answer<json> read_tiers(const json& given, const std::string& within) {
  json tiers = json::array();
  std::int64_t below = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = within + "[" + std::to_string(i) + "]";
    json tier = json::object();
    const auto flat = take_amount(tier, given[i], "flat_amount", at);
    if (!flat) return std::unexpected(flat.error());
    const auto unit = take_amount(tier, given[i], "unit_amount", at);
    if (!unit) return std::unexpected(unit.error());
    if (!*flat && !*unit) {
      return refuse("A tier must have a unit_amount or a flat_amount.", at);
    }
    auto up_to = up_to_of(text_of(given[i], "up_to"), below, i + 1 == given.size(), at + "[up_to]");
    if (!up_to) return up_to;
    if (!up_to->is_null()) below = up_to->get<std::int64_t>();
    tier["up_to"] = std::move(*up_to);
    tiers.push_back(std::move(tier));
  }
  return tiers;
}

answer<void> take_custom(json& into, const json& given, const std::string& within) {
  into["custom_unit_amount"] = nullptr;
  if (!given.contains("custom_unit_amount")) return {};
  const json& custom = given["custom_unit_amount"];
  if (!truth_of(custom, "enabled")) {
    return refuse("You must pass `enabled: true` to use custom_unit_amount.",
                  inside(within, "custom_unit_amount") + "[enabled]");
  }
  for (const char* other : {"unit_amount", "unit_amount_decimal", "tiers", "recurring"}) {
    if (!given.contains(other)) continue;
    return refuse("`custom_unit_amount` cannot be combined with `" + std::string(other) + "`.",
                  inside(within, "custom_unit_amount"));
  }
  json shown = json::object();
  for (const char* member : {"maximum", "minimum", "preset"})
    shown[member] = custom.contains(member) ? custom[member] : json(nullptr);
  into["custom_unit_amount"] = std::move(shown);
  return {};
}

// The amounts of one currency. `tiered`: tiers instead of an amount.
answer<void> take_amounts(json& into, const json& given, bool tiered, const std::string& within) {
  const auto unit = take_amount(into, given, "unit_amount", within);
  if (!unit) return std::unexpected(unit.error());
  if (auto custom = take_custom(into, given, within); !custom) return custom;
  if (tiered) {
    if (*unit) {
      return refuse("`unit_amount` cannot be combined with `billing_scheme=tiered`.",
                    inside(within, "unit_amount"));
    }
    if (!given.contains("tiers") || given["tiers"].empty()) {
      return refuse(stripe::parameter_missing(inside(within, "tiers")));
    }
    auto tiers = read_tiers(given["tiers"], inside(within, "tiers"));
    if (!tiers) return std::unexpected(tiers.error());
    into["_tiers"] = std::move(*tiers);
    return {};
  }
  if (given.contains("tiers")) {
    return refuse("`tiers` can only be used with `billing_scheme=tiered`.",
                  inside(within, "tiers"));
  }
  if (*unit || !into["custom_unit_amount"].is_null()) return {};
  return refuse("Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
                inside(within, "unit_amount"));
}

answer<void> take_scheme(json& price, const json& given, const std::string& within) {
  const bool tiered = text_of(price, "billing_scheme") == "tiered";
  if (tiered != given.contains("tiers_mode")) {
    if (tiered) return refuse(stripe::parameter_missing(inside(within, "tiers_mode")));
    return refuse("`tiers_mode` can only be used with `billing_scheme=tiered`.",
                  inside(within, "tiers_mode"));
  }
  if (tiered) price["tiers_mode"] = given["tiers_mode"];
  if (!given.contains("transform_quantity")) return {};
  if (tiered) {
    return refuse("`transform_quantity` cannot be combined with `tiers`.",
                  inside(within, "transform_quantity"));
  }
  price["transform_quantity"] = given["transform_quantity"];
  return {};
}

const json& amounts_in(const json& price, const std::string& currency) {
  if (currency == text_of(price, "currency")) return price;
  if (!price.contains("_currency_options")) return price;
  const json& options = price["_currency_options"];
  return options.contains(currency) ? options[currency] : price;
}

// The exact amount behind `name` and `name`_decimal. A one-off price may be a credit: below zero.
decimal amount_of(const json& document, const std::string& name) {
  if (!is_null(document, name)) return decimal::whole(number_of(document, name));
  return decimal::parse(text_of(document, name + "_decimal")).value_or(decimal());
}

json shown_amounts(const json& amounts) {
  json shown = json::object();
  for (const char* member :
       {"custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal"}) {
    shown[member] = amounts[member];
  }
  return shown;
}

}  // namespace

std::vector<params::field> amount_fields() {
  return {params::currency("currency").needed(),   behavior_field(),      unit_amount_field(),
          params::text("unit_amount_decimal", 40), custom_amount_field(), currency_options_field()};
}

params::field currency_options_field() {
  return params::currencies("currency_options",
                            {custom_amount_field(), behavior_field(), tiers_field(),
                             unit_amount_field(), params::text("unit_amount_decimal", 40)});
}

std::vector<params::field> scheme_fields() {
  return {params::choice("billing_scheme", {"per_unit", "tiered"}), tiers_field(),
          params::choice("tiers_mode", {"graduated", "volume"}),
          params::hash("transform_quantity",
                       {params::integer("divide_by").at_least(1).at_most(1'000'000'000).needed(),
                        params::choice("round", {"down", "up"}).needed()})};
}

answer<void> take_options(json& price, const json& given, const std::string& within) {
  if (!given.contains("currency_options")) return {};
  const bool tiered = text_of(price, "billing_scheme") == "tiered";
  json options = price.contains("_currency_options") ? price["_currency_options"] : json::object();
  for (const auto& [currency, asked] : given["currency_options"].items()) {
    const std::string at = inside(within, "currency_options") + "[" + currency + "]";
    if (currency == text_of(price, "currency")) {
      return refuse("The price's own currency cannot be one of its currency_options.", at);
    }
    json option = json::object();
    if (auto taken = take_amounts(option, asked, tiered, at); !taken) return taken;
    option["tax_behavior"] = asked.contains("tax_behavior") ? asked["tax_behavior"] : "unspecified";
    options[currency] = std::move(option);
  }
  price["_currency_options"] = std::move(options);
  return {};
}

answer<void> take_terms(json& price, const json& given, const std::string& within) {
  if (given.contains("billing_scheme")) price["billing_scheme"] = given["billing_scheme"];
  if (auto taken = take_scheme(price, given, within); !taken) return taken;
  const bool tiered = text_of(price, "billing_scheme") == "tiered";
  if (auto taken = take_amounts(price, given, tiered, within); !taken) return taken;
  return take_options(price, given, within);
}

json tiers_of(const json& price) {
  return price.contains("_tiers") ? price["_tiers"] : json(nullptr);
}

json currency_options_of(const json& price) {
  json all = json::object();
  all[text_of(price, "currency")] = shown_amounts(price);
  if (!price.contains("_currency_options")) return all;
  for (const auto& [currency, option] : price["_currency_options"].items())
    all[currency] = shown_amounts(option);
  return all;
}

bool has_currency(const json& price, const std::string& currency) {
  if (currency == text_of(price, "currency")) return true;
  return price.contains("_currency_options") && price["_currency_options"].contains(currency);
}

amounts::pricing pricing_of(const json& price, const std::string& currency) {
  const json& its = amounts_in(price, currency);
  amounts::pricing p;
  p.unit = amount_of(its, "unit_amount");
  if (price["transform_quantity"].is_object()) {
    p.divide_by = number_of(price["transform_quantity"], "divide_by");
    p.rounds_up = text_of(price["transform_quantity"], "round") == "up";
  }
  if (text_of(price, "billing_scheme") != "tiered") return p;
  const bool by_volume = text_of(price, "tiers_mode") == "volume";
  p.is = by_volume ? amounts::scheme::volume : amounts::scheme::graduated;
  for (const auto& tier : its["_tiers"]) {
    amounts::tier t;
    if (!is_null(tier, "up_to")) t.up_to = number_of(tier, "up_to");
    t.unit = amount_of(tier, "unit_amount");
    t.flat = amount_of(tier, "flat_amount");
    p.tiers.push_back(t);
  }
  return p;
}

}  // namespace tilld::sandbox::prices
