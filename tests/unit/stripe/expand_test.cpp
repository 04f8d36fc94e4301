// Source: https://docs.stripe.com/api/expanding_objects
#include "stripe/expand.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using namespace tilld::stripe;
using nlohmann::json;

namespace {

const std::map<std::string, std::string> world = {
    {"cus_1", R"({"id":"cus_1","object":"customer","email":"a\"]}@example.com",)"
              R"("invoice_settings":{"default_payment_method":"pm_1"}})"},
    {"pm_1", R"({"id":"pm_1","object":"payment_method","customer":"cus_1"})"},
    {"in_1", R"({"id":"in_1","object":"invoice","customer":"cus_1","lines":{"object":"list",)"
             R"("data":[],"has_more":false}})"},
    {"prod_1", R"({"id":"prod_1","object":"product","name":"Gold","default_price":null})"}};

const std::string subscription =
    R"({"id":"sub_1","object":"subscription","customer":"cus_1","latest_invoice":"in_1",)"
    R"("default_payment_method":null,"items":{"object":"list","data":[{"id":"si_1","object":)"
    R"("subscription_item","price":{"id":"price_1","object":"price","product":"prod_1"},)"
    R"("tax_rates":[]},{"id":"si_2","object":"subscription_item","price":{"id":"price_2",)"
    R"("object":"price","product":"prod_1"},"tax_rates":[]}],"has_more":false},)"
    R"("cancellation_details":{"comment":"a, b: {c}","reason":null},"quantity":-1.5e3})";

const endpoint_row& endpoint(const std::vector<std::string>& segments) {
  return *catalogue::instance().find("GET", segments).endpoint;
}
const endpoint_row& one() {
  return endpoint({"v1", "subscriptions", "sub_1"});
}

std::optional<std::string> of_the_world(const std::vector<std::string>&, std::string_view id) {
  const auto it = world.find(std::string(id));
  return it == world.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::string> expanded(const std::vector<std::string>& paths) {
  auto read = read_expansion(one(), paths);
  REQUIRE_FALSE(read.wrong);
  return expand("subscription", subscription, read.tree, {of_the_world});
}

}  // namespace

TEST_CASE("Ids become objects, through lists and four levels deep; the rest stays as it is") {
  CHECK(expanded({}) == subscription);
  const auto body =
      expanded({"customer.invoice_settings.default_payment_method", "latest_invoice.customer",
                "items.data.price.product", "default_payment_method"});
  REQUIRE(body);
  json wanted = json::parse(subscription);
  wanted["customer"] = json::parse(world.at("cus_1"));
  wanted["customer"]["invoice_settings"]["default_payment_method"] = json::parse(world.at("pm_1"));
  wanted["latest_invoice"] = json::parse(world.at("in_1"));
  wanted["latest_invoice"]["customer"] = json::parse(world.at("cus_1"));
  for (auto& item : wanted["items"]["data"])
    item["price"]["product"] = json::parse(world.at("prod_1"));
  CHECK(json::parse(*body) == wanted);
}

TEST_CASE("What is not at hand is not guessed") {
  CHECK_FALSE(expanded({"customer.subscriptions"}));
  auto read = read_expansion(one(), {"customer"});
  CHECK_FALSE(expand("subscription", subscription, read.tree,
                     {[](const auto&, std::string_view) { return std::nullopt; }}));
}

TEST_CASE("All that is lacking is asked for, not just the first") {
  std::vector<std::string> asked;
  const expand_source nothing = {[&](const auto&, std::string_view id) {
                                   asked.emplace_back(id);
                                   return std::nullopt;
                                 },
                                 {}};
  const auto read =
      read_expansion(one(), {"customer", "latest_invoice", "items.data.price.product"});
  CHECK_FALSE(expand("subscription", subscription, read.tree, nothing));
  CHECK(asked == std::vector<std::string>{"cus_1", "in_1", "prod_1", "prod_1"});
}

TEST_CASE("A member that Stripe adds only on demand is added last, and expanded itself") {
  const auto read =
      read_expansion(one(), {"customer.subscriptions.data.latest_invoice", "customer.sources"});
  REQUIRE_FALSE(read.wrong);
  const expand_source source = {
      of_the_world,
      [](std::string_view object, std::string_view document,
         std::string_view member) -> std::optional<std::string> {
        CHECK(object == "customer");
        CHECK(document == world.at("cus_1"));
        if (member == "sources") return R"({"object":"list","data":[]})";
        return R"({"object":"list","data":[{"object":"subscription","latest_invoice":"in_1"}]})";
      }};
  const auto body = expand("subscription", subscription, read.tree, source);
  REQUIRE(body);
  json wanted = json::parse(world.at("cus_1"));
  wanted["sources"] = {{"object", "list"}, {"data", json::array()}};
  wanted["subscriptions"] = {
      {"object", "list"},
      {"data", json::array({{{"object", "subscription"},
                             {"latest_invoice", json::parse(world.at("in_1"))}}})}};
  CHECK(json::parse(*body)["customer"] == wanted);

  const expansion members{{{"subscriptions", {}}}};
  const auto alone =
      expand("customer", "{}", members, {of_the_world, [](auto, auto, auto) { return "null"; }});
  CHECK(alone == R"({"subscriptions":null})");
}

TEST_CASE("A path that does not expand is Stripe's own 400") {
  struct row {
    const char* path;
    const char* says;
  };
  for (const row& r : {row{"status", "This property cannot be expanded (status)."},
                       row{"", "This property cannot be expanded ()."},
                       row{"customer.", "This property cannot be expanded (customer.)."},
                       row{"items.data.price.product.a", "You cannot expand more than 4 levels"}}) {
    const auto read = read_expansion(one(), {"customer", r.path});
    REQUIRE(read.wrong);
    CHECK(read.wrong->status == 400);
    CHECK(read.wrong->message.starts_with(r.says));
  }
  const auto& list = endpoint({"v1", "subscriptions"});
  const auto read = read_expansion(list, {"customer"});
  REQUIRE(read.wrong);
  CHECK(read.wrong->message ==
        "This property cannot be expanded (customer). You may want to try expanding "
        "'data.customer' instead.");
  CHECK_FALSE(read_expansion(list, {"data.customer"}).wrong);
}
