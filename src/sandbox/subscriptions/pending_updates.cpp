#include "sandbox/subscriptions/pending_updates.hpp"

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/subscription_parts.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

json changes_text(const std::vector<item_change>& items) {
  json list = json::array();
  for (const auto& c : items)
    list.push_back({{"before", c.before}, {"after", c.after}});
  return list;
}

std::vector<item_change> changes_of(const json& list) {
  std::vector<item_change> items;
  for (const auto& c : list)
    items.push_back({c["before"], c["after"]});
  return items;
}

// The subscription with the changed items, and in its new period if it starts one.
void change(context& ctx, json& subscription, const std::vector<item_change>& items,
            std::int64_t anchor_s) {
  apply(ctx, subscription, items);
  if (anchor_s == 0) return;
  const auto changed = items_of(ctx, text_of(subscription, "id"));
  subscription["billing_cycle_anchor"] = anchor_s;
  set_cycle(ctx, subscription, cycle_at(anchor_s, price_of_item(ctx, changed.front()), ctx.now));
}

struct outcome {
  json items;                          // as they will be when it is paid
  std::vector<invoicing::line> lines;  // of the new period; none if it goes on
};
outcome foreseen(context& ctx, json subscription, const changes& c) {
  return ctx.as_if([&] {
    change(ctx, subscription, c.items, c.starts_anew ? ctx.now : 0);
    const std::string id = text_of(subscription, "id");
    outcome o;
    o.items = json::array();
    for (const auto& item : items_of(ctx, id))
      o.items.push_back(view_of(ctx.state, kind::subscription_item, item));
    if (c.starts_anew) o.lines = cycle_lines(ctx, id, false);
    return o;
  });
}

void forget(json& subscription) {
  subscription["pending_update"] = nullptr;
  subscription.erase("_pending_changes");
  subscription.erase("_pending_invoice");
  subscription.erase("_pending_anchor");
}

}  // namespace

std::string hold_update(context& ctx, json& subscription, const changes& c) {
  outcome o = foreseen(ctx, subscription, c);
  json pending = json::object();
  pending["billing_cycle_anchor"] = c.starts_anew ? json(ctx.now) : json(nullptr);
  pending["expires_at"] = ctx.now + incomplete_for_s;
  pending["subscription_items"] = std::move(o.items);
  pending["trial_end"] = nullptr;
  pending["trial_from_plan"] = nullptr;
  prorate(ctx, subscription, c);
  auto wanted = order_for(ctx, subscription, "subscription_update");
  wanted.lines = std::move(o.lines);
  std::string invoice = invoiceitems::draft_of_pending(ctx, wanted, wanted.lines.empty());
  if (invoice.empty()) return invoice;
  json held = ctx.state.live(kind::invoice, invoice);
  held["_held"] = true;
  ctx.state.replace(kind::invoice, std::move(held));
  subscription["pending_update"] = std::move(pending);
  subscription["_pending_changes"] = changes_text(c.items);
  subscription["_pending_anchor"] = c.starts_anew ? ctx.now : 0;
  subscription["_pending_invoice"] = invoice;
  subscription["latest_invoice"] = invoice;
  return invoice;
}

void apply_pending_update(context& ctx, const std::string& id) {
  json s = ctx.state.live(kind::subscription, id);
  const json before = ctx.shown(kind::subscription, id);
  change(ctx, s, changes_of(s["_pending_changes"]), number_of(s, "_pending_anchor"));
  forget(s);
  refresh_derived(ctx, s);
  const std::string customer = text_of(s, "customer");
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  ctx.emit("customer.subscription.pending_update_applied", kind::subscription, id);
  entitlements::refresh(ctx, customer);
}

void expire_pending_update(context& ctx, const std::string& id) {
  json s = ctx.state.live(kind::subscription, id);
  const json before = ctx.shown(kind::subscription, id);
  const std::string invoice = text_of(s, "_pending_invoice");
  forget(s);
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  ctx.emit("customer.subscription.pending_update_expired", kind::subscription, id);
  const json* open = ctx.state.find_live(kind::invoice, invoice);
  if (open != nullptr && text_of(*open, "status") == "open") invoicing::mark_void(ctx, invoice);
}

}  // namespace tilld::sandbox::subscriptions
