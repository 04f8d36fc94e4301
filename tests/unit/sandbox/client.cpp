#include "client.hpp"

namespace tilld::test {

std::string reply::header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::string reply::error(const std::string& member) const {
  if (!body.contains("error")) return {};
  const json& found = body["error"];
  return found.contains(member) && found[member].is_string() ? found[member].get<std::string>()
                                                             : std::string();
}

sandbox::simulator::options client::options_with(std::uint64_t seed) {
  sandbox::simulator::options o;
  o.seed = seed;
  return o;
}

reply client::send(const sandbox::request& r) {
  auto answered = stripe.handle(r, now_s);
  return {answered.status, json::parse(answered.body), answered.body, answered.headers};
}

reply client::get(const std::string& path, const std::string& query) {
  return send({"GET", path, query, "", "Bearer sk_test_sandbox", "", ""});
}

reply client::post(const std::string& path, const std::string& form, const std::string& key) {
  return send({"POST", path, "", form, "Bearer sk_test_sandbox", key, ""});
}

reply client::del(const std::string& path, const std::string& query) {
  return send({"DELETE", path, query, "", "Bearer sk_test_sandbox", "", ""});
}

std::vector<json> client::events() {
  std::vector<json> fresh;
  for (const auto& e : stripe.take_events())
    fresh.push_back(json::parse(e.body));
  return fresh;
}

std::vector<std::string> client::told() {
  std::vector<std::string> types;
  for (const auto& e : stripe.take_events())
    types.push_back(e.type);
  return types;
}

std::string client::price(std::int64_t amount, const std::string& interval,
                          const std::string& product_name) {
  return post("/v1/prices", "currency=usd&unit_amount=" + std::to_string(amount) +
                                "&recurring[interval]=" + interval +
                                "&product_data[name]=" + product_name)
      .id();
}

std::string client::customer(const std::string& card) {
  if (card.empty()) return post("/v1/customers", "email=anna@example.com").id();
  return post("/v1/customers", "email=anna@example.com&payment_method=" + card +
                                   "&invoice_settings[default_payment_method]=" + card)
      .id();
}

std::string client::subscription(const std::string& customer, const std::string& price,
                                 const std::string& more) {
  return post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + price + more)
      .id();
}

json the_one(const std::vector<json>& events, const std::string& type) {
  for (const auto& e : events) {
    if (e["type"] == type) return e;
  }
  return nullptr;
}

}  // namespace tilld::test
