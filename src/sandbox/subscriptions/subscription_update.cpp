// The many ways in which a subscription changes.
// Source: https://docs.stripe.com/billing/subscriptions/change
#include <algorithm>
#include <array>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/changes.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/pending_updates.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"
#include "sandbox/subscriptions/terms.hpp"
#include "sandbox/subscriptions/thresholds.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

template <std::size_t n>
bool only(const context& ctx, const std::array<const char*, n>& allowed, std::string& offending) {
  for (const auto& [name, value] : ctx.params.items()) {
    if (name == "expand") continue;
    const bool fine = std::any_of(allowed.begin(), allowed.end(),
                                  [&name = name](const char* a) { return name == a; });
    if (fine) continue;
    offending = name;
    return false;
  }
  return true;
}

// Which end it has is its schedule's to say, where it has one.
answer<void> check_managed(const context& ctx, const json& subscription) {
  if (is_null(subscription, "schedule") || ctx.given("_schedule")) return {};
  for (const char* name : {"cancel_at", "cancel_at_period_end"}) {
    if (!ctx.given(name)) continue;
    return refuse("The subscription is managed by the subscription schedule `" +
                      text_of(subscription, "schedule") +
                      "`, and updating any cancelation behavior directly is not allowed. Please "
                      "update the schedule instead.",
                  name);
  }
  return {};
}

answer<void> check_status(const context& ctx, const std::string& status) {
  static constexpr std::array canceled = {"cancellation_details", "metadata"};
  static constexpr std::array incomplete = {"description", "default_payment_method", "metadata"};
  std::string offending;
  const bool over = status == "canceled" || status == "incomplete_expired";
  if (over && !only(ctx, canceled, offending)) {
    return refuse("A canceled subscription can only update its cancellation_details and metadata.",
                  {}, "invalid_canceled_subscription_fields");
  }
  if (status == "incomplete" && !only(ctx, incomplete, offending)) {
    return refuse("Cannot update " + offending +
                      " on an incomplete subscription. Only metadata, description, default_source "
                      "and default_payment_method can be updated.",
                  offending, "status_transition_invalid");
  }
  return {};
}

answer<void> take_collection(const context& ctx, json& subscription) {
  const std::string method = ctx.given("collection_method")
                                 ? ctx.text("collection_method")
                                 : text_of(subscription, "collection_method");
  if (ctx.given("days_until_due") && method != "send_invoice") {
    return refuse(
        "You can only specify 'days_until_due' if invoice collection method is "
        "'send_invoice'.");
  }
  if (method == "send_invoice" && !ctx.given("days_until_due") &&
      is_null(subscription, "days_until_due")) {
    return refuse(
        "If invoice collection method is 'send_invoice', you must specify "
        "'days_until_due'.");
  }
  ctx.copy_given(subscription, {"collection_method", "days_until_due"});
  if (method != "send_invoice") subscription["days_until_due"] = nullptr;
  return {};
}

answer<void> take_plain(const context& ctx, json& subscription) {
  if (auto taken = take_settings(ctx, subscription); !taken) return taken;
  if (auto taken = take_default_tax_rates(ctx, subscription); !taken) return taken;
  if (auto owned = check_payment_method(ctx, text_of(subscription, "customer")); !owned) {
    return owned;
  }
  ctx.copy_given(subscription, {"default_payment_method"});
  if (ctx.given("collection_method") || ctx.given("days_until_due")) {
    if (auto taken = take_collection(ctx, subscription); !taken) return taken;
  }
  if (ctx.given("pause_collection")) {
    json pause = ctx.param("pause_collection");
    if (pause.is_object() && !pause.contains("resumes_at")) pause["resumes_at"] = nullptr;
    subscription["pause_collection"] = std::move(pause);
  }
  if (ctx.given("cancel_at_period_end")) {
    const auto items = items_of(ctx, text_of(subscription, "id"));
    const std::int64_t end = items.empty() ? ctx.now : number_of(items[0], "current_period_end");
    set_cancel_at_period_end(ctx, subscription, ctx.truth("cancel_at_period_end"), end);
  }
  if (auto set = take_cancel_at(ctx, subscription); !set) return set;
  if (ctx.given("cancellation_details")) {
    merge_hash(subscription["cancellation_details"], ctx.param("cancellation_details"));
  }
  return {};
}

answer<void> collect_now(context& ctx, const std::string& invoice) {
  if (ctx.foresees) return {};
  invoicing::finalize(ctx, invoice);
  const json& document = ctx.state.at(kind::invoice, invoice);
  const bool charges = text_of(document, "collection_method") == "charge_automatically";
  if (!charges || text_of(document, "status") != "open") return {};
  const std::string behavior = ctx.text("payment_behavior");
  const std::string method = invoicing::payment_method_for(ctx, document);
  if (method.empty() && ctx.given("_by_clock")) {
    invoicing::payment_failed(ctx, invoice);
    return {};
  }
  if (method.empty()) return invoicing::no_payment_method();
  if (behavior == "default_incomplete") {
    subscriptions::invoice_unpaid(ctx, invoice);
    return {};
  }
  const auto tried = invoicing::collect(ctx, invoice, method, ctx.truth("off_session"));
  if (tried.is != payment_intents::result::paid && behavior == "error_if_incomplete") {
    return incomplete_refused(tried);
  }
  return {};
}

// The trial is over: the first period begins now and is billed, unless there is no card and the
// trial settings want it paused or canceled then.
answer<void> end_trial(context& ctx, const std::string& id, const json& before) {
  json s = ctx.state.live(kind::subscription, id);
  const std::string customer = text_of(s, "customer");
  const bool sends = text_of(s, "collection_method") == "send_invoice";
  s["trial_end"] = ctx.now;
  const std::string wish = text_of(s["trial_settings"]["end_behavior"], "missing_payment_method");
  const bool owes = wish == "create_invoice" && ctx.given("_by_clock");
  if (!sends && !owes && !has_method(ctx, s)) {
    if (wish == "create_invoice") return invoicing::no_payment_method();
    if (wish == "pause") s["status"] = "paused";
    ctx.state.replace(kind::subscription, std::move(s));
    if (wish == "pause") {
      ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
      ctx.emit("customer.subscription.paused", kind::subscription, id);
      entitlements::refresh(ctx, customer);
    } else {
      cancel(ctx, id, false, false, nullptr);
    }
    return {};
  }
  s["status"] = "active";
  const std::string invoice = start_anew(ctx, s, order_for(ctx, s, "subscription_update"));
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  if (sends || invoice.empty()) return {};
  return collect_now(ctx, invoice);
}

answer<void> move_trial(context& ctx, json& subscription, const changes& c) {
  const std::int64_t end = ctx.number("trial_end");
  if (end <= ctx.now) {
    return refuse(
        "The parameter `trial_end` expects a unix timestamp representing a date and time "
        "in the future. You specified the value `" +
            std::to_string(end) + "` which is in the past.",
        "trial_end");
  }
  const std::string status = text_of(subscription, "status");
  std::int64_t start = ctx.now;
  if (status == "trialing") {
    start = number_of(subscription, "trial_start");
  } else if (status == "active" || (status == "past_due" && ctx.given("_schedule"))) {
    // Assumed: a phase that is a trial begins whatever is owed.
    if (c.prorates) {
      for (const auto& item : items_of(ctx, text_of(subscription, "id"))) {
        if (is_metered(ctx, item)) bill_removed(ctx, subscription, item);
        credit_unused(ctx, subscription, item, c.at_s);
      }
    }
    subscription["status"] = "trialing";
    subscription["trial_start"] = ctx.now;
  } else {
    return not_simulated(
        "The sandbox does not simulate a new trial of a subscription that is " + status + ".",
        "trial_end");
  }
  subscription["trial_end"] = end;
  subscription["billing_cycle_anchor"] = end;
  if (truth_of(subscription, "cancel_at_period_end")) subscription["cancel_at"] = end;
  set_cycle(ctx, subscription, {start, end});
  return {};
}

// The request's changes, done and billed.
answer<void> carry_out(context& ctx, json s, const changes& c, const json& before) {
  const std::string id = text_of(s, "id");
  const std::string customer = text_of(s, "customer");
  const bool ends_trial = ctx.param("trial_end") == "now" && text_of(s, "status") == "trialing";
  if (auto put = put_discounts(ctx, s, ids_of(c.items)); !put) return put;
  prorate(ctx, s, c);
  apply(ctx, s, c.items);
  if (auto fits = thresholds::check(ctx, s); !fits) return fits;
  if (auto added = add_invoice_items(ctx, s); !added) return added;
  if (ctx.given("trial_end") && ctx.param("trial_end") != "now") {
    if (auto moved = move_trial(ctx, s, c); !moved) return moved;
  }
  if (!c.items.empty()) refresh_derived(ctx, s);
  std::string invoice;
  if (c.starts_anew) {
    invoice = start_anew(ctx, s, order_for(ctx, s, "subscription_update"));
  } else if (c.bills_now) {
    invoice = bill_pending(ctx, s, "subscription_update");
  }
  if (!invoice.empty()) s["latest_invoice"] = invoice;
  ctx.state.replace(kind::subscription, std::move(s));
  if (ends_trial) {
    if (auto ended = end_trial(ctx, id, before); !ended) return ended;
  } else {
    ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  }
  if (!invoice.empty()) {
    if (auto paid = collect_now(ctx, invoice); !paid) return paid;
  }
  if (!c.items.empty()) entitlements::refresh(ctx, customer);
  return {};
}

// Whether its invoice, if it makes one, is paid at once.
bool would_be_paid(context& ctx, const json& s, const changes& c, const json& before) {
  return ctx.as_if([&] {
    const std::string last = text_of(s, "latest_invoice");
    if (!carry_out(ctx, s, c, before)) return false;
    const std::string invoice =
        text_of(ctx.state.at(kind::subscription, text_of(s, "id")), "latest_invoice");
    return invoice == last || text_of(ctx.state.at(kind::invoice, invoice), "status") == "paid";
  });
}

answer<void> carry_out_when_paid(context& ctx, json s, const changes& c, const json& before) {
  if (would_be_paid(ctx, s, c, before)) return carry_out(ctx, std::move(s), c, before);
  if (ctx.given("trial_end")) {
    return not_simulated("The sandbox does not simulate pending updates of a trial's end.",
                         "trial_end");
  }
  const std::string id = text_of(s, "id");
  const std::string invoice = hold_update(ctx, s, c);
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  return invoice.empty() ? answer<void>{} : collect_now(ctx, invoice);
}

answer<void> check_pending(const context& ctx) {
  static constexpr std::array allowed = {
      "items",          "off_session",          "payment_behavior", "proration_behavior",
      "proration_date", "billing_cycle_anchor", "trial_end"};
  std::string offending;
  if (has_metered(ctx, ctx.arguments.front())) {
    return not_simulated("The sandbox does not simulate pending updates of metered items.",
                         "payment_behavior");
  }
  for (const auto& entry : ctx.param("items")) {
    if (!entry.contains("discounts")) continue;
    return not_simulated("The sandbox does not simulate pending updates with discounts.", "items");
  }
  if (only(ctx, allowed, offending)) return {};
  return refuse("When `payment_behavior` is set to `pending_if_incomplete`, you cannot pass `" +
                    offending + "`.",
                offending);
}

}  // namespace

const params::schema& update_takes() {
  static const params::schema takes = with_terms(
      {automatic_tax_field(),
       params::choice("billing_cycle_anchor", {"now", "unchanged"}),
       thresholds::field(),
       cancel_at_field(),
       params::boolean("cancel_at_period_end"),
       cancel_takes().front(),
       params::choice("collection_method", {"charge_automatically", "send_invoice"}),
       params::integer("days_until_due").at_least(0).at_most(365),
       params::text("default_payment_method").clearable(),
       params::text("description", 500).clearable(),
       params::list("items",
                    {params::text("id"), params::text("price"), params::boolean("deleted"),
                     params::integer("quantity").at_least(0).at_most(999'999), params::metadata(),
                     thresholds::item_field(), params::boolean("clear_usage"),
                     params::unsimulated("current_trial"), params::unsimulated("plan")}),
       params::metadata(),
       params::boolean("off_session"),
       params::hash(
           "pause_collection",
           {params::choice("behavior", {"keep_as_draft", "mark_uncollectible", "void"}).needed(),
            params::timestamp("resumes_at")})
           .clearable(),
       payment_behavior_field(),
       payment_settings_field(),
       proration_behavior_field(),
       params::timestamp("proration_date"),
       params::timestamp("trial_end").or_word("now"),
       trial_settings_field()});
  return takes;
}

answer<json> update(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json s = std::move(*found);
  const std::string id = text_of(s, "id");
  if (auto can = check_status(ctx, text_of(s, "status")); !can) {
    return std::unexpected(can.error());
  }
  if (auto can = check_managed(ctx, s); !can) return std::unexpected(can.error());
  const bool waits = ctx.text("payment_behavior") == "pending_if_incomplete";
  if (waits) {
    if (auto can = check_pending(ctx); !can) return std::unexpected(can.error());
  }
  const auto c = read_changes(ctx, s);
  if (!c) return std::unexpected(c.error());
  if (s["pending_update"].is_object() && !c->items.empty()) {
    return refuse("This subscription has a pending update; pay or void its latest invoice first.",
                  "items");
  }
  const json before = ctx.shown(kind::subscription, id);
  ctx.watch_customer(text_of(s, "customer"));
  if (auto taken = take_plain(ctx, s); !taken) return std::unexpected(taken.error());
  const auto done = waits ? carry_out_when_paid(ctx, std::move(s), *c, before)
                          : carry_out(ctx, std::move(s), *c, before);
  if (!done) return std::unexpected(done.error());
  return ctx.shown(kind::subscription, id);
}

}  // namespace tilld::sandbox::subscriptions
