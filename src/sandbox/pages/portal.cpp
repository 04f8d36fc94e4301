#include "sandbox/pages/portal.hpp"

#include <algorithm>

#include "sandbox/account/customers.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/pages/requests.hpp"
#include "sandbox/payments/payment_methods.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::portal {

namespace {

params::schema shared_fields() {
  return {params::hash("business_profile", {params::text("headline", 60).clearable(),
                                            params::text("privacy_policy_url", 5000),
                                            params::text("terms_of_service_url", 5000)}),
          params::text("default_return_url", 5000).clearable(), params::metadata(),
          params::text("name", 100).clearable()};
}

params::field update_field() {
  return params::hash(
      "subscription_update",
      {params::boolean("enabled"), params::texts("default_allowed_updates").clearable(),
       params::list("products", {params::text("product").needed(), params::texts("prices").needed(),
                                 params::unsimulated("adjustable_quantity")})
           .clearable(),
       params::choice("proration_behavior", {"always_invoice", "create_prorations", "none"}),
       params::choice("billing_cycle_anchor", {"now", "unchanged"}),
       params::unsimulated("schedule_at_period_end"),
       params::unsimulated("trial_update_behavior")});
}

params::field features_field() {
  return params::hash(
      "features",
      {params::hash("invoice_history", {params::boolean("enabled").needed()}),
       params::hash("payment_method_update", {params::boolean("enabled").needed()}),
       params::hash("customer_update",
                    {params::boolean("enabled"), params::texts("allowed_updates").clearable()}),
       params::hash(
           "subscription_cancel",
           {params::boolean("enabled").needed(),
            params::choice("mode", {"at_period_end", "immediately"}),
            params::choice("proration_behavior", {"always_invoice", "create_prorations", "none"}),
            params::unsimulated("cancellation_reason")}),
       update_field()});
}

json no_features() {
  return {
      {"customer_update", {{"allowed_updates", json::array()}, {"enabled", false}}},
      {"invoice_history", {{"enabled", false}}},
      {"payment_method_update", {{"enabled", false}, {"payment_method_configuration", nullptr}}},
      {"subscription_cancel",
       {{"cancellation_reason", {{"enabled", false}, {"options", json::array()}}},
        {"enabled", false},
        {"mode", "at_period_end"},
        {"proration_behavior", "none"}}},
      {"subscription_update",
       {{"billing_cycle_anchor", nullptr},
        {"default_allowed_updates", json::array()},
        {"enabled", false},
        {"proration_behavior", "none"},
        {"schedule_at_period_end", {{"conditions", json::array()}}},
        {"trial_update_behavior", "end_trial"}}}};
}

json blank_configuration(context& ctx) {
  json c = ctx.make(kind::portal_configuration);
  c["active"] = true;
  c["business_profile"] = {
      {"headline", nullptr}, {"privacy_policy_url", nullptr}, {"terms_of_service_url", nullptr}};
  c["features"] = no_features();
  c["is_default"] = false;
  c["login_page"] = {{"enabled", false}, {"url", nullptr}};
  c["updated"] = ctx.now;
  return c;
}

// Which prices a customer may go to. Kept aside: Stripe shows them to those alone who ask.
answer<void> take_products(const context& ctx, json& c) {
  json& update = c["features"]["subscription_update"];
  if (!update.contains("products")) return {};
  const json products = update["products"];
  update.erase("products");
  json prices = json::array();
  for (std::size_t i = 0; i < products.size(); ++i) {
    const std::string at =
        "features[subscription_update][products][" + std::to_string(i) + "][prices]";
    for (const auto& id : products[i]["prices"]) {
      auto price = ctx.referred(kind::price, id.get<std::string>(), at);
      if (!price) return std::unexpected(price.error());
      if (text_of(*price, "product") != text_of(products[i], "product")) {
        return refuse("The price " + id.get<std::string>() + " does not belong to the product.",
                      at);
      }
      prices.push_back(id);
    }
  }
  c["_prices"] = std::move(prices);
  return {};
}

answer<void> take(const context& ctx, json& c) {
  ctx.copy_given(c, {"default_return_url", "name", "active"});
  for (const char* hash : {"business_profile", "features"}) {
    if (ctx.given(hash)) merge_hash(c[hash], ctx.param(hash));
  }
  if (auto taken = take_products(ctx, c); !taken) return taken;
  c["updated"] = ctx.now;
  if (!ctx.given("metadata")) return {};
  return merge_metadata(c, ctx.param("metadata"));
}

// The dashboard's: everything that the page can do. Made by the first session that needs one.
std::string default_configuration(context& ctx) {
  const table& rows = std::as_const(ctx.state).of(kind::portal_configuration);
  for (row_number row = 0; row < rows.size(); ++row) {
    if (truth_of(rows.at(row).document, "is_default")) return text_of(rows.at(row).document, "id");
  }
  json c = blank_configuration(ctx);
  c["is_default"] = true;
  for (const char* feature : {"invoice_history", "payment_method_update", "subscription_cancel"})
    c["features"][feature]["enabled"] = true;
  std::string id = text_of(c, "id");
  ctx.state.insert(kind::portal_configuration, std::move(c));
  ctx.emit("billing_portal.configuration.created", kind::portal_configuration, id);
  return id;
}

answer<void> set_card(context& ctx, const std::string& customer, const json& form) {
  auto card = pages::card_of(ctx, form);
  if (!card) return std::unexpected(card.error());
  const json method = ctx.state.live(kind::payment_method, text_of(*card, "id"));
  auto attached = payment_methods::attach_to(ctx, method, customer);
  if (!attached) return std::unexpected(attached.error());
  const std::string id = text_of(*attached, "id");
  auto set = ask(ctx, customers::update, {{"invoice_settings", {{"default_payment_method", id}}}},
                 {customer}, "/v1/customers/{id}");
  if (!set) return std::unexpected(set.error());
  return {};
}

}  // namespace

const params::schema& configuration_create_takes() {
  static const params::schema takes = [] {
    auto fields = shared_fields();
    fields.push_back(features_field().needed());
    return fields;
  }();
  return takes;
}

answer<json> configuration_create(context& ctx) {
  json c = blank_configuration(ctx);
  const std::string id = text_of(c, "id");
  if (auto taken = take(ctx, c); !taken) return std::unexpected(taken.error());
  ctx.state.insert(kind::portal_configuration, std::move(c));
  ctx.emit("billing_portal.configuration.created", kind::portal_configuration, id);
  return ctx.shown(kind::portal_configuration, id);
}

answer<json> configuration_retrieve(context& ctx) {
  auto c = ctx.object();
  if (!c) return c;
  return view_of(ctx.state, kind::portal_configuration, *c);
}

const params::schema& configuration_update_takes() {
  static const params::schema takes = [] {
    auto fields = shared_fields();
    fields.push_back(features_field());
    fields.push_back(params::boolean("active"));
    return fields;
  }();
  return takes;
}

answer<json> configuration_update(context& ctx) {
  auto c = ctx.object();
  if (!c) return c;
  if (truth_of(*c, "is_default") && ctx.given("active") && !ctx.truth("active")) {
    return refuse("You cannot deactivate the default configuration.", "active");
  }
  const std::string id = text_of(*c, "id");
  if (auto taken = take(ctx, *c); !taken) return std::unexpected(taken.error());
  ctx.update("billing_portal.configuration.updated", kind::portal_configuration, std::move(*c));
  return ctx.shown(kind::portal_configuration, id);
}

const params::schema& configuration_list_takes() {
  static const params::schema takes = {params::boolean("active"), params::boolean("is_default")};
  return takes;
}

answer<json> configuration_list(context& ctx) {
  filter shown;
  shown.also_equal(ctx, "active");
  shown.also_equal(ctx, "is_default");
  return list_page(ctx, kind::portal_configuration, shown);
}

const params::schema& session_takes() {
  static const params::schema takes = {params::text("customer"), params::text("configuration"),
                                       params::text("locale", 10),
                                       params::text("return_url", 5000)};
  return takes;
}

answer<json> session_create(context& ctx) {
  if (!ctx.given("customer")) return refuse(stripe::parameter_missing("customer"));
  if (auto known = ctx.referred(kind::customer, ctx.text("customer"), "customer"); !known) {
    return known;
  }
  std::string configuration = ctx.text("configuration");
  if (configuration.empty()) {
    configuration = default_configuration(ctx);
  } else {
    auto known = ctx.referred(kind::portal_configuration, configuration, "configuration");
    if (!known) return known;
    if (!truth_of(*known, "active")) {
      return refuse("The configuration " + configuration + " is inactive.", "configuration");
    }
  }
  json s = ctx.make(kind::portal_session);
  const std::string id = text_of(s, "id");
  ctx.copy_given(s, {"customer", "locale", "return_url"});
  s["configuration"] = configuration;
  s["url"] = ctx.facts.page("https://billing.stripe.com", "/p/session/" + id);
  ctx.state.insert(kind::portal_session, std::move(s));
  ctx.emit("billing_portal.session.created", kind::portal_session, id);
  return ctx.shown(kind::portal_session, id);
}

bool allows(const context& ctx, const json& session, const char* feature) {
  const json* c = ctx.state.find(kind::portal_configuration, text_of(session, "configuration"));
  return c != nullptr && truth_of((*c)["features"][feature], "enabled");
}

std::vector<std::string> prices_to_go_to(const context& ctx, const json& session) {
  std::vector<std::string> prices;
  if (!allows(ctx, session, "subscription_update")) return prices;
  const json& c = ctx.state.at(kind::portal_configuration, text_of(session, "configuration"));
  const json& updates = c["features"]["subscription_update"]["default_allowed_updates"];
  if (std::find(updates.begin(), updates.end(), "price") == updates.end()) return prices;
  if (!c.contains("_prices")) return prices;
  for (const auto& id : c["_prices"])
    prices.push_back(id.get<std::string>());
  return prices;
}

namespace {

answer<void> go_to_price(context& ctx, const json& session, const std::string& subscription,
                         const std::string& price) {
  const auto offered = prices_to_go_to(ctx, session);
  if (std::find(offered.begin(), offered.end(), price) == offered.end()) {
    return refuse("The portal does not offer that price.");
  }
  const auto items = subscriptions::items_of(ctx, subscription);
  if (items.size() != 1) return refuse("A subscription to several things is not switched here.");
  const json& c = ctx.state.at(kind::portal_configuration, text_of(session, "configuration"));
  json params = json::object();
  params["items"] = json::array({{{"id", items.front()["id"]}, {"price", price}}});
  params["proration_behavior"] = c["features"]["subscription_update"]["proration_behavior"];
  auto changed =
      ask(ctx, subscriptions::update, std::move(params), {subscription}, "/v1/subscriptions/{id}");
  if (!changed) return std::unexpected(changed.error());
  return {};
}

}  // namespace

answer<void> act(context& ctx, const json& session, const json& form) {
  const std::string action = text_of(form, "action");
  const std::string customer = text_of(session, "customer");
  if (action == "card" && allows(ctx, session, "payment_method_update")) {
    return set_card(ctx, customer, form);
  }
  const std::string id = text_of(form, "subscription");
  const json* s = ctx.state.find_live(kind::subscription, id);
  if (s == nullptr || text_of(*s, "customer") != customer) {
    return refuse("This subscription is not yours.");
  }
  if (action == "switch") return go_to_price(ctx, session, id, text_of(form, "price"));
  const bool cancels = action == "cancel";
  if ((!cancels && action != "keep") || !allows(ctx, session, "subscription_cancel")) {
    return refuse("The portal does not offer that.");
  }
  const json* c = ctx.state.find(kind::portal_configuration, text_of(session, "configuration"));
  const json features = (*c)["features"];
  if (cancels && text_of(features["subscription_cancel"], "mode") == "immediately") {
    const bool prorate = text_of(features["subscription_cancel"], "proration_behavior") != "none";
    subscriptions::cancel(ctx, id, prorate, false, nullptr);
    return {};
  }
  auto changed = ask(ctx, subscriptions::update, {{"cancel_at_period_end", cancels}}, {id},
                     "/v1/subscriptions/{id}");
  if (!changed) return std::unexpected(changed.error());
  return {};
}

}  // namespace tilld::sandbox::portal
