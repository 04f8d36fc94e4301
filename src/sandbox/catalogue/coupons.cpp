#include "sandbox/catalogue/coupons.hpp"

#include <algorithm>

#include "sandbox/machine/money.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::coupons {

namespace {

// "25" or "12.5": more than 0, at most 100. As JSON shows it.
answer<json> percent(const std::string& text) {
  if (!is_decimal(text)) return refuse("Invalid decimal: " + text, "percent_off");
  json number = json::parse(text, nullptr, false);
  if (number.is_discarded()) return refuse("Invalid decimal: " + text, "percent_off");
  const double value = number.get<double>();
  if (value <= 0 || value > 100) {
    return refuse("Invalid percent_off: must be greater than 0 and at most 100", "percent_off");
  }
  return number;
}

answer<void> take_discount(const context& ctx, json& coupon) {
  const bool amount = ctx.given("amount_off");
  if (amount == ctx.given("percent_off")) {
    return refuse(amount ? "You may only specify one of these parameters: amount_off, percent_off."
                         : "You must pass either `percent_off` or `amount_off`.",
                  amount ? "amount_off" : "percent_off");
  }
  if (amount) {
    if (!ctx.given("currency")) {
      return refuse("You must pass `currency` when passing `amount_off`", "currency");
    }
    ctx.copy_given(coupon, {"amount_off", "currency"});
    coupon["_currency_options"] = ctx.param("currency_options");
    return {};
  }
  if (ctx.given("currency_options")) {
    return refuse("`currency_options` can only be used with `amount_off`.", "currency_options");
  }
  auto share = percent(ctx.text("percent_off"));
  if (!share) return std::unexpected(share.error());
  coupon["percent_off"] = std::move(*share);
  coupon["_percent"] = ctx.text("percent_off");
  return {};
}

answer<void> take_duration(const context& ctx, json& coupon) {
  const std::string duration = ctx.given("duration") ? ctx.text("duration") : "once";
  coupon["duration"] = duration;
  if (duration == "repeating" && !ctx.given("duration_in_months")) {
    return refuse(
        "If `duration` is `repeating`, you must pass in an integer greater than zero to "
        "`duration_in_months`.",
        "duration_in_months");
  }
  if (duration != "repeating" && ctx.given("duration_in_months")) {
    return refuse("You can only pass in `duration_in_months` if `duration` is `repeating`.",
                  "duration_in_months");
  }
  ctx.copy_given(coupon, {"duration_in_months"});
  return {};
}

params::field currency_options_field() {
  return params::currencies("currency_options", {params::amount("amount_off").needed()});
}

bool is_code(const std::string& code) {
  return !code.empty() && std::all_of(code.begin(), code.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-';
  });
}

json restrictions_of(const json& given) {
  json restrictions = json::object();
  restrictions["first_time_transaction"] = truth_of(given, "first_time_transaction");
  restrictions["minimum_amount"] = nullptr;
  restrictions["minimum_amount_currency"] = nullptr;
  if (given.is_object()) merge_hash(restrictions, given);
  return restrictions;
}

params::field restrictions_field() {
  return params::hash(
      "restrictions",
      {params::boolean("first_time_transaction"), params::amount("minimum_amount"),
       params::currency("minimum_amount_currency"), params::unsimulated("currency_options")});
}

bool is_used_up(const json& redeemable) {
  return !is_null(redeemable, "max_redemptions") &&
         number_of(redeemable, "times_redeemed") >= number_of(redeemable, "max_redemptions");
}

json one_more(json redeemable) {
  redeemable["times_redeemed"] = number_of(redeemable, "times_redeemed") + 1;
  return redeemable;
}

// A code is active as long as its coupon is valid.
// Source: https://docs.stripe.com/api/promotion_codes/object
void end_codes(context& ctx, const std::string& coupon) {
  for (const json* found : ctx.state.with(kind::promotion_code, "promotion.coupon", coupon)) {
    json code = *found;
    code["active"] = false;
    ctx.update("promotion_code.updated", kind::promotion_code, std::move(code));
  }
}

}  // namespace

void redeemed(context& ctx, const std::string& coupon, const std::string& code) {
  if (!code.empty()) {
    json counted = one_more(ctx.state.live(kind::promotion_code, code));
    if (is_used_up(counted)) counted["active"] = false;
    ctx.update("promotion_code.updated", kind::promotion_code, std::move(counted));
  }
  json counted = one_more(ctx.state.live(kind::coupon, coupon));
  const bool last = is_used_up(counted);
  if (last) counted["valid"] = false;
  ctx.update("coupon.updated", kind::coupon, std::move(counted));
  if (last) end_codes(ctx, coupon);
}

void expire(context& ctx, const std::string& coupon) {
  json expired = ctx.state.live(kind::coupon, coupon);
  expired["valid"] = false;
  expired["_due"] = nullptr;
  ctx.update("coupon.updated", kind::coupon, std::move(expired));
  end_codes(ctx, coupon);
}

void expire_code(context& ctx, const std::string& code) {
  json expired = ctx.state.live(kind::promotion_code, code);
  expired["active"] = false;
  expired["_due"] = nullptr;
  ctx.update("promotion_code.updated", kind::promotion_code, std::move(expired));
}

json amounts_off(const json& coupon) {
  json amounts = json::object();
  if (is_null(coupon, "amount_off")) return amounts;
  amounts[text_of(coupon, "currency")] = coupon["amount_off"];
  if (!coupon.contains("_currency_options")) return amounts;
  for (const auto& [currency, option] : coupon["_currency_options"].items())
    amounts[currency] = option["amount_off"];
  return amounts;
}

const params::schema& create_takes() {
  static const params::schema takes = {
      params::amount("amount_off"),
      params::hash("applies_to", {params::texts("products")}),
      params::currency("currency"),
      currency_options_field(),
      params::choice("duration", {"forever", "once", "repeating"}),
      params::integer("duration_in_months").at_least(1).at_most(1200),
      params::text("id", 200),
      params::integer("max_redemptions").at_least(1),
      params::metadata(),
      params::text("name", 40),
      params::text("percent_off", 20),
      params::timestamp("redeem_by")};
  return takes;
}

answer<json> create(context& ctx) {
  json coupon = ctx.make(kind::coupon);
  if (ctx.given("id")) {
    if (ctx.state.find_live(kind::coupon, ctx.text("id")) != nullptr) {
      return refuse("Coupon already exists.", "id", "resource_already_exists");
    }
    coupon["id"] = ctx.text("id");
  }
  if (auto taken = take_discount(ctx, coupon); !taken) return std::unexpected(taken.error());
  if (auto taken = take_duration(ctx, coupon); !taken) return std::unexpected(taken.error());
  if (ctx.given("redeem_by") && ctx.number("redeem_by") <= ctx.now) {
    return refuse("Redeem_by must be in the future.", "redeem_by");
  }
  if (const json* products = at_path(ctx.params, "applies_to.products")) {
    for (const auto& product : *products) {
      auto known = ctx.referred(kind::product, product.get<std::string>(), "applies_to[products]");
      if (!known) return known;
    }
  }
  ctx.copy_given(coupon, {"max_redemptions", "name", "redeem_by"});
  coupon["times_redeemed"] = 0;
  coupon["valid"] = true;
  coupon["_due"] = coupon["redeem_by"];
  coupon["_applies_to"] = ctx.param("applies_to");
  if (auto merged = merge_metadata(coupon, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  const std::string id = text_of(coupon, "id");
  ctx.state.insert(kind::coupon, std::move(coupon));
  ctx.emit("coupon.created", kind::coupon, id);
  return ctx.shown(kind::coupon, id);
}

answer<json> retrieve(context& ctx) {
  auto coupon = ctx.object();
  if (!coupon) return coupon;
  return view_of(ctx.state, kind::coupon, *coupon);
}

const params::schema& update_takes() {
  static const params::schema takes = {currency_options_field(), params::metadata(),
                                       params::text("name", 40).clearable()};
  return takes;
}

answer<json> update(context& ctx) {
  auto coupon = ctx.object();
  if (!coupon) return coupon;
  const std::string id = text_of(*coupon, "id");
  ctx.copy_given(*coupon, {"name"});
  if (ctx.given("currency_options")) {
    if (is_null(*coupon, "amount_off")) {
      return refuse("`currency_options` can only be used with `amount_off`.", "currency_options");
    }
    json options = (*coupon)["_currency_options"];
    merge_hash(options, ctx.param("currency_options"));
    (*coupon)["_currency_options"] = std::move(options);
  }
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*coupon, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.update("coupon.updated", kind::coupon, std::move(*coupon));
  return ctx.shown(kind::coupon, id);
}

answer<json> remove(context& ctx) {
  auto coupon = ctx.object();
  if (!coupon) return coupon;
  const std::string id = text_of(*coupon, "id");
  json last = ctx.shown(kind::coupon, id);
  ctx.state.leave_stub(kind::coupon, id);
  ctx.emit_object("coupon.deleted", std::move(last));
  end_codes(ctx, id);
  return ctx.shown(kind::coupon, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created")};
  return takes;
}

answer<json> list(context& ctx) {
  return list_page(ctx, kind::coupon, {});
}

const params::schema& code_create_takes() {
  static const params::schema takes = {
      params::hash("promotion",
                   {params::choice("type", {"coupon"}).needed(), params::text("coupon")})
          .needed(),
      params::boolean("active"),
      params::text("code", 500),
      params::text("customer"),
      params::timestamp("expires_at"),
      params::integer("max_redemptions").at_least(1),
      params::metadata(),
      restrictions_field()};
  return takes;
}

answer<json> code_create(context& ctx) {
  const std::string coupon = text_of(ctx.param("promotion"), "coupon");
  if (coupon.empty()) return refuse(stripe::parameter_missing("promotion[coupon]"));
  auto terms = ctx.referred(kind::coupon, coupon, "promotion[coupon]");
  if (!terms) return terms;
  if (!truth_of(*terms, "valid")) {
    return refuse("The coupon " + coupon + " is no longer valid.", "promotion[coupon]");
  }
  if (ctx.given("expires_at") && ctx.number("expires_at") <= ctx.now) {
    return refuse("expires_at must be in the future.", "expires_at");
  }
  if (ctx.given("customer")) {
    auto known = ctx.referred(kind::customer, ctx.text("customer"), "customer");
    if (!known) return known;
  }
  json promotion = ctx.make(kind::promotion_code);
  const std::string id = text_of(promotion, "id");
  const std::string code =
      ctx.given("code") ? ctx.text("code") : ctx.state.ids.capitals("code" + id, 8);
  if (!is_code(code)) {
    return refuse("Promotion codes can only contain letters, digits and dashes.", "code");
  }
  for (const json* other : ctx.state.with(kind::promotion_code, "code", code)) {
    if (truth_of(*other, "active")) {
      return refuse("An active promotion code with `code: " + code + "` already exists.", "code");
    }
  }
  promotion["active"] = !ctx.given("active") || ctx.truth("active");
  promotion["code"] = code;
  promotion["promotion"] = {{"coupon", coupon}, {"type", "coupon"}};
  promotion["restrictions"] = restrictions_of(ctx.param("restrictions"));
  promotion["times_redeemed"] = 0;
  ctx.copy_given(promotion, {"customer", "expires_at", "max_redemptions"});
  promotion["_due"] = promotion["expires_at"];
  if (auto merged = merge_metadata(promotion, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  ctx.state.insert(kind::promotion_code, std::move(promotion));
  ctx.emit("promotion_code.created", kind::promotion_code, id);
  return ctx.shown(kind::promotion_code, id);
}

answer<json> code_retrieve(context& ctx) {
  auto code = ctx.object();
  if (!code) return code;
  return view_of(ctx.state, kind::promotion_code, *code);
}

const params::schema& code_update_takes() {
  static const params::schema takes = {params::boolean("active"), params::metadata()};
  return takes;
}

answer<json> code_update(context& ctx) {
  auto code = ctx.object();
  if (!code) return code;
  const std::string id = text_of(*code, "id");
  if (ctx.truth("active")) {
    const json* coupon = ctx.state.find_live(kind::coupon, text_of((*code)["promotion"], "coupon"));
    const bool over = !is_null(*code, "expires_at") && number_of(*code, "expires_at") <= ctx.now;
    if (over || is_used_up(*code) || coupon == nullptr || !truth_of(*coupon, "valid")) {
      return refuse("This promotion code cannot be activated: it or its coupon is used up or over.",
                    "active");
    }
  }
  ctx.copy_given(*code, {"active"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*code, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.update("promotion_code.updated", kind::promotion_code, std::move(*code));
  return ctx.shown(kind::promotion_code, id);
}

const params::schema& code_list_takes() {
  static const params::schema takes = {params::boolean("active"), params::text("code"),
                                       params::text("coupon"), params::range("created"),
                                       params::text("customer")};
  return takes;
}

answer<json> code_list(context& ctx) {
  filter shown;
  shown.equal(ctx, "code", "code");
  shown.equal(ctx, "coupon", "promotion.coupon");
  shown.equal(ctx, "customer", "customer");
  shown.also_equal(ctx, "active");
  return list_page(ctx, kind::promotion_code, shown);
}

}  // namespace tilld::sandbox::coupons
