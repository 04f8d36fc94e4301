#include "http/v1_nested.hpp"

#include <nlohmann/json.hpp>

#include "stripe/catalogue.hpp"
#include "support/catch.hpp"

using namespace tilld;
using http::nested_page;
using http::read_nested;
using nlohmann::json;

namespace {

std::optional<http::nested_list> asked(const std::vector<std::string>& segments,
                                       const stripe::form_pairs& query) {
  const auto match = stripe::catalogue::instance().find("GET", segments);
  return read_nested(*match.endpoint, match.arguments, query);
}

std::string invoice(int lines, bool cut = false) {
  std::string data;
  for (int i = 0; i < lines; ++i) {
    if (i > 0) data += ',';
    data += R"({"id":"il_)" + std::to_string(i) + R"(","object":"line_item"})";
  }
  return R"({"id":"in_1","object":"invoice","lines":{"object":"list","data":[)" + data +
         R"(],"has_more":)" + (cut ? "true" : "false") + R"(,"url":"/v1/invoices/in_1/lines"}})";
}

std::string page(const stripe::form_pairs& query, int lines = 5) {
  const auto what = asked({"v1", "invoices", "in_1", "lines"}, query);
  REQUIRE(what);
  const auto answer = nested_page(*what, invoice(lines));
  if (!answer) return "Stripe's";
  const json body = json::parse(answer->body);
  CHECK(body["url"] == "/v1/invoices/in_1/lines");
  std::string ids;
  for (const auto& line : body["data"])
    ids += line["id"].get<std::string>().substr(3);
  return ids + (body["has_more"] == true ? "+" : "");
}

}  // namespace

TEST_CASE("A list inside a document is paged in both directions") {
  CHECK(page({}) == "01234");
  CHECK(page({}, 12) == "0123456789+");
  CHECK(page({}, 0).empty());
  CHECK(page({{"limit", "2"}}) == "01+");
  CHECK(page({{"limit", "2"}, {"starting_after", "il_1"}}) == "23+");
  CHECK(page({{"limit", "2"}, {"starting_after", "il_2"}}) == "34");
  CHECK(page({{"starting_after", "il_4"}}).empty());
  CHECK(page({{"limit", "2"}, {"ending_before", "il_4"}}) == "23+");
  CHECK(page({{"limit", "2"}, {"ending_before", "il_2"}}) == "01");
  CHECK(page({{"ending_before", "il_0"}}).empty());
}

TEST_CASE("A list that is cut, or not there, and a cursor that is none, are left to Stripe") {
  const auto what = asked({"v1", "invoices", "in_1", "lines"}, {});
  CHECK_FALSE(nested_page(*what, invoice(10, true)));
  CHECK_FALSE(nested_page(*what, R"({"id":"in_1","object":"invoice"})"));
  CHECK(page({{"starting_after", "il_9"}}) == "Stripe's");
  CHECK_FALSE(asked({"v1", "invoices", "in_1", "lines"}, {{"limit", "0"}}));
  CHECK_FALSE(asked({"v1", "invoices", "in_1", "lines"}, {{"created[gt]", "1"}}));
}

TEST_CASE("Items are listed by the subscription that they are asked of") {
  const auto items =
      asked({"v1", "subscription_items"}, {{"subscription", "sub_1"}, {"limit", "1"}});
  REQUIRE(items);
  CHECK(items->parent == "subscription");
  CHECK(items->parent_id == "sub_1");
  CHECK(items->limit == 1);
  CHECK_FALSE(asked({"v1", "subscription_items"}, {}));
  CHECK_FALSE(asked({"v1", "customers", "cus_1", "payment_methods"}, {}));
  CHECK_FALSE(asked({"v1", "invoices"}, {}));
}
