#include "sandbox/billing/invoiceitems.hpp"

#include "sandbox/billing/totals.hpp"
#include "sandbox/catalogue/discounts.hpp"
#include "sandbox/catalogue/prices.hpp"
#include "sandbox/catalogue/products.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
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

// What an item costs: `quantity` pieces of a price, once.
struct cost {
  json price;
  std::string currency;
  std::int64_t quantity = 1;
};

// Puts amount, price and quantity; the product's name where the item has no description.
answer<void> put_cost(const context& ctx, json& item, const cost& c, const std::string& param) {
  if (text_of(c.price, "type") != "one_time") {
    return refuse(
        "The price specified is set to `type=recurring` but this field only accepts "
        "prices with `type=one_time`.",
        param);
  }
  if (!prices::has_currency(c.price, c.currency)) {
    return refuse("The price specified only supports `" + text_of(c.price, "currency") +
                      "`. This doesn't match the expected currency: `" + c.currency + "`.",
                  param);
  }
  if (c.price["custom_unit_amount"].is_object()) {
    return refuse("Prices with `custom_unit_amount` can only be used where customers pay.", param);
  }
  const auto pricing_terms = prices::pricing_of(c.price, c.currency);
  const std::int64_t amount = amounts::amount(pricing_terms, c.quantity);
  const bool tiered = pricing_terms.is != amounts::scheme::per_unit;
  item["amount"] = amount;
  item["currency"] = c.currency;
  item["quantity"] = c.quantity;
  item["quantity_decimal"] = std::to_string(c.quantity);
  const std::string product = text_of(c.price, "product");
  if (is_null(item, "description")) {
    item["description"] = ctx.state.at(kind::product, product)["name"];
  }
  item["pricing"] = pricing(text_of(c.price, "id"), product,
                            tiered ? json(nullptr) : json(pricing_terms.unit.text()));
  return {};
}

// A bare amount, whole or with fractions, behind which a price is made.
answer<json> price_of_amount(context& ctx, const json& item, const std::string& currency,
                             const std::string& product) {
  std::string sold = product;
  if (sold.empty()) {
    json data = json::object();
    data["name"] = is_null(item, "description") ? "Invoice item" : text_of(item, "description");
    data["active"] = false;
    sold = products::make(ctx, data);
  }
  if (ctx.given("amount")) {
    return ctx.state.at(kind::price,
                        prices::make_one_off(ctx, sold, ctx.number("amount"), currency));
  }
  json terms = json::object();
  terms["currency"] = currency;
  terms["unit_amount_decimal"] = ctx.text("unit_amount_decimal");
  terms["active"] = false;
  const auto id = prices::make(ctx, sold, terms, "");
  if (!id) return std::unexpected(id.error());
  return ctx.state.at(kind::price, *id);
}

// What the request wants the item to cost, for the given quantity; nothing named: null. At most one
// of the ways to say it.
answer<json> price_of_request(context& ctx, const json& item, const std::string& currency,
                              const std::string& product) {
  std::vector<std::string> ways;
  for (const char* way : {"amount", "price_data", "pricing", "unit_amount_decimal"})
    if (ctx.given(way)) ways.emplace_back(way);
  if (ways.empty()) return json(nullptr);
  if (ways.size() > 1) {
    return refuse("You may only specify one of these parameters: " + ways[0] + ", " + ways[1] + ".",
                  ways[0]);
  }
  if (ways[0] == "amount" && ctx.given("quantity")) {
    return refuse("You may only specify one of these parameters: amount, quantity.", "amount");
  }
  if (ways[0] == "pricing") {
    return ctx.referred(kind::price, text_of(ctx.param("pricing"), "price"), "pricing[price]");
  }
  if (ways[0] == "price_data") {
    return prices::make_inline(ctx, ctx.param("price_data"), "price_data");
  }
  if (currency.empty()) return refuse(stripe::parameter_missing("currency"));
  return price_of_amount(ctx, item, currency, product);
}

const char* param_of_price(const context& ctx) {
  return ctx.given("price_data") ? "price_data[currency]" : "pricing[price]";
}

// What is left of it after its own discounts.
// Source: https://docs.stripe.com/api/invoiceitems/object (net_amount)
void note_net_amount(const context& ctx, json& item) {
  totals::line l;
  l.amount = number_of(item, "amount");
  l.discountable = truth_of(item, "discountable");
  l.product = text_of(item["pricing"]["price_details"], "product");
  for (const auto& id : item["discounts"])
    l.discounts.push_back(discounts::terms(ctx, id.get<std::string>(), text_of(item, "currency")));
  item["net_amount"] = totals::reckon({l}, {}, false).subtotal;
}

// discounts and tax_rates, as they are given in `terms`.
answer<void> take_terms(context& ctx, json& item, const json& terms, const std::string& within) {
  const auto inside = [&](const std::string& name) {
    return within.empty() ? name : within + "[" + name + "]";
  };
  if (terms.contains("tax_rates")) {
    auto rates = tax_rates::read(ctx, terms["tax_rates"], inside("tax_rates"), item["tax_rates"]);
    if (!rates) return std::unexpected(rates.error());
    item["tax_rates"] = std::move(*rates);
  }
  if (terms.contains("discounts")) {
    discounts::owner o;
    o.of = kind::invoiceitem;
    o.id = text_of(item, "id");
    o.customer = text_of(item, "customer");
    o.currency = text_of(item, "currency");
    o.amount = number_of(item, "amount");
    auto put = discounts::put(ctx, o, terms["discounts"], inside("discounts"));
    if (!put) return std::unexpected(put.error());
    item["discounts"] = std::move(*put);
  }
  note_net_amount(ctx, item);
  return {};
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

void make_usage(context& ctx, const json& subscription, const invoicing::line& l) {
  json item = blank_item(ctx, text_of(subscription, "customer"), text_of(subscription, "currency"),
                         l.amount, l.quantity);
  const std::string id = text_of(item, "id");
  item["description"] = l.description;
  item["discounts"] = l.discounts;
  item["parent"] = {
      {"subscription_details",
       {{"subscription", l.subscription}, {"subscription_item", l.subscription_item}}},
      {"type", "subscription_details"}};
  item["period"] = {{"end", l.period_end_s}, {"start", l.period_start_s}};
  item["pricing"] = pricing(l.price, l.product, l.unit_decimal);
  item["tax_rates"] = l.tax_rates;
  note_net_amount(ctx, item);
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

params::field added_field() {
  return params::list("add_invoice_items",
                      {discounts::field(), params::metadata(), params::text("price"),
                       prices::data_field("price_data", false),
                       params::integer("quantity").at_least(1).at_most(999'999),
                       tax_rates::field("tax_rates"), params::unsimulated("period")});
}

answer<void> make_added(context& ctx, const json& subscription, const json& entry,
                        const std::string& at) {
  const std::string currency = text_of(subscription, "currency");
  if (entry.contains("price") == entry.contains("price_data")) {
    return refuse("You must specify exactly one of price or price_data.", at);
  }
  auto price = entry.contains("price")
                   ? ctx.referred(kind::price, text_of(entry, "price"), at + "[price]")
                   : prices::make_inline(ctx, entry["price_data"], at + "[price_data]");
  if (!price) return std::unexpected(price.error());
  const std::int64_t quantity = entry.contains("quantity") ? number_of(entry, "quantity") : 1;
  json item = blank_item(ctx, text_of(subscription, "customer"), currency, 0, quantity);
  const std::string id = text_of(item, "id");
  if (auto put = put_cost(ctx, item, {std::move(*price), currency, quantity}, at + "[price]");
      !put) {
    return put;
  }
  item["parent"] = {{"subscription_details", {{"subscription", subscription["id"]}}},
                    {"type", "subscription_details"}};
  if (entry.contains("metadata")) {
    if (auto merged = merge_metadata(item, entry["metadata"]); !merged) return merged;
  }
  if (auto taken = take_terms(ctx, item, entry, at); !taken) return taken;
  ctx.state.insert(kind::invoiceitem, std::move(item));
  ctx.emit("invoiceitem.created", kind::invoiceitem, id);
  return {};
}

namespace {

params::schema shared_fields() {
  params::schema fields = line_fields();
  fields.push_back(params::text("unit_amount_decimal", 40));
  return fields;
}

}  // namespace

params::schema line_fields() {
  return {params::integer("amount").at_least(-99'999'999).at_most(99'999'999),
          params::text("description").clearable(),
          params::boolean("discountable"),
          discounts::field(),
          params::metadata(),
          params::hash("period",
                       {params::timestamp("end").needed(), params::timestamp("start").needed()}),
          prices::data_field("price_data", false),
          params::hash("pricing", {params::text("price").needed()}),
          params::integer("quantity").at_least(1).at_most(999'999),
          tax_rates::field("tax_rates")};
}

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::currency("currency"));
    fields.push_back(params::text("customer").needed());
    fields.push_back(params::text("invoice"));
    fields.push_back(params::text("subscription"));
    return fields;
  }();
  return takes;
}

namespace {

// The item of a request, priced; where it is to go is checked.
answer<json> new_item(context& ctx, const std::string& invoice_currency) {
  const std::int64_t quantity = ctx.given("quantity") ? ctx.number("quantity") : 1;
  json item = blank_item(ctx, ctx.text("customer"), "", 0, quantity);
  ctx.copy_given(item, {"description", "discountable", "period"});
  auto price = price_of_request(ctx, item, ctx.text("currency"), "");
  if (!price) return price;
  if (price->is_null()) {
    return refuse(
        "One of the following params should be provided for this request: amount or "
        "pricing.");
  }
  const std::string asked = ctx.given("currency") ? ctx.text("currency") : invoice_currency;
  const bool fits = !asked.empty() && prices::has_currency(*price, asked);
  const std::string its = text_of(*price, "currency");
  const std::string currency = fits || ctx.given("currency") ? asked : its;
  const bool bare = ctx.given("amount");
  if (auto put = put_cost(ctx, item, {std::move(*price), currency, quantity}, param_of_price(ctx));
      !put) {
    return std::unexpected(put.error());
  }
  if (bare && !ctx.given("description")) item["description"] = nullptr;
  if (number_of(item, "amount") < 0 && !ctx.given("discountable")) item["discountable"] = false;
  return item;
}

answer<void> take_subscription(const context& ctx, json& item) {
  if (!ctx.given("subscription")) return {};
  auto s = ctx.referred(kind::subscription, ctx.text("subscription"), "subscription");
  if (!s) return std::unexpected(s.error());
  if (text_of(*s, "customer") != text_of(item, "customer")) {
    return refuse("The subscription belongs to another customer.", "subscription");
  }
  if (text_of(*s, "currency") != text_of(item, "currency")) {
    return refuse("The currency of an invoice item must be the currency of its subscription, " +
                      text_of(*s, "currency") + ".",
                  "currency");
  }
  item["parent"] = {{"subscription_details", {{"subscription", (*s)["id"]}}},
                    {"type", "subscription_details"}};
  return {};
}

}  // namespace

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
  auto item = new_item(ctx, invoice_currency);
  if (!item) return item;
  if (!invoice.empty() && text_of(*item, "currency") != invoice_currency) {
    return refuse("The currency of an invoice item must be the currency of its invoice, " +
                      invoice_currency + ".",
                  "currency");
  }
  if (auto taken = take_subscription(ctx, *item); !taken) return std::unexpected(taken.error());
  if (auto merged = merge_metadata(*item, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  const json params = ctx.params;
  if (auto taken = take_terms(ctx, *item, params, ""); !taken) {
    return std::unexpected(taken.error());
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
  static const params::schema takes = shared_fields();
  return takes;
}

namespace {

answer<void> take_new_cost(context& ctx, json& item) {
  const bool prorated = truth_of(item, "proration");
  const json details = item["pricing"]["price_details"];
  auto price = price_of_request(ctx, item, text_of(item, "currency"), text_of(details, "product"));
  if (!price) return std::unexpected(price.error());
  if (price->is_null() && !ctx.given("quantity")) return {};
  if (prorated && !ctx.given("amount")) {
    return not_simulated(
        "The sandbox does not simulate prorations with other prices or quantities.", "quantity");
  }
  if (price->is_null()) *price = ctx.state.at(kind::price, text_of(details, "price"));
  const std::int64_t quantity = ctx.given("amount")     ? 1
                                : ctx.given("quantity") ? ctx.number("quantity")
                                                        : number_of(item, "quantity");
  const json description = item["description"];
  const auto put = put_cost(ctx, item, {std::move(*price), text_of(item, "currency"), quantity},
                            param_of_price(ctx));
  item["description"] = description;
  return put;
}

}  // namespace

// There is no event for a changed invoice item.
answer<json> update(context& ctx) {
  auto item = ctx.object();
  if (!item) return item;
  if (auto open = check_open(ctx, *item, "update"); !open) return std::unexpected(open.error());
  const std::string id = text_of(*item, "id");
  if (auto taken = take_new_cost(ctx, *item); !taken) return std::unexpected(taken.error());
  ctx.copy_given(*item, {"description", "discountable", "period"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*item, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  const json params = ctx.params;
  if (auto taken = take_terms(ctx, *item, params, ""); !taken) {
    return std::unexpected(taken.error());
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

answer<void> assign(context& ctx, const std::string& id, const json& invoice) {
  auto item = ctx.referred(kind::invoiceitem, id, "invoice_item");
  if (!item) return std::unexpected(item.error());
  if (!is_null(*item, "invoice")) {
    return refuse("The invoice item " + id + " is already on an invoice.", "invoice_item");
  }
  for (const char* same : {"customer", "currency"}) {
    if (text_of(*item, same) == text_of(invoice, same)) continue;
    return refuse("The invoice item and the invoice differ in their " + std::string(same) + ".",
                  "invoice_item");
  }
  const std::string to = text_of(invoice, "id");
  (*item)["invoice"] = to;
  ctx.state.replace(kind::invoiceitem, *item);
  invoicing::put_line(ctx, to, line_of(*item));
  return {};
}

void unassign(context& ctx, const std::string& id) {
  json item = ctx.state.live(kind::invoiceitem, id);
  invoicing::drop_line(ctx, text_of(item, "invoice"), id);
  item["invoice"] = nullptr;
  ctx.state.replace(kind::invoiceitem, std::move(item));
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
