#include "sandbox/machine/kinds.hpp"

#include <algorithm>
#include <array>

#include "stripe/catalogue.hpp"

namespace tilld::sandbox {

namespace {

// A payment method carries the member of its own type alone; the simulator has cards.
std::vector<std::string_view> other_payment_method_types() {
  static const std::vector<std::string_view> shown = {
      "id",       "object",   "allow_redisplay", "billing_details",  "card", "created",
      "customer", "livemode", "metadata",        "customer_account", "type"};
  std::vector<std::string_view> rest;
  if (const auto* row = stripe::catalogue::instance().object("payment_method")) {
    for (const auto& field : row->fields) {
      if (std::find(shown.begin(), shown.end(), field) == shown.end()) rest.push_back(field);
    }
  }
  return rest;
}

using paths = std::vector<std::string_view>;

std::vector<kind_row> make_rows() {
  return {
      {kind::customer, "customer", "cus_", 14, paths{"email", "email~", "test_clock"},
       paths{"business_name", "cash_balance", "customer_account", "deleted", "individual_name",
             "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"}},
      {kind::product, "product", "prod_", 14, paths{}, paths{"deleted", "tax_details"}},
      {kind::price, "price", "price_1", 23, paths{"product", "product~", "lookup_key", "type"},
       paths{"currency_options", "deleted", "tiers"}},
      {kind::payment_method, "payment_method", "pm_1", 23, paths{"customer"},
       other_payment_method_types()},
      {kind::payment_intent, "payment_intent", "pi_3", 23, paths{"customer", "customer~"},
       paths{"allowed_payment_method_types", "hooks", "payment_details", "payment_record",
             "presentment_details"}},
      {kind::charge, "charge", "ch_3", 23, paths{"customer", "customer~", "payment_intent"},
       paths{"authorization_code", "level3", "presentment_details", "refunds", "transfer"}},
      {kind::refund, "refund", "re_3", 23, paths{"charge", "payment_intent"},
       paths{"description", "failure_balance_transaction", "failure_reason", "instructions_email",
             "next_action", "pending_reason", "presentment_details"}},
      {kind::balance_transaction, "balance_transaction", "txn_3", 23,
       paths{"source", "type", "currency"}, paths{}},
      {kind::customer_balance_transaction, "customer_balance_transaction", "cbtxn_1", 23,
       paths{"customer", "invoice"}, paths{}},
      {kind::setup_intent, "setup_intent", "seti_1", 23, paths{"customer", "payment_method"},
       paths{"allowed_payment_method_types", "attach_to_self"}},
      {kind::setup_attempt, "setup_attempt", "setatt_1", 23, paths{"setup_intent"},
       paths{"attach_to_self"}},
      {kind::subscription, "subscription", "sub_1", 23,
       paths{"customer", "status", "_prices", "test_clock"},
       paths{"presentment_details", "status_details"}},
      {kind::subscription_item, "subscription_item", "si_", 14, paths{"subscription"},
       paths{"billed_until", "current_trial", "deleted"}},
      {kind::invoice, "invoice", "in_1", 23,
       paths{"customer", "customer~", "parent.subscription_details.subscription",
             "parent.subscription_details.subscription~", "status"},
       paths{"amount_paid_off_stripe", "confirmation_secret", "deleted", "payments",
             "status_details", "threshold_reason"}},
      {kind::line_item, "line_item", "il_1", 23,
       paths{"invoice", "parent.subscription_item_details.subscription_item"}, paths{}},
      {kind::invoiceitem, "invoiceitem", "ii_1", 23, paths{"customer", "invoice"},
       paths{"deleted", "frozen_fields", "invoicing_rules", "proration_details"}},
      {kind::invoice_payment, "invoice_payment", "inpay_1", 23,
       paths{"invoice", "payment.payment_intent", "status"}, paths{}},
      {kind::coupon, "coupon", "", 8, paths{}, paths{"applies_to", "currency_options", "deleted"}},
      {kind::promotion_code, "promotion_code", "promo_1", 23,
       paths{"code", "promotion.coupon", "customer"}, paths{}},
      {kind::feature, "entitlements.feature", "feat_test_61", 30, paths{"lookup_key"}, paths{}},
      {kind::product_feature, "product_feature", "prodft_", 14, paths{"_product"},
       paths{"deleted"}},
      {kind::active_entitlement, "entitlements.active_entitlement", "ent_test_61", 30,
       paths{"_customer"}, paths{}},
      {kind::webhook_endpoint, "webhook_endpoint", "we_1", 23, paths{}, paths{"deleted", "secret"}},
      {kind::tax_rate, "tax_rate", "txr_1", 23, paths{}, paths{}},
      {kind::tax_id, "tax_id", "txi_1", 23, paths{"customer"}, paths{"deleted"}},
      {kind::discount, "discount", "di_1", 23, paths{"customer", "subscription", "_owner"},
       paths{"deleted"}},
      {kind::dispute, "dispute", "du_1", 23, paths{"charge", "payment_intent"},
       paths{"intended_submission_method"}},
      {kind::early_fraud_warning, "radar.early_fraud_warning", "issfr_1", 23,
       paths{"charge", "payment_intent"}, paths{}},
      {kind::credit_note, "credit_note", "cn_1", 23, paths{"customer", "invoice"}, paths{}},
      {kind::credit_note_line_item, "credit_note_line_item", "cnli_1", 23, paths{"_credit_note"},
       paths{}},
      {kind::subscription_schedule, "subscription_schedule", "sub_sched_1", 23, paths{"customer"},
       paths{"pause_schedules"}},
      {kind::quote, "quote", "qt_1", 23, paths{"customer", "status"}, paths{"line_items"}},
      {kind::item, "item", "li_1", 23, paths{"_parent"},
       paths{"adjustable_quantity", "discounts", "taxes"}},
      {kind::checkout_session, "checkout.session", "cs_test_a1", 56,
       paths{"customer", "payment_intent", "subscription", "payment_link", "status",
             "_waits_for.intent"},
       paths{"allowed_payment_method_types", "branding_settings", "customer_account",
             "excluded_payment_method_types", "integration_identifier", "line_items",
             "managed_payments", "name_collection", "optional_items",
             "payment_method_configuration_details", "permissions", "presentment_details",
             "redirect_on_completion", "return_url", "tax_id_collection", "wallet_options"}},
      {kind::portal_configuration, "billing_portal.configuration", "bpc_1", 23, paths{}, paths{}},
      {kind::portal_session, "billing_portal.session", "bps_1", 23, paths{},
       paths{"after_expiration", "customer_account"}},
      {kind::payment_link, "payment_link", "plink_1", 23, paths{},
       paths{"line_items", "managed_payments", "name_collection", "optional_items",
             "payment_method_options"}},
      {kind::meter, "billing.meter", "mtr_test_61", 30, paths{"event_name"}, paths{}},
      {kind::meter_event, "billing.meter_event", "mev_1", 23, paths{"_of", "_day", "identifier"},
       paths{}},
      {kind::test_clock, "test_helpers.test_clock", "clock_1", 23, paths{}, paths{"deleted"}},
      {kind::connected_account, "account", "acct_1", 16, paths{},
       paths{"company", "deleted", "groups", "individual"}},
      {kind::file, "file", "file_1", 23, paths{"purpose"}, paths{}},
      {kind::file_link, "file_link", "link_1", 23, paths{"file"}, paths{}},
  };
}

const std::vector<kind_row>& rows() {
  static const std::vector<kind_row> all = make_rows();
  return all;
}

json make_blank(const kind_row& row) {
  json document = json::object();
  const auto* object = stripe::catalogue::instance().object(row.object);
  if (object == nullptr) return document;
  for (const auto& field : object->fields) {
    const auto& out = row.left_out;
    if (std::find(out.begin(), out.end(), field) == out.end()) document[field] = nullptr;
  }
  document["object"] = row.object;
  return document;
}

}  // namespace

const kind_row& row_of(kind k) {
  return rows()[static_cast<std::size_t>(k)];
}

std::span<const kind_row> all_kinds() {
  return rows();
}

std::optional<kind> kind_named(std::string_view object) {
  for (const auto& row : rows()) {
    if (row.object == object) return row.of;
  }
  return std::nullopt;
}

json blank(kind k) {
  static const std::vector<json> blanks = [] {
    std::vector<json> all;
    for (const auto& row : rows())
      all.push_back(make_blank(row));
    return all;
  }();
  return blanks[static_cast<std::size_t>(k)];
}

}  // namespace tilld::sandbox
