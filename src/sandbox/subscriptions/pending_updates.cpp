#include "sandbox/subscriptions/pending_updates.hpp"

#include "sandbox/catalogue/entitlements.hpp"
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

// The items as they will be when it is paid.
json items_to_be(context& ctx, const json& subscription, const changes& c) {
  return ctx.as_if([&] {
    apply(ctx, subscription, c.items);
    json items = json::array();
    for (const auto& item : items_of(ctx, text_of(subscription, "id")))
      items.push_back(view_of(ctx.state, kind::subscription_item, item));
    return items;
  });
}

void forget(json& subscription) {
  subscription["pending_update"] = nullptr;
  subscription.erase("_pending_changes");
  subscription.erase("_pending_invoice");
}

}  // namespace

std::string hold_update(context& ctx, json& subscription, const changes& c) {
  json pending = json::object();
  pending["billing_cycle_anchor"] = nullptr;
  pending["expires_at"] = ctx.now + incomplete_for_s;
  pending["subscription_items"] = items_to_be(ctx, subscription, c);
  pending["trial_end"] = nullptr;
  pending["trial_from_plan"] = nullptr;
  prorate(ctx, subscription, c);
  std::string invoice = bill_pending(ctx, subscription, "subscription_update");
  if (invoice.empty()) return invoice;
  json held = ctx.state.live(kind::invoice, invoice);
  held["_held"] = true;
  ctx.state.replace(kind::invoice, std::move(held));
  subscription["pending_update"] = std::move(pending);
  subscription["_pending_changes"] = changes_text(c.items);
  subscription["_pending_invoice"] = invoice;
  subscription["latest_invoice"] = invoice;
  return invoice;
}

void apply_pending_update(context& ctx, const std::string& id) {
  json s = ctx.state.live(kind::subscription, id);
  const json before = ctx.shown(kind::subscription, id);
  apply(ctx, s, changes_of(s["_pending_changes"]));
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
