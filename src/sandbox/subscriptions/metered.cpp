#include "sandbox/subscriptions/metered.hpp"

#include <algorithm>
#include <map>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/usage/usage.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

constexpr std::int64_t most_units = 1'000'000'000'000'000;

// Whose usage a line bills, kept with it: {"meter", "customer", "from", "to", "after", "before"}.
json text_of_span(const usage::span& s) {
  return {{"meter", s.meter}, {"customer", s.customer}, {"from", s.from_s},
          {"to", s.to_s},     {"after", s.after},       {"before", s.before}};
}

usage::span span_of(const json& text) {
  return {text_of(text, "meter"), text_of(text, "customer"), number_of(text, "from"),
          number_of(text, "to"),  text_of(text, "after"),    text_of(text, "before")};
}

usage::span span_of_item(const context& ctx, const json& subscription, const json& item) {
  usage::span s;
  s.meter = text_of(price_of_item(ctx, item)["recurring"], "meter");
  s.customer = text_of(subscription, "customer");
  s.from_s = number_of(item, "current_period_start");
  s.to_s = ctx.now;
  s.after = text_of(item, "_usage_after");
  return s;
}

// Below zero it is nothing.
// Source: https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api
std::int64_t billed(const context& ctx, const usage::span& s) {
  return std::clamp<std::int64_t>(usage::total(ctx.state, s), 0, most_units);
}

// What thresholds have billed of the item's present period.
struct billed_before {
  std::int64_t units = 0;
  std::int64_t amount = 0;
};
billed_before before_of(const json& item) {
  if (!item.contains("_billed")) return {};
  const json& b = item["_billed"];
  if (number_of(b, "from") != number_of(item, "current_period_start")) return {};
  return {number_of(b, "units"), number_of(b, "amount")};
}

invoicing::line given_back(const context& ctx, const json& item, std::int64_t amount) {
  invoicing::line l = lines_of_item(ctx, item, 0).front();
  l.quantity = 1;
  l.amount = -amount;
  l.unit_decimal = std::to_string(-amount);
  l.description = "Amount previously billed";
  return l;
}

std::vector<invoicing::line> lines_for(const context& ctx, const json& item, const usage::span& s) {
  auto lines = lines_of_item(ctx, item, billed(ctx, s));
  for (auto& l : lines) {
    l.period_start_s = std::max(s.from_s, number_of(item, "_usage_from"));
    l.period_end_s = ctx.now;
    l.usage = text_of_span(s);
  }
  if (const auto before = before_of(item); before.amount != 0) {
    lines.push_back(given_back(ctx, item, before.amount));
    lines.back().period_start_s = lines.front().period_start_s;
    lines.back().period_end_s = ctx.now;
  }
  return lines;
}

void append(std::vector<invoicing::line>& all, std::vector<invoicing::line> more) {
  for (auto& l : more)
    all.push_back(std::move(l));
}

std::vector<json> metered_items(const context& ctx, const json& subscription) {
  auto items = items_of(ctx, text_of(subscription, "id"));
  std::erase_if(items, [&](const json& item) { return !is_metered(ctx, item); });
  return items;
}

std::string name_of(const context& ctx, const json& item) {
  const json* product = ctx.state.find(kind::product, text_of(price_of_item(ctx, item), "product"));
  return product == nullptr ? std::string() : text_of(*product, "name");
}

// One line at no cost, whatever the price.
invoicing::line free_line(const context& ctx, const json& item, std::int64_t quantity) {
  invoicing::line l = lines_of_item(ctx, item, 0).front();
  l.quantity = quantity;
  l.amount = 0;
  return l;
}

// The usage of a trial costs nothing.
std::vector<invoicing::line> usage_of_trial(const context& ctx, const json& subscription) {
  std::vector<invoicing::line> lines;
  for (const auto& item : metered_items(ctx, subscription)) {
    const std::int64_t used = billed(ctx, span_of_item(ctx, subscription, item));
    invoicing::line l = free_line(ctx, item, used);
    const std::string what = std::to_string(used) + " × " + name_of(ctx, item);
    l.description = is_flexible(subscription) ? "Free trial for " + what : what + " (Free trial)";
    l.period_end_s = ctx.now;
    lines.push_back(std::move(l));
  }
  return lines;
}

bool ends_trial(const context& ctx, const json& subscription) {
  return number_of(subscription, "trial_end") == ctx.now;
}

// The lines of a draft that bill the same usage, in their order.
std::map<std::string, std::vector<json>> usage_lines_of(const context& ctx,
                                                        const std::string& invoice) {
  std::map<std::string, std::vector<json>> all;
  const auto found = ctx.state.with(kind::line_item, "invoice", invoice);
  for (auto it = found.rbegin(); it != found.rend(); ++it) {
    const json& line = **it;
    if (!line.contains("_usage") || is_null(line, "_usage")) continue;
    const json* item = at_path(line, "parent.subscription_item_details.subscription_item");
    if (item != nullptr) all[item->get<std::string>()].push_back(line);
  }
  return all;
}

// The same line with what it comes to now.
json changed_line(json document, const invoicing::line& l) {
  document["amount"] = l.amount;
  document["description"] = l.description;
  document["quantity"] = l.quantity;
  document["quantity_decimal"] = std::to_string(l.quantity);
  document["subtotal"] = l.amount;
  document["pricing"]["unit_amount_decimal"] = l.unit_decimal;
  return document;
}

bool says(const json& document, const invoicing::line& l) {
  return number_of(document, "quantity") == l.quantity && number_of(document, "amount") == l.amount;
}

void replace_lines(context& ctx, const std::vector<json>& before,
                   const std::vector<invoicing::line>& now) {
  for (std::size_t i = 0; i < std::max(before.size(), now.size()); ++i) {
    if (i >= now.size()) {
      ctx.state.forget(kind::line_item, text_of(before[i], "id"));
    } else if (i < before.size()) {
      if (says(before[i], now[i])) continue;
      ctx.state.replace(kind::line_item, changed_line(before[i], now[i]));
    } else {
      json added = changed_line(before.front(), now[i]);
      added["id"] = ctx.state.ids.next(kind::line_item);
      ctx.state.insert(kind::line_item, std::move(added));
    }
  }
}

}  // namespace

bool is_metered(const context& ctx, const json& item) {
  return prices::is_metered(price_of_item(ctx, item));
}

bool has_metered(const context& ctx, const std::string& subscription) {
  const auto items = items_of(ctx, subscription);
  return std::any_of(items.begin(), items.end(),
                     [&](const json& item) { return is_metered(ctx, item); });
}

bool is_flexible(const json& subscription) {
  return text_of(subscription["billing_mode"], "type") == "flexible";
}

answer<void> take_quantity(json& item, const json& price, const json& entry,
                           const std::string& at) {
  const bool given = entry.contains("quantity") && !entry["quantity"].is_null();
  if (prices::is_metered(price)) {
    if (given) return refuse("You cannot set the quantity for metered plans.", at + "[quantity]");
    item["quantity"] = nullptr;
    return {};
  }
  if (given) {
    item["quantity"] = entry["quantity"];
  } else if (is_null(item, "quantity")) {
    item["quantity"] = 1;
  }
  return {};
}

std::vector<invoicing::line> usage_at_boundary(const context& ctx, const json& subscription) {
  std::vector<invoicing::line> lines;
  if (ends_trial(ctx, subscription)) return usage_of_trial(ctx, subscription);
  for (const auto& item : metered_items(ctx, subscription))
    append(lines, lines_for(ctx, item, span_of_item(ctx, subscription, item)));
  return lines;
}

std::vector<invoicing::line> usage_so_far(const context& ctx, const json& subscription) {
  std::vector<invoicing::line> lines;
  if (ends_trial(ctx, subscription)) return usage_of_trial(ctx, subscription);
  for (const auto& item : metered_items(ctx, subscription)) {
    auto s = span_of_item(ctx, subscription, item);
    s.to_s = ctx.now + 1;
    if (billed(ctx, s) != before_of(item).units) append(lines, lines_for(ctx, item, s));
  }
  return lines;
}

std::vector<invoicing::line> first_usage_lines(const context& ctx, const json& subscription) {
  std::vector<invoicing::line> lines;
  if (is_flexible(subscription)) return lines;
  for (const auto& item : metered_items(ctx, subscription))
    lines.push_back(free_line(ctx, item, 0));
  return lines;
}

void measure_anew(context& ctx, const json& subscription, std::vector<invoicing::line>& lines) {
  for (json& item : metered_items(ctx, subscription)) {
    start_measuring(ctx, item);
    for (auto& l : lines) {
      if (l.subscription_item == text_of(item, "id") && l.usage.is_object()) {
        l.usage["before"] = item["_usage_after"];
      }
    }
    ctx.state.replace(kind::subscription_item, std::move(item));
  }
}

void bill_removed(context& ctx, const json& subscription, const json& item) {
  if (!is_flexible(subscription)) return;
  auto s = span_of_item(ctx, subscription, item);
  s.to_s = number_of(item, "current_period_end");
  if (billed(ctx, s) == before_of(item).units) return;
  for (const auto& l : lines_for(ctx, item, s))
    invoiceitems::make_usage(ctx, subscription, l);
}

void start_measuring(context& ctx, json& item) {
  item["_usage_after"] = ctx.state.ids.next(kind::meter_event);
  item["_usage_from"] = ctx.now;
  item.erase("_billed");
}

std::int64_t unbilled_units(const context& ctx, const json& subscription, const json& item) {
  auto s = span_of_item(ctx, subscription, item);
  s.to_s = ctx.now + 1;
  return billed(ctx, s) - before_of(item).units;
}

void note_billed(context& ctx, const json& subscription) {
  for (json& item : metered_items(ctx, subscription)) {
    auto s = span_of_item(ctx, subscription, item);
    s.to_s = ctx.now + 1;
    const std::int64_t units = billed(ctx, s);
    std::int64_t amount = 0;
    for (const auto& l : lines_of_item(ctx, item, units))
      amount += l.amount;
    item["_billed"] = {{"from", s.from_s}, {"units", units}, {"amount", amount}};
    ctx.state.replace(kind::subscription_item, std::move(item));
  }
}

void follow_usage(context& ctx, const std::string& invoice) {
  for (const auto& [id, before] : usage_lines_of(ctx, invoice)) {
    // At the price that was billed: the item may have another by now, or be gone.
    const json& line = before.front();
    const json& price =
        ctx.state.at(kind::price, text_of(line["pricing"]["price_details"], "price"));
    const std::int64_t used = billed(ctx, span_of(line["_usage"]));
    replace_lines(ctx, before, priced(ctx, price, text_of(line, "currency"), used));
  }
}

}  // namespace tilld::sandbox::subscriptions
