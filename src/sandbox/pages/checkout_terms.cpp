// What a session's discount and tax rates make of what it costs, before anything is redeemed.
// Source: https://docs.stripe.com/payments/checkout/discounts
#include <utility>

#include "sandbox/catalogue/coupons.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/pages/checkout.hpp"

namespace tilld::sandbox::checkout {

namespace {

discounts::owner owner_of(const json& session) {
  discounts::owner o;
  o.of = kind::checkout_session;
  o.id = text_of(session, "id");
  o.customer = text_of(session, "customer");
  o.currency = text_of(session, "currency");
  o.amount = number_of(session, "amount_subtotal");
  o.promised = true;
  return o;
}

bool is_exempt(const context& ctx, const json& session) {
  const json* customer = ctx.state.find_live(kind::customer, text_of(session, "customer"));
  if (customer == nullptr) return false;
  const std::string status = text_of(*customer, "tax_exempt");
  return status == "exempt" || status == "reverse";
}

totals::line line_of(const context& ctx, const json& item) {
  totals::line l;
  l.amount = number_of(item, "amount_subtotal");
  l.product = text_of(ctx.state.at(kind::price, text_of(item, "price")), "product");
  for (const auto& rate : item["_tax_rates"])
    l.rates.push_back(tax_rates::terms(ctx, rate.get<std::string>()));
  return l;
}

struct sums_of_item {
  std::int64_t discount = 0;
  std::int64_t tax = 0;
  std::int64_t on_top = 0;  // of the tax
};
sums_of_item sums_of(const totals::sums_of_line& line) {
  sums_of_item s;
  for (const auto& off : line.discounts)
    s.discount += off.amount;
  for (const auto& tax : line.taxes) {
    s.tax += tax.amount;
    if (!tax.inclusive) s.on_top += tax.amount;
  }
  return s;
}

}  // namespace

void reckon(context& ctx, const std::string& id) {
  json session = ctx.state.live(kind::checkout_session, id);
  std::vector<totals::line> lines;
  auto items = items_of(ctx, id);
  for (const auto& item : items)
    lines.push_back(line_of(ctx, item));
  std::vector<totals::discount> off;
  for (const auto& discount : discounts::of(ctx.state, id))
    off.push_back(discounts::terms(ctx, discount, text_of(session, "currency")));
  const auto sums = totals::reckon(lines, off, is_exempt(ctx, session));
  sums_of_item all;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const sums_of_item its = sums_of(sums.lines[i]);
    all.discount += its.discount;
    all.tax += its.tax;
    items[i]["amount_discount"] = its.discount;
    items[i]["amount_tax"] = its.tax;
    items[i]["amount_total"] = number_of(items[i], "amount_subtotal") - its.discount + its.on_top;
    ctx.state.replace(kind::item, std::move(items[i]));
  }
  session["amount_total"] = sums.total;
  session["total_details"] = {
      {"amount_discount", all.discount}, {"amount_shipping", 0}, {"amount_tax", all.tax}};
  ctx.state.replace(kind::checkout_session, std::move(session));
}

answer<void> take_discounts(context& ctx, const std::string& id, const json& given,
                            const std::string& param) {
  json session = ctx.state.live(kind::checkout_session, id);
  if (given.size() > 1) return refuse("You can apply at most 1 discount.", param);
  auto put = discounts::put(ctx, owner_of(session), given, param);
  if (!put) return std::unexpected(put.error());
  session["discounts"] = json::array();
  for (const auto& one : given) {
    json shown = {{"coupon", nullptr}, {"promotion_code", nullptr}};
    shown.update(one);
    session["discounts"].push_back(std::move(shown));
  }
  ctx.state.replace(kind::checkout_session, std::move(session));
  reckon(ctx, id);
  return {};
}

answer<void> apply_code(context& ctx, const std::string& id, const std::string& code) {
  const json& session = ctx.state.live(kind::checkout_session, id);
  const auto wrong = [] { return refuse("This code is invalid.", "promotion_code"); };
  if (!truth_of(session, "allow_promotion_codes")) return wrong();
  for (const json* found : ctx.state.with(kind::promotion_code, "code", code)) {
    if (!truth_of(*found, "active")) continue;
    const json one = {{"promotion_code", (*found)["id"]}};
    return take_discounts(ctx, id, json::array({one}), "promotion_code");
  }
  return wrong();
}

json discounts_to_redeem(const json& session) {
  json given = json::array();
  for (const auto& one : session["discounts"]) {
    const char* name = is_null(one, "promotion_code") ? "coupon" : "promotion_code";
    given.push_back({{name, one[name]}});
  }
  return given;
}

void redeem(context& ctx, const std::string& id) {
  for (const auto& discount : discounts::of(ctx.state, id)) {
    const json& d = ctx.state.live(kind::discount, discount);
    const std::string coupon = text_of(d["source"], "coupon");
    const std::string code = text_of(d, "promotion_code");
    if (ctx.state.find_live(kind::coupon, coupon) != nullptr) coupons::redeemed(ctx, coupon, code);
  }
}

}  // namespace tilld::sandbox::checkout
