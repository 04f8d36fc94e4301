#include "sandbox/payments/payment_methods.hpp"

#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::payment_methods {

namespace {

struct expiry {
  std::int64_t month;
  std::int64_t year;
};

json no_address() {
  json address = json::object();
  for (const char* part : {"city", "country", "line1", "line2", "postal_code", "state"}) {
    address[part] = nullptr;
  }
  return address;
}

json no_billing_details() {
  json details = json::object();
  details["address"] = no_address();
  for (const char* part : {"email", "name", "phone", "tax_id"})
    details[part] = nullptr;
  return details;
}

json card_member(const context& ctx, const card& of, expiry until, bool with_cvc) {
  json member = json::object();
  member["brand"] = of.brand;
  member["checks"] = {{"address_line1_check", nullptr},
                      {"address_postal_code_check", nullptr},
                      {"cvc_check", with_cvc ? of.are.cvc : "unchecked"}};
  member["country"] = of.country;
  member["display_brand"] = of.brand == "amex" ? "american_express" : of.brand;
  member["exp_month"] = until.month;
  member["exp_year"] = until.year;
  member["fingerprint"] = ctx.state.ids.letters("card" + std::string(of.number), 16);
  member["funding"] = of.funding;
  member["generated_from"] = nullptr;
  member["last4"] = of.number.substr(of.number.size() - 4);
  member["networks"] = {{"available", json::array({of.brand})}, {"preferred", nullptr}};
  member["regulated_status"] = "unregulated";
  member["three_d_secure_usage"] = {{"supported", true}};
  member["wallet"] = nullptr;
  return member;
}

json make(context& ctx, const card& of, expiry until, bool with_cvc) {
  json method = ctx.make(kind::payment_method);
  method["allow_redisplay"] = "unspecified";
  method["billing_details"] = no_billing_details();
  method["type"] = "card";
  method["card"] = card_member(ctx, of, until, with_cvc);
  method["_card"] = of.name;
  return method;
}

expiry next_year(const context& ctx) {
  return {month_of(ctx.now), year_of(ctx.now) + 1};
}

std::unexpected<failure> bad_card(std::string code, std::string message, std::string param) {
  return refuse(
      stripe::api_error{402, "card_error", std::move(code), std::move(message), std::move(param)});
}

answer<expiry> expiry_of(const context& ctx, const json& given) {
  const expiry until{number_of(given, "exp_month"), number_of(given, "exp_year")};
  if (until.month < 1 || until.month > 12) {
    return bad_card("invalid_expiry_month", "Your card's expiration month is invalid.",
                    "exp_month");
  }
  const std::int64_t year = until.year < 100 ? until.year + 2000 : until.year;
  const int now_year = year_of(ctx.now);
  const bool past = year < now_year || (year == now_year && until.month < month_of(ctx.now));
  if (past || year > now_year + 50) {
    return bad_card("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year");
  }
  return expiry{until.month, year};
}

answer<json> from_number(context& ctx, const json& given) {
  const std::string number = text_of(given, "number");
  if (!passes_luhn(number)) {
    return bad_card("incorrect_number", "Your card number is incorrect.", "number");
  }
  const card* of = card_numbered(number);
  if (of == nullptr) {
    auto error = bad_card("card_declined",
                          "Your card was declined. Your request was in test mode, but used a non "
                          "test (live) card. For a list of valid test cards, visit: "
                          "https://stripe.com/docs/testing.",
                          "");
    error.error().more = {{"decline_code", "test_mode_live_card"}};
    return error;
  }
  const auto until = expiry_of(ctx, given);
  if (!until) return std::unexpected(until.error());
  return make(ctx, *of, *until, given.contains("cvc"));
}

answer<json> from_token(context& ctx, const std::string& token) {
  const card* of = card_of_token(token);
  if (of == nullptr) {
    return refuse("No such token: '" + token + "'", "card[token]", "resource_missing");
  }
  return make(ctx, *of, next_year(ctx), false);
}

void merge_billing_details(const context& ctx, json& method) {
  if (!ctx.given("billing_details")) return;
  json given = ctx.param("billing_details");
  if (given.contains("address") && given["address"].is_null()) given["address"] = no_address();
  merge_hash(method["billing_details"], given);
  const card& of = card_of(method);
  const json& address = method["billing_details"]["address"];
  json& results = method["card"]["checks"];
  if (!is_null(address, "line1")) results["address_line1_check"] = of.are.line1;
  if (!is_null(address, "postal_code")) {
    results["address_postal_code_check"] = of.are.postal_code;
  }
}

params::field allow_redisplay() {
  return params::choice("allow_redisplay", {"always", "limited", "unspecified"});
}

}  // namespace

const card& card_of(const json& method) {
  const card* of = card_named(text_of(method, "_card"));
  return of != nullptr ? *of : *card_named("visa");
}

params::schema type_fields() {
  return {params::texts("allowed_payment_method_types"), params::texts("payment_method_types")};
}

answer<bool> types_given(const context& ctx) {
  bool given = false;
  for (const char* name : {"allowed_payment_method_types", "payment_method_types"}) {
    given = given || ctx.given(name);
    for (const auto& type : ctx.param(name)) {
      if (type == "card") continue;
      return not_simulated("The sandbox simulates payments by card alone.", name);
    }
  }
  return given;
}

failure card_failure(const decline& why) {
  failure refused;
  refused.error = {402, "card_error", std::string(why.code), std::string(why.message), ""};
  refused.more = {{"decline_code", why.decline_code}};
  return refused;
}

answer<json> usable(context& ctx, const std::string& id, std::string_view param) {
  if (const card* of = card_of_payment_method(id)) {
    json method = make(ctx, *of, next_year(ctx), false);
    ctx.state.insert(kind::payment_method, method);
    return method;
  }
  auto method = ctx.referred(kind::payment_method, id, param);
  if (method && truth_of(*method, "_spent")) {
    return refuse(
        "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
        "attachment, shared with a connected account without Customer attachment, or was detached "
        "from a Customer. It may not be used again. To use a PaymentMethod multiple times, you "
        "must attach it to a Customer first.");
  }
  return method;
}

answer<json> attach_to(context& ctx, json method, const std::string& customer) {
  const std::string id = text_of(method, "id");
  if (text_of(method, "customer") == customer) return method;
  if (!is_null(method, "customer")) {
    return refuse("The payment method you provided has already been attached to a customer.");
  }
  const card& of = card_of(method);
  if (!of.attaches && of.refusal) return std::unexpected(card_failure(*of.refusal));
  method["customer"] = customer;
  method["card"]["checks"]["cvc_check"] = of.are.cvc;
  ctx.state.replace(kind::payment_method, method);
  ctx.emit("payment_method.attached", kind::payment_method, id);
  return method;
}

void detach_from_customer(context& ctx, json method) {
  const std::string id = text_of(method, "id");
  const std::string customer = text_of(method, "customer");
  const json before = ctx.shown(kind::payment_method, id);
  method["customer"] = nullptr;
  method["_spent"] = true;
  ctx.state.replace(kind::payment_method, std::move(method));
  ctx.emit_updated("payment_method.detached", kind::payment_method, id, before);
  if (const json* owner = ctx.state.find_live(kind::customer, customer)) {
    json changed = *owner;
    json& its_default = changed["invoice_settings"]["default_payment_method"];
    if (its_default != id) return;
    its_default = nullptr;
    ctx.update("customer.updated", kind::customer, std::move(changed));
  }
}

params::field data_field() {
  params::schema members = create_takes();
  return params::hash("payment_method_data", std::move(members));
}

answer<void> take_data(context& ctx) {
  if (!ctx.given("payment_method_data")) return {};
  if (ctx.given("payment_method")) {
    return refuse(
        "You may only specify one of these parameters: payment_method, payment_method_data.",
        "payment_method_data");
  }
  json data = ctx.param("payment_method_data");
  auto made = [&] {
    const aside kept(ctx);
    return ask(ctx, create, std::move(data), {}, "/v1/payment_methods");
  }();
  if (!made) return std::unexpected(made.error());
  ctx.params["payment_method"] = (*made)["id"];
  return {};
}

const params::schema& create_takes() {
  static const params::schema takes = {
      params::text("type"),
      params::hash("card", {params::text("number", 30), params::integer("exp_month"),
                            params::integer("exp_year"), params::text("cvc", 4),
                            params::text("token"), params::unsimulated("networks")}),
      params::billing_details("billing_details"), allow_redisplay(), params::metadata()};
  return takes;
}

answer<json> create(context& ctx) {
  if (!ctx.given("type")) return refuse(stripe::parameter_missing("type"));
  if (ctx.text("type") != "card") {
    return not_simulated("The sandbox simulates payment methods of type card alone.", "type");
  }
  if (!ctx.given("card")) return refuse(stripe::parameter_missing("card"));
  const json& given = ctx.param("card");
  const std::string token = text_of(given, "token");
  if (token.empty() && !given.contains("number")) {
    return refuse(stripe::parameter_missing("card[number]"));
  }
  auto method = token.empty() ? from_number(ctx, given) : from_token(ctx, token);
  if (!method) return method;
  ctx.copy_given(*method, {"allow_redisplay"});
  merge_billing_details(ctx, *method);
  if (auto merged = merge_metadata(*method, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  const std::string id = text_of(*method, "id");
  ctx.state.insert(kind::payment_method, std::move(*method));
  return ctx.shown(kind::payment_method, id);
}

answer<json> retrieve(context& ctx) {
  auto method = ctx.object();
  if (!method) return method;
  return view_of(ctx.state, kind::payment_method, *method);
}

const params::schema& update_takes() {
  static const params::schema takes = {
      params::hash("card", {params::integer("exp_month").at_least(1).at_most(12),
                            params::integer("exp_year"), params::unsimulated("networks")}),
      params::billing_details("billing_details"), allow_redisplay(), params::metadata()};
  return takes;
}

answer<json> update(context& ctx) {
  auto method = ctx.object();
  if (!method) return method;
  if (is_null(*method, "customer")) {
    return refuse("You must save this PaymentMethod to a customer before you can update it.");
  }
  ctx.copy_given(*method, {"allow_redisplay"});
  merge_billing_details(ctx, *method);
  if (ctx.given("card")) merge_hash((*method)["card"], ctx.param("card"));
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*method, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  const std::string id = text_of(*method, "id");
  ctx.update("payment_method.updated", kind::payment_method, std::move(*method));
  return ctx.shown(kind::payment_method, id);
}

const params::schema& attach_takes() {
  static const params::schema takes = {params::text("customer")};
  return takes;
}

answer<json> attach(context& ctx) {
  if (!ctx.given("customer")) {
    return refuse("Must provide customer or customer_account.", {}, "parameter_missing");
  }
  const auto customer = ctx.referred(kind::customer, ctx.text("customer"), "customer");
  if (!customer) return std::unexpected(customer.error());
  const std::string& id = ctx.arguments.front();
  if (card_of_payment_method(id) == nullptr) {
    if (auto known = ctx.object(); !known) return known;
  }
  auto method = usable(ctx, id, "payment_method");
  if (!method) return method;
  auto attached = attach_to(ctx, std::move(*method), ctx.text("customer"));
  if (!attached) return attached;
  return ctx.shown(kind::payment_method, text_of(*attached, "id"));
}

answer<json> detach(context& ctx) {
  auto method = ctx.object();
  if (!method) return method;
  if (is_null(*method, "customer")) {
    return refuse(
        "The payment method you provided is not attached to a customer so detachment is "
        "impossible.");
  }
  const std::string id = text_of(*method, "id");
  detach_from_customer(ctx, std::move(*method));
  return ctx.shown(kind::payment_method, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::text("customer"), params::text("type"),
                                       allow_redisplay()};
  return takes;
}

namespace {

answer<json> list_of(context& ctx, const std::string& customer) {
  filter shown;
  shown.where.push_back({"customer", {customer}});
  shown.also_equal(ctx, "type");
  shown.also_equal(ctx, "allow_redisplay");
  return list_page(ctx, kind::payment_method, shown);
}

}  // namespace

answer<json> list(context& ctx) {
  if (!ctx.given("customer")) {
    filter none;
    none.where.push_back({"customer", {}});
    return list_page(ctx, kind::payment_method, none);
  }
  const auto customer = ctx.referred(kind::customer, ctx.text("customer"), "customer");
  if (!customer) return std::unexpected(customer.error());
  return list_of(ctx, ctx.text("customer"));
}

const params::schema& customer_list_takes() {
  static const params::schema takes = {params::text("type"), allow_redisplay()};
  return takes;
}

answer<json> customer_list(context& ctx) {
  const std::string& customer = ctx.arguments.front();
  if (auto known = ctx.object(kind::customer, customer); !known) return known;
  return list_of(ctx, customer);
}

answer<json> customer_retrieve(context& ctx) {
  const std::string& customer = ctx.arguments.front();
  if (auto known = ctx.object(kind::customer, customer); !known) return known;
  auto method = ctx.object(kind::payment_method, ctx.arguments.back());
  if (!method) return method;
  if (text_of(*method, "customer") != customer) {
    return missing(kind::payment_method, ctx.arguments.back(), "payment_method", 404);
  }
  return view_of(ctx.state, kind::payment_method, *method);
}

}  // namespace tilld::sandbox::payment_methods
