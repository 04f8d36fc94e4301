#include "store/records.hpp"

#include <limits>

#include <malloc.h>

#include "fixtures.hpp"

using namespace tilld;
using namespace tilld::store;

namespace {

rc::Gen<std::string> any_bytes() {
  return rc::gen::oneOf(rc::gen::arbitrary<std::string>(),
                        rc::gen::container<std::string>(rc::gen::arbitrary<char>()),
                        rc::gen::element(std::string("été €"), std::string("\xff\xfe"),
                                         std::string("\xed\xa0\x80"), std::string("a\0b", 3),
                                         std::string("{\"base64\":\"x\"}"), std::string("\n\"\\")));
}

template <class T>
T any() {
  return *rc::gen::arbitrary<T>();
}

object_record some_object() {
  object_record r;
  r.version = any<std::uint64_t>();
  r.at = {any<std::int64_t>(), any<std::int64_t>(), any<bool>(),
          any<bool>(),         any<bool>(),         any<bool>()};
  r.document = *any_bytes();
  return r;
}

event_record some_event() {
  event_record r;
  r.status = *rc::gen::element(event_status::applied, event_status::ignored, event_status::refetch,
                               event_status::failed);
  r.reason = *any_bytes();
  r.received_ms = any<std::int64_t>();
  r.endpoint = *any_bytes();
  r.tries = any<int>();
  r.raw = *any_bytes();
  return r;
}

order_record some_order() {
  order_record r;
  r.id = *any_bytes();
  r.status = *rc::gen::element(order_status::open, order_status::done, order_status::refused,
                               order_status::parked);
  r.call.verb = *any_bytes();
  r.call.target = *any_bytes();
  r.call.body = *any_bytes();
  r.call.content_type = *any_bytes();
  r.call.idempotency_key = *any_bytes();
  r.call.api_version = *any_bytes();
  r.call.stripe_account = *any_bytes();
  r.call.in = static_cast<stripe::lane>(*rc::gen::inRange(0, int{stripe::lane_count}));
  r.call.give_up_after_ms = any<std::int64_t>();
  r.caller_key = *any_bytes();
  r.fingerprint = *any_bytes();
  r.owner = *any_bytes();
  r.claim = *any_bytes();
  r.created_ms = any<std::int64_t>();
  r.finished_ms = any<std::int64_t>();
  r.attempts = any<int>();
  r.answer_status = any<int>();
  r.answer_body = *any_bytes();
  r.answer_request_id = *any_bytes();
  r.why = *any_bytes();
  return r;
}

auto fields(const object_record& r) {
  return std::tie(r.version, r.at, r.document);
}
auto fields(const event_record& r) {
  return std::tie(r.status, r.reason, r.received_ms, r.endpoint, r.tries, r.raw);
}
auto fields(const stripe::call& c) {
  return std::tie(c.verb, c.target, c.body, c.content_type, c.idempotency_key, c.api_version,
                  c.stripe_account, c.in, c.give_up_after_ms);
}
auto fields(const order_record& r) {
  return std::tuple_cat(fields(r.call),
                        std::tie(r.id, r.status, r.caller_key, r.fingerprint, r.owner, r.claim,
                                 r.created_ms, r.finished_ms, r.attempts, r.answer_status,
                                 r.answer_body, r.answer_request_id, r.why));
}
auto fields(const refetch_record& r) {
  return std::tie(r.why, r.since_ms, r.tries);
}
auto fields(const token_record& r) {
  return std::tie(r.name, r.scope, r.hint, r.created_s, r.expires_s, r.account);
}

template <class Record, class Decode>
void comes_back(const Record& r, Decode decode) {
  const std::string bytes = encode(r);
  const auto back = decode(bytes);
  RC_ASSERT(back.has_value());
  RC_ASSERT(fields(*back) == fields(r));
  RC_ASSERT(encode(*back) == bytes);
}

template <class Decode>
bool corrupt(Decode decode, std::string_view bytes) {
  const auto back = decode(bytes);
  return !back && back.error().code == errc::corrupt && !back.error().message.empty();
}

// JSON that is cut off anywhere is no JSON any more.
template <class Decode>
void is_damaged_when_cut(Decode decode, const std::string& bytes, std::size_t up_to) {
  for (std::size_t length = 0; length < up_to; ++length) {
    INFO(length);
    CHECK(corrupt(decode, std::string_view(bytes).substr(0, length)));
  }
}

// Bytes that malloc has handed out and not got back.
std::size_t allocated() {
  return ::mallinfo2().uordblks;
}

}  // namespace

TEST_CASE("Every record comes back from its bytes as it was, whatever bytes it carries") {
  REQUIRE(rc::check("object", [] { comes_back(some_object(), decode_object); }));
  REQUIRE(rc::check("event", [] { comes_back(some_event(), decode_event); }));
  REQUIRE(rc::check("order", [] { comes_back(some_order(), decode_order); }));
  REQUIRE(rc::check("refetch", [] {
    comes_back(refetch_record{*any_bytes(), any<std::int64_t>(), any<int>()}, decode_refetch);
  }));
  REQUIRE(rc::check("token", [] {
    comes_back(token_record{*any_bytes(), *any_bytes(), *any_bytes(), any<std::int64_t>(),
                            any<std::int64_t>(), *any_bytes()},
               decode_token);
  }));
}

TEST_CASE("An object's head is 26 bytes and its document follows byte for byte") {
  object_record r;
  r.version = 0x0102030405060708;
  r.at = {1, 2, true, false, true, false};
  r.document = "{\"id\":\"cus_1\"}";
  const std::string bytes = encode(r);
  CHECK(bytes.substr(0, 9) == "1\x01\x02\x03\x04\x05\x06\x07\x08");
  CHECK(to_hex(bytes.substr(9, 17)) ==
        "0000000000000001"
        "0000000000000002"
        "05");
  CHECK(bytes.substr(26) == r.document);
  CHECK(bytes.starts_with(version_prefix(r.version)));
  CHECK_FALSE(bytes.starts_with(version_prefix(r.version + 1)));
}

TEST_CASE("Looking at an object copies nothing") {
  object_record r;
  r.version = 7;
  r.at = {10, 20, false, true, false, true};
  r.document = std::string(3000, 'x');
  const std::string bytes = encode(r);
  const std::size_t before = allocated();
  const auto view = view_object(bytes);
  const std::size_t after = allocated();
  CHECK(after == before);
  REQUIRE(view.has_value());
  CHECK(view->version == 7);
  CHECK(view->at == r.at);
  CHECK(view->document.data() == bytes.data() + 26);
  CHECK(view->document == r.document);
}

TEST_CASE("A damaged object is told as such") {
  const std::string bytes = encode(object_record{3, {}, "{}"});
  for (std::size_t length = 0; length < 26; ++length) {
    CHECK(corrupt(decode_object, std::string_view(bytes).substr(0, length)));
    CHECK_FALSE(view_object(std::string_view(bytes).substr(0, length)).has_value());
  }
  std::string wrong_first = bytes;
  wrong_first[0] = '2';
  CHECK(corrupt(decode_object, wrong_first));
  std::string wrong_flags = bytes;
  wrong_flags[25] = 16;
  CHECK(corrupt(decode_object, wrong_flags));
}

TEST_CASE("A damaged event is told as such") {
  event_record r;
  r.endpoint = "main";
  r.raw = "{\"id\":\n\"evt_1\"}";
  const std::string bytes = encode(r);
  CHECK(bytes ==
        "{\"status\":\"applied\",\"reason\":\"\",\"received_ms\":0,\"endpoint\":\"main\","
        "\"tries\":1}\n{\"id\":\n\"evt_1\"}");
  is_damaged_when_cut(decode_event, bytes, bytes.find('\n') + 1);
  for (const char* line :
       {"\n", "[]\n", "{}\n", "{\"status\":\"applied\"}\n",
        R"({"status":"great","reason":"","received_ms":0,"endpoint":"","tries":1})"
        "\n",
        R"({"status":"applied","reason":7,"received_ms":0,"endpoint":"","tries":1})"
        "\n",
        R"({"status":"applied","reason":{"base64":"?"},"received_ms":0,"endpoint":"","tries":1})"
        "\n",
        R"({"status":"applied","reason":"","received_ms":0.5,"endpoint":"","tries":1})"
        "\n",
        R"({"status":"applied","reason":"","received_ms":18446744073709551615,)"
        R"("endpoint":"","tries":1})"
        "\n",
        R"({"status":"applied","reason":"","received_ms":0,"endpoint":"","tries":4294967296})"
        "\n"}) {
    INFO(line);
    CHECK(corrupt(decode_event, line));
  }
}

TEST_CASE("A damaged order, refetch mark or token is told as such") {
  order_record order;
  order.id = "ord_1";
  const std::string bytes = encode(order);
  is_damaged_when_cut(decode_order, bytes, bytes.size());
  std::string other_status = bytes;
  other_status.replace(other_status.find("\"open\""), 6, "\"opes\"");
  CHECK(corrupt(decode_order, other_status));

  const std::string mark = encode(refetch_record{"tie", 1, 2});
  is_damaged_when_cut(decode_refetch, mark, mark.size());
  const std::string token = encode(token_record{"ci", "read", "abcd", 1, 0});
  is_damaged_when_cut(decode_token, token, token.size());

  const std::string deep(100'000, '[');
  CHECK(corrupt(decode_order, deep));
  CHECK(corrupt(decode_order, "{\"id\":" + deep));
  REQUIRE(rc::check([&](const std::string& noise) {
    for (const std::string& text : {noise, "{" + noise, "{\"id\":" + noise + "}"}) {
      RC_ASSERT(corrupt(decode_order, text));
      RC_ASSERT(corrupt(decode_refetch, text));
      RC_ASSERT(corrupt(decode_token, text));
      RC_ASSERT(corrupt(decode_event, text + "\n"));
    }
  }));
}

TEST_CASE("A field that a later version added does no harm") {
  std::string mark = encode(refetch_record{"tie", 1, 2});
  mark.insert(1, "\"later\":[1,2],");
  const auto back = decode_refetch(mark);
  REQUIRE(back.has_value());
  CHECK(back->why == "tie");
}

TEST_CASE("Names of statuses are stable and come back") {
  for (const event_status s : {event_status::applied, event_status::ignored, event_status::refetch,
                               event_status::failed}) {
    CHECK(event_status_from(to_string(s)) == s);
  }
  CHECK_FALSE(event_status_from("").has_value());
  CHECK_FALSE(event_status_from("APPLIED").has_value());
  CHECK(std::string(to_string(order_status::parked)) == "parked");
}
