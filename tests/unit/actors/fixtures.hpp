// Events and objects for the tests of the actors, and a till over a store in memory with a Stripe
// that a test scripts.
#pragma once

#include <cstdint>
#include <ctime>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/till.hpp"
#include "base/clock.hpp"
#include "store/memory_store.hpp"
#include "stripe/event.hpp"

namespace tilld::test {

using nlohmann::json;

inline const store::scope main_scope{"main", false};
inline constexpr const char* version = "2026-10-28.endive";

inline json customer(const std::string& id, const std::string& user = "", std::int64_t at = 1000) {
  json metadata = json::object();
  if (!user.empty()) metadata["user_id"] = user;
  return {{"id", id},          {"object", "customer"},
          {"created", at},     {"email", id + "@example.com"},
          {"livemode", false}, {"metadata", metadata}};
}

inline json subscription(const std::string& id, const std::string& customer_id,
                         const std::string& status, std::int64_t at = 1000) {
  json price{{"id", "price_1"},
             {"object", "price"},
             {"product", "prod_1"},
             {"unit_amount", 1900},
             {"currency", "usd"},
             {"lookup_key", "pro"},
             {"recurring", {{"interval", "month"}, {"interval_count", 1}}}};
  json item{
      {"id", "si_1"},  {"object", "subscription_item"}, {"price", price},
      {"quantity", 1}, {"current_period_start", at},    {"current_period_end", at + 2'592'000}};
  return {{"id", id},
          {"object", "subscription"},
          {"created", at},
          {"customer", customer_id},
          {"status", status},
          {"livemode", false},
          {"metadata", json::object()},
          {"cancel_at_period_end", false},
          {"items",
           {{"object", "list"},
            {"data", json::array({item})},
            {"has_more", false},
            {"url", "/v1/subscription_items"}}}};
}

inline std::string event_text(const std::string& id, const std::string& type, std::int64_t at,
                              const json& object, const json& previous = nullptr,
                              const std::string& api_version = version) {
  json data{{"object", object}};
  if (!previous.is_null()) data["previous_attributes"] = previous;
  return json{{"id", id},
              {"object", "event"},
              {"type", type},
              {"created", at},
              {"livemode", false},
              {"api_version", api_version},
              {"pending_webhooks", 1},
              {"request", {{"id", nullptr}, {"idempotency_key", nullptr}}},
              {"data", data}}
      .dump(2);
}

inline actors::incoming_event incoming(std::string text) {
  actors::incoming_event e;
  e.scope = main_scope;
  e.endpoint = "main";
  e.received_ms = 1'000'000;
  e.event = *stripe::parse_event(std::move(text));
  return e;
}

// Stripe as a test scripts it: each request is answered by `answer`, on a thread of its own when
// `later` is set, else at once.
class scripted_stripe {
 public:
  using answer_function = std::function<net::outcome(const net::request&)>;
  explicit scripted_stripe(answer_function answer) : answer_(std::move(answer)) {}

  actors::transport transport() {
    return [this](net::request r, std::move_only_function<void(net::outcome)> done) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(r);
      }
      done(answer_(r));
    };
  }
  std::vector<net::request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  static net::outcome ok(const json& body, std::int64_t date_s = 0) {
    net::answer a;
    a.status = 200;
    a.body = body.dump();
    a.took_ms = 1;
    a.headers = {{"date", date_text(date_s)}, {"request-id", "req_1"}};
    return a;
  }
  static net::outcome status(int code, const json& body) {
    net::answer a;
    a.status = code;
    a.body = body.dump();
    return a;
  }
  static net::outcome lost(bool maybe_sent = true) {
    return std::unexpected(net::failure{maybe_sent, false, "connection reset"});
  }

 private:
  static std::string date_text(std::int64_t s) {
    const std::time_t t = s;
    std::tm utc{};
    gmtime_r(&t, &utc);
    char text[40];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return text;
  }
  answer_function answer_;
  mutable std::mutex mutex_;
  std::vector<net::request> requests_;
};

// Within ten seconds.
template <class Condition>
bool comes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// A till and what it needs, with calls that wait for their answer.
class bench_till {
 public:
  explicit bench_till(scripted_stripe* stripe, std::unique_ptr<store::store> on = nullptr)
      : store_(on ? std::move(on) : store::open_memory_store()) {
    start(stripe);
  }
  explicit bench_till(actors::transport to_stripe) : store_(store::open_memory_store()) {
    start(std::move(to_stripe));
  }

  void start(scripted_stripe* stripe) { start(stripe ? stripe->transport() : actors::transport{}); }
  void start(actors::transport to_stripe) {
    actors::till_settings s;
    actors::till_account account;
    account.scope = main_scope;
    account.api_version = version;
    s.node = "node_test";
    s.order_wait_ms = 2'000;
    s.owner_idle_ms = 100;
    if (to_stripe) {
      account.api_url = "http://stripe.test";
      account.api_key = "sk_test_1";
    }
    s.accounts.push_back(account);
    till_ = std::make_unique<actors::till>(s, *store_, time_, counts_, std::move(to_stripe),
                                           [this](std::string why) { fatal_ = std::move(why); });
  }
  void restart(scripted_stripe* stripe) {
    till_.reset();
    start(stripe);
  }

  actors::event_answer event(std::string text, bool again = false) {
    auto e = incoming(std::move(text));
    e.again = again;
    return wait<actors::event_answer>(
        [&](once<actors::event_answer> a) { till_->take_event(std::move(e), std::move(a)); });
  }
  actors::order_answer order(const std::string& verb, const std::string& target,
                             const std::string& body, const std::string& key = "",
                             const std::string& owner = "") {
    actors::order_request r;
    r.scope = main_scope;
    r.owner = owner;
    r.call.verb = verb;
    r.call.target = target;
    r.call.body = body;
    r.caller_key = key;
    return order(std::move(r));
  }
  actors::order_answer order(actors::order_request r) {
    return wait<actors::order_answer>(
        [&](once<actors::order_answer> a) { till_->take_order(std::move(r), std::move(a)); });
  }
  std::optional<json> document(const std::string& object, const std::string& id) const {
    const auto row =
        store_->get(store::family::objects, store::key::object(main_scope, object, id));
    if (!row || !*row) return std::nullopt;
    return json::parse(store::decode_object(**row)->document);
  }
  core::customer_state state(const std::string& id) const {
    return *actors::load_customer(*store_, main_scope, id);
  }
  store::store& store() { return *store_; }
  actors::till& till() { return *till_; }

 private:
  template <class T, class Start>
  static T wait(Start start) {
    std::promise<T> done;
    auto outcome = done.get_future();
    start(once<T>([&done](T value) { done.set_value(std::move(value)); }, T{}));
    return outcome.get();
  }

  system_clock time_;
  metrics counts_;
  std::string fatal_;
  std::unique_ptr<store::store> store_;
  std::unique_ptr<actors::till> till_;
};

}  // namespace tilld::test
