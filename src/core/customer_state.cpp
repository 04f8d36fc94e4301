#include "core/customer_state.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace tilld::core {

using nlohmann::json;

namespace {

std::string text(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_string() ? at->get<std::string>() : "";
}

std::int64_t number(const json& from, const char* name, std::int64_t otherwise = 0) {
  const auto at = from.find(name);
  return at != from.end() && at->is_number_integer() ? at->get<std::int64_t>() : otherwise;
}

bool flag(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_boolean() && at->get<bool>();
}

// An id, or the id of the object it was expanded to.
std::string reference(const json& from, const char* name) {
  const auto at = from.find(name);
  if (at == from.end()) return "";
  if (at->is_string()) return at->get<std::string>();
  return at->is_object() ? text(*at, "id") : "";
}

const json* object_at(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_object() ? &*at : nullptr;
}

void read_price(subscription_item& item, const json& price) {
  item.price = text(price, "id");
  item.product = reference(price, "product");
  item.lookup_key = text(price, "lookup_key");
  item.nickname = text(price, "nickname");
  item.unit_amount_minor = number(price, "unit_amount", number(price, "amount"));
  item.currency = text(price, "currency");
  // A legacy plan has the interval itself, a price has it under "recurring".
  const json* recurring = object_at(price, "recurring");
  const json& rhythm = recurring != nullptr ? *recurring : price;
  item.interval = text(rhythm, "interval");
  item.interval_count = number(rhythm, "interval_count", 1);
}

subscription_item read_item(const json& from, const json& subscription_json) {
  subscription_item item;
  item.id = text(from, "id");
  item.quantity = number(from, "quantity", 1);
  if (const json* price = object_at(from, "price")) {
    read_price(item, *price);
  } else if (const json* plan = object_at(from, "plan")) {
    read_price(item, *plan);
  } else {
    item.price = text(from, "price");
  }
  // Since "basil" the period is the item's, before it was the subscription's.
  const bool own = from.contains("current_period_end");
  const json& period = own ? from : subscription_json;
  item.period_start_s = number(period, "current_period_start");
  item.period_end_s = number(period, "current_period_end");
  return item;
}

result<subscription> read_subscription(const json& from) {
  subscription s;
  s.id = text(from, "id");
  s.status = text(from, "status");
  if (s.id.empty() || s.status.empty()) {
    return fail(errc::invalid, "a subscription without id or status");
  }
  const json* items = object_at(from, "items");
  const auto data = items != nullptr ? items->find("data") : json::const_iterator{};
  if (items == nullptr || data == items->end() || !data->is_array()) {
    return fail(errc::invalid, "subscription " + s.id + " has no items");
  }
  for (const json& item : *data) {
    if (item.is_object()) s.items.push_back(read_item(item, from));
  }
  s.created_s = number(from, "created");
  s.cancel_at_period_end = flag(from, "cancel_at_period_end");
  s.cancel_at_s = number(from, "cancel_at");
  s.canceled_at_s = number(from, "canceled_at");
  s.ended_at_s = number(from, "ended_at");
  s.trial_end_s = number(from, "trial_end");
  s.collection_paused = object_at(from, "pause_collection") != nullptr;
  s.latest_invoice = reference(from, "latest_invoice");
  return s;
}

bool has_ended(const subscription& s) {
  return s.status == "canceled" || s.status == "incomplete_expired";
}

// The oldest ended ones go, so that a customer who comes and goes for years stays a small row.
void prune_ended(std::vector<subscription>& all) {
  std::vector<std::pair<std::int64_t, std::string>> ended;
  for (const auto& s : all) {
    if (has_ended(s)) ended.emplace_back(std::max(s.ended_at_s, s.created_s), s.id);
  }
  if (ended.size() <= keep_ended) return;
  std::ranges::sort(ended);
  ended.resize(ended.size() - keep_ended);
  std::erase_if(all, [&](const subscription& s) {
    return std::ranges::any_of(ended, [&](const auto& e) { return e.second == s.id; });
  });
}

result<void> absorb_subscription(customer_state& state, const json& document, bool deleted) {
  if (deleted) {
    std::erase_if(state.subscriptions,
                  [&](const subscription& s) { return s.id == text(document, "id"); });
    return {};
  }
  auto read = read_subscription(document);
  if (!read) return std::unexpected(read.error());
  const auto at = std::ranges::lower_bound(state.subscriptions, read->id, {}, &subscription::id);
  if (at != state.subscriptions.end() && at->id == read->id) {
    *at = std::move(*read);
  } else {
    state.subscriptions.insert(at, std::move(*read));
  }
  prune_ended(state.subscriptions);
  return {};
}

void absorb_customer(customer_state& state, const json& document, bool deleted,
                     std::string_view user_id_key) {
  state.known = true;
  state.deleted = deleted;
  if (deleted) return;  // a stub says nothing else; what is known stays for people to see
  state.email = text(document, "email");
  state.name = text(document, "name");
  state.delinquent = flag(document, "delinquent");
  state.created_s = number(document, "created");
  const json* metadata = object_at(document, "metadata");
  state.user_id = metadata != nullptr ? text(*metadata, std::string(user_id_key).c_str()) : "";
}

void absorb_entitlements(customer_state& state, const json& document) {
  std::vector<std::string> features;
  if (const json* list = object_at(document, "entitlements")) {
    const auto data = list->find("data");
    if (data != list->end() && data->is_array()) {
      for (const json& one : *data) {
        if (one.is_object()) features.push_back(text(one, "lookup_key"));
      }
    }
  }
  std::erase(features, "");
  std::ranges::sort(features);
  features.erase(std::ranges::unique(features).begin(), features.end());
  state.stripe_features = std::move(features);
}

json to_value(const subscription_item& i) {
  return {{"id", i.id},
          {"price", i.price},
          {"product", i.product},
          {"lookup_key", i.lookup_key},
          {"nickname", i.nickname},
          {"quantity", i.quantity},
          {"unit_amount", i.unit_amount_minor},
          {"currency", i.currency},
          {"interval", i.interval},
          {"interval_count", i.interval_count},
          {"period_start", i.period_start_s},
          {"period_end", i.period_end_s}};
}

json to_value(const subscription& s) {
  json items = json::array();
  for (const auto& i : s.items)
    items.push_back(to_value(i));
  return {{"id", s.id},
          {"status", s.status},
          {"created", s.created_s},
          {"cancel_at_period_end", s.cancel_at_period_end},
          {"cancel_at", s.cancel_at_s},
          {"canceled_at", s.canceled_at_s},
          {"ended_at", s.ended_at_s},
          {"trial_end", s.trial_end_s},
          {"collection_paused", s.collection_paused},
          {"latest_invoice", s.latest_invoice},
          {"items", items}};
}

subscription_item item_from(const json& v) {
  subscription_item i;
  i.id = text(v, "id");
  i.price = text(v, "price");
  i.product = text(v, "product");
  i.lookup_key = text(v, "lookup_key");
  i.nickname = text(v, "nickname");
  i.quantity = number(v, "quantity", 1);
  i.unit_amount_minor = number(v, "unit_amount");
  i.currency = text(v, "currency");
  i.interval = text(v, "interval");
  i.interval_count = number(v, "interval_count", 1);
  i.period_start_s = number(v, "period_start");
  i.period_end_s = number(v, "period_end");
  return i;
}

subscription subscription_from(const json& v) {
  subscription s;
  s.id = text(v, "id");
  s.status = text(v, "status");
  s.created_s = number(v, "created");
  s.cancel_at_period_end = flag(v, "cancel_at_period_end");
  s.cancel_at_s = number(v, "cancel_at");
  s.canceled_at_s = number(v, "canceled_at");
  s.ended_at_s = number(v, "ended_at");
  s.trial_end_s = number(v, "trial_end");
  s.collection_paused = flag(v, "collection_paused");
  s.latest_invoice = text(v, "latest_invoice");
  if (const auto items = v.find("items"); items != v.end() && items->is_array()) {
    for (const json& i : *items) {
      if (i.is_object()) s.items.push_back(item_from(i));
    }
  }
  return s;
}

std::vector<std::string> texts(const json& from, const char* name) {
  std::vector<std::string> all;
  const auto at = from.find(name);
  if (at == from.end() || !at->is_array()) return all;
  for (const json& one : *at) {
    if (one.is_string()) all.push_back(one.get<std::string>());
  }
  return all;
}

}  // namespace

std::string to_json(const customer_state& s) {
  json subscriptions = json::array();
  for (const auto& one : s.subscriptions)
    subscriptions.push_back(to_value(one));
  return json{{"id", s.id},
              {"email", s.email},
              {"name", s.name},
              {"user_id", s.user_id},
              {"known", s.known},
              {"deleted", s.deleted},
              {"delinquent", s.delinquent},
              {"created", s.created_s},
              {"as_of", s.as_of_s},
              {"subscriptions", subscriptions},
              {"stripe_features", s.stripe_features},
              {"suspects", s.suspects}}
      .dump();
}

result<customer_state> customer_state_from_json(std::string_view bytes) {
  const json v = json::parse(bytes, nullptr, false);
  if (!v.is_object()) return fail(errc::corrupt, "a customer's state cannot be read");
  customer_state s;
  s.id = text(v, "id");
  if (s.id.empty()) return fail(errc::corrupt, "a customer's state has no id");
  s.email = text(v, "email");
  s.name = text(v, "name");
  s.user_id = text(v, "user_id");
  s.known = flag(v, "known");
  s.deleted = flag(v, "deleted");
  s.delinquent = flag(v, "delinquent");
  s.created_s = number(v, "created");
  s.as_of_s = number(v, "as_of");
  if (const auto all = v.find("subscriptions"); all != v.end() && all->is_array()) {
    for (const json& one : *all) {
      if (one.is_object()) s.subscriptions.push_back(subscription_from(one));
    }
  }
  s.stripe_features = texts(v, "stripe_features");
  s.suspects = texts(v, "suspects");
  return s;
}

result<void> absorb(customer_state& state, std::string_view object_name, std::string_view document,
                    bool deleted, std::int64_t as_of_s, std::string_view user_id_metadata_key) {
  const bool of_interest = object_name == "customer" || object_name == "subscription" ||
                           object_name == "entitlements.active_entitlement_summary";
  if (of_interest) {
    const json parsed = json::parse(document, nullptr, false);
    if (!parsed.is_object()) {
      return fail(errc::invalid, "the document of a " + std::string(object_name) + " is no object");
    }
    if (object_name == "customer") {
      absorb_customer(state, parsed, deleted, user_id_metadata_key);
    } else if (object_name == "subscription") {
      if (auto ok = absorb_subscription(state, parsed, deleted); !ok) return ok;
    } else {
      absorb_entitlements(state, parsed);
    }
  }
  state.as_of_s = std::max(state.as_of_s, as_of_s);
  return {};
}

void mark_suspect(customer_state& state, std::string_view object_name, std::string_view id,
                  bool on) {
  std::string name = std::string(object_name) + "/" + std::string(id);
  const auto at = std::ranges::lower_bound(state.suspects, name);
  const bool there = at != state.suspects.end() && *at == name;
  if (on && !there) state.suspects.insert(at, std::move(name));
  if (!on && there) state.suspects.erase(at);
}

bool grants_access(const subscription& s) {
  return s.status == "active" || s.status == "trialing" || s.status == "past_due";
}

}  // namespace tilld::core
