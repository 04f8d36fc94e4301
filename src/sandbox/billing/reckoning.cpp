// The totals of an invoice's document, from its lines, its discounts and its tax rates.
#include <algorithm>

#include "sandbox/account/tax_ids.hpp"
#include "sandbox/billing/invoicing.hpp"
#include "sandbox/billing/totals.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/calendar.hpp"

namespace tilld::sandbox::invoicing {

namespace {

constexpr std::int64_t draft_window_s = hour_s;

std::vector<totals::discount> terms_of(const context& ctx, const json& ids,
                                       const std::string& currency) {
  std::vector<totals::discount> all;
  for (const auto& id : ids)
    all.push_back(discounts::terms(ctx, id.get<std::string>(), currency));
  return all;
}

totals::line line_of(const context& ctx, const json& document, const json& default_rates) {
  totals::line l;
  l.amount = number_of(document, "amount");
  l.discountable = truth_of(document, "discountable");
  const json* proration = at_path(document, "parent.invoice_item_details.proration");
  if (proration == nullptr) {
    proration = at_path(document, "parent.subscription_item_details.proration");
  }
  l.proration = proration != nullptr && *proration == true;
  l.product = text_of(document["pricing"]["price_details"], "product");
  l.discounts = terms_of(ctx, document["discounts"], text_of(document, "currency"));
  const json& own = document["_tax_rates"];
  for (const auto& id : own.empty() ? default_rates : own)
    l.rates.push_back(tax_rates::terms(ctx, id.get<std::string>()));
  return l;
}

json taken_off(const std::vector<totals::taken_off>& all) {
  json shown = json::array();
  for (const auto& one : all)
    shown.push_back({{"amount", one.amount}, {"discount", one.discount}});
  return shown;
}

json taxes(const std::vector<totals::tax>& all, const std::string& exempt) {
  const char* why = exempt == "exempt"    ? "customer_exempt"
                    : exempt == "reverse" ? "reverse_charge"
                                          : "not_available";
  json shown = json::array();
  for (const auto& tax : all) {
    shown.push_back({{"amount", tax.amount},
                     {"tax_behavior", tax.inclusive ? "inclusive" : "exclusive"},
                     {"tax_rate_details", {{"tax_rate", tax.rate}}},
                     {"taxability_reason", why},
                     {"taxable_amount", tax.taxable},
                     {"type", "tax_rate_details"}});
  }
  return shown;
}

void take_sums(json& invoice, const totals::sums& sums, const std::string& exempt) {
  invoice["subtotal"] = sums.subtotal;
  invoice["subtotal_excluding_tax"] = sums.subtotal_excluding_tax;
  invoice["total"] = sums.total;
  invoice["total_discount_amounts"] = taken_off(sums.discounts);
  invoice["total_excluding_tax"] = sums.total_excluding_tax;
  invoice["total_taxes"] = taxes(sums.taxes, exempt);
  const std::int64_t due = std::max<std::int64_t>(sums.total, 0);
  invoice["amount_due"] = due;
  invoice["amount_remaining"] = due;
}

}  // namespace

void reckon(context& ctx, json& invoice) {
  auto found = ctx.state.with(kind::line_item, "invoice", text_of(invoice, "id"));
  std::reverse(found.begin(), found.end());
  std::vector<totals::line> lines;
  std::vector<json> documents;
  for (const json* document : found) {
    lines.push_back(line_of(ctx, *document, invoice["default_tax_rates"]));
    documents.push_back(*document);
  }
  // Until it is finalized it follows the customer.
  // Source: https://docs.stripe.com/api/invoices/object (customer_tax_exempt, customer_tax_ids)
  const json* owner = ctx.state.find_live(kind::customer, text_of(invoice, "customer"));
  if (owner != nullptr) {
    invoice["customer_tax_exempt"] = (*owner)["tax_exempt"];
    invoice["customer_tax_ids"] = tax_ids::of(ctx.state, text_of(*owner, "id"));
  }
  const std::string exempt = text_of(invoice, "customer_tax_exempt");
  const bool free = exempt == "exempt" || exempt == "reverse";
  const auto sums = totals::reckon(
      lines, terms_of(ctx, invoice["discounts"], text_of(invoice, "currency")), free);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    json& document = documents[i];
    json off = taken_off(sums.lines[i].discounts);
    json owed = taxes(sums.lines[i].taxes, exempt);
    if (off == document["discount_amounts"] && owed == document["taxes"]) continue;
    document["discount_amounts"] = std::move(off);
    document["taxes"] = std::move(owed);
    ctx.state.replace(kind::line_item, std::move(document));
  }
  take_sums(invoice, sums, exempt);
  const bool advances = truth_of(invoice, "auto_advance");
  const bool charges = text_of(invoice, "collection_method") == "charge_automatically";
  const std::int64_t created = number_of(invoice, "created");
  // Stripe rounds the same instant up in the one and down in the other.
  invoice["automatically_finalizes_at"] =
      advances ? json(created + draft_window_s + 1) : json(nullptr);
  invoice["next_payment_attempt"] =
      advances && charges ? json(created + draft_window_s) : json(nullptr);
}

// Sources: https://docs.stripe.com/api/subscriptions/object (default_tax_rates)
//          https://docs.stripe.com/api/invoices/create (discounts)
void inherit(const context& ctx, json& invoice) {
  const std::int64_t at_s = number_of(invoice, "created");
  const json* s = ctx.state.find_live(kind::subscription, subscription_of(invoice));
  if (s != nullptr) {
    invoice["discounts"] = discounts::in_force(ctx.state, text_of(*s, "id"), at_s);
    invoice["default_tax_rates"] = (*s)["default_tax_rates"];
  }
}

void use_up_discounts(context& ctx, const std::string& invoice) {
  const json off = ctx.state.live(kind::invoice, invoice)["total_discount_amounts"];
  for (const auto& one : off) {
    if (number_of(one, "amount") > 0) discounts::used(ctx, text_of(one, "discount"));
  }
}

}  // namespace tilld::sandbox::invoicing
