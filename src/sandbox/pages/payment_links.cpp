#include "sandbox/pages/payment_links.hpp"

#include <algorithm>

#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/pages/checkout.hpp"

namespace tilld::sandbox::payment_links {

namespace {

constexpr auto of = kind::payment_link;
constexpr const char* not_active = "This link is no longer active.";

params::field after_completion_field() {
  return params::hash("after_completion",
                      {params::choice("type", {"hosted_confirmation", "redirect"}).needed(),
                       params::hash("hosted_confirmation", {params::text("custom_message", 500)}),
                       params::hash("redirect", {params::text("url", 5000).needed()})});
}

params::field enabled_field(const char* name, std::vector<params::field> more = {}) {
  more.insert(more.begin(), params::boolean("enabled").needed());
  return params::hash(name, std::move(more));
}

// What create and update both take.
params::schema shared_fields() {
  params::schema fields = {
      after_completion_field(),
      params::boolean("allow_promotion_codes"),
      enabled_field("automatic_tax", {params::unsimulated("liability")}),
      params::choice("billing_address_collection", {"auto", "required"}),
      params::choice("customer_creation", {"always", "if_required"}),
      params::text("inactive_message", 500).clearable(),
      enabled_field("invoice_creation", {params::unsimulated("invoice_data")}),
      params::metadata(),
      params::hash("payment_intent_data",
                   {params::text("description", 1000).clearable(), params::metadata(),
                    params::text("statement_descriptor", 22).clearable(),
                    params::choice("capture_method", {"automatic", "automatic_async", "manual"}),
                    params::choice("setup_future_usage", {"off_session", "on_session"}),
                    params::unsimulated("statement_descriptor_suffix"),
                    params::unsimulated("transfer_group")}),
      params::choice("payment_method_collection", {"always", "if_required"}),
      params::texts("payment_method_types").clearable(),
      enabled_field("phone_number_collection"),
      params::hash("restrictions",
                   {params::hash("completed_sessions",
                                 {params::integer("limit").at_least(1).at_most(1'000'000).needed()})
                        .needed()})
          .clearable(),
      params::choice("submit_type", {"auto", "book", "donate", "pay", "subscribe"}),
      params::hash(
          "subscription_data",
          {params::text("description", 500), params::metadata(),
           params::integer("trial_period_days").at_least(1).at_most(730),
           params::hash(
               "trial_settings",
               {params::hash("end_behavior", {params::choice("missing_payment_method",
                                                             {"cancel", "create_invoice", "pause"})
                                                  .needed()})
                    .needed()}),
           params::unsimulated("invoice_settings")}),
      enabled_field("tax_id_collection", {params::unsimulated("required")})};
  for (const char* name : {"application_fee_amount", "application_fee_percent",
                           "consent_collection", "custom_fields", "custom_text", "name_collection",
                           "on_behalf_of", "optional_items", "payment_method_options",
                           "shipping_address_collection", "shipping_options", "transfer_data"}) {
    fields.push_back(params::unsimulated(name));
  }
  return fields;
}

// What can be switched off but not on.
answer<void> check_simulated(const context& ctx) {
  for (const char* name :
       {"automatic_tax", "invoice_creation", "phone_number_collection", "tax_id_collection"}) {
    if (!truth_of(ctx.param(name), "enabled")) continue;
    return not_simulated("The sandbox does not simulate " + std::string(name) + " on its pages.",
                         std::string(name) + "[enabled]");
  }
  for (const auto& type : ctx.param("payment_method_types")) {
    if (type == "card") continue;
    return not_simulated("The sandbox simulates payments by card alone.", "payment_method_types");
  }
  return {};
}

json after_completion_of(const json& given) {
  const std::string type = text_of(given, "type");
  json after = {{"type", type}};
  if (type == "redirect") {
    after["redirect"] = given["redirect"];
  } else {
    const json shown = given.value("hosted_confirmation", json::object());
    after["hosted_confirmation"] = {
        {"custom_message", shown.value("custom_message", json(nullptr))}};
  }
  return after;
}

answer<void> take_after_completion(const context& ctx, json& link) {
  if (!ctx.given("after_completion")) return {};
  const json& given = ctx.param("after_completion");
  if (text_of(given, "type") == "redirect" && !given.contains("redirect")) {
    return refuse(stripe::parameter_missing("after_completion[redirect]"));
  }
  link["after_completion"] = after_completion_of(given);
  return {};
}

answer<void> take_restrictions(const context& ctx, json& link) {
  if (!ctx.given("restrictions")) return {};
  const json& given = ctx.param("restrictions");
  if (given.is_null()) {
    link["restrictions"] = nullptr;
    return {};
  }
  const std::int64_t limit = number_of(given["completed_sessions"], "limit");
  const std::int64_t count = number_of(link, "_completed");
  if (limit <= count) {
    return refuse("The limit must be greater than the number of sessions that are complete.",
                  "restrictions[completed_sessions][limit]");
  }
  link["restrictions"] = {{"completed_sessions", {{"count", count}, {"limit", limit}}}};
  return {};
}

bool is_subscription(const json& link) {
  return text_of(link, "_mode") == "subscription";
}

answer<void> check_mode(const context& ctx, const json& link) {
  const std::vector<const char*> of_payments = {"customer_creation", "payment_intent_data"};
  const std::vector<const char*> of_subscriptions = {"payment_method_collection",
                                                     "subscription_data"};
  const auto& others = is_subscription(link) ? of_payments : of_subscriptions;
  const auto it =
      std::find_if(others.begin(), others.end(), [&](const char* name) { return ctx.given(name); });
  if (it == others.end()) return {};
  const std::string other = *it;
  return refuse("You can not pass `" + other + "` for a payment link in `" +
                    text_of(link, "_mode") + "` mode.",
                other);
}

answer<void> take_shared(const context& ctx, json& link) {
  if (auto can = check_simulated(ctx); !can) return can;
  if (auto fits = check_mode(ctx, link); !fits) return fits;
  if (auto taken = take_after_completion(ctx, link); !taken) return taken;
  if (auto taken = take_restrictions(ctx, link); !taken) return taken;
  ctx.copy_given(link, {"allow_promotion_codes", "billing_address_collection", "customer_creation",
                        "inactive_message", "payment_method_collection", "payment_method_types",
                        "submit_type"});
  for (const char* name : {"payment_intent_data", "subscription_data"}) {
    if (ctx.given(name)) merge_hash(link[name], ctx.param(name));
  }
  if (!ctx.given("metadata")) return {};
  return merge_metadata(link, ctx.param("metadata"));
}

json blank_link(context& ctx, const std::string& mode) {
  json link = ctx.make(of);
  const bool subscribes = mode == "subscription";
  link["active"] = true;
  link["after_completion"] = after_completion_of({{"type", "hosted_confirmation"}});
  link["allow_promotion_codes"] = false;
  link["automatic_tax"] = {{"enabled", false}, {"liability", nullptr}};
  link["billing_address_collection"] = "auto";
  link["custom_fields"] = json::array();
  link["custom_text"] = {{"after_submit", nullptr},
                         {"shipping_address", nullptr},
                         {"submit", nullptr},
                         {"terms_of_service_acceptance", nullptr}};
  link["customer_creation"] = subscribes ? "always" : "if_required";
  if (subscribes) {
    link["subscription_data"] = {
        {"description", nullptr},
        {"invoice_settings", {{"issuer", {{"type", "self"}}}}},
        {"metadata", json::object()},
        {"trial_period_days", nullptr},
        {"trial_settings", {{"end_behavior", {{"missing_payment_method", "create_invoice"}}}}}};
  } else {
    link["payment_intent_data"] = {
        {"capture_method", nullptr},       {"description", nullptr},
        {"metadata", json::object()},      {"setup_future_usage", nullptr},
        {"statement_descriptor", nullptr}, {"statement_descriptor_suffix", nullptr},
        {"transfer_group", nullptr}};
    link["invoice_creation"] = {{"enabled", false},
                                {"invoice_data",
                                 {{"account_tax_ids", nullptr},
                                  {"custom_fields", nullptr},
                                  {"description", nullptr},
                                  {"footer", nullptr},
                                  {"issuer", nullptr},
                                  {"metadata", json::object()},
                                  {"rendering_options", nullptr}}}};
  }
  link["payment_method_collection"] = subscribes ? "always" : "if_required";
  link["phone_number_collection"] = {{"enabled", false}};
  link["shipping_options"] = json::array();
  link["submit_type"] = "auto";
  link["tax_id_collection"] = {{"enabled", false}, {"required", "never"}};
  link["url"] = ctx.facts.page("https://buy.stripe.com", "/b/" + text_of(link, "id"));
  link["_completed"] = 0;
  link["_mode"] = mode;
  return link;
}

std::string mode_of(const context& ctx, const std::vector<json>& items) {
  const bool recurs = std::any_of(items.begin(), items.end(), [&](const json& item) {
    return ctx.state.at(kind::price, text_of(item, "price"))["recurring"].is_object();
  });
  return recurs ? "subscription" : "payment";
}

// Quantities of lines that are there already.
answer<void> update_lines(context& ctx, const std::string& link) {
  const json given = ctx.param("line_items");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string at = "line_items[" + std::to_string(i) + "]";
    const std::string id = text_of(given[i], "id");
    const json* found = ctx.state.find_live(kind::item, id);
    if (found == nullptr || text_of(*found, "_parent") != link) {
      return missing(kind::item, id, at + "[id]", 400);
    }
    if (!given[i].contains("quantity")) continue;
    json item = *found;
    checkout::set_quantity(ctx, item, number_of(given[i], "quantity"));
    ctx.state.replace(kind::item, std::move(item));
  }
  return {};
}

// The members that say something, for a session's parameters.
json without_nulls(const json& data) {
  json said = json::object();
  for (const auto& [name, value] : data.items()) {
    if (!value.is_null() && name != "invoice_settings") said[name] = value;
  }
  return said;
}

// Where the buyer goes: to the link's own address, or to the page that thanks them.
std::string success_url(const context& ctx, const json& link) {
  const json& after = link["after_completion"];
  if (text_of(after, "type") == "redirect") return text_of(after["redirect"], "url");
  return ctx.facts.page("https://buy.stripe.com",
                        "/b/" + text_of(link, "id") + "?session={CHECKOUT_SESSION_ID}");
}

json session_params(const context& ctx, const json& link, const json& query) {
  json p = json::object();
  p["mode"] = link["_mode"];
  p["line_items"] = json::array();
  for (const auto& item : checkout::items_of(ctx, text_of(link, "id"))) {
    p["line_items"].push_back({{"_price", item["price"]},
                               {"quantity", item["quantity"]},
                               {"metadata", item["metadata"]},
                               {"tax_rates", item["_tax_rates"]}});
  }
  if (truth_of(link, "allow_promotion_codes")) p["allow_promotion_codes"] = true;
  p["success_url"] = success_url(ctx, link);
  p["metadata"] = link["metadata"];
  for (const char* name : {"billing_address_collection", "submit_type"})
    p[name] = link[name];
  if (is_subscription(link)) {
    p["payment_method_collection"] = link["payment_method_collection"];
    p["subscription_data"] = without_nulls(link["subscription_data"]);
  } else {
    p["customer_creation"] = link["customer_creation"];
    p["payment_intent_data"] = without_nulls(link["payment_intent_data"]);
  }
  const std::string email = text_of(query, "locked_prefilled_email");
  if (!email.empty()) p["customer_email"] = email;
  const std::string reference = text_of(query, "client_reference_id");
  if (!reference.empty()) p["client_reference_id"] = reference;
  return p;
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::list("line_items", checkout::line_fields()).needed());
    fields.push_back(params::currency("currency"));
    fields.push_back(params::unsimulated("managed_payments"));
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  if (ctx.param("line_items").empty()) return refuse(stripe::parameter_missing("line_items"));
  const json given = ctx.param("line_items");
  auto items = checkout::read_lines(ctx, given);
  if (!items) return std::unexpected(items.error());
  json link = blank_link(ctx, mode_of(ctx, *items));
  const std::string id = text_of(link, "id");
  link["currency"] = items->front()["currency"];
  if (ctx.given("currency") && ctx.param("currency") != link["currency"]) {
    return not_simulated("The sandbox does not simulate links in another currency than a price's.",
                         "currency");
  }
  if (auto taken = take_shared(ctx, link); !taken) return std::unexpected(taken.error());
  ctx.state.insert(of, std::move(link));
  checkout::insert_lines(ctx, std::move(*items), id);
  ctx.emit("payment_link.created", of, id);
  return ctx.shown(of, id);
}

answer<json> retrieve(context& ctx) {
  auto link = ctx.object();
  if (!link) return link;
  return view_of(ctx.state, of, *link);
}

const params::schema& update_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::boolean("active"));
    fields.push_back(params::list(
        "line_items",
        {params::text("id").needed(), params::integer("quantity").at_least(1).at_most(999'999),
         params::unsimulated("adjustable_quantity")}));
    return fields;
  }();
  return takes;
}

answer<json> update(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json link = std::move(*found);
  const std::string id = text_of(link, "id");
  ctx.copy_given(link, {"active"});
  if (auto taken = take_shared(ctx, link); !taken) return std::unexpected(taken.error());
  if (auto updated = update_lines(ctx, id); !updated) return std::unexpected(updated.error());
  ctx.update("payment_link.updated", of, std::move(link));
  return ctx.shown(of, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::boolean("active")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.also_equal(ctx, "active");
  return list_page(ctx, of, shown);
}

answer<json> line_items(context& ctx) {
  const std::string& id = ctx.arguments.front();
  if (auto known = ctx.object(of, id); !known) return known;
  filter shown;
  shown.where.push_back({"_parent", {id}});
  return list_page(ctx, kind::item, shown, list_order::oldest_first);
}

answer<json> open(context& ctx, const std::string& id, const json& query) {
  auto found = ctx.object(of, id);
  if (!found) return found;
  const json link = std::move(*found);
  if (!truth_of(link, "active")) {
    const std::string said = text_of(link, "inactive_message");
    return refuse(said.empty() ? not_active : said);
  }
  auto made =
      ask(ctx, checkout::create, session_params(ctx, link, query), {}, "/v1/checkout/sessions");
  if (!made) return made;
  json session = ctx.state.live(kind::checkout_session, text_of(*made, "id"));
  session["payment_link"] = id;
  session["_typed_email"] = text_of(query, "prefilled_email");
  ctx.state.replace(kind::checkout_session, std::move(session));
  return made;
}

void session_completed(context& ctx, const std::string& id) {
  const json* found = ctx.state.find_live(of, id);
  if (found == nullptr) return;
  json link = *found;
  const std::int64_t count = number_of(link, "_completed") + 1;
  link["_completed"] = count;
  if (link["restrictions"].is_object()) {
    json& sessions = link["restrictions"]["completed_sessions"];
    sessions["count"] = count;
    if (count >= number_of(sessions, "limit")) link["active"] = false;
  }
  ctx.update("payment_link.updated", of, std::move(link));
}

}  // namespace tilld::sandbox::payment_links
