#include "sandbox/subscriptions/resumption.hpp"

#include "sandbox/billing/invoiceitems.hpp"
#include "sandbox/catalogue/entitlements.hpp"
#include "sandbox/subscriptions/cycle.hpp"
#include "sandbox/subscriptions/subscriptions.hpp"

namespace tilld::sandbox::subscriptions {

namespace {

void become_active(context& ctx, json s) {
  const std::string id = text_of(s, "id");
  const std::string customer = text_of(s, "customer");
  const json before = ctx.shown(kind::subscription, id);
  s["status"] = "active";
  s.erase("_resumption");
  s.erase("_resumption_ends");
  ctx.state.replace(kind::subscription, std::move(s));
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  ctx.emit("customer.subscription.resumed", kind::subscription, id);
  entitlements::refresh(ctx, customer);
}

}  // namespace

void finish_resumption(context& ctx, const std::string& id) {
  become_active(ctx, ctx.state.live(kind::subscription, id));
}

void end_resumption(context& ctx, const std::string& id) {
  json s = ctx.state.live(kind::subscription, id);
  const std::string invoice = text_of(s, "_resumption");
  s.erase("_resumption");
  s.erase("_resumption_ends");
  ctx.state.replace(kind::subscription, std::move(s));
  const json* open = ctx.state.find_live(kind::invoice, invoice);
  if (open != nullptr && text_of(*open, "status") == "open") invoicing::mark_void(ctx, invoice);
}

const params::schema& resume_takes() {
  static const params::schema takes = {
      params::choice("billing_cycle_anchor", {"now", "unchanged"}),
      params::choice("proration_behavior", {"always_invoice", "create_prorations", "none"}),
      params::timestamp("proration_date")};
  return takes;
}

answer<json> resume(context& ctx) {
  auto found = ctx.object();
  if (!found) return found;
  json s = std::move(*found);
  const std::string id = text_of(s, "id");
  if (is_over(s)) return missing(kind::subscription, id, "id", 404);
  if (text_of(s, "status") != "paused") {
    return refuse("You can only resume a subscription if it is `paused`.");
  }
  if (s.contains("_resumption")) {
    return refuse("This subscription is being resumed already; pay its latest invoice.");
  }
  if (ctx.given("proration_date")) {
    return not_simulated("The sandbox does not simulate proration_date when resuming.",
                         "proration_date");
  }
  const bool anew = ctx.text("billing_cycle_anchor") != "unchanged";
  const json before = ctx.shown(kind::subscription, id);
  ctx.watch_customer(text_of(s, "customer"));
  const json& price = price_of_item(ctx, items_of(ctx, id).front());
  const std::int64_t anchor = anew ? ctx.now : number_of(s, "billing_cycle_anchor");
  const period cycle = cycle_at(anchor, price, ctx.now);
  s["billing_cycle_anchor"] = anchor;
  auto wanted = order_for(ctx, s, "subscription_update");
  set_cycle(ctx, s, anew ? cycle : period{ctx.now, cycle.end_s});
  ctx.state.replace(kind::subscription, s);
  if (anew) {
    wanted.lines = cycle_lines(ctx, id, false);
  } else if (ctx.text("proration_behavior") != "none") {
    for (const auto& item : items_of(ctx, id))
      charge_remaining(ctx, s, item, ctx.now);
  }
  const std::string invoice = invoiceitems::draft_of_pending(ctx, wanted, wanted.lines.empty());
  if (invoice.empty()) {
    become_active(ctx, ctx.state.live(kind::subscription, id));
    return ctx.shown(kind::subscription, id);
  }
  s["latest_invoice"] = invoice;
  s["_resumption"] = invoice;
  s["_resumption_ends"] = ctx.now + incomplete_for_s;
  ctx.state.replace(kind::subscription, s);
  ctx.emit_updated("customer.subscription.updated", kind::subscription, id, before);
  invoicing::finalize(ctx, invoice);
  const json& open = ctx.state.live(kind::invoice, invoice);
  const std::string method = invoicing::payment_method_for(ctx, open);
  const bool charges = text_of(open, "collection_method") == "charge_automatically";
  if (text_of(open, "status") == "open" && charges && !method.empty()) {
    invoicing::collect(ctx, invoice, method, false);
  }
  return ctx.shown(kind::subscription, id);
}

}  // namespace tilld::sandbox::subscriptions
