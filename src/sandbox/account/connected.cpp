#include "sandbox/account/connected.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "sandbox/account/account.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::connected {

namespace {

// Where Stripe opens accounts, and the currency of each country.
// Source: https://stripe.com/global
struct country_row {
  std::string_view code;
  std::string_view currency;
};
constexpr std::array<country_row, 46> countries = {{
    {"AE", "aed"}, {"AT", "eur"}, {"AU", "aud"}, {"BE", "eur"}, {"BG", "eur"}, {"BR", "brl"},
    {"CA", "cad"}, {"CH", "chf"}, {"CY", "eur"}, {"CZ", "czk"}, {"DE", "eur"}, {"DK", "dkk"},
    {"EE", "eur"}, {"ES", "eur"}, {"FI", "eur"}, {"FR", "eur"}, {"GB", "gbp"}, {"GI", "gbp"},
    {"GR", "eur"}, {"HK", "hkd"}, {"HR", "eur"}, {"HU", "huf"}, {"IE", "eur"}, {"IN", "inr"},
    {"IT", "eur"}, {"JP", "jpy"}, {"LI", "chf"}, {"LT", "eur"}, {"LU", "eur"}, {"LV", "eur"},
    {"MT", "eur"}, {"MX", "mxn"}, {"MY", "myr"}, {"NL", "eur"}, {"NO", "nok"}, {"NZ", "nzd"},
    {"PL", "pln"}, {"PT", "eur"}, {"RO", "ron"}, {"SE", "sek"}, {"SG", "sgd"}, {"SI", "eur"},
    {"SK", "eur"}, {"TH", "thb"}, {"US", "usd"}, {"CR", "crc"},
}};

params::schema shared_fields() {
  return {
      params::hash(
          "business_profile",
          {params::text("mcc", 4), params::text("name").clearable(),
           params::text("product_description", 40'000).clearable(),
           params::text("support_email").clearable(), params::text("support_phone").clearable(),
           params::text("support_url").clearable(), params::text("url").clearable()}),
      params::choice("business_type", {"company", "government_entity", "individual", "non_profit"}),
      params::hash("capabilities", {params::hash("card_payments", {params::boolean("requested")}),
                                    params::hash("transfers", {params::boolean("requested")})}),
      params::currency("default_currency"),
      params::text("email", 800),
      params::metadata()};
}

params::field controller_field() {
  return params::hash(
      "controller",
      {params::hash("fees", {params::choice("payer", {"account", "application"})}),
       params::hash("losses", {params::choice("payments", {"application", "stripe"})}),
       params::choice("requirement_collection", {"application", "stripe"}),
       params::hash("stripe_dashboard", {params::choice("type", {"express", "full", "none"})})});
}

answer<void> only_of_the_platform(const context& ctx) {
  if (!ctx.facts.connected()) return {};
  return not_simulated(
      "The sandbox does not simulate accounts that are connected to connected ones.");
}

answer<void> take_shared(const context& ctx, json& account) {
  if (ctx.given("business_profile")) {
    merge_hash(account["business_profile"], ctx.param("business_profile"));
  }
  for (const auto& [name, asked] : ctx.param("capabilities").items()) {
    if (asked.contains("requested")) {
      account["capabilities"][name] = truth_of(asked, "requested") ? "active" : "inactive";
    }
  }
  ctx.copy_given(account, {"business_type", "default_currency", "email"});
  if (!ctx.given("metadata")) return {};
  return merge_metadata(account, ctx.param("metadata"));
}

// What kind of account it is, by its older and its newer name.
// Source: https://docs.stripe.com/connect/migrate-to-controller-properties
json controller_of(const std::string& type) {
  const bool full = type == "standard";
  const bool custom = type == "custom";
  json controller = json::object();
  controller["fees"] = {{"payer", full     ? "account"
                                  : custom ? "application_custom"
                                           : "application_express"}};
  controller["is_controller"] = true;
  controller["losses"] = {{"payments", full ? "stripe" : "application"}};
  controller["requirement_collection"] = custom ? "application" : "stripe";
  controller["stripe_dashboard"] = {{"type", full ? "full" : custom ? "none" : "express"}};
  controller["type"] = "application";
  return controller;
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(controller_field());
    fields.push_back(params::text("country", 2));
    fields.push_back(params::choice("type", {"custom", "express", "standard"}));
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  if (auto ours = only_of_the_platform(ctx); !ours) return std::unexpected(ours.error());
  if (ctx.given("type") && ctx.given("controller")) {
    return refuse("You may only specify one of these parameters: type, controller.", "controller");
  }
  const std::string country = ctx.given("country") ? ctx.text("country") : ctx.facts.country;
  const auto* row = std::find_if(countries.begin(), countries.end(),
                                 [&](const country_row& r) { return r.code == country; });
  if (row == countries.end()) {
    return refuse("Country '" + country +
                      "' is unknown. Try using a 2-character alphanumeric "
                      "country code instead, such as 'US', 'EG', or 'GB'.",
                  "country");
  }
  json account = ctx.make(kind::connected_account);
  const std::string id = text_of(account, "id");
  const json open = account::opened(id, country, std::string(row->currency));
  for (const auto& [member, value] : open.items()) {
    if (account.contains(member) && member != "created") account[member] = value;
  }
  account["business_profile"]["name"] = nullptr;
  account["business_profile"]["url"] = nullptr;
  account["business_type"] = nullptr;
  account["capabilities"] = json::object();
  account["email"] = nullptr;
  const std::string type = ctx.given("type") ? ctx.text("type") : "standard";
  account["controller"] = controller_of(type);
  if (ctx.given("controller")) merge_hash(account["controller"], ctx.param("controller"));
  account["type"] = ctx.given("controller") ? "none" : type;
  if (auto taken = take_shared(ctx, account); !taken) return std::unexpected(taken.error());
  ctx.state.insert(kind::connected_account, std::move(account));
  return ctx.shown(kind::connected_account, id);
}

answer<json> retrieve(context& ctx) {
  if (ctx.arguments.front() == ctx.facts.id) return account::retrieve(ctx);
  auto account = ctx.object();
  if (!account) return account;
  return view_of(ctx.state, kind::connected_account, *account);
}

const params::schema& update_takes() {
  static const params::schema takes = shared_fields();
  return takes;
}

answer<json> update(context& ctx) {
  if (ctx.arguments.front() == ctx.facts.id) {
    return not_simulated("The sandbox's own account cannot be changed.");
  }
  auto account = ctx.object();
  if (!account) return account;
  const std::string id = text_of(*account, "id");
  if (auto taken = take_shared(ctx, *account); !taken) return std::unexpected(taken.error());
  ctx.update("account.updated", kind::connected_account, std::move(*account));
  return ctx.shown(kind::connected_account, id);
}

answer<json> remove(context& ctx) {
  auto account = ctx.object();
  if (!account) return account;
  const std::string id = text_of(*account, "id");
  ctx.state.leave_stub(kind::connected_account, id);
  return ctx.shown(kind::connected_account, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created")};
  return takes;
}

answer<json> list(context& ctx) {
  return list_page(ctx, kind::connected_account, {});
}

}  // namespace tilld::sandbox::connected
