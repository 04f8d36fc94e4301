#include <thread>

#include "support/catch.hpp"
#include "unit/actors/fixtures.hpp"

using namespace tilld;
using namespace tilld::test;
using actors::event_end;

TEST_CASE("an event that was answered is on disk and visible to the next read") {
  bench_till t(nullptr);
  const auto answer =
      t.event(event_text("evt_1", "customer.created", 1000, customer("cus_1", "ada")));
  CHECK(answer.end == event_end::applied);
  REQUIRE(t.document("customer", "cus_1"));
  CHECK((*t.document("customer", "cus_1"))["email"] == "cus_1@example.com");
  CHECK(t.state("cus_1").user_id == "ada");
  const auto raw = t.store().get(store::family::events, store::key::event(main_scope, "evt_1"));
  CHECK(store::decode_event(**raw)->status == store::event_status::applied);
}

TEST_CASE("the same event twice has no second effect") {
  bench_till t(nullptr);
  const auto text = event_text("evt_1", "customer.created", 1000, customer("cus_1"));
  CHECK(t.event(text).end == event_end::applied);
  const auto changes = t.store().last_number(store::family::feed);
  CHECK(t.event(text).end == event_end::duplicate);
  CHECK(t.store().last_number(store::family::feed) == changes);
}

TEST_CASE("an older event is kept and changes nothing") {
  bench_till t(nullptr);
  auto newer = customer("cus_1");
  newer["name"] = "new";
  t.event(event_text("evt_2", "customer.updated", 2000, newer, {{"name", nullptr}}));
  CHECK(t.event(event_text("evt_1", "customer.created", 1000, customer("cus_1"))).end ==
        event_end::ignored);
  CHECK((*t.document("customer", "cus_1"))["name"] == "new");
}

TEST_CASE("an event of an unknown type and object is mirrored all the same") {
  bench_till t(nullptr);
  const json gadget{{"id", "gad_1"}, {"object", "gadget"}, {"created", 5}, {"shine", 3}};
  CHECK(t.event(event_text("evt_1", "gadget.polished", 1000, gadget)).end == event_end::applied);
  CHECK(t.document("gadget", "gad_1") == gadget);
}

TEST_CASE("an event whose object has no id is kept") {
  bench_till t(nullptr);
  const json upcoming{{"object", "invoice"}, {"customer", "cus_1"}};
  CHECK(t.event(event_text("evt_1", "invoice.upcoming", 1000, upcoming)).end == event_end::ignored);
}

TEST_CASE("a deleted customer is not brought back by a late update") {
  bench_till t(nullptr);
  t.event(event_text("evt_1", "customer.created", 1000, customer("cus_1")));
  t.event(event_text("evt_3", "customer.deleted", 3000, customer("cus_1")));
  t.event(event_text("evt_2", "customer.updated", 2000, customer("cus_1"), {{"name", "x"}}));
  CHECK((*t.document("customer", "cus_1"))["deleted"] == true);
  CHECK(t.state("cus_1").deleted);
}

TEST_CASE("a subscription gives access from the event on") {
  bench_till t(nullptr);
  t.event(event_text("evt_1", "customer.created", 1000, customer("cus_1", "ada")));
  t.event(event_text("evt_2", "customer.subscription.created", 1001,
                     subscription("sub_1", "cus_1", "active")));
  REQUIRE(t.state("cus_1").subscriptions.size() == 1);
  CHECK(t.state("cus_1").subscriptions[0].items[0].product == "prod_1");
  t.event(event_text("evt_3", "customer.subscription.deleted", 1002,
                     subscription("sub_1", "cus_1", "canceled")));
  CHECK(t.state("cus_1").subscriptions[0].status == "canceled");
}

TEST_CASE(
    "an event that cannot be applied is kept as failed, with the reason, and can be run again") {
  bench_till t(nullptr);
  const json broken{{"id", "sub_1"},
                    {"object", "subscription"},
                    {"customer", "cus_1"},
                    {"created", 1}};  // no status, no items
  const auto text = event_text("evt_1", "customer.subscription.created", 1000, broken);
  const auto answer = t.event(text);
  CHECK(answer.end == event_end::failed);
  CHECK_FALSE(answer.why.empty());
  CHECK_FALSE(t.document("subscription", "sub_1"));
  const auto failures = [&] {
    int count = 0;
    t.store().scan({store::family::index, store::key::failures(main_scope), "", false},
                   [&](auto, auto) { return ++count > 0; });
    return count;
  };
  CHECK(failures() == 1);
  CHECK(t.event(text).end == event_end::failed);  // sent again: tried again
  CHECK(failures() == 1);
  const auto row = t.store().get(store::family::events, store::key::event(main_scope, "evt_1"));
  CHECK(store::decode_event(**row)->tries == 2);
}

TEST_CASE("two hundred events of one customer, sent at once, are all applied") {
  bench_till t(nullptr);
  std::atomic<int> left{200};
  std::atomic<int> good{0};
  std::promise<void> done;
  for (int i = 0; i < 200; ++i) {
    auto c = customer("cus_1");
    c["name"] = std::to_string(i);
    auto e = incoming(event_text("evt_" + std::to_string(i), "customer.updated", 1000 + i, c,
                                 {{"name", std::to_string(i - 1)}}));
    t.till().take_event(std::move(e), {[&](const actors::event_answer& a) {
                                         if (a.end != event_end::unavailable) ++good;
                                         if (--left == 0) done.set_value();
                                       },
                                       {}});
  }
  done.get_future().wait();
  CHECK(good == 200);
  CHECK((*t.document("customer", "cus_1"))["name"] == "199");
}

TEST_CASE(
    "an order is durable before it leaves, and its answer is mirrored before it is returned") {
  bench_till* seen = nullptr;
  bool was_durable = false;
  scripted_stripe stripe([&](const net::request&) {
    seen->store().scan({store::family::outbox, store::key::open_orders(main_scope), "", false},
                       [&](auto, auto) {
                         was_durable = true;
                         return true;
                       });
    return scripted_stripe::ok(customer("cus_9", "bob"), 5000);
  });
  bench_till t(&stripe);
  seen = &t;
  const auto answer = t.order("POST", "/v1/customers", "email=x");
  CHECK(answer.status == 200);
  CHECK(was_durable);
  CHECK(t.document("customer", "cus_9"));
  CHECK(t.state("cus_9").user_id == "bob");
  bool open = false;
  t.store().scan({store::family::outbox, store::key::open_orders(main_scope), "", false},
                 [&](auto, auto) { return open = true; });
  CHECK_FALSE(open);
}

TEST_CASE("every try of an order carries the same idempotency key") {
  int tries = 0;
  scripted_stripe stripe([&](const net::request&) {
    if (++tries < 3) return scripted_stripe::lost();
    return scripted_stripe::ok(customer("cus_1"), 5000);
  });
  bench_till t(&stripe);
  CHECK(t.order("POST", "/v1/customers", "email=x").status == 200);
  const auto sent = stripe.requests();
  REQUIRE(sent.size() == 3);
  const auto key_of = [](const net::request& r) {
    for (const auto& [name, value] : r.headers) {
      if (name == "Idempotency-Key") return value;
    }
    return std::string();
  };
  CHECK_FALSE(key_of(sent[0]).empty());
  CHECK(key_of(sent[0]) == key_of(sent[1]));
  CHECK(key_of(sent[0]) == key_of(sent[2]));
}

TEST_CASE("the application's own key gives the same answer again, without a second order") {
  scripted_stripe stripe(
      [&](const net::request&) { return scripted_stripe::ok(customer("cus_1"), 5000); });
  bench_till t(&stripe);
  const auto first = t.order("POST", "/v1/customers", "email=x", "key-1");
  const auto second = t.order("POST", "/v1/customers", "email=x", "key-1");
  CHECK(second.replayed);
  CHECK(second.body == first.body);
  CHECK(stripe.requests().size() == 1);
  const auto other = t.order("POST", "/v1/customers", "email=y", "key-1");
  CHECK(other.status == 400);
  CHECK(json::parse(other.body)["error"]["type"] == "idempotency_error");
}

TEST_CASE("the same parameters in another order or writing are the same request") {
  scripted_stripe stripe(
      [&](const net::request&) { return scripted_stripe::ok(customer("cus_1"), 5000); });
  bench_till t(&stripe);
  CHECK(t.order("POST", "/v1/customers", "email=a%40b.c&name=A+B", "key-1").status == 200);
  CHECK(t.order("POST", "/v1/customers", "name=A%20B&email=a@b.c", "key-1").replayed);
  CHECK(t.order("POST", "/v1/customers", "expand[]=a&expand[]=b", "key-2").status == 200);
  CHECK(t.order("POST", "/v1/customers", "expand[]=b&expand[]=a", "key-2").status == 400);
  const auto elsewhere = t.order("POST", "/v1/products", "email=a%40b.c&name=A+B", "key-1");
  CHECK(elsewhere.status == 400);
  CHECK(json::parse(elsewhere.body)["error"]["message"] ==
        "Keys for idempotent requests can only be used for the same endpoint they were first used "
        "for ('/v1/products' vs '/v1/customers'). Try using a key other than 'key-1' if you meant "
        "to execute a different request.");
}

TEST_CASE("a key means something for 30 days, and nothing with a DELETE of version 1") {
  int calls = 0;
  scripted_stripe stripe([&](const net::request&) {
    ++calls;
    return scripted_stripe::ok(customer("cus_1"), 5000);
  });
  bench_till t(&stripe);
  t.order("POST", "/v1/customers", "email=x", "key-1");
  t.order("DELETE", "/v1/customers/cus_1", "", "key-2");
  t.order("DELETE", "/v1/customers/cus_1", "", "key-2");
  CHECK(calls == 3);
  t.order("DELETE", "/v2/core/event_destinations/ed_1", "", "key-3");
  CHECK(t.order("DELETE", "/v2/core/event_destinations/ed_1", "", "key-3").replayed);
  CHECK(calls == 4);
  const auto row_key = store::key::order_by_key(main_scope, "key-1");
  const auto id = t.store().get(store::family::outbox, row_key);
  const auto row = t.store().get(store::family::outbox, store::key::order(main_scope, **id));
  auto record = *store::decode_order(**row);
  const auto age_it = [&](std::int64_t days) {
    record.created_ms = system_clock{}.wall_ms() - days * 86'400'000;
    store::batch rows;
    rows.put(store::family::outbox, store::key::order(main_scope, record.id),
             store::encode(record));
    REQUIRE(t.store().commit(rows).has_value());
  };
  age_it(29);
  CHECK(t.order("POST", "/v1/customers", "email=x", "key-1").replayed);
  age_it(31);
  const auto anew = t.order("POST", "/v1/customers", "email=other", "key-1");
  CHECK(anew.status == 200);
  CHECK_FALSE(anew.replayed);
}

TEST_CASE("an order of version 2 that Stripe refused is tried again under its key") {
  int calls = 0;
  scripted_stripe stripe([&](const net::request&) {
    if (++calls == 1) {
      return scripted_stripe::status(402, {{"error", {{"code", "x"}, {"message", "no"}}}});
    }
    return scripted_stripe::ok({{"object", "v2.billing.meter_event"}, {"identifier", "i"}}, 5000);
  });
  bench_till t(&stripe);
  CHECK(t.order("POST", "/v2/billing/meter_events", "{}", "key-1").status == 402);
  CHECK(t.order("POST", "/v2/billing/meter_events", "{}", "key-1").status == 200);
  CHECK(t.order("POST", "/v2/billing/meter_events", "{}", "key-1").replayed);
  CHECK(calls == 2);
}

TEST_CASE("what an order in another API version has changed is fetched in the pinned one") {
  scripted_stripe stripe([&](const net::request& r) {
    auto one = customer("cus_1", r.verb == "GET" ? "right" : "wrong");
    return scripted_stripe::ok(one, 5000);
  });
  bench_till t(&stripe);
  actors::order_request r;
  r.scope = main_scope;
  r.call.verb = "POST";
  r.call.target = "/v1/customers";
  r.call.api_version = "2019-01-01";
  CHECK(t.order(std::move(r)).status == 200);
  CHECK(comes_true([&] { return t.document("customer", "cus_1").has_value(); }));
  CHECK(t.state("cus_1").user_id == "right");
}

TEST_CASE("an order in the very second of an event that was applied before it is newer than that") {
  auto renamed = customer("cus_1", "ada");
  renamed["name"] = "by the order";
  scripted_stripe stripe([&](const net::request&) { return scripted_stripe::ok(renamed, 5000); });
  bench_till t(&stripe);
  auto told = customer("cus_1", "ada");
  told["name"] = "by the event";
  t.event(event_text("evt_1", "customer.updated", 5000, told, {{"name", nullptr}}));
  actors::order_request r;
  r.scope = main_scope;
  r.call.verb = "POST";
  r.call.target = "/v1/customers/cus_1";
  r.owner = "cus_1";
  CHECK(t.order(std::move(r)).status == 200);
  CHECK((*t.document("customer", "cus_1"))["name"] == "by the order");
  CHECK(t.state("cus_1").name == "by the order");
}

TEST_CASE("the objects that an order's answer shows whole are mirrored, too") {
  scripted_stripe stripe([&](const net::request&) {
    auto one = subscription("sub_1", "cus_1", "active");
    one["customer"] = customer("cus_1", "ada");
    one["latest_invoice"] = {{"id", "in_1"},
                             {"object", "invoice"},
                             {"customer", "cus_1"},
                             {"created", 4000},
                             {"total", 7}};
    return scripted_stripe::ok(one, 5000);
  });
  bench_till t(&stripe);
  const std::string expand = "expand[]=customer&expand[]=latest_invoice";
  CHECK(t.order("POST", "/v1/subscriptions", expand, "", "cus_1").status == 200);
  CHECK((*t.document("subscription", "sub_1"))["customer"] == "cus_1");
  CHECK(comes_true([&] {
    return t.document("invoice", "in_1").has_value() && t.document("customer", "cus_1").has_value();
  }));
  CHECK(t.state("cus_1").user_id == "ada");
  // In another version they have another shape.
  bench_till other(&stripe);
  actors::order_request r;
  r.scope = main_scope;
  r.call.verb = "POST";
  r.call.target = "/v1/subscriptions";
  r.call.body = expand;
  r.call.api_version = "2019-01-01";
  CHECK(other.order(std::move(r)).status == 200);
  CHECK(comes_true([&] { return other.document("subscription", "sub_1").has_value(); }));
  CHECK_FALSE(other.document("invoice", "in_1"));
}

TEST_CASE("an order that Stripe refuses frees its key") {
  int calls = 0;
  scripted_stripe stripe([&](const net::request&) {
    if (++calls == 1) {
      return scripted_stripe::status(
          400, {{"error", {{"type", "invalid_request_error"}, {"message", "no"}}}});
    }
    return scripted_stripe::ok(customer("cus_1"), 5000);
  });
  bench_till t(&stripe);
  CHECK(t.order("POST", "/v1/customers", "email=", "key-1").status == 400);
  CHECK(t.order("POST", "/v1/customers", "email=x", "key-1").status == 200);
}

TEST_CASE("an order whose answer was lost is sent again after a restart, with the same key") {
  std::atomic<bool> answers{false};
  scripted_stripe stripe([&](const net::request&) {
    if (!answers) return scripted_stripe::lost();
    return scripted_stripe::ok(customer("cus_1"), 5000);
  });
  bench_till t(&stripe);
  const auto first = t.order("POST", "/v1/customers", "email=x", "key-1");
  CHECK(first.status == 504);
  answers = true;
  t.restart(&stripe);
  CHECK(comes_true([&] { return t.document("customer", "cus_1").has_value(); }));
  const auto again = t.order("POST", "/v1/customers", "email=x", "key-1");
  CHECK(again.status == 200);
  CHECK(again.replayed);
}

TEST_CASE("without a Stripe key an order is refused and nothing is kept of it") {
  bench_till t(nullptr);
  const auto answer = t.order("POST", "/v1/customers", "email=x");
  CHECK(answer.status == 503);
  CHECK(json::parse(answer.body)["error"]["code"] == "no_stripe_key");
}

TEST_CASE("an event in another API version has its object fetched in the pinned one") {
  auto fresh = customer("cus_1");
  fresh["shape"] = "pinned";
  scripted_stripe stripe([&](const net::request&) { return scripted_stripe::ok(fresh, 5000); });
  bench_till t(&stripe);
  CHECK(t.event(event_text("evt_1", "customer.created", 1000, customer("cus_1"), nullptr,
                           "2020-08-27"))
            .end == event_end::refetch);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!t.document("customer", "cus_1") && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  REQUIRE(t.document("customer", "cus_1"));
  CHECK((*t.document("customer", "cus_1"))["shape"] == "pinned");
}

TEST_CASE("a customer's actor is put away when it is idle and comes back with its state") {
  bench_till t(nullptr);
  t.event(event_text("evt_1", "customer.created", 1000, customer("cus_1", "ada")));
  std::this_thread::sleep_for(std::chrono::milliseconds(2'600));
  t.event(event_text("evt_2", "customer.subscription.created", 1001,
                     subscription("sub_1", "cus_1", "active")));
  CHECK(t.state("cus_1").user_id == "ada");
  CHECK(t.state("cus_1").subscriptions.size() == 1);
}
