#include "sandbox/account/account.hpp"

#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::account {

namespace {

// What never changes of an account whose onboarding is complete.
constexpr std::string_view constant_members = R"({
  "business_profile": {"annual_revenue": null, "estimated_worker_count": null, "mcc": "5734",
    "minority_owned_business_designation": null, "name": "Sandbox", "product_description": null,
    "support_address": null, "support_email": null, "support_phone": null, "support_url": null,
    "url": "https://sandbox.example"},
  "business_type": "company",
  "capabilities": {"card_payments": "active", "transfers": "active"},
  "charges_enabled": true,
  "controller": {"type": "account"},
  "details_submitted": true,
  "email": "sandbox@example.com",
  "future_requirements": {"alternatives": [], "current_deadline": null, "currently_due": [],
    "disabled_reason": null, "errors": [], "eventually_due": [], "past_due": [],
    "pending_verification": []},
  "metadata": {},
  "payouts_enabled": true,
  "requirements": {"alternatives": [], "current_deadline": null, "currently_due": [],
    "disabled_reason": null, "errors": [], "eventually_due": [], "past_due": [],
    "pending_verification": []},
  "settings": {
    "bacs_debit_payments": {"display_name": null, "service_user_number": null},
    "branding": {"icon": null, "logo": null, "primary_color": null, "secondary_color": null},
    "card_issuing": {"tos_acceptance": {"date": null, "ip": null}},
    "card_payments": {"decline_on": {"avs_failure": false, "cvc_failure": false},
      "statement_descriptor_prefix": null, "statement_descriptor_prefix_kana": null,
      "statement_descriptor_prefix_kanji": null},
    "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
    "invoices": {"default_account_tax_ids": null, "hosted_payment_method_save": "offer"},
    "payments": {"statement_descriptor": "SANDBOX", "statement_descriptor_kana": null,
      "statement_descriptor_kanji": null, "statement_descriptor_prefix_kana": null,
      "statement_descriptor_prefix_kanji": null},
    "payouts": {"debit_negative_balances": true,
      "schedule": {"delay_days": 2, "interval": "daily"}, "statement_descriptor": null},
    "sepa_debit_payments": {}},
  "tos_acceptance": {"date": null, "ip": null, "user_agent": null},
  "type": "standard"
})";

constexpr std::int64_t opened_at_s = 1'735'689'600;  // 2025-01-01

bool is_event_filter(const std::string& type) {
  return type == "*" || stripe::catalogue::instance().event(type) != nullptr;
}

answer<void> take_endpoint(const context& ctx, json& endpoint) {
  for (const auto& type : ctx.param("enabled_events")) {
    if (is_event_filter(type.get<std::string>())) continue;
    return refuse("Invalid enabled_events: " + type.get<std::string>() + " is not a type of event.",
                  "enabled_events");
  }
  if (ctx.given("url")) {
    const std::string url = ctx.text("url");
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
      return refuse("Invalid URL: An explicit scheme (such as https) must be provided.", "url",
                    "url_invalid");
    }
  }
  ctx.copy_given(endpoint, {"description", "enabled_events", "url"});
  if (!ctx.given("metadata")) return {};
  return merge_metadata(endpoint, ctx.param("metadata"));
}

}  // namespace

json opened(const std::string& id, const std::string& country, const std::string& currency) {
  json known = json::parse(constant_members);
  known["id"] = id;
  known["object"] = "account";
  known["country"] = country;
  known["created"] = opened_at_s;
  known["default_currency"] = currency;
  known["external_accounts"] =
      list_envelope(json::array(), false, "/v1/accounts/" + id + "/external_accounts");
  json account = json::object();
  for (const auto& field : stripe::catalogue::instance().object("account")->fields) {
    if (known.contains(field)) account[field] = known[field];
  }
  return account;
}

answer<json> retrieve(context& ctx) {
  if (ctx.facts.connected()) {
    return view(*ctx.facts.platform, kind::connected_account, ctx.facts.id);
  }
  return opened(ctx.facts.id, ctx.facts.country, ctx.facts.currency);
}

const params::schema& event_list_takes() {
  static const params::schema takes = {params::range("created"),
                                       params::boolean("delivery_success"), params::text("type"),
                                       params::list("types", {params::text("")})};
  return takes;
}

answer<json> event_retrieve(context& ctx) {
  const std::string& id = ctx.arguments.front();
  const auto row = ctx.state.events.number_of(id);
  if (!row) return refuse(stripe::resource_missing("event", id, stripe::path_param("event")));
  return event_shown(ctx.state.events.at(*row));
}

answer<json> event_list(context& ctx) {
  if (ctx.given("type") && ctx.given("types")) {
    return refuse("You may only specify one of these parameters: type, types.", "types");
  }
  return events_page(ctx);
}

const params::schema& endpoint_create_takes() {
  static const params::schema takes = {params::text("api_version", 40),
                                       params::boolean("connect"),
                                       params::text("description", 5000).clearable(),
                                       params::list("enabled_events", {params::text("")}).needed(),
                                       params::metadata(),
                                       params::text("url", 2048).needed()};
  return takes;
}

answer<json> endpoint_create(context& ctx) {
  json endpoint = ctx.make(kind::webhook_endpoint);
  const std::string id = text_of(endpoint, "id");
  if (ctx.given("api_version") &&
      ctx.text("api_version") != stripe::catalogue::instance().api_version()) {
    return not_simulated("The sandbox renders events in its own API version alone, " +
                             std::string(stripe::catalogue::instance().api_version()) + ".",
                         "api_version");
  }
  ctx.copy_given(endpoint, {"api_version"});
  if (auto taken = take_endpoint(ctx, endpoint); !taken) return std::unexpected(taken.error());
  endpoint["status"] = "enabled";
  if (ctx.truth("connect")) endpoint["_connect"] = true;
  const std::string secret = "whsec_" + ctx.state.ids.letters("secret" + id, 32);
  endpoint["_secret"] = secret;
  ctx.state.insert(kind::webhook_endpoint, std::move(endpoint));
  // The one time that it is shown.
  json shown = ctx.shown(kind::webhook_endpoint, id);
  shown["secret"] = secret;
  return shown;
}

answer<json> endpoint_retrieve(context& ctx) {
  auto endpoint = ctx.object();
  if (!endpoint) return endpoint;
  return view_of(ctx.state, kind::webhook_endpoint, *endpoint);
}

const params::schema& endpoint_update_takes() {
  static const params::schema takes = {params::text("description", 5000).clearable(),
                                       params::boolean("disabled"),
                                       params::list("enabled_events", {params::text("")}),
                                       params::metadata(), params::text("url", 2048)};
  return takes;
}

answer<json> endpoint_update(context& ctx) {
  auto endpoint = ctx.object();
  if (!endpoint) return endpoint;
  if (auto taken = take_endpoint(ctx, *endpoint); !taken) return std::unexpected(taken.error());
  if (ctx.given("disabled")) {
    (*endpoint)["status"] = ctx.truth("disabled") ? "disabled" : "enabled";
  }
  const std::string id = text_of(*endpoint, "id");
  ctx.state.replace(kind::webhook_endpoint, std::move(*endpoint));
  return ctx.shown(kind::webhook_endpoint, id);
}

answer<json> endpoint_remove(context& ctx) {
  auto endpoint = ctx.object();
  if (!endpoint) return endpoint;
  const std::string id = text_of(*endpoint, "id");
  ctx.state.leave_stub(kind::webhook_endpoint, id);
  return ctx.shown(kind::webhook_endpoint, id);
}

answer<json> endpoint_list(context& ctx) {
  return list_page(ctx, kind::webhook_endpoint, {});
}

}  // namespace tilld::sandbox::account
