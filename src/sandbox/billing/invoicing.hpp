// The life of an invoice: drafted, finalized, paid or not. Subscriptions and the invoice routes
// both act through here; the routes are in invoices.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/machine/context.hpp"
#include "sandbox/payments/payment_intents.hpp"

namespace tilld::sandbox::invoicing {

struct line {
  std::string description;
  std::int64_t amount = 0;  // of the whole line
  std::int64_t quantity = 1;
  std::int64_t unit_amount = 0;
  std::string unit_decimal;  // where the unit has fractions; empty: unit_amount
  std::string price;
  std::string product;
  std::int64_t period_start_s = 0;
  std::int64_t period_end_s = 0;
  std::string subscription;
  std::string subscription_item;
  std::string invoice_item;  // id; empty: the subscription's own line
  bool proration = false;
  bool discountable = true;
  json credited = nullptr;  // {"invoice", "invoice_line_items"}: what a credit gives back
  json metadata = json::object();
  json usage = nullptr;            // what it bills of a metered item; a draft's line follows it
  json discounts = json::array();  // its own: ids
  json tax_rates = json::array();  // its own: ids; none: the invoice's
};

struct order {
  std::string id;  // of the invoice; empty: a new one
  std::string customer;
  std::string currency;
  std::string billing_reason = "manual";
  std::string subscription;  // id; empty: none
  std::string collection_method = "charge_automatically";
  bool auto_advance = false;
  std::int64_t due_date_s = 0;  // 0: none
  std::int64_t period_start_s = 0;
  std::int64_t period_end_s = 0;
  std::vector<line> lines;
  json more = json::object();  // further members: description, footer, metadata …
};

// Makes the draft and tells invoice.created. Gives its id.
std::string draft(context& ctx, const order& wanted);
// A line of a draft, new or in the place of the one that its invoice item had; totals follow.
void put_line(context& ctx, const std::string& invoice, const line& l);
void drop_line(context& ctx, const std::string& invoice, const std::string& invoice_item);
// Totals from the lines with their discounts and taxes, and the times of a draft (reckoning.cpp).
void reckon(context& ctx, json& invoice);
// What a draft of a subscription is discounted and taxed by, and what becomes of discounts then.
void inherit(const context& ctx, json& invoice);
void use_up_discounts(context& ctx, const std::string& invoice);

// Draft to open: number, balance, and a payment intent for what is due. What costs nothing is paid
// at once. Tells all of it.
void finalize(context& ctx, const std::string& invoice);

// The draft as it will be when it is finalized: with the customer's balance used.
json foretold(const context& ctx, const std::string& invoice);

// The method that pays for it: the invoice's own, the subscription's, the customer's. Empty: none.
std::string payment_method_for(const context& ctx, const json& invoice);

// Tries `method` on an open invoice.
payment_intents::attempt collect(context& ctx, const std::string& invoice,
                                 const std::string& method, bool off_session);

enum class settled { by_charge, free, out_of_band };
void mark_paid(context& ctx, const std::string& invoice, settled how);
void mark_void(context& ctx, const std::string& invoice);
void mark_uncollectible(context& ctx, const std::string& invoice);

// A credit note takes `of_due` off what is due and `of_paid` of what has been paid; negative: one
// is taken back. An open invoice of which nothing is left is paid.
void credit(context& ctx, const std::string& invoice, std::int64_t of_due, std::int64_t of_paid);

// What the payment intent behind it has come to.
void payment_succeeded(context& ctx, const std::string& invoice);
void payment_failed(context& ctx, const std::string& invoice);
void payment_needs_action(context& ctx, const std::string& invoice);

std::string subscription_of(const json& invoice);
// The intent that pays it; nullptr while there is none.
const json* intent_of(const context& ctx, const std::string& invoice);

// The sentence for a customer without any card; 400 resource_missing.
std::unexpected<failure> no_payment_method();

}  // namespace tilld::sandbox::invoicing
