// What people and programs are told about a customer.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/customer_state.hpp"

namespace tilld::core {

using nlohmann::json;

namespace {

// The best first: which of several subscriptions speaks for the customer.
int rank(std::string_view status) {
  static constexpr std::array<std::string_view, 8> best_first{
      "active", "trialing",   "past_due", "paused",
      "unpaid", "incomplete", "canceled", "incomplete_expired"};
  return static_cast<int>(std::ranges::find(best_first, status) - best_first.begin());
}

const subscription* best_of(const customer_state& state) {
  const subscription* best = nullptr;
  for (const auto& s : state.subscriptions) {
    const auto order = [](const subscription& x) {
      return std::pair(rank(x.status), -x.created_s);
    };
    if (best == nullptr || order(s) < order(*best)) best = &s;
  }
  return best;
}

json or_null(const std::string& text) {
  return text.empty() ? json() : json(text);
}
json or_null(std::int64_t seconds) {
  return seconds == 0 ? json() : json(seconds);
}

std::string plan_key(const subscription_item& item) {
  if (!item.lookup_key.empty()) return item.lookup_key;
  return item.nickname.empty() ? item.price : item.nickname;
}

json plan_of(const subscription& s, const product_lookup& products) {
  if (s.items.empty()) return nullptr;
  const subscription_item& item = s.items.front();
  const auto product = products(item.product);
  return {{"key", plan_key(item)},
          {"name", product ? json(product->name) : json()},
          {"subscription", s.id},
          {"price", item.price},
          {"product", or_null(item.product)},
          {"amount", item.unit_amount_minor},
          {"currency", or_null(item.currency)},
          {"interval", or_null(item.interval)},
          {"interval_count", item.interval_count},
          {"quantity", item.quantity},
          {"current_period_end", or_null(item.period_end_s)},
          {"cancel_at_period_end", s.cancel_at_period_end},
          {"cancel_at", or_null(s.cancel_at_s)},
          {"trial_end", or_null(s.trial_end_s)}};
}

bool has_access(const customer_state& state) {
  return !state.deleted && std::ranges::any_of(state.subscriptions, grants_access);
}

const char* reason_of(const customer_state& state, const subscription* best) {
  if (state.deleted) return "customer_deleted";
  if (best == nullptr) return "no_subscription";
  if (!grants_access(*best)) return "subscription_not_live";
  return best->status == "past_due" ? "payment_past_due" : "subscription_live";
}

bool is_stale(const customer_state& state) {
  return !state.known || !state.suspects.empty();
}

void add_freshness(json& answer, const customer_state& state, std::int64_t now_s) {
  answer["as_of"] = state.as_of_s;
  answer["age_s"] = std::max<std::int64_t>(0, now_s - state.as_of_s);
  answer["stale"] = is_stale(state);
}

struct live_products {
  json listed = json::array();
  std::vector<std::string> features;
};

live_products products_of(const customer_state& state, const product_lookup& products) {
  live_products live;
  if (state.deleted) return live;
  live.features = state.stripe_features;
  for (const auto& s : state.subscriptions) {
    if (!grants_access(s)) continue;
    for (const auto& item : s.items) {
      const auto product = products(item.product);
      live.listed.push_back({{"id", item.product},
                             {"name", product ? json(product->name) : json()},
                             {"price", item.price},
                             {"quantity", item.quantity},
                             {"subscription", s.id}});
      if (!product) continue;
      live.features.insert(live.features.end(), product->features.begin(), product->features.end());
    }
  }
  std::ranges::sort(live.features);
  live.features.erase(std::ranges::unique(live.features).begin(), live.features.end());
  return live;
}

json shown(const subscription& s) {
  json items = json::array();
  for (const auto& i : s.items) {
    items.push_back({{"id", i.id},
                     {"price", i.price},
                     {"product", i.product},
                     {"lookup_key", or_null(i.lookup_key)},
                     {"quantity", i.quantity},
                     {"amount", i.unit_amount_minor},
                     {"currency", or_null(i.currency)},
                     {"current_period_start", or_null(i.period_start_s)},
                     {"current_period_end", or_null(i.period_end_s)}});
  }
  return {{"id", s.id},
          {"status", s.status},
          {"grants_access", grants_access(s)},
          {"created", s.created_s},
          {"cancel_at_period_end", s.cancel_at_period_end},
          {"cancel_at", or_null(s.cancel_at_s)},
          {"canceled_at", or_null(s.canceled_at_s)},
          {"ended_at", or_null(s.ended_at_s)},
          {"trial_end", or_null(s.trial_end_s)},
          {"collection_paused", s.collection_paused},
          {"latest_invoice", or_null(s.latest_invoice)},
          {"items", items}};
}

}  // namespace

json customer_answer(const customer_state& state, const product_lookup& products,
                     std::int64_t now_s) {
  const subscription* best = best_of(state);
  json subscriptions = json::array();
  for (const auto& s : state.subscriptions)
    subscriptions.push_back(shown(s));
  json answer{{"customer", state.id},
              {"user_id", or_null(state.user_id)},
              {"email", or_null(state.email)},
              {"name", or_null(state.name)},
              {"created", or_null(state.created_s)},
              {"deleted", state.deleted},
              {"delinquent", state.delinquent},
              {"active", has_access(state)},
              {"status", best != nullptr ? best->status : "none"},
              {"plan", best != nullptr ? plan_of(*best, products) : json()},
              {"subscriptions", subscriptions}};
  add_freshness(answer, state, now_s);
  return answer;
}

json entitlements_answer(const customer_state& state, const product_lookup& products,
                         std::int64_t now_s) {
  const subscription* best = best_of(state);
  live_products live = products_of(state, products);
  const bool access = has_access(state);
  json answer{{"customer", state.id},
              {"user_id", or_null(state.user_id)},
              {"active", access},
              {"status", best != nullptr ? best->status : "none"},
              {"reason", reason_of(state, best)},
              {"plan", access && best != nullptr ? plan_of(*best, products) : json()},
              {"products", std::move(live.listed)},
              {"features", std::move(live.features)}};
  add_freshness(answer, state, now_s);
  return answer;
}

}  // namespace tilld::core
