#include "actors/owner_jobs.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "actors/ownership.hpp"
#include "base/log.hpp"
#include "stripe/collapse.hpp"
#include "stripe/event.hpp"
#include "stripe/list_filters.hpp"

namespace tilld::actors {

namespace {

using after_commit = owner_state::after_commit;

mirror_context mirror_context_of(const owner_state& me) {
  return {me.shared->rules.of(me.scope), me.scope, me.shared->time.wall_ms()};
}

order_context order_context_of(const owner_state& me) {
  return {me.scope, me.shared->time.wall_ms(), me.shared->node};
}

void ask_for_refetch(const owner_state& me, const refetch_target& target) {
  const std::int64_t wait = target.tie ? bounds::tie_wait_ms : 0;
  caf::anon_send(me.links.sync, refetch_wanted{me.scope, target.object_name, target.object_id,
                                               me.shared->time.mono_ms() + wait});
}

void count_event(const counters& count, event_end end) {
  switch (end) {
    case event_end::applied:
      return count.events_applied.add();
    case event_end::ignored:
      return count.events_ignored.add();
    case event_end::refetch:
      return count.events_refetch.add();
    case event_end::duplicate:
      return count.events_duplicate.add();
    case event_end::failed:
      return count.events_failed.add();
    case event_end::unavailable:
      return count.events_unavailable.add();
  }
}

void answer_event(const owner_state& me, const take_event& what, event_answer answer) {
  count_event(me.shared->count, answer.end);
  if (answer.end == event_end::failed) {
    log::warning(
        "event_failed",
        {{"event", what.event->event->id}, {"type", what.event->event->type}, {"why", answer.why}});
  }
  what.answer(std::move(answer));
}

after_commit run(owner_state& me, working_set& set, core::customer_state* next, apply_event& job) {
  const stripe::event& event = *job.what.event->event;
  me.decided->note(event.object_name, event.object_id);
  auto became = mirror_event(set, next, mirror_context_of(me), *job.what.event);
  if (!became) {
    return [&me, what = job.what, why = became.error().message](const error*) {
      answer_event(me, what, {event_end::unavailable, why});
    };
  }
  return [&me, what = job.what, became = std::move(*became)](const error* failed) {
    if (failed != nullptr) {
      return answer_event(me, what, {event_end::unavailable, failed->message});
    }
    if (became.refetch) ask_for_refetch(me, *became.refetch);
    answer_event(me, what, {became.end, became.why});
  };
}

after_commit run(owner_state& me, working_set& set, core::customer_state*, place_order& job) {
  auto placed = open_order(set, order_context_of(me), *job.what.order);
  if (!placed || std::holds_alternative<order_answer>(*placed)) {
    order_answer now =
        placed ? std::get<order_answer>(*placed)
               : refuse_order(503, "api_error", "store_unavailable", placed.error().message);
    return [&me, answer = job.what.answer, now = std::move(now)](const error* failed) {
      me.turn_over = true;
      if (failed == nullptr) return void(answer(now));
      answer(refuse_order(503, "api_error", "store_unavailable", failed->message));
    };
  }
  auto order = std::make_shared<order_in_hand>();
  order->scope = me.scope;
  order->record = std::move(std::get<store::order_record>(*placed));
  order->record.call.give_up_after_ms = me.shared->order_wait_ms;
  order->answer = job.what.answer;
  return [&me, order = std::move(order), durable = job.what.order->durable](const error* failed) {
    if (failed == nullptr) {
      durable(order->record.id);
      return send_order(me, order);
    }
    me.turn_over = true;
    order->answer(
        refuse_order(503, "api_error", "store_unavailable",
                     "The order could not be made durable and was not sent: " + failed->message));
  };
}

// The one object in Stripe's answer, if there is one to keep.
std::optional<stripe::object_head> object_in(const stripe::outcome& outcome) {
  if (outcome.end != stripe::call_end::answered || outcome.status >= 300) return std::nullopt;
  auto head = stripe::parse_object(outcome.body);
  if (!head || head->id.empty() || head->object_name.empty()) return std::nullopt;
  if (head->object_name == "list" || head->object_name == "search_result") return std::nullopt;
  return std::move(*head);
}

snapshot snapshot_of(const stripe::object_head& head, const stripe::outcome& outcome,
                     std::string_view cause) {
  snapshot snap;
  snap.object_name = head.object_name;
  snap.object_id = head.id;
  snap.json = head.json;
  snap.deleted = head.deleted;
  snap.lo_s = outcome.started_s;
  snap.hi_s = outcome.date_s;
  snap.cause = cause;
  return snap;
}

// An answer with expanded fields, folded back into the shape that the mirror keeps.
std::optional<stripe::object_head> kept_shape(const stripe::call& call,
                                              const stripe::outcome& outcome) {
  auto head = object_in(outcome);
  const bool expanded = call.body.find("expand") != std::string::npos ||
                        call.target.find("expand") != std::string::npos;
  if (!head || !expanded) return head;
  const auto folded = stripe::collapse(head->json);
  if (!folded) return std::nullopt;
  auto again = stripe::parse_object(*folded);
  return again ? std::optional(std::move(*again)) : std::nullopt;
}

// A repeated order may be answered with what was true when it was first carried out.
std::int64_t earliest_truth_s(const order_in_hand& order) {
  const bool repeated = order.outcome.replayed || order.record.attempts > 1;
  if (!repeated) return order.outcome.started_s;
  constexpr std::int64_t clock_difference_s = 5;
  return std::min(order.outcome.started_s, order.record.created_ms / 1000 - clock_difference_s);
}

// An answer in another version is of another shape: what it has changed is fetched instead.
result<mirrored> mirror_answer(owner_state& me, working_set& set, core::customer_state* state,
                               const order_in_hand& order, const stripe::object_head& head) {
  const mirror_context context = mirror_context_of(me);
  const std::string& version = order.record.call.api_version;
  if (!version.empty() && version != context.rules.api_version && !head.deleted) {
    return mirror_doubt(set, state, context, head.object_name, head.id, "other API version");
  }
  snapshot snap = snapshot_of(head, order.outcome, order.record.id);
  snap.lo_s = earliest_truth_s(order);
  snap.after_held = !order.outcome.replayed && order.left_from.lock() == me.decided &&
                    me.decided->none_since(order.left_at, head.object_name, head.id);
  me.decided->note(head.object_name, head.id);
  return mirror_snapshot(set, state, context, snap);
}

void count_order(const counters& count, const store::order_record& record) {
  switch (record.status) {
    case store::order_status::open:
      return count.orders_left_open.add();
    case store::order_status::done:
      return count.orders_done.add();
    case store::order_status::refused:
      return count.orders_refused.add();
    case store::order_status::parked:
      return count.orders_parked.add();
  }
}

void order_ended(const owner_state& me, order_in_hand& order, const order_end& end) {
  count_order(me.shared->count, order.record);
  log::info("order_" + std::string(store::to_string(order.record.status)),
            {{"order", order.record.id},
             {"verb", order.record.call.verb},
             {"target", order.record.call.target},
             {"status", end.answer.status},
             {"attempts", order.record.attempts},
             {"request", order.record.answer_request_id},
             {"why", order.record.why}});
  order.answer(end.answer);
  if (end.settled) me.shared->watch.ended(order.record.id);
}

// What has no customer of its own changes what it is of: a refund its charge, an item its
// subscription.
void touch_referred(const owner_state& me, const stripe::object_head& head, std::int64_t now_ms) {
  if (!head.owner_customer.empty()) return;
  for (const char* name : {"charge", "invoice", "payment_intent", "subscription"}) {
    const std::string id = stripe::text_at(head.json, name);
    const std::string owner =
        id.empty() ? "" : owner_of_object(me.shared->store, me.scope, name, id);
    if (!owner.empty()) me.shared->unsettled.touch(me.scope, owner, now_ms);
  }
}

after_commit run(owner_state& me, working_set& set, core::customer_state* next, settle_order& job) {
  auto order = job.order;
  store::order_record record = order->record;
  order_end end =
      close_order(set, order_context_of(me), record, order->outcome, me.shared->order_give_up_ms);
  std::optional<refetch_target> refetch;
  const std::int64_t now_ms = me.shared->time.mono_ms();
  me.shared->unsettled.touch(me.scope, record.owner, now_ms);
  if (const auto head = kept_shape(record.call, order->outcome)) {
    me.shared->unsettled.touch(me.scope, head->owner_customer, now_ms);
    touch_referred(me, *head, now_ms);
    auto became = mirror_answer(me, set, next, *order, *head);
    if (became) refetch = became->refetch;
    if (!became) {
      log::error("answer_not_mirrored", {{"order", record.id}, {"why", became.error().message}});
    }
  }
  return
      [&me, order, record = std::move(record), end = std::move(end), refetch](const error* failed) {
        if (failed != nullptr) {
          // Stripe has answered but we could not write it down: the order is still open on disk and
          // its key makes another try harmless.
          order->answer(refuse_order(503, "api_error", "store_unavailable",
                                     "Stripe answered order " + record.id +
                                         ", but the answer could not be kept: " + failed->message));
          caf::anon_send(me.links.sync, retry_order_later{order});
          return;
        }
        order->record = record;
        if (refetch) ask_for_refetch(me, *refetch);
        order_ended(me, *order, end);
        if (!end.settled) caf::anon_send(me.links.sync, retry_order_later{order});
      };
}

after_commit run(owner_state& me, working_set& set, core::customer_state* next,
                 apply_snapshot& job) {
  auto in_hand = job.snapshot;
  const fetch_request& request = in_hand->request;
  const stripe::outcome& outcome = in_hand->outcome;
  std::optional<stripe::object_head> head = kept_shape(request.call, outcome);
  snapshot snap;
  if (head) {
    snap = snapshot_of(*head, outcome, "fetch");
  } else {
    snap.object_name = request.object_name;
    snap.object_id = request.object_id;
    snap.missing = true;
    snap.lo_s = outcome.started_s;
    snap.hi_s = outcome.date_s;
    snap.cause = "fetch";
  }
  snap.refetch = request.is_refetch;
  me.decided->note(snap.object_name, snap.object_id);
  auto became = mirror_snapshot(set, next, mirror_context_of(me), snap);
  return [&me, in_hand, became = std::move(became)](const error* failed) {
    const fetch_request& asked = in_hand->request;
    const bool kept = failed == nullptr && became.has_value();
    if (kept && became->refetch && !asked.is_refetch) ask_for_refetch(me, *became->refetch);
    if (asked.is_refetch) {
      caf::anon_send(me.links.sync, refetch_settled{asked.scope, asked.object_name, asked.object_id,
                                                    kept && !became->refetch});
    }
    fetch_answer answer{in_hand->outcome.status, in_hand->outcome.body,
                        in_hand->outcome.request_id};
    answer.kept = kept;
    in_hand->answer(std::move(answer));
  };
}

}  // namespace

owner_state::after_commit run_job(owner_state& me, working_set& set, core::customer_state* next,
                                  owner_job& job) {
  working_set own(&set);
  const std::optional<core::customer_state> before = next ? std::optional(*next) : std::nullopt;
  try {
    auto after = std::visit([&](auto& what) { return run(me, own, next, what); }, job.what);
    set.take(std::move(own));
    return after;
  } catch (const std::exception& e) {
    // A library's exception is a fault of ours; the actor and the other facts live on.
    log::error("fact_failed", {{"why", e.what()}});
    if (next != nullptr) *next = *before;
    return [&me, job, why = std::string(e.what())](const error*) mutable {
      refuse_job(me, job, error{errc::unavailable, why});
    };
  }
}

void refuse_job(owner_state& me, owner_job& job, const error& why) {
  if (auto* event = std::get_if<apply_event>(&job.what)) {
    answer_event(me, event->what, {event_end::unavailable, why.message});
  } else if (auto* order = std::get_if<place_order>(&job.what)) {
    order->what.answer(refuse_order(503, "api_error", "store_unavailable", why.message));
    me.turn_over = true;
  } else if (auto* settled = std::get_if<settle_order>(&job.what)) {
    settled->order->answer(refuse_order(503, "api_error", "store_unavailable", why.message));
    caf::anon_send(me.links.sync, retry_order_later{settled->order});
  } else if (auto* snap = std::get_if<apply_snapshot>(&job.what)) {
    const fetch_request& asked = snap->snapshot->request;
    if (asked.is_refetch) {
      caf::anon_send(me.links.sync,
                     refetch_settled{asked.scope, asked.object_name, asked.object_id, false});
    }
    snap->snapshot->answer({503, refuse_order(503, "api_error", "", why.message).body, ""});
  }
}

void send_order(owner_state& me, std::shared_ptr<order_in_hand> order) {
  if (order->resumed == 0 && order->record.attempts == 0) {
    order->left_from = me.decided;
    order->left_at = me.decided->now();
  }
  auto call = std::make_shared<const stripe::call>(order->record.call);
  ++me.shared->outstanding;
  stripe::outcome lost;
  lost.end = stripe::call_end::unknown;
  lost.why = "the gateway is gone";
  once<stripe::outcome> answer(
      [ingress = me.links.ingress, order, shared = me.shared](stripe::outcome outcome) {
        order->outcome = std::move(outcome);
        caf::anon_send(ingress, order_came_back{order});
        --shared->outstanding;
      },
      std::move(lost));
  caf::anon_send(me.links.gateway, submit_call{std::move(call), std::move(answer)});
}

}  // namespace tilld::actors
