// The line items of a quote and what they come to.
//
// A recurring discount is one that its coupon gives for ever; the others are of the first invoice.
// Assumed: during a trial nothing recurring is owed on acceptance, and the quote's own amounts are
// those of all its lines.
// Source: https://docs.stripe.com/api/quotes/object
#include <algorithm>

#include "sandbox/billing/totals.hpp"
#include "sandbox/catalogue/amounts.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/quote_parts.hpp"

namespace tilld::sandbox::quotes {

namespace {

answer<json> price_of_line(context& ctx, const json& line, const std::string& at) {
  if (line.contains("price") == line.contains("price_data")) {
    return refuse("You must specify either `price` or `price_data` for each line item.", at);
  }
  if (line.contains("price_data")) {
    return prices::make_inline(ctx, line["price_data"], at + "[price_data]");
  }
  auto price = ctx.referred(kind::price, text_of(line, "price"), at + "[price]");
  if (price && !truth_of(*price, "active")) {
    return refuse("The price specified is inactive. This field only accepts active prices.",
                  at + "[price]");
  }
  return price;
}

void set_price(const context& ctx, json& line, const json& price) {
  line["currency"] = price["currency"];
  line["description"] = ctx.state.at(kind::product, text_of(price, "product"))["name"];
  line["price"] = price["id"];
}

// A line of the request: one that is there, changed, or a new one.
answer<json> read_line(context& ctx, const json& entry, const std::string& quote,
                       const std::string& at) {
  json line = nullptr;
  if (const std::string id = text_of(entry, "id"); !id.empty()) {
    const json* found = ctx.state.find_live(kind::item, id);
    if (found == nullptr || text_of(*found, "_parent") != quote) {
      return missing(kind::item, id, at + "[id]", 400);
    }
    line = *found;
  }
  if (line.is_null() || entry.contains("price") || entry.contains("price_data")) {
    auto price = price_of_line(ctx, entry, at);
    if (!price) return price;
    if (line.is_null()) {
      line = blank(kind::item);
      line["id"] = ctx.state.ids.next(kind::item);
      line["metadata"] = json::object();
      line["quantity"] = 1;
      line["_parent"] = quote;
      line["_tax_rates"] = json::array();
    }
    set_price(ctx, line, *price);
  }
  const json& price = ctx.state.at(kind::price, text_of(line, "price"));
  if (auto taken = subscriptions::take_quantity(line, price, entry, at); !taken) {
    return std::unexpected(taken.error());
  }
  if (entry.contains("tax_rates")) {
    auto rates = tax_rates::read(ctx, entry["tax_rates"], at + "[tax_rates]", line["_tax_rates"]);
    if (!rates) return rates;
    line["_tax_rates"] = std::move(*rates);
  }
  return line;
}

answer<void> check_together(const context& ctx, const std::vector<json>& lines) {
  const json* first = nullptr;
  for (const auto& line : lines) {
    if (line["currency"] != lines.front()["currency"]) {
      return refuse("All line items must have the same currency.", "line_items");
    }
    if (!recurs(ctx, line)) continue;
    const json& recurring = ctx.state.at(kind::price, text_of(line, "price"))["recurring"];
    if (first == nullptr) first = &recurring;
    if (recurring["interval"] != (*first)["interval"] ||
        recurring["interval_count"] != (*first)["interval_count"]) {
      return not_simulated("The sandbox does not simulate items of different intervals yet.",
                           "line_items");
    }
  }
  return {};
}

discounts::owner owner_of(const json& quote, const json& line) {
  discounts::owner o;
  o.of = kind::item;
  o.id = text_of(line, "id");
  o.customer = text_of(quote, "customer");
  o.currency = text_of(line, "currency");
  o.promised = true;
  return o;
}

void drop_lines(context& ctx, const std::string& quote, const std::vector<json>& kept) {
  for (const auto& line : lines_of(ctx, quote)) {
    const bool stays =
        std::any_of(kept.begin(), kept.end(), [&](const json& k) { return k["id"] == line["id"]; });
    if (!stays) ctx.state.forget(kind::item, text_of(line, "id"));
  }
}

enum class reach { first_invoice, every_period };

std::vector<totals::discount> discounts_of(const context& ctx, const std::string& owner,
                                           const std::string& currency, reach r) {
  std::vector<totals::discount> all;
  for (const auto& id : discounts::of(ctx.state, owner)) {
    const json& d = ctx.state.at(kind::discount, id);
    const bool for_ever = !truth_of(d, "_once") && is_null(d, "end");
    if (r == reach::first_invoice || for_ever) {
      all.push_back(discounts::terms(ctx, id, currency));
    }
  }
  return all;
}

totals::line line_for(const context& ctx, const json& quote, const json& line, reach r) {
  const json& price = ctx.state.at(kind::price, text_of(line, "price"));
  const std::string currency = text_of(line, "currency");
  totals::line l;
  if (!prices::is_metered(price)) {  // what is, is billed later
    l.amount = amounts::amount(prices::pricing_of(price, currency), number_of(line, "quantity"));
  }
  l.product = text_of(price, "product");
  l.discounts = discounts_of(ctx, text_of(line, "id"), currency, r);
  const json& own = line["_tax_rates"];
  for (const auto& rate : own.empty() ? quote["default_tax_rates"] : own)
    l.rates.push_back(tax_rates::terms(ctx, rate.get<std::string>()));
  return l;
}

struct reckoning {
  std::int64_t subtotal = 0;
  std::int64_t discount = 0;
  std::int64_t tax = 0;
  std::int64_t total = 0;
  totals::sums sums;
};

bool is_exempt(const context& ctx, const json& quote) {
  const json* customer = ctx.state.find_live(kind::customer, text_of(quote, "customer"));
  if (customer == nullptr) return false;
  const std::string status = text_of(*customer, "tax_exempt");
  return status == "exempt" || status == "reverse";
}

reckoning reckon_lines(const context& ctx, const json& quote, const std::vector<json>& lines,
                       reach r) {
  std::vector<totals::line> all;
  reckoning out;
  for (const auto& line : lines) {
    all.push_back(line_for(ctx, quote, line, r));
    out.subtotal += all.back().amount;
  }
  const auto own = discounts_of(ctx, text_of(quote, "id"), text_of(quote, "currency"), r);
  out.sums = totals::reckon(all, own, is_exempt(ctx, quote));
  for (const auto& line : out.sums.lines) {
    for (const auto& off : line.discounts)
      out.discount += off.amount;
    for (const auto& tax : line.taxes)
      out.tax += tax.amount;
  }
  out.total = out.sums.total;
  return out;
}

json total_details(const reckoning& r) {
  return {{"amount_discount", r.discount}, {"amount_shipping", 0}, {"amount_tax", r.tax}};
}

json part_of(const reckoning& r) {
  return {{"amount_subtotal", r.subtotal},
          {"amount_total", r.total},
          {"total_details", total_details(r)}};
}

json recurring_part(const context& ctx, const json& quote, const std::vector<json>& lines) {
  if (lines.empty()) return nullptr;
  const auto r = reckon_lines(ctx, quote, lines, reach::every_period);
  const json& recurring = ctx.state.at(kind::price, text_of(lines.front(), "price"))["recurring"];
  json part = {{"amount_subtotal", r.subtotal}, {"amount_total", r.total}};
  part["interval"] = recurring["interval"];
  part["interval_count"] = recurring["interval_count"];
  part["total_details"] = total_details(r);
  return part;
}

void set_amounts(context& ctx, json line, const totals::sums_of_line& sums, std::int64_t amount) {
  std::int64_t off = 0;
  std::int64_t tax = 0;
  std::int64_t on_top = 0;
  for (const auto& one : sums.discounts)
    off += one.amount;
  for (const auto& one : sums.taxes) {
    tax += one.amount;
    if (!one.inclusive) on_top += one.amount;
  }
  line["amount_discount"] = off;
  line["amount_subtotal"] = amount;
  line["amount_tax"] = tax;
  line["amount_total"] = amount - off + on_top;
  ctx.state.replace(kind::item, std::move(line));
}

}  // namespace

params::field lines_field(bool of_update) {
  auto data = prices::data_field("price_data", true);
  for (auto& member : data.members) {
    if (member.name == "recurring") member.required = false;
  }
  std::vector<params::field> members = {params::text("price"), std::move(data),
                                        params::integer("quantity").at_least(1).at_most(999'999),
                                        discounts::field(), tax_rates::field("tax_rates")};
  if (of_update) members.push_back(params::text("id"));
  return params::list("line_items", std::move(members));
}

answer<void> put_lines(context& ctx, const json& quote, const json& given) {
  const std::string id = text_of(quote, "id");
  std::vector<json> lines;
  for (std::size_t i = 0; i < given.size(); ++i) {
    auto line = read_line(ctx, given[i], id, "line_items[" + std::to_string(i) + "]");
    if (!line) return std::unexpected(line.error());
    lines.push_back(std::move(*line));
  }
  if (auto fit = check_together(ctx, lines); !fit) return fit;
  drop_lines(ctx, id, lines);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = text_of(lines[i], "id");
    if (ctx.state.find(kind::item, line) == nullptr) {
      ctx.state.insert(kind::item, lines[i]);
    } else {
      ctx.state.replace(kind::item, lines[i]);
    }
    if (!given[i].contains("discounts")) continue;
    const std::string at = "line_items[" + std::to_string(i) + "][discounts]";
    auto put = discounts::put(ctx, owner_of(quote, lines[i]), given[i]["discounts"], at);
    if (!put) return std::unexpected(put.error());
  }
  return {};
}

void copy_lines(context& ctx, const json& from, const std::string& to) {
  for (json line : lines_of(ctx, text_of(from, "id"))) {
    const json discounts = promised_discounts(ctx, text_of(line, "id"));
    line["id"] = ctx.state.ids.next(kind::item);
    line["_parent"] = to;
    const auto owner = owner_of(from, line);
    ctx.state.insert(kind::item, std::move(line));
    discounts::put(ctx, owner, discounts, "from_quote");
  }
}

std::vector<json> lines_of(const context& ctx, const std::string& quote) {
  std::vector<json> lines;
  for (const json* line : ctx.state.with(kind::item, "_parent", quote))
    lines.push_back(*line);
  std::reverse(lines.begin(), lines.end());
  return lines;
}

bool recurs(const context& ctx, const json& line) {
  return ctx.state.at(kind::price, text_of(line, "price"))["recurring"].is_object();
}

json promised_discounts(const context& ctx, const std::string& owner) {
  json all = json::array();
  for (const auto& id : discounts::of(ctx.state, owner)) {
    const json& d = ctx.state.at(kind::discount, id);
    if (is_null(d, "promotion_code")) {
      all.push_back({{"coupon", d["source"]["coupon"]}});
    } else {
      all.push_back({{"promotion_code", d["promotion_code"]}});
    }
  }
  return all;
}

void reckon(context& ctx, json& quote) {
  const auto lines = lines_of(ctx, text_of(quote, "id"));
  const bool trial = !is_null(quote["subscription_data"], "trial_period_days");
  std::vector<json> upfront;
  std::vector<json> recurring;
  for (const auto& line : lines) {
    const bool repeats = recurs(ctx, line);
    if (repeats) recurring.push_back(line);
    if (!repeats || !trial) upfront.push_back(line);
  }
  quote["currency"] = lines.empty() ? json(nullptr) : lines.front()["currency"];
  const auto all = reckon_lines(ctx, quote, lines, reach::first_invoice);
  quote["amount_subtotal"] = all.subtotal;
  quote["amount_total"] = all.total;
  quote["total_details"] = total_details(all);
  quote["computed"] = {
      {"recurring", recurring_part(ctx, quote, recurring)},
      {"upfront", part_of(reckon_lines(ctx, quote, upfront, reach::first_invoice))}};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto amount = line_for(ctx, quote, lines[i], reach::first_invoice).amount;
    set_amounts(ctx, lines[i], all.sums.lines[i], amount);
  }
}

}  // namespace tilld::sandbox::quotes
