#include "sandbox/billing/credit_lines.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "sandbox/billing/totals.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/decimal.hpp"
#include "sandbox/machine/money.hpp"

namespace tilld::sandbox::credit_lines {

namespace {

// A line and what its taxes are reckoned by.
struct drafted {
  json line;
  std::int64_t net = 0;  // without its discounts
  std::vector<totals::tax_rate> rates;
};

json blank_line(context& ctx, const char* type) {
  json line = ctx.make(kind::credit_note_line_item);
  line["discount_amount"] = 0;
  line["discount_amounts"] = json::array();
  line["pretax_credit_amounts"] = json::array();
  line["quantity"] = nullptr;
  line["tax_rates"] = json::array();
  line["taxes"] = json::array();
  line["type"] = type;
  return line;
}

// What earlier notes have taken of an invoice's line.
std::int64_t credited_of(const context& ctx, const std::string& invoice, const std::string& line) {
  std::int64_t sum = 0;
  for (const json* note : ctx.state.with(kind::credit_note, "invoice", invoice)) {
    if (text_of(*note, "status") == "void") continue;
    const std::string id = text_of(*note, "id");
    for (const json* its : ctx.state.with(kind::credit_note_line_item, "_credit_note", id)) {
      if (text_of(*its, "invoice_line_item") == line) sum += number_of(*its, "amount");
    }
  }
  return sum;
}

answer<std::int64_t> amount_of(const json& entry, const json& line, const std::string& at) {
  if (entry.contains("amount") && entry.contains("quantity")) {
    return refuse("You may only specify one of these parameters: amount, quantity.",
                  at + "[amount]");
  }
  if (entry.contains("amount")) return number_of(entry, "amount");
  if (!entry.contains("quantity")) return refuse(stripe::parameter_missing(at + "[amount]"));
  const std::int64_t all = std::max<std::int64_t>(1, number_of(line, "quantity"));
  if (number_of(entry, "quantity") > all) {
    return refuse(
        "The quantity is greater than the invoice line item's (" + std::to_string(all) + ").",
        at + "[quantity]");
  }
  return prorated(number_of(line, "amount"), number_of(entry, "quantity"), all);
}

// The discounts of the invoice's line, in the same proportion.
void share_discounts(json& line, const json& of, std::int64_t amount) {
  const std::int64_t whole = number_of(of, "amount");
  std::int64_t sum = 0;
  for (const auto& off : of["discount_amounts"]) {
    const std::int64_t part = whole == 0 ? 0 : prorated(number_of(off, "amount"), amount, whole);
    if (part == 0) continue;
    sum += part;
    line["discount_amounts"].push_back({{"amount", part}, {"discount", off["discount"]}});
  }
  line["discount_amount"] = sum;
}

answer<drafted> of_invoice_line(context& ctx, const json& entry, const json& invoice,
                                const std::string& at) {
  for (const char* foreign : {"description", "unit_amount", "unit_amount_decimal", "tax_rates"}) {
    if (!entry.contains(foreign)) continue;
    return refuse("You cannot set `" + std::string(foreign) + "` for an `invoice_line_item`.",
                  at + "[" + foreign + "]");
  }
  if (!entry.contains("invoice_line_item")) {
    return refuse(stripe::parameter_missing(at + "[invoice_line_item]"));
  }
  const std::string invoice_id = text_of(invoice, "id");
  const std::string id = text_of(entry, "invoice_line_item");
  const json* of = ctx.state.find_live(kind::line_item, id);
  if (of == nullptr || text_of(*of, "invoice") != invoice_id) {
    return missing(kind::line_item, id, at + "[invoice_line_item]", 400);
  }
  const auto amount = amount_of(entry, *of, at);
  if (!amount) return std::unexpected(amount.error());
  const std::int64_t left = number_of(*of, "amount") - credited_of(ctx, invoice_id, id);
  if (*amount > left) {
    const std::string currency = text_of(invoice, "currency");
    return refuse("The credited amount (" + amount_text(*amount, currency) +
                      ") is greater than what is left of the invoice line item (" +
                      amount_text(left, currency) + ").",
                  at + "[amount]");
  }
  drafted d;
  const json& default_rates = invoice["default_tax_rates"];
  const json& own = (*of)["_tax_rates"];
  const json& rates = own.empty() ? default_rates : own;
  for (const auto& rate : rates)
    d.rates.push_back(tax_rates::terms(ctx, rate.get<std::string>()));
  json line = blank_line(ctx, "invoice_line_item");
  line["amount"] = *amount;
  line["description"] = (*of)["description"];
  line["invoice_line_item"] = id;
  if (entry.contains("quantity")) line["quantity"] = entry["quantity"];
  line["tax_rates"] = rates;
  share_discounts(line, *of, *amount);
  d.net = *amount - number_of(line, "discount_amount");
  d.line = std::move(line);
  return d;
}

answer<drafted> of_ones_own(context& ctx, const json& entry, const std::string& at) {
  for (const char* foreign : {"amount", "invoice_line_item"}) {
    if (!entry.contains(foreign)) continue;
    return refuse("You cannot set `" + std::string(foreign) + "` for a `custom_line_item`.",
                  at + "[" + foreign + "]");
  }
  const bool exact = entry.contains("unit_amount_decimal");
  if (exact == entry.contains("unit_amount")) {
    if (!exact) return refuse(stripe::parameter_missing(at + "[unit_amount]"));
    return refuse("You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
                  at + "[unit_amount]");
  }
  if (!entry.contains("description")) {
    return refuse(stripe::parameter_missing(at + "[description]"));
  }
  const std::string unit = exact ? text_of(entry, "unit_amount_decimal")
                                 : std::to_string(number_of(entry, "unit_amount"));
  const auto price = decimal::parse(unit);
  if (!price) return refuse("Invalid decimal: " + unit, at + "[unit_amount_decimal]");
  const std::int64_t quantity = entry.contains("quantity") ? number_of(entry, "quantity") : 1;
  auto rates = tax_rates::read(
      ctx, entry.contains("tax_rates") ? entry["tax_rates"] : json(nullptr), at + "[tax_rates]");
  if (!rates) return std::unexpected(rates.error());
  drafted d;
  for (const auto& rate : *rates)
    d.rates.push_back(tax_rates::terms(ctx, rate.get<std::string>()));
  d.net = price->times(quantity).rounded();
  json line = blank_line(ctx, "custom_line_item");
  line["amount"] = d.net;
  line["description"] = entry["description"];
  line["quantity"] = quantity;
  line["tax_rates"] = std::move(*rates);
  line["unit_amount"] = price->is_whole() ? json(price->rounded()) : json(nullptr);
  line["unit_amount_decimal"] = price->text();
  d.line = std::move(line);
  return d;
}

json taxes_shown(const std::vector<totals::tax>& all) {
  json shown = json::array();
  for (const auto& tax : all) {
    shown.push_back({{"amount", tax.amount},
                     {"tax_behavior", tax.inclusive ? "inclusive" : "exclusive"},
                     {"tax_rate_details", {{"tax_rate", tax.rate}}},
                     {"taxability_reason", "not_available"},
                     {"taxable_amount", tax.taxable},
                     {"type", "tax_rate_details"}});
  }
  return shown;
}

json discounts_shown(const std::vector<drafted>& all) {
  std::map<std::string, std::int64_t> sums;
  for (const auto& d : all) {
    for (const auto& off : d.line["discount_amounts"])
      sums[text_of(off, "discount")] += number_of(off, "amount");
  }
  json shown = json::array();
  for (const auto& [discount, amount] : sums)
    shown.push_back({{"amount", amount}, {"discount", discount}});
  return shown;
}

read summed(std::vector<drafted> all, const json& invoice) {
  const std::string exempt = text_of(invoice, "customer_tax_exempt");
  std::vector<totals::line> lines;
  for (const auto& d : all) {
    totals::line l;
    l.amount = d.net;
    l.rates = d.rates;
    lines.push_back(std::move(l));
  }
  const auto sums = totals::reckon(lines, {}, exempt == "exempt" || exempt == "reverse");
  read r;
  r.total = sums.total;
  r.total_excluding_tax = sums.total_excluding_tax;
  r.total_taxes = taxes_shown(sums.taxes);
  r.discount_amounts = discounts_shown(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].line["taxes"] = taxes_shown(sums.lines[i].taxes);
    r.subtotal += number_of(all[i].line, "amount");
    r.discount += number_of(all[i].line, "discount_amount");
    r.lines.push_back(std::move(all[i].line));
  }
  r.subtotal_excluding_tax = sums.subtotal_excluding_tax + r.discount;
  return r;
}

}  // namespace

params::field field() {
  return params::list("lines",
                      {params::choice("type", {"custom_line_item", "invoice_line_item"}).needed(),
                       params::integer("amount").at_least(0), params::text("description"),
                       params::text("invoice_line_item"), params::integer("quantity").at_least(0),
                       params::unsimulated("metadata"), params::unsimulated("tax_amounts"),
                       tax_rates::field("tax_rates"), params::integer("unit_amount").at_least(0),
                       params::text("unit_amount_decimal")});
}

answer<read> take(context& ctx, const json& invoice) {
  std::vector<drafted> all;
  if (!ctx.given("lines")) {
    // Assumed: Stripe's pages show no note that was made by its amount alone.
    json line = blank_line(ctx, "custom_line_item");
    line["amount"] = ctx.number("amount");
    line["quantity"] = 1;
    line["unit_amount"] = line["amount"];
    line["unit_amount_decimal"] = std::to_string(ctx.number("amount"));
    all.push_back({std::move(line), ctx.number("amount"), {}});
    return summed(std::move(all), invoice);
  }
  const json given = ctx.param("lines");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "lines[" + std::to_string(i) + "]";
    auto d = text_of(given[i], "type") == "custom_line_item"
                 ? of_ones_own(ctx, given[i], at)
                 : of_invoice_line(ctx, given[i], invoice, at);
    if (!d) return std::unexpected(d.error());
    all.push_back(std::move(*d));
  }
  return summed(std::move(all), invoice);
}

}  // namespace tilld::sandbox::credit_lines
