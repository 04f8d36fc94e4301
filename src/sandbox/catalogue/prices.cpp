#include "sandbox/catalogue/prices.hpp"

#include <algorithm>

#include "sandbox/catalogue/products.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::prices {

namespace {

std::string within_name(const std::string& within, const std::string& name) {
  return within.empty() ? name : within + "[" + name + "]";
}

params::field recurring_field() {
  return params::hash(
      "recurring", {params::choice("interval", {"day", "month", "week", "year"}).needed(),
                    params::integer("interval_count").at_least(1).at_most(1095),
                    params::integer("trial_period_days").at_least(1).at_most(730),
                    params::choice("usage_type", {"licensed", "metered"}), params::text("meter")});
}

// Usage is billed by an active meter, and nothing else has one. The wordings are assumed.
// Source: https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-legacy-usage-based-billing
answer<void> check_meter(const context& ctx, const json& asked, const std::string& within) {
  const std::string param = within_name(within, "recurring") + "[meter]";
  const bool metered = text_of(asked, "usage_type") == "metered";
  if (!asked.contains("meter")) {
    if (!metered) return {};
    return refuse("Prices with `usage_type=metered` must have a `meter`.", param,
                  "parameter_missing");
  }
  if (!metered) return refuse("`meter` can only be used with `usage_type=metered`.", param);
  const std::string id = text_of(asked, "meter");
  const auto meter = ctx.referred(kind::meter, id, param);
  if (!meter) return std::unexpected(meter.error());
  if (text_of(*meter, "status") == "active") return {};
  return refuse("The meter " + id + " is inactive. Prices can only use active meters.", param);
}

answer<json> recurring_in(const context& ctx, const json& given, const std::string& within) {
  if (!given.contains("recurring")) return json(nullptr);
  const json& asked = given["recurring"];
  if (auto fits = check_meter(ctx, asked, within); !fits) return std::unexpected(fits.error());
  const std::string interval = text_of(asked, "interval");
  const std::int64_t count =
      asked.contains("interval_count") ? number_of(asked, "interval_count") : 1;
  const std::int64_t most = interval == "year"    ? 3
                            : interval == "month" ? 36
                            : interval == "week"  ? 156
                                                  : 1095;
  if (count > most) {
    return refuse("The maximum interval is three years.",
                  within_name(within, "recurring") + "[interval_count]");
  }
  json recurring = json::object();
  recurring["interval"] = interval;
  recurring["interval_count"] = count;
  recurring["meter"] = asked.contains("meter") ? asked["meter"] : json(nullptr);
  recurring["trial_period_days"] =
      asked.contains("trial_period_days") ? asked["trial_period_days"] : json(nullptr);
  recurring["usage_type"] = asked.contains("usage_type") ? asked["usage_type"] : "licensed";
  return recurring;
}

// A key names one price. With transfer it is taken from the one that has it.
answer<void> claim_lookup_key(context& ctx, const std::string& key, const std::string& id) {
  for (const json* holder : ctx.state.with(kind::price, "lookup_key", key)) {
    if (text_of(*holder, "id") == id) continue;
    if (!ctx.truth("transfer_lookup_key")) {
      return refuse("A price (`" + text_of(*holder, "id") + "`) already uses that lookup key.",
                    "lookup_key", "resource_already_exists");
    }
    json freed = *holder;
    freed["lookup_key"] = nullptr;
    ctx.update("price.updated", kind::price, std::move(freed));
    return {};
  }
  return {};
}

void insert(context& ctx, json price) {
  const std::string id = text_of(price, "id");
  const bool recurring = price["recurring"].is_object();
  ctx.state.insert(kind::price, std::move(price));
  if (recurring) {
    ctx.emit_object("plan.created", plan_of_price(ctx.state.at(kind::price, id)));
  }
  ctx.emit("price.created", kind::price, id);
}

// Tells of a changed price, and of its plan where the plan shows the change.
void replace(context& ctx, json price) {
  const std::string id = text_of(price, "id");
  const json before = ctx.shown(kind::price, id);
  const bool recurring = price["recurring"].is_object();
  const json plan_before = recurring ? plan_of_price(before) : json(nullptr);
  ctx.state.replace(kind::price, std::move(price));
  if (recurring) {
    json plan = plan_of_price(ctx.state.at(kind::price, id));
    json previous = previous_attributes(plan_before, plan);
    if (!previous.is_null()) {
      ctx.emit_object("plan.updated", std::move(plan), std::move(previous));
    }
  }
  ctx.emit_updated("price.updated", kind::price, id, before);
}

json blank_price(context& ctx, const std::string& product, const std::string& currency) {
  json price = ctx.make(kind::price);
  price["active"] = true;
  price["billing_scheme"] = "per_unit";
  price["currency"] = currency;
  price["product"] = product;
  price["tax_behavior"] = "unspecified";
  price["type"] = "one_time";
  return price;
}

}  // namespace

std::vector<params::field> default_price_fields() {
  auto fields = amount_fields();
  fields.push_back(recurring_field());
  fields.push_back(params::metadata());
  return fields;
}

answer<std::string> make(context& ctx, const std::string& product, const json& given,
                         const std::string& within) {
  json price = blank_price(ctx, product, text_of(given, "currency"));
  if (auto taken = take_terms(price, given, within); !taken) {
    return std::unexpected(taken.error());
  }
  auto recurring = recurring_in(ctx, given, within);
  if (!recurring) return std::unexpected(recurring.error());
  price["type"] = recurring->is_null() ? "one_time" : "recurring";
  price["recurring"] = std::move(*recurring);
  for (const char* name : {"active", "nickname", "tax_behavior", "lookup_key"}) {
    if (given.contains(name)) price[name] = given[name];
  }
  if (given.contains("metadata")) {
    if (auto merged = merge_metadata(price, given["metadata"]); !merged) {
      return std::unexpected(merged.error());
    }
  }
  std::string id = text_of(price, "id");
  if (const std::string key = text_of(price, "lookup_key"); !key.empty()) {
    if (auto claimed = claim_lookup_key(ctx, key, id); !claimed) {
      return std::unexpected(claimed.error());
    }
  }
  insert(ctx, std::move(price));
  return id;
}

params::field data_field(const std::string& name, bool recurring) {
  params::schema members = {
      params::currency("currency").needed(), params::text("product").needed(),
      params::choice("tax_behavior", {"exclusive", "inclusive", "unspecified"}),
      params::integer("unit_amount").at_least(0).at_most(99'999'999),
      params::text("unit_amount_decimal", 40)};
  if (recurring) members.push_back(recurring_field().needed());
  return params::hash(name, std::move(members));
}

answer<json> make_inline(context& ctx, const json& data, const std::string& within) {
  const std::string product = text_of(data, "product");
  auto known = ctx.referred(kind::product, product, within_name(within, "product"));
  if (!known) return known;
  json given = data;
  given["active"] = false;
  const auto id = make(ctx, product, given, within);
  if (!id) return std::unexpected(id.error());
  return ctx.state.at(kind::price, *id);
}

std::string make_one_off(context& ctx, const std::string& product, std::int64_t unit_amount,
                         const std::string& currency) {
  json price = blank_price(ctx, product, currency);
  price["active"] = false;
  price["unit_amount"] = unit_amount;
  price["unit_amount_decimal"] = std::to_string(unit_amount);
  std::string id = text_of(price, "id");
  insert(ctx, std::move(price));
  return id;
}

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = amount_fields();
    for (auto& field : scheme_fields())
      fields.push_back(std::move(field));
    fields.push_back(recurring_field());
    fields.push_back(params::boolean("active"));
    fields.push_back(params::text("lookup_key", 200));
    fields.push_back(params::metadata());
    fields.push_back(params::text("nickname"));
    fields.push_back(params::text("product"));
    fields.push_back(
        params::hash("product_data",
                     {params::text("name").needed(), params::boolean("active"), params::metadata(),
                      params::text("id"), params::text("statement_descriptor", 22),
                      params::text("unit_label", 12), params::unsimulated("tax_code")}));
    fields.push_back(params::boolean("transfer_lookup_key"));
    return fields;
  }();
  return takes;
}

namespace {

answer<std::string> product_of_request(context& ctx) {
  const bool named = ctx.given("product");
  if (named && ctx.given("product_data")) {
    return refuse("You may only specify one of these parameters: product, product_data.",
                  "product");
  }
  if (named) {
    auto product = ctx.referred(kind::product, ctx.text("product"), "product");
    if (!product) return std::unexpected(product.error());
    return ctx.text("product");
  }
  if (!ctx.given("product_data")) return refuse(stripe::parameter_missing("product"));
  const json& data = ctx.param("product_data");
  if (data.contains("id") && ctx.state.find_live(kind::product, text_of(data, "id")) != nullptr) {
    return refuse("Product already exists.", "product_data[id]", "resource_already_exists");
  }
  return products::make(ctx, data);
}

}  // namespace

answer<json> create(context& ctx) {
  const auto product = product_of_request(ctx);
  if (!product) return std::unexpected(product.error());
  const auto id = make(ctx, *product, ctx.params, "");
  if (!id) return std::unexpected(id.error());
  return ctx.shown(kind::price, *id);
}

bool is_metered(const json& price) {
  return price["recurring"].is_object() && text_of(price["recurring"], "usage_type") == "metered";
}

answer<json> retrieve(context& ctx) {
  auto price = ctx.object();
  if (!price) return price;
  return view_of(ctx.state, kind::price, *price);
}

const params::schema& update_takes() {
  static const params::schema takes = {
      params::boolean("active"),
      currency_options_field(),
      params::text("lookup_key", 200).clearable(),
      params::metadata(),
      params::text("nickname").clearable(),
      params::choice("tax_behavior", {"exclusive", "inclusive", "unspecified"}),
      params::boolean("transfer_lookup_key")};
  return takes;
}

answer<json> update(context& ctx) {
  auto price = ctx.object();
  if (!price) return price;
  const std::string id = text_of(*price, "id");
  const std::string behavior = text_of(*price, "tax_behavior");
  if (ctx.given("tax_behavior") && behavior != "unspecified" &&
      behavior != ctx.text("tax_behavior")) {
    return refuse("You cannot change the tax behavior of a price once it is set.", "tax_behavior");
  }
  if (const std::string key = ctx.text("lookup_key"); !key.empty()) {
    if (auto claimed = claim_lookup_key(ctx, key, id); !claimed) {
      return std::unexpected(claimed.error());
    }
  }
  if (auto taken = take_options(*price, ctx.params, ""); !taken) {
    return std::unexpected(taken.error());
  }
  ctx.copy_given(*price, {"active", "lookup_key", "nickname", "tax_behavior"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*price, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  replace(ctx, std::move(*price));
  return ctx.shown(kind::price, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {
      params::boolean("active"),
      params::range("created"),
      params::currency("currency"),
      params::list("lookup_keys", {params::text("")}),
      params::text("product"),
      params::choice("type", {"one_time", "recurring"}),
      params::hash("recurring",
                   {params::choice("interval", {"day", "month", "week", "year"}),
                    params::choice("usage_type", {"licensed", "metered"}), params::text("meter")})};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "product", "product");
  shown.equal(ctx, "type", "type");
  if (ctx.given("lookup_keys")) {
    std::vector<std::string> keys;
    for (const auto& key : ctx.param("lookup_keys"))
      keys.push_back(key.get<std::string>());
    shown.where.push_back({"lookup_key", std::move(keys)});
  }
  shown.also_equal(ctx, "active");
  shown.also_equal(ctx, "currency");
  if (ctx.given("recurring")) {
    shown.also.push_back([asked = ctx.param("recurring")](const json& price) {
      for (const auto& [name, value] : asked.items()) {
        const json* has = at_path(price, "recurring." + name);
        if (has == nullptr || *has != value) return false;
      }
      return price["recurring"].is_object();
    });
  }
  return list_page(ctx, kind::price, shown);
}

answer<json> plan_retrieve(context& ctx) {
  const std::string& id = ctx.arguments.front();
  const json* price = ctx.state.find_live(kind::price, id);
  if (price == nullptr || !(*price)["recurring"].is_object()) {
    return refuse(stripe::resource_missing("plan", id, stripe::path_param("plan")));
  }
  return plan_of_price(*price);
}

const params::schema& plan_list_takes() {
  static const params::schema takes = {params::boolean("active"), params::range("created"),
                                       params::text("product")};
  return takes;
}

answer<json> plan_list(context& ctx) {
  filter shown;
  shown.where.push_back({"type", {"recurring"}});
  shown.equal(ctx, "product", "product");
  shown.also_equal(ctx, "active");
  return list_page(ctx, kind::price, shown, ctx.path, plan_of_price);
}

}  // namespace tilld::sandbox::prices
