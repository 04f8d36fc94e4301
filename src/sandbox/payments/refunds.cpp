#include "sandbox/payments/refunds.hpp"

#include "sandbox/account/balance.hpp"
#include "sandbox/machine/money.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/payments/fraud_warnings.hpp"
#include "sandbox/payments/payment_methods.hpp"

namespace tilld::sandbox::refunds {

namespace {

constexpr std::int64_t told_after_s = 3600;  // Stripe says "some time later"

sequel sequel_of(const context& ctx, const json& charge) {
  const json* method = ctx.state.find(kind::payment_method, text_of(charge, "payment_method"));
  return method == nullptr ? sequel::none : payment_methods::card_of(*method).then;
}

// Enters the refund, then changes the charge; tells both, in that order.
std::string make(context& ctx, json charge, std::int64_t amount, const json& reason,
                 const json& metadata) {
  json refund = ctx.make(kind::refund);
  std::string id = text_of(refund, "id");
  refund["amount"] = amount;
  refund["charge"] = charge["id"];
  refund["currency"] = charge["currency"];
  refund["customer"] = charge["customer"];
  refund["destination_details"] = {
      {"card",
       {{"reference_status", "pending"},
        {"reference_type", "acquirer_reference_number"},
        {"type", truth_of(charge, "captured") ? "refund" : "reversal"}}},
      {"type", "card"}};
  refund["payment_intent"] = charge["payment_intent"];
  refund["payment_method"] = charge["payment_method"];
  refund["reason"] = reason;
  const sequel then = sequel_of(ctx, charge);
  refund["status"] = then == sequel::refund_waits ? "pending" : "succeeded";
  if (then == sequel::refund_waits || then == sequel::refund_fails) {
    refund["_due"] = ctx.now + told_after_s;
  }
  if (metadata.is_object()) refund["metadata"] = metadata;
  if (truth_of(charge, "captured")) {
    refund["balance_transaction"] = balance::enter_refund(ctx, refund, charge);
  }
  ctx.state.insert(kind::refund, std::move(refund));
  ctx.emit("refund.created", kind::refund, id);
  const std::int64_t refunded = number_of(charge, "amount_refunded") + amount;
  charge["amount_refunded"] = refunded;
  charge["refunded"] = refunded == number_of(charge, "amount");
  const std::string charge_id = text_of(charge, "id");
  const json before = ctx.shown(kind::charge, charge_id);
  ctx.state.replace(kind::charge, std::move(charge));
  ctx.emit_updated("charge.refunded", kind::charge, charge_id, before);
  fraud_warnings::settle(ctx, charge_id);
  return id;
}

// The charge that the request means, and that it can be refunded.
answer<json> charge_of_request(context& ctx) {
  if (ctx.given("charge")) return ctx.object(kind::charge, ctx.text("charge"));
  if (!ctx.given("payment_intent")) {
    return refuse(
        "One of the following params should be provided for this request: payment_intent or "
        "charge.");
  }
  auto intent = ctx.object(kind::payment_intent, ctx.text("payment_intent"));
  if (!intent) return intent;
  const json* charge = ctx.state.find_live(kind::charge, text_of(*intent, "latest_charge"));
  if (charge == nullptr || text_of(*charge, "status") != "succeeded") {
    return refuse("This PaymentIntent (" + ctx.text("payment_intent") +
                  ") does not have a successful charge to refund.");
  }
  return *charge;
}

answer<void> check_refundable(const json& charge) {
  const std::string id = text_of(charge, "id");
  const std::string intent = text_of(charge, "payment_intent");
  if (text_of(charge, "status") != "succeeded") {
    return refuse("This PaymentIntent (" + intent +
                  ") does not have a successful charge to refund.");
  }
  if (truth_of(charge, "refunded") ||
      number_of(charge, "amount_refunded") >= number_of(charge, "amount")) {
    return refuse("Charge " + id + " has already been refunded.", {}, "charge_already_refunded");
  }
  if (!truth_of(charge, "captured")) {
    return refuse("This Charge was created by a PaymentIntent (" + intent +
                  ") that has not been captured. You must cancel the PaymentIntent instead.");
  }
  return {};
}

// Two events say the same; Stripe keeps the older one for those who wait for it.
// Source: https://docs.stripe.com/api/events/types (charge.refund.updated)
void tell_updated(context& ctx, json refund) {
  const std::string id = text_of(refund, "id");
  const json before = ctx.shown(kind::refund, id);
  ctx.state.replace(kind::refund, std::move(refund));
  ctx.emit_updated("charge.refund.updated", kind::refund, id, before);
  ctx.emit_updated("refund.updated", kind::refund, id, before);
}

std::int64_t unrefunded(const json& charge) {
  return number_of(charge, "amount") - number_of(charge, "amount_refunded");
}

answer<void> check_amount(const json& charge, std::int64_t amount) {
  const std::int64_t left = unrefunded(charge);
  if (amount <= left) return {};
  const std::string currency = text_of(charge, "currency");
  return refuse("Refund amount (" + amount_text(amount, currency) +
                    ") is greater than unrefunded amount on charge (" +
                    amount_text(left, currency) + ")",
                "amount");
}

}  // namespace

answer<std::string> give_back(context& ctx, const std::string& id, std::int64_t amount) {
  const json* charge = ctx.state.find_live(kind::charge, id);
  if (charge == nullptr) {
    return refuse("There is no charge that could be refunded.", "refund_amount");
  }
  if (auto can = check_refundable(*charge); !can) return std::unexpected(can.error());
  if (auto fits = check_amount(*charge, amount); !fits) return std::unexpected(fits.error());
  return make(ctx, *charge, amount, nullptr, nullptr);
}

void release(context& ctx, const std::string& charge) {
  json held = ctx.state.live(kind::charge, charge);
  const std::int64_t amount = number_of(held, "amount");
  make(ctx, std::move(held), amount, nullptr, nullptr);
}

void fall_due(context& ctx, const std::string& id) {
  json refund = ctx.state.live(kind::refund, id);
  refund.erase("_due");
  if (text_of(refund, "status") == "pending") {
    refund["status"] = "succeeded";
    tell_updated(ctx, std::move(refund));
    return;
  }
  const std::int64_t amount = number_of(refund, "amount");
  json charge = ctx.state.live(kind::charge, text_of(refund, "charge"));
  refund["failure_balance_transaction"] = balance::enter_failed_refund(ctx, refund);
  refund["failure_reason"] = "expired_or_canceled_card";
  refund["status"] = "failed";
  tell_updated(ctx, std::move(refund));
  ctx.emit("refund.failed", kind::refund, id);
  charge["amount_refunded"] = number_of(charge, "amount_refunded") - amount;
  charge["refunded"] = false;
  ctx.update("charge.updated", kind::charge, std::move(charge));
}

const params::schema& create_takes() {
  static const params::schema takes = {
      params::amount("amount"), params::text("charge"), params::metadata(),
      params::text("payment_intent"),
      params::choice("reason", {"duplicate", "fraudulent", "requested_by_customer"})};
  return takes;
}

answer<json> create(context& ctx) {
  auto charge = charge_of_request(ctx);
  if (!charge) return charge;
  if (auto can = check_refundable(*charge); !can) return std::unexpected(can.error());
  const std::int64_t amount = ctx.given("amount") ? ctx.number("amount") : unrefunded(*charge);
  if (auto fits = check_amount(*charge, amount); !fits) return std::unexpected(fits.error());
  json bare = json::object();
  bare["metadata"] = json::object();
  if (auto merged = merge_metadata(bare, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  const std::string id =
      make(ctx, std::move(*charge), amount, ctx.param("reason"), bare["metadata"]);
  return ctx.shown(kind::refund, id);
}

answer<json> retrieve(context& ctx) {
  auto refund = ctx.object();
  if (!refund) return refund;
  return view_of(ctx.state, kind::refund, *refund);
}

const params::schema& update_takes() {
  static const params::schema takes = {params::metadata()};
  return takes;
}

answer<json> update(context& ctx) {
  auto refund = ctx.object();
  if (!refund) return refund;
  const std::string id = text_of(*refund, "id");
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*refund, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  tell_updated(ctx, std::move(*refund));
  return ctx.shown(kind::refund, id);
}

answer<json> cancel(context& ctx) {
  if (auto refund = ctx.object(); !refund) return refund;
  return refuse("Canceling this refund is unsupported.");
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("charge"),
                                       params::text("payment_intent")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "charge", "charge");
  shown.equal(ctx, "payment_intent", "payment_intent");
  return list_page(ctx, kind::refund, shown);
}

}  // namespace tilld::sandbox::refunds
