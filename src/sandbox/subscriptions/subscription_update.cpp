// The many ways in which a subscription changes.
// Source: https://docs.stripe.com/billing/subscriptions/change
#include <algorithm>
#include <array>

#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

// A change of one item: what it was (null: new) and what it is to be (null: gone).
struct item_change {
  json before = nullptr;
  json after = nullptr;
};

struct changes {
  std::vector<item_change> items;
  std::int64_t at_s = 0;  // the proration date
  bool prorates = false;
  bool bills_now = false;
};

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

answer<json> changed_item(const context& ctx, const json& entry, const std::string& at,
                          const json& subscription, json item) {
  if (entry.contains("price") && entry["price"] != item["price"]) {
    auto price = usable_price(ctx, text_of(entry, "price"), at + "[price]",
                              text_of(subscription, "currency"));
    if (!price) return price;
    const json& old = price_of_item(ctx, item)["recurring"];
    const json& its = (*price)["recurring"];
    if (old["interval"] != its["interval"] || old["interval_count"] != its["interval_count"]) {
      return not_simulated("The sandbox does not simulate a change of the interval yet.",
                           at + "[price]");
    }
    item["price"] = (*price)["id"];
  }
  if (entry.contains("quantity")) item["quantity"] = entry["quantity"];
  if (entry.contains("metadata")) {
    if (auto merged = merge_metadata(item, entry["metadata"]); !merged) {
      return std::unexpected(merged.error());
    }
  }
  return item;
}

answer<json> new_item(const context& ctx, const json& entry, const std::string& at,
                      const json& subscription, const std::vector<json>& existing) {
  if (!entry.contains("price")) return refuse(stripe::parameter_missing(at + "[price]"));
  auto price =
      usable_price(ctx, text_of(entry, "price"), at + "[price]", text_of(subscription, "currency"));
  if (!price) return price;
  for (const auto& item : existing) {
    if (item["price"] != (*price)["id"]) continue;
    return refuse(
        "A new item with Price " + text_of(*price, "id") +
            " can't be added to this Subscription because an existing Subscription Item " +
            text_of(item, "id") +
            " is already using that Price. If you want to update the existing item (e.g., "
            "to adjust the quantity), pass the existing Subscription Item's `id` in your "
            "update request: "
            "https://stripe.com/docs/api/subscriptions/"
            "update#update_subscription-items-id",
        "plan");
  }
  if (!existing.empty()) {
    const json& theirs = price_of_item(ctx, existing.front())["recurring"];
    const json& its = (*price)["recurring"];
    if (theirs["interval"] != its["interval"] ||
        theirs["interval_count"] != its["interval_count"]) {
      return not_simulated("The sandbox does not simulate items of different intervals yet.",
                           at + "[price]");
    }
  }
  json item = json::object();
  item["price"] = (*price)["id"];
  item["quantity"] = entry.contains("quantity") ? entry["quantity"] : json(1);
  item["metadata"] = entry.contains("metadata") ? entry["metadata"] : json(nullptr);
  return item;
}

answer<std::vector<item_change>> read_items(const context& ctx, const json& subscription) {
  std::vector<item_change> found;
  const auto existing = items_of(ctx, text_of(subscription, "id"));
  const json& given = ctx.param("items");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "items[" + std::to_string(i) + "]";
    const json& entry = given[i];
    if (!entry.contains("id")) {
      auto item = new_item(ctx, entry, at, subscription, existing);
      if (!item) return std::unexpected(item.error());
      found.push_back({nullptr, std::move(*item)});
      continue;
    }
    const auto it = std::find_if(existing.begin(), existing.end(),
                                 [&](const json& e) { return e["id"] == entry["id"]; });
    if (it == existing.end()) {
      return missing(kind::subscription_item, text_of(entry, "id"), at + "[id]", 400);
    }
    if (truth_of(entry, "deleted")) {
      found.push_back({*it, nullptr});
      continue;
    }
    auto item = changed_item(ctx, entry, at, subscription, *it);
    if (!item) return std::unexpected(item.error());
    found.push_back({*it, std::move(*item)});
  }
  const auto gone = std::count_if(found.begin(), found.end(),
                                  [](const item_change& c) { return c.after.is_null(); });
  const auto added = std::count_if(found.begin(), found.end(),
                                   [](const item_change& c) { return c.before.is_null(); });
  if (static_cast<std::size_t>(gone) >= existing.size() + static_cast<std::size_t>(added)) {
    return refuse("A subscription must have at least one active plan.", "items");
  }
  return found;
}

answer<changes> read_changes(const context& ctx, const json& subscription) {
  changes c;
  if (ctx.given("items")) {
    auto items = read_items(ctx, subscription);
    if (!items) return std::unexpected(items.error());
    c.items = std::move(*items);
  }
  const std::string behavior = ctx.text("proration_behavior");
  const std::string status = text_of(subscription, "status");
  c.prorates = behavior != "none" && (status == "active" || status == "past_due");
  c.bills_now = c.prorates && behavior == "always_invoice";
  c.at_s = ctx.given("proration_date") ? ctx.number("proration_date") : ctx.now;
  if (ctx.given("proration_date")) {
    const auto existing = items_of(ctx, text_of(subscription, "id"));
    for (const auto& item : existing) {
      if (c.at_s >= number_of(item, "current_period_start") &&
          c.at_s < number_of(item, "current_period_end")) {
        continue;
      }
      return refuse("Cannot set `proration_date` outside of the current billing period.",
                    "proration_date");
    }
  }
  return c;
}

bool is_billed_alike(const context& ctx, const item_change& c) {
  return !c.before.is_null() && !c.after.is_null() && c.before["price"] == c.after["price"] &&
         amount_of_item(ctx, c.before) == amount_of_item(ctx, c.after);
}

void apply_items(context& ctx, const json& subscription, const changes& c) {
  const std::string id = text_of(subscription, "id");
  for (const auto& change : c.items) {
    const bool prorates = c.prorates && !is_billed_alike(ctx, change);
    if (prorates && !change.before.is_null()) {
      credit_unused(ctx, subscription, change.before, c.at_s);
    }
    json after = change.after;
    if (after.is_null()) {
      ctx.state.leave_stub(kind::subscription_item, text_of(change.before, "id"));
      continue;
    }
    if (change.before.is_null()) {
      const json& price = ctx.state.at(kind::price, text_of(after, "price"));
      const bool trialing = text_of(subscription, "status") == "trialing";
      const std::int64_t end =
          trialing
              ? number_of(subscription, "trial_end")
              : cycle_at(number_of(subscription, "billing_cycle_anchor"), price, ctx.now).end_s;
      const std::string added =
          add_item(ctx, id, text_of(after, "price"), number_of(after, "quantity"),
                   after["metadata"], {ctx.now, end});
      after = ctx.state.at(kind::subscription_item, added);
    } else {
      ctx.state.replace(kind::subscription_item, after);
    }
    if (prorates) charge_remaining(ctx, subscription, after, c.at_s);
  }
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
  if (ctx.given("cancellation_details")) {
    merge_hash(subscription["cancellation_details"], ctx.param("cancellation_details"));
  }
  return {};
}

void set_periods(context& ctx, const std::string& subscription, period when) {
  for (json& item : items_of(ctx, subscription)) {
    item["current_period_start"] = when.start_s;
    item["current_period_end"] = when.end_s;
    ctx.state.replace(kind::subscription_item, item);
  }
}

answer<void> collect_now(context& ctx, const std::string& invoice) {
  invoicing::finalize(ctx, invoice);
  const json& document = ctx.state.at(kind::invoice, invoice);
  const bool charges = text_of(document, "collection_method") == "charge_automatically";
  if (!charges || text_of(document, "status") != "open") return {};
  const std::string behavior = ctx.text("payment_behavior");
  const std::string method = invoicing::payment_method_for(ctx, document);
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
  std::string method = text_of(s, "default_payment_method");
  if (method.empty()) {
    const json& settings = (ctx.state.at(kind::customer, customer))["invoice_settings"];
    method = text_of(settings, "default_payment_method");
  }
  s["trial_end"] = ctx.now;
  if (method.empty() && !sends) {
    const std::string wish = text_of(s["trial_settings"]["end_behavior"], "missing_payment_method");
    if (wish == "create_invoice") return invoicing::no_payment_method();
    if (wish == "pause") s["status"] = "paused";
    ctx.state.replace(kind::subscription, std::move(s));
    if (wish == "pause") {
      ctx.emit("customer.subscription.paused", kind::subscription, id);
      entitlements::refresh(ctx, customer);
    } else {
      cancel(ctx, id, false, false, nullptr);
    }
    return {};
  }
  const auto items = items_of(ctx, id);
  set_periods(ctx, id, cycle_at(ctx.now, price_of_item(ctx, items.front()), ctx.now));
  s["status"] = "active";
  s["billing_cycle_anchor"] = ctx.now;
  ctx.state.replace(kind::subscription, s);
  invoicing::order wanted;
  wanted.customer = customer;
  wanted.currency = text_of(s, "currency");
  wanted.billing_reason = "subscription_update";
  wanted.subscription = id;
  wanted.collection_method = text_of(s, "collection_method");
  wanted.auto_advance = sends;
  if (sends) wanted.due_date_s = ctx.now + number_of(s, "days_until_due") * day_s;
  wanted.period_start_s = wanted.period_end_s = ctx.now;
  wanted.lines = cycle_lines(ctx, id, false);
  const std::string invoice = invoicing::draft(ctx, wanted);
  s["latest_invoice"] = invoice;
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  if (sends) return {};
  return collect_now(ctx, invoice);
}

answer<void> move_trial(context& ctx, json& subscription) {
  const std::int64_t end = ctx.number("trial_end");
  if (end <= ctx.now) {
    return refuse(
        "The parameter `trial_end` expects a unix timestamp representing a date and time "
        "in the future. You specified the value `" +
            std::to_string(end) + "` which is in the past.",
        "trial_end");
  }
  if (text_of(subscription, "status") != "trialing") {
    return not_simulated("The sandbox simulates a new trial_end of trialing subscriptions alone.",
                         "trial_end");
  }
  subscription["trial_end"] = end;
  subscription["billing_cycle_anchor"] = end;
  if (truth_of(subscription, "cancel_at_period_end")) subscription["cancel_at"] = end;
  set_periods(ctx, text_of(subscription, "id"), {ctx.now, end});
  return {};
}

}  // namespace

const params::schema& update_takes() {
  static const params::schema takes = {
      automatic_tax_field(),
      params::boolean("cancel_at_period_end"),
      cancel_takes().front(),
      params::choice("collection_method", {"charge_automatically", "send_invoice"}),
      params::integer("days_until_due").at_least(0).at_most(365),
      params::text("default_payment_method").clearable(),
      params::text("description", 500).clearable(),
      params::list("items",
                   {params::text("id"), params::text("price"), params::boolean("deleted"),
                    params::integer("quantity").at_least(0).at_most(999'999), params::metadata(),
                    params::unsimulated("billing_thresholds"), params::unsimulated("clear_usage"),
                    params::unsimulated("current_trial"), params::unsimulated("discounts"),
                    params::unsimulated("plan"), params::unsimulated("price_data"),
                    params::unsimulated("tax_rates")}),
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
      trial_settings_field()};
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
  if (ctx.text("payment_behavior") == "pending_if_incomplete") {
    return not_simulated("The sandbox does not simulate pending updates yet.", "payment_behavior");
  }
  const auto c = read_changes(ctx, s);
  if (!c) return std::unexpected(c.error());
  const json before = ctx.shown(kind::subscription, id);
  const std::string customer = text_of(s, "customer");
  ctx.watch_customer(customer);
  apply_items(ctx, s, *c);
  if (auto taken = take_plain(ctx, s); !taken) return std::unexpected(taken.error());
  const bool ends_trial = ctx.param("trial_end") == "now" && text_of(s, "status") == "trialing";
  if (ctx.given("trial_end") && ctx.param("trial_end") != "now") {
    if (auto moved = move_trial(ctx, s); !moved) return std::unexpected(moved.error());
  }
  if (!c->items.empty()) refresh_derived(ctx, s);
  std::string invoice;
  if (c->bills_now) invoice = bill_pending(ctx, s, "subscription_update");
  if (!invoice.empty()) s["latest_invoice"] = invoice;
  ctx.state.replace(kind::subscription, std::move(s));
  if (ends_trial) {
    if (auto ended = end_trial(ctx, id, before); !ended) return std::unexpected(ended.error());
  } else {
    ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  }
  if (!invoice.empty()) {
    if (auto paid = collect_now(ctx, invoice); !paid) return std::unexpected(paid.error());
  }
  if (!c->items.empty()) entitlements::refresh(ctx, customer);
  return ctx.shown(kind::subscription, id);
}

}  // namespace tilld::sandbox::subscriptions
