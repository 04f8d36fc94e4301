#include "sandbox/billing/invoiceitems.hpp"

#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/products.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::invoiceitems {

namespace {

json blank_item(context& ctx, const std::string& customer, const std::string& currency,
                std::int64_t amount, std::int64_t quantity) {
  json item = ctx.make(kind::invoiceitem);
  item["amount"] = amount;
  item["currency"] = currency;
  item["customer"] = customer;
  item["date"] = ctx.now;
  item["discountable"] = true;
  item["discounts"] = json::array();
  item["net_amount"] = amount;
  item["period"] = {{"end", ctx.now}, {"start", ctx.now}};
  item["proration"] = false;
  item["quantity"] = quantity;
  item["quantity_decimal"] = std::to_string(quantity);
  item["tax_rates"] = json::array();
  return item;
}

json pricing(const std::string& price, const std::string& product, const json& unit) {
  json member = json::object();
  member["price_details"] = {{"price", price}, {"product", product}};
  member["type"] = "price_details";
  member["unit_amount_decimal"] = unit;
  return member;
}

invoicing::line line_of(const json& item) {
  invoicing::line l;
  l.description = text_of(item, "description");
  l.amount = number_of(item, "amount");
  l.quantity = number_of(item, "quantity");
  l.unit_decimal = text_of(item["pricing"], "unit_amount_decimal");
  l.price = text_of(item["pricing"]["price_details"], "price");
  l.product = text_of(item["pricing"]["price_details"], "product");
  l.period_start_s = number_of(item["period"], "start");
  l.period_end_s = number_of(item["period"], "end");
  if (const json* details = at_path(item, "parent.subscription_details")) {
    l.subscription = text_of(*details, "subscription");
    l.subscription_item = text_of(*details, "subscription_item");
  }
  l.invoice_item = text_of(item, "id");
  l.proration = truth_of(item, "proration");
  l.discountable = truth_of(item, "discountable");
  if (item.contains("_credited")) l.credited = item["_credited"];
  l.metadata = item["metadata"];
  l.discounts = item["discounts"];
  l.tax_rates = item["tax_rates"];
  return l;
}

// The amount of `quantity` pieces of a price, or the bare amount behind a price made for it.
answer<json> priced_item(context& ctx, const std::string& customer) {
  const std::int64_t quantity = ctx.given("quantity") ? ctx.number("quantity") : 1;
  if (ctx.given("pricing")) {
    const std::string id = text_of(ctx.param("pricing"), "price");
    auto price = ctx.referred(kind::price, id, "pricing[price]");
    if (!price) return price;
    if (text_of(*price, "type") != "one_time") {
      return refuse(
          "The price specified is set to `type=recurring` but this field only accepts "
          "prices with `type=one_time`.",
          "pricing[price]");
    }
    const std::int64_t unit = number_of(*price, "unit_amount");
    json item = blank_item(ctx, customer, text_of(*price, "currency"), unit * quantity, quantity);
    const std::string product = text_of(*price, "product");
    item["description"] = (ctx.state.at(kind::product, product))["name"];
    item["pricing"] = pricing(id, product, std::to_string(unit));
    return item;
  }
  if (!ctx.given("amount")) {
    return refuse(
        "One of the following params should be provided for this request: amount or "
        "pricing.");
  }
  if (ctx.given("quantity")) {
    return refuse("You may only specify one of these parameters: amount, quantity.", "amount");
  }
  if (!ctx.given("currency")) return refuse(stripe::parameter_missing("currency"));
  const std::string currency = ctx.text("currency");
  const std::int64_t amount = ctx.number("amount");
  const std::string name = ctx.given("description") ? ctx.text("description") : "Invoice item";
  json data = json::object();
  data["name"] = name;
  data["active"] = false;
  const std::string product = products::make(ctx, data);
  const std::string price = prices::make_one_off(ctx, product, amount, currency);
  json item = blank_item(ctx, customer, currency, amount, 1);
  item["pricing"] = pricing(price, product, std::to_string(amount));
  return item;
}

answer<json> editable_draft(const context& ctx, const std::string& id) {
  auto invoice = ctx.referred(kind::invoice, id, "invoice");
  if (invoice && text_of(*invoice, "status") != "draft") {
    return refuse("Invalid invoice: This invoice is no longer editable", "invoice",
                  "invoice_not_editable");
  }
  return invoice;
}

// An item on an invoice can be changed while that is a draft.
answer<void> check_open(const context& ctx, const json& item, const char* verb) {
  if (is_null(item, "invoice")) return {};
  const json* invoice = ctx.state.find_live(kind::invoice, text_of(item, "invoice"));
  if (invoice == nullptr) return refuse("This invoice item has been deleted.");
  if (text_of(*invoice, "status") == "draft") return {};
  return refuse("You cannot " + std::string(verb) +
                " an invoice item that is attached to an invoice that is no longer editable.");
}

}  // namespace

void make_proration(context& ctx, const proration& p) {
  json item = blank_item(ctx, p.customer, p.currency, p.amount, p.quantity);
  const std::string id = text_of(item, "id");
  item["description"] = p.description;
  item["discountable"] = false;
  item["parent"] = {
      {"subscription_details",
       {{"subscription", p.subscription}, {"subscription_item", p.subscription_item}}},
      {"type", "subscription_details"}};
  item["period"] = {{"end", p.period_end_s}, {"start", p.period_start_s}};
  item["pricing"] = pricing(p.price, p.product, nullptr);
  item["proration"] = true;
  item["tax_rates"] = p.tax_rates;
  item["_credited"] = p.credited;
  ctx.state.insert(kind::invoiceitem, std::move(item));
  ctx.emit("invoiceitem.created", kind::invoiceitem, id);
}

std::string draft_of_pending(context& ctx, invoicing::order wanted, bool only_if_any) {
  std::vector<json> taken;
  for (const json* item : ctx.state.with(kind::invoiceitem, "customer", wanted.customer)) {
    if (!is_null(*item, "invoice") || text_of(*item, "currency") != wanted.currency) continue;
    const json* of = at_path(*item, "parent.subscription_details.subscription");
    const std::string subscription = of == nullptr ? "" : of->get<std::string>();
    if (!wanted.subscription.empty() && subscription != wanted.subscription) continue;
    taken.push_back(*item);
  }
  if (only_if_any && taken.empty()) return {};
  // Credits before what replaces them: as they were made.
  for (auto it = taken.rbegin(); it != taken.rend(); ++it)
    wanted.lines.push_back(line_of(*it));
  const std::string invoice = invoicing::draft(ctx, wanted);
  for (auto& item : taken) {
    item["invoice"] = invoice;
    ctx.state.replace(kind::invoiceitem, std::move(item));
  }
  return invoice;
}

const params::schema& create_takes() {
  static const params::schema takes = {
      params::integer("amount").at_least(-99'999'999).at_most(99'999'999),
      params::currency("currency"),
      params::text("customer").needed(),
      params::text("description"),
      params::boolean("discountable"),
      params::text("invoice"),
      params::metadata(),
      params::hash("period",
                   {params::timestamp("end").needed(), params::timestamp("start").needed()}),
      params::hash("pricing", {params::text("price").needed()}),
      params::integer("quantity").at_least(1).at_most(999'999)};
  return takes;
}

answer<json> create(context& ctx) {
  const std::string customer = ctx.text("customer");
  if (auto known = ctx.referred(kind::customer, customer, "customer"); !known) return known;
  const std::string invoice = ctx.text("invoice");
  std::string invoice_currency;
  if (!invoice.empty()) {
    auto draft = editable_draft(ctx, invoice);
    if (!draft) return draft;
    if (text_of(*draft, "customer") != customer) {
      return refuse("The invoice belongs to another customer.", "invoice");
    }
    invoice_currency = text_of(*draft, "currency");
  }
  auto item = priced_item(ctx, customer);
  if (!item) return item;
  if (!invoice.empty() && text_of(*item, "currency") != invoice_currency) {
    return refuse("The currency of an invoice item must be the currency of its invoice, " +
                      invoice_currency + ".",
                  "currency");
  }
  ctx.copy_given(*item, {"description", "discountable", "period"});
  if (auto merged = merge_metadata(*item, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  if (!invoice.empty()) (*item)["invoice"] = invoice;
  const std::string id = text_of(*item, "id");
  ctx.state.insert(kind::invoiceitem, *item);
  ctx.emit("invoiceitem.created", kind::invoiceitem, id);
  if (!invoice.empty()) invoicing::put_line(ctx, invoice, line_of(*item));
  return ctx.shown(kind::invoiceitem, id);
}

answer<json> retrieve(context& ctx) {
  auto item = ctx.object();
  if (!item) return item;
  return view_of(ctx.state, kind::invoiceitem, *item);
}

const params::schema& update_takes() {
  static const params::schema takes = {
      params::integer("amount").at_least(-99'999'999).at_most(99'999'999),
      params::text("description").clearable(), params::boolean("discountable"), params::metadata()};
  return takes;
}

// There is no event for a changed invoice item.
answer<json> update(context& ctx) {
  auto item = ctx.object();
  if (!item) return item;
  if (auto open = check_open(ctx, *item, "update"); !open) return std::unexpected(open.error());
  const std::string id = text_of(*item, "id");
  if (ctx.given("amount")) {
    const std::int64_t amount = ctx.number("amount");
    (*item)["amount"] = amount;
    (*item)["net_amount"] = amount;
    const std::string product = text_of((*item)["pricing"]["price_details"], "product");
    const std::string price =
        prices::make_one_off(ctx, product, amount, text_of(*item, "currency"));
    (*item)["pricing"] = pricing(price, product, std::to_string(amount));
    (*item)["quantity"] = 1;
    (*item)["quantity_decimal"] = "1";
  }
  ctx.copy_given(*item, {"description", "discountable"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*item, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.state.replace(kind::invoiceitem, *item);
  if (const std::string invoice = text_of(*item, "invoice"); !invoice.empty()) {
    invoicing::put_line(ctx, invoice, line_of(*item));
  }
  return ctx.shown(kind::invoiceitem, id);
}

answer<json> remove(context& ctx) {
  auto item = ctx.object();
  if (!item) return item;
  if (auto open = check_open(ctx, *item, "delete"); !open) return std::unexpected(open.error());
  const std::string id = text_of(*item, "id");
  const std::string invoice = text_of(*item, "invoice");
  json last = ctx.shown(kind::invoiceitem, id);
  if (!invoice.empty()) invoicing::drop_line(ctx, invoice, id);
  ctx.state.leave_stub(kind::invoiceitem, id);
  ctx.emit_object("invoiceitem.deleted", std::move(last));
  return ctx.shown(kind::invoiceitem, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), params::text("customer"),
                                       params::text("invoice"), params::boolean("pending")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "customer", "customer");
  shown.equal(ctx, "invoice", "invoice");
  if (ctx.given("pending")) {
    shown.also.push_back([pending = ctx.truth("pending")](const json& item) {
      return is_null(item, "invoice") == pending;
    });
  }
  return list_page(ctx, kind::invoiceitem, shown);
}

}  // namespace tilld::sandbox::invoiceitems
