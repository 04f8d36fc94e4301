// What the phases of a schedule say, read from requests.
// Source: https://docs.stripe.com/api/subscription_schedules/create
#include <algorithm>
#include <utility>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/subscriptions/metered.hpp"
#include "sandbox/subscriptions/schedule_parts.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"
#include "sandbox/subscriptions/terms.hpp"

namespace tilld::sandbox::schedules {

namespace {

// Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules
constexpr std::size_t most_phases = 10;

params::field billing_cycle_anchor_field() {
  return params::choice("billing_cycle_anchor", {"automatic", "phase_start"});
}

params::field invoice_settings_field() {
  return params::hash("invoice_settings",
                      {params::integer("days_until_due").at_least(0).at_most(365),
                       params::unsimulated("account_tax_ids"), params::unsimulated("custom_fields"),
                       params::unsimulated("description"), params::unsimulated("footer"),
                       params::unsimulated("issuer")});
}

params::field collection_field() {
  return params::choice("collection_method", {"charge_automatically", "send_invoice"});
}

params::field items_field() {
  return params::list("items",
                      {params::text("price"), prices::data_field("price_data", true),
                       params::integer("quantity").at_least(0).at_most(999'999), params::metadata(),
                       discounts::field(), tax_rates::field("tax_rates"),
                       params::unsimulated("billing_thresholds"), params::unsimulated("plan"),
                       params::unsimulated("trial")})
      .needed();
}

json or_null(const json& entry, const char* name) {
  return entry.contains(name) ? entry[name] : json(nullptr);
}

json or_empty(const json& entry, const char* name) {
  return entry.contains(name) && entry[name].is_array() ? entry[name] : json::array();
}

json metadata_of(const json& entry) {
  return entry.contains("metadata") && entry["metadata"].is_object() ? entry["metadata"]
                                                                     : json::object();
}

// Where a phase is: its schedule's subscription, if there is one, its start, and what whole periods
// count from.
struct place {
  std::string subscription;
  std::int64_t start_s = 0;
  std::int64_t anchor_s = 0;
};

// {coupon}, {discount} or {promotion_code}, each with the two others as null. Coupons and codes are
// checked when the phase is tried; a discount must be the subscription's own.
answer<json> discounts_of(const context& ctx, const json& entry, const place& p,
                          const std::string& at) {
  json all = json::array();
  const json given = or_empty(entry, "discounts");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string param = at + "[discounts][" + std::to_string(i) + "]";
    if (given[i].size() != 1) {
      return refuse("You must specify exactly one of coupon, discount or promotion_code.", param);
    }
    if (given[i].contains("discount")) {
      auto discount =
          ctx.referred(kind::discount, text_of(given[i], "discount"), param + "[discount]");
      if (!discount) return discount;
      if (p.subscription.empty() || text_of(*discount, "subscription") != p.subscription) {
        return not_simulated("The sandbox does not simulate taking over another object's discount.",
                             param + "[discount]");
      }
    }
    json one = {{"coupon", nullptr}, {"discount", nullptr}, {"promotion_code", nullptr}};
    one.update(given[i]);
    all.push_back(std::move(one));
  }
  return all;
}

answer<json> item_of(context& ctx, const json& entry, const place& p, const std::string& at,
                     std::string& currency) {
  auto discounts = discounts_of(ctx, entry, p, at);
  if (!discounts) return discounts;
  auto price = subscriptions::price_of_entry(ctx, entry, at, currency);
  if (!price) return price;
  if (currency.empty()) currency = text_of(*price, "currency");
  json item = json::object();
  item["billing_thresholds"] = nullptr;
  item["discounts"] = std::move(*discounts);
  item["metadata"] = metadata_of(entry);
  item["plan"] = (*price)["id"];
  item["price"] = (*price)["id"];
  item["quantity"] = nullptr;
  if (auto taken = subscriptions::take_quantity(item, *price, entry, at); !taken) {
    return std::unexpected(taken.error());
  }
  item["tax_rates"] = or_empty(entry, "tax_rates");
  return item;
}

answer<json> added_item_of(context& ctx, const json& entry, const place& p, const std::string& at) {
  auto discounts = discounts_of(ctx, entry, p, at);
  if (!discounts) return discounts;
  if (entry.contains("price") == entry.contains("price_data")) {
    return refuse("You must specify exactly one of price or price_data.", at);
  }
  auto price = entry.contains("price")
                   ? ctx.referred(kind::price, text_of(entry, "price"), at + "[price]")
                   : prices::make_inline(ctx, entry["price_data"], at + "[price_data]");
  if (!price) return price;
  json item = json::object();
  item["discounts"] = std::move(*discounts);
  item["metadata"] = metadata_of(entry);
  item["period"] = {{"end", {{"type", "min_item_period_end"}}},
                    {"start", {{"type", "phase_start"}}}};
  item["price"] = (*price)["id"];
  item["quantity"] = entry.contains("quantity") ? entry["quantity"] : json(1);
  item["tax_rates"] = or_empty(entry, "tax_rates");
  return item;
}

template <class Read>
answer<json> read_each(const json& given, const std::string& at, const Read& read) {
  json all = json::array();
  for (std::size_t i = 0; i < given.size(); ++i) {
    auto one = read(given[i], at + "[" + std::to_string(i) + "]");
    if (!one) return one;
    all.push_back(std::move(*one));
  }
  return all;
}

// Months are counted from the anchor, so that the 31st comes back after February.
std::int64_t after(const place& p, const std::string& interval, std::int64_t count) {
  for (std::int64_t k = 0; after_intervals(p.anchor_s, interval, k) <= p.start_s; ++k) {
    if (after_intervals(p.anchor_s, interval, k) == p.start_s) {
      return after_intervals(p.anchor_s, interval, k + count);
    }
  }
  return after_intervals(p.start_s, interval, count);
}

answer<std::int64_t> end_of(const context& ctx, const json& entry, const json& next, const place& p,
                            const json& first_price, const std::string& at) {
  if (entry.contains("end_date") && entry.contains("duration")) {
    return refuse("You may only specify one of these parameters: end_date, duration.", at);
  }
  std::int64_t end = 0;
  if (entry.contains("end_date")) {
    end = entry["end_date"] == "now" ? ctx.now : number_of(entry, "end_date");
  } else if (entry.contains("duration")) {
    const json& given = entry["duration"];
    const std::int64_t count =
        given.contains("interval_count") ? number_of(given, "interval_count") : 1;
    end = after(p, text_of(given, "interval"), count);
  } else if (next.is_object() && next.contains("start_date")) {
    end = next["start_date"] == "now" ? ctx.now : number_of(next, "start_date");
  } else {
    const json& recurring = first_price["recurring"];
    end = after(p, text_of(recurring, "interval"), number_of(recurring, "interval_count"));
  }
  if (end <= p.start_s) {
    return refuse("The `end_date` of a phase must be after its `start_date`.", at + "[end_date]");
  }
  return end;
}

answer<json> trial_end_of(const json& entry, const place& p, std::int64_t end_s,
                          const std::string& at) {
  if (entry.contains("trial") && entry.contains("trial_end")) {
    return refuse("You may only specify one of these parameters: trial, trial_end.", at);
  }
  if (truth_of(entry, "trial")) return json(end_s);
  if (!entry.contains("trial_end") || entry["trial_end"] == "now") return json(nullptr);
  const std::int64_t trial_end = number_of(entry, "trial_end");
  if (trial_end <= p.start_s || trial_end > end_s) {
    return refuse("The `trial_end` of a phase must be within the phase.", at + "[trial_end]");
  }
  return json(trial_end);
}

answer<json> read_phase(context& ctx, const json& entry, const json& next, const place& p,
                        const std::string& at) {
  std::string currency = text_of(entry, "currency");
  if (entry["items"].empty()) return refuse(stripe::parameter_missing(at + "[items]"));
  auto items = read_each(entry["items"], at + "[items]", [&](const json& e, const std::string& in) {
    return item_of(ctx, e, p, in, currency);
  });
  if (!items) return items;
  auto added =
      read_each(or_empty(entry, "add_invoice_items"), at + "[add_invoice_items]",
                [&](const json& e, const std::string& in) { return added_item_of(ctx, e, p, in); });
  if (!added) return added;
  const json price = ctx.state.at(kind::price, text_of(items->front(), "price"));
  const auto end = end_of(ctx, entry, next, p, price, at);
  if (!end) return std::unexpected(end.error());
  auto trial_end = trial_end_of(entry, p, *end, at);
  if (!trial_end) return trial_end;
  auto discounts = discounts_of(ctx, entry, p, at);
  if (!discounts) return discounts;
  if (truth_of(or_null(entry, "automatic_tax"), "enabled")) {
    return not_simulated("The sandbox does not simulate automatic tax yet.",
                         at + "[automatic_tax][enabled]");
  }
  json phase = json::object();
  phase["add_invoice_items"] = std::move(*added);
  phase["application_fee_percent"] = nullptr;
  phase["billing_cycle_anchor"] = or_null(entry, "billing_cycle_anchor");
  phase["billing_thresholds"] = nullptr;
  phase["collection_method"] = or_null(entry, "collection_method");
  phase["currency"] = currency;
  phase["default_payment_method"] = or_null(entry, "default_payment_method");
  phase["default_tax_rates"] = or_empty(entry, "default_tax_rates");
  phase["description"] = or_null(entry, "description");
  phase["discounts"] = std::move(*discounts);
  phase["end_date"] = *end;
  phase["invoice_settings"] = entry.contains("invoice_settings")
                                  ? invoice_settings_of(entry["invoice_settings"])
                                  : json(nullptr);
  phase["items"] = std::move(*items);
  phase["metadata"] = metadata_of(entry);
  phase["on_behalf_of"] = nullptr;
  phase["proration_behavior"] = entry.contains("proration_behavior") ? entry["proration_behavior"]
                                                                     : json("create_prorations");
  phase["start_date"] = p.start_s;
  phase["transfer_data"] = nullptr;
  phase["trial_end"] = std::move(*trial_end);
  return phase;
}

// "items[0][price]" of a subscription is "phases[1][items][0][price]" of the schedule.
failure within_phase(failure f, const std::string& at) {
  std::string& param = f.error.param;
  if (param.empty()) return f;
  const auto first = param.substr(0, param.find('['));
  param = at + "[" + first + "]" + param.substr(first.size());
  return f;
}

// What could not begin is refused while somebody is there to read it.
answer<void> try_phase(context& ctx, const json& schedule, const json& phase,
                       const std::string& at) {
  const aside kept(ctx);
  const bool foresaw = std::exchange(ctx.foresees, true);
  auto tried = ctx.as_if([&]() -> answer<void> {
    ctx.now = std::max(ctx.now, number_of(phase, "start_date"));
    auto made = ask(ctx, subscriptions::create, params_to_create(ctx, schedule, phase), {},
                    "/v1/subscriptions");
    if (!made) return std::unexpected(within_phase(made.error(), at));
    return {};
  });
  ctx.foresees = foresaw;
  return tried;
}

}  // namespace

params::field phases_field(bool of_update) {
  auto end_date = params::timestamp("end_date");
  auto trial_end = params::timestamp("trial_end");
  std::vector<params::field> members = {
      invoiceitems::added_field(),
      params::unsimulated("application_fee_percent"),
      subscriptions::automatic_tax_field(),
      billing_cycle_anchor_field(),
      params::unsimulated("billing_thresholds"),
      collection_field(),
      params::currency("currency"),
      params::text("default_payment_method"),
      tax_rates::field("default_tax_rates"),
      params::text("description", 500).clearable(),
      discounts::field(),
      params::hash("duration",
                   {params::choice("interval", {"day", "month", "week", "year"}).needed(),
                    params::integer("interval_count").at_least(1).at_most(1'000)}),
      of_update ? std::move(end_date).or_word("now") : std::move(end_date),
      invoice_settings_field(),
      items_field(),
      params::metadata(),
      params::unsimulated("on_behalf_of"),
      subscriptions::proration_behavior_field(),
      params::unsimulated("transfer_data"),
      params::boolean("trial"),
      of_update ? std::move(trial_end).or_word("now") : std::move(trial_end)};
  if (of_update) members.push_back(params::timestamp("start_date").or_word("now"));
  return params::list("phases", std::move(members));
}

params::field default_settings_field() {
  return params::hash(
      "default_settings",
      {params::unsimulated("application_fee_percent"), subscriptions::automatic_tax_field(),
       billing_cycle_anchor_field(), params::unsimulated("billing_thresholds"), collection_field(),
       params::text("default_payment_method").clearable(),
       params::text("description", 500).clearable(), invoice_settings_field(),
       params::unsimulated("on_behalf_of"), params::unsimulated("transfer_data")});
}

answer<json> read_default_settings(const context& ctx, const json& standing) {
  const json& given = ctx.param("default_settings");
  json settings = standing.is_null() ? settings_of(json::object()) : standing;
  if (!given.is_object()) return settings;
  if (given.contains("automatic_tax") && truth_of(given["automatic_tax"], "enabled")) {
    return not_simulated("The sandbox does not simulate automatic tax yet.",
                         "default_settings[automatic_tax][enabled]");
  }
  for (const char* name :
       {"billing_cycle_anchor", "collection_method", "default_payment_method", "description"}) {
    if (given.contains(name)) settings[name] = given[name];
  }
  if (given.contains("invoice_settings")) {
    settings["invoice_settings"] = invoice_settings_of(given["invoice_settings"]);
  }
  return settings;
}

answer<json> read_phases(context& ctx, const json& schedule, const json& given,
                         std::int64_t start_s) {
  if (given.empty()) return refuse(stripe::parameter_missing("phases"));
  if (given.size() > most_phases) {
    return refuse("A subscription schedule can have at most 10 current and future phases.",
                  "phases");
  }
  json phases = json::array();
  place p{text_of(schedule, "subscription"), start_s, start_s};
  if (!p.subscription.empty()) {
    p.anchor_s =
        number_of(ctx.state.at(kind::subscription, p.subscription), "billing_cycle_anchor");
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "phases[" + std::to_string(i) + "]";
    const json& entry = given[i];
    const bool anchored = text_of(entry, "billing_cycle_anchor") == "phase_start";
    if (anchored && i > 0) p.anchor_s = p.start_s;
    if (i > 0 && entry.contains("start_date") && entry["start_date"] != p.start_s) {
      return refuse("The `start_date` of a phase must be the `end_date` of the phase before it.",
                    at + "[start_date]");
    }
    auto phase = read_phase(ctx, entry, i + 1 < given.size() ? given[i + 1] : json(nullptr), p, at);
    if (!phase) return phase;
    p.start_s = number_of(*phase, "end_date");
    phases.push_back(std::move(*phase));
  }
  json whole = schedule;
  whole["phases"] = phases;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const std::string at = "phases[" + std::to_string(i) + "]";
    if (number_of(phases[i], "end_date") <= ctx.now) continue;
    if (auto tried = try_phase(ctx, whole, phases[i], at); !tried) {
      return std::unexpected(tried.error());
    }
  }
  return phases;
}

}  // namespace tilld::sandbox::schedules
