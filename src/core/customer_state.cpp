#include "core/customer_state.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <simdjson.h>

namespace tilld::core {
namespace {

namespace dom = simdjson::dom;

// Parsers keep their buffers; one that has seen a giant gives them back.
constexpr std::size_t kept_capacity = 131'072;

class parsed {
 public:
  explicit parsed(std::string_view json) : parser_(of_this_thread()) {
    if (json.empty() || parser_.parse(json.data(), json.size()).get(root_)) return;
    dom::object object;
    ok_ = root_.get(object) == simdjson::SUCCESS;
  }
  parsed(const parsed&) = delete;
  parsed& operator=(const parsed&) = delete;
  ~parsed() {
    if (parser_.capacity() > kept_capacity) parser_ = dom::parser();
  }
  bool ok() const { return ok_; }
  dom::element root() const { return root_; }

 private:
  static dom::parser& of_this_thread() {
    thread_local dom::parser own;
    return own;
  }
  dom::parser& parser_;
  dom::element root_;
  bool ok_ = false;
};

using maybe = simdjson::simdjson_result<dom::element>;

maybe member(const maybe& of, std::string_view key) {
  dom::object object;
  if (of.get(object)) return simdjson::NO_SUCH_FIELD;
  return object.at_key(key);
}
std::string text(const maybe& of, std::string_view key) {
  std::string_view value;
  return member(of, key).get(value) ? std::string() : std::string(value);
}
std::int64_t integer(const maybe& of, std::string_view key, std::int64_t otherwise = 0) {
  std::int64_t value = 0;
  return member(of, key).get(value) ? otherwise : value;
}
bool flag(const maybe& of, std::string_view key) {
  bool value = false;
  return !member(of, key).get(value) && value;
}
bool is_hash(const maybe& value) {
  dom::object object;
  return value.get(object) == simdjson::SUCCESS;
}
// An id, also where Stripe was asked to expand it.
std::string reference(const maybe& of, std::string_view key) {
  const auto value = member(of, key);
  return is_hash(value) ? text(value, "id") : text(of, key);
}

// --- Stripe's documents ----------------------------------------------------------------------

void read_price(subscription_item& item, const maybe& price) {
  item.price = text(price, "id");
  item.product = reference(price, "product");
  item.lookup_key = text(price, "lookup_key");
  item.nickname = text(price, "nickname");
  item.unit_amount_minor = integer(price, "unit_amount");
  item.currency = text(price, "currency");
  const auto recurring = member(price, "recurring");
  item.interval = text(recurring, "interval");
  item.interval_count = integer(recurring, "interval_count", 1);
}

void read_plan(subscription_item& item, const maybe& plan) {
  item.price = text(plan, "id");
  item.product = reference(plan, "product");
  item.nickname = text(plan, "nickname");
  item.unit_amount_minor = integer(plan, "amount");
  item.currency = text(plan, "currency");
  item.interval = text(plan, "interval");
  item.interval_count = integer(plan, "interval_count", 1);
}

subscription_item read_item(const maybe& from, const maybe& of_subscription) {
  subscription_item item;
  item.id = text(from, "id");
  const auto price = member(from, "price");
  const auto plan = member(from, "plan");
  if (is_hash(price)) {
    read_price(item, price);
  } else {
    if (is_hash(plan)) read_plan(item, plan);
    if (auto id = text(from, "price"); !id.empty()) item.price = std::move(id);
  }
  item.quantity = integer(from, "quantity", 1);
  item.period_start_s =
      integer(from, "current_period_start", integer(of_subscription, "current_period_start"));
  item.period_end_s =
      integer(from, "current_period_end", integer(of_subscription, "current_period_end"));
  return item;
}

result<subscription> read_subscription(const maybe& from) {
  subscription s;
  s.id = text(from, "id");
  s.status = text(from, "status");
  if (s.id.empty()) return fail(errc::invalid, "a subscription without an id");
  if (s.status.empty()) return fail(errc::invalid, "subscription " + s.id + " has no status");
  s.created_s = integer(from, "created");
  s.cancel_at_period_end = flag(from, "cancel_at_period_end");
  s.cancel_at_s = integer(from, "cancel_at");
  s.canceled_at_s = integer(from, "canceled_at");
  s.ended_at_s = integer(from, "ended_at");
  s.trial_end_s = integer(from, "trial_end");
  s.collection_paused = is_hash(member(from, "pause_collection"));
  s.latest_invoice = reference(from, "latest_invoice");
  dom::array items;
  if (member(member(from, "items"), "data").get(items)) {
    if (!is_hash(member(from, "plan")))
      return fail(errc::invalid, "subscription " + s.id + " has neither items nor a plan");
    s.items.push_back(read_item(from, from));
    s.items.back().id.clear();
  } else {
    for (const dom::element item : items)
      s.items.push_back(read_item(maybe(dom::element(item)), from));
  }
  for (const auto& item : s.items)
    if (item.price.empty())
      return fail(errc::invalid, "subscription " + s.id + " has an item without a price");
  return s;
}

std::vector<std::string> read_features(const maybe& summary) {
  std::vector<std::string> keys;
  dom::array entitlements;
  if (member(member(summary, "entitlements"), "data").get(entitlements)) return keys;
  for (const dom::element element : entitlements) {
    const maybe entitlement{dom::element(element)};
    auto key = text(entitlement, "lookup_key");
    if (key.empty()) key = text(member(entitlement, "feature"), "lookup_key");
    if (!key.empty()) keys.push_back(std::move(key));
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

// --- into the row ----------------------------------------------------------------------------

bool has_ended(const subscription& s) {
  return s.status == "canceled" || s.status == "incomplete_expired";
}

// The newest ended ones stay: the same ones in whatever order they came.
void prune_ended(std::vector<subscription>& all) {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> ended;
  for (const auto& s : all)
    if (has_ended(s)) ended.emplace_back(s.ended_at_s, s.created_s, s.id);
  if (ended.size() <= keep_ended) return;
  std::ranges::sort(ended, std::greater<>());
  for (std::size_t i = keep_ended; i < ended.size(); ++i)
    std::erase_if(all, [&](const auto& s) { return s.id == std::get<2>(ended[i]); });
}

void put(std::vector<subscription>& all, subscription s) {
  const auto at = std::ranges::lower_bound(all, s.id, {}, &subscription::id);
  if (at != all.end() && at->id == s.id) {
    *at = std::move(s);
  } else {
    all.insert(at, std::move(s));
  }
  prune_ended(all);
}

result<void> belongs(customer_state& state, std::string id, std::string_view what) {
  if (id.empty()) return fail(errc::invalid, std::string(what) + " names no customer");
  if (!state.id.empty() && state.id != id)
    return fail(errc::invalid, std::string(what) + " belongs to " + id + ", not to " + state.id);
  state.id = std::move(id);
  return {};
}

result<void> absorb_customer(customer_state& state, const maybe& from, bool deleted,
                             std::string_view user_id_metadata_key) {
  if (auto ours = belongs(state, text(from, "id"), "the customer"); !ours) return ours;
  state.known = true;
  state.deleted = deleted || flag(from, "deleted");
  if (state.deleted) return {};  // a stub says nothing else; what is known stays for people to see
  state.email = text(from, "email");
  state.name = text(from, "name");
  state.delinquent = flag(from, "delinquent");
  state.created_s = integer(from, "created");
  state.user_id = user_id_metadata_key.empty()
                      ? std::string()
                      : text(member(from, "metadata"), user_id_metadata_key);
  return {};
}

result<void> absorb_subscription(customer_state& state, const maybe& from, bool deleted) {
  if (deleted) {
    const auto id = text(from, "id");
    std::erase_if(state.subscriptions, [&](const auto& s) { return s.id == id; });
    return {};
  }
  auto s = read_subscription(from);
  if (!s) return std::unexpected(s.error());
  if (auto ours = belongs(state, reference(from, "customer"), "subscription " + s->id); !ours)
    return ours;
  put(state.subscriptions, std::move(*s));
  return {};
}

result<void> absorb_summary(customer_state& state, const maybe& from, bool deleted) {
  if (deleted) {
    state.stripe_features.clear();
    return {};
  }
  if (auto ours = belongs(state, reference(from, "customer"), "the entitlement summary"); !ours)
    return ours;
  state.stripe_features = read_features(from);
  return {};
}

}  // namespace

result<void> absorb(customer_state& state, std::string_view object_name, std::string_view document,
                    bool deleted, std::int64_t as_of_s, std::string_view user_id_metadata_key) {
  const bool customer = object_name == "customer";
  const bool one_subscription = object_name == "subscription";
  const bool summary = object_name == "entitlements.active_entitlement_summary";
  if (customer || one_subscription || summary) {
    const parsed json(document);
    if (!json.ok())
      return fail(errc::invalid, "a " + std::string(object_name) + " that is no JSON object");
    const maybe from(json.root());
    auto done = customer           ? absorb_customer(state, from, deleted, user_id_metadata_key)
                : one_subscription ? absorb_subscription(state, from, deleted)
                                   : absorb_summary(state, from, deleted);
    if (!done) return done;
  }
  state.as_of_s = std::max(state.as_of_s, as_of_s);
  return {};
}

void mark_suspect(customer_state& state, std::string_view object_name, std::string_view id,
                  bool on) {
  std::string name(object_name);
  name += '/';
  name += id;
  auto& all = state.suspects;
  const auto at = std::ranges::lower_bound(all, name);
  const bool there = at != all.end() && *at == name;
  if (on && !there) all.insert(at, std::move(name));
  if (!on && there) all.erase(at);
}

bool grants_access(const subscription& s) {
  return s.status == "active" || s.status == "trialing" || s.status == "past_due";
}

}  // namespace tilld::core
