#include "stripe/catalogue.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace tilld::stripe;

namespace {

const catalogue& all = catalogue::instance();

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  std::string segment;
  for (const char c : path.substr(1)) {
    if (c == '/') {
      segments.push_back(std::move(segment));
      segment.clear();
    } else {
      segment += c;
    }
  }
  segments.push_back(std::move(segment));
  return segments;
}

std::string found_path(std::string_view verb, std::string_view path) {
  const auto found = all.find(verb, split(path));
  return found.endpoint == nullptr ? "" : found.endpoint->path;
}

bool is_placeholder(std::string_view segment) {
  return segment.starts_with('{');
}

}  // namespace

TEST_CASE("the catalogue knows Stripe's objects, endpoints and events") {
  CHECK(all.api_version() == "2026-10-28.endive");
  CHECK(all.objects().size() == 180);
  CHECK(all.endpoints().size() == 648);
  CHECK(all.events().size() == 275);
}

TEST_CASE("an object's row tells its fields and what can be expanded") {
  const auto* subscription = all.object("subscription");
  REQUIRE(subscription != nullptr);
  CHECK(subscription->has_id);
  CHECK_FALSE(subscription->deletable);  // DELETE cancels it; it can still be retrieved
  CHECK(std::ranges::count(subscription->fields, "current_period_end") == 0);
  CHECK(std::ranges::count(subscription->fields, "items") == 1);
  const auto customer =
      std::ranges::find(subscription->expandable, "customer", &object_row::reference::path);
  REQUIRE(customer != subscription->expandable.end());
  CHECK(customer->targets == std::vector<std::string>{"customer"});
  const auto items = std::ranges::find(subscription->lists, "items", &object_row::reference::path);
  REQUIRE(items != subscription->lists.end());
  CHECK(items->targets == std::vector<std::string>{"subscription_item"});
  CHECK(all.object("customer")->deletable);
  CHECK(all.object("no_such_object") == nullptr);
}

TEST_CASE("an event type tells the object it carries") {
  const auto* updated = all.event("customer.subscription.updated");
  REQUIRE(updated != nullptr);
  CHECK(updated->objects == std::vector<std::string>{"subscription"});
  CHECK(all.event("customer.subscription.imagined") == nullptr);
}

TEST_CASE("a parameter with a mark is required") {
  const auto found = all.find("POST", split("/v1/account_links"));
  REQUIRE(found.endpoint != nullptr);
  const auto& parameters = found.endpoint->parameters;
  const auto account = std::ranges::find(parameters, "account", &endpoint_row::parameter::name);
  REQUIRE(account != parameters.end());
  CHECK(account->required);
  const auto expand = std::ranges::find(parameters, "expand", &endpoint_row::parameter::name);
  REQUIRE(expand != parameters.end());
  CHECK_FALSE(expand->required);
}

TEST_CASE("a request is matched to its endpoint, with the ids of its path in order") {
  const auto one = all.find("GET", split("/v1/customers/cus_1"));
  REQUIRE(one.endpoint != nullptr);
  CHECK(one.endpoint->path == "/v1/customers/{id}");
  CHECK(one.endpoint->returns == std::vector<std::string>{"customer"});
  CHECK(one.arguments == std::vector<std::string>{"cus_1"});

  const auto two = all.find("GET", split("/v1/accounts/acct_1/persons/person_1"));
  REQUIRE(two.endpoint != nullptr);
  CHECK(two.arguments == std::vector<std::string>{"acct_1", "person_1"});

  CHECK(found_path("GET", "/v1/customers") == "/v1/customers");
  CHECK(found_path("DELETE", "/v1/subscriptions/sub_1") == "/v1/subscriptions/{id}");
  CHECK(found_path("POST", "/v1/invoices/in_1/pay") == "/v1/invoices/{id}/pay");
  CHECK(found_path("GET", "/v1/test_helpers/test_clocks/clock_1") ==
        "/v1/test_helpers/test_clocks/{id}");
}

TEST_CASE("a literal segment wins over a placeholder, and only where it leads somewhere") {
  const auto search = all.find("GET", split("/v1/customers/search"));
  REQUIRE(search.endpoint != nullptr);
  CHECK(search.endpoint->search);
  CHECK(search.arguments.empty());
  CHECK(found_path("POST", "/v1/invoices/create_preview") == "/v1/invoices/create_preview");
  // Nothing but a customer of that name is meant here.
  CHECK(all.retrieve_of("v2.core.account")->path == "/v2/core/accounts/{id}");
  CHECK_FALSE(all.can_be_whole("v2.core.account"));
  const auto sources = all.find("GET", split("/v1/customers/search/sources"));
  REQUIRE(sources.endpoint != nullptr);
  CHECK(sources.endpoint->path == "/v1/customers/{id}/sources");
  CHECK(sources.arguments == std::vector<std::string>{"search"});
  CHECK(found_path("POST", "/v1/customers/search") == "/v1/customers/{id}");
}

TEST_CASE("what Stripe does not have is not found") {
  for (const auto* path :
       {"/v1/foo", "/v1", "/", "/v1/customers/", "/v1/customers//sources", "/v2/core/nothing",
        "/v1/customers/cus_1/nothing", "/v1/customers/cus_1/sources/card_1/more", "/customers"}) {
    INFO(path);
    CHECK(found_path("GET", path).empty());
  }
  CHECK(found_path("PUT", "/v1/customers/cus_1").empty());
  CHECK(found_path("get", "/v1/customers").empty());
  CHECK(found_path("DELETE", "/v1/charges/ch_1").empty());
  CHECK(all.find("GET", {}).endpoint == nullptr);
}

TEST_CASE("every endpoint finds itself") {
  for (const auto& row : all.endpoints()) {
    INFO(row.verb << ' ' << row.path);
    auto segments = split(row.path);
    std::vector<std::string> expected;
    for (auto& segment : segments) {
      if (!is_placeholder(segment)) continue;
      segment = "an_id_" + std::to_string(expected.size());
      expected.push_back(segment);
    }
    const auto found = all.find(row.verb, segments);
    REQUIRE(found.endpoint != nullptr);
    CHECK(found.endpoint->path == row.path);
    CHECK(found.endpoint->verb == row.verb);
    CHECK(found.arguments == expected);
  }
}

TEST_CASE("the mirror learns where an object is fetched and where its kind is listed") {
  struct row {
    const char* object;
    const char* list;
  };
  const row table[] = {
      {"account", "/v1/accounts"},
      {"application_fee", "/v1/application_fees"},
      {"balance_transaction", "/v1/balance_transactions"},
      {"billing.alert", "/v1/billing/alerts"},
      {"billing.credit_grant", "/v1/billing/credit_grants"},
      {"billing.meter", "/v1/billing/meters"},
      {"billing_portal.configuration", "/v1/billing_portal/configurations"},
      {"charge", "/v1/charges"},
      {"checkout.session", "/v1/checkout/sessions"},
      {"coupon", "/v1/coupons"},
      {"credit_note", "/v1/credit_notes"},
      {"customer", "/v1/customers"},
      {"dispute", "/v1/disputes"},
      {"entitlements.active_entitlement", "/v1/entitlements/active_entitlements"},
      {"entitlements.feature", "/v1/entitlements/features"},
      {"event", "/v1/events"},
      {"file", "/v1/files"},
      {"invoice", "/v1/invoices"},
      {"invoice_payment", "/v1/invoice_payments"},
      {"invoiceitem", "/v1/invoiceitems"},
      {"payment_intent", "/v1/payment_intents"},
      {"payment_link", "/v1/payment_links"},
      {"payment_method", "/v1/payment_methods"},
      {"payout", "/v1/payouts"},
      {"plan", "/v1/plans"},
      {"price", "/v1/prices"},
      {"product", "/v1/products"},
      {"promotion_code", "/v1/promotion_codes"},
      {"quote", "/v1/quotes"},
      {"refund", "/v1/refunds"},
      {"review", "/v1/reviews"},
      {"setup_intent", "/v1/setup_intents"},
      {"shipping_rate", "/v1/shipping_rates"},
      {"subscription", "/v1/subscriptions"},
      {"subscription_item", "/v1/subscription_items"},
      {"subscription_schedule", "/v1/subscription_schedules"},
      {"tax_id", "/v1/tax_ids"},
      {"tax_rate", "/v1/tax_rates"},
      {"test_helpers.test_clock", "/v1/test_helpers/test_clocks"},
      {"topup", "/v1/topups"},
      {"transfer", "/v1/transfers"},
      {"webhook_endpoint", "/v1/webhook_endpoints"},
  };
  for (const auto& r : table) {
    INFO(r.object);
    const auto* list = all.list_of(r.object);
    const auto* retrieve = all.retrieve_of(r.object);
    REQUIRE(list != nullptr);
    REQUIRE(retrieve != nullptr);
    CHECK(list->path == r.list);
    CHECK(retrieve->path == std::string(r.list) + "/{id}");
    REQUIRE(all.listed_at(r.list) != nullptr);
    CHECK(all.listed_at(r.list)->name == r.object);
  }
}

TEST_CASE("what lives inside another object has no place of its own") {
  for (const auto* object :
       {"line_item", "capability", "discount", "person", "card", "credit_note_line_item",
        "customer_balance_transaction", "balance", "setup_attempt", "nothing"}) {
    INFO(object);
    CHECK(all.list_of(object) == nullptr);
    CHECK(all.retrieve_of(object) == nullptr);
  }
  CHECK(all.listed_at("/v1/credit_notes/preview/lines") == nullptr);
  CHECK(all.listed_at("/v1/customers/search") == nullptr);
  CHECK(all.listed_at("/v1/customers/{id}") == nullptr);
}

TEST_CASE("a few objects can be fetched but not listed") {
  for (const auto* object :
       {"mandate", "token", "source", "confirmation_token", "tax.calculation", "tax.transaction"}) {
    INFO(object);
    REQUIRE(all.retrieve_of(object) != nullptr);
    CHECK(all.retrieve_of(object)->path.ends_with("/{id}"));
    CHECK(all.list_of(object) == nullptr);
  }
}

TEST_CASE("a list and a retrieve of one object belong to one collection") {
  std::set<std::string> lists;
  for (const auto& object : all.objects()) {
    INFO(object.name);
    const auto* list = all.list_of(object.name);
    const auto* retrieve = all.retrieve_of(object.name);
    if (retrieve != nullptr) {
      CHECK(retrieve->verb == "GET");
      CHECK_FALSE(retrieve->list);
      CHECK(std::ranges::count(retrieve->path, '{') == 1);
      CHECK(object.has_id);
    }
    if (list == nullptr) continue;
    REQUIRE(retrieve != nullptr);
    CHECK(list->list);
    CHECK_FALSE(list->search);
    CHECK(std::ranges::count(list->path, '{') == 0);
    CHECK(retrieve->path.starts_with(list->path + "/{"));
    CHECK(lists.insert(list->path).second);
  }
  CHECK(lists.size() > 80);
}

TEST_CASE("a list that demands a parameter says so") {
  CHECK(all.list_of("subscription_item")->demands_parameter());
  CHECK_FALSE(all.list_of("customer")->demands_parameter());
  CHECK_FALSE(all.list_of("event")->demands_parameter());
}

TEST_CASE("finding an endpoint takes well under a microsecond") {
  const std::vector<std::vector<std::string>> requests{
      split("/v1/customers/cus_NffrFeUfNV2Hib"), split("/v1/subscriptions"),
      split("/v1/invoices/in_1MtHbELkdIwHu7ixl4OzzPMv/lines"), split("/v1/nothing/at/all")};
  constexpr int rounds = 5'000;
  auto best = std::chrono::nanoseconds::max();
  std::size_t arguments = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {  // the best one is the undisturbed one
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
      for (const auto& segments : requests)
        arguments += all.find("GET", segments).arguments.size();
    }
    best = std::min(best, std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin));
  }
  CHECK(arguments == 20u * rounds * 2);
  const auto per_request_ns = best.count() / (rounds * static_cast<int>(requests.size()));
  INFO(per_request_ns << " ns");
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(per_request_ns < 1'000);
#else
  CHECK(per_request_ns < 20'000);
#endif
}

TEST_CASE("what events tell of only when it comes and goes is not told, and is never whole") {
  for (const auto* object : {"customer", "invoice", "price", "dispute", "test_helpers.test_clock"})
    CHECK(all.is_told(object));
  for (const auto* object : {"balance_transaction", "invoiceitem", "file", "no_such_object"}) {
    INFO(object);
    CHECK_FALSE(all.is_told(object));
    CHECK_FALSE(all.can_be_whole(object));
  }
}
