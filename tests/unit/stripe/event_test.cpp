#include "stripe/event.hpp"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "samples.hpp"
#include "support/catch.hpp"

using namespace tilld;
using namespace tilld::stripe;
using nlohmann::json;

namespace {

// The sample with one piece of its text replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// An event around this data.object.
std::string around(const std::string& object) {
  return R"({"id":"evt_1","object":"event","created":1,"livemode":false,"type":"x.y",)"
         R"("data":{"object":)" +
         object + "}}";
}

std::string refusal_of(const std::string& raw) {
  const auto parsed = parse_event(raw);
  if (parsed) return "accepted";
  CHECK(parsed.error().code == errc::invalid);
  return parsed.error().message;
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + "1" +
         std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("a snapshot event is taken apart into what routing and ordering need") {
  const auto parsed = parse_event(samples::subscription_updated);
  REQUIRE(parsed.has_value());
  const event& e = **parsed;
  CHECK(e.raw == samples::subscription_updated);
  CHECK(e.id == "evt_1PgafTB7WZ01zgkWx8Vm3Ckq");
  CHECK(e.type == "customer.subscription.updated");
  CHECK(e.api_version == "2026-10-28.endive");
  CHECK(e.account.empty());
  CHECK(e.created_s == 1'721'988'003);
  CHECK_FALSE(e.livemode);
  CHECK_FALSE(e.thin);
  CHECK(e.request_id == "req_Rk8LX2QUJr9fM1");
  CHECK(e.idempotency_key == "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
  CHECK(e.previous_json == R"({"status":"trialing","trial_end":1721988000})");
  CHECK(e.object_name == "subscription");
  CHECK(e.object_id == "sub_1PgafTB7WZ01zgkWs0Q5fCzl");
  CHECK(e.owner_customer == "cus_QXg1o8vcGmoR32");
  CHECK(e.object_created_s == 1'721'987'987);
}

TEST_CASE(
    "the object is kept field for field, in its order, with its numbers' text, without blanks") {
  const auto parsed = parse_event(samples::subscription_updated);
  REQUIRE(parsed.has_value());
  const std::string& object = (*parsed)->object_json;
  CHECK(object.starts_with(R"({"id":"sub_1PgafTB7WZ01zgkWs0Q5fCzl","object":"subscription",)"
                           R"("application_fee_percent":2.50,)"
                           R"("automatic_tax":{"enabled":false,"liability":null},)"));
  CHECK(object.ends_with(R"("status":"active","trial_end":null})"));
  CHECK(object.find(R"("description":"50 % \u2013 \"caf\u00e9\"\n\u0026 \ud83d\ude00 [x] {y}")") !=
        std::string::npos);
  CHECK(object.find(R"("größe":" a  b ")") != std::string::npos);
  CHECK(json::parse(object) == json::parse(samples::subscription_updated)["data"]["object"]);
}

TEST_CASE("what Stripe leaves out or sends as null is empty") {
  const auto parsed = parse_event(samples::customer_created);
  REQUIRE(parsed.has_value());
  const event& e = **parsed;
  CHECK(e.api_version.empty());
  CHECK(e.request_id.empty());
  CHECK(e.idempotency_key.empty());
  CHECK(e.previous_json.empty());
  CHECK(e.account == "acct_1PgafTB7WZ01zgkW");
  CHECK(e.livemode);
  CHECK(e.owner_customer == "cus_QXg1o8vcGmoR32");  // a customer owns itself
}

TEST_CASE("an object without an id belongs to its customer all the same, also when expanded") {
  const auto parsed = parse_event(samples::invoice_upcoming);
  REQUIRE(parsed.has_value());
  const event& e = **parsed;
  CHECK(e.object_name == "invoice");
  CHECK(e.object_id.empty());
  CHECK(e.owner_customer == "cus_QXg1o8vcGmoR32");
  CHECK(e.request_id.empty());
}

TEST_CASE("a thin event carries a reference") {
  const auto parsed = parse_event(samples::thin);
  REQUIRE(parsed.has_value());
  const event& e = **parsed;
  CHECK(e.thin);
  CHECK(e.type == "v1.billing.meter.error_report_triggered");
  CHECK(e.created_s == 1'724'878'452);
  CHECK(e.object_name == "billing.meter");
  CHECK(e.object_id == "mtr_test_61R2GpwDsn");
  CHECK(e.object_json.empty());
  CHECK(e.previous_json.empty());
  CHECK(e.api_version.empty());
  CHECK(e.account == "acct_1PgafTB7WZ01zgkW");
  CHECK(e.request_id == "req_v2_1");
  CHECK(e.idempotency_key == "key_1");
  CHECK(e.owner_customer.empty());

  const auto fetched = parse_event(
      with(samples::thin, R"("reason")", R"("data":{"object":{"id":"x","id":"y"}},"reason")"));
  REQUIRE(fetched.has_value());  // the full form of a thin event has data of another kind
  CHECK((*fetched)->object_json.empty());

  const auto customer = parse_event(with(samples::thin, "billing.meter\",\n", "customer\",\n"));
  REQUIRE(customer.has_value());
  CHECK((*customer)->owner_customer == "mtr_test_61R2GpwDsn");

  const auto about_nothing =
      parse_event(R"({"id":"evt_1","object":"v2.core.event","type":"t","livemode":true,)"
                  R"("created":"2022-02-15T00:27:45Z","context":"org_1/acct_1"})");
  REQUIRE(about_nothing.has_value());
  CHECK((*about_nothing)->object_id.empty());
  CHECK((*about_nothing)->account.empty());
}

TEST_CASE("an event that nobody here knows is taken as it is") {
  const auto parsed = parse_event(
      around(R"({"object":"test_helpers.novelty","created":"soon","customer":7,"id":null,"deep":)" +
             nested(50) + "}"));
  REQUIRE(parsed.has_value());
  CHECK((*parsed)->object_name == "test_helpers.novelty");
  CHECK((*parsed)->object_id.empty());
  CHECK((*parsed)->object_created_s == 0);
  CHECK((*parsed)->owner_customer.empty());
  REQUIRE(parse_event(around("{}")).has_value());
  REQUIRE(parse_event(around("null")).has_value());
  CHECK((*parse_event(around("null")))->object_json.empty());
  CHECK((*parse_event(around("{}")))->object_json == "{}");
  REQUIRE(parse_event(with(around("{}"), R"("data":{"object":{}})", R"("extra":[1])")).has_value());
}

TEST_CASE("before 2017 the request was its id alone") {
  const auto parsed =
      parse_event(with(samples::customer_created, R"("request": null)", R"("request": "req_1")"));
  REQUIRE(parsed.has_value());
  CHECK((*parsed)->request_id == "req_1");
}

TEST_CASE("previous attributes may stand before the object, and keys may be written with escapes") {
  const std::string swapped =
      R"({"d\u0061ta":{"previous_attributes":{"a": [1, 2]},"x":0,"\u006fbject":{ "id" : "in_1" }},)"
      R"("id":"evt_1","object":"event","created":1,"livemode":false,"type":"x.y"})";
  const auto parsed = parse_event(swapped);
  REQUIRE(parsed.has_value());
  CHECK((*parsed)->object_id == "in_1");
  CHECK((*parsed)->object_json == R"({"id":"in_1"})");
  CHECK((*parsed)->previous_json == R"({"a":[1,2]})");

  const auto null_previous = parse_event(with(swapped, R"({"a": [1, 2]})", "null"));
  REQUIRE(null_previous.has_value());
  CHECK((*null_previous)->previous_json.empty());
  CHECK((*null_previous)->object_json == R"({"id":"in_1"})");
}

TEST_CASE("an idempotency key that could be none of ours is left out") {
  const auto parsed = parse_event(
      with(samples::subscription_updated, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "a\\u0000b"));
  REQUIRE(parsed.has_value());
  CHECK((*parsed)->idempotency_key.empty());
  CHECK((*parsed)->request_id == "req_Rk8LX2QUJr9fM1");
}

TEST_CASE("what is no event is refused with the reason") {
  const std::string& good = samples::subscription_updated;
  struct row {
    const char* what;
    std::string raw;
    const char* reason;
  };
  const std::vector<row> table{
      {"nothing", "", "event is not a JSON object"},
      {"blanks", " \n\t ", "event is not a JSON object"},
      {"a list", "[" + good + "]", "event is not a JSON object"},
      {"a string", "\"evt_1\"", "event is not a JSON object"},
      {"a byte order mark", "\xef\xbb\xbf" + good, "event is not a JSON object"},
      {"cut off", good.substr(0, good.size() / 2), "event is not JSON"},
      {"the last brace missing", good.substr(0, good.rfind('}')), "event is not JSON"},
      {"a second value behind it", good + "{}", "event is not JSON"},
      {"a NUL behind it", good + std::string(1, '\0'), "event is not JSON"},
      {"garbage far behind data.object",
       with(good, "\"pending_webhooks\": 1", "\"pending_webhooks\": 1x"), "event is not JSON"},
      {"a trailing comma", with(good, "\"has_more\": false,", "\"has_more\": false,,"),
       "event is not JSON"},
      {"a raw line break in a string", with(good, "\"usd\"", "\"us\nd\""), "event is not JSON"},
      {"invalid UTF-8", with(good, "größe", "gr\xff"), "event is not JSON"},
      {"UTF-8 longer than it must be", with(good, "größe", "gr\xc0\xaf"), "event is not JSON"},
      {"half a surrogate pair", with(good, "\\ude00", ""), "event is not JSON"},
      {"the other half", with(good, "\\ud83d", ""), "event is not JSON"},
      {"half a pair in a key", with(good, "\"usd\"", "{\"\\udc00\":1}"), "event is not JSON"},
      {"an endless number", with(good, "2.50", "1e400"), "event is not JSON"},
      {"an integer of 20 digits", with(good, "2.50", "18446744073709551616"), "event is not JSON"},
      {"a leading zero", with(good, "2.50", "02"), "event is not JSON"},
      {"not a number", with(good, "2.50", "NaN"), "event is not JSON"},
      {"a comment", with(good, "2.50", "2.50 /* % */"), "event is not JSON"},
      {"single quotes", with(good, "\"usd\"", "'usd'"), "event is not JSON"},

      {"a key twice",
       with(good, "\"livemode\": false,\n  \"pending", "\"id\": \"evt_2\",\n  \"pending"),
       "event has the key id twice"},
      {"a key twice, once with an escape",
       with(good, "\"livemode\": false,\n  \"pending", "\"i\\u0064\": \"evt_2\",\n  \"pending"),
       "event has the key id twice"},
      {"data.object twice", around("{},\"object\":{}"), "event.data has the key object twice"},
      {"a key twice in the object", around(R"({"a":1,"b":2,"a":1})"),
       "event.data.object has the key a twice"},
      {"an unspeakable key twice", around(R"({"\u0001":1,"\u0001":1})"),
       "event.data.object has a key twice"},

      {"no id", with(good, "\"id\": \"evt_1PgafTB7WZ01zgkWx8Vm3Ckq\",", ""), "event.id is missing"},
      {"an empty id", with(good, "evt_1PgafTB7WZ01zgkWx8Vm3Ckq", ""), "event.id is not 1 to 255"},
      {"a control character in the id", with(good, "evt_1P", "evt_\\u0000"), "event.id is not 1"},
      {"an id of 256 bytes", with(good, "evt_1PgafTB7WZ01zgkWx8Vm3Ckq", std::string(256, 'e')),
       "event.id is not 1 to 255"},
      {"a number for an id", with(good, "\"evt_1PgafTB7WZ01zgkWx8Vm3Ckq\"", "5"),
       "event.id is not a string"},
      {"another kind of object", with(good, "\"object\": \"event\"", "\"object\": \"charge\""),
       "event.object says that this is no event"},
      {"no kind", with(good, "\"object\": \"event\",", ""), "event.object is missing"},
      {"no type", with(good, "\"type\": \"customer", "\"typ\": \"customer"),
       "event.type is missing"},
      {"no livemode", with(good, "\"livemode\": false,\n  \"pending", "\"pending"),
       "event.livemode is not true or false"},
      {"a livemode of 1", with(samples::invoice_upcoming, "\"livemode\": false", "\"livemode\": 1"),
       "event.livemode is not true or false"},
      {"before 1970", with(good, "1721988003", "-1"), "event.created is not a time"},
      {"after the year 9999", with(good, "1721988003", "253402300800"),
       "event.created is not a time"},
      {"a fraction of a second", with(good, "1721988003", "1721988003.5"),
       "event.created is not a time"},
      {"no time", with(good, "\"created\": 1721988003,", ""), "event.created is not a time"},
      {"an impossible day", with(samples::thin, "2024-08-28", "2024-02-30"),
       "event.created is not a time"},
      {"a version that is a number", with(good, "\"2026-10-28.endive\"", "2026"),
       "event.api_version is not a string"},
      {"a list as data.object", around("[]"), "event.data.object is not an object"},
      {"a string as data", with(around("{}"), "{\"object\":{}}", "\"x\""),
       "event.data is not an object"},
      {"previous attributes as a list", around("{},\"previous_attributes\":[]"),
       "event.data.previous_attributes is not an object"},
      {"an object's id of no string", around(R"({"id":{"a":1}})"),
       "event.data.object.id is not a string"},
      {"an object's id that is empty", around(R"({"id":""})"), "event.data.object.id is not 1"},
      {"an object's time before 1970", around(R"({"created":-5})"),
       "event.data.object.created is not a time"},
      {"a customer's id with a line break", around(R"({"customer":"cus\n"})"),
       "event.data.object.customer is not 1"},
  };
  for (const auto& r : table) {
    INFO(r.what);
    const std::string reason = refusal_of(r.raw);
    INFO(reason);
    CHECK(reason.starts_with(r.reason));
  }
}

TEST_CASE("a refusal for bad JSON names the byte") {
  CHECK(refusal_of(R"({"id": evt_1})").ends_with("(at byte 7)"));
  CHECK(refusal_of(R"({"id": "evt_1"]})").ends_with("(at byte 14)"));
}

TEST_CASE("bounds hold before anything is looked at") {
  const std::string tight = around("{}");
  const auto padded_to = [&](std::size_t size) {
    return tight + std::string(size - tight.size(), ' ');
  };
  CHECK(parse_event(padded_to(event_max_bytes)).has_value());
  CHECK(refusal_of(padded_to(event_max_bytes + 1)) == "event is larger than 1 MiB");

  // event, data, data.object and one key are three deep.
  CHECK(parse_event(around("{\"a\":" + nested(61) + "}")).has_value());
  CHECK(refusal_of(around("{\"a\":" + nested(62) + "}")) == "event is nested deeper than 64");
  CHECK(refusal_of(around("{\"a\":" + nested(100'000) + "}")) == "event is nested deeper than 64");

  const auto wide = [](int keys) {
    std::string object = "{\"metadata\":{";
    for (int i = 0; i < keys; ++i)
      object += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
    return object + "}}";
  };
  CHECK(parse_event(around(wide(10'000))).has_value());
  CHECK(refusal_of(around(wide(10'001))) == "event has an object with more than 10,000 keys");
}

TEST_CASE("numbers at the edge of 64 bits are kept as they were written") {
  const std::string object =
      R"({"a":9007199254740993,"b":18446744073709551615,"c":-9223372036854775808,)"
      R"("d":1E+2,"e":-0,"f":0.10})";
  const auto parsed = parse_event(around(object));
  REQUIRE(parsed.has_value());
  CHECK((*parsed)->object_json == object);
}

TEST_CASE("a large event in between changes nothing for the next ones") {
  const std::string large =
      around("{\"id\":\"big\",\"text\":\"" + std::string(600'000, 'x') + "\"}");
  for (int i = 0; i < 3; ++i) {
    const auto small = parse_event(samples::subscription_updated);
    REQUIRE(small.has_value());
    CHECK((*small)->object_id == "sub_1PgafTB7WZ01zgkWs0Q5fCzl");
    const auto big = parse_event(large);
    REQUIRE(big.has_value());
    CHECK((*big)->object_json.size() > 600'000);
  }
}

TEST_CASE("an object of an API answer tells the same facts") {
  const auto head = parse_object(R"({
    "id": "in_1", "object": "invoice", "created": 1721990000,
    "customer": {"id": "cus_1", "object": "customer", "deleted": true},
    "total": 1.50, "deleted": null
  })");
  REQUIRE(head.has_value());
  CHECK(head->json == R"({"id":"in_1","object":"invoice","created":1721990000,)"
                      R"("customer":{"id":"cus_1","object":"customer","deleted":true},)"
                      R"("total":1.50,"deleted":null})");
  CHECK(head->id == "in_1");
  CHECK(head->object_name == "invoice");
  CHECK(head->owner_customer == "cus_1");
  CHECK(head->created_s == 1'721'990'000);
  CHECK_FALSE(head->deleted);
}

TEST_CASE("a deletion stub is known as one") {
  const auto head = parse_object(R"({"id": "cus_1", "object": "customer", "deleted": true})");
  REQUIRE(head.has_value());
  CHECK(head->deleted);
  CHECK(head->owner_customer == "cus_1");
  CHECK(head->json == R"({"id":"cus_1","object":"customer","deleted":true})");
}

TEST_CASE("what version 2 of the API calls created is a time too") {
  const auto head = parse_object(
      R"({"id":"acct_1","object":"v2.core.account","created":"2024-08-28T20:54:12.051Z"})");
  REQUIRE(head.has_value());
  CHECK(head->created_s == 1'724'878'452);
}

TEST_CASE("an answer that is no object is refused") {
  for (const auto* text : {"", "[]", "null", "{", "{\"id\":1}", "{\"id\":\"a\",\"id\":\"b\"}",
                           "{\"id\":\"\\u0007\"}", "{}{}"}) {
    INFO(text);
    const auto head = parse_object(text);
    REQUIRE_FALSE(head.has_value());
    CHECK(head.error().code == errc::invalid);
    CHECK(head.error().message.starts_with("object"));
  }
  REQUIRE(parse_object("{}").has_value());
  const std::string huge = "{\"a\":\"" + std::string(object_max_bytes, 'x') + "\"}";
  CHECK_FALSE(parse_object(huge).has_value());
}
