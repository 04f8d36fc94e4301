// Invoices while they are drafts: their fields, lines and totals.
#include "sandbox/billing/invoicing.hpp"

namespace tilld::sandbox::invoicing {

namespace {

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json pricing_of(const line& l) {
  json pricing = json::object();
  pricing["price_details"] = {{"price", l.price}, {"product", l.product}};
  pricing["type"] = "price_details";
  const std::string unit = l.unit_decimal.empty() ? std::to_string(l.unit_amount) : l.unit_decimal;
  pricing["unit_amount_decimal"] = l.proration ? json(nullptr) : json(unit);
  return pricing;
}

json proration_details(const line& l) {
  return {{"credited_items", l.credited}};
}

json parent_of(const line& l) {
  json parent = json::object();
  parent["invoice_item_details"] = nullptr;
  parent["subscription_item_details"] = nullptr;
  json details = json::object();
  details["invoice_item"] = text_or_null(l.invoice_item);
  details["proration"] = l.proration;
  details["proration_details"] = proration_details(l);
  details["subscription"] = text_or_null(l.subscription);
  const bool of_item = !l.subscription_item.empty();
  if (of_item) details["subscription_item"] = l.subscription_item;
  parent["type"] = of_item ? "subscription_item_details" : "invoice_item_details";
  parent[of_item ? "subscription_item_details" : "invoice_item_details"] = std::move(details);
  return parent;
}

json line_document(context& ctx, const std::string& invoice, const std::string& currency,
                   const line& l) {
  json document = ctx.make(kind::line_item);
  document["amount"] = l.amount;
  document["currency"] = currency;
  document["description"] = text_or_null(l.description);
  document["discount_amounts"] = json::array();
  document["discountable"] = l.discountable && !l.proration;
  document["discounts"] = l.discounts;
  document["invoice"] = invoice;
  document["metadata"] = l.metadata;
  document["parent"] = parent_of(l);
  document["period"] = {{"end", l.period_end_s}, {"start", l.period_start_s}};
  document["pretax_credit_amounts"] = json::array();
  document["pricing"] = pricing_of(l);
  document["quantity"] = l.quantity;
  document["quantity_decimal"] = std::to_string(l.quantity);
  document["subscription"] = text_or_null(l.subscription);
  document["subtotal"] = l.amount;
  document["taxes"] = json::array();
  document["_tax_rates"] = l.tax_rates;
  if (l.usage.is_object()) document["_usage"] = l.usage;
  return document;
}

json subscription_parent(const context& ctx, const std::string& id) {
  if (id.empty()) return nullptr;
  const json* subscription = ctx.state.find(kind::subscription, id);
  json details = json::object();
  details["metadata"] = subscription == nullptr ? json::object() : (*subscription)["metadata"];
  details["subscription"] = id;
  return {{"quote_details", nullptr},
          {"subscription_details", std::move(details)},
          {"type", "subscription_details"}};
}

void set_customer(const context& ctx, json& invoice, const std::string& id) {
  const json* customer = ctx.state.find(kind::customer, id);
  invoice["customer"] = id;
  if (customer == nullptr) return;
  for (const char* member : {"address", "email", "name", "phone", "shipping", "tax_exempt"}) {
    invoice[std::string("customer_") + member] = (*customer)[member];
  }
  for (const char* member : {"custom_fields", "footer"})
    invoice[member] = (*customer)["invoice_settings"][member];
}

json blank_invoice(context& ctx, const order& wanted) {
  json invoice = ctx.make(kind::invoice);
  invoice["account_country"] = ctx.facts.country;
  invoice["account_name"] = ctx.facts.name;
  for (const char* sum :
       {"amount_due", "amount_overpaid", "amount_paid", "amount_remaining", "amount_shipping",
        "attempt_count", "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount",
        "starting_balance", "subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"}) {
    invoice[sum] = 0;
  }
  for (const char* list :
       {"customer_tax_ids", "default_tax_rates", "discounts", "total_discount_amounts",
        "total_pretax_credit_amounts", "total_taxes"}) {
    invoice[list] = json::array();
  }
  invoice["attempted"] = false;
  invoice["automatic_tax"] = {{"disabled_reason", nullptr},
                              {"enabled", false},
                              {"liability", nullptr},
                              {"provider", nullptr},
                              {"status", nullptr}};
  invoice["issuer"] = {{"type", "self"}};
  invoice["payment_settings"] = {{"default_mandate", nullptr},
                                 {"payment_method_options", nullptr},
                                 {"payment_method_types", nullptr}};
  invoice["status"] = "draft";
  invoice["status_transitions"] = {{"finalized_at", nullptr},
                                   {"marked_uncollectible_at", nullptr},
                                   {"paid_at", nullptr},
                                   {"voided_at", nullptr}};
  invoice["webhooks_delivered_at"] = ctx.now;
  set_customer(ctx, invoice, wanted.customer);
  return invoice;
}

std::vector<const json*> lines_of(const context& ctx, const std::string& invoice) {
  return ctx.state.with(kind::line_item, "invoice", invoice);
}

// The id of the line that an invoice item has on the invoice; empty when it has none.
std::string line_of_item(const context& ctx, const std::string& invoice, const std::string& item) {
  for (const json* l : lines_of(ctx, invoice)) {
    const json* of = at_path(*l, "parent.invoice_item_details.invoice_item");
    if (of == nullptr) of = at_path(*l, "parent.subscription_item_details.invoice_item");
    if (of != nullptr && *of == item) return text_of(*l, "id");
  }
  return {};
}

}  // namespace

std::string subscription_of(const json& invoice) {
  const json* id = at_path(invoice, "parent.subscription_details.subscription");
  return id != nullptr && id->is_string() ? id->get<std::string>() : std::string();
}

std::string draft(context& ctx, const order& wanted) {
  json invoice = blank_invoice(ctx, wanted);
  if (!wanted.id.empty()) invoice["id"] = wanted.id;
  std::string id = text_of(invoice, "id");
  invoice["auto_advance"] = wanted.auto_advance;
  invoice["billing_reason"] = wanted.billing_reason;
  invoice["collection_method"] = wanted.collection_method;
  invoice["currency"] = wanted.currency;
  if (wanted.due_date_s != 0) invoice["due_date"] = wanted.due_date_s;
  invoice["parent"] = subscription_parent(ctx, wanted.subscription);
  invoice["period_end"] = wanted.period_end_s;
  invoice["period_start"] = wanted.period_start_s;
  for (const auto& [name, value] : wanted.more.items())
    invoice[name] = value;
  inherit(ctx, invoice);
  for (const auto& l : wanted.lines) {
    ctx.state.insert(kind::line_item, line_document(ctx, id, wanted.currency, l));
  }
  reckon(ctx, invoice);
  ctx.state.insert(kind::invoice, std::move(invoice));
  ctx.emit("invoice.created", kind::invoice, id);
  use_up_discounts(ctx, id);
  return id;
}

void put_line(context& ctx, const std::string& invoice, const line& l) {
  json changed = ctx.state.live(kind::invoice, invoice);
  const json before = ctx.shown(kind::invoice, invoice);
  json document = line_document(ctx, invoice, text_of(changed, "currency"), l);
  const std::string standing = line_of_item(ctx, invoice, l.invoice_item);
  if (standing.empty()) {
    ctx.state.insert(kind::line_item, std::move(document));
  } else {
    document["id"] = standing;
    ctx.state.replace(kind::line_item, std::move(document));
  }
  reckon(ctx, changed);
  ctx.state.replace(kind::invoice, std::move(changed));
  ctx.emit_updated("invoice.updated", kind::invoice, invoice, before);
}

void drop_line(context& ctx, const std::string& invoice, const std::string& invoice_item) {
  json changed = ctx.state.live(kind::invoice, invoice);
  const json before = ctx.shown(kind::invoice, invoice);
  ctx.state.forget(kind::line_item, line_of_item(ctx, invoice, invoice_item));
  reckon(ctx, changed);
  ctx.state.replace(kind::invoice, std::move(changed));
  ctx.emit_updated("invoice.updated", kind::invoice, invoice, before);
}

}  // namespace tilld::sandbox::invoicing
