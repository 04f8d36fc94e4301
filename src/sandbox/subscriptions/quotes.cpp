#include "sandbox/subscriptions/quotes.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/subscriptions/quote_parts.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"

namespace tilld::sandbox::quotes {

namespace {

constexpr auto of = kind::quote;
// Source: https://docs.stripe.com/quotes/overview (expiration)
constexpr std::int64_t open_for_s = 30 * day_s;

params::schema shared_fields() {
  params::schema fields = {
      subscriptions::automatic_tax_field(),
      params::choice("collection_method", {"charge_automatically", "send_invoice"}),
      params::text("customer"),
      tax_rates::field("default_tax_rates"),
      params::text("description", 500).clearable(),
      discounts::field(),
      params::timestamp("expires_at"),
      params::text("footer", 500).clearable(),
      params::text("header", 50).clearable(),
      params::hash("invoice_settings", {params::integer("days_until_due").at_least(0).at_most(365),
                                        params::unsimulated("issuer")}),
      params::metadata(),
      params::hash(
          "subscription_data",
          {params::text("description", 500).clearable(),
           params::timestamp("effective_date").or_word("current_period_end").clearable(),
           params::metadata(),
           params::integer("trial_period_days").at_least(1).at_most(730).clearable(),
           params::hash("billing_mode", {params::choice("type", {"classic", "flexible"}).needed(),
                                         params::unsimulated("flexible")})})};
  for (const char* name : {"application_fee_amount", "application_fee_percent", "customer_account",
                           "on_behalf_of", "transfer_data"}) {
    fields.push_back(params::unsimulated(name));
  }
  return fields;
}

json blank_quote(context& ctx) {
  json quote = ctx.make(of);
  quote["amount_subtotal"] = 0;
  quote["amount_total"] = 0;
  quote["automatic_tax"] = {
      {"enabled", false}, {"liability", nullptr}, {"provider", nullptr}, {"status", nullptr}};
  quote["collection_method"] = "charge_automatically";
  quote["default_tax_rates"] = json::array();
  quote["discounts"] = json::array();
  quote["expires_at"] = ctx.now + open_for_s;
  quote["invoice_settings"] = {{"custom_fields", nullptr},
                               {"days_until_due", nullptr},
                               {"description", nullptr},
                               {"footer", nullptr},
                               {"issuer", {{"type", "self"}}}};
  quote["status"] = "draft";
  quote["status_transitions"] = {
      {"accepted_at", nullptr}, {"canceled_at", nullptr}, {"finalized_at", nullptr}};
  quote["subscription_data"] = {
      {"billing_mode", {{"flexible", {{"proration_discounts", "included"}}}, {"type", "flexible"}}},
      {"description", nullptr},
      {"effective_date", nullptr},
      {"metadata", nullptr},
      {"trial_period_days", nullptr}};
  return quote;
}

answer<void> take_subscription_data(const context& ctx, json& quote) {
  const json& given = ctx.param("subscription_data");
  if (!given.is_object()) return {};
  json& data = quote["subscription_data"];
  for (const char* name : {"description", "effective_date", "metadata", "trial_period_days"}) {
    if (given.contains(name)) data[name] = given[name];
  }
  if (data["effective_date"].is_string()) {
    return not_simulated("The sandbox does not simulate quotes that change a subscription.",
                         "subscription_data[effective_date]");
  }
  if (!given.contains("billing_mode")) return {};
  const bool classic = text_of(given["billing_mode"], "type") == "classic";
  data["billing_mode"]["type"] = given["billing_mode"]["type"];
  data["billing_mode"]["flexible"] =
      classic ? json(nullptr) : json{{"proration_discounts", "included"}};
  return {};
}

answer<void> take_expiry(const context& ctx, json& quote) {
  if (ctx.given("expires_at")) quote["expires_at"] = ctx.number("expires_at");
  quote["_due"] = quote["expires_at"];
  if (number_of(quote, "expires_at") > ctx.now) return {};
  return refuse("The `expires_at` of a quote must be in the future.", "expires_at");
}

answer<void> take_fields(const context& ctx, json& quote) {
  if (truth_of(ctx.param("automatic_tax"), "enabled")) {
    return not_simulated("The sandbox does not simulate automatic tax yet.",
                         "automatic_tax[enabled]");
  }
  if (ctx.given("test_clock")) {
    auto known = ctx.referred(kind::test_clock, ctx.text("test_clock"), "test_clock");
    if (!known) return std::unexpected(known.error());
  }
  if (ctx.given("customer")) {
    auto known = ctx.referred(kind::customer, ctx.text("customer"), "customer");
    if (!known) return std::unexpected(known.error());
    quote["customer"] = ctx.param("customer");
    // It lives by its customer's time.
    quote["test_clock"] = (*known)["test_clock"];
  }
  if (ctx.given("default_tax_rates")) {
    auto rates = tax_rates::read(ctx, ctx.param("default_tax_rates"), "default_tax_rates",
                                 quote["default_tax_rates"]);
    if (!rates) return std::unexpected(rates.error());
    quote["default_tax_rates"] = std::move(*rates);
  }
  ctx.copy_given(quote, {"collection_method", "description", "footer", "header"});
  if (ctx.given("invoice_settings")) {
    merge_hash(quote["invoice_settings"], ctx.param("invoice_settings"));
  }
  if (auto taken = take_subscription_data(ctx, quote); !taken) return taken;
  if (auto taken = take_expiry(ctx, quote); !taken) return taken;
  if (!ctx.given("metadata")) return {};
  return merge_metadata(quote, ctx.param("metadata"));
}

answer<void> put_discounts(context& ctx, json& quote, const json& given) {
  discounts::owner o;
  o.of = of;
  o.id = text_of(quote, "id");
  o.customer = text_of(quote, "customer");
  o.currency = text_of(quote, "currency");
  o.amount = number_of(quote, "amount_subtotal");
  o.promised = true;
  auto put = discounts::put(ctx, o, given, "discounts");
  if (!put) return std::unexpected(put.error());
  quote["discounts"] = std::move(*put);
  return {};
}

// Its lines, its discounts and what they come to. The quote is in the world.
answer<void> take_lines(context& ctx, json& quote) {
  if (ctx.given("line_items")) {
    const json given = ctx.param("line_items");
    if (auto put = put_lines(ctx, quote, given); !put) return put;
  }
  reckon(ctx, quote);
  if (ctx.given("discounts")) {
    const json given = ctx.param("discounts");
    if (auto put = put_discounts(ctx, quote, given); !put) return put;
    reckon(ctx, quote);
  }
  return {};
}

// A copy of another quote, as a draft. Not yet in the world.
answer<json> copy_of(context& ctx, const json& given) {
  if (truth_of(given, "is_revision")) {
    return not_simulated("The sandbox does not simulate revisions of quotes.",
                         "from_quote[is_revision]");
  }
  auto other = ctx.referred(of, text_of(given, "quote"), "from_quote[quote]");
  if (!other) return other;
  json quote = blank_quote(ctx);
  for (const char* name :
       {"collection_method", "customer", "default_tax_rates", "description", "footer", "header",
        "invoice_settings", "metadata", "subscription_data"}) {
    quote[name] = (*other)[name];
  }
  quote["from_quote"] = {{"is_revision", false}, {"quote", (*other)["id"]}};
  return quote;
}

answer<void> copy_terms(context& ctx, json& quote) {
  const json other = ctx.state.live(of, text_of(quote["from_quote"], "quote"));
  const std::string id = text_of(quote, "id");
  if (!ctx.given("line_items")) copy_lines(ctx, other, id);
  if (ctx.given("discounts")) return {};
  quote["currency"] = other["currency"];
  return put_discounts(ctx, quote, promised_discounts(ctx, text_of(other, "id")));
}

answer<void> check_status(const json& quote, const char* verb,
                          std::initializer_list<const char*> allowed) {
  const std::string status = text_of(quote, "status");
  const bool fine =
      std::any_of(allowed.begin(), allowed.end(), [&](const char* a) { return status == a; });
  if (fine) return {};
  return refuse("You cannot " + std::string(verb) + " a quote with a status of `" + status + "`.");
}

// "QT-AB12CD34-0003-1": the customer's prefix, its third quote, the first revision of that.
std::string next_number(const context& ctx, const json& quote) {
  const std::string customer = text_of(quote, "customer");
  int count = 1;
  for (const json* other : ctx.state.with(of, "customer", customer))
    if (!is_null(*other, "number")) ++count;
  char tail[24];
  std::snprintf(tail, sizeof tail, "-%04d-1", count);
  return "QT-" + text_of(ctx.state.at(kind::customer, customer), "invoice_prefix") + tail;
}

// What could not be accepted is not offered.
answer<void> try_acceptance(context& ctx, const json& quote) {
  const bool foresaw = std::exchange(ctx.foresees, true);
  auto tried = ctx.as_if([&]() -> answer<void> {
    json copy = quote;
    return carry_out(ctx, copy);
  });
  ctx.foresees = foresaw;
  return tried;
}

void end(context& ctx, json quote) {
  const std::string id = text_of(quote, "id");
  quote["status"] = "canceled";
  quote["status_transitions"]["canceled_at"] = ctx.now;
  quote["_due"] = nullptr;
  ctx.state.replace(of, std::move(quote));
  ctx.emit("quote.canceled", of, id);
}

answer<json> list_lines(context& ctx, bool upfront) {
  const std::string& id = ctx.arguments.front();
  auto quote = ctx.object(of, id);
  if (!quote) return quote;
  filter shown;
  shown.where.push_back({"_parent", {id}});
  if (upfront && !is_null((*quote)["subscription_data"], "trial_period_days")) {
    shown.also.push_back([&ctx](const json& line) { return !recurs(ctx, line); });
  }
  return list_page(ctx, kind::item, shown, list_order::oldest_first);
}

}  // namespace

void fall_due(context& ctx, const std::string& id) {
  end(ctx, ctx.state.live(of, id));
}

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::hash(
        "from_quote", {params::text("quote").needed(), params::boolean("is_revision")}));
    fields.push_back(lines_field(false));
    fields.push_back(params::text("test_clock"));
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  json quote;
  if (ctx.given("from_quote")) {
    const json given = ctx.param("from_quote");
    auto copied = copy_of(ctx, given);
    if (!copied) return copied;
    quote = std::move(*copied);
  } else {
    quote = blank_quote(ctx);
  }
  const std::string id = text_of(quote, "id");
  if (auto taken = take_fields(ctx, quote); !taken) return std::unexpected(taken.error());
  ctx.state.insert(of, quote);
  if (ctx.given("from_quote")) {
    if (auto copied = copy_terms(ctx, quote); !copied) return std::unexpected(copied.error());
  }
  if (auto taken = take_lines(ctx, quote); !taken) return std::unexpected(taken.error());
  ctx.state.replace(of, std::move(quote));
  ctx.emit("quote.created", of, id);
  return ctx.shown(of, id);
}

answer<json> retrieve(context& ctx) {
  auto quote = ctx.object();
  if (!quote) return quote;
  return view_of(ctx.state, of, *quote);
}

const params::schema& update_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(lines_field(true));
    return fields;
  }();
  return takes;
}

// There is no event for a changed quote.
answer<json> update(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json quote = std::move(*found);
  const std::string id = text_of(quote, "id");
  if (auto can = check_status(quote, "update", {"draft"}); !can) {
    return std::unexpected(can.error());
  }
  if (auto taken = take_fields(ctx, quote); !taken) return std::unexpected(taken.error());
  if (auto taken = take_lines(ctx, quote); !taken) return std::unexpected(taken.error());
  ctx.state.replace(of, std::move(quote));
  return ctx.shown(of, id);
}

const params::schema& finalize_takes() {
  static const params::schema takes = {params::timestamp("expires_at")};
  return takes;
}

answer<json> finalize(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json quote = std::move(*found);
  const std::string id = text_of(quote, "id");
  if (auto can = check_status(quote, "finalize", {"draft"}); !can) {
    return std::unexpected(can.error());
  }
  if (is_null(quote, "customer")) {
    return refuse("You cannot finalize a quote without a customer.", "customer");
  }
  if (lines_of(ctx, id).empty()) {
    return refuse("You cannot finalize a quote without line items.", "line_items");
  }
  if (auto taken = take_expiry(ctx, quote); !taken) return std::unexpected(taken.error());
  if (auto tried = try_acceptance(ctx, quote); !tried) return std::unexpected(tried.error());
  quote["number"] = next_number(ctx, quote);
  quote["status"] = "open";
  quote["status_transitions"]["finalized_at"] = ctx.now;
  ctx.state.replace(of, std::move(quote));
  ctx.emit("quote.finalized", of, id);
  return ctx.shown(of, id);
}

answer<json> accept(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json quote = std::move(*found);
  const std::string id = text_of(quote, "id");
  if (auto can = check_status(quote, "accept", {"open"}); !can) {
    return std::unexpected(can.error());
  }
  ctx.watch_customer(text_of(quote, "customer"));
  if (auto done = carry_out(ctx, quote); !done) return std::unexpected(done.error());
  quote["status"] = "accepted";
  quote["status_transitions"]["accepted_at"] = ctx.now;
  quote["_due"] = nullptr;
  ctx.state.replace(of, std::move(quote));
  ctx.emit("quote.accepted", of, id);
  return ctx.shown(of, id);
}

answer<json> cancel(context& ctx) {
  auto quote = ctx.object();
  if (!quote) return quote;
  const std::string id = text_of(*quote, "id");
  if (auto can = check_status(*quote, "cancel", {"draft", "open"}); !can) {
    return std::unexpected(can.error());
  }
  end(ctx, std::move(*quote));
  return ctx.shown(of, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {
      params::text("customer"), params::choice("status", {"accepted", "canceled", "draft", "open"}),
      params::text("test_clock"), params::unsimulated("customer_account")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  shown.equal(ctx, "status", "status");
  shown.also_equal(ctx, "test_clock");
  if (!ctx.given("test_clock") && !ctx.given("customer")) {
    shown.also.push_back([](const json& quote) { return is_null(quote, "test_clock"); });
  }
  return list_page(ctx, of, shown);
}

answer<json> line_items(context& ctx) {
  return list_lines(ctx, false);
}

answer<json> upfront_line_items(context& ctx) {
  return list_lines(ctx, true);
}

}  // namespace tilld::sandbox::quotes
