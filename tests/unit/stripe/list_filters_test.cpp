// Source: https://docs.stripe.com/api, the list of each resource.
#include "stripe/list_filters.hpp"

#include "stripe/catalogue.hpp"
#include "support/catch.hpp"

using namespace tilld::stripe;

namespace {

std::string found_under(std::string_view object, std::string_view document) {
  std::string all;
  for (const auto& place : filing_of(object, document).places)
    if (!place.under.starts_with('?')) all += place.under + "=" + place.value + " ";
  return all;
}

}  // namespace

TEST_CASE("A parameter means the field of its name, or what the table says") {
  struct row {
    const char* object;
    const char* param;
    const char* path;
  };
  const row rows[] = {{"charge", "customer", "customer"},
                      {"charge", "payment_intent", "payment_intent"},
                      {"customer", "email", "email"},
                      {"invoice", "subscription", "parent.subscription_details.subscription"},
                      {"invoice", "collection_method", "collection_method"},
                      {"invoiceitem", "pending", "invoice"},
                      {"price", "lookup_keys", "lookup_key"},
                      {"price", "recurring[interval]", "recurring.interval"},
                      {"product", "ids", "id"},
                      {"promotion_code", "coupon", "promotion.coupon"},
                      {"subscription", "price", "items.data[].price"}};
  for (const auto& r : rows) {
    INFO(r.object << ' ' << r.param);
    const auto* filter = list_filter_of(r.object, r.param);
    REQUIRE(filter != nullptr);
    CHECK(filter->path == r.path);
  }
  CHECK(list_filter_of("tax_id", "owner") == nullptr);
  CHECK(list_filter_of("tax_id", "owner[customer]")->path == "owner.customer");
  CHECK(list_filter_of("file_link", "expired") == nullptr);
  CHECK(list_filter_of("entitlements.active_entitlement", "customer") == nullptr);
  CHECK(list_filters("nothing").empty());
}

TEST_CASE("Every exception is about a list and a parameter that Stripe has") {
  const auto& all = catalogue::instance();
  for (const auto& object : all.objects()) {
    const auto* list = all.list_of(object.name);
    for (const auto& filter : list_filters(object.name)) {
      INFO(object.name << ' ' << filter.param);
      const std::string name = filter.param.substr(0, filter.param.find('['));
      const bool known = std::ranges::any_of(
          list->parameters, [&](const auto& parameter) { return parameter.name == name; });
      CHECK(known);
    }
  }
}

TEST_CASE("A document is found under the values that its filters have") {
  CHECK(found_under("charge", R"({"id":"ch_1","customer":"cus_1","payment_intent":null})") ==
        "customer=cus_1 ");
  CHECK(found_under("charge", R"({"id":"ch_1","customer":{"id":"cus_1","object":"customer"}})") ==
        "customer=cus_1 ");
  CHECK(found_under("price", R"({"active":true,"lookup_key":"gold","recurring":{"interval":"year",
        "usage_type":"licensed","meter":null},"type":"recurring"})") ==
        "lookup_keys=gold recurring[interval]=year recurring[usage_type]=licensed active=true "
        "type=recurring ");
  CHECK(
      found_under("subscription", R"({"status":"active","items":{"data":[{"price":{"id":"price_1"}},
        {"price":"price_2"},{"price":{"id":"price_1"}}]}})") ==
      "price=price_1 price=price_2 status=active ");
  CHECK(found_under("invoiceitem", R"({"customer":"cus_1","invoice":null})") ==
        "pending=true customer=cus_1 ");
  CHECK(found_under("invoiceitem", R"({"invoice":"in_1"})") == "pending=false invoice=in_1 ");
  CHECK(found_under("customer", R"({"email":")" + std::string(256, 'a') + R"("})").empty());
  CHECK(found_under("customer", "not JSON").empty());
  CHECK(filing_of("customer", R"({"created":12})").created_s == 12);
  CHECK(filing_of("invoiceitem", R"({"date":13})").created_s == 13);
}

TEST_CASE("Moments and texts are read at their paths") {
  const std::string document =
      R"({"items":{"data":[{"current_period_end":5},{"current_period_end":7}]},"due_date":null,)"
      R"("customer":{"id":"cus_1"}})";
  std::int64_t at = 0;
  CHECK(moment_at(document, "items.data[].current_period_end", at));
  CHECK(at == 5);
  CHECK_FALSE(moment_at(document, "due_date", at));
  CHECK(text_at(document, "customer") == "cus_1");
  CHECK(text_at(document, "nothing.here").empty());
}

TEST_CASE("What searches know is filed in small letters, metadata by its keys") {
  std::string all;
  for (const auto& place : filing_of("customer", R"({"id":"cus_1","object":"customer","created":7,
       "email":"Ada@Example.com","name":null,"metadata":{"Plan":"Gold","n":"1"}})")
                               .places) {
    if (place.under.starts_with('?')) all += place.under + "=" + place.value + " ";
  }
  CHECK(all == "?email=ada@example.com ?metadata[Plan]=gold ?metadata[n]=1 ");
  CHECK(searched_as("invoice") == "invoices");
  CHECK(searched_as("refund").empty());
}

TEST_CASE("A document fits a search as the search says") {
  const std::string document = R"({"id":"ch_1","object":"charge","amount":1099,"status":"failed",
       "refunded":false,"created":7,"currency":"usd","metadata":{"plan":"Gold"}})";
  const auto fits = [&](const char* text) {
    const auto query = search::parse("charges", text);
    REQUIRE(query);
    return fits_search("charge", *query, document);
  };
  CHECK(fits("amount>1000 AND status:'failed'"));
  CHECK(fits("metadata['plan']:'gold'"));
  CHECK_FALSE(fits("metadata['plan']:'silver'"));
  CHECK(fits("-metadata['color']:'red'"));
  CHECK(fits("refunded:null"));
  CHECK_FALSE(fits("amount<1000 OR currency:'eur'"));
}
