// Strangers' requests: whatever they say, the answer is an answer.
#include <iostream>
#include <map>
#include <random>

#include <rapidcheck.h>

#include "client.hpp"
#include "sandbox/machine/routes.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/form.hpp"
#include "support/catch.hpp"
#include "workload.hpp"

using tilld::stripe::endpoint_row;
using tilld::test::client;
using tilld::test::json;
using tilld::test::workload;

namespace {

class stranger {
 public:
  stranger(client& c, std::uint64_t seed) : c_(c), chance_(seed) {
    const json all = c.dump();
    for (const auto& [name, objects] : all.items()) {
      for (const auto& [id, object] : objects.items())
        ids_.push_back(id);
    }
  }

  tilld::sandbox::request next() {
    const auto& endpoints = tilld::stripe::catalogue::instance().endpoints();
    const endpoint_row& endpoint = endpoints[below(endpoints.size())];
    tilld::sandbox::request r;
    r.verb = below(20) == 0 ? any({"PUT", "PATCH", "get", "", "HEAD"}) : endpoint.verb;
    r.path = path_of(endpoint);
    const std::string form = form_of(endpoint);
    (r.verb == "GET" || below(10) == 0 ? r.query : r.body) = form;
    r.authorization = below(50) == 0 ? "Basic %%%" : "Bearer sk_test_sandbox";
    if (below(5) == 0) r.idempotency_key = any({"a", "b", std::string(300, 'x'), "\xff"});
    return r;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return chance_() % n; }
  std::string any(const std::vector<std::string>& all) { return all[below(all.size())]; }
  std::string id() { return below(3) == 0 || ids_.empty() ? any(values_) : any(ids_); }

  std::string path_of(const endpoint_row& endpoint) {
    std::string path;
    std::string_view rest = endpoint.path;
    while (!rest.empty()) {
      const auto open = rest.find('{');
      path += rest.substr(0, open);
      if (open == rest.npos) break;
      path += tilld::stripe::percent_encode(id());
      rest = rest.substr(rest.find('}') + 1);
    }
    if (below(40) == 0) path += any({"/", "//", "/%zz", "/..", "?", "\n"});
    return path;
  }

  std::string name_of(const endpoint_row& endpoint) {
    if (endpoint.parameters.empty() || below(15) == 0) return any(names_);
    std::string name = endpoint.parameters[below(endpoint.parameters.size())].name;
    while (below(3) == 0)
      name += any({"[0]", "[]", "[a]", "[price]", "[1]", "[data]", "[id]"});
    return name;
  }

  std::string form_of(const endpoint_row& endpoint) {
    tilld::stripe::form_pairs pairs;
    for (const auto& p : endpoint.parameters) {
      if (p.required && below(8) != 0) pairs.emplace_back(p.name, value());
    }
    for (std::uint64_t n = below(5); n > 0; --n)
      pairs.emplace_back(name_of(endpoint), value());
    std::string form = tilld::stripe::encode_form(pairs);
    if (below(25) == 0) form += any({"&%", "&=", "&a=%00", "&a[b", "&a]=1", "&&", "&x=%ff%fe"});
    return form;
  }

  std::string value() { return below(3) == 0 ? id() : any(values_); }

  client& c_;
  std::mt19937_64 chance_;
  std::vector<std::string> ids_;
  const std::vector<std::string> names_ = {"",      "foo", "expand",     "expand[]",       "limit",
                                           "id",    "[",   "metadata[]", "starting_after", "_card",
                                           "object"};
  const std::vector<std::string> values_ = {"",
                                            "0",
                                            "1",
                                            "-1",
                                            "10",
                                            "100",
                                            "2000",
                                            "99999999",
                                            "9223372036854775807",
                                            "9223372036854775808",
                                            "-9223372036854775808",
                                            "1e5",
                                            "0x10",
                                            "1.5",
                                            "true",
                                            "false",
                                            "null",
                                            "usd",
                                            "USD",
                                            "eur",
                                            "now",
                                            "month",
                                            "card",
                                            "pm_card_visa",
                                            "pm_card_chargeDeclined",
                                            "pm_card_authenticationRequired",
                                            "cus_none",
                                            "data.customer",
                                            "customer",
                                            "latest_invoice",
                                            "a.b.c.d.e",
                                            "..",
                                            "*",
                                            "Ünïcödé 漢字",
                                            std::string(6000, 'y'),
                                            "send_invoice",
                                            "manual",
                                            "default_incomplete",
                                            "always_invoice",
                                            "https://example.com",
                                            "{}",
                                            "[]",
                                            "'; DROP TABLE"};
};

// Empty when the answer is as it must be.
std::string fault_of(const tilld::sandbox::request& r, const tilld::sandbox::response& answer) {
  const auto told = [&](const std::string& what) {
    return what + ": " + r.verb + " " + r.path + " ? " + r.query + " : " + r.body + "\n" +
           std::to_string(answer.status) + " " + answer.body;
  };
  const json body = json::parse(answer.body, nullptr, false);
  if (body.is_discarded() || !body.is_object()) return told("no JSON");
  const bool known =
      answer.status == 200 || answer.status == 501 || (answer.status >= 400 && answer.status < 500);
  if (!known) return told("status");
  if (answer.status == 200) return {};
  if (!body.contains("error") || !body["error"].contains("type")) return told("no error");
  const bool plain = body["error"].contains("message") && !body["error"]["message"].empty();
  return plain ? std::string() : told("no message");
}

}  // namespace

TEST_CASE("Whatever a stranger asks, nothing breaks and every refusal says why") {
  REQUIRE(rc::check("200 requests of a stranger", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    client c(seed);
    workload w(c, seed);
    w.run(10);
    stranger s(c, seed);
    for (int i = 0; i < 200; ++i) {
      const auto r = s.next();
      RC_ASSERT(fault_of(r, c.stripe.handle(r, c.now_s)) == "");
    }
  }));
}

TEST_CASE("Amounts at the edges of what is possible are refused, not wrapped") {
  client c;
  const std::string product = c.post("/v1/products", "name=a").id();
  const std::string form = "currency=usd&product=" + product + "&unit_amount=";
  CHECK(c.post("/v1/prices", form + "9223372036854775807").status == 400);
  CHECK(c.post("/v1/prices", form + "9223372036854775808").status == 400);
  const auto dear = c.post("/v1/prices", form + "99999999&recurring[interval]=month").id();
  const std::string customer = c.customer();
  const auto r = c.post("/v1/subscriptions", "customer=" + customer + "&items[0][price]=" + dear +
                                                 "&items[0][quantity]=2");
  CHECK(r.code() == "amount_too_large");
  CHECK(c.post("/v1/subscriptions",
               "customer=" + customer + "&items[0][price]=" + dear + "&items[0][quantity]=1")
            .status == 200);
  CHECK(c.get("/v1/customers", "created[gt]=9223372036854775807").status == 200);
  CHECK(c.get("/v1/customers", "created[lt]=-9223372036854775808").status == 200);
}

// Requests that are wrong in one way, made from what each endpoint takes.
namespace {

using tilld::sandbox::route;
using tilld::sandbox::params::field;
using tilld::sandbox::params::shape;

struct malformed {
  std::string how;
  tilld::sandbox::request request;
};

class spoiler {
 public:
  std::vector<malformed> all() {
    for (const auto& endpoint : tilld::stripe::catalogue::instance().endpoints()) {
      const route* row = tilld::sandbox::route_of(&endpoint);
      if (row != nullptr) spoil(endpoint, row->takes());
    }
    return std::move(made_);
  }

 private:
  void add(const std::string& how, const std::string& form) {
    tilld::sandbox::request r;
    r.verb = endpoint_->verb;
    r.path = path_;
    r.authorization = "Bearer sk_test_sandbox";
    (r.verb == "GET" ? r.query : r.body) = form;
    made_.push_back({how, std::move(r)});
  }

  void spoil(const endpoint_row& endpoint, const tilld::sandbox::params::schema& takes) {
    endpoint_ = &endpoint;
    path_.clear();
    std::string_view rest = endpoint.path;
    while (!rest.empty()) {
      const auto open = rest.find('{');
      path_ += rest.substr(0, open);
      if (open == rest.npos) break;
      path_ += "no_such_id";
      rest = rest.substr(rest.find('}') + 1);
    }
    add("unknown parameter", "shoe_size=44");
    add("unknown hash", "shoe_size[left]=44");
    add("encoding", "metadata[a]=%zz");
    add("zero byte", "a=%00");
    add("not UTF-8", "a=%ff%fe");
    add("brackets", "a[b=1");
    add("depth", "metadata[a][b][c][d][e][f][g][h][i][j]=1");
    add("value and hash", "a=1&a[b]=2");
    add("list with holes", "expand[5]=a");
    if (path_ != endpoint.path) add("unknown id", "");
    if (std::any_of(takes.begin(), takes.end(), [](const field& f) { return f.required; })) {
      add("required parameter is missing", "");
    }
    for (const auto& f : takes)
      spoil_field(f);
    if (endpoint.list) spoil_cursors();
    spoil_expand();
    made_.push_back(made_.back());
    made_.back().how = "slash at the end";
    made_.back().request.path += "/";
    made_.push_back(made_.back());
    made_.back().how = "verb";
    made_.back().request.verb = "PATCH";
  }

  void spoil_field(const field& f) {
    const std::string& n = f.name;
    switch (f.is) {
      case shape::text:
        add("text that is too long",
            n + "=" + std::string(static_cast<std::size_t>(f.most) + 1, 'x'));
        add("hash for a text", n + "[a]=b");
        add("list for a text", n + "[]=b");
        if (!f.clears) add("empty text", n + "=");
        break;
      case shape::integer:
        for (const char* value : {"many", "1.5", "0x10", "9223372036854775808", "1e3", "%201"})
          add("integer", n + "=" + value);
        add("hash for an integer", n + "[a]=1");
        break;
      case shape::boolean:
        for (const char* value : {"maybe", "1", "yes", "TRUE"})
          add("boolean", n + "=" + value);
        break;
      case shape::timestamp:
        for (const char* value : {"yesterday", "2026-01-01", "-1", "99999999999999"})
          add("timestamp", n + "=" + value);
        break;
      case shape::choice:
        add("choice", n + "=no_such_choice");
        add("list for a choice", n + "[]=a");
        break;
      case shape::currency:
        for (const char* value : {"xxz", "dollar", "u"})
          add("currency", n + "=" + value);
        break;
      case shape::hash:
        add("text for a hash", n + "=x");
        add("list for a hash", n + "[]=x");
        add("unknown member", n + "[shoe_size]=44");
        break;
      case shape::list:
        add("text for a list", n + "=x");
        add("hash for a list", n + "[a]=x");
        add("nested garbage", n + "[0][a][b][c]=1");
        break;
      case shape::currencies:
        add("text for currencies", n + "=x");
        add("no currency", n + "[xxz][shoe_size]=44");
        add("unknown member", n + "[eur][shoe_size]=44");
        break;
      case shape::dictionary:
        add("text for metadata", n + "=x");
        add("long key", n + "[" + std::string(41, 'k') + "]=1");
        add("long value", n + "[k]=" + std::string(501, 'v'));
        add("nested metadata", n + "[a][b]=1");
        break;
      case shape::range:
        for (const char* value : {"=yesterday", "[gte]=x", "[about]=5", "[]=5"})
          add("range", n + value);
        break;
      case shape::unsimulated:
        break;
    }
  }

  void spoil_cursors() {
    for (const char* form :
         {"limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "starting_after=no_such_id",
          "ending_before=no_such_id", "starting_after=a&ending_before=b", "starting_after[]=a"})
      add("cursor", form);
  }

  void spoil_expand() {
    for (const char* form : {"expand=customer", "expand[]=no_such_member",
                             "expand[]=", "expand[]=a.b.c.d.e.f", "expand[]=..", "expand[a]=b"})
      add("expand", form);
  }

  const endpoint_row* endpoint_ = nullptr;
  std::string path_;
  std::vector<malformed> made_;
};

// Empty when the answer is a refusal as Stripe words it.
std::string fault_of_refusal(const malformed& m, const tilld::sandbox::response& answer) {
  const auto& r = m.request;
  const std::string told = m.how + ": " + r.verb + " " + r.path + " ? " + r.query.substr(0, 80) +
                           " : " + r.body.substr(0, 80) + "\n" + std::to_string(answer.status) +
                           " " + answer.body.substr(0, 400);
  if (answer.status < 400 || answer.status > 499) return "no 4xx: " + told;
  const json body = json::parse(answer.body, nullptr, false);
  if (!body.is_object() || body.size() != 1 || !body.contains("error")) return "shape: " + told;
  const json& error = body["error"];
  if (error.value("type", "") != "invalid_request_error") return "type: " + told;
  if (error.value("message", "").size() < 10) return "message: " + told;
  if (error.contains("param") && !error["param"].is_string()) return "param: " + told;
  const bool named = std::any_of(answer.headers.begin(), answer.headers.end(),
                                 [](const auto& h) { return h.first == "Request-Id"; });
  return named ? std::string() : "no Request-Id: " + told;
}

}  // namespace

TEST_CASE("Each endpoint refuses what is malformed in Stripe's shape, and nothing has changed") {
  client c;
  workload w(c, 7);
  w.run(40);
  const std::string before = c.stripe.dump();
  const auto requests = spoiler().all();
  std::map<std::string, int> by_way;
  std::vector<std::string> faults;
  for (const auto& m : requests) {
    ++by_way[m.how];
    auto fault = fault_of_refusal(m, c.stripe.handle(m.request, c.now_s));
    if (!fault.empty()) faults.push_back(std::move(fault));
  }
  std::cout << requests.size() << " malformed requests in " << by_way.size() << " ways\n";
  for (std::size_t i = 0; i < faults.size() && i < 40; ++i) {
    UNSCOPED_INFO(faults[i]);
  }
  CHECK(faults.size() == 0);
  CHECK(requests.size() >= 2000);
  CHECK(by_way.size() >= 30);
  CHECK((c.stripe.dump() == before));
}
