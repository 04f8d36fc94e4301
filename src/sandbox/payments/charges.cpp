#include "sandbox/payments/charges.hpp"

#include "sandbox/account/balance.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/machine/ranges.hpp"
#include "sandbox/payments/payment_methods.hpp"

namespace tilld::sandbox::charges {

namespace {

json outcome_of(const decline* why, std::string_view risk) {
  json outcome = json::object();
  outcome["advice_code"] = nullptr;
  outcome["network_advice_code"] = nullptr;
  outcome["network_decline_code"] = nullptr;
  if (why == nullptr) {
    outcome["network_status"] = "approved_by_network";
    outcome["reason"] = nullptr;
    outcome["risk_level"] = risk;
    outcome["seller_message"] = "Payment complete.";
    outcome["type"] = "authorized";
  } else if (why->blocked) {
    outcome["network_status"] = "not_sent_to_network";
    outcome["reason"] = "highest_risk_level";
    outcome["risk_level"] = "highest";
    outcome["seller_message"] = "Stripe blocked this payment as too risky.";
    outcome["type"] = "blocked";
  } else {
    outcome["network_status"] = "declined_by_network";
    outcome["reason"] = why->decline_code;
    outcome["risk_level"] = risk;
    outcome["seller_message"] = "The bank did not return any further details with this decline.";
    outcome["type"] = "issuer_declined";
  }
  return outcome;
}

json card_details(const context& ctx, const json& intent, const json& method) {
  const json& card = method["card"];
  const std::int64_t amount = number_of(intent, "amount");
  const bool manual = text_of(intent, "capture_method") == "manual";
  json details = json::object();
  details["amount_authorized"] = amount;
  details["authorization_code"] = nullptr;
  details["brand"] = card["brand"];
  if (manual) details["capture_before"] = ctx.now + 7 * day_s;
  details["checks"] = card["checks"];
  details["country"] = card["country"];
  details["exp_month"] = card["exp_month"];
  details["exp_year"] = card["exp_year"];
  details["extended_authorization"] = {{"status", "disabled"}};
  details["fingerprint"] = card["fingerprint"];
  details["funding"] = card["funding"];
  details["incremental_authorization"] = {{"status", "unavailable"}};
  details["installments"] = nullptr;
  details["last4"] = card["last4"];
  details["mandate"] = nullptr;
  details["multicapture"] = {{"status", "unavailable"}};
  details["network"] = card["brand"];
  details["network_token"] = {{"used", false}};
  details["network_transaction_id"] = nullptr;
  details["overcapture"] = {{"maximum_amount_capturable", amount}, {"status", "unavailable"}};
  details["regulated_status"] = card["regulated_status"];
  details["three_d_secure"] = nullptr;
  details["transaction_link_id"] = nullptr;
  details["wallet"] = nullptr;
  return {{"card", std::move(details)}, {"type", "card"}};
}

}  // namespace

std::string make(context& ctx, const json& intent, const json& method, const decline* why) {
  const bool captured = why == nullptr && text_of(intent, "capture_method") != "manual";
  json charge = ctx.make(kind::charge);
  std::string id = text_of(charge, "id");
  charge["amount"] = intent["amount"];
  charge["amount_captured"] = captured ? number_of(intent, "amount") : 0;
  charge["amount_refunded"] = 0;
  charge["billing_details"] = method["billing_details"];
  charge["calculated_statement_descriptor"] = "SANDBOX";
  charge["captured"] = captured;
  charge["currency"] = intent["currency"];
  charge["customer"] = intent["customer"];
  charge["description"] = intent["description"];
  charge["disputed"] = false;
  charge["fraud_details"] = json::object();
  charge["metadata"] = intent["metadata"];
  charge["outcome"] = outcome_of(why, payment_methods::card_of(method).risk);
  charge["paid"] = why == nullptr;
  charge["payment_intent"] = intent["id"];
  charge["payment_method"] = method["id"];
  charge["payment_method_details"] = card_details(ctx, intent, method);
  charge["radar_options"] = json::object();
  charge["receipt_email"] = intent["receipt_email"];
  charge["refunded"] = false;
  charge["shipping"] = intent["shipping"];
  charge["statement_descriptor"] = intent["statement_descriptor"];
  charge["statement_descriptor_suffix"] = intent["statement_descriptor_suffix"];
  charge["status"] = why == nullptr ? "succeeded" : "failed";
  charge["transfer_group"] = intent["transfer_group"];
  if (why == nullptr) {
    charge["receipt_url"] =
        "https://pay.stripe.com/receipts/payment/" + ctx.state.ids.letters(id, 40);
  } else {
    charge["failure_code"] = why->code;
    charge["failure_message"] = why->message;
  }
  ctx.state.insert(kind::charge, std::move(charge));
  ctx.emit(why == nullptr ? "charge.succeeded" : "charge.failed", kind::charge, id);
  return id;
}

void settle(context& ctx, const std::string& id) {
  json charge = ctx.state.live(kind::charge, id);
  const std::int64_t amount = number_of(charge, "amount_captured");
  charge["balance_transaction"] = balance::enter_charge(ctx, charge, amount);
  ctx.update("charge.updated", kind::charge, std::move(charge));
}

answer<json> retrieve(context& ctx) {
  auto charge = ctx.object();
  if (!charge) return charge;
  return view_of(ctx.state, kind::charge, *charge);
}

const params::schema& update_takes() {
  static const params::schema takes = {
      params::text("description", 40000).clearable(), params::metadata(),
      params::text("receipt_email", 512).clearable(), params::shipping("shipping"),
      params::hash("fraud_details", {params::choice("user_report", {"fraudulent", "safe"})})};
  return takes;
}

answer<json> update(context& ctx) {
  auto charge = ctx.object();
  if (!charge) return charge;
  const std::string id = text_of(*charge, "id");
  ctx.copy_given(*charge, {"description", "receipt_email", "shipping", "fraud_details"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*charge, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.update("charge.updated", kind::charge, std::move(*charge));
  return ctx.shown(kind::charge, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("customer"),
                                       params::text("payment_intent"),
                                       params::text("transfer_group")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  shown.equal(ctx, "payment_intent", "payment_intent");
  shown.also_equal(ctx, "transfer_group");
  if (!ctx.given("customer") && !ctx.given("payment_intent")) {
    shown.also.push_back(on_no_clock);
  }
  return list_page(ctx, kind::charge, shown);
}

}  // namespace tilld::sandbox::charges
