// What subscriptions are made of: items with their periods, the lines that they are billed by, and
// the credits and debits of a change in mid-period.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/billing/invoicing.hpp"
#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::subscriptions {

struct period {
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
};

// The cycle of the price that holds the moment `at_s`, counted from the anchor.
period cycle_at(std::int64_t anchor_s, const json& price, std::int64_t at_s);

// A price that a subscription may have: recurring, active, of the currency (empty: any).
answer<json> usable_price(const context& ctx, const std::string& id, const std::string& param,
                          const std::string& currency);

std::vector<json> items_of(const context& ctx, const std::string& subscription);  // oldest first
std::string add_item(context& ctx, const std::string& subscription, const std::string& price,
                     std::int64_t quantity, const json& metadata, period when,
                     const json& tax_rates, const std::string& chosen_id = {});

// What follows from its items and their products: the prices that lists filter by, the features
// that it entitles to.
void refresh_derived(context& ctx, json& subscription);

const json& price_of_item(const context& ctx, const json& item);
// For a whole period, in advance: a metered item costs nothing.
std::int64_t amount_of_item(const context& ctx, const json& item);

// What a quantity at that price costs: a line, or one for each tier and its fee. Their quantities,
// units, amounts and descriptions alone.
std::vector<invoicing::line> priced(const context& ctx, const json& price,
                                    const std::string& currency, std::int64_t quantity);

// The same of an item, over its present period.
std::vector<invoicing::line> lines_of_item(const context& ctx, const json& item,
                                           std::int64_t quantity);

// The lines of each item over its current period, or over a trial at no cost. Metered items have
// none: metered.hpp.
std::vector<invoicing::line> cycle_lines(const context& ctx, const std::string& subscription,
                                         bool trial);

// Pending invoice items for the rest of the period from `at_s` on: what was paid is given back,
// what is to come is owed. Both are told.
void credit_unused(context& ctx, const json& subscription, const json& item, std::int64_t at_s);
void charge_remaining(context& ctx, const json& subscription, const json& item, std::int64_t at_s);

// A draft of these lines and of what is pending for the subscription; empty when nothing is.
std::string bill_pending(context& ctx, const json& subscription, const std::string& reason,
                         std::vector<invoicing::line> lines = {});

// Fields that create and update share.
params::field payment_settings_field();
params::field trial_settings_field();
params::field automatic_tax_field();
params::field payment_behavior_field();
params::field proration_behavior_field();
params::field cancel_at_field();
answer<void> take_cancel_at(const context& ctx, json& subscription);
answer<void> take_settings(const context& ctx, json& subscription);
bool is_over(const json& subscription);  // canceled, or expired before it began
answer<void> check_payment_method(const context& ctx, const std::string& customer);
void set_cancel_at_period_end(const context& ctx, json& subscription, bool cancel,
                              std::int64_t period_end_s);

// The refusal of a payment that error_if_incomplete does not want to keep.
std::unexpected<failure> incomplete_refused(const payment_intents::attempt& tried);

}  // namespace tilld::sandbox::subscriptions
