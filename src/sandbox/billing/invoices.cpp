#include "sandbox/billing/invoices.hpp"

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/billing/invoicing.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/calendar.hpp"
#include "sandbox/machine/paging.hpp"
#include "sandbox/machine/ranges.hpp"
#include "sandbox/payments/payment_methods.hpp"

namespace tilld::sandbox::invoices {

namespace {

constexpr std::string_view not_open =
    "You can only pass in open invoices. This invoice isn't open.";

params::schema shared_fields() {
  return {params::boolean("auto_advance"),
          params::choice("collection_method", {"charge_automatically", "send_invoice"}),
          params::list("custom_fields",
                       {params::text("name", 40).needed(), params::text("value", 140).needed()})
              .clearable(),
          params::integer("days_until_due").at_least(0).at_most(365),
          params::text("default_payment_method").clearable(),
          tax_rates::field("default_tax_rates"),
          params::text("description", 5000).clearable(),
          discounts::field(),
          params::timestamp("due_date"),
          params::text("footer", 5000).clearable(),
          params::metadata(),
          params::text("statement_descriptor", 22).clearable()};
}

// Some of these routes name the missing one "invoice", the others "id".
answer<json> invoice_of_path(const context& ctx, const char* param) {
  const std::string& id = ctx.arguments.front();
  const json* invoice = ctx.state.find_live(kind::invoice, id);
  if (invoice == nullptr) return missing(kind::invoice, id, param, 404);
  return *invoice;
}

answer<void> check_due(const context& ctx, const std::string& method, bool had_due_date) {
  const bool given = ctx.given("days_until_due") || ctx.given("due_date");
  if (method == "send_invoice" && !given && !had_due_date) {
    return refuse(
        "If invoice collection method is 'send_invoice', you must specify 'due_date' or "
        "'days_until_due'.");
  }
  if (method != "send_invoice" && given) {
    return refuse(
        "You can only specify 'due_date' or 'days_until_due' if invoice collection "
        "method is 'send_invoice'.");
  }
  if (ctx.given("days_until_due") && ctx.given("due_date")) {
    return refuse("You may only specify one of these parameters: days_until_due, due_date.",
                  "due_date");
  }
  if (ctx.given("due_date") && ctx.number("due_date") <= ctx.now) {
    return refuse("Invoice due date cannot be in the past.", "due_date");
  }
  return {};
}

answer<void> check_method(const context& ctx, const std::string& id, const std::string& customer,
                          const std::string& param) {
  if (id.empty()) return {};
  const json* method = ctx.state.find_live(kind::payment_method, id);
  if (method != nullptr && text_of(*method, "customer") == customer) return {};
  return refuse("The customer does not have a payment method with the ID " + id +
                    ". The payment method must be attached to the customer.",
                param, "resource_missing");
}

std::string currency_for(const context& ctx, const json& customer) {
  if (ctx.given("currency")) return ctx.text("currency");
  const std::string theirs = text_of(customer, "currency");
  if (!theirs.empty()) return theirs;
  for (const json* item : ctx.state.with(kind::invoiceitem, "customer", text_of(customer, "id"))) {
    if (is_null(*item, "invoice")) return text_of(*item, "currency");
  }
  return ctx.facts.currency;
}

// discounts and default_tax_rates. `invoice` has an id, a customer and a currency, and what it had
// before.
answer<void> take_terms(context& ctx, json& invoice, std::int64_t amount) {
  if (ctx.given("default_tax_rates")) {
    auto rates = tax_rates::read(ctx, ctx.param("default_tax_rates"), "default_tax_rates",
                                 invoice["default_tax_rates"]);
    if (!rates) return std::unexpected(rates.error());
    invoice["default_tax_rates"] = std::move(*rates);
  }
  if (!ctx.given("discounts")) return {};
  discounts::owner o;
  o.of = kind::invoice;
  o.id = text_of(invoice, "id");
  o.customer = text_of(invoice, "customer");
  o.currency = text_of(invoice, "currency");
  o.amount = amount;
  auto put = discounts::put(ctx, o, ctx.param("discounts"), "discounts");
  if (!put) return std::unexpected(put.error());
  invoice["discounts"] = std::move(*put);
  return {};
}

// Before there is an invoice: into what it will have.
answer<void> take_first_terms(context& ctx, invoicing::order& wanted, bool include) {
  wanted.id = ctx.state.ids.next(kind::invoice);
  json invoice = json::object();
  invoice["id"] = wanted.id;
  invoice["customer"] = wanted.customer;
  invoice["currency"] = wanted.currency;
  invoice["default_tax_rates"] = json::array();
  std::int64_t amount = 0;
  for (const json* item : ctx.state.with(kind::invoiceitem, "customer", wanted.customer)) {
    if (!include || !is_null(*item, "invoice")) continue;
    if (text_of(*item, "currency") == wanted.currency) amount += number_of(*item, "amount");
  }
  if (auto taken = take_terms(ctx, invoice, amount); !taken) return taken;
  for (const char* member : {"default_tax_rates", "discounts"})
    if (invoice.contains(member)) wanted.more[member] = invoice[member];
  return {};
}

std::unexpected<failure> needs_action(const context& ctx, const std::string& invoice) {
  auto refused = refuse(stripe::api_error{
      402, "card_error", "invoice_payment_intent_requires_action",
      "This payment requires additional user action before it can be completed successfully. "
      "Payment can be completed using the PaymentIntent associated with the invoice. For more "
      "details see: https://stripe.com/docs/billing/subscriptions/overview#requires-action",
      ""});
  refused.error().kept = true;
  if (const json* intent = invoicing::intent_of(ctx, invoice)) {
    refused.error().more = {{"payment_intent", view_of(ctx.state, kind::payment_intent, *intent)}};
  }
  return refused;
}

// A draft gets its number from its customer, who may be gone.
answer<void> check_finalizable(const context& ctx, const json& invoice) {
  const std::string customer = text_of(invoice, "customer");
  if (ctx.state.find_live(kind::customer, customer) != nullptr) return {};
  return missing(kind::customer, customer, "customer", 400);
}

answer<json> collect(context& ctx, const std::string& id, const std::string& method) {
  const auto tried = invoicing::collect(ctx, id, method, ctx.truth("off_session"));
  switch (tried.is) {
    case payment_intents::result::needs_action:
      return needs_action(ctx, id);
    case payment_intents::result::declined: {
      failure refused = payment_methods::card_failure(*tried.why);
      refused.kept = true;
      refused.more["charge"] = tried.charge;
      refused.more["payment_method"] = ctx.shown(kind::payment_method, method);
      return std::unexpected(std::move(refused));
    }
    case payment_intents::result::paid:
    case payment_intents::result::capturable:
      break;
  }
  return ctx.shown(kind::invoice, id);
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::currency("currency"));
    fields.push_back(params::text("customer"));
    fields.push_back(params::choice("pending_invoice_items_behavior", {"exclude", "include"}));
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  if (!ctx.given("customer")) return refuse(stripe::parameter_missing("customer"));
  auto customer = ctx.referred(kind::customer, ctx.text("customer"), "customer");
  if (!customer) return customer;
  invoicing::order wanted;
  wanted.customer = ctx.text("customer");
  if (ctx.given("collection_method")) wanted.collection_method = ctx.text("collection_method");
  if (auto due = check_due(ctx, wanted.collection_method, false); !due) {
    return std::unexpected(due.error());
  }
  const std::string method = ctx.text("default_payment_method");
  if (auto owned = check_method(ctx, method, wanted.customer, "default_payment_method"); !owned) {
    return std::unexpected(owned.error());
  }
  wanted.currency = currency_for(ctx, *customer);
  wanted.auto_advance = ctx.truth("auto_advance");
  wanted.due_date_s = ctx.given("due_date")         ? ctx.number("due_date")
                      : ctx.given("days_until_due") ? ctx.now + ctx.number("days_until_due") * day_s
                                                    : 0;
  wanted.period_start_s = wanted.period_end_s = ctx.now;
  if (const std::string quote = ctx.text("_quote"); !quote.empty()) {
    wanted.billing_reason = "quote_accept";
    wanted.more["parent"] = {{"quote_details", {{"quote", quote}}},
                             {"subscription_details", nullptr},
                             {"type", "quote_details"}};
  }
  ctx.copy_given(wanted.more, {"custom_fields", "default_payment_method", "description", "footer",
                               "statement_descriptor"});
  if (auto merged = merge_metadata(wanted.more, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  const bool include = ctx.text("pending_invoice_items_behavior") == "include";
  if (auto taken = take_first_terms(ctx, wanted, include); !taken) {
    return std::unexpected(taken.error());
  }
  const std::string id =
      include ? invoiceitems::draft_of_pending(ctx, wanted, false) : invoicing::draft(ctx, wanted);
  return ctx.shown(kind::invoice, id);
}

answer<json> retrieve(context& ctx) {
  auto invoice = invoice_of_path(ctx, "invoice");
  if (!invoice) return invoice;
  return view_of(ctx.state, kind::invoice, *invoice);
}

const params::schema& update_takes() {
  static const params::schema takes = shared_fields();
  return takes;
}

answer<json> update(context& ctx) {
  auto invoice = invoice_of_path(ctx, "id");
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  const bool draft = text_of(*invoice, "status") == "draft";
  for (const auto& [name, value] : ctx.params.items()) {
    if (draft || name == "metadata" || name == "auto_advance" || name == "expand" ||
        name == "default_payment_method") {
      continue;
    }
    return refuse("Finalized invoices can't be updated in this way", name);
  }
  const std::string method = ctx.text("default_payment_method");
  if (auto owned =
          check_method(ctx, method, text_of(*invoice, "customer"), "default_payment_method");
      !owned) {
    return std::unexpected(owned.error());
  }
  ctx.copy_given(*invoice,
                 {"auto_advance", "collection_method", "custom_fields", "default_payment_method",
                  "description", "footer", "statement_descriptor"});
  if (draft) {
    const std::string collection = text_of(*invoice, "collection_method");
    if (auto due = check_due(ctx, collection, !is_null(*invoice, "due_date")); !due) {
      return std::unexpected(due.error());
    }
    ctx.copy_given(*invoice, {"due_date"});
    if (ctx.given("days_until_due")) {
      (*invoice)["due_date"] =
          number_of(*invoice, "created") + ctx.number("days_until_due") * day_s;
    }
    if (collection != "send_invoice") (*invoice)["due_date"] = nullptr;
    if (auto taken = take_terms(ctx, *invoice, number_of(*invoice, "subtotal")); !taken) {
      return std::unexpected(taken.error());
    }
    invoicing::reckon(ctx, *invoice);
  }
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*invoice, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.update("invoice.updated", kind::invoice, std::move(*invoice));
  return ctx.shown(kind::invoice, id);
}

// The items that it has swept up are not set free: they stay with the deleted draft.
answer<json> remove(context& ctx) {
  auto invoice = invoice_of_path(ctx, "invoice");
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  if (text_of(*invoice, "status") != "draft") {
    return refuse("You can only delete draft invoices.");
  }
  if (!invoicing::subscription_of(*invoice).empty()) {
    return refuse("You can't delete invoices created by subscriptions.");
  }
  json last = ctx.shown(kind::invoice, id);
  for (const json* line : ctx.state.with(kind::line_item, "invoice", id)) {
    ctx.state.forget(kind::line_item, text_of(*line, "id"));
  }
  ctx.state.leave_stub(kind::invoice, id);
  ctx.emit_object("invoice.deleted", std::move(last));
  return ctx.shown(kind::invoice, id);
}

const params::schema& finalize_takes() {
  static const params::schema takes = {params::boolean("auto_advance")};
  return takes;
}

answer<json> finalize(context& ctx) {
  auto invoice = invoice_of_path(ctx, "id");
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  if (text_of(*invoice, "status") != "draft") {
    return refuse("This invoice is already finalized, you can't re-finalize a non-draft invoice.");
  }
  if (auto can = check_finalizable(ctx, *invoice); !can) return std::unexpected(can.error());
  if (ctx.given("auto_advance")) {
    ctx.copy_given(*invoice, {"auto_advance"});
    invoicing::reckon(ctx, *invoice);
    ctx.update("invoice.updated", kind::invoice, std::move(*invoice));
  }
  invoicing::finalize(ctx, id);
  return ctx.shown(kind::invoice, id);
}

const params::schema& pay_takes() {
  static const params::schema takes = {params::boolean("off_session"),
                                       params::boolean("paid_out_of_band"),
                                       params::text("payment_method")};
  return takes;
}

answer<json> pay(context& ctx) {
  auto invoice = invoice_of_path(ctx, "id");
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  const std::string status = text_of(*invoice, "status");
  if (status == "paid") return refuse("Invoice is already paid");
  if (status == "void") return refuse(std::string(not_open));
  const std::string given = ctx.text("payment_method");
  if (auto owned = check_method(ctx, given, text_of(*invoice, "customer"), "payment_method");
      !owned) {
    return std::unexpected(owned.error());
  }
  if (status == "draft") {
    if (auto can = check_finalizable(ctx, *invoice); !can) return std::unexpected(can.error());
    invoicing::finalize(ctx, id);
  }
  const json& open = ctx.state.live(kind::invoice, id);
  if (text_of(open, "status") == "paid") return ctx.shown(kind::invoice, id);
  ctx.watch_customer(text_of(open, "customer"));
  if (ctx.truth("paid_out_of_band")) {
    invoicing::mark_paid(ctx, id, invoicing::settled::out_of_band);
    return ctx.shown(kind::invoice, id);
  }
  const std::string method = given.empty() ? invoicing::payment_method_for(ctx, open) : given;
  if (method.empty()) return invoicing::no_payment_method();
  return collect(ctx, id, method);
}

answer<json> mark_void(context& ctx) {
  auto invoice = invoice_of_path(ctx, "id");
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  const std::string status = text_of(*invoice, "status");
  if (status == "paid") return refuse("Invoices with `paid` payments cannot be voided.");
  if (status != "open" && status != "uncollectible") return refuse(std::string(not_open));
  invoicing::mark_void(ctx, id);
  return ctx.shown(kind::invoice, id);
}

answer<json> mark_uncollectible(context& ctx) {
  auto invoice = invoice_of_path(ctx, "id");
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  const std::string status = text_of(*invoice, "status");
  if (status == "uncollectible") {
    return refuse("This invoice has already been marked uncollectible.");
  }
  if (status != "open") return refuse(std::string(not_open));
  invoicing::mark_uncollectible(ctx, id);
  return ctx.shown(kind::invoice, id);
}

answer<json> send(context& ctx) {
  auto invoice = invoice_of_path(ctx, "invoice");
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  if (text_of(*invoice, "collection_method") != "send_invoice") {
    return refuse(
        "You can only manually send an invoice if its collection method is "
        "'send_invoice'.");
  }
  if (text_of(*invoice, "status") == "draft") {
    if (auto can = check_finalizable(ctx, *invoice); !can) return std::unexpected(can.error());
    invoicing::finalize(ctx, id);
  }
  const std::string status = text_of(ctx.state.live(kind::invoice, id), "status");
  if (status != "open" && text_of(*invoice, "status") != "draft") {
    return refuse(
        "This invoice cannot be sent right now. Please contact us via "
        "https://support.stripe.com/contact with details, so we can help.");
  }
  if (status == "open") ctx.emit("invoice.sent", kind::invoice, id);
  return ctx.shown(kind::invoice, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {
      params::choice("collection_method", {"charge_automatically", "send_invoice"}),
      params::range("created"),
      params::text("customer"),
      params::range("due_date"),
      params::choice("status", {"draft", "open", "void", "paid", "uncollectible"}),
      params::text("subscription")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  shown.equal(ctx, "status", "status");
  shown.equal(ctx, "subscription", "parent.subscription_details.subscription");
  shown.also_equal(ctx, "collection_method");
  if (ctx.given("due_date")) {
    shown.also.push_back([due = range_of(ctx.param("due_date"))](const json& invoice) {
      return within(due, invoice, "due_date");
    });
  }
  if (!ctx.given("customer") && !ctx.given("subscription")) shown.also.push_back(on_no_clock);
  return list_page(ctx, kind::invoice, shown);
}

const params::schema& payment_list_takes() {
  static const params::schema takes = {
      params::range("created"), params::text("invoice"),
      params::choice("status", {"canceled", "open", "paid"}),
      params::hash("payment",
                   {params::choice("type", {"charge", "payment_intent", "payment_record"}).needed(),
                    params::text("payment_intent"), params::unsimulated("payment_record")})};
  return takes;
}

answer<json> payment_retrieve(context& ctx) {
  auto payment = ctx.object();
  if (!payment) return payment;
  return view_of(ctx.state, kind::invoice_payment, *payment);
}

answer<json> payment_list(context& ctx) {
  filter shown;
  shown.equal(ctx, "invoice", "invoice");
  shown.equal(ctx, "status", "status");
  if (ctx.given("payment")) {
    const std::string intent = text_of(ctx.param("payment"), "payment_intent");
    shown.where.push_back({"payment.payment_intent", {intent}});
  }
  return list_page(ctx, kind::invoice_payment, shown);
}

}  // namespace tilld::sandbox::invoices
