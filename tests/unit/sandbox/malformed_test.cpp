// Strangers' requests: whatever they say, the answer is an answer.
#include <random>

#include <rapidcheck.h>

#include "client.hpp"
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
