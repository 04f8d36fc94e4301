// The customer's row: its bytes and back. It is read for every question about a customer, so
// without a DOM of strings; and written with each change, so without one, too.
#include <utility>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "base/json_text.hpp"
#include "core/customer_state.hpp"

namespace tilld::core {
namespace {

namespace dom = simdjson::dom;
using maybe = simdjson::simdjson_result<dom::element>;

maybe member(const maybe& of, std::string_view key) {
  dom::object object;
  if (of.get(object)) return simdjson::NO_SUCH_FIELD;
  return object.at_key(key);
}

// Writes an object member by member.
class row_writer {
 public:
  explicit row_writer(std::string& out) : out_(out) { out_ += '{'; }
  void end() { out_ += '}'; }

  void put(std::string_view key, const std::string& text) { name(key), put_text(text); }
  void put(std::string_view key, std::int64_t number) { name(key), out_ += std::to_string(number); }
  void put(std::string_view key, bool truth) { name(key), out_ += truth ? "true" : "false"; }
  void put(std::string_view key, const std::vector<std::string>& texts) {
    each(key, texts, [this](const std::string& text) { put_text(text); });
  }
  template <class T, class Write>
  void each(std::string_view key, const std::vector<T>& all, const Write& write) {
    name(key);
    out_ += '[';
    for (const auto& one : all) {
      if (&one != all.data()) out_ += ',';
      write(one);
    }
    out_ += ']';
  }

 private:
  void name(std::string_view key) {
    if (!std::exchange(first_, false)) out_ += ',';
    out_.append("\"").append(key).append("\":");
  }
  void put_text(const std::string& text) {
    if (simdjson::validate_utf8(text)) return append_json_string(out_, text);
    out_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::string& out_;
  bool first_ = true;
};

void write_item(std::string& out, const subscription_item& i) {
  row_writer w(out);
  w.put("id", i.id);
  w.put("price", i.price);
  w.put("product", i.product);
  w.put("lookup_key", i.lookup_key);
  w.put("nickname", i.nickname);
  w.put("quantity", i.quantity);
  w.put("unit_amount", i.unit_amount_minor);
  w.put("currency", i.currency);
  w.put("interval", i.interval);
  w.put("interval_count", i.interval_count);
  w.put("period_start", i.period_start_s);
  w.put("period_end", i.period_end_s);
  w.end();
}

void write_subscription(std::string& out, const subscription& s) {
  row_writer w(out);
  w.put("id", s.id);
  w.put("status", s.status);
  w.put("created", s.created_s);
  w.put("cancel_at_period_end", s.cancel_at_period_end);
  w.put("cancel_at", s.cancel_at_s);
  w.put("canceled_at", s.canceled_at_s);
  w.put("ended_at", s.ended_at_s);
  w.put("trial_end", s.trial_end_s);
  w.put("collection_paused", s.collection_paused);
  w.put("latest_invoice", s.latest_invoice);
  w.each("items", s.items, [&](const subscription_item& i) { write_item(out, i); });
  w.end();
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
  std::string out;
  row_writer w(out);
  w.put("id", state.id);
  w.put("email", state.email);
  w.put("name", state.name);
  w.put("user_id", state.user_id);
  w.put("known", state.known);
  w.put("deleted", state.deleted);
  w.put("delinquent", state.delinquent);
  w.put("created", state.created_s);
  w.put("as_of", state.as_of_s);
  w.each("subscriptions", state.subscriptions,
         [&](const subscription& s) { write_subscription(out, s); });
  w.put("stripe_features", state.stripe_features);
  w.put("suspects", state.suspects);
  w.end();
  return out;
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
