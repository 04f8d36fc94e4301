#include "sandbox/pages/checkout.hpp"

#include <algorithm>

#include "sandbox/catalogue/amounts.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/products.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::checkout {

namespace {

constexpr std::int64_t open_for_s = day_s;
constexpr std::int64_t least_open_s = 30 * 60;

// A price made on the way, of a product that is there or made likewise; recurring or not.
params::field price_data_field() {
  auto data = prices::data_field("price_data", true);
  for (auto& member : data.members) {
    if (member.name == "product" || member.name == "recurring") member.required = false;
  }
  data.members.push_back(params::hash(
      "product_data", {params::text("name").needed(), params::text("description"),
                       params::metadata(), params::unsimulated("images"),
                       params::unsimulated("tax_code"), params::unsimulated("unit_label")}));
  return data;
}

// The price that a line names or makes.
answer<json> price_of_line(context& ctx, const json& line, const std::string& at) {
  // Of a payment link, which has checked it when it was made.
  if (line.contains("_price")) return ctx.state.at(kind::price, text_of(line, "_price"));
  if (line.contains("price") == line.contains("price_data")) {
    return refuse("You must specify either `price` or `price_data` for each line item.", at);
  }
  if (line.contains("price_data")) {
    json data = line["price_data"];
    if (data.contains("product") == data.contains("product_data")) {
      return refuse("You must specify either `product` or `product_data` in `price_data`.",
                    at + "[price_data]");
    }
    if (data.contains("product_data")) {
      data["product"] = products::make(ctx, data["product_data"]);
      data.erase("product_data");
    }
    return prices::make_inline(ctx, data, at + "[price_data]");
  }
  auto price = ctx.referred(kind::price, text_of(line, "price"), at + "[price]");
  if (price && !truth_of(*price, "active")) {
    return refuse("The price specified is inactive. This field only accepts active prices.",
                  at + "[price]");
  }
  return price;
}

bool recurs(const context& ctx, const json& item) {
  return ctx.state.at(kind::price, text_of(item, "price"))["recurring"].is_object();
}

answer<void> check_lines(const context& ctx, const std::vector<json>& items) {
  const std::string mode = ctx.text("mode");
  bool recurring = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool repeats = recurs(ctx, items[i]);
    recurring = recurring || repeats;
    if (!repeats || mode != "payment") continue;
    return refuse(
        "You specified `payment` mode but passed a recurring price. Either switch to "
        "`subscription` mode or use only one-time prices.",
        "line_items[" + std::to_string(i) + "][price]");
  }
  if (mode == "subscription" && !recurring) {
    return refuse(
        "You must provide at least one recurring price in `subscription` mode when using prices.",
        "line_items");
  }
  return {};
}

answer<void> check_modes(const context& ctx) {
  const std::string mode = ctx.text("mode");
  struct rule {
    const char* param;
    const char* mode;
  };
  for (const rule& r :
       {rule{"subscription_data", "subscription"}, rule{"payment_intent_data", "payment"},
        rule{"setup_intent_data", "setup"}, rule{"customer_creation", "payment"}}) {
    if (!ctx.given(r.param) || mode == r.mode) continue;
    return refuse("You can not pass `" + std::string(r.param) + "` in `" + mode + "` mode.",
                  r.param);
  }
  if (mode != "setup" && (!ctx.given("line_items") || ctx.param("line_items").empty())) {
    return refuse(stripe::parameter_missing("line_items"));
  }
  if (mode == "setup" && ctx.given("line_items")) {
    return refuse("You can not pass `line_items` in `setup` mode.", "line_items");
  }
  if (ctx.given("discounts") && (mode == "setup" || ctx.given("allow_promotion_codes"))) {
    return refuse(mode == "setup" ? "You can not pass `discounts` in `setup` mode."
                                  : "You may only specify one of these parameters: "
                                    "allow_promotion_codes, discounts.",
                  "discounts");
  }
  if (ctx.given("customer") && ctx.given("customer_email")) {
    return refuse("You may only specify one of these parameters: customer, customer_email.",
                  "customer_email");
  }
  if (!ctx.given("success_url")) return refuse(stripe::parameter_missing("success_url"));
  if (ctx.given("expires_at")) {
    const std::int64_t at = ctx.number("expires_at");
    if (at < ctx.now + least_open_s || at > ctx.now + open_for_s) {
      return refuse(
          "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from "
          "Checkout Session creation.",
          "expires_at");
    }
  }
  return {};
}

json blank_session(context& ctx) {
  json s = ctx.make(kind::checkout_session);
  s["adaptive_pricing"] = {{"enabled", false}};
  s["automatic_tax"] = {
      {"enabled", false}, {"liability", nullptr}, {"provider", nullptr}, {"status", nullptr}};
  s["custom_fields"] = json::array();
  s["custom_text"] = {{"after_submit", nullptr},
                      {"shipping_address", nullptr},
                      {"submit", nullptr},
                      {"terms_of_service_acceptance", nullptr}};
  s["payment_method_options"] = {{"card", {{"request_three_d_secure", "automatic"}}}};
  s["payment_method_types"] = json::array({"card"});
  s["phone_number_collection"] = {{"enabled", false}};
  s["shipping_options"] = json::array();
  s["status"] = "open";
  s["ui_mode"] = "hosted";
  return s;
}

void set_amounts(json& session, const std::vector<json>& items) {
  if (items.empty()) return;
  std::int64_t sum = 0;
  for (const auto& item : items)
    sum += number_of(item, "amount_total");
  session["amount_subtotal"] = sum;
  session["amount_total"] = sum;
  session["currency"] = items.front()["currency"];
  session["total_details"] = {{"amount_discount", 0}, {"amount_shipping", 0}, {"amount_tax", 0}};
}

bool is_open(const json& session) {
  return text_of(session, "status") == "open";
}

void end(context& ctx, json session) {
  const std::string id = text_of(session, "id");
  let_go(ctx, session);
  session["status"] = "expired";
  session["url"] = nullptr;
  session.erase("_due");
  ctx.state.replace(kind::checkout_session, std::move(session));
  ctx.emit("checkout.session.expired", kind::checkout_session, id);
}

}  // namespace

params::schema line_fields() {
  return {params::text("price"),
          params::integer("quantity").at_least(1).at_most(999'999),
          price_data_field(),
          params::metadata(),
          params::unsimulated("adjustable_quantity"),
          params::unsimulated("dynamic_tax_rates"),
          tax_rates::field("tax_rates")};
}

answer<std::vector<json>> read_lines(context& ctx, const json& given) {
  std::vector<json> items;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "line_items[" + std::to_string(i) + "]";
    auto price = price_of_line(ctx, given[i], at);
    if (!price) return std::unexpected(price.error());
    const bool counted = given[i].contains("quantity") && !is_null(given[i], "quantity");
    const bool metered = prices::is_metered(*price);
    if (metered && counted) {
      return refuse(
          "Quantity should not be specified where usage_type is `metered`. Remove quantity from `" +
              at + "`",
          at + "[quantity]");
    }
    if (!metered && !counted) {
      return refuse("You must provide a `quantity` for each line item.", at + "[quantity]");
    }
    json item = blank(kind::item);
    item["amount_discount"] = 0;
    item["amount_tax"] = 0;
    item["currency"] = (*price)["currency"];
    item["description"] = ctx.state.at(kind::product, text_of(*price, "product"))["name"];
    item["metadata"] = given[i].contains("metadata") ? given[i]["metadata"] : json::object();
    item["price"] = (*price)["id"];
    auto rates =
        tax_rates::read(ctx, given[i].contains("tax_rates") ? given[i]["tax_rates"] : json(nullptr),
                        at + "[tax_rates]");
    if (!rates) return std::unexpected(rates.error());
    item["_tax_rates"] = std::move(*rates);
    set_quantity(ctx, item, number_of(given[i], "quantity"));
    items.push_back(std::move(item));
  }
  for (const auto& item : items) {
    if (item["currency"] != items.front()["currency"]) {
      return refuse("All line items must have the same currency.", "line_items");
    }
  }
  return items;
}

void insert_lines(context& ctx, std::vector<json> items, const std::string& parent) {
  for (auto& item : items) {
    item["id"] = ctx.state.ids.next(kind::item);
    item["_parent"] = parent;
    ctx.state.insert(kind::item, std::move(item));
  }
}

void set_quantity(const context& ctx, json& item, std::int64_t quantity) {
  const json& price = ctx.state.at(kind::price, text_of(item, "price"));
  const bool metered = prices::is_metered(price);  // billed later
  const auto terms = prices::pricing_of(price, text_of(item, "currency"));
  const std::int64_t amount = metered ? 0 : amounts::amount(terms, quantity);
  item["amount_subtotal"] = item["amount_total"] = amount;
  item["quantity"] = metered ? json(nullptr) : json(quantity);
}

std::vector<json> items_of(const context& ctx, const std::string& parent) {
  std::vector<json> items;
  for (const json* item : ctx.state.with(kind::item, "_parent", parent))
    items.push_back(*item);
  std::reverse(items.begin(), items.end());
  return items;
}

const params::schema& create_takes() {
  static const params::schema takes = {
      params::choice("mode", {"payment", "setup", "subscription"}).needed(),
      params::list("line_items", line_fields()),
      params::text("customer"),
      params::text("customer_email", 512),
      params::choice("customer_creation", {"always", "if_required"}),
      params::boolean("allow_promotion_codes"),
      params::text("client_reference_id", 200),
      params::currency("currency"),
      params::list("discounts", {params::text("coupon"), params::text("promotion_code")}),
      params::text("success_url", 5000),
      params::text("cancel_url", 5000),
      params::timestamp("expires_at"),
      params::text("locale", 10),
      params::metadata(),
      params::choice("payment_method_collection", {"always", "if_required"}),
      params::texts("allowed_payment_method_types"),
      params::choice("billing_address_collection", {"auto", "required"}),
      params::choice("submit_type", {"auto", "book", "donate", "pay", "subscribe"}),
      params::choice("ui_mode", {"hosted"}),
      params::hash(
          "subscription_data",
          {params::text("description", 500), params::metadata(), params::timestamp("trial_end"),
           params::integer("trial_period_days").at_least(1).at_most(730),
           params::hash(
               "trial_settings",
               {params::hash("end_behavior", {params::choice("missing_payment_method",
                                                             {"cancel", "create_invoice", "pause"})
                                                  .needed()})
                    .needed()})}),
      params::hash("payment_intent_data",
                   {params::choice("capture_method", {"automatic", "automatic_async", "manual"}),
                    params::text("description", 1000), params::metadata(),
                    params::text("receipt_email", 512),
                    params::choice("setup_future_usage", {"off_session", "on_session"}),
                    params::text("statement_descriptor", 22)}),
      params::hash("setup_intent_data", {params::text("description", 1000), params::metadata()})};
  return takes;
}

answer<json> create(context& ctx) {
  if (auto fits = check_modes(ctx); !fits) return std::unexpected(fits.error());
  if (ctx.given("customer")) {
    auto known = ctx.referred(kind::customer, ctx.text("customer"), "customer");
    if (!known) return known;
  }
  for (const auto& type : ctx.param("allowed_payment_method_types")) {
    if (type != "card") {
      return not_simulated("The sandbox simulates payments by card alone.",
                           "allowed_payment_method_types");
    }
  }
  const json given = ctx.param("line_items");
  auto items = read_lines(ctx, given);
  if (!items) return std::unexpected(items.error());
  if (auto fit = check_lines(ctx, *items); !fit) return std::unexpected(fit.error());
  json s = blank_session(ctx);
  const std::string id = text_of(s, "id");
  ctx.copy_given(s, {"mode", "customer", "customer_email", "client_reference_id", "success_url",
                     "cancel_url", "locale", "currency", "billing_address_collection",
                     "submit_type", "allow_promotion_codes"});
  s["discounts"] = json::array();
  const std::string mode = ctx.text("mode");
  if (mode != "setup") {
    s["payment_method_collection"] = ctx.given("payment_method_collection")
                                         ? ctx.text("payment_method_collection")
                                     : mode == "payment" ? "if_required"
                                                         : "always";
  }
  if (mode == "payment" && !ctx.given("customer")) {
    s["customer_creation"] =
        ctx.given("customer_creation") ? ctx.text("customer_creation") : "if_required";
  } else if (mode == "subscription" && !ctx.given("customer")) {
    s["customer_creation"] = "always";
  }
  set_amounts(s, *items);
  s["expires_at"] = ctx.given("expires_at") ? ctx.number("expires_at") : ctx.now + open_for_s;
  s["_due"] = s["expires_at"];
  s["payment_status"] = mode == "setup" ? "no_payment_required" : "unpaid";
  s["url"] = ctx.facts.page("https://checkout.stripe.com", "/c/pay/" + id);
  for (const char* data : {"subscription_data", "payment_intent_data", "setup_intent_data"}) {
    s[std::string("_") + data] = ctx.given(data) ? ctx.param(data) : json::object();
  }
  if (auto merged = merge_metadata(s, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  ctx.state.insert(kind::checkout_session, std::move(s));
  insert_lines(ctx, std::move(*items), id);
  if (mode == "setup") return ctx.shown(kind::checkout_session, id);
  reckon(ctx, id);
  if (ctx.given("discounts")) {
    const json discounts = ctx.param("discounts");
    if (auto taken = take_discounts(ctx, id, discounts, "discounts"); !taken) {
      return std::unexpected(taken.error());
    }
  }
  return ctx.shown(kind::checkout_session, id);
}

answer<json> retrieve(context& ctx) {
  auto session = ctx.object();
  if (!session) return session;
  return view_of(ctx.state, kind::checkout_session, *session);
}

const params::schema& update_takes() {
  static const params::schema takes = {params::metadata()};
  return takes;
}

// There is no event for a changed session.
answer<json> update(context& ctx) {
  auto session = ctx.object();
  if (!session) return session;
  const std::string id = text_of(*session, "id");
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*session, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.state.replace(kind::checkout_session, std::move(*session));
  return ctx.shown(kind::checkout_session, id);
}

answer<json> expire(context& ctx) {
  auto session = ctx.object();
  if (!session) return session;
  const std::string id = text_of(*session, "id");
  if (!is_open(*session)) {
    return refuse(
        "Only Checkout Sessions with a status in [\"open\"] can be expired. This "
        "Checkout Session has a status of " +
        text_of(*session, "status") + ".");
  }
  end(ctx, std::move(*session));
  return ctx.shown(kind::checkout_session, id);
}

void fall_due(context& ctx, const std::string& id) {
  end(ctx, ctx.state.live(kind::checkout_session, id));
}

const params::schema& list_takes() {
  static const params::schema takes = {
      params::range("created"),
      params::text("customer"),
      params::hash("customer_details", {params::text("email").needed()}),
      params::text("payment_intent"),
      params::text("payment_link"),
      params::choice("status", {"complete", "expired", "open"}),
      params::text("subscription")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  for (const char* param : {"customer", "payment_intent", "payment_link", "status", "subscription"})
    shown.equal(ctx, param, param);
  if (ctx.given("customer_details")) {
    shown.also.push_back([email = text_of(ctx.param("customer_details"), "email")](const json& s) {
      const json* has = at_path(s, "customer_details.email");
      return has != nullptr && *has == email;
    });
  }
  return list_page(ctx, kind::checkout_session, shown);
}

answer<json> line_items(context& ctx) {
  const std::string& id = ctx.arguments.front();
  if (auto known = ctx.object(kind::checkout_session, id); !known) return known;
  filter shown;
  shown.where.push_back({"_parent", {id}});
  return list_page(ctx, kind::item, shown, list_order::oldest_first);
}

}  // namespace tilld::sandbox::checkout
