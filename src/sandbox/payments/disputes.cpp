#include "sandbox/payments/disputes.hpp"

#include <array>

#include "sandbox/account/balance.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/payments/fraud_warnings.hpp"

namespace tilld::sandbox::disputes {

namespace {

constexpr std::int64_t answer_within_s = 9 * day_s;
constexpr std::int64_t fee = 1'500;

constexpr std::array<const char*, 27> evidence_members = {"access_activity_log",
                                                          "billing_address",
                                                          "cancellation_policy",
                                                          "cancellation_policy_disclosure",
                                                          "cancellation_rebuttal",
                                                          "customer_communication",
                                                          "customer_email_address",
                                                          "customer_name",
                                                          "customer_purchase_ip",
                                                          "customer_signature",
                                                          "duplicate_charge_documentation",
                                                          "duplicate_charge_explanation",
                                                          "duplicate_charge_id",
                                                          "product_description",
                                                          "receipt",
                                                          "refund_policy",
                                                          "refund_policy_disclosure",
                                                          "refund_refusal_explanation",
                                                          "service_date",
                                                          "service_documentation",
                                                          "shipping_address",
                                                          "shipping_carrier",
                                                          "shipping_date",
                                                          "shipping_documentation",
                                                          "shipping_tracking_number",
                                                          "uncategorized_file",
                                                          "uncategorized_text"};

bool is_inquiry(const json& dispute) {
  return text_of(dispute, "status").starts_with("warning_");
}

bool is_over(const json& dispute) {
  const std::string status = text_of(dispute, "status");
  return status == "won" || status == "lost" || status == "warning_closed";
}

json no_evidence() {
  json evidence = json::object();
  for (const char* member : evidence_members)
    evidence[member] = nullptr;
  evidence["enhanced_evidence"] = json::object();
  return evidence;
}

// Money that goes and comes is told with the dispute that it is for.
void move_money(context& ctx, json& dispute, std::int64_t amount, std::int64_t its_fee,
                const char* description) {
  const std::string entry = balance::enter_adjustment(ctx, dispute, amount, its_fee, description);
  dispute["balance_transactions"].push_back(ctx.shown(kind::balance_transaction, entry));
}

void submit(json& dispute) {
  json& count = dispute["evidence_details"]["submission_count"];
  count = count.get<std::int64_t>() + 1;
  dispute["status"] = is_inquiry(dispute) ? "warning_under_review" : "under_review";
  dispute.erase("_due");
}

void end(context& ctx, json dispute, const char* status) {
  const std::string id = text_of(dispute, "id");
  const json before = ctx.shown(kind::dispute, id);
  const bool won = std::string_view(status) == "won";
  dispute["status"] = status;
  dispute["is_charge_refundable"] = false;
  dispute.erase("_due");
  if (won) {
    move_money(ctx, dispute, number_of(dispute, "amount"), -fee, "Chargeback reversal");
  }
  ctx.state.replace(kind::dispute, std::move(dispute));
  ctx.emit_updated("charge.dispute.closed", kind::dispute, id, before);
  if (won) ctx.emit("charge.dispute.funds_reinstated", kind::dispute, id);
}

}  // namespace

void open(context& ctx, const std::string& charge_id, sequel what) {
  json charge = ctx.state.live(kind::charge, charge_id);
  const bool inquiry = what == sequel::inquiry;
  json d = ctx.make(kind::dispute);
  const std::string id = text_of(d, "id");
  d["amount"] = charge["amount"];
  d["balance_transactions"] = json::array();
  d["charge"] = charge_id;
  d["currency"] = charge["currency"];
  d["enhanced_eligibility_types"] = json::array();
  d["evidence"] = no_evidence();
  d["evidence_details"] = {{"due_by", ctx.now + answer_within_s},
                           {"enhanced_eligibility", json::object()},
                           {"has_evidence", false},
                           {"past_due", false},
                           {"submission_count", 0}};
  d["is_charge_refundable"] = inquiry;
  const bool lacking = what == sequel::not_received;
  d["network_reason_code"] = lacking ? "13.1" : "10.4";
  d["payment_intent"] = charge["payment_intent"];
  d["payment_method_details"] = {{"card",
                                  {{"brand", charge["payment_method_details"]["card"]["brand"]},
                                   {"case_type", inquiry ? "inquiry" : "chargeback"},
                                   {"network_reason_code", d["network_reason_code"]}}},
                                 {"type", "card"}};
  d["reason"] = lacking ? "product_not_received" : "fraudulent";
  d["status"] = inquiry ? "warning_needs_response" : "needs_response";
  d["_due"] = ctx.now + answer_within_s;
  ctx.state.insert(kind::dispute, d);
  charge["disputed"] = true;
  if (!inquiry) move_money(ctx, d, -number_of(d, "amount"), fee, "Chargeback withdrawal");
  ctx.state.replace(kind::dispute, std::move(d));
  ctx.update("charge.updated", kind::charge, std::move(charge));
  ctx.emit("charge.dispute.created", kind::dispute, id);
  fraud_warnings::settle(ctx, charge_id);
  if (!inquiry) ctx.emit("charge.dispute.funds_withdrawn", kind::dispute, id);
}

void fall_due(context& ctx, const std::string& id) {
  json dispute = ctx.state.live(kind::dispute, id);
  dispute["evidence_details"]["past_due"] = true;
  const char* status = is_inquiry(dispute) ? "warning_closed" : "lost";
  end(ctx, std::move(dispute), status);
}

answer<json> retrieve(context& ctx) {
  auto dispute = ctx.object();
  if (!dispute) return dispute;
  return view_of(ctx.state, kind::dispute, *dispute);
}

const params::schema& update_takes() {
  static const params::schema takes = [] {
    std::vector<params::field> evidence;
    for (const char* member : evidence_members)
      evidence.push_back(params::text(member, 20'000).clearable());
    evidence.push_back(params::unsimulated("enhanced_evidence"));
    return params::schema{params::hash("evidence", std::move(evidence)), params::metadata(),
                          params::boolean("submit")};
  }();
  return takes;
}

// The words that decide a dispute in test mode stand in evidence[uncategorized_text].
answer<json> update(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json dispute = std::move(*found);
  const std::string id = text_of(dispute, "id");
  if (ctx.given("evidence") && is_over(dispute)) {
    return refuse("This dispute is already closed", {}, "dispute_already_closed");
  }
  const json before = ctx.shown(kind::dispute, id);
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(dispute, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  std::string decides;
  if (ctx.given("evidence")) {
    merge_hash(dispute["evidence"], ctx.param("evidence"));
    dispute["evidence_details"]["has_evidence"] = true;
  }
  // Evidence is submitted with its request unless that says no; what was staged, when it says yes.
  const bool submits = ctx.given("submit") ? ctx.truth("submit") : ctx.given("evidence");
  if (submits && !is_over(dispute) && truth_of(dispute["evidence_details"], "has_evidence")) {
    submit(dispute);
    decides = text_of(dispute["evidence"], "uncategorized_text");
  }
  ctx.state.replace(kind::dispute, dispute);
  ctx.emit_updated("charge.dispute.updated", kind::dispute, id, before);
  if (decides == "winning_evidence" || decides == "losing_evidence") {
    const char* status = is_inquiry(dispute)             ? "warning_closed"
                         : decides == "winning_evidence" ? "won"
                                                         : "lost";
    end(ctx, std::move(dispute), status);
  }
  return ctx.shown(kind::dispute, id);
}

answer<json> close(context& ctx) {
  auto dispute = ctx.object();
  if (!dispute) return dispute;
  if (is_over(*dispute)) {
    return refuse("This dispute is already closed", {}, "dispute_already_closed");
  }
  const std::string id = text_of(*dispute, "id");
  end(ctx, std::move(*dispute), "lost");
  return ctx.shown(kind::dispute, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::text("charge"), params::range("created"),
                                       params::text("payment_intent")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "charge", "charge");
  shown.equal(ctx, "payment_intent", "payment_intent");
  return list_page(ctx, kind::dispute, shown);
}

}  // namespace tilld::sandbox::disputes
