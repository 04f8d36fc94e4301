// The customer's row: its bytes and back. It is read for every question about a customer, so
// without a DOM of strings; it is written with each change, plainly.
#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "core/customer_state.hpp"

namespace tilld::core {
namespace {

using nlohmann::json;
namespace dom = simdjson::dom;
using maybe = simdjson::simdjson_result<dom::element>;

maybe member(const maybe& of, std::string_view key) {
  dom::object object;
  if (of.get(object)) return simdjson::NO_SUCH_FIELD;
  return object.at_key(key);
}

json item_row(const subscription_item& i) {
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

json subscription_row(const subscription& s) {
  json items = json::array();
  for (const auto& i : s.items)
    items.push_back(item_row(i));
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
          {"items", std::move(items)}};
}

// Reads members of the types that to_json() writes, and remembers the first that is not so.
class row_reader {
 public:
  void get(const maybe& of, std::string_view key, std::string& to) {
    std::string_view value;
    if (take(member(of, key).get(value), key)) to = value;
  }
  template <class T>
  void get(const maybe& of, std::string_view key, T& to) {
    take(member(of, key).get(to), key);
  }
  void get(const maybe& of, std::string_view key, std::vector<std::string>& to) {
    each(of, key, [&](const maybe& element) {
      std::string_view value;
      if (take(element.get(value), key)) to.emplace_back(value);
    });
  }
  template <class F>
  void each(const maybe& of, std::string_view key, F&& read) {
    dom::array array;
    if (!take(member(of, key).get(array), key)) return;
    for (const auto element : array)
      read(maybe(dom::element(element)));
  }
  const std::string& wrong() const { return wrong_; }

 private:
  bool take(simdjson::error_code code, std::string_view key) {
    if (code && code != simdjson::NO_SUCH_FIELD && wrong_.empty()) wrong_ = key;
    return !code;
  }
  std::string wrong_;
};

subscription_item item_row(row_reader& r, const maybe& from) {
  subscription_item i;
  r.get(from, "id", i.id);
  r.get(from, "price", i.price);
  r.get(from, "product", i.product);
  r.get(from, "lookup_key", i.lookup_key);
  r.get(from, "nickname", i.nickname);
  r.get(from, "quantity", i.quantity);
  r.get(from, "unit_amount", i.unit_amount_minor);
  r.get(from, "currency", i.currency);
  r.get(from, "interval", i.interval);
  r.get(from, "interval_count", i.interval_count);
  r.get(from, "period_start", i.period_start_s);
  r.get(from, "period_end", i.period_end_s);
  return i;
}

subscription subscription_row(row_reader& r, const maybe& from) {
  subscription s;
  r.get(from, "id", s.id);
  r.get(from, "status", s.status);
  r.get(from, "created", s.created_s);
  r.get(from, "cancel_at_period_end", s.cancel_at_period_end);
  r.get(from, "cancel_at", s.cancel_at_s);
  r.get(from, "canceled_at", s.canceled_at_s);
  r.get(from, "ended_at", s.ended_at_s);
  r.get(from, "trial_end", s.trial_end_s);
  r.get(from, "collection_paused", s.collection_paused);
  r.get(from, "latest_invoice", s.latest_invoice);
  r.each(from, "items", [&](const maybe& item) { s.items.push_back(item_row(r, item)); });
  return s;
}

}  // namespace

std::string to_json(const customer_state& state) {
  json subscriptions = json::array();
  for (const auto& s : state.subscriptions)
    subscriptions.push_back(subscription_row(s));
  const json row = {{"id", state.id},
                    {"email", state.email},
                    {"name", state.name},
                    {"user_id", state.user_id},
                    {"known", state.known},
                    {"deleted", state.deleted},
                    {"delinquent", state.delinquent},
                    {"created", state.created_s},
                    {"as_of", state.as_of_s},
                    {"subscriptions", std::move(subscriptions)},
                    {"stripe_features", state.stripe_features},
                    {"suspects", state.suspects}};
  return row.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<customer_state> customer_state_from_json(std::string_view json) {
  if (json.empty()) return fail(errc::corrupt, "a customer row is empty");
  thread_local dom::parser parser;  // rows are small, so is what it keeps
  const maybe from = parser.parse(json.data(), json.size());
  dom::object whole;
  if (from.get(whole)) return fail(errc::corrupt, "a customer row is no JSON object");
  row_reader r;
  customer_state state;
  r.get(from, "id", state.id);
  r.get(from, "email", state.email);
  r.get(from, "name", state.name);
  r.get(from, "user_id", state.user_id);
  r.get(from, "known", state.known);
  r.get(from, "deleted", state.deleted);
  r.get(from, "delinquent", state.delinquent);
  r.get(from, "created", state.created_s);
  r.get(from, "as_of", state.as_of_s);
  r.each(from, "subscriptions",
         [&](const maybe& s) { state.subscriptions.push_back(subscription_row(r, s)); });
  r.get(from, "stripe_features", state.stripe_features);
  r.get(from, "suspects", state.suspects);
  if (!r.wrong().empty())
    return fail(errc::corrupt, "customer row " + state.id + ": \"" + r.wrong() + "\" is damaged");
  if (state.id.empty()) return fail(errc::corrupt, "a customer row has no id");
  return state;
}

}  // namespace tilld::core
