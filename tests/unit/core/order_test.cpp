// The order rule case by case.
#include "core/order.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace {

using namespace tilld::core;

constexpr std::string_view subscription = "subscription";

event_fact updated(std::string_view id, std::int64_t at, std::string_view object,
                   std::string_view previous, std::string_view type = "customer.updated",
                   std::string_view object_name = "customer") {
  return {id, type, at, object_name, object, previous};
}

held row(std::string_view document, std::int64_t at) {
  return {{.lo = at, .hi = at}, document};
}

held asked(std::string_view document, std::int64_t lo, std::int64_t hi) {
  return {{.lo = lo, .hi = hi, .from_snapshot = true}, document};
}

snapshot_fact answer(std::string_view object, std::int64_t lo, std::int64_t hi,
                     std::string_view object_name = "customer") {
  return {.lo = lo, .hi = hi, .object_name = object_name, .object = object};
}

const std::string a = R"({"id":"cus_1","object":"customer","name":"a"})";
const std::string b = R"({"id":"cus_1","object":"customer","name":"b"})";
const std::string c = R"({"id":"cus_1","object":"customer","name":"c"})";

}  // namespace

TEST_CASE("the first thing heard of an object is taken") {
  const auto v = decide(std::nullopt, updated("e1", 10, a, R"({"name":"x"})"), {});
  CHECK(v.what == action::replace);
  CHECK(v.document == a);
  CHECK(v.at == stamp{.lo = 10, .hi = 10});
  CHECK(v.why == "first");

  const auto born = decide(std::nullopt, updated("e1", 10, a, {}, "customer.created"), {});
  CHECK(born.at == stamp{.lo = 10, .hi = 10, .born = true});

  const auto s = decide(std::nullopt, answer(a, 9, 11), {});
  CHECK(s.document == a);
  CHECK(s.at == stamp{.lo = 9, .hi = 11, .from_snapshot = true});
}

TEST_CASE("a deletion leaves a tombstone with the object's id") {
  const auto v = decide(row(a, 10), updated("e2", 12, a, {}, "customer.deleted"), {});
  CHECK(v.what == action::replace);
  CHECK(v.document == R"({"id":"cus_1","object":"customer","deleted":true})");
  CHECK(v.at == stamp{.lo = 12, .hi = 12, .deleted = true});

  auto missing = answer({}, 20, 21);
  missing.missing = true;
  const auto gone = decide(row(a, 10), missing, {});
  CHECK(gone.document == v.document);
  CHECK(gone.at.deleted);
  CHECK(decide(std::nullopt, missing, {}).what == action::ignore);

  auto stub = answer(v.document, 20, 21);
  stub.deleted = true;
  CHECK(decide(row(a, 10), stub, {}).document == v.document);
}

TEST_CASE("a newer event replaces, an older one does nothing") {
  CHECK(decide(row(a, 10), updated("e", 11, b, R"({"name":"a"})"), {}).document == b);
  CHECK(decide(row(a, 10), updated("e", 9, b, R"({"name":"a"})"), {}).what == action::ignore);
}

TEST_CASE("a snapshot is compared by the time it can have been true in") {
  CHECK(decide(row(a, 10), answer(b, 11, 12), {}).what == action::replace);
  CHECK(decide(row(a, 10), answer(b, 8, 9), {}).what == action::ignore);
  const auto overlap = decide(row(a, 10), answer(b, 10, 11), {});
  CHECK(overlap.what == action::refetch);
  CHECK(overlap.document.empty());
  CHECK(overlap.at == stamp{.lo = 10, .hi = 11, .suspect = true});
  const auto later = decide(asked(a, 8, 12), answer(b, 10, 11), {});
  CHECK(later.what == action::refetch);
  CHECK(later.document == b);
  CHECK(later.at == stamp{.lo = 10, .hi = 12, .from_snapshot = true, .suspect = true});
}

TEST_CASE("an answer whose request left after the row was written needs no comparison") {
  auto own = answer(b, 9, 10);
  own.after_held = true;
  CHECK_FALSE(contested(row(a, 10), own));
  const auto v = decide(row(a, 10), own, {});
  CHECK(v.what == action::replace);
  CHECK(v.document == b);
  CHECK(v.at == stamp{.lo = 10, .hi = 10, .from_snapshot = true});
}

TEST_CASE("two equal answers keep the later knowledge") {
  const auto v = decide(asked(a, 8, 12), answer(a, 10, 13), {});
  CHECK(v.what == action::replace);
  CHECK(v.document == a);
  CHECK(v.at == stamp{.lo = 10, .hi = 13, .from_snapshot = true});
  CHECK(v.why == "confirmed");
  CHECK(decide(asked(a, 8, 12), answer(a, 8, 9), {}).what == action::ignore);
}

TEST_CASE("of two events in one second the chain of previous_attributes decides") {
  const auto ab = updated("e1", 10, b, R"({"name":"a"})");
  const auto bc = updated("e2", 10, c, R"({"name":"b"})");
  CHECK(decide(row(b, 10), bc, std::vector{ab}).document == c);
  CHECK(decide(row(c, 10), ab, std::vector{bc}).what == action::ignore);
}

TEST_CASE("there and back again within a second is asked of Stripe, unless the start is known") {
  const auto ab = updated("e1", 10, b, R"({"name":"a"})");
  const auto ba = updated("e2", 10, a, R"({"name":"b"})");
  CHECK(decide(row(b, 10), ba, std::vector{ab}).what == action::refetch);
  const auto born = updated("e0", 10, a, {}, "customer.created");
  CHECK(decide(row(b, 10), ba, std::vector{ab, born}).document == a);
  const auto ca = updated("e3", 10, a, R"({"name":"c"})");
  CHECK(decide(row(b, 10), ba, std::vector{ab, ca}).document == a);
}

TEST_CASE("a doubt is settled by the missing link of its second") {
  const std::string x0 = R"({"id":"c","object":"customer","x":0,"y":0})";
  const std::string x1 = R"({"id":"c","object":"customer","x":1,"y":0})";
  const std::string x0y1 = R"({"id":"c","object":"customer","x":0,"y":1})";
  const auto first = updated("e1", 10, x1, R"({"x":0})");
  const auto second = updated("e2", 10, x0, R"({"x":1})");
  const auto third = updated("e3", 10, x0y1, R"({"y":0})");
  const auto doubt = decide(row(x1, 10), second, std::vector{first});
  REQUIRE(doubt.what == action::refetch);
  const auto settled = decide(held{doubt.at, x1}, third, std::vector{first, second});
  CHECK(settled.what == action::replace);
  CHECK(settled.document == x0y1);
  CHECK_FALSE(settled.at.suspect);
}

TEST_CASE("previous_attributes of nested hashes, added and removed keys and arrays are undone") {
  const std::string before =
      R"({"id":"c","object":"customer","l":[1,2],"metadata":{"k":"1","gone":"x"},"n":{"a":1}})";
  const std::string after =
      R"({"id":"c","object":"customer","l":[3],"metadata":{"k":"2","new":"y"},"n":{"a":1}})";
  const auto change =
      updated("e1", 10, after, R"({"l":[1,2],"metadata":{"gone":"x","k":"1","new":null}})");
  CHECK(decide(row(before, 10), change, {}).document == after);
  CHECK(decide(asked(before, 9, 11), change, {}).document == after);
  CHECK(decide(asked(after, 9, 11), change, {}).what == action::ignore);
}

TEST_CASE("null and absent, an id and its expanded object are one state") {
  const std::string plain =
      R"({"id":"s","object":"subscription","latest_invoice":"in_1","x":null})";
  const std::string expanded =
      R"({"id":"s","object":"subscription","latest_invoice":{"id":"in_1","object":"invoice"}})";
  const auto e = updated("e1", 10, plain, {}, "customer.subscription.resumed", subscription);
  CHECK(decide(asked(expanded, 10, 10), e, {}).what == action::ignore);
}

TEST_CASE("statuses that only go one way place events without previous_attributes") {
  const std::string open = R"({"id":"in_1","object":"invoice","status":"open","created":10})";
  const std::string paid = R"({"id":"in_1","object":"invoice","status":"paid","created":10})";
  const auto finalized = updated("e1", 10, open, {}, "invoice.finalized", "invoice");
  const auto was_paid = updated("e2", 10, paid, {}, "invoice.paid", "invoice");
  CHECK(decide(row(open, 10), was_paid, std::vector{finalized}).document == paid);
  CHECK(decide(row(paid, 10), finalized, std::vector{was_paid}).what == action::ignore);
  CHECK(decide(asked(paid, 9, 12), finalized, {}).what == action::ignore);
}

TEST_CASE("an event that may mean anything is not believed against what an update replaced") {
  const std::string one = R"({"id":"w","object":"widget","x":0,"y":0})";
  const std::string two = R"({"id":"w","object":"widget","x":1,"y":0})";
  const std::string odd = R"({"id":"w","object":"widget","x":0,"y":5})";
  const auto up = updated("e1", 10, two, R"({"x":0})", "widget.updated", "widget");
  const auto poked = updated("e2", 10, odd, {}, "widget.poked", "widget");
  CHECK(decide(row(two, 10), poked, std::vector{up}).what == action::refetch);
  CHECK(decide(row(one, 9), poked, {}).document == odd);
}

TEST_CASE("two events that may mean anything are placed by what only grows") {
  const std::string older = R"({"id":"p","object":"widget","updated":4,"v":"x"})";
  const std::string newer = R"({"id":"p","object":"widget","updated":5,"v":"y"})";
  const auto first = updated("e1", 10, older, {}, "widget.poked", "widget");
  const auto second = updated("e2", 10, newer, {}, "widget.poked", "widget");
  CHECK(decide(row(older, 10), second, std::vector{first}).document == newer);
  CHECK(decide(row(newer, 10), first, std::vector{second}).what == action::ignore);
}

TEST_CASE("an event that tells of a new status cannot come after that status") {
  const std::string active = R"({"id":"s","object":"subscription","status":"active"})";
  const std::string late = R"({"id":"s","object":"subscription","status":"past_due"})";
  const auto resumed = updated("e1", 10, active, {}, "customer.subscription.resumed", subscription);
  const auto declined = updated("e2", 10, late, R"({"status":"active"})",
                                "customer.subscription.updated", subscription);
  CHECK(decide(row(active, 10), declined, std::vector{resumed}).document == late);
  CHECK(decide(row(late, 10), resumed, std::vector{declined}).what == action::ignore);
}

TEST_CASE("the event that opens a status is its first, also while others are under way") {
  const std::string opened = R"({"id":"i","object":"invoice","status":"open","a":0,"b":0})";
  const std::string later = R"({"id":"i","object":"invoice","status":"open","a":1,"b":2})";
  const auto finalized = updated("e1", 10, opened, {}, "invoice.finalized", "invoice");
  // That b went from 0 to 1 is not here yet.
  const auto change = updated("e2", 10, later, R"({"b":1})", "invoice.updated", "invoice");
  CHECK(decide(row(later, 10), finalized, std::vector{change}).what == action::ignore);
  CHECK(decide(asked(later, 9, 10), finalized, {}).what == action::ignore);
}

TEST_CASE("an answer that shows a change's old value is not taken as older for that alone") {
  const std::string answered = R"({"id":"c","object":"customer","x":0,"y":1})";
  const std::string changed = R"({"id":"c","object":"customer","x":1,"y":0})";
  const auto e = updated("e1", 10, changed, R"({"x":0})");
  CHECK(decide(asked(answered, 9, 11), e, {}).what == action::refetch);
  const std::string includes = R"({"id":"c","object":"customer","x":1,"y":1})";
  CHECK(decide(asked(includes, 9, 11), e, {}).what == action::ignore);
}

TEST_CASE("an equal answer that may be older leaves the stamp alone") {
  CHECK(decide(row(a, 10), answer(a, 9, 10), {}).what == action::ignore);
}

TEST_CASE("a thin event in the same second leaves everything in doubt") {
  const std::string born = R"({"id":"c","object":"customer","created":10,"x":0})";
  const std::string next = R"({"id":"c","object":"customer","created":10,"x":1})";
  const auto thin = updated("e0", 10, {}, {}, "v1.customer.updated");
  const auto e = updated("e1", 10, next, R"({"x":0})");
  const held now{{.lo = 10, .hi = 10, .born = true}, born};
  CHECK(decide(now, e, std::vector{thin}).what == action::refetch);
}

TEST_CASE("an event without a document is a reason to ask") {
  const auto v = decide(row(a, 10), updated("e", 12, {}, {}), {});
  CHECK(v.what == action::refetch);
  CHECK(v.document.empty());
  CHECK(v.at == stamp{.lo = 10, .hi = 12, .suspect = true});
  CHECK(decide(std::nullopt, updated("e", 12, {}, {}), {}).what == action::refetch);
}

TEST_CASE("a final status is not left for an event with a newer time") {
  const std::string over = R"({"id":"sub_1","object":"subscription","status":"canceled"})";
  const std::string noted =
      R"({"id":"sub_1","metadata":{"k":"v"},"object":"subscription","status":"canceled"})";
  const std::string alive = R"({"id":"sub_1","object":"subscription","status":"active"})";
  const std::string_view type = "customer.subscription.updated";
  const auto stale = updated("e", 12, alive, {}, type, subscription);
  const auto v = decide(row(over, 10), stale, {});
  CHECK(v.what == action::refetch);
  CHECK(v.document.empty());
  CHECK(v.at == stamp{.lo = 10, .hi = 12, .suspect = true});
  CHECK(decide(row(over, 10), updated("e", 12, noted, {}, type, subscription), {}).document ==
        noted);

  const auto late = updated("e", 10, over, {}, "customer.subscription.deleted", subscription);
  const auto other_way = decide(row(alive, 12), late, {});
  CHECK(other_way.what == action::refetch);
  CHECK(other_way.document == over);
  CHECK(other_way.at == v.at);

  auto told = answer(alive, 20, 21, subscription);
  CHECK(decide(held{v.at, over}, told, {}).what == action::refetch);
  told.refetch = true;
  CHECK(decide(held{v.at, over}, told, {}).document == alive);
}

TEST_CASE("inside a long answer a final status seen earlier is not left either") {
  const std::string over = R"({"id":"sub_1","object":"subscription","status":"canceled"})";
  const std::string alive = R"({"id":"sub_1","object":"subscription","status":"active"})";
  const std::string older = R"({"id":"sub_1","object":"subscription","status":"past_due"})";
  const std::string_view type = "customer.subscription.updated";
  const auto canceled = updated("e1", 10, over, {}, "customer.subscription.deleted", subscription);
  const auto stale = updated("e2", 12, alive, {}, type, subscription);
  CHECK(decide(asked(older, 9, 13), stale, std::vector{canceled}).what == action::refetch);
}

TEST_CASE("what is deleted lives again only where ids can be used again") {
  const std::string stub = R"({"id":"X","object":"coupon","deleted":true})";
  const held gone{{.lo = 10, .hi = 10, .deleted = true}, stub};
  const std::string second = R"({"id":"X","object":"coupon","created":12})";
  const std::string first = R"({"id":"X","object":"coupon","created":5})";
  const auto coupon = [&](std::string_view type, std::int64_t at, std::string_view object) {
    return updated("e", at, object, {}, type, "coupon");
  };
  CHECK(decide(gone, coupon("coupon.created", 12, second), {}).document == second);
  CHECK(decide(gone, coupon("coupon.updated", 13, second), {}).document == second);
  CHECK(decide(gone, coupon("coupon.updated", 13, first), {}).what == action::refetch);
  CHECK(decide(gone, coupon("coupon.updated", 9, first), {}).what == action::ignore);
  // The old life's end comes after the new life is known.
  CHECK(decide(row(second, 12), coupon("coupon.deleted", 10, first), {}).what == action::ignore);

  const std::string customer_stub = R"({"id":"cus_1","object":"customer","deleted":true})";
  const held dead{{.lo = 10, .hi = 10, .deleted = true}, customer_stub};
  CHECK(decide(dead, updated("e", 12, b, R"({"name":"a"})"), {}).what == action::refetch);
  CHECK(decide(dead, updated("e", 10, b, R"({"name":"a"})"), {}).what == action::ignore);
  CHECK(decide(dead, answer(b, 10, 11), {}).what == action::ignore);
  CHECK(decide(dead, answer(b, 11, 12), {}).what == action::refetch);
}

TEST_CASE("deletion and creation of one id in one second are told apart by their lives") {
  const std::string old_life = R"({"id":"X","object":"coupon","created":5,"v":1})";
  const std::string new_life = R"({"id":"X","object":"coupon","created":10,"v":2})";
  const auto ended = updated("e1", 10, old_life, {}, "coupon.deleted", "coupon");
  const auto begun = updated("e2", 10, new_life, {}, "coupon.created", "coupon");
  const auto new_ended = updated("e3", 10, new_life, {}, "coupon.deleted", "coupon");
  const held gone{{.lo = 10, .hi = 10, .deleted = true}, "{\"id\":\"X\"}"};
  CHECK(decide(gone, begun, std::vector{ended}).document == new_life);
  CHECK(decide(row(new_life, 10), ended, std::vector{begun}).what == action::ignore);
  CHECK(decide(row(new_life, 10), new_ended, std::vector{begun}).at.deleted);
  CHECK(decide(row(new_life, 10), new_ended, std::vector{ended, begun}).at.deleted);
}

TEST_CASE("a creation told late sets nothing back") {
  const std::string now = R"({"id":"sub_1","object":"subscription","status":"active","created":9})";
  const std::string then =
      R"({"id":"sub_1","object":"subscription","status":"incomplete","created":9})";
  const auto born = updated("e1", 11, then, {}, "customer.subscription.created", subscription);
  CHECK(decide(row(now, 10), born, {}).what == action::ignore);
  CHECK(decide(asked(now, 9, 12), born, {}).what == action::ignore);
  // The other way round: what follows the birth follows it, whatever the seconds say.
  const auto v = decide(std::nullopt, born, {});
  const auto next = updated("e2", 10, now, R"({"status":"incomplete"})",
                            "customer.subscription.updated", subscription);
  CHECK(decide(held{v.at, v.document}, next, {}).document == now);
}

TEST_CASE(
    "an answer to a refetch settles a doubt when it is newer, and asks again when it is not") {
  const held doubtful{{.lo = 10, .hi = 10, .suspect = true}, b};
  const auto ab = updated("e1", 10, b, R"({"name":"a"})");
  const auto ba = updated("e2", 10, a, R"({"name":"b"})");
  auto again = answer(a, 10, 11);
  again.refetch = true;
  CHECK(decide(doubtful, again, std::vector{ab, ba}).what == action::refetch);
  again.lo = 11;
  const auto v = decide(doubtful, again, {});
  CHECK(v.what == action::replace);
  CHECK(v.document == a);
  CHECK_FALSE(v.at.suspect);
  again.lo = again.hi = 9;
  CHECK(decide(doubtful, again, {}).what == action::refetch);
}

TEST_CASE("the peers of a contested snapshot come from both intervals") {
  const auto now = asked(a, 10, 12);
  CHECK(peer_window(now, answer(b, 8, 11)) == window{8, 12});
  CHECK(peer_window(now, updated("e", 11, b, {})) == window{10, 12});
  CHECK(contested(now, updated("e", 10, b, {})));
  CHECK(contested(now, updated("e", 12, b, {})));
  CHECK_FALSE(contested(now, updated("e", 13, b, {})));
  CHECK_FALSE(contested(std::nullopt, updated("e", 13, b, {})));
  CHECK_FALSE(contested(now, answer(b, 13, 14)));
}

TEST_CASE("a document that is no JSON is never a reason to believe anything") {
  for (const std::string_view broken :
       {"", "{", "null", "[1]", "{\"a\":", "\"", "{\"a\":\"\\", "{\"id\":1,\"status\":{}}x"}) {
    CHECK(decide(row(a, 10), updated("e", 10, broken, R"({"name":"a"})"), {}).what ==
          action::refetch);
    CHECK(decide(row(broken, 10), updated("e", 10, b, R"({"name":"a"})"), {}).what ==
          action::refetch);
    CHECK(decide(row(a, 10), updated("e", 10, b, broken.size() > 2 ? broken : "{\"n"), {}).what ==
          action::refetch);
  }
}

TEST_CASE("a crowded second is asked of Stripe instead of tried in every order") {
  std::vector<std::string> documents;
  std::vector<std::string> changes;
  for (int i = 0; i < 40; ++i) {
    documents.push_back(R"({"id":"w","object":"widget","n":)" + std::to_string(i % 7) + "}");
    changes.push_back(R"({"n":)" + std::to_string((i + 3) % 5) + "}");
  }
  std::vector<event_fact> peers;
  for (int i = 0; i < 40; ++i) {
    const auto u = static_cast<std::size_t>(i);
    peers.push_back(
        {documents[u].substr(0, 1), "widget.updated", 10, "widget", documents[u], changes[u]});
  }
  const auto started = std::chrono::steady_clock::now();
  const auto v = decide(row(documents[0], 10),
                        updated("last", 10, documents[6], {}, "widget.poked", "widget"), peers);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  CHECK(v.what == action::refetch);
  CHECK(took.count() < 2.0);
}

TEST_CASE("deletions, creations and final statuses are known by name") {
  CHECK(is_deletion("customer.deleted", "customer"));
  CHECK(is_deletion("invoice.deleted", "invoice"));
  CHECK(is_deletion("customer.discount.deleted", "discount"));
  CHECK_FALSE(is_deletion("customer.subscription.deleted", "subscription"));
  CHECK_FALSE(is_deletion("payment_method.detached", "payment_method"));
  CHECK(is_creation("customer.subscription.created"));
  CHECK_FALSE(is_creation("customer.updated"));

  const std::vector<std::pair<std::string_view, std::vector<std::string_view>>> over = {
      {"subscription", {"canceled", "incomplete_expired"}},
      {"invoice", {"paid", "void"}},
      {"payment_intent", {"succeeded", "canceled"}},
      {"setup_intent", {"succeeded", "canceled"}},
      {"checkout.session", {"complete", "expired"}},
      {"quote", {"accepted", "canceled"}},
      {"payout", {"failed", "canceled"}},
      {"refund", {"failed", "canceled"}}};
  for (const auto& [name, all] : over)
    for (const auto status : all)
      CHECK(is_terminal(name, status));
  for (const auto status : {"incomplete", "trialing", "active", "past_due", "unpaid", "paused"})
    CHECK_FALSE(is_terminal("subscription", status));
  CHECK_FALSE(is_terminal("invoice", "uncollectible"));
  CHECK_FALSE(is_terminal("payout", "paid"));
  CHECK_FALSE(is_terminal("customer", "canceled"));
}

TEST_CASE("an uncontested decision builds no DOM") {
  nlohmann::json big = nlohmann::json::parse(
      R"({"id":"sub_1","object":"subscription","created":10,"customer":"cus_1"})");
  for (int i = 0; i < 75; ++i)
    big["field_" + std::to_string(i)] = {{"amount", i}, {"text", "some text of some length"}};
  big["status"] = "active";
  const std::string document = big.dump();
  const auto now = row(document, 10);
  const auto next = updated("e", 11, document, {}, "customer.subscription.updated", subscription);

  // The best of many rounds: what the work costs when nothing else has the processor.
  const auto time_of = [](auto&& work) {
    double best = 1e12;
    std::size_t sum = 0;
    for (int round = 0; round < 40; ++round) {
      const auto started = std::chrono::steady_clock::now();
      for (int i = 0; i < 50; ++i)
        sum += work();
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - started;
      best = std::min(best, took.count() / 50);
    }
    REQUIRE(sum > 0);
    return best;
  };
  const double deciding = time_of([&] { return decide(now, next, {}).document.size(); });
  const double parsing = time_of([&] { return nlohmann::json::parse(document).size(); });
  std::cout << "uncontested decision: " << static_cast<int>(deciding) << " ns for "
            << document.size() << " bytes; parsing them takes " << static_cast<int>(parsing)
            << " ns\n";
  CHECK(deciding * 4 < parsing);
}
