#include "sandbox/billing/previews.hpp"

#include <limits>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/billing/invoicing.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/schedules.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::previews {

namespace {

std::unexpected<failure> none_upcoming(const std::string& customer) {
  return refuse(stripe::api_error{404, "invalid_request_error", "invoice_upcoming_none",
                                  "No upcoming invoices for customer: " + customer, ""});
}

// As it is answered: with an id that says that it is none yet.
json shown(const context& ctx, const std::string& invoice) {
  json document = invoicing::foretold(ctx, invoice);
  const std::string id = "upcoming_" + invoice;
  document["id"] = id;
  document["automatically_finalizes_at"] = nullptr;
  document["lines"]["url"] = "/v1/invoices/" + id + "/lines";
  for (auto& line : document["lines"]["data"])
    line["invoice"] = id;
  return document;
}

answer<void> add_items(context& ctx, const json& items, const std::string& customer) {
  for (const auto& item : items) {
    json params = item;
    params["customer"] = customer;
    if (params.contains("price")) {
      params["pricing"] = {{"price", params["price"]}};
      params.erase("price");
    }
    ctx.params = std::move(params);
    if (auto made = invoiceitems::create(ctx); !made) return std::unexpected(made.error());
  }
  return {};
}

answer<json> renewal_of(context& ctx, const std::string& subscription) {
  const json s = ctx.state.live(kind::subscription, subscription);
  const std::int64_t end = number_of(s, "_cycle_end");
  const std::int64_t cancel_at = number_of(s, "cancel_at");
  const bool ends = cancel_at != 0 && cancel_at <= end;
  const bool over = subscriptions::is_over(s) || end == 0;
  if (over || ends) {
    const std::string last = over ? std::string() : subscriptions::last_draft(ctx, subscription);
    return last.empty() ? none_upcoming(text_of(s, "customer")) : answer<json>(shown(ctx, last));
  }
  return shown(ctx, subscriptions::next_draft(ctx, subscription));
}

answer<json> end_of(context& ctx, const json& s, const json& details) {
  if (text_of(details, "proration_behavior") != "none") {
    for (const auto& item : subscriptions::items_of(ctx, text_of(s, "id")))
      subscriptions::credit_unused(ctx, s, item, ctx.now);
  }
  const std::string invoice =
      subscriptions::bill_pending(ctx, s, "manual", subscriptions::usage_so_far(ctx, s));
  return invoice.empty() ? none_upcoming(text_of(s, "customer"))
                         : answer<json>(shown(ctx, invoice));
}

answer<json> change_of(context& ctx, const std::string& id, json details) {
  const json before = ctx.state.live(kind::subscription, id);
  if (truth_of(details, "cancel_now")) return end_of(ctx, before, details);
  details.erase("cancel_now");
  if (!details.empty()) {
    auto updated =
        ask(ctx, subscriptions::update, std::move(details), {id}, "/v1/subscriptions/{id}");
    if (!updated) return updated;
  }
  const std::string last = text_of(ctx.state.live(kind::subscription, id), "latest_invoice");
  if (last != text_of(before, "latest_invoice")) return shown(ctx, last);
  return renewal_of(ctx, id);
}

answer<json> beginning_of(context& ctx, json details, const std::string& customer,
                          const std::string& currency) {
  details["customer"] = customer;
  if (!currency.empty()) details["currency"] = currency;
  ctx.params = std::move(details);
  auto made = subscriptions::create(ctx);
  if (!made) return made;
  const std::string first = text_of(*made, "latest_invoice");
  return first.empty() ? renewal_of(ctx, text_of(*made, "id")) : answer<json>(shown(ctx, first));
}

// The next that the customer will get of its own accord.
answer<json> next_of(context& ctx, const std::string& customer) {
  std::string soonest;
  std::int64_t at = std::numeric_limits<std::int64_t>::max();
  for (const json* s : ctx.state.with(kind::subscription, "customer", customer)) {
    const std::int64_t end = number_of(*s, "_cycle_end");
    if (subscriptions::is_over(*s) || end == 0 || end >= at) continue;
    at = end;
    soonest = text_of(*s, "id");
  }
  if (!soonest.empty()) return renewal_of(ctx, soonest);
  for (const json* item : ctx.state.with(kind::invoiceitem, "customer", customer)) {
    if (!is_null(*item, "invoice")) continue;
    invoicing::order wanted;
    wanted.customer = customer;
    wanted.currency = text_of(*item, "currency");
    wanted.period_start_s = wanted.period_end_s = ctx.now;
    return shown(ctx, invoiceitems::draft_of_pending(ctx, wanted, false));
  }
  return none_upcoming(customer);
}

// The first invoice of a schedule that waits, the next one of its subscription once it has begun.
answer<json> schedule_of(context& ctx, const json& asked) {
  const std::string id = text_of(asked, "schedule");
  auto known = ctx.referred(kind::subscription_schedule, id, "schedule");
  if (!known) return known;
  for (const char* other : {"invoice_items", "subscription", "subscription_details"}) {
    if (!asked.contains(other)) continue;
    return not_simulated("The sandbox does not simulate " + std::string(other) +
                             " beside the schedule of a preview.",
                         other);
  }
  const std::string customer = text_of(asked, "customer");
  if (!customer.empty() && customer != text_of(*known, "customer")) {
    return refuse("The schedule " + id + " does not belong to the customer " + customer + ".",
                  "customer");
  }
  const std::string status = text_of(*known, "status");
  if (status == "active") return renewal_of(ctx, text_of(*known, "subscription"));
  if (status != "not_started") return none_upcoming(text_of(*known, "customer"));
  auto begun = schedules::first_draft(ctx, id);
  if (!begun) return std::unexpected(begun.error());
  return shown(ctx, *begun);
}

answer<json> foresee(context& ctx, const json& asked) {
  if (asked.contains("schedule")) return schedule_of(ctx, asked);
  const std::string subscription = text_of(asked, "subscription");
  std::string customer = text_of(asked, "customer");
  if (!subscription.empty()) {
    auto known = ctx.referred(kind::subscription, subscription, "subscription");
    if (!known) return known;
    if (!customer.empty() && customer != text_of(*known, "customer")) {
      return refuse(
          "The subscription " + subscription + " does not belong to the customer " + customer + ".",
          "customer");
    }
    customer = text_of(*known, "customer");
  }
  if (customer.empty()) return refuse(stripe::parameter_missing("customer"));
  if (auto known = ctx.referred(kind::customer, customer, "customer"); !known) return known;
  if (asked.contains("invoice_items")) {
    if (auto added = add_items(ctx, asked["invoice_items"], customer); !added) {
      return std::unexpected(added.error());
    }
  }
  json details =
      asked.contains("subscription_details") ? asked["subscription_details"] : json::object();
  if (!subscription.empty()) return change_of(ctx, subscription, std::move(details));
  if (details.contains("items")) {
    return beginning_of(ctx, std::move(details), customer, text_of(asked, "currency"));
  }
  return next_of(ctx, customer);
}

params::field items_field() {
  return params::list("items",
                      {params::text("id"), params::text("price"), params::boolean("deleted"),
                       params::integer("quantity").at_least(0).at_most(999'999), params::metadata(),
                       params::unsimulated("billing_thresholds"), params::boolean("clear_usage"),
                       params::unsimulated("discounts"), params::unsimulated("plan"),
                       params::unsimulated("price_data"), params::unsimulated("tax_rates")});
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = {
      params::text("customer"),
      params::currency("currency"),
      params::text("subscription"),
      params::text("schedule"),
      params::choice("preview_mode", {"next"}),
      params::list(
          "invoice_items",
          {params::integer("amount").at_least(-99'999'999).at_most(99'999'999),
           params::currency("currency"), params::text("description"),
           params::boolean("discountable"), params::metadata(),
           params::hash("period",
                        {params::timestamp("end").needed(), params::timestamp("start").needed()}),
           params::text("price"), params::integer("quantity").at_least(1).at_most(999'999),
           params::unsimulated("discounts"), params::unsimulated("invoiceitem"),
           params::unsimulated("price_data"), params::unsimulated("tax_behavior"),
           params::unsimulated("tax_code"), params::unsimulated("tax_rates"),
           params::unsimulated("unit_amount"), params::unsimulated("unit_amount_decimal")}),
      params::hash(
          "subscription_details",
          {params::choice("billing_cycle_anchor", {"now", "unchanged"}),
           params::timestamp("cancel_at").clearable(), params::boolean("cancel_at_period_end"),
           params::boolean("cancel_now"), items_field(),
           params::choice("proration_behavior", {"always_invoice", "create_prorations", "none"}),
           params::timestamp("proration_date"), params::timestamp("trial_end").or_word("now"),
           params::unsimulated("billing_mode"), params::unsimulated("default_tax_rates"),
           params::unsimulated("resume_at"), params::unsimulated("start_date")})};
  return takes;
}

answer<json> create(context& ctx) {
  const json asked = ctx.params;
  const aside put_aside(ctx);
  ctx.foresees = true;
  auto seen = ctx.as_if([&] { return foresee(ctx, asked); });
  ctx.foresees = false;
  return seen;
}

}  // namespace tilld::sandbox::previews
