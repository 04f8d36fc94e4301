#include "sandbox/catalogue/discounts.hpp"

#include <algorithm>

#include "sandbox/catalogue/coupons.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/money.hpp"

namespace tilld::sandbox::discounts {

namespace {

constexpr std::size_t most = 20;

struct redemption {
  json coupon;
  std::string code;      // id of the promotion code; empty: none
  std::string existing;  // id of a discount that the owner has already
};

// Of customers and what they subscribe to. Discounts of one invoice are not told of, nor those that
// a quote promises.
bool is_told(const json& discount) {
  return is_null(discount, "invoice") && is_null(discount, "invoice_item") &&
         !truth_of(discount, "_promised");
}

answer<void> check_coupon(const context& ctx, const json& coupon, const owner& o,
                          const std::string& param) {
  const std::string id = text_of(coupon, "id");
  if (!is_null(coupon, "redeem_by") && number_of(coupon, "redeem_by") <= ctx.now) {
    return refuse("Coupon expired: " + id, param, "coupon_expired");
  }
  if (!truth_of(coupon, "valid")) {
    return refuse("Coupon " + id + " is used up and cannot be applied.", param, "coupon_expired");
  }
  if (!is_null(coupon, "amount_off") && !coupons::amounts_off(coupon).contains(o.currency)) {
    return refuse("The coupon's currency (" + text_of(coupon, "currency") +
                      ") does not match the currency it is applied to (" + o.currency + ").",
                  param);
  }
  return {};
}

bool has_bought_before(const context& ctx, const std::string& customer) {
  for (const json* invoice : ctx.state.with(kind::invoice, "customer", customer)) {
    const std::string status = text_of(*invoice, "status");
    if (status != "void" && status != "draft") return true;
  }
  for (const json* charge : ctx.state.with(kind::charge, "customer", customer)) {
    if (text_of(*charge, "status") == "succeeded") return true;
  }
  return false;
}

answer<void> check_restrictions(const context& ctx, const json& code, const owner& o,
                                const std::string& param) {
  const json& restrictions = code["restrictions"];
  if (truth_of(restrictions, "first_time_transaction") && has_bought_before(ctx, o.customer)) {
    return refuse(
        "This promotion code cannot be redeemed because the associated customer has prior "
        "transactions.",
        param);
  }
  if (is_null(restrictions, "minimum_amount")) return {};
  const std::int64_t least = number_of(restrictions, "minimum_amount");
  const std::string currency = text_of(restrictions, "minimum_amount_currency");
  if (currency == o.currency && o.amount >= least) return {};
  return refuse("This promotion code cannot be redeemed because the amount is below its minimum, " +
                    amount_text(least, currency) + ".",
                param);
}

answer<redemption> read_code(const context& ctx, const std::string& id, const owner& o,
                             const std::string& param) {
  auto code = ctx.referred(kind::promotion_code, id, param);
  if (!code) return std::unexpected(code.error());
  const bool over = !is_null(*code, "expires_at") && number_of(*code, "expires_at") <= ctx.now;
  if (over || !truth_of(*code, "active")) {
    return refuse("This promotion code is not active.", param);
  }
  const std::string whose = text_of(*code, "customer");
  if (!whose.empty() && whose != o.customer) {
    return refuse("This promotion code belongs to another customer.", param);
  }
  if (auto met = check_restrictions(ctx, *code, o, param); !met) {
    return std::unexpected(met.error());
  }
  auto coupon = ctx.referred(kind::coupon, text_of((*code)["promotion"], "coupon"), param);
  if (!coupon) return std::unexpected(coupon.error());
  if (auto valid = check_coupon(ctx, *coupon, o, param); !valid) {
    return std::unexpected(valid.error());
  }
  return redemption{std::move(*coupon), id, {}};
}

answer<redemption> read_one(const context& ctx, const json& entry, const owner& o,
                            const std::string& at) {
  if (entry.size() != 1) {
    return refuse("You must specify exactly one of coupon, discount or promotion_code.", at);
  }
  if (entry.contains("promotion_code")) {
    return read_code(ctx, text_of(entry, "promotion_code"), o, at + "[promotion_code]");
  }
  if (entry.contains("coupon")) {
    const std::string param = at + "[coupon]";
    auto coupon = ctx.referred(kind::coupon, text_of(entry, "coupon"), param);
    if (!coupon) return std::unexpected(coupon.error());
    if (auto valid = check_coupon(ctx, *coupon, o, param); !valid) {
      return std::unexpected(valid.error());
    }
    return redemption{std::move(*coupon), {}, {}};
  }
  const std::string id = text_of(entry, "discount");
  auto discount = ctx.referred(kind::discount, id, at + "[discount]");
  if (!discount) return std::unexpected(discount.error());
  if (text_of(*discount, "_owner") != o.id) {
    return not_simulated("The sandbox does not simulate taking over another object's discount.",
                         at + "[discount]");
  }
  return redemption{nullptr, {}, id};
}

std::string redeem(context& ctx, const owner& o, const redemption& r) {
  json discount = ctx.make(kind::discount);
  std::string id = text_of(discount, "id");
  const std::string coupon = text_of(r.coupon, "id");
  const std::string duration = text_of(r.coupon, "duration");
  if (!o.customer.empty()) discount["customer"] = o.customer;
  if (o.promised) discount["_promised"] = true;
  if (!o.subscription.empty()) discount["subscription"] = o.subscription;
  if (o.of == kind::subscription_item) discount["subscription_item"] = o.id;
  if (o.of == kind::invoice) discount["invoice"] = o.id;
  if (o.of == kind::invoiceitem) discount["invoice_item"] = o.id;
  if (!r.code.empty()) discount["promotion_code"] = r.code;
  discount["source"] = {{"coupon", coupon}, {"type", "coupon"}};
  discount["start"] = ctx.now;
  if (duration == "repeating") {
    discount["end"] = after_intervals(ctx.now, "month", number_of(r.coupon, "duration_in_months"));
  }
  discount["_owner"] = o.id;
  discount["_once"] = duration == "once";
  discount["_percent"] = text_of(r.coupon, "_percent");  // empty: an amount
  discount["_amounts"] = coupons::amounts_off(r.coupon);
  const json* products = at_path(r.coupon, "_applies_to.products");
  discount["_products"] = products == nullptr ? json::array() : *products;
  if (is_told(discount)) {
    discount["_due"] = discount["end"];
    discount["_clock"] = clock_of(ctx.state.live(kind::customer, o.customer));
  }
  ctx.state.insert(kind::discount, std::move(discount));
  if (!o.promised) coupons::redeemed(ctx, coupon, r.code);
  return id;
}

void mark_ended(context& ctx, const std::string& id) {
  json ended = ctx.state.live(kind::discount, id);
  ended["_owner"] = nullptr;
  ended["_due"] = nullptr;
  ctx.state.replace(kind::discount, std::move(ended));
}

// As Stripe shows it when it is no more.
json last_seen(const context& ctx, const std::string& id) {
  json discount = ctx.shown(kind::discount, id);
  json gone = json::object();
  for (const auto& [name, value] : discount.items()) {
    if (name == "end") gone["deleted"] = true;
    if (name != "end") gone[name] = value;
  }
  return gone;
}

answer<json> remove_from(context& ctx, kind k) {
  const std::string& id = ctx.arguments.front();
  if (auto known = ctx.object(k, id); !known) return known;
  const auto all = of(ctx.state, id);
  if (all.empty()) {
    return refuse(stripe::api_error{
        404, "invalid_request_error", "resource_missing",
        "No active discount for " + std::string(row_of(k).object) + ": " + id, ""});
  }
  const json before = ctx.shown(k, id);
  for (const auto& one : all)
    end(ctx, one);
  ctx.emit_updated(k == kind::customer ? "customer.updated" : "customer.subscription.updated", k,
                   id, before);
  return last_seen(ctx, all.back());
}

}  // namespace

params::field field() {
  return params::list("discounts", {params::text("coupon"), params::text("discount"),
                                    params::text("promotion_code")})
      .clearable();
}

answer<json> put(context& ctx, const owner& o, const json& given, const std::string& within) {
  if (given.size() > most) {
    return refuse("You can apply at most 20 discounts.", within);
  }
  std::vector<redemption> wanted;
  for (std::size_t i = 0; i < given.size(); ++i) {
    auto one = read_one(ctx, given[i], o, within + "[" + std::to_string(i) + "]");
    if (!one) return std::unexpected(one.error());
    wanted.push_back(std::move(*one));
  }
  auto before = of(ctx.state, o.id);
  json ids = json::array();
  std::vector<std::string> made;
  for (const auto& r : wanted) {
    std::string id = r.existing;
    if (id.empty()) {
      id = redeem(ctx, o, r);
      made.push_back(id);
    } else {
      std::erase(before, id);
    }
    json placed = ctx.state.live(kind::discount, id);
    placed["_place"] = ids.size();
    ctx.state.replace(kind::discount, std::move(placed));
    ids.push_back(id);
  }
  const bool told = o.of == kind::subscription || o.of == kind::subscription_item;
  // One for another is a change; anything else comes or goes.
  // Source: https://docs.stripe.com/api/events/types
  const bool switched = before.size() == 1 && made.size() == 1 && ids.size() == 1;
  if (switched) {
    mark_ended(ctx, before.front());
    if (told) {
      json now = ctx.shown(kind::discount, made.front());
      json previous = previous_attributes(ctx.shown(kind::discount, before.front()), now);
      ctx.emit_object("customer.discount.updated", std::move(now), std::move(previous));
    }
    return ids;
  }
  for (const auto& id : before)
    end(ctx, id);
  for (const auto& id : made) {
    if (told) ctx.emit("customer.discount.created", kind::discount, id);
  }
  return ids;
}

std::vector<std::string> of(const world& w, const std::string& owner) {
  std::vector<const json*> found = w.with(kind::discount, "_owner", owner);
  std::sort(found.begin(), found.end(), [](const json* a, const json* b) {
    return number_of(*a, "_place") < number_of(*b, "_place");
  });
  std::vector<std::string> ids;
  for (const json* discount : found)
    ids.push_back(text_of(*discount, "id"));
  return ids;
}

json in_force(const world& w, const std::string& owner, std::int64_t at_s) {
  json ids = json::array();
  for (const auto& id : of(w, owner)) {
    const std::int64_t end_s = number_of(w.at(kind::discount, id), "end");
    if (end_s == 0 || at_s < end_s) ids.push_back(id);
  }
  return ids;
}

totals::discount terms(const context& ctx, const std::string& id, const std::string& currency) {
  const json& discount = ctx.state.at(kind::discount, id);
  totals::discount out;
  out.id = id;
  out.percent_off = decimal::parse(text_of(discount, "_percent")).value_or(decimal());
  out.amount_off = number_of(discount["_amounts"], currency);
  for (const auto& product : discount["_products"])
    out.products.push_back(product.get<std::string>());
  return out;
}

void used(context& ctx, const std::string& id) {
  const json& discount = ctx.state.at(kind::discount, id);
  if (truth_of(discount, "_once") && is_told(discount) && !is_null(discount, "_owner")) {
    end(ctx, id);
  }
}

void end(context& ctx, const std::string& id) {
  const bool told = is_told(ctx.state.at(kind::discount, id));
  mark_ended(ctx, id);
  if (told) ctx.emit_object("customer.discount.deleted", last_seen(ctx, id));
}

void fall_due(context& ctx, const std::string& id) {
  const std::string subscription = text_of(ctx.state.at(kind::discount, id), "subscription");
  const json before = ctx.shown(kind::subscription, subscription);
  const std::string status = before.is_null() ? "" : text_of(before, "status");
  // What is over keeps what it had.
  if (status == "canceled" || status == "incomplete_expired") {
    json rests = ctx.state.live(kind::discount, id);
    rests["_due"] = nullptr;
    ctx.state.replace(kind::discount, std::move(rests));
    return;
  }
  end(ctx, id);
  if (!before.is_null()) {
    ctx.emit_updated("customer.subscription.updated", kind::subscription, subscription, before);
  }
}

answer<json> remove_from_customer(context& ctx) {
  return remove_from(ctx, kind::customer);
}

answer<json> remove_from_subscription(context& ctx) {
  return remove_from(ctx, kind::subscription);
}

}  // namespace tilld::sandbox::discounts
