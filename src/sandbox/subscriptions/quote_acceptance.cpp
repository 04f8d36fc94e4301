// What comes of a quote that is accepted.
//
// Lines that recur make a subscription, or a schedule where it is to begin later; what is sold once
// comes with its first invoice. Without such lines there is an invoice, which stays a draft. The
// first invoice of the subscription has its draft hour.
// Source: https://docs.stripe.com/quotes/create#accept
#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/billing/invoices.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/quote_parts.hpp"
#include "sandbox/subscriptions/schedules.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::quotes {

namespace {

void put_discounts(const context& ctx, const std::string& owner, json& into) {
  json all = promised_discounts(ctx, owner);
  if (!all.empty()) into["discounts"] = std::move(all);
}

json entry_of(const context& ctx, const json& line, const char* price) {
  json entry = json::object();
  entry[price] = line["price"];
  entry["quantity"] = line["quantity"];
  if (!line["_tax_rates"].empty()) entry["tax_rates"] = line["_tax_rates"];
  put_discounts(ctx, text_of(line, "id"), entry);
  return entry;
}

// The recurring lines as items, the others as what is added to the first invoice.
void put_lines_into(const context& ctx, const json& quote, json& into) {
  into["items"] = json::array();
  json once = json::array();
  for (const auto& line : lines_of(ctx, text_of(quote, "id"))) {
    if (recurs(ctx, line)) {
      into["items"].push_back(entry_of(ctx, line, "_price"));
    } else {
      once.push_back(entry_of(ctx, line, "price"));
    }
  }
  if (!once.empty()) into["add_invoice_items"] = std::move(once);
  put_discounts(ctx, text_of(quote, "id"), into);
  if (!quote["default_tax_rates"].empty()) into["default_tax_rates"] = quote["default_tax_rates"];
}

bool sends(const json& quote) {
  return text_of(quote, "collection_method") == "send_invoice";
}

void put_collection(const json& quote, json& into) {
  into["collection_method"] = quote["collection_method"];
  const json& days = quote["invoice_settings"]["days_until_due"];
  if (sends(quote) && !days.is_null()) into["days_until_due"] = days;
}

answer<void> subscribe(context& ctx, json& quote) {
  const json& data = quote["subscription_data"];
  json p = json::object();
  p["customer"] = quote["customer"];
  p["billing_mode"] = {{"type", data["billing_mode"]["type"]}};
  put_lines_into(ctx, quote, p);
  put_collection(quote, p);
  for (const char* name : {"description", "metadata", "trial_period_days"}) {
    if (!is_null(data, name)) p[name] = data[name];
  }
  p["_drafts"] = true;
  const aside kept(ctx);
  auto made = ask(ctx, subscriptions::create, std::move(p), {}, "/v1/subscriptions");
  if (!made) return std::unexpected(made.error());
  quote["subscription"] = (*made)["id"];
  return {};
}

// One phase from the day on that the quote names; after it the subscription goes on by itself.
answer<void> schedule(context& ctx, json& quote) {
  const json& data = quote["subscription_data"];
  json phase = json::object();
  put_lines_into(ctx, quote, phase);
  if (!is_null(data, "trial_period_days")) {
    const std::int64_t start = number_of(data, "effective_date");
    phase["trial_end"] = start + number_of(data, "trial_period_days") * day_s;
    phase["end_date"] = phase["trial_end"];
  }
  if (!is_null(data, "metadata")) phase["metadata"] = data["metadata"];
  json settings = json::object();
  settings["collection_method"] = quote["collection_method"];
  if (!is_null(data, "description")) settings["description"] = data["description"];
  if (sends(quote)) {
    settings["invoice_settings"] = {
        {"days_until_due", quote["invoice_settings"]["days_until_due"]}};
  }
  json p = json::object();
  p["customer"] = quote["customer"];
  p["billing_mode"] = {{"type", data["billing_mode"]["type"]}};
  p["start_date"] = data["effective_date"];
  p["phases"] = json::array({std::move(phase)});
  p["default_settings"] = std::move(settings);
  const aside kept(ctx);
  auto made = ask(ctx, schedules::create, std::move(p), {}, "/v1/subscription_schedules");
  if (!made) return std::unexpected(made.error());
  quote["subscription_schedule"] = (*made)["id"];
  return {};
}

answer<void> bill(context& ctx, json& quote) {
  json p = json::object();
  p["customer"] = quote["customer"];
  p["currency"] = quote["currency"];
  put_collection(quote, p);
  put_discounts(ctx, text_of(quote, "id"), p);
  if (!quote["default_tax_rates"].empty()) p["default_tax_rates"] = quote["default_tax_rates"];
  for (const char* name : {"description", "footer"}) {
    if (!is_null(quote, name)) p[name] = quote[name];
  }
  p["_quote"] = quote["id"];
  const aside kept(ctx);
  auto made = ask(ctx, invoices::create, std::move(p), {}, "/v1/invoices");
  if (!made) return std::unexpected(made.error());
  for (const auto& line : lines_of(ctx, text_of(quote, "id"))) {
    json item = entry_of(ctx, line, "price");
    item["pricing"] = {{"price", line["price"]}};
    item.erase("price");
    item["customer"] = quote["customer"];
    item["invoice"] = (*made)["id"];
    auto added = ask(ctx, invoiceitems::create, std::move(item), {}, "/v1/invoiceitems");
    if (!added) return std::unexpected(added.error());
  }
  quote["invoice"] = (*made)["id"];
  return {};
}

}  // namespace

answer<void> carry_out(context& ctx, json& quote) {
  for (const auto& line : lines_of(ctx, text_of(quote, "id"))) {
    if (!recurs(ctx, line)) continue;
    const bool later = number_of(quote["subscription_data"], "effective_date") > ctx.now;
    return later ? schedule(ctx, quote) : subscribe(ctx, quote);
  }
  return bill(ctx, quote);
}

}  // namespace tilld::sandbox::quotes
