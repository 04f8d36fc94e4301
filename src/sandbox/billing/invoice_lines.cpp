#include "sandbox/billing/invoice_lines.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/billing/invoicing.hpp"
#include "sandbox/catalogue/tax_rates.hpp"
#include "sandbox/machine/asking.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::invoice_lines {

namespace {

params::schema line_fields() {
  params::schema fields = invoiceitems::line_fields();
  fields.push_back(params::unsimulated("quantity_decimal"));
  fields.push_back(params::unsimulated("tax_amounts"));
  return fields;
}

params::schema bulk_of(params::schema line) {
  params::field invoice_metadata = params::metadata();
  invoice_metadata.name = "invoice_metadata";
  return {params::list("lines", std::move(line)).needed(), std::move(invoice_metadata)};
}

answer<json> draft_of_path(const context& ctx) {
  const std::string& id = ctx.arguments.front();
  const json* invoice = ctx.state.find_live(kind::invoice, id);
  if (invoice == nullptr) return missing(kind::invoice, id, "invoice", 404);
  if (text_of(*invoice, "status") == "draft") return *invoice;
  return refuse("This invoice is no longer editable", {}, "invoice_not_editable");
}

std::string item_of(const json& line) {
  const json* item = at_path(line, "parent.invoice_item_details.invoice_item");
  if (item == nullptr) item = at_path(line, "parent.subscription_item_details.invoice_item");
  return item != nullptr && item->is_string() ? item->get<std::string>() : std::string();
}

// What is refused of one line of several names it.
std::unexpected<failure> at_line(failure refused, const std::string& at) {
  std::string& param = refused.error.param;
  if (!at.empty() && !param.empty()) {
    const auto bracket = std::min(param.find('['), param.size());
    param = at + "[" + param.substr(0, bracket) + "]" + param.substr(bracket);
  }
  return std::unexpected(std::move(refused));
}

answer<json> line_of_invoice(const context& ctx, const std::string& id, const std::string& invoice,
                             const std::string& param, int status) {
  const json* line = ctx.state.find_live(kind::line_item, id);
  if (line != nullptr && text_of(*line, "invoice") == invoice) return *line;
  return missing(kind::line_item, id, param, status);
}

// The line of a subscription's period: its price and amount are the subscription's.
answer<void> change_own_line(context& ctx, json line, const json& asked) {
  for (const auto& [name, value] : asked.items()) {
    if (name == "description" || name == "discountable" || name == "period") {
      line[name] = value;
    } else if (name == "metadata") {
      if (auto merged = merge_metadata(line, value); !merged) return merged;
    } else if (name == "tax_rates") {
      auto rates = tax_rates::read(ctx, value, name, line["_tax_rates"]);
      if (!rates) return std::unexpected(rates.error());
      line["_tax_rates"] = std::move(*rates);
    } else if (name != "id") {
      return not_simulated(
          "The sandbox does not simulate that `" + name + "` changes on a subscription's line.",
          name);
    }
  }
  const std::string invoice = text_of(line, "invoice");
  const json before = ctx.shown(kind::invoice, invoice);
  ctx.state.replace(kind::line_item, std::move(line));
  json changed = ctx.state.live(kind::invoice, invoice);
  invoicing::reckon(ctx, changed);
  ctx.state.replace(kind::invoice, std::move(changed));
  ctx.emit_updated("invoice.updated", kind::invoice, invoice, before);
  return {};
}

answer<void> change_line(context& ctx, const json& line, json asked) {
  const std::string item = item_of(line);
  if (item.empty()) return change_own_line(ctx, line, asked);
  asked.erase("id");
  const aside kept(ctx);
  auto changed = ask(ctx, invoiceitems::update, std::move(asked), {item}, "/v1/invoiceitems/{id}");
  if (!changed) return std::unexpected(changed.error());
  return {};
}

answer<void> add_line(context& ctx, const json& invoice, json asked) {
  const std::string id = text_of(invoice, "id");
  if (asked.contains("invoice_item")) {
    return invoiceitems::assign(ctx, text_of(asked, "invoice_item"), invoice);
  }
  asked["customer"] = invoice["customer"];
  asked["invoice"] = id;
  asked["currency"] = invoice["currency"];
  const aside kept(ctx);
  auto made = ask(ctx, invoiceitems::create, std::move(asked), {}, "/v1/invoiceitems");
  if (!made) return std::unexpected(made.error());
  return {};
}

answer<void> remove_line(context& ctx, const json& line, const std::string& behavior) {
  const std::string item = item_of(line);
  if (item.empty()) {
    return refuse("You cannot remove a line that belongs to a subscription's period.", "id");
  }
  if (behavior == "unassign") {
    invoiceitems::unassign(ctx, item);
    return {};
  }
  const aside kept(ctx);
  auto removed = ask(ctx, invoiceitems::remove, json::object(), {item}, "/v1/invoiceitems/{id}");
  if (!removed) return std::unexpected(removed.error());
  return {};
}

// Does `act` to each of `lines` in turn, then what is asked of the invoice itself.
template <class Act>
answer<json> each_line(context& ctx, const Act& act) {
  auto invoice = draft_of_path(ctx);
  if (!invoice) return invoice;
  const std::string id = text_of(*invoice, "id");
  const json lines = ctx.param("lines");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const answer<void> done = act(*invoice, lines[i]);
    if (!done) return at_line(done.error(), "lines[" + std::to_string(i) + "]");
  }
  if (ctx.given("invoice_metadata")) {
    json changed = ctx.state.live(kind::invoice, id);
    if (auto merged = merge_metadata(changed, ctx.param("invoice_metadata")); !merged) {
      return std::unexpected(merged.error());
    }
    ctx.update("invoice.updated", kind::invoice, std::move(changed));
  }
  return ctx.shown(kind::invoice, id);
}

}  // namespace

answer<json> list(context& ctx) {
  const std::string& id = ctx.arguments.front();
  if (ctx.state.find_live(kind::invoice, id) == nullptr) {
    return missing(kind::invoice, id, "invoice", 404);
  }
  filter shown;
  shown.where.push_back({"invoice", {id}});
  return list_page(ctx, kind::line_item, shown, list_order::oldest_first);
}

const params::schema& add_takes() {
  static const params::schema takes = [] {
    params::schema line = line_fields();
    line.push_back(params::text("invoice_item"));
    return bulk_of(std::move(line));
  }();
  return takes;
}

answer<json> add(context& ctx) {
  return each_line(
      ctx, [&](const json& invoice, const json& asked) { return add_line(ctx, invoice, asked); });
}

const params::schema& update_takes() {
  static const params::schema takes = [] {
    params::schema line = line_fields();
    line.push_back(params::text("id").needed());
    return bulk_of(std::move(line));
  }();
  return takes;
}

answer<json> update(context& ctx) {
  return each_line(ctx, [&](const json& invoice, const json& asked) -> answer<void> {
    auto line = line_of_invoice(ctx, text_of(asked, "id"), text_of(invoice, "id"), "id", 400);
    if (!line) return std::unexpected(line.error());
    return change_line(ctx, *line, asked);
  });
}

const params::schema& remove_takes() {
  static const params::schema takes = bulk_of(
      {params::choice("behavior", {"delete", "unassign"}).needed(), params::text("id").needed()});
  return takes;
}

answer<json> remove(context& ctx) {
  return each_line(ctx, [&](const json& invoice, const json& asked) -> answer<void> {
    auto line = line_of_invoice(ctx, text_of(asked, "id"), text_of(invoice, "id"), "id", 400);
    if (!line) return std::unexpected(line.error());
    return remove_line(ctx, *line, text_of(asked, "behavior"));
  });
}

const params::schema& update_one_takes() {
  static const params::schema takes = line_fields();
  return takes;
}

answer<json> update_one(context& ctx) {
  auto invoice = draft_of_path(ctx);
  if (!invoice) return invoice;
  const std::string id = ctx.arguments.back();
  auto line = line_of_invoice(ctx, id, text_of(*invoice, "id"), "line_item_id", 404);
  if (!line) return line;
  json asked = ctx.params;
  asked.erase("expand");
  if (auto changed = change_line(ctx, *line, std::move(asked)); !changed) {
    return std::unexpected(changed.error());
  }
  return ctx.shown(kind::line_item, id);
}

}  // namespace tilld::sandbox::invoice_lines
