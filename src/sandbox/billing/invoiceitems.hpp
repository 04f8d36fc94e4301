// Invoice items: sums that wait for an invoice, of people's making or of prorations.
#pragma once

#include <string>

#include "sandbox/billing/invoicing.hpp"
#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::invoiceitems {

struct proration {
  std::string customer;
  std::string subscription;
  std::string subscription_item;
  std::string currency;
  std::int64_t amount = 0;
  std::int64_t quantity = 1;
  std::string price;
  std::string product;
  std::string description;
  std::int64_t period_start_s = 0;
  std::int64_t period_end_s = 0;
  json credited = nullptr;
  json tax_rates = json::array();
};
void make_proration(context& ctx, const proration& p);
// What a metered item of the subscription has used, as that line has it.
void make_usage(context& ctx, const json& subscription, const invoicing::line& l);

// add_invoice_items of a subscription: what comes with its next invoice, once.
params::field added_field();
answer<void> make_added(context& ctx, const json& subscription, const json& entry,
                        const std::string& at);

// A draft of the customer's pending items in the order's currency: those of its subscription, or
// all of them. Empty when there are none and `only_if_any`.
std::string draft_of_pending(context& ctx, invoicing::order wanted, bool only_if_any);

// Puts a pending item of the invoice's customer on it, and lets one go that is on a draft.
answer<void> assign(context& ctx, const std::string& item, const json& invoice);
void unassign(context& ctx, const std::string& item);

// What an item and its line on an invoice can both be given.
params::schema line_fields();

const params::schema& create_takes();
const params::schema& update_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> update(context& ctx);
answer<json> remove(context& ctx);
answer<json> list(context& ctx);

}  // namespace tilld::sandbox::invoiceitems
