#include "core/order_rules.hpp"

#include <algorithm>
#include <array>

#include "core/order.hpp"

namespace tilld::core {
namespace ordering {
namespace {

struct status_row {
  std::string_view object_name;
  std::string_view status;
  int rank;
  bool is_final = false;
};

constexpr std::array statuses = {
    status_row{"subscription", "incomplete", 0},
    status_row{"subscription", "trialing", 1},
    status_row{"subscription", "active", 1},
    status_row{"subscription", "past_due", 1},
    status_row{"subscription", "unpaid", 1},
    status_row{"subscription", "paused", 1},
    status_row{"subscription", "canceled", 2, true},
    status_row{"subscription", "incomplete_expired", 2, true},

    status_row{"invoice", "draft", 0},
    status_row{"invoice", "open", 1},
    status_row{"invoice", "uncollectible", 2},
    status_row{"invoice", "paid", 3, true},
    status_row{"invoice", "void", 3, true},

    status_row{"payment_intent", "requires_payment_method", 0},
    status_row{"payment_intent", "requires_confirmation", 0},
    status_row{"payment_intent", "requires_action", 0},
    status_row{"payment_intent", "processing", 0},
    status_row{"payment_intent", "requires_capture", 0},
    status_row{"payment_intent", "succeeded", 1, true},
    status_row{"payment_intent", "canceled", 1, true},

    status_row{"setup_intent", "requires_payment_method", 0},
    status_row{"setup_intent", "requires_confirmation", 0},
    status_row{"setup_intent", "requires_action", 0},
    status_row{"setup_intent", "processing", 0},
    status_row{"setup_intent", "succeeded", 1, true},
    status_row{"setup_intent", "canceled", 1, true},

    status_row{"charge", "pending", 0},
    status_row{"charge", "succeeded", 1, true},
    status_row{"charge", "failed", 1, true},

    // A refund can still fail after it succeeded.
    status_row{"refund", "pending", 0},
    status_row{"refund", "requires_action", 0},
    status_row{"refund", "succeeded", 1},
    status_row{"refund", "failed", 2, true},
    status_row{"refund", "canceled", 2, true},

    status_row{"checkout.session", "open", 0},
    status_row{"checkout.session", "complete", 1, true},
    status_row{"checkout.session", "expired", 1, true},

    status_row{"subscription_schedule", "not_started", 0},
    status_row{"subscription_schedule", "active", 1},
    status_row{"subscription_schedule", "completed", 2, true},
    status_row{"subscription_schedule", "released", 2, true},
    status_row{"subscription_schedule", "canceled", 2, true},

    status_row{"quote", "draft", 0},
    status_row{"quote", "open", 1},
    status_row{"quote", "accepted", 2, true},
    status_row{"quote", "canceled", 2, true},

    status_row{"credit_note", "issued", 0},
    status_row{"credit_note", "void", 1, true},

    status_row{"invoice_payment", "open", 0},
    status_row{"invoice_payment", "paid", 1},
    status_row{"invoice_payment", "canceled", 1},

    // A payout can still fail after it was paid.
    status_row{"payout", "pending", 0},
    status_row{"payout", "in_transit", 1},
    status_row{"payout", "paid", 2},
    status_row{"payout", "failed", 3, true},
    status_row{"payout", "canceled", 3, true},
};

constexpr std::array fields = {
    growing_field{"", "updated"},
    growing_field{"", "status_transitions.finalized_at", true},
    growing_field{"", "status_transitions.paid_at", true},
    growing_field{"", "status_transitions.voided_at", true},
    growing_field{"", "status_transitions.marked_uncollectible_at", true},
    growing_field{"", "status_transitions.accepted_at", true},
    growing_field{"", "status_transitions.canceled_at", true},
    growing_field{"invoice", "attempt_count"},
    growing_field{"invoice", "attempted"},
    growing_field{"invoice", "amount_paid"},
    growing_field{"charge", "amount_captured"},
    growing_field{"charge", "amount_refunded"},
    growing_field{"charge", "captured"},
    growing_field{"charge", "refunded"},
    growing_field{"charge", "balance_transaction", true},
    growing_field{"payment_intent", "amount_received"},
    growing_field{"payment_intent", "latest_charge", true},
    growing_field{"subscription", "ended_at", true},
    growing_field{"subscription", "latest_invoice", true},
    growing_field{"transfer", "amount_reversed"},
    growing_field{"subscription_schedule", "completed_at", true},
    growing_field{"subscription_schedule", "canceled_at", true},
    growing_field{"subscription_schedule", "released_at", true},
    growing_field{"credit_note", "voided_at", true},
    growing_field{"test_helpers.test_clock", "frozen_time"},
};

struct type_row {
  std::string_view type;
  role as;
  std::string_view field = {};
  bool once = false;
};

constexpr std::array types = {
    type_row{"invoice.finalized", role::move, "status"},
    type_row{"invoice.paid", role::move, "status"},
    type_row{"invoice.voided", role::move, "status"},
    type_row{"invoice.marked_uncollectible", role::move, "status"},
    type_row{"invoice.payment_failed", role::echo},
    type_row{"invoice.payment_action_required", role::echo},
    type_row{"invoice.payment_attempt_required", role::echo},
    type_row{"invoice.finalization_failed", role::echo},
    type_row{"invoice.overpaid", role::echo},
    type_row{"invoice.payment_succeeded", role::notice},
    type_row{"invoice.sent", role::notice},
    type_row{"invoice.overdue", role::notice},
    type_row{"invoice.will_be_due", role::notice},
    type_row{"invoice_payment.paid", role::move, "status"},
    type_row{"customer.subscription.deleted", role::move, "status"},
    type_row{"customer.subscription.paused", role::move, "status"},
    type_row{"customer.subscription.resumed", role::move, "status"},
    type_row{"customer.subscription.pending_update_applied", role::move, "pending_update"},
    type_row{"customer.subscription.pending_update_expired", role::move, "pending_update"},
    type_row{"customer.subscription.trial_will_end", role::notice},
    type_row{"subscription_schedule.aborted", role::move, "status"},
    type_row{"subscription_schedule.canceled", role::move, "status"},
    type_row{"subscription_schedule.completed", role::move, "status"},
    type_row{"subscription_schedule.released", role::move, "status"},
    type_row{"subscription_schedule.expiring", role::notice},
    type_row{"payment_intent.requires_action", role::move, "status"},
    type_row{"payment_intent.processing", role::move, "status"},
    type_row{"payment_intent.succeeded", role::move, "status"},
    type_row{"payment_intent.canceled", role::move, "status"},
    type_row{"payment_intent.amount_capturable_updated", role::move, "amount_capturable"},
    type_row{"setup_intent.requires_action", role::move, "status"},
    type_row{"setup_intent.succeeded", role::move, "status"},
    type_row{"setup_intent.canceled", role::move, "status"},
    type_row{"charge.succeeded", role::move, "status"},
    type_row{"charge.failed", role::move, "status"},
    type_row{"charge.refunded", role::move, "amount_refunded", true},
    type_row{"charge.captured", role::move, "captured", true},
    type_row{"payment_method.attached", role::move, "customer", true},
    type_row{"payment_method.detached", role::move, "customer"},
    type_row{"checkout.session.completed", role::move, "status"},
    type_row{"checkout.session.expired", role::move, "status"},
    type_row{"checkout.session.async_payment_succeeded", role::move, "payment_status", true},
    type_row{"quote.finalized", role::move, "status"},
    type_row{"quote.accepted", role::move, "status"},
    type_row{"quote.canceled", role::move, "status"},
    type_row{"credit_note.voided", role::move, "status"},
    type_row{"refund.failed", role::move, "status"},
    type_row{"payout.paid", role::move, "status"},
    type_row{"payout.failed", role::move, "status"},
    type_row{"payout.canceled", role::move, "status"},
    type_row{"payout.reconciliation_completed", role::echo},
    type_row{"transfer.reversed", role::move, "amount_reversed", true},
    type_row{"test_helpers.test_clock.advancing", role::move, "status"},
    type_row{"test_helpers.test_clock.ready", role::move, "status"},
};

const status_row* find_status(std::string_view object_name, std::string_view status) {
  for (const auto& row : statuses)
    if (row.object_name == object_name && row.status == status) return &row;
  return nullptr;
}

}  // namespace

std::optional<int> status_rank(std::string_view object_name, std::string_view status) {
  const auto* row = find_status(object_name, status);
  return row ? std::optional(row->rank) : std::nullopt;
}

bool status_is_final(std::string_view object_name, std::string_view status) {
  const auto* row = find_status(object_name, status);
  return row && row->is_final;
}

bool has_final_statuses(std::string_view object_name) {
  return std::ranges::any_of(
      statuses, [&](const auto& row) { return row.object_name == object_name && row.is_final; });
}

bool status_is_entered_once(std::string_view object_name, std::string_view status) {
  const auto* row = find_status(object_name, status);
  if (!row) return false;
  return row->is_final || std::ranges::none_of(statuses, [&](const auto& other) {
           return other.object_name == object_name && other.rank == row->rank &&
                  other.status != status;
         });
}

std::span<const growing_field> growing_fields() {
  return fields;
}

bool can_be_reborn(std::string_view object_name) {
  return object_name == "coupon" || object_name == "product" || object_name == "plan" ||
         object_name == "price";
}

event_kind kind_of_event(std::string_view type, std::string_view object_name, bool has_previous) {
  event_kind kind;
  // A detached payment method can be neither changed nor attached again.
  if (object_name == "payment_method") kind.rank = type == "payment_method.detached" ? 1 : 0;
  if (is_creation(type)) {
    kind.as = role::birth;
  } else if (is_deletion(type, object_name)) {
    kind.as = role::death;
  } else if (has_previous) {
    kind.as = role::update;
  } else if (const auto row = std::ranges::find(types, type, &type_row::type); row != types.end()) {
    kind.as = row->as;
    kind.moved_field = row->field;
    kind.once = row->once;
  }
  return kind;
}

}  // namespace ordering

bool is_deletion(std::string_view event_type, std::string_view object_name) {
  return event_type.ends_with(".deleted") && object_name != "subscription";
}

bool is_creation(std::string_view event_type) {
  return event_type.ends_with(".created");
}

bool is_terminal(std::string_view object_name, std::string_view status) {
  return ordering::status_is_final(object_name, status);
}

}  // namespace tilld::core
