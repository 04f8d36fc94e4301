// The many ways in which a subscription begins.
// Source: https://docs.stripe.com/billing/subscriptions/overview
#include <algorithm>
#include <limits>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/money.hpp"
#include "sandbox/payments/setup_intents.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"
#include "sandbox/subscriptions/terms.hpp"
#include "sandbox/subscriptions/thresholds.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

constexpr std::int64_t amount_limit = 99'999'999;
constexpr std::size_t item_limit = 20;

struct plan_item {
  json price;
  std::int64_t quantity = 1;
  json metadata = nullptr;
  json tax_rates = json::array();
};

struct beginning {
  std::string customer;
  std::string currency;
  std::vector<plan_item> items;
  std::int64_t trial_end_s = 0;  // 0: no trial
  std::int64_t anchor_s = 0;     // where the first whole period begins; 0: now
  bool sends_invoices = false;
  std::string behavior = "allow_incomplete";
  std::string schedule;  // that it belongs to
  bool drafts = false;   // its first invoice has its draft hour, as renewals do
};

answer<std::vector<plan_item>> items_of_request(context& ctx) {
  const json& given = ctx.param("items");
  if (!given.is_array() || given.empty()) return refuse(stripe::parameter_missing("items"));
  if (given.size() > item_limit) {
    return refuse("A subscription can have at most 20 items.", "items");
  }
  std::vector<plan_item> items;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "items[" + std::to_string(i) + "]";
    auto price = price_of_entry(ctx, given[i], at, ctx.text("currency"));
    if (!price) return std::unexpected(price.error());
    auto rates = tax_rates_of_entry(ctx, given[i], at, nullptr);
    if (!rates) return std::unexpected(rates.error());
    json quantity = json::object();
    if (auto taken = take_quantity(quantity, *price, given[i], at); !taken) {
      return std::unexpected(taken.error());
    }
    plan_item item{std::move(*price), number_of(quantity, "quantity"), nullptr, std::move(*rates)};
    if (given[i].contains("metadata")) item.metadata = given[i]["metadata"];
    items.push_back(std::move(item));
  }
  return items;
}

answer<void> check_together(const std::vector<plan_item>& items, const std::string& currency) {
  const json& first = items.front().price;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const json& price = items[i].price;
    const std::string param = "items[" + std::to_string(i) + "][price]";
    for (std::size_t j = 0; j < i; ++j) {
      if (items[j].price["id"] != price["id"]) continue;
      return refuse(
          "Cannot create a Subscription with multiple Subscription Items with the same "
          "Price: " +
              text_of(price, "id"),
          "plan");
    }
    if (!prices::has_currency(price, currency)) {
      return refuse("This `price` has `currency=" + text_of(price, "currency") +
                        "`, but other items use `currency=" + text_of(first, "currency") +
                        "`. All items must have pricing in the same currency. When using "
                        "multi-currency prices, you can specify `currency` at the top level, to be "
                        "used by all items.",
                    param);
    }
    if (price["recurring"]["interval"] != first["recurring"]["interval"] ||
        price["recurring"]["interval_count"] != first["recurring"]["interval_count"]) {
      return not_simulated("The sandbox does not simulate items of different intervals yet.",
                           param);
    }
    if (prices::is_metered(price)) continue;
    sum += amounts::amount(prices::pricing_of(price, currency), items[i].quantity);
    if (sum > amount_limit) {
      return refuse("Amount must be no more than $999,999.99", param, "amount_too_large");
    }
  }
  return {};
}

answer<std::int64_t> trial_end_of_request(const context& ctx) {
  if (ctx.given("trial_end") && ctx.given("trial_period_days")) {
    return refuse("You may only specify one of these parameters: trial_end, trial_period_days.",
                  "trial_end");
  }
  if (ctx.given("trial_period_days")) {
    const std::int64_t days = ctx.number("trial_period_days");
    return days == 0 ? 0 : ctx.now + days * day_s;
  }
  if (!ctx.given("trial_end") || ctx.param("trial_end") == "now") return 0;
  const std::int64_t end = ctx.number("trial_end");
  if (end <= ctx.now) {
    return refuse(
        "The parameter `trial_end` expects a unix timestamp representing a date and time "
        "in the future. You specified the value `" +
            std::to_string(end) + "` which is in the past.",
        "trial_end");
  }
  return end;
}

answer<void> check_collection(const context& ctx) {
  const bool sends = ctx.text("collection_method") == "send_invoice";
  if (sends && !ctx.given("days_until_due")) {
    return refuse(
        "If invoice collection method is 'send_invoice', you must specify "
        "'days_until_due'.");
  }
  if (!sends && ctx.given("days_until_due")) {
    return refuse(
        "You can only specify 'days_until_due' if invoice collection method is "
        "'send_invoice'.");
  }
  if (ctx.text("payment_behavior") == "pending_if_incomplete") {
    return refuse(
        "Setting `payment_behavior` to `pending_if_incomplete` has no effect when "
        "creating a subscription.",
        "payment_behavior");
  }
  return {};
}

// One customer is billed in one currency at a time.
answer<void> check_currency(const context& ctx, const beginning& b) {
  for (const json* other : ctx.state.with(kind::subscription, "customer", b.customer)) {
    const std::string status = text_of(*other, "status");
    if (status == "canceled" || status == "incomplete_expired") continue;
    const std::string theirs = text_of(*other, "currency");
    if (theirs == b.currency) continue;
    return refuse(
        "You cannot combine currencies on a single customer. This customer has an active "
        "subscription, subscription schedule, discount, quote, or invoice item with "
        "currency " +
        theirs + ".");
  }
  return {};
}

answer<void> read_anchor(const context& ctx, beginning& b) {
  if (!ctx.given("billing_cycle_anchor")) return {};
  const std::int64_t at = ctx.number("billing_cycle_anchor");
  if (b.trial_end_s != 0) {
    return not_simulated("The sandbox does not simulate billing_cycle_anchor beside a trial.",
                         "billing_cycle_anchor");
  }
  if (at <= ctx.now) {
    return refuse("`billing_cycle_anchor` must be in the future.", "billing_cycle_anchor");
  }
  if (at > cycle_at(ctx.now, b.items.front().price, ctx.now).end_s) {
    return refuse("`billing_cycle_anchor` cannot be later than next natural billing date for plan.",
                  "billing_cycle_anchor");
  }
  b.anchor_s = at;
  return {};
}

answer<beginning> read(context& ctx) {
  beginning b;
  if (!ctx.given("customer")) return refuse(stripe::parameter_missing("customer"));
  b.customer = ctx.text("customer");
  if (ctx.state.find_live(kind::customer, b.customer) == nullptr) {
    return missing(kind::customer, b.customer, "customer", 404);
  }
  if (auto checked = check_collection(ctx); !checked) return std::unexpected(checked.error());
  auto items = items_of_request(ctx);
  if (!items) return std::unexpected(items.error());
  b.currency =
      ctx.given("currency") ? ctx.text("currency") : text_of(items->front().price, "currency");
  if (auto fit = check_together(*items, b.currency); !fit) return std::unexpected(fit.error());
  const auto trial_end = trial_end_of_request(ctx);
  if (!trial_end) return std::unexpected(trial_end.error());
  if (auto owned = check_payment_method(ctx, b.customer); !owned) {
    return std::unexpected(owned.error());
  }
  b.items = std::move(*items);
  b.trial_end_s = *trial_end;
  if (auto read = read_anchor(ctx, b); !read) return std::unexpected(read.error());
  b.sends_invoices = ctx.text("collection_method") == "send_invoice";
  if (ctx.given("payment_behavior")) b.behavior = ctx.text("payment_behavior");
  b.schedule = ctx.text("_schedule");
  b.drafts = ctx.truth("_drafts") || !b.schedule.empty();
  if (auto fits = check_currency(ctx, b); !fits) return std::unexpected(fits.error());
  return b;
}

json billing_mode(const context& ctx) {
  const std::string type = text_of(ctx.param("billing_mode"), "type");
  if (type == "classic") return {{"flexible", nullptr}, {"type", "classic"}};
  return {{"flexible", {{"proration_discounts", "included"}}}, {"type", "flexible"}};
}

json blank_subscription(context& ctx, const beginning& b) {
  json s = ctx.make(kind::subscription);
  s["automatic_tax"] = {{"disabled_reason", nullptr}, {"enabled", false}, {"liability", nullptr}};
  s["billing_cycle_anchor"] = b.trial_end_s != 0 ? b.trial_end_s
                              : b.anchor_s != 0  ? b.anchor_s
                                                 : ctx.now;
  s["billing_mode"] = billing_mode(ctx);
  s["billing_schedules"] = json::array();
  s["cancel_at_period_end"] = false;
  s["cancellation_details"] = {{"comment", nullptr},
                               {"feedback", nullptr},
                               {"feedback_option", nullptr},
                               {"reason", nullptr}};
  s["collection_method"] = b.sends_invoices ? "send_invoice" : "charge_automatically";
  s["currency"] = b.currency;
  s["customer"] = b.customer;
  if (b.sends_invoices) s["days_until_due"] = ctx.param("days_until_due");
  ctx.copy_given(s, {"default_payment_method"});
  s["default_tax_rates"] = json::array();
  s["discounts"] = json::array();
  s["invoice_settings"] = {{"account_tax_ids", nullptr},
                           {"custom_fields", nullptr},
                           {"description", nullptr},
                           {"footer", nullptr},
                           {"issuer", {{"type", "self"}}}};
  s["payment_settings"] = {{"payment_method_options", nullptr},
                           {"payment_method_types", nullptr},
                           {"save_default_payment_method", "off"}};
  s["start_date"] = ctx.now;
  const bool waits = !b.sends_invoices && !b.drafts;
  s["status"] = b.trial_end_s != 0 ? "trialing" : waits ? "incomplete" : "active";
  if (!b.schedule.empty()) s["schedule"] = b.schedule;
  if (b.trial_end_s != 0) {
    s["trial_end"] = b.trial_end_s;
    s["trial_start"] = ctx.now;
  }
  s["trial_settings"] = {{"end_behavior", {{"missing_payment_method", "create_invoice"}}}};
  return s;
}

std::int64_t first_period_end(const context& ctx, const beginning& b) {
  if (b.trial_end_s != 0) return b.trial_end_s;
  if (b.anchor_s != 0) return b.anchor_s;
  return cycle_at(ctx.now, b.items.front().price, ctx.now).end_s;
}

// What the first invoice bills: a whole period, a trial at no cost, or the part of a period until
// the anchor that was asked for.
std::vector<invoicing::line> first_lines(const context& ctx, const beginning& b,
                                         const std::string& id, std::int64_t end) {
  auto lines = cycle_lines(ctx, id, b.trial_end_s != 0);
  if (b.anchor_s == 0) return lines;
  const period whole = cycle_at(b.anchor_s, b.items.front().price, ctx.now);
  const bool free = ctx.text("proration_behavior") == "none";
  for (auto& l : lines) {
    l.amount = free ? 0 : prorated(l.amount, end - ctx.now, whole.end_s - whole.start_s);
    l.proration = true;
  }
  return lines;
}

// The items' thresholds, and whether the subscription's own fits them.
answer<void> limit_items(context& ctx, const json& s, const std::vector<std::string>& ids) {
  const json given = ctx.param("items");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    json item = ctx.state.live(kind::subscription_item, ids[i]);
    const std::string at = "items[" + std::to_string(i) + "]";
    if (auto taken = thresholds::take_of_item(ctx, item, given[i], at); !taken) return taken;
    ctx.state.replace(kind::subscription_item, std::move(item));
  }
  return thresholds::check(ctx, s);
}

// The subscription with its items, its first draft if there is anything to bill and, where nobody
// can pay for what comes later, the setup intent that asks for a card. What is told of it is told
// before customer.subscription.created.
answer<std::string> build(context& ctx, const beginning& b) {
  json s = blank_subscription(ctx, b);
  if (auto taken = take_settings(ctx, s); !taken) return std::unexpected(taken.error());
  if (auto taken = take_default_tax_rates(ctx, s); !taken) return std::unexpected(taken.error());
  std::string id = text_of(s, "id");
  const std::int64_t end = first_period_end(ctx, b);
  if (ctx.truth("cancel_at_period_end")) set_cancel_at_period_end(ctx, s, true, end);
  ctx.state.insert(kind::subscription, s);
  std::vector<std::string> items;
  for (const auto& item : b.items) {
    items.push_back(add_item(ctx, id, text_of(item.price, "id"), item.quantity, item.metadata,
                             {ctx.now, end}, item.tax_rates));
  }
  if (auto limited = limit_items(ctx, s, items); !limited) {
    return std::unexpected(limited.error());
  }
  if (auto put = put_discounts(ctx, s, items); !put) return std::unexpected(put.error());
  if (auto added = add_invoice_items(ctx, s); !added) return std::unexpected(added.error());
  refresh_derived(ctx, s);
  note_cycle(ctx, s, end);
  if (auto set = take_cancel_at(ctx, s); !set) return std::unexpected(set.error());
  ctx.state.replace(kind::subscription, s);
  auto wanted = order_for(ctx, s, "subscription_create");
  wanted.lines = first_lines(ctx, b, id, end);
  wanted.auto_advance = wanted.auto_advance || b.drafts;
  for (auto& l : first_usage_lines(ctx, s))
    wanted.lines.push_back(std::move(l));
  const std::string invoice = invoiceitems::draft_of_pending(ctx, wanted, wanted.lines.empty());
  const bool bills = !invoice.empty();
  if (bills) s["latest_invoice"] = invoice;
  if (!bills && b.trial_end_s == 0) s["status"] = "active";
  if ((b.trial_end_s != 0 || !bills) && !b.sends_invoices && !has_method(ctx, s)) {
    s["pending_setup_intent"] = setup_intents::make_for(ctx, b.customer);
  }
  ctx.state.replace(kind::subscription, std::move(s));
  return id;
}

// Bills the first period and tries to collect it, as the request's payment_behavior says.
answer<void> collect_first(context& ctx, const beginning& b, const std::string& id) {
  const std::string invoice = text_of(ctx.state.at(kind::subscription, id), "latest_invoice");
  if (invoice.empty()) return {};
  invoicing::finalize(ctx, invoice);
  const json& document = ctx.state.at(kind::invoice, invoice);
  if (text_of(document, "status") != "open" || b.behavior == "default_incomplete") return {};
  const std::string method = invoicing::payment_method_for(ctx, document);
  if (method.empty()) return invoicing::no_payment_method();
  const auto tried = invoicing::collect(ctx, invoice, method, ctx.truth("off_session"));
  if (tried.is != payment_intents::result::paid && b.behavior == "error_if_incomplete") {
    return incomplete_refused(tried);
  }
  return {};
}

// A trial costs nothing; what was added to its invoice does.
answer<void> bill_trial(context& ctx, const beginning& b, const std::string& id) {
  if (!b.sends_invoices && ctx.given("add_invoice_items")) {
    return b.drafts ? answer<void>{} : collect_first(ctx, b, id);
  }
  const std::string invoice = text_of(ctx.state.at(kind::subscription, id), "latest_invoice");
  if (!invoice.empty()) invoicing::finalize(ctx, invoice);
  return {};
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = with_terms(
      {params::text("customer"),
       params::currency("currency"),
       automatic_tax_field(),
       params::hash("billing_mode", {params::choice("type", {"classic", "flexible"}).needed(),
                                     params::unsimulated("flexible")}),
       params::timestamp("billing_cycle_anchor"),
       thresholds::field(),
       cancel_at_field(),
       params::boolean("cancel_at_period_end"),
       params::choice("collection_method", {"charge_automatically", "send_invoice"}),
       params::integer("days_until_due").at_least(0).at_most(365),
       params::text("default_payment_method"),
       params::text("description", 500).clearable(),
       params::list("items", {params::text("price"),
                              params::integer("quantity").at_least(0).at_most(999'999),
                              params::metadata(), thresholds::item_field(),
                              params::unsimulated("current_trial"), params::unsimulated("plan")}),
       params::metadata(),
       params::boolean("off_session"),
       payment_behavior_field(),
       payment_settings_field(),
       proration_behavior_field(),
       params::timestamp("trial_end").or_word("now"),
       params::integer("trial_period_days").at_least(0).at_most(730),
       trial_settings_field()});
  return takes;
}

answer<json> create(context& ctx) {
  const auto b = read(ctx);
  if (!b) return std::unexpected(b.error());
  ctx.watch_customer(b->customer);
  const auto built = build(ctx, *b);
  if (!built) return std::unexpected(built.error());
  const std::string& id = *built;
  ctx.emit("customer.subscription.created", kind::subscription, id);
  if (ctx.foresees) return ctx.shown(kind::subscription, id);
  if (b->trial_end_s != 0) {
    if (auto billed = bill_trial(ctx, *b, id); !billed) return std::unexpected(billed.error());
    if (b->trial_end_s - ctx.now <= 3 * day_s) {
      ctx.emit("customer.subscription.trial_will_end", kind::subscription, id);
    }
  } else if (!b->sends_invoices && !b->drafts) {
    if (auto collected = collect_first(ctx, *b, id); !collected) {
      return std::unexpected(collected.error());
    }
  }
  entitlements::refresh(ctx, b->customer);
  return ctx.shown(kind::subscription, id);
}

}  // namespace tilld::sandbox::subscriptions
